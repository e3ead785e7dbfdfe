//! Tries a connection.

use super::client::{PgSource, query_error};
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
