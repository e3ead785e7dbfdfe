//! The loop of the snapshot stage: workers take chunks until none is left.

use super::chunks::{Chunk, RootQueue, open_chunks};
use super::refused::{REFUSED_MAX, RefusedRow, key_of, settle};
use super::{CHUNK_BYTES, CHUNK_BYTES_MIN, CHUNKS_MAX, STREAM_PARTS_MAX, WRITES_IN_FLIGHT};
use crate::assemble::rows;
use crate::assemble::{Assembled, Assembler};
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::{Counts, Progress, TooManyErrors};
use crate::data::row::RowSet;
use crate::documents::{Batch, ChildReader, SharedRows, assemble_batch, streamed_nodes};
use crate::hooks;
use crate::plan::{CollectionPlan, Node, Plan, RootPlan};
use crate::sink::{Refused, Sink, SinkError, Turns};
use crate::source::SourceError;
use crate::source::postgres::reader::{PgReader, PgSnapshot};
use crate::store::{Claim, Contender, JobStore, RootChunks, StoreError};
use godwit_shared::ids::JobId;
use godwit_shared::job::EventStage;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Root rows of a batch to begin with; then it follows the size of the documents.
const BATCH_ROOTS_FIRST: usize = 200;
const BATCH_ROOTS_MAX: usize = 5_000;
/// Bytes of documents that a batch should come to.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes of root rows that are read at once.
const ROOT_BYTES: usize = 8 << 20;

/// Bytes of documents after which a root table that is read in one go is remembered as far as it has come.
const STREAM_CHECKPOINT_BYTES: usize = 64 << 20;
/// How long a stop waits for writes that are under way.
const STOP_MAX: Duration = Duration::from_millis(1500);

/// Everything that one run of the snapshot stage needs.
#[derive(Clone)]
pub struct SnapshotRun {
    pub job: JobId,
    pub plan: Arc<Plan>,
    /// The point in time that everything is read in.
    pub point: Arc<PgSnapshot>,
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
        queue = make_queue(&run, &snapshot, &mut done) => queue?,
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
        readers.into_iter().for_each(|r| shared.snapshot.give_back(r));
        return Ok(wanted);
    };
    let count = readers.len() / each;
    if count == 0 {
        return Err(refused.into());
    }
    // The rest goes back to the source.
    readers.truncate(count * each);
    readers.into_iter().for_each(|r| shared.snapshot.give_back(r));
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

struct Shared {
    queue: Mutex<RootQueue>,
    done: tokio::sync::Mutex<HashMap<(usize, usize), RootChunks>>,
    snapshot: Arc<PgSnapshot>,
    /// Rows that documents of several chunks share.
    rows: Arc<SharedRows>,
    /// The place of each node's table in the job's progress, by the node's id.
    table_of: HashMap<usize, usize>,
    /// Of each collection whether the last documents were there already. Then the next ones are replaced at once: an
    /// insert that fails costs as much as one that does not.
    is_replacing: Vec<AtomicBool>,
    turns: Turns,
}

/// The name under which the chunks of a root are remembered.
fn root_name(collection: &CollectionPlan, root: usize) -> String {
    format!("{}/{root}/{}", collection.name, collection.roots[root].node.table.name)
}

