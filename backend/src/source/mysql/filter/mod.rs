//! Table filters: what a user may say of the rows of a table, and what becomes of it.
//!
//! A filter is a text that somebody wrote, maybe somebody else than the user: it comes inside project files too. So it
//! never stands in a query. It is parsed as one expression ([`parse`]); of the kinds of expressions those that are listed
//! are printed anew with parentheses around each ([`print`]), so that it can neither leave its parentheses nor do anything
//! but compute; and the server is asked to plan the result, which runs nothing.

mod functions;
mod parse;
mod print;

use super::link::Link;
use super::queries::table_name;
use crate::data::catalog::CatalogTable;
use crate::plan::Condition;
use crate::source::SourceError;
use std::time::Duration;

/// What stands for the table in a condition.
pub const ALIAS: &str = "t";
/// What parsing the longest text may take.
const PARSE_TIME_MAX: Duration = Duration::from_secs(5);

/// Judges one filter of one table. What it comes to, or why it is refused: a clause that begins with "it", or the server's
/// own words.
///
/// # Errors
/// When the connection is lost or the server refuses to answer.
pub async fn judge(link: &Link, table: &CatalogTable, text: &str) -> Result<Result<Condition, String>, SourceError> {
    let (owned, of) = (text.to_owned(), table.clone());
    let parsing = tokio::task::spawn_blocking(move || parse::condition(&owned, &of));
    let condition = match tokio::time::timeout(PARSE_TIME_MAX, parsing).await {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(_)) | Err(_) => Err("it takes too long to read: write it simpler".into()),
    };
    let condition = match condition {
        Ok(condition) => condition,
        Err(reason) => return Ok(Err(reason)),
    };
    let sql = format!(
        "SELECT 1 FROM {} AS {ALIAS} WHERE {}",
        table_name(&table.name),
        condition.sql
    );
    match link.prepare(&sql).await {
        Ok(()) => Ok(Ok(condition)),
        Err(SourceError::Query { reason }) => Ok(Err(reason)),
        Err(error) => Err(error),
    }
}
