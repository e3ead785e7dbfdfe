//! How a command ends: the number of the process, and the error that is printed.

use crate::api::ApiError;
use crate::jobs::prepare::PrepareError;
use crate::sink::SinkError;
use crate::source::SourceError;
use crate::store::StoreError;
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::job::FailureError;
use godwit_shared::relmig::ProjectFileError;
use serde_json::{Value, json};

/// The exit codes. They are part of the interface: none changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    NotReady,
    Unreachable,
    Different,
    Conflict,
    Cancelled,
    Waiting,
    Interrupted,
}

impl Exit {
    /// All of them, in the order of their numbers.
    pub const ALL: [Exit; 10] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::NotReady,
        Exit::Unreachable,
        Exit::Different,
        Exit::Conflict,
        Exit::Cancelled,
        Exit::Waiting,
        Exit::Interrupted,
    ];

    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotReady => 3,
            Exit::Unreachable => 4,
            Exit::Different => 5,
            Exit::Conflict => 6,
            Exit::Cancelled => 7,
            Exit::Waiting => 8,
            // As shells count a process that SIGINT has ended.
            Exit::Interrupted => 130,
        }
    }

    /// What it means, in one clause.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "failed: the job has failed, or something that no other number is for",
            Exit::Usage => "usage: an argument, a configuration file or a project file is not what is expected",
            Exit::NotReady => "not ready: a check of source, destination or mapping has failed; nothing was written",
            Exit::Unreachable => {
                "unreachable: source, destination, store or server does not answer, or refuses the sign-on"
            }
            Exit::Different => "different: diff or verify has found differences",
            Exit::Conflict => {
                "conflict: another job or process is in the way, or an earlier run has not ended (--resume, --restart)"
            }
            Exit::Cancelled => "cancelled: somebody has ended the job before it was done",
            Exit::Waiting => "waiting: the job is paused or stands still until somebody lets it go on",
            Exit::Interrupted => "interrupted: stopped by Ctrl-C or SIGTERM; --resume goes on",
        }
    }

    /// All of them as text, one a line, as the help has it.
    pub fn table() -> String {
        let line = |exit: &Exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning());
        Self::ALL.iter().map(line).collect()
    }

    /// That of an error of the API.
    fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::InvalidRequest
            | ErrorCode::NotFound
            | ErrorCode::MethodNotAllowed
            | ErrorCode::InvalidProjectFile
            | ErrorCode::InvalidDdl
            | ErrorCode::PayloadTooLarge
            | ErrorCode::TargetDatabaseMissing
            | ErrorCode::UnsupportedMediaType => Exit::Usage,
            ErrorCode::InvalidMapping
            | ErrorCode::SourcePermission
            | ErrorCode::TargetPermission
            | ErrorCode::RowSecurity
            | ErrorCode::PreflightFailed
            | ErrorCode::ConsentNeeded => Exit::NotReady,
            ErrorCode::SourceUnreachable
            | ErrorCode::TargetUnreachable
            | ErrorCode::StoreUnavailable
            | ErrorCode::Forbidden => Exit::Unreachable,
            ErrorCode::WrongState
            | ErrorCode::JobConflict
            | ErrorCode::RevisionConflict
            | ErrorCode::ConversionRunning
            | ErrorCode::NotCancellable => Exit::Conflict,
            ErrorCode::TimedOut
            | ErrorCode::TooSlow
            | ErrorCode::Busy
            | ErrorCode::EntryUnreadable
            | ErrorCode::Internal
            | ErrorCode::TooManyErrors
            | ErrorCode::ResyncNeeded
            | ErrorCode::SchemaChanged => Exit::Failed,
        }
    }
}

/// Why a command has not done what it was asked for.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    /// Stable: that of the API, or one of the command line's own.
    pub code: String,
    /// One sentence without full stop.
    pub message: String,
    /// What to do now.
    pub hint: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What was asked for cannot be understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// A file of the user that cannot be read or written.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(Exit::Usage, "file", format!("{}: {error}", path.display()))
    }

    fn of(code: ErrorCode, message: String, hint: Option<String>) -> Self {
        Self {
            exit: Exit::of(code),
            code: word(&code),
            message,
            hint,
        }
    }

    /// That a job has failed.
    pub fn of_job(failure: &FailureError) -> Self {
        Self::of(failure.error_type, failure.message.clone(), None)
    }

    /// As it is printed for programs.
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "event": "error", "code": self.code, "message": self.message, "exitCode": self.exit.code(),
        });
        if let Some(hint) = &self.hint {
            value["hint"] = json!(hint);
        }
        value
    }
}

/// An enum of the wire as the wire spells it.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

impl From<ErrorResponse> for Failure {
    fn from(error: ErrorResponse) -> Self {
        Self::of(error.code, error.message, error.description)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        error.into_parts().1.into()
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        Self::of(error.code(), error.to_string(), error.hint())
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::of(error.code(), error.to_string(), error.hint().map(Into::into))
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        Self::of(error.code(), error.to_string(), error.hint().map(Into::into))
    }
}

impl From<ProjectFileError> for Failure {
    fn from(error: ProjectFileError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Folder { .. }
            | StoreError::KeyFile { .. }
            | StoreError::OtherKey { .. }
            | StoreError::Local(_) => Exit::Usage,
            StoreError::Open { .. } => Exit::Unreachable,
            other if other.is_passing() => Exit::Unreachable,
            _ => Exit::Failed,
        };
        let failure = Self::new(exit, "store", error.to_string());
        match error {
            StoreError::Local(_) => failure.with_hint(
                "Name a MongoDB for the state with --store-uri, or let it lie in the destination with --store-in-target.",
            ),
            _ => failure,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<StoreError>() {
            Ok(store) => store.into(),
            Err(other) => Self::new(Exit::Failed, "failed", format!("{other:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_stands_for_one_end() {
        let mut codes = Exit::ALL.map(Exit::code).to_vec();
        let sorted = codes.clone();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes, sorted);
        assert_eq!(Exit::table().lines().count(), Exit::ALL.len());
    }

    #[test]
    fn an_error_is_one_value_for_programs() {
        let failure = Failure::of(ErrorCode::PreflightFailed, "no".into(), Some("do".into()));
        assert_eq!(failure.exit, Exit::NotReady);
        let expected =
            json!({"event": "error", "code": "preflight_failed", "message": "no", "hint": "do", "exitCode": 3});
        assert_eq!(failure.to_json(), expected);
    }
}
