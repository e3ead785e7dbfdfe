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
use crate::plan::{Condition, Plan, RowFilter};
use crate::source::SourceError;
use godwit_shared::schema::TableName;
use settle::Refusal;
use std::sync::Arc;
use std::time::Duration;

/// What parsing the longest text may take.
const PARSE_TIME_MAX: Duration = Duration::from_secs(5);

/// A filter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterProblem {
    pub table: TableName,
    /// A clause that begins with "it", or the server's own words.
    pub reason: String,
}

/// Gives every filter of the plan the condition that stands for it in queries. Returns those that are refused, each
/// table once; no row can be read with one of them.
///
/// # Errors
/// When the connection is lost or the server refuses to answer.
pub async fn settle_filters(pg: &PgClient, plan: &mut Plan) -> Result<Vec<FilterProblem>, SourceError> {
    let mut settled: Vec<(Arc<CatalogTable>, String, Option<Condition>)> = Vec::new();
    let mut problems: Vec<FilterProblem> = Vec::new();
    for node in plan.nodes() {
        let Some(text) = node.table_filter.as_ref().and_then(|f| f.text()) else {
            continue;
        };
        if settled
            .iter()
            .any(|(table, known, _)| table.name == node.table.name && known == text)
        {
            continue;
        }
        let (table, text) = (node.table.clone(), text.to_owned());
        let condition = match condition_of(pg, &table, &text).await {
            Ok(condition) => Some(condition),
            Err(Refusal::Filter(reason)) => {
                problems.push(FilterProblem {
                    table: table.name.clone(),
                    reason,
                });
                None
            }
            // Without SELECT the server does not look at the filter; that is said elsewhere.
            Err(Refusal::Source(SourceError::NoRight { .. })) => None,
            Err(Refusal::Source(error)) => return Err(error),
        };
        settled.push((table, text, condition));
    }
    plan.for_each_node(&mut |node| {
        let table = &node.table.name;
        let Some(filter) = &mut node.table_filter else { return };
        filter.condition = filter.text().and_then(|text| {
            let known = settled.iter().find(|(t, known, _)| t.name == *table && known == text);
            known.and_then(|(_, _, condition)| condition.clone())
        });
    });
    Ok(problems)
}

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

/// The filters of a plan that a continuous job cannot follow; each table once.
///
/// Such a job decides of each changed row anew whether it passes. A filter that looks at the clock, at chance or at other
/// rows would decide differently without any change of the row, and nothing in the log would tell.
pub fn unstable_filters(plan: &Plan) -> Vec<FilterProblem> {
    let mut unstable: Vec<FilterProblem> = Vec::new();
    for node in plan.nodes() {
        let Some(filter) = &node.table_filter else { continue };
        if unstable.iter().any(|p| p.table == node.table.name) {
            continue;
        }
        unstable.extend(instability(filter).map(|reason| FilterProblem {
            table: node.table.name.clone(),
            reason,
        }));
    }
    unstable
}

/// Why a continuous job cannot follow a filter that has been settled.
pub fn instability(filter: &RowFilter) -> Option<String> {
    if filter.row_count.is_some() {
        return Some("it limits the number of rows".into());
    }
    filter.condition.as_ref().and_then(|c| c.beyond_row.clone())
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
