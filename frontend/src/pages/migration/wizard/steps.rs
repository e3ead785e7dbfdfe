//! The steps, their order, and which of them an error of the server belongs to.

use godwit_shared::error::ErrorCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Source,
    Destination,
    Options,
    Review,
}

impl Step {
    pub const ALL: [Step; 4] = [Step::Source, Step::Destination, Step::Options, Step::Review];

    pub fn title(self) -> &'static str {
        match self {
            Step::Source => "Connect Source DB",
            Step::Destination => "Connect Destination DB",
            Step::Options => "Migration Options",
            Step::Review => "Review summary",
        }
    }

    /// From 1.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    pub fn next(self) -> Option<Step> {
        Step::ALL.get(self as usize + 1).copied()
    }

    pub fn previous(self) -> Option<Step> {
        (self as usize).checked_sub(1).map(|i| Step::ALL[i])
    }
}

/// Where the user corrects it.
pub fn step_of_error(code: Option<ErrorCode>) -> Step {
    match code {
        Some(ErrorCode::SourceUnreachable | ErrorCode::SourcePermission | ErrorCode::RowSecurity) => Step::Source,
        Some(ErrorCode::TargetUnreachable | ErrorCode::TargetPermission | ErrorCode::TargetDatabaseMissing) => {
            Step::Destination
        }
        // The checks and the way to mend them stand there.
        Some(ErrorCode::PreflightFailed) => Step::Options,
        Some(
            ErrorCode::InvalidRequest
            | ErrorCode::NotFound
            | ErrorCode::MethodNotAllowed
            | ErrorCode::WrongState
            | ErrorCode::RevisionConflict
            | ErrorCode::InvalidDdl
            | ErrorCode::JobConflict
            | ErrorCode::InvalidMapping
            | ErrorCode::InvalidProjectFile
            | ErrorCode::ConversionRunning
            | ErrorCode::NotCancellable
            | ErrorCode::PayloadTooLarge
            | ErrorCode::ConsentNeeded
            | ErrorCode::TimedOut
            | ErrorCode::Forbidden
            | ErrorCode::UnsupportedMediaType
            | ErrorCode::TooSlow
            | ErrorCode::Busy
            | ErrorCode::StoreUnavailable
            | ErrorCode::EntryUnreadable
            | ErrorCode::Internal
            | ErrorCode::TooManyErrors
            | ErrorCode::ResyncNeeded
            | ErrorCode::SchemaChanged,
        )
        | None => Step::Review,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_in_order() {
        assert_eq!(Step::Source.previous(), None);
        assert_eq!(Step::Source.next(), Some(Step::Destination));
        assert_eq!(Step::Review.next(), None);
        assert_eq!(Step::ALL.map(Step::number), [1, 2, 3, 4]);
    }

    #[test]
    fn errors_are_shown_where_they_can_be_corrected() {
        let check = |code, step| assert_eq!(step_of_error(code), step);
        check(Some(ErrorCode::SourceUnreachable), Step::Source);
        check(Some(ErrorCode::TargetDatabaseMissing), Step::Destination);
        check(Some(ErrorCode::PreflightFailed), Step::Options);
        check(Some(ErrorCode::JobConflict), Step::Review);
        check(None, Step::Review);
    }
}
