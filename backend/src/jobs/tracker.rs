//! The status of a running job, and what its user wants of it.

use super::events::{EventKind, Events};
use super::hub::Hub;
use super::state::{
    CdcEvent, CdcTransitionError, JobEvent, JobState, Phase, TransitionError, cdc_transition, transition,
};
use crate::cdc::run::Retried;
use crate::lease::Lease;
use crate::store::{Fence, Saved, Store, StoreError};
use chrono::{DateTime, Utc};
use godwit_shared::job::{
    CdcStatus, FailureError, JobEnd, JobStatus, LeftInSource, MigrationJobStatus, StandStill, Unapplied,
};
use godwit_shared::outage::{Dependency, Outage};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the status is written to the store while nothing but numbers changes.
pub const SAVE_EVERY: Duration = Duration::from_secs(2);

/// How long one try to store an end may take, and the longest pause before the next.
const STORE_TRY_MAX: Duration = Duration::from_secs(30);
const STORE_PAUSE_MAX: Duration = Duration::from_secs(15);

/// What the supervisor holds of a running job.
#[derive(Clone)]
pub struct Controls {
    pub cancel: CancellationToken,
    pub pause: watch::Sender<bool>,
    /// The user has asked to complete the CDC stage.
    pub complete: watch::Sender<bool>,
    /// How often the user has asked to try failed rows again, and what became of it.
    pub retry: watch::Sender<u64>,
    pub retried: watch::Sender<Retried>,
    /// Workers that stand still.
    pub parked: watch::Sender<usize>,
    /// Workers there are.
    pub workers: usize,
}

impl Controls {
    /// Wishes to try failed rows again, also one that came before anybody listened.
    pub fn retries(&self) -> watch::Receiver<u64> {
        let mut retries = self.retry.subscribe();
        if *retries.borrow() > self.retried.borrow().asked {
            retries.mark_changed();
        }
        retries
    }

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
    inner: Mutex<Inner>,
    /// One write at a time: an older status that is still under way would replace a newer one in the store.
    saving: tokio::sync::Mutex<()>,
    hub: Arc<Hub>,
    store: Store,
    lease: Arc<Lease>,
}

struct Inner {
    status: MigrationJobStatus,
    /// What is shown as long as an end is not stored: what nobody can take back must not be told before.
    shown_as: Option<(JobStatus, CdcStatus)>,
    is_hidden: bool,
    /// Lines of the log that are nobody else's.
    events: Events,
    /// Of the last write.
    revision: i64,
}

impl Inner {
    /// Adds a line to the log.
    fn tell(&mut self, kind: EventKind, at: DateTime<Utc>, message: String) {
        self.events.add(kind, at, message, &self.status);
        self.events.merge_into(&mut self.status);
    }

    fn shown(&self) -> MigrationJobStatus {
        let mut shown = self.status.clone();
        if let Some((job, cdc)) = self.shown_as {
            (shown.status, shown.cdc_status) = (job, cdc);
            shown.ended_at = None;
            if JobState::of(&shown).phase() == Phase::Open {
                (shown.end, shown.failure_error) = (None, None);
            }
        }
        shown
    }

    fn move_to(&mut self, next: JobState) {
        self.status.status = next.status;
        if let (Some(outcome), None) = (next.outcome, &self.status.end) {
            self.status.end = Some(JobEnd {
                outcome,
                decided_at: Utc::now(),
                is_cleaned: false,
                clean_attempts: 0,
                left: Vec::new(),
                unapplied: None,
            });
        }
        if next.phase() > Phase::Open {
            self.status.stand_still = None;
        }
    }
}

