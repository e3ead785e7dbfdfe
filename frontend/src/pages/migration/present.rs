//! What the state of a job means for the page. Plain functions of the job.

use crate::components::badge::Tone;
use crate::components::icon::Icon;
use crate::components::status::Status;
use crate::format::{number, time};
use chrono::{DateTime, Local, TimeZone, Utc};
use godwit_shared::connection::SourceKind;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus, MigrationMode};
use godwit_shared::outage::{Dependency, Outage};
use std::fmt::Display;

/// Figures without news for so long are greyed.
const STALE_AFTER_SECONDS: f64 = 2.0;
const SNAPSHOT_CANCELLED: &str = "Snapshot cancelled";

/// The status of the whole job; also the icon of the history.
pub fn job_status(job: &MigrationJobStatus) -> Status {
    if let Some(label) = retrying(job, &Local) {
        return Status::new(Icon::Warning, Tone::Warning, label);
    }
    if let (JobStatus::Completed, errors @ 1..) = (job.status, job.statistics.errors) {
        let label = format!("Completed with {}", number::counted(errors, "error", "errors"));
        return Status::new(Icon::Warning, Tone::Warning, label);
    }
    let (icon, tone, label) = match job.status {
        JobStatus::Running => match job.cdc_status {
            CdcStatus::Paused => (Icon::Pause, Tone::Warning, "CDC paused"),
            CdcStatus::Completing => (Icon::Running, Tone::Accent, "Completing CDC"),
            CdcStatus::NotStarted
            | CdcStatus::Running
            | CdcStatus::Completed
            | CdcStatus::Failed
            | CdcStatus::Cancelled => (Icon::Running, Tone::Accent, "Running"),
        },
        JobStatus::Paused => (Icon::Pause, Tone::Warning, "Paused"),
        JobStatus::CleaningUp => (Icon::Running, Tone::Accent, "Cleaning up"),
        JobStatus::Cancelling => (Icon::Running, Tone::Neutral, "Cancelling"),
        JobStatus::Cancelled if is_snapshot_over(job) => (Icon::Close, Tone::Neutral, "Cancelled"),
        JobStatus::Cancelled => (Icon::Close, Tone::Neutral, SNAPSHOT_CANCELLED),
        JobStatus::Failed => (Icon::Error, Tone::Danger, "Failed"),
        JobStatus::Completed if has_cdc(job) => (Icon::Check, Tone::Success, "CDC Completed"),
        JobStatus::Completed => (Icon::Check, Tone::Success, "Completed"),
    };
    Status::new(icon, tone, label)
}

/// `Retrying: source unreachable since 10:42`, of a job that would be at work if its servers answered.
pub fn retrying<Z: TimeZone>(job: &MigrationJobStatus, zone: &Z) -> Option<String>
where
    Z::Offset: Display,
{
    let would_work =
        job.status == JobStatus::Running && job.cdc_status != CdcStatus::Paused && job.stand_still.is_none();
    let first = job.outages.first().filter(|_| would_work)?;
    let nouns: Vec<&str> = job.outages.iter().map(|o| short_noun(o.server)).collect();
    let since = job.outages.iter().map(|o| o.since).min().unwrap_or(first.since);
    Some(format!(
        "Retrying: {} unreachable since {}",
        nouns.join(" and "),
        time::hour_and_minute(since, zone)
    ))
}

fn short_noun(server: Dependency) -> &'static str {
    match server {
        Dependency::Source => "source",
        Dependency::Destination => "destination",
        Dependency::Store => "store",
    }
}

/// The status of the snapshot stage.
pub fn snapshot_status(job: &MigrationJobStatus) -> Status {
    let (icon, tone, label) = match job.status {
        _ if is_snapshot_over(job) => (Icon::Check, Tone::Success, "Completed"),
        JobStatus::Completed => (Icon::Check, Tone::Success, "Completed"),
        JobStatus::Running | JobStatus::CleaningUp => (Icon::Running, Tone::Accent, "Running"),
        JobStatus::Paused => (Icon::Pause, Tone::Warning, "Paused"),
        JobStatus::Cancelling => (Icon::Running, Tone::Neutral, "Cancelling"),
        JobStatus::Cancelled => (Icon::Close, Tone::Neutral, SNAPSHOT_CANCELLED),
        JobStatus::Failed => (Icon::Error, Tone::Danger, "Failed"),
    };
    Status::new(icon, tone, label)
}

