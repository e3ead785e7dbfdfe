//! The report of an analysis as one page that needs nothing else: to be printed, or kept as a file.

use super::report_page::{STYLE, escaped, number, time};
use crate::analysis::output::{FORMULA, mode_in_words};
use godwit_shared::analysis::{AnalysisReport, Detection, Level, ObjectReport, Readiness};
use godwit_shared::preflight::CheckStatus;
use std::fmt::Write;

/// The page.
pub fn page(report: &AnalysisReport) -> String {
    let title = escaped(&report.project_name);
    let mut out = String::with_capacity(64 * 1024);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Pre-migration analysis: {title}</title><style>{STYLE} pre {{ white-space: pre-wrap; overflow-wrap: anywhere; \
         margin: 0.25rem 0 1rem; }}</style></head><body><main><h1>Pre-migration analysis: {title}</h1>\
         <p class=\"muted\">Made {} by Godwit {}.</p>",
        time(report.generated_at),
        escaped(&report.version),
    );
    write_summary(&mut out, report);
    for level in Level::ALL {
        write_detections(&mut out, report, level);
    }
    write_tables(&mut out, report);
    let metrics = &report.db_metrics;
    write_objects(&mut out, "Views", &metrics.all_views);
    write_objects(&mut out, "Routines", &metrics.all_stored_procedures);
    write_objects(&mut out, "Triggers", &metrics.all_triggers);
    write_checks(&mut out, report);
    out.push_str("</main></body></html>\n");
    out
}

fn write_summary(out: &mut String, report: &AnalysisReport) {
    let readiness = Readiness::of(report.health_score);
    let class = if readiness == Readiness::High {
        "same"
    } else {
        "differs"
    };
    let _ = write!(
        out,
        "<p class=\"{class}\">Readiness: {} ({} of 100)</p><p class=\"muted\">{}</p><h2>Summary</h2><dl>",
        readiness.word(),
        report.health_score,
        escaped(FORMULA)
    );
    let metadata = &report.database_metadata;
    let alerts = report.unique_dbo_alerts;
    let lines = [
        (
            "Source",
            format!("{} {}", metadata.database_type, metadata.database_version),
        ),
        ("Connection", metadata.connection_url.clone()),
        ("Mode", mode_in_words(report.mode).into()),
        ("Tables", number(report.db_metrics.all_tables.len() as u64)),
        ("Bytes of the tables", number(report.db_metrics.total_db_size)),
        (
            "Objects with detections",
            format!("{} of {}", number(alerts.hit()), number(alerts.all())),
        ),
        ("Resolved detections", number(report.resolved_rules.len() as u64)),
    ];
    for (name, value) in lines {
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
    }
    out.push_str("</dl>");
    if !report.errors.is_empty() {
        out.push_str("<h2>Not everything could be read</h2><ul>");
        for error in &report.errors {
            let _ = write!(out, "<li>{}</li>", escaped(error));
        }
        out.push_str("</ul>");
    }
    if report.score.rules.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Score</h2><table><thead><tr><th>Rule</th><th>Level</th><th class=\"n\">Objects</th><th class=\"n\">Points</th></tr>\
         </thead><tbody>",
    );
    for part in &report.score.rules {
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{} of {}</td><td class=\"n\">−{:.1}</td></tr>",
            escaped(&part.rule_name),
            part.level.word(),
            number(part.objects),
            number(report.score.objects),
            part.points
        );
    }
    out.push_str("</tbody></table>");
}

fn write_detections(out: &mut String, report: &AnalysisReport, level: Level) {
    let of: Vec<&Detection> = report.rules.iter().filter(|d| d.rule_type == level).collect();
    if of.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h2>{}s ({})</h2><table><thead><tr><th>Object</th><th>Rule</th><th>Detection</th><th>What to do</th><th>State</th></tr>\
         </thead><tbody>",
        level.word(),
        of.len()
    );
    for d in of {
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td>{}<br><span class=\"muted\">{}</span></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&d.entity_name),
            escaped(&d.rule_name),
            d.category.word(),
            escaped(&d.detection_text),
            escaped(&d.mitigation_text),
            if report.is_resolved(&d.id) { "resolved" } else { "open" }
        );
    }
    out.push_str("</tbody></table>");
}

fn write_tables(out: &mut String, report: &AnalysisReport) {
    out.push_str(
        "<h2>Tables</h2><table><thead><tr><th>Table</th><th class=\"n\">Rows</th><th class=\"n\">Bytes</th>\
         <th class=\"n\">Bytes of indexes</th><th class=\"n\">Reads</th><th class=\"n\">Writes</th><th>Use</th></tr></thead><tbody>",
    );
    for table in &report.db_metrics.all_tables {
        let counted = |count: u64| if table.is_counted { number(count) } else { "–".into() };
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            escaped(&format!("{}.{}", table.path.schema, table.path.name)),
            number(table.row_count),
            number(table.data_size),
            table.index_size.map_or_else(|| "–".into(), number),
            counted(table.read_count),
            counted(table.write_count),
            table.read_write_classification.word()
        );
    }
    out.push_str("</tbody></table>");
}

fn write_objects(out: &mut String, title: &str, objects: &[ObjectReport]) {
    if objects.is_empty() {
        return;
    }
    let _ = write!(out, "<h2>{title}</h2>");
    for object in objects {
        let mut about = vec![object.kind.clone()];
        about.extend(object.language.clone());
        about.extend(object.traits.iter().cloned());
        if !object.uses.is_empty() {
            about.push(format!("uses {}", object.uses.join(", ")));
        }
        let _ = write!(
            out,
            "<p><code>{}</code> <span class=\"muted\">{}</span></p><pre><code>{}</code></pre>",
            escaped(&format!("{}.{}", object.path.schema, object.path.name)),
            escaped(&about.join("; ")),
            escaped(object.definition.trim_end())
        );
    }
}

fn write_checks(out: &mut String, report: &AnalysisReport) {
    if report.preflight_checks.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Prerequisites</h2><table><thead><tr><th>Mode</th><th>Check</th><th>Result</th><th>Found</th></tr></thead><tbody>",
    );
    for c in &report.preflight_checks {
        let (word, class) = match c.check.status {
            CheckStatus::Passed => ("passed", "same"),
            CheckStatus::Warning => ("warning", ""),
            CheckStatus::Failed => ("failed", "differs"),
        };
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td><td>{}</td></tr>",
            mode_in_words(c.migration_mode),
            escaped(&c.name),
            escaped(&c.check.message)
        );
    }
    out.push_str("</tbody></table>");
}
