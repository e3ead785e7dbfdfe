//! `/analysis`

use super::client::{self, ApiError};
use godwit_shared::analysis::{
    AnalysisReport, AnalysisReportSummary, AnalysisTask, AnalysisTaskRequest, ResolveDetection,
};
use godwit_shared::error::ErrorCode;
use godwit_shared::ids::ProjectId;

/// Nothing where the answer is that there is none.
fn if_any<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The newest run.
pub async fn task(project: &ProjectId) -> Result<Option<AnalysisTask>, ApiError> {
    if_any(client::get(&format!("/analysis/{project}/task")).await)
}

/// Starts a run.
pub async fn start(project: &ProjectId, request: &AnalysisTaskRequest) -> Result<AnalysisTask, ApiError> {
    client::post(&format!("/analysis/{project}/task"), request).await
}

/// Ends it.
pub async fn cancel(project: &ProjectId) -> Result<AnalysisTask, ApiError> {
    client::post_empty(&format!("/analysis/{project}/task/cancel")).await
}

/// A report, or the newest one.
pub async fn report(project: &ProjectId, id: Option<&str>) -> Result<Option<AnalysisReport>, ApiError> {
    if_any(client::get(&format!("/analysis/{project}/report{}", query(id))).await)
}

/// Those that are kept, newest first.
pub async fn reports(project: &ProjectId) -> Result<Vec<AnalysisReportSummary>, ApiError> {
    client::get(&format!("/analysis/{project}/reports")).await
}

/// Marks a detection, or takes its mark away.
pub async fn resolve(project: &ProjectId, detection: &str, resolved: bool) -> Result<(), ApiError> {
    let request = ResolveDetection {
        id: detection.to_owned(),
        resolved,
    };
    client::put(&format!("/analysis/{project}/report/rule"), &request).await
}

fn query(id: Option<&str>) -> String {
    id.map(|id| format!("?id={id}")).unwrap_or_default()
}

/// Where a report is in another form: `html`, `json`, `md`, `sarif`.
pub fn report_url(project: &ProjectId, id: &str, form: &str) -> String {
    client::url(&format!("/analysis/{project}/report.{form}{}", query(Some(id))))
}