/// The status of the CDC stage.
pub fn cdc_status(job: &MigrationJobStatus) -> Status {
    if is_in_cdc(job) && retrying(job, &Local).is_some() {
        return Status::new(Icon::Warning, Tone::Warning, "Retrying");
    }
    let (icon, tone, label) = match job.cdc_status {
        CdcStatus::NotStarted => (Icon::Info, Tone::Neutral, "Not started"),
        CdcStatus::Running => (Icon::Running, Tone::Accent, "Running"),
        CdcStatus::Completing => (Icon::Running, Tone::Accent, "Completing"),
        CdcStatus::Completed => (Icon::Check, Tone::Success, "Completed"),
        CdcStatus::Failed => (Icon::Error, Tone::Danger, "Failed"),
        CdcStatus::Cancelled => (Icon::Close, Tone::Neutral, "Cancelled"),
        CdcStatus::Paused => (Icon::Pause, Tone::Warning, "Paused"),
    };
    Status::new(icon, tone, label)
}

/// The mode as the wizard calls it.
pub fn mode_label(mode: MigrationMode) -> &'static str {
    match mode {
        MigrationMode::Snapshot => "Snapshot",
        MigrationMode::Cdc => "Continuous",
        MigrationMode::CdcOnly => "Changes only",
    }
}

/// Whether the job has made a slot and a publication in its source. Other sources keep their log whoever reads it.
pub fn has_slot(job: &MigrationJobStatus) -> bool {
    has_cdc(job) && is_from_postgresql(job)
}

/// Whether the source is a PostgreSQL.
pub fn is_from_postgresql(job: &MigrationJobStatus) -> bool {
    let kind = SourceKind::of_url(&job.jdbc_connection_string);
    kind.is_none_or(|kind| kind == SourceKind::Postgresql)
}

/// Whether the job has a CDC stage.
pub fn has_cdc(job: &MigrationJobStatus) -> bool {
    match job.options.mode {
        MigrationMode::Snapshot => false,
        MigrationMode::Cdc | MigrationMode::CdcOnly => true,
    }
}

/// Whether the job has left its snapshot stage successfully, or never had one.
pub fn is_snapshot_over(job: &MigrationJobStatus) -> bool {
    match job.options.mode {
        MigrationMode::Snapshot => job.status == JobStatus::Completed,
        MigrationMode::Cdc => job.statistics.snapshot_completed,
        MigrationMode::CdcOnly => true,
    }
}

/// Whether changes of the source reach the destination now.
pub fn is_streaming(job: &MigrationJobStatus) -> bool {
    job.status == JobStatus::Running && job.cdc_status == CdcStatus::Running && job.outages.is_empty()
}

/// Whether what is shown of the job may no longer hold: a server that it comes from has not answered for a while.
pub fn is_stale(job: &MigrationJobStatus, now: DateTime<Utc>) -> bool {
    let is_old = |outage: &Outage| time::seconds_between(outage.since, now) >= STALE_AFTER_SECONDS;
    !job.status.is_ended() && job.outages.iter().any(is_old)
}

/// Whether the job is in its CDC stage, or stands still in it.
pub fn is_in_cdc(job: &MigrationJobStatus) -> bool {
    has_cdc(job) && is_snapshot_over(job) && !job.status.is_ended()
}

/// What the red or green button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopControl {
    None,
    Terminate,
    /// It has been pressed, and the job is on its way out.
    Terminating,
    CompleteCdc,
}

/// What may be done with the job now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controls {
    pub stop: StopControl,
    pub can_pause: bool,
    pub can_resume: bool,
    /// *End without the rest*, the changes that are not applied: of a job that completes, or cannot because it stands still.
    pub can_abandon: bool,
    pub can_create_new: bool,
}

pub fn controls(job: &MigrationJobStatus) -> Controls {
    let in_cdc = is_in_cdc(job);
    let stands_still = in_cdc && job.stand_still.is_some();
    let stop = match (job.status, job.cdc_status) {
        (JobStatus::Running, CdcStatus::Completing) => StopControl::None,
        // It would not get there: it is resumed first, or ended without the rest.
        (JobStatus::Running, _) if stands_still => StopControl::None,
        (JobStatus::Running | JobStatus::Paused, _) if in_cdc => StopControl::CompleteCdc,
        (JobStatus::Running | JobStatus::Paused, _) => StopControl::Terminate,
        (JobStatus::Cancelling, _) => StopControl::Terminating,
        (JobStatus::CleaningUp | JobStatus::Cancelled | JobStatus::Failed | JobStatus::Completed, _) => {
            StopControl::None
        }
    };
    let cdc_paused = in_cdc && job.cdc_status == CdcStatus::Paused;
    let is_completing = in_cdc && job.cdc_status == CdcStatus::Completing;
    let is_pausable = !in_cdc || job.cdc_status == CdcStatus::Running;
    Controls {
        stop,
        can_pause: job.status == JobStatus::Running && is_pausable,
        can_resume: job.status == JobStatus::Paused
            || (job.status == JobStatus::Running && (cdc_paused || stands_still)),
        can_abandon: job.status == JobStatus::Running && (cdc_paused || is_completing),
        can_create_new: job.status.is_ended(),
    }
}

