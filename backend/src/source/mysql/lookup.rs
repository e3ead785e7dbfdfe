//! Rows that a user looks for, to see their documents.

use super::columns::Kind;
use super::link::Link;
use super::queries::{is_number, listed_pattern, literal, printed, quote, table_name};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::source::SourceError;
use godwit_shared::mapping::FieldType;

/// The keys of rows with a value that holds the text, in capital or small letters; in the order of the key.
///
/// # Errors
/// When the source refuses the query, or does not answer in time.
pub async fn search(
    link: &Link,
    table: &CatalogTable,
    text: &str,
    limit: usize,
) -> Result<Vec<Vec<String>>, SourceError> {
    let name = |c: &CatalogColumn| format!("t.{}", quote(&c.name));
    let key = || table.primary_key.iter().map(|c| &table.columns[*c]);
    let keys: Vec<String> = key().map(|c| printed(c, &name(c))).collect();
    let order: Vec<String> = key().map(name).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let pattern = listed_pattern(text);
    let found: Vec<String> = (table.columns.iter())
        .filter(|c| c.default_type != FieldType::BinData && Kind::of(c) != Kind::Geometry)
        .map(|c| {
            let value = printed(c, &name(c));
            format!("CONVERT(CAST({value} AS CHAR) USING utf8mb4) COLLATE utf8mb4_general_ci LIKE {pattern} ESCAPE '|'")
        })
        .collect();
    let condition = if found.is_empty() {
        "FALSE".to_owned()
    } else {
        found.join(" OR ")
    };
    let sql = format!(
        "SELECT {} FROM {} AS t WHERE {condition} ORDER BY {} LIMIT {limit}",
        keys.join(", "),
        table_name(&table.name),
        order.join(", ")
    );
    let lines = link.query(sql).await?;
    Ok(lines
        .into_iter()
        .map(|line| line.into_iter().map(Option::unwrap_or_default).collect())
        .collect())
}

/// Whether texts are values of the primary key's columns.
///
/// # Errors
/// When the connection is lost.
pub async fn are_values(link: &Link, table: &CatalogTable, values: &[String]) -> Result<bool, SourceError> {
    let columns = table.primary_key.iter().map(|c| &table.columns[*c]);
    let pairs: Vec<(&CatalogColumn, &String)> = columns.zip(values).collect();
    if values.len() != table.primary_key.len() || !pairs.iter().all(|(c, value)| may_be(c, value)) {
        return Ok(false);
    }
    // Of dates only the server knows.
    let dates: Vec<String> = (pairs.iter())
        .filter_map(|(column, value)| {
            let text = literal(value);
            match Kind::of(column) {
                Kind::Date => Some(format!("CAST({text} AS DATE) IS NOT NULL")),
                Kind::DateTime | Kind::Timestamp => Some(format!("CAST({text} AS DATETIME(6)) IS NOT NULL")),
                Kind::Time => Some(format!("CAST({text} AS TIME(6)) IS NOT NULL")),
                _ => None,
            }
        })
        .collect();
    if dates.is_empty() {
        return Ok(true);
    }
    let line = link.one(format!("SELECT {}", dates.join(" AND "))).await?;
    Ok(line.first().and_then(|value| value.as_deref()) == Some("1"))
}

fn may_be(column: &CatalogColumn, value: &str) -> bool {
    let kind = Kind::of(column);
    match kind {
        _ if value.contains('\0') => false,
        Kind::Integer | Kind::Year | Kind::Bits => value.parse::<i128>().is_ok(),
        _ if kind.is_number() => is_number(value),
        Kind::Binary => value
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())),
        Kind::Enum => super::columns::members(&column.type_text).iter().any(|m| m == value),
        _ => true,
    }
}
