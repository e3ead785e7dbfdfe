//! `/store`

use super::client::{self, ApiError};
use godwit_shared::quarantine::UnreadableEntry;

/// What the store holds and cannot be read.
pub async fn unreadable() -> Result<Vec<UnreadableEntry>, ApiError> {
    client::get("/store/unreadable").await
}
