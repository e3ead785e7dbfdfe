//! Why a job failed.

use super::JobSignal;
use crate::components::error_panel::ErrorBox;
use crate::format::wire_name;
use godwit_shared::job::FailureError;
use leptos::prelude::*;

#[component]
pub fn FailureBox(job: JobSignal) -> impl IntoView {
    let failure = Memo::new(move |_| job.get().failure_error.clone());
    move || {
        failure.get().map(|failure| {
            let hint = hint(&failure);
            let code = wire_name(&failure.error_type);
            view! { <ErrorBox message=failure.message hint=hint code=code/> }
        })
    }
}

fn hint(failure: &FailureError) -> &'static str {
    match failure.setup_error {
        true => "Nothing was written. Correct the cause, then create a new job.",
        false => "Data written so far stays in MongoDB. Correct the cause, then create a new job.",
    }
}
