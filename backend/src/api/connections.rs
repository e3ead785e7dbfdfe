//! Saved connections, and tests of connections.

use super::error::ApiError;
use super::extract::{Body, check_id};
use super::router::AppState;
use crate::source::source_of;
use crate::store::{StoredJdbc, StoredMongodb, new_id};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use godwit_shared::connection::{
    CONNECTION_NAME_LENGTH_MAX, ConnectivityResult, EnvironmentTag, JdbcConnectionDetails, MongodbConnectionDetails,
    SaveJdbcConnection, SaveMongodbConnection, SavedJdbcConnection, SavedMongodbConnection,
};
use godwit_shared::error::ErrorResponse;
use godwit_shared::ids::ConnectionId;
use godwit_shared::relmig::with_masked_password;
use std::time::Duration;

/// A port at which something else listens, or nothing that speaks, is told after so long.
const FIRST_WORD_MAX: Duration = Duration::from_secs(2);

/// Connection details with what a saved connection adds to them.
pub mod resolve {
    use super::{ApiError, JdbcConnectionDetails, MongodbConnectionDetails};
    use crate::store::AskedStore;

    /// What the request gives wins over the saved connection.
    ///
    /// # Errors
    /// When there is no such connection, or the store fails.
    pub async fn jdbc(store: &AskedStore, details: &mut JdbcConnectionDetails) -> Result<(), ApiError> {
        let Some(id) = details.existing_connection_id.clone() else {
            return Ok(());
        };
        let saved = store
            .jdbc_connection(&id)
            .await?
            .ok_or_else(|| ApiError::not_found("connection", &id))?;
        // A masked URL is what the page was shown: the saved one is meant. What is saved for one address is never sent
        // to another.
        let is_saved_address = details.url.is_empty() || details.url.contains("***") || details.url == saved.url;
        if !is_saved_address {
            return Ok(());
        }
        // The kind is that of the address.
        if details.url != saved.url {
            details.kind.clear();
        }
        details.url = saved.url;
        let is_given = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
        if details.kind.is_empty() {
            details.kind = saved.kind;
        }
        if !is_given(&details.user) {
            details.user = saved.user;
        }
        if !is_given(&details.password) {
            details.password = saved.password;
        }
        if !is_given(&details.ssl_root_cert_content) {
            details.ssl_root_cert_content = saved.ssl_root_cert_content;
        }
        Ok(())
    }

    /// As [`jdbc`].
    ///
    /// # Errors
    /// As [`jdbc`].
    pub async fn mongodb(store: &AskedStore, details: &mut MongodbConnectionDetails) -> Result<(), ApiError> {
        let Some(id) = details.existing_connection_id.clone() else {
            return Ok(());
        };
        let saved = store
            .mongodb_connection(&id)
            .await?
            .ok_or_else(|| ApiError::not_found("connection", &id))?;
        let is_saved_address = details.connection_string.is_empty()
            || details.connection_string.contains("***")
            || details.connection_string == saved.connection_string;
        if !is_saved_address {
            return Ok(());
        }
        details.connection_string = saved.connection_string;
        let given = |text: Option<String>| text.filter(|t| !t.is_empty());
        details.database = given(details.database.take()).or(saved.database);
        details.password = match (given(details.password.take()), given(details.user.clone())) {
            (Some(password), _) => Some(password),
            // The saved password is that of the saved user.
            (None, Some(user)) if saved.user.as_ref() != Some(&user) => None,
            (None, _) => saved.password,
        };
        details.user = given(details.user.take()).or(saved.user);
        details.tls_ca_content = given(details.tls_ca_content.take()).or(saved.tls_ca_content);
        details.tls_certificate_key_content =
            given(details.tls_certificate_key_content.take()).or(saved.tls_certificate_key_content);
        Ok(())
    }
}

fn shown_jdbc(c: StoredJdbc) -> SavedJdbcConnection {
    SavedJdbcConnection {
        id: c.id.unwrap_or_else(|| ConnectionId::new("")),
        name: c.name,
        kind: c.kind,
        url: with_masked_password(&c.url),
        user: c.user,
        environment_tag: c.environment_tag,
        has_password: c.password.is_some(),
        has_ssl_root_cert: c.ssl_root_cert_content.is_some(),
    }
}

fn shown_mongodb(c: StoredMongodb) -> SavedMongodbConnection {
    SavedMongodbConnection {
        id: c.id.unwrap_or_else(|| ConnectionId::new("")),
        name: c.name,
        connection_string: with_masked_password(&c.connection_string),
        database: c.database,
        user: c.user,
        environment_tag: c.environment_tag,
        has_password: c.password.is_some(),
        has_tls_ca: c.tls_ca_content.is_some(),
        has_tls_certificate_key: c.tls_certificate_key_content.is_some(),
    }
}

