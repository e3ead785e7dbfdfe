//! What is known of the rows: counts, sizes, how many belong to one.

use super::Figures;
use crate::schema::TableName;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What a source says of its rows. Everything may be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    pub tables: HashMap<TableName, TableFacts>,
    /// By the table that refers and the name of its foreign key.
    pub fans: HashMap<(TableName, String), Fan>,
    /// Pairs of tables that statements of the source read together, and how often; the smaller name first.
    pub together: HashMap<(TableName, TableName), u64>,
    pub figures: Figures,
}

/// What is known of a table.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TableFacts {
    pub rows: Option<f64>,
    /// Of one row, on disk.
    pub row_bytes: Option<f64>,
    /// Rows that were added since the source counts.
    pub inserts: Option<u64>,
    /// Rows that were changed or deleted since the source counts.
    pub changes: Option<u64>,
}

impl TableFacts {
    /// Whether its rows are changed more than once on average: a copy of them would be written again and again.
    pub fn is_write_heavy(&self) -> bool {
        matches!((self.changes, self.rows), (Some(changes), Some(rows)) if rows > 0.0 && changes as f64 > rows)
    }

    /// Changes and deletions for each row.
    pub fn changes_for_each(&self) -> Option<f64> {
        Some(self.changes? as f64 / self.rows.filter(|rows| *rows > 0.0)?)
    }
}

/// How many rows refer to one row, of those that are referred to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fan {
    pub average: f64,
    /// 99 of 100 have at most so many; absent where only the catalog was asked.
    pub p99: Option<f64>,
    pub largest: Option<f64>,
}

impl Fan {
    /// What nearly all stay below. Without exact counts four times the average, or the most common one, if that is more.
    pub fn usual_most(&self) -> f64 {
        self.p99
            .unwrap_or_else(|| (self.average * 4.0).max(self.largest.unwrap_or(0.0)))
    }
}

impl Facts {
    pub fn is_exact(&self) -> bool {
        self.figures == Figures::Exact
    }

    pub fn table(&self, name: &TableName) -> TableFacts {
        self.tables.get(name).copied().unwrap_or_default()
    }

    pub fn fan(&self, table: &TableName, key: &str) -> Option<Fan> {
        self.fans.get(&(table.clone(), key.to_owned())).copied()
    }

    /// How often statements read two tables together.
    pub fn read_together(&self, a: &TableName, b: &TableName) -> u64 {
        let pair = if a <= b {
            (a.clone(), b.clone())
        } else {
            (b.clone(), a.clone())
        };
        self.together.get(&pair).copied().unwrap_or(0)
    }
}
