//! All routes in one place, with the OpenAPI document that is made of them.

use super::body::{self, Budget};
use super::error::ApiError;
use super::guard::Doors;
use super::info::Health;
use super::live::Texts;
use super::{
    analyses, assets, connections, consent, drafts, dry_run, guard, headers, info, jobs, live, preflight, projects,
    sample, schema, settings, shelf, verifications,
};
use crate::jobs::{Hub, Supervisor};
use crate::store::AskedStore;
use crate::webhook::Webhook;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::Next;
use axum::routing::get;
use axum::{Json, Router};
use godwit_shared::API_BASE;
use godwit_shared::error::ErrorCode;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What every handler can use.
#[derive(Clone)]
pub struct AppState {
    pub store: AskedStore,
    pub health: Health,
    pub texts: Texts,
    pub doors: Doors,
    pub hub: Arc<Hub>,
    pub supervisor: Arc<Supervisor>,
    /// Where messages about jobs go, if anywhere.
    pub webhook: Option<Webhook>,
    /// Ends the live connections when the server shuts down.
    pub shutdown: tokio_util::sync::CancellationToken,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Godwit",
        description = "Moves relational databases into MongoDB.",
        license(name = "Apache-2.0")
    ),
    components(schemas(
        godwit_shared::error::ErrorResponse,
        godwit_shared::live::ServerMessage,
        godwit_shared::job::MigrationJobStatus
    ))
)]
struct ApiDoc;

/// The whole server as a service.
pub fn router(state: AppState) -> Router {
    let (api, document) = OpenApiRouter::with_openapi(ApiDoc::openapi())
        .nest(
            API_BASE,
            OpenApiRouter::new()
                .routes(routes!(info::info))
                .routes(routes!(info::unreadable))
                .routes(routes!(settings::settings))
                .routes(routes!(settings::test_webhook))
                .routes(routes!(projects::list, projects::create))
                .routes(routes!(projects::get, projects::update, projects::delete))
                .routes(routes!(projects::import))
                .routes(routes!(sample::create))
                .routes(routes!(sample::create_with_rows))
                .routes(routes!(projects::export))
                .routes(routes!(consent::get, consent::give))
                .routes(routes!(projects::collections))
                .routes(routes!(projects::preview, projects::preview_with))
                .routes(routes!(preflight::check, preflight::check_with))
                .routes(routes!(preflight::script, preflight::script_with))
                .routes(routes!(dry_run::create))
                .routes(routes!(drafts::check))
                .routes(routes!(drafts::preview))
                .routes(routes!(drafts::key))
                .routes(routes!(drafts::filter))
                .routes(routes!(drafts::refresh))
                .routes(routes!(drafts::propose))
                .routes(routes!(drafts::propose_for_schema))
                .routes(routes!(projects::recommendation))
                .routes(routes!(connections::list_jdbc, connections::save_jdbc))
                .routes(routes!(connections::get_jdbc, connections::delete_jdbc))
                .routes(routes!(connections::list_mongodb, connections::save_mongodb))
                .routes(routes!(connections::get_mongodb, connections::delete_mongodb))
                .routes(routes!(connections::environment))
                .routes(routes!(connections::test_jdbc))
                .routes(routes!(connections::test_mongodb))
                .routes(routes!(schema::read))
                .routes(routes!(schema::read_ddl))
                .routes(routes!(schema::get))
                .routes(routes!(jobs::list, jobs::create))
                .routes(routes!(jobs::summary))
                .routes(routes!(jobs::get, shelf::delete))
                .routes(routes!(shelf::label))
                .routes(routes!(shelf::written))
                .routes(routes!(shelf::delete_written))
                .routes(routes!(shelf::failed_rows))
                .routes(routes!(shelf::retry))
                .routes(routes!(shelf::collection))
                .routes(routes!(shelf::report))
                .routes(routes!(shelf::report_html))
                .routes(routes!(shelf::download_report))
                .routes(routes!(jobs::samples))
                .routes(routes!(jobs::stop))
                .routes(routes!(jobs::pause))
                .routes(routes!(jobs::resume))
                .routes(routes!(jobs::logs))
                .routes(routes!(jobs::download_logs))
                .routes(routes!(verifications::list, verifications::create))
                .routes(routes!(verifications::get))
                .routes(routes!(verifications::cancel))
                .routes(routes!(verifications::pause))
                .routes(routes!(verifications::resume))
                .routes(routes!(verifications::repair))
                .routes(routes!(verifications::findings))
                .routes(routes!(verifications::finding))
                .routes(routes!(verifications::download_findings))
                .routes(routes!(verifications::report))
                .routes(routes!(verifications::report_html))
                .routes(routes!(verifications::of_job))
                .routes(routes!(verifications::stop_of_job))
                .routes(routes!(analyses::task, analyses::create))
                .routes(routes!(analyses::cancel))
                .routes(routes!(analyses::report))
                .routes(routes!(analyses::reports))
                .routes(routes!(analyses::resolved, analyses::resolve))
                .routes(routes!(analyses::report_json))
                .routes(routes!(analyses::report_html))
                .routes(routes!(analyses::report_markdown))
                .routes(routes!(analyses::report_sarif))
                .routes(routes!(live::live)),
        )
        .split_for_parts();
    let document = Arc::new(document);
    let budget = Budget::default();
    let (for_requests, for_answers) = (budget.clone(), budget);
    let take = move |request: Request, next: Next| body::take(for_requests.clone(), request, next);
    let give = move |request: Request, next: Next| body::give(for_answers.clone(), request, next);
    Router::new()
        .merge(api)
        .route(
            &format!("{API_BASE}/openapi.json"),
            get(move || async move { Json((*document).clone()) }),
        )
        .route(&format!("{API_BASE}/{{*path}}"), axum::routing::any(unknown))
        .route("/actuator", get(info::actuator))
        .route("/actuator/health", get(info::health))
        .route("/actuator/health/{group}", get(info::health_of))
        .fallback(assets::serve)
        .method_not_allowed_fallback(other_method)
        .layer(axum::middleware::from_fn(give))
        .layer(CompressionLayer::new())
        // Bodies are here already, and bounded.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(take))
        .layer(axum::middleware::from_fn_with_state(state.doors.clone(), guard::check))
        .layer(axum::middleware::from_fn(headers::add))
        .with_state(state)
}

async fn other_method(method: axum::http::Method, uri: axum::http::Uri) -> ApiError {
    ApiError::new(
        ErrorCode::MethodNotAllowed,
        format!("{} does not take {method}", uri.path()),
    )
}

async fn unknown(uri: axum::http::Uri) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("the API has no path {}", uri.path()))
}
