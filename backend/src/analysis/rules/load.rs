//! Rules about sizes, and about what reading costs.

use super::{Rule, Subject, With, listed, plural, size};
use crate::analysis::facts::{Analysed, TableFacts};
use crate::data::catalog::CatalogTable;
use godwit_shared::analysis::{Category, Detection, Difficulty, Level, ObjectType};
use godwit_shared::ids::MappingId;
use godwit_shared::mapping::RuleType;
use godwit_shared::schema::TableName;

const UNINDEXED: Rule = Rule {
    id: "unindexed_foreign_key",
    name: "Unindexed foreign key",
    object: ObjectType::Table,
    category: Category::Performance,
    difficulty: Difficulty::Low,
    level: Level::Risk,
};
const STATISTICS: Rule = Rule {
    id: "statistics_outdated",
    name: "Statistics outdated",
    object: ObjectType::Table,
    category: Category::Performance,
    difficulty: Difficulty::Low,
    level: Level::Notice,
};
const DOCUMENTS: Rule = Rule {
    id: "large_documents",
    name: "Documents too large",
    object: ObjectType::Table,
    category: Category::Performance,
    difficulty: Difficulty::High,
    level: Level::Risk,
};

const STATISTICS_DAYS_MAX: i64 = 30;
/// From here on a document is in danger: half of what MongoDB takes.
const DOCUMENT_BYTES_MAX: f64 = (8 << 20) as f64;
/// Levels that are followed: no mapping has more.
const LEVELS_MAX: usize = 50;

/// Applies them to one table.
pub fn look(subject: &Subject<'_>, table: &CatalogTable, facts: &TableFacts, found: &mut Vec<Detection>) {
    let unindexed: Vec<(String, String)> = (table.foreign_keys.iter())
        .filter(|key| {
            let columns: Option<Vec<usize>> = key.columns.iter().map(|c| table.column(c)).collect();
            columns.is_some_and(|columns| !table.has_index_on(&columns))
        })
        .map(|key| (key.name.clone(), format!("{} ({})", key.name, key.columns.join(", "))))
        .collect();
    if !unindexed.is_empty() {
        let (members, shown): (Vec<String>, Vec<String>) = unindexed.into_iter().unzip();
        let text = format!(
            "No index leads with the columns of foreign key{} {}.",
            plural(shown.len()),
            listed(&shown)
        );
        let then = "A snapshot reads such a table once as a whole, which is fine; to follow changes each look for the rows of \
                    a document reads all of it. Add an index before a continuous migration of large tables.";
        found.push(UNINDEXED.at_table(table, text, then).members(members));
    }
    let age = match facts.analysed {
        Analysed::At(at) => Some((subject.now - at).num_days()).filter(|days| *days > STATISTICS_DAYS_MAX),
        Analysed::Never => None,
        Analysed::Unknown => return,
    };
    let text = match (facts.analysed, age) {
        (Analysed::Never, _) => "The source has never collected statistics of this table.".to_owned(),
        (_, Some(days)) => format!("The statistics of this table are {days} days old."),
        _ => return,
    };
    let then = "Let the source collect them anew (ANALYZE): sizes here, the proposed model and the estimate of a job's \
                duration rest on them.";
    found.push(STATISTICS.at_table(table, text, then));
}

/// What the documents of a mapping come to, from the average row and the most rows that refer to one.
pub fn look_at_documents(subject: &Subject<'_>, found: &mut Vec<Detection>) {
    let content = subject.content;
    for (id, collection) in &content.collections {
        for (rule, _) in content.roots_of(id) {
            let Some(root) = table_of(subject, rule) else { continue };
            let Some(bytes) = bytes_of(subject, rule, 0).filter(|bytes| *bytes > DOCUMENT_BYTES_MAX) else {
                continue;
            };
            let many = widest(subject, rule);
            let text = format!(
                "The largest documents of \"{}\" come to about {}, of the 16 MiB that MongoDB takes{many}.",
                collection.name,
                size(bytes as u64)
            );
            let then = "Let what has no bound be documents of their own that refer to this one, limit the array, or keep large \
                        columns elsewhere. The dry run of the project measures real documents.";
            let mut detection = DOCUMENTS
                .at_table(root, text, then)
                .members(vec![collection.name.clone()]);
            // One table may be the root of several collections.
            detection.id = format!("{}:{}", detection.id, super::quoted(&collection.name));
            found.push(detection);
        }
    }
}

fn name_of(subject: &Subject<'_>, rule: &MappingId) -> Option<TableName> {
    let mapping = subject.content.mappings.get(rule)?;
    let entry = subject
        .content
        .tables
        .iter()
        .find(|(id, _)| id.as_str() == mapping.table)?;
    Some(entry.1.path.name())
}

fn table_of<'s>(subject: &'s Subject<'_>, rule: &MappingId) -> Option<&'s CatalogTable> {
    subject.table(&name_of(subject, rule)?)
}

fn children<'s>(subject: &'s Subject<'_>, rule: &MappingId) -> &'s [MappingId] {
    let of = subject.content.relationships.mappings.get(rule);
    of.map_or(&[], |c| c.children.as_slice())
}

