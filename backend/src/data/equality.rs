//! How a source compares values: read from its catalog, used by every way of reading.
//!
//! An equality names an operator with its schema, what its operands are cast to, and the collation, so that no setting
//! of a session decides what is equal. It has two sides, as foreign keys have: the value that is referred to, and the one
//! that refers to it.

use super::catalog::CatalogColumn;
use std::fmt;

/// A collation of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collation {
    /// The source's id of it.
    pub id: u32,
    /// Quoted, with its schema.
    pub sql: String,
    /// Texts are equal only when their bytes are.
    pub is_deterministic: bool,
    /// That of the database, which gives way to any other.
    pub is_default: bool,
}

/// Under which collation an equality holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EqualityCollation {
    /// The types have none.
    None,
    /// Both sides are deterministic: whichever is taken, texts are equal when their bytes are. So the one is taken by
    /// which an index of the side that is looked for is sorted.
    Any,
    /// Only this one: on one of the sides different texts may be equal.
    Only(Collation),
}

/// How the source compares two values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equality {
    /// As SQL, with its schema: `OPERATOR("pg_catalog".=)`.
    pub operator: String,
    /// The types that its operands are cast to first, `None` where a column's type is the operator's: of the value that is
    /// referred to, and of the one that refers.
    pub casts: [Option<String>; 2],
    pub collation: EqualityCollation,
    /// The families of operators for indexes that it is a member of, by the source's ids.
    pub families: Vec<u32>,
    /// For the user: `numeric = numeric`.
    pub shown: String,
}

impl Equality {
    /// The collation that applies where values of this column are looked for.
    pub fn collation_on<'c>(&'c self, column: Option<&'c Collation>) -> Option<&'c Collation> {
        match &self.collation {
            EqualityCollation::None => None,
            EqualityCollation::Any => column,
            EqualityCollation::Only(one) => Some(one),
        }
    }
}

/// The operators that sort a type, as SQL with their schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOrder {
    pub below: String,
    pub not_above: String,
    pub equal: String,
    pub not_below: String,
    pub above: String,
    /// The type that both operands are cast to, `None` where it is the column's own.
    pub cast: Option<String>,
}

/// What stands for all values that the source calls equal to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyClass {
    /// The decoder's canonical form.
    Canonical,
    /// The source computes it: the parts of an expression, with the value between any two of them.
    Asked(Vec<String>),
    /// Nobody can say it; the printed form is finer than it.
    Printed,
}

/// A source that finds an operator for two columns.
pub trait RowOperators: Send + Sync + fmt::Debug {
    /// The equality that the source would choose for `referenced = referencing`; `None` where it refuses to compare them.
    fn equality(&self, referenced: &CatalogColumn, referencing: &CatalogColumn) -> Option<Equality>;
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// An equality of one type with itself.
    pub fn plain(cast: &str) -> Equality {
        Equality {
            operator: "OPERATOR(\"pg_catalog\".=)".into(),
            casts: [None, None],
            collation: EqualityCollation::None,
            families: vec![1],
            shown: format!("{cast} = {cast}"),
        }
    }
}
