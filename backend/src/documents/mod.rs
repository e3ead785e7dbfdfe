//! From root rows to finished documents: reads what lies below them and hands it to the assembler.
//!
//! Snapshot, continuous migration, verification and preview all come through here. One query for each node of the
//! plan and batch of roots, never one for each row. Memory is bounded: a batch whose rows grow beyond
//! [`BATCH_BYTES_MAX`] is halved, a single root beyond [`ROOT_BYTES_MAX`] is an issue of its row.

pub mod again;
pub mod by_key;
pub mod dry_run;
pub mod preview;
mod shared_rows;
mod stream;

use crate::assemble::document::{input_of, passes};
use crate::assemble::rows::issue_of_row;
use crate::assemble::script::{Outcome, Results};
use crate::assemble::{Assembled, Assembler, ChildRows, RowTree};
use crate::data::issue::{Issue, IssueKind};
use crate::data::row::{RowSet, push_field};
use crate::plan::{IdPlan, Join, Node, NodeKind, RootPlan, Script};
use crate::scripts::{self, Unavailable, Urgency};
use crate::source::SourceError;
use crate::source::api::{Reader, Snapshot};
use crate::source::read::{BATCH_BYTES_MAX, ChildKeys, KeyRange, ROOT_BYTES_MAX};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

pub use shared_rows::SharedRows;
use shared_rows::is_shared;
pub use stream::streamed_nodes;
use stream::{NodeStream, root_identities};

/// A connection for the rows below the roots, opened when it is first needed and again after it was given up.
pub struct ChildReader<'s> {
    snapshot: &'s dyn Snapshot,
    open: Option<Box<dyn Reader>>,
    /// Nodes that are read in the order of the roots, by the node's id.
    streams: HashMap<usize, NodeStream>,
    /// Rows that many documents share.
    shared: Arc<SharedRows>,
    /// Who waits for the documents.
    urgency: Urgency,
}

/// What a batch of roots came to.
#[derive(Debug, Default)]
pub struct Batch {
    pub documents: Vec<Assembled>,
    pub issues: Vec<Issue>,
    /// Rows read for each node, by the node's id.
    pub rows_by_node: Vec<(usize, u64)>,
    pub bytes_read: u64,
}

impl<'s> ChildReader<'s> {
    pub fn new(snapshot: &'s dyn Snapshot) -> Self {
        Self::sharing(snapshot, Arc::default())
    }

    /// One of several readers in the same point in time, which keep the rows that documents share together.
    pub fn sharing(snapshot: &'s dyn Snapshot, shared: Arc<SharedRows>) -> Self {
        Self {
            snapshot,
            open: None,
            streams: HashMap::new(),
            shared,
            urgency: Urgency::Job,
        }
    }

    /// The same for a user who waits.
    pub fn for_preview(self) -> Self {
        Self {
            urgency: Urgency::Preview,
            ..self
        }
    }

    /// Starts the streams of a root whose rows of a range follow in the order of their keys; ends those of before.
    ///
    /// # Errors
    /// When the source refuses them.
    pub async fn start_streams(&mut self, root: &RootPlan, range: &KeyRange) -> Result<(), SourceError> {
        self.streams.clear();
        for path in streamed_nodes(root) {
            let node = path[path.len() - 1].id;
            self.streams
                .insert(node, NodeStream::open(self.snapshot, &path, range).await?);
        }
        Ok(())
    }

    /// Whether some node is read in the order of the roots, so that the roots have to come in it.
    pub fn has_streams(&self) -> bool {
        !self.streams.is_empty()
    }

    async fn reader(&mut self) -> Result<&dyn Reader, SourceError> {
        if self.open.is_none() {
            self.open = Some(self.snapshot.reader().await?);
        }
        Ok(self.open.as_deref().expect("opened above"))
    }

    /// Gives its connections back to the snapshot, for the next point in time.
    pub fn give_back(self) {
        if let Some(reader) = self.open {
            reader.give_back();
        }
    }

    /// Ends what the source is doing for this reader.
    pub async fn cancel(&self) {
        let streams = self.streams.values().map(NodeStream::cancel);
        let keyed = self.open.iter().map(|reader| reader.cancel());
        tokio::join!(
            futures_util::future::join_all(streams),
            futures_util::future::join_all(keyed)
        );
    }
}

