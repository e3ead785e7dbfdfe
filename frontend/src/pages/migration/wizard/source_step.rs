//! *Connect Source DB*

use super::draft::DraftStoreFields;
use super::use_wizard;
use crate::connections::draft::{SourceDraft, SourceDraftStoreFields};
use crate::connections::save::suggested_source_name;
use crate::connections::{SaveFields, SourceForm, SourceTest};
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn SourceStep() -> impl IntoView {
    let wizard = use_wizard();
    let source: Field<SourceDraft> = wizard.draft.source().into();
    let saved = wizard.saved.with_value(|saved| saved.jdbc.clone());
    let is_new = move || source.saved().with(String::is_empty);
    let suggested = Signal::derive(move || source.with(suggested_source_name));
    view! {
        <div class="gw-form">
            <SourceForm source=source saved=saved.clone() was_tried=wizard.was_tried/>
            <Show when=is_new>
                <SaveFields
                    save=wizard.draft.save_source()
                    suggested=suggested
                    note="When the job has started. Previews and jobs of the project then find it by themselves."
                    was_tried=wizard.was_tried
                />
            </Show>
            <SourceTest source=source saved=saved was_tried=wizard.was_tried test=wizard.source_test/>
        </div>
    }
}
