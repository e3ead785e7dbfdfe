//! A tree of lines that can be searched, opened and chosen, by mouse and by keyboard.

mod rows;

pub use rows::TreeNode;

use super::icon::{Glyph, Icon};
use super::unique_id;
use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use rows::{Shown, Step, TreeRow, shown, step};
use std::collections::HashSet;
use web_sys::PointerEvent;

/// What the lines share.
#[derive(Clone, Copy)]
struct TreeContext {
    /// Before the id of each line, so that two trees of a page may hold the same lines.
    name: StoredValue<String>,
    open: RwSignal<HashSet<String>>,
    shown: Memo<Shown>,
    selected: Signal<Option<String>>,
    marked: Signal<HashSet<String>>,
    /// The one line that Tab leads to.
    entry: Memo<Option<String>>,
    focused: RwSignal<Option<String>>,
    on_select: Callback<String>,
}

impl TreeContext {
    fn element_id(self, id: &str) -> String {
        self.name.with_value(|name| format!("{name}/{id}"))
    }

    fn is_open(self, id: &str) -> bool {
        self.open.with(|open| open.contains(id)) || self.shown.with(|shown| shown.forced_open.contains(id))
    }

    fn toggle(self, id: &str) {
        self.open.update(|open| {
            if !open.remove(id) {
                open.insert(id.to_owned());
            }
        });
    }

    fn focus(self, id: String) {
        if let Some(element) = document().get_element_by_id(&self.element_id(&id)) {
            let _ = element.unchecked_into::<web_sys::HtmlElement>().focus();
        }
        self.focused.set(Some(id));
    }

    /// Whether the key meant something here.
    fn press(self, at: &str, key: &str) -> bool {
        let step = untrack(|| {
            self.shown
                .with(|shown| self.open.with(|open| step(shown, open, at, key)))
        });
        match step {
            Some(Step::Focus(id)) => self.focus(id),
            Some(Step::Open(id) | Step::Close(id)) => self.toggle(&id),
            Some(Step::Select(id)) => self.on_select.run(id),
            None => return false,
        }
        true
    }
}

#[component]
pub fn Tree(
    #[prop(into)] label: String,
    #[prop(into)] nodes: Signal<Vec<TreeNode>>,
    /// Only lines that have it, with those above and below them.
    #[prop(optional, into)]
    search: Signal<String>,
    #[prop(into)] selected: Signal<Option<String>>,
    /// Lines that belong to what is chosen elsewhere.
    #[prop(optional, into)]
    marked: Signal<HashSet<String>>,
    /// The lines that are open at first.
    #[prop(optional)]
    open: Vec<String>,
    on_select: Callback<String>,
    /// A line is dragged to a pixel of the window, and whether it is let go there.
    #[prop(optional_no_strip)]
    on_drag: Option<Callback<(String, f64, f64, bool)>>,
) -> impl IntoView {
    let open = RwSignal::new(open.into_iter().collect::<HashSet<_>>());
    let shown =
        Memo::new(move |_| search.with(|search| open.with(|open| nodes.with(|nodes| shown(nodes, open, search)))));
    let focused = RwSignal::new(None::<String>);
    let entry = Memo::new(move |_| entry(&shown.get(), focused.get(), selected.get()));
    let context = TreeContext {
        name: StoredValue::new(unique_id("tree")),
        open,
        shown,
        selected,
        marked,
        entry,
        focused,
        on_select,
    };
    let is_empty = Memo::new(move |_| shown.with(|shown| shown.rows.is_empty()));
    let place = NodeRef::<html::Div>::new();
    let drag = Drag::new(on_drag);
    view! {
        <div
            class="gw-tree-view"
            role="tree"
            aria-label=label
            node_ref=place
            on:pointerdown=move |event| drag.begin(&event)
        >
            <For each=move || shown.with(|shown| shown.rows.clone()) key=|row| (row.id.clone(), row.label.clone(), row.note.clone()) let:row>
                <TreeLine row=row context=context/>
            </For>
        </div>
        <Show when=move || is_empty.get()>
            <p class="gw-tree-view__nothing gw-muted" role="status">"Nothing has that in its name."</p>
        </Show>
    }
}

/// How far the pointer goes before a click becomes a drag, pixels.
const SLACK: i32 = 5;

/// A line that the pointer holds: its id, where it was taken, and whether it has left that place.
#[derive(Clone)]
struct Held {
    id: String,
    x: i32,
    y: i32,
    is_moving: bool,
}

#[derive(Clone, Copy)]
struct Drag {
    on_drag: Option<Callback<(String, f64, f64, bool)>>,
    held: StoredValue<Option<Held>>,
}

