//! What users want of jobs. Whoever holds the job does it; another server asks the holder through the store, or takes the
//! job over when its lease has run out.

use super::again::retry_failed;
use super::ending::unapplied;
use super::events::EventKind;
use super::state::{CdcEvent, CdcTransitionError, JobEvent, JobState, Phase, TransitionError};
use super::supervisor::{HeldJob, JobError, Supervisor};
use crate::store::{Wish, new_id};
use godwit_shared::ids::JobId;
use godwit_shared::job::{CdcStatus, MigrationJobStatus};
use std::sync::Arc;
use std::time::Duration;

/// How long a pause waits for what is under way.
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// How long a stop waits until it is stored.
const STORED_MAX: Duration = Duration::from_secs(10);
/// How long the holder of a job may take to answer: longer than a lease holds, so that one who is gone is replaced.
const ANSWER_MAX: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Looks for an answer between two tries to take the job over.
const LOOKS_BETWEEN: u32 = 10;

/// What a user wants of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// In the snapshot stage it is cancelled, what is written stays. In the CDC stage it is completed: everything up to
    /// now is applied. One that stands still is not completed by that: it is ended without the rest.
    Stop,
    /// It is cancelled in every stage.
    EndWithoutRest,
    /// It stands still. In the snapshot stage the point in time is kept open in the source as long as this process lives;
    /// in the CDC stage the source keeps its log.
    Pause,
    /// A paused job, or one that stands still, goes on.
    Resume,
    /// While changes are followed: rows that have failed are read and written again.
    RetryFailed,
}

impl Command {
    const ALL: [Command; 5] = [
        Command::Stop,
        Command::EndWithoutRest,
        Command::Pause,
        Command::Resume,
        Command::RetryFailed,
    ];

    fn name(self) -> &'static str {
        match self {
            Command::Stop => "stop",
            Command::EndWithoutRest => "endWithoutRest",
            Command::Pause => "pause",
            Command::Resume => "resume",
            Command::RetryFailed => "retryFailed",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Command> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    fn event(self) -> JobEvent {
        match self {
            Command::Stop | Command::EndWithoutRest => JobEvent::Stop,
            Command::Pause => JobEvent::Pause,
            Command::Resume | Command::RetryFailed => JobEvent::Resume,
        }
    }
}

impl Supervisor {
    /// Does what a user wants of a job, wherever the job is at work.
    ///
    /// # Errors
    /// When there is no such job, its state does not allow it, or its holder does not answer and cannot be replaced yet.
    pub async fn command(self: &Arc<Self>, id: &JobId, command: Command) -> Result<MigrationJobStatus, JobError> {
        if let Some(job) = self.held(id) {
            return self.obey(&job, command).await;
        }
        let Some(status) = self.store.job_status(id).await? else {
            return Err(JobError::NotFound(id.clone()));
        };
        let state = JobState::of(&status);
        if state.phase() == Phase::Ended {
            return Err(TransitionError {
                from: state.status,
                event: command.event(),
            }
            .into());
        }
        if let Some(done) = self.take_over(id, command).await? {
            return Ok(done);
        }
        self.ask(id, command).await
    }

    /// Does it for a job whose holder is gone; `None` where somebody has it.
    async fn take_over(self: &Arc<Self>, id: &JobId, command: Command) -> Result<Option<MigrationJobStatus>, JobError> {
        let Some((job, taken)) = self.take(id).await? else {
            return Ok(None);
        };
        tracing::info!(job.id = %id, "Job {id} is taken over");
        let done = self.obey(&job, command).await;
        if !job.is_at_work() {
            self.go_on(&job, &taken).await;
        }
        done.map(Some)
    }

    /// Has it done by the holder of the job.
    async fn ask(self: &Arc<Self>, id: &JobId, command: Command) -> Result<MigrationJobStatus, JobError> {
        let wish = Wish {
            id: new_id(),
            command: command.name().into(),
        };
        if !self.store.ask(id, &wish).await? {
            return Err(JobError::NotFound(id.clone()));
        }
        let answered = tokio::time::timeout(ANSWER_MAX, async {
            for look in 1_u32.. {
                tokio::time::sleep(LOOK_EVERY).await;
                match self.store.answer_to(id, &wish).await? {
                    Some(refusal) if refusal.is_empty() => {
                        let status = self.store.job_status(id).await?;
                        let status = status.ok_or_else(|| JobError::NotFound(id.clone()))?;
                        if self.held(id).is_none() {
                            self.hub.publish(status.clone());
                        }
                        return Ok(status);
                    }
                    Some(refusal) => return Err(JobError::Refused(refusal)),
                    None => {}
                }
                if look % LOOKS_BETWEEN == 0
                    && let Some(done) = self.take_over(id, command).await?
                {
                    return Ok(done);
                }
            }
            Err(JobError::OwnerSilent(id.clone()))
        });
        match answered.await {
            Ok(done) => done,
            Err(_) => {
                self.store.withdraw_wish(id, &wish).await?;
                Err(JobError::OwnerSilent(id.clone()))
            }
        }
    }

