//! *Connect Destination DB*

use super::draft::DraftStoreFields;
use super::use_wizard;
use crate::connections::draft::{DestinationDraft, DestinationDraftStoreFields};
use crate::connections::save::suggested_destination_name;
use crate::connections::{DestinationForm, DestinationTest, SaveFields};
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn DestinationStep() -> impl IntoView {
    let wizard = use_wizard();
    let destination: Field<DestinationDraft> = wizard.draft.destination().into();
    let saved = wizard.saved.with_value(|saved| saved.mongodb.clone());
    let is_new = move || destination.saved().with(String::is_empty);
    let suggested = Signal::derive(move || destination.with(suggested_destination_name));
    view! {
        <div class="gw-form">
            <DestinationForm destination=destination saved=saved.clone() was_tried=wizard.was_tried/>
            <Show when=is_new>
                <SaveFields
                    save=wizard.draft.save_destination()
                    suggested=suggested
                    note="When the job has started. The next job of the project then begins with it."
                    was_tried=wizard.was_tried
                />
            </Show>
            <DestinationTest destination=destination saved=saved was_tried=wizard.was_tried test=wizard.destination_test/>
        </div>
    }
}
