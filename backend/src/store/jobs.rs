//! Jobs and their checkpoints.

use super::leases::{Holder, lease_end};
use super::projects::code_of;
use super::quarantine::check_own_id;
use super::{Store, StoreError, from_json, to_json};
use crate::data::failed::FailedRow;
use crate::data::progress::Counts;
use bson::{Document, RawDocumentBuf, doc};
use futures_util::TryStreamExt;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{JobOutcome, MigrationJobStatus, PostMigrationJobRequest};
use godwit_shared::quarantine::EntryKind;
use godwit_shared::relmig::ProjectFile;
use serde::{Deserialize, Serialize};

const DUPLICATE_KEY: i32 = 11_000;

/// A job as it is stored.
#[derive(Debug, Clone)]
pub struct JobRecord {
    pub status: MigrationJobStatus,
    /// What the job was started with; encrypted, for it holds passwords. Or why it cannot be read: another key sealed it.
    pub secrets: Result<JobSecrets, String>,
    /// Where it writes: two running jobs must not write the same collections of one place.
    pub place: String,
    pub collections: Vec<String>,
    /// Which installation runs it.
    pub owner: String,
    /// The destination was made ready: what was to be dropped has been dropped.
    pub is_prepared: bool,
    /// Everything is written, and the time series have been made: nothing is read any more.
    pub is_made: bool,
    /// The job has ended, and nothing of it is left in the source.
    pub is_source_clean: bool,
}

/// What is asked of a job that somebody else may run: nothing of it is encrypted.
#[derive(Debug, Clone)]
pub struct JobHead {
    pub status: MigrationJobStatus,
    pub place: String,
    pub collections: Vec<String>,
    pub owner: String,
}

/// Everything that a restart needs to go on, as it was when the job started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobSecrets {
    pub request: PostMigrationJobRequest,
    pub file: ProjectFile,
    /// Only these rows, and only where they have no document yet: they had failed in an earlier job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Vec<FailedRow>>,
}

/// The parts of one root table: where it is cut, and which parts are done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootChunks {
    /// Keys between the parts, printed; so many plus one parts.
    pub cuts: Vec<Vec<String>>,
    pub done: Vec<usize>,
    /// What the parts that are done came to.
    #[serde(default)]
    pub counts: Counts,
    /// Keys of rows in them whose documents were refused and may fit when everything is written.
    #[serde(default)]
    pub refused: Vec<Vec<String>>,
}

/// What a job is stored with: only its holder may, and what comes late does not replace what is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// Of the lease under which it is written.
    pub token: i64,
    /// Counts what is written of the job's status.
    pub revision: i64,
}

/// What became of a status that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    Stored,
    /// A newer one is there already.
    Superseded,
    /// The end of the job is decided, and this status is of before, or of another end.
    HasEnded,
    /// Another server has the job, or it is gone.
    NotOurs,
}

/// The most bytes of a stored status. With the rest of the entry it has to fit into one document of 16 MiB.
const STATUS_BYTES_MAX: usize = 2 << 20;
/// The most bytes of a project and a request that a job is started with.
pub const SECRETS_BYTES_MAX: usize = 13 << 20;

impl Store {
    /// Writes a job that is new, held by its server.
    ///
    /// # Errors
    /// When the store fails, or the job's project is too large for it.
    pub async fn insert_job(&self, record: &JobRecord, holder: &Holder) -> Result<Fence, StoreError> {
        let secrets = record.secrets.as_ref().map_err(|e| StoreError::Malformed(e.clone()))?;
        let bytes = to_json(secrets).len();
        if bytes > SECRETS_BYTES_MAX {
            return Err(StoreError::TooLarge {
                what: "the project of the job with its filters".into(),
                bytes,
                bytes_max: SECRETS_BYTES_MAX,
            });
        }
        let fence = Fence { token: 1, revision: 1 };
        let mut entry = status_members(&record.status);
        entry.insert("_id", record.status.id.as_str());
        entry.insert("projectId", record.status.project_id.as_str());
        entry.insert(
            "submittedAt",
            bson::DateTime::from_millis(record.status.submitted_at.timestamp_millis()),
        );
        entry.insert("secrets", self.seal(secrets));
        entry.insert("place", &record.place);
        entry.insert("collections", record.collections.clone());
        entry.insert("owner", &record.owner);
        entry.insert("isPrepared", record.is_prepared);
        entry.insert("isMade", record.is_made);
        entry.insert("isSourceClean", record.is_source_clean);
        entry.extend(fence_members(fence));
        entry.extend(holder.members());
        // With its lease, by the clock of the store: one without is free for every server.
        let whole = doc! {"$mergeObjects": [{"$literal": entry}, {"leaseUntil": lease_end()}]};
        let jobs = self.collection("jobs");
        jobs.update_one(
            doc! {"_id": record.status.id.as_str()},
            vec![doc! {"$replaceWith": whole}],
        )
        .upsert(true)
        .await?;
        Ok(fence)
    }

