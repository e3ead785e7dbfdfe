//! A project to look around in, without any database.

use super::bounds;
use super::error::ApiError;
use super::projects::{Standing, import_file};
use super::router::AppState;
use axum::Json;
use axum::extract::State;
use godwit_shared::error::ErrorResponse;
use godwit_shared::project::ProjectSummary;
use godwit_shared::relmig::ProjectFile;

/// The sample shop of the demo: 16 tables and 6 collections.
const SHOP: &str = include_str!("../../../demo/shop.relmig");
const NAME: &str = "Sample shop";

/// Makes a project of the sample shop: its tables and rules, and no connection. It has JavaScript of ours, which may run.
#[utoipa::path(post, path = "/project/sample", tag = "projects", responses(
    (status = 200, body = ProjectSummary), (status = 503, body = ErrorResponse)))]
pub async fn create(State(state): State<AppState>) -> Result<Json<ProjectSummary>, ApiError> {
    let mut file = bounds::read_file(|| Ok(ProjectFile::from_json(SHOP)?)).await?;
    file.project.name = NAME.to_owned();
    file.project.jdbc_id = None;
    file.project.mongodb_id = None;
    file.project.connection_details = serde_json::json!({});
    import_file(&state, file, Standing::default()).await.map(Json)
}