    /// Does what a user wants of a job that is held here.
    pub(super) async fn obey(
        self: &Arc<Self>,
        job: &Arc<HeldJob>,
        command: Command,
    ) -> Result<MigrationJobStatus, JobError> {
        match command {
            Command::Stop => self.stop(job, false).await,
            Command::EndWithoutRest => self.stop(job, true).await,
            Command::Pause => pause(job).await,
            Command::Resume => self.resume(job).await,
            Command::RetryFailed => retry_failed(job).await,
        }
    }

    async fn stop(self: &Arc<Self>, job: &Arc<HeldJob>, abandons: bool) -> Result<MigrationJobStatus, JobError> {
        let (tracker, controls) = (&job.tracker, &job.controls);
        let status = tracker.status();
        // In its last stage the documents are all there: only the verification is cancelled.
        if !abandons && self.verifier.cancel_stage(status.verification_job_id.as_deref()) {
            return Ok(tracker.shown());
        }
        let is_streaming = match status.cdc_status {
            CdcStatus::Running | CdcStatus::Paused | CdcStatus::Completing => true,
            CdcStatus::NotStarted | CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled => false,
        };
        // What stands still would never get to the end.
        let completes = is_streaming && !abandons && status.stand_still.is_none();
        if completes && JobState::of(&status).phase() == Phase::Open {
            tracker.advance_cdc(CdcEvent::Complete).await?;
            controls.complete.send_replace(true);
            controls.pause.send_replace(false);
            self.launch(job, None);
            return Ok(tracker.shown());
        }
        tracker.stop(unapplied(&status))?;
        controls.cancel.cancel();
        controls.pause.send_replace(false);
        let stored = tokio::time::timeout(STORED_MAX, tracker.store_end()).await;
        self.launch(job, None);
        match stored {
            Ok(_) => Ok(tracker.shown()),
            Err(_) => Err(JobError::NotStored(job.id().clone())),
        }
    }

    async fn resume(self: &Arc<Self>, job: &Arc<HeldJob>) -> Result<MigrationJobStatus, JobError> {
        let (tracker, controls) = (&job.tracker, &job.controls);
        let status = tracker.status();
        let is_open = JobState::of(&status).phase() == Phase::Open;
        match status.cdc_status {
            CdcStatus::Paused if is_open => {
                tracker.advance_cdc(CdcEvent::Resume).await?;
            }
            CdcStatus::Completing if is_open && status.stand_still.is_some() => {
                tracker.advance_cdc(CdcEvent::Resume).await?;
            }
            CdcStatus::Completing if is_open => {
                return Err(CdcTransitionError {
                    from: CdcStatus::Completing,
                    event: CdcEvent::Resume,
                }
                .into());
            }
            CdcStatus::NotStarted
            | CdcStatus::Running
            | CdcStatus::Completing
            | CdcStatus::Paused
            | CdcStatus::Completed
            | CdcStatus::Failed
            | CdcStatus::Cancelled => {
                tracker.advance(JobEvent::Resume).await?;
            }
        }
        tracker.tell(EventKind::Resumed, "the user has let the job go on".into());
        controls.pause.send_replace(false);
        if !job.is_at_work() {
            // The user takes the risk again.
            self.store.note_crashes(job.id(), 0, "").await?;
            self.launch(job, None);
        }
        Ok(tracker.shown())
    }
}

async fn pause(job: &HeldJob) -> Result<MigrationJobStatus, JobError> {
    let (tracker, controls) = (&job.tracker, &job.controls);
    if !job.is_at_work() {
        return Err(TransitionError {
            from: tracker.status().status,
            event: JobEvent::Pause,
        }
        .into());
    }
    let is_streaming = tracker.begin_pause::<JobError>(&controls.pause).await?;
    tracker.tell(EventKind::Paused, "the user has paused the job".into());
    // Confirmed only when nothing is written any more; the CDC stage counts as paused from then on.
    let mut parked = controls.parked.subscribe();
    let is_idle = |parked: usize| {
        let is_reading = is_streaming || !tracker.status().statistics.processing_tables.is_empty();
        parked >= controls.workers || !is_reading
    };
    let _ = tokio::time::timeout(PAUSE_MAX, async {
        while !is_idle(*parked.borrow_and_update()) {
            tokio::select! {
                changed = parked.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    })
    .await;
    Ok(tracker.shown())
}
