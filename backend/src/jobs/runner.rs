//! Runs one job from where it stands to its end, and keeps its status current.

use super::continuous;
use super::events::EventKind;
use super::failure::RunError;
use super::meter::publish;
use super::prepare::{PrepareError, Prepared, open_sink, plan_of, prepare, prepare_again};
use super::remarks::{chosen_comparisons, report, tell_empty_roots};
use super::series::Making;
use super::state::{JobEvent, Phase};
use super::summary::{rows_expected, rows_in_scope};
use super::tracker::{Controls, Tracker};
use super::verifying::LastStage;
use super::{counts, outages, series};
use crate::cdc::rebuild::Context;
use crate::cdc::run::CdcRun;
use crate::cdc::setup;
use crate::cdc::state::{CdcState, RefusedRoot};
use crate::cdc::statistics::CdcMeter;
use crate::data::failed::FailedRow;
use crate::data::issue::{Issue, IssueKind, IssueLog, Location};
use crate::data::progress::{CollectionCount, Progress, TableCount, UNKNOWN};
use crate::lease::Lease;
use crate::plan::{Plan, PlanProblem};
use crate::sink::Sink;
use crate::snapshot::{self, Finished, Outcome, RefusedRow, SnapshotRun};
use crate::source::SourceError;
use crate::source::api::{Snapshot, Source};
use crate::source::change_log::Needed;
use crate::store::{JobRecord, JobSecrets, JobStore, Store, StoreError};
use chrono::Utc;
use futures_util::FutureExt;
use godwit_shared::ids::JobId;
use godwit_shared::job::{ErrorHandling, EventStage, FailureError, JobStatus, MigrationMode};
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is tried again when a server is away, with pauses that double from two seconds to 32.
const RETRIES: u32 = 8;
/// How long what is under way may hold up a stop.
const CANCEL_MAX: Duration = Duration::from_secs(20);
/// How long the names of the destination may take to be looked up for those beside the job.
const BESIDE_MAX: Duration = Duration::from_secs(2);
/// The most characters of the message of a failure.
const FAILURE_CHARS_MAX: usize = 4_000;

/// How the work of a job came to its end.
#[derive(Debug)]
pub enum Ended {
    /// Everything is done.
    Completed,
    /// The user has ended it.
    Cancelled,
    Failed(FailureError),
    /// Another server has the job now: nothing may be touched.
    Lost,
}

/// What the work on a job needs.
pub struct Work {
    pub record: JobRecord,
    pub secrets: JobSecrets,
    /// What the checks at its creation found; a job that goes on after a restart is checked again.
    pub prepared: Option<Prepared>,
    pub store: Store,
    pub tracker: Arc<Tracker>,
    pub controls: Controls,
    pub lease: Arc<Lease>,
    pub last_stage: LastStage,
}

