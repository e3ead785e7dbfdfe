//! What the source's catalog says of its tables, free of any database's own types.

use super::value::CellDecoder;
use godwit_shared::mapping::FieldType;
use godwit_shared::schema::TableName;
use std::collections::HashMap;
use std::sync::Arc;

/// All tables that a source has.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    pub tables: HashMap<TableName, Arc<CatalogTable>>,
    /// As the source names itself: `15.18`.
    pub version: String,
    /// The database that the connection is in.
    pub database: String,
}

/// One table. A partitioned table stands for its leaves.
#[derive(Debug, Clone)]
pub struct CatalogTable {
    pub name: TableName,
    /// In the order of the table.
    pub columns: Vec<CatalogColumn>,
    /// Indexes into `columns`, in key order; empty without a primary key.
    pub primary_key: Vec<usize>,
    pub foreign_keys: Vec<CatalogForeignKey>,
    pub indexes: Vec<CatalogIndex>,
    /// Whether its rows lie in partitions below it.
    pub is_partitioned: bool,
    /// From the source's statistics; may be wrong or 0.
    pub rows_estimated: u64,
    /// On disk, without indexes.
    pub size_bytes: u64,
    pub can_select: bool,
    /// Row security is in force for this user.
    pub has_row_security: bool,
    /// Not in the write-ahead log: a continuous job would not see its changes.
    pub is_unlogged: bool,
}

impl CatalogTable {
    /// The place of a column, by its exact name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// Columns that tell its rows apart: the primary key; without one every column that holds a value of its own.
    pub fn row_key(&self) -> Vec<usize> {
        if self.primary_key.is_empty() {
            (0..self.columns.len())
                .filter(|c| !self.columns[*c].is_generated)
                .collect()
        } else {
            self.primary_key.clone()
        }
    }

    /// Whether an index leads with exactly these columns, in any order.
    pub fn has_index_on(&self, columns: &[usize]) -> bool {
        self.indexes.iter().any(|index| {
            index.columns.len() >= columns.len()
                && index.columns[..columns.len()]
                    .iter()
                    .all(|c| c.is_some_and(|c| columns.contains(&c)))
        })
    }

    /// Whether at most one row can have given values in these columns.
    pub fn is_unique_on(&self, columns: &[usize]) -> bool {
        let covers = |key: &[usize]| !key.is_empty() && key.iter().all(|c| columns.contains(c));
        covers(&self.primary_key)
            || self.indexes.iter().any(|index| {
                let key: Option<Vec<usize>> = index.columns.iter().copied().collect();
                index.is_unique && key.is_some_and(|key| covers(&key))
            })
    }
}

#[derive(Debug, Clone)]
pub struct CatalogColumn {
    pub name: String,
    /// As the source spells it, with length or precision: `numeric(10,2)`.
    pub type_text: String,
    /// The type to cast a literal to, quoted for use in SQL. Of a domain the type below it.
    pub cast: String,
    pub family: TypeFamily,
    /// What the contract gives the column.
    pub default_type: FieldType,
    pub nullable: bool,
    pub is_generated: bool,
    pub is_auto_incremented: bool,
    /// Whether the source can sort by it.
    pub is_orderable: bool,
    /// Whether the cell is to be requested as the text that the output function prints.
    pub reads_as_text: bool,
    /// Two keys that the source tells apart may be one value in BSON (microseconds).
    pub loses_identity: bool,
    /// The canonical form may be one for keys that the source tells apart: how it folds case is the source's business.
    pub folds_keys: bool,
    /// Values that the source calls equal may have different canonical forms: `1 day` and `24 hours`.
    pub parts_equals: bool,
    /// Two values are equal for the source exactly when their bytes are.
    pub equals_as_bytes: bool,
    /// `unnest` of several of its values gives something else than these: it is an array or a row.
    pub comes_apart: bool,
    pub decoder: Arc<dyn CellDecoder>,
}

/// Types that the source compares with each other; of different families only the text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeFamily {
    Number,
    Text,
    Time,
    /// Only with its own type, named by the source's id of it.
    Own(u32),
}

#[derive(Debug, Clone)]
pub struct CatalogForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub target: TableName,
    pub target_columns: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct CatalogIndex {
    pub name: String,
    /// Key columns in order; `None` is an expression. Partial and invalid indexes are not listed.
    pub columns: Vec<Option<usize>>,
    pub is_unique: bool,
}
