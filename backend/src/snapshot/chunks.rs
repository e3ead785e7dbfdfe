//! Where a root table is cut, and what is left of it.

use crate::source::read::KeyRange;
use crate::store::RootChunks;
use std::collections::VecDeque;

/// One part of one root's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which collection of the plan.
    pub collection: usize,
    /// Which root of the collection.
    pub root: usize,
    pub range: KeyRange,
}

/// How far the parts of a root table have come. Parts that are read as streams are cut while they are read, so a part is
/// known by its end and not by its number.
impl RootChunks {
    fn part_that_ends_at(&self, end: Option<&Vec<String>>) -> usize {
        let place_of = |end| self.cuts.iter().position(|cut| cut == end);
        // To take an end that is not known for the last one would leave rows out without a word.
        end.map_or(self.cuts.len(), |end| {
            place_of(end).expect("a cut goes only with the part that it ends")
        })
    }

    /// The part that ends there is done.
    pub fn finish(&mut self, end: Option<&Vec<String>>) {
        let part = self.part_that_ends_at(end);
        if !self.done.contains(&part) {
            self.done.push(part);
        }
    }

    /// The part that ends there is done up to a key. What is left of it is a part of its own.
    pub fn finish_up_to(&mut self, end: Option<&Vec<String>>, cut: Vec<String>) {
        let part = self.part_that_ends_at(end);
        if part > 0 && self.done.contains(&(part - 1)) {
            // What lies before is done as well: it grows, so that a long table does not have ever more parts.
            self.cuts[part - 1] = cut;
            return;
        }
        self.cuts.insert(part, cut);
        self.done
            .iter_mut()
            .filter(|done| **done >= part)
            .for_each(|done| *done += 1);
        self.done.push(part);
    }
}

/// Work that one worker does in order: a single chunk, or all of a collection whose rows have to come one by one.
pub type RootQueue = VecDeque<Vec<Chunk>>;

/// The parts that are not done yet.
pub fn open_chunks(collection: usize, root: usize, chunks: &RootChunks) -> Vec<Chunk> {
    (0..=chunks.cuts.len())
        .filter(|index| !chunks.done.contains(index))
        .map(|index| Chunk {
            collection,
            root,
            range: KeyRange::part(&chunks.cuts, index),
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
        let open = open_chunks(0, 0, &chunks);
        let ranges: Vec<_> = open
            .iter()
            .map(|c| (c.range.from.clone(), c.range.to.clone()))
            .collect();
        assert_eq!(ranges, [(None, Some(cut("5"))), (Some(cut("9")), None)]);
        let whole = open_chunks(0, 0, &RootChunks::default());
        assert_eq!(whole[0].range, KeyRange::default());
    }

    #[test]
    fn parts_that_are_cut_while_they_are_read() {
        let cut = |k: &str| vec![k.to_owned()];
        let open = |chunks: &RootChunks| {
            let open = open_chunks(0, 0, chunks);
            let ends = open.into_iter().map(|c| (c.range.from, c.range.to));
            ends.map(|(from, to)| (from.map(|k| k[0].clone()), to.map(|k| k[0].clone())))
                .collect::<Vec<_>>()
        };
        let key = |k: &str| Some(k.to_owned());
        // Two parts, read at the same time: up to m, and from m on.
        let mut chunks = RootChunks {
            cuts: vec![cut("m")],
            ..RootChunks::default()
        };
        let (first, second) = (Some(cut("m")), None::<Vec<String>>);
        chunks.finish_up_to(second.as_ref(), cut("p"));
        assert_eq!(open(&chunks), [(None, key("m")), (key("p"), None)]);
        chunks.finish_up_to(first.as_ref(), cut("c"));
        chunks.finish_up_to(second.as_ref(), cut("q"));
        chunks.finish_up_to(first.as_ref(), cut("f"));
        assert_eq!(open(&chunks), [(key("f"), key("m")), (key("q"), None)]);
        assert_eq!(chunks.cuts.len(), 3, "parts do not become more and more");
        chunks.finish(first.as_ref());
        assert_eq!(open(&chunks), [(key("q"), None)]);
        chunks.finish_up_to(second.as_ref(), cut("x"));
        chunks.finish(second.as_ref());
        assert_eq!(open(&chunks), []);
    }
}
