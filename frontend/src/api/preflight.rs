//! `/project/{id}/preflight`

use super::client::{self, ApiError};
use crate::format::wire_name;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::{PreflightReport, PreflightRequest};

/// Checks whether the source is ready for a job of this mode.
pub async fn check(
    project: &ProjectId,
    mode: MigrationMode,
    request: &PreflightRequest,
) -> Result<PreflightReport, ApiError> {
    client::post(&path(project, "", mode), request).await
}

/// The statements that give the source what it lacks.
pub async fn script(project: &ProjectId, mode: MigrationMode, request: &PreflightRequest) -> Result<String, ApiError> {
    client::post_for_text(&path(project, "/script", mode), request).await
}

fn path(project: &ProjectId, what: &str, mode: MigrationMode) -> String {
    format!("/project/{project}/preflight{what}?mode={}", wire_name(&mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let project = ProjectId::new("p1");
        assert_eq!(path(&project, "", MigrationMode::Cdc), "/project/p1/preflight?mode=CDC");
        assert_eq!(
            path(&project, "/script", MigrationMode::Cdc),
            "/project/p1/preflight/script?mode=CDC"
        );
    }
}
