//! What can be known of a source before the first row is read.

use super::client::{PgClient, PgSource, query_error};
use super::filter::settle_filters;
use crate::plan::Plan;
use crate::source::SourceError;
use godwit_shared::connection::ConnectivityResult;

/// Tries a connection and tells what it found.
///
/// # Errors
/// Why no connection can be had.
pub async fn check_connection(source: &PgSource) -> Result<ConnectivityResult, SourceError> {
    let pg = source.connect().await?;
    let row = pg
        .client
        .query_one(
            "SELECT current_setting('server_version'), current_database()::text, \
        coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)",
            &[],
        )
        .await
        .map_err(query_error)?;
    let (version, database, is_encrypted): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
    Ok(ConnectivityResult {
        success: true,
        message: format!("Connected to the PostgreSQL database \"{database}\"."),
        version: format!("PostgreSQL {version}"),
        topology: if is_encrypted { "encrypted" } else { "not encrypted" }.into(),
    })
}

/// Whether everything that the plan needs can be read, and its filters are valid: they can be used then.
///
/// # Errors
/// The tables that cannot be read, whose rows would be hidden, or whose filter is refused.
pub async fn check_plan(pg: &PgClient, plan: &mut Plan) -> Result<(), SourceError> {
    check_access(plan)?;
    check_filters(pg, plan).await
}

/// Whether every table of the plan can be read whole.
///
/// # Errors
/// The tables that cannot be read, or whose rows would be hidden.
pub fn check_access(plan: &Plan) -> Result<(), SourceError> {
    let tables = plan.tables();
    let named = |which: &dyn Fn(&crate::data::catalog::CatalogTable) -> bool| -> Vec<String> {
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
pub async fn check_filters(pg: &PgClient, plan: &mut Plan) -> Result<(), SourceError> {
    match settle_filters(pg, plan).await?.into_iter().next() {
        None => Ok(()),
        Some(problem) => Err(SourceError::InvalidFilter {
            table: problem.table.to_string(),
            reason: problem.reason,
        }),
    }
}
