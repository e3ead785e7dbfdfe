//! All jobs of this process: starts them, hands them what users want, and finds them again after a restart.
//!
//! A job that is not over is *held*: this process has its lease, see [`lease`](crate::lease) and
//! [`keeper`](super::keeper). Of a held job something is at work, or it waits for its user.

use super::analysing::Analyser;
use super::ending::Ending;
use super::events::EventKind;
use super::hub::Hub;
use super::prepare::{PrepareError, Prepared, prepare, sink_of};
use super::runner::{self, Ended, Work};
use super::state::{CdcTransitionError, JobEvent, JobState, Phase, TransitionError};
use super::tracker::{Controls, Tracker};
use super::verifying::{LastStage, Verifier};
use crate::cdc::run::Retried;
use crate::data::failed::FailedRow;
use crate::hooks;
use crate::lease::{self, Lease};
use crate::store::{Acquired, Fence, Holder, JobRecord, JobSecrets, ProjectRecord, Store, StoreError, new_id};
use chrono::Utc;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{
    CdcStatus, JobLabel, JobMetadata, JobStatistics, JobStatus, MigrationJobStatus, PostMigrationJobRequest,
};
use godwit_shared::relmig::{ProjectFile, with_masked_password};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// How long the end of the process waits for each: newest statuses, tasks that are ended, leases that are given back.
const SHUT_DOWN_MAX: Duration = Duration::from_secs(2);
/// So many deaths of the process in a row with the same job at work, and nothing done in between, and the job waits.
const CRASHES_MAX: i32 = 2;
/// How long the destination is asked how far a job has come.
const COUNT_MAX: Duration = Duration::from_secs(5);

/// Why a request about a job is refused.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    WrongState(#[from] TransitionError),
    #[error(transparent)]
    WrongCdcState(#[from] CdcTransitionError),
    #[error("there is no job {0}")]
    NotFound(JobId),
    #[error("another job writes the collections {} of the same database", collections.join(", "))]
    Conflict { job: JobId, collections: Vec<String> },
    #[error("the project \"{project}\" cannot be deleted: a job of it has not ended")]
    ProjectInUse { job: JobId, project: String },
    /// What its holder has answered.
    #[error("{0}")]
    Refused(String),
    #[error("job {0} is another server's, which does not answer")]
    OwnerSilent(JobId),
    #[error("job {0} is ended and stands still, but that could not be stored yet: the store does not answer")]
    NotStored(JobId),
}

/// A job that this process has the lease of.
pub(super) struct HeldJob {
    pub record: JobRecord,
    pub tracker: Arc<Tracker>,
    pub controls: Controls,
    pub lease: Arc<Lease>,
    /// What is at work for it.
    task: Mutex<Option<AbortHandle>>,
}

impl HeldJob {
    pub fn is_at_work(&self) -> bool {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub fn id(&self) -> &JobId {
        &self.record.status.id
    }
}

/// See the module.
pub struct Supervisor {
    pub(super) store: Store,
    pub(super) hub: Arc<Hub>,
    pub(super) holder: Holder,
    held: Mutex<HashMap<JobId, Arc<HeldJob>>>,
    /// Jobs that were taken here since somebody asked last; nothing, where nobody does.
    taken: Mutex<Option<Vec<JobId>>>,
    /// One creation at a time, so that two cannot miss each other's collections; and none while it is looked for jobs that
    /// nobody has.
    pub(super) creating: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
    pub(super) is_over: CancellationToken,
    has_crashed: bool,
    pub(super) workers: usize,
    pub verifier: Arc<Verifier>,
    pub analyser: Arc<Analyser>,
}

impl Supervisor {
    /// `owner` stands for the data folder, `seat` for its lock on this machine; `has_crashed`: the last process there has
    /// died by a fault of its own.
    pub fn new(store: Store, hub: Arc<Hub>, owner: String, seat: String, has_crashed: bool) -> Self {
        let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
        Self {
            verifier: Arc::new(Verifier::new(store.clone(), CancellationToken::new())),
            analyser: Arc::new(Analyser::new(store.clone(), owner.clone())),
            store,
            hub,
            holder: Holder {
                id: new_id(),
                owner,
                seat,
            },
            held: Mutex::default(),
            taken: Mutex::default(),
            creating: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            is_over: CancellationToken::new(),
            has_crashed,
            workers,
        }
    }

