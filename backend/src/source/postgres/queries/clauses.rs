//! What follows FROM, SELECT and ORDER BY.

use super::compare::class;
use super::quote;
use crate::data::catalog::CatalogTable;
use crate::plan::{Node, OrderTerm, RowFilter};
use crate::source::postgres::filter::print::ALIAS;

/// A table's own rows as they stand after FROM.
pub fn only(table: &CatalogTable) -> String {
    let name = format!("{}.{}", quote(&table.name.schema), quote(&table.name.table));
    // A table's own rows; partitions belong to their root.
    if table.is_partitioned {
        name
    } else {
        format!("ONLY {name}")
    }
}

pub(super) fn from_item(table: &CatalogTable, filter: Option<&RowFilter>, alias: &str) -> String {
    let Some(filter) = filter else {
        return format!("{} AS {alias}", only(table));
    };
    let condition = filter.where_sql(&table.name);
    let limit = filter
        .row_count
        .map(|n| format!("{} LIMIT {n}", order_by(table, &OrderTerm::natural(table), ALIAS)))
        .unwrap_or_default();
    format!(
        "(SELECT * FROM {} AS {ALIAS}{condition}{limit}) AS {alias}",
        only(table)
    )
}

pub(super) fn order_by(table: &CatalogTable, order: &[OrderTerm], alias: &str) -> String {
    let terms = order_terms(table, order, alias);
    if terms.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", terms.join(", "))
    }
}

pub(super) fn order_terms(table: &CatalogTable, order: &[OrderTerm], alias: &str) -> Vec<String> {
    order
        .iter()
        .map(|term| {
            let column = format!("{alias}.{}", quote(&table.columns[term.column].name));
            let text = if term.as_text { "::pg_catalog.text" } else { "" };
            let way = match (term.descending, term.null_is_lowest) {
                (false, true) => " NULLS FIRST",
                (true, true) => " DESC NULLS LAST",
                (false, false) => "",
                (true, false) => " DESC",
            };
            format!("{column}{text}{way}")
        })
        .collect()
}

pub(super) fn select_list(node: &Node, alias: &str) -> String {
    cells(node, alias).collect::<Vec<_>>().join(", ")
}

/// All cells of a node's rows: its columns, then the classes of those of its key that the source is asked for.
pub(super) fn cells<'n>(node: &'n Node, alias: &'n str) -> impl Iterator<Item = String> + 'n {
    let columns = node.columns.iter().map(move |c| cell(&node.table, *c, alias));
    let classes = node.classes.iter().map(move |c| {
        let column = &node.table.columns[*c];
        class(column, &format!("{alias}.{}", quote(&column.name)))
    });
    columns.chain(classes)
}

/// A column as it is requested: in its binary form, or as its output function prints it. `format` calls that function,
/// a cast to text does not always (it adds `/32` to an inet).
pub(super) fn cell(table: &CatalogTable, column: usize, alias: &str) -> String {
    let c = &table.columns[column];
    as_cell(&format!("{alias}.{}", quote(&c.name)), c.reads_as_text)
}

pub(super) fn as_cell(value: &str, as_text: bool) -> String {
    if as_text {
        format!("CASE WHEN pg_catalog.num_nulls({value}) = 0 THEN pg_catalog.format('%s', {value}) END")
    } else {
        value.to_owned()
    }
}
