//! One worker: it reads the roots of a chunk, assembles their documents in batches and has a few of these on their way.

use super::WRITES_IN_FLIGHT;
use super::chunks::{Chunk, RootQueue};
use super::queue::root_name;
use super::refused::{REFUSED_MAX, key_of};
use super::run::{Outcome, SnapshotError, SnapshotRun};
use crate::assemble::rows;
use crate::assemble::{Assembled, Assembler};
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::{Counts, Progress};
use crate::data::row::RowSet;
use crate::documents::{Batch, ChildReader, SharedRows, assemble_batch};
use crate::hooks;
use crate::plan::{CollectionPlan, Node, RootPlan};
use crate::sink::{Refused, SinkError, Turns};
use crate::source::api::{Reader, Snapshot};
use crate::store::{Claim, Contender, RootChunks};
use godwit_shared::job::EventStage;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

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

/// What the workers of one run have in common.
pub(super) struct Shared {
    pub(super) queue: Mutex<RootQueue>,
    pub(super) done: tokio::sync::Mutex<HashMap<(usize, usize), RootChunks>>,
    pub(super) snapshot: Arc<dyn Snapshot>,
    /// Rows that documents of several chunks share.
    pub(super) rows: Arc<SharedRows>,
    /// The place of each node's table in the job's progress, by the node's id.
    pub(super) table_of: HashMap<usize, usize>,
    /// Of each collection whether the last documents were there already. Then the next ones are replaced at once: an
    /// insert that fails costs as much as one that does not.
    pub(super) is_replacing: Vec<AtomicBool>,
    pub(super) turns: Turns,
}
/// One of those that take chunks until none is left.
pub(super) struct Worker<'r> {
    pub(super) run: &'r SnapshotRun,
    pub(super) shared: &'r Arc<Shared>,
}

impl Worker<'_> {
    pub(super) async fn work(&self) -> Result<Outcome, SnapshotError> {
        let mut children = ChildReader::sharing(&*self.shared.snapshot, self.shared.rows.clone());
        let mut roots: Option<Box<dyn Reader>> = None;
        loop {
            let next = self
                .shared
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(chunks) = next else {
                // The point in time may be read again by a verification.
                if let Some(reader) = roots {
                    reader.give_back();
                }
                children.give_back();
                // Nothing is left for it: to a pause it stands still.
                self.run.parked.send_modify(|n| *n += 1);
                return Ok(Outcome::Completed);
            };
            for chunk in chunks {
                if roots.is_none() {
                    roots = Some(self.shared.snapshot.reader().await?);
                }
                let reader = roots.as_deref().expect("opened above");
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
        reader: &dyn Reader,
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
        self.run.save_failed_rows().await?;
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
pub(super) fn refused_issue(node: &Node, document: &Assembled, reason: String) -> Issue {
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
