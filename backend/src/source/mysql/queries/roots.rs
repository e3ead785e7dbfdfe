//! Root rows, by range and by key.

use super::clauses::{cells, class, from_item, order_by, order_terms};
use super::compare::{Operand, is_value, joins};
use super::keys::{key_list, key_literal, key_name, list_max, parts};
use super::literals::{literal, literal_of, quote, table_name};
use super::range::{range_conditions, where_all};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::plan::Node;
use crate::source::mysql::columns::Kind;
use crate::source::mysql::flavor::Server;
use crate::source::mysql::operators::charset_of;
use crate::source::read::KeyRange;

/// Root rows of a range. Rows of a table without a primary key come in the order of all their columns, so that equal
/// rows are side by side; otherwise the order is the server's choice unless `is_ordered`.
pub fn root_rows(node: &Node, range: &KeyRange, is_ordered: bool, limit: Option<u32>) -> String {
    let selected: Vec<String> = cells(node, "c").collect();
    let is_sorted = is_ordered || node.table.primary_key.is_empty();
    let order = if is_sorted {
        order_by(&node.table, &node.order, "c")
    } else {
        String::new()
    };
    let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    format!(
        "SELECT {} FROM {}{}{order}{limit}",
        selected.join(", "),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        where_all(&range_conditions(&node.table, range, "c"))
    )
}

/// Root rows by primary key: the number of the key, from 0, whether there is such a row, the classes of the key, and the
/// cells of the row, which are null where there is none.
pub fn roots_by_key(server: &Server, node: &Node, keys: &[Vec<Option<&str>>]) -> Vec<String> {
    let key: Vec<&CatalogColumn> = node.table.primary_key.iter().map(|c| &node.table.columns[*c]).collect();
    let classes = (node.classes.iter()).map(|c| {
        let place = node
            .table
            .primary_key
            .iter()
            .position(|k| k == c)
            .expect("a class is that of a key");
        class(key[place], &own_text(key[place], &key_name(place)))
    });
    let first = format!("c.{} IS NOT NULL", quote(&key[0].name));
    let selected: Vec<String> = ["k.n".to_owned(), first]
        .into_iter()
        .chain(classes)
        .chain(cells(node, "c"))
        .collect();
    let selected = selected.join(", ");
    let conditions: Vec<String> = (key.iter().enumerate())
        .map(|(i, c)| is_value(&Operand::column("c", c), &Operand::given(key_name(i), c)))
        .collect();
    let conditions = conditions.join(" AND ");
    let from = from_item(&node.table, node.table_filter.as_ref(), "c");
    let bytes = |k: usize| keys[k].iter().map(|v| v.map_or(4, str::len) * 2 + 8).sum();
    (parts(keys.len(), list_max(server), bytes).into_iter())
        .map(|part| {
            let rows = part.map(|k| {
                let values = key.iter().zip(&keys[k]);
                (k, values.map(|(c, v)| key_literal(c, *v)).collect())
            });
            let list = key_list(server, rows);
            format!("SELECT {selected} FROM {list} LEFT JOIN {from} ON {conditions} ORDER BY k.n")
        })
        .collect()
}

/// A given text as a value of its column.
fn own_text(column: &CatalogColumn, value: &str) -> String {
    match &column.collation {
        Some(own) => format!("CONVERT({value} USING {}) COLLATE {}", charset_of(&own.sql), own.sql),
        None => value.to_owned(),
    }
}

/// Rows that are equal to a printed row of a table without a primary key, each with the number of that in front. The
/// classes of a row that is not there are the same as of one that is, so they come with a select of their own.
pub fn rows_equal_to(node: &Node, number: usize, key: &[Option<&str>]) -> String {
    let columns = node.table.row_key();
    let conditions: Vec<String> = (columns.iter().zip(key))
        .map(|(c, value)| {
            let column = &node.table.columns[*c];
            let name = format!("c.{}", quote(&column.name));
            match value {
                None => format!("{name} IS NULL"),
                Some(value) if column.counts_as_printed() => is_printed(column, &name, value),
                Some(value) => {
                    let given = Operand::given(key_literal(column, Some(value)), column);
                    is_value(&Operand::column("c", column), &given)
                }
            }
        })
        .collect();
    let selected: Vec<String> = std::iter::once(number.to_string()).chain(cells(node, "c")).collect();
    let order = order_terms(&node.table, &node.order, "c");
    let order = if order.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", order.join(", "))
    };
    format!(
        "SELECT {} FROM {}{}{order}",
        selected.join(", "),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        where_all(&conditions)
    )
}

