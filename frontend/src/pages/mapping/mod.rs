//! The *Mapping* tab: the place in which documents are shaped. Lists on the left, the diagram in the middle with
//! documents of live rows below, forms on the right.
//!
//! The project is a [`Draft`](godwit_shared::edit::Draft); every change is an edit in its history ([`workbench`]) and is
//! saved by itself ([`saving`]). What is shown is worked out by plain functions: cards and lines ([`diagram`]), which
//! column each field is made of ([`lineage`]), the documents line by line ([`outline`]). Which collection is in hand
//! stands in the URL.

mod carry;
pub mod decisions;
mod delete;
mod diagram;
mod diagram_calls;
mod diagram_edits;
mod documents;
mod fill;
mod forms;
mod head;
mod key_dialog;
mod lineage;
mod lists;
mod manage;
mod offers;
mod outline;
mod preview;
mod proposal;
mod relational;
mod rules;
#[cfg(test)]
mod samples;
mod saving;
mod settings;
pub mod source;
mod table_filter;
mod workbench;

use crate::api;
use crate::components::button::IconButton;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::pages::project::use_project_id;
use crate::remote::{Remote, show_remote};
use crate::routes;
use carry::CarriedTable;
use delete::DeleteDialog;
use diagram::pane::DiagramPane;
use diagram_calls::diagram_calls;
use fill::FillButton;
use forms::FormPane;
use godwit_shared::ids::CollectionId;
use godwit_shared::project::ProjectDetails;
use godwit_shared::schema::RelationalModel;
use head::HistoryButtons;
use key_dialog::KeyDialog;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use lists::{CollectionList, TableList};
use manage::ManageDialog;
use offers::DropChooser;
use preview::PreviewPane;
use proposal::ProposalDialog;
use saving::{Kept, follow_others, save_by_itself};
use settings::SettingsDialog;
use std::sync::Arc;
use workbench::Workbench;

/// What the server knows of the project.
#[derive(Debug, PartialEq)]
struct Loaded {
    details: ProjectDetails,
    model: RelationalModel,
}

#[component]
pub fn MappingPage() -> impl IntoView {
    let id = use_project_id();
    // Read once: what others save later is looked for where it may be taken over.
    let answer = LocalResource::new(move || {
        let id = id.get();
        async move {
            let (details, schema) = futures_util::try_join!(api::projects::get(&id), api::schema::of_project(&id))?;
            Ok(Arc::new(Loaded {
                details,
                model: schema.full,
            }))
        }
    });
    let state = Memo::new(move |_| Remote::from(answer.get()));
    let retry = Callback::new(move |()| answer.refetch());
    let ready = |loaded: Arc<Loaded>| view! { <Mapping loaded=loaded/> };
    show_remote(state.into(), || view! { <MappingSkeleton/> }.into_any(), retry, ready)
}

#[component]
fn MappingSkeleton() -> impl IntoView {
    view! { <div class="gw-page"><Skeleton lines=8/></div> }
}

#[component]
fn Mapping(loaded: Arc<Loaded>) -> impl IntoView {
    let query = use_query_map();
    let wanted = query
        .with_untracked(|query| query.get(routes::COLLECTION))
        .map(CollectionId::new);
    let bench = Workbench::new(loaded.details.clone(), loaded.model.clone(), wanted);
    provide_context(bench);
    if let Some(kept) = bench.id.with_value(Kept::take) {
        kept.restore(bench);
    }
    save_by_itself(bench);
    follow_others(bench);
    keep_in_url(bench);
    let [is_proposing, is_managing, has_settings] = [(); 3].map(|()| RwSignal::new(false));
    let propose = Callback::new(move |()| is_proposing.set(true));
    let settings = Callback::new(move |()| has_settings.set(true));
    let manage = Callback::new(move |()| is_managing.set(true));
    view! {
        <div class="gw-mapping">
            <aside class="gw-mapping__trees" aria-label="Source and collections">
                <TableList on_manage=manage/>
                <CollectionList/>
            </aside>
            <div class="gw-mapping__middle">
                <DiagramPane state=bench.diagram calls=diagram_calls(bench)>
                    <HistoryButtons/>
                    <IconButton label="Propose a model" icon=Icon::Sparkles on_press=propose attr:data-testid="propose"/>
                    <IconButton label="Project settings" icon=Icon::Settings on_press=settings attr:data-testid="project-settings"/>
                </DiagramPane>
                <FillButton on_propose=propose/>
                <PreviewPane/>
            </div>
            <FormPane/>
        </div>
        <CarriedTable/>
        <DropChooser dropped=bench.dropped/>
        <KeyDialog key=bench.key/>
        <DeleteDialog/>
        <ProposalDialog is_open=is_proposing/>
        <ManageDialog is_open=is_managing/>
        <SettingsDialog is_open=has_settings/>
    }
}

/// A link leads to the collection that was in hand.
fn keep_in_url(bench: Workbench) {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let Some(collection) = bench.collection.get() else {
            return;
        };
        let path = bench.id.with_value(|id| routes::mapping_of(id, &collection));
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&path, options);
    });
}
