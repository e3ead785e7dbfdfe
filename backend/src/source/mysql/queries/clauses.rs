//! What follows FROM, SELECT and ORDER BY.

use super::literals::{quote, table_name};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::data::equality::KeyClass;
use crate::plan::{Node, OrderTerm, RowFilter};
use crate::source::mysql::columns::Kind;
use crate::source::mysql::filter::ALIAS;

/// A table as it stands after FROM, with the rows that a filter lets through.
pub(super) fn from_item(table: &CatalogTable, filter: Option<&RowFilter>, alias: &str) -> String {
    let name = table_name(&table.name);
    let Some(filter) = filter else {
        return format!("{name} AS {alias}");
    };
    let condition = filter.where_sql(&table.name);
    let limit = filter
        .row_count
        .map(|n| format!("{} LIMIT {n}", order_by(table, &OrderTerm::natural(table), ALIAS)))
        .unwrap_or_default();
    // An asterisk would leave out columns that are invisible.
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|c| format!("{ALIAS}.{}", quote(&c.name)))
        .collect();
    let columns = columns.join(", ");
    format!("(SELECT {columns} FROM {name} AS {ALIAS}{condition}{limit}) AS {alias}")
}

pub(super) fn order_by(table: &CatalogTable, order: &[OrderTerm], alias: &str) -> String {
    let terms = order_terms(table, order, alias);
    if terms.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", terms.join(", "))
    }
}

/// Null is lowest here whatever is asked.
pub(super) fn order_terms(table: &CatalogTable, order: &[OrderTerm], alias: &str) -> Vec<String> {
    order
        .iter()
        .flat_map(|term| {
            let column = &table.columns[term.column];
            let name = format!("{alias}.{}", quote(&column.name));
            let way = if term.descending { " DESC" } else { "" };
            // The server sorts long values by their first kilobyte: what is behind it counts by its hash, so that equal
            // ones stand side by side.
            let hash = is_long(column).then(|| format!("MD5({name}){way}"));
            let own = match term.as_text && Kind::of(column) == Kind::Geometry {
                true => None,
                false => Some(format!("{name}{way}")),
            };
            own.into_iter().chain(hash)
        })
        .collect()
}

/// Whether values may be longer than what they are sorted by.
fn is_long(column: &CatalogColumn) -> bool {
    let kind = Kind::of(column);
    matches!(kind, Kind::Json | Kind::Geometry)
        || (matches!(kind, Kind::Text | Kind::Binary) && column.class == KeyClass::Printed)
}

/// All cells of a node's rows: its columns, then the classes of those of its key that the source is asked for.
pub(super) fn cells<'n>(node: &'n Node, alias: &'n str) -> impl Iterator<Item = String> + 'n {
    let columns = node.columns.iter().map(move |c| cell(&node.table.columns[*c], alias));
    let classes = node.classes.iter().map(move |c| {
        let column = &node.table.columns[*c];
        class(column, &format!("{alias}.{}", quote(&column.name)))
    });
    columns.chain(classes)
}

/// A column as it is requested: so that it is printed with all that it holds and nothing more.
pub(super) fn cell(column: &CatalogColumn, alias: &str) -> String {
    as_cell(column, &format!("{alias}.{}", quote(&column.name)))
}

pub(super) fn as_cell(column: &CatalogColumn, value: &str) -> String {
    match Kind::of(column) {
        // Alone it is printed with six digits.
        Kind::Float => format!("{value} + 0e0"),
        // Without zeros in front.
        Kind::Integer | Kind::Decimal if column.type_text.contains("zerofill") => format!("{value} + 0"),
        _ => value.to_owned(),
    }
}

/// What a value has in common with those that the source calls equal.
pub(super) fn class(column: &CatalogColumn, value: &str) -> String {
    match &column.class {
        KeyClass::Asked(parts) => parts.join(value),
        KeyClass::Canonical | KeyClass::Printed => "NULL".into(),
    }
}