async fn make_queue(
    run: &SnapshotRun,
    snapshot: &PgSnapshot,
    done: &mut HashMap<(usize, usize), RootChunks>,
) -> Result<RootQueue, SnapshotError> {
    let mut queue = RootQueue::new();
    for (c, collection) in run.plan.collections.iter().enumerate() {
        let mut in_order = Vec::new();
        for (r, root) in collection.roots.iter().enumerate() {
            let name = root_name(collection, r);
            let (mut is_resumed, held) = (false, &run.progress.collections[c].name);
            let chunks = match run.store.chunks(&run.job, &name).await? {
                Some(chunks) => {
                    is_resumed = true;
                    run.progress.resume(c, &chunks.counts);
                    chunks
                }
                None => {
                    // A limited table is read as the first rows of one order: parts would each have their own limit.
                    let is_limited = root.node.table_filter.as_ref().is_some_and(|f| f.row_count.is_some());
                    let streams = streamed_nodes(root);
                    run.progress
                        .report(streams.iter().map(|path| read_once(path)), EventStage::Snapshotting)?;
                    let table = &root.node.table;
                    let cuts = if is_limited {
                        Vec::new()
                    } else if streams.is_empty() {
                        snapshot.split_keys(table, chunk_bytes(root), CHUNKS_MAX).await?
                    } else {
                        // Each part scans the child table once and sorts its own rows: no more of them than sort at once.
                        let parts = (run.workers as u64).clamp(1, STREAM_PARTS_MAX);
                        let bytes = (table.size_bytes / parts).max(CHUNK_BYTES_MIN);
                        snapshot.split_keys(table, bytes, parts).await?
                    };
                    let chunks = RootChunks {
                        cuts,
                        ..RootChunks::default()
                    };
                    run.store.save_chunks(&run.job, &name, &chunks).await?;
                    chunks
                }
            };
            let open = open_chunks(c, r, &chunks);
            // Documents of a chunk that is not done are there as well.
            let has_begun = is_resumed && (!chunks.done.is_empty() || run.sink.count(held).await? > 0);
            if has_begun && !open.is_empty() && !run.is_continuous {
                let message = "rows of this collection are of two points in time: those read before the interruption and those read after it";
                run.progress.report(
                    [note(IssueKind::TwoPointsInTime, &collection.name, message)],
                    EventStage::Snapshotting,
                )?;
            }
            if collection.needs_claims {
                in_order.extend(open);
            } else {
                queue.extend(open.into_iter().map(|chunk| vec![chunk]));
            }
            done.insert((c, r), chunks);
        }
        if !in_order.is_empty() {
            queue.push_back(in_order);
        }
    }
    Ok(queue)
}

/// Bytes of the root table in one chunk. What lies below a root is read with it, so a small table with large ones below
/// is cut as finely as the whole would be: otherwise one worker would read all of it.
fn chunk_bytes(root: &RootPlan) -> u64 {
    let mut tables: Vec<_> = root.node.walk().iter().map(|n| &n.table).collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables.dedup_by(|a, b| a.name == b.name);
    let all: u64 = tables.iter().map(|t| t.size_bytes).sum();
    let own = root.node.table.size_bytes;
    (CHUNK_BYTES as f64 * own as f64 / all.max(1) as f64).max(CHUNK_BYTES_MIN as f64) as u64
}

/// Tells of a table that is read as a stream.
fn read_once(path: &[&Node]) -> Issue {
    let node = path[path.len() - 1];
    let join = node.join.iter().flat_map(|j| &j.pairs);
    let columns: Vec<&str> = join.map(|p| node.table.columns[p.own].name.as_str()).collect();
    let message = format!(
        "read once in the order of its parents: no index leads with {}",
        columns.join(", ")
    );
    Issue {
        kind: IssueKind::ReadPlan,
        location: Location::Table(node.table.name.to_string()),
        field: Some(node.place.clone()),
        message,
        key: Vec::new(),
    }
}

fn note(kind: IssueKind, collection: &str, message: &str) -> Issue {
    Issue {
        kind,
        location: Location::Collection(collection.into()),
        field: None,
        message: message.into(),
        key: Vec::new(),
    }
}

struct Worker<'r> {
    run: &'r SnapshotRun,
    shared: &'r Arc<Shared>,
}

