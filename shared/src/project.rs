//! Projects as the API shows them.

use crate::connection::JdbcConnectionDetails;
use crate::ids::ProjectId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest name of a project, in characters.
pub const NAME_LENGTH_MAX: usize = 50;

/// The most bytes of a project file, as a request and as it is stored: a document of the store holds it, and one of each
/// job, beside what else is in them.
pub const FILE_BYTES_MAX: usize = 12 << 20;

/// A project in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProjectSummary {
    pub id: ProjectId,
    /// 1 to 50 characters, unique.
    pub name: String,
    /// `POSTGRESQL`, `SQL_SERVER`, ...: also kinds that this build cannot read yet.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mongodb_id: Option<String>,
    pub last_modified: DateTime<Utc>,
    /// Grows with every save; a save that names an older one is refused.
    #[serde(default)]
    pub revision: u64,
    /// It was imported and carries SQL or JavaScript that nobody has agreed to: nothing of it runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_consent: bool,
}

/// One project: the summary plus what its file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProjectDetails {
    #[serde(flatten)]
    pub summary: ProjectSummary,
    pub schemas_id: String,
    /// `project.content` of the project file.
    pub content: crate::mapping::Content,
    /// Without passwords.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub connection_details: Value,
}

/// The body of POST and PUT `/project`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SaveProject {
    /// PUT: must be that of the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ProjectId>,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// The schema read by `POST /schema/jdbc`, or that of the project itself.
    pub schemas_id: String,
    pub content: crate::mapping::Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mongodb_id: Option<String>,
    /// PUT: the revision that the change stands on. Where another one is stored, nothing is changed; absent: whatever is
    /// stored is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// PUT: the relational model with its synthetic keys and tables; absent: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<crate::schema::RelationalModel>,
}

/// The answer to a save that stands on an old revision: nothing was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevisionConflict {
    #[serde(flatten)]
    pub error: crate::error::ErrorResponse,
    /// As it is stored now.
    pub project: ProjectDetails,
    pub full: crate::schema::RelationalModel,
}

/// A collection of a project with what feeds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProjectCollection {
    pub id: crate::ids::CollectionId,
    pub name: String,
    /// `schema.table` of every rule, roots first.
    pub tables: Vec<String>,
}

/// The body of `POST /project/{id}/preview`; `GET` uses the project's saved connection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreviewRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    /// A collection's name; absent: the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Documents, 1 to 100; 3 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Documents assembled from live rows; nothing is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    pub collection: String,
    /// In MongoDB's relaxed extended JSON.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub documents: Vec<Value>,
    /// BSON size of each document, bytes.
    pub sizes: Vec<u64>,
    /// There would be more, but the answer has grown too large.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
    /// What would be reported of these rows.
    pub issues: Vec<crate::job::JobUpdate>,
}
