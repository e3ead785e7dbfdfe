//! The status of a running job, and what its user wants of it.

use super::hub::Hub;
use super::state::{CdcEvent, CdcTransitionError, JobEvent, TransitionError, cdc_transition, transition};
use crate::store::Store;
use chrono::Utc;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the status is written to the store while nothing but numbers changes.
pub const SAVE_EVERY: Duration = Duration::from_secs(2);

/// What the supervisor holds of a running job.
#[derive(Clone)]
pub struct Controls {
    pub cancel: CancellationToken,
    pub pause: watch::Sender<bool>,
    /// The user has asked to complete the CDC stage.
    pub complete: watch::Sender<bool>,
    /// Workers that stand still.
    pub parked: watch::Sender<usize>,
    /// Workers there are.
    pub workers: usize,
}

impl Controls {
    /// Waits until the user lets a paused job go on, or ends it. Nothing of it is at work meanwhile.
    pub async fn stand_by(&self) {
        self.parked.send_replace(self.workers);
        let mut pause = self.pause.subscribe();
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => {}
            _ = pause.wait_for(|paused| !paused) => {}
        }
        self.parked.send_replace(0);
    }
}

/// A status that one task writes at a time, published with every change.
pub struct Tracker {
    status: Mutex<MigrationJobStatus>,
    /// One write at a time: an older status that is still under way would replace a newer one in the store.
    saving: tokio::sync::Mutex<()>,
    hub: Arc<Hub>,
    store: Store,
}

impl Tracker {
    pub fn new(status: MigrationJobStatus, hub: Arc<Hub>, store: Store) -> Self {
        Self {
            status: Mutex::new(status),
            saving: tokio::sync::Mutex::default(),
            hub,
            store,
        }
    }

    fn lock(&self) -> MutexGuard<'_, MigrationJobStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the newest status.
    pub fn status(&self) -> MigrationJobStatus {
        self.lock().clone()
    }

    /// Changes the status and publishes it.
    pub fn update(&self, change: impl FnOnce(&mut MigrationJobStatus)) {
        let mut status = self.lock();
        change(&mut status);
        // Published under the lock, so that the hub sees statuses in their order.
        self.hub.publish(status.clone());
    }

    /// Moves the job by an event, publishes and stores it.
    ///
    /// # Errors
    /// When the status does not allow the event.
    pub async fn advance(&self, event: JobEvent) -> Result<JobStatus, TransitionError> {
        let next = {
            let mut status = self.lock();
            let next = transition(status.status, event)?;
            status.status = next;
            let of_cdc = match next {
                JobStatus::Failed if status.cdc_status != CdcStatus::NotStarted => Some(CdcEvent::Fail),
                JobStatus::Cancelled if status.cdc_status != CdcStatus::NotStarted => Some(CdcEvent::Cancel),
                _ => None,
            };
            if let Some(ended) = of_cdc.and_then(|e| cdc_transition(status.cdc_status, e).ok()) {
                status.cdc_status = ended;
            }
            if next.is_ended() {
                status.ended_at = Some(Utc::now());
                status.statistics.processing_tables.clear();
                status.statistics.estimated_seconds_remaining = None;
            }
            self.hub.publish(status.clone());
            next
        };
        self.save().await;
        Ok(next)
    }

    /// Asks a job to stand still, and returns whether its CDC stage does so: that one counts as paused when nothing of it
    /// is at work any more, the snapshot stage at once.
    ///
    /// # Errors
    /// When the job is not in a stage that can be paused.
    pub async fn begin_pause<E>(&self, pause: &watch::Sender<bool>) -> Result<bool, E>
    where
        E: From<TransitionError> + From<CdcTransitionError>,
    {
        let is_streaming = {
            // Under the lock, so that the CDC stage cannot begin in between.
            let mut status = self.lock();
            let is_streaming = status.status == JobStatus::Running && status.cdc_status != CdcStatus::NotStarted;
            if is_streaming {
                let (from, event) = (status.cdc_status, CdcEvent::Pause);
                // It may stand still by itself while it completes; the user has asked for its end.
                if from == CdcStatus::Completing {
                    return Err(CdcTransitionError { from, event }.into());
                }
                cdc_transition(from, event)?;
            } else {
                status.status = transition(status.status, JobEvent::Pause)?;
                self.hub.publish(status.clone());
            }
            pause.send_replace(true);
            is_streaming
        };
        self.save().await;
        Ok(is_streaming)
    }

    /// Moves the CDC stage by an event, publishes and stores it.
    ///
    /// # Errors
    /// When its status does not allow the event, or the job is paused before the stage has begun.
    pub async fn advance_cdc(&self, event: CdcEvent) -> Result<CdcStatus, CdcTransitionError> {
        let next = {
            let mut status = self.lock();
            let from = status.cdc_status;
            if status.status == JobStatus::Paused && from == CdcStatus::NotStarted && event == CdcEvent::Begin {
                return Err(CdcTransitionError { from, event });
            }
            let next = cdc_transition(from, event)?;
            status.cdc_status = next;
            self.hub.publish(status.clone());
            next
        };
        self.save().await;
        Ok(next)
    }

    /// Writes the newest status to the store. A store that is away is tried again at the next change.
    pub async fn save(&self) {
        let _turn = self.saving.lock().await;
        let status = self.status();
        if let Err(error) = self.store.save_job_status(&status).await {
            tracing::warn!(job.id = %status.id, %error, "Status of job {} could not be stored", status.id);
        }
    }
}
