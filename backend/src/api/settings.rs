//! What whoever runs the server has set.

use super::error::ApiError;
use super::router::AppState;
use crate::certificates;
use crate::webhook::Webhook;
use axum::Json;
use axum::extract::State;
use chrono::Utc;
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::notice::{Notice, NoticeKind};
use godwit_shared::settings::{Delivery, ServerSettings};

/// The settings of the server, as far as its users may see them.
#[utoipa::path(get, path = "/settings", tag = "server", responses((status = 200, body = ServerSettings)))]
pub async fn settings(State(state): State<AppState>) -> Json<ServerSettings> {
    Json(ServerSettings {
        version: env!("CARGO_PKG_VERSION").into(),
        webhook: state.webhook.as_ref().map(Webhook::shown),
        has_certificates_folder: certificates::has_folder(),
        allows_unix_sockets: certificates::allows_sockets(),
    })
}

/// Sends a test to the webhook, and says what became of it.
#[utoipa::path(post, path = "/settings/webhook/test", tag = "server", responses(
    (status = 200, body = Delivery), (status = 409, body = ErrorResponse)))]
pub async fn test_webhook(State(state): State<AppState>) -> Result<Json<Delivery>, ApiError> {
    let Some(webhook) = state.webhook else {
        return Err(ApiError::new(
            ErrorCode::WrongState,
            "no webhook is set: start the server with --webhook-url",
        ));
    };
    let notice = Notice {
        id: format!("test-{}", Utc::now().timestamp_millis()),
        event: NoticeKind::Test,
        at: Utc::now(),
        text: "A test of the webhook".into(),
        job: None,
    };
    // An attempt ends in a bounded time by itself.
    let sent = webhook.try_once(&notice).await;
    Ok(Json(Delivery {
        at: Utc::now(),
        failure: sent.err().map(|e| e.to_string()),
    }))
}
