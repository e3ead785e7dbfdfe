//! The documents of the chosen collection, line by line: rename in place, an eye to leave out, a menu of types.
//!
//! A tree grid: arrow keys walk through the lines, F2 renames, Space shows or hides, Delete takes away, Enter opens the
//! settings of what stands there.

pub mod lines;
mod row;

use super::lineage::Thing;
use super::workbench::use_workbench;
use crate::browser;
use crate::components::unique_id;
use godwit_shared::edit::tree;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use lines::{Lines, lines};
use row::Row;
use std::collections::HashSet;

/// What the lines share.
#[derive(Clone, Copy)]
pub struct Outline {
    pub lines: Memo<Lines>,
    pub closed: RwSignal<HashSet<String>>,
    /// The line whose name is being edited.
    pub renaming: RwSignal<Option<String>>,
    /// The line that Tab leads to.
    pub entry: RwSignal<Option<String>>,
    name: StoredValue<String>,
}

impl Outline {
    pub fn element_id(self, id: &str) -> String {
        self.name.with_value(|name| format!("{name}/{}", id.replace('\n', "/")))
    }

    /// After what has changed has been rendered.
    pub fn focus(self, id: String) {
        self.entry.set(Some(id.clone()));
        let element_id = self.element_id(&id);
        request_animation_frame(move || {
            let element = document().get_element_by_id(&element_id);
            if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = element.focus();
            }
        });
    }

    pub fn toggle(self, id: &str) {
        self.closed.update(|closed| {
            if !closed.remove(id) {
                closed.insert(id.to_owned());
            }
        });
    }

    /// The line that Tab leads to: the last one that had the focus, else the first.
    pub fn is_entry(self, id: &str) -> bool {
        self.lines.with(|lines| {
            let entry = self.entry.with(|entry| {
                entry
                    .as_deref()
                    .and_then(|id| lines.get(id))
                    .map(|line| line.id.clone())
            });
            entry
                .or_else(|| lines.all.first().map(|line| line.id.clone()))
                .as_deref()
                == Some(id)
        })
    }
}

#[component]
pub fn OutlineView() -> impl IntoView {
    let bench = use_workbench();
    let with_excluded = RwSignal::new(true);
    let closed = RwSignal::new(HashSet::new());
    let lines = Memo::new(move |_| {
        let Some(collection) = bench.collection.get() else {
            return Lines::default();
        };
        let tree = bench.with(|draft| tree::of(draft, &collection));
        closed.with(|closed| lines(&tree, closed, with_excluded.get()))
    });
    let outline = Outline {
        lines,
        closed,
        renaming: RwSignal::new(None),
        entry: RwSignal::new(None),
        name: StoredValue::new(unique_id("outline")),
    };
    let place = NodeRef::<html::Div>::new();
    let ids = move || lines.with(|lines| lines.all.iter().map(|line| line.id.clone()).collect::<Vec<_>>());
    let is_empty = Memo::new(move |_| lines.with(|lines| lines.all.is_empty()));
    // What is chosen elsewhere comes into sight here.
    Effect::new(move |_| {
        let path = bench.chosen.with(|chosen| match chosen.first() {
            Some(Thing::Path { path, .. }) => Some(path.clone()),
            _ => None,
        });
        let id = path.and_then(|path| lines.with_untracked(|lines| lines.at_path(&path).map(|line| line.id.clone())));
        if let Some(element) = id.and_then(|id| document().get_element_by_id(&outline.element_id(&id))) {
            browser::scroll_to(&element);
        }
    });
    view! {
        <div class="gw-outline" node_ref=place role="treegrid" aria-label="Fields of the documents" data-testid="outline">
            <For each=ids key=|id| id.clone() let:id><Row id=id outline=outline/></For>
        </div>
        <Show when=move || is_empty.get()><EmptyCollection/></Show>
        <label class="gw-outline__all gw-choice">
            <input
                type="checkbox"
                prop:checked=with_excluded
                on:change=move |event| with_excluded.set(event_target_checked(&event))
            />
            <span>"Show fields that are left out"</span>
        </label>
    }
}

#[component]
fn EmptyCollection() -> impl IntoView {
    view! {
        <p class="gw-outline__empty gw-muted" data-testid="empty-collection">
            "No table feeds this collection yet: drag one onto it in the diagram, or choose one below. A job leaves an empty \
             collection alone."
        </p>
    }
}
