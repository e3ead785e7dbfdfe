//! Why following stops, and what is to be done about it.

use crate::data::progress::TooManyErrors;
use crate::data::row::MalformedRow;
use crate::sink::SinkError;
use crate::source::SourceError;
use crate::source::change_log::{LogError, SchemaChange};
use crate::store::StoreError;
use godwit_shared::error::ErrorCode;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum CdcError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pause came; what was under way has ended.
    #[error("interrupted by a pause")]
    Halted,
    #[error("the schema of the source has changed")]
    Schema(Vec<SchemaChange>),
    /// The user has to do something before it can go on; nothing is lost meanwhile.
    #[error("{0}")]
    Blocked(String),
    /// The log does not reach back to where the job stands.
    #[error("everything has to be read again: {0}")]
    Resync(String),
    #[error(transparent)]
    TooManyErrors(#[from] TooManyErrors),
    /// A fault of this program: what it was at is unknown.
    #[error("a task of the job ended unexpectedly: {0}")]
    Panicked(String),
}

/// What an error asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Try again from the last checkpoint, after a while.
    Retry,
    /// Look at the schema, then go on from the last checkpoint.
    FollowSchema,
    /// Stand still until the user has done something.
    Pause,
    /// The job cannot go on.
    Fail,
}

impl CdcError {
    pub fn handling(&self) -> Handling {
        match self {
            CdcError::Source(error) if error.is_passing() => Handling::Retry,
            CdcError::Source(SourceError::LogUnusable { .. }) => Handling::Fail,
            CdcError::Source(
                SourceError::Cancelled
                // A statement that failed may meet a table that is being changed; what stays is found at the next try.
                | SourceError::Query { .. }
                | SourceError::MalformedRow(_),
            )
            | CdcError::Halted => Handling::Retry,
            // Who has lost the job must not touch anything of it.
            CdcError::Store(StoreError::LeaseLost { .. }) => Handling::Fail,
            CdcError::Store(error) if error.is_passing() || matches!(error, StoreError::Cancelled) => Handling::Retry,
            CdcError::Sink(error) if error.is_retryable() || matches!(error, SinkError::Cancelled) => Handling::Retry,
            CdcError::Schema(_) => Handling::FollowSchema,
            CdcError::Source(_) | CdcError::Sink(_) | CdcError::Store(_) | CdcError::Blocked(_) => Handling::Pause,
            CdcError::Resync(_) | CdcError::TooManyErrors(_) | CdcError::Panicked(_) => Handling::Fail,
        }
    }

    /// A server is away: its outage has a line of its own in the log.
    pub fn is_outage(&self) -> bool {
        match self {
            CdcError::Source(error) => error.is_outage(),
            CdcError::Sink(error) => error.is_outage(),
            CdcError::Store(error) => error.is_passing(),
            CdcError::Halted
            | CdcError::Schema(_)
            | CdcError::Blocked(_)
            | CdcError::Resync(_)
            | CdcError::TooManyErrors(_)
            | CdcError::Panicked(_) => false,
        }
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            CdcError::Source(e) => e.code(),
            CdcError::Sink(e) => e.code(),
            CdcError::Store(_) | CdcError::Halted | CdcError::Panicked(_) => ErrorCode::Internal,
            CdcError::Schema(_) | CdcError::Blocked(_) => ErrorCode::SchemaChanged,
            CdcError::Resync(_) => ErrorCode::ResyncNeeded,
            CdcError::TooManyErrors(_) => ErrorCode::TooManyErrors,
        }
    }
}

impl From<LogError> for CdcError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Source(error) => CdcError::Source(error),
            LogError::Resync(reason) => CdcError::Resync(reason),
            LogError::Blocked(reason) => CdcError::Blocked(reason),
            LogError::NotKept(error) => match error.downcast::<StoreError>() {
                Ok(error) => CdcError::Store(*error),
                Err(other) => CdcError::Blocked(other.to_string()),
            },
        }
    }
}

impl From<MalformedRow> for CdcError {
    fn from(error: MalformedRow) -> Self {
        CdcError::Source(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_stored_stays_an_error_of_the_store() {
        let lost = StoreError::Malformed("a checkpoint".into());
        let error = CdcError::from(LogError::NotKept(lost.into()));
        assert!(matches!(error, CdcError::Store(StoreError::Malformed(_))), "{error:?}");
    }
}
