//! The error body of the REST API and its stable codes.

use crate::ids::JobId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What clients branch on. The text of an error may change; its code does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The body or a parameter is not what the path takes.
    InvalidRequest,
    /// No such project, job or connection.
    NotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The job is not in a state that allows this.
    WrongState,
    /// The project was saved by somebody else since.
    RevisionConflict,
    /// A DDL file that cannot be read.
    InvalidDdl,
    /// Another running job writes the same collections.
    JobConflict,
    /// The MongoDB URI names no database.
    TargetDatabaseMissing,
    /// The mapping cannot become a plan.
    InvalidMapping,
    /// The project file is not one, or lacks a member.
    InvalidProjectFile,
    /// The source does not answer or refuses the credentials.
    SourceUnreachable,
    /// MongoDB does not answer or refuses the credentials.
    TargetUnreachable,
    /// A mapped table may not be read.
    SourcePermission,
    /// The destination may not be written.
    TargetPermission,
    /// Row security would hide rows from this user.
    RowSecurity,
    /// The source is not ready for this mode.
    PreflightFailed,
    /// A query conversion is running.
    ConversionRunning,
    /// The analysis cannot be cancelled now.
    NotCancellable,
    /// The body, or what would be stored of it, is larger than the server takes.
    PayloadTooLarge,
    /// The project carries SQL or JavaScript that nobody has agreed to yet.
    ConsentNeeded,
    /// The answer would have taken too long.
    TimedOut,
    /// The request came from a host or page that may not use the API.
    Forbidden,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The body did not come in time.
    TooSlow,
    /// The server has as much to do as it can: the same may work a little later.
    Busy,
    /// The store of the server does not answer in time.
    StoreUnavailable,
    /// What the store holds under this id cannot be read.
    EntryUnreadable,
    /// A fault of the server; its log has the cause.
    Internal,
    /// The error limit of the job was reached.
    TooManyErrors,
    /// The source's log no longer reaches back to where the job stands: everything has to be read again.
    ResyncNeeded,
    /// The source's schema changed so that the mapping no longer fits it.
    SchemaChanged,
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorResponse {
    /// One sentence: what happened, to which object.
    pub message: String,
    /// When, RFC 3339 in UTC.
    pub timestamp: DateTime<Utc>,
    /// What clients branch on.
    pub code: ErrorCode,
    /// What to do now, or more detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The job that the error is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
}
