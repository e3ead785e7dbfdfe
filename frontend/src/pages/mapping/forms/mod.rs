//! The pane on the right: the forms of what is chosen.

mod add;
mod calculated;
pub mod code_area;
mod collection;
mod column;
pub mod faults;
pub mod inputs;
pub mod key;
mod rule;
mod table;
mod time_series;
pub mod words;

use super::lineage::Thing;
use super::workbench::use_workbench;
use collection::CollectionForm;
use leptos::prelude::*;
use table::TableForm;

#[component]
pub fn FormPane() -> impl IntoView {
    let bench = use_workbench();
    let table = Memo::new(move |_| bench.table_in_hand());
    let body = move || {
        match (table.get(), bench.collection.get()) {
        (Some(table), _) => view! { <TableForm table=table/> }.into_any(),
        (None, Some(collection)) => view! { <CollectionForm collection=collection/> }.into_any(),
        (None, None) => view! {
            <p class="gw-forms__nothing gw-muted">
                "No collection yet. Drag a table into the lower half of the diagram, or choose one on the left, to make documents of \
                 its rows."
            </p>
        }
        .into_any(),
    }
    };
    view! {
        <section class="gw-forms" aria-label="Settings" data-testid="forms">{body}</section>
    }
}

/// The path that is chosen in the documents.
fn chosen_path() -> Signal<Option<String>> {
    let bench = use_workbench();
    Signal::derive(move || {
        bench.chosen.with(|chosen| match chosen.first() {
            Some(Thing::Path { path, .. }) => Some(path.clone()),
            _ => None,
        })
    })
}
