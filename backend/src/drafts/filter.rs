//! How many rows a table filter lets through that somebody is writing.

use super::OpenSource;
use crate::jobs::prepare::PrepareError;
use crate::plan::{About, PlanProblem, RowFilter};
use crate::source::SourceError;
use crate::source::filter::instability;
use godwit_shared::draft::FilterCount;
use godwit_shared::edit::{FaultKind, Part};
use godwit_shared::job::TableFilter;
use godwit_shared::schema::TableName;

/// Judges a filter as a job would, and counts.
///
/// # Errors
/// When the table is gone or cannot be read, or the source fails.
pub async fn count(opened: &OpenSource, table: &TableName, filter: &TableFilter) -> Result<FilterCount, PrepareError> {
    let Some(found) = opened.catalog.tables.get(table) else {
        return Err(PrepareError::Mapping(vec![PlanProblem {
            collection: "*".into(),
            rule: None,
            table: Some(table.clone()),
            about: About(FaultKind::TableGone, Part::TableFilter),
            message: format!("the source has no table {table}"),
        }]));
    };
    if !found.can_select {
        let tables = vec![table.to_string()];
        return Err(SourceError::NoSelect { tables }.into());
    }
    let mut row_filter = RowFilter {
        where_clause: filter.where_clause.clone(),
        row_count: filter.row_count,
        condition: None,
    };
    let mut counted = FilterCount {
        rows: None,
        total: opened.session.count_rows(found, None).await?,
        problem: None,
        only_snapshot: None,
    };
    if let Some(text) = row_filter.text() {
        match opened.session.judge_filter(found, text).await? {
            Ok(condition) => row_filter.condition = Some(condition),
            Err(reason) => {
                counted.problem = Some(reason);
                return Ok(counted);
            }
        }
    }
    counted.only_snapshot = instability(&row_filter);
    counted.rows = Some(opened.session.count_rows(found, Some(&row_filter)).await?);
    Ok(counted)
}