impl Worker<'_> {
    async fn work(&self) -> Result<Outcome, SnapshotError> {
        let mut children = ChildReader::sharing(&self.shared.snapshot, self.shared.rows.clone());
        let mut roots: Option<PgReader> = None;
        loop {
            let next = self
                .shared
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(chunks) = next else {
                // Nothing is left for it: to a pause it stands still.
                self.run.parked.send_modify(|n| *n += 1);
                return Ok(Outcome::Completed);
            };
            for chunk in chunks {
                if roots.is_none() {
                    roots = Some(self.shared.snapshot.reader().await?);
                }
                let reader = roots.as_ref().expect("opened above");
                match self.chunk(&chunk, reader, &mut children).await {
                    Ok(Outcome::Completed) => {}
                    ended => {
                        // The source would go on with what nobody reads any more.
                        tokio::join!(reader.cancel(), children.cancel());
                        return ended;
                    }
                }
            }
        }
    }

    async fn chunk(
        &self,
        chunk: &Chunk,
        reader: &PgReader,
        children: &mut ChildReader<'_>,
    ) -> Result<Outcome, SnapshotError> {
        let run = self.run;
        let collection = &run.plan.collections[chunk.collection];
        let root = &collection.roots[chunk.root];
        let counted = self.enter(root);
        hooks::hold(hooks::CHUNK).await;
        let mut writes = Writes {
            tasks: JoinSet::new(),
            counts: Counts::default(),
            refused: Vec::new(),
            bytes_since_checkpoint: 0,
        };
        let read = async {
            children.start_streams(root, &chunk.range).await?;
            let mut stream = reader
                .stream_roots(&root.node, &chunk.range, children.has_streams(), None)
                .await?;
            let mut assembler = Assembler::new(root);
            let mut roots_wanted = BATCH_ROOTS_FIRST;
            while let Some(rows) = stream.next_rows(roots_wanted, ROOT_BYTES).await? {
                self.wait_while_paused(&mut writes).await?;
                if children.has_streams() && writes.bytes_since_checkpoint > STREAM_CHECKPOINT_BYTES {
                    self.checkpoint_stream(chunk, &root.node, &rows, &mut writes).await?;
                }
                let count = rows.len();
                let batch = assemble_batch(root, &mut assembler, children, rows).await?;
                self.count(chunk.collection, count, &batch, &mut writes);
                run.progress.report(batch.issues, EventStage::Snapshotting)?;
                let bytes: usize = batch.documents.iter().map(|d| d.bson.len()).sum();
                roots_wanted = next_batch(count, bytes);
                writes.bytes_since_checkpoint += bytes;
                let documents = self.claimed(collection, root, batch.documents).await?;
                self.write(chunk.collection, chunk.root, documents, &mut writes).await?;
            }
            Ok::<_, SnapshotError>(())
        };
        let ended = tokio::select! {
            biased;
            () = run.cancel.cancelled() => Ok(Outcome::Cancelled),
            ended = read => ended.map(|()| Outcome::Completed),
        };
        let drained = match &ended {
            // Documents under way arrive whole or not at all; a destination that is away does not hold up the stop.
            Ok(Outcome::Cancelled) => tokio::time::timeout(STOP_MAX, self.drain(&mut writes))
                .await
                .unwrap_or(Ok(())),
            Ok(Outcome::Completed) | Err(_) => self.drain(&mut writes).await,
        };
        drop(counted);
        let ended = ended?;
        drained?;
        if ended == Outcome::Completed {
            self.checkpoint(chunk, &mut writes).await?;
        }
        Ok(ended)
    }

    /// Stands still while the job is paused, with nothing under way.
    async fn wait_while_paused(&self, writes: &mut Writes) -> Result<(), SnapshotError> {
        let mut is_paused = self.run.is_paused.clone();
        if !*is_paused.borrow_and_update() {
            return Ok(());
        }
        self.drain(writes).await?;
        self.run.parked.send_modify(|n| *n += 1);
        let _ = is_paused.wait_for(|paused| !paused).await;
        self.run.parked.send_modify(|n| *n -= 1);
        Ok(())
    }

    /// Leaves out documents whose `_id` another row had first.
    async fn claimed(
        &self,
        collection: &CollectionPlan,
        root: &RootPlan,
        documents: Vec<Assembled>,
    ) -> Result<Vec<Assembled>, SnapshotError> {
        if !collection.needs_claims || documents.is_empty() {
            return Ok(documents);
        }
        let claims: Vec<Claim> = documents.iter().map(|d| Claim::of(root, d)).collect();
        let granted = self.run.store.claim(&self.run.job, &collection.name, &claims).await?;
        let mut kept = Vec::with_capacity(documents.len());
        let mut issues = Vec::new();
        for (document, is_granted) in documents.into_iter().zip(granted) {
            if is_granted {
                kept.push(document);
            } else {
                self.remember_contender(collection, root, &document).await?;
                let message = format!("another row has the same `_id` in \"{}\"", collection.name);
                issues.push(document_issue(IssueKind::DuplicateId, &root.node, &document, message));
            }
        }
        self.run.progress.report(issues, EventStage::Snapshotting)?;
        Ok(kept)
    }

    /// While changes are followed, the row gets the `_id` when the other one goes.
    async fn remember_contender(
        &self,
        collection: &CollectionPlan,
        root: &RootPlan,
        document: &Assembled,
    ) -> Result<(), SnapshotError> {
        if !self.run.is_continuous {
            return Ok(());
        }
        let place = collection.roots.iter().position(|r| r.node.id == root.node.id);
        let contender = Contender::of(root, place.unwrap_or_default(), document);
        let id = document.id_element();
        let store = &self.run.store;
        Ok(store.contend(&self.run.job, &collection.name, id, &contender).await?)
    }

    async fn write(
        &self,
        collection: usize,
        root: usize,
        documents: Vec<Assembled>,
        writes: &mut Writes,
    ) -> Result<(), SnapshotError> {
        if documents.is_empty() {
            return Ok(());
        }
        while writes.tasks.len() >= WRITES_IN_FLIGHT {
            self.take_one(writes).await?;
        }
        let run = self.run;
        let (sink, name, cancel) = (
            run.sink.clone(),
            run.plan.collections[collection].name.clone(),
            run.cancel.clone(),
        );
        let shared = self.shared.clone();
        writes.tasks.spawn(async move {
            let _turn = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(SinkError::Cancelled),
                turn = shared.turns.take() => turn,
            };
            let is_replacing = &shared.is_replacing[collection];
            let expect_existing = is_replacing.load(Ordering::Relaxed);
            let report = sink.write(&name, &documents, expect_existing, &cancel).await?;
            is_replacing.store(report.replaced > report.inserted, Ordering::Relaxed);
            Ok(Written {
                collection,
                root,
                bytes: documents.iter().map(|d| d.bson.len() as u64).sum(),
                refused: (report.refused.into_iter())
                    .map(|r| (documents[r.index].clone(), r))
                    .collect(),
                count: report.inserted + report.replaced,
            })
        });
        Ok(())
    }

    async fn take_one(&self, writes: &mut Writes) -> Result<(), SnapshotError> {
        let Some(ended) = writes.tasks.join_next().await else {
            return Ok(());
        };
        let written = ended.map_err(|e| SnapshotError::Panicked(format!("a write: {e}")))??;
        writes.counts.documents += written.count;
        writes.counts.bytes_written += written.bytes;
        let (run, collection, root) = (self.run, written.collection, written.root);
        Progress::add(&run.progress.collections[collection].documents, written.count);
        Progress::add(&run.progress.bytes_written, written.bytes);
        for (document, refused) in written.refused {
            let may_fit_later = refused.is_duplicate && writes.refused.len() < REFUSED_MAX;
            match key_of(run, (collection, root), &document).filter(|_| may_fit_later) {
                Some(key) => writes.refused.push(key),
                None => {
                    let node = &run.plan.collections[collection].roots[root].node;
                    let issue = refused_issue(node, &document, refused.reason);
                    run.progress.report([issue], EventStage::Snapshotting)?;
                }
            }
        }
        Ok(())
    }

    async fn drain(&self, writes: &mut Writes) -> Result<(), SnapshotError> {
        let mut result = Ok(());
        while !writes.tasks.is_empty() {
            if let Err(error) = self.take_one(writes).await {
                result = Err(error);
            }
        }
        result
    }

    /// Remembers that a chunk is done.
    async fn checkpoint(&self, chunk: &Chunk, writes: &mut Writes) -> Result<(), SnapshotError> {
        let (counts, refused) = (std::mem::take(&mut writes.counts), std::mem::take(&mut writes.refused));
        let remember = |chunks: &mut RootChunks| {
            chunks.finish(chunk.range.to.as_ref());
            chunks.counts.add(&counts);
            chunks.refused.extend(refused);
        };
        self.save_chunks(chunk, remember).await
    }

    /// Remembers how far a part has come that is read in one go, in the order of its keys: up to the first of
    /// the rows that come next.
    async fn checkpoint_stream(
        &self,
        chunk: &Chunk,
        root: &Node,
        next: &RowSet,
        writes: &mut Writes,
    ) -> Result<(), SnapshotError> {
        self.drain(writes).await?;
        let cut: Vec<String> = rows::key_of(root, next, 0)
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let (counts, refused) = (std::mem::take(&mut writes.counts), std::mem::take(&mut writes.refused));
        writes.bytes_since_checkpoint = 0;
        let remember = |chunks: &mut RootChunks| {
            chunks.finish_up_to(chunk.range.to.as_ref(), cut);
            chunks.counts.add(&counts);
            chunks.refused.extend(refused);
        };
        self.save_chunks(chunk, remember).await
    }

    /// Documents are durable first, then they count as done.
    async fn save_chunks(&self, chunk: &Chunk, remember: impl FnOnce(&mut RootChunks)) -> Result<(), SnapshotError> {
        self.run.sink.make_durable().await?;
        let collection = &self.run.plan.collections[chunk.collection];
        let mut done = self.shared.done.lock().await;
        let chunks = done.entry((chunk.collection, chunk.root)).or_default();
        remember(chunks);
        let name = root_name(collection, chunk.root);
        Ok(self.run.store.save_chunks(&self.run.job, &name, chunks).await?)
    }

    fn count(&self, collection: usize, roots: usize, batch: &Batch, writes: &mut Writes) {
        let progress = &self.run.progress;
        for (node, rows) in &batch.rows_by_node {
            if let Some(table) = self.table_of(*node) {
                let table = &progress.tables[table];
                Progress::add(&table.rows_read, *rows);
                writes.counts.add_rows(&table.name, *rows);
            }
        }
        Progress::add(&progress.bytes_read, batch.bytes_read);
        Progress::add(&progress.collections[collection].roots_read, roots as u64);
        writes.counts.bytes_read += batch.bytes_read;
        writes.counts.roots += roots as u64;
    }

    fn table_of(&self, node: usize) -> Option<usize> {
        self.shared.table_of.get(&node).copied()
    }

    /// Notes which tables are being read, until the guard is dropped.
    fn enter(&self, root: &RootPlan) -> Reading {
        let tables: Vec<usize> = root.node.walk().iter().filter_map(|n| self.table_of(n.id)).collect();
        for table in &tables {
            Progress::add(&self.run.progress.tables[*table].readers, 1);
        }
        Reading {
            progress: self.run.progress.clone(),
            tables,
        }
    }
}

