//! `/project`

use super::client::{self, ApiError};
use godwit_shared::ids::ProjectId;
use godwit_shared::project::{Preview, PreviewRequest, ProjectDetails, ProjectSummary, SaveProject};

pub async fn list() -> Result<Vec<ProjectSummary>, ApiError> {
    client::get("/project").await
}

/// A project with its rules.
pub async fn get(id: &ProjectId) -> Result<ProjectDetails, ApiError> {
    client::get(&format!("/project/{id}")).await
}

/// Makes a project of a schema that was read before.
pub async fn create(project: &SaveProject) -> Result<ProjectDetails, ApiError> {
    client::post("/project", project).await
}

/// Changes the name and nothing else.
pub async fn rename(id: &ProjectId, name: String) -> Result<(), ApiError> {
    let details = get(id).await?;
    client::put(&format!("/project/{id}"), &renamed(details, name)).await
}

pub async fn delete(id: &ProjectId) -> Result<(), ApiError> {
    client::delete(&format!("/project/{id}")).await
}

/// Makes a project of the text of a project file.
pub async fn import(file: String) -> Result<ProjectSummary, ApiError> {
    client::post_json("/project/import", file).await
}

/// Documents of a collection, assembled from live rows.
pub async fn preview(id: &ProjectId, request: &PreviewRequest) -> Result<Preview, ApiError> {
    client::post(&format!("/project/{id}/preview"), request).await
}

/// Where the browser downloads the project file.
pub fn export_url(id: &ProjectId) -> String {
    client::url(&format!("/project/{id}/export"))
}

fn renamed(details: ProjectDetails, name: String) -> SaveProject {
    SaveProject {
        id: Some(details.summary.id),
        name,
        kind: details.summary.kind,
        schemas_id: details.schemas_id,
        content: details.content,
        jdbc_id: details.summary.jdbc_id,
        mongodb_id: details.summary.mongodb_id,
    }
}
