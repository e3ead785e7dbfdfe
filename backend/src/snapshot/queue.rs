//! Which chunks a run has to take: where each root table is cut, and what is left of it after an interruption.

use super::chunks::{RootQueue, open_chunks};
use super::run::{SnapshotError, SnapshotRun};
use super::{CHUNK_BYTES, CHUNK_BYTES_MIN, CHUNKS_MAX, STREAM_PARTS_MAX};
use crate::data::issue::{Issue, IssueKind, Location};
use crate::documents::streamed_nodes;
use crate::plan::{CollectionPlan, Node, RootPlan};
use crate::source::api::Snapshot;
use crate::store::RootChunks;
use godwit_shared::job::EventStage;
use std::collections::HashMap;

/// The name under which the chunks of a root are remembered.
pub(super) fn root_name(collection: &CollectionPlan, root: usize) -> String {
    format!("{}/{root}/{}", collection.name, collection.roots[root].node.table.name)
}

/// All chunks that are not done, of all roots; `done` gets what is.
pub(super) async fn make_queue(
    run: &SnapshotRun,
    snapshot: &dyn Snapshot,
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
