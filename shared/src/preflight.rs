//! What a source lacks for a mode of migration, and the script that gives it.

use crate::connection::JdbcConnectionDetails;
use crate::job::{CollectionFilters, MigrationMode, TableFilters};
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The outcome of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckStatus {
    Passed,
    /// The job works, but the user should know.
    Warning,
    /// A job of this mode is refused with `preflight_failed` until it is mended.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreflightCheck {
    /// Stable: `wal_level`, `replication_slots`, `replica_identity`, ...
    pub id: String,
    pub title: String,
    pub status: CheckStatus,
    /// What was found, in a sentence or two.
    pub message: String,
    /// The tables that it is about, as `schema.table`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Statements and comments that mend it; absent where it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Whether the job mends it by itself with the option `prepareSource`.
    #[serde(default)]
    pub can_be_prepared: bool,
}

/// All checks of a source for one mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreflightReport {
    pub mode: MigrationMode,
    pub checked_at: DateTime<Utc>,
    /// No check has failed.
    pub passed: bool,
    pub checks: Vec<PreflightCheck>,
}

/// The body of `POST /project/{id}/preflight`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreflightRequest {
    /// Absent: the connection of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    /// As the job will have them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub relational_table_filters: TableFilters,
    #[serde(default)]
    pub collection_filters: CollectionFilters,
}
