//! What can be known of a plan at its source before the first row is read.

use super::SourceError;
use super::api::Session;
use super::filter::settle_filters;
use crate::data::catalog::CatalogTable;
use crate::plan::Plan;

/// Whether everything that the plan needs can be read, and its filters are valid: they can be used then.
///
/// # Errors
/// The tables that cannot be read, whose rows would be hidden, or whose filter is refused.
pub async fn check_plan(session: &dyn Session, plan: &mut Plan) -> Result<(), SourceError> {
    check_access(plan)?;
    check_filters(session, plan).await
}

/// Whether every table of the plan can be read whole.
///
/// # Errors
/// The tables that cannot be read, or whose rows would be hidden.
pub fn check_access(plan: &Plan) -> Result<(), SourceError> {
    let tables = plan.tables();
    let named = |which: &dyn Fn(&CatalogTable) -> bool| -> Vec<String> {
        tables.iter().filter(|t| which(t)).map(|t| t.name.to_string()).collect()
    };
    let refused = named(&|t| !t.can_select);
    if !refused.is_empty() {
        return Err(SourceError::NoSelect { tables: refused });
    }
    let hidden = named(&|t| t.has_row_security);
    if !hidden.is_empty() {
        return Err(SourceError::RowSecurity { tables: hidden });
    }
    Ok(())
}

/// Makes the table filters of the plan usable.
///
/// # Errors
/// The first that the server or we refuse.
pub async fn check_filters(session: &dyn Session, plan: &mut Plan) -> Result<(), SourceError> {
    match settle_filters(session, plan).await?.into_iter().next() {
        None => Ok(()),
        Some(problem) => Err(SourceError::InvalidFilter {
            table: problem.table.to_string(),
            reason: problem.reason,
        }),
    }
}
