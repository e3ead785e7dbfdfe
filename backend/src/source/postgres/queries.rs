//! The SQL of every read, in one place: names are always quoted, values always literals of a named type. Functions, types
//! and operators carry their schema, so that no search path decides what is called or what is equal.

use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::data::equality::{Collation, Equality, EqualityCollation, KeyClass, KeyOrder};
use crate::plan::{Join, JoinPair, Node, OrderTerm, RowFilter};
use crate::source::postgres::filter::print::ALIAS;

/// A name as SQL.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal; `standard_conforming_strings` is on in every session.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A part of a table by primary key: from the first key on, up to but without the second. Keys are printed values.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyRange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
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

/// The type of one part of a list of keys.
#[derive(Clone, Copy)]
struct KeyPart<'a> {
    cast: &'a str,
    /// Such values go as texts.
    comes_apart: bool,
}

impl<'a> KeyPart<'a> {
    const TEXT: KeyPart<'static> = KeyPart {
        cast: "pg_catalog.text",
        comes_apart: false,
    };

    fn of(column: &'a CatalogColumn) -> Self {
        Self {
            cast: &column.cast,
            comes_apart: column.comes_apart,
        }
    }
}

/// An array literal of printed values.
fn array_of<'v>(values: impl Iterator<Item = Option<&'v str>>, part: KeyPart<'_>) -> String {
    let items: Vec<String> = values
        .map(|v| v.map_or_else(|| "NULL".to_owned(), super::values::array_element))
        .collect();
    let cast = if part.comes_apart {
        KeyPart::TEXT.cast
    } else {
        part.cast
    };
    format!("{}::{cast}[]", literal(&format!("{{{}}}", items.join(","))))
}

