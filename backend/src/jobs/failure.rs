//! Why the work on a job cannot go on, and whether it may be tried again.

use super::prepare::PrepareError;
use crate::cdc::CdcError;
use crate::sink::SinkError;
use crate::snapshot::SnapshotError;
use crate::source::SourceError;
use crate::store::StoreError;
use godwit_shared::error::ErrorCode;

/// Why a job ended as failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    Cdc(#[from] CdcError),
    /// A fault of this program.
    #[error("the job ended unexpectedly: {0}")]
    Panicked(String),
    /// The user has resumed it.
    #[error("the job is tried again")]
    TryAgain,
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        RunError::Snapshot(error.into())
    }
}

impl From<SinkError> for RunError {
    fn from(error: SinkError) -> Self {
        RunError::Snapshot(error.into())
    }
}

impl From<SourceError> for RunError {
    fn from(error: SourceError) -> Self {
        RunError::Snapshot(error.into())
    }
}

impl RunError {
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            RunError::Prepare(e) => e.code(),
            RunError::Snapshot(SnapshotError::Source(e)) => e.code(),
            RunError::Snapshot(SnapshotError::Sink(e)) => e.code(),
            RunError::Snapshot(SnapshotError::Store(_) | SnapshotError::Panicked(_)) | RunError::Panicked(_) => {
                ErrorCode::Internal
            }
            RunError::Snapshot(SnapshotError::TooManyErrors(_)) => ErrorCode::TooManyErrors,
            RunError::Cdc(e) => e.code(),
            RunError::TryAgain => ErrorCode::Internal,
        }
    }

    /// Whether the same may work later: source, destination or store is away.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            RunError::Snapshot(SnapshotError::Source(e))
            | RunError::Prepare(PrepareError::Source(e))
            | RunError::Cdc(CdcError::Source(e)) => e.is_passing(),
            RunError::Snapshot(SnapshotError::Sink(e))
            | RunError::Prepare(PrepareError::Sink(e))
            | RunError::Cdc(CdcError::Sink(e)) => e.is_retryable(),
            RunError::Snapshot(SnapshotError::Store(e)) | RunError::Cdc(CdcError::Store(e)) => e.is_passing(),
            RunError::Snapshot(_)
            | RunError::Prepare(_)
            | RunError::Cdc(_)
            | RunError::Panicked(_)
            | RunError::TryAgain => false,
        }
    }

    /// A server is away: its outage has a line of its own in the log.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            RunError::Snapshot(SnapshotError::Source(e))
            | RunError::Prepare(PrepareError::Source(e))
            | RunError::Cdc(CdcError::Source(e)) => e.is_outage(),
            RunError::Snapshot(SnapshotError::Sink(e))
            | RunError::Prepare(PrepareError::Sink(e))
            | RunError::Cdc(CdcError::Sink(e)) => e.is_outage(),
            RunError::Snapshot(SnapshotError::Store(_)) | RunError::Cdc(CdcError::Store(_)) => true,
            RunError::Snapshot(_)
            | RunError::Prepare(_)
            | RunError::Cdc(_)
            | RunError::Panicked(_)
            | RunError::TryAgain => false,
        }
    }

    /// What the job keeps for itself cannot be had.
    pub(super) fn of_store(&self) -> Option<&StoreError> {
        match self {
            RunError::Snapshot(SnapshotError::Store(e)) | RunError::Cdc(CdcError::Store(e)) => Some(e),
            RunError::Snapshot(_)
            | RunError::Prepare(_)
            | RunError::Cdc(_)
            | RunError::Panicked(_)
            | RunError::TryAgain => None,
        }
    }
}
