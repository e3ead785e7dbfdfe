//! The report of a verification as one page that needs nothing else: to be printed, or kept. Its data lie in it as they
//! were signed, and the page is made of them alone, so that `godwit check-report` can say whether either was changed.

use super::report_page::{STYLE, duration, escaped, number, time};
use godwit_shared::verification::{
    SignedReport, Verification, VerificationException, VerificationLevel, VerificationOptions, VerificationStatus,
};
use std::fmt::Write;

/// What may be loaded by the page: nothing but its own style. Its data are no script.
pub const POLICY: &str = super::report_page::POLICY;

const DATA_BEGIN: &str = "<script type=\"application/json\" id=\"report\">";
const DATA_END: &str = "</script>";

/// The page.
pub fn page(signed: &SignedReport) -> String {
    let report = &signed.report;
    let v = &report.verification;
    let title = escaped(&v.project_name);
    let mut out = String::with_capacity(64 * 1024);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Verification report: {title}</title><style>{STYLE}</style></head><body><main>\
         <h1>Verification report: {title}</h1><p class=\"muted\">Made {} by Godwit {}.</p>\
         <p class=\"{}\">{}</p>",
        time(report.made_at),
        escaped(&v.version),
        if v.status == VerificationStatus::Verified {
            "same"
        } else {
            "differs"
        },
        escaped(&verdict_in_words(v)),
    );
    write_run(&mut out, v);
    write_collections(&mut out, v);
    write_exceptions(&mut out, "Left out", &v.exceptions);
    write_exceptions(&mut out, "Worth knowing", &v.notes);
    write_findings(&mut out, signed);
    let _ = write!(
        out,
        "<h2>Signature</h2><dl><dt>Algorithm</dt><dd>{}</dd><dt>Public key</dt><dd><code>{}</code></dd>\
         <dt>Signature</dt><dd><code>{}</code></dd></dl><p class=\"muted\">The command godwit check-report, with this file, \
         says whether anything was changed.</p>",
        escaped(&signed.signature.algorithm),
        escaped(&signed.signature.public_key),
        escaped(&signed.signature.value)
    );
    out.push_str("</main>");
    out.push_str(DATA_BEGIN);
    // No text in it can end the element.
    out.push_str(
        &serde_json::to_string(signed)
            .unwrap_or_default()
            .replace('<', "\\u003c"),
    );
    out.push_str(DATA_END);
    out.push_str("</body></html>\n");
    out
}

/// The data of a page.
pub fn data_of(page: &str) -> Option<String> {
    let (_, rest) = page.split_once(DATA_BEGIN)?;
    let (data, _) = rest.split_once(DATA_END)?;
    Some(data.to_owned())
}

/// The verdict as a sentence.
fn verdict_in_words(v: &Verification) -> String {
    let documents = number(v.documents_verified());
    let open = v.findings.saturating_sub(v.findings_repaired);
    match v.status {
        VerificationStatus::Verified => format!("VERIFIED: {documents} documents are those that the rows give."),
        VerificationStatus::VerifiedWithExceptions => format!(
            "VERIFIED WITH EXCEPTIONS: of {documents} documents none differs; what was left out is named below."
        ),
        VerificationStatus::Failed => format!("FAILED: {} findings in {documents} documents.", number(open)),
        VerificationStatus::Aborted => format!(
            "ABORTED: {}",
            v.failure.as_ref().map_or("it could not go on", |f| f.message.as_str())
        ),
        VerificationStatus::Cancelled | VerificationStatus::Cancelling => {
            format!("CANCELLED after {documents} documents.")
        }
        VerificationStatus::Verifying => "VERIFYING".into(),
    }
}

fn write_run(out: &mut String, v: &Verification) {
    let mut lines: Vec<(&str, String)> = vec![
        ("Status", v.status.word().into()),
        ("Verification", v.id.clone()),
        ("Project", v.project_name.clone()),
    ];
    if let Some(job) = &v.job_id {
        lines.push(("Job", job.to_string()));
    }
    lines.push(("Source", v.source.clone()));
    lines.push(("Destination", v.destination.clone()));
    lines.push(("Compared with the source", v.read_at.clone()));
    lines.push(("Level", level_in_words(&v.options)));
    let rules = rules_in_words(&v.options);
    if !rules.is_empty() {
        lines.push(("Options", rules.join("; ")));
    }
    lines.push(("Started", time(v.started_at)));
    if let Some(ended) = v.ended_at {
        lines.push(("Ended", time(ended)));
        lines.push(("Duration", duration((ended - v.started_at).num_seconds())));
    }
    lines.push((
        "Collections",
        format!("{} of {}", v.collections_verified(), v.collections.len()),
    ));
    lines.push(("Documents compared", number(v.documents_verified())));
    lines.push(("Findings", number(v.findings)));
    if v.findings_repaired > 0 {
        lines.push(("Repaired since", number(v.findings_repaired)));
    }
    if let Some(repair) = &v.repair {
        lines.push(("Repair", repair.clone()));
    }
    out.push_str("<h2>Run</h2><dl>");
    for (name, value) in lines {
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
    }
    out.push_str("</dl>");
}

