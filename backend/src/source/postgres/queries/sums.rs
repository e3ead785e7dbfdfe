//! Sums of columns: exact ones alone. A double has none, for its sum depends on the order; a text is summed by its length.

use super::clauses::from_item;
use super::compare::{Operand, joins};
use super::quote;
use crate::data::catalog::CatalogColumn;
use crate::plan::Node;
use crate::source::sums::SumKind;
use godwit_shared::mapping::FieldType;

/// Digits of a sum that a decimal128 holds, less those that a billion billion rows may add.
const PRECISION_MAX: u32 = 16;

/// What a column is summed as; `None` where its sum is not exact on both sides.
pub fn sum_kind(column: &CatalogColumn) -> Option<SumKind> {
    let type_text = column.type_text.as_str();
    match (type_text, column.default_type) {
        ("smallint" | "integer" | "bigint", FieldType::Integer | FieldType::Long) => Some(SumKind::Integer),
        ("boolean", FieldType::Bool) => Some(SumKind::Boolean),
        ("text", FieldType::String) => Some(SumKind::Text),
        ("date", FieldType::Date) => Some(SumKind::Date),
        (text, FieldType::String) if text.starts_with("character varying") => Some(SumKind::Text),
        (text, FieldType::Date) if text.starts_with("timestamp") => Some(SumKind::Date),
        (text, FieldType::Decimal) => {
            let precision = text.strip_prefix("numeric(")?.split([',', ')']).next()?;
            (precision.parse::<u32>().ok()? <= PRECISION_MAX).then_some(SumKind::Decimal)
        }
        _ => None,
    }
}

/// One row: how many rows there are, and for each column the number of its values and their sums, all as texts.
pub fn column_sums(path: &[&Node], columns: &[(usize, SumKind)]) -> String {
    let node = path[path.len() - 1];
    let last = path.len() - 1;
    let mut selected = vec!["pg_catalog.count(*)::pg_catalog.text".to_owned()];
    for (column, kind) in columns {
        let column = &node.table.columns[*column];
        selected.extend(sums_of(&format!("a{last}.{}", quote(&column.name)), column, *kind));
    }
    format!("SELECT {} FROM {}", selected.join(", "), joined(path))
}

/// The tables of a path, joined as its rules say.
fn joined(path: &[&Node]) -> String {
    let mut from = from_item(&path[0].table, path[0].table_filter.as_ref(), "a0");
    for (i, pair) in path.windows(2).enumerate() {
        let (above, below) = (pair[0], pair[1]);
        let own = format!("a{}", i + 1);
        let join = below.join.as_ref().expect("a child has a join");
        let conditions: Vec<String> = (join.pairs.iter())
            .map(|p| {
                joins(
                    p,
                    Operand::column(&format!("a{i}"), &above.table.columns[p.parent]),
                    Operand::column(&own, &below.table.columns[p.own]),
                )
            })
            .collect();
        let item = from_item(&below.table, below.table_filter.as_ref(), &own);
        from = format!("{from} JOIN {item} ON {}", conditions.join(" AND "));
    }
    from
}

fn sums_of(value: &str, column: &CatalogColumn, kind: SumKind) -> Vec<String> {
    let text = |sql: String| format!("({sql})::pg_catalog.text");
    let sum = |sql: &str| text(format!("pg_catalog.sum(({sql})::pg_catalog.numeric)"));
    let count = text(format!("pg_catalog.count({value})"));
    match kind {
        SumKind::Integer => vec![
            count,
            sum(value),
            text(format!("pg_catalog.min({value})")),
            text(format!("pg_catalog.max({value})")),
        ],
        SumKind::Decimal => vec![count, sum(value)],
        SumKind::Text => vec![
            count,
            sum(&format!("pg_catalog.length({value})")),
            sum(&format!(
                "pg_catalog.octet_length(pg_catalog.convert_to({value}, 'UTF8'))"
            )),
        ],
        SumKind::Date => {
            let ms = milliseconds(value, column);
            // Infinity is no date in the destination.
            let finite = format!("FILTER (WHERE pg_catalog.isfinite({value}))");
            vec![
                text(format!("pg_catalog.count({value}) {finite}")),
                text(format!("pg_catalog.sum({ms}::pg_catalog.numeric) {finite}")),
                text(format!("pg_catalog.min({ms}) {finite}")),
                text(format!("pg_catalog.max({ms}) {finite}")),
            ]
        }
        SumKind::Boolean => vec![count, text(format!("pg_catalog.count(*) FILTER (WHERE {value})"))],
    }
}

/// Milliseconds since 1970, cut towards the past.
fn milliseconds(value: &str, column: &CatalogColumn) -> String {
    let time = match column.type_text.as_str() {
        "date" => format!("{value}::pg_catalog.timestamp"),
        _ => value.to_owned(),
    };
    // Finite ones alone: an infinity has no number.
    format!(
        "(CASE WHEN pg_catalog.isfinite({value}) THEN \
         pg_catalog.round(pg_catalog.date_part('epoch', pg_catalog.date_trunc('milliseconds', {time})) * 1000)\
         ::pg_catalog.int8 END)"
    )
}

/// How many columns [`column_sums`] selects for one of a kind.
pub fn width(kind: SumKind) -> usize {
    match kind {
        SumKind::Integer | SumKind::Date => 4,
        SumKind::Text => 3,
        SumKind::Decimal | SumKind::Boolean => 2,
    }
}