/// Assembles the documents of some root rows, in their order.
///
/// # Errors
/// When the source fails; nothing of the batch is to be used then.
pub async fn assemble_batch(
    root: &RootPlan,
    assembler: &mut Assembler<'_>,
    reader: &mut ChildReader<'_>,
    rows: RowSet,
) -> Result<Batch, SourceError> {
    let mut batch = Batch {
        bytes_read: rows.size_bytes() as u64,
        ..Batch::default()
    };
    batch.rows_by_node.push((root.node.id, rows.len() as u64));
    if !reader.streams.is_empty() {
        let roots = root_identities(&root.node, &rows);
        for (node, stream) in &mut reader.streams {
            let (count, bytes) = stream.load(&roots).await?;
            batch.rows_by_node.push((*node, count));
            batch.bytes_read += bytes;
        }
    }
    // Parts are taken from the end, so the first rows lie on top.
    let mut parts = vec![rows];
    while let Some(mut part) = parts.pop() {
        let roots = if reader.streams.is_empty() {
            HashSet::new()
        } else {
            root_identities(&root.node, &part)
        };
        let budget = if part.len() > 1 {
            BATCH_BYTES_MAX
        } else {
            ROOT_BYTES_MAX
        };
        let mut fetch = Fetch {
            reader,
            batch: &mut batch,
            roots,
            budget,
        };
        fetch.filter(&root.node, &mut part, None).await?;
        if part.is_empty() {
            continue;
        }
        let half = part.len().div_ceil(2);
        let kept = part.clone();
        match fetch.root(root, part).await? {
            Some(tree) => {
                for row in 0..tree.rows.len() {
                    batch
                        .documents
                        .extend(assembler.assemble(&tree, row, &mut batch.issues));
                }
            }
            None if kept.len() == 1 => {
                let message = format!(
                    "the rows below it, and what expressions make of them, have more than {ROOT_BYTES_MAX} bytes"
                );
                batch.issues.push(issue_of_row(
                    &root.node,
                    &kept,
                    0,
                    IssueKind::DocumentTooLarge,
                    None,
                    message,
                ));
            }
            None => {
                let mut first = kept;
                parts.push(first.split_off(half));
                parts.push(first);
            }
        }
    }
    Ok(batch)
}

struct Fetch<'f, 's> {
    reader: &'f mut ChildReader<'s>,
    batch: &'f mut Batch,
    /// The roots of the part, where streams need to know them.
    roots: HashSet<Vec<u8>>,
    /// Bytes that may still be read.
    budget: usize,
}

impl Fetch<'_, '_> {
    /// Takes out the rows that the rule filter leaves out, and their numbers with them.
    async fn filter(
        &mut self,
        node: &Node,
        rows: &mut RowSet,
        numbers: Option<&mut Vec<u32>>,
    ) -> Result<(), SourceError> {
        let Some(filter) = &node.rule_filter else { return Ok(()) };
        let mut keep: Vec<bool> = Vec::with_capacity(rows.len());
        let (all, issues) = (&*rows, &mut self.batch.issues);
        let input = |row, input| input_of(node, all, row, filter, input);
        let each = |outcome, _| {
            keep.push(passes(node, all, keep.len(), outcome, issues));
            true
        };
        scripts::evaluate(filter, all.len(), self.reader.urgency, input, each)
            .await
            .map_err(away)?;
        rows.retain(&keep);
        if let Some(numbers) = numbers {
            let mut place = 0..;
            numbers.retain(|_| keep[place.next().expect("endless")]);
        }
        Ok(())
    }

    /// What an expression comes to for these rows; `None` when that does not fit the budget.
    async fn outcomes(
        &mut self,
        node: &Node,
        script: &Script,
        rows: &RowSet,
    ) -> Result<Option<Vec<Outcome>>, SourceError> {
        let mut outcomes = Vec::with_capacity(rows.len());
        let budget = &mut self.budget;
        let input = |row, input| input_of(node, rows, row, script, input);
        let each = |outcome, bytes: usize| {
            outcomes.push(outcome);
            let rest = budget.checked_sub(bytes + size_of::<Outcome>());
            *budget = rest.unwrap_or_default();
            rest.is_some()
        };
        let is_whole = scripts::evaluate(script, rows.len(), self.reader.urgency, input, each)
            .await
            .map_err(away)?;
        Ok(is_whole.then_some(outcomes))
    }

    /// Everything that the documents of these roots are made of; `None` when it does not fit the budget.
    async fn root(&mut self, root: &RootPlan, rows: RowSet) -> Result<Option<RowTree>, SourceError> {
        let Some(mut tree) = self.tree(&root.node, rows).await? else {
            return Ok(None);
        };
        if let IdPlan::Custom { script, .. } = &root.id {
            match self.outcomes(&root.node, script, &tree.rows).await? {
                Some(ids) => tree.results.id = ids,
                None => return Ok(None),
            }
        }
        Ok(Some(tree))
    }

