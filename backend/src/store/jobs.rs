//! Jobs and their checkpoints.

use super::quarantine::check_own_id;
use super::{Store, StoreError, from_json, to_json};
use crate::data::progress::Counts;
use bson::{Document, RawDocumentBuf, doc};
use futures_util::TryStreamExt;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{MigrationJobStatus, PostMigrationJobRequest};
use godwit_shared::quarantine::EntryKind;
use godwit_shared::relmig::ProjectFile;
use serde::{Deserialize, Serialize};

/// A job as it is stored.
#[derive(Debug, Clone)]
pub struct JobRecord {
    pub status: MigrationJobStatus,
    /// What the job was started with; encrypted, for it holds passwords.
    pub secrets: JobSecrets,
    /// Where it writes: two running jobs must not write the same collections of one place.
    pub place: String,
    pub collections: Vec<String>,
    /// Which installation runs it.
    pub owner: String,
    /// The destination was made ready: what was to be dropped has been dropped.
    pub is_prepared: bool,
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

impl Store {
    /// Writes a job that is new.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_job(&self, record: &JobRecord) -> Result<(), StoreError> {
        let mut entry = status_members(&record.status);
        entry.insert("_id", record.status.id.as_str());
        entry.insert("projectId", record.status.project_id.as_str());
        entry.insert(
            "submittedAt",
            bson::DateTime::from_millis(record.status.submitted_at.timestamp_millis()),
        );
        entry.insert("secrets", self.seal(&record.secrets));
        entry.insert("place", &record.place);
        entry.insert("collections", record.collections.clone());
        entry.insert("owner", &record.owner);
        entry.insert("isPrepared", record.is_prepared);
        self.collection("jobs").insert_one(entry).await?;
        Ok(())
    }

    /// Writes a job's newest status.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_job_status(&self, status: &MigrationJobStatus) -> Result<(), StoreError> {
        self.collection("jobs")
            .update_one(doc! {"_id": status.id.as_str()}, doc! {"$set": status_members(status)})
            .await?;
        Ok(())
    }

    /// Notes that the destination has been made ready.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_prepared(&self, id: &JobId) -> Result<(), StoreError> {
        self.collection("jobs")
            .update_one(doc! {"_id": id.as_str()}, doc! {"$set": {"isPrepared": true}})
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

    /// The status of every job that can be read, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn job_statuses(&self) -> Result<Vec<MigrationJobStatus>, StoreError> {
        let found = self
            .database
            .collection::<RawDocumentBuf>("jobs")
            .find(doc! {})
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

    /// Deletes all jobs of a project and returns their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_jobs_of(&self, project: &ProjectId) -> Result<Vec<JobId>, StoreError> {
        let filter = doc! {"projectId": project.as_str()};
        let found = self
            .collection("jobs")
            .find(filter.clone())
            .projection(doc! {"_id": 1})
            .await?;
        let entries: Vec<Document> = found.try_collect().await?;
        self.collection("jobs").delete_many(filter).await?;
        Ok(entries
            .iter()
            .filter_map(|e| e.get_str("_id").ok())
            .map(JobId::new)
            .collect())
    }

    fn job_record(&self, entry: &Document) -> Result<JobRecord, StoreError> {
        let JobHead {
            status,
            place,
            collections,
            owner,
        } = job_head(entry)?;
        Ok(JobRecord {
            status,
            secrets: self.unseal(entry, "secrets")?,
            place,
            collections,
            owner,
            is_prepared: entry.get_bool("isPrepared").unwrap_or(false),
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
    /// When the store fails.
    pub async fn save_chunks(&self, job: &JobId, root: &str, chunks: &RootChunks) -> Result<(), StoreError> {
        let id = chunk_id(job, root);
        let entry = doc! {"_id": &id, "job": job.as_str(), "chunks": to_json(chunks)};
        self.collection("chunks")
            .replace_one(doc! {"_id": &id}, entry)
            .upsert(true)
            .await?;
        Ok(())
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

fn status_members(status: &MigrationJobStatus) -> Document {
    doc! {"isEnded": status.status.is_ended(), "status": to_json(status)}
}
