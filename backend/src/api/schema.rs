//! The relational model of a live connection.

use super::bounds::{in_time, read_file};
use super::connections::resolve;
use super::error::ApiError;
use super::extract::{Body, check_id};
use super::router::AppState;
use crate::jobs::prepare::PATIENCE;
use crate::source::{ddl, model, source_of};
use crate::store::new_id;
use axum::Json;
use axum::extract::{Path, State};
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::ddl::{DDL_BYTES_MAX, DdlFile, DdlSchema, joined, place_of};
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::ProjectId;
use godwit_shared::schema::RelationalModel;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadSchema {
    jdbc_connection_details: JdbcConnectionDetails,
}

/// A relational model and the id under which a project can be made of it.
#[derive(Serialize, ToSchema)]
pub struct StoredSchema {
    id: String,
    full: RelationalModel,
}

/// Reads the relational model of a live connection.
#[utoipa::path(post, path = "/schema/jdbc", tag = "schema", request_body = ReadSchema, responses(
    (status = 200, body = StoredSchema), (status = 400, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn read(
    State(state): State<AppState>,
    Body(mut request): Body<ReadSchema>,
) -> Result<Json<StoredSchema>, ApiError> {
    resolve::jdbc(&state.store, &mut request.jdbc_connection_details).await?;
    let source = source_of(&request.jdbc_connection_details, Some(PATIENCE))?;
    let read = async { source.session().await?.read_catalog().await };
    let catalog = in_time("reading the schema", Box::pin(read)).await?;
    let full = model::model_of(source.kind(), &catalog);
    if full.tables().next().is_none() {
        return Err(ApiError::invalid("the database holds no table that this user can see")
            .with_hint(Some("Check the database's name and the user's rights on its schemas.")));
    }
    let id = new_id();
    state.store.save_schema(&id, &full).await?;
    Ok(Json(StoredSchema { id, full }))
}

/// A relational model by its id, or that of a project.
#[utoipa::path(get, path = "/schema/{id}", tag = "schema", params(("id" = String, Path)), responses(
    (status = 200, body = StoredSchema), (status = 404, body = ErrorResponse)))]
pub async fn get(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<StoredSchema>, ApiError> {
    check_id("schema", &id)?;
    if let Some(full) = state.store.schema(&id).await? {
        return Ok(Json(StoredSchema { id, full }));
    }
    let project = state
        .store
        .project(&ProjectId::new(&id))
        .await?
        .ok_or_else(|| ApiError::not_found("schema", &id))?;
    Ok(Json(StoredSchema {
        id,
        full: project.file.schema.full,
    }))
}

/// Reads the relational model out of DDL files of PostgreSQL, MySQL, SQL Server or Oracle. Statements about anything but
/// tables, keys and indexes are passed over; those about them that cannot be read are told with their lines, and the
/// others are read all the same.
#[utoipa::path(post, path = "/schema/ddl", tag = "schema", request_body = DdlFile, responses(
    (status = 200, body = DdlSchema), (status = 400, body = ErrorResponse), (status = 413, body = ErrorResponse), (status = 422, body = ErrorResponse)))]
pub async fn read_ddl(State(state): State<AppState>, Body(file): Body<DdlFile>) -> Result<Json<DdlSchema>, ApiError> {
    if file.bytes() > DDL_BYTES_MAX {
        let mib = DDL_BYTES_MAX >> 20;
        return Err(ApiError::new(
            ErrorCode::PayloadTooLarge,
            format!("the files have more than {mib} MiB altogether"),
        )
        .with_hint(Some("Export the structure of the tables without their rows.")));
    }
    let read = read_file(move || {
        let database = file.database;
        let (text, starts) = joined(file);
        let mut read = ddl::read(&text, database);
        for skipped in &mut read.skipped {
            (skipped.file, skipped.line) = place_of(skipped.line, &starts);
        }
        Ok(read)
    })
    .await?;
    if read.model.tables().next().is_none() {
        let error = match read.skipped.first() {
            Some(first) => format!("{}, \"{}\": {}", first.place(), first.statement, first.reason),
            None => "the file has no statement CREATE TABLE".to_owned(),
        };
        return Err(ApiError::new(ErrorCode::InvalidDdl, error).with_hint(Some(
            "Export the structure of the tables as SQL, and choose the database that it is of.",
        )));
    }
    let id = new_id();
    state.store.save_schema(&id, &read.model).await?;
    let (full, skipped) = (read.model, read.skipped);
    Ok(Json(DdlSchema { id, full, skipped }))
}
