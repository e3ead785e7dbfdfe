//! The table filters of a plan: each is judged by its source, and only what the source has made of it stands in queries.

use super::SourceError;
use super::api::Session;
use crate::data::catalog::CatalogTable;
use crate::plan::{Condition, Plan, RowFilter};
use godwit_shared::schema::TableName;
use std::sync::Arc;

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
pub async fn settle_filters(session: &dyn Session, plan: &mut Plan) -> Result<Vec<FilterProblem>, SourceError> {
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
        let condition = match session.judge_filter(&table, &text).await {
            Ok(Ok(condition)) => Some(condition),
            Ok(Err(reason)) => {
                problems.push(FilterProblem {
                    table: table.name.clone(),
                    reason,
                });
                None
            }
            // Without SELECT the server does not look at the filter; that is said elsewhere.
            Err(SourceError::NoRight { .. }) => None,
            Err(error) => return Err(error),
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
