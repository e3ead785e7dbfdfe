//! `/settings`

use super::client::{self, ApiError};
use godwit_shared::settings::{Delivery, ServerSettings};

/// What the administrator of the server has set.
pub async fn get() -> Result<ServerSettings, ApiError> {
    client::get("/settings").await
}

/// Sends a test to the webhook.
pub async fn test_webhook() -> Result<Delivery, ApiError> {
    client::post_empty("/settings/webhook/test").await
}
