//! The snapshot stage: workers take chunks until none is left.

use super::WRITES_IN_FLIGHT;
use super::queue::make_queue;
use super::refused::{RefusedRow, settle};
use super::worker::{Shared, Worker};
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::{Progress, TooManyErrors};
use crate::documents::streamed_nodes;
use crate::plan::Plan;
use crate::sink::{Sink, SinkError};
use crate::source::SourceError;
use crate::source::api::Snapshot;
use crate::store::{JobStore, RootChunks, StoreError};
use godwit_shared::ids::JobId;
use godwit_shared::job::EventStage;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Everything that one run of the snapshot stage needs.
#[derive(Clone)]
pub struct SnapshotRun {
    pub job: JobId,
    pub plan: Arc<Plan>,
    /// The point in time that everything is read in.
    pub point: Arc<dyn Snapshot>,
    pub sink: Sink,
    pub store: JobStore,
    pub progress: Arc<Progress>,
    pub cancel: CancellationToken,
    /// While true, workers stop between batches.
    pub is_paused: watch::Receiver<bool>,
    /// How many workers stand still, because of it or because nothing is left for them.
    pub parked: watch::Sender<usize>,
    pub workers: usize,
    /// Changes since the first point in time follow, and make one of several.
    pub is_continuous: bool,
}

/// How many readers of the point in time are open at the same time: each worker has one for the roots, one for what lies
/// below them, and one for each node that is read as a stream.
pub fn readers_of(plan: &Plan, workers: usize) -> usize {
    let roots = plan.collections.iter().flat_map(|c| &c.roots);
    let streams = roots.map(|root| streamed_nodes(root).len()).max().unwrap_or(0);
    workers * (2 + streams)
}

impl SnapshotRun {
    /// Rows that have failed are remembered before what they stand in counts as done.
    pub(super) async fn save_failed_rows(&self) -> Result<(), SnapshotError> {
        match self.progress.take_changed_failed() {
            Some(rows) => Ok(self.store.save_failed_rows(&self.job, &rows).await?),
            None => Ok(()),
        }
    }
}

/// What a run came to.
#[derive(Debug)]
pub struct Finished {
    pub outcome: Outcome,
    /// Rows whose documents may fit when others have changed.
    pub refused: Vec<RefusedRow>,
}

/// How a run ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Cancelled,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    TooManyErrors(#[from] TooManyErrors),
    /// A fault of this program.
    #[error("a task of the job ended unexpectedly: {0}")]
    Panicked(String),
}

/// Copies what is not copied yet.
///
/// # Errors
/// The first error of any worker; what was written stays, and finished chunks are remembered.
pub async fn run(run: SnapshotRun) -> Result<Finished, SnapshotError> {
    let ended = |outcome| Finished {
        outcome,
        refused: Vec::new(),
    };
    let snapshot = run.point.clone();
    let mut done: HashMap<(usize, usize), RootChunks> = HashMap::new();
    let queue = tokio::select! {
        biased;
        () = run.cancel.cancelled() => return Ok(ended(Outcome::Cancelled)),
        queue = make_queue(&run, &*snapshot, &mut done) => queue?,
    };
    let place = |name: String| run.progress.tables.iter().position(|t| t.name == name);
    let shared = Arc::new(Shared {
        queue: Mutex::new(queue),
        done: tokio::sync::Mutex::new(done),
        snapshot,
        rows: Arc::default(),
        table_of: (run.plan.nodes())
            .filter_map(|n| Some((n.id, place(n.table.name.to_string())?)))
            .collect(),
        is_replacing: run.plan.collections.iter().map(|_| AtomicBool::default()).collect(),
        turns: run.sink.turns(run.workers, WRITES_IN_FLIGHT),
    });
    let count = tokio::select! {
        biased;
        () = run.cancel.cancelled() => return Ok(ended(Outcome::Cancelled)),
        count = workers_for(&run, &shared) => count?,
    };
    // Workers that there are not stand still.
    run.parked.send_replace(run.workers.saturating_sub(count));
    let mut workers = JoinSet::new();
    for _ in 0..count {
        let (run, shared) = (run.clone(), shared.clone());
        workers.spawn(async move {
            Worker {
                run: &run,
                shared: &shared,
            }
            .work()
            .await
        });
    }
    let mut result = Ok(Outcome::Completed);
    while let Some(ended) = workers.join_next().await {
        let ended = ended.unwrap_or_else(|e| Err(SnapshotError::Panicked(format!("a worker: {e}"))));
        let ended = match ended {
            Err(SnapshotError::Sink(SinkError::Cancelled)) => Ok(Outcome::Cancelled),
            other => other,
        };
        match ended {
            Ok(Outcome::Completed) => {}
            Ok(Outcome::Cancelled) if result.is_err() => {}
            // The first error stops the others.
            other => {
                if result.is_ok() || matches!(result, Ok(Outcome::Cancelled)) {
                    result = other;
                }
                run.cancel.cancel();
            }
        }
    }
    if result? == Outcome::Cancelled {
        return Ok(ended(Outcome::Cancelled));
    }
    let mut refused = Vec::new();
    for (place, chunks) in &*shared.done.lock().await {
        refused.extend(settle(&run, *place, &chunks.refused).await?);
    }
    run.save_failed_rows().await?;
    for collection in &run.progress.collections {
        collection.is_complete.store(true, Ordering::Relaxed);
    }
    Ok(Finished {
        outcome: Outcome::Completed,
        refused,
    })
}

/// How many workers the source has connections for, at least one: these are opened, and lie ready.
async fn workers_for(run: &SnapshotRun, shared: &Shared) -> Result<usize, SnapshotError> {
    let queued = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).len();
    let wanted = run.workers.min(queued).max(1);
    let roots = || run.plan.collections.iter().flat_map(|c| &c.roots);
    let streams = roots().map(|r| streamed_nodes(r).len()).max().unwrap_or(0);
    let has_children = roots().any(|r| !r.node.children.is_empty());
    // One for the roots, one that asks for what lies below them, and one for each table that is read beside them.
    let each = 1 + usize::from(has_children) + streams;
    let opened = futures_util::future::join_all((0..wanted * each).map(|_| shared.snapshot.reader())).await;
    let (mut readers, mut refused) = (Vec::new(), None);
    for reader in opened {
        match reader {
            Ok(reader) => readers.push(reader),
            Err(error @ SourceError::TooManyConnections { .. }) => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    let Some(refused) = refused else {
        readers.into_iter().for_each(|reader| reader.give_back());
        return Ok(wanted);
    };
    let count = readers.len() / each;
    if count == 0 {
        return Err(refused.into());
    }
    // The rest goes back to the source.
    readers.truncate(count * each);
    readers.into_iter().for_each(|reader| reader.give_back());
    let told = Issue {
        kind: IssueKind::Note,
        location: Location::Job,
        field: None,
        message: format!("{count} workers read instead of {wanted}: {refused}"),
        key: Vec::new(),
    };
    run.progress.report([told], EventStage::Snapshotting)?;
    Ok(count)
}
