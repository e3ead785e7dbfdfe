//! The SQL of every read, in one place: names are always quoted, values always literals of a named type. Functions, types
//! and operators carry their schema, so that no search path decides what is called or what is equal.

mod clauses;
mod compare;
mod keys;
pub mod matching;
mod range;
mod sums;

pub use clauses::only;
pub use range::split_keys;
pub use sums::{column_sums, sum_kind, width};

use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::plan::{Join, Node};
use crate::source::read::KeyRange;
use clauses::{as_cell, cell, cells, from_item, order_by, order_terms, select_list};
use compare::{Operand, bytes_of, cast_to, class, is_printed, is_value, joins};
use keys::{KeyPart, array_of, key_list, key_name, unnested};
use range::range_conditions;

/// A name as SQL.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal; `standard_conforming_strings` is on in every session.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Every read is wrapped so.
fn copy(select: &str) -> String {
    format!("COPY ({select}) TO STDOUT (FORMAT binary)")
}

/// Root rows of a range. Rows of a table without a primary key come in the order of all their columns, so that equal
/// rows are side by side; otherwise the order is the server's choice unless `is_ordered`.
pub fn root_rows(node: &Node, range: &KeyRange, is_ordered: bool, limit: Option<u32>) -> String {
    let mut sql = format!(
        "SELECT {} FROM {}",
        select_list(node, "c"),
        from_item(&node.table, node.table_filter.as_ref(), "c")
    );
    let conditions = range_conditions(&node.table, range, "c");
    if !conditions.is_empty() {
        sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    if is_ordered || node.table.primary_key.is_empty() {
        sql.push_str(&order_by(&node.table, &node.order, "c"));
    }
    if let Some(limit) = limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    copy(&sql)
}

/// Below this size the source might read all of a table and compare each row with each key, instead of using the index.
const SEARCHED_BYTES_MIN: u64 = 2 << 20;

/// Whether [`child_rows_by_index`] gives the rows of a child node.
pub fn is_read_by_index(node: &Node, join: &Join) -> bool {
    let [pair] = join.pairs.as_slice() else { return false };
    join.is_indexed
        && pair.equals_as_bytes
        // To sort by texts takes longer than by the numbers of keys.
        && node.table.columns[pair.own].collation.is_none()
        && node.table_filter.is_none()
        // Each partition would be searched for all keys.
        && !node.table.is_partitioned
        && node.table.size_bytes >= SEARCHED_BYTES_MIN
}

/// Rows of a child node that belong to any of the keys: the key first, then the cells, in the order of the values of
/// the keys and then of the node. The source takes the keys to its index all at once, which costs it a sixth less than a
/// join with a list of them.
pub fn child_rows_by_index(node: &Node, join: &Join, keys: &[String]) -> String {
    let pair = &join.pairs[0];
    let key = &node.table.columns[pair.own];
    let own = format!("c.{}", quote(&key.name));
    let [_, cast] = pair.sides(0, 1).map(|side| pair.equality.casts[side].as_deref());
    let compared = cast_to(&own, cast);
    let list = array_of(keys.iter().map(|k| Some(k.as_str())), KeyPart::of(key));
    let cells: Vec<String> = node.columns.iter().map(|c| cell(&node.table, *c, "c")).collect();
    let leading = std::iter::once(own.clone());
    // In a query of its own, so that the planner does not weigh every one of thousands of keys against its statistics.
    copy(&format!(
        "SELECT {} FROM {} WHERE {compared} {} ANY ((SELECT {list})::{}[]) ORDER BY {}",
        leading.clone().chain(cells).collect::<Vec<_>>().join(", "),
        from_item(&node.table, None, "c"),
        pair.equality.operator,
        key.cast,
        leading
            .chain(order_terms(&node.table, &node.order, "c"))
            .collect::<Vec<_>>()
            .join(", ")
    ))
}

/// Rows of a child node that belong to any of the keys: the number of the key (from 1) first, then the cells, in the
/// order of the keys and then of the node. `keys` holds a list of printed values for each pair of the join.
pub fn child_rows(node: &Node, parent: &CatalogTable, join: &Join, keys: &[Vec<String>], limit: Option<u32>) -> String {
    let arrays: Vec<String> = join
        .pairs
        .iter()
        .zip(keys)
        .map(|(pair, values)| {
            let values = values.iter().map(|v| Some(v.as_str()));
            array_of(values, KeyPart::of(&parent.columns[pair.parent]))
        })
        .collect();
    let names: Vec<String> = (1..=join.pairs.len()).map(|i| format!("k{i}")).collect();
    let conditions: Vec<String> = (join.pairs.iter().enumerate())
        .map(|(i, pair)| {
            let above = &parent.columns[pair.parent];
            joins(
                pair,
                Operand::given(key_name(i, KeyPart::of(above)), above),
                Operand::column("c", &node.table.columns[pair.own]),
            )
        })
        .collect();
    let from = format!(
        "{} AS k({}, n) JOIN {} ON {}",
        unnested(&arrays),
        names.join(", "),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        conditions.join(" AND ")
    );
    let cells = select_list(node, "c");
    let separator = if cells.is_empty() { "" } else { ", " };
    let order = order_terms(&node.table, &node.order, "c");
    let order = if order.is_empty() {
        String::new()
    } else {
        format!(", {}", order.join(", "))
    };
    match limit {
        None => copy(&format!(
            "SELECT k.n::pg_catalog.int4{separator}{cells} FROM {from} ORDER BY k.n{order}"
        )),
        Some(limit) => {
            let own_order = order.trim_start_matches(", ");
            let window = if own_order.is_empty() {
                String::new()
            } else {
                format!(" ORDER BY {own_order}")
            };
            let outer: Vec<String> = (0..node.columns.len()).map(|i| format!(", q.v{i}")).collect();
            let inner: Vec<String> = node
                .columns
                .iter()
                .enumerate()
                .map(|(i, c)| format!(", {} AS v{i}", cell(&node.table, *c, "c")))
                .collect();
            copy(&format!(
                "SELECT q.n::pg_catalog.int4{} FROM (SELECT k.n{}, pg_catalog.row_number() OVER (PARTITION BY k.n{window}) AS place FROM {from}) q \
                 WHERE q.place <= {limit} ORDER BY q.n, q.place",
                outer.concat(),
                inner.concat()
            ))
        }
    }
}

/// Root rows by primary key: the number of the key, whether there is such a row, the cells of the key as the source
/// reads them and its classes, and the cells of the row, which are null where there is none.
pub fn roots_by_key(node: &Node, keys: &[Vec<Option<&str>>]) -> String {
    let key = &node.table.primary_key;
    let all: Vec<&Vec<Option<&str>>> = keys.iter().collect();
    let places: Vec<usize> = (0..key.len()).collect();
    let parts: Vec<KeyPart<'_>> = key.iter().map(|c| KeyPart::of(&node.table.columns[*c])).collect();
    let of_key: Vec<String> = (key.iter().enumerate())
        .map(|(i, c)| as_cell(&key_name(i, parts[i]), node.table.columns[*c].reads_as_text))
        .collect();
    let place_of = |column: &usize| key.iter().position(|c| c == column).expect("a class is that of a key");
    let classes: Vec<String> = (node.classes.iter())
        .map(|c| class(&node.table.columns[*c], &key_name(place_of(c), parts[place_of(c)])))
        .collect();
    let conditions: Vec<String> = (key.iter().enumerate())
        .map(|(i, c)| {
            let column = &node.table.columns[*c];
            is_value(
                Operand::column("c", column),
                Operand::given(key_name(i, parts[i]), column),
            )
        })
        .collect();
    let selected: Vec<String> = of_key.into_iter().chain(classes).chain(cells(node, "c")).collect();
    // A row that holds a null is not `IS NOT NULL`.
    copy(&format!(
        "SELECT k.n::pg_catalog.int4, pg_catalog.num_nulls(c.{}) = 0, {} FROM {} LEFT JOIN {} ON {} ORDER BY k.n",
        quote(&node.table.columns[key[0]].name),
        selected.join(", "),
        key_list(&all, &places, &parts),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        conditions.join(" AND ")
    ))
}

/// Printed rows of a table without a primary key in the form in which its rows are read; a generated column is null.
pub fn decoded_rows(node: &Node, keys: &[Vec<Option<&str>>]) -> String {
    let columns = node.table.row_key();
    let all: Vec<&Vec<Option<&str>>> = keys.iter().collect();
    let places: Vec<usize> = (0..columns.len()).collect();
    // As texts first: not every type has arrays.
    let parts = vec![KeyPart::TEXT; columns.len()];
    let given = |c: &usize| columns.iter().position(|k| k == c).map(|i| key_name(i, parts[i]));
    let cells = node.columns.iter().map(|c| {
        let column = &node.table.columns[*c];
        match given(c) {
            Some(text) => as_cell(&format!("{text}::{}", column.cast), column.reads_as_text),
            None if column.reads_as_text => "NULL::pg_catalog.text".into(),
            None => format!("NULL::{}", column.cast),
        }
    });
    let classes = (node.classes.iter()).filter_map(|c| Some(class(&node.table.columns[*c], &given(c)?)));
    copy(&format!(
        "SELECT {} FROM {} ORDER BY k.n",
        cells.chain(classes).collect::<Vec<_>>().join(", "),
        key_list(&all, &places, &parts)
    ))
}

/// Rows that are equal to printed rows, for a table without a primary key: queries with the places of the keys that
/// each asks for. One query for each set of columns that are null, so that every condition is an equality that the
/// source can hash: `IS NOT DISTINCT FROM` it cannot.
pub fn rows_equal_to(node: &Node, keys: &[Vec<Option<&str>>]) -> Vec<(Vec<u32>, String)> {
    let columns = node.table.row_key();
    let mut groups: Vec<(Vec<bool>, Vec<u32>)> = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let nulls: Vec<bool> = key.iter().map(Option::is_none).collect();
        match groups.iter_mut().find(|(n, _)| *n == nulls) {
            Some((_, places)) => places.push(place as u32),
            None => groups.push((nulls, vec![place as u32])),
        }
    }
    let order = order_terms(&node.table, &node.order, "c");
    let order = if order.is_empty() {
        String::new()
    } else {
        format!(", {}", order.join(", "))
    };
    groups
        .into_iter()
        .map(|(key_nulls, places)| {
            let mine: Vec<&Vec<Option<&str>>> = places.iter().map(|p| &keys[*p as usize]).collect();
            let given: Vec<usize> = (0..columns.len()).filter(|i| !key_nulls[*i]).collect();
            let of = |i: usize| &node.table.columns[columns[i]];
            let parts: Vec<KeyPart<'_>> = (given.iter())
                .map(|i| match of(*i).counts_as_printed() {
                    false => KeyPart::of(of(*i)),
                    true => KeyPart::TEXT,
                })
                .collect();
            let equalities = given.iter().enumerate().map(|(k, i)| {
                let (row, key) = (Operand::column("c", of(*i)), key_name(k, parts[k]));
                if of(*i).counts_as_printed() {
                    is_printed(&row.sql, &key)
                } else {
                    is_value(row, Operand::given(key, of(*i)))
                }
            });
            let nulls = |i: usize| format!("pg_catalog.num_nulls(c.{})", quote(&of(i).name));
            let empties = (0..columns.len())
                .filter(|i| key_nulls[*i])
                .map(|i| format!("{} = 1", nulls(i)));
            // A format of null is no text but an empty one.
            let filled = (given.iter())
                .filter(|i| of(**i).counts_as_printed())
                .map(|i| format!("{} = 0", nulls(*i)));
            let conditions: Vec<String> = equalities.chain(empties).chain(filled).collect();
            let list = key_list(&mine, &given, &parts);
            let selected = std::iter::once("k.n::pg_catalog.int4".to_owned()).chain(cells(node, "c"));
            let sql = copy(&format!(
                "SELECT {} FROM {list} CROSS JOIN {} WHERE {} ORDER BY k.n{order}",
                selected.collect::<Vec<_>>().join(", "),
                from_item(&node.table, node.table_filter.as_ref(), "c"),
                if conditions.is_empty() {
                    "true".into()
                } else {
                    conditions.join(" AND ")
                }
            ));
            (places, sql)
        })
        .collect()
}

