//! The relational model as it stands in a project file (`schema.full`) and in answers of `/schema`.
//!
//! Maps keep the order of the file; members that this version does not know are kept in `extra`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A table by schema and name, exactly as the catalog spells them. The database is not part of it: a project may be
/// used with a connection whose database has another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableName {
    pub schema: String,
    pub table: String,
}

impl TableName {
    pub fn new(schema: impl Into<String>, table: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            table: table.into(),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// Everything below `schema.full`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationalModel {
    pub databases: IndexMap<String, Database>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    #[serde(default)]
    pub database_type: String,
    #[serde(default)]
    pub database_version: String,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Database {
    #[serde(default)]
    pub schemas: IndexMap<String, SchemaObjects>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// Tables of one schema; views, routines, triggers and packages are kept as they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SchemaObjects {
    #[serde(default)]
    pub tables: IndexMap<String, Table>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// `TABLE`.
    #[serde(rename = "type", default = "table_type")]
    pub kind: String,
    /// Bytes on disk; -1 where it is not known.
    #[serde(default = "unknown_size")]
    pub size: i64,
    #[serde(default)]
    pub columns: IndexMap<String, Column>,
    /// Index name to its columns in order.
    #[serde(default)]
    pub unique_indexes: IndexMap<String, Value>,
    #[serde(default)]
    pub non_unique_indexes: IndexMap<String, Value>,
    #[serde(default)]
    pub foreign_keys: IndexMap<String, ForeignKey>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

fn table_type() -> String {
    "TABLE".into()
}

fn unknown_size() -> i64 {
    -1
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Column {
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// From 1, as the catalog counts.
    #[serde(default)]
    pub ordinal_position: u32,
    #[serde(default)]
    pub nullable: bool,
    #[serde(default)]
    pub auto_incremented: bool,
    #[serde(default)]
    pub generated: bool,
    #[serde(default)]
    pub hidden: bool,
    #[serde(default)]
    pub indexed: bool,
    #[serde(default)]
    pub unique_indexed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<PrimaryKeyMember>,
    /// Only in files of the older generation; an import moves it to the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_key: Option<ColumnForeignKey>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ColumnType {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_mongo_field_type: Option<String>,
    /// As the source spells it.
    #[serde(default)]
    pub database_specific_type: String,
    #[serde(default)]
    pub precision: i64,
    #[serde(default)]
    pub scale: i64,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// The columns of one primary key share its name; their order is that of `position`, else of the columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrimaryKeyMember {
    #[serde(default)]
    pub name: String,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// A foreign key as older files have it, on the column; the columns of a composite key share its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ColumnForeignKey {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub schema: String,
    #[serde(default)]
    pub table: String,
    #[serde(default)]
    pub column: String,
    #[serde(default)]
    pub cardinality: Cardinality,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<bool>,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

/// A foreign key of its table. `source` columns are those of the table that holds the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ForeignKey {
    pub target_table: TablePath,
    #[serde(default)]
    pub cardinality: Cardinality,
    pub column_mappings: Vec<ColumnPair>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub synthetic: bool,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub extra: Map<String, Value>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Where a table lies inside a project file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TablePath {
    #[serde(default)]
    pub database: String,
    pub schema: String,
    pub table: String,
}

impl TablePath {
    /// The table without its database.
    pub fn name(&self) -> TableName {
        TableName::new(&self.schema, &self.table)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ColumnPair {
    pub source: String,
    pub target: String,
}

/// How many rows of the key's table may refer to one row of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cardinality {
    Unknown,
    ZeroToOne,
    OneToOne,
    #[default]
    ZeroToMany,
}

impl Cardinality {
    /// Whether at most one row refers to a target row.
    pub fn is_one(self) -> bool {
        matches!(self, Cardinality::ZeroToOne | Cardinality::OneToOne)
    }
}

impl RelationalModel {
    /// All tables with their database, in the order of the file.
    pub fn tables(&self) -> impl Iterator<Item = (TablePath, &Table)> {
        self.databases.iter().flat_map(|(database, d)| {
            d.schemas.iter().flat_map(move |(schema, s)| {
                s.tables.iter().map(move |(table, t)| {
                    (
                        TablePath {
                            database: database.clone(),
                            schema: schema.clone(),
                            table: table.clone(),
                        },
                        t,
                    )
                })
            })
        })
    }

    /// Leaves out all other tables. Keys that refer to one of those stay.
    pub fn retain_tables(&mut self, keep: impl Fn(&TableName) -> bool) {
        for database in self.databases.values_mut() {
            for (schema, objects) in &mut database.schemas {
                objects.tables.retain(|table, _| keep(&TableName::new(schema, table)));
            }
        }
    }

    /// The table of this name in whichever database of the file has it.
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.databases
            .values()
            .find_map(|d| d.schemas.get(&name.schema)?.tables.get(&name.table))
    }
}
