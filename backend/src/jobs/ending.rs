//! The end of a job, in an order that a crash at any point leaves whole: it is *decided* and stored; then what the job
//! made in the source and kept for itself is *cleaned*, which may be repeated; then it has *ended*. What cannot be cleaned
//! yet does not hold up the end: it is told, with the statements that remove it, and tried again in the background and at
//! every start.

use super::runner::text_of;
use super::state::Phase;
use super::tracker::Tracker;
use crate::cdc::state::CdcState;
use crate::data::issue::IssueKind;
use crate::hooks;
use crate::lease::Lease;
use crate::source::change_log::{Leftover, LogState, Shared};
use crate::source::{kind_of, source_of};
use crate::store::{JobRecord, Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use godwit_shared::connection::SourceKind;
use godwit_shared::ids::JobId;
use godwit_shared::job::{
    CdcStatus, EventStage, JobUpdate, LeftInSource, MigrationJobStatus, MigrationMode, Unapplied,
};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How long one try to clean the source may take.
const CLEAN_MAX: Duration = Duration::from_secs(90);
/// The first pause before cleaning is tried again; it doubles.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// How often it is looked whether the job has ended that something stays for.
const SHARED_PAUSE: Duration = Duration::from_secs(5);
/// After so long it is tried at starts alone.
const TRIED_FOR: TimeDelta = TimeDelta::hours(24);
/// Panics of the clean-up that are answered with another try.
const PANICS_MAX: usize = 3;

/// Brings a job whose end is decided to it, and cleans up.
pub struct Ending {
    pub record: JobRecord,
    pub store: Store,
    pub tracker: Arc<Tracker>,
    pub lease: Arc<Lease>,
}

/// What one try has come to.
#[derive(Debug)]
struct Cleaned {
    left: Vec<Leftover>,
    /// Nothing is left, neither there nor in the store.
    is_clean: bool,
}

impl Ending {
    fn id(&self) -> &JobId {
        &self.record.status.id
    }

    /// Ends the job and cleans up, as long as it is worth while. A panic in it is another try, and at last an end with
    /// everything told.
    pub async fn finish(&mut self) {
        for _ in 0..PANICS_MAX {
            let work = AssertUnwindSafe(self.try_to_finish()).catch_unwind();
            let Err(panic) = Box::pin(work).await else { return };
            let reason = text_of(&*panic);
            tracing::error!(job.id = %self.id(), reason, "Cleaning up after job {} ended unexpectedly", self.id());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let reason = "cleaning up ended unexpectedly; the log of the server has the cause";
        let left = self.presumably_left(reason);
        self.tell(Cleaned { left, is_clean: false }).await;
    }

    async fn try_to_finish(&mut self) {
        if self.tracker.phase() < Phase::Ended {
            hooks::hold(hooks::DECIDED).await;
            self.tell_rest();
            if !self.tracker.store_end().await {
                return;
            }
            hooks::hold(hooks::INTENT).await;
        }
        let mut pause = PAUSE_FIRST;
        loop {
            let cleaned = self.clean().await;
            let (is_clean, waits) = (cleaned.is_clean, cleaned.left.iter().all(|l| l.is_shared));
            if !self.tell(cleaned).await || is_clean {
                return;
            }
            let pause_now = match waits {
                true => SHARED_PAUSE,
                false => pause,
            };
            if !waits && !is_worth_while(&self.tracker.status(), Utc::now()) {
                tracing::warn!(job.id = %self.id(), "Cleaning up after job {} is given up until the next start", self.id());
                return;
            }
            tokio::select! {
                () = self.lease.is_lost() => return,
                () = tokio::time::sleep(pause_now) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Shows and stores what a try has come to. `false` when another server has the job.
    async fn tell(&self, cleaned: Cleaned) -> bool {
        let left: Vec<LeftInSource> = cleaned.left.into_iter().map(|l| l.told).collect();
        self.tracker.note(|status| tell_left(status, &left));
        self.tracker.cleaned(cleaned.is_clean, left);
        self.tracker.store_end().await
    }

    /// What the user has ended without is told.
    fn tell_rest(&self) {
        let status = self.tracker.status();
        let Some(unapplied) = status.end.and_then(|end| end.unapplied) else {
            return;
        };
        let message = in_words(&unapplied);
        self.tracker.note(|status| {
            replace_update(status, IssueKind::RestNotApplied, Some((message, None)));
        });
    }

    async fn clean(&mut self) -> Cleaned {
        match self.try_to_clean().await {
            Ok(left) => Cleaned {
                is_clean: left.is_empty(),
                left,
            },
            // An error is no answer: nothing is known to be clean.
            Err(error) => {
                tracing::warn!(job.id = %self.id(), %error, "Job {} could not be cleaned up yet", self.id());
                let left = match self.record.is_source_clean {
                    true => Vec::new(),
                    false => self.presumably_left(&error.to_string()),
                };
                Cleaned { left, is_clean: false }
            }
        }
    }

    async fn try_to_clean(&mut self) -> Result<Vec<Leftover>, StoreError> {
        let id = self.id().clone();
        self.store.delete_claims(&id).await?;
        self.store.delete_chunks(&id).await?;
        if !self.record.is_source_clean {
            // It is stored before anything is made in the source, so where there is none, nothing was made.
            if let Some(state) = self.store.checkpoint::<CdcState>(&id).await? {
                let left = self.clean_source(&state).await?;
                if !left.is_empty() {
                    return Ok(left);
                }
            }
            hooks::hold(hooks::SOURCE_CLEAN).await;
            self.store.mark_source_clean(&id).await?;
            self.record.is_source_clean = true;
            hooks::hold(hooks::SOURCE_NOTED).await;
        }
        self.store.delete_checkpoint(&id).await?;
        hooks::hold(hooks::STORE_CLEAN).await;
        Ok(Vec::new())
    }

    async fn clean_source(&self, state: &CdcState) -> Result<Vec<Leftover>, StoreError> {
        let opened = match &self.record.secrets {
            Ok(secrets) => source_of(&secrets.request.jdbc_connection_details, None).map_err(|e| e.to_string()),
            Err(reason) => Err(format!("the password of the source cannot be read: {reason}")),
        };
        let source = match &opened {
            Ok(source) => source
                .change_log()
                .ok_or("its connection leads to another kind of database"),
            Err(reason) => Err(reason.as_str()),
        };
        let source = match source {
            Ok(source) => source,
            Err(reason) => return Ok(state.log.all_left(reason)),
        };
        let sharing = self.sharing(state).await?;
        let ended = tokio::time::timeout(CLEAN_MAX, source.end(&state.log, &sharing)).await;
        let silent = format!("the source has not answered for {} seconds", CLEAN_MAX.as_secs());
        let mut left = ended.unwrap_or_else(|_| state.log.all_left(&silent));
        // Who has begun to read a table meanwhile sees how it is only after he can be seen here.
        let newer: Vec<Shared> = (self.sharing(state).await?.into_iter())
            .filter(|new| !sharing.iter().any(|known| known.object == new.object))
            .collect();
        if !newer.is_empty() {
            let kept = tokio::time::timeout(CLEAN_MAX, source.keep_shared(&state.log, &newer)).await;
            if !matches!(kept, Ok(Ok(()))) {
                tracing::warn!(job.id = %self.id(), "What another job needs in the source could not be kept");
            }
            left.extend(state.log.left_shared(&newer));
        }
        Ok(left)
    }

    /// What this job has changed in the source and another one needs that goes on.
    async fn sharing(&self, state: &CdcState) -> Result<Vec<Shared>, StoreError> {
        let changed = state.log.changed();
        let mut sharing = Vec::new();
        if changed.is_empty() {
            return Ok(sharing);
        }
        for other in self.store.unfinished_jobs().await? {
            let id = &other.status.id;
            if id == self.id() || other.status.outcome().is_some() {
                continue;
            }
            let theirs: Option<CdcState> = match self.store.checkpoint(id).await {
                Ok(theirs) => theirs,
                // It may read anything.
                Err(StoreError::Malformed(_)) => {
                    sharing.extend(changed.iter().map(|object| shared(*object, id)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(theirs) = theirs else { continue };
            let needed = changed.iter().filter(|object| theirs.needs(**object, state));
            sharing.extend(needed.map(|object| shared(*object, id)));
        }
        Ok(sharing)
    }

    /// What a job may have made whose checkpoint cannot be read: the names follow from project and job.
    fn presumably_left(&self, reason: &str) -> Vec<Leftover> {
        let status = &self.record.status;
        match status.options.mode {
            MigrationMode::Snapshot => Vec::new(),
            MigrationMode::Cdc | MigrationMode::CdcOnly => {
                let state = LogState::new(self.kind(), status.project_id.as_str(), status.id.as_str());
                state.map_or_else(Vec::new, |state| state.all_left(reason))
            }
        }
    }

    /// Of the source, also where its password cannot be read.
    fn kind(&self) -> SourceKind {
        let stored = self.record.secrets.as_ref().ok();
        let kind = stored.and_then(|s| kind_of(&s.request.jdbc_connection_details).ok());
        kind.or_else(|| SourceKind::of_url(&self.record.status.jdbc_connection_string))
            .unwrap_or(SourceKind::Postgresql)
    }
}

fn shared(object: u32, job: &JobId) -> Shared {
    Shared {
        object,
        job: job.clone(),
    }
}

/// Whether cleaning is tried again while the process lives.
fn is_worth_while(status: &MigrationJobStatus, now: DateTime<Utc>) -> bool {
    status.end.as_ref().is_some_and(|end| now - end.decided_at < TRIED_FOR)
}

/// What a CDC stage has not applied, as far as is known; `None` outside of that stage, and where nothing is left.
pub fn unapplied(status: &MigrationJobStatus) -> Option<Unapplied> {
    match status.cdc_status {
        CdcStatus::Running | CdcStatus::Paused | CdcStatus::Completing => {}
        CdcStatus::NotStarted | CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled => return None,
    }
    let statistics = status.cdc_statistics.as_ref()?;
    let bytes = statistics.lag_bytes;
    let to = statistics.log_end.clone();
    let is_unknown = to.is_none() || status.stand_still.is_some() || statistics.notice.is_some();
    (bytes > 0 || is_unknown).then(|| Unapplied {
        from: statistics.position.clone(),
        to,
        bytes,
        // What was committed before the job came is in its snapshot.
        since: statistics.applied_until.or(Some(status.submitted_at)),
    })
}

fn in_words(unapplied: &Unapplied) -> String {
    let from = unapplied.from.as_deref().unwrap_or("an unknown position");
    let to = unapplied.to.as_deref().unwrap_or("an unknown position");
    let since = unapplied.since.map_or_else(
        || "how old they are is not known".to_owned(),
        |at| {
            format!(
                "everything committed before {} is applied",
                at.format("%Y-%m-%d %H:%M:%S UTC")
            )
        },
    );
    format!(
        "the job was ended without the rest: changes from position {from} to {to} of the source's log ({} bytes as far as \
         it was seen) are not applied; {since}",
        unapplied.bytes
    )
}

/// The job log says what is left now, and nothing when nothing is.
fn tell_left(status: &mut MigrationJobStatus, left: &[LeftInSource]) {
    let message = match left {
        [] => None,
        [one] => Some(format!(
            "{} is still in the source: {}. Run: {}",
            one.object, one.reason, one.statement
        )),
        many => {
            let objects: Vec<&str> = many.iter().map(|l| l.object.as_str()).collect();
            let mut reasons: Vec<&str> = many.iter().map(|l| l.reason.as_str()).collect();
            reasons.dedup();
            let statements: Vec<&str> = many.iter().map(|l| l.statement.as_str()).collect();
            Some(format!(
                "{} are still in the source: {}. Run: {}",
                objects.join(", "),
                reasons.join("; "),
                statements.join(" ")
            ))
        }
    };
    let statements: Vec<&str> = left.iter().map(|l| l.statement.as_str()).collect();
    let update = message.map(|message| (message, Some(statements.join("\n"))));
    replace_update(status, IssueKind::LeftBehind, update);
}

/// Sets the one entry of a kind in the job log.
fn replace_update(status: &mut MigrationJobStatus, kind: IssueKind, new: Option<(String, Option<String>)>) {
    let before = status.job_updates.len();
    status.job_updates.retain(|u| u.error_code != kind.code());
    let removed = (before - status.job_updates.len()) as u64;
    status.statistics.warnings = status.statistics.warnings.saturating_sub(removed);
    let Some((message, details)) = new else { return };
    status.statistics.warnings += 1;
    status.job_updates.push(JobUpdate {
        event_type: kind.event_type(),
        stage: EventStage::Streaming,
        message,
        details,
        timestamp: Utc::now(),
        error_code: kind.code().into(),
        suggestion: kind.advice().map(Into::into),
        location_type: None,
        location_name: None,
        field_name: None,
        key: Default::default(),
        count: 1,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(more: serde_json::Value) -> MigrationJobStatus {
        let mut job = json!({
            "id": "j", "projectId": "p", "projectName": "P", "status": "RUNNING", "cdcStatus": "PAUSED",
            "submittedAt": "2026-11-26T12:00:00Z", "options": {"mode": "CDC"}, "jdbcConnectionString": "",
            "mongoDbConnectionString": "", "statistics": {}, "metadata": {"verificationRequested": false},
        });
        job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(job).expect("a job")
    }

    #[test]
    fn what_is_not_applied_is_said_from_where_to_where_and_how_old() {
        let behind = job(
            json!({"cdcStatistics": {"position": "0/10", "logEnd": "0/30", "completePosition": "0/20", "lagBytes": 32,
            "appliedUntil": "2026-11-26T11:00:00Z"}}),
        );
        let rest = unapplied(&behind).expect("a rest");
        assert_eq!(
            (rest.from.as_deref(), rest.to.as_deref(), rest.bytes),
            (Some("0/10"), Some("0/30"), 32)
        );
        let text = in_words(&rest);
        for part in [
            "from position 0/10 to 0/30",
            "32 bytes",
            "committed before 2026-11-26 11:00:00 UTC",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let even = job(json!({"cdcStatistics": {"position": "0/30", "logEnd": "0/30"}}));
        assert_eq!(unapplied(&even), None);
        // A source that does not answer may have more.
        let away = job(json!({"cdcStatistics": {"position": "0/30", "logEnd": "0/30", "notice": "no answer"}}));
        assert!(unapplied(&away).is_some());
        let snapshot =
            job(json!({"cdcStatus": "NOT_STARTED", "cdcStatistics": {"position": "0/10", "logEnd": "0/30"}}));
        assert_eq!(unapplied(&snapshot), None);
    }

    #[test]
    fn the_log_tells_what_is_left_with_its_statements_and_forgets_it_when_it_is_gone() {
        let mut status = job(json!({}));
        let left = |object: &str, statement: &str| LeftInSource {
            object: object.into(),
            reason: "no answer".into(),
            statement: statement.into(),
        };
        let both = [
            left("the slot", "SELECT 1;"),
            left("the publication", "DROP PUBLICATION p;"),
        ];
        for _ in 0..2 {
            tell_left(&mut status, &both);
            assert_eq!((status.job_updates.len(), status.statistics.warnings), (1, 1));
        }
        let told = &status.job_updates[0];
        assert!(
            told.message.contains("SELECT 1; DROP PUBLICATION p;"),
            "{}",
            told.message
        );
        assert_eq!(told.details.as_deref(), Some("SELECT 1;\nDROP PUBLICATION p;"));
        tell_left(&mut status, &[]);
        assert_eq!((status.job_updates.len(), status.statistics.warnings), (0, 0));
    }

    #[test]
    fn cleaning_is_tried_for_a_day() {
        let ended = job(json!({"status": "FAILED",
            "end": {"outcome": "FAILED", "decidedAt": "2026-11-26T12:00:00Z"}}));
        let at = |text: &str| text.parse().expect("a time");
        assert!(is_worth_while(&ended, at("2026-11-27T11:00:00Z")));
        assert!(!is_worth_while(&ended, at("2026-11-27T13:00:00Z")));
    }
}
