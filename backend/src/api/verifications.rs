//! Verifications: started, watched, ended; what they have found; their reports; repair.

use super::bounds::{TOTAL, in_time, to_its_end};
use super::connections::resolve;
use super::consent::check_consent;
use super::error::ApiError;
use super::extract::{Body, Params, check_id};
use super::router::AppState;
use super::verification_page;
use crate::api::bounds::MayTimeOut;
use crate::jobs::VerifyingError;
use crate::jobs::verifying::StartRequest;
use crate::store::FindingFilter;
use axum::Json;
use axum::body::{Body as Stream, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse};
use futures_util::stream;
use godwit_shared::connection::{JdbcConnectionDetails, MongodbConnectionDetails};
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{MigrationMode, PostMigrationJobRequest, TableFilters};
use godwit_shared::verification::{
    Finding, FindingDetails, FindingKind, RepairRequest, SignedReport, Verification, VerificationOptions,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Findings of one page: where nothing is said, and at most.
const PAGE: i64 = 100;
const PAGE_MAX: i64 = 1_000;

/// The body of `POST /verifications`: the job whose documents are verified; or a project, with a source and a destination.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostVerificationRequest {
    #[serde(default)]
    job_id: Option<JobId>,
    #[serde(default)]
    project_id: Option<ProjectId>,
    #[serde(default)]
    jdbc_connection_details: Option<JdbcConnectionDetails>,
    #[serde(default)]
    mongodb_connection_details: Option<MongodbConnectionDetails>,
    #[serde(default)]
    #[schema(value_type = Object)]
    relational_table_filters: TableFilters,
    #[serde(default)]
    options: VerificationOptions,
}

/// Which verifications are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    job_id: Option<String>,
    project_id: Option<String>,
}

/// Which findings are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct FindingsQuery {
    /// How many are passed over.
    offset: Option<u64>,
    /// At most so many; 100 where absent, and never more than 1000. `X-Total-Count` says how many there are.
    limit: Option<i64>,
    collection: Option<String>,
    kind: Option<FindingKind>,
    /// Those that are not repaired.
    #[serde(default)]
    open: bool,
}

impl FindingsQuery {
    fn filter(&self) -> FindingFilter {
        FindingFilter {
            collection: self.collection.clone().filter(|c| !c.is_empty()),
            kind: self.kind,
            only_open: self.open,
        }
    }
}

impl From<VerifyingError> for ApiError {
    fn from(error: VerifyingError) -> Self {
        let message = error.to_string();
        match error {
            VerifyingError::Job(error) => (*error).into(),
            VerifyingError::Store(error) => error.into(),
            other => ApiError::new(other.code(), message),
        }
    }
}

impl MayTimeOut for VerifyingError {
    fn is_timeout(&self) -> bool {
        false
    }
}

/// Starts a verification of the documents of a job, or of a project in a destination.
#[utoipa::path(post, path = "/verifications", tag = "verifications", request_body = PostVerificationRequest, responses(
    (status = 200, body = Verification), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse),
    (status = 409, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn create(
    State(state): State<AppState>,
    Body(request): Body<PostVerificationRequest>,
) -> Result<Json<Verification>, ApiError> {
    let options = request.options.clone();
    let start = start_of(&state, request).await?;
    let made = async move { Box::pin(state.supervisor.verify(start, options)).await };
    Ok(Json(to_its_end("the start of the verification", made).await?))
}

async fn start_of(state: &AppState, request: PostVerificationRequest) -> Result<StartRequest, ApiError> {
    let (id, jdbc, mongodb) = match (
        request.job_id,
        request.project_id,
        request.jdbc_connection_details,
        request.mongodb_connection_details,
    ) {
        (Some(job), None, None, None) => {
            check_id("job", job.as_str())?;
            return Ok(StartRequest::Job(job));
        }
        (None, Some(project), Some(jdbc), Some(mongodb)) => (project, jdbc, mongodb),
        _ => {
            return Err(ApiError::invalid(
                "name either a job by `jobId`, or `projectId` with `jdbcConnectionDetails` and `mongodbConnectionDetails`",
            ));
        }
    };
    check_id("project", id.as_str())?;
    let project = state.store.project(&id).await?;
    let project = project.ok_or_else(|| ApiError::not_found("project", &id))?;
    check_consent(&project)?;
    let mut job = PostMigrationJobRequest {
        mongodb_connection_details: mongodb,
        relational_table_filters: request.relational_table_filters,
        ..PostMigrationJobRequest::looking(id, jdbc, MigrationMode::Snapshot)
    };
    resolve::jdbc(&state.store, &mut job.jdbc_connection_details).await?;
    resolve::mongodb(&state.store, &mut job.mongodb_connection_details).await?;
    Ok(StartRequest::Project(Box::new(job), Box::new(project)))
}

/// The newest verifications, newest first.
#[utoipa::path(get, path = "/verifications", tag = "verifications", params(ListQuery), responses(
    (status = 200, body = Vec<Verification>)))]
