//! Rows below other rows.

use super::clauses::{as_cell, cell, cells, from_item, order_by, order_terms};
use super::compare::{Operand, joins};
use super::keys::{IN_MAX, key_list, key_literal, key_name, list_max, parts};
use super::literals::{literal_of, quote};
use super::range::{range_conditions, where_all};
use crate::data::catalog::CatalogColumn;
use crate::plan::{Join, Node};
use crate::source::mysql::flavor::Server;
use crate::source::read::{ChildKeys, KeyRange};

/// Keys of which each is a select of its own.
const SELECTS_MAX: usize = 200;

/// Statements that give the rows of a child node for some keys, in the order of the node for each key.
#[derive(Debug, PartialEq, Eq)]
pub struct ChildStatements {
    pub sql: Vec<String>,
    /// In front of each row stand the values of so many columns, which make up its key; where it is 0, the number of its
    /// key, from 0.
    pub key_fields: usize,
}

/// Rows of a child node that belong to any of the keys.
///
/// Values that are equal as bytes are looked up as a list, which the server takes to its index at once. All others it
/// compares itself, with a list of numbered keys; where each key's rows are limited, key by key.
pub fn child_rows(
    server: &Server,
    node: &Node,
    join: &Join,
    keys: &ChildKeys<'_>,
    limit: Option<u32>,
) -> ChildStatements {
    let count = keys.printed.first().map_or(0, Vec::len);
    let bytes = |key: usize| keys.printed.iter().map(|values| values[key].len() * 2 + 8).sum();
    let (sql, key_fields) = match (limit, join.pairs.as_slice()) {
        (None, [pair]) if pair.equals_as_bytes => {
            let own = &node.table.columns[pair.own];
            let all = parts(count, IN_MAX, bytes).into_iter();
            let sql = all.map(|part| listed_rows(node, own, &keys.printed[0][part])).collect();
            (sql, 1)
        }
        (None, _) => {
            let all = parts(count, list_max(server), bytes).into_iter();
            (all.map(|part| joined_rows(server, node, join, keys, part)).collect(), 0)
        }
        (Some(limit), _) => {
            let of_key = cells(node, "c").map(|c| c.len() + 2).sum::<usize>() + 500;
            let all = parts(count, SELECTS_MAX, |key| bytes(key) + of_key).into_iter();
            (all.map(|part| limited_rows(node, join, keys, part, limit)).collect(), 0)
        }
    };
    ChildStatements { sql, key_fields }
}

