//! Who a root row is. Every document carries it, and hardly any is ever asked: so it is kept as the source sent it.

use crate::data::row::RowSet;
use crate::plan::{Node, RootPlan};
use std::borrow::Cow;

/// The cells of a row's key: of the primary key; without one, of the whole row and its number among equal rows. Behind
/// them what the source says of the [classes](crate::data::equality::KeyClass) of some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowKey {
    /// Each with its length in front, [`NULL`] for a null.
    cells: Vec<u8>,
    occurrence: u32,
}

const NULL: u32 = u32::MAX;

impl RowKey {
    pub fn of(root: &RootPlan, rows: &RowSet, row: usize, occurrence: u32) -> Self {
        let node = &root.node;
        let columns = columns(node);
        let mut cells = Vec::with_capacity(columns.len() * 12);
        let of_key = columns.iter().map(|column| node.cell_of(*column));
        let of_classes = (node.columns.len()..node.cells()).map(Some);
        for cell in of_key.chain(of_classes) {
            match cell.and_then(|cell| rows.cell(row, cell)) {
                Some(cell) => {
                    cells.extend_from_slice(&(cell.len() as u32).to_le_bytes());
                    cells.extend_from_slice(cell);
                }
                None => cells.extend_from_slice(&NULL.to_le_bytes()),
            }
        }
        Self { cells, occurrence }
    }

    fn cells(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut rest = self.cells.as_slice();
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length);
            let size = if length == NULL { 0 } else { length as usize };
            let (cell, tail) = tail.split_at_checked(size)?;
            rest = tail;
            Some((length != NULL).then_some(cell))
        })
    }

    /// Bytes that are equal exactly for rows whose keys the source calls equal; of a table without a key, for equal rows.
    pub fn identity(&self, root: &RootPlan) -> Vec<u8> {
        let node = &root.node;
        let columns = columns(node);
        let classes: Vec<Option<&[u8]>> = if node.classes.is_empty() {
            Vec::new()
        } else {
            self.cells().skip(columns.len()).collect()
        };
        let mut out = Vec::with_capacity(self.cells.len());
        for (column, cell) in columns.iter().zip(self.cells()) {
            // Length first, so that no two lists of cells run together.
            let start = out.len();
            out.extend_from_slice(&NULL.to_le_bytes());
            let Some(bytes) = cell else { continue };
            match node.classes.iter().position(|c| c == column) {
                Some(place) => out.extend_from_slice(classes.get(place).copied().flatten().unwrap_or(bytes)),
                None => node.table.columns[*column].decoder.canonical(bytes, &mut out),
            }
            let length = (out.len() - start - 4) as u32;
            out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        }
        out
    }

    /// Stands for the row among those that may have an `_id`: 64 bits of a hash of its rule and key.
    pub fn owner(&self, root: &RootPlan) -> i64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(root.node.rule.as_str().as_bytes());
        hasher.update(&self.identity(root));
        hasher.update(&self.occurrence.to_le_bytes());
        let bytes: [u8; 8] = hasher.finalize().as_bytes()[..8]
            .try_into()
            .expect("a hash has 32 bytes");
        i64::from_le_bytes(bytes)
    }

    /// The values by which the source finds the row again, printed: of the primary key; without one, of the whole row.
    /// Empty where a value has no printed form.
    pub fn values(&self, node: &Node) -> Vec<Option<String>> {
        let columns = columns(node);
        let decoders = columns.iter().map(|c| &node.table.columns[*c].decoder);
        let values: Option<_> = decoders
            .zip(self.cells())
            .map(|(decoder, cell)| match cell {
                Some(cell) => decoder.try_print(cell).map(|_| Some(decoder.key_text(cell))),
                None => Some(None),
            })
            .collect();
        values.unwrap_or_default()
    }

    /// The primary key with its columns, for messages; without one nothing.
    pub fn printed(&self, node: &Node) -> Vec<(String, String)> {
        if node.table.primary_key.is_empty() {
            return Vec::new();
        }
        let columns = node.table.primary_key.iter().map(|c| &node.table.columns[*c]);
        columns
            .zip(self.cells())
            .filter_map(|(column, cell)| Some((column.name.clone(), column.decoder.print(cell?))))
            .collect()
    }
}

fn columns(node: &Node) -> Cow<'_, [usize]> {
    match node.table.primary_key.as_slice() {
        [] => Cow::Owned(node.table.row_key()),
        key => Cow::Borrowed(key),
    }
}
