//! What is asked before a command goes out, with what it leads to.

use crate::clock::use_now;
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::ButtonTone;
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::format::text::sentence;
use crate::format::{number, time};
use crate::pages::migration::overview::JobSignal;
use crate::pages::migration::overview::cdc_figures::{Cutover, cutover, retention};
use crate::pages::migration::present::{has_cdc, has_slot, is_in_cdc};
use chrono::{DateTime, Utc};
use godwit_shared::job::{CdcStatus, MigrationJobStatus};
use leptos::prelude::*;

const TERMINATE: ConfirmAction = ConfirmAction {
    label: "Terminate",
    tone: ButtonTone::Danger,
    testid: "terminate-confirm",
};
const COMPLETE_CDC: ConfirmAction = ConfirmAction {
    label: "Complete CDC",
    tone: ButtonTone::Success,
    testid: "complete-cdc-confirm",
};
const END_WITHOUT_REST: ConfirmAction = ConfirmAction {
    label: "End without the rest",
    tone: ButtonTone::Danger,
    testid: "abandon-confirm",
};
const PAUSE: ConfirmAction = ConfirmAction {
    label: "Pause",
    tone: ButtonTone::Primary,
    testid: "pause-confirm",
};
const RESUME: ConfirmAction = ConfirmAction {
    label: "Resume",
    tone: ButtonTone::Primary,
    testid: "resume-confirm",
};

#[component]
pub fn TerminateDialog(job: JobSignal, on_confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let slot = has_slot(&job.get_untracked()).then(|| {
        view! { <p>"Its replication slot and its publication are removed from the source."</p> }
    });
    view! {
        <ConfirmDialog title="Terminate this job?" action=TERMINATE on_confirm=on_confirm on_close=on_close>
            <p>
                "The snapshot stops, which usually takes less than two seconds. Data written so far stays in MongoDB, \
                 every document of it whole."
            </p>
            {slot}
            <p>
                "A stopped job cannot be resumed. To go on later, use " <b>"Pause"</b> " instead; to start again, create \
                 a new job with " <b>"Drop destination collections before migration"</b> "."
            </p>
        </ConfirmDialog>
    }
}

#[component]
pub fn CompleteCdcDialog(job: JobSignal, on_confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let warning = Memo::new(move |_| not_ready(&job.get()));
    let banner = move || {
        warning.get().map(|text| {
            view! {
                <Banner tone=Tone::Warning title="Not ready for cut-over" attr:data-testid="not-ready"><p>{text}</p></Banner>
            }
        })
    };
    let removes = has_slot(&job.get_untracked()).then(|| {
        view! { <li>"removes its replication slot and its publication from the source."</li> }
    });
    let restores = job.get_untracked().options.prepare_source.then(|| {
        view! { <li>"restores the replica identities that it has set."</li> }
    });
    view! {
        <ConfirmDialog title="Complete CDC?" action=COMPLETE_CDC on_confirm=on_confirm on_close=on_close>
            {banner}
            <p>
                <b>"Stop writing to the source first."</b>
                " What is written there after this moment does not reach MongoDB."
            </p>
            <p>"The job then"</p>
            <ol class="gw-numbered">
                <li>"notes the position at which the source stands now,"</li>
                <li>"applies every change up to that position; its progress shows here,"</li>
                {removes}
                {restores}
            </ol>
            <p>"A completed job cannot be resumed."</p>
        </ConfirmDialog>
    }
}

/// Why it is early to complete the job; `None` where it is ready.
fn not_ready(job: &MigrationJobStatus) -> Option<String> {
    let behind = job.cdc_statistics.as_ref().map(|s| match (s.lag_ms, s.lag_bytes) {
        (0, 0) => "Everything is applied now, but the lag has not been short for long.".to_owned(),
        (lag_ms, lag_bytes) => format!(
            "Changes reach MongoDB {} late, and {} of the source's log are not applied yet.",
            time::lag(lag_ms),
            number::bytes(lag_bytes as f64)
        ),
    });
    let behind = behind.unwrap_or_else(|| "No change has been applied yet.".into());
    match (cutover(job), job.cdc_status == CdcStatus::Paused) {
        (Cutover::Ready, _) => None,
        (Cutover::NotReady | Cutover::Unknown, true) => Some(format!(
            "The job is paused. {behind} It goes on until everything up to now is applied."
        )),
        (Cutover::NotReady | Cutover::Unknown, false) => Some(format!(
            "{behind} Better complete when lag has been under a second for a minute: the application waits for the rest."
        )),
    }
}

