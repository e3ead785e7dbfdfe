//! Analyses before a migration: run, watched, ended; their reports; which detections are resolved.

use super::analysis_page;
use super::bounds::{MayTimeOut, in_time};
use super::consent::check_consent;
use super::error::ApiError;
use super::extract::{Body, Params, check_id};
use super::projects::{connection_of, file_stem, find};
use super::router::AppState;
use crate::analysis::output;
use crate::jobs::AnalysingError;
use crate::jobs::analysing::AnalysisStart;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse};
use godwit_shared::analysis::{
    AnalysisReport, AnalysisReportSummary, AnalysisTask, AnalysisTaskRequest, ResolveDetection,
};
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::ProjectId;
use serde::Deserialize;
use utoipa::IntoParams;

/// The longest id of a detection, in bytes: rule and two names.
const DETECTION_BYTES_MAX: usize = 2_000;

/// Which report is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// Absent: the newest one.
    id: Option<String>,
}

impl From<AnalysingError> for ApiError {
    fn from(error: AnalysingError) -> Self {
        let message = error.to_string();
        match error {
            AnalysingError::AtWork => ApiError::new(ErrorCode::WrongState, message),
            AnalysingError::Elsewhere(_) | AnalysingError::Ended => ApiError::new(ErrorCode::NotCancellable, message),
            AnalysingError::NotFound(_) => ApiError::new(ErrorCode::NotFound, message),
            AnalysingError::Prepare(error) => (*error).into(),
            AnalysingError::Store(error) => error.into(),
        }
    }
}

impl MayTimeOut for AnalysingError {
    fn is_timeout(&self) -> bool {
        matches!(self, AnalysingError::Prepare(error) if error.is_timeout())
    }
}

/// The newest run of a project.
#[utoipa::path(get, path = "/analysis/{projectId}/task", tag = "analysis", params(("projectId" = String, Path)), responses(
    (status = 200, body = AnalysisTask), (status = 404, body = ErrorResponse)))]
pub async fn task(State(state): State<AppState>, Path(id): Path<ProjectId>) -> Result<Json<AnalysisTask>, ApiError> {
    check_id("project", id.as_str())?;
    Ok(Json(state.supervisor.analyser.task(&id).await?))
}

/// Starts a run. It answers as soon as the source has.
#[utoipa::path(post, path = "/analysis/{projectId}/task", tag = "analysis", params(("projectId" = String, Path)),
    request_body = AnalysisTaskRequest, responses(
    (status = 200, body = AnalysisTask), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse),
    (status = 502, body = ErrorResponse)))]
pub async fn create(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<AnalysisTaskRequest>,
) -> Result<Json<AnalysisTask>, ApiError> {
    let record = find(&state, &id).await?;
    let details = connection_of(&state, &record, request.jdbc_connection_details).await?;
    let saved = match &details.existing_connection_id {
        Some(id) => state.store.jdbc_connection(id).await?,
        None => None,
    };
    let needs_consent = check_consent(&record).is_err();
    let start = AnalysisStart {
        withheld: needs_consent.then(|| "the project carries SQL or JavaScript that nobody has agreed to yet".into()),
        connection_name: saved.map(|c| c.name).unwrap_or_default(),
        record,
        details,
        mode: request.mode,
    };
    let analyser = state.supervisor.analyser.clone();
    let started = async move { Box::pin(analyser.start(start)).await };
    Ok(Json(in_time("the start of the analysis", started).await?))
}

/// Ends a run.
#[utoipa::path(post, path = "/analysis/{projectId}/task/cancel", tag = "analysis", params(("projectId" = String, Path)),
    responses((status = 200, body = AnalysisTask), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn cancel(State(state): State<AppState>, Path(id): Path<ProjectId>) -> Result<Json<AnalysisTask>, ApiError> {
    check_id("project", id.as_str())?;
    Ok(Json(state.supervisor.analyser.cancel(&id).await?))
}

async fn report_of(state: &AppState, id: &ProjectId, query: &ReportQuery) -> Result<AnalysisReport, ApiError> {
    check_id("project", id.as_str())?;
    let report = query.id.as_deref().filter(|report| !report.is_empty());
    if let Some(report) = report {
        check_id("report", report)?;
    }
    Ok(state.supervisor.analyser.report(id, report).await?)
}

/// A report.
#[utoipa::path(get, path = "/analysis/{projectId}/report", tag = "analysis", params(("projectId" = String, Path), ReportQuery),
    responses((status = 200, body = AnalysisReport), (status = 404, body = ErrorResponse)))]
