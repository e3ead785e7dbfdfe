//! The statuses of a job and every way from one to another. The picture is at
//! [`JobStatus`](godwit_shared::job::JobStatus).

use godwit_shared::job::{CdcStatus, JobStatus};

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEvent {
    /// The user pauses it.
    Pause,
    /// The user lets it go on.
    Resume,
    /// The user stops it.
    Stop,
    /// Nothing of it runs any more after a stop.
    Stopped,
    /// All stages are done.
    StagesDone,
    /// What the job kept for itself is gone.
    CleanedUp,
    /// It cannot go on.
    Fail,
}

/// An event that the status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {} cannot {}", described(*.from), verb(*.event))]
pub struct TransitionError {
    pub from: JobStatus,
    pub event: JobEvent,
}

fn described(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Running => "running",
        JobStatus::Paused => "paused",
        JobStatus::CleaningUp => "cleaning up",
        JobStatus::Cancelling => "being cancelled",
        JobStatus::Cancelled => "cancelled",
        JobStatus::Failed => "failed",
        JobStatus::Completed => "completed",
    }
}

fn verb(event: JobEvent) -> &'static str {
    match event {
        JobEvent::Pause => "be paused",
        JobEvent::Resume => "be resumed",
        JobEvent::Stop | JobEvent::Stopped => "be stopped",
        JobEvent::StagesDone | JobEvent::CleanedUp => "end",
        JobEvent::Fail => "fail",
    }
}

/// The status after an event.
///
/// # Errors
/// When the status does not allow the event; the job stays as it is.
pub fn transition(from: JobStatus, event: JobEvent) -> Result<JobStatus, TransitionError> {
    use JobEvent as E;
    use JobStatus as S;
    match (from, event) {
        (S::Running, E::Pause) => Ok(S::Paused),
        (S::Paused, E::Resume) => Ok(S::Running),
        (S::Running | S::Paused, E::Stop) => Ok(S::Cancelling),
        (S::Cancelling, E::Stopped) => Ok(S::Cancelled),
        (S::Running, E::StagesDone) => Ok(S::CleaningUp),
        (S::CleaningUp, E::CleanedUp) => Ok(S::Completed),
        (S::Running | S::Paused | S::CleaningUp, E::Fail) => Ok(S::Failed),
        (from, event) => Err(TransitionError { from, event }),
    }
}

/// What happens to the CDC stage of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CdcEvent {
    /// The snapshot stage is done.
    Begin,
    /// The user pauses it, or it cannot go on without the user.
    Pause,
    Resume,
    /// The user asks to complete it. Asking again tries again.
    Complete,
    /// Everything up to the position of the request is applied.
    Completed,
    Cancel,
    Fail,
}

/// An event that the status of the CDC stage does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a CDC stage that is {} cannot {}", cdc_described(*.from), cdc_verb(*.event))]
pub struct CdcTransitionError {
    pub from: CdcStatus,
    pub event: CdcEvent,
}

fn cdc_described(status: CdcStatus) -> &'static str {
    match status {
        CdcStatus::NotStarted => "not started",
        CdcStatus::Running => "running",
        CdcStatus::Completing => "completing",
        CdcStatus::Completed => "completed",
        CdcStatus::Failed => "failed",
        CdcStatus::Cancelled => "cancelled",
        CdcStatus::Paused => "paused",
    }
}

fn cdc_verb(event: CdcEvent) -> &'static str {
    match event {
        CdcEvent::Begin => "begin",
        CdcEvent::Pause => "be paused",
        CdcEvent::Resume => "be resumed",
        CdcEvent::Complete | CdcEvent::Completed => "be completed",
        CdcEvent::Cancel => "be abandoned",
        CdcEvent::Fail => "fail",
    }
}

