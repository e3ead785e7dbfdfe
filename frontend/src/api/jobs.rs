//! `/jobs`

use super::client::{self, ApiError};
use godwit_shared::ids::JobId;
use godwit_shared::job::{MigrationJobStatus, PostMigrationJobRequest};
use godwit_shared::sample::JobSamples;
use godwit_shared::summary::JobSummary;

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