impl Drag {
    fn new(on_drag: Option<Callback<(String, f64, f64, bool)>>) -> Self {
        let drag = Self {
            on_drag,
            held: StoredValue::new(None),
        };
        if on_drag.is_some() {
            // The pointer may leave the tree before it has moved inside of it.
            let handles = [
                window_event_listener(ev::pointermove, move |event| drag.go_on(&event)),
                window_event_listener(ev::pointerup, move |event| drag.end(&event)),
                window_event_listener(ev::pointercancel, move |_| drag.held.set_value(None)),
            ];
            on_cleanup(move || handles.into_iter().for_each(WindowListenerHandle::remove));
        }
        drag
    }

    fn begin(self, event: &PointerEvent) {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let line = target.and_then(|target| target.closest("[data-line]").ok().flatten());
        let id = line.and_then(|line| line.get_attribute("data-line"));
        if let (Some(id), true) = (id, self.on_drag.is_some() && event.button() == 0) {
            let (x, y) = (event.client_x(), event.client_y());
            self.held.set_value(Some(Held {
                id,
                x,
                y,
                is_moving: false,
            }));
        }
    }

    fn go_on(self, event: &PointerEvent) {
        let Some(mut held) = self.held.get_value() else { return };
        let (x, y) = (event.client_x(), event.client_y());
        if !held.is_moving && (held.x - x).abs().max((held.y - y).abs()) > SLACK {
            held.is_moving = true;
            self.held.set_value(Some(held.clone()));
        }
        if let (true, Some(on_drag)) = (held.is_moving, self.on_drag) {
            on_drag.run((held.id, x.into(), y.into(), false));
        }
    }

    fn end(self, event: &PointerEvent) {
        let held = self.held.get_value().filter(|held| held.is_moving);
        self.held.set_value(None);
        if let (Some(held), Some(on_drag)) = (held, self.on_drag) {
            on_drag.run((held.id, event.client_x().into(), event.client_y().into(), true));
        }
    }
}

/// The line that had the focus last, else the chosen one, else the first; always one in sight.
fn entry(shown: &Shown, focused: Option<String>, selected: Option<String>) -> Option<String> {
    let in_sight = |id: &String| shown.rows.iter().any(|row| row.id == *id);
    let first = || shown.rows.first().map(|row| row.id.clone());
    focused.filter(in_sight).or(selected.filter(in_sight)).or_else(first)
}

#[component]
fn TreeLine(row: TreeRow, context: TreeContext) -> impl IntoView {
    let id = StoredValue::new(row.id.clone());
    let has_children = row.has_children;
    let is_open = Memo::new(move |_| id.with_value(|id| context.is_open(id)));
    let is_selected = Memo::new(move |_| id.with_value(|id| context.selected.with(|s| s.as_ref() == Some(id))));
    let is_marked = Memo::new(move |_| id.with_value(|id| context.marked.with(|marked| marked.contains(id))));
    let tab_index = move || match id.with_value(|id| context.entry.with(|entry| entry.as_ref() == Some(id))) {
        true => "0",
        false => "-1",
    };
    let select = move |_| {
        context.focused.set(Some(id.get_value()));
        context.on_select.run(id.get_value());
    };
    let press = move |event: web_sys::KeyboardEvent| {
        if id.with_value(|id| context.press(id, &event.key())) {
            event.prevent_default();
        }
    };
    let note = (!row.note.is_empty()).then(|| view! { <span class="gw-tree-view__note">{row.note}</span> });
    view! {
        <div
            id=context.element_id(&row.id)
            class="gw-tree-view__line"
            class:gw-tree-view__line--marked=is_marked
            style=format!("--level: {}", row.level - 1)
            role="treeitem"
            data-line=row.id.clone()
            attr:aria-level=row.level.to_string()
            aria-expanded=move || has_children.then(|| is_open.get().to_string())
            aria-selected=move || is_selected.get().to_string()
            tabindex=tab_index
            on:click=select
            on:keydown=press
        >
            <Fold has_children=has_children is_open=is_open on_toggle=Callback::new(move |()| id.with_value(|id| context.toggle(id)))/>
            <Glyph icon=row.icon/>
            <span class="gw-tree-view__label" title=row.label.clone()>{row.label.clone()}</span>
            {note}
        </div>
    }
}

/// The arrow before a line. Keys do the same, so it is not read out.
#[component]
fn Fold(has_children: bool, is_open: Memo<bool>, on_toggle: Callback<()>) -> impl IntoView {
    let icon = Signal::derive(move || match is_open.get() {
        true => Icon::ChevronDown,
        false => Icon::ChevronRight,
    });
    let toggle = move |event: web_sys::MouseEvent| {
        event.stop_propagation();
        on_toggle.run(());
    };
    match has_children {
        true => view! { <span class="gw-tree-view__fold" aria-hidden="true" on:click=toggle><Glyph icon=icon/></span> }
            .into_any(),
        false => view! { <span class="gw-tree-view__fold"></span> }.into_any(),
    }
}
