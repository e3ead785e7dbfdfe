//! Schemas from DDL files.

use crate::schema::RelationalModel;
use serde::{Deserialize, Serialize};

/// Whose DDL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DdlDatabase {
    Postgresql,
    Mysql,
    SqlServer,
    Oracle,
}

impl DdlDatabase {
    /// As a project's type says it.
    pub fn project_kind(self) -> &'static str {
        match self {
            DdlDatabase::Postgresql => "POSTGRESQL",
            DdlDatabase::Mysql => "MYSQL",
            DdlDatabase::SqlServer => "SQL_SERVER",
            DdlDatabase::Oracle => "ORACLE",
        }
    }
}

/// The body of `POST /schema/ddl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DdlFile {
    pub database: DdlDatabase,
    pub text: String,
}

/// A statement about tables that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SkippedStatement {
    /// From 1.
    pub line: u64,
    /// Its beginning.
    pub statement: String,
    pub reason: String,
}

/// What a DDL file came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DdlSchema {
    /// A project can be made of it under this id.
    pub id: String,
    pub full: RelationalModel,
    pub skipped: Vec<SkippedStatement>,
}
