//! Failed rows, tried again because a user wants it.
//!
//! A job that follows changes does it itself. One that has ended never writes again: a new job is made that reads these
//! rows alone, and only makes documents where there are none. It is a job like every other one: it is checked, has a
//! lease, stands in the history, and tells what became of the rows.

use super::events::EventKind;
use super::prepare::prepare;
use super::supervisor::{HeldJob, JobError, Supervisor, new_status};
use crate::data::failed::FailedRow;
use crate::documents::again::{Again, leave_out, roots_of};
use crate::plan::Plan;
use crate::store::JobSecrets;
use godwit_shared::ids::JobId;
use godwit_shared::job::{CdcStatus, CollectionFilters, JobStatus, MigrationJobStatus, MigrationMode};
use godwit_shared::retry::{FailedRows, LeftOut, RetryAnswer};
use std::sync::Arc;
use std::time::Duration;

/// How long a job that is at work may take to try rows again, until that is told without what became of it.
const TRY_MAX: Duration = Duration::from_secs(20);

const CLAIMED: &str = "two rows of their collection may have the same document: run the job again";

impl Supervisor {
    /// The rows of a job that can be tried again.
    ///
    /// # Errors
    /// When there is no such job, or the store fails.
    pub async fn failed_rows(&self, id: &JobId) -> Result<FailedRows, JobError> {
        let status = self.status(id).await?;
        let known = self.store.failed_rows(id).await?;
        Ok(FailedRows {
            rows: known.rows.len() as u64,
            beyond: known.beyond,
            not_now: why_not_now(&status).map(Into::into),
        })
    }

    /// Tries the failed rows of a job again.
    ///
    /// # Errors
    /// When there are none, when it is not possible just now, or as [`Supervisor::create`].
    pub async fn retry(self: &Arc<Self>, id: &JobId) -> Result<RetryAnswer, JobError> {
        let status = self.status(id).await?;
        if let Some(reason) = why_not_now(&status) {
            return Err(JobError::Refused(reason.into()));
        }
        if status.status.is_ended() {
            return Box::pin(self.retry_ended(id, &status)).await;
        }
        let job = self.command(id, super::Command::RetryFailed).await?;
        Ok(RetryAnswer {
            job,
            left_out: Vec::new(),
        })
    }

    async fn retry_ended(self: &Arc<Self>, id: &JobId, ended: &MigrationJobStatus) -> Result<RetryAnswer, JobError> {
        let failed = self.store.failed_rows(id).await?;
        let rows: Vec<FailedRow> = failed.rows.into_iter().collect();
        let secrets = self.record(id).await?.secrets.map_err(JobError::Refused)?;
        let project = self.store.project(&ended.project_id).await?;
        let project = project.ok_or_else(|| JobError::Refused("the project of the job was deleted".into()))?;
        let JobSecrets { mut request, file, .. } = secrets;
        request.options.mode = MigrationMode::Snapshot;
        request.options.drop_collections = false;
        request.options.prepare_source = false;
        request.name = Some(format!(
            "Failed rows of {}",
            ended.name.as_deref().unwrap_or("an earlier job")
        ));
        request.note = None;
        let first = prepare(&request, &file, false).await?;
        let (again, left_out) = sound(roots_of(&first.plan, &rows), &first.plan);
        if again.rows.is_empty() {
            let reasons: Vec<String> = left_out
                .iter()
                .map(|l| format!("{} rows: {}", l.rows, l.reason))
                .collect();
            return Err(JobError::Refused(match reasons.is_empty() {
                true => "no row of the job is known that could be tried again".into(),
                false => reasons.join("; "),
            }));
        }
        let mut names: Vec<String> = (again.roots.iter())
            .map(|root| first.plan.collections[root.collection].name.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        // It writes these collections and no other ones, and is in the way of no job that writes others.
        request.collection_filters = CollectionFilters {
            include: names,
            exclude: Vec::new(),
        };
        let prepared = prepare(&request, &file, false).await?;
        let mut status = new_status(&request, &project);
        status.retry_of = Some(id.clone());
        let job = self.begin(status, prepared, (request, file, Some(again.rows))).await?;
        Ok(RetryAnswer { job, left_out })
    }
}

/// What of it a job can do that knows nothing of who has which `_id`.
fn sound(again: Again, plan: &Plan) -> (Again, Vec<LeftOut>) {
    let Again {
        roots,
        rows,
        mut left_out,
    } = again;
    let is_claimed = |table: &str| {
        let claimed = plan.collections.iter().filter(|c| c.needs_claims);
        claimed
            .flat_map(|c| &c.roots)
            .any(|r| r.node.table.name.to_string() == table)
    };
    let (claimed, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_claimed(&row.table));
    claimed.iter().for_each(|_| leave_out(&mut left_out, CLAIMED));
    let roots = roots
        .into_iter()
        .filter(|r| !plan.collections[r.collection].needs_claims);
    let again = Again {
        roots: roots.collect(),
        rows,
        left_out: Vec::new(),
    };
    (again, left_out)
}

/// What keeps failed rows from being tried just now.
fn why_not_now(job: &MigrationJobStatus) -> Option<&'static str> {
    match (job.status, job.cdc_status) {
        (JobStatus::Completed | JobStatus::Cancelled | JobStatus::Failed, _) => None,
        (JobStatus::CleaningUp | JobStatus::Cancelling, _) => Some("the job is about to end: wait until it has ended"),
        (JobStatus::Paused, _) | (JobStatus::Running, CdcStatus::Paused) => Some("the job is paused: resume it first"),
        (JobStatus::Running, CdcStatus::Running) => None,
        (JobStatus::Running, CdcStatus::Completing) => Some("the job completes: wait until it has ended"),
        (
            JobStatus::Running,
            CdcStatus::NotStarted | CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled,
        ) => Some("the rows are still being copied: wait until that is done"),
    }
}