/// Works on a job until nothing is left of it to do. A panic anywhere in it is its failure.
pub async fn run(work: Work) -> Ended {
    let (tracker, controls, lease) = (work.tracker.clone(), work.controls.clone(), work.lease.clone());
    let (asked_store, request) = (work.store.clone(), work.secrets.request.clone());
    let collections = work.record.collections.clone();
    // For those who look at the destination beside the job. It connects on first use.
    let opening = tokio::time::timeout(BESIDE_MAX, open_sink(&request, &work.secrets.file));
    let beside = opening.await.ok().and_then(Result::ok);
    let mut runner = Runner {
        store: JobStore::new(work.store, work.lease.clone(), work.controls.cancel.clone()),
        // Before a restart it has.
        has_written: work.record.is_prepared,
        has_stream: false,
        record: work.record,
        secrets: work.secrets,
        tracker: work.tracker,
        controls: work.controls,
        lease: work.lease,
        last_stage: work.last_stage,
    };
    let job = runner.id().clone();
    let ended = {
        let running = Box::pin(AssertUnwindSafe(runner.run(work.prepared)).catch_unwind());
        // Whatever it waits for, a stop does not wait with it.
        let overdue = async {
            controls.cancel.cancelled().await;
            tokio::time::sleep(CANCEL_MAX).await;
        };
        tokio::select! {
            biased;
            () = lease.is_lost() => return Ended::Lost,
            ended = running => ended.unwrap_or_else(|panic| Err(RunError::Panicked(text_of(&*panic)))),
            () = overdue => Ok(Outcome::Cancelled),
            () = outages::watch(&tracker, &asked_store, &request, beside.as_ref()) => unreachable!("it watches for ever"),
            () = counts::watch(&tracker, beside.as_ref(), &collections) => unreachable!("it counts for ever"),
        }
    };
    let last = beside.map(|sink| match runner.record.is_made {
        true => sink.staging(HashSet::new()),
        false => sink,
    });
    counts::take_last(&tracker, last.as_ref(), &collections).await;
    match ended {
        Ok(Outcome::Completed) => Ended::Completed,
        Ok(Outcome::Cancelled) => Ended::Cancelled,
        Err(error) if matches!(error.of_store(), Some(StoreError::LeaseLost { .. })) => {
            lease.lose();
            Ended::Lost
        }
        Err(error) => {
            tracing::error!(job.id = %job, %error, "Job {job} failed");
            let failure = FailureError {
                error_type: error.code(),
                message: error.to_string().chars().take(FAILURE_CHARS_MAX).collect(),
                failure_at: Utc::now(),
                setup_error: !runner.has_written,
            };
            // A stop that came while the job failed has been answered: it ends as cancelled.
            if tracker.phase() > Phase::Open {
                tracker.update(|s| s.failure_error = Some(failure));
                Ended::Cancelled
            } else {
                Ended::Failed(failure)
            }
        }
    }
}

/// What a panic said.
pub fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|t| (*t).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".into())
}

/// What the snapshot stage came to.
struct Copied {
    outcome: Outcome,
    /// How many documents each collection holds that are not the job's.
    untouched: Vec<(String, u64)>,
    refused: Vec<RefusedRow>,
}

impl Default for Copied {
    /// There was nothing to copy.
    fn default() -> Self {
        Self {
            outcome: Outcome::Completed,
            untouched: Vec::new(),
            refused: Vec::new(),
        }
    }
}

/// The stage that follows tries it again with every batch.
fn refused_root(plan: &Plan, row: RefusedRow) -> RefusedRoot {
    RefusedRoot {
        collection: plan.collections[row.collection].name.clone(),
        root: row.root,
        key: row.key.into_iter().map(Some).collect(),
    }
}

struct Runner {
    record: JobRecord,
    secrets: JobSecrets,
    store: JobStore,
    tracker: Arc<Tracker>,
    controls: Controls,
    lease: Arc<Lease>,
    has_written: bool,
    /// Changes are kept for the job in the source.
    has_stream: bool,
    last_stage: LastStage,
}

impl Runner {
    fn id(&self) -> &JobId {
        &self.record.status.id
    }

    async fn run(&mut self, prepared: Option<Prepared>) -> Result<Outcome, RunError> {
        let mut prepared = prepared;
        let mut attempt = 0;
        loop {
            if self.controls.cancel.is_cancelled() {
                return Ok(Outcome::Cancelled);
            }
            let ended = Box::pin(self.attempt(prepared.take())).await;
            let ended = match ended {
                Ok(Outcome::Completed) => self.make_time_series().await,
                other => other,
            };
            if matches!(ended, Ok(Outcome::Completed)) {
                let job = (&self.record, &self.secrets, &self.store);
                Box::pin(self.last_stage.run(job, &self.tracker, &self.controls)).await;
            }
            match ended {
                Ok(Outcome::Completed) => {
                    while self.tracker.decide(JobEvent::StagesDone, None).is_err() {
                        // A stop came at the very end, and wins; or a pause, which has nothing left to hold back.
                        if self.controls.cancel.is_cancelled() || self.tracker.status().status != JobStatus::Paused {
                            return Ok(Outcome::Cancelled);
                        }
                        self.controls.stand_by().await;
                    }
                    return Ok(Outcome::Completed);
                }
                Err(RunError::TryAgain) => {}
                Err(_) if self.controls.cancel.is_cancelled() => return Ok(Outcome::Cancelled),
                // The store is waited for as long as it takes, and so is everything once changes are kept for the job.
                Err(error)
                    if error.is_passing() && (attempt < RETRIES || self.has_stream || error.of_store().is_some()) =>
                {
                    attempt += 1;
                    let pause = Duration::from_secs(1 << attempt.min(5));
                    tracing::warn!(job.id = %self.id(), %error, "The job is tried again in {} s", pause.as_secs());
                    if error.is_outage() {
                        self.tell_waiting(Some(error.to_string()));
                    } else {
                        self.tell_retry(&error);
                    }
                    tokio::select! {
                        biased;
                        () = self.controls.cancel.cancelled() => return Ok(Outcome::Cancelled),
                        () = tokio::time::sleep(pause) => {}
                    }
                }
                other => return other,
            }
        }
    }

