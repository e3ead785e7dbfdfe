//! Whether a project's source is ready for a mode, and the script of what it lacks.

use super::bounds::in_time;
use super::consent::check_consent;
use super::error::ApiError;
use super::extract::{Body, Params};
use super::projects::{connection_of, file_stem, find};
use super::router::AppState;
use crate::jobs::prepare::preflight_report;
use crate::source::script::script as script_of;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use godwit_shared::error::ErrorResponse;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::{MigrationMode, PostMigrationJobRequest};
use godwit_shared::preflight::{PreflightReport, PreflightRequest};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ModeQuery {
    /// `SNAPSHOT`, `CDC` or `CDC_ONLY`.
    mode: Option<String>,
}

impl ModeQuery {
    fn mode(&self) -> Result<MigrationMode, ApiError> {
        let text = self.mode.as_deref().unwrap_or_default();
        serde_json::from_value(text.into()).map_err(|_| {
            ApiError::invalid(format!(
                "the parameter `mode` is \"{text}\"; it may be SNAPSHOT, CDC or CDC_ONLY"
            ))
        })
    }
}

/// Checks the project's saved connection.
#[utoipa::path(get, path = "/project/{id}/preflight", tag = "projects", params(("id" = String, Path), ModeQuery), responses(
    (status = 200, body = PreflightReport), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse),
    (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn check(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ModeQuery>,
) -> Result<Json<PreflightReport>, ApiError> {
    let (report, _) = Box::pin(report(&state, &id, &query, PreflightRequest::default())).await?;
    Ok(Json(report))
}

/// Checks a given connection.
#[utoipa::path(post, path = "/project/{id}/preflight", tag = "projects", params(("id" = String, Path), ModeQuery),
    request_body = PreflightRequest, responses(
    (status = 200, body = PreflightReport), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse),
    (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn check_with(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ModeQuery>,
    Body(request): Body<PreflightRequest>,
) -> Result<Json<PreflightReport>, ApiError> {
    let (report, _) = Box::pin(report(&state, &id, &query, request)).await?;
    Ok(Json(report))
}

/// The SQL of what the source of the saved connection lacks.
#[utoipa::path(get, path = "/project/{id}/preflight/script", tag = "projects", params(("id" = String, Path), ModeQuery),
    responses((status = 200, content_type = "text/plain", body = String), (status = 400, body = ErrorResponse),
    (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn script(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ModeQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let (report, name) = Box::pin(report(&state, &id, &query, PreflightRequest::default())).await?;
    Ok(as_file(&report, &name))
}

/// The SQL of what the source of a given connection lacks.
#[utoipa::path(post, path = "/project/{id}/preflight/script", tag = "projects", params(("id" = String, Path), ModeQuery),
    request_body = PreflightRequest, responses(
    (status = 200, content_type = "text/plain", body = String), (status = 400, body = ErrorResponse),
    (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn script_with(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ModeQuery>,
    Body(request): Body<PreflightRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let (report, name) = Box::pin(report(&state, &id, &query, request)).await?;
    Ok(as_file(&report, &name))
}

/// The report, and the name of the project.
async fn report(
    state: &AppState,
    id: &ProjectId,
    query: &ModeQuery,
    request: PreflightRequest,
) -> Result<(PreflightReport, String), ApiError> {
    let mode = query.mode()?;
    let record = find(state, id).await?;
    check_consent(&record)?;
    let source = connection_of(state, &record, request.jdbc_connection_details).await?;
    let job = PostMigrationJobRequest {
        relational_table_filters: request.relational_table_filters,
        collection_filters: request.collection_filters,
        ..PostMigrationJobRequest::looking(id.clone(), source, mode)
    };
    let report = in_time("the preflight check", Box::pin(preflight_report(&job, &record.file))).await?;
    Ok((report, record.summary.name))
}

fn as_file(report: &PreflightReport, project: &str) -> impl IntoResponse + use<> {
    let mode = match report.mode {
        MigrationMode::Snapshot => "snapshot",
        MigrationMode::Cdc | MigrationMode::CdcOnly => "continuous",
    };
    let name = format!("attachment; filename=\"{} {mode} source.sql\"", file_stem(project));
    (
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        script_of(&report.checks),
    )
}
