//! The report of a job as one page that needs nothing else: to be printed, or kept as a file.

use chrono::{DateTime, Utc};
use godwit_shared::job::{CdcStatus, EventType, JobStatus, MigrationMode};
use godwit_shared::report::JobReport;
use std::fmt::Write;

/// What may be loaded by the page: nothing but its own style.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

pub(super) const STYLE: &str = "
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 14px/1.5 system-ui, sans-serif; color: #16191c; background: #fff; }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 1.75rem 0 0.5rem; font-size: 1.1rem; }
p { margin: 0.25rem 0; } .muted { color: #59636c; }
table { width: 100%; border-collapse: collapse; } caption { text-align: left; color: #59636c; padding-bottom: 0.25rem; }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid #dde1e5; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } code { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0; } dt { color: #59636c; } dd { margin: 0; overflow-wrap: anywhere; }
.differs { color: #b4262b; font-weight: 600; } .same { color: #1d7040; }
@media print { body { margin: 0; max-width: none; } tr { break-inside: avoid; } h2 { break-after: avoid; } }
";

/// The page.
pub fn page(report: &JobReport) -> String {
    let title = report.name.clone().unwrap_or_else(|| report.project.clone());
    let mut out = String::with_capacity(16 * 1024);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Migration report: {0}</title><style>{STYLE}</style></head><body><main><h1>Migration report: {0}</h1>\
         <p class=\"muted\">Made {1} by Godwit {2}. Everything is of that moment.</p>",
        escaped(&title),
        time(report.made_at),
        escaped(&report.version)
    );
    if let Some(note) = &report.note {
        let _ = write!(out, "<p>{}</p>", escaped(note));
    }
    write_job(&mut out, report);
    write_collections(&mut out, report);
    write_tables(&mut out, report);
    write_issues(&mut out, report);
    out.push_str("</main></body></html>\n");
    out
}

fn write_job(out: &mut String, report: &JobReport) {
    let mut lines: Vec<(&str, String)> = vec![
        ("Status", status_in_words(report)),
        ("Project", report.project.clone()),
        ("Job", report.job_id.clone()),
        ("Mode", mode_in_words(report.options.mode).into()),
        ("Source", report.source.clone()),
    ];
    if !report.source_user.is_empty() {
        lines.push(("Read as", report.source_user.clone()));
    }
    lines.push(("Destination", report.destination.clone()));
    lines.push(("Started", time(report.started_at)));
    if let Some(ended) = report.ended_at {
        lines.push(("Ended", time(ended)));
        lines.push(("Duration", duration((ended - report.started_at).num_seconds())));
    }
    lines.push((
        "Snapshot",
        duration(i64::try_from(report.snapshot_seconds).unwrap_or(i64::MAX)),
    ));
    lines.push(("Rows read", number(report.rows_read)));
    lines.push(("Documents written by the snapshot", number(report.documents_written)));
    let dropped = if report.options.drop_collections {
        "dropped first"
    } else {
        "kept"
    };
    lines.push(("Collections that were there", dropped.into()));
    let limit = report.options.error_tolerance;
    lines.push(("Stop after errors", limit.map_or_else(|| "never".into(), number)));
    let cdc = &report.stages;
    if let Some(changes) = cdc.changes_applied {
        lines.push(("Changes applied", number(changes)));
    }
    if let Some(position) = &cdc.position {
        lines.push(("Applied up to position", position.clone()));
    }
    if let Some(until) = cdc.applied_until {
        lines.push(("Everything committed before", time(until)));
    }
    if let Some(readiness) = cdc.cutover.as_ref().filter(|_| report.ended_at.is_none()) {
        let word = if readiness.is_ready { "ready" } else { "not ready" };
        lines.push(("Cut-over", format!("{word}: {}", readiness.reason)));
    }
    if let Some(unapplied) = report.end.as_ref().and_then(|e| e.unapplied.as_ref()) {
        lines.push((
            "Not applied",
            format!("{} bytes of the source's log", number(unapplied.bytes)),
        ));
    }
    if let Some(failure) = &report.failure {
        lines.push(("Failure", failure.message.clone()));
    }
    out.push_str("<h2>Job</h2><dl>");
    for (name, value) in lines {
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
    }
    out.push_str("</dl>");
}

fn write_collections(out: &mut String, report: &JobReport) {
    out.push_str(
        "<h2>Collections</h2><table><caption>Both sides counted for this report. Rows that a rule filter leaves out, and \
         documents that were there before, make them differ.</caption><thead><tr><th>Collection</th><th>From</th>\
         <th class=\"n\">Rows in the source</th><th class=\"n\">Documents</th><th class=\"n\">Difference</th>\
         <th class=\"n\">There before</th></tr></thead><tbody>",
    );
    for c in &report.collections {
        let difference = c.root_rows_now.zip(c.documents_now);
        let difference = difference.map(|(rows, documents)| i128::from(documents) - i128::from(rows));
        let (class, text) = match difference {
            None => ("", "not known".to_owned()),
            Some(0) => (" same", "none".into()),
            Some(n) => (" differs", format!("{n:+}")),
        };
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n{class}\">{text}</td><td class=\"n\">{}</td></tr>",
            escaped(&c.collection),
            escaped(&c.root_tables.join(", ")),
            known(c.root_rows_now),
            known(c.documents_now),
            known(c.documents_untouched),
        );
    }
    out.push_str("</tbody></table>");
}

fn write_tables(out: &mut String, report: &JobReport) {
    out.push_str(
        "<h2>Tables</h2><table><caption>A row is read again for each place in which it is embedded.</caption><thead><tr>\
         <th>Table</th><th class=\"n\">Rows at the snapshot</th><th class=\"n\">Rows now</th><th class=\"n\">Rows read</th>\
         </tr></thead><tbody>",
    );
    for t in &report.tables {
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(&t.table),
            known(t.rows_at_snapshot),
            known(t.rows_now),
            number(t.rows_read)
        );
    }
    out.push_str("</tbody></table>");
}

