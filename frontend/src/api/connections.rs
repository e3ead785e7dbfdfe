//! `/connections` and `/connectivity`

use super::client::{self, ApiError};
use godwit_shared::connection::{
    ConnectivityResult, JdbcConnectionDetails, MongodbConnectionDetails, SaveJdbcConnection, SaveMongodbConnection,
    SavedJdbcConnection, SavedMongodbConnection, SourceKind,
};
use godwit_shared::ids::ConnectionId;

/// The saved connections of both kinds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SavedConnections {
    pub jdbc: Vec<SavedJdbcConnection>,
    pub mongodb: Vec<SavedMongodbConnection>,
}

impl SavedConnections {
    /// Without the sources that a project of this kind cannot be read from; all where the kind is not known.
    pub fn for_project(mut self, kind: Option<&str>) -> Self {
        if let Some(kind) = kind.and_then(SourceKind::of) {
            self.jdbc
                .retain(|own| SourceKind::of(&own.kind).is_some_and(|own| kind.is_read_like(own)));
        }
        self
    }
}

pub async fn saved() -> Result<SavedConnections, ApiError> {
    let (jdbc, mongodb) =
        futures_util::try_join!(client::get("/connections/jdbc"), client::get("/connections/mongodb"))?;
    Ok(SavedConnections { jdbc, mongodb })
}

/// With the id of a saved connection it replaces that.
pub async fn save_jdbc(connection: &SaveJdbcConnection) -> Result<SavedJdbcConnection, ApiError> {
    client::post("/connections/jdbc", connection).await
}

/// With the id of a saved connection it replaces that.
pub async fn save_mongodb(connection: &SaveMongodbConnection) -> Result<SavedMongodbConnection, ApiError> {
    client::post("/connections/mongodb", connection).await
}

pub async fn delete_jdbc(id: &ConnectionId) -> Result<(), ApiError> {
    client::delete(&format!("/connections/jdbc/{id}")).await
}

pub async fn delete_mongodb(id: &ConnectionId) -> Result<(), ApiError> {
    client::delete(&format!("/connections/mongodb/{id}")).await
}

pub async fn test_jdbc(details: &JdbcConnectionDetails) -> Result<ConnectivityResult, ApiError> {
    client::post("/connectivity/jdbc", details).await
}

pub async fn test_mongodb(details: &MongodbConnectionDetails) -> Result<ConnectivityResult, ApiError> {
    client::post("/connectivity/mongodb", details).await
}
