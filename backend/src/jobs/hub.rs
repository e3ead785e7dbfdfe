//! The newest status of every job, for all who look at it. Writers never wait for readers: who looks late sees the
//! newest state, not a backlog.

use super::samples::Samples;
use chrono::Utc;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::MigrationJobStatus;
use godwit_shared::sample::{JobSample, Measured};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Counts changes; a reader remembers the last one that it saw.
pub type Version = u64;

/// Jobs whose measured values are kept, a few ten kilobytes each; those that run always are.
const SAMPLED_JOBS_MAX: usize = 100;

/// What changed after a version.
#[derive(Debug, Default)]
pub struct Changes {
    pub version: Version,
    pub jobs: Vec<Arc<MigrationJobStatus>>,
    pub removed: Vec<JobId>,
    pub are_projects_changed: bool,
    pub are_connections_changed: bool,
}

#[derive(Debug, Default)]
struct State {
    version: Version,
    jobs: HashMap<JobId, (Version, Arc<MigrationJobStatus>)>,
    removed: Vec<(Version, JobId)>,
    projects: Version,
    connections: Version,
    samples: HashMap<JobId, Samples>,
}

impl State {
    /// Of jobs that have ended, those that have not changed for longest go first.
    fn forget_old_samples(&mut self) {
        if self.samples.len() <= SAMPLED_JOBS_MAX {
            return;
        }
        let ended = self.samples.keys().filter_map(|id| self.jobs.get(id));
        let oldest = ended
            .filter(|(_, job)| job.status.is_ended())
            .min_by_key(|(version, _)| *version);
        if let Some((_, job)) = oldest {
            self.samples.remove(&job.id);
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Hub {
    state: RwLock<State>,
    changed: watch::Sender<Version>,
}

impl Hub {
    /// Starts with the jobs of the store.
    pub fn new(jobs: Vec<MigrationJobStatus>) -> Self {
        let jobs = jobs.into_iter().map(|j| (j.id.clone(), (0, Arc::new(j)))).collect();
        Self {
            state: RwLock::new(State {
                jobs,
                ..State::default()
            }),
            changed: watch::Sender::new(0),
        }
    }

    fn change(&self, apply: impl FnOnce(&mut State, Version)) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.version += 1;
        let version = state.version;
        apply(&mut state, version);
        drop(state);
        self.changed.send_replace(version);
    }

    /// Sets a job's status.
    pub fn publish(&self, status: MigrationJobStatus) {
        self.change(|state, version| {
            let samples = state.samples.entry(status.id.clone()).or_default();
            samples.push(Utc::now(), Measured::of(&status));
            state.jobs.insert(status.id.clone(), (version, Arc::new(status)));
            state.forget_old_samples();
        });
    }

    /// Takes jobs out.
    pub fn remove(&self, ids: &[JobId]) {
        self.change(|state, version| {
            for id in ids {
                state.jobs.remove(id);
                state.samples.remove(id);
                state.removed.push((version, id.clone()));
            }
        });
    }

    /// Tells that the list of projects is another one now.
    pub fn projects_changed(&self) {
        self.change(|state, version| state.projects = version);
    }

    /// Tells that the saved connections are others now.
    pub fn connections_changed(&self) {
        self.change(|state, version| state.connections = version);
    }

    /// Puts what was measured of a job before this process has begun before what it has measured itself.
    pub fn restore_samples(&self, id: &JobId, stored: Vec<JobSample>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let own = state.samples.remove(id).map(|own| own.all()).unwrap_or_default();
        let mut all = Samples::of(stored);
        for sample in own {
            all.push(sample.at, sample.measured);
        }
        state.samples.insert(id.clone(), all);
    }

    /// What was measured of a job, where something of it was not handed out before.
    pub fn changed_samples(&self, id: &JobId) -> Option<Vec<JobSample>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.samples.get_mut(id)?.take_changed()
    }

    /// What is known here of what was measured of a job, oldest first; also of one that has ended.
    pub fn samples(&self, id: &JobId) -> Vec<JobSample> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.samples.get(id).map(Samples::all).unwrap_or_default()
    }

    /// One job.
    pub fn job(&self, id: &JobId) -> Option<Arc<MigrationJobStatus>> {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .jobs
            .get(id)
            .map(|(_, job)| job.clone())
    }

    /// All jobs, newest first.
    pub fn jobs(&self, project: Option<&ProjectId>) -> Vec<Arc<MigrationJobStatus>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut jobs: Vec<_> = state
            .jobs
            .values()
            .map(|(_, j)| j.clone())
            .filter(|j| project.is_none_or(|p| *p == j.project_id))
            .collect();
        jobs.sort_by(|a, b| b.submitted_at.cmp(&a.submitted_at).then_with(|| b.id.cmp(&a.id)));
        jobs
    }

    /// The present version, to ask for what changes after it.
    pub fn version(&self) -> Version {
        self.state.read().unwrap_or_else(PoisonError::into_inner).version
    }

    /// Everything that changed after a version: each job once, in its newest state.
    pub fn changes_after(&self, version: Version) -> Changes {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut jobs: Vec<_> = state
            .jobs
            .values()
            .filter(|(v, _)| *v > version)
            .map(|(_, j)| j.clone())
            .collect();
        jobs.sort_by_key(|job| job.submitted_at);
        Changes {
            version: state.version,
            jobs,
            removed: state
                .removed
                .iter()
                .filter(|(v, _)| *v > version)
                .map(|(_, id)| id.clone())
                .collect(),
            are_projects_changed: state.projects > version,
            are_connections_changed: state.connections > version,
        }
    }

    /// Wakes when anything changes.
    pub fn watch(&self) -> watch::Receiver<Version> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(id: &str, status: &str) -> MigrationJobStatus {
        let job = json!({
            "id": id, "projectId": "p", "projectName": "P", "status": status, "submittedAt": "2026-11-26T12:00:00Z",
            "options": {"mode": "SNAPSHOT"}, "jdbcConnectionString": "", "mongoDbConnectionString": "",
            "statistics": {}, "metadata": {"verificationRequested": false},
        });
        serde_json::from_value(job).expect("a job")
    }

    #[test]
    fn of_many_jobs_those_that_run_and_the_newest_keep_what_was_measured() {
        let hub = Hub::new(Vec::new());
        hub.publish(job("running", "RUNNING"));
        for number in 0..SAMPLED_JOBS_MAX + 10 {
            hub.publish(job(&number.to_string(), "COMPLETED"));
        }
        let has_samples = |id: &str| !hub.samples(&JobId::new(id)).is_empty();
        assert!(has_samples("running"));
        assert!(!has_samples("0") && !has_samples("10"));
        assert!(has_samples("11") && has_samples(&(SAMPLED_JOBS_MAX + 9).to_string()));
        assert_eq!(hub.jobs(None).len(), SAMPLED_JOBS_MAX + 11);
    }
}
