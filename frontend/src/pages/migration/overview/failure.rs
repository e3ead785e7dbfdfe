//! Why a job failed.

use super::JobSignal;
use crate::api::advice;
use crate::components::error_panel::ErrorBox;
use crate::format::{time, wire_name};
use chrono::Local;
use godwit_shared::job::FailureError;
use leptos::prelude::*;

#[component]
pub fn FailureBox(job: JobSignal) -> impl IntoView {
    let failure = Memo::new(move |_| job.get().failure_error.clone());
    move || {
        failure.get().map(|failure| {
            let hint = hint(&failure);
            let code = wire_name(&failure.error_type);
            let at = time::date_and_clock(failure.failure_at, &Local);
            view! {
                <ErrorBox message=failure.message hint=hint code=code>
                    <p class="gw-muted" title=time::exact_utc(failure.failure_at) data-testid="failure-time">{at}</p>
                </ErrorBox>
            }
        })
    }
}

/// What the job has left behind, and what to do.
fn hint(failure: &FailureError) -> String {
    let left = match failure.setup_error {
        true => "Nothing was written.",
        false => "Data written so far stays in MongoDB.",
    };
    format!("{left} {}", advice(failure.error_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_shared::error::ErrorCode;

    #[test]
    fn what_is_left_and_what_to_do() {
        let check = |error_type, setup_error, parts: [&str; 2]| {
            let failure = FailureError {
                error_type,
                message: "m".into(),
                failure_at: "2026-11-03T10:00:00Z".parse().unwrap(),
                setup_error,
            };
            let hint = hint(&failure);
            assert!(parts.iter().all(|part| hint.contains(part)), "{hint}");
        };
        check(
            ErrorCode::ResyncNeeded,
            false,
            ["stays in MongoDB", "Drop destination collections"],
        );
        check(
            ErrorCode::SchemaChanged,
            false,
            ["stays in MongoDB", "correct the mapping"],
        );
        check(
            ErrorCode::SourceUnreachable,
            true,
            ["Nothing was written", "Check host"],
        );
    }
}
