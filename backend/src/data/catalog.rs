//! What the source's catalog says of its tables, free of any database's own types.

use super::equality::{Collation, Equality, KeyClass, KeyOrder, RowOperators};
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
    /// How it compares columns that no foreign key connects; `None` knows only what the foreign keys say.
    pub operators: Option<Arc<dyn RowOperators>>,
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
    /// A table that may be read and of which nothing else is known yet.
    pub fn new(name: TableName) -> Self {
        Self {
            name,
            columns: Vec::new(),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            is_partitioned: false,
            rows_estimated: 0,
            size_bytes: 0,
            can_select: true,
            has_row_security: false,
            is_unlogged: false,
        }
    }

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

    /// Whether an index finds the rows that have given values in these columns, compared in this way.
    pub fn finds(&self, compared: &[(usize, &Equality)]) -> bool {
        let serves = |index: &CatalogIndex, place: usize| {
            let of = index.columns[place].and_then(|c| compared.iter().find(|(column, _)| *column == c));
            of.is_some_and(|(column, equality)| index.keys[place].serves(equality, &self.columns[*column]))
        };
        self.indexes
            .iter()
            .any(|index| index.columns.len() >= compared.len() && (0..compared.len()).all(|place| serves(index, place)))
    }

    /// Whether at most one row can have given values in these columns, compared in this way.
    pub fn has_one(&self, compared: &[(usize, &Equality)]) -> bool {
        self.indexes
            .iter()
            .filter(|index| index.is_unique && !index.columns.is_empty())
            .any(|index| {
                index.columns.iter().zip(&index.keys).all(|(column, key)| {
                    let of = compared.iter().find(|(c, _)| Some(*c) == *column);
                    of.is_some_and(|(column, equality)| key.serves(equality, &self.columns[*column]))
                })
            })
    }

    /// Whether at most one row can have given values in these columns, by the equality of the indexes.
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
    /// The source's id of the column's own type, which may be a domain.
    pub declared_type: u32,
    /// By which texts are compared; none of other types.
    pub collation: Option<Collation>,
    /// How the source tells two values of the column apart; `None` where it cannot compare them.
    pub equality: Option<Arc<Equality>>,
    /// How it puts them in order.
    pub key_order: Option<KeyOrder>,
    /// What two values have in common exactly when the source calls them equal.
    pub class: KeyClass,
    /// What the contract gives the column.
    pub default_type: FieldType,
    pub nullable: bool,
    pub is_generated: bool,
    pub is_auto_incremented: bool,
    /// Whether the source can sort by it.
    pub is_orderable: bool,
    /// The function that makes the binary form of its values, as SQL; `None` where the cell is requested as text.
    pub sent_by: Option<String>,
    /// Whether the cell is to be requested as the text that the output function prints.
    pub reads_as_text: bool,
    /// Two keys that the source tells apart may be one value in BSON (microseconds).
    pub loses_identity: bool,
    /// Two values are equal for the source exactly when their bytes are.
    pub equals_as_bytes: bool,
    /// A list of its values cannot be an array of its type: `unnest` would take arrays and rows apart, and some types
    /// separate the elements of an array by another character than a comma.
    pub comes_apart: bool,
    pub decoder: Arc<dyn CellDecoder>,
}

impl CatalogColumn {
    /// Whether rows without a primary key are told apart by the column's printed form: the source cannot compare its
    /// values, cannot sort them, or cannot say what equal ones have in common.
    pub fn counts_as_printed(&self) -> bool {
        !self.is_orderable || self.equality.is_none() || self.class == KeyClass::Printed
    }
}

#[derive(Debug, Clone)]
pub struct CatalogForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub target: TableName,
    pub target_columns: Vec<String>,
    /// How the constraint compares each pair of columns.
    pub equalities: Vec<Arc<Equality>>,
}

#[derive(Debug, Clone)]
pub struct CatalogIndex {
    pub name: String,
    /// Key columns in order; `None` is an expression. Partial and invalid indexes are not listed.
    pub columns: Vec<Option<usize>>,
    /// How it compares each of them.
    pub keys: Vec<IndexKey>,
    pub is_unique: bool,
}

/// How an index compares one of its columns: ids of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexKey {
    /// The family of operators.
    pub family: u32,
    /// 0 where the type has no collation.
    pub collation: u32,
}

impl IndexKey {
    /// Whether it finds values of the column that are compared so.
    pub fn serves(&self, equality: &Equality, column: &CatalogColumn) -> bool {
        let collation = equality.collation_on(column.collation.as_ref());
        equality.families.contains(&self.family)
            && (self.collation == 0 || collation.is_some_and(|c| c.id == self.collation))
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;
    use crate::data::equality::testing::plain;

    /// A column of integers.
    pub fn int4(name: &str) -> CatalogColumn {
        CatalogColumn {
            name: name.into(),
            type_text: "integer".into(),
            cast: "int4".into(),
            declared_type: 23,
            collation: None,
            equality: Some(Arc::new(plain("int4"))),
            key_order: None,
            class: KeyClass::Canonical,
            default_type: FieldType::Integer,
            nullable: true,
            is_generated: false,
            is_auto_incremented: false,
            is_orderable: true,
            sent_by: None,
            reads_as_text: false,
            loses_identity: false,
            equals_as_bytes: true,
            comes_apart: false,
            decoder: Arc::new(crate::source::postgres::values::Codec::Int4),
        }
    }
}