    /// How many readers a snapshot has at once.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Goes on with the jobs that this data folder left unfinished, and cleans up after those that have ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(self: &Arc<Self>) -> Result<(), StoreError> {
        // A job that is being created is in the store before it is held here: it would be taken for one that nobody has,
        // and run twice. The next look comes soon.
        let Ok(_creating) = self.creating.try_lock() else {
            return Ok(());
        };
        for id in self.store.jobs_to_go_on_with(&self.holder.owner).await? {
            if self.held(&id).is_some() {
                continue;
            }
            match self.take(&id).await {
                Ok(Some((job, acquired))) => self.go_on(&job, &acquired).await,
                Ok(None) => tracing::info!(job.id = %id, "Job {id} is at work in another server"),
                Err(error) if error.is_passing() => return Err(error),
                // One that cannot be read must not keep the others from going on.
                Err(error) => tracing::error!(job.id = %id, %error, "Job {id} cannot go on"),
            }
        }
        Ok(())
    }

    /// Takes a job that nobody has. Nothing of it is at work yet.
    pub(super) async fn take(&self, id: &JobId) -> Result<Option<(Arc<HeldJob>, Taken)>, StoreError> {
        let asked_at = lease::now();
        let Some(acquired) = self.store.acquire_job(id, &self.holder).await? else {
            return Ok(None);
        };
        let Acquired {
            record,
            fence,
            was_held,
            crashes,
            mark,
        } = acquired;
        let id = record.status.id.clone();
        match self.store.samples(&id).await {
            Ok(stored) => self.hub.restore_samples(&id, stored),
            Err(error) => tracing::warn!(job.id = %id, %error, "The charts of job {id} begin anew"),
        }
        let job = self.hold(record, fence, asked_at);
        let taken = Taken {
            was_held,
            crashes,
            mark,
        };
        Ok(Some((job, taken)))
    }

    /// Lets a job that was taken go on as its status says. No way leads from an end back to work.
    pub(super) async fn go_on(self: &Arc<Self>, job: &Arc<HeldJob>, taken: &Taken) {
        let (id, status) = (job.id(), job.tracker.status());
        match JobState::of(&status).phase() {
            Phase::Ending | Phase::Ended => {
                tracing::info!(job.id = %id, "What job {id} has left is cleaned up");
                job.tracker.take_up_end();
                self.launch(job, None);
            }
            Phase::Open if job.record.secrets.is_err() => {
                let reason = "its connections were sealed with another key: put the key file back and start the server \
                              again, or end the job";
                job.tracker.stand_still(reason.into()).await;
            }
            Phase::Open if status.status == JobStatus::Paused || status.cdc_status == CdcStatus::Paused => {
                tracing::info!(job.id = %id, "Job {id} stays paused after a restart");
            }
            Phase::Open if taken.was_held && self.has_crashed_again(job, taken).await => {
                tracing::error!(job.id = %id, "Job {id} was at work when the process died, twice: it does not start again");
                let reason = "the server died twice while the job was at work, and nothing was done in between: it does \
                              not start again by itself. Resume it to try again, or end it";
                job.tracker.stand_still(reason.into()).await;
            }
            Phase::Open if status.stand_still.is_some() && status.cdc_status == CdcStatus::Completing => {
                tracing::info!(job.id = %id, "Job {id} stands still after a restart");
            }
            Phase::Open => {
                tracing::info!(job.id = %id, "Job {id} goes on after a restart");
                let message = "the job goes on after a restart of the server that it was at work in";
                job.tracker.tell(EventKind::Restarted, message.into());
                self.launch(job, None);
            }
        }
    }

