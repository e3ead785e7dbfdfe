//! How rows match a key that somebody wants to draw, and how many a filter lets through.

use super::clauses::{as_cell, from_item};
use super::compare::{Operand, joins};
use super::literals::{quote, table_name};
use crate::data::catalog::CatalogTable;
use crate::plan::{Join, RowFilter};

/// Values that are shown.
const EXAMPLES: usize = 5;

/// A row of the parent that is joined with the row `c`.
fn found(parent: &CatalogTable, own: &CatalogTable, join: &Join) -> String {
    let pairs: Vec<String> = (join.pairs.iter())
        .map(|pair| {
            let above = Operand::column("p", &parent.columns[pair.parent]);
            joins(pair, above, Operand::column("c", &own.columns[pair.own]))
        })
        .collect();
    let parent = table_name(&parent.name);
    format!("EXISTS (SELECT 1 FROM {parent} AS p WHERE {})", pairs.join(" AND "))
}

fn own_columns(own: &CatalogTable, join: &Join) -> Vec<String> {
    let columns = join.pairs.iter().map(|pair| &own.columns[pair.own].name);
    columns.map(|name| format!("c.{}", quote(name))).collect()
}

fn all_there(columns: &[String]) -> String {
    let there: Vec<String> = columns.iter().map(|c| format!("{c} IS NOT NULL")).collect();
    there.join(" AND ")
}

/// Rows, and those that have the whole key.
pub fn key_rows(own: &CatalogTable, join: &Join) -> String {
    let there = all_there(&own_columns(own, join));
    let own = table_name(&own.name);
    format!("SELECT COUNT(*), COALESCE(SUM({there}), 0) FROM {own} AS c")
}

/// Rows that find one.
pub fn key_matches(parent: &CatalogTable, own: &CatalogTable, join: &Join) -> String {
    let found = found(parent, own, join);
    format!("SELECT COUNT(*) FROM {} AS c WHERE {found}", table_name(&own.name))
}

/// How many rows there are for each value, as `counted(n)`.
fn for_each_value(own: &CatalogTable, columns: &[String]) -> String {
    format!(
        "(SELECT COUNT(*) AS n FROM {} AS c WHERE {} GROUP BY {}) AS counted",
        table_name(&own.name),
        all_there(columns),
        columns.join(", ")
    )
}

/// The most rows with one value.
pub fn key_most(own: &CatalogTable, join: &Join) -> String {
    let counted = for_each_value(own, &own_columns(own, join));
    format!("SELECT COALESCE(MAX(n), 0) FROM {counted}")
}

/// Rows for each value of some columns: on average, and at most; then how many values there are.
pub fn key_fan(own: &CatalogTable, columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|name| format!("c.{}", quote(name))).collect();
    format!("SELECT AVG(n), MAX(n), COUNT(*) FROM {}", for_each_value(own, &columns))
}

/// The number of rows of a value that 99 of 100 values do not exceed.
pub fn key_percentile(own: &CatalogTable, columns: &[&str], values: u64) -> String {
    let columns: Vec<String> = columns.iter().map(|name| format!("c.{}", quote(name))).collect();
    // As `percentile_disc` counts.
    let place = (values * 99).div_ceil(100).saturating_sub(1);
    let counted = for_each_value(own, &columns);
    format!("SELECT n FROM {counted} ORDER BY n LIMIT 1 OFFSET {place}")
}

/// Whether two rows of the parent have one value.
pub fn key_repeats(parent: &CatalogTable, join: &Join) -> String {
    let names = join.pairs.iter().map(|pair| &parent.columns[pair.parent].name);
    let columns: Vec<String> = names.map(|name| format!("c.{}", quote(name))).collect();
    format!(
        "SELECT EXISTS (SELECT 1 FROM {} AS c WHERE {} GROUP BY {} HAVING COUNT(*) > 1)",
        table_name(&parent.name),
        all_there(&columns),
        columns.join(", ")
    )
}

/// Values that find nothing.
pub fn key_misses(parent: &CatalogTable, own: &CatalogTable, join: &Join) -> String {
    let columns = own_columns(own, join);
    let printed: Vec<String> = (join.pairs.iter().zip(&columns))
        .map(|(pair, name)| as_cell(&own.columns[pair.own], name))
        .collect();
    format!(
        "SELECT DISTINCT {} FROM {} AS c WHERE {} AND NOT {} LIMIT {EXAMPLES}",
        printed.join(", "),
        table_name(&own.name),
        all_there(&columns),
        found(parent, own, join)
    )
}

/// Rows of a table that a filter lets through; the filter has been settled.
pub fn filtered_rows(table: &CatalogTable, filter: Option<&RowFilter>) -> String {
    format!("SELECT COUNT(*) FROM {}", from_item(table, filter, "c"))
}
