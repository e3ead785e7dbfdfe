//! Brings the focus where the user goes on.

use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// To the first control of `place`, else to the place itself, at every change of what it shows but the first.
pub fn focus_at_change<T: PartialEq + Clone + Send + Sync + 'static>(place: NodeRef<html::Div>, shown: Signal<T>) {
    Effect::new(move |before: Option<T>| {
        let now = shown.get();
        if before.is_some_and(|before| before != now) {
            focus_first(place);
        }
        now
    });
}

/// To the first control of `place`, else to the place itself.
pub fn focus_first(place: NodeRef<html::Div>) {
    focus_soon(place, "select, input", true);
}

/// To the first field that has an error, where there is one.
pub fn focus_invalid(place: NodeRef<html::Div>) {
    focus_soon(place, "[aria-invalid='true']", false);
}

fn focus_soon(place: NodeRef<html::Div>, css: &'static str, else_place: bool) {
    // After what has changed has been rendered.
    request_animation_frame(move || {
        let Some(place) = place.get_untracked() else { return };
        let found = place.query_selector(css).ok().flatten();
        let found = found.and_then(|element| element.dyn_into::<HtmlElement>().ok());
        if let Some(element) = found.or_else(|| else_place.then(|| place.into())) {
            let _ = element.focus();
        }
    });
}
