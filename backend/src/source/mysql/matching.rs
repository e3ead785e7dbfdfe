//! Counts for what somebody draws or writes: keys and filters.

use super::link::{Line, Link};
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
    link: &Link,
    parent: &CatalogTable,
    own: &CatalogTable,
    join: &Join,
) -> Result<Matched, SourceError> {
    let rows = link.one(sql::key_rows(own, join)).await?;
    let (all, there) = (number(&rows, 0), number(&rows, 1));
    let matching = number(&link.one(sql::key_matches(parent, own, join)).await?, 0);
    let most_for_one = number(&link.one(sql::key_most(own, join)).await?, 0);
    let repeats = number(&link.one(sql::key_repeats(parent, join)).await?, 0);
    let misses = link.query(sql::key_misses(parent, own, join)).await?;
    Ok(Matched {
        rows: all,
        nulls: all.saturating_sub(there),
        matching,
        most_for_one,
        is_target_unique: repeats == 0,
        examples: misses
            .into_iter()
            .map(|line| line.into_iter().map(Option::unwrap_or_default).collect())
            .collect(),
    })
}

/// Counts the rows of a table, all or those that a filter lets through.
///
/// # Errors
/// When the source refuses the query, or does not answer in time.
pub async fn count_rows(link: &Link, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
    Ok(number(&link.one(sql::filtered_rows(table, filter)).await?, 0))
}

fn number(line: &Line, place: usize) -> u64 {
    let text = line.get(place).and_then(|value| value.as_deref());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
