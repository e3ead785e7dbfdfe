//! `/verifications`

use super::client::{self, ApiError};
use godwit_shared::ids::JobId;
use godwit_shared::verification::{Finding, FindingDetails, RepairRequest, Verification, VerificationOptions};
use serde::Serialize;

/// Findings of one page.
pub const FINDINGS_PAGE: u64 = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    job_id: &'a JobId,
    options: &'a VerificationOptions,
}

/// Those of a job, newest first.
pub async fn of_job(job: &JobId) -> Result<Vec<Verification>, ApiError> {
    client::get(&format!("/verifications?jobId={job}")).await
}

/// Starts one of a job's documents.
pub async fn start(job: &JobId, options: &VerificationOptions) -> Result<Verification, ApiError> {
    client::post("/verifications", &Start { job_id: job, options }).await
}

/// Ends one.
pub async fn cancel(id: &str) -> Result<Verification, ApiError> {
    client::post_empty(&format!("/verifications/{id}/cancel")).await
}

/// Lets one stand still.
pub async fn pause(id: &str) -> Result<Verification, ApiError> {
    client::post_empty(&format!("/verifications/{id}/pause")).await
}

/// Lets one go on.
pub async fn resume(id: &str) -> Result<Verification, ApiError> {
    client::post_empty(&format!("/verifications/{id}/resume")).await
}

/// Writes the documents that differ.
pub async fn repair(id: &str, request: &RepairRequest) -> Result<Verification, ApiError> {
    client::post(&format!("/verifications/{id}/repair"), request).await
}

/// Some findings in their order.
pub async fn findings(id: &str, offset: u64) -> Result<Vec<Finding>, ApiError> {
    client::get(&format!(
        "/verifications/{id}/findings?offset={offset}&limit={FINDINGS_PAGE}"
    ))
    .await
}

/// One of them with both documents.
pub async fn finding(id: &str, number: u64) -> Result<FindingDetails, ApiError> {
    client::get(&format!("/verifications/{id}/findings/{number}")).await
}

/// Where the browser shows the report.
pub fn report_url(id: &str) -> String {
    client::url(&format!("/verifications/{id}/report.html"))
}

/// Where it downloads the signed data.
pub fn report_data_url(id: &str) -> String {
    client::url(&format!("/verifications/{id}/report"))
}

/// Where it downloads all findings.
pub fn findings_url(id: &str) -> String {
    client::url(&format!("/verifications/{id}/findings/download"))
}
