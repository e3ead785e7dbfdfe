//! Repairs what a verification has found: only while no job is at work on the same collections, for two writers of one
//! document could overtake each other. To write through the lanes of a job that follows changes would need the job to
//! take orders from outside of its log; it is refused instead, and the job repairs by itself whatever changes.

use super::ground::Ground;
use super::start::{Opened, open, readers_of};
use super::{Active, VerifyingError, verdict};
use crate::jobs::JobError;
use crate::jobs::supervisor::Supervisor;
use crate::plan::Plan;
use crate::store::VerificationRecord;
use crate::verify::{VerifyRun, documents_of, extended_document, fetch, repair};
use godwit_shared::job::JobStatus;
use godwit_shared::verification::{FindingDetails, RepairRequest, Verification, VerificationStatus};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

impl Supervisor {
    /// Starts to write the documents that differ; what came of it stands in the status of the verification.
    ///
    /// # Errors
    /// When there is nothing to repair, a job is at work on the same collections, or a server fails.
    pub async fn repair(self: &Arc<Self>, id: &str, request: RepairRequest) -> Result<Verification, VerifyingError> {
        if self.verifier.active(id).is_some() {
            return Err(VerifyingError::Refused("it is at work: wait until it has ended".into()));
        }
        let record = self.verifier.store.verification(id).await?;
        let record = record.ok_or_else(|| VerifyingError::NotFound(id.to_owned()))?;
        if !record.status.status.is_ended() {
            return Err(VerifyingError::Refused("it is at work: wait until it has ended".into()));
        }
        if record.status.findings_stored <= record.status.findings_repaired {
            return Err(VerifyingError::Refused(
                "it has no findings that are to be repaired".into(),
            ));
        }
        let (secrets, is_made) = self.secrets_of(&record).await?;
        let opened = Box::pin(open(&secrets, is_made, &record.status.options)).await?;
        self.check_alone(&opened).await?;
        check_series(&opened.plan, &record)?;
        let mut status = record.status;
        status.is_repairing = true;
        status.repair = None;
        self.verifier.store.save_verification(&status).await?;
        let active = Active::new(status.clone());
        self.verifier.put(id, &active);
        let supervisor = self.clone();
        let work = async move { supervisor.work_on_repair(active, opened, request).await };
        self.verifier.tasks.spawn(Box::pin(work));
        Ok(status)
    }

    async fn work_on_repair(self: Arc<Self>, active: Arc<Active>, opened: Opened, request: RepairRequest) {
        let mut status = active.lock().clone();
        // No job may start meanwhile that writes them too.
        let creating = self.creating.lock().await;
        let done = async {
            self.check_alone(&opened).await?;
            let ground = Ground {
                tables: opened.plan.tables(),
                readers: readers_of(&opened.plan, 1),
                source: opened.source,
                is_held: false,
                follows: None,
            };
            let run = VerifyRun {
                id: status.id.clone(),
                plan: Arc::new(opened.plan),
                point: ground.point().await?,
                points: Arc::new(ground),
                sink: opened.sink,
                store: self.store.clone(),
                options: status.options.clone(),
                progress: active.progress.clone(),
                cancel: active.cancel.clone(),
                is_paused: active.pause.subscribe(),
                workers: 1,
                failed: HashMap::new(),
                unstable: Mutex::default(),
            };
            Ok::<_, VerifyingError>(repair(&run, request.delete_unexpected).await?)
        };
        let done = Box::pin(done).await;
        drop(creating);
        status.is_repairing = false;
        match done {
            Ok(repaired) => {
                status.findings_repaired += repaired.repaired;
                status.repair = Some(repaired.in_words());
                status.status = verdict(&status);
            }
            Err(error) => {
                tracing::warn!(verification = %status.id, %error, "A repair was not completed");
                status.repair = Some(format!("the repair was not completed: {error}. Repair again"));
            }
        }
        if let Err(error) = self.store.save_verification(&status).await {
            tracing::warn!(verification = %status.id, %error, "What a repair came to could not be stored");
        }
        if let Some(job) = &status.job_id {
            self.tell_job(job, &status).await;
        }
        self.verifier.take(&status.id);
    }

