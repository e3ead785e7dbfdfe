//! What a job would read and write, said before it starts.

use serde::{Deserialize, Serialize};

/// The answer of `POST /jobs/summary`. Nothing has been written for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobSummary {
    /// In the order of the project.
    pub collections: Vec<CollectionExtent>,
    /// Each once, in the order of the rules.
    pub tables: Vec<TableExtent>,
    /// Existing collections, or their unique indexes, that compare texts otherwise than byte by byte: what follows, in
    /// sentences; one entry for each collection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collations: Vec<String>,
    /// The destination's URI asks for less than a majority: what is reported as written may be lost there.
    pub is_write_concern_weak: bool,
}

/// A collection that the job would write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CollectionExtent {
    pub name: String,
    /// `schema.table`, each once, roots first.
    pub tables: Vec<String>,
    /// Documents that it holds now, by the destination's own count.
    pub documents_existing: u64,
}

/// A table that the job would read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TableExtent {
    /// `schema.table`
    pub table: String,
    /// From the source's statistics; counted where a small table has none.
    pub rows_estimated: u64,
    /// On disk, without indexes.
    pub size_bytes: u64,
    pub has_primary_key: bool,
}
