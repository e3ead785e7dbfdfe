//! `/project/{id}/dry-run`

use super::client::{self, ApiError};
use godwit_shared::dry_run::{DryRun, DryRunRequest};
use godwit_shared::ids::ProjectId;
use web_sys::AbortSignal;

/// Asks what a job would do, until the signal ends it.
pub async fn run(project: &ProjectId, request: &DryRunRequest, signal: &AbortSignal) -> Result<DryRun, ApiError> {
    client::post_until(&format!("/project/{project}/dry-run"), request, signal).await
}