pub async fn report(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ReportQuery>,
) -> Result<Json<AnalysisReport>, ApiError> {
    Ok(Json(report_of(&state, &id, &query).await?))
}

/// The reports that are kept, newest first.
#[utoipa::path(get, path = "/analysis/{projectId}/reports", tag = "analysis", params(("projectId" = String, Path)), responses(
    (status = 200, body = Vec<AnalysisReportSummary>)))]
pub async fn reports(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
) -> Result<Json<Vec<AnalysisReportSummary>>, ApiError> {
    check_id("project", id.as_str())?;
    Ok(Json(state.supervisor.analyser.reports(&id).await?))
}

/// The ids of detections that are marked as resolved.
#[utoipa::path(get, path = "/analysis/{projectId}/report/rule", tag = "analysis", params(("projectId" = String, Path)), responses(
    (status = 200, body = Vec<String>)))]
pub async fn resolved(State(state): State<AppState>, Path(id): Path<ProjectId>) -> Result<Json<Vec<String>>, ApiError> {
    check_id("project", id.as_str())?;
    Ok(Json(state.supervisor.analyser.resolved(&id).await?))
}

/// Marks a detection as resolved, or takes the mark away. It holds in later runs too.
#[utoipa::path(put, path = "/analysis/{projectId}/report/rule", tag = "analysis", params(("projectId" = String, Path)),
    request_body = ResolveDetection, responses(
    (status = 200, body = Vec<String>), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse)))]
pub async fn resolve(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<ResolveDetection>,
) -> Result<Json<Vec<String>>, ApiError> {
    check_id("project", id.as_str())?;
    if !state.store.has_project(&id).await? {
        return Err(ApiError::not_found("project", &id));
    }
    if request.id.is_empty() || request.id.len() > DETECTION_BYTES_MAX {
        return Err(ApiError::invalid("the field `id` is not the id of a detection"));
    }
    let analyser = &state.supervisor.analyser;
    Ok(Json(analyser.resolve(&id, &request.id, request.resolved).await?))
}

/// The header that makes a browser keep an answer as a file.
fn kept_as(report: &AnalysisReport, ending: &str) -> [(header::HeaderName, String); 1] {
    let stem = file_stem(&report.project_name);
    [(
        header::CONTENT_DISPOSITION,
        format!("attachment; filename=\"{stem} analysis.{ending}\""),
    )]
}

/// A report as a file of JSON.
#[utoipa::path(get, path = "/analysis/{projectId}/report.json", tag = "analysis", params(("projectId" = String, Path), ReportQuery),
    responses((status = 200, body = AnalysisReport), (status = 404, body = ErrorResponse)))]
pub async fn report_json(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ReportQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let report = report_of(&state, &id, &query).await?;
    Ok((kept_as(&report, "json"), Json(report)))
}

/// A report as one page to print or to keep.
#[utoipa::path(get, path = "/analysis/{projectId}/report.html", tag = "analysis", params(("projectId" = String, Path), ReportQuery),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, body = ErrorResponse)))]
pub async fn report_html(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ReportQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let report = report_of(&state, &id, &query).await?;
    let policy = [(header::CONTENT_SECURITY_POLICY, super::report_page::POLICY)];
    Ok((policy, Html(analysis_page::page(&report))))
}

/// A report as Markdown.
#[utoipa::path(get, path = "/analysis/{projectId}/report.md", tag = "analysis", params(("projectId" = String, Path), ReportQuery),
    responses((status = 200, content_type = "text/markdown", body = String), (status = 404, body = ErrorResponse)))]
pub async fn report_markdown(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ReportQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let report = report_of(&state, &id, &query).await?;
    let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((kind, kept_as(&report, "md"), output::markdown(&report)))
}

/// A report as SARIF, for tools that gather findings.
#[utoipa::path(get, path = "/analysis/{projectId}/report.sarif", tag = "analysis", params(("projectId" = String, Path), ReportQuery),
    responses((status = 200, body = Value), (status = 404, body = ErrorResponse)))]
pub async fn report_sarif(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<ReportQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let report = report_of(&state, &id, &query).await?;
    Ok((kept_as(&report, "sarif"), Json(output::sarif(&report))))
}