    /// The last stage is over: what was collected for time series becomes one.
    async fn make_time_series(&mut self) -> Result<Outcome, RunError> {
        let series = series::of(&self.secrets.file, &self.record.collections);
        // A job of failed rows adds to what an earlier one has collected, which need not be all.
        if series.is_empty() || self.secrets.again.is_some() {
            return Ok(Outcome::Completed);
        }
        let sink = open_sink(&self.secrets.request, &self.secrets.file).await?;
        let sink = sink.under(self.lease.clone());
        let making = Making {
            series: &series,
            record: &self.record,
            store: &self.store,
            sink: &sink,
            cancel: &self.controls.cancel,
        };
        let tell = |name: &str| self.tell_waiting(Some(format!("the time series \"{name}\" is being made")));
        let outcome = making.run(tell).await?;
        self.record.is_made |= outcome == Outcome::Completed;
        self.tell_waiting(None);
        Ok(outcome)
    }

    /// While a server is away the job looks as if it ran: its log says that it does not.
    fn tell_retry(&self, error: &RunError) {
        let mut log = IssueLog::restore(self.tracker.status().job_updates, &IssueKind::ALL);
        let issue = Issue {
            kind: IssueKind::Interrupted,
            location: Location::Job,
            field: None,
            message: format!("the job waits, and tries again: {error}"),
            key: Vec::new(),
        };
        log.add(issue, EventStage::Snapshotting);
        self.tracker.update(|status| {
            status.job_updates = log.updates();
            status.statistics.warnings = log.warnings;
        });
        self.tell_waiting(Some(error.to_string()));
    }

    /// Why nothing moves between two tries.
    fn tell_waiting(&self, notice: Option<String>) {
        self.tracker.update(|status| {
            if let (Some(cdc), true) = (&mut status.cdc_statistics, status.statistics.snapshot_completed) {
                cdc.notice.clone_from(&notice);
            }
            status.statistics.notice = notice;
        });
    }