pub async fn list(
    State(state): State<AppState>,
    Params(query): Params<ListQuery>,
) -> Result<Json<Vec<Verification>>, ApiError> {
    let job = query.job_id.filter(|id| !id.is_empty()).map(JobId::new);
    let project = query.project_id.filter(|id| !id.is_empty()).map(ProjectId::new);
    Ok(Json(
        state.supervisor.verifier.list(job.as_ref(), project.as_ref()).await?,
    ))
}

/// One verification.
#[utoipa::path(get, path = "/verifications/{id}", tag = "verifications", params(("id" = String, Path)), responses(
    (status = 200, body = Verification), (status = 404, body = ErrorResponse)))]
pub async fn get(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Verification>, ApiError> {
    check_id("verification", &id)?;
    Ok(Json(state.supervisor.verifier.status(&id).await?))
}

/// Ends a verification; what it has found stays.
#[utoipa::path(post, path = "/verifications/{id}/cancel", tag = "verifications", params(("id" = String, Path)), responses(
    (status = 200, body = Verification), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn cancel(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Verification>, ApiError> {
    check_id("verification", &id)?;
    Ok(Json(state.supervisor.verifier.cancel(&id).await?))
}

/// Lets a verification stand still. It holds its point in time in the source meanwhile.
#[utoipa::path(post, path = "/verifications/{id}/pause", tag = "verifications", params(("id" = String, Path)), responses(
    (status = 200, body = Verification), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn pause(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Verification>, ApiError> {
    check_id("verification", &id)?;
    Ok(Json(state.supervisor.verifier.pause(&id).await?))
}

/// Lets a verification go on that is paused, or was aborted: from what is done.
#[utoipa::path(post, path = "/verifications/{id}/resume", tag = "verifications", params(("id" = String, Path)), responses(
    (status = 200, body = Verification), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse),
    (status = 502, body = ErrorResponse)))]
pub async fn resume(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Verification>, ApiError> {
    check_id("verification", &id)?;
    let done = async move { Box::pin(state.supervisor.resume_verification(&id)).await };
    Ok(Json(to_its_end("the start of the verification", done).await?))
}

/// Writes the documents that differ or are missing, and, if asked to, deletes those that no row gives; then looks at them
/// again. Not while a job is at work on the same collections.
#[utoipa::path(post, path = "/verifications/{id}/repair", tag = "verifications", params(("id" = String, Path)),
    request_body = RepairRequest, responses(
    (status = 200, body = Verification), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse),
    (status = 502, body = ErrorResponse)))]
pub async fn repair(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Body(request): Body<RepairRequest>,
) -> Result<Json<Verification>, ApiError> {
    check_id("verification", &id)?;
    let done = async move { Box::pin(state.supervisor.repair(&id, request)).await };
    Ok(Json(to_its_end("the start of the repair", done).await?))
}

/// What a verification has found, in the order in which it was found. At most 10,000 findings are stored.
#[utoipa::path(get, path = "/verifications/{id}/findings", tag = "verifications", params(("id" = String, Path), FindingsQuery),
    responses((status = 200, body = Vec<Finding>), (status = 404, body = ErrorResponse)))]
pub async fn findings(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Params(query): Params<FindingsQuery>,
) -> Result<impl IntoResponse, ApiError> {
    check_id("verification", &id)?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let verifier = &state.supervisor.verifier;
    let offset = query.offset.unwrap_or(0);
    let (found, total) = verifier.findings(&id, &query.filter(), offset, limit).await?;
    let found: Vec<Finding> = found.into_iter().map(|f| f.finding).collect();
    Ok(([(TOTAL, total.to_string())], Json(found)))
}

