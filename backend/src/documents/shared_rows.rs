//! Rows of referenced tables that many documents share, kept from batch to batch: a point in time does not change.
//!
//! One store for all workers of a job, bounded in bytes. It is a ring of pieces, filled one after the other; when all
//! are full the oldest is emptied, and rows of it that were used since they came are kept once more (second chance).

use crate::data::row::{MalformedRow, RowSet};
use crate::plan::{Node, NodeKind};
use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

/// Bytes in one piece.
const PIECE_BYTES: usize = 1 << 20;
/// Pieces of a job. Measured at TPC-H scale 1 on orders with their customer: 100,000 customers that are asked for take
/// 25 MiB and are read once; with 16 MiB for each worker they were read seven times.
const PIECES_MAX: usize = 64;
/// A larger row is read again for each batch: it would push out too many others.
const RECORD_BYTES_MAX: usize = PIECE_BYTES / 4;
/// Whether a node's rows may be kept: a key has at most one, and it is a referenced row, not one of many children.
pub fn is_shared(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Document | NodeKind::Merged) && node.join.as_ref().is_some_and(|j| j.is_unique)
}

/// The rows of all shared nodes by the node and the bytes of their key; of a key that matches nothing, that it does.
pub struct SharedRows {
    hasher: DefaultHashBuilder,
    ring: Mutex<Ring>,
}

/// What is known of some keys.
pub struct Known {
    pub rows: RowSet,
    /// The number of the key of each row.
    pub numbers: Vec<u32>,
    /// Numbers of keys of which nothing is known.
    pub missing: Vec<u32>,
}

impl Known {
    /// Adds the rows of keys that were missing, numbered by their places among these; all in the order of the keys.
    pub fn with(mut self, rows: RowSet, places: &[u32]) -> (RowSet, Vec<u32>) {
        let (known, mut merged) = (self.rows.len(), Vec::with_capacity(self.rows.len() + rows.len()));
        merged.extend(self.numbers.iter().copied().zip(0..));
        merged.extend((places.iter().map(|place| self.missing[*place as usize])).zip(known..));
        merged.sort_unstable();
        self.rows.append(rows);
        let order: Vec<usize> = merged.iter().map(|(_, row)| *row).collect();
        (
            self.rows.select(&order),
            merged.into_iter().map(|(number, _)| number).collect(),
        )
    }
}

impl Default for SharedRows {
    fn default() -> Self {
        Self::with_pieces(PIECES_MAX)
    }
}

impl SharedRows {
    fn with_pieces(pieces_max: usize) -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            ring: Mutex::new(Ring {
                places: HashTable::new(),
                pieces: vec![Vec::new()],
                newest: 0,
                pieces_max,
            }),
        }
    }

    /// The rows of those keys that are known.
    ///
    /// # Errors
    /// When a row that was kept is not one of these columns.
    pub fn take(&self, node: usize, columns: usize, keys: &[Vec<u8>]) -> Result<Known, MalformedRow> {
        let (mut bytes, mut found, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, key) in keys.iter().enumerate() {
            match ring.find(self.hash(node, key), node, key) {
                None => missing.push(number as u32),
                Some([]) => {}
                Some(tuple) => {
                    found.push((number as u32, bytes.len()));
                    bytes.extend_from_slice(tuple);
                }
            }
        }
        drop(ring);
        let bytes = Bytes::from(bytes);
        let mut rows = RowSet::new(columns);
        for (place, (_, start)) in found.iter().enumerate() {
            let end = found.get(place + 1).map_or(bytes.len(), |next| next.1);
            rows.push_row(bytes.slice(*start..end))?;
        }
        Ok(Known {
            rows,
            numbers: found.into_iter().map(|(number, _)| number).collect(),
            missing,
        })
    }

    /// Keeps the rows that were read for some keys; `numbers` are places in `keys`.
    pub fn keep(&self, node: usize, keys: &[&[u8]], rows: &RowSet, numbers: &[u32]) {
        let mut tuples: Vec<&[u8]> = vec![&[]; keys.len()];
        for (row, number) in numbers.iter().enumerate() {
            tuples[*number as usize] = rows.tuple(row);
        }
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, tuple) in keys.iter().zip(tuples) {
            let hash = self.hash(node, key);
            // Another worker may have asked for it at the same time.
            if Record::size(key, tuple) <= RECORD_BYTES_MAX && ring.find(hash, node, key).is_none() {
                ring.add(
                    hash,
                    &self.hasher,
                    &Record {
                        node: node as u32,
                        key,
                        tuple,
                    },
                );
            }
        }
    }

    fn hash(&self, node: usize, key: &[u8]) -> u64 {
        self.hasher.hash_one((node as u32, key))
    }
}

