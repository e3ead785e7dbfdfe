//! A set of documents as a few numbers: so that two sets of any size can be compared in bounded memory.
//!
//! Each `_id` (or each document) is hashed to 128 bits with a key that is drawn for the run. Of each of [`PARTS`] parts,
//! chosen by the first bits, the number of hashes and their sum modulo 2¹²⁸ are kept. Two multisets with the same numbers
//! and sums are the same, but with a probability of less than 2⁻¹⁰⁰: to add up to the same, hashes that nobody could know
//! before would have to stand in one relation of 128 bits. Addition takes the elements in any order and counts each as
//! often as it is there, which XOR would not.

use base64::Engine;

/// Into so many parts a set is cut. Only those that differ are looked at again.
pub const PARTS: usize = 1_024;

/// A hash of 128 bits.
pub type Hash = u128;

/// The key of a run's hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKey(pub [u8; 32]);

impl HashKey {
    /// Of some bytes.
    pub fn hash(&self, bytes: &[u8]) -> Hash {
        let hash = blake3::keyed_hash(&self.0, bytes);
        let (half, _) = hash.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
        u128::from_le_bytes(*half)
    }
}

/// In which part a hash is.
pub fn part_of(hash: Hash) -> usize {
    (hash >> 118) as usize % PARTS
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    parts: Vec<(u64, u128)>,
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            parts: vec![(0, 0); PARTS],
        }
    }
}

impl Fold {
    /// Adds an element to the part that it belongs to.
    pub fn add(&mut self, hash: Hash) {
        self.add_to(part_of(hash), hash);
    }

    /// Adds an element to a part that something else has chosen.
    pub fn add_to(&mut self, part: usize, hash: Hash) {
        let (count, sum) = &mut self.parts[part];
        *count += 1;
        *sum = sum.wrapping_add(hash);
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Fold) {
        for (own, more) in self.parts.iter_mut().zip(&other.parts) {
            own.0 += more.0;
            own.1 = own.1.wrapping_add(more.1);
        }
    }

    /// How many elements there are.
    pub fn count(&self) -> u64 {
        self.parts.iter().map(|(count, _)| count).sum()
    }

    /// The parts in which two sets differ, with the number of elements here.
    pub fn differing(&self, other: &Fold) -> Vec<(usize, u64)> {
        let pairs = self.parts.iter().zip(&other.parts).enumerate();
        pairs
            .filter(|(_, (own, other))| own != other)
            .map(|(part, (own, _))| (part, own.0))
            .collect()
    }

    /// For the checkpoint.
    pub fn encoded(&self) -> String {
        let mut bytes = Vec::with_capacity(PARTS * 24);
        for (count, sum) in &self.parts {
            bytes.extend_from_slice(&count.to_le_bytes());
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    /// What [`Fold::encoded`] has written.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
        let (parts, rest) = bytes.as_chunks::<24>();
        let parts: Vec<(u64, u128)> = parts
            .iter()
            .filter_map(|part| {
                let (count, sum) = part.split_first_chunk::<8>()?;
                let (sum, _) = sum.split_first_chunk::<16>()?;
                Some((u64::from_le_bytes(*count), u128::from_le_bytes(*sum)))
            })
            .collect();
        (rest.is_empty() && parts.len() == PARTS).then_some(Self { parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: HashKey = HashKey([7; 32]);

    fn of(elements: &[u32]) -> Fold {
        let mut fold = Fold::default();
        elements.iter().for_each(|e| fold.add(KEY.hash(&e.to_le_bytes())));
        fold
    }

    #[test]
    fn equal_multisets_fold_to_the_same_in_any_order() {
        let all: Vec<u32> = (0..5_000).collect();
        let back: Vec<u32> = (0..5_000).rev().collect();
        assert_eq!(of(&all), of(&back));
        assert_eq!(of(&all).count(), 5_000);
        assert!(of(&all).differing(&of(&back)).is_empty());
    }

    #[test]
    fn one_more_one_less_one_twice_and_one_for_another_are_seen_in_their_parts() {
        let all: Vec<u32> = (0..5_000).collect();
        let whole = of(&all);
        let part = |e: u32| part_of(KEY.hash(&e.to_le_bytes()));
        for (other, parts) in [
            (of(&all[1..]), vec![part(0)]),
            (of(&[all.clone(), vec![9_999]].concat()), vec![part(9_999)]),
            (of(&[all.clone(), vec![17]].concat()), vec![part(17)]),
            // An even number of the same would be nothing to XOR.
            (of(&[all.clone(), vec![17, 17]].concat()), vec![part(17)]),
            (
                of(&[all[1..].to_vec(), vec![8_888]].concat()),
                vec![part(0), part(8_888)],
            ),
        ] {
            let mut parts = parts;
            parts.sort_unstable();
            parts.dedup();
            let found: Vec<usize> = whole.differing(&other).into_iter().map(|(p, _)| p).collect();
            assert_eq!(found, parts);
        }
    }

    #[test]
    fn folds_of_pieces_are_the_fold_of_the_whole_and_survive_a_checkpoint() {
        let (mut one, two) = (of(&[1, 2, 3]), of(&[4, 5]));
        one.merge(&two);
        assert_eq!(one, of(&[5, 4, 3, 2, 1]));
        assert_eq!(Fold::decode(&one.encoded()), Some(one));
        assert_eq!(Fold::decode("AAAA"), None);
    }

    #[test]
    fn parts_are_about_equally_full() {
        let fold = of(&(0..100_000).collect::<Vec<_>>());
        let most = fold.parts.iter().map(|(count, _)| *count).max().unwrap();
        assert!(most < 200, "{most}");
    }
}