/// How many rows of a rule lie in one document of the rule above it, at most.
fn most_rows(subject: &Subject<'_>, rule: &MappingId) -> f64 {
    let Some(mapping) = subject.content.mappings.get(rule) else {
        return 1.0;
    };
    let limit = mapping.settings.array_conditions.as_ref().and_then(|c| c.limit);
    let key = mapping.settings.foreign_key_name.as_deref().unwrap_or_default();
    let fan = name_of(subject, rule).and_then(|name| subject.figures.fan(&name, key));
    let most = match (mapping.settings.kind, fan) {
        (RuleType::EmbeddedDocumentArray, Some(fan)) => fan.largest.unwrap_or(0.0).max(fan.usual_most()),
        _ => 1.0,
    };
    limit.map_or(most, |limit| most.min(f64::from(limit)))
}

/// The bytes of the largest documents of a rule, without what its parent adds; nothing where a size is not known.
fn bytes_of(subject: &Subject<'_>, rule: &MappingId, level: usize) -> Option<f64> {
    if level > LEVELS_MAX {
        return None;
    }
    let own = subject.figures.table(&name_of(subject, rule)?).row_bytes.unwrap_or(0.0);
    let below: f64 = (children(subject, rule).iter())
        .filter_map(|child| Some(most_rows(subject, child) * bytes_of(subject, child, level + 1)?))
        .sum();
    Some(own + below)
}

/// The array with most elements, in words.
fn widest(subject: &Subject<'_>, rule: &MappingId) -> String {
    let most = (children(subject, rule).iter())
        .map(|child| (most_rows(subject, child), child))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match most {
        Some((rows, child)) if rows > 1.0 => {
            let name = name_of(subject, child).map(|n| n.to_string()).unwrap_or_default();
            format!(": up to {rows:.0} rows of {name} in one")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::Bench;
    use chrono::TimeDelta;
    use godwit_shared::mapping::Content;
    use godwit_shared::proposal::{Fan, TableFacts as Figures};

    #[test]
    fn a_foreign_key_needs_an_index_that_leads_with_it() {
        let mut bench = Bench::clean();
        bench.change("child", |t| t.indexes.retain(|i| i.name == "pkey"));
        let found = bench.only("unindexed_foreign_key");
        assert!(
            found.detection_text.contains("fk (parent_id)"),
            "{}",
            found.detection_text
        );
    }

    #[test]
    fn statistics_grow_old_after_thirty_days() {
        let mut bench = Bench::clean();
        let now = bench.now;
        let mut rules = |analysed: Analysed| {
            bench.facts("parent").analysed = analysed;
            bench.rules()
        };
        assert!(rules(Analysed::At(now - TimeDelta::days(30))).is_empty());
        assert!(rules(Analysed::Unknown).is_empty());
        assert_eq!(rules(Analysed::Never).len(), 1);
        assert!(rules(Analysed::At(now - TimeDelta::days(31))).contains("statistics_outdated"));
    }

    fn mapping() -> Content {
        let rule = |kind: &str, table: &str, key: Option<&str>| serde_json::json!({"settings": {"type": kind, "foreignKeyName": key}, "collectionId": "c", "table": table});
        let path = |table: &str| serde_json::json!({"path": {"schema": "public", "table": table}});
        serde_json::from_value(serde_json::json!({
            "collections": {"c": {"name": "parents"}},
            "mappings": {"r": rule("NEW_DOCUMENT", "tp", None), "e": rule("EMBEDDED_DOCUMENT_ARRAY", "tc", Some("fk"))},
            "relationships": {"collections": {"c": {"mappings": ["r"]}}, "mappings": {"r": {"children": ["e"]}}},
            "tables": {"tp": path("parent"), "tc": path("child")},
        }))
        .expect("a mapping")
    }

    #[test]
    fn documents_beyond_half_of_the_limit_are_a_risk() {
        let mut bench = Bench::clean();
        bench.content = mapping();
        let name = |table: &str| TableName::new("public", table);
        let row = |bytes: f64| Figures {
            row_bytes: Some(bytes),
            ..Figures::default()
        };
        bench.figures.tables.insert(name("parent"), row(100.0));
        bench.figures.tables.insert(name("child"), row(1_000.0));
        let mut with = |largest: f64| {
            let fan = Fan {
                average: 10.0,
                p99: None,
                largest: Some(largest),
            };
            bench.figures.fans.insert((name("child"), "fk".into()), fan);
            bench.rules()
        };
        assert!(with(8_000.0).is_empty());
        assert!(with(9_000.0).contains("large_documents"));
        let found = bench.only("large_documents");
        assert_eq!(found.id, "large_documents:public.parent:parents");
        assert!(
            found.detection_text.contains("8.6 MiB") && found.detection_text.contains("9000 rows of public.child"),
            "{}",
            found.detection_text
        );
        let conditions = serde_json::from_value(serde_json::json!({"limit": 10})).expect("conditions");
        let rule = bench.content.mappings.get_mut(&MappingId::new("e")).expect("the rule");
        rule.settings.array_conditions = Some(conditions);
        assert!(bench.rules().is_empty());
    }
}
