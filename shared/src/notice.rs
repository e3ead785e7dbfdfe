//! What of a job somebody wants to be told who does not look: its end, a lag beyond a limit, a log that the source is about
//! to discard. Decided here for both who tell of it: the page, which asks the browser to, and the server's webhook.

use crate::ids::{JobId, ProjectId};
use crate::job::{CdcStatus, JobStatus, MigrationJobStatus, MigrationMode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// The limit of the lag where nobody has set another one, ms.
pub const LAG_LIMIT_MS: u64 = 60_000;
/// With less time than this until the source discards the log of a job, its user is told.
const LOG_SECONDS_MIN: f64 = 3_600.0;

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeKind {
    JobCompleted,
    JobCancelled,
    JobFailed,
    /// It waits for its user, who has not asked it to.
    JobStandsStill,
    LagOverLimit,
    LogAboutToBeDiscarded,
    /// Somebody tries whether it arrives.
    Test,
}

/// One message. It holds no address, no password and nothing of any row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The same for a message that is sent again.
    pub id: String,
    pub event: NoticeKind,
    pub at: DateTime<Utc>,
    /// In words, for those who only show it.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<NoticeJob>,
}

/// The job of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NoticeJob {
    pub id: JobId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub project_id: ProjectId,
    pub project_name: String,
    pub mode: MigrationMode,
    pub status: JobStatus,
    pub cdc_status: CdcStatus,
    pub submitted_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    pub documents_written: u64,
    pub errors: u64,
    pub warnings: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_until_log_lost: Option<f64>,
    /// The code of what it has failed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl NoticeJob {
    fn of(job: &MigrationJobStatus) -> Self {
        let cdc = job.cdc_statistics.as_ref();
        let failure = job.failure_error.as_ref().map(|f| serde_json::to_value(f.error_type));
        Self {
            id: job.id.clone(),
            name: job.name.clone(),
            project_id: job.project_id.clone(),
            project_name: job.project_name.clone(),
            mode: job.options.mode,
            status: job.status,
            cdc_status: job.cdc_status,
            submitted_at: job.submitted_at,
            ended_at: job.ended_at,
            documents_written: job.statistics.documents_written,
            errors: job.statistics.errors,
            warnings: job.statistics.warnings,
            lag_ms: cdc.map(|c| c.lag_ms),
            seconds_until_log_lost: cdc.and_then(|c| c.seconds_until_log_lost),
            failure: failure
                .and_then(Result::ok)
                .and_then(|code| code.as_str().map(Into::into)),
        }
    }
}

/// What was told of a job that has not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Told {
    stands_still: bool,
    lag: bool,
    log: bool,
}

/// Remembers what was told of each job, so that each thing is told once.
#[derive(Debug, Clone)]
pub struct Watcher {
    lag_limit_ms: u64,
    open: HashMap<JobId, Told>,
    /// Jobs that were among all there are; `None` before the first look at all.
    seen: Option<HashSet<JobId>>,
}

impl Watcher {
    pub fn new(lag_limit_ms: u64) -> Self {
        Self {
            lag_limit_ms,
            open: HashMap::new(),
            seen: None,
        }
    }

    /// Looks at the newest state of a job; what is to be told of it now. Of a job that had ended before it was looked at
    /// first, nothing.
    pub fn look(&mut self, job: &MigrationJobStatus, now: DateTime<Utc>) -> Vec<Notice> {
        if job.status.is_ended() {
            let was_open = self.open.remove(&job.id).is_some();
            let ended = was_open.then(|| notice(job, end_of(job.status), now));
            return ended.into_iter().collect();
        }
        let told = self.open.entry(job.id.clone()).or_default();
        let before = *told;
        let cdc = job.cdc_statistics.as_ref().filter(|_| is_following(job));
        let lag = cdc.map_or(0, |c| c.lag_ms);
        let seconds = cdc.and_then(|c| c.seconds_until_log_lost);
        *told = Told {
            stands_still: job.stand_still.is_some(),
            // It is told again when it has been well below, so that a lag about the limit does not ring all the time.
            lag: lag > self.lag_limit_ms || (before.lag && lag > self.lag_limit_ms / 2),
            log: seconds.is_some_and(|s| s < LOG_SECONDS_MIN || (before.log && s < 2.0 * LOG_SECONDS_MIN)),
        };
        let new = [
            (NoticeKind::JobStandsStill, before.stands_still, told.stands_still),
            (NoticeKind::LagOverLimit, before.lag, told.lag),
            (NoticeKind::LogAboutToBeDiscarded, before.log, told.log),
        ];
        let new = new.into_iter().filter(|(_, before, after)| !before && *after);
        new.map(|(kind, ..)| notice(job, kind, now)).collect()
    }

