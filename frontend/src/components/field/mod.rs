//! A text field with its label, hint and error.

use super::unique_id;
use leptos::prelude::*;
use reactive_stores::Field;

/// What is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldKind {
    #[default]
    Text,
    /// A URI or host: no spelling marks, fixed pitch.
    Code,
    /// Not shown, and not offered to the password store of the browser.
    Password,
    Number,
}

impl FieldKind {
    fn input_type(self) -> &'static str {
        match self {
            FieldKind::Text | FieldKind::Code => "text",
            FieldKind::Password => "password",
            FieldKind::Number => "number",
        }
    }

    fn class(self) -> &'static str {
        match self {
            FieldKind::Text | FieldKind::Password | FieldKind::Number => "gw-input",
            FieldKind::Code => "gw-input gw-input--code",
        }
    }

    fn autocomplete(self) -> &'static str {
        match self {
            FieldKind::Password => "new-password",
            FieldKind::Text | FieldKind::Code | FieldKind::Number => "off",
        }
    }
}

#[component]
pub fn TextField(
    #[prop(into)] label: String,
    #[prop(into)] value: Field<String>,
    #[prop(optional)] kind: FieldKind,
    #[prop(optional, into)] placeholder: Signal<String>,
    #[prop(optional, into)] hint: Signal<Option<String>>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    let note_id = unique_id("note");
    let described_by = note_id.clone();
    let is_invalid = move || error.with(Option::is_some);
    let on_input = move |event| value.set(event_target_value(&event));
    view! {
        <div class="gw-field">
            <label class="gw-field__box">
                <span class="gw-field__label">{label}</span>
                <input
                    class=kind.class()
                    type=kind.input_type()
                    min="0"
                    spellcheck="false"
                    autocomplete=kind.autocomplete()
                    placeholder=placeholder
                    data-testid=testid
                    aria-invalid=move || is_invalid().then_some("true")
                    aria-describedby=described_by
                    prop:value=move || value.get()
                    on:input=on_input
                />
            </label>
            <FieldNote id=note_id error=error hint=hint/>
        </div>
    }
}

/// The error, else the hint, below a control.
#[component]
fn FieldNote(id: String, error: Signal<Option<String>>, hint: Signal<Option<String>>) -> impl IntoView {
    let class = move || match error.with(Option::is_some) {
        true => "gw-field__note gw-field__note--error",
        false => "gw-field__note",
    };
    view! { <p id=id class=class>{move || error.get().or_else(|| hint.get())}</p> }
}
