//! Jobs as things that a user keeps: what they are called, what they have written, and how they go.

use super::prepare::sink_of;
use super::supervisor::{JobError, Supervisor};
use crate::sink::Sink;
use crate::store::JobRecord;
use godwit_shared::ids::JobId;
use godwit_shared::job::{JobLabel, JobStatus, MigrationJobStatus};
use godwit_shared::sample::JobSample;
use godwit_shared::written::{CollectionDetails, Written, WrittenCollection};
use std::sync::Arc;
use std::time::Duration;

/// How long all collections of a job may take to be counted.
const COUNT_MAX: Duration = Duration::from_secs(60);

/// How often what was measured of a job at work is stored, for its charts, and how long that may take.
const SAVE_SAMPLES_EVERY: Duration = Duration::from_secs(30);
const SAVE_MAX: Duration = Duration::from_secs(2);

impl Supervisor {
    /// Gives a job a name and a note.
    ///
    /// # Errors
    /// When there is no such job, it is at work in another server, or the store fails.
    pub async fn label(&self, id: &JobId, label: JobLabel) -> Result<MigrationJobStatus, JobError> {
        let label = label.tidied();
        let set = |status: &mut MigrationJobStatus| {
            status.name.clone_from(&label.name);
            status.note.clone_from(&label.note);
        };
        if let Some(job) = self.held(id) {
            job.tracker.update(set);
            job.tracker.save().await;
            return Ok(job.tracker.shown());
        }
        let Some(status) = self.store.job_status(id).await? else {
            return Err(JobError::NotFound(id.clone()));
        };
        if !status.status.is_ended() {
            return Err(JobError::Refused(
                "the job is at work in another server: name it there".into(),
            ));
        }
        let mut labelled = status;
        set(&mut labelled);
        self.store.relabel_job(&labelled).await?;
        self.hub.publish(labelled.clone());
        Ok(labelled)
    }

    /// Takes a job that has ended out of the history. What it still has in the source is cleaned up all the same.
    ///
    /// # Errors
    /// When there is no such job, it has not ended, or the store fails.
    pub async fn delete(&self, id: &JobId) -> Result<(), JobError> {
        let status = self.status(id).await?;
        if !status.status.is_ended() {
            return Err(JobError::Refused(
                "a job that has not ended cannot be deleted: end it first".into(),
            ));
        }
        self.store.delete_job(id).await?;
        self.store.delete_kept(std::slice::from_ref(id)).await?;
        self.store
            .delete_verifications_of(std::slice::from_ref(id), None)
            .await?;
        if let Some(job) = self.held(id) {
            job.tracker.hide();
        }
        self.hub.remove(std::slice::from_ref(id));
        Ok(())
    }

    /// What of the destination is this job's alone, counted now.
    ///
    /// # Errors
    /// When the job has not ended, cannot be read, or the destination does not answer.
    pub async fn written(&self, id: &JobId) -> Result<Written, JobError> {
        let (record, sink) = self.ended(id).await?;
        let later = self.store.collections_written_after(&record).await?;
        let counting = async {
            let mut written = Written::default();
            for name in &record.collections {
                let documents = sink.count_exactly(name).await?;
                let kept_because = why_kept(&record, name, documents, &later);
                if kept_because.is_none() {
                    written.documents += documents;
                }
                written.collections.push(WrittenCollection {
                    collection: name.clone(),
                    documents,
                    kept_because,
                });
            }
            Ok::<_, JobError>(written)
        };
        let counted = tokio::time::timeout(COUNT_MAX, counting).await;
        counted.unwrap_or_else(|_| Err(JobError::Refused("counting the documents takes too long".into())))
    }

    /// Drops the collections that hold nothing but what this job has written, if there are as many documents as the user
    /// was told. Returns what is left.
    ///
    /// # Errors
    /// As [`Supervisor::written`], and when there are more documents, or fewer, by now.
    pub async fn delete_written(&self, id: &JobId, agreed: u64) -> Result<Written, JobError> {
        let written = Box::pin(self.written(id)).await?;
        if written.documents != agreed {
            return Err(JobError::Refused(format!(
                "there are {} documents now and not {agreed}: look at them again",
                written.documents
            )));
        }
        let (_, sink) = self.ended(id).await?;
        for collection in written.collections.iter().filter(|c| c.kept_because.is_none()) {
            sink.drop_collection(&collection.collection)
                .await
                .map_err(prepare_error)?;
        }
        Box::pin(self.written(id)).await
    }

    /// A collection of a job, looked at more closely.
    ///
    /// # Errors
    /// When the job does not write it, or the destination does not answer.
    pub async fn look_at(&self, id: &JobId, collection: &str) -> Result<CollectionDetails, JobError> {
        let (record, sink) = self.with_sink(id).await?;
        if !record.collections.iter().any(|c| c == collection) {
            return Err(JobError::Refused(format!(
                "the job does not write the collection \"{collection}\""
            )));
        }
        sink.look_at(collection).await.map_err(prepare_error)
    }

    async fn with_sink(&self, id: &JobId) -> Result<(JobRecord, Sink), JobError> {
        let record = self.store.job(id).await?;
        let record = record.ok_or_else(|| JobError::NotFound(id.clone()))?;
        let secrets = record.secrets.as_ref().map_err(|e| JobError::Refused(e.clone()))?;
        let sink = sink_of(secrets, record.is_made).await.map_err(prepare_error)?;
        Ok((record, sink))
    }