    /// Writes a job's newest status. The store itself refuses to replace an end: whatever a server believes, no status
    /// leads from a decided end back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_job_status(&self, status: &MigrationJobStatus, fence: Fence) -> Result<Saved, StoreError> {
        let id = status.id.as_str();
        let mut filter = doc! {"_id": id, "token": fence.token, "revision": {"$lt": fence.revision}};
        filter.extend(replaceable_by(status));
        let mut members = status_members(status);
        members.extend(fence_members(fence));
        let jobs = self.collection("jobs");
        let done = jobs.update_one(filter, doc! {"$set": members}).await?;
        if done.matched_count > 0 {
            return Ok(Saved::Stored);
        }
        let found = jobs
            .find_one(doc! {"_id": id})
            .projection(doc! {"token": 1, "revision": 1})
            .await?;
        Ok(match found {
            Some(entry) if entry.get_i64("token").ok() != Some(fence.token) => Saved::NotOurs,
            Some(entry) if entry.get_i64("revision").is_ok_and(|r| r >= fence.revision) => Saved::Superseded,
            Some(_) => Saved::HasEnded,
            None => Saved::NotOurs,
        })
    }

    /// Notes that the destination has been made ready.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_prepared(&self, id: &JobId) -> Result<(), StoreError> {
        self.note(id, doc! {"isPrepared": true}).await
    }

    /// Notes that the time series have been made: what was collected for them may go.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_made(&self, id: &JobId) -> Result<(), StoreError> {
        self.note(id, doc! {"isMade": true}).await
    }

    /// Notes that nothing of the job is left in the source: its checkpoint, which says what was made there, may go.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_source_clean(&self, id: &JobId) -> Result<(), StoreError> {
        self.note(id, doc! {"isSourceClean": true}).await
    }

    pub(super) async fn note(&self, id: &JobId, members: Document) -> Result<(), StoreError> {
        self.collection("jobs")
            .update_one(doc! {"_id": id.as_str()}, doc! {"$set": members})
            .await?;
        Ok(())
    }

    /// One job with its secrets.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn job(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        let entry = self.collection("jobs").find_one(doc! {"_id": id.as_str()}).await?;
        entry.map(|e| self.job_record(&e)).transpose()
    }

    /// The status of one job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn job_status(&self, id: &JobId) -> Result<Option<MigrationJobStatus>, StoreError> {
        let filter = doc! {"_id": id.as_str(), "isForgotten": {"$ne": true}};
        let found = self
            .collection("jobs")
            .find_one(filter)
            .projection(doc! {"status": 1})
            .await?;
        found.map(|e| from_json(&e, "status")).transpose()
    }

    /// The status of every job that can be read, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn job_statuses(&self) -> Result<Vec<MigrationJobStatus>, StoreError> {
        let found = self
            .database
            .collection::<RawDocumentBuf>("jobs")
            .find(doc! {"isForgotten": {"$ne": true}})
            .projection(doc! {"status": 1})
            .sort(doc! {"submittedAt": -1})
            .await?;
        let entries: Vec<RawDocumentBuf> = found.try_collect().await?;
        let read = |entry: &Document| {
            let status: MigrationJobStatus = from_json(entry, "status")?;
            check_own_id(entry, status.id.as_str()).map(|()| status)
        };
        Ok(self.readable(EntryKind::Job, true, entries, read))
    }

    /// Jobs that have not ended, of all installations that share the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unfinished_jobs(&self) -> Result<Vec<JobHead>, StoreError> {
        let entries: Vec<RawDocumentBuf> = self
            .database
            .collection("jobs")
            .find(doc! {"isEnded": false})
            .await?
            .try_collect()
            .await?;
        Ok(self.readable(EntryKind::Job, false, entries, job_head))
    }

    /// Deletes the ended jobs of a project and returns their ids. Those that still have something in the source go out of
    /// sight, and are deleted when they are clean.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_jobs_of(&self, project: &ProjectId) -> Result<Vec<JobId>, StoreError> {
        let ended = doc! {"projectId": project.as_str(), "isEnded": true};
        let (mut clean, mut unclean) = (ended.clone(), ended.clone());
        clean.insert("isCleaned", doc! {"$ne": false});
        unclean.insert("isCleaned", false);
        let jobs = self.collection("jobs");
        let found = jobs.find(ended).projection(doc! {"_id": 1}).await?;
        let entries: Vec<Document> = found.try_collect().await?;
        jobs.update_many(unclean, doc! {"$set": {"isForgotten": true}}).await?;
        jobs.delete_many(clean).await?;
        Ok(entries
            .iter()
            .filter_map(|e| e.get_str("_id").ok())
            .map(JobId::new)
            .collect())
    }

    /// Takes one ended job out, as [`Store::delete_jobs_of`] does with all of a project.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_job(&self, id: &JobId) -> Result<(), StoreError> {
        let ended = doc! {"_id": id.as_str(), "isEnded": true};
        let (mut clean, mut unclean) = (ended.clone(), ended);
        clean.insert("isCleaned", doc! {"$ne": false});
        unclean.insert("isCleaned", false);
        let jobs = self.collection("jobs");
        jobs.update_one(unclean, doc! {"$set": {"isForgotten": true}}).await?;
        jobs.delete_one(clean).await?;
        Ok(())
    }

    /// Stores name and note of a job that has ended and that nobody holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn relabel_job(&self, status: &MigrationJobStatus) -> Result<(), StoreError> {
        let filter = doc! {"_id": status.id.as_str(), "isEnded": true};
        let members = doc! {"$set": {"status": bounded_text(status)}};
        self.collection("jobs").update_one(filter, members).await?;
        Ok(())
    }

    /// The collections that other jobs have written to the same place since this one was made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn collections_written_after(&self, record: &JobRecord) -> Result<Vec<String>, StoreError> {
        let since = bson::DateTime::from_millis(record.status.submitted_at.timestamp_millis());
        let filter = doc! {
            "place": &record.place, "submittedAt": {"$gte": since}, "_id": {"$ne": record.status.id.as_str()},
        };
        let found = self
            .collection("jobs")
            .find(filter)
            .projection(doc! {"collections": 1})
            .await?;
        let entries: Vec<Document> = found.try_collect().await?;
        let names = entries.iter().filter_map(|e| e.get_array("collections").ok()).flatten();
        Ok(names.filter_map(|c| c.as_str()).map(Into::into).collect())
    }

    /// Deletes one job that its project has been deleted under, once nothing of it is left.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_if_forgotten(&self, id: &JobId) -> Result<bool, StoreError> {
        let filter = doc! {"_id": id.as_str(), "isForgotten": true, "isCleaned": true};
        Ok(self.collection("jobs").delete_one(filter).await?.deleted_count > 0)
    }

    /// Takes back a job that was not begun.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn withdraw_job(&self, id: &JobId) -> Result<(), StoreError> {
        self.collection("jobs").delete_one(doc! {"_id": id.as_str()}).await?;
        Ok(())
    }

    pub(super) fn job_record(&self, entry: &Document) -> Result<JobRecord, StoreError> {
        let JobHead {
            status,
            place,
            collections,
            owner,
        } = job_head(entry)?;
        Ok(JobRecord {
            status,
            secrets: self.unseal(entry, "secrets").map_err(|e| e.to_string()),
            place,
            collections,
            owner,
            is_prepared: entry.get_bool("isPrepared").unwrap_or(false),
            is_made: entry.get_bool("isMade").unwrap_or(false),
            is_source_clean: entry.get_bool("isSourceClean").unwrap_or(false),
        })
    }

    /// The parts of a root table, where they were written before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chunks(&self, job: &JobId, root: &str) -> Result<Option<RootChunks>, StoreError> {
        match self
            .collection("chunks")
            .find_one(doc! {"_id": chunk_id(job, root)})
            .await?
        {
            Some(entry) => from_json(&entry, "chunks").map(Some),
            None => Ok(None),
        }
    }

    /// Writes the parts of a root table: only after what is done is durable in the destination.
    ///
    /// # Errors
    /// When the store fails; [`StoreError::LeaseLost`] where another server has the job.
    pub async fn save_chunks(
        &self,
        job: &JobId,
        root: &str,
        chunks: &RootChunks,
        token: i64,
    ) -> Result<(), StoreError> {
        let id = chunk_id(job, root);
        let entry = doc! {"_id": &id, "job": job.as_str(), "chunks": to_json(chunks), "token": token};
        self.replace_fenced("chunks", &id, entry, token, job).await
    }

    /// Replaces an entry, or makes it, unless one with a greater token is there.
    pub(super) async fn replace_fenced(
        &self,
        collection: &str,
        id: &str,
        entry: Document,
        token: i64,
        job: &JobId,
    ) -> Result<(), StoreError> {
        // Of an entry that does not match, the insert is refused: its `_id` is there.
        let filter = doc! {"_id": id, "$or": [{"token": {"$lte": token}}, {"token": null}]};
        let replaced = self
            .collection(collection)
            .replace_one(filter, entry)
            .upsert(true)
            .await;
        match replaced {
            Err(error) if code_of(&error) == Some(DUPLICATE_KEY) => Err(StoreError::LeaseLost { job: job.clone() }),
            other => Ok(other.map(|_| ())?),
        }
    }

    /// Forgets the checkpoints of a job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_chunks(&self, job: &JobId) -> Result<(), StoreError> {
        self.collection("chunks")
            .delete_many(doc! {"job": job.as_str()})
            .await?;
        Ok(())
    }
}