    /// The history shows the newest verdict.
    pub(super) async fn tell_job(&self, job: &godwit_shared::ids::JobId, verification: &Verification) {
        let Ok(mut status) = self.status(job).await else { return };
        if !status.status.is_ended() {
            return;
        }
        status.verification_job_id = Some(verification.id.clone());
        status.metadata.verification_status = Some(verification.status.word().into());
        match self.store.relabel_job(&status).await {
            Ok(()) => self.hub.publish(status),
            Err(error) => tracing::warn!(job.id = %job, %error, "The verdict on job {job} could not be stored"),
        }
    }

    async fn check_alone(&self, opened: &Opened) -> Result<(), VerifyingError> {
        let place = opened.sink.place();
        for other in self.store.unfinished_jobs().await? {
            let writes = other.status.status != JobStatus::CleaningUp
                && other.place == place
                && opened
                    .plan
                    .collections
                    .iter()
                    .any(|c| other.collections.contains(&c.name));
            if writes {
                return Err(VerifyingError::Refused(format!(
                    "job {} is at work on these collections and may write the same documents: end it first. A job that \
                     follows changes repairs a document by itself as soon as its row changes",
                    other.status.id
                )));
            }
        }
        Ok(())
    }

    /// One finding with both documents as they are now.
    ///
    /// # Errors
    /// When there is no such finding, or the store fails. A server that is away is told in the answer.
    pub async fn finding(self: &Arc<Self>, id: &str, number: u64) -> Result<FindingDetails, VerifyingError> {
        let stored = self.verifier.store.finding(id, number).await?;
        let stored = stored.ok_or_else(|| VerifyingError::NotFound(format!("{id} with a finding {number}")))?;
        let mut details = FindingDetails {
            finding: stored.finding.clone(),
            expected: None,
            found: None,
            note: None,
        };
        if !stored.finding.kind.is_of_document() {
            return Ok(details);
        }
        let record = self.verifier.store.verification(id).await?;
        let record = record.ok_or_else(|| VerifyingError::NotFound(id.to_owned()))?;
        let looked = async {
            let (secrets, is_made) = self.secrets_of(&record).await?;
            let opened = Box::pin(open(&secrets, is_made, &record.status.options)).await?;
            let name = &stored.finding.collection;
            let ids = [stored.id.clone()];
            let mut found = None;
            fetch(&opened.sink, name, &ids, |_, document| {
                found = extended_document(document.as_bytes());
            })
            .await?;
            let mut expected = None;
            let plan = opened.plan.collections.iter().find(|c| c.name == *name);
            if let (Some((root, values)), Some(plan)) = (&stored.row, plan)
                && let Some(root) = plan.roots.get(*root)
            {
                let ground = Ground {
                    tables: opened.plan.tables(),
                    readers: readers_of(&opened.plan, 1),
                    source: opened.source.clone(),
                    is_held: false,
                    follows: None,
                };
                let point = ground.point().await?;
                let given = documents_of(&*point, root, std::slice::from_ref(values), None).await?;
                let own = given.get(&stored.id).or_else(|| given.values().next());
                expected = own.and_then(|d| extended_document(&d.bson));
            }
            Ok::<_, VerifyingError>((expected, found))
        };
        match Box::pin(looked).await {
            Ok((expected, found)) => (details.expected, details.found) = (expected, found),
            Err(error) => details.note = Some(error.to_string()),
        }
        Ok(details)
    }
}

/// Nothing in a time series can be replaced.
fn check_series(plan: &Plan, record: &VerificationRecord) -> Result<(), VerifyingError> {
    let bad: Vec<&str> = plan
        .collections
        .iter()
        .filter(|c| c.time_series.is_some())
        .filter(|c| {
            let of = record.status.collections.iter().find(|v| v.collection == c.name);
            of.is_some_and(|v| v.missing + v.different + v.unexpected > 0)
        })
        .map(|c| c.name.as_str())
        .collect();
    if bad.is_empty() || record.status.status == VerificationStatus::Verified {
        return Ok(());
    }
    Err(VerifyingError::Refused(format!(
        "in a time series MongoDB replaces no single document: migrate {} again",
        bad.join(", ")
    )))
}

impl From<crate::jobs::prepare::PrepareError> for VerifyingError {
    fn from(error: crate::jobs::prepare::PrepareError) -> Self {
        JobError::from(error).into()
    }
}
