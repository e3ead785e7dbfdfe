//! The tree of databases, schemas and tables with a box at each.
//!
//! A box above others speaks of the tables that are shown below it: with a filter, those it hides keep what they have.

use super::selection::{SchemaNode, Selection, TableTree, is_shown};
use crate::components::choice::{Share, TriCheckbox};
use crate::components::icon::{Glyph, Icon};
use crate::format::number;
use leptos::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

/// What the nodes share.
#[derive(Clone, Copy)]
struct TreeContext {
    tree: StoredValue<Arc<TableTree>>,
    /// The places of the tables that the filter shows.
    shown: Memo<Arc<HashSet<usize>>>,
    selection: RwSignal<Selection>,
}

impl TreeContext {
    fn shown_of(self, places: std::ops::Range<usize>) -> Vec<usize> {
        self.shown
            .with(|shown| places.filter(|place| shown.contains(place)).collect())
    }

    /// The box of everything that is shown of these places.
    fn share(self, places: std::ops::Range<usize>) -> Memo<Share> {
        Memo::new(move |_| {
            let shown = self.shown_of(places.clone());
            self.selection.with(|selection| selection.share(shown.into_iter()))
        })
    }

    fn set(self, places: std::ops::Range<usize>, is_selected: bool) {
        let shown = untrack(|| self.shown_of(places));
        self.selection
            .update(|selection| selection.set(shown.into_iter(), is_selected));
    }
}

#[component]
pub fn TreeView(
    tree: Arc<TableTree>,
    #[prop(into)] filter: Signal<String>,
    selection: RwSignal<Selection>,
) -> impl IntoView {
    let databases = tree.databases();
    let all = tree.clone();
    let shown = Memo::new(move |_| {
        let filter = filter.get();
        let tables = all.tables.iter().enumerate();
        let shown = tables
            .filter(|(_, table)| is_shown(&table.path, &filter))
            .map(|(place, _)| place);
        Arc::new(shown.collect::<HashSet<_>>())
    });
    let context = TreeContext {
        tree: StoredValue::new(tree),
        shown,
        selection,
    };
    let nothing = move || {
        let is_empty = shown.with(|shown| shown.is_empty());
        is_empty.then(|| view! { <p class="gw-muted gw-tree__nothing">"No table has that in its name."</p> })
    };
    let database = move |(name, schemas)| view! { <DatabaseItem context=context name=name schemas=schemas/> };
    view! {
        <div class="gw-tree" tabindex="0" role="region" aria-label="Tables">
            <ul>{databases.into_iter().map(database).collect_view()}</ul>
            {nothing}
        </div>
    }
}

/// A line with its box, and below it what it holds.
#[component]
fn Branch(context: TreeContext, name: String, places: std::ops::Range<usize>, children: ChildrenFn) -> impl IntoView {
    let is_open = RwSignal::new(true);
    let share = context.share(places.clone());
    let is_hidden = {
        let places = places.clone();
        move || context.shown_of(places.clone()).is_empty()
    };
    let counted = places.clone();
    let count = move || {
        let selected = context
            .selection
            .with(|s| counted.clone().filter(|place| s.contains(*place)).count());
        format!(
            "{} of {}",
            number::count(selected as u64),
            number::count(counted.len() as u64)
        )
    };
    let set = Callback::new(move |is_selected| context.set(places.clone(), is_selected));
    let icon = Signal::derive(move || {
        if is_open.get() {
            Icon::ChevronDown
        } else {
            Icon::ChevronRight
        }
    });
    let fold = format!("Tables of {name}");
    view! {
        <li hidden=is_hidden>
            <div class="gw-tree__line">
                <button
                    type="button"
                    class="gw-button gw-button--icon gw-tree__fold"
                    aria-label=fold
                    aria-expanded=move || is_open.get().to_string()
                    on:click=move |_| is_open.update(|open| *open = !*open)
                >
                    <Glyph icon=icon/>
                </button>
                <TriCheckbox label=name share=share on_change=set/>
                <span class="gw-muted">{count}</span>
            </div>
            <ul class="gw-tree__below" hidden=move || !is_open.get()>{children()}</ul>
        </li>
    }
}

#[component]
fn DatabaseItem(context: TreeContext, name: String, schemas: Vec<SchemaNode>) -> impl IntoView {
    let first = schemas.first().map_or(0, |s| s.tables.start);
    let last = schemas.last().map_or(first, |s| s.tables.end);
    let schema = move |schema: &SchemaNode| {
        let (name, places) = (schema.name.clone(), schema.tables.clone());
        view! { <SchemaItem context=context name=name places=places/> }
    };
    let schemas = StoredValue::new(schemas);
    view! {
        <Branch context=context name=name places=first..last>
            {schemas.with_value(|schemas| schemas.iter().map(schema).collect_view())}
        </Branch>
    }
}

#[component]
fn SchemaItem(context: TreeContext, name: String, places: std::ops::Range<usize>) -> impl IntoView {
    let tables = places.clone();
    view! {
        <Branch context=context name=name places=places>
            {tables.clone().map(|place| view! { <TableItem context=context place=place/> }).collect_view()}
        </Branch>
    }
}

#[component]
fn TableItem(context: TreeContext, place: usize) -> impl IntoView {
    let (name, note) = context.tree.with_value(|tree| {
        let table = &tree.tables[place];
        let columns = number::counted(table.column_count as u64, "column", "columns");
        let note = if table.has_key {
            columns
        } else {
            format!("{columns}, no primary key")
        };
        (table.path.table.clone(), note)
    });
    let share = context.share(place..place + 1);
    let is_hidden = Memo::new(move |_| context.shown.with(|shown| !shown.contains(&place)));
    let set = Callback::new(move |is_selected| context.set(place..place + 1, is_selected));
    view! {
        <li class="gw-tree__line" hidden=is_hidden data-testid="table">
            <TriCheckbox label=name share=share on_change=set/>
            <span class="gw-muted">{note}</span>
        </li>
    }
}