fn listed_rows(node: &Node, own: &CatalogColumn, values: &[String]) -> String {
    let list: Vec<String> = values.iter().map(|v| literal_of(own, v)).collect();
    let name = format!("c.{}", quote(&own.name));
    let selected: Vec<String> = std::iter::once(cell(own, "c")).chain(cells(node, "c")).collect();
    let order = order_terms(&node.table, &node.order, "c");
    format!(
        "SELECT {} FROM {} WHERE {name} IN ({}) ORDER BY {}",
        selected.join(", "),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        list.join(", "),
        std::iter::once(name.clone())
            .chain(order)
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// Whether the row `c` belongs to a key whose values are given as SQL.
fn belongs(node: &Node, join: &Join, keys: &ChildKeys<'_>, given: impl Fn(usize) -> String) -> String {
    let conditions: Vec<String> = (join.pairs.iter().enumerate())
        .map(|(i, pair)| {
            let above = Operand::given(given(i), &keys.parent.columns[pair.parent]);
            joins(pair, above, Operand::column("c", &node.table.columns[pair.own]))
        })
        .collect();
    conditions.join(" AND ")
}

fn joined_rows(
    server: &Server,
    node: &Node,
    join: &Join,
    keys: &ChildKeys<'_>,
    part: std::ops::Range<usize>,
) -> String {
    let list = key_list(server, part.map(|key| (key, values_of(join, keys, key))));
    let selected: Vec<String> = std::iter::once("k.n".to_owned()).chain(cells(node, "c")).collect();
    let order = order_terms(&node.table, &node.order, "c");
    // From the list to the table: the other way round the table would be read whole.
    format!(
        "SELECT STRAIGHT_JOIN {} FROM {list} JOIN {} ON {} ORDER BY {}",
        selected.join(", "),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        belongs(node, join, keys, key_name),
        std::iter::once("k.n".to_owned())
            .chain(order)
            .collect::<Vec<_>>()
            .join(", ")
    )
}

fn values_of(join: &Join, keys: &ChildKeys<'_>, key: usize) -> Vec<String> {
    let all = join.pairs.iter().zip(&keys.printed);
    all.map(|(pair, values)| key_literal(&keys.parent.columns[pair.parent], Some(&values[key])))
        .collect()
}

fn limited_rows(node: &Node, join: &Join, keys: &ChildKeys<'_>, part: std::ops::Range<usize>, limit: u32) -> String {
    let selected: Vec<String> = cells(node, "c").map(|cell| format!(", {cell}")).collect();
    let (selected, order) = (selected.concat(), order_by(&node.table, &node.order, "c"));
    let from = from_item(&node.table, node.table_filter.as_ref(), "c");
    let selects: Vec<String> = part
        .map(|key| {
            let values = values_of(join, keys, key);
            let belongs = belongs(node, join, keys, |i| values[i].clone());
            format!("(SELECT {key} AS n{selected} FROM {from} WHERE {belongs}{order} LIMIT {limit})")
        })
        .collect();
    selects.join(" UNION ALL ")
}

/// All rows of a node below the roots of a range, in the order of the roots' primary keys: the key of the root, then
/// the parent's join columns, then the cells. `path` leads from the root to the node.
///
/// The source joins and sorts once; a row that several parents of one root share comes once for that root. Parents that
/// the source calls equal though their values differ are different ones: each looks for its rows by its own bytes.
pub fn streamed_rows(path: &[&Node], range: &KeyRange) -> String {
    let (node, ancestors) = path.split_last().expect("a path has at least its root");
    let (root, parent) = (ancestors[0], ancestors[ancestors.len() - 1]);
    let join = node.join.as_ref().expect("a child has a join");
    let name = |alias: usize, column: &CatalogColumn| format!("a{alias}.{}", quote(&column.name));
    let root_key: Vec<&CatalogColumn> = root.table.primary_key.iter().map(|c| &root.table.columns[*c]).collect();
    let parent_key: Vec<&CatalogColumn> = join.pairs.iter().map(|p| &parent.table.columns[p.parent]).collect();
    let mut keys: Vec<String> = Vec::new();
    keys.extend(
        root_key
            .iter()
            .enumerate()
            .map(|(i, c)| format!("{} AS r{i}", name(0, c))),
    );
    for (i, column) in parent_key.iter().enumerate() {
        let value = name(ancestors.len() - 1, column);
        keys.push(format!("{value} AS k{i}"));
        if column.collation.is_some() {
            keys.push(format!("CAST({value} AS BINARY) AS b{i}"));
        }
    }
    let mut from = from_item(&root.table, root.table_filter.as_ref(), "a0");
    for (i, pair) in ancestors.windows(2).enumerate() {
        let (above, below) = (pair[0], pair[1]);
        let join = below.join.as_ref().expect("a child has a join");
        let (upper, lower) = (format!("a{i}"), format!("a{}", i + 1));
        let conditions: Vec<String> = (join.pairs.iter())
            .map(|p| {
                joins(
                    p,
                    Operand::column(&upper, &above.table.columns[p.parent]),
                    Operand::column(&lower, &below.table.columns[p.own]),
                )
            })
            .collect();
        let item = from_item(&below.table, below.table_filter.as_ref(), &lower);
        from = format!("{from} JOIN {item} ON {}", conditions.join(" AND "));
    }
    let range = where_all(&range_conditions(&root.table, range, "a0"));
    // Below the root itself every key comes once already.
    let distinct = if ancestors.len() == 1 { "" } else { "DISTINCT " };
    let conditions: Vec<String> = (join.pairs.iter().enumerate())
        .map(|(i, p)| {
            let above = Operand {
                sql: format!("k.k{i}"),
                column: parent_key[i],
                is_given: false,
            };
            joins(p, above, Operand::column("c", &node.table.columns[p.own]))
        })
        .collect();
    let of_root = root_key.iter().enumerate().map(|(i, c)| as_cell(c, &format!("k.r{i}")));
    let of_parent = parent_key
        .iter()
        .enumerate()
        .map(|(i, c)| as_cell(c, &format!("k.k{i}")));
    let selected: Vec<String> = of_root.chain(of_parent).chain(cells(node, "c")).collect();
    let sorted = (0..root_key.len()).map(|i| format!("k.r{i}"));
    let order: Vec<String> = sorted.chain(order_terms(&node.table, &node.order, "c")).collect();
    format!(
        "SELECT {} FROM (SELECT {distinct}{} FROM {from}{range}) AS k JOIN {} ON {} ORDER BY {}",
        selected.join(", "),
        keys.join(", "),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        conditions.join(" AND "),
        order.join(", "),
    )
}