fn job_head(entry: &Document) -> Result<JobHead, StoreError> {
    let collections = entry
        .get_array("collections")
        .map(|a| a.iter().filter_map(|c| c.as_str()).map(Into::into).collect());
    Ok(JobHead {
        status: from_json(entry, "status")?,
        place: entry.get_str("place").unwrap_or_default().into(),
        collections: collections.unwrap_or_default(),
        owner: entry.get_str("owner").unwrap_or_default().into(),
    })
}

fn chunk_id(job: &JobId, root: &str) -> String {
    format!("{job}/{root}")
}

fn fence_members(fence: Fence) -> Document {
    doc! {"token": fence.token, "revision": fence.revision}
}

/// What says of an entry whether and how it has ended.
fn status_members(status: &MigrationJobStatus) -> Document {
    let mut members = doc! {"isEnded": status.status.is_ended(), "status": bounded_text(status)};
    if let Some(outcome) = status.outcome() {
        members.insert("outcome", outcome_name(outcome));
        members.insert("isCleaned", status.end.as_ref().is_none_or(|end| end.is_cleaned));
    }
    members
}

fn outcome_name(outcome: JobOutcome) -> &'static str {
    match outcome {
        JobOutcome::Completed => "COMPLETED",
        JobOutcome::Cancelled => "CANCELLED",
        JobOutcome::Failed => "FAILED",
    }
}