fn write_issues(out: &mut String, report: &JobReport) {
    let _ = write!(
        out,
        "<h2>Issues</h2><p>Errors: {}. Warnings: {}.</p>",
        number(report.errors),
        number(report.warnings)
    );
    if report.issues.is_empty() {
        return;
    }
    out.push_str(
        "<table><thead><tr><th>Severity</th><th>Time</th><th>Place</th><th>Field</th><th class=\"n\">Count</th>\
         <th>Event</th></tr></thead><tbody>",
    );
    for issue in &report.issues {
        let severity = match issue.event_type {
            EventType::Error => "Error",
            EventType::Warning => "Warning",
            EventType::Info => "Info",
        };
        let text = |value: &Option<String>| escaped(value.as_deref().unwrap_or_default());
        let _ = write!(
            out,
            "<tr><td>{severity}</td><td>{}</td><td><code>{}</code></td><td><code>{}</code></td><td class=\"n\">{}</td>\
             <td>{}</td></tr>",
            time(issue.timestamp),
            text(&issue.location_name),
            text(&issue.field_name),
            number(issue.count),
            escaped(&issue.message)
        );
    }
    out.push_str("</tbody></table>");
}

fn status_in_words(report: &JobReport) -> String {
    match (report.status, report.errors) {
        (JobStatus::Completed, 0) => "Completed".into(),
        (JobStatus::Completed, 1) => "Completed with 1 error".into(),
        (JobStatus::Completed, errors) => format!("Completed with {} errors", number(errors)),
        (JobStatus::Running, _) if report.cdc_status == CdcStatus::Running => "Applying changes".into(),
        (JobStatus::Running, _) if report.cdc_status == CdcStatus::Paused => "Paused".into(),
        (JobStatus::Running, _) => "Running".into(),
        (JobStatus::Paused, _) => "Paused".into(),
        (JobStatus::CleaningUp, _) => "Cleaning up".into(),
        (JobStatus::Cancelling, _) => "Cancelling".into(),
        (JobStatus::Cancelled, _) => "Cancelled".into(),
        (JobStatus::Failed, _) => "Failed".into(),
    }
}

fn mode_in_words(mode: MigrationMode) -> &'static str {
    match mode {
        MigrationMode::Snapshot => "Snapshot",
        MigrationMode::Cdc => "Continuous",
        MigrationMode::CdcOnly => "Changes only",
    }
}

fn known(value: Option<u64>) -> String {
    value.map_or_else(|| "–".into(), number)
}

/// `1,234,567`
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

pub(super) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, rest) => format!("{rest} s"),
        (0, minutes, rest) => format!("{minutes} min {rest:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// Text that is no markup.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_users_are_no_markup_and_differences_are_seen() {
        let report = json!({
            "madeAt": "2026-11-26T12:00:00Z", "version": "1", "jobId": "j", "name": "<script>alert(1)</script>",
            "project": "P", "status": "COMPLETED", "cdcStatus": "NOT_STARTED", "startedAt": "2026-11-26T11:00:00Z",
            "endedAt": "2026-11-26T11:01:05Z", "source": "s", "sourceUser": "u", "destination": "d",
            "options": {"mode": "SNAPSHOT"}, "snapshotSeconds": 65, "rowsRead": 31398, "documentsWritten": 12000,
            "bytesWritten": 1, "errors": 7, "warnings": 0, "stages": {}, "issues": [],
            "tables": [{"table": "a&b", "rowsAtSnapshot": 12000, "rowsRead": 31398}],
            "collections": [
                {"collection": "c", "rootTables": ["t"], "rootRowsNow": 12000, "documentsNow": 11993,
                    "documentsWritten": 1, "documentsRebuilt": 0, "documentsDeleted": 0},
                {"collection": "e", "rootTables": ["t"], "rootRowsNow": 5, "documentsNow": 5,
                    "documentsWritten": 5, "documentsRebuilt": 0, "documentsDeleted": 0}],
        });
        let html = page(&serde_json::from_value(report).expect("a report"));
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
        for part in [
            "a&amp;b",
            "31,398",
            "Completed with 7 errors",
            "differs\">-7<",
            "same\">none<",
            "1 min 05 s",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
    }
}
