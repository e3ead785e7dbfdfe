//! The SQL of every read, in one place: names are always quoted, values always parameters.

use super::keys::affinity_of;
use super::values::value_of;
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::data::equality::{Equality, EqualityCollation};
use crate::plan::{JoinPair, Node, OrderTerm, RowFilter};
use crate::source::read::KeyRange;
use rusqlite::types::Value as Stored;

/// The name of the table in a filter.
pub(super) const FILTERED: &str = "t";

/// A query with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Stored>,
}

/// A name as SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table as SQL.
pub(super) fn table_name(table: &CatalogTable) -> String {
    format!("main.{}", quote(&table.name.table))
}

fn column_of(alias: &str, column: &CatalogColumn) -> String {
    format!("{alias}.{}", quote(&column.name))
}

/// A table with the rows that its filter lets through.
pub(super) fn from_item(table: &CatalogTable, filter: Option<&RowFilter>, alias: &str) -> String {
    let Some(filter) = filter else {
        return format!("{} AS {alias}", table_name(table));
    };
    let condition = filter.where_sql(&table.name);
    let limit = filter
        .row_count
        .map(|n| {
            format!(
                "{} LIMIT {n}",
                order_by(order_terms(table, &OrderTerm::natural(table), FILTERED))
            )
        })
        .unwrap_or_default();
    format!(
        "(SELECT * FROM {} AS {FILTERED}{condition}{limit}) AS {alias}",
        table_name(table)
    )
}

/// NULL is lowest here in any case.
fn order_terms(table: &CatalogTable, order: &[OrderTerm], alias: &str) -> Vec<String> {
    let term = |term: &OrderTerm| {
        let way = if term.descending { " DESC" } else { "" };
        format!("{}{way}", column_of(alias, &table.columns[term.column]))
    };
    order.iter().map(term).collect()
}

fn order_by(terms: Vec<String>) -> String {
    match terms.is_empty() {
        true => String::new(),
        false => format!(" ORDER BY {}", terms.join(", ")),
    }
}

/// The columns of a node's rows, each behind a comma.
fn cells(node: &Node, alias: &str) -> String {
    let columns = node.columns.iter().map(|c| column_of(alias, &node.table.columns[*c]));
    columns.map(|c| format!(", {c}")).collect()
}

/// Root rows of a range: a number that says nothing, then the cells. Rows of a table without a primary key come in the
/// order of all their columns.
pub(super) fn root_rows(node: &Node, range: &KeyRange, is_ordered: bool, limit: Option<u32>) -> Query {
    let (conditions, values) = range_conditions(&node.table, range, "c");
    let mut sql = format!(
        "SELECT 0{} FROM {}{}",
        cells(node, "c"),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        where_all(&conditions)
    );
    if is_ordered || node.table.primary_key.is_empty() {
        sql.push_str(&order_by(order_terms(&node.table, &node.order, "c")));
    }
    if let Some(limit) = limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    Query { sql, values }
}

fn where_all(conditions: &[String]) -> String {
    match conditions {
        [] => String::new(),
        all => format!(" WHERE {}", all.join(" AND ")),
    }
}

/// Rows of a range of primary keys. A comparison of rows goes by the affinities and collations of the columns, and by
/// their index.
fn range_conditions(table: &CatalogTable, range: &KeyRange, alias: &str) -> (Vec<String>, Vec<Stored>) {
    let key: Vec<&CatalogColumn> = table.primary_key.iter().map(|c| &table.columns[*c]).collect();
    let names: Vec<String> = key.iter().map(|c| column_of(alias, c)).collect();
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    for (bound, operator) in [(&range.from, ">="), (&range.to, "<")] {
        let Some(bound) = bound else { continue };
        let places = vec!["?"; key.len()];
        conditions.push(format!("({}) {operator} ({})", names.join(", "), places.join(", ")));
        values.extend(
            bound
                .iter()
                .zip(&key)
                .map(|(text, column)| value_of(text, affinity_of(column))),
        );
    }
    (conditions, values)
}

/// Whether two values join: `referred` is the one that is referred to. Its column has the say, as in a foreign key.
fn equal(equality: &Equality, referred: &str, referring: &str, operator: &str) -> String {
    let collate = match &equality.collation {
        EqualityCollation::Only(only) => format!(" COLLATE {}", only.sql),
        EqualityCollation::Any | EqualityCollation::None => String::new(),
    };
    format!("{referred}{collate} {operator} {referring}")
}

fn joins(pair: &JoinPair, parent: String, own: String) -> String {
    let [referred, referring] = pair.sides(parent, own);
    equal(&pair.equality, &referred, &referring, "=")
}

