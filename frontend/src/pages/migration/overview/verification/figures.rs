//! What the pane shows of a verification, as texts.

use crate::components::badge::Tone;
use crate::components::icon::Icon;
use crate::components::status::Status;
use crate::format::{number, time};
use chrono::{TimeZone, Utc};
use godwit_shared::verification::{Verification, VerificationLevel, VerificationStatus};
use std::fmt::Display;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationFigures {
    pub percent: String,
    pub started: String,
    pub duration: String,
    pub level: String,
    pub collections: String,
    pub documents: String,
    pub findings: String,
    pub failure: Option<String>,
    pub repair: Option<String>,
}

pub fn verification_status(one: Option<&Verification>) -> Status {
    let Some(one) = one else {
        return Status::new(Icon::Minus, Tone::Neutral, "Not verified");
    };
    if one.is_repairing {
        return Status::new(Icon::Running, Tone::Accent, "Repairing");
    }
    let (icon, tone, label) = match one.status {
        VerificationStatus::Verifying if one.is_paused => (Icon::Pause, Tone::Warning, "Paused"),
        VerificationStatus::Verifying => (Icon::Running, Tone::Accent, "Verifying"),
        VerificationStatus::Verified => (Icon::CheckTwice, Tone::Success, "Verified"),
        VerificationStatus::VerifiedWithExceptions => (Icon::Warning, Tone::Warning, "Verified with exceptions"),
        VerificationStatus::Failed => (Icon::Error, Tone::Danger, "Differences found"),
        VerificationStatus::Aborted => (Icon::Error, Tone::Danger, "Aborted"),
        VerificationStatus::Cancelling => (Icon::Running, Tone::Neutral, "Cancelling"),
        VerificationStatus::Cancelled => (Icon::Close, Tone::Neutral, "Cancelled"),
    };
    Status::new(icon, tone, label)
}

pub fn verification_figures<Z: TimeZone>(one: &Verification, zone: &Z) -> VerificationFigures
where
    Z::Offset: Display,
{
    let end = one.ended_at.unwrap_or_else(Utc::now);
    let of = |part: String, whole: String| format!("{part} of {whole}");
    let open = one.findings.saturating_sub(one.findings_repaired);
    let findings = match (one.findings, one.findings_repaired) {
        (all, 0) => number::count(all),
        (all, _) => format!("{} of {} are left", number::count(open), number::count(all)),
    };
    VerificationFigures {
        percent: format!("{} %", one.percent()),
        started: time::date_and_clock(one.started_at, zone),
        duration: time::duration(time::seconds_between(one.started_at, end).max(0.0)),
        level: match one.options.level {
            VerificationLevel::Counts => "numbers alone".into(),
            VerificationLevel::Sample => format!("a sample of {} %", one.options.sample_percent.unwrap_or(1.0)),
            VerificationLevel::Full => "all documents".into(),
        },
        collections: of(
            one.collections_verified().to_string(),
            one.collections.len().to_string(),
        ),
        documents: of(
            number::count(one.documents_verified()),
            number::count(one.documents_expected().max(one.documents_verified())),
        ),
        findings,
        failure: one.failure.as_ref().map(|f| {
            format!(
                "{}. Resume it when the reason is gone: it goes on from what is done.",
                f.message
            )
        }),
        repair: one.repair.clone(),
    }
}

/// The mark that the history adds to a job.
pub fn mark_of(word: Option<&str>) -> Option<(Icon, &'static str)> {
    Some(match word? {
        "VERIFIED" => (Icon::CheckTwice, "Verified"),
        "VERIFIED_WITH_EXCEPTIONS" => (Icon::CheckTwice, "Verified with exceptions"),
        "FAILED" => (Icon::Warning, "Differences found"),
        "VERIFYING" => (Icon::Running, "Verifying"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(more: serde_json::Value) -> Verification {
        let mut one = json!({
            "id": "v", "projectId": "p", "projectName": "P", "status": "FAILED", "source": "", "destination": "",
            "startedAt": "2026-11-03T10:00:00Z", "endedAt": "2026-11-03T10:01:05Z", "version": "1", "options": {},
            "findings": 3, "collections": [
                {"collection": "a", "isComplete": true, "rows": 1200, "rowsEstimated": 1000, "compared": 1200},
                {"collection": "b", "rows": 0, "rowsEstimated": 400}]});
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(one).expect("a verification")
    }

    #[test]
    fn what_is_done_stands_beside_what_there_is() {
        let figures = verification_figures(&one(json!({})), &Utc);
        assert_eq!(
            (&*figures.collections, &*figures.documents),
            ("1 of 2", "1,200 of 1,600")
        );
        assert_eq!((&*figures.percent, &*figures.findings), ("74 %", "3"));
        assert_eq!(figures.level, "all documents");
        let repaired = verification_figures(&one(json!({"findingsRepaired": 2})), &Utc);
        assert_eq!(repaired.findings, "1 of 3 are left");
    }

    #[test]
    fn every_state_has_a_word_of_its_own() {
        let word = |more| verification_status(Some(&one(more))).label.into_owned();
        assert_eq!(verification_status(None).label, "Not verified");
        assert_eq!(word(json!({"status": "VERIFYING", "isPaused": true})), "Paused");
        assert_eq!(word(json!({"status": "VERIFIED"})), "Verified");
        assert_eq!(word(json!({"status": "FAILED", "isRepairing": true})), "Repairing");
        assert_eq!(mark_of(Some("VERIFIED")), Some((Icon::CheckTwice, "Verified")));
        assert_eq!(mark_of(None), None);
    }
}
