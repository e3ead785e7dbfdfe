//! `/schema`

use super::client::{self, ApiError};
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::ids::ProjectId;
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