struct Ring {
    /// Where each record begins: the number of its piece and the offset in it.
    places: HashTable<(u32, u32)>,
    pieces: Vec<Vec<u8>>,
    newest: usize,
    pieces_max: usize,
}

impl Ring {
    /// The row of a key, empty where there is none; it counts as used.
    fn find(&mut self, hash: u64, node: usize, key: &[u8]) -> Option<&[u8]> {
        let pieces = &self.pieces;
        let (piece, offset) = *self.places.find(hash, |(piece, offset)| {
            let record = Record::read(&pieces[*piece as usize][*offset as usize..]);
            record.node == node as u32 && record.key == key
        })?;
        let bytes = &mut self.pieces[piece as usize][offset as usize..];
        bytes[0] = USED;
        Some(Record::read(bytes).tuple)
    }

    fn add(&mut self, hash: u64, hasher: &DefaultHashBuilder, record: &Record<'_>) {
        if self.pieces[self.newest].len() + record.len() > PIECE_BYTES {
            self.turn(hasher);
        }
        self.push(hash, hasher, record);
    }

    /// Adds a record to the newest piece, which has room for it.
    fn push(&mut self, hash: u64, hasher: &DefaultHashBuilder, record: &Record<'_>) {
        let piece = &mut self.pieces[self.newest];
        let place = (self.newest as u32, piece.len() as u32);
        record.write(piece);
        let pieces = &self.pieces;
        self.places.insert_unique(hash, place, |(piece, offset)| {
            Record::read(&pieces[*piece as usize][*offset as usize..]).hash(hasher)
        });
    }

    /// Goes on to the next piece. Of what was in it half a piece is kept at most, so that there is always room.
    fn turn(&mut self, hasher: &DefaultHashBuilder) {
        if self.pieces.len() < self.pieces_max {
            self.newest = self.pieces.len();
            self.pieces.push(Vec::with_capacity(PIECE_BYTES));
            return;
        }
        self.newest = (self.newest + 1) % self.pieces.len();
        let empty = Vec::with_capacity(PIECE_BYTES);
        let emptied = std::mem::replace(&mut self.pieces[self.newest], empty);
        let mut offset = 0;
        let mut used = Vec::new();
        while offset < emptied.len() {
            let record = Record::read(&emptied[offset..]);
            let (hash, place) = (record.hash(hasher), (self.newest as u32, offset as u32));
            if let Ok(entry) = self.places.find_entry(hash, |p| *p == place) {
                entry.remove();
            }
            if emptied[offset] == USED {
                used.push((hash, offset));
            }
            offset += record.len();
        }
        for (hash, offset) in used {
            let record = Record::read(&emptied[offset..]);
            if self.pieces[self.newest].len() + record.len() <= PIECE_BYTES / 2 {
                self.push(hash, hasher, &record);
            }
        }
    }
}

/// Marks a record that was asked for since it came.
const USED: u8 = 1;

/// One row in a piece: a byte that says whether it was used, the node, the lengths of key and row, then both.
struct Record<'r> {
    node: u32,
    key: &'r [u8],
    /// In the binary COPY format; empty where the key matches nothing.
    tuple: &'r [u8],
}

impl<'r> Record<'r> {
    const HEAD: usize = 13;

    fn size(key: &[u8], tuple: &[u8]) -> usize {
        Self::HEAD + key.len() + tuple.len()
    }

    fn len(&self) -> usize {
        Self::size(self.key, self.tuple)
    }

    fn hash(&self, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one((self.node, self.key))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(0);
        for number in [self.node, self.key.len() as u32, self.tuple.len() as u32] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(self.key);
        out.extend_from_slice(self.tuple);
    }

