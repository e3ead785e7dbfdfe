//! Runs one job from where it stands to its end, and keeps its status current.

use super::hub::Hub;
use super::prepare::{PrepareError, Prepared, prepare};
use super::state::{JobEvent, transition};
use crate::data::issue::{Issue, IssueKind, IssueLog, Location};
use crate::data::progress::{CollectionCount, Progress, TableCount, UNKNOWN};
use crate::plan::Plan;
use crate::sink::SinkError;
use crate::snapshot::{self, Outcome, SnapshotError, SnapshotRun};
use crate::source::SourceError;
use crate::source::postgres::reader::PgSnapshot;
use crate::store::{JobRecord, Store, StoreError};
use chrono::Utc;
use godwit_shared::error::ErrorCode;
use godwit_shared::ids::JobId;
use godwit_shared::job::{
    CollectionProgress, ErrorHandling, EventStage, FailureError, JobStatistics, JobStatus, MigrationJobStatus,
    TableProgress,
};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the status is published while something moves.
const PUBLISH_EVERY: Duration = Duration::from_millis(200);
/// How often the status is written to the store while nothing but numbers changes.
pub const SAVE_EVERY: Duration = Duration::from_secs(2);
/// Rates are those of the last so many seconds.
const RATE_WINDOW: Duration = Duration::from_secs(5);
/// How often a lost source is tried again, with pauses that double from one second.
const SOURCE_RETRIES: u32 = 8;
/// Tables up to this size are counted where the source has no statistics.
const COUNT_BYTES_MAX: u64 = 32 << 20;

/// What the supervisor holds of a running job.
#[derive(Clone)]
pub struct Controls {
    pub cancel: CancellationToken,
    pub pause: watch::Sender<bool>,
    /// Workers that stand still.
    pub parked: watch::Sender<usize>,
    /// Workers there are.
    pub workers: usize,
}

/// A status that one task writes at a time, published with every change.
pub struct Tracker {
    status: Mutex<MigrationJobStatus>,
    hub: Arc<Hub>,
    store: Store,
}

impl Tracker {
    pub fn new(status: MigrationJobStatus, hub: Arc<Hub>, store: Store) -> Self {
        Self {
            status: Mutex::new(status),
            hub,
            store,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, MigrationJobStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the newest status.
    pub fn status(&self) -> MigrationJobStatus {
        self.lock().clone()
    }

    /// Changes the status and publishes it.
    pub fn update(&self, change: impl FnOnce(&mut MigrationJobStatus)) {
        let mut status = self.lock();
        change(&mut status);
        // Published under the lock, so that the hub sees statuses in their order.
        self.hub.publish(status.clone());
    }

    /// Moves the job by an event, publishes and stores it.
    ///
    /// # Errors
    /// When the status does not allow the event.
    pub async fn advance(&self, event: JobEvent) -> Result<JobStatus, super::state::TransitionError> {
        let next = {
            let mut status = self.lock();
            let next = transition(status.status, event)?;
            status.status = next;
            if next.is_ended() {
                status.ended_at = Some(Utc::now());
                status.statistics.processing_tables.clear();
                status.statistics.estimated_seconds_remaining = None;
            }
            self.hub.publish(status.clone());
            next
        };
        self.save().await;
        Ok(next)
    }

    /// Writes the newest status to the store. A store that is away is tried again at the next change.
    pub async fn save(&self) {
        let status = self.status();
        if let Err(error) = self.store.save_job_status(&status).await {
            tracing::warn!(job.id = %status.id, %error, "Status of job {} could not be stored", status.id);
        }
    }
}

/// Why a job ended as failed.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        RunError::Snapshot(error.into())
    }
}

impl From<SinkError> for RunError {
    fn from(error: SinkError) -> Self {
        RunError::Snapshot(error.into())
    }
}

impl From<SourceError> for RunError {
    fn from(error: SourceError) -> Self {
        RunError::Snapshot(error.into())
    }
}

impl RunError {
    fn code(&self) -> ErrorCode {
        match self {
            RunError::Prepare(e) => e.code(),
            RunError::Snapshot(SnapshotError::Source(e)) => e.code(),
            RunError::Snapshot(SnapshotError::Sink(e)) => e.code(),
            RunError::Snapshot(SnapshotError::Store(_)) => ErrorCode::Internal,
            RunError::Snapshot(SnapshotError::TooManyErrors) => ErrorCode::TooManyErrors,
        }
    }