    /// One go at what is left of the job. Finished chunks and the position in the log of earlier ones count.
    async fn attempt(&mut self, prepared: Option<Prepared>) -> Result<Outcome, RunError> {
        if self.record.is_made {
            return Ok(Outcome::Completed);
        }
        let begun: Option<CdcState> = self.store.checkpoint(self.id()).await?;
        let begun = begun.filter(|state| state.stream.is_some());
        self.has_stream = begun.is_some();
        let (request, file) = (self.secrets.request.clone(), self.secrets.file.clone());
        let prepared = match (prepared, &begun) {
            (Some(prepared), _) => prepared,
            (None, None) => prepare(&request, &file, self.record.is_prepared).await?,
            (None, Some(_)) => match prepare_again(&request, &file).await {
                Err(PrepareError::Mapping(problems)) => return self.wait_for_schema(&problems[..]).await,
                // A password or a right that somebody has changed: the log is kept until it is put back.
                Err(error) => match RunError::from(error) {
                    passing if passing.is_passing() => return Err(passing),
                    lasting => return self.wait_for_user(lasting.to_string()).await,
                },
                Ok(prepared) => prepared,
            },
        };
        let Prepared {
            plan,
            source,
            sink,
            continuous,
            ..
        } = prepared;
        let (plan, sink) = (Arc::new(plan), sink.under(self.lease.clone()));
        let is_first = !self.record.is_prepared;
        self.make_ready(&plan, &sink).await?;
        let progress = Arc::new(self.progress(&plan, &*source).await?);
        if is_first {
            for (location, message) in chosen_comparisons(&plan) {
                report(&progress, IssueKind::ReadPlan, location, message)?;
            }
            let names: Vec<String> = plan.collections.iter().map(|c| c.name.clone()).collect();
            for collated in sink.collations(&names).await? {
                let location = Location::Collection(collated.collection);
                report(&progress, IssueKind::Note, location, collated.message)?;
            }
            for (name, _) in plan.time_series() {
                report(
                    &progress,
                    IssueKind::Note,
                    Location::Collection(name.into()),
                    series::told(name),
                )?;
            }
        }
        if sink.is_weak {
            let message = "the URI asks for less than a majority: documents may be lost when the primary changes";
            report(&progress, IssueKind::WriteConcernWeak, Location::Job, message.into())?;
        }
        if let Some(mode) = &sink.reads_elsewhere {
            let message =
                format!("the URI asks for readPreference={mode}: a job reads where it writes, at the primary");
            report(&progress, IssueKind::Note, Location::Job, message)?;
        }
        let Some(wanted) = continuous else {
            let point = tokio::select! {
                biased;
                () = self.controls.cancel.cancelled() => return Ok(Outcome::Cancelled),
                point = self.point_in_time(&*source, &plan) => point?,
            };
            for message in point.notes() {
                report(&progress, IssueKind::Note, Location::Job, message)?;
            }
            if let Some(rows) = self.secrets.again.clone() {
                return self.try_again(&plan, &sink, &progress, (point, &rows)).await;
            }
            let kept = source.clone();
            let copied = self.copy(&plan, &sink, &progress, point, false).await?;
            self.last_stage.keep_source(kept, is_first);
            return Ok(copied.outcome);
        };
        let log = source.change_log().ok_or(PrepareError::NoChangeLog(source.kind()))?;
        let (mut state, point) = match begun {
            Some(state) => {
                let is_done = state.stream.as_ref().is_some_and(|s| s.is_snapshot_done);
                let point = match is_done {
                    true => None,
                    false => Some(self.point_in_time(&*source, &plan).await?),
                };
                (state, point)
            }
            None => {
                let ids = (&request.project_id, self.id());
                let needed = Needed {
                    plan: &plan,
                    preparation: &wanted,
                    prepares_source: self.record.status.options.prepare_source,
                    readers: self.readers(&plan),
                };
                let (state, point) = setup::begin(&*log, &self.store, ids, &needed).await?;
                self.has_stream = true;
                (state, Some(point))
            }
        };
        if let Some(point) = point {
            let is_without_snapshot = self.record.status.options.mode == MigrationMode::CdcOnly;
            let copied = match is_without_snapshot {
                true => Copied::default(),
                false => self.copy(&plan, &sink, &progress, point, true).await?,
            };
            if copied.outcome == Outcome::Cancelled {
                return Ok(Outcome::Cancelled);
            }
            if let Some(stream) = &mut state.stream {
                stream.is_snapshot_done = true;
                stream.is_without_snapshot = is_without_snapshot;
                stream.foreign = copied.untouched;
                stream.refused = copied.refused.into_iter().map(|r| refused_root(&plan, r)).collect();
            }
            self.store.save_checkpoint(self.id(), &state).await?;
        }
        self.has_written = true;
        let cdc = CdcRun {
            context: Context {
                job: self.id().clone(),
                plan,
                log: log.clone(),
                sink,
                store: self.store.clone(),
                progress,
                meter: Arc::new(CdcMeter::new(
                    log,
                    self.tracker.status().cdc_statistics,
                    self.record.status.submitted_at,
                )),
                cancel: self.controls.cancel.child_token(),
                // While one waits for the source another one waits for the destination.
                lanes: Arc::new(AtomicUsize::new(self.controls.workers * 2)),
                halt: Arc::default(),
                remembers_written: false,
                sizes: Arc::default(),
            },
            state,
            compile: Arc::new(move |catalog| plan_of(&request, &file, catalog).map_err(|e| e.to_string())),
            prepares_source: self.record.status.options.prepare_source,
            is_paused: self.controls.pause.subscribe(),
            completes: self.controls.complete.subscribe(),
            retries: self.controls.retries(),
            retried: self.controls.retried.clone(),
        };
        Ok(continuous::stage(cdc, &self.tracker, &self.controls).await?)
    }

