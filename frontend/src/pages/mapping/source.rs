//! Where the rows of the documents come from: the connection of the project, or one that is given here. It is kept as
//! long as the page lives, and a new job begins with it.

use crate::api;
use crate::api::connections::SavedConnections;
use crate::components::dialog::DialogFoot;
use crate::components::drawer::Drawer;
use crate::components::keys::on_enter;
use crate::components::skeleton::Skeleton;
use crate::connections::draft::SourceDraft;
use crate::connections::problem::{KnownSources, is_source_complete};
use crate::connections::{SourceForm, SourceTest};
use crate::pages::migration::wizard::{Drafts, use_drafts};
use crate::projects::use_projects;
use godwit_shared::connection::SourceKind;
use godwit_shared::ids::ProjectId;
use leptos::prelude::*;
use reactive_stores::{Field, Store};

/// Whether anything says where the rows are.
pub fn has_source(drafts: Drafts, project: &ProjectId, saved: Option<&str>) -> bool {
    drafts.source_of(project).is_some() || saved.is_some_and(|id| !id.is_empty())
}

#[derive(Clone, Default, Store)]
struct Chosen {
    source: SourceDraft,
}

#[component]
pub fn SourceDrawer(
    id: ProjectId,
    #[prop(default = "Source of the documents")] title: &'static str,
    /// What is done with it.
    #[prop(default = "Show documents")]
    label: &'static str,
    on_chosen: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    // Without the saved connections everything can still be typed in.
    let drafts = use_drafts();
    let saved = LocalResource::new(|| async { api::connections::saved().await.unwrap_or_default() });
    let project = use_projects().find(Signal::derive({
        let id = id.clone();
        move || id.clone()
    }));
    let body = move || match saved.get() {
        None => view! { <div class="gw-dialog__body"><Skeleton lines=5/></div> }.into_any(),
        Some(saved) => {
            let kind = project.get_untracked().ready().flatten().map(|project| project.kind);
            let saved = saved.for_project(kind.as_deref());
            let new = kind.as_deref().and_then(SourceKind::of).map(SourceDraft::of_kind);
            let draft = drafts.source_draft_of(&id).or(new).unwrap_or_default();
            view! { <SourceChoice id=id.clone() label=label draft=draft saved=saved on_chosen=on_chosen on_close=on_close/> }
                .into_any()
        }
    };
    view! { <Drawer title=title on_close=on_close>{body}</Drawer> }
}

#[component]
fn SourceChoice(
    id: ProjectId,
    label: &'static str,
    draft: SourceDraft,
    saved: SavedConnections,
    on_chosen: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    let drafts = use_drafts();
    let chosen = Store::new(Chosen { source: draft });
    let source: Field<SourceDraft> = chosen.source().into();
    let was_tried = RwSignal::new(false);
    let known = saved.jdbc.clone();
    let is_complete = move |source: &SourceDraft| is_source_complete(source, KnownSources::saved(&known));
    let submit = Callback::new(move |()| match source.with_untracked(&is_complete) {
        true => {
            drafts.keep_source(&id, source.get_untracked());
            on_chosen.run(());
            on_close.run(());
        }
        false => was_tried.set(true),
    });
    view! {
        <div class="gw-dialog__body gw-form" on:keydown=on_enter(submit)>
            <SourceForm source=source saved=saved.jdbc.clone() was_tried=was_tried/>
            <SourceTest source=source saved=saved.jdbc was_tried=was_tried/>
        </div>
        <DialogFoot label=label on_press=submit on_close=on_close testid="preview-use-source"/>
    }
}
