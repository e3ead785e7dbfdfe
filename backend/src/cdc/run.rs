//! The loop of the CDC stage: batches are applied, positions stored and then confirmed; whatever breaks, it goes on from
//! the last checkpoint.
//!
//! The order is fixed: documents are durable, then the checkpoint is stored, then the position is confirmed to the
//! source. What is between two checkpoints may be done twice, never not at all.

use super::apply::Applier;
use super::capture::{Capture, Signals};
use super::claims::key_of_contender;
use super::collect::Batch;
use super::error::{CdcError, Handling};
use super::rebuild::Context;
use super::schema::{affected, columns_gone};
use super::setup::Keeper;
use super::state::{CdcState, StreamState};
use super::statistics::CdcMeter;
use crate::data::catalog::Catalog;
use crate::data::failed::FailedRow;
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::position::LogPosition;
use crate::documents::again::roots_of;
use crate::plan::Plan;
use crate::plan::routes::{Route, encode_key, routes};
use crate::source::SourceError;
use crate::source::change_log::{ChangeLog, Control, LogState, SchemaChange, Watched};
use crate::source::filter::{settle_filters, unstable_filters};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often clock, log and schema of the source are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a position is stored that moved without any change of a mapped table.
const IDLE_CHECKPOINT_EVERY: Duration = Duration::from_secs(5);
/// The longest pause between two tries.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(15);
/// How long a pause waits for what is being written.
const HALT_MAX: Duration = Duration::from_secs(15);
/// How long who changes a table has it for himself.
const LOCKED_PAUSE: Duration = Duration::from_millis(100);
/// Tries without any progress for a reason that is not a lost connection; then somebody has to look.
const FRUITLESS_TRIES_MAX: usize = 8;

/// How long a completion looks for changes that came after its request.
const LATE_MAX: Duration = Duration::from_secs(5);
/// What is told of such changes.
const LATE: &str = "mapped tables were changed while the job completed: its documents may hold a part of these changes";
const LATE_UNKNOWN: &str = "whether mapped tables were changed while the job completed could not be seen: its documents \
    may hold a part of such changes";

/// Compiles the job's mapping for a catalog; the error is for the user.
pub type Compile = Arc<dyn Fn(&Catalog) -> Result<Plan, String> + Send + Sync>;

/// Everything that the stage needs.
pub struct CdcRun {
    pub context: Context,
    pub state: CdcState,
    pub compile: Compile,
    /// The user lets the job change tables of the source, so that old values are logged.
    pub prepares_source: bool,
    pub is_paused: watch::Receiver<bool>,
    /// The user has asked to complete.
    pub completes: watch::Receiver<bool>,
    /// How often the user has asked to try failed rows again.
    pub retries: watch::Receiver<u64>,
    /// What the last such try came to.
    pub retried: watch::Sender<Retried>,
}

/// Rows that had failed and were tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retried {
    /// How often the user had asked by then.
    pub asked: u64,
    pub rows: u64,
    /// Those that have failed again.
    pub failed: u64,
}

/// How the stage ended without an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CdcOutcome {
    /// Everything up to the position of the request is applied.
    Completed,
    /// The user abandoned it.
    Cancelled,
    /// It stands still, with everything up to the last checkpoint applied. A reason is given where the user did not
    /// ask for it.
    Paused { reason: Option<String> },
}

/// A stream that is open.
struct Stream {
    batches: mpsc::Receiver<Batch>,
    durable: watch::Sender<LogPosition>,
    is_waited_for: watch::Sender<bool>,
    capture: JoinHandle<Result<(), CdcError>>,
    control: Box<dyn Control>,
    applier: Applier,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.capture.abort();
    }
}

