//! What this server is and whether it is well.

use super::bounds::PAGE_MAX;
use super::router::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use godwit_shared::forest::{DEPTH_MAX, RULES_MAX};
use godwit_shared::project::FILE_BYTES_MAX;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Build, kinds of source, deployment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    build: Build,
    /// Kinds that can be read.
    supported_databases: Vec<&'static str>,
    /// Nothing is ever sent.
    telemetry: Telemetry,
    deployment: Deployment,
    limits: Limits,
}

/// What is refused beyond, with `payload_too_large` or `invalid_project_file`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Limits {
    /// Bytes of a project file, and of any other request.
    project_file_bytes: usize,
    /// Rules of a project.
    rules: usize,
    /// Rules below each other.
    rule_depth: usize,
    /// Entries of a list in one answer.
    page: usize,
}

#[derive(Serialize, ToSchema)]
struct Build {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Telemetry {
    enabled: bool,
}

#[derive(Serialize, ToSchema)]
struct Deployment {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What this server is.
#[utoipa::path(get, path = "/info", tag = "server", responses((status = 200, body = Info)))]
pub async fn info() -> Json<Info> {
    Json(Info {
        build: Build {
            name: "godwit",
            version: env!("CARGO_PKG_VERSION"),
        },
        supported_databases: vec!["POSTGRESQL"],
        telemetry: Telemetry { enabled: false },
        deployment: Deployment { kind: "LOCAL" },
        limits: Limits {
            project_file_bytes: FILE_BYTES_MAX,
            rules: RULES_MAX,
            rule_depth: DEPTH_MAX,
            page: PAGE_MAX,
        },
    })
}

pub async fn actuator() -> Json<Value> {
    Json(json!({"_links": {"self": {"href": "/actuator"}, "health": {"href": "/actuator/health"}}}))
}

/// UP while the store answers.
pub async fn health(State(state): State<AppState>) -> impl IntoResponse {
    let is_up = tokio::time::timeout(std::time::Duration::from_secs(5), state.store.ping())
        .await
        .is_ok_and(|r| r.is_ok());
    let (code, status) = if is_up {
        (StatusCode::OK, "UP")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "DOWN")
    };
    (
        code,
        Json(
            json!({"status": status, "groups": ["liveness", "readiness"], "components": {"store": {"status": status}}}),
        ),
    )
}
