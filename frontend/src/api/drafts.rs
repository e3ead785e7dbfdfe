//! What the server answers for drafts; nothing of it is stored.

use super::client::{self, ApiError};
use godwit_shared::draft::{
    CheckDraft, CheckFilter, CheckKey, DraftCheck, DraftPreview, FilterCount, KeyMatch, PreviewDraft, RefreshDraft,
    SchemaDifference,
};
use godwit_shared::ids::ProjectId;
use godwit_shared::proposal::{Proposal, ProposeForDraft};
use web_sys::AbortSignal;

/// What is wrong with a draft.
pub async fn check(id: &ProjectId, request: &CheckDraft, signal: &AbortSignal) -> Result<DraftCheck, ApiError> {
    client::post_until(&format!("/project/{id}/draft/check"), request, signal).await
}

/// Documents of a draft, assembled from live rows.
pub async fn preview(id: &ProjectId, request: &PreviewDraft, signal: &AbortSignal) -> Result<DraftPreview, ApiError> {
    client::post_until(&format!("/project/{id}/draft/preview"), request, signal).await
}

/// How rows match a synthetic key.
pub async fn key(id: &ProjectId, request: &CheckKey) -> Result<KeyMatch, ApiError> {
    client::post(&format!("/project/{id}/draft/key"), request).await
}

/// How many rows a table filter lets through.
pub async fn filter(id: &ProjectId, request: &CheckFilter) -> Result<FilterCount, ApiError> {
    client::post(&format!("/project/{id}/draft/filter"), request).await
}

/// The schema of the source as it is now, and what it would change.
pub async fn refresh(id: &ProjectId, request: &RefreshDraft) -> Result<SchemaDifference, ApiError> {
    client::post(&format!("/project/{id}/draft/refresh"), request).await
}

/// A document model for the tables of a draft, with reasons.
pub async fn propose(id: &ProjectId, request: &ProposeForDraft) -> Result<Proposal, ApiError> {
    client::post(&format!("/project/{id}/draft/proposal"), request).await
}
