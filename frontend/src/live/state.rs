//! The store that the socket writes and components read.

use super::history::{Histories, JobHistory};
use super::interpret;
use super::pace::Held;
use crate::clock::use_beat;
use crate::format::time::seconds_between;
use chrono::{DateTime, Utc};
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use godwit_shared::sample::JobSamples;
use leptos::prelude::*;
use reactive_stores::{Field, Store};
use std::sync::Arc;

/// How the page is connected to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    /// From the start of the page to the first snapshot.
    #[default]
    Connecting,
    Live,
    /// The link broke, or never came about; `attempt` counts from 1.
    Reconnecting {
        attempt: u32,
    },
}

#[derive(Debug, Clone, Default, Store)]
pub struct LiveState {
    link: Link,
    /// Whether `jobs` is what a server said.
    is_loaded: bool,
    /// Grows when the list of projects has to be asked for again.
    projects_version: u64,
    /// Grows when the saved connections have to be asked for again.
    connections_version: u64,
    /// Newest first.
    #[store(key: JobId = |job| job.id.clone())]
    jobs: Vec<LiveJob>,
}

/// A job of the store. The status is shared: reading it copies nothing.
#[derive(Debug, Clone, Store)]
pub struct LiveJob {
    id: JobId,
    status: Arc<MigrationJobStatus>,
}

impl From<MigrationJobStatus> for LiveJob {
    fn from(status: MigrationJobStatus) -> Self {
        Self {
            id: status.id.clone(),
            status: Arc::new(status),
        }
    }
}

/// The live state as pages use it.
#[derive(Clone, Copy)]
pub struct Live {
    store: Store<LiveState>,
    /// Not reactive: who shows it follows the clock.
    histories: StoredValue<Histories>,
    held: StoredValue<Held>,
    /// When the server was last heard of, by the clock of the page. Not reactive.
    heard: StoredValue<DateTime<Utc>>,
}

/// With the link broken for so long what is shown is old.
const SILENT_AFTER_SECONDS: f64 = 2.0;

/// Makes the store. Once, in the shell.
pub fn provide_live() -> Live {
    let live = Live {
        store: Store::new(LiveState::default()),
        histories: StoredValue::new(Histories::default()),
        held: StoredValue::new(Held::default()),
        heard: StoredValue::new(Utc::now()),
    };
    provide_context(live);
    let beat = use_beat();
    Effect::new(move |_| {
        beat.track();
        live.release();
    });
    live
}

pub fn use_live() -> Live {
    expect_context()
}

impl Live {
    pub fn link(self) -> Link {
        self.store.link().get()
    }

    /// Whether the link has been broken for a while at this time.
    pub fn is_silent(self, now: DateTime<Utc>) -> bool {
        let is_broken = matches!(self.link(), Link::Reconnecting { .. });
        is_broken && seconds_between(self.heard.get_value(), now) >= SILENT_AFTER_SECONDS
    }

    pub fn is_loaded(self) -> bool {
        self.store.is_loaded().get()
    }

    pub fn projects_version(self) -> u64 {
        self.store.projects_version().get()
    }

    pub fn connections_version(self) -> u64 {
        self.store.connections_version().get()
    }

    /// Follows every change of every job; wrap it in a memo.
    pub fn with_jobs<R>(self, read: impl FnOnce(&mut dyn Iterator<Item = &MigrationJobStatus>) -> R) -> R {
        let jobs = self.store.jobs();
        let jobs = jobs.read();
        read(&mut jobs.iter().map(|job| &*job.status))
    }

    /// One job, followed alone: a change of another one does not run its readers.
    pub fn job(self, id: &JobId) -> Option<JobField> {
        untrack(|| {
            let found = self
                .store
                .jobs()
                .into_iter()
                .find(|job| job.clone().id().get_untracked() == *id);
            found.map(|job| JobField(job.into()))
        })
    }

    /// Takes over a job that a request answered with, where the server has not pushed it yet.
    pub fn adopt(self, job: MigrationJobStatus) {
        let is_known = untrack(|| self.with_jobs(|jobs| jobs.filter(|known| known.id == job.id).count() > 0));
        let is_live = self.store.link().get_untracked() == Link::Live;
        if !(is_known && is_live) {
            self.pace(job);
        }
    }

