//! Counts for what somebody draws or writes: keys and filters.

use super::client::{PgClient, query_error};
use super::queries::matching as sql;
use crate::data::catalog::CatalogTable;
use crate::plan::{Join, RowFilter};
use crate::source::SourceError;
use crate::source::api::Matched;

/// Counts the rows of a table that find one by a join.
///
/// # Errors
/// When the source refuses a query, or does not answer in time.
pub async fn count(
    pg: &PgClient,
    parent: &CatalogTable,
    own: &CatalogTable,
    join: &Join,
) -> Result<Matched, SourceError> {
    let one = async |sql: String| pg.client.query_one(&sql, &[]).await.map_err(query_error);
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let rows = one(sql::key_rows(own, join)).await?;
    let (all, there) = (number(rows.get(0)), number(rows.get(1)));
    let matching = number(one(sql::key_matches(parent, own, join)).await?.get(0));
    let most_for_one = number(one(sql::key_most(own, join)).await?.get(0));
    let repeats: bool = one(sql::key_repeats(parent, join)).await?.get(0);
    let misses = sql::key_misses(parent, own, join);
    let misses = pg.client.query(&misses, &[]).await.map_err(query_error)?;
    Ok(Matched {
        rows: all,
        nulls: all.saturating_sub(there),
        matching,
        most_for_one,
        is_target_unique: !repeats,
        examples: misses
            .iter()
            .map(|row| (0..join.pairs.len()).map(|n| row.get(n)).collect())
            .collect(),
    })
}

/// Counts the rows of a table, all or those that a filter lets through.
///
/// # Errors
/// When the source refuses the query, or does not answer in time.
pub async fn count_rows(pg: &PgClient, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
    let sql = sql::filtered_rows(table, filter);
    let row = pg.client.query_one(&sql, &[]).await.map_err(query_error)?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}
