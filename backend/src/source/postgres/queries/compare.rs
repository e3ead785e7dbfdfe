//! When two values are equal, as the catalog says.

use super::clauses::as_cell;
use super::quote;
use crate::data::catalog::CatalogColumn;
use crate::data::equality::{Collation, Equality, EqualityCollation, KeyClass};
use crate::plan::JoinPair;

/// One side of a comparison.
pub(super) struct Operand<'a> {
    pub(super) sql: String,
    /// The column whose value it is.
    pub(super) column: &'a CatalogColumn,
    /// It comes from a list of keys, so that it has no collation of its own and no index finds it.
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
}

/// Whether two values join.
pub(super) fn joins(pair: &JoinPair, parent: Operand<'_>, own: Operand<'_>) -> String {
    let [referenced, referencing] = pair.sides(parent, own);
    equal(&pair.equality, &referenced, &referencing)
}

/// Whether a row has a value in a column, as the column's own type sees it.
pub(super) fn is_value(row: Operand<'_>, key: Operand<'_>) -> String {
    match &row.column.equality {
        Some(equality) => equal(equality, &row, &key),
        None => is_printed(&row.sql, &format!("pg_catalog.format('%s', {})", key.sql)),
    }
}

pub(super) fn is_printed(value: &str, text: &str) -> String {
    format!("pg_catalog.format('%s', {value}) OPERATOR(pg_catalog.=) {text}")
}

pub(super) fn equal(equality: &Equality, referenced: &Operand<'_>, referencing: &Operand<'_>) -> String {
    let (a, b) = (referenced, referencing);
    fn of<'a>(operand: &Operand<'a>) -> Option<&'a Collation> {
        operand.column.collation.as_ref()
    }
    let is_one = !a.is_given && !b.is_given && of(a).map(|c| c.id) == of(b).map(|c| c.id);
    let collation = match &equality.collation {
        EqualityCollation::None => None,
        // Both have it already.
        EqualityCollation::Any | EqualityCollation::Only(_) if is_one => None,
        EqualityCollation::Any => equality.collation_on(of(if a.is_given { b } else { a })),
        EqualityCollation::Only(only) => Some(only),
    };
    let collate = collation.map(|c| format!(" COLLATE {}", c.sql)).unwrap_or_default();
    // Not on the side that an index may be on.
    let (of_a, of_b) = if a.is_given {
        (collate.as_str(), "")
    } else {
        ("", collate.as_str())
    };
    format!(
        "{}{of_a} {} {}{of_b}",
        cast_to(&a.sql, equality.casts[0].as_deref()),
        equality.operator,
        cast_to(&b.sql, equality.casts[1].as_deref())
    )
}

pub(super) fn cast_to(value: &str, cast: Option<&str>) -> String {
    cast.map_or_else(|| value.to_owned(), |cast| format!("{value}::{cast}"))
}

/// The bytes of a cell, by which a row of a parent finds its rows again.
pub(super) fn bytes_of(value: &str, column: &CatalogColumn) -> String {
    match &column.sent_by {
        Some(send) => format!("{send}({value})"),
        None => as_cell(value, true),
    }
}

/// What a value has in common with those that the source calls equal.
pub(super) fn class(column: &CatalogColumn, value: &str) -> String {
    match &column.class {
        KeyClass::Asked(parts) => parts.join(&format!("{value}::{}", column.cast)),
        KeyClass::Canonical | KeyClass::Printed => "NULL::pg_catalog.text".into(),
    }
}
