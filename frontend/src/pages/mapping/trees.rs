//! *Relational* and *MongoDB*: two trees that point at each other.

use super::documents::{collection_of_line, document_tree};
use super::relational::{collections_of, relational_tree, table_of_line, tables_of};
use super::use_mapping;
use crate::components::tree::{Tree, TreeNode};
use godwit_shared::ids::CollectionId;
use leptos::prelude::*;

/// With so few tables their columns are of interest at once.
const SCHEMAS_OPEN_MAX: usize = 8;

#[component]
pub fn RelationalTree() -> impl IntoView {
    let context = use_mapping();
    let nodes = context
        .project
        .with_value(|project| relational_tree(&project.model, project.content()));
    let open = nodes
        .iter()
        .take(SCHEMAS_OPEN_MAX)
        .map(|schema| schema.id.clone())
        .collect();
    let selected = RwSignal::new(None::<String>);
    let marked = Memo::new(move |_| {
        let tables = context
            .collection
            .get()
            .map(|id| context.with_content(|content| tables_of(content, &id)));
        tables.unwrap_or_default().into_iter().collect()
    });
    let select = Callback::new(move |line: String| {
        let feeds = context.with_content(|content| collections_of(content, table_of_line(&line)));
        selected.set(Some(line));
        let current = context.collection.get_untracked();
        // Where it feeds the one that is in sight already, that one stays.
        if !current.is_some_and(|current| feeds.contains(&current))
            && let Some(first) = feeds.into_iter().next()
        {
            context.choose(first);
        }
    });
    view! { <TreePanel title="Relational" nodes=nodes open=open selected=selected marked=marked on_select=select/> }
}

#[component]
pub fn MongodbTree() -> impl IntoView {
    let context = use_mapping();
    let nodes = context.with_content(document_tree);
    let open = context
        .collection
        .get_untracked()
        .map(|id| id.to_string())
        .into_iter()
        .collect();
    let line = RwSignal::new(None::<String>);
    // A line below the collection that is chosen, else the collection itself.
    let selected = Memo::new(move |_| {
        let collection = context.collection.get()?;
        let is_below = |line: &String| collection_of_line(line) == collection.as_str();
        line.get().filter(is_below).or_else(|| Some(collection.to_string()))
    });
    let select = Callback::new(move |id: String| {
        let collection = CollectionId::new(collection_of_line(&id));
        line.set(Some(id));
        if context.collection.get_untracked().as_ref() != Some(&collection) {
            context.choose(collection);
        }
    });
    let marked = Signal::stored(Default::default());
    view! { <TreePanel title="MongoDB" nodes=nodes open=open selected=selected marked=marked on_select=select/> }
}

#[component]
fn TreePanel(
    title: &'static str,
    nodes: Vec<TreeNode>,
    open: Vec<String>,
    #[prop(into)] selected: Signal<Option<String>>,
    #[prop(into)] marked: Signal<std::collections::HashSet<String>>,
    on_select: Callback<String>,
) -> impl IntoView {
    let search = RwSignal::new(String::new());
    let label = format!("Search in {title}");
    view! {
        <section class="gw-mapping__tree" aria-label=title>
            <header class="gw-mapping__tree-head">
                <h2>{title}</h2>
                <input
                    class="gw-input"
                    type="search"
                    placeholder="Search"
                    aria-label=label
                    spellcheck="false"
                    autocomplete="off"
                    on:input=move |event| search.set(event_target_value(&event))
                />
            </header>
            <div class="gw-mapping__scroll">
                <Tree label=title nodes=nodes search=search selected=selected marked=marked open=open on_select=on_select/>
            </div>
        </section>
    }
}
