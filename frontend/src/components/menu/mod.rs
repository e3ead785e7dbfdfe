//! A button with a list of things to do.

use super::icon::{Glyph, Icon};
use super::unique_id;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{FocusEvent, HtmlElement, KeyboardEvent, Node};

/// One thing to do.
#[derive(Clone)]
pub struct MenuItem {
    pub label: String,
    pub on_choose: Callback<()>,
    /// Whether it is the one that is on, in a list of such.
    pub is_on: Option<bool>,
    pub testid: String,
}

impl MenuItem {
    pub fn new(label: impl Into<String>, on_choose: Callback<()>) -> Self {
        Self {
            label: label.into(),
            on_choose,
            is_on: None,
            testid: String::new(),
        }
    }

    pub fn testid(self, testid: impl Into<String>) -> Self {
        Self {
            testid: testid.into(),
            ..self
        }
    }
}

/// Opens below its button; Esc and leaving it close it, arrow keys walk through it.
#[component]
pub fn Menu(
    #[prop(into)] label: String,
    icon: Icon,
    #[prop(into)] items: Signal<Vec<MenuItem>>,
    #[prop(optional)] testid: &'static str,
    /// Only the icon is shown.
    #[prop(optional)]
    is_small: bool,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let (place, button) = (NodeRef::<html::Div>::new(), NodeRef::<html::Button>::new());
    let id = unique_id("menu");
    let controls = id.clone();
    let close = move || {
        is_open.set(false);
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            "Escape" if is_open.get_untracked() => {
                event.prevent_default();
                event.stop_propagation();
                return close();
            }
            _ => return,
        };
        event.prevent_default();
        is_open.set(true);
        request_animation_frame(move || walk(place, step));
    };
    let on_leave = move |event: FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<Node>().ok());
        let stays = place.get_untracked().is_some_and(|place| place.contains(to.as_ref()));
        if !stays {
            is_open.set(false);
        }
    };
    let item = move |item: MenuItem| {
        let press = move |_| {
            close();
            item.on_choose.run(());
        };
        let role = if item.is_on.is_some() {
            "menuitemradio"
        } else {
            "menuitem"
        };
        view! {
            <button
                type="button"
                class="gw-menu__item"
                role=role
                aria-checked=item.is_on.map(|on| on.to_string())
                tabindex="-1"
                data-testid=item.testid
                on:click=press
            >
                {item.label}
            </button>
        }
    };
    let list_label = label.clone();
    let list = move || {
        is_open.get().then(|| {
            view! {
                <div id=id.clone() class="gw-menu__list" role="menu" aria-label=list_label.clone()>
                    {items.get().into_iter().map(item).collect_view()}
                </div>
            }
        })
    };
    let text = (!is_small).then(|| view! { <span>{label.clone()}</span> });
    view! {
        <div class="gw-menu" node_ref=place on:keydown=on_key on:focusout=on_leave>
            <button
                node_ref=button
                type="button"
                class=if is_small { "gw-button gw-button--icon" } else { "gw-button gw-button--quiet" }
                aria-haspopup="menu"
                aria-expanded=move || is_open.get().to_string()
                aria-controls=move || is_open.get().then(|| controls.clone())
                aria-label=is_small.then(|| label.clone())
                title=label.clone()
                data-testid=testid
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                <Glyph icon=icon/>
                {text}
            </button>
            {list}
        </div>
    }
}

/// To the next item, around the ends.
fn walk(place: NodeRef<html::Div>, step: i32) {
    let Some(place) = place.get_untracked() else { return };
    let Ok(items) = place.query_selector_all(".gw-menu__item") else {
        return;
    };
    let count = items.length() as i32;
    let active = document().active_element();
    let index = (0..count).find(|n| {
        let item = items
            .item(*n as u32)
            .and_then(|node| node.dyn_into::<web_sys::Element>().ok());
        item.is_some() && item == active
    });
    let next = match (index, step) {
        (None, 1) => 0,
        (None, _) => count - 1,
        (Some(index), _) => (index + step).rem_euclid(count.max(1)),
    };
    let item = items
        .item(next.max(0) as u32)
        .and_then(|node| node.dyn_into::<HtmlElement>().ok());
    if let Some(item) = item {
        let _ = item.focus();
    }
}
