//! What of the server's messages is shown at once, and what with the next beat of the clock.
//!
//! The state of a job is shown as soon as it arrives. Its figures alone change five times a second, which nobody reads,
//! and each time the browser lays the page out and paints it: they wait for the next beat, and all change in one frame.

use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use indexmap::IndexMap;

/// Jobs of which only figures have changed since the last beat, each in its newest state.
#[derive(Debug, Clone, Default)]
pub struct Held(IndexMap<JobId, MigrationJobStatus>);

impl Held {
    /// Holds a job back that differs from the one shown in its figures alone; any other is given back to be shown now.
    pub fn take(&mut self, shown: Option<&MigrationJobStatus>, job: MigrationJobStatus) -> Option<MigrationJobStatus> {
        if shown.is_some_and(|shown| is_same_state(shown, &job)) {
            self.0.insert(job.id.clone(), job);
            return None;
        }
        self.forget(&job.id);
        Some(job)
    }

    /// What a newer state, or none, has replaced.
    pub fn forget(&mut self, id: &JobId) {
        self.0.shift_remove(id);
    }

    /// Everything that was held back.
    pub fn release(&mut self) -> Vec<MigrationJobStatus> {
        self.0.drain(..).map(|(_, job)| job).collect()
    }
}

fn is_same_state(a: &MigrationJobStatus, b: &MigrationJobStatus) -> bool {
    a.status == b.status
        && a.cdc_status == b.cdc_status
        && a.ended_at == b.ended_at
        && a.failure_error == b.failure_error
        && a.statistics.snapshot_completed == b.statistics.snapshot_completed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job as job_in;
    use godwit_shared::job::JobStatus;

    fn job(status: JobStatus, rows: u64) -> MigrationJobStatus {
        let mut job = job_in(status);
        job.statistics.rows_per_second = rows as f64;
        job
    }

    #[test]
    fn figures_wait_and_the_newest_are_shown() {
        let shown = job(JobStatus::Running, 1);
        let mut held = Held::default();
        assert_eq!(held.take(Some(&shown), job(JobStatus::Running, 2)), None);
        assert_eq!(held.take(Some(&shown), job(JobStatus::Running, 3)), None);
        assert_eq!(held.release(), [job(JobStatus::Running, 3)]);
        assert_eq!(held.release(), []);
    }

    #[test]
    fn a_new_state_is_shown_at_once_and_takes_the_place_of_what_was_held() {
        let shown = job(JobStatus::Running, 1);
        let mut held = Held::default();
        assert_eq!(held.take(Some(&shown), job(JobStatus::Running, 2)), None);
        let ended = job(JobStatus::Completed, 3);
        assert_eq!(held.take(Some(&shown), ended.clone()), Some(ended));
        assert_eq!(held.release(), []);
    }

    #[test]
    fn a_job_that_is_not_shown_yet_does_not_wait() {
        let new = job(JobStatus::Running, 0);
        assert_eq!(Held::default().take(None, new.clone()), Some(new));
    }
}
