//! The stages of a job with their marks: where it is at one glance.

use super::JobSignal;
use crate::components::badge::Tone;
use crate::components::icon::Icon;
use crate::components::status::{Status, StatusText};
use crate::pages::migration::present::{cdc_status, has_cdc, is_snapshot_over, job_status, snapshot_status};
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus, MigrationMode};
use leptos::prelude::*;

/// One stage.
#[derive(Debug, Clone, PartialEq)]
struct Stop {
    title: &'static str,
    status: Status,
    is_current: bool,
}

#[component]
pub fn Way(job: JobSignal) -> impl IntoView {
    let stops = Memo::new(move |_| stops(&job.get()));
    let item = |stop: Stop| {
        let status = stop.status;
        view! {
            <li class="gw-way__stop" aria-current=stop.is_current.then_some("step")>
                <span class="gw-way__title">{stop.title}</span>
                <StatusText status=Signal::derive(move || status.clone())/>
            </li>
        }
    };
    view! {
        <ol class="gw-way" aria-label="Stages of the job" data-testid="way">
            {move || stops.get().into_iter().map(item).collect_view()}
        </ol>
    }
}

fn to_come(label: &'static str) -> Status {
    Status::new(Icon::Minus, Tone::Neutral, label)
}

fn stops(job: &MigrationJobStatus) -> Vec<Stop> {
    let is_copied = is_snapshot_over(job);
    let is_open = !job.status.is_ended();
    let mut stops = Vec::new();
    if job.options.mode != MigrationMode::CdcOnly {
        stops.push(Stop {
            title: "Copy rows",
            status: snapshot_status(job),
            is_current: is_open && !is_copied,
        });
    }
    if has_cdc(job) {
        stops.push(Stop {
            title: "Follow changes",
            status: match job.cdc_status {
                CdcStatus::NotStarted if is_open => to_come("To come"),
                _ => cdc_status(job),
            },
            is_current: is_open && is_copied && job.cdc_status != CdcStatus::Completing,
        });
    }
    let last = if has_cdc(job) { "Cut over" } else { "Done" };
    let is_ready = job.cdc_statistics.as_ref().is_some_and(|s| s.is_ready_for_cutover);
    stops.push(Stop {
        title: last,
        status: match (job.status, job.cdc_status) {
            (JobStatus::Completed | JobStatus::Failed | JobStatus::Cancelled, _) => job_status(job),
            (JobStatus::Running, CdcStatus::Running) if is_ready => Status::new(Icon::Check, Tone::Success, "Ready"),
            (JobStatus::Running, CdcStatus::Completing) => {
                Status::new(Icon::Running, Tone::Accent, "Applying the rest")
            }
            (JobStatus::CleaningUp | JobStatus::Cancelling, _) => job_status(job),
            (JobStatus::Running | JobStatus::Paused, _) => to_come("To come"),
        },
        is_current: job.cdc_status == CdcStatus::Completing && is_open,
    });
    stops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};

    fn shown(job: &MigrationJobStatus) -> Vec<(&'static str, String, bool)> {
        let stops = stops(job).into_iter();
        stops
            .map(|s| (s.title, s.status.label.into_owned(), s.is_current))
            .collect()
    }

    #[test]
    fn each_stage_has_its_mark_and_one_is_current() {
        assert_eq!(
            shown(&job(JobStatus::Running)),
            [
                ("Copy rows", "Running".into(), true),
                ("Done", "To come".to_owned(), false)
            ]
        );
        assert_eq!(
            shown(&cdc_job(JobStatus::Running, CdcStatus::Running, true)),
            [
                ("Copy rows", "Completed".into(), false),
                ("Follow changes", "Running".into(), true),
                ("Cut over", "To come".to_owned(), false)
            ]
        );
        let completing = cdc_job(JobStatus::Running, CdcStatus::Completing, true);
        assert_eq!(shown(&completing)[2], ("Cut over", "Applying the rest".into(), true));
        let failed = job(JobStatus::Failed);
        assert!(
            shown(&failed)
                .iter()
                .all(|(_, label, current)| label == "Failed" && !current)
        );
    }
}
