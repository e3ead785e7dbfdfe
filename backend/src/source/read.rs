//! What is read of a source, and how much of it at once; the same for every source.

use crate::data::catalog::CatalogTable;
use crate::data::row::RowSet;
use crate::plan::Node;
use hashbrown::HashMap;

/// What one batch may hold of the source's bytes, all nodes together, while it has more than one root.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// What one root may hold: several times the largest document, for filters and hidden columns.
pub const ROOT_BYTES_MAX: usize = 256 << 20;

/// A part of a table by primary key: from the first key on, up to but without the second. Keys are printed values.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyRange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
}

impl KeyRange {
    /// One of the parts of a table that is cut at some keys, from 0 to their number.
    pub fn part(cuts: &[Vec<String>], part: usize) -> Self {
        Self {
            from: part.checked_sub(1).map(|before| cuts[before].clone()),
            to: cuts.get(part).cloned(),
        }
    }
}

/// Keys of a parent's rows, each once.
pub struct ChildKeys<'k> {
    pub parent: &'k CatalogTable,
    /// The values as the source prints them: one list for each pair of the join.
    pub printed: Vec<Vec<String>>,
    /// The bytes of each key, in the form of [`push_field`](crate::data::row::push_field).
    pub identities: Vec<&'k [u8]>,
}

impl ChildKeys<'_> {
    /// The number of each key that has one field, by its bytes.
    pub fn numbers_by_field(&self) -> HashMap<&[u8], u32> {
        (self.identities.iter().zip(0..))
            .filter_map(|(identity, number)| Some((identity.get(4..)?, number)))
            .collect()
    }
}

/// Root rows that were asked for by key.
#[derive(Debug, Default)]
pub struct RootRows {
    /// For each key a row that holds the columns of the key and nothing else.
    pub keys: RowSet,
    /// The rows that there are; of a table without a primary key several may belong to one key.
    pub rows: RowSet,
    /// The place of the key of each row.
    pub numbers: Vec<u32>,
}

impl RootRows {
    /// Nothing, for the rows of a root.
    pub fn new(node: &Node) -> Self {
        Self {
            keys: RowSet::new(node.cells()),
            rows: RowSet::new(node.cells()),
            numbers: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_side_by_side() {
        let cuts = [1, 2].map(|n| vec![n.to_string()]);
        let ends: Vec<(Option<String>, Option<String>)> = (0..=cuts.len())
            .map(|part| KeyRange::part(&cuts, part))
            .map(|r| (r.from.map(|k| k[0].clone()), r.to.map(|k| k[0].clone())))
            .collect();
        let key = |n: u32| Some(n.to_string());
        assert_eq!(ends, [(None, key(1)), (key(1), key(2)), (key(2), None)]);
        assert_eq!(KeyRange::part(&[], 0), KeyRange::default());
    }
}
