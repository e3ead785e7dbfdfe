//! The dialog that names a job.

use crate::api::{self, ApiError};
use crate::components::dialog::{Dialog, DialogFoot};
use crate::components::error_panel::ErrorPanel;
use crate::components::field::TextField;
use crate::pages::migration::overview::JobSignal;
use godwit_shared::job::JobLabel;
use leptos::prelude::*;
use reactive_stores::Store;

#[component]
pub fn LabelDialog(job: JobSignal, on_close: Callback<()>) -> impl IntoView {
    let before = job.get_untracked();
    let name = Store::new(before.name.clone().unwrap_or_default());
    let note = Store::new(before.note.clone().unwrap_or_default());
    let save = Action::new_local(move |label: &JobLabel| {
        let (id, label) = (job.get_untracked().id.clone(), label.clone());
        async move {
            api::jobs::label(&id, &label).await?;
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || save.value().get().and_then(Result::err);
    let submit = Callback::new(move |()| {
        let label = JobLabel {
            name: Some(name.get_untracked()),
            note: Some(note.get_untracked()),
        };
        save.dispatch_local(label);
    });
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        submit.run(());
    };
    view! {
        <Dialog title="Name and note" on_close=on_close>
            <form class="gw-dialog__body gw-stack" on:submit=on_submit>
                <TextField label="Name" value=name testid="job-name-field"/>
                <TextField label="Note" value=note testid="job-note-field"/>
                // Enter sends a form of several fields only where it has a button.
                <button type="submit" class="gw-visually-hidden" tabindex="-1" aria-hidden="true"></button>
                {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
            </form>
            <DialogFoot label="Save" is_busy=save.pending() on_press=submit on_close=on_close testid="save-label"/>
        </Dialog>
    }
}
