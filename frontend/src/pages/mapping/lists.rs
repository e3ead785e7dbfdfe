//! The lists on the left: tables and collections. A table can be dragged from its list to where it is to go.

use super::carry::{carry, let_go};
use super::diagram::geometry::Point;
use super::lineage::Thing;
use super::relational::{relational_tree, table_of_line};
use super::workbench::{Workbench, use_workbench};
use crate::components::button::IconButton;
use crate::components::icon::Icon;
use crate::components::tree::{Tree, TreeNode};
use crate::format::number;
use godwit_shared::edit::{Draft, Edit, names};
use godwit_shared::ids::{CollectionId, TableId};
use godwit_shared::schema::TableName;
use leptos::prelude::*;
use std::collections::HashSet;

/// With so few schemas their tables are of interest at once.
const SCHEMAS_OPEN_MAX: usize = 8;

#[component]
pub fn TableList(on_manage: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let nodes = Memo::new(move |_| bench.with(|draft| relational_tree(&draft.model, &draft.content)));
    let open = nodes.with_untracked(|nodes| {
        nodes
            .iter()
            .take(SCHEMAS_OPEN_MAX)
            .map(|schema| schema.id.clone())
            .collect()
    });
    let selected = Memo::new(move |_| {
        bench
            .chosen
            .with(|chosen| bench.with(|draft| line_of(draft, chosen.first()?)))
    });
    let marked = Memo::new(move |_| {
        let tables = bench
            .collection
            .get()
            .map(|id| bench.with(|draft| tables_of(draft, &id)));
        tables.unwrap_or_default()
    });
    let select = Callback::new(move |line: String| {
        if let Some(thing) = bench.draft.with_untracked(|draft| thing_of(draft, &line)) {
            if let Thing::Table(table) = &thing {
                bench.diagram.relational.reveal(table.as_str());
            }
            bench.choose(thing);
        }
    });
    let drag = Callback::new(move |(line, at, is_done): (String, Point, bool)| drag(bench, &line, at, is_done));
    let actions = move || {
        view! { <IconButton label="Manage relational model" icon=Icon::Database on_press=on_manage attr:data-testid="manage-schema"/> }
            .into_any()
    };
    view! {
        <ListPanel title="Relational" actions=actions>
            <SearchedTree title="Relational" nodes=nodes.into() open=open selected=selected.into() marked=marked.into() on_select=select on_drag=drag/>
        </ListPanel>
    }
}

fn drag(bench: Workbench, line: &str, at: Point, is_done: bool) {
    let table = bench.draft.with_untracked(|draft| match thing_of(draft, line)? {
        Thing::Table(table) | Thing::Column { table, .. } => Some(table),
        _ => None,
    });
    match (table, is_done) {
        (Some(table), true) => let_go(bench, table, at),
        (Some(table), false) => carry(bench, table, at),
        (None, _) => {}
    }
}

/// The table or column of a line.
fn thing_of(draft: &Draft, line: &str) -> Option<Thing> {
    let name = table_of_line(line);
    let mut tables = draft.content.tables.iter();
    let (table, _) = tables.find(|(_, entry)| entry.path.name().to_string() == name)?;
    Some(match line.split_once('\n') {
        Some((_, column)) => Thing::Column {
            table: table.clone(),
            column: column.to_owned(),
        },
        None => Thing::Table(table.clone()),
    })
}

fn line_of(draft: &Draft, thing: &Thing) -> Option<String> {
    let name = |table: &TableId| {
        draft
            .content
            .tables
            .get(table)
            .map(|entry| entry.path.name().to_string())
    };
    match thing {
        Thing::Table(table) | Thing::Key { table, .. } => name(table),
        Thing::Column { table, column } => Some(format!("{}\n{column}", name(table)?)),
        Thing::Collection(_) | Thing::Path { .. } | Thing::Rule(_) => None,
    }
}

fn tables_of(draft: &Draft, collection: &CollectionId) -> HashSet<String> {
    let rules = draft
        .content
        .mappings
        .values()
        .filter(|rule| rule.collection_id == *collection);
    let name = |table: &String| {
        draft
            .content
            .tables
            .get(&TableId::new(table))
            .map(|entry| entry.path.name().to_string())
    };
    rules.filter_map(|rule| name(&rule.table)).collect()
}