    fn is_source_lost(&self) -> bool {
        match self {
            RunError::Snapshot(SnapshotError::Source(e)) | RunError::Prepare(PrepareError::Source(e)) => {
                matches!(e, SourceError::ConnectionLost { .. } | SourceError::Unreachable { .. })
            }
            RunError::Snapshot(_) | RunError::Prepare(_) => false,
        }
    }
}

/// Runs a job to its end. `prepared` is what the checks at its creation found; a job that goes on after a restart is
/// checked again.
pub async fn run(
    record: JobRecord,
    prepared: Option<Prepared>,
    store: Store,
    tracker: Arc<Tracker>,
    controls: Controls,
) {
    let job = record.status.id.clone();
    let mut runner = Runner {
        record,
        store,
        tracker: tracker.clone(),
        controls,
        has_written: false,
    };
    let ended = runner.run(prepared).await;
    let events: &[JobEvent] = match ended {
        Ok(Outcome::Completed) => {
            runner.clean_up().await;
            &[JobEvent::CleanedUp]
        }
        Ok(Outcome::Cancelled) => {
            runner.clean_up().await;
            &[JobEvent::Stopped]
        }
        Err(error) => {
            tracing::error!(job.id = %job, %error, "Job {job} failed");
            let failure = FailureError {
                error_type: error.code(),
                message: error.to_string(),
                failure_at: Utc::now(),
                setup_error: !runner.has_written,
            };
            runner.clean_up().await;
            tracker.update(|s| s.failure_error = Some(failure));
            // A stop that came while the job failed has been answered: it ends as cancelled.
            if tracker.status().status == JobStatus::Cancelling {
                &[JobEvent::Stopped]
            } else {
                &[JobEvent::Fail]
            }
        }
    };
    for event in events {
        if let Err(error) = tracker.advance(*event).await {
            tracing::error!(job.id = %job, %error, "Job {job} ended in an unexpected state");
        }
    }
}