/// What is given, else what was there before; an empty text is none.
fn kept(given: Option<String>, before: Option<String>) -> Option<String> {
    given.or(before).filter(|text| !text.trim().is_empty())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    match name.trim().chars().count() {
        0 => Err(ApiError::invalid("the field `name` is blank")),
        n if n > CONNECTION_NAME_LENGTH_MAX => Err(ApiError::invalid(format!(
            "the field `name` has {n} characters, more than {CONNECTION_NAME_LENGTH_MAX}"
        ))),
        _ => Ok(()),
    }
}

/// Lists saved relational connections.
#[utoipa::path(get, path = "/connections/jdbc", tag = "connections", responses((status = 200, body = Vec<SavedJdbcConnection>)))]
pub async fn list_jdbc(State(state): State<AppState>) -> Result<Json<Vec<SavedJdbcConnection>>, ApiError> {
    let mut all: Vec<_> = state
        .store
        .jdbc_connections()
        .await?
        .into_iter()
        .map(shown_jdbc)
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(all))
}

/// Saves a relational connection; with the id of a saved one it replaces that.
#[utoipa::path(post, path = "/connections/jdbc", tag = "connections", request_body = SaveJdbcConnection, responses(
    (status = 200, body = SavedJdbcConnection), (status = 400, body = ErrorResponse)))]
pub async fn save_jdbc(
    State(state): State<AppState>,
    Body(mut connection): Body<SaveJdbcConnection>,
) -> Result<Json<SavedJdbcConnection>, ApiError> {
    check_name(&connection.name)?;
    let id = connection.id.clone().unwrap_or_else(|| ConnectionId::new(new_id()));
    if let Some(before) = state.store.jdbc_connection(&id).await? {
        // Left as it was shown: the saved one is meant. A password stays with its address.
        if connection.url == with_masked_password(&before.url) {
            connection.url = before.url;
            connection.password = connection.password.or(before.password);
        }
        connection.ssl_root_cert_content = kept(connection.ssl_root_cert_content, before.ssl_root_cert_content);
    }
    connection.ssl_root_cert_content = kept(connection.ssl_root_cert_content, None);
    // Wrong now would be wrong in every job.
    let details = JdbcConnectionDetails {
        kind: connection.kind.clone(),
        url: connection.url.clone(),
        user: connection.user.clone().or_else(|| Some("user".into())),
        ssl_root_cert_content: connection.ssl_root_cert_content.clone(),
        ..JdbcConnectionDetails::default()
    };
    source_of(&details, None)?;
    if !connection.save_password {
        connection.password = None;
    }
    connection.id = Some(id.clone());
    state.store.save_jdbc(&id, &connection).await?;
    state.hub.connections_changed();
    Ok(Json(shown_jdbc(connection)))
}

/// One saved relational connection.
#[utoipa::path(get, path = "/connections/jdbc/{id}", tag = "connections", params(("id" = String, Path)), responses(
    (status = 200, body = SavedJdbcConnection), (status = 404, body = ErrorResponse)))]
pub async fn get_jdbc(
    State(state): State<AppState>,
    Path(id): Path<ConnectionId>,
) -> Result<Json<SavedJdbcConnection>, ApiError> {
    check_id("connection", id.as_str())?;
    let found = state
        .store
        .jdbc_connection(&id)
        .await?
        .ok_or_else(|| ApiError::not_found("connection", &id))?;
    Ok(Json(shown_jdbc(found)))
}

async fn delete(state: &AppState, kind: &str, id: &ConnectionId) -> Result<StatusCode, ApiError> {
    check_id("connection", id.as_str())?;
    if state.store.delete_connection(kind, id).await? {
        state.hub.connections_changed();
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("connection", id))
    }
}

/// Deletes a saved relational connection.
#[utoipa::path(delete, path = "/connections/jdbc/{id}", tag = "connections", params(("id" = String, Path)), responses(
    (status = 204), (status = 404, body = ErrorResponse)))]
pub async fn delete_jdbc(State(state): State<AppState>, Path(id): Path<ConnectionId>) -> Result<StatusCode, ApiError> {
    delete(&state, "jdbc", &id).await
}

/// Lists saved MongoDB connections.
#[utoipa::path(get, path = "/connections/mongodb", tag = "connections", responses((status = 200, body = Vec<SavedMongodbConnection>)))]
pub async fn list_mongodb(State(state): State<AppState>) -> Result<Json<Vec<SavedMongodbConnection>>, ApiError> {
    let mut all: Vec<_> = state
        .store
        .mongodb_connections()
        .await?
        .into_iter()
        .map(shown_mongodb)
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(all))
}

