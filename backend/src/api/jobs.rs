//! Jobs.

use super::bounds::{PAGE_OF_JOBS, Page, TOTAL, in_time, to_its_end};
use super::consent::check_consent;
use super::error::ApiError;
use super::extract::{Body, Params, check_id};
use super::router::AppState;
use crate::api::connections::resolve;
use crate::jobs::Command;
use crate::jobs::summary::summary_of;
use crate::store::ProjectRecord;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use chrono::Utc;
use godwit_shared::error::ErrorResponse;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{MigrationJobStatus, PostMigrationJobRequest};
use godwit_shared::sample::JobSamples;
use godwit_shared::summary::JobSummary;
use serde::Deserialize;
use utoipa::IntoParams;

/// How a list of jobs is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `submittedAt,DESC` or `submittedAt,ASC`.
    sort: Option<String>,
    /// At most so many; 200 where absent, and never more than 1000. `X-Total-Count` says how many there are.
    limit: Option<usize>,
    /// How many are passed over.
    offset: Option<usize>,
    /// `IN_PROGRESS`: only jobs that have not ended.
    #[serde(rename = "type")]
    kind: Option<String>,
    project_id: Option<String>,
}

/// Lists jobs, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(ListQuery), responses(
    (status = 200, body = Vec<MigrationJobStatus>), (status = 400, body = ErrorResponse)))]
pub async fn list(
    State(state): State<AppState>,
    Params(query): Params<ListQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let project = query.project_id.map(ProjectId::new);
    let mut jobs = state.hub.jobs(project.as_ref());
    match query.kind.as_deref() {
        None | Some("") => {}
        Some("IN_PROGRESS") => jobs.retain(|j| !j.status.is_ended()),
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "the parameter `type` is \"{other}\"; known is IN_PROGRESS"
            )));
        }
    }
    match sort_of(query.sort.as_deref(), "submittedAt,DESC")? {
        ("submittedAt", true) => {}
        ("submittedAt", false) => jobs.reverse(),
        ("status", descending) => {
            jobs.sort_by_key(|j| format!("{:?}", j.status));
            if descending {
                jobs.reverse();
            }
        }
        (other, _) => {
            return Err(ApiError::invalid(format!(
                "jobs cannot be sorted by \"{other}\": use submittedAt or status"
            )));
        }
    }
    let total = [(TOTAL, jobs.len().to_string())];
    let page = Page::of(query.offset, query.limit, PAGE_OF_JOBS).cut(jobs);
    let page: Vec<MigrationJobStatus> = page.iter().map(|job| (**job).clone()).collect();
    Ok((total, Json(page)))
}

/// A field and whether it is descending, of `field,DESC`.
///
/// # Errors
/// When it is written otherwise.
pub fn sort_of<'a>(text: Option<&'a str>, default: &'a str) -> Result<(&'a str, bool), ApiError> {
    let text = text.filter(|t| !t.is_empty()).unwrap_or(default);
    match text.split_once(',') {
        Some((field, "DESC")) => Ok((field, true)),
        Some((field, "ASC")) => Ok((field, false)),
        _ => Err(ApiError::invalid(format!(
            "the parameter `sort` is \"{text}\"; write field,ASC or field,DESC"
        ))),
    }
}

