//! The *Mapping* tab: which tables feed which collection, and documents as they will be.

mod preview;

use crate::api;
use crate::components::badge::Badge;
use crate::components::button::{Button, ButtonTone};
use crate::components::empty_state::EmptyState;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use crate::pages::project::use_project_id;
use crate::remote::{Remote, show_remote};
use godwit_shared::project::ProjectCollection;
use leptos::prelude::*;
use preview::PreviewDialog;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Collection"),
    TableColumn::text("Tables"),
    TableColumn::unnamed("Actions"),
];

#[component]
pub fn MappingPage() -> impl IntoView {
    let project = use_project_id();
    let answer = LocalResource::new(move || {
        let id = project.get();
        async move { api::projects::collections(&id).await }
    });
    let state = Memo::new(move |_| Remote::from(answer.get()));
    let retry = Callback::new(move |()| answer.refetch());
    let previewed = RwSignal::new(None::<String>);
    let close = Callback::new(move |()| previewed.set(None));
    let ready = move |list: Vec<ProjectCollection>| match list.is_empty() {
        true => view! { <NoCollections/> }.into_any(),
        false => view! { <CollectionTable list=list on_preview=Callback::new(move |name| previewed.set(Some(name)))/> }
            .into_any(),
    };
    view! {
        <div class="gw-page">
            {show_remote(state.into(), || view! { <Skeleton lines=6/> }.into_any(), retry, ready)}
        </div>
        {move || previewed.get().map(|name| view! { <PreviewDialog project=project.get_untracked() collection=name on_close=close/> })}
    }
}

#[component]
fn NoCollections() -> impl IntoView {
    view! {
        <EmptyState
            icon=Icon::Database
            title="This project maps no table yet"
            text="Import a project file that has mapping rules: a job needs at least one collection."
        />
    }
}

#[component]
fn CollectionTable(list: Vec<ProjectCollection>, on_preview: Callback<String>) -> impl IntoView {
    let total = number::count(list.len() as u64);
    let row =
        move |collection: ProjectCollection| view! { <CollectionRow collection=collection on_preview=on_preview/> };
    view! {
        <section class="gw-panel">
            <div class="gw-panel__head">
                <div class="gw-row"><h2>"Collections"</h2><Badge text=total/></div>
            </div>
            <Table caption="Collections and the tables that feed them" columns=COLUMNS>
                <tbody>{list.into_iter().map(row).collect_view()}</tbody>
            </Table>
        </section>
    }
}

#[component]
fn CollectionRow(collection: ProjectCollection, on_preview: Callback<String>) -> impl IntoView {
    let name = collection.name.clone();
    let preview = Callback::new(move |()| on_preview.run(name.clone()));
    view! {
        <tr>
            <td class="gw-code">{collection.name}</td>
            <td class="gw-code">{collection.tables.join(", ")}</td>
            <td class="gw-number"><Button label="Preview" icon=Icon::Preview tone=ButtonTone::Quiet on_press=preview/></td>
        </tr>
    }
}
