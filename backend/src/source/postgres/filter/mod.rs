//! Table filters: what a user may say of the rows of a table, and what becomes of it.
//!
//! A filter is a text that somebody wrote, maybe somebody else than the user: it comes inside project files too. So it
//! never stands in a query. It is read by a parser ([`parse`], [`lexical`], [`types`]) into a tree that has no place for
//! anything but one expression over the columns of one table ([`tree`]); every name in the tree is looked up in the
//! source's catalog and judged ([`facts`], [`judge`]); and what then stands in queries is printed anew from the tree,
//! with the schema of every name ([`settle`], [`print`]). The same tree says whether the filter depends on its row alone.

mod facts;
mod judge;
mod lexical;
mod names;
mod parse;
mod precedence;
pub mod print;
mod settle;
mod tree;
mod types;

use super::client::PgClient;
use crate::data::catalog::CatalogTable;
use crate::plan::Condition;
use crate::source::SourceError;
use godwit_shared::schema::TableName;
use settle::Refusal;
use std::time::Duration;

/// What parsing the longest text may take.
const PARSE_TIME_MAX: Duration = Duration::from_secs(5);

async fn condition_of(pg: &PgClient, table: &CatalogTable, text: &str) -> Result<Condition, Refusal> {
    let (owned, name) = (text.to_owned(), table.name.clone());
    let parsing = tokio::task::spawn_blocking(move || parse::parse(&owned, &name));
    let expr = match tokio::time::timeout(PARSE_TIME_MAX, parsing).await {
        Ok(Ok(parsed)) => parsed?,
        Ok(Err(_)) | Err(_) => return Err(Refusal::Filter("it takes too long to read: write it simpler".into())),
    };
    settle::settle(pg, table, expr).await
}

/// Judges one filter of one table. What it comes to, or why it is refused: a clause that begins with "it", or the server's
/// own words.
///
/// # Errors
/// When the connection is lost or the server refuses to answer.
pub async fn judge(pg: &PgClient, table: &CatalogTable, text: &str) -> Result<Result<Condition, String>, SourceError> {
    match condition_of(pg, table, text).await {
        Ok(condition) => Ok(Ok(condition)),
        Err(Refusal::Filter(reason)) => Ok(Err(reason)),
        Err(Refusal::Source(error)) => Err(error),
    }
}

/// What a text comes to as far as that can be said without a source: for tests.
///
/// # Errors
/// Why it is no filter.
pub fn printed(text: &str, table: &TableName) -> Result<String, String> {
    let expr = parse::parse(text, table)?;
    print::sql(&expr).ok_or_else(|| "it nests constructs that double it".into())
}

/// Settles one text for one table: for tests.
///
/// # Errors
/// Why it is refused, or that the source cannot be asked.
pub async fn settle_text(pg: &PgClient, table: &CatalogTable, text: &str) -> Result<Condition, String> {
    condition_of(pg, table, text).await.map_err(|refusal| match refusal {
        Refusal::Filter(reason) => reason,
        Refusal::Source(error) => error.to_string(),
    })
}
