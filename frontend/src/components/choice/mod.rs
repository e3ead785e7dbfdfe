//! Check boxes and radio buttons with their text and, below it, a note.

use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn Checkbox(
    #[prop(into)] label: String,
    #[prop(into)] checked: Field<bool>,
    #[prop(optional, into)] note: String,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    view! {
        <label class="gw-choice">
            <input
                type="checkbox"
                data-testid=testid
                prop:checked=move || checked.get()
                on:change=move |event| checked.set(event_target_checked(&event))
            />
            <ChoiceText label=label note=note/>
        </label>
    }
}

#[component]
pub fn Radio(
    #[prop(into)] label: String,
    /// The group that it belongs to.
    name: &'static str,
    #[prop(into)] checked: Signal<bool>,
    on_choose: Callback<()>,
    #[prop(optional, into)] note: String,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    view! {
        <label class="gw-choice">
            <input
                type="radio"
                name=name
                data-testid=testid
                prop:checked=checked
                on:change=move |_| on_choose.run(())
            />
            <ChoiceText label=label note=note/>
        </label>
    }
}

#[component]
fn ChoiceText(label: String, note: String) -> impl IntoView {
    let note = (!note.is_empty()).then(|| view! { <span class="gw-choice__note">{note}</span> });
    view! {
        <span class="gw-choice__text">
            <span>{label}</span>
            {note}
        </span>
    }
}