struct Reading {
    progress: Arc<Progress>,
    tables: Vec<usize>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        for table in &self.tables {
            self.progress.tables[*table].readers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

struct Writes {
    tasks: JoinSet<Result<Written, SinkError>>,
    /// What was done since the last checkpoint.
    counts: Counts,
    /// Keys of rows since then whose documents may fit later.
    refused: Vec<Vec<String>>,
    bytes_since_checkpoint: usize,
}

struct Written {
    collection: usize,
    root: usize,
    bytes: u64,
    /// Documents there are now because of it.
    count: u64,
    refused: Vec<(Assembled, Refused)>,
}

/// Tells of a document that MongoDB does not take.
pub fn refused_issue(node: &Node, document: &Assembled, reason: String) -> Issue {
    document_issue(IssueKind::WriteRefused, node, document, reason)
}

fn document_issue(kind: IssueKind, node: &Node, document: &Assembled, message: String) -> Issue {
    Issue {
        kind,
        location: Location::Table(node.table.name.to_string()),
        field: None,
        message,
        key: document.row.printed(node),
    }
}

/// How many roots the next batch should have, from what this one came to.
fn next_batch(roots: usize, bytes: usize) -> usize {
    let each = (bytes / roots.max(1)).max(64);
    // It grows slowly: the next documents may be larger.
    (BATCH_BYTES / each).clamp(1, (roots * 2).max(16)).min(BATCH_ROOTS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_the_size_of_the_documents() {
        assert_eq!(next_batch(200, 200 * 1_000), 400);
        assert_eq!(next_batch(4_000, 4_000 * 100), BATCH_ROOTS_MAX);
        assert_eq!(next_batch(200, 200 << 20), 4);
        assert_eq!(next_batch(1, 16 << 20), 1);
    }
}