/// The entries that a status may replace: an end that is decided stays, and one that is reached too.
fn replaceable_by(status: &MigrationJobStatus) -> Document {
    let Some(outcome) = status.outcome().map(outcome_name) else {
        return doc! {"isEnded": false, "outcome": null};
    };
    let decided = doc! {"isEnded": false, "outcome": {"$in": [null, outcome]}};
    if status.status.is_ended() {
        doc! {"$or": [decided, {"isEnded": true, "outcome": outcome}]}
    } else {
        decided
    }
}

/// The status as JSON that can be stored, whatever it has gathered: an end that cannot be stored is none.
fn bounded_text(status: &MigrationJobStatus) -> String {
    let text = to_json(status);
    if text.len() <= STATUS_BYTES_MAX {
        return text;
    }
    let mut small = status.clone();
    for chars in [1_000, 100] {
        cut_texts(&mut small, chars);
        let text = to_json(&small);
        if text.len() <= STATUS_BYTES_MAX {
            return text;
        }
    }
    // The numbers of all together stay.
    let s = &mut small.statistics;
    for list in [&mut s.migrated_tables, &mut s.processing_tables] {
        list.clear();
    }
    s.tables.clear();
    s.collections.truncate(100);
    small.relational_table_filters.clear();
    small.job_updates.truncate(50);
    for update in &mut small.job_updates {
        update.key.clear();
    }
    for text in [&mut small.jdbc_connection_string, &mut small.mongo_db_connection_string] {
        cut(text, 2_000);
    }
    to_json(&small)
}

