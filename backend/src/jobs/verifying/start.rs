//! How a verification begins, and goes on after an interruption.

use super::ground::Ground;
use super::{Active, VerifyingError, elsewhere};
use crate::data::failed::FailedRowList;
use crate::jobs::JobError;
use crate::jobs::prepare::{PrepareError, prepare_again, sink_of};
use crate::jobs::supervisor::Supervisor;
use crate::plan::Plan;
use crate::sink::Sink;
use crate::snapshot;
use crate::source::api::Source;
use crate::store::{JobSecrets, ProjectRecord, VerificationRecord, new_id};
use crate::verify::{Outcome, VerifyRun};
use chrono::Utc;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus, MigrationMode, PostMigrationJobRequest};
use godwit_shared::relmig::with_masked_password;
use godwit_shared::verification::{
    CollectionVerification, Verification, VerificationLevel, VerificationOptions, VerificationStatus,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// More do not gain anything: source and destination are the limit.
pub(super) const WORKERS_MAX: usize = 4;

/// What a verification is of.
pub enum StartRequest {
    /// The documents of a job, with its connections, filters and project as they were.
    Job(JobId),
    /// Those of a project in a destination.
    Project(Box<PostMigrationJobRequest>, Box<ProjectRecord>),
}

/// Source, destination and plan, ready to be compared.
pub(super) struct Opened {
    pub plan: Plan,
    pub source: Arc<dyn Source>,
    pub sink: Sink,
}

/// Why not just now, as a job is at work.
pub(super) fn why_not_now(status: &MigrationJobStatus) -> Option<&'static str> {
    if status.status.is_ended() {
        return None;
    }
    match (status.options.mode, status.cdc_status) {
        (MigrationMode::Cdc | MigrationMode::CdcOnly, CdcStatus::Running | CdcStatus::Completing) => None,
        (MigrationMode::Cdc | MigrationMode::CdcOnly, CdcStatus::Paused) => {
            Some("the job is paused, so its documents are older than the rows: resume it first, or end it")
        }
        (_, CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled) => None,
        (_, _) if status.status == JobStatus::CleaningUp => None,
        _ => Some("the job still copies rows: wait until that is done"),
    }
}

impl Supervisor {
    /// Starts a verification.
    ///
    /// # Errors
    /// When what is asked for does not exist or cannot be verified just now, or source, destination or store fail.
    pub async fn verify(
        self: &Arc<Self>,
        request: StartRequest,
        options: VerificationOptions,
    ) -> Result<Verification, VerifyingError> {
        check_options(&options)?;
        let (job, secrets, is_made, project) = match request {
            StartRequest::Job(id) => {
                let record = self.record(&id).await?;
                let status = self.status(&id).await?;
                if let Some(reason) = why_not_now(&status) {
                    return Err(VerifyingError::Refused(reason.into()));
                }
                let secrets = record.secrets.map_err(VerifyingError::Refused)?;
                // A job that has not come to its end has not made its time series.
                let is_made = record.is_made || status.status == JobStatus::Completed;
                (Some(id), secrets, is_made, (status.project_id, status.project_name))
            }
            StartRequest::Project(request, project) => {
                let summary = (project.summary.id.clone(), project.summary.name.clone());
                let secrets = JobSecrets {
                    request: *request,
                    file: project.file,
                    again: None,
                };
                (None, secrets, true, summary)
            }
        };
        let opened = open(&secrets, is_made, &options).await?;
        let follows = self.follower(job.as_ref(), &opened).await?;
        let mut status = new_verification(job.clone(), project, &secrets, &opened.plan, options);
        status.read_at = read_at(false, follows.is_some());
        self.verifier
            .store
            .insert_verification(&VerificationRecord {
                status: status.clone(),
                secrets: job.is_none().then_some(secrets),
                owner: self.holder.owner.clone(),
            })
            .await?;
        self.launch_verification(status, opened, follows).await
    }

    /// The job that follows changes into what is verified, if there is one.
    async fn follower(&self, job: Option<&JobId>, opened: &Opened) -> Result<Option<JobId>, VerifyingError> {
        let place = opened.sink.place();
        for other in self.store.unfinished_jobs().await? {
            let is_own = job == Some(&other.status.id);
            let has_common = opened
                .plan
                .collections
                .iter()
                .any(|c| other.collections.contains(&c.name));
            if !is_own && (other.place != place || !has_common) {
                continue;
            }
            let status = self.status(&other.status.id).await?;
            if let Some(reason) = why_not_now(&status) {
                return Err(VerifyingError::Refused(reason.into()));
            }
            let follows = matches!(status.cdc_status, CdcStatus::Running | CdcStatus::Completing);
            if follows && !status.status.is_ended() {
                return Ok(Some(other.status.id));
            }
        }
        Ok(None)
    }