    /// The mapping does not fit the schema any more: the job waits until the user has put it back.
    async fn wait_for_schema(&self, problems: &[PlanProblem]) -> Result<Outcome, RunError> {
        let reason = format!(
            "the mapping no longer fits the source: {}",
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        );
        self.wait_for_user(reason).await
    }

    async fn wait_for_user(&self, reason: String) -> Result<Outcome, RunError> {
        continuous::stand_still_until_resumed(&self.tracker, &self.controls, reason).await;
        Err(RunError::TryAgain)
    }

    /// Drops what is to be dropped, once.
    async fn make_ready(&mut self, plan: &Plan, sink: &Sink) -> Result<(), RunError> {
        if self.record.is_prepared {
            return Ok(());
        }
        if self.record.status.options.drop_collections {
            for collection in &plan.collections {
                sink.drop_collection(&collection.name).await?;
            }
        }
        self.store.mark_prepared(self.id()).await?;
        self.record.is_prepared = true;
        Ok(())
    }

    /// What a run of the snapshot stage needs. From here on something may be written.
    fn snapshot_run(
        &mut self,
        plan: &Arc<Plan>,
        sink: &Sink,
        progress: &Arc<Progress>,
        point: Arc<dyn Snapshot>,
        is_continuous: bool,
    ) -> SnapshotRun {
        self.has_written = true;
        self.last_stage.keep_point(&self.secrets, plan, &point);
        SnapshotRun {
            job: self.id().clone(),
            plan: plan.clone(),
            point,
            sink: sink.clone(),
            store: self.store.clone(),
            progress: progress.clone(),
            cancel: self.controls.cancel.child_token(),
            is_paused: self.controls.pause.subscribe(),
            parked: self.controls.parked.clone(),
            workers: self.controls.workers,
            is_continuous,
        }
    }

    /// In place of the snapshot stage: rows that had failed in an earlier job, and nothing else.
    async fn try_again(
        &mut self,
        plan: &Arc<Plan>,
        sink: &Sink,
        progress: &Arc<Progress>,
        (point, rows): (Arc<dyn Snapshot>, &[FailedRow]),
    ) -> Result<Outcome, RunError> {
        let run = self.snapshot_run(plan, sink, progress, point, false);
        let is_over = CancellationToken::new();
        let (store, destination) = (self.store.clone(), sink.clone());
        let trouble = move || destination.trouble().or_else(|| store.trouble());
        let publisher = publish(self.tracker.clone(), progress.clone(), trouble, is_over.clone());
        let trying = async {
            let ended = snapshot::run_again(run, rows).await;
            is_over.cancel();
            ended
        };
        let (ended, ()) = tokio::join!(Box::pin(trying), Box::pin(publisher));
        let tried = ended?;
        if tried.outcome == Outcome::Completed {
            self.tracker.tell(EventKind::FailedRowsTried, tried.in_words());
        }
        Ok(tried.outcome)
    }

    /// The snapshot stage.
    async fn copy(
        &mut self,
        plan: &Arc<Plan>,
        sink: &Sink,
        progress: &Arc<Progress>,
        point: Arc<dyn Snapshot>,
        is_continuous: bool,
    ) -> Result<Copied, RunError> {
        let mut held = Vec::new();
        for collection in &plan.collections {
            held.push(sink.count(&collection.name).await?);
        }
        let run = self.snapshot_run(plan, sink, progress, point, is_continuous);
        let is_over = CancellationToken::new();
        let (store, destination) = (self.store.clone(), sink.clone());
        let trouble = move || destination.trouble().or_else(|| store.trouble());
        // Beside it and not in a task of its own: who panics takes the other along.
        let publisher = publish(self.tracker.clone(), progress.clone(), trouble, is_over.clone());
        let copying = async {
            let ended = snapshot::run(run).await;
            let mut untouched = Vec::new();
            if ended.as_ref().is_ok_and(|f| f.outcome == Outcome::Completed) {
                self.tell_what_was_there(sink, progress, &held).await;
                tell_empty_roots(progress);
                let collections = progress.collections.iter();
                untouched = collections
                    .map(|c| (c.name.clone(), c.untouched.load(Ordering::Relaxed)))
                    .map(|(name, count)| (name, if count == UNKNOWN { 0 } else { count }))
                    .collect();
            }
            is_over.cancel();
            (ended, untouched)
        };
        let ((ended, untouched), ()) = tokio::join!(Box::pin(copying), Box::pin(publisher));
        let Finished { outcome, refused } = ended?;
        Ok(Copied {
            outcome,
            untouched,
            refused,
        })
    }

