//! Where a root table is cut, and what is left of it.

use crate::source::postgres::queries::KeyRange;
use crate::store::RootChunks;
use std::collections::VecDeque;

/// One part of one root's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which collection of the plan.
    pub collection: usize,
    /// Which root of the collection.
    pub root: usize,
    pub index: usize,
    pub range: KeyRange,
    /// All of the rest of the table, in the order of its keys: it is cut while it is read.
    pub is_stream: bool,
}

/// Work that one worker does in order: a single chunk, or all of a collection whose rows have to come one by one.
pub type RootQueue = VecDeque<Vec<Chunk>>;

/// The parts that are not done yet.
pub fn open_chunks(collection: usize, root: usize, chunks: &RootChunks, is_stream: bool) -> Vec<Chunk> {
    (0..=chunks.cuts.len())
        .filter(|index| !chunks.done.contains(index))
        .map(|index| Chunk {
            collection,
            root,
            index,
            is_stream,
            range: KeyRange {
                from: index.checked_sub(1).map(|i| chunks.cuts[i].clone()),
                to: chunks.cuts.get(index).cloned(),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_meet_without_gap_or_overlap_and_done_ones_are_left_out() {
        let cut = |k: &str| vec![k.to_owned()];
        let chunks = RootChunks {
            cuts: vec![cut("5"), cut("9")],
            done: vec![1],
            ..RootChunks::default()
        };
        let open = open_chunks(0, 0, &chunks, false);
        let ranges: Vec<_> = open
            .iter()
            .map(|c| (c.index, c.range.from.clone(), c.range.to.clone()))
            .collect();
        assert_eq!(ranges, [(0, None, Some(cut("5"))), (2, Some(cut("9")), None)]);
        let whole = open_chunks(0, 0, &RootChunks::default(), false);
        assert_eq!(whole[0].range, KeyRange::default());
    }
}
