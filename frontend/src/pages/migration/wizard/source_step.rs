//! *Connect Source DB*

use super::draft::DraftStoreFields;
use super::use_wizard;
use crate::connections::draft::SourceDraft;
use crate::connections::{SourceForm, SourceTest};
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn SourceStep() -> impl IntoView {
    let wizard = use_wizard();
    let source: Field<SourceDraft> = wizard.draft.source().into();
    let saved = wizard.saved.with_value(|saved| saved.jdbc.clone());
    view! {
        <div class="gw-form">
            <SourceForm source=source saved=saved was_tried=wizard.was_tried/>
            <SourceTest source=source was_tried=wizard.was_tried/>
        </div>
    }
}