    /// Looks at all jobs there are. Of those that had ended at the first such look nothing is told; one that comes later
    /// may have begun and ended between two looks.
    pub fn look_at_all<'j>(
        &mut self,
        jobs: impl Iterator<Item = &'j MigrationJobStatus>,
        now: DateTime<Utc>,
    ) -> Vec<Notice> {
        let is_first = self.seen.is_none();
        let mut seen = self.seen.take().unwrap_or_default();
        let mut notices = Vec::new();
        for job in jobs {
            if !seen.contains(&job.id) {
                seen.insert(job.id.clone());
                if !is_first {
                    self.begin(&job.id);
                }
            }
            notices.extend(self.look(job, now));
        }
        self.seen = Some(seen);
        notices
    }

    /// The job has begun: its end is told, however soon it comes.
    pub fn begin(&mut self, job: &JobId) {
        self.open.entry(job.clone()).or_default();
    }

    /// Nobody is told of the job any more: it is another one's to tell.
    pub fn forget(&mut self, job: &JobId) {
        self.open.remove(job);
    }
}

fn is_following(job: &MigrationJobStatus) -> bool {
    match job.cdc_status {
        CdcStatus::Running | CdcStatus::Paused | CdcStatus::Completing => true,
        CdcStatus::NotStarted | CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled => false,
    }
}

fn end_of(status: JobStatus) -> NoticeKind {
    match status {
        JobStatus::Failed => NoticeKind::JobFailed,
        JobStatus::Cancelled => NoticeKind::JobCancelled,
        JobStatus::Completed
        | JobStatus::Running
        | JobStatus::Paused
        | JobStatus::CleaningUp
        | JobStatus::Cancelling => NoticeKind::JobCompleted,
    }
}

fn notice(job: &MigrationJobStatus, event: NoticeKind, at: DateTime<Utc>) -> Notice {
    let kind = serde_json::to_value(event).ok();
    let kind = kind.as_ref().and_then(|k| k.as_str()).unwrap_or_default();
    Notice {
        id: format!("{}-{kind}-{}", job.id, at.timestamp()),
        event,
        at,
        text: text_of(job, event),
        job: Some(NoticeJob::of(job)),
    }
}