    /// Counts a crash of the process with the job at work. Whatever was done since the last one makes it the first. Only a
    /// fault of the process itself counts: who kills it from outside, or pulls the plug, says nothing of the job.
    async fn has_crashed_again(&self, job: &HeldJob, taken: &Taken) -> bool {
        if !self.has_crashed {
            return false;
        }
        let mark = match self.mark(job).await {
            Ok(mark) => mark,
            Err(error) => {
                tracing::warn!(job.id = %job.id(), %error, "How far job {} has come is not known", job.id());
                return false;
            }
        };
        let crashes = if mark == taken.mark { taken.crashes + 1 } else { 1 };
        if let Err(error) = self.store.note_crashes(job.id(), crashes, &mark).await {
            tracing::warn!(job.id = %job.id(), %error, "The crash of job {} could not be noted", job.id());
        }
        crashes >= CRASHES_MAX
    }

    /// How far a job has come: its checkpoints, and the documents that it has written.
    async fn mark(&self, job: &HeldJob) -> Result<String, StoreError> {
        let stored = self.store.progress_mark(job.id()).await?;
        let counted = tokio::time::timeout(COUNT_MAX, async {
            let secrets = job.record.secrets.as_ref().ok()?;
            let sink = sink_of(secrets, job.record.is_made).await.ok()?;
            let mut documents = 0;
            for collection in &job.record.collections {
                documents += sink.count(collection).await.ok()?;
            }
            Some(documents)
        });
        let documents = counted.await.ok().flatten();
        // What cannot be counted may have become more.
        Ok(format!("{stored} {}", documents.map_or_else(new_id, |n| n.to_string())))
    }

    /// Checks everything and starts a job.
    ///
    /// # Errors
    /// What would keep the job from working; no job is made then.
    pub async fn create(
        self: &Arc<Self>,
        request: PostMigrationJobRequest,
        project: ProjectRecord,
    ) -> Result<MigrationJobStatus, JobError> {
        let prepared = prepare(&request, &project.file, false).await?;
        let status = new_status(&request, &project);
        self.begin(status, prepared, (request, project.file, None)).await
    }

    /// Starts a job that has been checked: with what it was asked for, and which rows alone, where it is not all.
    pub(super) async fn begin(
        self: &Arc<Self>,
        status: MigrationJobStatus,
        prepared: Prepared,
        (request, file, again): (PostMigrationJobRequest, ProjectFile, Option<Vec<FailedRow>>),
    ) -> Result<MigrationJobStatus, JobError> {
        let collections: Vec<String> = prepared.plan.collections.iter().map(|c| c.name.clone()).collect();
        let _creating = self.creating.lock().await;
        let place = prepared.sink.place();
        self.check_conflict(&status.id, &place, &collections).await?;
        let record = JobRecord {
            status: status.clone(),
            secrets: Ok(JobSecrets { request, file, again }),
            place,
            collections,
            owner: self.holder.owner.clone(),
            is_prepared: false,
            is_made: false,
            is_source_clean: false,
        };
        let asked_at = lease::now();
        let fence = self.store.insert_job(&record, &self.holder).await?;
        hooks::hold(hooks::CREATED).await;
        // Another server may have done the same in this moment: then both are refused.
        if let Err(error) = self
            .check_conflict(&status.id, &record.place, &record.collections)
            .await
        {
            self.store.withdraw_job(&status.id).await?;
            return Err(error);
        }
        let job = self.hold(record, fence, asked_at);
        self.launch(&job, Some(prepared));
        Ok(status)
    }

    async fn check_conflict(&self, own: &JobId, place: &str, collections: &[String]) -> Result<(), JobError> {
        for other in self.store.unfinished_jobs().await? {
            // One that cleans up writes nothing more.
            let has_written = other.status.status == JobStatus::CleaningUp;
            if other.place != place || other.status.id == *own || has_written {
                continue;
            }
            let common: Vec<String> = other
                .collections
                .iter()
                .filter(|c| collections.contains(c))
                .cloned()
                .collect();
            if !common.is_empty() {
                return Err(JobError::Conflict {
                    job: other.status.id,
                    collections: common,
                });
            }
        }
        Ok(())
    }