/// `unnest` of one array for each column, with the number of each element: `k(k1, k2, ..., n)`. `parts` are the types
/// of the values; [`key_name`] refers to one.
fn key_list(keys: &[&Vec<Option<&str>>], columns: &[usize], parts: &[KeyPart<'_>]) -> String {
    if columns.is_empty() {
        return format!("pg_catalog.generate_series(1, {}) AS k(n)", keys.len());
    }
    let arrays: Vec<String> = (columns.iter().zip(parts))
        .map(|(i, part)| array_of(keys.iter().map(|k| k[*i]), *part))
        .collect();
    let names: Vec<String> = (1..=columns.len()).map(|i| format!("k{i}, ")).collect();
    format!("{} AS k({}n)", unnested(&arrays), names.concat())
}

/// The elements of several arrays side by side, numbered. (The server spells `unnest` of several out so, but only without
/// its schema.)
fn unnested(arrays: &[String]) -> String {
    let each: Vec<String> = arrays.iter().map(|a| format!("pg_catalog.unnest({a})")).collect();
    match each.as_slice() {
        [one] => format!("{one} WITH ORDINALITY"),
        several => format!("ROWS FROM ({}) WITH ORDINALITY", several.join(", ")),
    }
}

/// A value of [`key_list`].
fn key_name(place: usize, part: KeyPart<'_>) -> String {
    let number = place + 1;
    match part.comes_apart {
        true => format!("k.k{number}::{}", part.cast),
        false => format!("k.k{number}"),
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

/// One side of a comparison.
struct Operand<'a> {
    sql: String,
    /// The column whose value it is.
    column: &'a CatalogColumn,
    /// It comes from a list of keys, so that it has no collation of its own and no index finds it.
    is_given: bool,
}

impl<'a> Operand<'a> {
    fn column(alias: &str, column: &'a CatalogColumn) -> Self {
        Self {
            sql: format!("{alias}.{}", quote(&column.name)),
            column,
            is_given: false,
        }
    }

    fn given(sql: String, column: &'a CatalogColumn) -> Self {
        Self {
            sql,
            column,
            is_given: true,
        }
    }
}

/// Whether two values join.
fn joins(pair: &JoinPair, parent: Operand<'_>, own: Operand<'_>) -> String {
    let [referenced, referencing] = pair.sides(parent, own);
    equal(&pair.equality, &referenced, &referencing)
}

/// Whether a row has a value in a column, as the column's own type sees it.
fn is_value(row: Operand<'_>, key: Operand<'_>) -> String {
    match &row.column.equality {
        Some(equality) => equal(equality, &row, &key),
        None => is_printed(&row.sql, &format!("pg_catalog.format('%s', {})", key.sql)),
    }
}

fn is_printed(value: &str, text: &str) -> String {
    format!("pg_catalog.format('%s', {value}) OPERATOR(pg_catalog.=) {text}")
}

fn equal(equality: &Equality, referenced: &Operand<'_>, referencing: &Operand<'_>) -> String {
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

fn cast_to(value: &str, cast: Option<&str>) -> String {
    cast.map_or_else(|| value.to_owned(), |cast| format!("{value}::{cast}"))
}

/// The bytes of a cell, by which a row of a parent finds its rows again.
fn bytes_of(value: &str, column: &CatalogColumn) -> String {
    match &column.sent_by {
        Some(send) => format!("{send}({value})"),
        None => as_cell(value, true),
    }
}

/// What a value has in common with those that the source calls equal.
fn class(column: &CatalogColumn, value: &str) -> String {
    match &column.class {
        KeyClass::Asked(parts) => parts.join(&format!("{value}::{}", column.cast)),
        KeyClass::Canonical | KeyClass::Printed => "NULL::pg_catalog.text".into(),
    }
}

/// Keys that cut a table into `chunks` parts of about equal size, from a sample of `pages` pages: one text for each
/// column of the key. Pages, because how many rows there are is an estimate that may be missing or old.
pub fn split_keys(table: &CatalogTable, chunks: u64, pages: u64) -> String {
    let key: Vec<String> = table
        .primary_key
        .iter()
        .map(|c| quote(&table.columns[*c].name))
        .collect();
    let printed: Vec<String> = (1..=key.len())
        .map(|i| format!("pg_catalog.format('%s', k{i})"))
        .collect();
    let inner: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(i, k)| format!("c.{k} AS k{}", i + 1))
        .collect();
    let sorted: Vec<String> = key.iter().map(|k| format!("c.{k}")).collect();
    // In percent of the table's bytes.
    let wanted = pages.saturating_mul(819_200);
    let bytes = if table.is_partitioned {
        table.size_bytes.to_string()
    } else {
        // Without values that are stored outside of the rows.
        let name = format!("{}.{}", quote(&table.name.schema), quote(&table.name.table));
        format!("pg_catalog.pg_relation_size({}::pg_catalog.regclass)", literal(&name))
    };
    format!(
        "SELECT {} FROM (SELECT {}, pg_catalog.row_number() OVER (ORDER BY {}) AS n, pg_catalog.count(*) OVER () AS total \
         FROM {} c TABLESAMPLE SYSTEM (least(100::pg_catalog.float8, {wanted}::pg_catalog.float8 OPERATOR(pg_catalog./) \
         greatest({bytes}, 1)::pg_catalog.float8)) REPEATABLE (1)) s \
         WHERE n * {chunks} / total > (n - 1) * {chunks} / total AND n < total ORDER BY n",
        printed.join(", "),
        inner.join(", "),
        sorted.join(", "),
        only(table)
    )
}

pub(super) fn only(table: &CatalogTable) -> String {
    let name = format!("{}.{}", quote(&table.name.schema), quote(&table.name.table));
    // A table's own rows; partitions belong to their root.
    if table.is_partitioned {
        name
    } else {
        format!("ONLY {name}")
    }
}

fn from_item(table: &CatalogTable, filter: Option<&RowFilter>, alias: &str) -> String {
    let Some(filter) = filter else {
        return format!("{} AS {alias}", only(table));
    };
    let condition = match (&filter.condition, filter.text()) {
        (Some(condition), _) => format!(" WHERE {}", condition.sql),
        (None, None) => String::new(),
        // Rows that the filter leaves out must not get out, and a text that nobody has looked at must not get in.
        (None, Some(_)) => panic!("the filter of {} stands in a query before it was settled", table.name),
    };
    let limit = filter
        .row_count
        .map(|n| format!("{} LIMIT {n}", order_by(table, &natural_order(table), ALIAS)))
        .unwrap_or_default();
    format!(
        "(SELECT * FROM {} AS {ALIAS}{condition}{limit}) AS {alias}",
        only(table)
    )
}

fn natural_order(table: &CatalogTable) -> Vec<OrderTerm> {
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let columns = if table.primary_key.is_empty() {
        &all
    } else {
        &table.primary_key
    };
    columns
        .iter()
        .map(|c| OrderTerm {
            column: *c,
            descending: false,
            null_is_lowest: false,
            as_text: !table.columns[*c].is_orderable,
        })
        .collect()
}

fn order_by(table: &CatalogTable, order: &[OrderTerm], alias: &str) -> String {
    let terms = order_terms(table, order, alias);
    if terms.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", terms.join(", "))
    }
}

fn order_terms(table: &CatalogTable, order: &[OrderTerm], alias: &str) -> Vec<String> {
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

fn select_list(node: &Node, alias: &str) -> String {
    cells(node, alias).collect::<Vec<_>>().join(", ")
}

/// All cells of a node's rows: its columns, then the classes of those of its key that the source is asked for.
fn cells<'n>(node: &'n Node, alias: &'n str) -> impl Iterator<Item = String> + 'n {
    let columns = node.columns.iter().map(move |c| cell(&node.table, *c, alias));
    let classes = node.classes.iter().map(move |c| {
        let column = &node.table.columns[*c];
        class(column, &format!("{alias}.{}", quote(&column.name)))
    });
    columns.chain(classes)
}

/// A column as it is requested: in its binary form, or as its output function prints it. `format` calls that function,
/// a cast to text does not always (it adds `/32` to an inet).
fn cell(table: &CatalogTable, column: usize, alias: &str) -> String {
    let c = &table.columns[column];
    as_cell(&format!("{alias}.{}", quote(&c.name)), c.reads_as_text)
}

fn as_cell(value: &str, as_text: bool) -> String {
    if as_text {
        format!("CASE WHEN pg_catalog.num_nulls({value}) = 0 THEN pg_catalog.format('%s', {value}) END")
    } else {
        value.to_owned()
    }
}

fn range_conditions(table: &CatalogTable, range: &KeyRange, alias: &str) -> Vec<String> {
    let key: Vec<KeySide<'_>> = (table.primary_key.iter())
        .filter_map(|c| KeySide::of(&table.columns[*c], alias))
        .collect();
    let from = range.from.as_deref().map(|v| beyond(&key, v, true));
    from.into_iter()
        .chain(range.to.as_deref().map(|v| beyond(&key, v, false)))
        .collect()
}

/// A column of a primary key that is compared with a bound.
struct KeySide<'a> {
    sql: String,
    column: &'a CatalogColumn,
    order: &'a KeyOrder,
}

impl<'a> KeySide<'a> {
    fn of(column: &'a CatalogColumn, alias: &str) -> Option<Self> {
        let order = column.key_order.as_ref()?;
        let name = format!("{alias}.{}", quote(&column.name));
        Some(Self {
            sql: cast_to(&name, order.cast.as_deref()),
            column,
            order,
        })
    }

    fn bound(&self, value: &str) -> String {
        // A literal has the collation of its type, which may be another one than the column's.
        let collation = self.column.collation.as_ref().filter(|c| !c.is_default);
        let collate = collation.map(|c| format!(" COLLATE {}", c.sql)).unwrap_or_default();
        let value = format!("{}::{}", literal(value), self.column.cast);
        format!("{}{collate}", cast_to(&value, self.order.cast.as_deref()))
    }

    fn is(&self, operator: &str, value: &str) -> String {
        format!("{} {operator} {}", self.sql, self.bound(value))
    }
}

/// Rows whose key is not below some values, or is.
fn beyond(key: &[KeySide<'_>], values: &[String], is_from: bool) -> String {
    let of = |side: &KeySide<'_>| {
        if is_from {
            side.order.not_below.clone()
        } else {
            side.order.below.clone()
        }
    };
    let operators: Vec<String> = key.iter().map(of).collect();
    let compared = match (key, values) {
        ([one], [value]) => return one.is(&operators[0], value),
        // One operator for all columns: a comparison of rows, which an index serves.
        _ if operators.iter().all(|o| *o == operators[0]) => {
            let own: Vec<&str> = key.iter().map(|side| side.sql.as_str()).collect();
            let bounds: Vec<String> = key.iter().zip(values).map(|(side, v)| side.bound(v)).collect();
            format!("({}) {} ({})", own.join(", "), operators[0], bounds.join(", "))
        }
        _ => {
            // The same, spelt out: equal in the first columns and beyond in the next.
            let last = key.len() - 1;
            let terms: Vec<String> = (0..=last)
                .map(|place| {
                    let equal = (0..place).map(|i| key[i].is(&key[i].order.equal, &values[i]));
                    let order = key[place].order;
                    let operator = match is_from {
                        true if place == last => &order.not_below,
                        true => &order.above,
                        false => &order.below,
                    };
                    let all: Vec<String> = equal.chain([key[place].is(operator, &values[place])]).collect();
                    all.join(" AND ")
                })
                .collect();
            format!("(({}))", terms.join(") OR ("))
        }
    };
    // The planner does not see that two comparisons of rows enclose a range, and takes it for a quarter of the table: each
    // chunk would read all of it. It sees it of the first column. Measured on 6 million rows in 55 chunks: 35 ms for a
    // chunk instead of 408.
    let order = key[0].order;
    let first = if is_from { &order.not_below } else { &order.not_above };
    format!("{compared} AND {}", key[0].is(first, &values[0]))
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
