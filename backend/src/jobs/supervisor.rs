//! All jobs of this process: starts them, hands them what users want, and finds them again after a restart.

use super::hub::Hub;
use super::prepare::{PrepareError, prepare};
use super::runner::{self, Controls, Tracker};
use super::state::{JobEvent, TransitionError};
use crate::store::{JobRecord, JobSecrets, ProjectRecord, Store, StoreError, new_id};
use chrono::Utc;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{JobMetadata, JobStatistics, JobStatus, MigrationJobStatus, PostMigrationJobRequest};
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
    #[error("there is no job {0}")]
    NotFound(JobId),
    #[error("job {job} writes the collections {} of the same database", collections.join(", "))]
    Conflict { job: JobId, collections: Vec<String> },
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
        for record in self.store.unfinished_jobs().await? {
            if record.owner != self.owner {
                continue;
            }
            let id = record.status.id.clone();
            match record.status.status {
                JobStatus::Running | JobStatus::CleaningUp => {
                    tracing::info!(job.id = %id, "Job {id} goes on after a restart");
                    let mut record = record;
                    record.status.status = JobStatus::Running;
                    self.launch(record, None);
                }
                JobStatus::Paused => {
                    tracing::info!(job.id = %id, "Job {id} stays paused after a restart");
                }
                JobStatus::Cancelling => {
                    let tracker = Tracker::new(record.status, self.hub.clone(), self.store.clone());
                    if let Err(error) = tracker.advance(JobEvent::Stopped).await {
                        tracing::error!(job.id = %id, %error, "Job {id} could not be ended");
                    }
                }
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
        let controls = Controls {
            cancel: CancellationToken::new(),
            pause: watch::Sender::new(false),
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

    /// Stops a job. What is written stays.
    ///
    /// # Errors
    /// When there is no such job or it has ended.
    pub async fn stop(&self, id: &JobId) -> Result<MigrationJobStatus, JobError> {
        let status = self.known(id)?;
        match self.running(id) {
            Some((tracker, controls)) => {
                tracker.advance(JobEvent::Stop).await?;
                controls.cancel.cancel();
                controls.pause.send_replace(false);
                Ok(tracker.status())
            }
            // Paused before a restart: nothing of it runs.
            None => {
                let tracker = Tracker::new((*status).clone(), self.hub.clone(), self.store.clone());
                tracker.advance(JobEvent::Stop).await?;
                tracker.advance(JobEvent::Stopped).await?;
                self.store.delete_chunks(id).await?;
                self.store.delete_claims(id).await?;
                Ok(tracker.status())
            }
        }
    }

    /// Lets a job stand still. The point in time is kept open in the source as long as this process lives.
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
        tracker.advance(JobEvent::Pause).await?;
        controls.pause.send_replace(true);
        // Confirmed only when nothing is written any more.
        let mut parked = controls.parked.subscribe();
        let is_idle = |tracker: &Tracker, parked: usize| {
            parked >= controls.workers || tracker.status().statistics.processing_tables.is_empty()
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
        if let Some((tracker, controls)) = self.running(id) {
            tracker.advance(JobEvent::Resume).await?;
            controls.pause.send_replace(false);
            return Ok(tracker.status());
        }
        super::state::transition(status.status, JobEvent::Resume)?;
        let mut record = self
            .store
            .job(id)
            .await?
            .ok_or_else(|| JobError::NotFound(id.clone()))?;
        record.status.status = JobStatus::Running;
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
            return Err(JobError::Conflict {
                job: job.id.clone(),
                collections: vec![job.project_name.clone()],
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
