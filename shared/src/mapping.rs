//! Mapping rules as they stand in a project file (`project.content`).

use crate::casing::Casing;
use crate::ids::{CollectionId, MappingId, TableId};
use crate::schema::TablePath;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Everything below `project.content`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Content {
    #[serde(default)]
    pub settings: ProjectSettings,
    #[serde(default)]
    pub collections: IndexMap<CollectionId, Collection>,
    #[serde(default)]
    pub mappings: IndexMap<MappingId, Mapping>,
    #[serde(default)]
    pub relationships: Relationships,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub diagrams: Option<Value>,
    /// The tables by id. Files of the older generation have none: an import makes them.
    #[serde(default)]
    pub tables: IndexMap<TableId, TableEntry>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProjectSettings {
    #[serde(default)]
    pub casing: Casing,
    #[serde(default)]
    pub key_handling: KeyHandling,
    /// Fields of new rules leave nulls out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub omit_nulls: bool,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// How the `_id` of a document comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyHandling {
    /// An ObjectId, the same for the same row in every run of the project.
    #[default]
    Generated,
    /// The primary key's value; a composite key as `Wrapped`, a table without one as `Generated`.
    Single,
    /// A document of the primary key's fields in key order.
    Wrapped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Collection {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: CollectionType,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CollectionType {
    #[default]
    Regular,
    TimeSeries,
}

/// Which rules belong to which table and collection, and which rules lie below which.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relationships {
    #[serde(default)]
    pub tables: IndexMap<String, MappingList>,
    #[serde(default)]
    pub collections: IndexMap<CollectionId, MappingList>,
    #[serde(default)]
    pub mappings: IndexMap<MappingId, Children>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MappingList {
    #[serde(default)]
    pub mappings: Vec<MappingId>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Children {
    #[serde(default)]
    pub children: Vec<MappingId>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableEntry {
    pub path: TablePath,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// One mapping rule: a table at one place of one collection's documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Mapping {
    pub settings: RuleSettings,
    /// By column name, in the order of the file; the documents follow the order of the columns.
    #[serde(default)]
    pub fields: IndexMap<String, Field>,
    #[serde(default)]
    pub calculated_fields: IndexMap<String, CalculatedField>,
    pub collection_id: CollectionId,
    /// A table id; in older files the path `database.schema.table`, which an import replaces.
    pub table: String,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// *Migrate table as*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleType {
    NewDocument,
    EmbeddedDocument,
    EmbeddedDocumentArray,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RuleSettings {
    #[serde(rename = "type")]
    pub kind: RuleType,
    /// The field below the parent rule's own place; empty: merge into the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded_path: Option<String>,
    /// Which foreign key joins the rule to its parent; absent: the only one between the two tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_key_name: Option<String>,
    /// An array of the one included field's values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primitive: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_filter: Option<RuleFilter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array_conditions: Option<ArrayConditions>,
    /// On a *New documents* rule: overrides the project's strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_handling: Option<KeyHandling>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleFilter {
    /// JavaScript; `true` includes the row.
    pub expression: String,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ArrayConditions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<ArraySort>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// With limit 1: the one element as a document instead of an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_document: Option<bool>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArraySort {
    /// A column of the rule's table.
    pub field: String,
    #[serde(default)]
    pub order: SortOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SortOrder {
    #[default]
    Asc,
    Desc,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Field {
    pub target: FieldTarget,
    pub source: FieldSource,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FieldTarget {
    /// A dot nests.
    pub name: String,
    #[serde(default = "yes")]
    pub included: bool,
    /// Leave the field out where the column is null.
    #[serde(default)]
    pub is_null_excluded: bool,
    #[serde(rename = "type", default)]
    pub kind: FieldType,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FieldSource {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub database_specific_type: String,
    #[serde(default)]
    pub is_primary_key: bool,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CalculatedField {
    pub name: String,
    /// JavaScript over `columns`.
    pub expression: String,
    #[serde(default)]
    pub is_null_excluded: bool,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FieldType>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// The BSON type that a field asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FieldType {
    Bool,
    Date,
    Decimal,
    Double,
    Integer,
    Long,
    String,
    ObjectId,
    BinData,
    Array,
    Object,
    /// What the column's own type gives.
    #[default]
    Default,
}
