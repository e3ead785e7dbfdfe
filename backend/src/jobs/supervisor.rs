//! All jobs of this process: starts them, hands them what users want, and finds them again after a restart.

use super::hub::Hub;
use super::prepare::{PrepareError, prepare};
use super::runner;
use super::state::{CdcEvent, CdcTransitionError, JobEvent, TransitionError};
use super::tracker::{Controls, Tracker};
use crate::store::{JobRecord, JobSecrets, ProjectRecord, Store, StoreError, new_id};
use chrono::Utc;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{
    CdcStatus, JobMetadata, JobStatistics, JobStatus, MigrationJobStatus, PostMigrationJobRequest,
};
use godwit_shared::relmig::with_masked_password;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a pause waits for what is under way.
const PAUSE_MAX: Duration = Duration::from_secs(20);

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
    #[error("job {job} writes the collections {} of the same database", collections.join(", "))]
    Conflict { job: JobId, collections: Vec<String> },
    #[error("the project \"{project}\" cannot be deleted: its job {job} has not ended")]
    ProjectInUse { job: JobId, project: String },
}

struct Running {
    tracker: Arc<Tracker>,
    controls: Controls,
}

/// See the module.
pub struct Supervisor {
    store: Store,
    hub: Arc<Hub>,
    /// Stands for this installation in the store.
    owner: String,
    running: Mutex<HashMap<JobId, Running>>,
    /// One creation at a time, so that two cannot miss each other's collections.
    creating: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
    workers: usize,
}

impl Supervisor {
    pub fn new(store: Store, hub: Arc<Hub>, owner: String) -> Self {
        let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
        Self {
            store,
            hub,
            owner,
            running: Mutex::default(),
            creating: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            workers,
        }
    }

    /// Goes on with the jobs that this installation left unfinished.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(&self) -> Result<(), StoreError> {
        for head in self.store.unfinished_jobs().await? {
            if head.owner != self.owner {
                continue;
            }
            let record = match self.store.job(&head.status.id).await {
                Ok(Some(record)) => record,
                Ok(None) => continue,
                // One that cannot be read must not keep the others from going on.
                Err(error @ (StoreError::Malformed(_) | StoreError::KeyFile { .. })) => {
                    tracing::error!(job.id = %head.status.id, %error, "Job {} cannot go on", head.status.id);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let id = record.status.id.clone();
            match record.status.status {
                JobStatus::Running if record.status.cdc_status == CdcStatus::Paused => {
                    tracing::info!(job.id = %id, "Job {id} stays paused after a restart");
                }
                JobStatus::Running | JobStatus::CleaningUp => {
                    tracing::info!(job.id = %id, "Job {id} goes on after a restart");
                    let mut record = record;
                    record.status.status = JobStatus::Running;
                    self.launch(record, None);
                }
                JobStatus::Paused => {
                    tracing::info!(job.id = %id, "Job {id} stays paused after a restart");
                }
                // It ends as cancelled, when what it made in the source is gone.
                JobStatus::Cancelling => self.launch(record, None),
                JobStatus::Cancelled | JobStatus::Failed | JobStatus::Completed => {}
            }
        }
        Ok(())
    }

    /// Checks everything and starts a job.
    ///
    /// # Errors
    /// What would keep the job from working; no job is made then.
    pub async fn create(
        &self,
        request: PostMigrationJobRequest,
        project: ProjectRecord,
    ) -> Result<MigrationJobStatus, JobError> {
        let prepared = prepare(&request, &project.file).await?;
        let collections: Vec<String> = prepared.plan.collections.iter().map(|c| c.name.clone()).collect();
        let _creating = self.creating.lock().await;
        let place = prepared.sink.place();
        self.check_conflict(&place, &collections).await?;
        let status = MigrationJobStatus {
            id: JobId::new(new_id()),
            project_id: project.summary.id.clone(),
            project_name: project.summary.name.clone(),
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
            metadata: JobMetadata {
                verification_requested: request.verification.enabled,
                verification_status: None,
            },
            relational_table_filters: request.relational_table_filters.clone(),
        };
        let record = JobRecord {
            status: status.clone(),
            secrets: JobSecrets {
                request,
                file: project.file,
            },
            place,
            collections,
            owner: self.owner.clone(),
            is_prepared: false,
        };
        self.store.insert_job(&record).await?;
        self.launch(record, Some(prepared));
        Ok(status)
    }

    async fn check_conflict(&self, place: &str, collections: &[String]) -> Result<(), JobError> {
        for other in self.store.unfinished_jobs().await? {
            let common: Vec<String> = other
                .collections
                .iter()
                .filter(|c| collections.contains(c))
                .cloned()
                .collect();
            if other.place == place && !common.is_empty() {
                return Err(JobError::Conflict {
                    job: other.status.id,
                    collections: common,
                });
            }
        }
        Ok(())
    }

    fn launch(&self, record: JobRecord, prepared: Option<super::prepare::Prepared>) {
        let id = record.status.id.clone();
        let tracker = Arc::new(Tracker::new(
            record.status.clone(),
            self.hub.clone(),
            self.store.clone(),
        ));
        self.hub.publish(record.status.clone());
        let cancel = CancellationToken::new();
        if record.status.status == JobStatus::Cancelling {
            cancel.cancel();
        }
        let controls = Controls {
            cancel,
            pause: watch::Sender::new(false),
            complete: watch::Sender::new(record.status.cdc_status == CdcStatus::Completing),
            parked: watch::Sender::new(0),
            workers: self.workers,
        };
        let running = Running {
            tracker: tracker.clone(),
            controls: controls.clone(),
        };
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, running);
        self.tasks.spawn(Box::pin(runner::run(
            record,
            prepared,
            self.store.clone(),
            tracker,
            controls,
        )));
    }

