//! The life of a verification: it is started, watched, paused, cancelled, and found again after a crash.
//!
//! One is at work in the server that has started it, and belongs to its data folder: at the next start it goes on from
//! what was done. Its newest status lies in memory while it is at work, and in the store every two seconds.

mod ground;
mod repair;
mod report;
mod stage;
mod start;

use crate::store::signing::SigningKey;
use crate::store::{FindingFilter, Store, StoreError, StoredFinding};
use crate::verify::{Counters, Outcome, Progress, VerifyError, VerifyRun};
use chrono::Utc;
use futures_util::FutureExt;
use godwit_shared::error::ErrorCode;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::verification::{Verification, VerificationFailure, VerificationStatus};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use report::signed_bytes;
pub(super) use stage::LastStage;
pub use start::StartRequest;

/// How often the status of one at work is stored.
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// The most that a list has.
const LIST_MAX: i64 = 200;

/// All verifications of this process.
pub struct Verifier {
    store: Store,
    active: Mutex<HashMap<String, Arc<Active>>>,
    tasks: TaskTracker,
    is_over: CancellationToken,
    /// Reports are signed with it.
    key: OnceLock<SigningKey>,
}

/// One that is at work here.
struct Active {
    status: Mutex<Verification>,
    progress: Arc<Progress>,
    cancel: CancellationToken,
    pause: watch::Sender<bool>,
}