    /// Everything below these rows; `None` when it does not fit the budget.
    async fn tree(&mut self, node: &Node, rows: RowSet) -> Result<Option<RowTree>, SourceError> {
        let mut children = Vec::with_capacity(node.children.len());
        for child in &node.children {
            let join = child.join.as_ref().expect("a child has a join");
            let keys = Keys::of(node, &rows, join);
            match Box::pin(self.child(child, keys)).await? {
                Some(rows) => children.push(rows),
                None => return Ok(None),
            }
        }
        let mut results = Results::default();
        for calculated in &node.calculated {
            match self.outcomes(node, &calculated.script, &rows).await? {
                Some(outcomes) => results.calculated.push(outcomes),
                None => return Ok(None),
            }
        }
        Ok(Some(RowTree {
            rows,
            children,
            results,
        }))
    }

    async fn child(&mut self, child: &Node, keys: Keys<'_>) -> Result<Option<ChildRows>, SourceError> {
        if keys.count() == 0 {
            let tree = RowTree {
                rows: RowSet::new(child.cells()),
                children: empty_children(child, 0),
                results: Results::default(),
            };
            return Ok(Some(ChildRows {
                tree,
                ranges: vec![0..0; keys.of_row.len()],
            }));
        }
        let Some((mut rows, mut numbers)) = self.rows_of(child, &keys).await? else {
            return Ok(None);
        };
        self.budget -= rows.size_bytes().min(self.budget);
        self.filter(child, &mut rows, Some(&mut numbers)).await?;
        self.cut(child, &mut rows, &mut numbers);
        let by_key = ranges_of(&numbers, keys.count());
        let ranges = keys
            .of_row
            .iter()
            .map(|key| key.map_or(0..0, |k| by_key[k as usize].clone()))
            .collect();
        let Some(tree) = self.tree(child, rows).await? else {
            return Ok(None);
        };
        Ok(Some(ChildRows { tree, ranges }))
    }

    /// The rows of some keys: from the node's stream, from what is kept of it, or by a query. `None` when they do not fit the budget.
    async fn rows_of(&mut self, child: &Node, keys: &Keys<'_>) -> Result<Option<(RowSet, Vec<u32>)>, SourceError> {
        if let Some(stream) = self.reader.streams.get(&child.id) {
            let taken = stream.take(&self.roots, &keys.identities);
            return Ok(taken.filter(|(rows, _)| rows.size_bytes() <= self.budget));
        }
        if !is_shared(child) {
            let all: Vec<u32> = (0..keys.count() as u32).collect();
            return self.query(child, &keys.asked(&all), self.budget).await;
        }
        let known = self.reader.shared.take(child.id, child.cells(), &keys.identities)?;
        let Some(budget) = self.budget.checked_sub(known.rows.size_bytes()) else {
            return Ok(None);
        };
        if known.missing.is_empty() {
            return Ok(Some((known.rows, known.numbers)));
        }
        let asked = keys.asked(&known.missing);
        let Some((rows, numbers)) = self.query(child, &asked, budget).await? else {
            return Ok(None);
        };
        self.reader.shared.keep(child.id, &asked.identities, &rows, &numbers);
        Ok(Some(known.with(rows, &numbers)))
    }

    /// Asks the source for the rows of some keys.
    async fn query(
        &mut self,
        child: &Node,
        keys: &ChildKeys<'_>,
        budget: usize,
    ) -> Result<Option<(RowSet, Vec<u32>)>, SourceError> {
        let reader = self.reader.reader().await?;
        let read = reader.read_children(child, keys, read_limit(child), budget).await?;
        match &read {
            Some((rows, _)) => {
                self.batch.bytes_read += rows.size_bytes() as u64;
                self.batch.rows_by_node.push((child.id, rows.len() as u64));
            }
            // It was cancelled in the middle of its answer.
            None => self.reader.open = None,
        }
        Ok(read)
    }

    /// Keeps the first rows of each key, as many as the node takes.
    fn cut(&mut self, node: &Node, rows: &mut RowSet, numbers: &mut Vec<u32>) {
        let Some(limit) = (if node.takes_first() { Some(1) } else { node.limit }) else {
            return;
        };
        let (mut previous, mut count) = (u32::MAX, 0);
        let mut keep = Vec::with_capacity(numbers.len());
        for (row, number) in numbers.iter().enumerate() {
            count = if *number == previous { count + 1 } else { 1 };
            previous = *number;
            keep.push(count <= limit);
            // A document takes one row: that there are more is said once. With a limit it is the user's wish.
            if count == 2 && node.takes_first() && node.limit.is_none() {
                let message = format!("several rows belong to one embedded document at {}", node.place);
                let issue = issue_of_row(node, rows, row, IssueKind::SeveralRowsForDocument, None, message);
                self.batch.issues.push(Issue {
                    key: Vec::new(),
                    ..issue
                });
            }
        }
        rows.retain(&keep);
        let mut place = 0..;
        numbers.retain(|_| keep[place.next().expect("endless")]);
    }
}