fn text_of(job: &MigrationJobStatus, event: NoticeKind) -> String {
    let name = match &job.name {
        Some(name) => format!("{}, {name}", job.project_name),
        None => job.project_name.clone(),
    };
    let cdc = job.cdc_statistics.as_ref();
    let what = match event {
        NoticeKind::JobCompleted => match job.statistics.errors {
            0 => "the job is complete".to_owned(),
            errors => format!("the job is complete, with {errors} errors"),
        },
        NoticeKind::JobCancelled => "the job was ended by its user".into(),
        NoticeKind::JobFailed => "the job has failed".into(),
        NoticeKind::JobStandsStill => "the job stands still and waits for its user".into(),
        NoticeKind::LagOverLimit => {
            let seconds = cdc.map_or(0, |c| c.lag_ms / 1_000);
            format!("the destination is {seconds} seconds behind the source")
        }
        NoticeKind::LogAboutToBeDiscarded => {
            let minutes = cdc.and_then(|c| c.seconds_until_log_lost).unwrap_or_default() / 60.0;
            format!("the source discards the log that the job needs in about {minutes:.0} minutes")
        }
        NoticeKind::Test => "a test".into(),
    };
    format!("{name}: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn job(change: Value) -> MigrationJobStatus {
        let mut job = json!({
            "id": "j", "projectId": "p", "projectName": "Shop", "status": "RUNNING", "cdcStatus": "RUNNING",
            "submittedAt": "2026-11-26T12:00:00Z", "options": {"mode": "CDC"},
            "jdbcConnectionString": "jdbc:postgresql://secret-host/db", "mongoDbConnectionString": "mongodb://secret-host/db",
            "statistics": {}, "metadata": {"verificationRequested": false},
        });
        let members = change.as_object().expect("an object").clone();
        job.as_object_mut().expect("an object").extend(members);
        serde_json::from_value(job).expect("a job")
    }

    fn kinds(watcher: &mut Watcher, change: Value) -> Vec<NoticeKind> {
        let notices = watcher.look(&job(change), DateTime::UNIX_EPOCH);
        notices.into_iter().map(|n| n.event).collect()
    }

    #[test]
    fn an_end_is_told_once_and_only_of_a_job_that_was_seen_open() {
        let mut watcher = Watcher::new(LAG_LIMIT_MS);
        assert_eq!(kinds(&mut watcher, json!({"status": "FAILED"})), []);
        watcher.begin(&JobId::new("j"));
        assert_eq!(kinds(&mut watcher, json!({"status": "FAILED"})).len(), 1);
        assert_eq!(kinds(&mut watcher, json!({})), []);
        assert_eq!(
            kinds(&mut watcher, json!({"status": "FAILED"})),
            [NoticeKind::JobFailed]
        );
        assert_eq!(kinds(&mut watcher, json!({"status": "FAILED"})), []);
        for (status, kind) in [
            ("COMPLETED", NoticeKind::JobCompleted),
            ("CANCELLED", NoticeKind::JobCancelled),
        ] {
            assert_eq!(kinds(&mut watcher, json!({})), []);
            assert_eq!(kinds(&mut watcher, json!({"status": status})), [kind]);
        }
    }

    #[test]
    fn a_lag_and_a_short_log_are_told_again_only_after_they_were_well() {
        let mut watcher = Watcher::new(1_000);
        let lag = |watcher: &mut Watcher, ms: u64| kinds(watcher, json!({"cdcStatistics": {"lagMs": ms}})).len();
        let told: Vec<usize> = [900, 1_100, 5_000, 900, 1_100, 400, 1_100]
            .into_iter()
            .map(|ms| lag(&mut watcher, ms))
            .collect();
        assert_eq!(told, [0, 1, 0, 0, 0, 0, 1]);
        let log = |watcher: &mut Watcher, seconds: f64| {
            kinds(watcher, json!({"cdcStatistics": {"secondsUntilLogLost": seconds}})).len()
        };
        let told: Vec<usize> = [9_000.0, 3_000.0, 4_000.0, 3_000.0, 8_000.0, 100.0]
            .into_iter()
            .map(|seconds| log(&mut watcher, seconds))
            .collect();
        assert_eq!(told, [0, 1, 0, 0, 0, 1]);
        // What is over has no lag.
        let mut over = Watcher::new(1_000);
        let ended = json!({"cdcStatus": "COMPLETED", "cdcStatistics": {"lagMs": 9_000}});
        assert_eq!(kinds(&mut over, ended), []);
    }

    #[test]
    fn a_message_names_no_address() {
        let mut watcher = Watcher::new(LAG_LIMIT_MS);
        watcher.look(&job(json!({})), DateTime::UNIX_EPOCH);
        let failure = json!({"errorType": "source_unreachable", "message": "secret-host is away", "failureAt": "2026-11-26T12:00:00Z"});
        let told = watcher.look(
            &job(json!({"status": "FAILED", "failureError": failure})),
            DateTime::UNIX_EPOCH,
        );
        let text = serde_json::to_string(&told).expect("JSON");
        assert!(!text.contains("secret-host"), "{text}");
        assert!(
            text.contains("\"event\":\"JOB_FAILED\"") && text.contains("source_unreachable"),
            "{text}"
        );
        assert_eq!(told[0].text, "Shop: the job has failed");
    }

    #[test]
    fn a_job_that_ends_between_two_looks_is_told_and_an_old_one_is_not() {
        let mut watcher = Watcher::new(1_000);
        let now = Utc::now();
        let ended = |id: &str| job(json!({"id": id, "status": "COMPLETED", "cdcStatus": "NOT_STARTED"}));
        let (old, new) = (ended("old"), ended("new"));
        assert!(watcher.look_at_all([&old].into_iter(), now).is_empty());
        let told = watcher.look_at_all([&old, &new].into_iter(), now);
        assert_eq!(told.len(), 1);
        assert!(told[0].id.starts_with("new-JOB_COMPLETED"), "{}", told[0].id);
        assert!(watcher.look_at_all([&old, &new].into_iter(), now).is_empty());
        // There may be none at the first look.
        let mut watcher = Watcher::new(1_000);
        assert!(watcher.look_at_all(std::iter::empty(), now).is_empty());
        assert_eq!(watcher.look_at_all([&new].into_iter(), now).len(), 1);
    }
}