    /// A point in time for the workers of the snapshot stage.
    async fn point_in_time(&self, source: &dyn Source, plan: &Plan) -> Result<Arc<dyn Snapshot>, SourceError> {
        source.begin_snapshot(&plan.tables(), self.readers(plan)).await
    }

    /// How many readers of a point in time will be open at the same time.
    fn readers(&self, plan: &Plan) -> usize {
        let more = LastStage::more_readers(&self.secrets, self.controls.workers);
        snapshot::readers_of(plan, self.controls.workers) + more
    }

    async fn progress(&self, plan: &Plan, source: &dyn Source) -> Result<Progress, RunError> {
        let is_copied = self.tracker.status().statistics.snapshot_completed;
        let snapshot = source.begin_snapshot(&[], 1).await?;
        let tables = plan.tables();
        let mut counts = Vec::with_capacity(tables.len());
        for table in &tables {
            let nodes = plan
                .collections
                .iter()
                .flat_map(|c| &c.roots)
                .flat_map(|r| r.node.walk());
            let in_scope = match nodes.into_iter().find(|n| n.table.name == table.name) {
                Some(node) if !is_copied && self.secrets.again.is_none() => rows_in_scope(&*snapshot, node).await?,
                _ => None,
            };
            let estimated = match (&self.secrets.again, in_scope) {
                (Some(rows), _) => rows.iter().filter(|r| r.table == table.name.to_string()).count() as u64,
                (None, Some(rows)) => rows,
                (None, None) => rows_expected(&*snapshot, table).await?,
            };
            counts.push(TableCount {
                name: table.name.to_string(),
                rows_estimated: estimated.into(),
                rows_in_scope: in_scope.unwrap_or(UNKNOWN).into(),
                ..TableCount::default()
            });
        }
        let place = |name: &godwit_shared::schema::TableName| tables.iter().position(|t| t.name == *name);
        let collections = plan
            .collections
            .iter()
            .map(|c| {
                let roots = c.roots.iter().filter_map(|r| place(&r.node.table.name));
                let estimated: u64 = roots.map(|t| counts[t].rows_estimated.load(Ordering::Relaxed)).sum();
                let mut tables: Vec<usize> = c
                    .roots
                    .iter()
                    .flat_map(|r| r.node.walk())
                    .filter_map(|n| place(&n.table.name))
                    .collect();
                tables.sort_unstable();
                tables.dedup();
                CollectionCount {
                    name: c.name.clone(),
                    roots_estimated: estimated.into(),
                    untouched: UNKNOWN.into(),
                    tables,
                    ..CollectionCount::default()
                }
            })
            .collect();
        let options = &self.record.status.options;
        let errors_max = match options.error_handling {
            ErrorHandling::Fail => options.error_tolerance,
            ErrorHandling::Warn | ErrorHandling::Skip => None,
        };
        let log = IssueLog::restore(self.tracker.status().job_updates, &IssueKind::ALL);
        let progress = Progress::new(counts, collections, log, errors_max);
        progress.restore_failed(self.store.failed_rows(self.id()).await?);
        Ok(progress)
    }

    /// A run without dropping says how many documents it found and left alone.
    async fn tell_what_was_there(&self, sink: &Sink, progress: &Progress, held: &[u64]) {
        for (collection, held) in progress.collections.iter().zip(held) {
            if *held == 0 {
                collection.untouched.store(0, Ordering::Relaxed);
                continue;
            }
            let Ok(now) = sink.count(&collection.name).await else {
                continue;
            };
            let untouched = now.saturating_sub(collection.documents.load(Ordering::Relaxed));
            collection.untouched.store(untouched, Ordering::Relaxed);
            if untouched > 0 {
                let message = format!("{untouched} documents that were in the collection before were not touched");
                let _ = report(
                    progress,
                    IssueKind::Note,
                    Location::Collection(collection.name.clone()),
                    message,
                );
            }
        }
    }
}
