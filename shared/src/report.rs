//! The report of a job: what was migrated, to be kept, printed and compared.

use crate::job::{CdcStatus, FailureError, JobEnd, JobOptions, JobStatus, JobUpdate, TableFilters};
use crate::outage::CutoverReadiness;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The answer of `GET /jobs/{id}/report`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    /// When it was made: everything in it is of this moment.
    pub made_at: DateTime<Utc>,
    /// Of the program.
    pub version: String,
    pub job_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub project: String,
    pub status: JobStatus,
    pub cdc_status: CdcStatus,
    pub started_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Passwords masked.
    pub source: String,
    /// As whom the source was read.
    pub source_user: String,
    pub destination: String,
    pub options: JobOptions,
    #[serde(default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub table_filters: TableFilters,
    pub snapshot_seconds: u64,
    pub rows_read: u64,
    pub documents_written: u64,
    pub bytes_written: u64,
    pub errors: u64,
    pub warnings: u64,
    pub stages: Stages,
    pub tables: Vec<TableReport>,
    pub collections: Vec<CollectionReport>,
    pub issues: Vec<JobUpdate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<JobEnd>,
}

/// What the CDC stage has come to; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Stages {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_applied: Option<u64>,
    /// Up to where the log of the source is applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// Everything that was committed before is applied, by the clock of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutover: Option<CutoverReadiness>,
}

/// A table on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TableReport {
    pub table: String,
    /// In the point in time of the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_at_snapshot: Option<u64>,
    /// Counted for the report; absent where the source could not be asked in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_now: Option<u64>,
    pub rows_read: u64,
}

/// A collection and the rows of its root tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CollectionReport {
    pub collection: String,
    pub root_tables: Vec<String>,
    /// Counted for the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_rows_now: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents_now: Option<u64>,
    pub documents_written: u64,
    pub documents_rebuilt: u64,
    pub documents_deleted: u64,
    /// That were there before and came from no row of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents_untouched: Option<u64>,
}
