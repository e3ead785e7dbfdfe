//! How rows match a key that somebody wants to draw, and how many a filter lets through.

use super::clauses::{from_item, only};
use super::compare::{Operand, joins};
use super::quote;
use crate::data::catalog::CatalogTable;
use crate::plan::{Join, RowFilter};

/// Values that are shown.
const EXAMPLES: usize = 5;

/// A row of the parent that is joined with the row `c`.
fn found(parent: &CatalogTable, own: &CatalogTable, join: &Join) -> String {
    let pairs: Vec<String> = join
        .pairs
        .iter()
        .map(|pair| {
            let above = Operand::column("p", &parent.columns[pair.parent]);
            joins(pair, above, Operand::column("c", &own.columns[pair.own]))
        })
        .collect();
    format!(
        "EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        only(parent),
        pairs.join(" AND ")
    )
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
    format!(
        "SELECT count(*), count(*) FILTER (WHERE {there}) FROM {} AS c",
        only(own)
    )
}

/// Rows that find one.
pub fn key_matches(parent: &CatalogTable, own: &CatalogTable, join: &Join) -> String {
    format!(
        "SELECT count(*) FROM {} AS c WHERE {}",
        only(own),
        found(parent, own, join)
    )
}

/// How many rows there are for each value, as `counted(n)`.
fn for_each_value(own: &CatalogTable, columns: &[String]) -> String {
    format!(
        "(SELECT count(*) AS n FROM {} AS c WHERE {} GROUP BY {}) AS counted",
        only(own),
        all_there(columns),
        columns.join(", ")
    )
}

/// The most rows with one value.
pub fn key_most(own: &CatalogTable, join: &Join) -> String {
    let counted = for_each_value(own, &own_columns(own, join));
    format!("SELECT coalesce(max(n), 0)::int8 FROM {counted}")
}

/// Rows for each value of some columns: on average, for 99 of 100, at most.
pub fn key_fan(own: &CatalogTable, columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|name| format!("c.{}", quote(name))).collect();
    let counted = for_each_value(own, &columns);
    format!(
        "SELECT avg(n)::float8, (percentile_disc(0.99) WITHIN GROUP (ORDER BY n))::float8, max(n)::float8 FROM {counted}"
    )
}

/// Whether two rows of the parent have one value.
pub fn key_repeats(parent: &CatalogTable, join: &Join) -> String {
    let names = join.pairs.iter().map(|pair| &parent.columns[pair.parent].name);
    let columns: Vec<String> = names.map(|name| format!("c.{}", quote(name))).collect();
    format!(
        "SELECT EXISTS (SELECT 1 FROM {} AS c WHERE {} GROUP BY {} HAVING count(*) > 1)",
        only(parent),
        all_there(&columns),
        columns.join(", ")
    )
}

/// Values that find nothing.
pub fn key_misses(parent: &CatalogTable, own: &CatalogTable, join: &Join) -> String {
    let columns = own_columns(own, join);
    let printed: Vec<String> = columns.iter().map(|c| format!("{c}::pg_catalog.text")).collect();
    format!(
        "SELECT DISTINCT {} FROM {} AS c WHERE {} AND NOT {} LIMIT {EXAMPLES}",
        printed.join(", "),
        only(own),
        all_there(&columns),
        found(parent, own, join)
    )
}

/// Rows of a table that a filter lets through; the filter has been settled.
pub fn filtered_rows(table: &CatalogTable, filter: Option<&RowFilter>) -> String {
    format!("SELECT count(*) FROM {}", from_item(table, filter, "c"))
}
