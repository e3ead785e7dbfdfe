//! `/connections` and `/connectivity`

use super::client::{self, ApiError};
use godwit_shared::connection::{
    ConnectivityResult, JdbcConnectionDetails, MongodbConnectionDetails, SavedJdbcConnection, SavedMongodbConnection,
};

/// The saved connections of both kinds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SavedConnections {
    pub jdbc: Vec<SavedJdbcConnection>,
    pub mongodb: Vec<SavedMongodbConnection>,
}

pub async fn saved() -> Result<SavedConnections, ApiError> {
    let (jdbc, mongodb) =
        futures_util::try_join!(client::get("/connections/jdbc"), client::get("/connections/mongodb"))?;
    Ok(SavedConnections { jdbc, mongodb })
}

pub async fn test_jdbc(details: &JdbcConnectionDetails) -> Result<ConnectivityResult, ApiError> {
    client::post("/connectivity/jdbc", details).await
}

pub async fn test_mongodb(details: &MongodbConnectionDetails) -> Result<ConnectivityResult, ApiError> {
    client::post("/connectivity/mongodb", details).await
}
