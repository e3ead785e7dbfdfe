//! The statuses of a job and every way from one to another. The picture is at
//! [`JobStatus`](godwit_shared::job::JobStatus).

use godwit_shared::job::{CdcStatus, JobOutcome, JobStatus, MigrationJobStatus};

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEvent {
    /// The user pauses it.
    Pause,
    /// The user lets it go on.
    Resume,
    /// The user stops it.
    Stop,
    /// All stages are done.
    StagesDone,
    /// It cannot go on.
    Fail,
    /// What it has made in the source is gone, or is told to the user.
    CleanedUp,
}

/// Where a job is: its status, and how it ends once that is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobState {
    pub status: JobStatus,
    pub outcome: Option<JobOutcome>,
}

impl JobState {
    /// That of a status as it is stored, also by an earlier version.
    pub fn of(status: &MigrationJobStatus) -> Self {
        let was_completed = status.status == JobStatus::Running && status.cdc_status == CdcStatus::Completed;
        Self {
            status: if was_completed {
                JobStatus::CleaningUp
            } else {
                status.status
            },
            outcome: status.outcome().or(was_completed.then_some(JobOutcome::Completed)),
        }
    }

    /// How far a job is on its way. No event leads to a lower one.
    pub fn phase(self) -> Phase {
        match self.status {
            JobStatus::Running | JobStatus::Paused => Phase::Open,
            JobStatus::CleaningUp | JobStatus::Cancelling => Phase::Ending,
            JobStatus::Cancelled | JobStatus::Failed | JobStatus::Completed => Phase::Ended,
        }
    }
}

/// See [`JobState::phase`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It writes, or may.
    Open,
    /// Its end is decided: it cleans up, and writes nothing more.
    Ending,
    Ended,
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
        JobEvent::Stop => "be stopped",
        JobEvent::StagesDone | JobEvent::CleanedUp => "end",
        JobEvent::Fail => "fail",
    }
}