impl Tracker {
    pub fn new(status: MigrationJobStatus, fence: Fence, lease: Arc<Lease>, hub: Arc<Hub>, store: Store) -> Self {
        Self {
            inner: Mutex::new(Inner {
                events: Events::of(&status.job_updates),
                status,
                shown_as: None,
                is_hidden: false,
                revision: fence.revision,
            }),
            saving: tokio::sync::Mutex::default(),
            hub,
            store,
            lease,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the newest status.
    pub fn status(&self) -> MigrationJobStatus {
        self.lock().status.clone()
    }

    /// The same as users see it.
    pub fn shown(&self) -> MigrationJobStatus {
        self.lock().shown()
    }

    pub fn phase(&self) -> Phase {
        JobState::of(&self.lock().status).phase()
    }

    /// Changes the status and publishes it.
    pub fn update(&self, change: impl FnOnce(&mut MigrationJobStatus)) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        change(&mut inner.status);
        inner.events.merge_into(&mut inner.status);
        // Published under the lock, so that the hub sees statuses in their order.
        self.publish(inner);
    }

    /// A server has not answered since then.
    pub fn begin_outage(&self, server: Dependency, since: DateTime<Utc>, reason: String) {
        let mut inner = self.lock();
        if let Some(known) = inner.status.outages.iter_mut().find(|o| o.server == server) {
            // It may be refused first, and not be answered at all later.
            if known.reason != reason {
                known.reason = reason;
                self.publish(&inner);
            }
            return;
        }
        let noun = server.noun();
        tracing::warn!(job.id = %inner.status.id, reason, "The {noun} does not answer");
        inner.tell(
            EventKind::OutageBegan,
            since,
            format!("the {noun} cannot be reached: {reason}. The job tries again until it answers"),
        );
        inner.status.outages.push(Outage { server, since, reason });
        inner.status.outages.sort_by_key(|o| o.server);
        self.publish(&inner);
    }

    /// A server answers.
    pub fn end_outage(&self, server: Dependency) {
        let mut inner = self.lock();
        let Some(place) = inner.status.outages.iter().position(|o| o.server == server) else {
            return;
        };
        let (outage, now) = (inner.status.outages.remove(place), Utc::now());
        let seconds = (now - outage.since).num_seconds().max(0);
        tracing::info!(job.id = %inner.status.id, "The {} answers again", server.noun());
        inner.tell(
            EventKind::OutageEnded,
            now,
            format!("the {} answers again, after {seconds} seconds", server.noun()),
        );
        self.publish(&inner);
    }

    /// Adds a line of the job itself to its log.
    pub fn tell(&self, kind: EventKind, message: String) {
        let mut inner = self.lock();
        inner.tell(kind, Utc::now(), message);
        self.publish(&inner);
    }

    /// Changes the status; it is shown with what comes next.
    pub fn note(&self, change: impl FnOnce(&mut MigrationJobStatus)) {
        change(&mut self.lock().status);
    }

    /// Nobody sees the job any more: its project is deleted.
    pub fn hide(&self) {
        self.lock().is_hidden = true;
    }

    fn publish(&self, inner: &Inner) {
        if !inner.is_hidden {
            self.hub.publish(inner.shown());
        }
    }

    /// Moves the job by a wish of its user, publishes and stores it.
    ///
    /// # Errors
    /// When the status does not allow the event.
    pub async fn advance(&self, event: JobEvent) -> Result<JobStatus, TransitionError> {
        let next = {
            let mut inner = self.lock();
            let next = transition(JobState::of(&inner.status), event)?;
            inner.move_to(next);
            inner.status.stand_still = None;
            self.publish(&inner);
            next.status
        };
        self.save().await;
        Ok(next)
    }

    /// The user ends the job. Nothing of it is at work for long after this; the end counts once it is stored, see
    /// [`Tracker::store_end`].
    ///
    /// # Errors
    /// When the status does not allow it.
    pub fn stop(&self, unapplied: Option<Unapplied>) -> Result<(), TransitionError> {
        let mut inner = self.lock();
        let next = transition(JobState::of(&inner.status), JobEvent::Stop)?;
        inner.move_to(next);
        if let Some(end) = &mut inner.status.end {
            end.unapplied = unapplied;
        }
        self.publish(&inner);
        Ok(())
    }

    /// The job has come to its end by itself. Nobody sees it before it is stored, see [`Tracker::store_end`].
    ///
    /// # Errors
    /// When the status does not allow it: a pause, or another end, was quicker.
    pub fn decide(&self, event: JobEvent, failure: Option<FailureError>) -> Result<(), TransitionError> {
        let mut inner = self.lock();
        let before = (inner.status.status, inner.status.cdc_status);
        let next = transition(JobState::of(&inner.status), event)?;
        inner.move_to(next);
        if failure.is_some() {
            inner.status.failure_error = failure;
        }
        if event == JobEvent::StagesDone
            && let Ok(completed) = cdc_transition(inner.status.cdc_status, CdcEvent::Completed)
        {
            inner.status.cdc_status = completed;
        }
        inner.shown_as = Some(before);
        Ok(())
    }

    /// A job that was found with a decided end goes on with it.
    pub fn take_up_end(&self) {
        let mut inner = self.lock();
        let state = JobState::of(&inner.status);
        inner.move_to(state);
    }

    /// What cleaning has come to. The first time, this is the end of the job.
    pub fn cleaned(&self, is_cleaned: bool, left: Vec<LeftInSource>) {
        let mut inner = self.lock();
        let before = (inner.status.status, inner.status.cdc_status);
        if let Some(end) = &mut inner.status.end {
            end.is_cleaned = is_cleaned;
            end.clean_attempts = end.clean_attempts.saturating_add(1);
            end.left = left;
        }
        let Ok(next) = transition(JobState::of(&inner.status), JobEvent::CleanedUp) else {
            return;
        };
        inner.move_to(next);
        let of_cdc = match next.status {
            JobStatus::Failed => Some(CdcEvent::Fail),
            JobStatus::Cancelled => Some(CdcEvent::Cancel),
            JobStatus::Running
            | JobStatus::Paused
            | JobStatus::CleaningUp
            | JobStatus::Cancelling
            | JobStatus::Completed => None,
        };
        let status = &mut inner.status;
        if status.cdc_status != CdcStatus::NotStarted
            && let Some(ended) = of_cdc.and_then(|e| cdc_transition(status.cdc_status, e).ok())
        {
            status.cdc_status = ended;
        }
        status.ended_at = Some(Utc::now());
        status.statistics.processing_tables.clear();
        status.statistics.estimated_seconds_remaining = None;
        status.statistics.notice = None;
        // Nobody asks the servers for it any more.
        status.outages.clear();
        if let Some(cdc) = &mut status.cdc_statistics {
            cdc.notice = None;
        }
        inner.shown_as = Some(before);
    }

    /// Stores what is decided, however long that takes, and shows it then. `false` when another server has the job.
    pub async fn store_end(&self) -> bool {
        let mut pause = Duration::from_millis(100);
        loop {
            let tried = tokio::time::timeout(STORE_TRY_MAX, self.try_save()).await;
            match tried {
                Ok(Ok(Saved::Stored)) => {
                    let mut inner = self.lock();
                    inner.shown_as = None;
                    self.publish(&inner);
                    return true;
                }
                Ok(Ok(Saved::Superseded)) => {}
                Ok(Ok(Saved::NotOurs | Saved::HasEnded)) => return false,
                Ok(Err(error)) => self.tell_not_stored(&error.to_string()),
                Err(_) => self.tell_not_stored("no answer"),
            }
            tokio::select! {
                () = self.lease.is_lost() => return false,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(STORE_PAUSE_MAX);
        }
    }

    fn tell_not_stored(&self, reason: &str) {
        self.update(|status| {
            tracing::warn!(job.id = %status.id, reason, "The end of job {} cannot be stored yet", status.id);
            let notice = format!("the end of the job is stored as soon as the store of Godwit answers: {reason}");
            status.statistics.notice = Some(notice);
        });
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
            let mut inner = self.lock();
            let status = &inner.status;
            let is_streaming = status.status == JobStatus::Running && status.cdc_status != CdcStatus::NotStarted;
            if is_streaming {
                let (from, event) = (status.cdc_status, CdcEvent::Pause);
                // It may stand still by itself while it completes; the user has asked for its end.
                if from == CdcStatus::Completing {
                    return Err(CdcTransitionError { from, event }.into());
                }
                cdc_transition(from, event)?;
            } else {
                let next = transition(JobState::of(status), JobEvent::Pause)?;
                inner.move_to(next);
                self.publish(&inner);
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
    /// When its status does not allow the event, the job is paused before the stage has begun, or its end is decided.
    pub async fn advance_cdc(&self, event: CdcEvent) -> Result<CdcStatus, CdcTransitionError> {
        let next = {
            let mut inner = self.lock();
            let (status, from) = (&mut inner.status, CdcStatus::NotStarted);
            let is_ending = JobState::of(status).phase() > Phase::Open;
            let waits = status.status == JobStatus::Paused && status.cdc_status == from && event == CdcEvent::Begin;
            let from = status.cdc_status;
            if is_ending || waits {
                return Err(CdcTransitionError { from, event });
            }
            let next = cdc_transition(from, event)?;
            status.cdc_status = next;
            match event {
                CdcEvent::Begin | CdcEvent::Resume => status.stand_still = None,
                CdcEvent::Pause | CdcEvent::Complete | CdcEvent::Completed | CdcEvent::Cancel | CdcEvent::Fail => {}
            }
            self.publish(&inner);
            next
        };
        self.save().await;
        Ok(next)
    }

    /// The job waits for its user, who may let it go on or end it: in its CDC stage paused, unless it completes; before it
    /// paused as a whole.
    pub async fn stand_still(&self, reason: String) {
        {
            let mut inner = self.lock();
            let state = JobState::of(&inner.status);
            if state.phase() > Phase::Open {
                return;
            }
            let cdc = inner.status.cdc_status;
            match cdc {
                CdcStatus::NotStarted => {
                    if let Ok(paused) = transition(state, JobEvent::Pause) {
                        inner.move_to(paused);
                    }
                }
                CdcStatus::Running | CdcStatus::Paused | CdcStatus::Completing => {
                    inner.status.cdc_status = cdc_transition(cdc, CdcEvent::Pause).unwrap_or(cdc);
                    inner.status.cdc_statistics.get_or_insert_default().notice = Some(reason.clone());
                }
                CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled => return,
            }
            inner.status.stand_still = Some(StandStill {
                reason,
                since: Utc::now(),
            });
            self.publish(&inner);
        }
        self.save().await;
    }

    /// Writes the newest status to the store. A store that is away is tried again at the next change.
    pub async fn save(&self) {
        if let Err(error) = self.try_save().await {
            let id = self.lock().status.id.clone();
            tracing::warn!(job.id = %id, %error, "Status of job {id} could not be stored");
        }
    }

    async fn try_save(&self) -> Result<Saved, StoreError> {
        let _turn = self.saving.lock().await;
        let (status, fence) = {
            let mut inner = self.lock();
            inner.revision += 1;
            let fence = Fence {
                token: self.lease.token,
                revision: inner.revision,
            };
            (inner.status.clone(), fence)
        };
        let saved = self.store.save_job_status(&status, fence).await?;
        match saved {
            Saved::Stored | Saved::Superseded => {}
            // Whatever is at work here does not count any more.
            Saved::NotOurs | Saved::HasEnded => {
                tracing::error!(job.id = %status.id, "Job {} is another server's now, or has ended there", status.id);
                self.lease.lose();
            }
        }
        Ok(saved)
    }
}
