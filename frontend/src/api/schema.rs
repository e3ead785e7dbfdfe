//! `/schema`

use super::client::{self, ApiError};
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::ddl::{DdlFile, DdlSchema};
use godwit_shared::ids::ProjectId;
use godwit_shared::proposal::{Proposal, ProposeForSchema};
use godwit_shared::schema::RelationalModel;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadSchema<'a> {
    jdbc_connection_details: &'a JdbcConnectionDetails,
}

/// A relational model, and the id under which a project can be made of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoredSchema {
    pub id: String,
    pub full: RelationalModel,
}

/// Reads the tables of a live connection.
pub async fn read(source: &JdbcConnectionDetails) -> Result<StoredSchema, ApiError> {
    let body = ReadSchema {
        jdbc_connection_details: source,
    };
    client::post("/schema/jdbc", &body).await
}

/// The relational model that a project was made of.
pub async fn of_project(project: &ProjectId) -> Result<StoredSchema, ApiError> {
    client::get(&format!("/schema/{project}")).await
}

/// The relational model that was read under this id.
pub async fn stored(id: &str) -> Result<StoredSchema, ApiError> {
    client::get(&format!("/schema/{id}")).await
}

/// The tables of DDL files, and the statements about them that cannot be read.
pub async fn read_ddl(file: &DdlFile) -> Result<DdlSchema, ApiError> {
    client::post("/schema/ddl", file).await
}

/// A document model for the tables of a schema, with reasons.
pub async fn propose(id: &str, request: &ProposeForSchema) -> Result<Proposal, ApiError> {
    client::post(&format!("/schema/{id}/proposal"), request).await
}
