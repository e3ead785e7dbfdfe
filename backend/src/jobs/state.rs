//! The statuses of a job and every way from one to another. The picture is at
//! [`JobStatus`](godwit_shared::job::JobStatus).

use godwit_shared::job::JobStatus;

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
