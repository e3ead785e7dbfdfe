//! Verification as the last stage of a job: in the job's own point in time, where the source still has it.

use super::ground::Ground;
use super::start::{WORKERS_MAX, failed_of, narrow, new_verification, read_at, readers_of};
use super::{Active, Verifier, VerifyingError};
use crate::data::failed::FailedRowList;
use crate::jobs::JobError;
use crate::jobs::events::EventKind;
use crate::jobs::prepare::prepare_again;
use crate::jobs::tracker::{Controls, Tracker};
use crate::plan::Plan;
use crate::sink::Sink;
use crate::source::api::{Snapshot, Source};
use crate::store::{JobRecord, JobSecrets, JobStore, VerificationRecord};
use crate::verify::{VerifyError, VerifyRun};
use godwit_shared::job::MigrationMode;
use godwit_shared::verification::{Verification, VerificationOptions, VerificationStatus};
use std::sync::{Arc, Mutex};

/// What the stage needs.
struct Stage<'a> {
    tracker: &'a Tracker,
    controls: &'a Controls,
    secrets: &'a JobSecrets,
    plan: Arc<Plan>,
    source: Arc<dyn Source>,
    /// As the job has left it: with its time series.
    sink: Sink,
    /// The point in time that the job has read in; nothing where it is gone.
    point: Option<Arc<dyn Snapshot>>,
    failed: FailedRowList,
    owner: &'a str,
}

/// What a job keeps of its snapshot for its last stage.
pub struct LastStage {
    verifier: Arc<Verifier>,
    /// Which installation runs the job.
    owner: String,
    plan: Option<Arc<Plan>>,
    source: Option<Arc<dyn Source>>,
    point: Option<Arc<dyn Snapshot>>,
}

impl LastStage {
    /// With nothing kept yet.
    pub fn new(verifier: Arc<Verifier>, owner: String) -> Self {
        Self {
            verifier,
            owner,
            plan: None,
            source: None,
            point: None,
        }
    }

    /// Whether the documents of a job are to be verified at its end.
    fn is_wanted(secrets: &JobSecrets) -> bool {
        let request = &secrets.request;
        request.verification.enabled && request.options.mode == MigrationMode::Snapshot && secrets.again.is_none()
    }

    /// How many connections it needs on the job's point in time, besides those of the snapshot: each worker looks again at
    /// what differs.
    pub fn more_readers(secrets: &JobSecrets, workers: usize) -> usize {
        if Self::is_wanted(secrets) { workers + 1 } else { 0 }
    }

    /// Keeps the point in time that rows are read in, if it is wanted.
    pub fn keep_point(&mut self, secrets: &JobSecrets, plan: &Arc<Plan>, point: &Arc<dyn Snapshot>) {
        if !Self::is_wanted(secrets) {
            return;
        }
        self.plan = Some(plan.clone());
        self.point = Some(point.clone());
    }

    /// Keeps the source. After an interruption the documents are of two points in time, so none of them stands for all.
    pub fn keep_source(&mut self, source: Arc<dyn Source>, is_first_go: bool) {
        self.source = Some(source);
        self.point = self.point.take().filter(|_| is_first_go);
    }

    /// Verifies, where the user wants it. What is found is told, and is no failure of the job.
    pub async fn run(
        &mut self,
        (record, secrets, store): (&JobRecord, &JobSecrets, &JobStore),
        tracker: &Tracker,
        controls: &Controls,
    ) {
        if !Self::is_wanted(secrets) {
            return;
        }
        let opened = async {
            let sink = Sink::open(&secrets.request.mongodb_connection_details).await?;
            let failed = store.failed_rows(&record.status.id).await?;
            let (plan, source) = match (self.plan.take(), self.source.take()) {
                (Some(plan), Some(source)) => (plan, source),
                // Everything was written before a restart.
                _ => {
                    let prepared = prepare_again(&secrets.request, &secrets.file).await?;
                    (Arc::new(prepared.plan), prepared.source)
                }
            };
            Ok::<_, JobError>(Stage {
                tracker,
                controls,
                secrets,
                plan,
                source,
                sink,
                point: self.point.take(),
                failed,
                owner: &self.owner,
            })
        };
        match Box::pin(opened).await {
            Ok(stage) => Box::pin(self.verifier.stage(stage)).await,
            Err(error) => tell_aborted(tracker, &error.to_string()),
        }
    }
}

fn tell_aborted(tracker: &Tracker, reason: &str) {
    tracker.update(|s| s.metadata.verification_status = Some(VerificationStatus::Aborted.word().into()));
    tracker.tell(
        EventKind::NotVerified,
        format!("the documents could not be verified: {reason}"),
    );
}

impl Verifier {
    /// Verifies what a job has written. The job goes on to its end whatever comes of it.
    async fn stage(&self, stage: Stage<'_>) {
        let told = stage.tracker.status();
        let before = told.metadata.verification_status.as_deref();
        // Ended before a restart: it is not verified twice.
        if before.is_some_and(|word| word != VerificationStatus::Verifying.word()) {
            return;
        }
        let (tracker, cancel) = (stage.tracker, stage.controls.cancel.clone());
        match Box::pin(self.try_stage(&stage, told.verification_job_id)).await {
            Ok(ended) => tell(tracker, &ended),
            // The job itself is being ended.
            Err(_) if cancel.is_cancelled() => {}
            Err(error) => tell_aborted(tracker, &error.to_string()),
        }
    }

