//! How a check says what it found.

use super::filter::FilterProblem;
use godwit_shared::preflight::{CheckStatus, PreflightCheck};

/// The most names in one sentence; the list of tables has them all.
const NAMES_MAX: usize = 10;

/// A verdict without a script.
pub fn entry(id: &str, title: &str, status: CheckStatus, message: impl Into<String>) -> PreflightCheck {
    PreflightCheck {
        id: id.into(),
        title: title.into(),
        status,
        message: message.into(),
        tables: Vec::new(),
        script: None,
        can_be_prepared: false,
    }
}

/// Nothing to do.
pub fn passed(id: &str, title: &str, message: impl Into<String>) -> PreflightCheck {
    entry(id, title, CheckStatus::Passed, message)
}

/// What keeps a job from starting, with what mends it.
pub fn failed(id: &str, title: &str, message: impl Into<String>, script: Vec<String>) -> PreflightCheck {
    PreflightCheck {
        script: Some(script.join("\n")),
        ..entry(id, title, CheckStatus::Failed, message)
    }
}

/// Whether the filters of a snapshot can be used.
pub fn snapshot_filters(refused: &[FilterProblem]) -> PreflightCheck {
    let (id, title) = ("table_filters", "Table filters");
    match refused {
        [] => passed(id, title, "All table filters are valid."),
        some => {
            let reasons: Vec<String> = some.iter().map(|p| format!("{}: {}", p.table, p.reason)).collect();
            entry(id, title, CheckStatus::Failed, reasons.join("; "))
        }
    }
}

/// A source whose changes cannot be followed.
pub fn no_change_log(message: &str) -> PreflightCheck {
    entry("change_log", "Change log", CheckStatus::Failed, message)
}

/// Names in a sentence, not more than can be read.
pub fn listed(names: &[String]) -> String {
    joined(names, ", ")
}

/// Sentences or clauses, not more than can be read.
pub fn clauses(clauses: &[String]) -> String {
    joined(clauses, "; ")
}

fn joined(parts: &[String], separator: &str) -> String {
    match parts.len().checked_sub(NAMES_MAX) {
        None | Some(0) => parts.join(separator),
        Some(more) => format!("{} and {more} more", parts[..NAMES_MAX].join(separator)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_do_not_grow_without_end() {
        let names: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert_eq!(listed(&names[..10]), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(listed(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
        assert_eq!(clauses(&names[..2]), "0; 1");
    }
}