/// The keys of the root rows above rows of a node with given values in the columns of its join, each once. `path` leads
/// from the root to the node. No filter is applied: a document that a filter takes out has to be found as well.
pub fn roots_above(path: &[&Node], keys: &[Vec<Option<&str>>]) -> String {
    let (node, ancestors) = path.split_last().expect("a path has at least its root");
    let join = node.join.as_ref().expect("a child has a join");
    let all: Vec<&Vec<Option<&str>>> = keys.iter().collect();
    let places: Vec<usize> = (0..join.pairs.len()).collect();
    let parts: Vec<KeyPart<'_>> = (join.pairs.iter())
        .map(|p| KeyPart::of(&node.table.columns[p.own]))
        .collect();
    let name =
        |alias: usize, table: &CatalogTable, column: usize| format!("a{alias}.{}", quote(&table.columns[column].name));
    let mut from = key_list(&all, &places, &parts);
    for (i, ancestor) in ancestors.iter().enumerate().rev() {
        let below = path[i + 1];
        let pairs = below.join.iter().flat_map(|j| &j.pairs).enumerate();
        let conditions: Vec<String> = pairs
            .map(|(k, p)| {
                let own = &below.table.columns[p.own];
                let lower = if i + 1 == ancestors.len() {
                    Operand::given(key_name(k, parts[k]), own)
                } else {
                    Operand::column(&format!("a{}", i + 1), own)
                };
                joins(
                    p,
                    Operand::column(&format!("a{i}"), &ancestor.table.columns[p.parent]),
                    lower,
                )
            })
            .collect();
        from = format!(
            "{from} JOIN {} AS a{i} ON {}",
            only(&ancestor.table),
            conditions.join(" AND ")
        );
    }
    let root = &ancestors[0].table;
    let selected: Vec<String> = (root.row_key().iter())
        .map(|c| as_cell(&name(0, root, *c), true))
        .collect();
    copy(&format!("SELECT DISTINCT {} FROM {from}", selected.join(", ")))
}