    /// What the page has seen of a job, at this moment.
    pub fn with_history<R>(self, id: &JobId, read: impl FnOnce(&JobHistory) -> R) -> Option<R> {
        self.histories.with_value(|histories| histories.of(id).map(read))
    }

    /// Takes what the server has measured of a job before the page looked.
    pub fn prime(self, id: &JobId, samples: &JobSamples) {
        let now = now_second();
        let newest = untrack(|| self.job(id).and_then(JobField::status));
        self.histories.update_value(|h| {
            h.prime(now, id, samples);
            // What was pushed may have overtaken the answer.
            if let Some(job) = newest {
                h.record(now, &job);
            }
        });
    }

    pub(super) fn set_link(self, link: Link) {
        match link {
            Link::Connecting | Link::Live => {}
            Link::Reconnecting { .. } => self.histories.update_value(|h| h.break_off(now_second())),
        }
        self.store.link().set(link);
    }

    /// Applies an update. `Skip` and `Resync` change nothing here: they concern the socket.
    pub(super) fn apply(self, update: interpret::Update) {
        use interpret::Update as Change;
        self.heard.set_value(Utc::now());
        match update {
            Change::ReplaceAll { jobs, .. } => self.replace_all(jobs),
            Change::SetJob { job, .. } => self.pace(*job),
            Change::RemoveJob { job_id, .. } => {
                self.histories.update_value(|h| h.remove(&job_id));
                self.held.update_value(|held| held.forget(&job_id));
                self.store.jobs().write().retain(|job| job.id != job_id);
            }
            Change::ReloadProjects { .. } => self.store.projects_version().update(|n| *n += 1),
            Change::ReloadConnections { .. } => self.store.connections_version().update(|n| *n += 1),
            Change::Skip { .. } | Change::Resync => {}
        }
    }

    /// The list as a server said it. After a break projects and connections may have changed as well.
    pub(super) fn replace_all(self, jobs: Vec<MigrationJobStatus>) {
        self.heard.set_value(Utc::now());
        let is_first = !self.store.is_loaded().get_untracked();
        let second = now_second();
        self.histories
            .update_value(|h| jobs.iter().for_each(|job| h.record(second, job)));
        self.held.set_value(Held::default());
        self.store
            .jobs()
            .set(newest_first(jobs).into_iter().map(LiveJob::from).collect());
        self.store.is_loaded().set(true);
        if !is_first {
            self.store.projects_version().update(|n| *n += 1);
            self.store.connections_version().update(|n| *n += 1);
        }
    }

    /// Shows a job at once or with the next beat.
    fn pace(self, job: MigrationJobStatus) {
        self.histories.update_value(|h| h.record(now_second(), &job));
        let shown = untrack(|| self.job(&job.id).and_then(JobField::status));
        let now = self.held.try_update_value(|held| held.take(shown.as_deref(), job));
        if let Some(job) = now.flatten() {
            self.set_job(job);
        }
    }

    fn release(self) {
        let held = self.held.try_update_value(Held::release).unwrap_or_default();
        held.into_iter().for_each(|job| self.set_job(job));
    }

    /// Writes the narrowest field, so that only readers of this job run.
    fn set_job(self, status: MigrationJobStatus) {
        let found = untrack(|| {
            let mut jobs = self.store.jobs().into_iter();
            jobs.find(|job| job.clone().id().get_untracked() == status.id)
        });
        match found {
            Some(job) => job.status().set(Arc::new(status)),
            None => self.store.jobs().write().insert(0, status.into()),
        }
    }
}

/// One job of the store.
#[derive(Clone, Copy)]
pub struct JobField(Field<LiveJob>);

impl JobField {
    /// The newest status; `None` once the job is gone.
    pub fn status(self) -> Option<Arc<MigrationJobStatus>> {
        self.0.try_read().map(|job| job.status.clone())
    }
}

/// The second of the page's clock: only differences count.
fn now_second() -> i64 {
    Utc::now().timestamp()
}

fn newest_first(mut jobs: Vec<MigrationJobStatus>) -> Vec<MigrationJobStatus> {
    jobs.sort_by(|a, b| b.submitted_at.cmp(&a.submitted_at).then_with(|| a.id.cmp(&b.id)));
    jobs
}