fn is_printed(column: &CatalogColumn, name: &str, value: &str) -> String {
    match Kind::of(column) {
        Kind::Binary | Kind::Geometry => format!("CAST({name} AS BINARY) = {}", literal_of(column, value)),
        _ => format!(
            "CAST(CONVERT(CAST({name} AS CHAR) USING utf8mb4) AS BINARY) = CAST({} AS BINARY)",
            literal(value)
        ),
    }
}

/// The classes of a printed row of a table without a primary key.
pub fn classes_of(node: &Node, key: &[Option<&str>]) -> Option<String> {
    let columns = node.table.row_key();
    let classes: Vec<String> = (node.classes.iter())
        .map(|c| {
            let column = &node.table.columns[*c];
            let place = columns.iter().position(|k| k == c);
            match place.and_then(|place| key.get(place).copied().flatten()) {
                Some(value) => class(column, &own_text(column, &literal(value))),
                None => "NULL".into(),
            }
        })
        .collect();
    (!classes.is_empty()).then(|| format!("SELECT {}", classes.join(", ")))
}

/// The keys of the root rows above rows of a node with given values in the columns of its join. `path` leads from the
/// root to the node. No filter is applied: a document that a filter takes out has to be found as well. Each statement
/// gives a root once.
pub fn roots_above(server: &Server, path: &[&Node], keys: &[Vec<Option<&str>>]) -> Vec<String> {
    let (node, ancestors) = path.split_last().expect("a path has at least its root");
    let join = node.join.as_ref().expect("a child has a join");
    let own: Vec<&CatalogColumn> = join.pairs.iter().map(|p| &node.table.columns[p.own]).collect();
    let mut from = String::new();
    for (i, ancestor) in ancestors.iter().enumerate().rev() {
        let below = path[i + 1];
        let alias = format!("a{i}");
        let conditions: Vec<String> = (below.join.iter().flat_map(|j| &j.pairs).enumerate())
            .map(|(k, p)| {
                let column = &below.table.columns[p.own];
                let lower = if i + 1 == ancestors.len() {
                    Operand::given(key_name(k), column)
                } else {
                    Operand::column(&format!("a{}", i + 1), column)
                };
                joins(p, Operand::column(&alias, &ancestor.table.columns[p.parent]), lower)
            })
            .collect();
        from = format!(
            "{from} JOIN {} AS {alias} ON {}",
            table_name(&ancestor.table.name),
            conditions.join(" AND ")
        );
    }
    let root = &ancestors[0].table;
    let selected: Vec<String> = (root.row_key().iter())
        .map(|c| printed(&root.columns[*c], &format!("a0.{}", quote(&root.columns[*c].name))))
        .collect();
    let selected = selected.join(", ");
    let bytes = |k: usize| keys[k].iter().map(|v| v.map_or(4, str::len) * 2 + 8).sum();
    (parts(keys.len(), list_max(server), bytes).into_iter())
        .map(|part| {
            let rows = part.map(|k| {
                let values = own.iter().zip(&keys[k]);
                (k, values.map(|(c, v)| key_literal(c, *v)).collect())
            });
            format!("SELECT DISTINCT {selected} FROM {}{from}", key_list(server, rows))
        })
        .collect()
}

/// A value as it is printed to stand in a query again.
pub fn printed(column: &CatalogColumn, value: &str) -> String {
    match Kind::of(column) {
        Kind::Binary | Kind::Geometry => format!("CONCAT('0x', HEX({value}))"),
        Kind::Bits => format!("{value} + 0"),
        _ => super::clauses::as_cell(column, value),
    }
}

/// The values of some columns, as they are printed, each combination once.
pub fn printed_values(table: &CatalogTable, columns: &[usize]) -> String {
    let selected: Vec<String> = (columns.iter())
        .map(|c| printed(&table.columns[*c], &format!("c.{}", quote(&table.columns[*c].name))))
        .collect();
    // The columns of a primary key are different in every row already.
    let distinct = if columns == table.primary_key { "" } else { "DISTINCT " };
    let from = table_name(&table.name);
    if columns.is_empty() {
        // All rows are alike.
        return format!("SELECT 1 FROM {from} AS c LIMIT 1");
    }
    format!("SELECT {distinct}{} FROM {from} AS c", selected.join(", "))
}
