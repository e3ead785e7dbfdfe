//! *Migration Options*

use super::draft::{DraftStoreFields, OptionsDraft, OptionsDraftStoreFields};
use super::preflight::PreflightPart;
use super::selective::SelectiveChoice;
use super::use_wizard;
use super::validate::error_limit_problem;
use crate::components::choice::{Checkbox, Radio};
use crate::components::field::{FieldKind, TextField};
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn OptionsStep() -> impl IntoView {
    let options: Field<OptionsDraft> = use_wizard().draft.options().into();
    view! {
        <div class="gw-form">
            <ModeChoice options=options/>
            <PreflightPart/>
            <SelectiveChoice options=options/>
            <Checkbox
                label="Drop destination collections before migration"
                note="Only the collections that this project writes. Without it, documents of the same rows are replaced \
                      and all others stay."
                checked=options.drop_collections()
                testid="drop-collections"
            />
            <VerifyChoice options=options/>
            <ErrorLimit options=options/>
        </div>
    }
}

#[component]
fn VerifyChoice(options: Field<OptionsDraft>) -> impl IntoView {
    let is_snapshot = move || !options.is_continuous().get();
    view! {
        <Show when=is_snapshot>
            <Checkbox
                label="Verify migrated data"
                note="When everything is written, every document is compared with what its rows gave at the start of the \
                      job. It takes about as long as the migration."
                checked=options.verifies()
                testid="verify-migrated"
            />
        </Show>
    }
}

#[component]
fn ModeChoice(options: Field<OptionsDraft>) -> impl IntoView {
    let is_continuous = options.is_continuous();
    view! {
        <fieldset class="gw-choice-group">
            <legend class="gw-choice-group__legend">"Mode"</legend>
            <Radio
                label="Snapshot"
                name="mode"
                note="The rows as they are at the start of the job."
                checked=Signal::derive(move || !is_continuous.get())
                on_choose=Callback::new(move |()| is_continuous.set(false))
                testid="mode-snapshot"
            />
            <Radio
                label="Continuous"
                name="mode"
                note="The snapshot, then every change of the source until you complete the job. Row limits of table \
                      filters are for snapshot jobs."
                checked=Signal::derive(move || is_continuous.get())
                on_choose=Callback::new(move |()| is_continuous.set(true))
                testid="mode-continuous"
            />
        </fieldset>
    }
}

#[component]
fn ErrorLimit(options: Field<OptionsDraft>) -> impl IntoView {
    let has_limit = options.has_error_limit();
    let was_tried = use_wizard().was_tried;
    let problem = Signal::derive(move || options.with(error_limit_problem).filter(|_| was_tried.get()));
    view! {
        <Checkbox
            label="Stop after a number of errors"
            note="Each row or value that cannot be converted is one error. Unchecked: the job goes on whatever happens to \
                  single rows."
            checked=has_limit
            testid="has-error-limit"
        />
        <Show when=move || has_limit.get()>
            <div class="gw-wizard__limit">
                <TextField
                    label="Errors"
                    kind=FieldKind::Number
                    value=options.error_limit()
                    error=problem
                    testid="error-limit"
                />
            </div>
        </Show>
    }
}