impl Active {
    fn new(status: Verification) -> Arc<Self> {
        let collections = status
            .collections
            .iter()
            .map(|c| (c.collection.clone(), c.rows_estimated));
        let progress = Progress::new(collections);
        // What is known of an earlier start, until its checkpoints say more.
        for (place, counts) in status.collections.iter().enumerate() {
            let is_first = place == 0;
            let counters = Counters {
                counts: counts.clone(),
                exceptions: if is_first {
                    status.exceptions.clone()
                } else {
                    Vec::new()
                },
                notes: if is_first { status.notes.clone() } else { Vec::new() },
            };
            progress.restore(place, counters);
        }
        Arc::new(Self {
            progress: Arc::new(progress),
            pause: watch::Sender::new(status.is_paused),
            status: Mutex::new(status),
            cancel: CancellationToken::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Verification> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With the newest figures.
    fn shown(&self) -> Verification {
        let (findings, stored) = self.progress.findings();
        let all = self.progress.now();
        let mut shown = self.lock().clone();
        if shown.is_repairing {
            return shown;
        }
        (shown.findings, shown.findings_stored) = (findings, stored);
        shown.exceptions.clear();
        shown.notes.clear();
        shown.collections.clear();
        for counters in all {
            shown.collections.push(counters.counts);
            shown.exceptions.extend(counters.exceptions);
            shown.notes.extend(counters.notes);
        }
        shown
    }
}

/// Why something about a verification is refused.
#[derive(Debug, thiserror::Error)]
pub enum VerifyingError {
    #[error("there is no verification {0}")]
    NotFound(String),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Job(#[from] Box<super::JobError>),
}

impl From<super::JobError> for VerifyingError {
    fn from(error: super::JobError) -> Self {
        VerifyingError::Job(Box::new(error))
    }
}

impl Verifier {
    /// With nothing at work.
    pub fn new(store: Store, is_over: CancellationToken) -> Self {
        Self {
            store,
            active: Mutex::default(),
            tasks: TaskTracker::new(),
            is_over,
            key: OnceLock::new(),
        }
    }

    fn active(&self, id: &str) -> Option<Arc<Active>> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.get(id).cloned()
    }

    fn put(&self, id: &str, one: &Arc<Active>) {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.insert(id.to_owned(), one.clone());
    }

    fn take(&self, id: &str) {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.remove(id);
    }

    /// How one stands.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn status(&self, id: &str) -> Result<Verification, VerifyingError> {
        if let Some(active) = self.active(id) {
            return Ok(active.shown());
        }
        let record = self.store.verification(id).await?;
        record
            .map(|record| record.status)
            .ok_or_else(|| VerifyingError::NotFound(id.to_owned()))
    }

    /// The newest ones, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        job: Option<&JobId>,
        project: Option<&ProjectId>,
    ) -> Result<Vec<Verification>, VerifyingError> {
        let mut all = self.store.verifications(job, project, LIST_MAX).await?;
        for one in &mut all {
            if let Some(active) = self.active(&one.id) {
                *one = active.shown();
            }
        }
        Ok(all)
    }

    /// Some findings, and how many there are.
    ///
    /// # Errors
    /// When there is no such verification, or the store fails.
    pub async fn findings(
        &self,
        id: &str,
        filter: &FindingFilter,
        after: u64,
        limit: i64,
    ) -> Result<(Vec<StoredFinding>, u64), VerifyingError> {
        self.status(id).await?;
        Ok(self.store.findings(id, filter, after, limit).await?)
    }

    /// Ends one; what it has found stays.
    ///
    /// # Errors
    /// When there is none, or it has ended.
    pub async fn cancel(&self, id: &str) -> Result<Verification, VerifyingError> {
        if let Some(active) = self.active(id) {
            {
                let mut status = active.lock();
                if !status.is_repairing {
                    status.status = VerificationStatus::Cancelling;
                }
            }
            active.cancel.cancel();
            active.pause.send_replace(false);
            return Ok(active.shown());
        }
        let mut status = self.status(id).await?;
        match status.status {
            VerificationStatus::Verifying | VerificationStatus::Cancelling => Err(elsewhere()),
            VerificationStatus::Aborted => {
                status.status = VerificationStatus::Cancelled;
                status.ended_at = Some(Utc::now());
                self.store.delete_verification_marks(id).await?;
                self.store.save_verification(&status).await?;
                Ok(status)
            }
            ended => Err(VerifyingError::Refused(format!(
                "the verification has ended as {}",
                ended.word()
            ))),
        }
    }

    /// Lets one stand still.
    ///
    /// # Errors
    /// When none of this id is at work here.
    pub async fn pause(&self, id: &str) -> Result<Verification, VerifyingError> {
        self.set_paused(id, true).await
    }

    async fn set_paused(&self, id: &str, is_paused: bool) -> Result<Verification, VerifyingError> {
        let Some(active) = self.active(id) else {
            let status = self.status(id).await?;
            return Err(VerifyingError::Refused(format!(
                "the verification is {} and cannot be paused",
                status.status.word()
            )));
        };
        active.lock().is_paused = is_paused;
        active.pause.send_replace(is_paused);
        let shown = active.shown();
        self.store.save_verification(&shown).await?;
        Ok(shown)
    }

    /// Works on a run to its end, and keeps its status current. A panic in it is an abortion.
    async fn work(&self, active: Arc<Active>, run: VerifyRun) -> Verification {
        let id = run.id.clone();
        let running = AssertUnwindSafe(crate::verify::run(Arc::new(run))).catch_unwind();
        let saving = async {
            loop {
                tokio::time::sleep(SAVE_EVERY).await;
                if let Err(error) = self.store.save_verification(&active.shown()).await {
                    tracing::warn!(verification = %id, %error, "The status of verification {id} could not be stored");
                }
            }
        };
        let ended = tokio::select! {
            biased;
            ended = Box::pin(running) => ended.unwrap_or_else(|panic| {
                Err(VerifyError::Panicked(super::runner::text_of(&*panic)))
            }),
            () = saving => unreachable!("it saves for ever"),
        };
        self.end(&id, &active, ended).await
    }

    async fn end(&self, id: &str, active: &Active, ended: Result<Outcome, VerifyError>) -> Verification {
        let shown = active.shown();
        let mut status = shown;
        status.is_paused = false;
        status.ended_at = Some(Utc::now());
        status.failure = None;
        status.status = match ended {
            Ok(Outcome::Cancelled) => VerificationStatus::Cancelled,
            Ok(Outcome::Completed) => verdict(&status),
            Err(error) => {
                tracing::warn!(verification = %id, %error, "Verification {id} was aborted");
                status.failure = Some(VerificationFailure {
                    code: error.code(),
                    message: error.to_string(),
                });
                VerificationStatus::Aborted
            }
        };
        if status.status != VerificationStatus::Aborted
            && let Err(error) = self.store.delete_verification_marks(id).await
        {
            tracing::warn!(verification = %id, %error, "What verification {id} has remembered could not be deleted");
        }
        // Until it is stored, nobody may see the end: it would be another one after a crash.
        let mut pause = Duration::from_millis(200);
        while let Err(error) = self.store.save_verification(&status).await {
            tracing::warn!(verification = %id, %error, "The end of verification {id} could not be stored yet");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(10));
            if self.is_over.is_cancelled() {
                break;
            }
        }
        self.take(id);
        status
    }

    /// Lets go of all that is at work: it goes on at the next start.
    pub async fn shut_down(&self) {
        self.is_over.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.tasks.wait()).await;
    }
}

/// The store says that it is at work, and here it is not.
fn elsewhere() -> VerifyingError {
    let reason = "it is at work in another server, or goes on here in a moment: ask that one, or again";
    VerifyingError::Refused(reason.into())
}

/// What findings and exceptions come to.
fn verdict(status: &Verification) -> VerificationStatus {
    match (
        status.findings.saturating_sub(status.findings_repaired),
        status.exceptions.len(),
    ) {
        (0, 0) => VerificationStatus::Verified,
        (0, _) => VerificationStatus::VerifiedWithExceptions,
        (_, _) => VerificationStatus::Failed,
    }
}

impl VerifyingError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            VerifyingError::NotFound(_) => ErrorCode::NotFound,
            VerifyingError::Refused(_) => ErrorCode::WrongState,
            VerifyingError::Invalid(_) => ErrorCode::InvalidRequest,
            VerifyingError::Store(_) => ErrorCode::StoreUnavailable,
            VerifyingError::Verify(e) => e.code(),
            VerifyingError::Job(_) => ErrorCode::Internal,
        }
    }
}
