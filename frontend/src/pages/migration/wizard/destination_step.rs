//! *Connect Destination DB*

use super::draft::DraftStoreFields;
use super::use_wizard;
use crate::connections::draft::DestinationDraft;
use crate::connections::{DestinationForm, DestinationTest};
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn DestinationStep() -> impl IntoView {
    let wizard = use_wizard();
    let destination: Field<DestinationDraft> = wizard.draft.destination().into();
    let saved = wizard.saved.with_value(|saved| saved.mongodb.clone());
    view! {
        <div class="gw-form">
            <DestinationForm destination=destination saved=saved was_tried=wizard.was_tried/>
            <DestinationTest destination=destination was_tried=wizard.was_tried/>
        </div>
    }
}
