//! Parts of a table by its primary key.

use super::clauses::only;
use super::compare::cast_to;
use super::{literal, quote};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::data::equality::KeyOrder;
use crate::source::read::KeyRange;

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

pub(super) fn range_conditions(table: &CatalogTable, range: &KeyRange, alias: &str) -> Vec<String> {
    let key: Vec<KeySide<'_>> = (table.primary_key.iter())
        .filter_map(|c| KeySide::of(&table.columns[*c], alias))
        .collect();
    let from = range.from.as_deref().map(|v| beyond(&key, v, true));
    from.into_iter()
        .chain(range.to.as_deref().map(|v| beyond(&key, v, false)))
        .collect()
}

/// A column of a primary key that is compared with a bound.
pub(super) struct KeySide<'a> {
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
pub(super) fn beyond(key: &[KeySide<'_>], values: &[String], is_from: bool) -> String {
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
