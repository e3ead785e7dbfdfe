//! When two values are equal, as the catalog says.

use super::literals::quote;
use crate::data::catalog::CatalogColumn;
use crate::data::equality::{Collation, Equality, EqualityCollation};
use crate::plan::JoinPair;
use crate::source::mysql::columns::Kind;
use crate::source::mysql::operators::charset_of;

/// One side of a comparison.
pub(super) struct Operand<'a> {
    pub(super) sql: String,
    /// The column whose value it is.
    pub(super) column: &'a CatalogColumn,
    /// It comes from a list of keys, where texts and dates are plain texts.
    pub(super) is_given: bool,
}

impl<'a> Operand<'a> {
    pub(super) fn column(alias: &str, column: &'a CatalogColumn) -> Self {
        Self {
            sql: format!("{alias}.{}", quote(&column.name)),
            column,
            is_given: false,
        }
    }

    pub(super) fn given(sql: String, column: &'a CatalogColumn) -> Self {
        Self {
            sql,
            column,
            is_given: true,
        }
    }

    /// A value of its column's type, under a collation where it is a text.
    fn typed(&self, cast: Option<&str>, collation: Option<&Collation>) -> String {
        let kind = Kind::of(self.column);
        let under = |value: &str, collation: &Collation| {
            let charset = charset_of(&collation.sql);
            format!("CONVERT({value} USING {charset}) COLLATE {}", collation.sql)
        };
        match (collation, cast) {
            // A number or a date that is compared with a text.
            (Some(collation), Some(cast)) => under(&format!("CAST({} AS {cast})", self.sql), collation),
            (Some(collation), None) => {
                let is_same = self.column.collation.as_ref().is_some_and(|own| own.id == collation.id);
                match is_same && !self.is_given {
                    true => self.sql.clone(),
                    false => under(&self.sql, collation),
                }
            }
            (None, _) if !self.is_given => self.sql.clone(),
            (None, _) => match kind {
                Kind::Date => format!("CAST({} AS DATE)", self.sql),
                Kind::DateTime | Kind::Timestamp => format!("CAST({} AS DATETIME(6))", self.sql),
                Kind::Time => format!("CAST({} AS TIME(6))", self.sql),
                _ => self.sql.clone(),
            },
        }
    }
}

/// Whether two values join.
pub(super) fn joins(pair: &JoinPair, parent: Operand<'_>, own: Operand<'_>) -> String {
    let [referenced, referencing] = pair.sides(parent, own);
    equal(&pair.equality, &referenced, &referencing)
}

/// Whether a row has a value in a column, as the column's own type sees it.
pub(super) fn is_value(row: &Operand<'_>, key: &Operand<'_>) -> String {
    match &row.column.equality {
        Some(equality) => equal(equality, row, key),
        None => format!("CAST({} AS BINARY) = CAST({} AS BINARY)", row.sql, key.sql),
    }
}

fn equal(equality: &Equality, referenced: &Operand<'_>, referencing: &Operand<'_>) -> String {
    let collation = match &equality.collation {
        EqualityCollation::Only(only) => Some(only),
        EqualityCollation::None | EqualityCollation::Any => None,
    };
    let [to, from] = &equality.casts;
    format!(
        "{} {} {}",
        referenced.typed(to.as_deref(), collation),
        equality.operator,
        referencing.typed(from.as_deref(), collation)
    )
}
