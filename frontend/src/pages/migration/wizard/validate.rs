//! What keeps the user from leaving a step.

use super::draft::{Draft, OptionsDraft};
use super::selective::selection_problem;
use super::steps::Step;
use crate::api::connections::SavedConnections;
use crate::connections::problem::{KnownSources, is_destination_complete, is_source_complete};

/// Whether nothing is missing or wrong in the step.
pub fn is_complete(draft: &Draft, step: Step, saved: &SavedConnections, collections: &[String]) -> bool {
    match step {
        Step::Source => {
            is_source_complete(&draft.source, KnownSources::saved(&saved.jdbc))
                && (!draft.save_source.has_source_to_save(&draft.source) || draft.save_source.problem().is_none())
        }
        Step::Destination => {
            let save = &draft.save_destination;
            is_destination_complete(&draft.destination, &saved.mongodb)
                && (!save.has_destination_to_save(&draft.destination) || save.problem().is_none())
        }
        Step::Options => {
            error_limit_problem(&draft.options).is_none() && selection_problem(&draft.options, collections).is_none()
        }
        Step::Review => true,
    }
}

/// What is wrong with the limit of errors, and what to write instead.
pub fn error_limit_problem(options: &OptionsDraft) -> Option<String> {
    let is_number = options.error_limit.trim().parse::<u64>().is_ok();
    (options.has_error_limit && !is_number).then(|| "Enter a whole number, 0 or more.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_left_when_they_are_complete() {
        let mut draft = Draft::default();
        let (saved, collections) = (SavedConnections::default(), ["orders".to_owned()]);
        let incomplete = |draft: &Draft| {
            let mut steps = Step::ALL.into_iter();
            steps.find(|step| !is_complete(draft, *step, &saved, &collections))
        };
        assert_eq!(incomplete(&draft), Some(Step::Source));
        draft.source.host = "h".into();
        assert_eq!(incomplete(&draft), Some(Step::Destination));
        draft.save_source.name = "x".repeat(101);
        assert_eq!(incomplete(&draft), Some(Step::Source));
        draft.save_source.is_saved = false;
        draft.destination.uri = "mongodb://h/db".into();
        draft.options.error_limit = "many".into();
        assert_eq!(incomplete(&draft), Some(Step::Options));
        draft.options.error_limit = "0".into();
        assert_eq!(incomplete(&draft), None);
        (draft.options.is_selective, draft.options.left_out) = (true, vec!["orders".into()]);
        assert_eq!(incomplete(&draft), Some(Step::Options));
    }

    #[test]
    fn the_limit_of_errors() {
        let check = |has_error_limit, text: &str, is_right: bool| {
            let options = OptionsDraft {
                has_error_limit,
                error_limit: text.into(),
                ..Default::default()
            };
            assert_eq!(error_limit_problem(&options).is_none(), is_right);
        };
        check(true, "100", true);
        check(true, "0", true);
        check(true, "-1", false);
        check(true, "", false);
        check(false, "", true);
    }
}
