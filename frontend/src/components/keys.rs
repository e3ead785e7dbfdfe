//! Keys that mean the same everywhere.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, KeyboardEvent};

/// *Enter* in a field of text does what the button that leads on does.
pub fn on_enter(press: Callback<()>) -> impl Fn(KeyboardEvent) + Clone + 'static {
    move |event| {
        if event.key() == "Enter" && is_text_field(&event) {
            event.prevent_default();
            press.run(());
        }
    }
}

fn is_text_field(event: &KeyboardEvent) -> bool {
    let input = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    input.is_some_and(|input| !matches!(input.type_().as_str(), "checkbox" | "radio" | "file" | "button"))
}
