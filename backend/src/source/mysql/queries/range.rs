//! Parts of a table by its primary key.

use super::literals::{bound_of, quote, table_name};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::source::mysql::columns::Kind;
use crate::source::read::KeyRange;

/// What the rows of a range have in common.
pub(super) fn range_conditions(table: &CatalogTable, range: &KeyRange, alias: &str) -> Vec<String> {
    let key: Vec<&CatalogColumn> = table.primary_key.iter().map(|c| &table.columns[*c]).collect();
    let from = range.from.as_deref().map(|values| beyond(&key, values, alias, true));
    let to = range.to.as_deref().map(|values| beyond(&key, values, alias, false));
    from.into_iter().chain(to).collect()
}

/// A column in the order in which it is sorted.
fn side(column: &CatalogColumn, alias: &str) -> String {
    let name = format!("{alias}.{}", quote(&column.name));
    match Kind::of(column) {
        Kind::Enum | Kind::Set => format!("{name} + 0"),
        _ => name,
    }
}

/// Rows whose key is not below some values, or is. Spelt out, because a comparison of rows is served by no index here.
fn beyond(key: &[&CatalogColumn], values: &[String], alias: &str, is_from: bool) -> String {
    let is = |place: usize, operator: &str| {
        let column = key[place];
        format!(
            "{} {operator} {}",
            side(column, alias),
            bound_of(column, &values[place])
        )
    };
    let count = key.len().min(values.len());
    let Some(last) = count.checked_sub(1) else {
        return "TRUE".into();
    };
    let terms: Vec<String> = (0..=last)
        .map(|place| {
            let operator = match is_from {
                true if place == last => ">=",
                true => ">",
                false => "<",
            };
            let equal = (0..place).map(|i| is(i, "="));
            let all: Vec<String> = equal.chain([is(place, operator)]).collect();
            all.join(" AND ")
        })
        .collect();
    if last == 0 {
        return terms.join("");
    }
    // The first column bounds what the index is searched for.
    let first = is(0, if is_from { ">=" } else { "<=" });
    format!("{first} AND (({}))", terms.join(") OR ("))
}

/// The first key of a range, or the last one; from some values of its first columns on, where they are given.
pub fn end_of_range(table: &CatalogTable, from: Option<&[String]>, range: &KeyRange, is_last: bool) -> String {
    let key: Vec<&CatalogColumn> = table.primary_key.iter().map(|c| &table.columns[*c]).collect();
    let name = |column: &CatalogColumn| format!("c.{}", quote(&column.name));
    let way = if is_last { " DESC" } else { "" };
    let order: Vec<String> = key.iter().map(|c| format!("{}{way}", name(c))).collect();
    let from = from.map(|values| beyond(&key, values, "c", true));
    let conditions: Vec<String> = from.into_iter().chain(range_conditions(table, range, "c")).collect();
    let selected: Vec<String> = key.iter().map(|c| super::roots::printed(c, &name(c))).collect();
    format!(
        "SELECT {} FROM {} AS c{} ORDER BY {} LIMIT 1",
        selected.join(", "),
        table_name(&table.name),
        where_all(&conditions),
        order.join(", ")
    )
}

/// How many rows the server thinks a range has.
pub fn rows_of_range(table: &CatalogTable, range: &KeyRange) -> String {
    format!(
        "EXPLAIN SELECT 1 FROM {} AS c FORCE INDEX (PRIMARY){}",
        table_name(&table.name),
        where_all(&range_conditions(table, range, "c"))
    )
}

/// The conditions behind WHERE, if there are any.
pub(super) fn where_all(conditions: &[String]) -> String {
    if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::catalog::testing::int4;

    fn table(columns: &[&str]) -> CatalogTable {
        CatalogTable {
            columns: columns
                .iter()
                .map(|name| CatalogColumn {
                    cast: "integer".into(),
                    ..int4(name)
                })
                .collect(),
            primary_key: (0..columns.len()).collect(),
            ..CatalogTable::new(godwit_shared::schema::TableName::new("s", "t"))
        }
    }

    #[test]
    fn a_range_of_a_composite_key_is_spelt_out() {
        let range = KeyRange {
            from: Some(vec!["1".into(), "2".into()]),
            to: None,
        };
        assert_eq!(
            range_conditions(&table(&["a", "b"]), &range, "c"),
            ["c.`a` >= 1 AND ((c.`a` > 1) OR (c.`a` = 1 AND c.`b` >= 2))"]
        );
        let range = KeyRange {
            from: Some(vec!["1".into()]),
            to: Some(vec!["5".into()]),
        };
        assert_eq!(
            range_conditions(&table(&["a"]), &range, "c"),
            ["c.`a` >= 1", "c.`a` < 5"]
        );
    }
}
