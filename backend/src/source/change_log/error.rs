//! What keeps a job from following a change log.

use super::NotKept;
use crate::source::SourceError;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log does not reach back to where the job stands, or is another one.
    #[error("{0}")]
    Resync(String),
    /// The user has to do something before it can go on; nothing is lost meanwhile.
    #[error("{0}")]
    Blocked(String),
    /// What was to be made in the source could not be stored first.
    #[error(transparent)]
    NotKept(NotKept),
}
