//! `/jobs`

use super::client::{self, ApiError};
use godwit_shared::ids::JobId;
use godwit_shared::job::{JobLabel, MigrationJobStatus, PostMigrationJobRequest};
use godwit_shared::retry::{FailedRows, RetryAnswer};
use godwit_shared::sample::JobSamples;
use godwit_shared::summary::JobSummary;
use godwit_shared::written::{CollectionDetails, DeleteWritten, Written};

pub async fn list() -> Result<Vec<MigrationJobStatus>, ApiError> {
    client::get("/jobs").await
}

/// What was measured of a job over the last minutes.
pub async fn samples(id: &JobId) -> Result<JobSamples, ApiError> {
    client::get(&format!("/jobs/{id}/samples")).await
}

/// What a job of this request would read and write.
pub async fn summary(request: &PostMigrationJobRequest) -> Result<JobSummary, ApiError> {
    client::post("/jobs/summary", request).await
}

/// Checks the connections and the mapping, then starts.
pub async fn create(request: &PostMigrationJobRequest) -> Result<MigrationJobStatus, ApiError> {
    client::post("/jobs", request).await
}

/// In the snapshot stage: terminates. In the CDC stage: completes.
pub async fn stop(id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    client::post_empty(&format!("/jobs/{id}/stop")).await
}

/// Ends a job that stands still in its CDC stage, or does not get to its end; changes that it has not applied are lost.
pub async fn end_without_rest(id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    client::post_empty(&format!("/jobs/{id}/stop?abandon=true")).await
}

pub async fn pause(id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    client::post_empty(&format!("/jobs/{id}/pause")).await
}

pub async fn resume(id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    client::post_empty(&format!("/jobs/{id}/resume")).await
}

/// Where the browser downloads the update log as JSON Lines.
pub fn logs_url(id: &JobId) -> String {
    client::url(&format!("/jobs/{id}/logs"))
}

/// Gives a job a name and a note.
pub async fn label(id: &JobId, label: &JobLabel) -> Result<(), ApiError> {
    client::put(&format!("/jobs/{id}/label"), label).await
}

/// Takes an ended job out of the history.
pub async fn delete(id: &JobId) -> Result<(), ApiError> {
    client::delete(&format!("/jobs/{id}")).await
}

/// What of the destination is this job's alone.
pub async fn written(id: &JobId) -> Result<Written, ApiError> {
    client::get(&format!("/jobs/{id}/written")).await
}

/// Drops it, if there are as many documents.
pub async fn delete_written(id: &JobId, documents: u64) -> Result<Written, ApiError> {
    client::post(&format!("/jobs/{id}/written/delete"), &DeleteWritten { documents }).await
}

/// The rows of a job that can be tried again.
pub async fn failed_rows(id: &JobId) -> Result<FailedRows, ApiError> {
    client::get(&format!("/jobs/{id}/failed-rows")).await
}

/// Tries them again.
pub async fn retry_failed(id: &JobId) -> Result<RetryAnswer, ApiError> {
    client::post_empty(&format!("/jobs/{id}/failed-rows/retry")).await
}

/// A collection of a job, looked at more closely.
pub async fn collection(id: &JobId, name: &str) -> Result<CollectionDetails, ApiError> {
    let name = String::from(js_sys::encode_uri_component(name));
    client::get(&format!("/jobs/{id}/collections/{name}")).await
}

/// The report as a page.
pub fn report_url(id: &JobId) -> String {
    client::url(&format!("/jobs/{id}/report.html"))
}

/// The report as a file.
pub fn report_download_url(id: &JobId) -> String {
    client::url(&format!("/jobs/{id}/report/download"))
}