/// Checks everything and starts a job.
#[utoipa::path(post, path = "/jobs", tag = "jobs", request_body = PostMigrationJobRequest, responses(
    (status = 200, body = MigrationJobStatus), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse),
    (status = 409, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn create(
    State(state): State<AppState>,
    Body(request): Body<PostMigrationJobRequest>,
) -> Result<Json<MigrationJobStatus>, ApiError> {
    let (request, project) = resolved(&state, request).await?;
    let made = async move { Box::pin(state.supervisor.create(request, project)).await };
    Ok(Json(to_its_end("the start of the job", made).await?))
}

/// What a job of this request would read and write. Nothing is started or written.
#[utoipa::path(post, path = "/jobs/summary", tag = "jobs", request_body = PostMigrationJobRequest, responses(
    (status = 200, body = JobSummary), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse),
    (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn summary(
    State(state): State<AppState>,
    Body(request): Body<PostMigrationJobRequest>,
) -> Result<Json<JobSummary>, ApiError> {
    let (request, project) = resolved(&state, request).await?;
    let summary = Box::pin(summary_of(&request, &project.file));
    Ok(Json(in_time("the summary", summary).await?))
}

/// The request with what its saved connections add, and its project.
async fn resolved(
    state: &AppState,
    mut request: PostMigrationJobRequest,
) -> Result<(PostMigrationJobRequest, ProjectRecord), ApiError> {
    let id = request.project_id.clone();
    check_id("project", id.as_str())?;
    let project = state
        .store
        .project(&id)
        .await?
        .ok_or_else(|| ApiError::not_found("project", &id))?;
    check_consent(&project)?;
    resolve::jdbc(&state.store, &mut request.jdbc_connection_details).await?;
    resolve::mongodb(&state.store, &mut request.mongodb_connection_details).await?;
    Ok((request, project))
}

async fn find(state: &AppState, id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    check_id("job", id.as_str())?;
    Ok(state.supervisor.status(id).await?)
}

async fn command(state: AppState, id: JobId, command: Command) -> Result<Json<MigrationJobStatus>, ApiError> {
    check_id("job", id.as_str())?;
    let done = async move { Box::pin(state.supervisor.command(&id, command)).await };
    Ok(Json(to_its_end("the command", done).await?))
}

/// One job.
#[utoipa::path(get, path = "/jobs/{jobId}", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = MigrationJobStatus), (status = 404, body = ErrorResponse)))]
pub async fn get(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<MigrationJobStatus>, ApiError> {
    Ok(Json(find(&state, &id).await?))
}

/// Rates and lag of a job from its beginning on, more thinly of long ago.
#[utoipa::path(get, path = "/jobs/{jobId}/samples", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = JobSamples), (status = 404, body = ErrorResponse)))]
pub async fn samples(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<JobSamples>, ApiError> {
    find(&state, &id).await?;
    Ok(Json(JobSamples {
        taken_at: Utc::now(),
        samples: state.supervisor.samples(&id).await?,
    }))
}

/// How a job is stopped.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct StopQuery {
    /// In the CDC stage: end without the rest, that is now, without applying what is left. What that is, is told in the
    /// job's log and in its `end`. The default is to complete.
    abandon: bool,
}

/// Stops a job: in the snapshot stage it is cancelled, what was written stays; in the CDC stage it is completed, after
/// everything up to this moment has been applied. A job that stands still (`standStill`) would never get there: it is ended
/// without the rest. Resume it first, when the reason is gone, to complete it.
#[utoipa::path(post, path = "/jobs/{jobId}/stop", tag = "jobs", params(("jobId" = String, Path), StopQuery), responses(
    (status = 200, body = MigrationJobStatus), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn stop(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
    Params(query): Params<StopQuery>,
) -> Result<Json<MigrationJobStatus>, ApiError> {
    let wanted = if query.abandon {
        Command::EndWithoutRest
    } else {
        Command::Stop
    };
    command(state, id, wanted).await
}

/// Lets a job stand still.
#[utoipa::path(post, path = "/jobs/{jobId}/pause", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = MigrationJobStatus), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn pause(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<MigrationJobStatus>, ApiError> {
    command(state, id, Command::Pause).await
}

/// Lets a job go on that is paused or stands still.
#[utoipa::path(post, path = "/jobs/{jobId}/resume", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, body = MigrationJobStatus), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn resume(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<Json<MigrationJobStatus>, ApiError> {
    command(state, id, Command::Resume).await
}

/// The update log as JSON Lines.
#[utoipa::path(get, path = "/jobs/{jobId}/logs", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, content_type = "application/jsonl", body = String), (status = 404, body = ErrorResponse)))]
pub async fn logs(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<impl IntoResponse, ApiError> {
    let job = find(&state, &id).await?;
    let lines: String = job
        .job_updates
        .iter()
        .filter_map(|u| serde_json::to_string(u).ok())
        .map(|line| line + "\n")
        .collect();
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], lines))
}

/// The update log as a file.
#[utoipa::path(get, path = "/jobs/{jobId}/logs/download", tag = "jobs", params(("jobId" = String, Path)), responses(
    (status = 200, content_type = "application/jsonl", body = String), (status = 404, body = ErrorResponse)))]
pub async fn download_logs(state: State<AppState>, Path(id): Path<JobId>) -> Result<impl IntoResponse, ApiError> {
    let name = format!("attachment; filename=\"job-{id}.jsonl\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], logs(state, Path(id)).await?))
}