#[component]
pub fn EndWithoutRestDialog(job: JobSignal, on_confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let now = use_now();
    let rest = Memo::new(move |_| rest(&job.get(), now.get()));
    let removed = has_slot(&job.get_untracked()).then_some(
        "The replication slot and the publication are removed from the source; where it does not answer, the job update \
         log names them with the statements that remove them, and Godwit goes on trying.",
    );
    view! {
        <ConfirmDialog
            title="End without the rest?"
            action=END_WITHOUT_REST
            on_confirm=on_confirm
            on_close=on_close
        >
            <p data-testid="rest"><b>"Changes that are not applied yet do not reach MongoDB. "</b>{move || rest.get()}</p>
            <p>
                "The documents stay as they are, every one of them whole. " {removed}
            </p>
            <p>"A job that was ended so is " <b>"cancelled"</b> ", and cannot be resumed."</p>
        </ConfirmDialog>
    }
}

/// What is not applied: from where to where, and how old it is.
fn rest(job: &MigrationJobStatus, now: DateTime<Utc>) -> String {
    let Some(statistics) = &job.cdc_statistics else {
        return "What that is, is not known.".into();
    };
    let from = statistics.position.as_deref();
    let to = statistics
        .complete_position
        .as_deref()
        .or(statistics.log_end.as_deref());
    let span = match (from, to) {
        (Some(from), Some(to)) if from == to && statistics.lag_bytes == 0 => {
            format!("Everything up to position {from} is applied; what came after the source was last seen is not.")
        }
        (Some(from), Some(to)) => format!(
            "That is the source's log from position {from} to {to}, {} as far as it was seen.",
            number::bytes(statistics.lag_bytes as f64)
        ),
        (Some(from), None) => format!("That is the source's log from position {from} on."),
        (None, _) => "From which position on is not known.".into(),
    };
    let age = statistics.applied_until.map(|until| {
        format!(
            " Everything committed more than {} ago is applied.",
            time::duration(time::seconds_between(until, now).max(0.0).ceil())
        )
    });
    span + &age.unwrap_or_default()
}

#[component]
pub fn PauseDialog(job: JobSignal, on_confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let is_in_cdc = Memo::new(move |_| is_in_cdc(&job.get()));
    let what = move || match is_in_cdc.get() {
        true => "No changes are applied until you resume it.",
        false => {
            "Nothing is read until you resume it. The point in time of the snapshot stays open in the source, which keeps \
             for it what is changed or deleted meanwhile."
        }
    };
    let kept = move || {
        let job = job.get();
        let bytes = job.cdc_statistics.as_ref().and_then(|s| s.retained_log_bytes);
        bytes.map(|n| format!(" It keeps {} now.", number::bytes(n as f64)))
    };
    let keeps = match has_slot(&job.get_untracked()) {
        true => "The replication slot stays, and with it the source keeps its log from the position of the job on.",
        false => "The source keeps its log for a time of its own: resume before it takes away what the job needs.",
    };
    let log = has_cdc(&job.get_untracked()).then(|| {
        view! {
            <p>
                {keeps}
                {kept}
            </p>
            <p data-testid="retention">{move || retention(&job.get())}</p>
        }
    });
    view! {
        <ConfirmDialog title="Pause this job?" action=PAUSE on_confirm=on_confirm on_close=on_close>
            <p>{what}</p>
            {log}
        </ConfirmDialog>
    }
}

#[component]
pub fn ResumeDialog(job: JobSignal, on_confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let text = Memo::new(move |_| what_resume_does(&job.get()));
    let notice = Memo::new(move |_| job.get().cdc_statistics.as_ref().and_then(|s| s.notice.clone()));
    let banner = move || {
        notice.get().map(
            |text| view! { <Banner tone=Tone::Warning title="Why it stands still"><p>{sentence(&text)}</p></Banner> },
        )
    };
    view! {
        <ConfirmDialog title="Resume this job?" action=RESUME on_confirm=on_confirm on_close=on_close>
            {banner}
            <p>{move || text.get()}</p>
        </ConfirmDialog>
    }
}