    async fn ended(&self, id: &JobId) -> Result<(JobRecord, Sink), JobError> {
        let (record, sink) = self.with_sink(id).await?;
        match record.status.status {
            JobStatus::Completed | JobStatus::Cancelled | JobStatus::Failed => Ok((record, sink)),
            JobStatus::Running | JobStatus::Paused | JobStatus::CleaningUp | JobStatus::Cancelling => Err(
                JobError::Refused("the job has not ended: what it writes is not whole yet".into()),
            ),
        }
    }

    /// What was measured of a job, also before this process has begun.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn samples(&self, id: &JobId) -> Result<Vec<JobSample>, JobError> {
        let known = self.hub.samples(id);
        if self.held(id).is_some() {
            return Ok(known);
        }
        // Of a job that somebody else has, or that had ended before, little is known here.
        let stored = self.store.samples(id).await?;
        Ok(if stored.len() > known.len() { stored } else { known })
    }

    /// Stores what was measured of a job since it was stored last. What cannot be stored soon is stored with the next.
    pub(super) async fn save_samples(&self, id: &JobId) {
        let Some(samples) = self.hub.changed_samples(id) else {
            return;
        };
        let saved = tokio::time::timeout(SAVE_MAX, self.store.save_samples(id, &samples)).await;
        if !matches!(saved, Ok(Ok(()))) {
            tracing::debug!(job.id = %id, "What was measured of job {id} could not be stored");
        }
    }

    /// The same from time to time, for ever.
    pub(super) async fn keep_saving_samples(self: Arc<Self>, id: JobId) {
        loop {
            tokio::time::sleep(SAVE_SAMPLES_EVERY).await;
            self.save_samples(&id).await;
        }
    }

    /// The store's own entry of a job, with what it was started with.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn record(self: &Arc<Self>, id: &JobId) -> Result<JobRecord, JobError> {
        let record = self.store.job(id).await?;
        record.ok_or_else(|| JobError::NotFound(id.clone()))
    }
}

fn prepare_error(error: crate::sink::SinkError) -> JobError {
    JobError::Prepare(error.into())
}

impl From<crate::sink::SinkError> for JobError {
    fn from(error: crate::sink::SinkError) -> Self {
        prepare_error(error)
    }
}

/// Why a collection is not dropped with a job; `None` where nothing tells of anybody else that writes it.
fn why_kept(record: &JobRecord, name: &str, documents: u64, later: &[String]) -> Option<String> {
    if later.iter().any(|c| c == name) {
        return Some("a later job writes it too".into());
    }
    if !record.is_prepared {
        return Some("the job had not begun to write".into());
    }
    let was_dropped = record.status.options.drop_collections;
    let progress = record
        .status
        .statistics
        .collections
        .iter()
        .find(|c| c.collection == name);
    match progress.and_then(|c| c.documents_now) {
        // Not a proof that nobody else writes there, but the plainest sign that somebody does.
        Some(left) if left != documents => {
            return Some(format!(
                "it held {left} documents at the end of the job: somebody else writes it since"
            ));
        }
        Some(_) => {}
        None => return Some("it is not known how many documents it held at the end of the job".into()),
    }
    let untouched = progress.and_then(|c| c.documents_untouched);
    match (was_dropped, untouched) {
        (true, _) | (false, Some(0)) => None,
        (false, Some(others)) => Some(format!("{others} documents were there before and are not the job's")),
        (false, None) => Some("it is not known whether there was something before".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(drops: bool, untouched: Option<u64>) -> JobRecord {
        let status = json!({
            "id": "j", "projectId": "p", "projectName": "P", "status": "COMPLETED", "submittedAt": "2026-11-26T12:00:00Z",
            "options": {"mode": "SNAPSHOT", "dropCollections": drops}, "jdbcConnectionString": "",
            "mongoDbConnectionString": "", "metadata": {"verificationRequested": false},
            "statistics": {"collections": [
                {"collection": "c", "documentsWritten": 3, "isComplete": true, "documentsNow": 3, "documentsUntouched": untouched}]},
        });
        JobRecord {
            status: serde_json::from_value(status).expect("a job"),
            secrets: Err("not needed".into()),
            place: "h/db".into(),
            collections: vec!["c".into()],
            owner: "o".into(),
            is_prepared: true,
            is_made: false,
            is_source_clean: true,
        }
    }

    #[test]
    fn only_what_can_be_nobody_elses_goes() {
        let kept = |record: &JobRecord, later: &[&str]| {
            let later: Vec<String> = later.iter().map(|l| (*l).to_owned()).collect();
            why_kept(record, "c", 3, &later)
        };
        assert_eq!(kept(&record(true, None), &[]), None);
        assert_eq!(kept(&record(false, Some(0)), &[]), None);
        assert!(kept(&record(false, Some(2)), &[]).is_some_and(|why| why.starts_with("2 documents")));
        assert!(kept(&record(false, None), &[]).is_some());
        assert!(kept(&record(true, None), &["c"]).is_some_and(|why| why.contains("later job")));
        let mut begun = record(true, None);
        begun.is_prepared = false;
        assert!(kept(&begun, &[]).is_some());
        let others = why_kept(&record(true, None), "c", 4, &[]);
        assert!(others.is_some_and(|why| why.contains("held 3 documents")));
        let mut uncounted = record(true, None);
        uncounted.status.statistics.collections[0].documents_now = None;
        assert!(kept(&uncounted, &[]).is_some());
    }
}
