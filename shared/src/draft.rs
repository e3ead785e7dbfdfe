//! What the server answers for drafts: nothing of it is stored.

use crate::connection::JdbcConnectionDetails;
use crate::edit::Fault;
use crate::edit::schema::SchemaChange;
use crate::ids::{CollectionId, MappingId, TableId};
use crate::job::{JobUpdate, TableFilter};
use crate::mapping::Content;
use crate::schema::{ForeignKey, RelationalModel};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A draft as a request carries it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DraftBody {
    pub content: Content,
    /// The relational model where it differs from the stored one: synthetic keys, other tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<RelationalModel>,
}

/// The body of `POST /project/{id}/draft/check`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckDraft {
    pub draft: DraftBody,
    /// Absent: the saved connection of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    /// Run the expressions of this rule alone; absent: those of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<MappingId>,
}

/// What is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DraftCheck {
    pub faults: Vec<Fault>,
    /// Checked against the source; otherwise against the schema that the project has.
    pub is_live: bool,
    /// Why it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_problem: Option<String>,
    /// How many expressions were run on rows.
    pub expressions_run: usize,
    /// Texts of the project that nobody has agreed to were left out.
    pub consent_needed: bool,
}

/// The body of `POST /project/{id}/draft/preview`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreviewDraft {
    pub draft: DraftBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    pub collection: CollectionId,
    /// Absent: the first 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick: Option<Pick>,
}

/// Which documents of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Pick {
    /// The first, 1 to 100.
    First { limit: u32 },
    /// Of the row with this primary key: column to value, as the source prints it.
    Key { key: IndexMap<String, String> },
    /// Of rows with a value that holds the text, in any letters, 1 to 100.
    Search { text: String, limit: u32 },
}

/// Documents of a draft from live rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DraftPreview {
    pub collection: CollectionId,
    pub documents: Vec<PreviewedDocument>,
    /// BSON size of the largest document, bytes.
    pub largest: u64,
    /// BSON size on average, bytes.
    pub average: u64,
    /// There would be more, but the answer has grown too large.
    pub is_cut: bool,
    /// What would be reported of these rows.
    pub issues: Vec<JobUpdate>,
    /// Why there are no documents.
    pub faults: Vec<Fault>,
}

/// One document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreviewedDocument {
    /// In MongoDB's relaxed extended JSON.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub document: Value,
    /// BSON size, bytes.
    pub size: u64,
    /// Of every path that holds arrays, the elements of the largest one.
    pub arrays: IndexMap<String, u64>,
}

/// The body of `POST /project/{id}/draft/key`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckKey {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    /// The table that refers.
    pub table: TableId,
    pub key: ForeignKey,
}

/// How the rows of a table match a key that somebody wants to draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct KeyMatch {
    /// Rows of the table that refers.
    pub rows: u64,
    /// Those with a null in the key: they refer to nothing.
    pub nulls: u64,
    /// Those that find at least one row.
    pub matching: u64,
    /// Those that find none.
    pub unmatched: u64,
    /// The most rows that refer to the same values.
    pub most_for_one: u64,
    /// Each value that is referred to stands in one row alone.
    pub is_target_unique: bool,
    /// An index of the table finds the rows that refer to given values.
    pub is_indexed: bool,
    /// How the source compares the columns.
    pub compared_as: Vec<String>,
    /// A few values that find nothing, as the source prints them.
    pub examples: Vec<Vec<String>>,
}

/// The body of `POST /project/{id}/draft/filter`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    pub table: TableId,
    pub filter: TableFilter,
}

/// How many rows a table filter lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FilterCount {
    /// Absent where the filter is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Rows of the table.
    pub total: u64,
    /// Why it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Why a continuous job could not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_snapshot: Option<String>,
}

/// The body of `POST /project/{id}/draft/refresh`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefreshDraft {
    pub draft: DraftBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
}

/// The schema of the source as it is now, and what it would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SchemaDifference {
    pub full: RelationalModel,
    pub changes: Vec<SchemaChange>,
}