/// Rows of a child node that belong to any key of a list: the number of the key first, then the cells, in the order of the
/// keys and then of the node.
pub(super) fn child_rows(node: &Node, pairs: &[JoinPair], keys: &str, limit: Option<u32>) -> String {
    let conditions: Vec<String> = (pairs.iter().enumerate())
        .map(|(i, pair)| {
            joins(
                pair,
                format!("k.k{}", i + 1),
                column_of("c", &node.table.columns[pair.own]),
            )
        })
        .collect();
    // `CROSS JOIN` keeps the order: each key finds its rows.
    let from = format!(
        "{keys} AS k CROSS JOIN {} ON {}",
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        conditions.join(" AND ")
    );
    let order = order_terms(&node.table, &node.order, "c");
    let Some(limit) = limit else {
        let order = std::iter::once("k.n".to_owned()).chain(order).collect();
        return format!("SELECT k.n{} FROM {from}{}", cells(node, "c"), order_by(order));
    };
    let inner: String = (node.columns.iter().enumerate())
        .map(|(i, c)| format!(", {} AS v{i}", column_of("c", &node.table.columns[*c])))
        .collect();
    let outer: String = (0..node.columns.len()).map(|i| format!(", q.v{i}")).collect();
    format!(
        "SELECT q.n{outer} FROM (SELECT k.n{inner}, row_number() OVER (PARTITION BY k.n{}) AS place FROM {from}) AS q \
         WHERE q.place <= {limit} ORDER BY q.n, q.place",
        order_by(order)
    )
}

/// Root rows by the keys of a list: the number of the key, the cells of the key, whether there is such a row, its cells.
/// Without a primary key the key is the whole row, and several rows may have it.
pub(super) fn roots_by_key(node: &Node, keys: &str) -> String {
    let columns = node.table.row_key();
    let conditions: Vec<String> = (columns.iter().enumerate())
        .map(|(i, c)| {
            let column = &node.table.columns[*c];
            // NULL is NULL here: a key may hold one.
            match &column.equality {
                Some(equality) => equal(equality, &column_of("c", column), &format!("k.k{}", i + 1), "IS"),
                None => format!("{} IS k.k{}", column_of("c", column), i + 1),
            }
        })
        .collect();
    let found = free_name(&node.table);
    let of_key: String = (node.columns.iter())
        .map(|c| match columns.iter().position(|k| k == c) {
            Some(place) => format!(", k.k{}", place + 1),
            None => ", NULL".to_owned(),
        })
        .collect();
    let order = order_terms(&node.table, &node.order, "c");
    let order = std::iter::once("k.n".to_owned()).chain(order).collect();
    format!(
        "SELECT k.n{of_key}, c.{found}{} FROM {keys} AS k LEFT JOIN (SELECT 1 AS {found}, * FROM {}) AS c ON {}{}",
        cells(node, "c"),
        from_item(&node.table, node.table_filter.as_ref(), "r"),
        conditions.join(" AND "),
        order_by(order)
    )
}

/// A name that no column of a table has.
fn free_name(table: &CatalogTable) -> String {
    let is_free = |name: &String| !table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
    let mut names = (0..).map(|n| format!("found{n}"));
    names.find(is_free).expect("there are more names than columns")
}

/// The keys of the root rows above rows of a node with the values of a list in the columns of its join, each once. `path`
/// leads from the root to the node.
pub(super) fn roots_above(path: &[&Node], keys: &str) -> String {
    let (_, ancestors) = path.split_last().expect("a path has at least its root");
    let mut from = format!("{keys} AS k");
    for (i, ancestor) in ancestors.iter().enumerate().rev() {
        let below = path[i + 1];
        let pairs = below.join.iter().flat_map(|j| &j.pairs).enumerate();
        let conditions: Vec<String> = pairs
            .map(|(k, pair)| {
                let lower = match i + 1 == ancestors.len() {
                    true => format!("k.k{}", k + 1),
                    false => column_of(&format!("a{}", i + 1), &below.table.columns[pair.own]),
                };
                let upper = column_of(&format!("a{i}"), &ancestor.table.columns[pair.parent]);
                joins(pair, upper, lower)
            })
            .collect();
        from = format!(
            "{from} JOIN {} AS a{i} ON {}",
            table_name(&ancestor.table),
            conditions.join(" AND ")
        );
    }
    let root = &ancestors[0].table;
    let columns = root.row_key();
    let selected: Vec<String> = columns.iter().map(|c| column_of("a0", &root.columns[*c])).collect();
    format!("SELECT DISTINCT 0, {} FROM {from}", selected.join(", "))
}

/// The values of some columns of a table, each combination once.
pub(super) fn values(table: &CatalogTable, columns: &[usize]) -> String {
    let selected: String = columns
        .iter()
        .map(|c| format!(", {}", column_of("c", &table.columns[*c])))
        .collect();
    let distinct = if columns == table.primary_key { "" } else { "DISTINCT " };
    format!("SELECT {distinct}0{selected} FROM {} AS c", table_name(table))
}