fn cut_texts(status: &mut MigrationJobStatus, chars: usize) {
    for update in &mut status.job_updates {
        cut(&mut update.message, chars);
        for text in [&mut update.details, &mut update.location_name, &mut update.field_name] {
            text.iter_mut().for_each(|t| cut(t, chars));
        }
        update.key.truncate(32);
        update.key.values_mut().for_each(|v| cut(v, chars));
    }
    if let Some(failure) = &mut status.failure_error {
        cut(&mut failure.message, 4 * chars);
    }
    if let Some(end) = &mut status.end {
        end.left.iter_mut().for_each(|left| cut(&mut left.reason, chars));
    }
    for text in status
        .stand_still
        .iter_mut()
        .map(|s| &mut s.reason)
        .chain(status.cdc_statistics.iter_mut().filter_map(|s| s.notice.as_mut()))
        .chain(&mut status.statistics.notice)
    {
        cut(text, 4 * chars);
    }
}

fn cut(text: &mut String, chars: usize) {
    if let Some((end, _)) = text.char_indices().nth(chars) {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(value: serde_json::Value) -> MigrationJobStatus {
        let mut job = json!({
            "id": "j", "projectId": "p", "projectName": "P", "status": "RUNNING", "submittedAt": "2026-11-26T12:00:00Z",
            "options": {"mode": "SNAPSHOT"}, "jdbcConnectionString": "", "mongoDbConnectionString": "",
            "statistics": {}, "metadata": {"verificationRequested": false},
        });
        job.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value(job).expect("a job")
    }

    #[test]
    fn a_status_of_any_size_can_be_stored() {
        let update = |n: usize, message: &str| {
            json!({"eventType": "ERROR", "stage": "STREAMING", "message": message, "timestamp": "2026-11-26T12:00:00Z",
                "errorCode": "expression_failed", "fieldName": n.to_string(), "key": {"id": message}, "count": 1})
        };
        let long = "é".repeat(60_000);
        let updates: Vec<_> = (0..500).map(|n| update(n, &long)).collect();
        let failed = status(json!({"status": "FAILED", "jobUpdates": updates}));
        let text = bounded_text(&failed);
        assert!(text.len() <= STATUS_BYTES_MAX, "{}", text.len());
        let read: MigrationJobStatus = serde_json::from_str(&text).expect("a status");
        assert_eq!((read.status, read.job_updates.len()), (failed.status, 500));

        let tables: Vec<_> = (0..60_000)
            .map(|n| json!({"table": format!("public.table_with_a_long_name_{n}"), "rowsRead": n, "rowsEstimated": n, "isComplete": true}))
            .collect();
        let filters: serde_json::Map<_, _> = (0..1_000)
            .map(|n| {
                (
                    format!("s{n}"),
                    json!({"t": {"whereClause": "x = 1 or ".repeat(1_000)}}),
                )
            })
            .collect();
        let huge =
            status(json!({"status": "COMPLETED", "statistics": {"tables": tables}, "relationalTableFilters": filters}));
        let text = bounded_text(&huge);
        assert!(text.len() <= STATUS_BYTES_MAX, "{}", text.len());
    }

    #[test]
    fn a_usual_status_is_stored_as_it_is() {
        let running = status(json!({}));
        assert_eq!(bounded_text(&running), to_json(&running));
    }
}
