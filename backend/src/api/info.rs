//! What this server is and whether it is well.

use super::bounds::PAGE_MAX;
use super::error::ApiError;
use super::router::AppState;
use crate::store::AskedStore;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use godwit_shared::connection::SourceKind;
use godwit_shared::forest::{DEPTH_MAX, RULES_MAX};
use godwit_shared::project::FILE_BYTES_MAX;
use godwit_shared::quarantine::UnreadableEntry;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
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
        supported_databases: SourceKind::ALL.map(SourceKind::code).to_vec(),
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

/// Entries of the store that cannot be read: they are left out of every list. Jobs as of the last look at them.
#[utoipa::path(get, path = "/store/unreadable", tag = "server", responses((status = 200, body = Vec<UnreadableEntry>)))]
pub async fn unreadable(State(state): State<AppState>) -> Result<Json<Vec<UnreadableEntry>>, ApiError> {
    state.store.projects().await?;
    state.store.jdbc_connections().await?;
    state.store.mongodb_connections().await?;
    Ok(Json(state.store.unreadable()))
}

pub async fn actuator() -> Json<Value> {
    Json(json!({"_links": {"self": {"href": "/actuator"}, "health": {"href": "/actuator/health"}}}))
}

/// How the store was when it was asked last: not more than one asks at a time, and nobody waits long.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<tokio::sync::Mutex<Option<Instant>>>);

/// An answer is good for so long.
const FRESH: Duration = Duration::from_millis(300);
/// Who asks how the server is gets an answer within a second, whatever the store does.
const WAIT_MAX: Duration = Duration::from_millis(700);

impl Health {
    async fn is_store_up(&self, store: &AskedStore) -> bool {
        let asked = async {
            let mut last = self.0.lock().await;
            if last.is_some_and(|at| at.elapsed() < FRESH) {
                return true;
            }
            *last = None;
            let is_up = store.ping().await.is_ok();
            *last = is_up.then(Instant::now);
            is_up
        };
        tokio::time::timeout(WAIT_MAX, asked).await.unwrap_or(false)
    }
}

/// UP while the store answers.
pub async fn health(State(state): State<AppState>) -> impl IntoResponse {
    let (code, status) = if state.health.is_store_up(&state.store).await {
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

/// One group: the server lives as long as it answers, and is ready while its store answers.
pub async fn health_of(state: State<AppState>, Path(group): Path<String>) -> Response {
    match group.as_str() {
        "liveness" => Json(json!({"status": "UP"})).into_response(),
        "readiness" => health(state).await.into_response(),
        other => ApiError::not_found("group of health", other).into_response(),
    }
}