/// One finding, with both documents as they are now.
#[utoipa::path(get, path = "/verifications/{id}/findings/{number}", tag = "verifications",
    params(("id" = String, Path), ("number" = u64, Path)), responses(
    (status = 200, body = FindingDetails), (status = 404, body = ErrorResponse)))]
pub async fn finding(
    State(state): State<AppState>,
    Path((id, number)): Path<(String, u64)>,
) -> Result<Json<FindingDetails>, ApiError> {
    check_id("verification", &id)?;
    let look = Box::pin(state.supervisor.finding(&id, number));
    Ok(Json(in_time("the look at the documents", look).await?))
}

/// All stored findings as JSON Lines.
#[utoipa::path(get, path = "/verifications/{id}/findings/download", tag = "verifications", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/x-ndjson", body = String), (status = 404, body = ErrorResponse)))]
pub async fn download_findings(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    check_id("verification", &id)?;
    state.supervisor.verifier.status(&id).await?;
    let name = format!("attachment; filename=\"verification-{id}.jsonl\"");
    let supervisor = state.supervisor.clone();
    let pages = stream::try_unfold(0_u64, move |after| {
        let (supervisor, id) = (supervisor.clone(), id.clone());
        async move {
            let all = FindingFilter::default();
            let (found, _) = supervisor.verifier.findings(&id, &all, after, PAGE_MAX).await?;
            if found.is_empty() {
                return Ok::<_, VerifyingError>(None);
            }
            let count = found.len() as u64;
            let lines: String = (found.iter())
                .filter_map(|f| serde_json::to_string(&f.finding).ok())
                .map(|line| line + "\n")
                .collect();
            Ok(Some((Bytes::from(lines), after + count)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Stream::from_stream(pages)))
}

/// The report of a verification that has ended, signed by this installation.
#[utoipa::path(get, path = "/verifications/{id}/report", tag = "verifications", params(("id" = String, Path)), responses(
    (status = 200, body = SignedReport), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn report(State(state): State<AppState>, Path(id): Path<String>) -> Result<impl IntoResponse, ApiError> {
    check_id("verification", &id)?;
    let report = state.supervisor.verifier.report(&id).await?;
    let name = format!("attachment; filename=\"verification-{id}.json\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(report)))
}

/// The same as one page to print or to keep.
#[utoipa::path(get, path = "/verifications/{id}/report.html", tag = "verifications", params(("id" = String, Path)), responses(
    (status = 200, content_type = "text/html", body = String), (status = 404, body = ErrorResponse),
    (status = 409, body = ErrorResponse)))]
pub async fn report_html(State(state): State<AppState>, Path(id): Path<String>) -> Result<impl IntoResponse, ApiError> {
    check_id("verification", &id)?;
    let report = state.supervisor.verifier.report(&id).await?;
    let policy = [(header::CONTENT_SECURITY_POLICY, verification_page::POLICY)];
    Ok((policy, Html(verification_page::page(&report))))
}

/// The newest verification of a job.
#[utoipa::path(get, path = "/verification/{jobId}", tag = "verifications", params(("jobId" = String, Path)), responses(
    (status = 200, body = Verification), (status = 404, body = ErrorResponse)))]
pub async fn of_job(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<Verification>, ApiError> {
    Ok(Json(newest_of(&state, &id).await?))
}

/// Ends it.
#[utoipa::path(post, path = "/verification/{jobId}/stop", tag = "verifications", params(("jobId" = String, Path)), responses(
    (status = 200, body = Verification), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn stop_of_job(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<Verification>, ApiError> {
    let newest = newest_of(&state, &id).await?;
    Ok(Json(state.supervisor.verifier.cancel(&newest.id).await?))
}

async fn newest_of(state: &AppState, job: &JobId) -> Result<Verification, ApiError> {
    check_id("job", job.as_str())?;
    let all = state.supervisor.verifier.list(Some(job), None).await?;
    let newest = all.into_iter().next();
    newest.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("job {job} was not verified")))
}
