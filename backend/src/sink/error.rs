//! What goes wrong at the destination, as a user has to read it.

use crate::certificates::CertificateError;
use crate::data::words::plain_reason;
use godwit_shared::error::ErrorCode;
use mongodb::error::ErrorKind;

/// Errors of the destination. [`SinkError::code`] and [`SinkError::hint`] decide what the user sees.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error("the MongoDB URI is not valid: {reason}")]
    InvalidUri { reason: String },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the MongoDB URI names no database")]
    DatabaseMissing,
    #[error("MongoDB does not allow the database name \"{name}\"")]
    InvalidDatabase { name: String },
    #[error(
        "there is a database \"{existing}\", and MongoDB does not allow another that differs in case alone: \"{name}\""
    )]
    DatabaseCase { name: String, existing: String },
    #[error("cannot reach MongoDB at {hosts}: {reason}")]
    Unreachable { hosts: String, reason: String },
    #[error("MongoDB at {hosts} refused the credentials")]
    WrongCredentials { hosts: String },
    #[error("no right to write \"{collection}\" in the database \"{database}\"")]
    NoWrite { database: String, collection: String },
    #[error("the database \"{name}\" belongs to MongoDB itself")]
    ReservedDatabase { name: String },
    #[error("no right to read \"{collection}\" in the database \"{database}\"")]
    NoRead { database: String, collection: String },
    #[error("MongoDB does not support what the URI asks for: {reason}")]
    Unsupported { reason: String },
    #[error("\"{collection}\" cannot be written: it is a {kind}")]
    WrongKind { collection: String, kind: String },
    #[error("\"{collection}\" cannot become a time series: there is a {kind} of this name")]
    TimeSeriesTaken { collection: String, kind: String },
    #[error("MongoDB refused a command: {reason}")]
    Command { reason: String, code: Option<i32> },
    #[error("cancelled")]
    Cancelled,
}

impl SinkError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            SinkError::InvalidUri { .. }
            | SinkError::Certificate(_)
            | SinkError::InvalidDatabase { .. }
            | SinkError::ReservedDatabase { .. }
            | SinkError::Unsupported { .. }
            | SinkError::DatabaseCase { .. } => ErrorCode::InvalidRequest,
            SinkError::DatabaseMissing => ErrorCode::TargetDatabaseMissing,
            SinkError::Unreachable { .. } | SinkError::WrongCredentials { .. } => ErrorCode::TargetUnreachable,
            SinkError::NoWrite { .. }
            | SinkError::NoRead { .. }
            | SinkError::WrongKind { .. }
            | SinkError::TimeSeriesTaken { .. } => ErrorCode::TargetPermission,
            SinkError::Command {
                code: Some(UNAUTHORIZED),
                ..
            } => ErrorCode::TargetPermission,
            SinkError::Command { .. } | SinkError::Cancelled => ErrorCode::Internal,
        }
    }

    /// What to do now.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            SinkError::Certificate(error) => error.hint(),
            SinkError::InvalidUri { .. } => "Write it as mongodb://host:port/database or mongodb+srv://host/database.",
            SinkError::InvalidDatabase { .. } => "It may have 63 bytes, and none of / \\ . space \" $.",
            SinkError::DatabaseCase { .. } => "Use the name of the database that is there, or another one.",
            SinkError::DatabaseMissing => "Put the database behind the host: mongodb://host:port/database.",
            SinkError::Unreachable { .. } => {
                "Check host and port, that the server runs, and the replica set's name in the URI."
            }
            SinkError::WrongCredentials { .. } => "Check user, password and authSource.",
            SinkError::ReservedDatabase { .. } => {
                "Name another database: documents of a migration need one of their own."
            }
            SinkError::Unsupported { .. } => "Change the options of the URI: w, journal, readConcernLevel.",
            SinkError::NoWrite { .. } | SinkError::NoRead { .. } => {
                "Give the user the role readWrite on this database."
            }
            SinkError::WrongKind { .. } => "Rename the collection in the mapping, or remove what has its name.",
            SinkError::TimeSeriesTaken { .. } => {
                "Let the job drop it, or rename the collection in the mapping: a time series would take every document a second time."
            }
            SinkError::Command { .. } | SinkError::Cancelled => return None,
        })
    }

    /// Why, where somebody says already what is away.
    pub fn reason_alone(&self) -> String {
        match self {
            SinkError::Unreachable { reason, .. } => reason.clone(),
            other => other.to_string(),
        }
    }

    /// Whether the server is away, and nothing else is wrong.
    pub fn is_outage(&self) -> bool {
        matches!(self, SinkError::Unreachable { .. })
    }

    /// Whether the same write may succeed later: the server is away, changes its primary, or asks to wait.
    pub fn is_retryable(&self) -> bool {
        match self {
            SinkError::Unreachable { .. } => true,
            SinkError::Command { code, .. } => code.is_some_and(|c| RETRYABLE_CODES.contains(&c)),
            SinkError::InvalidUri { .. }
            | SinkError::Certificate(_)
            | SinkError::InvalidDatabase { .. }
            | SinkError::DatabaseCase { .. }
            | SinkError::DatabaseMissing
            | SinkError::WrongCredentials { .. }
            | SinkError::ReservedDatabase { .. }
            | SinkError::Unsupported { .. }
            | SinkError::NoWrite { .. }
            | SinkError::NoRead { .. }
            | SinkError::WrongKind { .. }
            | SinkError::TimeSeriesTaken { .. }
            | SinkError::Cancelled => false,
        }
    }

    pub(super) fn of(error: &mongodb::error::Error, hosts: &str) -> Self {
        let hosts = hosts.to_owned();
        match error.kind.as_ref() {
            ErrorKind::InvalidArgument { message, .. } => SinkError::InvalidUri {
                reason: message.clone(),
            },
            ErrorKind::Authentication { .. } => SinkError::WrongCredentials { hosts },
            ErrorKind::ServerSelection { message, .. } if message.contains("Authentication failed") => {
                SinkError::WrongCredentials { hosts }
            }
            ErrorKind::ServerSelection { message, .. } => SinkError::Unreachable {
                hosts,
                reason: plain_reason(message),
            },
            ErrorKind::DnsResolve { message, .. } => SinkError::Unreachable {
                hosts,
                reason: plain_reason(message),
            },
            ErrorKind::Io(e) => SinkError::Unreachable {
                hosts,
                reason: plain_reason(&e.to_string()),
            },
            ErrorKind::ConnectionPoolCleared { message, .. } => SinkError::Unreachable {
                hosts,
                reason: plain_reason(message),
            },
            ErrorKind::Command(e) => SinkError::Command {
                reason: e.message.clone(),
                code: Some(e.code),
            },
            _ => SinkError::Command {
                reason: plain_reason(&error.to_string()),
                code: None,
            },
        }
    }
}

/// Codes of the retryable writes specification, and the two of a write concern that was not met in time.
/// <https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md>
const RETRYABLE_CODES: [i32; 16] = [
    6, 7, 89, 91, 112, 189, 262, 317, 358, 384, 9001, 10107, 11600, 11602, 13435, 13436,
];

/// The server's code for a command that the user may not run.
pub(super) const UNAUTHORIZED: i32 = 13;
