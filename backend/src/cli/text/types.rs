//! What stands in a text.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A project as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProjectText {
    /// The number of the form: 1.
    pub godwit: u32,
    pub project: Head,
    /// The tables that take part, with their filters. Absent: all of the schema, without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<Vec<TableText>>,
    #[serde(default)]
    pub collections: Vec<CollectionText>,
    /// What a .relmig file holds besides. Written by Godwit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<Change>,
    /// The relational model, as in a .relmig file. Absent: it is read from a live source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

/// What a project is called, and what holds for all of its rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Head {
    pub name: String,
    /// POSTGRESQL, MYSQL, MARIADB or SQLITE.
    #[serde(rename = "type")]
    pub kind: String,
    /// Ids of documents are made of it: give a new project one, and let it stay.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// How names are spelled that nobody has given: CAMEL_CASE, TITLE_CASE, KEBAB_CASE, SNAKE_CASE, UPPER_SNAKE_CASE or ORIGINAL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub casing: Option<String>,
    /// What becomes the `_id` of documents: GENERATED, SINGLE or WRAPPED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<String>,
    /// Fields say the type that their columns give anyway, as other tools write it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub types_are_written: bool,
    /// What other tools write of every field besides (`conversionStrategy`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<String>,
}

/// A table that takes part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TableText {
    /// `schema.table`, or `database.schema.table`.
    pub table: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What follows WHERE, in the SQL of the source.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// At most so many rows, in snapshot jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// A collection of the destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CollectionText {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Makes it a time series: `timeField`, `metaField`, `granularity`, `expireAfterSeconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_series: Option<Value>,
    /// The rules whose rows are documents of it.
    #[serde(default)]
    pub rules: Vec<RuleText>,
}

/// What the rows of a rule become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    /// Documents of their own. Only, and always, right below a collection.
    #[default]
    Documents,
    /// One document in that of the rule above.
    Document,
    /// An array in the document of the rule above.
    Array,
}

impl Shape {
    fn is_documents(&self) -> bool {
        *self == Shape::Documents
    }
}

/// A table at one place of the documents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleText {
    /// `schema.table`, or `database.schema.table`.
    pub table: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(rename = "as", default, skip_serializing_if = "Shape::is_documents")]
    pub shape: Shape,
    /// The field below the rule above; empty: its fields join those of the document above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The foreign key that joins it to the rule above. Absent: the only one between the two tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// An array of the values of the one field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primitive: Option<bool>,
    /// JavaScript over `columns`: rows for which it is not true are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The column by which an array is sorted, with `-` in front for the greatest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// At most so many elements of an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// With a limit of 1: the one element itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_document: Option<bool>,
    /// What becomes the `_id`, where it is not as for the project: GENERATED, SINGLE or WRAPPED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// By column. Absent: all columns, under names in the casing of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<IndexMap<String, FieldText>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calculated: Vec<CalculatedText>,
    /// The rules below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleText>,
}

/// What becomes of a column: the name of its field; `false` to leave it out, `true` to take it as it would be; or more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FieldText {
    Is(bool),
    Name(String),
    Full(FullField),
}

/// A field about which there is more to say than its name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FullField {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub included: Option<bool>,
    /// Leave the field out where the column is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omit_null: Option<bool>,
    /// BOOL, DATE, DECIMAL, DOUBLE, INTEGER, LONG, STRING, OBJECT_ID, BIN_DATA, ARRAY, OBJECT or DEFAULT.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The type of the column, where it is not that of the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_type: Option<String>,
}

/// A field that an expression gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CalculatedText {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// JavaScript over `columns`.
    pub expression: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub omit_null: bool,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// One change to what the rest of the text gives, at a JSON pointer into the .relmig file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Change {
    pub at: String,
    /// The value there; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wrapped")]
    #[schemars(with = "Option<Value>")]
    pub to: Option<Value>,
}

/// `to: null` is a value, and none is no value.
mod wrapped {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}
