//! `/project`

use super::client::{self, ApiError};
use godwit_shared::consent::{Consent, GiveConsent};
use godwit_shared::ids::ProjectId;
use godwit_shared::project::{ProjectCollection, ProjectDetails, ProjectSummary, RevisionConflict, SaveProject};

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
    put(SaveProject {
        name,
        ..unchanged(details)
    })
    .await
}

/// Changes the connections that are given, and nothing else.
pub async fn set_connections(id: &ProjectId, jdbc: Option<String>, mongodb: Option<String>) -> Result<(), ApiError> {
    let project = unchanged(get(id).await?);
    let changed = SaveProject {
        jdbc_id: jdbc.or_else(|| project.jdbc_id.clone()),
        mongodb_id: mongodb.or_else(|| project.mongodb_id.clone()),
        ..project.clone()
    };
    match changed == project {
        true => Ok(()),
        false => put(changed).await,
    }
}

/// Why a draft was not saved.
#[derive(Debug, Clone, PartialEq)]
pub enum SaveError {
    /// Somebody else has saved since; what is stored now.
    Conflict(Box<RevisionConflict>),
    Other(ApiError),
}

/// Saves a draft; the project as it is stored now.
pub async fn save(project: &SaveProject) -> Result<ProjectDetails, SaveError> {
    let id = project.id.as_ref().map(ProjectId::as_str).unwrap_or_default();
    let answer = client::put_for_answer(&format!("/project/{id}"), project).await;
    let (status, text) = answer.map_err(SaveError::Other)?;
    match status {
        200..300 => client::parse(&text).map_err(SaveError::Other),
        _ => Err(match serde_json::from_str::<RevisionConflict>(&text) {
            Ok(conflict) => SaveError::Conflict(Box::new(conflict)),
            Err(_) => SaveError::Other(client::refusal(status, &text)),
        }),
    }
}

/// The collections of a project with the tables that feed them.
pub async fn collections(id: &ProjectId) -> Result<Vec<ProjectCollection>, ApiError> {
    client::get(&format!("/project/{id}/collections")).await
}

pub async fn delete(id: &ProjectId) -> Result<(), ApiError> {
    client::delete(&format!("/project/{id}")).await
}

/// Makes a project of the text of a project file. Who chooses a file has not read it: what it carries waits for that.
pub async fn import(file: String) -> Result<ProjectSummary, ApiError> {
    client::post_json("/project/import?consent=ask", file).await
}

/// Makes a project of the sample shop.
pub async fn create_sample() -> Result<ProjectSummary, ApiError> {
    client::post_empty("/project/sample").await
}

/// Makes a project of a small database with rows.
pub async fn create_sample_database() -> Result<ProjectSummary, ApiError> {
    client::post_empty("/project/sample-database").await
}

/// The SQL and JavaScript that a project carries.
pub async fn consent(id: &ProjectId) -> Result<Consent, ApiError> {
    client::get(&format!("/project/{id}/consent")).await
}

/// Agrees to it, as it was read.
pub async fn give_consent(id: &ProjectId, digest: String) -> Result<ProjectSummary, ApiError> {
    client::post(&format!("/project/{id}/consent"), &GiveConsent { digest }).await
}

/// Where the browser downloads the project file.
pub fn export_url(id: &ProjectId) -> String {
    client::url(&format!("/project/{id}/export"))
}

async fn put(project: SaveProject) -> Result<(), ApiError> {
    let id = project.id.as_ref().map(ProjectId::as_str).unwrap_or_default();
    client::put(&format!("/project/{id}"), &project).await
}

/// What leaves a project as it is.
fn unchanged(details: ProjectDetails) -> SaveProject {
    SaveProject {
        id: Some(details.summary.id),
        name: details.summary.name,
        kind: details.summary.kind,
        schemas_id: details.schemas_id,
        content: details.content,
        jdbc_id: details.summary.jdbc_id,
        mongodb_id: details.summary.mongodb_id,
        revision: None,
        full: None,
    }
}