/// Follows changes until the user ends or pauses it.
///
/// # Errors
/// What the job cannot go on from: see [`Handling::Fail`].
pub async fn run(run: &mut CdcRun) -> Result<CdcOutcome, CdcError> {
    let (mut pause, mut fruitless) = (Duration::from_millis(200), 0);
    let mut last = position(run);
    loop {
        let followed = run.follow().await;
        run.context.meter.stopped();
        let mut error = match followed {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        if let CdcError::Schema(changes) = &error {
            match run.follow_schema(&changes.clone()).await {
                Ok(()) => continue,
                Err(other) => error = other,
            }
        }
        tracing::warn!(job.id = %run.context.job, %error, "Following changes was interrupted");
        let is_lost = matches!(&error, CdcError::Source(error) if error.is_passing());
        if position(run) > last {
            (pause, fruitless) = (Duration::from_millis(200), 0);
        } else if !is_lost && !matches!(error, CdcError::Sink(_) | CdcError::Store(_)) {
            fruitless += 1;
        }
        last = position(run);
        match error.handling() {
            Handling::Retry | Handling::FollowSchema if fruitless <= FRUITLESS_TRIES_MAX => {}
            Handling::Fail => return Err(error),
            Handling::Retry | Handling::FollowSchema | Handling::Pause => {
                return Ok(CdcOutcome::Paused {
                    reason: Some(error.to_string()),
                });
            }
        }
        run.context.meter.notice(Some(error.to_string()));
        if !error.is_outage() {
            run.context.report([Issue {
                kind: IssueKind::Interrupted,
                location: Location::Job,
                field: None,
                message: format!("following changes was interrupted and goes on from its last checkpoint: {error}"),
                key: Vec::new(),
            }])?;
        }
        let is_paused = run.is_paused.clone();
        tokio::select! {
            biased;
            () = run.context.cancel.cancelled() => return Ok(CdcOutcome::Cancelled),
            () = paused(is_paused) => return Ok(CdcOutcome::Paused { reason: None }),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(RETRY_PAUSE_MAX);
    }
}

fn position(run: &CdcRun) -> LogPosition {
    run.state.stream.as_ref().map_or(LogPosition(0), |s| s.position)
}

async fn paused(mut is_paused: watch::Receiver<bool>) {
    if is_paused.wait_for(|paused| *paused).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn asked(mut completes: watch::Receiver<bool>) {
    if completes.wait_for(|completes| *completes).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn asked_again(mut retries: watch::Receiver<u64>) {
    if retries.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl CdcRun {
    fn stream_state(&self) -> Result<StreamState, CdcError> {
        let none = || CdcError::Resync("the job has no position in the log".into());
        self.state.stream.clone().ok_or_else(none)
    }

    async fn save(&mut self, stream: &StreamState) -> Result<(), CdcError> {
        if let Some(rows) = self.context.progress.take_changed_failed() {
            self.context.store.save_failed_rows(&self.context.job, &rows).await?;
        }
        self.state.stream = Some(stream.clone());
        Ok(self
            .context
            .store
            .save_checkpoint(&self.context.job, &self.state)
            .await?)
    }

    /// Opens the stream and applies it until something happens.
    async fn follow(&mut self) -> Result<CdcOutcome, CdcError> {
        if *self.is_paused.borrow() {
            return Ok(CdcOutcome::Paused { reason: None });
        }
        self.context.halt.store(false, Ordering::Relaxed);
        let mut state = self.stream_state()?;
        let (cancel, is_paused) = (self.context.cancel.clone(), self.is_paused.clone());
        let mut stream = tokio::select! {
            biased;
            () = cancel.cancelled() => return Ok(CdcOutcome::Cancelled),
            () = paused(is_paused.clone()) => return Ok(CdcOutcome::Paused { reason: None }),
            opened = self.open(&mut state) => opened?,
        };
        let mut looked = Instant::now() - LOOK_EVERY;
        let mut stored = Instant::now();
        // After a restart nobody knows.
        let mut was_read_since_request = state.complete_at.is_some();
        loop {
            if let Some(target) = state.complete_at
                && state.position >= target
            {
                if was_read_since_request {
                    tokio::select! {
                        biased;
                        () = cancel.cancelled() => return Ok(CdcOutcome::Cancelled),
                        looked = self.look_for_late_changes(&mut stream, state.position) => looked?,
                    }
                }
                self.save(&state).await?;
                return Ok(CdcOutcome::Completed);
            }
            let is_asked = state.complete_at.is_none();
            let step = async {
                tokio::select! {
                    biased;
                    () = asked(self.completes.clone()), if is_asked => Ok(Step::Complete),
                    () = asked_again(self.retries.clone()) => Ok(Step::Retry),
                    batch = stream.batches.recv() => Ok(Step::Batch(batch)),
                    () = tokio::time::sleep_until(looked + LOOK_EVERY) => Ok::<_, CdcError>(Step::Look),
                }
            };
            let step = tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(CdcOutcome::Cancelled),
                () = paused(is_paused.clone()) => return Ok(CdcOutcome::Paused { reason: None }),
                step = step => step?,
            };
            let mut again = None;
            let mut batch = match step {
                Step::Retry => {
                    again = Some(self.take_failed(&mut state).await?);
                    // Nothing of it is in the log, so no batch may come.
                    Batch::empty(stream.applier.routes.len())
                }
                Step::Complete => {
                    let end = stream.control.log_end().await?;
                    state.complete_at = Some(end);
                    self.save(&state).await?;
                    self.context.meter.complete_at(Some(end));
                    self.tell_open_writers(&*stream.control).await?;
                    stream.is_waited_for.send_replace(true);
                    continue;
                }
                Step::Batch(None) => return Err(ended(&mut stream).await),
                Step::Batch(Some(batch)) => {
                    if batch.is_empty() && state.refused.is_empty() {
                        state.position = state.position.max(batch.end);
                        let is_due = stored.elapsed() >= IDLE_CHECKPOINT_EVERY || state.complete_at.is_some();
                        if is_due {
                            self.save(&state).await?;
                            stored = Instant::now();
                            stream.durable.send_replace(state.position);
                        }
                        self.context.meter.applied(&batch, state.position);
                        continue;
                    }
                    batch
                }
                Step::Look => {
                    looked = Instant::now();
                    if !self.look(&stream, &state).await? {
                        continue;
                    }
                    // Nothing of it is in the log, so no batch may come.
                    Batch::empty(stream.applier.routes.len())
                }
            };
            if !batch.images_too_small.is_empty() {
                // A partition that came without old images, or an identity that somebody has changed. What follows
                // would be the same again.
                let plan = self.context.plan.clone();
                self.prepare_old_images(&*stream.control, &plan).await?;
            }
            let halt = self.context.halt.clone();
            let mut applying = Box::pin(apply(&mut stream.applier, &mut batch, &state));
            let applied = tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(CdcOutcome::Cancelled),
                () = paused(is_paused.clone()) => {
                    // What is being written ends first; a destination that is away does not hold up the pause.
                    halt.store(true, Ordering::Relaxed);
                    let _ = tokio::time::timeout(HALT_MAX, &mut applying).await;
                    return Ok(CdcOutcome::Paused { reason: None });
                }
                applied = &mut applying => applied,
            };
            drop(applying);
            let before = state.position;
            state = applied?;
            was_read_since_request |= state.complete_at.is_some();
            self.tell_late_changes(&state, before, &batch)?;
            self.save(&state).await?;
            if let Some((asked, rows)) = again {
                self.tell_retried(asked, &rows);
            }
            stored = Instant::now();
            stream.durable.send_replace(state.position);
            self.context.meter.applied(&batch, state.position);
        }
    }

    /// Has the roots that have failed rebuilt with the next batch. That is stored first: from then on they are not lost,
    /// and may be taken out of the log.
    async fn take_failed(&mut self, state: &mut StreamState) -> Result<(u64, Vec<FailedRow>), CdcError> {
        let asked = *self.retries.borrow_and_update();
        let failed: Vec<FailedRow> = self.context.progress.failed().rows.into_iter().collect();
        let again = roots_of(&self.context.plan, &failed);
        for root in &again.roots {
            let name = &self.context.plan.collections[root.collection].name;
            let key = encode_key(root.key.iter().map(|part| Some(part.as_str())));
            state.try_again(name, root.root, &key);
        }
        self.save(state).await?;
        self.context.progress.withdraw(&again.rows);
        Ok((asked, again.rows))
    }

    fn tell_retried(&self, asked: u64, rows: &[FailedRow]) {
        let left = self.context.progress.failed();
        let failed = rows.iter().filter(|row| left.rows.contains(*row)).count();
        self.retried.send_replace(Retried {
            asked,
            rows: rows.len() as u64,
            failed: failed as u64,
        });
    }

    async fn open(&mut self, state: &mut StreamState) -> Result<Stream, CdcError> {
        let context = &self.context;
        let plan = context.plan.clone();
        let watched = Watched::of(&plan, &self.state.log);
        let mut opened = context.log.open(&watched, &state.system, state.position).await?;
        let changes = state.schema.changes_to(&opened.schema);
        if !changes.iter().all(super::schema::is_small) {
            return Err(CdcError::Schema(changes));
        }
        for (collection, contender) in context.store.ready_contenders(&context.job).await? {
            let key = key_of_contender(&collection, &contender)?;
            state.try_again(&collection, contender.root, &key);
        }
        opened.stream.start(state.position).await?;
        let ways: Arc<Vec<Route>> = Arc::new(routes(&plan));
        let (send, batches) = mpsc::channel(1);
        let (durable, durable_seen) = watch::channel(state.position);
        let (is_waited_for, waited_seen) = watch::channel(state.complete_at.is_some());
        let signals = Signals {
            durable: durable_seen,
            is_waited_for: waited_seen,
            arrivals: context.meter.arrivals.clone(),
        };
        context.meter.started(state.position);
        context.meter.complete_at(state.complete_at);
        let capture = Capture::new(opened.stream, watched.tables.len(), ways.clone(), signals);
        Ok(Stream {
            batches,
            durable,
            is_waited_for,
            capture: tokio::spawn(capture.run(send)),
            control: opened.control,
            applier: Applier::new(context.clone(), ways, watched),
        })
    }

    /// Looks at what the log does not tell. Returns whether there is something to take in row by row.
    async fn look(&self, stream: &Stream, state: &StreamState) -> Result<bool, CdcError> {
        let now = match stream.control.read_schema(&stream.applier.watched).await {
            Ok(now) => now,
            // A table is being changed: the next look sees what became of it.
            Err(SourceError::LockedOut { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let changes = state.schema.changes_to(&now);
        if changes.iter().all(super::schema::is_small) {
            Ok(!changes.is_empty())
        } else {
            Err(CdcError::Schema(changes))
        }
    }

    /// Changes that are not committed when the user completes will not be migrated: the user is told whose they are.
    async fn tell_open_writers(&self, control: &dyn Control) -> Result<(), CdcError> {
        let writers = control.open_writers(&self.context.plan.tables()).await?;
        if writers.is_empty() {
            return Ok(());
        }
        // One message for all of them: groups of the log show the first one alone.
        let message = match writers.as_slice() {
            [one] => format!("a transaction with changes of mapped tables was still open: {one}"),
            all => format!(
                "{} transactions with changes of mapped tables were still open: {}",
                all.len(),
                all.join("; ")
            ),
        };
        self.context.report([Issue {
            kind: IssueKind::OpenTransaction,
            location: Location::Job,
            field: None,
            message,
            key: Vec::new(),
        }])
    }

    /// Documents are read anew, so they hold changes that were committed after the position at which the user completed;
    /// others of the same moment they do not hold. The user is told.
    fn tell_late_changes(&self, state: &StreamState, before: LogPosition, batch: &Batch) -> Result<(), CdcError> {
        let is_late = |target: LogPosition| before < target && target < batch.end && batch.transactions.len() > 1;
        match state.complete_at.is_some_and(is_late) {
            true => self.tell_late(LATE),
            false => Ok(()),
        }
    }

    /// Documents that were read after the request may hold changes that were committed after it, and whose part of the
    /// log is not needed any more. It is read on to where the log ends now, and says whether there are any.
    async fn look_for_late_changes(&self, stream: &mut Stream, position: LogPosition) -> Result<(), CdcError> {
        let seen = async {
            let end = stream.control.log_end().await.ok()?;
            let mut arrived = position;
            while arrived < end {
                let batch = stream.batches.recv().await?;
                if !batch.is_empty() {
                    return Some(true);
                }
                arrived = arrived.max(batch.end);
            }
            Some(false)
        };
        match tokio::time::timeout(LATE_MAX, seen).await {
            Ok(Some(false)) => Ok(()),
            Ok(Some(true)) => self.tell_late(LATE),
            // The source is away, or writes faster than it is read: the end is not held up for it.
            Ok(None) | Err(_) => self.tell_late(LATE_UNKNOWN),
        }
    }

    fn tell_late(&self, message: &str) -> Result<(), CdcError> {
        self.context.report([Issue {
            kind: IssueKind::LateChanges,
            location: Location::Job,
            field: None,
            message: message.into(),
            key: Vec::new(),
        }])
    }

    /// Adapts the plan, and what is logged, to a changed schema, and reads again what it may have touched.
    async fn follow_schema(&mut self, changes: &[SchemaChange]) -> Result<(), CdcError> {
        let mut state = self.stream_state()?;
        if let Some(gone) = columns_gone(&self.context.plan, changes) {
            return Err(CdcError::Blocked(gone));
        }
        let reasons = affected(&self.context.plan, changes);
        tracing::info!(job.id = %self.context.job, ?reasons, "The schema of the source has changed");
        let told: std::collections::BTreeSet<&str> = reasons.values().map(String::as_str).collect();
        let told: Vec<&str> = told.into_iter().collect();
        if !told.is_empty() {
            self.context.progress.schema_changed(told.join("; "));
        }
        let control = self.context.log.control().await?;
        let catalog = control.session().read_catalog().await?;
        let mut plan = (self.compile)(&catalog).map_err(CdcError::Blocked)?;
        let refused = settle_filters(control.session(), &mut plan).await?;
        if let Some(problem) = refused.into_iter().chain(unstable_filters(&plan)).next() {
            return Err(CdcError::Blocked(format!(
                "the filter of {} can no longer be used: {}",
                problem.table, problem.reason
            )));
        }
        let plan = Arc::new(plan);
        self.prepare_old_images(&*control, &plan).await?;
        let watched = Watched::of(&plan, &self.state.log);
        let proven = control.prove_logged(&watched).await?;
        self.context.plan = plan.clone();
        let is_broken =
            |c: &SchemaChange| matches!(c, SchemaChange::NotLogged { .. } | SchemaChange::LoggedAnew { .. });
        let writers = match changes.iter().any(is_broken) {
            true => control.writers(&proven).await?,
            false => Vec::new(),
        };
        let ways = Arc::new(routes(&plan));
        let mut applier = Applier::new(self.context.clone(), ways, watched);
        let (cancel, is_paused) = (self.context.cancel.clone(), self.is_paused.clone());
        let meter = self.context.meter.clone();
        let refreshed = async {
            // What they have written before is not logged, and shows only when they have ended.
            control.await_end_of(writers, &|notice| meter.notice(notice)).await?;
            applier.refresh_after(changes, &proven, &mut state).await
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Ok(()),
            () = paused(is_paused) => return Ok(()),
            refreshed = refreshed => refreshed?,
        }
        self.save(&state).await
    }

    async fn prepare_old_images(&mut self, control: &dyn Control, plan: &Plan) -> Result<(), CdcError> {
        let keeper = Keeper {
            store: &self.context.store,
            job: &self.context.job,
            stream: self.state.stream.as_ref(),
        };
        let log = &mut self.state.log;
        let prepared = control.prepare_old_images(log, plan, self.prepares_source, &keeper);
        Ok(prepared.await?)
    }
}

/// Applies a batch, and again while somebody changes a table: its point in time was given up so that he can.
async fn apply(applier: &mut Applier, batch: &mut Batch, state: &StreamState) -> Result<StreamState, CdcError> {
    loop {
        let mut next = state.clone();
        match applier.apply(batch, &mut next).await {
            Ok(()) => return Ok(next),
            Err(CdcError::Source(SourceError::LockedOut { reason })) => {
                tracing::debug!(reason, "A table is locked by others");
                tokio::time::sleep(LOCKED_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

enum Step {
    Complete,
    /// Rows that have failed are to be tried again.
    Retry,
    Batch(Option<Batch>),
    Look,
}

/// Shows the figures of the source for ever: while a batch takes long, and in a pause, when its log grows. Where they
/// cannot be had, the stream tells why.
pub async fn watch_clock(source: Arc<dyn ChangeLog>, log: LogState, meter: Arc<CdcMeter>) {
    loop {
        if let Ok(control) = source.control().await {
            while let Ok(clock) = control.clock(&log, meter.position()).await {
                meter.clock(&clock);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Why the stream ended.
async fn ended(stream: &mut Stream) -> CdcError {
    match (&mut stream.capture).await {
        Ok(Err(error)) => error,
        Ok(Ok(())) => CdcError::Source(SourceError::ConnectionLost {
            reason: "the stream ended".into(),
        }),
        Err(error) if error.is_panic() => CdcError::Panicked(format!("the reader of the log: {error}")),
        Err(error) => CdcError::Source(SourceError::ConnectionLost {
            reason: format!("the reader of the log ended: {error}"),
        }),
    }
}
