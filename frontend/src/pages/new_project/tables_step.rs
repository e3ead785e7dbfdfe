//! *Select tables*

use super::draft::ProjectDraftStoreFields;
use super::selection::{Selection, is_shown};
use super::tree::TreeView;
use super::use_new_project;
use crate::components::field::TextField;
use crate::format::number;
use leptos::prelude::*;

#[component]
pub fn TablesStep() -> impl IntoView {
    let context = use_new_project();
    let filter = context.draft.filter();
    let tree = Memo::new(move |_| context.schema.get().map(|read| read.tree).unwrap_or_default());
    let selected = Memo::new(move |_| context.selection.with(Selection::count));
    let hidden = Memo::new(move |_| {
        let (tree, filter) = (tree.get(), filter.get());
        context.selection.with(|selection| {
            let tables = tree.tables.iter().enumerate();
            tables
                .filter(|(place, t)| selection.contains(*place) && !is_shown(&t.path, &filter))
                .count()
        })
    });
    let summary = move || {
        let all = tree.with(|tree| tree.tables.len());
        let of_all = format!("{} of {} selected", number::count(selected.get() as u64), tables(all));
        match hidden.get() {
            0 => of_all,
            n => format!("{of_all}, {} of them hidden by the filter", number::count(n as u64)),
        }
    };
    let error = move || (context.was_tried.get() && selected.get() == 0).then_some("Select at least one table.");
    view! {
        <div class="gw-form">
            <TextField
                label="Filter"
                value=filter
                placeholder="Part of a table's or schema's name"
                hint=Some("Shows and hides; what is selected stays selected.".to_owned())
                testid="table-filter"
            />
            <p role="status" data-testid="table-count">{summary}</p>
            <p class="gw-field__note gw-field__note--error" role="alert">{error}</p>
            {move || view! { <TreeView tree=tree.get() filter=filter.into() selection=context.selection/> }}
        </div>
    }
}

fn tables(n: usize) -> String {
    number::counted(n as u64, "table", "tables")
}
