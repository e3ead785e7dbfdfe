//! What a job has written, to be looked at and to be taken away again.

use serde::{Deserialize, Serialize};

/// The answer of `GET /jobs/{id}/written`: what of the destination is this job's alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Written {
    pub collections: Vec<WrittenCollection>,
    /// Documents that would be deleted.
    pub documents: u64,
}

/// A collection of a job that has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WrittenCollection {
    pub collection: String,
    /// Documents that it holds now, counted one by one.
    pub documents: u64,
    /// Why it stays; absent: it would be dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_because: Option<String>,
}

/// The body of `POST /jobs/{id}/written/delete`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteWritten {
    /// How many documents the user has agreed to lose. Where there are more or fewer by now, nothing is deleted.
    pub documents: u64,
}

/// The answer of `GET /jobs/{id}/collections/{name}`: a collection looked at more closely.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CollectionDetails {
    pub collection: String,
    pub documents: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_bytes: Option<u64>,
    /// The largest of the documents that were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_bytes: Option<u64>,
    /// How many were looked at: all, or some by chance.
    pub looked_at: u64,
    /// One of its documents, as extended JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub sample: Option<serde_json::Value>,
}
