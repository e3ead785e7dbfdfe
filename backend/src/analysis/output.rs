//! A report as Markdown, and as SARIF for tools that gather findings.

use godwit_shared::analysis::{AnalysisReport, Category, Detection, Level, Readiness};
use godwit_shared::job::MigrationMode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The formula of the score, as the page shows it.
pub const FORMULA: &str = "score = 100 − Σ over rules (weight × objects hit ÷ objects), at least 0; weights: task 40, risk 20, \
    note 5; high from 70 on, medium from 40 on; resolved detections do not count";

/// A mode in words.
pub fn mode_in_words(mode: MigrationMode) -> &'static str {
    match mode {
        MigrationMode::Snapshot => "snapshot",
        MigrationMode::Cdc => "snapshot, then changes",
        MigrationMode::CdcOnly => "changes alone",
    }
}

/// As Markdown.
pub fn markdown(report: &AnalysisReport) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# Pre-migration analysis: {}\n", cell(&report.project_name));
    let _ = writeln!(
        out,
        "Made {} by Godwit {}, of {} {} for the mode *{}*.\n",
        report.generated_at.format("%Y-%m-%d %H:%M:%S UTC"),
        report.version,
        report.database_metadata.database_type,
        cell(&report.database_metadata.database_version),
        mode_in_words(report.mode)
    );
    let _ = writeln!(
        out,
        "**Readiness: {} ({} of 100)**\n\n{FORMULA}\n",
        Readiness::of(report.health_score).word(),
        report.health_score
    );
    if !report.score.rules.is_empty() {
        out.push_str("| Rule | Level | Objects | Points |\n| --- | --- | ---: | ---: |\n");
        for part in &report.score.rules {
            let _ = writeln!(
                out,
                "| {} | {} | {} of {} | −{:.1} |",
                cell(&part.rule_name),
                part.level.word(),
                part.objects,
                report.score.objects,
                part.points
            );
        }
        out.push('\n');
    }
    write_errors(&mut out, report);
    for level in Level::ALL {
        let of: Vec<&Detection> = report.rules.iter().filter(|d| d.rule_type == level).collect();
        let _ = writeln!(out, "## {}s ({})\n", level.word(), of.len());
        if of.is_empty() {
            out.push_str("None.\n\n");
            continue;
        }
        out.push_str(
            "| Object | Rule | Category | Detection | What to do | State |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for d in of {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} |",
                cell(&d.entity_name),
                cell(&d.rule_name),
                d.category.word(),
                cell(&d.detection_text),
                cell(&d.mitigation_text),
                if report.is_resolved(&d.id) { "resolved" } else { "open" }
            );
        }
        out.push('\n');
    }
    write_tables(&mut out, report);
    write_objects(&mut out, report);
    out
}

fn write_errors(out: &mut String, report: &AnalysisReport) {
    if report.errors.is_empty() {
        return;
    }
    out.push_str("## Not everything could be read\n\n");
    for error in &report.errors {
        let _ = writeln!(out, "- {}", cell(error));
    }
    out.push('\n');
}

fn write_tables(out: &mut String, report: &AnalysisReport) {
    out.push_str("## Tables\n\n| Table | Rows | Bytes | Reads | Writes |\n| --- | ---: | ---: | ---: | ---: |\n");
    for table in &report.db_metrics.all_tables {
        let count = |count: u64| {
            if table.is_counted {
                count.to_string()
            } else {
                "–".into()
            }
        };
        let _ = writeln!(
            out,
            "| {}.{} | {} | {} | {} | {} |",
            cell(&table.path.schema),
            cell(&table.path.name),
            table.row_count,
            table.data_size,
            count(table.read_count),
            count(table.write_count)
        );
    }
    out.push('\n');
}

fn write_objects(out: &mut String, report: &AnalysisReport) {
    let metrics = &report.db_metrics;
    for (title, objects) in [
        ("Views", &metrics.all_views),
        ("Routines", &metrics.all_stored_procedures),
        ("Triggers", &metrics.all_triggers),
    ] {
        if objects.is_empty() {
            continue;
        }
        let _ = writeln!(out, "## {title}\n");
        for object in objects {
            let _ = writeln!(out, "### {}.{}\n", cell(&object.path.schema), cell(&object.path.name));
            // A fence that is longer than any in the text.
            let longest = object.definition.split(|c| c != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat(longest.max(2) + 1);
            let _ = writeln!(out, "{fence}sql\n{}\n{fence}\n", object.definition.trim_end());
        }
    }
}

/// A text as the cell of a table: on one line, and nothing in it is markup.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// As SARIF. <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html>
pub fn sarif(report: &AnalysisReport) -> Value {
    let mut rules: BTreeMap<&str, &Detection> = BTreeMap::new();
    for detection in &report.rules {
        rules.entry(&detection.rule).or_insert(detection);
    }
    let places: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(place, rule)| (*rule, place)).collect();
    let described: Vec<Value> = rules
        .values()
        .map(|d| {
            json!({
                "id": d.rule,
                "name": d.rule_name,
                "shortDescription": {"text": d.rule_name},
                "help": {"text": d.mitigation_text},
                "properties": {"category": d.category, "difficulty": d.difficulty},
            })
        })
        .collect();
    let results: Vec<Value> = (report.rules.iter())
        .map(|d| {
            let suppressions = match report.is_resolved(&d.id) {
                true => json!([{"kind": "external", "status": "accepted"}]),
                false => json!([]),
            };
            json!({
                "ruleId": d.rule,
                "ruleIndex": places[d.rule.as_str()],
                "level": level_of(d.rule_type),
                "message": {"text": format!("{} {}", d.detection_text, d.mitigation_text)},
                "locations": [{"logicalLocations": [{
                    "fullyQualifiedName": d.entity_name,
                    "kind": d.dbo_type.word(),
                }]}],
                "partialFingerprints": {"godwitDetection/v1": d.id},
                "suppressions": suppressions,
            })
        })
        .collect();
    let notifications: Vec<Value> = (report.errors.iter())
        .map(|error| json!({"level": "warning", "message": {"text": error}}))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "Godwit", "version": report.version, "rules": described}},
            "invocations": [{
                "executionSuccessful": true,
                "endTimeUtc": report.generated_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": {"healthScore": report.health_score, "projectId": report.project_id, "categories": Category::ALL},
        }],
    })
}

