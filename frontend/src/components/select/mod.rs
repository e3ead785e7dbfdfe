//! A choice of one from a list.

use leptos::prelude::*;
use reactive_stores::Field;

/// An option: its value and what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectOption {
    pub value: String,
    pub label: String,
}

impl SelectOption {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
        }
    }
}

#[component]
pub fn SelectField(
    #[prop(into)] label: String,
    #[prop(into)] value: Field<String>,
    #[prop(into)] options: Signal<Vec<SelectOption>>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    let option = move |option: SelectOption| {
        let own = option.value.clone();
        let is_selected = move || value.with(|selected| *selected == own);
        view! { <option value=option.value selected=is_selected>{option.label}</option> }
    };
    view! {
        <label class="gw-field">
            <span class="gw-field__label">{label}</span>
            <select
                class="gw-input"
                data-testid=testid
                prop:value=move || value.get()
                on:change=move |event| value.set(event_target_value(&event))
            >
                {move || options.get().into_iter().map(option).collect_view()}
            </select>
        </label>
    }
}
