//! *Name*

use super::draft::{ProjectDraftStoreFields, Start, new_name_error};
use super::selection::Selection;
use super::use_new_project;
use crate::components::field::TextField;
use crate::format::number;
use leptos::prelude::*;

#[component]
pub fn NameStep() -> impl IntoView {
    let context = use_new_project();
    let name = context.draft.name();
    let error = Signal::derive(move || {
        let projects = context.projects.state().get().ready().unwrap_or_default();
        let problem = name.with(|name| new_name_error(name, &projects));
        problem.filter(|_| context.was_tried.get())
    });
    let tables = move || {
        let count = context.selection.with(Selection::count);
        number::counted(count as u64, "table", "tables")
    };
    let rules = move || match context.draft.start().get() {
        Start::Empty => "no mapping rules yet",
        Start::Relational => "one collection for each",
        Start::Proposed => "the proposed model",
    };
    view! {
        <div class="gw-form">
            <TextField label="Project name" value=name error=error testid="project-name"/>
            <p class="gw-muted">{tables}", "{rules}"."</p>
        </div>
    }
}
