//! Jobs as things that a user keeps: names, what they have written, their reports.

use super::bounds::to_its_end;
use super::error::ApiError;
use super::extract::{Body, check_id};
use super::report_page;
use super::router::AppState;
use crate::jobs::report::report_of;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use godwit_shared::error::ErrorResponse;
use godwit_shared::ids::JobId;
use godwit_shared::job::{JobLabel, MigrationJobStatus};
use godwit_shared::report::JobReport;
use godwit_shared::retry::{FailedRows, RetryAnswer};
use godwit_shared::written::{CollectionDetails, DeleteWritten, Written};

/// Gives a job a name and a note.
#[utoipa::path(put, path = "/jobs/{jobId}/label", tag = "jobs", params(("jobId" = String, Path)), request_body = JobLabel,
    responses((status = 200, body = MigrationJobStatus), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn label(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
    Body(label): Body<JobLabel>,
) -> Result<Json<MigrationJobStatus>, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move { Box::pin(state.supervisor.label(&id, label)).await };
    Ok(Json(to_its_end("the name", done).await?))
}

/// Takes a job that has ended out of the history. What it has written stays.
#[utoipa::path(delete, path = "/jobs/{jobId}", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 204), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn delete(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<StatusCode, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move { Box::pin(state.supervisor.delete(&id)).await };
    to_its_end("the deletion", done).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What of the destination is this job's alone, counted now. Of a job that has ended.
#[utoipa::path(get, path = "/jobs/{jobId}/written", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = Written), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse),
    (status = 502, body = ErrorResponse)))]
pub async fn written(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<Written>, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move { Box::pin(state.supervisor.written(&id)).await };
    Ok(Json(to_its_end("the count", done).await?))
}

/// Drops the collections that hold nothing but what this job has written, if they hold as many documents as the request
/// says. Answers with what is left.
#[utoipa::path(post, path = "/jobs/{jobId}/written/delete", tag = "jobs", params(("jobId" = String, Path)),
    request_body = DeleteWritten, responses((status = 200, body = Written), (status = 404, body = ErrorResponse),
    (status = 409, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn delete_written(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
    Body(agreed): Body<DeleteWritten>,
) -> Result<Json<Written>, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move { Box::pin(state.supervisor.delete_written(&id, agreed.documents)).await };
    Ok(Json(to_its_end("the deletion", done).await?))
}

/// A collection of a job, looked at more closely.
#[utoipa::path(get, path = "/jobs/{jobId}/collections/{name}", tag = "jobs",
    params(("jobId" = String, Path), ("name" = String, Path)), responses((status = 200, body = CollectionDetails),
    (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn collection(
    State(state): State<AppState>,
    Path((id, name)): Path<(JobId, String)>,
) -> Result<Json<CollectionDetails>, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move { Box::pin(state.supervisor.look_at(&id, &name)).await };
    Ok(Json(to_its_end("the look at the collection", done).await?))
}

async fn made(state: AppState, id: JobId) -> Result<JobReport, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move {
        let record = state.supervisor.record(&id).await?;
        let status = state.supervisor.status(&id).await?;
        Box::pin(report_of(&record, &status)).await
    };
    to_its_end("the report", done).await
}

/// The report of a job: what was migrated, both sides counted now, position, durations, issues, options.
#[utoipa::path(get, path = "/jobs/{jobId}/report", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = JobReport), (status = 404, body = ErrorResponse)))]
pub async fn report(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<JobReport>, ApiError> {
    Ok(Json(made(state, id).await?))
}

/// The same as one page to print.
#[utoipa::path(get, path = "/jobs/{jobId}/report.html", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, content_type = "text/html", body = String), (status = 404, body = ErrorResponse)))]
pub async fn report_html(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<impl IntoResponse, ApiError> {
    let report = made(state, id).await?;
    let policy = [(header::CONTENT_SECURITY_POLICY, report_page::POLICY)];
    Ok((policy, Html(report_page::page(&report))))
}

/// The same as a file.
#[utoipa::path(get, path = "/jobs/{jobId}/report/download", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = JobReport), (status = 404, body = ErrorResponse)))]
pub async fn download_report(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<impl IntoResponse, ApiError> {
    let name = format!("attachment; filename=\"report-{id}.json\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(made(state, id).await?)))
}

/// The rows of a job that have no document because they failed, and that can be tried again.
#[utoipa::path(get, path = "/jobs/{jobId}/failed-rows", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = FailedRows), (status = 404, body = ErrorResponse)))]
pub async fn failed_rows(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<FailedRows>, ApiError> {
    check_id("job", id.as_str())?;
    Ok(Json(state.supervisor.failed_rows(&id).await?))
}

/// Tries them again. A job that follows changes does it itself; for one that has ended a new job does it, which makes
/// documents only where there are none.
#[utoipa::path(post, path = "/jobs/{jobId}/failed-rows/retry", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = RetryAnswer), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse),
    (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn retry(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<RetryAnswer>, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move { Box::pin(state.supervisor.retry(&id)).await };
    Ok(Json(to_its_end("the retry", done).await?))
}
