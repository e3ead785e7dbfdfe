//! Errors of all rooms as answers. Only `code`, `message` and `description` leave the server.

use crate::jobs::JobError;
use crate::jobs::prepare::PrepareError;
use crate::sink::SinkError;
use crate::source::SourceError;
use crate::store::StoreError;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::JobId;
use godwit_shared::relmig::ProjectFileError;

/// An answer that is not a success.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    message: String,
    description: Option<String>,
    job_id: Option<JobId>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            description: None,
            job_id: None,
        }
    }

    pub fn with_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.description = hint.map(Into::into);
        self
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what} {id}"))
    }
}

/// The HTTP status of a code.
fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::WrongState
        | ErrorCode::JobConflict
        | ErrorCode::ConversionRunning
        | ErrorCode::NotCancellable
        | ErrorCode::ConsentNeeded
        | ErrorCode::RevisionConflict => StatusCode::CONFLICT,
        ErrorCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::TargetDatabaseMissing
        | ErrorCode::InvalidMapping
        | ErrorCode::InvalidProjectFile
        | ErrorCode::InvalidDdl
        | ErrorCode::SourcePermission
        | ErrorCode::TargetPermission
        | ErrorCode::RowSecurity
        | ErrorCode::PreflightFailed
        | ErrorCode::EntryUnreadable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::SourceUnreachable | ErrorCode::TargetUnreachable => StatusCode::BAD_GATEWAY,
        ErrorCode::ResyncNeeded | ErrorCode::SchemaChanged => StatusCode::CONFLICT,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::TooSlow => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Busy | ErrorCode::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal | ErrorCode::TooManyErrors => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl ApiError {
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Status and body.
    pub fn into_parts(self) -> (StatusCode, ErrorResponse) {
        let body = ErrorResponse {
            message: self.message,
            timestamp: Utc::now(),
            code: self.code,
            description: self.description,
            job_id: self.job_id,
        };
        (status_of(self.code), body)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, body) = self.into_parts();
        (status, Json(body)).into_response()
    }
}

impl From<PrepareError> for ApiError {
    fn from(error: PrepareError) -> Self {
        Self::new(error.code(), error.to_string()).with_hint(error.hint())
    }
}

impl From<SourceError> for ApiError {
    fn from(error: SourceError) -> Self {
        Self::new(error.code(), error.to_string()).with_hint(error.hint())
    }
}

impl From<SinkError> for ApiError {
    fn from(error: SinkError) -> Self {
        Self::new(error.code(), error.to_string()).with_hint(error.hint())
    }
}

impl From<ProjectFileError> for ApiError {
    fn from(error: ProjectFileError) -> Self {
        Self::new(ErrorCode::InvalidProjectFile, error.to_string()).with_hint(Some(match error {
            ProjectFileError::NotJson(_) | ProjectFileError::Missing(_) => {
                "Expected is a project file (*.relmig), as Export writes it: JSON that begins with its version and has a \
                 project and a schema."
            }
            ProjectFileError::Malformed { .. } | ProjectFileError::VersionUnreadable(_) => {
                "Export the project again and import that file: this one was changed, or cut off."
            }
            ProjectFileError::VersionTooOld(_)
            | ProjectFileError::TableUnknown { .. }
            | ProjectFileError::Rules(_) => "Export the project again and import that file.",
        }))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NameTaken(_) => Self::invalid(error.to_string()),
            StoreError::RevisionOld(_) => Self::new(ErrorCode::RevisionConflict, error.to_string())
                .with_hint(Some("Look at what is stored now, then save again.")),
            StoreError::Project(error) => error.into(),
            StoreError::TooLarge { .. } => Self::new(ErrorCode::PayloadTooLarge, error.to_string()).with_hint(Some(
                "Split the project: leave out schemas and tables that it does not map.",
            )),
            StoreError::LeaseLost { .. } => Self::new(ErrorCode::WrongState, error.to_string())
                .with_hint(Some("Ask again: that server is asked then.")),
            StoreError::Malformed(_) => Self::new(ErrorCode::EntryUnreadable, error.to_string())
                .with_hint(Some("Delete it, or put back what it was: everything else works.")),
            _ if error.is_passing() => {
                tracing::warn!(%error, "Store does not answer");
                let silent = match error {
                    StoreError::Silent(seconds) => format!(" within {seconds} seconds"),
                    _ => String::new(),
                };
                Self::new(
                    ErrorCode::StoreUnavailable,
                    format!("the store of Godwit does not answer{silent}"),
                )
                .with_hint(Some("Try again when the MongoDB of Godwit's own data answers."))
            }
            StoreError::Open { .. }
            | StoreError::Mongo(_)
            | StoreError::Silent(_)
            | StoreError::KeyFile { .. }
            | StoreError::OtherKey { .. }
            | StoreError::Folder { .. }
            | StoreError::Cancelled
            | StoreError::Local(_) => {
                tracing::error!(%error, "Store failed");
                Self::new(ErrorCode::Internal, "the store of Godwit does not answer")
                    .with_hint(Some("Its log has the cause."))
            }
        }
    }
}

impl From<JobError> for ApiError {
    fn from(error: JobError) -> Self {
        let message = error.to_string();
        match error {
            JobError::Prepare(e) => e.into(),
            JobError::Store(e) => e.into(),
            JobError::WrongState(_) | JobError::WrongCdcState(_) => Self::new(ErrorCode::WrongState, message),
            JobError::Refused(_) => Self::new(ErrorCode::WrongState, message),
            JobError::OwnerSilent(_) => Self::new(ErrorCode::WrongState, message)
                .with_hint(Some("Ask again: when its lease has run out, this server takes the job over.")),
            JobError::NotStored(_) => Self::new(ErrorCode::Internal, message).with_hint(Some(
                "It is stored as soon as the store answers. If this server ends before, the job goes on at its next start.",
            )),
            JobError::NotFound(_) => Self::new(ErrorCode::NotFound, message),
            JobError::ProjectInUse { job, .. } => Self {
                job_id: Some(job),
                ..Self::new(ErrorCode::JobConflict, message)
            }
            .with_hint(Some("Terminate or complete the job, or wait for its end.")),
            JobError::Conflict { job, .. } => Self {
                job_id: Some(job),
                ..Self::new(ErrorCode::JobConflict, message)
            }
            .with_hint(Some(
                "Wait for it, stop it, or write other collections or another database.",
            )),
        }
    }
}
