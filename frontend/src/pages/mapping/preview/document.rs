//! One document as JSON. Pointing at a field lights up what it is made of.

use super::json_lines::{JsonLine, Kind, lines};
use crate::pages::mapping::lineage::{Lineage, Thing};
use crate::pages::mapping::workbench::{Workbench, use_workbench};
use godwit_shared::ids::CollectionId;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use serde_json::Value;
use std::collections::HashSet;

#[component]
pub fn DocumentView(title: String, document: Value) -> impl IntoView {
    let bench = use_workbench();
    let lit = Memo::new(move |_| lit_paths(bench));
    let point = move |event: web_sys::PointerEvent| {
        let line = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let line = line.and_then(|element| element.closest("[data-path]").ok().flatten());
        let path = line
            .and_then(|line| line.get_attribute("data-path"))
            .filter(|path| !path.is_empty());
        let thing = path
            .zip(bench.collection.get_untracked())
            .map(|(path, collection)| Thing::Path { collection, path });
        if bench.pointed.with_untracked(|pointed| *pointed != thing) {
            bench.pointed.set(thing);
        }
    };
    let line = move |line: JsonLine| {
        let path = line.path.clone();
        let is_lit = move || lit.with(|lit| lit.contains(&path));
        let class = match line.kind {
            Kind::Bracket => "",
            Kind::Text => "gw-code-view__text",
            Kind::Number => "gw-code-view__number",
            Kind::Word => "gw-code-view__word",
        };
        view! {
            <span class="gw-json__line" class:gw-json__line--lit=is_lit data-path=line.path>
                {"  ".repeat(line.level)}
                <span class="gw-code-view__key">{line.key}</span>
                <span class=class>{line.value}</span>
                "\n"
            </span>
        }
    };
    let all = lines(&document);
    view! {
        <figure class="gw-document" data-testid="document">
            <figcaption class="gw-muted">{title.clone()}</figcaption>
            <pre
                class="gw-json"
                tabindex="0"
                aria-label=title
                on:pointerover=point
                on:pointerleave=move |_| bench.pointed.set(None)
            >
                {all.into_iter().map(line).collect_view()}
            </pre>
        </figure>
    }
}

/// The fields that belong to what is pointed at, anywhere on the page.
fn lit_paths(bench: Workbench) -> HashSet<String> {
    let Some(collection) = bench.collection.get() else {
        return HashSet::new();
    };
    bench.pointed.with(|pointed| {
        bench
            .diagram
            .lineage
            .with(|lineage| paths_of(pointed.as_ref(), &collection, lineage))
    })
}

fn paths_of(pointed: Option<&Thing>, collection: &CollectionId, lineage: &Lineage) -> HashSet<String> {
    match pointed {
        Some(Thing::Path { collection: own, path }) if own == collection => [path.clone()].into(),
        Some(Thing::Column { table, column }) => {
            let fields = lineage
                .fields_of(table, column)
                .filter(|origin| origin.collection == *collection);
            fields.map(|origin| origin.path.clone()).collect()
        }
        _ => HashSet::new(),
    }
}
