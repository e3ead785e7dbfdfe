//! The choice to save a connection that was typed in.

use super::environment;
use super::save::{SaveDraft, SaveDraftStoreFields};
use crate::components::choice::Checkbox;
use crate::components::field::TextField;
use crate::components::select::SelectField;
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn SaveFields(
    #[prop(into)] save: Field<SaveDraft>,
    /// The name that it gets where none is entered.
    suggested: Signal<String>,
    #[prop(into)] note: String,
    /// Whether the user has tried to go on: before that gaps are no errors.
    #[prop(into)]
    was_tried: Signal<bool>,
) -> impl IntoView {
    let is_saved = save.is_saved();
    let error = Signal::derive(move || save.with(SaveDraft::problem).filter(|_| was_tried.get()));
    view! {
        <Checkbox label="Save this connection" note=note checked=is_saved testid="save-connection"/>
        <Show when=move || is_saved.get()>
            <div class="gw-form__row">
                <TextField
                    label="Connection name"
                    value=save.name()
                    placeholder=suggested
                    error=error
                    testid="connection-name"
                />
                <SelectField
                    label="Environment tag"
                    value=save.tag()
                    options=environment::options()
                    testid="connection-tag"
                />
            </div>
            <Checkbox
                label="Save password"
                note="Encrypted, on the machine of Godwit. Without it every job asks for the password."
                checked=save.save_password()
                testid="save-password"
            />
        </Show>
    }
}