    fn hold(&self, record: JobRecord, fence: Fence, asked_at: Duration) -> Arc<HeldJob> {
        let lease = Arc::new(Lease::new(fence.token, asked_at));
        let tracker = Tracker::new(
            record.status.clone(),
            fence,
            lease.clone(),
            self.hub.clone(),
            self.store.clone(),
        );
        let controls = Controls {
            cancel: CancellationToken::new(),
            pause: watch::Sender::new(false),
            complete: watch::Sender::new(record.status.cdc_status == CdcStatus::Completing),
            retry: watch::Sender::new(0),
            retried: watch::Sender::new(Retried::default()),
            parked: watch::Sender::new(0),
            workers: self.workers,
        };
        let job = Arc::new(HeldJob {
            record,
            tracker: Arc::new(tracker),
            controls,
            lease,
            task: Mutex::default(),
        });
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(job.id().clone(), job.clone());
        drop(held);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.iter_mut().for_each(|taken| taken.push(job.id().clone()));
        drop(taken);
        job.tracker.update(|_| ());
        job
    }

    /// Sets a held job to work, unless it is already.
    pub(super) fn launch(self: &Arc<Self>, job: &Arc<HeldJob>, prepared: Option<Prepared>) {
        let mut task = job.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.is_none() && !self.is_over.is_cancelled() {
            let live = Box::pin(self.clone().live(job.clone(), prepared));
            *task = Some(self.tasks.spawn(live).abort_handle());
        }
    }

    /// From wherever the job stands to its end, and until nothing of it is left.
    async fn live(self: Arc<Self>, job: Arc<HeldJob>, prepared: Option<Prepared>) {
        if job.tracker.phase() == Phase::Open
            && let Ok(secrets) = job.record.secrets.clone()
        {
            let work = Work {
                record: job.record.clone(),
                secrets,
                prepared,
                store: self.store.clone(),
                tracker: job.tracker.clone(),
                controls: job.controls.clone(),
                lease: job.lease.clone(),
                last_stage: LastStage::new(self.verifier.clone(), self.holder.owner.clone()),
            };
            // Beside the job: a store that hangs holds up its charts alone.
            let saving = AbortOnDropHandle::new(tokio::spawn(self.clone().keep_saving_samples(job.id().clone())));
            let ended = Box::pin(runner::run(work)).await;
            drop(saving);
            match ended {
                Ended::Completed | Ended::Cancelled => {}
                // Where a stop was quicker, it ends as that.
                Ended::Failed(failure) => {
                    let _ = job.tracker.decide(JobEvent::Fail, Some(failure));
                }
                Ended::Lost => return self.forget(&job).await,
            }
            if job.tracker.phase() == Phase::Open {
                // Nothing at work and nothing decided: it must not seem to run.
                tracing::error!(job.id = %job.id(), "Job {} ended without a decision", job.id());
                let _ = job.tracker.stop(None);
            }
        }
        let mut ending = Ending {
            record: job.record.clone(),
            store: self.store.clone(),
            tracker: job.tracker.clone(),
            lease: job.lease.clone(),
        };
        self.save_samples(job.id()).await;
        ending.finish().await;
        self.save_samples(job.id()).await;
        self.forget(&job).await;
    }

    /// The job is over here: it is clean, or nothing more can be done, or another server has it.
    async fn forget(&self, job: &HeldJob) {
        self.let_go(job.id());
        let ids = [job.id().clone()];
        let given_back = async {
            self.store.release_jobs(&ids, &self.holder.id).await?;
            self.store.delete_if_forgotten(job.id()).await
        };
        if let Err(error) = given_back.await {
            tracing::warn!(job.id = %job.id(), %error, "Job {} could not be given back", job.id());
        }
    }

