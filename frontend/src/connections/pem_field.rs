//! A certificate: pasted, or taken from a file of the user. It goes to the server as a text.

use crate::components::icon::{Glyph, Icon};
use crate::components::unique_id;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsValue;
use reactive_stores::Field;
use wasm_bindgen_futures::JsFuture;

#[component]
pub fn PemField(
    label: &'static str,
    value: Field<String>,
    /// Shown while nothing is entered.
    #[prop(into)]
    placeholder: Signal<String>,
    hint: &'static str,
    testid: &'static str,
) -> impl IntoView {
    let note_id = unique_id("note");
    let described_by = note_id.clone();
    let file = NodeRef::<html::Input>::new();
    let is_unreadable = RwSignal::new(false);
    let take_file = move |_| {
        let Some(input) = file.get_untracked() else { return };
        let Some(chosen) = input.files().and_then(|files| files.get(0)) else {
            return;
        };
        // The same file may be chosen again.
        input.set_value("");
        spawn_local(async move {
            let text = JsFuture::from(chosen.text())
                .await
                .ok()
                .as_ref()
                .and_then(JsValue::as_string);
            is_unreadable.set(text.is_none());
            if let Some(text) = text {
                value.set(text);
            }
        });
    };
    let note = move || match is_unreadable.get() {
        true => "The file cannot be read.",
        false => hint,
    };
    view! {
        <div class="gw-field gw-pem">
            <label class="gw-field__box">
                <span class="gw-field__label">{label}</span>
                <textarea
                    class="gw-input gw-input--code gw-pem__text"
                    rows="3"
                    spellcheck="false"
                    autocomplete="off"
                    placeholder=placeholder
                    data-testid=testid
                    aria-describedby=described_by
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                ></textarea>
            </label>
            <label class="gw-button gw-button--quiet">
                <Glyph icon=Icon::Upload/>
                "Choose a file"
                <input
                    node_ref=file
                    class="gw-visually-hidden"
                    type="file"
                    accept=".pem,.crt,.cer,application/x-pem-file"
                    aria-label=format!("File with the {label}")
                    on:change=take_file
                />
            </label>
            <p id=note_id class="gw-field__note">{note}</p>
        </div>
    }
}

/// What the box says while nothing is entered.
pub fn stored_or_example(is_stored: bool) -> String {
    match is_stored {
        true => "Stored with the connection".into(),
        false => "-----BEGIN CERTIFICATE-----".into(),
    }
}