/// What is read out: each change of the status, and every tenth of the way.
pub fn announcement(job: &MigrationJobStatus) -> String {
    let label = job_status(job).label;
    if retrying(job, &Local).is_some() {
        return format!("Job {label}");
    }
    match job.status {
        JobStatus::Running if !is_snapshot_over(job) => {
            let tenth = (job.statistics.percent.clamp(0.0, 100.0) / 10.0).floor() * 10.0;
            format!("Job {label}, {}", number::percent(tenth))
        }
        JobStatus::Running if is_streaming(job) => {
            let is_ready = job.cdc_statistics.as_ref().is_some_and(|s| s.is_ready_for_cutover);
            let readiness = if is_ready { ", ready for cut-over" } else { "" };
            format!("Job {label}, applying changes{readiness}")
        }
        JobStatus::Running
        | JobStatus::Paused
        | JobStatus::CleaningUp
        | JobStatus::Cancelling
        | JobStatus::Cancelled
        | JobStatus::Failed
        | JobStatus::Completed => format!("Job {label}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use godwit_shared::ids::{JobId, ProjectId};
    use godwit_shared::job::{CdcStatistics, JobMetadata, JobOptions, JobStatistics, StandStill};

    pub(crate) fn job(status: JobStatus) -> MigrationJobStatus {
        MigrationJobStatus {
            id: JobId::new("j"),
            project_id: ProjectId::new("p"),
            project_name: "Shop".into(),
            name: None,
            note: None,
            retry_of: None,
            status,
            submitted_at: "2026-11-03T10:00:00Z".parse().unwrap(),
            ended_at: None,
            options: JobOptions {
                mode: MigrationMode::Snapshot,
                drop_collections: false,
                error_handling: Default::default(),
                error_tolerance: Some(100),
                prepare_source: false,
            },
            cdc_status: CdcStatus::NotStarted,
            verification_job_id: None,
            jdbc_connection_string: "jdbc:postgresql://h:5432/shop".into(),
            mongo_db_connection_string: "mongodb://u:***@h/shop".into(),
            statistics: JobStatistics::default(),
            cdc_statistics: None,
            job_updates: vec![],
            failure_error: None,
            end: None,
            stand_still: None,
            outages: vec![],
            metadata: JobMetadata::default(),
            relational_table_filters: Default::default(),
        }
    }

    pub(crate) fn cdc_job(status: JobStatus, cdc_status: CdcStatus, snapshot_completed: bool) -> MigrationJobStatus {
        let mut job = job(status);
        job.options.mode = MigrationMode::Cdc;
        job.cdc_status = cdc_status;
        job.statistics.snapshot_completed = snapshot_completed;
        job
    }

    #[test]
    fn labels_of_a_snapshot_job() {
        let check = |status, whole: &str, stage: &str, icon| {
            let job = job(status);
            assert_eq!(job_status(&job).label, whole);
            assert_eq!(snapshot_status(&job).label, stage);
            assert_eq!(job_status(&job).icon, icon);
        };
        check(JobStatus::Running, "Running", "Running", Icon::Running);
        check(JobStatus::Paused, "Paused", "Paused", Icon::Pause);
        check(JobStatus::CleaningUp, "Cleaning up", "Running", Icon::Running);
        check(JobStatus::Cancelling, "Cancelling", "Cancelling", Icon::Running);
        check(
            JobStatus::Cancelled,
            "Snapshot cancelled",
            "Snapshot cancelled",
            Icon::Close,
        );
        check(JobStatus::Failed, "Failed", "Failed", Icon::Error);
        check(JobStatus::Completed, "Completed", "Completed", Icon::Check);
    }

    #[test]
    fn a_continuous_job_has_labels_for_each_stage() {
        let check = |job: MigrationJobStatus, labels: [&str; 3]| {
            let shown = [job_status(&job), snapshot_status(&job), cdc_status(&job)];
            assert_eq!(shown.map(|s| s.label.into_owned()), labels);
        };
        use {CdcStatus as C, JobStatus as S};
        check(
            cdc_job(S::Running, C::NotStarted, false),
            ["Running", "Running", "Not started"],
        );
        check(
            cdc_job(S::Running, C::Running, true),
            ["Running", "Completed", "Running"],
        );
        check(
            cdc_job(S::Running, C::Paused, true),
            ["CDC paused", "Completed", "Paused"],
        );
        check(
            cdc_job(S::Completed, C::Completed, true),
            ["CDC Completed", "Completed", "Completed"],
        );
        check(
            cdc_job(S::Cancelled, C::NotStarted, false),
            ["Snapshot cancelled", "Snapshot cancelled", "Not started"],
        );
        check(cdc_job(S::Failed, C::Failed, true), ["Failed", "Completed", "Failed"]);
    }

    #[test]
    fn what_may_be_done() {
        use {CdcStatus as C, JobStatus as S, StopControl as B};
        let check = |job: MigrationJobStatus, stop, pause, resume, create| {
            let is_stuck = matches!(job.cdc_status, C::Paused | C::Completing) && !job.status.is_ended();
            let expected = Controls {
                stop,
                can_pause: pause,
                can_resume: resume,
                can_abandon: is_stuck,
                can_create_new: create,
            };
            assert_eq!(controls(&job), expected, "{:?} {:?}", job.status, job.cdc_status);
        };
        check(job(S::Running), B::Terminate, true, false, false);
        check(job(S::Paused), B::Terminate, false, true, false);
        check(job(S::Cancelling), B::Terminating, false, false, false);
        check(job(S::CleaningUp), B::None, false, false, false);
        for ended in [S::Cancelled, S::Failed, S::Completed] {
            check(job(ended), B::None, false, false, true);
        }
        check(
            cdc_job(S::Running, C::NotStarted, false),
            B::Terminate,
            true,
            false,
            false,
        );
        check(
            cdc_job(S::Running, C::Running, true),
            B::CompleteCdc,
            true,
            false,
            false,
        );
        check(cdc_job(S::Running, C::Paused, true), B::CompleteCdc, false, true, false);
        check(cdc_job(S::Running, C::Completing, true), B::None, false, false, false);
        check(cdc_job(S::CleaningUp, C::Completed, true), B::None, false, false, false);
        check(cdc_job(S::Failed, C::Failed, true), B::None, false, false, true);
        // One that stands still by itself is not completed, but tried again or ended.
        for cdc in [C::Paused, C::Completing] {
            let mut standing = cdc_job(S::Running, cdc, true);
            standing.stand_still = Some(StandStill {
                reason: "a column is gone".into(),
                since: "2026-11-03T10:00:00Z".parse().unwrap(),
            });
            check(standing, B::None, false, true, false);
        }
    }

    fn away(mut job: MigrationJobStatus, servers: &[Dependency]) -> MigrationJobStatus {
        let outage = |server: &Dependency| Outage {
            server: *server,
            since: "2026-11-03T10:42:07Z".parse().unwrap(),
            reason: "connection refused".into(),
        };
        job.outages = servers.iter().map(outage).collect();
        job
    }

    #[test]
    fn a_job_whose_servers_are_away_does_not_run() {
        use Dependency::{Destination, Source};
        let label = |job| retrying(&job, &Utc);
        let running = || job(JobStatus::Running);
        assert_eq!(label(running()), None);
        assert_eq!(
            label(away(running(), &[Source])).as_deref(),
            Some("Retrying: source unreachable since 10:42")
        );
        assert_eq!(
            label(away(running(), &[Source, Destination])).as_deref(),
            Some("Retrying: source and destination unreachable since 10:42")
        );
        // What the user has stopped does not try anything.
        assert_eq!(label(away(job(JobStatus::Paused), &[Source])), None);
        let streaming = away(cdc_job(JobStatus::Running, CdcStatus::Running, true), &[Destination]);
        assert!(!is_streaming(&streaming) && job_status(&streaming).tone == Tone::Warning);
        assert_eq!(cdc_status(&streaming).label, "Retrying");
        let at = |text: &str| text.parse().unwrap();
        assert!(!is_stale(&streaming, at("2026-11-03T10:42:08Z")));
        assert!(is_stale(&streaming, at("2026-11-03T10:42:09Z")));
    }

    #[test]
    fn a_job_with_errors_has_a_mark_of_its_own() {
        let mut done = job(JobStatus::Completed);
        done.statistics.errors = 7;
        let status = job_status(&done);
        assert_eq!(
            (&*status.label, status.icon),
            ("Completed with 7 errors", Icon::Warning)
        );
        done.status = JobStatus::Failed;
        assert_eq!(job_status(&done).label, "Failed");
    }

    #[test]
    fn progress_is_read_out_in_tenths() {
        let mut running = job(JobStatus::Running);
        running.statistics.percent = 47.9;
        assert_eq!(announcement(&running), "Job Running, 40 %");
        assert_eq!(announcement(&job(JobStatus::Cancelled)), "Job Snapshot cancelled");
    }

    #[test]
    fn the_cdc_stage_is_read_out_without_its_numbers() {
        let mut streaming = cdc_job(JobStatus::Running, CdcStatus::Running, true);
        assert_eq!(announcement(&streaming), "Job Running, applying changes");
        streaming.cdc_statistics = Some(CdcStatistics {
            is_ready_for_cutover: true,
            ..Default::default()
        });
        assert_eq!(
            announcement(&streaming),
            "Job Running, applying changes, ready for cut-over"
        );
        let paused = cdc_job(JobStatus::Running, CdcStatus::Paused, true);
        assert_eq!(announcement(&paused), "Job CDC paused");
    }
}
