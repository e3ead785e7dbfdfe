//! What whoever runs the server has set, as its users may see it.

use serde::{Deserialize, Serialize};

/// The answer of `GET /settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServerSettings {
    pub version: String,
    /// Where messages about jobs go; absent: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookSettings>,
    /// Whether connections may name certificates of a folder of the server.
    pub has_certificates_folder: bool,
    /// Whether connections may name Unix sockets of the server's machine.
    pub allows_unix_sockets: bool,
}

/// A webhook, without what its address may hold of secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookSettings {
    /// Scheme, host and port: `https://hooks.example.org`. A path may be as good as a password.
    pub origin: String,
    pub lag_limit_ms: u64,
    /// What became of the last message; absent: none was sent yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Delivery>,
}

/// What became of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub at: chrono::DateTime<chrono::Utc>,
    /// Why it did not arrive; absent: it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