fn level_of(level: Level) -> &'static str {
    match level {
        Level::Task => "error",
        Level::Risk => "warning",
        Level::Notice => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::report::{Ingredients, make};
    use crate::analysis::testing::Bench;
    use chrono::TimeDelta;
    use godwit_shared::analysis::DatabaseMetadata;
    use godwit_shared::ids::ProjectId;
    use godwit_shared::schema::{Database, RelationalModel, SchemaObjects, Table};

    fn report() -> AnalysisReport {
        let mut bench = Bench::clean();
        bench.column("a|b.c", "point", &[crate::analysis::facts::Trait::Geospatial]);
        let table: Table = serde_json::from_value(json!({})).expect("a table");
        let tables = ["parent", "child", "gone"].map(|name| (name.to_owned(), table.clone()));
        let schema = SchemaObjects {
            tables: tables.into_iter().collect(),
            ..SchemaObjects::default()
        };
        let database = Database {
            schemas: [("public".to_owned(), schema)].into_iter().collect(),
            ..Database::default()
        };
        let planned = RelationalModel {
            databases: [("shop".to_owned(), database)].into_iter().collect(),
            ..RelationalModel::default()
        };
        bench.facts.views = vec![crate::analysis::facts::ObjectFacts {
            schema: "public".into(),
            name: "v".into(),
            definition: "SELECT ```x``` FROM parent".into(),
            ..Default::default()
        }];
        make(Ingredients {
            id: "r".into(),
            project: ProjectId::new("p"),
            project_name: "shop".into(),
            content: &bench.content,
            planned: &planned,
            catalog: &bench.catalog,
            live: RelationalModel::default(),
            facts: bench.facts,
            figures: bench.figures,
            checks: Vec::new(),
            metadata: DatabaseMetadata::default(),
            mode: bench.mode,
            started_at: bench.now,
            now: bench.now + TimeDelta::seconds(2),
            earlier: None,
        })
    }

    #[test]
    fn what_is_gone_from_the_source_is_told() {
        let report = report();
        assert_eq!(
            report.errors,
            ["The source has these tables of the project no more: public.gone."]
        );
        assert_eq!(report.db_metrics.all_views[0].uses, ["public.parent"]);
        assert_eq!(report.duration_ms, 2_000);
        let rules: Vec<&str> = report.rules.iter().map(|d| d.rule.as_str()).collect();
        assert_eq!(rules, ["geospatial_data", "names_to_escape", "views"]);
        // A table with a task, a view with a note, a table without: 40 / 3 and twice 5 / 3.
        assert_eq!(report.health_score, 83.3);
    }

    #[test]
    fn markdown_keeps_its_tables_whatever_names_hold() {
        let text = markdown(&report());
        assert!(text.contains("Column a\\|b.c (point) hold"), "{text}");
        assert!(text.contains("````sql\nSELECT ```x``` FROM parent\n````"), "{text}");
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let line = text
            .lines()
            .find(|l| l.contains("Geospatial") && l.contains("open"))
            .expect("a line");
        assert_eq!(columns(line), 7);
    }

    #[test]
    fn sarif_names_rule_level_and_place() {
        let mut report = report();
        report.resolved_rules = vec!["views:public.v".into()];
        let all = sarif(&report);
        let run = &all["runs"][0];
        let first = &run["results"][0];
        assert_eq!(
            (&first["ruleId"], &first["level"]),
            (&json!("geospatial_data"), &json!("error"))
        );
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let place = first["ruleIndex"].as_u64().expect("a place") as usize;
        assert_eq!(rules[place]["id"], "geospatial_data");
        assert_eq!(
            first["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
            "public.parent"
        );
        let view = run["results"].as_array().expect("results").last().expect("one");
        assert_eq!(view["suppressions"][0]["kind"], "external");
        assert_eq!(
            run["invocations"][0]["toolExecutionNotifications"][0]["level"],
            "warning"
        );
    }
}