    /// The record that begins here.
    fn read(bytes: &'r [u8]) -> Self {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (key, tuple) = (number(5) as usize, number(9) as usize);
        let (key, rest) = bytes[Self::HEAD..].split_at(key);
        Self {
            node: number(1),
            key,
            tuple: &rest[..tuple],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::row::testing::tuple;

    /// Rows of one cell, with the number of their key in front.
    fn rows(cells: &[&[u8]]) -> RowSet {
        let mut rows = RowSet::new(1);
        for cell in cells {
            rows.push_copy_tuple(tuple(&[Some(b"numb"), Some(cell)]), 1).unwrap();
        }
        rows
    }

    fn taken(shared: &SharedRows, node: usize, keys: &[Vec<u8>]) -> (Vec<(u32, Vec<u8>)>, Vec<u32>) {
        let known = shared.take(node, 1, keys).unwrap();
        let cells = (0..known.rows.len()).map(|row| known.rows.cell(row, 0).unwrap().to_vec());
        (known.numbers.iter().copied().zip(cells).collect(), known.missing)
    }

    #[test]
    fn a_key_is_asked_for_once_also_when_it_matches_nothing() {
        let shared = SharedRows::default();
        let keys = [b"a".to_vec(), b"b".to_vec(), b"c".to_vec()];
        assert_eq!(taken(&shared, 1, &keys), (vec![], vec![0, 1, 2]));
        shared.keep(1, &[b"a", b"c"], &rows(&[b"row of c"]), &[1]);
        assert_eq!(taken(&shared, 1, &keys), (vec![(2, b"row of c".to_vec())], vec![1]));
        shared.keep(1, &[b"b"], &rows(&[b"row of b"]), &[0]);
        let both = vec![(1, b"row of b".to_vec()), (2, b"row of c".to_vec())];
        assert_eq!(taken(&shared, 1, &keys), (both, vec![]));
        assert_eq!(taken(&shared, 2, &keys).1, [0, 1, 2], "another node has other rows");
    }

    #[test]
    fn rows_that_are_known_and_rows_that_were_read_come_in_the_order_of_the_keys() {
        let shared = SharedRows::default();
        shared.keep(1, &[b"b", b"d"], &rows(&[b"row b", b"row d"]), &[0, 1]);
        let keys: Vec<Vec<u8>> = [b"a", b"b", b"c", b"d", b"e"].map(|k| k.to_vec()).into();
        let known = shared.take(1, 1, &keys).unwrap();
        assert_eq!(known.missing, [0, 2, 4]);
        // Of c there is none.
        let (all, numbers) = known.with(rows(&[b"row a", b"row e"]), &[0, 2]);
        let cells: Vec<&[u8]> = (0..all.len()).map(|row| all.cell(row, 0).unwrap()).collect();
        assert_eq!(cells, [b"row a", b"row b", b"row d", b"row e"]);
        assert_eq!(numbers, [0, 1, 3, 4]);
    }

    #[test]
    fn when_it_is_full_what_is_used_stays_and_every_row_is_that_of_its_key() {
        let shared = SharedRows::with_pieces(3);
        let key = |n: u32| vec![n.to_le_bytes().to_vec()];
        let row = |n: u32| [&n.to_le_bytes()[..], &[7; 1000]].concat();
        let add = |n: u32| shared.keep(n as usize % 2, &[&key(n)[0]], &rows(&[&row(n)]), &[0]);
        // Three pieces hold about 3,000 of these.
        for n in 0..20_000 {
            add(n);
            assert_eq!(taken(&shared, 0, &key(0)).0, [(0, row(0))], "after {n} rows");
        }
        let mut kept = 0;
        for n in 0..20_000 {
            let (found, missing) = taken(&shared, n as usize % 2, &key(n));
            match found.as_slice() {
                [] => assert_eq!(missing, [0]),
                found => assert_eq!(found, [(0, row(n))]),
            }
            kept += found.len();
        }
        assert!((1_500..3_200).contains(&kept), "{kept} rows");
        let ring = shared.ring.lock().unwrap();
        assert_eq!(ring.places.len(), kept);
        assert!(ring.pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
    }

    #[test]
    fn when_all_is_used_there_is_room_nevertheless() {
        let shared = SharedRows::with_pieces(2);
        for n in 0..10_000u32 {
            let key = n.to_le_bytes().to_vec();
            shared.keep(0, &[&key], &rows(&[&[1; 1000]]), &[0]);
            assert_eq!(taken(&shared, 0, &[key]).0.len(), 1);
        }
        assert_eq!(shared.ring.lock().unwrap().pieces.len(), 2);
    }

    #[test]
    fn a_row_that_is_too_large_is_not_kept() {
        let shared = SharedRows::default();
        shared.keep(0, &[b"k"], &rows(&[&vec![1; RECORD_BYTES_MAX]]), &[0]);
        assert_eq!(taken(&shared, 0, &[b"k".to_vec()]).1, [0]);
    }
}
