//! Rows that a user looks for, to see their documents.

use super::client::{PgClient, query_error};
use super::queries::{literal, only, quote};
use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use godwit_shared::mapping::FieldType;

/// The keys of rows with a value that holds the text, in capital or small letters; in the order of the key.
///
/// # Errors
/// When the source refuses the query, or does not answer in time.
pub async fn search(
    pg: &PgClient,
    table: &CatalogTable,
    text: &str,
    limit: usize,
) -> Result<Vec<Vec<String>>, SourceError> {
    let printed = |c: usize| format!("t.{}::pg_catalog.text", quote(&table.columns[c].name));
    let keys: Vec<String> = table.primary_key.iter().map(|c| printed(*c)).collect();
    let searched: Vec<String> = (0..table.columns.len())
        .filter(|c| table.columns[*c].default_type != FieldType::BinData)
        .map(printed)
        .collect();
    let pattern = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let pattern = literal(&format!("%{pattern}%"));
    let found: Vec<String> = searched
        .iter()
        .map(|value| format!("{value} OPERATOR(pg_catalog.~~*) {pattern}"))
        .collect();
    let condition = if found.is_empty() {
        "false".to_owned()
    } else {
        found.join(" OR ")
    };
    let order: Vec<String> = (1..=keys.len()).map(|n| n.to_string()).collect();
    let sql = format!(
        "SELECT {} FROM {} AS t WHERE {condition} ORDER BY {} LIMIT {limit}",
        keys.join(", "),
        only(table),
        order.join(", ")
    );
    let rows = pg.client.query(&sql, &[]).await.map_err(query_error)?;
    Ok(rows
        .iter()
        .map(|row| (0..keys.len()).map(|n| row.get(n)).collect())
        .collect())
}

/// Whether texts are values of the primary key's columns.
///
/// # Errors
/// When the connection is lost.
pub async fn are_values(pg: &PgClient, table: &CatalogTable, values: &[String]) -> Result<bool, SourceError> {
    let casts: Vec<String> = table
        .primary_key
        .iter()
        .zip(values)
        .map(|(c, value)| format!("{}::{}", literal(value), table.columns[*c].cast))
        .collect();
    if values.iter().any(|value| value.contains('\0')) {
        return Ok(false);
    }
    match pg.client.query(&format!("SELECT {}", casts.join(", ")), &[]).await {
        Ok(_) => Ok(true),
        // The class of data exceptions: the text is no value of the type.
        Err(error) if error.code().is_some_and(|code| code.code().starts_with("22")) => Ok(false),
        Err(error) => Err(query_error(error)),
    }
}