    fn running(&self, id: &JobId) -> Option<(Arc<Tracker>, Controls)> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(id).map(|r| (r.tracker.clone(), r.controls.clone()))
    }

    fn known(&self, id: &JobId) -> Result<Arc<MigrationJobStatus>, JobError> {
        self.hub.job(id).ok_or_else(|| JobError::NotFound(id.clone()))
    }

    /// Stops a job: in the snapshot stage it is cancelled, what is written stays. In the CDC stage it is completed:
    /// everything up to now is applied. `abandons` cancels it there too, without that.
    ///
    /// # Errors
    /// When there is no such job or it has ended.
    pub async fn stop(&self, id: &JobId, abandons: bool) -> Result<MigrationJobStatus, JobError> {
        let status = self.known(id)?;
        let is_streaming = match status.cdc_status {
            CdcStatus::Running | CdcStatus::Paused | CdcStatus::Completing => true,
            CdcStatus::NotStarted | CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled => false,
        };
        let completes = is_streaming && !abandons && !status.status.is_ended();
        match self.running(id) {
            Some((tracker, controls)) => {
                if completes {
                    tracker.advance_cdc(CdcEvent::Complete).await?;
                    controls.complete.send_replace(true);
                } else {
                    tracker.advance(JobEvent::Stop).await?;
                    controls.cancel.cancel();
                }
                controls.pause.send_replace(false);
                Ok(tracker.status())
            }
            // Paused before a restart: nothing of it runs.
            None => {
                let tracker = Tracker::new((*status).clone(), self.hub.clone(), self.store.clone());
                if completes {
                    tracker.advance_cdc(CdcEvent::Complete).await?;
                } else {
                    tracker.advance(JobEvent::Stop).await?;
                }
                let record = self.record(id).await?;
                self.launch(record, None);
                Ok(tracker.status())
            }
        }
    }

    async fn record(&self, id: &JobId) -> Result<JobRecord, JobError> {
        self.store.job(id).await?.ok_or_else(|| JobError::NotFound(id.clone()))
    }

    /// Lets a job stand still. In the snapshot stage the point in time is kept open in the source as long as this process
    /// lives; in the CDC stage the source keeps its log.
    ///
    /// # Errors
    /// When there is no such job or it does not run.
    pub async fn pause(&self, id: &JobId) -> Result<MigrationJobStatus, JobError> {
        let status = self.known(id)?;
        let Some((tracker, controls)) = self.running(id) else {
            return Err(TransitionError {
                from: status.status,
                event: JobEvent::Pause,
            }
            .into());
        };
        let is_streaming = tracker.begin_pause::<JobError>(&controls.pause).await?;
        // Confirmed only when nothing is written any more; the CDC stage counts as paused from then on.
        let mut parked = controls.parked.subscribe();
        let is_idle = |tracker: &Tracker, parked: usize| {
            let is_reading = is_streaming || !tracker.status().statistics.processing_tables.is_empty();
            parked >= controls.workers || !is_reading
        };
        let _ = tokio::time::timeout(PAUSE_MAX, async {
            while !is_idle(&tracker, *parked.borrow_and_update()) {
                tokio::select! {
                    changed = parked.changed() => if changed.is_err() { break },
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
            }
        })
        .await;
        Ok(tracker.status())
    }

    /// Lets a paused job go on.
    ///
    /// # Errors
    /// When there is no such job or it is not paused.
    pub async fn resume(&self, id: &JobId) -> Result<MigrationJobStatus, JobError> {
        let status = self.known(id)?;
        let is_streaming = !status.status.is_ended() && status.cdc_status == CdcStatus::Paused;
        if let Some((tracker, controls)) = self.running(id) {
            if is_streaming {
                tracker.advance_cdc(CdcEvent::Resume).await?;
            } else {
                tracker.advance(JobEvent::Resume).await?;
            }
            controls.pause.send_replace(false);
            return Ok(tracker.status());
        }
        let mut record = self.record(id).await?;
        if is_streaming {
            record.status.cdc_status = super::state::cdc_transition(status.cdc_status, CdcEvent::Resume)?;
        } else {
            record.status.status = super::state::transition(status.status, JobEvent::Resume)?;
        }
        self.store.save_job_status(&record.status).await?;
        let status = record.status.clone();
        self.launch(record, None);
        Ok(status)
    }

    /// Forgets the jobs of a project that is deleted.
    ///
    /// # Errors
    /// When one of them still runs, or the store fails.
    pub async fn forget_project(&self, project: &ProjectId) -> Result<(), JobError> {
        if let Some(job) = self.hub.jobs(Some(project)).iter().find(|j| !j.status.is_ended()) {
            return Err(JobError::ProjectInUse {
                job: job.id.clone(),
                project: job.project_name.clone(),
            });
        }
        let ids = self.store.delete_jobs_of(project).await?;
        self.hub.remove(&ids);
        Ok(())
    }

    /// Lets go of all jobs at the end of the process: they go on at its next start.
    pub async fn shut_down(&self) {
        let trackers: Vec<Arc<Tracker>> = {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.values().map(|r| r.tracker.clone()).collect()
        };
        for tracker in trackers {
            if !tracker.status().status.is_ended() {
                tracker.save().await;
            }
        }
        self.tasks.close();
    }
}