/// The status of the CDC stage after an event.
///
/// ```text
/// NOT_STARTED ─ begin ─▶ RUNNING ◀─ resume ─ PAUSED     each but the ended ones may fail or be cancelled
///                          │ └── pause ──────▶ │
///                          └─ complete ─▶ COMPLETING ─▶ COMPLETED
/// ```
/// All are stored. After a restart RUNNING and COMPLETING go on, PAUSED stays.
///
/// # Errors
/// When the status does not allow the event.
pub fn cdc_transition(from: CdcStatus, event: CdcEvent) -> Result<CdcStatus, CdcTransitionError> {
    use CdcEvent as E;
    use CdcStatus as S;
    match (from, event) {
        (S::NotStarted | S::Running | S::Paused, E::Begin) | (S::Paused, E::Resume) => Ok(S::Running),
        (S::Running, E::Pause) => Ok(S::Paused),
        (S::Running | S::Paused | S::Completing, E::Complete) | (S::Completing, E::Begin | E::Pause) => {
            Ok(S::Completing)
        }
        (S::Completing, E::Completed) => Ok(S::Completed),
        (S::NotStarted | S::Running | S::Paused | S::Completing, E::Cancel) => Ok(S::Cancelled),
        (S::NotStarted | S::Running | S::Paused | S::Completing, E::Fail) => Ok(S::Failed),
        (from, event) => Err(CdcTransitionError { from, event }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [JobStatus; 7] = [
        JobStatus::Running,
        JobStatus::Paused,
        JobStatus::CleaningUp,
        JobStatus::Cancelling,
        JobStatus::Cancelled,
        JobStatus::Failed,
        JobStatus::Completed,
    ];
    const EVENTS: [JobEvent; 7] = [
        JobEvent::Pause,
        JobEvent::Resume,
        JobEvent::Stop,
        JobEvent::Stopped,
        JobEvent::StagesDone,
        JobEvent::CleanedUp,
        JobEvent::Fail,
    ];

    #[test]
    fn every_pair_has_its_answer() {
        let allowed: Vec<_> = STATUSES
            .iter()
            .flat_map(|s| {
                EVENTS
                    .iter()
                    .filter_map(move |e| transition(*s, *e).ok().map(|to| (*s, *e, to)))
            })
            .collect();
        use JobEvent as E;
        use JobStatus as S;
        assert_eq!(
            allowed,
            [
                (S::Running, E::Pause, S::Paused),
                (S::Running, E::Stop, S::Cancelling),
                (S::Running, E::StagesDone, S::CleaningUp),
                (S::Running, E::Fail, S::Failed),
                (S::Paused, E::Resume, S::Running),
                (S::Paused, E::Stop, S::Cancelling),
                (S::Paused, E::Fail, S::Failed),
                (S::CleaningUp, E::CleanedUp, S::Completed),
                (S::CleaningUp, E::Fail, S::Failed),
                (S::Cancelling, E::Stopped, S::Cancelled),
            ]
        );
    }

    #[test]
    fn every_pair_of_the_cdc_stage_has_its_answer() {
        use CdcEvent as E;
        use CdcStatus as S;
        let statuses = [
            S::NotStarted,
            S::Running,
            S::Paused,
            S::Completing,
            S::Completed,
            S::Failed,
            S::Cancelled,
        ];
        let events = [
            E::Begin,
            E::Pause,
            E::Resume,
            E::Complete,
            E::Completed,
            E::Cancel,
            E::Fail,
        ];
        let allowed = |from: S| -> Vec<(E, S)> {
            let each = events
                .iter()
                .filter_map(|e| cdc_transition(from, *e).ok().map(|to| (*e, to)));
            each.collect()
        };
        let ends = [(E::Cancel, S::Cancelled), (E::Fail, S::Failed)];
        let with_ends = |first: &[(E, S)]| [first, &ends].concat();
        assert_eq!(allowed(S::NotStarted), with_ends(&[(E::Begin, S::Running)]));
        let running = [
            (E::Begin, S::Running),
            (E::Pause, S::Paused),
            (E::Complete, S::Completing),
        ];
        assert_eq!(allowed(S::Running), with_ends(&running));
        let paused = [
            (E::Begin, S::Running),
            (E::Resume, S::Running),
            (E::Complete, S::Completing),
        ];
        assert_eq!(allowed(S::Paused), with_ends(&paused));
        let completing = [
            (E::Begin, S::Completing),
            (E::Pause, S::Completing),
            (E::Complete, S::Completing),
            (E::Completed, S::Completed),
        ];
        assert_eq!(allowed(S::Completing), with_ends(&completing));
        assert!(statuses[4..].iter().all(|s| allowed(*s).is_empty()));
    }

    #[test]
    fn an_ended_job_stays_as_it_is() {
        for status in STATUSES.into_iter().filter(|s| s.is_ended()) {
            assert!(EVENTS.iter().all(|e| transition(status, *e).is_err()), "{status:?}");
        }
        assert_eq!(
            transition(JobStatus::Cancelled, JobEvent::Resume)
                .unwrap_err()
                .to_string(),
            "a job that is cancelled cannot be resumed"
        );
    }
}
