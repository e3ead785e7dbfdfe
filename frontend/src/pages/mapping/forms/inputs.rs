//! Inputs that hand on what was entered when it is finished: on Enter, on leaving, on choosing.

use crate::components::unique_id;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

/// One line of text.
#[component]
pub fn TextInput(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    on_commit: Callback<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] is_code: bool,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    let note = unique_id("note");
    let described_by = note.clone();
    let finish = move |text: String| {
        if text != value.get_untracked() {
            on_commit.run(text);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            finish(event_target_value(&event));
        }
    };
    view! {
        <label class="gw-field">
            <span class="gw-field__label">{label}</span>
            <input
                class=if is_code { "gw-input gw-input--code" } else { "gw-input" }
                spellcheck="false"
                autocomplete="off"
                placeholder=placeholder
                data-testid=testid
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described_by
                prop:value=value
                on:keydown=on_key
                on:change=move |event| finish(event_target_value(&event))
            />
            <InputError id=note error=error/>
        </label>
    }
}

/// Several lines of prose; expressions have a [`super::code_area::CodeArea`].
#[component]
pub fn TextArea(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    on_commit: Callback<String>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    view! {
        <label class="gw-field">
            <span class="gw-field__label">{label}</span>
            <textarea
                class="gw-input gw-forms__area"
                rows="2"
                data-testid=testid
                prop:value=value
                on:change=move |event| on_commit.run(event_target_value(&event))
            ></textarea>
        </label>
    }
}

/// One of a list: value and label of each.
#[component]
pub fn Choice(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
    on_choose: Callback<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    let note = unique_id("note");
    let described_by = note.clone();
    let option = move |(own, label): (String, String)| {
        let is_selected = value.with(|value| *value == own);
        view! { <option value=own selected=is_selected>{label}</option> }
    };
    view! {
        <label class="gw-field">
            <span class="gw-field__label">{label}</span>
            <select
                class="gw-input"
                data-testid=testid
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described_by
                on:change=move |event| on_choose.run(event_target_value(&event))
            >
                {move || options.get().into_iter().map(option).collect_view()}
            </select>
            <InputError id=note error=error/>
        </label>
    }
}

/// A box that is on or off.
#[component]
pub fn Toggle(
    #[prop(into)] label: String,
    #[prop(into)] is_on: Signal<bool>,
    on_change: Callback<bool>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    view! {
        <label class="gw-choice">
            <input
                type="checkbox"
                data-testid=testid
                prop:checked=is_on
                on:change=move |event| on_change.run(event_target_checked(&event))
            />
            <span>{label}</span>
        </label>
    }
}

#[component]
fn InputError(id: String, error: Signal<Option<String>>) -> impl IntoView {
    view! { <span id=id class="gw-field__note gw-field__note--error" role="status">{error}</span> }
}