/// The values of some columns, as they are printed, each combination once: of all rows of a table, or of one of its
/// partitions.
pub fn printed_values(table: &CatalogTable, leaf: Option<&str>, columns: &[usize]) -> String {
    let selected: Vec<String> = (columns.iter())
        .map(|c| as_cell(&format!("c.{}", quote(&table.columns[*c].name)), true))
        .collect();
    // The columns of a primary key are different in every row already.
    let is_key = columns == table.primary_key;
    let distinct = if is_key { "" } else { "DISTINCT " };
    let from = leaf.map_or_else(|| only(table), |leaf| format!("ONLY {leaf}"));
    if columns.is_empty() {
        // All rows are alike.
        return copy(&format!("SELECT FROM {from} AS c LIMIT 1"));
    }
    copy(&format!("SELECT {distinct}{} FROM {from} AS c", selected.join(", ")))
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
    let (count, pairs) = (root.table.primary_key.len(), join.pairs.len());
    let are_bytes = join.pairs.iter().all(|p| p.equals_as_bytes);
    let mut keys = Vec::new();
    for (i, column) in root.table.primary_key.iter().enumerate() {
        keys.push(format!("{} AS r{i}", name(0, &root.table.columns[*column])));
    }
    for (i, pair) in join.pairs.iter().enumerate() {
        let column = &parent.table.columns[pair.parent];
        let value = name(ancestors.len() - 1, column);
        keys.push(format!("{value} AS k{i}"));
        if !are_bytes {
            keys.push(format!("{} AS b{i}", bytes_of(&value, column)));
        }
    }
    let mut from = from_item(&root.table, root.table_filter.as_ref(), "a0");
    for (i, pair) in ancestors.windows(2).enumerate() {
        let (above, below) = (pair[0], pair[1]);
        let join = below.join.as_ref().expect("a child has a join");
        let conditions: Vec<String> = join
            .pairs
            .iter()
            .map(|p| {
                joins(
                    p,
                    Operand::column(&format!("a{i}"), &above.table.columns[p.parent]),
                    Operand::column(&format!("a{}", i + 1), &below.table.columns[p.own]),
                )
            })
            .collect();
        let item = from_item(&below.table, below.table_filter.as_ref(), &format!("a{}", i + 1));
        from = format!("{from} JOIN {item} ON {}", conditions.join(" AND "));
    }
    let range = range_conditions(&root.table, range, "a0");
    let range = if range.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", range.join(" AND "))
    };
    let roots = (0..count).map(|i| format!("r{i}"));
    let distinct = match are_bytes {
        // Below the root itself every key comes once already.
        _ if ancestors.len() == 1 => String::new(),
        true => "DISTINCT ".into(),
        false => {
            let all: Vec<String> = roots.chain((0..pairs).map(|i| format!("b{i}"))).collect();
            format!("DISTINCT ON ({}) ", all.join(", "))
        }
    };
    let conditions: Vec<String> = join
        .pairs
        .iter()
        .enumerate()
        .map(|(i, p)| {
            let above = Operand {
                sql: format!("k.k{i}"),
                column: &parent.table.columns[p.parent],
                is_given: false,
            };
            joins(p, above, Operand::column("c", &node.table.columns[p.own]))
        })
        .collect();
    let of_root: Vec<String> = (0..count).map(|i| format!("k.r{i}")).collect();
    let of_parent: Vec<String> = (0..pairs)
        .map(|i| {
            if are_bytes {
                format!("k.k{i}")
            } else {
                format!("k.b{i}")
            }
        })
        .collect();
    let selected = of_root.iter().chain(&of_parent).cloned().chain(cells(node, "c"));
    // What is found by its bytes need not be sorted, and not every type can be.
    let sorted = of_root.iter().chain(of_parent.iter().filter(|_| are_bytes)).cloned();
    let order = order_terms(&node.table, &node.order, "c");
    copy(&format!(
        "SELECT {} FROM (SELECT {distinct}{} FROM {from}{range}) k JOIN {} ON {} ORDER BY {}",
        selected.collect::<Vec<_>>().join(", "),
        keys.join(", "),
        from_item(&node.table, node.table_filter.as_ref(), "c"),
        conditions.join(" AND "),
        sorted.chain(order).collect::<Vec<_>>().join(", "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_quoted() {
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's \\"), "'it''s \\'");
    }
}
