//! What a job would do, found out without writing anything.

use crate::connection::JdbcConnectionDetails;
use crate::job::{CollectionFilters, JobUpdate, TableFilters};
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The body of `POST /project/{id}/dry-run`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DryRunRequest {
    /// Absent: the connection of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    /// As the job will have them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub relational_table_filters: TableFilters,
    #[serde(default)]
    pub collection_filters: CollectionFilters,
    /// Root rows that are assembled for each collection; 200 where absent, at most 2000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
}

/// What a job would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    pub made_at: DateTime<Utc>,
    pub collections: Vec<DryRunCollection>,
    /// Of all collections.
    pub documents: u64,
    pub bytes: u64,
    /// What the snapshot of a job may take; absent where nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// What the estimate of the duration rests on, in words.
    pub basis: String,
    /// It was ended before all was looked at: it may take no longer.
    pub is_cut: bool,
}

/// One collection's part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DryRunCollection {
    pub collection: String,
    /// The tables whose rows are its roots, `schema.table`.
    pub tables: Vec<String>,
    /// Root rows.
    pub rows: u64,
    /// They were counted; otherwise the statistics of the source say so.
    pub is_counted: bool,
    /// Documents that these rows give, by the share of the sample that became documents.
    pub documents: u64,
    /// Root rows that were assembled.
    pub sampled: u64,
    /// How long that took, reading included.
    pub sampled_ms: u64,
    /// Bytes of a document of the sample: average and largest.
    pub average: u64,
    pub largest: u64,
    /// The documents that the statistics of the source point to as the largest, the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub large: Vec<LargeRoot>,
    /// What would stand in the log of the job, for the rows that were assembled.
    pub issues: Vec<JobUpdate>,
    /// Why something is missing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A root row with many rows below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LargeRoot {
    pub table: String,
    /// Its primary key, printed.
    pub key: String,
    /// Bytes of its document; absent where it is none: an issue says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}