#[component]
pub fn CollectionList() -> impl IntoView {
    let bench = use_workbench();
    let nodes = Memo::new(move |_| bench.with(collection_lines));
    let selected = Memo::new(move |_| bench.collection.get().map(|id| id.to_string()));
    let select = Callback::new(move |id: String| {
        bench.diagram.documents.reveal(&id);
        bench.choose(Thing::Collection(CollectionId::new(id)));
    });
    let add = Callback::new(move |()| {
        let name = bench
            .draft
            .with_untracked(|draft| names::collection(draft, &TableName::new("", "collection")));
        bench.apply_and_choose(Edit::AddCollection { collection: None, name });
    });
    let actions = move || {
        view! { <IconButton label="Add a collection" icon=Icon::Plus on_press=add attr:data-testid="add-collection"/> }
            .into_any()
    };
    view! {
        <ListPanel title="MongoDB" actions=actions>
            <SearchedTree title="MongoDB" nodes=nodes.into() open=Vec::new() selected=selected.into() marked=Signal::stored(HashSet::new()) on_select=select/>
        </ListPanel>
    }
}

/// A line for each collection with how many rules feed it.
fn collection_lines(draft: &Draft) -> Vec<TreeNode> {
    let rules = |id: &CollectionId| {
        draft
            .content
            .mappings
            .values()
            .filter(|rule| rule.collection_id == *id)
            .count()
    };
    let collections = draft.content.collections.iter();
    let line = |(id, collection): (&CollectionId, &godwit_shared::mapping::Collection)| TreeNode {
        id: id.to_string(),
        label: collection.name.clone(),
        note: match rules(id) as u64 {
            0 => "empty".to_owned(),
            n => number::counted(n, "rule", "rules"),
        },
        icon: Icon::Collection,
        children: Vec::new(),
    };
    collections.map(line).collect()
}

#[component]
fn ListPanel(title: &'static str, actions: impl FnOnce() -> AnyView, children: Children) -> impl IntoView {
    view! {
        <section class="gw-mapping__tree" aria-label=title>
            <header class="gw-mapping__tree-head">
                <h2>{title}</h2>
                {actions()}
            </header>
            {children()}
        </section>
    }
}

#[component]
fn SearchedTree(
    title: &'static str,
    nodes: Signal<Vec<TreeNode>>,
    open: Vec<String>,
    selected: Signal<Option<String>>,
    marked: Signal<HashSet<String>>,
    on_select: Callback<String>,
    #[prop(optional)] on_drag: Option<Callback<(String, Point, bool)>>,
) -> impl IntoView {
    let search = RwSignal::new(String::new());
    let label = format!("Search in {title}");
    let on_drag = on_drag.map(|call| {
        Callback::new(move |(id, x, y, is_done): (String, f64, f64, bool)| call.run((id, Point::new(x, y), is_done)))
    });
    view! {
        <div class="gw-mapping__tree-body">
            <input
                class="gw-input"
                type="search"
                placeholder="Search"
                aria-label=label
                spellcheck="false"
                autocomplete="off"
                on:input=move |event| search.set(event_target_value(&event))
            />
            <div class="gw-mapping__scroll">
                <Tree label=title nodes=nodes search=search selected=selected marked=marked open=open on_select=on_select on_drag=on_drag/>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;

    #[test]
    fn lines_and_things_know_each_other() {
        let draft = samples::draft();
        for line in ["public.loans", "public.loans\ntitle", "staff.desks"] {
            let thing = thing_of(&draft, line).expect("a thing");
            assert_eq!(line_of(&draft, &thing).as_deref(), Some(line));
        }
        assert_eq!(thing_of(&draft, "public"), None);
        assert_eq!(tables_of(&draft, &CollectionId::new("c1")).len(), 2);
        let notes: Vec<_> = collection_lines(&draft).into_iter().map(|line| line.note).collect();
        assert_eq!(notes, ["2 rules", "empty"]);
    }
}