/// Has a job that follows changes try its failed rows again, and tells what became of them.
pub(super) async fn retry_failed(job: &HeldJob) -> Result<MigrationJobStatus, JobError> {
    let (tracker, controls) = (&job.tracker, &job.controls);
    if let Some(reason) = why_not_now(&tracker.status()) {
        return Err(JobError::Refused(reason.into()));
    }
    let mut retried = controls.retried.subscribe();
    controls.retry.send_modify(|asked| *asked += 1);
    let wanted = *controls.retry.borrow();
    let answered = tokio::time::timeout(TRY_MAX, retried.wait_for(|retried| retried.asked >= wanted)).await;
    let message = match answered {
        Ok(Ok(came)) if came.rows == 0 => "no row is known that could be tried again".to_owned(),
        Ok(Ok(came)) => format!(
            "{} rows that had failed were tried again: {} have documents now, {} have failed again",
            came.rows,
            came.rows.saturating_sub(came.failed),
            came.failed
        ),
        Ok(Err(_)) | Err(_) => "rows that had failed are tried again with the next changes".to_owned(),
    };
    tracker.tell(EventKind::FailedRowsTried, message);
    Ok(tracker.shown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_tries_again_while_it_follows_or_when_it_has_ended() {
        let job = |status: &str, cdc: &str| -> MigrationJobStatus {
            serde_json::from_value(serde_json::json!({
                "id": "j", "projectId": "p", "projectName": "P", "status": status, "cdcStatus": cdc,
                "submittedAt": "2026-11-26T12:00:00Z", "options": {"mode": "CDC"}, "jdbcConnectionString": "",
                "mongoDbConnectionString": "", "statistics": {}, "metadata": {"verificationRequested": false},
            }))
            .expect("a job")
        };
        for (status, cdc) in [
            ("RUNNING", "RUNNING"),
            ("COMPLETED", "NOT_STARTED"),
            ("FAILED", "FAILED"),
        ] {
            assert_eq!(why_not_now(&job(status, cdc)), None, "{status} {cdc}");
        }
        for (status, cdc) in [
            ("RUNNING", "NOT_STARTED"),
            ("RUNNING", "PAUSED"),
            ("RUNNING", "COMPLETING"),
            ("PAUSED", "NOT_STARTED"),
            ("CANCELLING", "CANCELLED"),
        ] {
            assert!(why_not_now(&job(status, cdc)).is_some(), "{status} {cdc}");
        }
    }
}