/// It is waited for as a source that is away.
fn away(error: Unavailable) -> SourceError {
    SourceError::Scripts {
        reason: error.to_string(),
    }
}

/// How many rows of each key the source needs to send. A rule filter comes first, so then it sends all of them.
fn read_limit(node: &Node) -> Option<u32> {
    let is_unique = node.join.as_ref().is_some_and(|j| j.is_unique);
    match node.kind {
        _ if node.rule_filter.is_some() => None,
        NodeKind::Document | NodeKind::Merged if is_unique => None,
        // One more than is taken tells whether there are several.
        NodeKind::Document | NodeKind::Merged => Some(node.limit.unwrap_or(2)),
        NodeKind::Root | NodeKind::Array | NodeKind::PrimitiveArray => node.limit,
    }
}

fn empty_children(node: &Node, parents: usize) -> Vec<ChildRows> {
    node.children
        .iter()
        .map(|child| ChildRows {
            tree: RowTree {
                rows: RowSet::new(child.cells()),
                children: empty_children(child, 0),
                results: Results::default(),
            },
            ranges: vec![0..0; parents],
        })
        .collect()
}

/// The different keys by which some rows join a child.
///
/// They are told apart by their bytes. Different bytes may still be equal for the source (1.0 and 1.00): then both are
/// asked for, and each gets the same rows. So bytes never decide which rows of a child belong to a key.
struct Keys<'r> {
    node: &'r Node,
    rows: &'r RowSet,
    /// The cells of the rows that make up a key, one for each pair of the join.
    cells: Vec<usize>,
    /// The bytes of each key.
    identities: Vec<Vec<u8>>,
    /// The first row with each key.
    first_rows: Vec<u32>,
    /// The key of each row; a null in any part joins nothing.
    of_row: Vec<Option<u32>>,
}

impl<'r> Keys<'r> {
    fn of(node: &'r Node, rows: &'r RowSet, join: &Join) -> Self {
        let cells: Vec<usize> = join
            .pairs
            .iter()
            .map(|p| node.cell_of(p.parent).expect("the plan reads join columns"))
            .collect();
        let mut keys = Self {
            node,
            rows,
            cells,
            identities: Vec::new(),
            first_rows: Vec::new(),
            of_row: Vec::with_capacity(rows.len()),
        };
        let mut known: HashMap<Vec<u8>, u32> = HashMap::new();
        for row in 0..rows.len() {
            let parts: Option<Vec<&[u8]>> = keys.cells.iter().map(|cell| rows.cell(row, *cell)).collect();
            let key = parts.map(|parts| {
                let mut identity = Vec::with_capacity(parts.iter().map(|p| p.len() + 4).sum());
                parts.iter().for_each(|part| push_field(&mut identity, part));
                *known.entry(identity).or_insert_with_key(|identity| {
                    keys.identities.push(identity.clone());
                    keys.first_rows.push(row as u32);
                    keys.first_rows.len() as u32 - 1
                })
            });
            keys.of_row.push(key);
        }
        keys
    }

    fn count(&self) -> usize {
        self.identities.len()
    }

    /// Some of the keys as the source is asked for them.
    fn asked(&self, wanted: &[u32]) -> ChildKeys<'_> {
        let column = |cell: usize| &self.node.table.columns[self.node.columns[cell]];
        let print = |cell: usize, key: u32| {
            let bytes = self.rows.cell(self.first_rows[key as usize] as usize, cell);
            column(cell).decoder.key_text(bytes.expect("a key has no nulls"))
        };
        ChildKeys {
            parent: &self.node.table,
            printed: (self.cells.iter())
                .map(|cell| wanted.iter().map(|key| print(*cell, *key)).collect())
                .collect(),
            identities: (wanted.iter())
                .map(|key| self.identities[*key as usize].as_slice())
                .collect(),
        }
    }
}

/// The rows of each key; those of one key are side by side in `numbers`.
fn ranges_of(numbers: &[u32], count: usize) -> Vec<Range<u32>> {
    let mut ranges = vec![0..0; count];
    let mut start = 0;
    while start < numbers.len() {
        let length = numbers[start..].iter().take_while(|n| **n == numbers[start]).count();
        ranges[numbers[start] as usize] = start as u32..(start + length) as u32;
        start += length;
    }
    ranges
}