    /// The jobs that were taken here since this was asked last.
    pub(super) fn newly_taken(&self) -> Vec<JobId> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(taken.get_or_insert_default())
    }

    /// Takes a job out of those that are held.
    pub(super) fn let_go(&self, id: &JobId) -> Option<Arc<HeldJob>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(id)
    }

    pub(super) fn held(&self, id: &JobId) -> Option<Arc<HeldJob>> {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    pub(super) fn all_held(&self) -> Vec<Arc<HeldJob>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.values().cloned().collect()
    }

    /// The newest status of a job, whoever has it.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn status(&self, id: &JobId) -> Result<MigrationJobStatus, JobError> {
        if let Some(known) = self.hub.job(id) {
            return Ok((*known).clone());
        }
        let stored = self.store.job_status(id).await?;
        stored.ok_or_else(|| JobError::NotFound(id.clone()))
    }

    /// Forgets the jobs of a project that is deleted. What ended ones still have in the source is cleaned up all the same.
    ///
    /// # Errors
    /// When one of them still runs, here or in another server, or the store fails.
    pub async fn forget_project(&self, project: &ProjectId) -> Result<(), JobError> {
        let unfinished = self.store.unfinished_jobs().await?;
        if let Some(job) = unfinished.into_iter().find(|j| j.status.project_id == *project) {
            return Err(JobError::ProjectInUse {
                job: job.status.id,
                project: job.status.project_name,
            });
        }
        let ids = self.store.delete_jobs_of(project).await?;
        for job in ids.iter().filter_map(|id| self.held(id)) {
            tracing::info!(job.id = %job.id(), "The project of job {} is deleted, and the source is still cleaned", job.id());
            job.tracker.hide();
        }
        self.hub.remove(&ids);
        self.store.delete_kept(&ids).await?;
        self.store.delete_verifications_of(&ids, Some(project)).await?;
        self.analyser.forget(project).await?;
        Ok(())
    }

    /// Lets go of all jobs at the end of the process: they go on at its next start. Ends soon, whatever does not answer.
    pub async fn shut_down(&self) {
        self.is_over.cancel();
        self.verifier.shut_down().await;
        self.analyser.shut_down().await;
        let jobs = self.all_held();
        let at_work = jobs.iter().filter(|job| job.is_at_work());
        let saves = at_work.clone().map(|job| job.tracker.save());
        let _ = tokio::time::timeout(SHUT_DOWN_MAX, futures_util::future::join_all(saves)).await;
        for job in at_work {
            if let Some(task) = &*job.task.lock().unwrap_or_else(PoisonError::into_inner) {
                task.abort();
            }
        }
        self.tasks.close();
        if tokio::time::timeout(SHUT_DOWN_MAX, self.tasks.wait()).await.is_err() {
            // What still runs ends with the process, and the lock on the data folder with it.
            return;
        }
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id().clone()).collect();
        let given_back = self.store.release_jobs(&ids, &self.holder.id);
        let _ = tokio::time::timeout(SHUT_DOWN_MAX, given_back).await;
    }
}

/// What is known of a job that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    was_held: bool,
    crashes: i32,
    mark: String,
}

pub(super) fn new_status(request: &PostMigrationJobRequest, project: &ProjectRecord) -> MigrationJobStatus {
    let label = JobLabel {
        name: request.name.clone(),
        note: request.note.clone(),
    };
    let label = label.tidied();
    MigrationJobStatus {
        id: JobId::new(new_id()),
        project_id: project.summary.id.clone(),
        project_name: project.summary.name.clone(),
        name: label.name,
        note: label.note,
        retry_of: None,
        status: JobStatus::Running,
        submitted_at: Utc::now(),
        ended_at: None,
        options: request.options.clone(),
        cdc_status: Default::default(),
        verification_job_id: None,
        jdbc_connection_string: with_masked_password(&request.jdbc_connection_details.url),
        mongo_db_connection_string: with_masked_password(&request.mongodb_connection_details.connection_string),
        statistics: JobStatistics {
            started_at: Some(Utc::now()),
            ..JobStatistics::default()
        },
        cdc_statistics: None,
        job_updates: Vec::new(),
        failure_error: None,
        end: None,
        stand_still: None,
        outages: Vec::new(),
        metadata: JobMetadata {
            verification_requested: request.verification.enabled,
            verification_status: None,
        },
        relational_table_filters: request.relational_table_filters.clone(),
    }
}
