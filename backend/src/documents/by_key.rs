//! Documents of some root rows, by key: the newest state of each, or that it has none.
//!
//! What a key leads to now is compared with the `_id` that the key itself says: so a row that is gone, that a filter
//! takes out, or that cannot become a document any more, takes its document with it.

use super::{Batch, ChildReader, assemble_batch};
use crate::assemble::{Assembled, Assembler, RowKey, id_of_key};
use crate::data::issue::Issue;
use crate::data::row::RowSet;
use crate::plan::{IdPlan, RootPlan};
use crate::source::SourceError;
use crate::source::read::RootRows;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// What some keys of one root came to.
#[derive(Debug, Default)]
pub struct Rebuilt {
    pub documents: Vec<Assembled>,
    /// `_id`s that the keys say and that no document has: elements of raw BSON.
    pub gone: Vec<Vec<u8>>,
    /// Rows of a table without a primary key, each value once: documents of higher numbers are too many.
    pub counted: Vec<Counted>,
    pub issues: Vec<Issue>,
    pub rows_read: u64,
    pub bytes_read: u64,
    keys: RowSet,
}

/// Equal rows of a table without a primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The place of one of their keys.
    key: usize,
    /// How many rows there are now.
    pub count: u32,
}

impl Rebuilt {
    /// The `_id`s of equal rows with these numbers; none where an expression computes them.
    pub fn ids_of(&self, root: &RootPlan, counted: Counted, numbers: Range<u32>) -> Vec<Vec<u8>> {
        numbers
            .filter_map(|n| id_of_key(root, &self.keys, counted.key, n))
            .collect()
    }

    /// What stands for the row of each key, whether there is one or not. Of a table without a primary key nothing.
    pub fn owners(&self, root: &RootPlan) -> Vec<i64> {
        let is_keyless = root.node.table.primary_key.is_empty();
        let keys = 0..if is_keyless { 0 } else { self.keys.len() };
        keys.map(|k| RowKey::of(root, &self.keys, k, 0).owner(root)).collect()
    }

    /// What stands for equal rows with these numbers.
    pub fn owners_of(&self, root: &RootPlan, counted: Counted, numbers: Range<u32>) -> Vec<i64> {
        numbers
            .map(|n| RowKey::of(root, &self.keys, counted.key, n).owner(root))
            .collect()
    }
}

/// Assembles the documents of some keys in the reader's point in time. The keys are printed values of the root's
/// [row key](crate::data::catalog::CatalogTable::row_key).
///
/// # Errors
/// When the source fails: nothing is known of any of the keys then, least of all that it is gone.
pub async fn assemble_keys(
    root: &RootPlan,
    reader: &mut ChildReader<'_>,
    keys: &[Vec<Option<&str>>],
) -> Result<Rebuilt, SourceError> {
    let RootRows {
        keys: key_rows,
        mut rows,
        mut numbers,
    } = reader.reader().await?.read_roots(&root.node, keys).await?;
    let is_keyless = root.node.table.primary_key.is_empty();
    let mut rebuilt = Rebuilt::default();
    if is_keyless {
        keep_each_value_once(root, &key_rows, &mut rows, &mut numbers);
        rebuilt.counted = count(root, &key_rows, &numbers);
    }
    let mut assembler = Assembler::new(root);
    let batch: Batch = assemble_batch(root, &mut assembler, reader, rows).await?;
    if !is_keyless && !matches!(root.id, IdPlan::Custom { .. }) {
        let written: HashSet<&[u8]> = batch.documents.iter().map(Assembled::id_element).collect();
        rebuilt.gone = (0..key_rows.len())
            .filter_map(|k| id_of_key(root, &key_rows, k, 0))
            .filter(|id| !written.contains(id.as_slice()))
            .collect();
    }
    let documents = batch.documents.iter().filter(|_| is_keyless);
    let owners: HashSet<i64> = documents.map(|d| d.row.owner(root)).collect();
    for counted in &mut rebuilt.counted {
        // Rows that a rule filter takes out have no documents, and equal rows pass it or fail it together.
        let has_document = |n: &u32| owners.contains(&RowKey::of(root, &key_rows, counted.key, *n).owner(root));
        counted.count = (0..counted.count).take_while(has_document).count() as u32;
    }
    rebuilt.rows_read = batch.rows_by_node.iter().map(|(_, rows)| rows).sum();
    rebuilt.bytes_read = batch.bytes_read;
    rebuilt.documents = batch.documents;
    rebuilt.issues = batch.issues;
    rebuilt.keys = key_rows;
    Ok(rebuilt)
}

/// Keys that are written differently may be equal (1.0 and 1.00): then each has found the same rows.
fn keep_each_value_once(root: &RootPlan, keys: &RowSet, rows: &mut RowSet, numbers: &mut Vec<u32>) {
    let mut first: HashMap<Vec<u8>, u32> = HashMap::new();
    for key in 0..keys.len() {
        first
            .entry(RowKey::of(root, keys, key, 0).identity(root))
            .or_insert(key as u32);
    }
    let chosen: HashSet<u32> = first.into_values().collect();
    let keep: Vec<bool> = numbers.iter().map(|n| chosen.contains(n)).collect();
    rows.retain(&keep);
    numbers.retain(|n| chosen.contains(n));
}

fn count(root: &RootPlan, keys: &RowSet, numbers: &[u32]) -> Vec<Counted> {
    let mut counted: HashMap<Vec<u8>, Counted> = HashMap::new();
    for key in 0..keys.len() {
        let found = numbers.iter().filter(|n| **n == key as u32).count() as u32;
        let entry = counted
            .entry(RowKey::of(root, keys, key, 0).identity(root))
            .or_insert(Counted { key, count: 0 });
        entry.count = entry.count.max(found);
    }
    counted.into_values().collect()
}
