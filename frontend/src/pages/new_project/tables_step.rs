//! *Select tables*

use super::draft::ProjectDraftStoreFields;
use super::selection::{NamedTables, Selection, is_shown, matches};
use super::tree::TreeView;
use super::use_new_project;
use crate::components::button::Button;
use crate::components::field::{FieldKind, TextField};
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
            <BulkSelection/>
            <p role="status" data-testid="table-count">{summary}</p>
            <p class="gw-field__note gw-field__note--error" role="alert">{error}</p>
            {move || view! { <TreeView tree=tree.get() filter=Signal::derive(move || filter.get()) selection=context.selection/> }}
        </div>
    }
}

/// Selects tables by a list of their names; what the list means is shown while it is typed.
#[component]
fn BulkSelection() -> impl IntoView {
    let context = use_new_project();
    let names = context.draft.bulk_names();
    let found = Memo::new(move |_| {
        context.schema.with(|read| {
            let tree = read.as_ref().map(|read| read.tree.clone()).unwrap_or_default();
            names.with(|names| matches(names, &tree))
        })
    });
    let is_nothing = Signal::derive(move || found.with(|found| found.places.is_empty()));
    let select = move |is_selected: bool, clears: bool| {
        Callback::new(move |()| {
            let places = found.with_untracked(|found| found.places.clone());
            context.selection.update(|selection| {
                if clears {
                    selection.clear();
                }
                selection.set(places.into_iter(), is_selected);
            });
        })
    };
    view! {
        <TextField
            label="Bulk selection"
            kind=FieldKind::Code
            value=names
            placeholder="customers, sales.orders"
            hint=Some("Names of tables, set apart by commas.".to_owned())
            testid="bulk-names"
        />
        <Show when=move || names.with(|names| !names.trim().is_empty())>
            <FoundNames found=found/>
            <div class="gw-row">
                <Button
                    label="Select only these"
                    is_disabled=is_nothing
                    on_press=select(true, true)
                    attr:data-testid="bulk-only"
                />
                <Button label="Add" is_disabled=is_nothing on_press=select(true, false) attr:data-testid="bulk-add"/>
                <Button label="Remove" is_disabled=is_nothing on_press=select(false, false) attr:data-testid="bulk-remove"/>
            </div>
        </Show>
    }
}

/// The tables that the names mean, and the names that mean none.
#[component]
fn FoundNames(found: Memo<NamedTables>) -> impl IntoView {
    let context = use_new_project();
    let named = move || {
        let names = context.schema.with(|read| {
            let tree = read.as_ref().map(|read| read.tree.clone()).unwrap_or_default();
            let name = |place: &usize| tree.tables.get(*place).map(|t| t.path.name().to_string());
            found.with(|found| found.places.iter().filter_map(name).collect::<Vec<_>>())
        });
        (!names.is_empty()).then(|| format!("{}: {}", tables(names.len()), names.join(", ")))
    };
    let unknown = move || {
        let names = found.with(|found| found.unknown.join(", "));
        (!names.is_empty()).then(|| format!("No table, or more than one: {names}"))
    };
    view! {
        <div class="gw-bulk" aria-live="polite" data-testid="bulk-found">
            <p>{named}</p>
            <p class="gw-field__note--error">{unknown}</p>
        </div>
    }
}

fn tables(n: usize) -> String {
    number::counted(n as u64, "table", "tables")
}