/// The state after an event. What is decided stays: from [`Phase::Ending`] one way leads on, and from [`Phase::Ended`]
/// none.
///
/// # Errors
/// When the status does not allow the event; the job stays as it is.
pub fn transition(from: JobState, event: JobEvent) -> Result<JobState, TransitionError> {
    use JobEvent as E;
    use JobStatus as S;
    let open = |status| JobState { status, outcome: None };
    let ending = |status, outcome| JobState {
        status,
        outcome: Some(outcome),
    };
    match (from.status, event) {
        (S::Running, E::Pause) => Ok(open(S::Paused)),
        (S::Paused, E::Resume) => Ok(open(S::Running)),
        (S::Running | S::Paused, E::Stop) => Ok(ending(S::Cancelling, JobOutcome::Cancelled)),
        (S::Running, E::StagesDone) => Ok(ending(S::CleaningUp, JobOutcome::Completed)),
        (S::Running | S::Paused, E::Fail) => Ok(ending(S::CleaningUp, JobOutcome::Failed)),
        (S::CleaningUp | S::Cancelling, E::CleanedUp) => {
            // Of a version that stored the status alone.
            let usual = if from.status == S::Cancelling {
                JobOutcome::Cancelled
            } else {
                JobOutcome::Completed
            };
            let outcome = from.outcome.unwrap_or(usual);
            Ok(ending(outcome.status(), outcome))
        }
        (status, event) => Err(TransitionError { from: status, event }),
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
/// All are stored. After a restart RUNNING and COMPLETING go on, PAUSED stays. A stage that stands still while it completes
/// stays COMPLETING: to resume it is to try again.
///
/// # Errors
/// When the status does not allow the event.
pub fn cdc_transition(from: CdcStatus, event: CdcEvent) -> Result<CdcStatus, CdcTransitionError> {
    use CdcEvent as E;
    use CdcStatus as S;
    match (from, event) {
        (S::NotStarted | S::Running | S::Paused, E::Begin) | (S::Paused, E::Resume) => Ok(S::Running),
        (S::Running, E::Pause) => Ok(S::Paused),
        (S::Running | S::Paused | S::Completing, E::Complete) | (S::Completing, E::Begin | E::Pause | E::Resume) => {
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
    const EVENTS: [JobEvent; 6] = [
        JobEvent::Pause,
        JobEvent::Resume,
        JobEvent::Stop,
        JobEvent::StagesDone,
        JobEvent::Fail,
        JobEvent::CleanedUp,
    ];
    const OUTCOMES: [JobOutcome; 3] = [JobOutcome::Completed, JobOutcome::Cancelled, JobOutcome::Failed];

    /// Every state that a store may hold, also what earlier versions have left there and what makes no sense.
    fn states() -> Vec<JobState> {
        let outcomes = || [None].into_iter().chain(OUTCOMES.map(Some));
        let of_status = |status| outcomes().map(move |outcome| JobState { status, outcome });
        STATUSES.into_iter().flat_map(of_status).collect()
    }

    #[test]
    fn every_pair_has_its_answer() {
        use JobEvent as E;
        use JobOutcome as O;
        use JobStatus as S;
        let open = |status| JobState { status, outcome: None };
        let ending = |status, outcome| JobState {
            status,
            outcome: Some(outcome),
        };
        let reached = [
            open(S::Running),
            open(S::Paused),
            ending(S::CleaningUp, O::Completed),
            ending(S::CleaningUp, O::Failed),
            ending(S::Cancelling, O::Cancelled),
            ending(S::Cancelled, O::Cancelled),
            ending(S::Failed, O::Failed),
            ending(S::Completed, O::Completed),
        ];
        let allowed: Vec<_> = reached
            .iter()
            .flat_map(|s| {
                EVENTS
                    .iter()
                    .filter_map(move |e| transition(*s, *e).ok().map(|to| (*s, *e, to)))
            })
            .collect();
        assert_eq!(
            allowed,
            [
                (open(S::Running), E::Pause, open(S::Paused)),
                (open(S::Running), E::Stop, ending(S::Cancelling, O::Cancelled)),
                (open(S::Running), E::StagesDone, ending(S::CleaningUp, O::Completed)),
                (open(S::Running), E::Fail, ending(S::CleaningUp, O::Failed)),
                (open(S::Paused), E::Resume, open(S::Running)),
                (open(S::Paused), E::Stop, ending(S::Cancelling, O::Cancelled)),
                (open(S::Paused), E::Fail, ending(S::CleaningUp, O::Failed)),
                (
                    ending(S::CleaningUp, O::Completed),
                    E::CleanedUp,
                    ending(S::Completed, O::Completed)
                ),
                (
                    ending(S::CleaningUp, O::Failed),
                    E::CleanedUp,
                    ending(S::Failed, O::Failed)
                ),
                (
                    ending(S::Cancelling, O::Cancelled),
                    E::CleanedUp,
                    ending(S::Cancelled, O::Cancelled)
                ),
            ]
        );
        // None of them leads out of the list.
        assert!(allowed.iter().all(|(_, _, to)| reached.contains(to)));
    }

    #[test]
    fn no_way_leads_back_from_an_end() {
        for from in states() {
            for event in EVENTS {
                let Ok(to) = transition(from, event) else { continue };
                assert!(to.phase() >= from.phase(), "{from:?} {event:?} {to:?}");
                let was_decided = from.outcome.filter(|_| from.phase() > Phase::Open);
                assert!(
                    was_decided.is_none() || to.outcome == was_decided,
                    "{from:?} {event:?} {to:?}"
                );
                assert_eq!(
                    to.phase() == Phase::Open,
                    to.outcome.is_none(),
                    "{from:?} {event:?} {to:?}"
                );
            }
        }
    }

    #[test]
    fn every_state_that_is_not_an_end_has_a_way_to_one() {
        for from in states().into_iter().filter(|s| s.phase() == Phase::Open) {
            let stopped = transition(from, JobEvent::Stop).expect("a user may stop it");
            let ended = transition(stopped, JobEvent::CleanedUp).expect("and then it ends");
            assert_eq!(ended.status, JobStatus::Cancelled);
        }
        for from in states().into_iter().filter(|s| s.phase() == Phase::Ending) {
            let ended = transition(from, JobEvent::CleanedUp).expect("it ends");
            assert_eq!(ended.phase(), Phase::Ended);
        }
    }

    #[test]
    fn what_earlier_versions_have_stored_is_understood() {
        let stored = |status: &str, cdc: &str| {
            let job = serde_json::json!({
                "id": "j", "projectId": "p", "projectName": "P", "status": status, "cdcStatus": cdc,
                "submittedAt": "2026-11-26T12:00:00Z", "options": {"mode": "CDC"}, "jdbcConnectionString": "",
                "mongoDbConnectionString": "", "statistics": {}, "metadata": {"verificationRequested": false},
            });
            let job = serde_json::from_value(job).expect("a job");
            let state = JobState::of(&job);
            (state.phase(), state.outcome)
        };
        assert_eq!(stored("RUNNING", "RUNNING"), (Phase::Open, None));
        assert_eq!(
            stored("RUNNING", "COMPLETED"),
            (Phase::Ending, Some(JobOutcome::Completed))
        );
        assert_eq!(
            stored("CLEANING_UP", "COMPLETED"),
            (Phase::Ending, Some(JobOutcome::Completed))
        );
        assert_eq!(
            stored("CANCELLING", "RUNNING"),
            (Phase::Ending, Some(JobOutcome::Cancelled))
        );
        assert_eq!(stored("FAILED", "FAILED"), (Phase::Ended, Some(JobOutcome::Failed)));
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
            (E::Resume, S::Completing),
            (E::Complete, S::Completing),
            (E::Completed, S::Completed),
        ];
        assert_eq!(allowed(S::Completing), with_ends(&completing));
        assert!(statuses[4..].iter().all(|s| allowed(*s).is_empty()));
    }

    #[test]
    fn an_ended_job_stays_as_it_is() {
        for state in states().into_iter().filter(|s| s.phase() == Phase::Ended) {
            assert!(EVENTS.iter().all(|e| transition(state, *e).is_err()), "{state:?}");
        }
        let cancelled = JobState {
            status: JobStatus::Cancelled,
            outcome: Some(JobOutcome::Cancelled),
        };
        assert_eq!(
            transition(cancelled, JobEvent::Resume).unwrap_err().to_string(),
            "a job that is cancelled cannot be resumed"
        );
    }
}