    async fn try_stage(&self, stage: &Stage<'_>, known: Option<String>) -> Result<Verification, VerifyingError> {
        let request = &stage.secrets.request.verification;
        let options = VerificationOptions {
            level: request.level.unwrap_or_default(),
            sample_percent: request.sample_percent,
            included_collections: request.included_collections.clone(),
            ..VerificationOptions::default()
        };
        let mut plan = (*stage.plan).clone();
        narrow(&mut plan, &options)?;
        let job = stage.tracker.status();
        let begun = match &known {
            Some(id) => self.store.verification(id).await?,
            None => None,
        };
        let status = match begun {
            Some(record) => record.status,
            None => {
                let project = (job.project_id.clone(), job.project_name.clone());
                let mut status = new_verification(Some(job.id.clone()), project, stage.secrets, &plan, options);
                status.is_stage = true;
                status.read_at = read_at(stage.point.is_some(), false);
                let record = VerificationRecord {
                    status: status.clone(),
                    secrets: None,
                    owner: stage.owner.to_owned(),
                };
                self.store.insert_verification(&record).await?;
                status
            }
        };
        stage.tracker.update(|s| {
            s.verification_job_id = Some(status.id.clone());
            s.metadata.verification_status = Some(VerificationStatus::Verifying.word().into());
        });
        stage.tracker.save().await;
        let active = Active::new(status);
        let ground = Ground {
            source: stage.source.clone(),
            tables: plan.tables(),
            readers: readers_of(&plan, stage.controls.workers.min(WORKERS_MAX)),
            is_held: stage.point.is_some(),
            follows: None,
        };
        let point = match &stage.point {
            Some(point) => point.clone(),
            None => ground.point().await?,
        };
        // One lock after the other: those of one expression are held to its end.
        let id = active.lock().id.clone();
        let options = active.lock().options.clone();
        let run = VerifyRun {
            id,
            plan: Arc::new(plan),
            point,
            points: Arc::new(ground),
            sink: stage.sink.clone(),
            store: self.store.clone(),
            options,
            progress: active.progress.clone(),
            cancel: active.cancel.clone(),
            is_paused: active.pause.subscribe(),
            workers: stage.controls.workers.min(WORKERS_MAX),
            failed: failed_of(&stage.failed),
            unstable: Mutex::default(),
        };
        self.put(&run.id, &active);
        let id = run.id.clone();
        let ended = tokio::select! {
            biased;
            () = stage.controls.cancel.cancelled() => {
                self.take(&id);
                return Err(VerifyError::Cancelled.into());
            }
            ended = Box::pin(self.work(active.clone(), run)) => ended,
            () = follow_pauses(stage.controls, &active) => unreachable!("it follows for ever"),
        };
        Ok(ended)
    }

    /// Ends the verification that is the last stage of a job; `false` where the job is in no such stage.
    pub fn cancel_stage(&self, run: Option<&str>) -> bool {
        let active = run.and_then(|run| self.active(run));
        let Some(active) = active.filter(|active| active.lock().is_stage) else {
            return false;
        };
        active.lock().status = VerificationStatus::Cancelling;
        active.cancel.cancel();
        active.pause.send_replace(false);
        true
    }
}

/// To a pause of its job it stands still.
async fn follow_pauses(controls: &Controls, active: &Active) {
    let mut pause = controls.pause.subscribe();
    loop {
        let is_paused = *pause.borrow_and_update();
        active.pause.send_replace(is_paused);
        active.lock().is_paused = is_paused;
        controls
            .parked
            .send_replace(if is_paused { controls.workers } else { 0 });
        if pause.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn tell(tracker: &Tracker, ended: &Verification) {
    tracker.update(|s| s.metadata.verification_status = Some(ended.status.word().into()));
    let documents = ended.documents_verified();
    let (kind, message) = match ended.status {
        VerificationStatus::Verified => (
            EventKind::Verified,
            format!("verified: all {documents} documents are those that the rows give"),
        ),
        VerificationStatus::VerifiedWithExceptions => (
            EventKind::Verified,
            format!(
                "verified with exceptions: what was compared is as the rows give it; {} things were left out",
                ended.exceptions.len()
            ),
        ),
        VerificationStatus::Failed => (
            EventKind::NotVerified,
            format!(
                "the verification has {} findings in {documents} documents",
                ended.findings
            ),
        ),
        VerificationStatus::Cancelled | VerificationStatus::Cancelling => {
            (EventKind::Verified, "the verification was cancelled".into())
        }
        VerificationStatus::Aborted | VerificationStatus::Verifying => (
            EventKind::NotVerified,
            format!(
                "the verification was aborted: {}. It can be resumed",
                ended.failure.as_ref().map_or("", |f| f.message.as_str())
            ),
        ),
    };
    tracker.tell(kind, message);
}
