//! *Try failed rows again*: where a second try can help, and what it does.

use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::components::toast::use_toasts;
use crate::format::number;
use crate::format::text::sentence;
use crate::live::use_live;
use crate::pages::migration::overview::JobSignal;
use crate::pages::migration::use_migration;
use godwit_shared::job::{JobUpdate, MigrationJobStatus};
use godwit_shared::retry::{FailedRows, Retry, RetryAnswer, retry_of};
use leptos::prelude::*;

const TRY_AGAIN: ConfirmAction = ConfirmAction {
    label: "Try again",
    tone: ButtonTone::Primary,
    testid: "retry-failed-confirm",
};

/// There, where the job has rows that a second try can help.
#[component]
pub fn RetryButton(job: JobSignal) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let can_help = Memo::new(move |_| has_rows_to_try(&job.get()));
    let open = Callback::new(move |()| is_open.set(true));
    let close = Callback::new(move |()| is_open.set(false));
    let dialog = move || is_open.get().then(|| view! { <RetryDialog job=job on_close=close/> });
    view! {
        <Show when=move || can_help.get()>
            <Button
                label="Try failed rows again"
                tone=ButtonTone::Quiet
                icon=Icon::Retry
                on_press=open
                attr:data-testid="retry-failed"
            />
        </Show>
        {dialog}
    }
}

fn has_rows_to_try(job: &MigrationJobStatus) -> bool {
    let of_rows = |update: &JobUpdate| retry_of(&update.error_code) == Some(Retry::CanHelp);
    job.job_updates.iter().any(of_rows)
}

/// What a second try of a line's rows would do, for the details of the line.
pub fn advice(group: &JobUpdate) -> Option<String> {
    Some(match retry_of(&group.error_code)? {
        Retry::CanHelp => "When the cause is gone: Try failed rows again, above.".into(),
        Retry::CannotHelp(reason) => format!("Does not help. {reason}"),
    })
}

#[component]
fn RetryDialog(job: JobSignal, on_close: Callback<()>) -> impl IntoView {
    let (toasts, context, live) = (use_toasts(), use_migration(), use_live());
    let id = StoredValue::new(job.get_untracked().id.clone());
    let is_ended = job.get_untracked().status.is_ended();
    let known = LocalResource::new(move || async move { api::jobs::failed_rows(&id.get_value()).await });
    let is_impossible = Signal::derive(move || {
        let known = known.get().and_then(Result::ok);
        known.is_none_or(|known| known.rows == 0 || known.not_now.is_some())
    });
    let retry = Action::new_local(move |(): &()| async move {
        let RetryAnswer { job, left_out } = api::jobs::retry_failed(&id.get_value()).await?;
        let left_out: Vec<String> = (left_out.into_iter())
            .map(|l| {
                format!(
                    " {}: {}.",
                    number::counted(l.rows, "row is left out", "rows are left out"),
                    l.reason
                )
            })
            .collect();
        toasts.say(format!("Failed rows are tried again.{}", left_out.concat()));
        on_close.run(());
        let own = job.id.clone();
        live.adopt(job);
        if own != id.get_value() {
            context.show_job(own);
        }
        Ok::<(), ApiError>(())
    });
    let failure = move || retry.value().get().and_then(Result::err);
    let confirm = Callback::new(move |()| {
        retry.dispatch_local(());
    });
    let body = move || match known.get() {
        None => view! { <Skeleton lines=2/> }.into_any(),
        Some(Err(error)) => view! { <ErrorPanel error=error/> }.into_any(),
        Some(Ok(known)) => view! { <WhatIsTried known=known is_ended=is_ended/> }.into_any(),
    };
    view! {
        <ConfirmDialog
            title="Try failed rows again?"
            action=TRY_AGAIN
            is_busy=retry.pending()
            is_disabled=is_impossible
            on_confirm=confirm
            on_close=on_close
        >
            {body}
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}

#[component]
fn WhatIsTried(known: FailedRows, is_ended: bool) -> impl IntoView {
    let rows = number::counted(known.rows, "row that has failed is", "rows that have failed are");
    let what = match is_ended {
        true => {
            "This job stays as it is. A new job reads these rows as they are in the source now, and makes documents where \
                 there are none; a document that is there already is not changed."
        }
        false => {
            "The job reads these rows again and writes their documents. Those that fail again come back to the log."
        }
    };
    let not_now = known.not_now.map(|reason| {
        view! { <Banner tone=Tone::Warning title="Not just now"><p>{sentence(&reason)}</p></Banner> }
    });
    let beyond = (known.beyond > 0).then(|| {
        let text = number::counted(known.beyond, "further row was", "further rows were");
        view! { <p>{text}" too many to be remembered: run the job again for them."</p> }
    });
    let nothing = (known.rows == 0).then(|| {
        view! { <p>"No row is known by its key that could be tried: run the job again."</p> }
    });
    view! {
        <p data-testid="retry-count">{rows}" known by their keys."</p>
        {nothing}
        <p>{what}</p>
        {beyond}
        {not_now}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::log::order::tests::update;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::{EventType, JobStatus};

    #[test]
    fn a_second_try_is_offered_where_it_can_help_and_else_it_is_said_why_not() {
        let with = |code: &str| {
            let mut job = job(JobStatus::Completed);
            job.job_updates = vec![JobUpdate {
                error_code: code.into(),
                ..update(EventType::Error, "m", 1, 1)
            }];
            job
        };
        assert!(has_rows_to_try(&with("write_refused")));
        let lossy = with("value_not_convertible");
        assert!(!has_rows_to_try(&lossy));
        assert!(advice(&lossy.job_updates[0]).is_some_and(|text| text.contains("run the job again")));
        assert_eq!(advice(&with("job_paused").job_updates[0]), None);
    }
}
