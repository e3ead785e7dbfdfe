//! What the checks of a source come to.

use crate::components::badge::Tone;
use crate::components::icon::Icon;
use crate::components::status::Status;
use crate::format::number;
use godwit_shared::preflight::{CheckStatus, PreflightCheck, PreflightReport};

/// How often each outcome occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub passed: u64,
    pub warnings: u64,
    pub failed: u64,
    /// Of the failed ones those that a job with *Prepare the source* mends by itself.
    pub preparable: u64,
}

impl Counts {
    pub fn of(report: &PreflightReport) -> Self {
        let mut counts = Self::default();
        for check in &report.checks {
            match check.status {
                CheckStatus::Passed => counts.passed += 1,
                CheckStatus::Warning => counts.warnings += 1,
                CheckStatus::Failed => {
                    counts.failed += 1;
                    counts.preparable += u64::from(check.can_be_prepared);
                }
            }
        }
        counts
    }

    fn all(self) -> u64 {
        self.passed + self.warnings + self.failed
    }
}

/// The outcome as a sentence.
pub fn headline(counts: Counts) -> String {
    let checks = |n| number::counted(n, "preflight check", "preflight checks");
    match (counts.failed, counts.warnings) {
        (0, 0) => format!("The source is ready: {} passed.", checks(counts.all())),
        (0, warnings) => format!(
            "The source is ready: {} passed, {} with a warning.",
            checks(counts.all()),
            number::count(warnings)
        ),
        (failed, _) => format!("{} of {} failed.", number::count(failed), checks(counts.all())),
    }
}

/// What to do about it; `is_prepared`: the user lets the job prepare the source.
pub fn advice(counts: Counts, is_prepared: bool) -> String {
    let by_hand = counts.failed - counts.preparable;
    match (counts.failed, by_hand, is_prepared) {
        (0, _, _) => "See the details for what may surprise you.".into(),
        (_, 0, true) => "The job mends that when it starts.".into(),
        (_, 0, false) => {
            "Let the job prepare the source, or let its owner run the script, then check again. Until then \
                          the job is refused."
                .into()
        }
        (_, _, _) => format!(
            "Let the owner of the source run the script, then check again. Until then the job is refused{}.",
            if counts.preparable > 0 {
                ": the job can prepare only a part of it"
            } else {
                ""
            }
        ),
    }
}

/// For the summary: the outcome in few words.
pub fn outcome(counts: Counts, is_prepared: bool) -> String {
    let by_hand = counts.failed - if is_prepared { counts.preparable } else { 0 };
    match (by_hand, counts.failed, counts.warnings) {
        (0, 0, 0) => "Passed".into(),
        (0, 0, warnings) => format!("Passed, {}", number::counted(warnings, "warning", "warnings")),
        (0, _, _) => "The job prepares the source".into(),
        (rest, _, _) => format!("{} failed: the job will be refused", number::count(rest)),
    }
}

/// The checks as they are read: what failed first.
pub fn in_order(report: &PreflightReport) -> Vec<PreflightCheck> {
    let mut checks = report.checks.clone();
    checks.sort_by_key(|check| match check.status {
        CheckStatus::Failed => 0,
        CheckStatus::Warning => 1,
        CheckStatus::Passed => 2,
    });
    checks
}

pub fn status_of(check: CheckStatus) -> Status {
    let (icon, tone, label) = match check {
        CheckStatus::Passed => (Icon::Check, Tone::Success, "Passed"),
        CheckStatus::Warning => (Icon::Warning, Tone::Warning, "Warning"),
        CheckStatus::Failed => (Icon::Error, Tone::Danger, "Failed"),
    };
    Status::new(icon, tone, label)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use CheckStatus::{Failed, Passed, Warning};
    use godwit_shared::job::MigrationMode;

    pub(crate) fn report(checks: &[(CheckStatus, bool)]) -> PreflightReport {
        let check = |(i, (status, can_be_prepared)): (usize, &(CheckStatus, bool))| PreflightCheck {
            id: format!("check_{i}"),
            title: format!("Check {i}"),
            status: *status,
            message: "m".into(),
            tables: vec![],
            script: None,
            can_be_prepared: *can_be_prepared,
        };
        PreflightReport {
            mode: MigrationMode::Cdc,
            checked_at: "2026-11-03T10:00:00Z".parse().unwrap(),
            passed: checks.iter().all(|(status, _)| *status != Failed),
            checks: checks.iter().enumerate().map(check).collect(),
        }
    }

    #[test]
    fn outcomes_in_words() {
        let check = |checks: &[(CheckStatus, bool)], is_prepared, head: &str, short: &str| {
            let counts = Counts::of(&report(checks));
            assert_eq!((&*headline(counts), &*outcome(counts, is_prepared)), (head, short));
        };
        check(
            &[(Passed, false); 7],
            false,
            "The source is ready: 7 preflight checks passed.",
            "Passed",
        );
        check(
            &[(Passed, false), (Warning, false)],
            false,
            "The source is ready: 2 preflight checks passed, 1 with a warning.",
            "Passed, 1 warning",
        );
        let preparable = [(Passed, false), (Failed, true)];
        check(
            &preparable,
            false,
            "1 of 2 preflight checks failed.",
            "1 failed: the job will be refused",
        );
        check(
            &preparable,
            true,
            "1 of 2 preflight checks failed.",
            "The job prepares the source",
        );
        check(
            &[(Failed, false), (Failed, true)],
            true,
            "2 of 2 preflight checks failed.",
            "1 failed: the job will be refused",
        );
    }

    #[test]
    fn advice_says_who_can_mend_it() {
        let check = |checks: &[(CheckStatus, bool)], is_prepared, part: &str| {
            let text = advice(Counts::of(&report(checks)), is_prepared);
            assert!(text.contains(part), "{text}");
        };
        check(&[(Warning, false)], false, "details");
        check(&[(Failed, true)], true, "mends that");
        check(&[(Failed, true)], false, "Let the job prepare the source");
        check(&[(Failed, false)], false, "is refused.");
        check(&[(Failed, false), (Failed, true)], true, "only a part");
    }

    #[test]
    fn what_failed_is_read_first() {
        let report = report(&[(Passed, false), (Warning, false), (Failed, false), (Failed, true)]);
        let ids: Vec<_> = in_order(&report).into_iter().map(|c| c.id).collect();
        assert_eq!(ids, ["check_2", "check_3", "check_1", "check_0"]);
    }
}