/// Saves a MongoDB connection; with the id of a saved one it replaces that.
#[utoipa::path(post, path = "/connections/mongodb", tag = "connections", request_body = SaveMongodbConnection, responses(
    (status = 200, body = SavedMongodbConnection), (status = 400, body = ErrorResponse)))]
pub async fn save_mongodb(
    State(state): State<AppState>,
    Body(mut connection): Body<SaveMongodbConnection>,
) -> Result<Json<SavedMongodbConnection>, ApiError> {
    check_name(&connection.name)?;
    let id = connection.id.clone().unwrap_or_else(|| ConnectionId::new(new_id()));
    if let Some(before) = state.store.mongodb_connection(&id).await? {
        // Left as it was shown: the saved one is meant. A password stays with its address and its user.
        if connection.connection_string == with_masked_password(&before.connection_string) {
            connection.connection_string = before.connection_string;
            if connection.user == before.user {
                connection.password = connection.password.or(before.password);
            }
            // The key is no more sent to another address than a password is.
            let key = &mut connection.tls_certificate_key_content;
            *key = kept(key.take(), before.tls_certificate_key_content);
        }
        connection.tls_ca_content = kept(connection.tls_ca_content, before.tls_ca_content);
    }
    connection.tls_ca_content = kept(connection.tls_ca_content, None);
    connection.tls_certificate_key_content = kept(connection.tls_certificate_key_content, None);
    let details = MongodbConnectionDetails {
        connection_string: connection.connection_string.clone(),
        database: connection.database.clone(),
        tls_ca_content: connection.tls_ca_content.clone(),
        tls_certificate_key_content: connection.tls_certificate_key_content.clone(),
        ..Default::default()
    };
    match crate::sink::Sink::open(&details).await {
        // The database may also be given when a job starts.
        Ok(_) | Err(crate::sink::SinkError::DatabaseMissing) => {}
        Err(error) => return Err(error.into()),
    }
    if !connection.save_password {
        connection.password = None;
    }
    connection.id = Some(id.clone());
    state.store.save_mongodb(&id, &connection).await?;
    state.hub.connections_changed();
    Ok(Json(shown_mongodb(connection)))
}

/// One saved MongoDB connection.
#[utoipa::path(get, path = "/connections/mongodb/{id}", tag = "connections", params(("id" = String, Path)), responses(
    (status = 200, body = SavedMongodbConnection), (status = 404, body = ErrorResponse)))]
pub async fn get_mongodb(
    State(state): State<AppState>,
    Path(id): Path<ConnectionId>,
) -> Result<Json<SavedMongodbConnection>, ApiError> {
    check_id("connection", id.as_str())?;
    let found = state
        .store
        .mongodb_connection(&id)
        .await?
        .ok_or_else(|| ApiError::not_found("connection", &id))?;
    Ok(Json(shown_mongodb(found)))
}

/// Deletes a saved MongoDB connection.
#[utoipa::path(delete, path = "/connections/mongodb/{id}", tag = "connections", params(("id" = String, Path)), responses(
    (status = 204), (status = 404, body = ErrorResponse)))]
pub async fn delete_mongodb(
    State(state): State<AppState>,
    Path(id): Path<ConnectionId>,
) -> Result<StatusCode, ApiError> {
    delete(&state, "mongodb", &id).await
}

/// The tags that a connection may have.
#[utoipa::path(get, path = "/connectivity/environment", tag = "connections", responses((status = 200, body = Vec<EnvironmentTag>)))]
pub async fn environment() -> Json<Vec<EnvironmentTag>> {
    use EnvironmentTag as E;
    Json(vec![E::Demo, E::Qa, E::Staging, E::Development, E::Production, E::None])
}

/// Tests a relational connection.
#[utoipa::path(post, path = "/connectivity/jdbc", tag = "connections", request_body = JdbcConnectionDetails, responses(
    (status = 200, body = ConnectivityResult), (status = 400, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn test_jdbc(
    State(state): State<AppState>,
    Body(mut details): Body<JdbcConnectionDetails>,
) -> Result<Json<ConnectivityResult>, ApiError> {
    resolve::jdbc(&state.store, &mut details).await?;
    let source = source_of(&details, None)?;
    source.answers(FIRST_WORD_MAX).await?;
    Ok(Json(source.test().await?))
}

/// Tests a MongoDB connection.
#[utoipa::path(post, path = "/connectivity/mongodb", tag = "connections", request_body = MongodbConnectionDetails, responses(
    (status = 200, body = ConnectivityResult), (status = 400, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn test_mongodb(
    State(state): State<AppState>,
    Body(mut details): Body<MongodbConnectionDetails>,
) -> Result<Json<ConnectivityResult>, ApiError> {
    resolve::mongodb(&state.store, &mut details).await?;
    Ok(Json(crate::sink::check_connection(&details).await?))
}
