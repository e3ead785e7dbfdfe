//! Where a continuous job stands, and which documents a refresh has written.

use super::{Store, StoreError, from_json, to_json};
use crate::data::failed::FailedRowList;
use bson::{Document, doc};
use futures_util::TryStreamExt;
use godwit_shared::ids::JobId;
use godwit_shared::sample::JobSample;
use mongodb::error::ErrorKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;

const DUPLICATE_KEY: i32 = 11_000;

impl Store {
    /// Where a continuous job stands, in the form that its room gave it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint<T: DeserializeOwned>(&self, job: &JobId) -> Result<Option<T>, StoreError> {
        let found = self
            .collection("checkpoints")
            .find_one(doc! {"_id": job.as_str()})
            .await?;
        found.map(|entry| from_json(&entry, "checkpoint")).transpose()
    }

    /// Stores where a continuous job stands: only after everything before is durable in the destination.
    ///
    /// # Errors
    /// When the store fails; [`StoreError::LeaseLost`] where another server has the job: its token is greater.
    pub async fn save_checkpoint<T: Serialize>(
        &self,
        job: &JobId,
        checkpoint: &T,
        token: i64,
    ) -> Result<(), StoreError> {
        let id = job.as_str();
        let entry = doc! {"_id": id, "checkpoint": to_json(checkpoint), "token": token};
        self.replace_fenced("checkpoints", id, entry, token, job).await
    }

    /// Stores what was measured of a job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_samples(&self, job: &JobId, samples: &[JobSample]) -> Result<(), StoreError> {
        let entry = doc! {"_id": job.as_str(), "samples": to_json(&samples)};
        let all = self.collection("samples");
        all.replace_one(doc! {"_id": job.as_str()}, entry).upsert(true).await?;
        Ok(())
    }

    /// What was measured of a job, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn samples(&self, job: &JobId) -> Result<Vec<JobSample>, StoreError> {
        let found = self.collection("samples").find_one(doc! {"_id": job.as_str()}).await?;
        Ok(found
            .map(|entry| from_json(&entry, "samples"))
            .transpose()?
            .unwrap_or_default())
    }

    /// Forgets what was measured of jobs that are gone, and which of their rows have failed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_kept(&self, jobs: &[JobId]) -> Result<(), StoreError> {
        let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
        for collection in ["samples", "failedRows"] {
            self.collection(collection)
                .delete_many(doc! {"_id": {"$in": &ids}})
                .await?;
        }
        Ok(())
    }

    /// Stores which rows of a job can be tried again: before what they stand in counts as done.
    ///
    /// # Errors
    /// When the store fails; [`StoreError::LeaseLost`] where another server has the job.
    pub async fn save_failed_rows(&self, job: &JobId, rows: &FailedRowList, token: i64) -> Result<(), StoreError> {
        let id = job.as_str();
        let entry = doc! {"_id": id, "rows": to_json(rows), "token": token};
        self.replace_fenced("failedRows", id, entry, token, job).await
    }

    /// The rows of a job that can be tried again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn failed_rows(&self, job: &JobId) -> Result<FailedRowList, StoreError> {
        let found = self
            .collection("failedRows")
            .find_one(doc! {"_id": job.as_str()})
            .await?;
        let rows = found.map(|entry| from_json(&entry, "rows")).transpose()?;
        Ok(rows.unwrap_or_default())
    }

    /// Forgets where a job stood.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_checkpoint(&self, job: &JobId) -> Result<(), StoreError> {
        self.collection("checkpoints")
            .delete_one(doc! {"_id": job.as_str()})
            .await?;
        self.forget_written(job).await
    }

    /// Remembers documents that a refresh of a collection has written, by a hash of their `_id`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_written(&self, job: &JobId, collection: &str, hashes: &[String]) -> Result<(), StoreError> {
        if hashes.is_empty() {
            return Ok(());
        }
        let entries: Vec<Document> = hashes
            .iter()
            .map(|hash| doc! {"_id": written_id(job, collection, hash), "j": job.as_str()})
            .collect();
        match self.collection("written").insert_many(entries).ordered(false).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind.as_ref() {
                // One that is remembered already is remembered.
                ErrorKind::InsertMany(failed)
                    if failed.write_concern_error.is_none()
                        && failed.write_errors.iter().flatten().all(|e| e.code == DUPLICATE_KEY) =>
                {
                    Ok(())
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Which of some hashes a refresh has written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn written(
        &self,
        job: &JobId,
        collection: &str,
        hashes: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        let ids: Vec<String> = hashes.iter().map(|h| written_id(job, collection, h)).collect();
        let found: Vec<Document> = self
            .collection("written")
            .find(doc! {"_id": {"$in": ids}})
            .await?
            .try_collect()
            .await?;
        let prefix = written_id(job, collection, "").len();
        Ok(found
            .iter()
            .filter_map(|e| e.get_str("_id").ok()?.get(prefix..).map(Into::into))
            .collect())
    }

    /// Forgets what a refresh has written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_written(&self, job: &JobId) -> Result<(), StoreError> {
        self.collection("written").delete_many(doc! {"j": job.as_str()}).await?;
        Ok(())
    }
}

fn written_id(job: &JobId, collection: &str, hash: &str) -> String {
    format!("{job}/{collection}/{hash}")
}
