//! The store as a running job uses it: under its lease, and with patience. A store that is away is waited for, as long as
//! the job is; what a job has under way stays as it is meanwhile.

use super::{Claim, Contender, RootChunks, Store, StoreError};
use crate::data::failed::FailedRowList;
use crate::lease::Lease;
use godwit_shared::ids::JobId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A request that gets no answer for so long is sent again. All of them may be repeated.
const ANSWER_MAX: Duration = Duration::from_secs(60);
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Clone)]
pub struct JobStore {
    store: Store,
    lease: Arc<Lease>,
    cancel: CancellationToken,
    trouble: Arc<Mutex<Option<String>>>,
}

impl JobStore {
    /// Of a job under this lease; `cancel` ends all waiting.
    pub fn new(store: Store, lease: Arc<Lease>, cancel: CancellationToken) -> Self {
        Self {
            store,
            lease,
            cancel,
            trouble: Arc::default(),
        }
    }

    /// Why the store is waited for just now.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Does something in the store, again and again while it is away.
    ///
    /// # Errors
    /// What does not pass; the last error when the job is cancelled; [`StoreError::LeaseLost`].
    async fn patiently<T, F>(&self, job: &JobId, mut request: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut pause = PAUSE_FIRST;
        let mut last = StoreError::Cancelled;
        loop {
            let is_held = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(last),
                is_held = self.lease.is_held() => is_held,
            };
            if !is_held {
                return Err(StoreError::LeaseLost { job: job.clone() });
            }
            let answer = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(last),
                answer = tokio::time::timeout(ANSWER_MAX, request()) => answer,
            };
            let error = match answer {
                Ok(Ok(value)) => {
                    self.set_trouble(None);
                    return Ok(value);
                }
                Ok(Err(error)) if error.is_passing() => error,
                Ok(Err(error)) => return Err(error),
                Err(_) => StoreError::Silent(ANSWER_MAX.as_secs()),
            };
            tracing::warn!(job.id = %job, %error, "The store is waited for");
            self.set_trouble(Some(error.to_string()));
            last = error;
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(last),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// See [`Store::mark_prepared`].
    ///
    /// # Errors
    /// As all here: what does not pass, a cancelled job, a lost lease.
    pub async fn mark_prepared(&self, job: &JobId) -> Result<(), StoreError> {
        self.patiently(job, || self.store.mark_prepared(job)).await
    }

    /// See [`Store::mark_made`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn mark_made(&self, job: &JobId) -> Result<(), StoreError> {
        self.patiently(job, || self.store.mark_made(job)).await
    }

    /// See [`Store::checkpoint`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn checkpoint<T: DeserializeOwned>(&self, job: &JobId) -> Result<Option<T>, StoreError> {
        self.patiently(job, || self.store.checkpoint(job)).await
    }

    /// See [`Store::save_checkpoint`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn save_checkpoint<T: Serialize>(&self, job: &JobId, checkpoint: &T) -> Result<(), StoreError> {
        let token = self.lease.token;
        self.patiently(job, || self.store.save_checkpoint(job, checkpoint, token))
            .await
    }

    /// See [`Store::save_failed_rows`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn save_failed_rows(&self, job: &JobId, rows: &FailedRowList) -> Result<(), StoreError> {
        let token = self.lease.token;
        self.patiently(job, || self.store.save_failed_rows(job, rows, token))
            .await
    }

    /// See [`Store::failed_rows`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn failed_rows(&self, job: &JobId) -> Result<FailedRowList, StoreError> {
        self.patiently(job, || self.store.failed_rows(job)).await
    }

    /// See [`Store::remember_written`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn remember_written(&self, job: &JobId, collection: &str, hashes: &[String]) -> Result<(), StoreError> {
        self.patiently(job, || self.store.remember_written(job, collection, hashes))
            .await
    }

    /// See [`Store::written`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn written(
        &self,
        job: &JobId,
        collection: &str,
        hashes: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        self.patiently(job, || self.store.written(job, collection, hashes))
            .await
    }

    /// See [`Store::forget_written`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn forget_written(&self, job: &JobId) -> Result<(), StoreError> {
        self.patiently(job, || self.store.forget_written(job)).await
    }

    /// See [`Store::chunks`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn chunks(&self, job: &JobId, root: &str) -> Result<Option<RootChunks>, StoreError> {
        self.patiently(job, || self.store.chunks(job, root)).await
    }

    /// See [`Store::save_chunks`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn save_chunks(&self, job: &JobId, root: &str, chunks: &RootChunks) -> Result<(), StoreError> {
        let token = self.lease.token;
        self.patiently(job, || self.store.save_chunks(job, root, chunks, token))
            .await
    }

    /// See [`Store::claim`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn claim(&self, job: &JobId, collection: &str, claims: &[Claim]) -> Result<Vec<bool>, StoreError> {
        self.patiently(job, || self.store.claim(job, collection, claims)).await
    }

    /// See [`Store::claims_of`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn claims_of(
        &self,
        job: &JobId,
        collection: &str,
        owners: &[i64],
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        self.patiently(job, || self.store.claims_of(job, collection, owners))
            .await
    }

    /// See [`Store::claimed`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn claimed(&self, job: &JobId, collection: &str, ids: &[Vec<u8>]) -> Result<Vec<bool>, StoreError> {
        self.patiently(job, || self.store.claimed(job, collection, ids)).await
    }

    /// See [`Store::release`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn release(&self, job: &JobId, collection: &str, ids: &[Vec<u8>]) -> Result<Vec<Contender>, StoreError> {
        self.patiently(job, || self.store.release(job, collection, ids)).await
    }

    /// See [`Store::settle_contenders`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn settle_contenders(
        &self,
        job: &JobId,
        collection: &str,
        owners: &[i64],
        still: &[(Vec<u8>, i64)],
    ) -> Result<(), StoreError> {
        self.patiently(job, || self.store.settle_contenders(job, collection, owners, still))
            .await
    }

    /// See [`Store::ready_contenders`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn ready_contenders(&self, job: &JobId) -> Result<Vec<(String, Contender)>, StoreError> {
        self.patiently(job, || self.store.ready_contenders(job)).await
    }

    /// See [`Store::contend`].
    ///
    /// # Errors
    /// As [`JobStore::mark_prepared`].
    pub async fn contend(
        &self,
        job: &JobId,
        collection: &str,
        id: &[u8],
        contender: &Contender,
    ) -> Result<(), StoreError> {
        self.patiently(job, || self.store.contend(job, collection, id, contender))
            .await
    }
}