fn what_resume_does(job: &MigrationJobStatus) -> String {
    if !has_cdc(job) {
        return "The snapshot goes on where it stood.".into();
    }
    if !is_in_cdc(job) {
        return "The snapshot goes on where it stood; changes made in the meantime are applied after it.".into();
    }
    let statistics = job.cdc_statistics.as_ref();
    let from = statistics
        .and_then(|s| s.position.as_deref())
        .map(|at| format!(" from position {at} on"))
        .unwrap_or_default();
    let rest = statistics
        .map(|s| {
            format!(
                " {} of the source's log are waiting.",
                number::bytes(s.lag_bytes as f64)
            )
        })
        .unwrap_or_default();
    format!("The job applies every change made in the meantime{from}, then follows the source again.{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};
    use godwit_shared::job::{CdcStatistics, JobStatus};

    fn with(cdc_status: CdcStatus, statistics: CdcStatistics) -> MigrationJobStatus {
        let mut job = cdc_job(JobStatus::Running, cdc_status, true);
        job.cdc_statistics = Some(statistics);
        job
    }

    fn behind(is_ready_for_cutover: bool) -> CdcStatistics {
        CdcStatistics {
            lag_ms: 2400,
            lag_bytes: 65_000,
            position: Some("0/16B3748".into()),
            is_ready_for_cutover,
            ..Default::default()
        }
    }

    #[test]
    fn who_completes_early_is_warned() {
        assert_eq!(not_ready(&with(CdcStatus::Running, behind(true))), None);
        let check = |job: MigrationJobStatus, parts: &[&str]| {
            let text = not_ready(&job).expect("a warning");
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        };
        check(
            with(CdcStatus::Running, behind(false)),
            &["2.4 s late", "65.0 kB", "Better complete"],
        );
        check(
            with(CdcStatus::Running, CdcStatistics::default()),
            &["Everything is applied now", "Better complete"],
        );
        check(with(CdcStatus::Paused, behind(true)), &["is paused", "goes on"]);
        check(
            cdc_job(JobStatus::Running, CdcStatus::Running, true),
            &["No change has been applied yet"],
        );
    }

    #[test]
    fn what_an_end_without_the_rest_leaves_out() {
        let now: DateTime<Utc> = "2026-11-03T10:05:00Z".parse().unwrap();
        let check = |change: fn(&mut CdcStatistics), expected: &str| {
            let mut statistics = behind(false);
            change(&mut statistics);
            assert_eq!(rest(&with(CdcStatus::Completing, statistics), now), expected);
        };
        check(
            |s| {
                s.complete_position = Some("0/16C3748".into());
                s.applied_until = Some("2026-11-03T10:00:00Z".parse().unwrap());
            },
            "That is the source's log from position 0/16B3748 to 0/16C3748, 65.0 kB as far as it was seen. \
             Everything committed more than 5 min 00 s ago is applied.",
        );
        check(|_| (), "That is the source's log from position 0/16B3748 on.");
        check(
            |s| (s.log_end, s.lag_bytes) = (s.position.clone(), 0),
            "Everything up to position 0/16B3748 is applied; what came after the source was last seen is not.",
        );
        check(|s| s.position = None, "From which position on is not known.");
    }

    #[test]
    fn where_a_resumed_job_goes_on() {
        assert_eq!(
            what_resume_does(&with(CdcStatus::Paused, behind(false))),
            "The job applies every change made in the meantime from position 0/16B3748 on, then follows the source again. \
             65.0 kB of the source's log are waiting."
        );
        let snapshot = cdc_job(JobStatus::Paused, CdcStatus::NotStarted, false);
        assert!(what_resume_does(&snapshot).contains("changes made in the meantime"));
        assert_eq!(
            what_resume_does(&job(JobStatus::Paused)),
            "The snapshot goes on where it stood."
        );
    }
}