    async fn launch_verification(
        self: &Arc<Self>,
        status: Verification,
        opened: Opened,
        follows: Option<JobId>,
    ) -> Result<Verification, VerifyingError> {
        let ground = Ground {
            tables: opened.plan.tables(),
            readers: readers_of(&opened.plan, self.verify_workers()),
            source: opened.source,
            is_held: false,
            follows: follows.map(|job| (self.hub.clone(), job)),
        };
        let point = match ground.point().await {
            Ok(point) => point,
            Err(error) => {
                let active = Active::new(status.clone());
                return Ok(self.verifier.end(&status.id, &active, Err(error)).await);
            }
        };
        let failed = match &status.job_id {
            Some(job) => self.store.failed_rows(job).await?,
            None => FailedRowList::default(),
        };
        let active = Active::new(status);
        // One lock after the other: those of one expression are held to its end.
        let id = active.lock().id.clone();
        let options = active.lock().options.clone();
        let run = VerifyRun {
            id,
            plan: Arc::new(opened.plan),
            point,
            points: Arc::new(ground),
            sink: opened.sink,
            store: self.store.clone(),
            options,
            progress: active.progress.clone(),
            cancel: active.cancel.clone(),
            is_paused: active.pause.subscribe(),
            workers: self.verify_workers(),
            failed: failed_of(&failed),
            unstable: Mutex::default(),
        };
        let shown = active.shown();
        self.verifier.put(&run.id, &active);
        let supervisor = self.clone();
        let task = async move {
            let is_over = supervisor.verifier.is_over.clone();
            tokio::select! {
                biased;
                // The store says that it is at work: it goes on at the next start.
                () = is_over.cancelled() => {}
                ended = supervisor.verifier.work(active, run) => {
                    if let Some(job) = &ended.job_id {
                        supervisor.tell_job(job, &ended).await;
                    }
                }
            }
        };
        self.verifier.tasks.spawn(Box::pin(task));
        Ok(shown)
    }

    /// Lets a paused verification go on, or one that was aborted.
    ///
    /// # Errors
    /// When there is none, it has ended otherwise, or source, destination or store fail.
    pub async fn resume_verification(self: &Arc<Self>, id: &str) -> Result<Verification, VerifyingError> {
        if self.verifier.active(id).is_some() {
            return self.verifier.set_paused(id, false).await;
        }
        let record = self.verifier.store.verification(id).await?;
        let record = record.ok_or_else(|| VerifyingError::NotFound(id.to_owned()))?;
        match record.status.status {
            VerificationStatus::Aborted => {}
            VerificationStatus::Verifying | VerificationStatus::Cancelling => return Err(elsewhere()),
            other => {
                return Err(VerifyingError::Refused(format!(
                    "the verification has ended as {}: start another one",
                    other.word()
                )));
            }
        }
        self.go_on_verifying(record).await
    }

    async fn go_on_verifying(self: &Arc<Self>, record: VerificationRecord) -> Result<Verification, VerifyingError> {
        let mut status = record.status.clone();
        let (secrets, is_made) = self.secrets_of(&record).await?;
        let opened = open(&secrets, is_made, &status.options).await?;
        let follows = self.follower(status.job_id.as_ref(), &opened).await?;
        status.status = VerificationStatus::Verifying;
        status.failure = None;
        status.ended_at = None;
        status.is_paused = false;
        status.read_at = read_at(false, follows.is_some());
        self.verifier.store.save_verification(&status).await?;
        self.launch_verification(status, opened, follows).await
    }

    /// What a verification was started with, and whether the time series are made.
    pub(super) async fn secrets_of(
        self: &Arc<Self>,
        record: &VerificationRecord,
    ) -> Result<(JobSecrets, bool), VerifyingError> {
        match (&record.secrets, &record.status.job_id) {
            (Some(secrets), _) => Ok((secrets.clone(), true)),
            (None, Some(job)) => {
                let record = self.record(job).await?;
                let status = self.status(job).await?;
                let is_made = record.is_made || status.status == JobStatus::Completed;
                Ok((record.secrets.map_err(VerifyingError::Refused)?, is_made))
            }
            (None, None) => Err(VerifyingError::Refused("its connections are not known any more".into())),
        }
    }

    /// Goes on with the verifications that this data folder left at work.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover_verifications(self: &Arc<Self>) -> Result<(), VerifyingError> {
        for id in self.store.open_verifications(&self.holder.owner).await? {
            if self.verifier.active(&id).is_some() {
                continue;
            }
            let Some(mut record) = self.store.verification(&id).await? else {
                continue;
            };
            // The last stage of a job is the job's to go on with.
            if record.status.is_stage
                && let Some(job) = &record.status.job_id
                && self.status(job).await.is_ok_and(|job| !job.status.is_ended())
            {
                continue;
            }
            if record.status.is_repairing {
                record.status.is_repairing = false;
                record.status.repair = Some("the server has ended while it repaired: repair again".into());
                self.store.save_verification(&record.status).await?;
                continue;
            }
            if record.status.status == VerificationStatus::Cancelling {
                let active = Active::new(record.status);
                self.verifier.end(&id, &active, Ok(Outcome::Cancelled)).await;
                continue;
            }
            let status = record.status.clone();
            if let Err(error) = Box::pin(self.go_on_verifying(record)).await {
                let active = Active::new(status.clone());
                let reason = crate::verify::VerifyError::Panicked(error.to_string());
                tracing::warn!(verification = %id, %error, "Verification {id} cannot go on");
                self.verifier.end(&id, &active, Err(reason)).await;
            }
        }
        Ok(())
    }

    pub(super) fn verify_workers(&self) -> usize {
        self.workers.min(WORKERS_MAX)
    }
}

