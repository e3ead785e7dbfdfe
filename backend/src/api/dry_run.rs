//! What a job would do, without a job.

use super::bounds::in_time;
use super::consent::check_consent;
use super::error::ApiError;
use super::extract::Body;
use super::projects::{connection_of, find};
use super::router::AppState;
use crate::documents::dry_run::dry_run;
use crate::jobs::prepare::{PrepareError, prepare_source};
use axum::Json;
use axum::extract::{Path, State};
use godwit_shared::dry_run::{DryRun, DryRunRequest};
use godwit_shared::error::ErrorResponse;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::{MigrationMode, PostMigrationJobRequest};

const SAMPLE: u32 = 200;
const SAMPLE_MAX: u32 = 2_000;

/// Counts rows and assembles some of them as a job would; nothing is written. A client that goes away ends it.
#[utoipa::path(post, path = "/project/{id}/dry-run", tag = "projects", params(("id" = String, Path)), request_body = DryRunRequest,
    responses((status = 200, body = DryRun), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse),
    (status = 409, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn create(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<DryRunRequest>,
) -> Result<Json<DryRun>, ApiError> {
    let record = find(&state, &id).await?;
    check_consent(&record)?;
    let sample = request.sample.unwrap_or(SAMPLE);
    if !(1..=SAMPLE_MAX).contains(&sample) {
        return Err(ApiError::invalid(format!(
            "the field `sample` is {sample}; it may be 1 to {SAMPLE_MAX}"
        )));
    }
    let source = connection_of(&state, &record, request.jdbc_connection_details).await?;
    let job = PostMigrationJobRequest {
        relational_table_filters: request.relational_table_filters,
        collection_filters: request.collection_filters,
        ..PostMigrationJobRequest::looking(id, source, MigrationMode::Snapshot)
    };
    let workers = state.supervisor.workers();
    let looked = async {
        let (plan, source, _) = prepare_source(&job, &record.file).await?;
        Ok::<_, PrepareError>(dry_run(&plan, &*source, sample, workers).await?)
    };
    Ok(Json(in_time("the dry run", Box::pin(looked)).await?))
}
