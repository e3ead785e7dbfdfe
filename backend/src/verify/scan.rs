//! The expected side: root rows of a range, and the documents that they give, batch by batch.

use super::select::Select;
use crate::assemble::{Assembled, Assembler};
use crate::data::issue::Issue;
use crate::documents::{ChildReader, SharedRows, assemble_batch};
use crate::plan::{CollectionPlan, RootPlan};
use crate::source::SourceError;
use crate::source::api::{Reader, Rows, Snapshot};
use crate::source::read::KeyRange;
use std::sync::Arc;

/// Root rows of a batch to begin with; then it follows the size of the documents.
const BATCH_ROOTS_FIRST: usize = 200;
const BATCH_ROOTS_MAX: usize = 2_000;
/// Bytes of documents that a batch should come to: as many come from the destination.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes of root rows that are read at once.
const ROOT_BYTES: usize = 8 << 20;

/// One root of the plan: which collection, and which of its roots.
pub type Place = (usize, usize);

/// See the module.
pub struct Scan<'s> {
    root: &'s RootPlan,
    select: Select,
    reader: Box<dyn Reader>,
    rows: Box<dyn Rows>,
    children: ChildReader<'s>,
    assembler: Assembler<'s>,
    wanted: usize,
}

/// What some root rows came to.
#[derive(Default)]
pub struct Scanned {
    /// Root rows, those that a sample leaves out too.
    pub roots: u64,
    /// Rows of all tables.
    pub rows: u64,
    pub documents: Vec<Assembled>,
    pub issues: Vec<Issue>,
}

impl<'s> Scan<'s> {
    /// Starts to read.
    ///
    /// # Errors
    /// When the source refuses it.
    pub async fn open(
        point: &'s dyn Snapshot,
        root: &'s RootPlan,
        range: &KeyRange,
        select: Select,
        shared: Arc<SharedRows>,
    ) -> Result<Self, SourceError> {
        let mut children = ChildReader::sharing(point, shared);
        children.start_streams(root, range).await?;
        let reader = point.reader().await?;
        let rows = reader
            .stream_roots(&root.node, range, children.has_streams(), None)
            .await?;
        Ok(Self {
            root,
            select,
            reader,
            rows,
            children,
            assembler: Assembler::new(root),
            wanted: BATCH_ROOTS_FIRST,
        })
    }

    /// The next batch; `None` after the last.
    ///
    /// # Errors
    /// When the source fails.
    pub async fn next(&mut self) -> Result<Option<Scanned>, SourceError> {
        let Some(mut rows) = self.rows.next_rows(self.wanted, ROOT_BYTES).await? else {
            return Ok(None);
        };
        let roots = rows.len();
        // A stream of children needs every root in turn: there the sample is taken of the documents.
        let is_streamed = self.children.has_streams();
        if !is_streamed {
            self.select.keep(self.root, &mut rows);
        }
        if rows.is_empty() {
            return Ok(Some(Scanned {
                roots: roots as u64,
                rows: roots as u64,
                ..Scanned::default()
            }));
        }
        let taken = rows.len();
        let batch = assemble_batch(self.root, &mut self.assembler, &mut self.children, rows).await?;
        let bytes: usize = batch.documents.iter().map(|d| d.bson.len()).sum();
        self.wanted = next_batch(taken, bytes);
        let mut documents = batch.documents;
        if is_streamed && !self.select.is_all() {
            documents.retain(|d| self.select.takes(self.root, &d.row));
        }
        Ok(Some(Scanned {
            roots: roots as u64,
            rows: batch.rows_by_node.iter().map(|(_, rows)| rows).sum(),
            documents,
            issues: batch.issues,
        }))
    }

    /// Ends what the source is doing for it.
    pub async fn cancel(&self) {
        tokio::join!(self.reader.cancel(), self.children.cancel());
    }

    /// Gives its connections back to the point in time.
    pub fn give_back(self) {
        drop(self.rows);
        self.reader.give_back();
        self.children.give_back();
    }
}

fn next_batch(roots: usize, bytes: usize) -> usize {
    let each = (bytes / roots.max(1)).max(64);
    // It grows slowly: the next documents may be larger.
    (BATCH_BYTES / each).clamp(1, (roots * 2).max(16)).min(BATCH_ROOTS_MAX)
}

/// A root that gives the same `_id`s from its own rows alone, where nothing below them can take a document away; else
/// nothing.
pub fn without_children(collection: &CollectionPlan, root: &RootPlan) -> Option<RootPlan> {
    if root.node.children.is_empty() && root.node.calculated.is_empty() {
        return None;
    }
    if collection.time_series.is_some() {
        return None;
    }
    let mut bare = root.clone();
    bare.node.children.clear();
    bare.node.calculated.clear();
    bare.node.template.slots.clear();
    bare.node.template.members.truncate(1);
    Some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_the_size_of_the_documents() {
        assert_eq!(next_batch(200, 200 * 1_000), 400);
        assert_eq!(next_batch(200, 200 << 20), 4);
        assert_eq!(next_batch(1, 16 << 20), 1);
        assert_eq!(next_batch(2_000, 1), BATCH_ROOTS_MAX);
    }
}