/// Opens both sides, with the plan for the collections that are wanted.
pub(super) async fn open(
    secrets: &JobSecrets,
    is_made: bool,
    options: &VerificationOptions,
) -> Result<Opened, VerifyingError> {
    let JobSecrets { request, file, .. } = secrets;
    let prepared = Box::pin(prepare_again(request, file)).await.map_err(JobError::from)?;
    let mut plan = prepared.plan;
    narrow(&mut plan, options)?;
    let sink = sink_of(secrets, is_made)
        .await
        .map_err(|e| JobError::from(PrepareError::from(e)))?;
    Ok(Opened {
        plan,
        source: prepared.source,
        sink,
    })
}

/// How many connections are open at once: those of the workers, and for each one more that looks again.
pub(super) fn readers_of(plan: &Plan, workers: usize) -> usize {
    snapshot::readers_of(plan, workers) + workers + 1
}

/// Takes out the collections that are not to be verified.
pub(super) fn narrow(plan: &mut Plan, options: &VerificationOptions) -> Result<(), VerifyingError> {
    let wanted = &options.included_collections;
    if wanted.is_empty() {
        return Ok(());
    }
    if let Some(unknown) = wanted
        .iter()
        .find(|name| !plan.collections.iter().any(|c| c.name == **name))
    {
        return Err(VerifyingError::Invalid(format!(
            "the project writes no collection \"{unknown}\""
        )));
    }
    plan.collections.retain(|c| wanted.contains(&c.name));
    Ok(())
}

fn check_options(options: &VerificationOptions) -> Result<(), VerifyingError> {
    let percent = options.sample_percent;
    if percent.is_some_and(|percent| !(percent > 0.0 && percent <= 100.0)) {
        return Err(VerifyingError::Invalid(
            "`samplePercent` has to be more than 0 and at most 100".into(),
        ));
    }
    if percent.is_some() && options.level != VerificationLevel::Sample {
        return Err(VerifyingError::Invalid(
            "`samplePercent` is for the level SAMPLE".into(),
        ));
    }
    if options.max_rows_per_second == Some(0) {
        return Err(VerifyingError::Invalid(
            "with 0 rows in a second it would never end: pause it instead".into(),
        ));
    }
    Ok(())
}

/// Rows whose documents the destination has refused, by table and key.
pub(super) fn failed_of(failed: &FailedRowList) -> HashMap<(String, Vec<(String, String)>), String> {
    let refused = failed.rows.iter().filter(|row| row.code == "write_refused");
    refused
        .map(|row| ((row.table.clone(), row.key.clone()), row.code.clone()))
        .collect()
}

/// In words: which state of the source the documents are compared with.
pub(super) fn read_at(is_held: bool, follows: bool) -> String {
    match (is_held, follows) {
        (true, _) => "the point in time of the job".into(),
        (false, true) => {
            "now, while the job follows changes: a difference counts when the job has applied all that was \
                          committed before it was read"
                .into()
        }
        (false, false) => "now: rows that change meanwhile are told as changed since".into(),
    }
}

pub(super) fn new_verification(
    job_id: Option<JobId>,
    (project_id, project_name): (ProjectId, String),
    secrets: &JobSecrets,
    plan: &Plan,
    options: VerificationOptions,
) -> Verification {
    let collections = plan.collections.iter().map(|c| CollectionVerification {
        collection: c.name.clone(),
        rows_estimated: c.roots.iter().map(|r| r.node.table.rows_estimated).sum(),
        ..CollectionVerification::default()
    });
    Verification {
        id: new_id(),
        job_id,
        project_id,
        project_name,
        status: VerificationStatus::Verifying,
        is_paused: false,
        is_stage: false,
        started_at: Utc::now(),
        ended_at: None,
        options,
        source: with_masked_password(&secrets.request.jdbc_connection_details.url),
        destination: with_masked_password(&secrets.request.mongodb_connection_details.connection_string),
        read_at: read_at(false, false),
        collections: collections.collect(),
        version: env!("CARGO_PKG_VERSION").into(),
        findings: 0,
        findings_stored: 0,
        findings_repaired: 0,
        exceptions: Vec::new(),
        notes: Vec::new(),
        failure: None,
        is_repairing: false,
        repair: None,
    }
}
