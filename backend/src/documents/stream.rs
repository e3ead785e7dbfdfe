//! A child table without an index on its foreign key is read once, in the order of the roots, and merged with them:
//! one query by key for each batch would scan it each time.

use crate::data::row::{MalformedRow, RowSet, leading_fields, push_field};
use crate::plan::{Node, RootPlan};
use crate::source::SourceError;
use crate::source::api::{Reader, Rows, Snapshot};
use crate::source::read::{KeyRange, ROOT_BYTES_MAX};
use std::collections::{HashMap, HashSet};

/// Up to this size a scan for each batch costs less than sorting the table once. Measured: 2 MiB are scanned in the
/// time of about twenty look-ups by index.
const SCANNED_BYTES_MAX: u64 = 2 << 20;
/// Rows and bytes that are taken from the source's answer at once.
const ROWS_AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 1 << 20;
/// So few roots make too few batches to matter.
const ROOTS_MIN: u64 = 500;

/// The nodes below a root that are read as streams: their tables are large and have no index that leads with the
/// columns of the join. The root needs a primary key, for that is the order of the merge.
pub fn streamed_nodes(root: &RootPlan) -> Vec<Vec<&Node>> {
    let table = &root.node.table;
    let roots = table.rows_estimated.max(table.size_bytes / 200);
    let is_limited = root.node.table_filter.as_ref().is_some_and(|f| f.row_count.is_some());
    let mut found = Vec::new();
    // Keys are matched by their bytes, and printed ones would have others here than in the roots' own rows.
    let is_binary = table.primary_key.iter().all(|c| !table.columns[*c].reads_as_text);
    if !table.primary_key.is_empty() && is_binary && roots >= ROOTS_MIN && !is_limited {
        collect(&mut vec![&root.node], &mut found);
    }
    found
}

fn collect<'p>(path: &mut Vec<&'p Node>, found: &mut Vec<Vec<&'p Node>>) {
    let node = path[path.len() - 1];
    for child in &node.children {
        path.push(child);
        let is_indexed = child.join.as_ref().is_some_and(|j| j.is_indexed);
        if !is_indexed && child.table.size_bytes > SCANNED_BYTES_MAX {
            found.push(path.clone());
        }
        collect(path, found);
        path.pop();
    }
}

/// One node's rows, in the order of the roots.
pub struct NodeStream {
    stream: Box<dyn Rows>,
    reader: Box<dyn Reader>,
    columns: usize,
    root_fields: usize,
    key_fields: usize,
    /// Rows that have come, and how many of them are in a batch.
    come: RowSet,
    taken: usize,
    batch: StreamBatch,
}

/// The rows that belong to the roots of one batch.
#[derive(Default)]
struct StreamBatch {
    rows: RowSet,
    /// Places in `rows` by the parent's join columns. Of a key that several roots have the rows come with each: those
    /// of the first root are taken.
    by_key: HashMap<Vec<u8>, (Vec<u8>, Vec<usize>)>,
    /// Roots with more rows than one document can need.
    too_large: HashSet<Vec<u8>>,
}

impl NodeStream {
    /// Starts the read; the source sorts before the first row comes.
    ///
    /// # Errors
    /// When the source refuses it.
    pub async fn open(snapshot: &dyn Snapshot, path: &[&Node], range: &KeyRange) -> Result<Self, SourceError> {
        let reader = snapshot.reader().await?;
        let stream = reader.stream_below(path, range).await?;
        let node = path[path.len() - 1];
        Ok(Self {
            stream,
            reader,
            columns: node.cells(),
            root_fields: path[0].table.primary_key.len(),
            key_fields: node.join.as_ref().map_or(0, |j| j.pairs.len()),
            come: RowSet::default(),
            taken: 0,
            batch: StreamBatch::default(),
        })
    }

    /// Ends what the source is doing for this stream.
    pub async fn cancel(&self) {
        self.reader.cancel().await;
    }

    /// Reads on up to the last of these roots, which come in the order of their keys and follow those of the batch
    /// before. Returns how many rows and bytes there were.
    ///
    /// # Errors
    /// When the source fails.
    pub async fn load(&mut self, roots: &HashSet<Vec<u8>>) -> Result<(u64, u64), SourceError> {
        self.batch = StreamBatch {
            rows: RowSet::new(self.columns),
            ..StreamBatch::default()
        };
        let (mut count, mut bytes) = (0, 0);
        let mut of_root: (Vec<u8>, usize) = Default::default();
        loop {
            if self.taken == self.come.len() {
                let Some(rows) = self.stream.next_rows(ROWS_AT_ONCE, BYTES_AT_ONCE).await? else {
                    break;
                };
                (self.come, self.taken) = (rows, 0);
            }
            let tuple = self.come.tuple(self.taken);
            let root = leading_fields(tuple, 0, self.root_fields)?;
            let root = root.ok_or(MalformedRow("a primary key is null"))?;
            // It is the first row of a root of the next batch.
            if !roots.contains(&root) {
                break;
            }
            self.taken += 1;
            count += 1;
            bytes += tuple.len() as u64;
            if of_root.0 != root {
                of_root = (root.clone(), 0);
            }
            of_root.1 += tuple.len();
            if of_root.1 > ROOT_BYTES_MAX {
                self.batch.too_large.insert(root);
                continue;
            }
            let Some(key) = leading_fields(tuple, self.root_fields, self.key_fields)? else {
                continue;
            };
            let (first_root, places) = self
                .batch
                .by_key
                .entry(key)
                .or_insert_with(|| (root.clone(), Vec::new()));
            if *first_root == root {
                places.push(self.batch.rows.len());
                self.batch.rows.push_row_of(&self.come, self.taken - 1);
            }
        }
        Ok((count, bytes))
    }

    /// The rows of some keys, with the number of the key of each, in the order of the keys. `None` when one of the
    /// roots has more rows than one document can need.
    pub fn take(&self, roots: &HashSet<Vec<u8>>, keys: &[Vec<u8>]) -> Option<(RowSet, Vec<u32>)> {
        if roots.iter().any(|root| self.batch.too_large.contains(root)) {
            return None;
        }
        let (mut places, mut numbers) = (Vec::new(), Vec::new());
        for (number, key) in keys.iter().enumerate() {
            if let Some((_, of_key)) = self.batch.by_key.get(key) {
                places.extend_from_slice(of_key);
                numbers.resize(places.len(), number as u32);
            }
        }
        Some((self.batch.rows.select(&places), numbers))
    }
}

/// The identities of root rows: their primary keys.
pub fn root_identities(node: &Node, rows: &RowSet) -> HashSet<Vec<u8>> {
    let cells: Vec<usize> = node.table.primary_key.iter().filter_map(|c| node.cell_of(*c)).collect();
    (0..rows.len())
        .map(|row| {
            let mut identity = Vec::new();
            cells
                .iter()
                .filter_map(|cell| rows.cell(row, *cell))
                .for_each(|field| push_field(&mut identity, field));
            identity
        })
        .collect()
}
