//! Why a verification cannot go on.

use crate::sink::SinkError;
use crate::source::SourceError;
use crate::store::StoreError;
use godwit_shared::error::ErrorCode;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cancelled")]
    Cancelled,
    /// A fault of this program.
    #[error("a task of the verification ended unexpectedly: {0}")]
    Panicked(String),
}

impl VerifyError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            VerifyError::Source(e) => e.code(),
            VerifyError::Sink(e) => e.code(),
            VerifyError::Store(_) => ErrorCode::StoreUnavailable,
            VerifyError::Cancelled | VerifyError::Panicked(_) => ErrorCode::Internal,
        }
    }
}