/// All rows of a node below the roots of a range, in the order of the roots' primary keys: the key of the root, then the
/// parent's columns of the join, then the cells. A row that several parents of one root share comes once for that root.
pub(super) fn rows_below(path: &[&Node], range: &KeyRange) -> Query {
    let (node, ancestors) = path.split_last().expect("a path has at least its root");
    let (root, parent) = (ancestors[0], ancestors[ancestors.len() - 1]);
    let join = node.join.as_ref().expect("a child has a join");
    let mut from = from_item(&root.table, root.table_filter.as_ref(), "a0");
    for (i, pair) in ancestors.windows(2).enumerate() {
        let (above, below) = (pair[0], pair[1]);
        let pairs = below.join.iter().flat_map(|j| &j.pairs);
        let conditions: Vec<String> = pairs
            .map(|pair| {
                let upper = column_of(&format!("a{i}"), &above.table.columns[pair.parent]);
                joins(
                    pair,
                    upper,
                    column_of(&format!("a{}", i + 1), &below.table.columns[pair.own]),
                )
            })
            .collect();
        from = format!(
            "{from} JOIN {} ON {}",
            from_item(&below.table, below.table_filter.as_ref(), &format!("a{}", i + 1)),
            conditions.join(" AND ")
        );
    }
    let of_root = (root.table.primary_key.iter().enumerate())
        .map(|(i, c)| (format!("r{i}"), column_of("a0", &root.table.columns[*c])));
    let last = format!("a{}", ancestors.len() - 1);
    let of_parent = (join.pairs.iter().enumerate())
        .map(|(i, pair)| (format!("k{i}"), column_of(&last, &parent.table.columns[pair.parent])));
    let keys: Vec<(String, String)> = of_root.chain(of_parent).collect();
    // Values that are equal though their bytes differ are those of different parents.
    let told_apart: String = (0..join.pairs.len())
        .map(|i| {
            let value = &keys[root.table.primary_key.len() + i].1;
            format!(", typeof({value}), {value} COLLATE BINARY")
        })
        .collect();
    let selected: Vec<String> = keys.iter().map(|(name, value)| format!("{value} AS {name}")).collect();
    let (conditions, values) = range_conditions(&root.table, range, "a0");
    let conditions_of_child: Vec<String> = (join.pairs.iter().enumerate())
        .map(|(i, pair)| joins(pair, format!("k.k{i}"), column_of("c", &node.table.columns[pair.own])))
        .collect();
    let names: Vec<String> = keys.iter().map(|(name, _)| format!("k.{name}")).collect();
    let order = names
        .iter()
        .cloned()
        .chain(order_terms(&node.table, &node.order, "c"))
        .collect();
    Query {
        sql: format!(
            "SELECT {}{} FROM (SELECT DISTINCT {}{told_apart} FROM {from}{}) AS k CROSS JOIN {} ON {}{}",
            names.join(", "),
            cells(node, "c"),
            selected.join(", "),
            where_all(&conditions),
            from_item(&node.table, node.table_filter.as_ref(), "c"),
            conditions_of_child.join(" AND "),
            order_by(order)
        ),
        values,
    }
}

/// Rows of a table that a filter lets through; the filter has been settled.
pub(super) fn filtered_rows(table: &CatalogTable, filter: Option<&RowFilter>) -> String {
    format!("SELECT count(*) FROM {}", from_item(table, filter, "c"))
}

/// The primary keys of rows with a value that holds a text, the only parameter.
pub(super) fn search(table: &CatalogTable, limit: usize) -> String {
    let key: Vec<String> = table
        .primary_key
        .iter()
        .map(|c| column_of("c", &table.columns[*c]))
        .collect();
    let found: Vec<String> = (table.columns.iter())
        .map(|column| format!("CAST({} AS TEXT) LIKE ?1 ESCAPE '\\'", column_of("c", column)))
        .collect();
    format!(
        "SELECT {} FROM {} AS c WHERE {} ORDER BY {} LIMIT {limit}",
        key.join(", "),
        table_name(table),
        found.join(" OR "),
        key.join(", ")
    )
}

/// Keys that cut a table into parts of so many rows.
pub(super) fn split_keys(table: &CatalogTable, rows: u64) -> String {
    let key: Vec<String> = table
        .primary_key
        .iter()
        .map(|c| column_of("c", &table.columns[*c]))
        .collect();
    let names: Vec<String> = (0..key.len()).map(|i| format!("k{i}")).collect();
    let inner: Vec<String> = key
        .iter()
        .zip(&names)
        .map(|(k, name)| format!("{k} AS {name}"))
        .collect();
    format!(
        "SELECT {} FROM (SELECT {}, row_number() OVER (ORDER BY {}) AS n FROM {} AS c) AS q \
         WHERE q.n % {rows} = 1 AND q.n > 1 ORDER BY q.n",
        names.join(", "),
        inner.join(", "),
        key.join(", "),
        table_name(table)
    )
}
