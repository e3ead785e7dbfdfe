//! The questions before a verification, and before a repair.

use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::ButtonTone;
use crate::components::choice::{Checkbox, Radio};
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::error_panel::ErrorPanel;
use crate::pages::migration::overview::JobSignal;
use godwit_shared::verification::{RepairRequest, VerificationLevel, VerificationOptions};
use leptos::prelude::*;
use reactive_stores::Store;

const START: ConfirmAction = ConfirmAction {
    label: "Verify",
    tone: ButtonTone::Primary,
    testid: "verify-confirm",
};

const REPAIR: ConfirmAction = ConfirmAction {
    label: "Repair",
    tone: ButtonTone::Danger,
    testid: "repair-confirm",
};

/// In percent.
const SAMPLE: f64 = 10.0;

/// What can be chosen.
#[derive(Debug, Clone, Default, PartialEq, Store)]
struct Chosen {
    ignores_order: bool,
    ignores_unexpected: bool,
    deletes: bool,
}

#[component]
pub fn StartDialog(job: JobSignal, on_close: Callback<()>) -> impl IntoView {
    let level = RwSignal::new(VerificationLevel::Full);
    let chosen = Store::new(Chosen::default());
    let start = Action::new_local(move |(): &()| {
        let id = job.get_untracked().id.clone();
        let options = VerificationOptions {
            level: level.get_untracked(),
            sample_percent: (level.get_untracked() == VerificationLevel::Sample).then_some(SAMPLE),
            ignore_field_order: chosen.ignores_order().get_untracked(),
            ignore_unexpected: chosen.ignores_unexpected().get_untracked(),
            ..VerificationOptions::default()
        };
        async move {
            api::verifications::start(&id, &options).await?;
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || start.value().get().and_then(Result::err);
    let confirm = Callback::new(move |()| {
        start.dispatch_local(());
    });
    let is = move |wanted: VerificationLevel| Signal::derive(move || level.get() == wanted);
    let choose = move |wanted: VerificationLevel| Callback::new(move |()| level.set(wanted));
    view! {
        <ConfirmDialog
            title="Verify the documents of this job?"
            action=START
            is_busy=start.pending()
            on_confirm=confirm
            on_close=on_close
        >
            <p>"Source and destination are read; nothing is written. It may take as long as the migration."</p>
            <fieldset class="gw-choice-group">
                <legend class="gw-choice-group__legend">"How much"</legend>
                <Radio
                    label="All documents"
                    name="level"
                    note="Every document, in both directions, and sums of the columns besides."
                    checked=is(VerificationLevel::Full)
                    on_choose=choose(VerificationLevel::Full)
                    testid="level-full"
                />
                <Radio
                    label="A sample of 10 %"
                    name="level"
                    note="Always the same rows."
                    checked=is(VerificationLevel::Sample)
                    on_choose=choose(VerificationLevel::Sample)
                    testid="level-sample"
                />
                <Radio
                    label="Numbers alone"
                    name="level"
                    note="How many documents there are, and how many there should be."
                    checked=is(VerificationLevel::Counts)
                    on_choose=choose(VerificationLevel::Counts)
                    testid="level-counts"
                />
            </fieldset>
            <Checkbox
                label="Ignore the order of fields"
                checked=chosen.ignores_order()
                testid="ignore-order"
            />
            <Checkbox
                label="Ignore documents that no row gives"
                note="The collections hold those of others as well."
                checked=chosen.ignores_unexpected()
                testid="ignore-unexpected"
            />
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}

#[component]
pub fn RepairDialog(id: String, on_close: Callback<()>) -> impl IntoView {
    let chosen = Store::new(Chosen::default());
    let id = StoredValue::new(id);
    let repair = Action::new_local(move |(): &()| {
        let request = RepairRequest {
            delete_unexpected: chosen.deletes().get_untracked(),
        };
        async move {
            api::verifications::repair(&id.get_value(), &request).await?;
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || repair.value().get().and_then(Result::err);
    let confirm = Callback::new(move |()| {
        repair.dispatch_local(());
    });
    view! {
        <ConfirmDialog
            title="Write the documents that differ?"
            action=REPAIR
            is_busy=repair.pending()
            on_confirm=confirm
            on_close=on_close
        >
            <p>
                "Exactly the documents that differ or are missing are written as their rows give them now. What others have \
                 changed in them since the job is lost. Then they are looked at again."
            </p>
            <Checkbox
                label="Delete documents that no row gives"
                note="They are gone for good."
                checked=chosen.deletes()
                testid="delete-unexpected"
            />
            <Show when=move || chosen.deletes().get()>
                <Banner tone=Tone::Warning title="Documents of others are deleted too">
                    "Whatever lies in these collections and is not of a row of the source goes."
                </Banner>
            </Show>
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}
