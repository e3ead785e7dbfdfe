//! Check boxes and radio buttons with their text and, below it, a note.

use leptos::prelude::*;
use reactive_stores::Field;

/// How much of something is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    None,
    Some,
    All,
}

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

/// A box for several things at once: *some* of them is neither on nor off.
#[component]
pub fn TriCheckbox(
    #[prop(into)] label: String,
    #[prop(into)] share: Signal<Share>,
    /// Gets whether all of them are to be on.
    on_change: Callback<bool>,
) -> impl IntoView {
    view! {
        <label class="gw-choice">
            <input
                type="checkbox"
                prop:checked=move || share.get() == Share::All
                prop:indeterminate=move || share.get() == Share::Some
                on:change=move |event| on_change.run(event_target_checked(&event))
            />
            <span>{label}</span>
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

/// The radio button of one value among those that something may have.
pub fn radio_of<T, S>(
    name: &'static str,
    chosen: S,
    own: T,
    label: &'static str,
    note: &'static str,
    testid: &'static str,
) -> impl IntoView
where
    T: PartialEq + Copy + Send + Sync + 'static,
    S: Get<Value = T> + Set<Value = T> + Copy + Send + Sync + 'static,
{
    view! {
        <Radio
            label=label
            name=name
            note=note
            checked=Signal::derive(move || chosen.get() == own)
            on_choose=Callback::new(move |()| chosen.set(own))
            testid=testid
        />
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