struct Runner {
    record: JobRecord,
    store: Store,
    tracker: Arc<Tracker>,
    controls: Controls,
    has_written: bool,
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
            let ended = self.attempt(prepared.take()).await;
            match ended {
                Ok(Outcome::Completed) => {
                    if self.tracker.advance(JobEvent::StagesDone).await.is_err() {
                        // A stop came at the very end: it wins.
                        return Ok(Outcome::Cancelled);
                    }
                    return Ok(Outcome::Completed);
                }
                Err(error) if error.is_source_lost() && attempt < SOURCE_RETRIES => {
                    attempt += 1;
                    let pause = Duration::from_secs(1 << attempt.min(5));
                    tracing::warn!(job.id = %self.id(), %error, "Source is tried again in {} s", pause.as_secs());
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

    /// One go at the snapshot stage, in a point in time of its own; finished chunks of earlier ones count.
    async fn attempt(&mut self, prepared: Option<Prepared>) -> Result<Outcome, RunError> {
        let Prepared { plan, source, sink, .. } = match prepared {
            Some(prepared) => prepared,
            None => prepare(&self.record.secrets.request, &self.record.secrets.file).await?,
        };
        let plan = Arc::new(plan);
        let options = self.record.status.options.clone();
        let cancel = self.controls.cancel.child_token();
        if !self.record.is_prepared {
            if options.drop_collections {
                for collection in &plan.collections {
                    sink.drop_collection(&collection.name).await?;
                }
            }
            self.store.mark_prepared(self.id()).await?;
            self.record.is_prepared = true;
        }
        let mut held = Vec::new();
        for collection in &plan.collections {
            held.push(sink.count(&collection.name).await?);
        }
        let progress = Arc::new(self.progress(&plan, &source).await?);
        if sink.is_weak {
            let message = "the URI asks for less than a majority: documents may be lost when the primary changes";
            let issue = Issue {
                kind: IssueKind::WriteConcernWeak,
                location: Location::Job,
                field: None,
                message: message.into(),
                key: Vec::new(),
            };
            progress
                .report([issue], EventStage::Snapshotting)
                .map_err(SnapshotError::from)?;
        }
        self.has_written = true;
        let run = SnapshotRun {
            job: self.id().clone(),
            plan: plan.clone(),
            source,
            sink: sink.clone(),
            store: self.store.clone(),
            progress: progress.clone(),
            cancel,
            is_paused: self.controls.pause.subscribe(),
            parked: self.controls.parked.clone(),
            workers: self.controls.workers,
            expect_existing: false,
        };
        let is_over = CancellationToken::new();
        let publisher = tokio::spawn(publish(self.tracker.clone(), progress.clone(), is_over.clone()));
        let ended = snapshot::run(run).await;
        if matches!(ended, Ok(Outcome::Completed)) {
            self.tell_what_was_there(&sink, &progress, &held).await;
            tell_empty_roots(&progress);
        }
        is_over.cancel();
        let _ = publisher.await;
        Ok(ended?)
    }

    async fn progress(&self, plan: &Plan, source: &crate::source::postgres::PgSource) -> Result<Progress, RunError> {
        let snapshot = PgSnapshot::begin(source).await?;
        let tables = plan.tables();
        let mut counts = Vec::with_capacity(tables.len());
        for table in &tables {
            let estimated = if table.rows_estimated == 0 && table.size_bytes > 0 && table.size_bytes <= COUNT_BYTES_MAX
            {
                snapshot.count_rows(table).await?
            } else {
                // Without statistics a row is taken for a hundred bytes.
                if table.rows_estimated == 0 {
                    table.size_bytes / 100
                } else {
                    table.rows_estimated
                }
            };
            counts.push(TableCount {
                name: table.name.to_string(),
                rows_estimated: estimated.into(),
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
        Ok(Progress::new(counts, collections, log, errors_max))
    }

    /// A run without dropping says how many documents it found and left alone.
    async fn tell_what_was_there(&self, sink: &crate::sink::Sink, progress: &Progress, held: &[u64]) {
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
                let issue = Issue {
                    kind: IssueKind::Note,
                    location: Location::Collection(collection.name.clone()),
                    field: None,
                    message,
                    key: Vec::new(),
                };
                let _ = progress.report([issue], EventStage::Snapshotting);
            }
        }
    }

    /// Takes back what the job kept for itself. What cannot be taken back now harms nothing and is logged.
    async fn clean_up(&self) {
        for result in [
            self.store.delete_claims(self.id()).await,
            self.store.delete_chunks(self.id()).await,
        ] {
            if let Err(error) = result {
                tracing::warn!(job.id = %self.id(), %error, "Checkpoints of job {} could not be deleted", self.id());
            }
        }
    }
}

/// A root table without any row is told: it may be the wrong database, or a filter that matches nothing.
fn tell_empty_roots(progress: &Progress) {
    for collection in &progress.collections {
        if collection.roots_read.load(Ordering::Relaxed) == 0 && collection.documents.load(Ordering::Relaxed) == 0 {
            let message = "the source has no row for this collection".to_owned();
            let issue = Issue {
                kind: IssueKind::NothingRead,
                location: Location::Collection(collection.name.clone()),
                field: None,
                message,
                key: Vec::new(),
            };
            let _ = progress.report([issue], EventStage::Snapshotting);
        }
    }
}

/// Publishes the progress until the go is over, and its last state then.
async fn publish(tracker: Arc<Tracker>, progress: Arc<Progress>, is_over: CancellationToken) {
    let mut meter = Meter::new(&tracker.status().statistics);
    let mut saved = Instant::now();
    let mut tick = tokio::time::interval(PUBLISH_EVERY);
    loop {
        let is_last = tokio::select! {
            biased;
            () = is_over.cancelled() => true,
            _ = tick.tick() => false,
        };
        tracker.update(|status| meter.refresh(status, &progress));
        if is_last {
            return;
        }
        if saved.elapsed() >= SAVE_EVERY {
            tracker.save().await;
            saved = Instant::now();
        }
    }
}

/// Turns counters into statistics.
struct Meter {
    /// Time in work before this go.
    elapsed_before: f64,
    started: Instant,
    paused: Duration,
    seen: Instant,
    /// Instants with rows read and bytes written.
    samples: VecDeque<(Instant, u64, u64)>,
}

impl Meter {
    fn new(statistics: &JobStatistics) -> Self {
        let now = Instant::now();
        Self {
            elapsed_before: statistics.elapsed_seconds,
            started: now,
            paused: Duration::ZERO,
            seen: now,
            samples: VecDeque::new(),
        }
    }

    fn refresh(&mut self, status: &mut MigrationJobStatus, progress: &Progress) {
        let now = Instant::now();
        let is_running = status.status == JobStatus::Running;
        if !is_running {
            self.paused += now - self.seen;
        }
        self.seen = now;
        let load = |c: &std::sync::atomic::AtomicU64| c.load(Ordering::Relaxed);
        let rows: u64 = progress.tables.iter().map(|t| load(&t.rows_read)).sum();
        let written = load(&progress.bytes_written);
        self.samples.push_back((now, rows, written));
        while self.samples.front().is_some_and(|(at, ..)| now - *at > RATE_WINDOW) {
            self.samples.pop_front();
        }
        let (first, rows_then, written_then) = *self.samples.front().expect("one was pushed above");
        let seconds = (now - first).as_secs_f64();
        let rate = |from: u64, to: u64| {
            if seconds > 0.0 {
                to.saturating_sub(from) as f64 / seconds
            } else {
                0.0
            }
        };
        let is_complete = |table: usize| {
            progress
                .collections
                .iter()
                .filter(|c| c.tables.contains(&table))
                .all(|c| c.is_complete.load(Ordering::Relaxed))
        };
        let tables: Vec<TableProgress> = progress
            .tables
            .iter()
            .enumerate()
            .map(|(i, t)| TableProgress {
                table: t.name.clone(),
                rows_read: load(&t.rows_read),
                rows_estimated: load(&t.rows_estimated).max(load(&t.rows_read)),
                is_complete: is_complete(i),
            })
            .collect();
        let roots_read: u64 = progress.collections.iter().map(|c| load(&c.roots_read)).sum();
        let roots: u64 = progress
            .collections
            .iter()
            .map(|c| load(&c.roots_estimated).max(load(&c.roots_read)))
            .sum();
        let is_done = progress
            .collections
            .iter()
            .all(|c| c.is_complete.load(Ordering::Relaxed));
        let log = progress.log();
        let before = self.elapsed_before;
        let s = &mut status.statistics;
        s.started_at.get_or_insert_with(Utc::now);
        s.elapsed_seconds = before + (now - self.started).saturating_sub(self.paused).as_secs_f64();
        s.total_table_count = tables.len() as u64;
        s.remaining_table_count = tables.iter().filter(|t| !t.is_complete).count() as u64;
        s.migrated_tables = tables
            .iter()
            .filter(|t| t.is_complete)
            .map(|t| t.table.clone())
            .collect();
        s.processing_tables = progress
            .tables
            .iter()
            .filter(|t| load(&t.readers) > 0)
            .map(|t| t.name.clone())
            .collect();
        s.total_events_seen = rows;
        s.total_events = if is_done {
            rows
        } else {
            tables.iter().map(|t| t.rows_estimated).sum()
        };
        s.total_event_size = load(&progress.bytes_read);
        s.documents_written = progress.collections.iter().map(|c| load(&c.documents)).sum();
        s.bytes_written = written;
        s.errors = log.errors;
        s.warnings = log.warnings;
        s.rows_per_second = rate(rows_then, rows);
        s.bytes_per_second = rate(written_then, written);
        s.percent = match (is_done, roots) {
            (true, _) => 100.0,
            (false, 0) => 0.0,
            (false, roots) => (roots_read as f64 / roots as f64 * 100.0).min(99.9),
        };
        s.estimated_seconds_remaining = (is_running && s.percent > 0.0 && !is_done)
            .then(|| (s.elapsed_seconds - before).max(0.1) * (100.0 - s.percent) / s.percent);
        s.snapshot_completed = is_done;
        s.collections = progress
            .collections
            .iter()
            .map(|c| CollectionProgress {
                collection: c.name.clone(),
                documents_written: load(&c.documents),
                is_complete: c.is_complete.load(Ordering::Relaxed),
                documents_untouched: Some(load(&c.untouched)).filter(|n| *n != UNKNOWN),
            })
            .collect();
        s.tables = tables;
        status.job_updates = log.updates();
    }
}
