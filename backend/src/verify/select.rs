//! Which root rows a sample takes: always the same ones, by a hash of their keys.

use crate::assemble::RowKey;
use crate::data::row::RowSet;
use crate::plan::RootPlan;

/// The share of rows that are taken, in parts of this many.
const WHOLE: u64 = 1_000_000;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Select {
    share: u64,
}

impl Select {
    /// All rows.
    pub const ALL: Select = Select { share: WHOLE };

    /// So many of a hundred rows.
    pub fn percent(percent: f64) -> Self {
        // A cast of a float saturates.
        let share = (percent / 100.0 * WHOLE as f64).round() as u64;
        Self {
            share: share.min(WHOLE),
        }
    }

    /// Whether nothing is left out.
    pub fn is_all(self) -> bool {
        self.share >= WHOLE
    }

    /// Whether a key is taken. Rows that the source calls equal are taken all or none.
    pub fn takes(self, root: &RootPlan, key: &RowKey) -> bool {
        if self.is_all() {
            return true;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(root.node.rule.as_str().as_bytes());
        hasher.update(&key.identity(root));
        let hash = hasher.finalize();
        let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
        u64::from_le_bytes(*first) % WHOLE < self.share
    }

    /// Takes out the rows that the sample does not take.
    pub fn keep(self, root: &RootPlan, rows: &mut RowSet) {
        if self.is_all() {
            return;
        }
        let keep: Vec<bool> = (0..rows.len())
            .map(|row| self.takes(root, &RowKey::of(root, rows, row, 0)))
            .collect();
        rows.retain(&keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_a_million() {
        assert_eq!(Select::percent(100.0), Select::ALL);
        assert_eq!(Select::percent(250.0), Select::ALL);
        assert_eq!(Select::percent(12.5), Select { share: 125_000 });
        assert_eq!(Select::percent(-1.0), Select { share: 0 });
        assert_eq!(Select::percent(f64::NAN), Select { share: 0 });
    }
}