fn level_in_words(options: &VerificationOptions) -> String {
    match options.level {
        VerificationLevel::Counts => "numbers of documents alone".into(),
        VerificationLevel::Sample => format!(
            "{} % of the root rows, whole documents",
            options.sample_percent.unwrap_or(1.0)
        ),
        VerificationLevel::Full => "all documents, in both directions".into(),
    }
}

fn rules_in_words(options: &VerificationOptions) -> Vec<String> {
    let mut rules = Vec::new();
    if !options.included_collections.is_empty() {
        rules.push(format!("only {}", options.included_collections.join(", ")));
    }
    if options.ignore_field_order {
        rules.push("the order of fields was ignored".into());
    }
    if options.ignore_unexpected {
        rules.push("documents that no row gives were ignored".into());
    }
    if options.ignore_trailing_blanks {
        rules.push("blanks at the end of texts were ignored".into());
    }
    if !options.checksums && options.level == VerificationLevel::Full {
        rules.push("sums of columns were not compared".into());
    }
    if let Some(rows) = options.max_rows_per_second {
        rules.push(format!("at most {} rows in a second", number(rows)));
    }
    rules
}

fn write_collections(out: &mut String, v: &Verification) {
    out.push_str("<h2>Collections</h2><table><thead><tr><th>Collection</th>");
    for name in [
        "Root rows",
        "Documents of them",
        "In the destination",
        "Compared",
        "Equal",
        "Different",
        "Missing",
        "Unexpected",
        "Without a document",
        "Changed since",
        "Sums compared",
        "Sums that differ",
    ] {
        let _ = write!(out, "<th class=\"n\">{name}</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for c in &v.collections {
        let _ = write!(out, "<tr><td><code>{}</code></td>", escaped(&c.collection));
        let documents = c.documents.map_or_else(|| "–".into(), number);
        let cells = [
            (number(c.rows), false),
            (number(c.expected), false),
            (documents, false),
            (number(c.compared), false),
            (number(c.equal), false),
            (number(c.different), c.different > 0),
            (number(c.missing), c.missing > 0),
            (number(c.unexpected), c.unexpected > 0),
            (number(c.skipped), false),
            (number(c.changed_since), false),
            (number(c.sums_compared), false),
            (number(c.sums_different), c.sums_different > 0),
        ];
        for (text, is_bad) in cells {
            let class = if is_bad { "n differs" } else { "n" };
            let _ = write!(out, "<td class=\"{class}\">{text}</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

fn write_exceptions(out: &mut String, title: &str, exceptions: &[VerificationException]) {
    if exceptions.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h2>{title}</h2><table><thead><tr><th>Place</th><th>Field</th><th>Reason</th><th class=\"n\">Count</th>\
         <th>For example</th></tr></thead><tbody>"
    );
    for e in exceptions {
        let example: Vec<String> = e
            .example
            .iter()
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td><td class=\"n\">{}</td><td><code>{}</code></td></tr>",
            escaped(&e.place),
            escaped(e.field.as_deref().unwrap_or_default()),
            escaped(&e.reason),
            number(e.count),
            escaped(&example.join(", "))
        );
    }
    out.push_str("</tbody></table>");
}

fn write_findings(out: &mut String, signed: &SignedReport) {
    let report = &signed.report;
    if report.findings.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h2>Findings</h2><p>The first {} of {}.</p><table><thead><tr><th class=\"n\">No.</th><th>Kind</th>\
         <th>Collection</th><th>_id</th><th>Path</th><th>Expected</th><th>Found</th><th>Row</th></tr></thead><tbody>",
        number(report.findings.len() as u64),
        number(report.verification.findings)
    );
    for f in &report.findings {
        let text = |value: &Option<String>| escaped(value.as_deref().unwrap_or_default());
        let rows: Vec<String> = f
            .rows
            .iter()
            .map(|row| {
                let key: Vec<String> = row
                    .key
                    .iter()
                    .map(|(name, value)| format!("{name} = {value}"))
                    .collect();
                format!("{}: {}", row.table, key.join(", "))
            })
            .collect();
        let key = if f.key.is_null() {
            String::new()
        } else {
            f.key.to_string()
        };
        let repaired = if f.is_repaired { " (repaired)" } else { "" };
        let _ = write!(
            out,
            "<tr><td class=\"n\">{}</td><td>{}{repaired}</td><td><code>{}</code></td><td><code>{}</code></td>\
             <td><code>{}</code></td><td><code>{}</code></td><td><code>{}</code></td><td><code>{}</code></td></tr>",
            f.number,
            f.kind.words(),
            escaped(&f.collection),
            escaped(&key),
            text(&f.path),
            text(&f.expected),
            text(&f.found),
            escaped(&rows.join("; "))
        );
    }
    out.push_str("</tbody></table>");
}
