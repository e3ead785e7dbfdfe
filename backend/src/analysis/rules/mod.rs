//! The rules: what each looks for, how urgent it is, and what to do.
//!
//! A rule hits the objects of its detections. One about the database as a whole hits all of its tables.

mod database;
mod features;
mod load;
mod schema;
mod types;

use super::facts::{ColumnFacts, SourceFacts, TableFacts};
use crate::data::catalog::CatalogTable;
use chrono::{DateTime, Utc};
use godwit_shared::analysis::{Category, Detection, Difficulty, IncompatibleFeature, Level, ObjectType};
use godwit_shared::job::MigrationMode;
use godwit_shared::mapping::Content;
use godwit_shared::proposal::Facts;
use godwit_shared::schema::TableName;

/// What the rules look at: the tables of a project, and what belongs to them.
pub struct Subject<'s> {
    pub database: &'s str,
    /// By name.
    pub tables: Vec<&'s CatalogTable>,
    pub facts: &'s SourceFacts,
    /// Rows, and how many refer to one.
    pub figures: &'s Facts,
    /// The planned mapping.
    pub content: &'s Content,
    pub mode: MigrationMode,
    pub now: DateTime<Utc>,
}

impl Subject<'_> {
    fn is_continuous(&self) -> bool {
        self.mode != MigrationMode::Snapshot
    }

    fn table(&self, name: &TableName) -> Option<&CatalogTable> {
        self.tables.iter().copied().find(|t| t.name == *name)
    }
}

/// All detections: by level, then in the order of the rules and of the objects.
pub fn detect(subject: &Subject<'_>) -> Vec<Detection> {
    let mut found = Vec::new();
    let none = TableFacts::default();
    for table in &subject.tables {
        let facts = subject.facts.tables.get(&table.name).unwrap_or(&none);
        types::look(table, facts, &mut found);
        schema::look(subject, table, facts, &mut found);
        load::look(subject, table, facts, &mut found);
    }
    schema::look_at_circles(subject, &mut found);
    load::look_at_documents(subject, &mut found);
    features::look(subject, &mut found);
    database::look(subject, &mut found);
    found.sort_by(|a, b| (a.rule_type, &a.rule, &a.entity_name).cmp(&(b.rule_type, &b.rule, &b.entity_name)));
    found
}

/// What all detections of a rule have in common.
pub(super) struct Rule {
    pub id: &'static str,
    pub name: &'static str,
    pub object: ObjectType,
    pub category: Category,
    pub difficulty: Difficulty,
    pub level: Level,
}

impl Rule {
    /// A detection at an object of a schema.
    pub(super) fn at(&self, schema: &str, name: &str, text: String, mitigation: impl Into<String>) -> Detection {
        Detection {
            id: format!("{}:{}.{}", self.id, quoted(schema), quoted(name)),
            rule: self.id.into(),
            rule_name: self.name.into(),
            dbo_type: self.object,
            rule_type: self.level,
            entity_name: format!("{schema}.{name}"),
            detection_text: text,
            difficulty: self.difficulty,
            mitigation_text: mitigation.into(),
            category: self.category,
            incompatible_feature_type: None,
            members: Vec::new(),
            objects: 1,
        }
    }

    pub(super) fn at_table(&self, table: &CatalogTable, text: String, mitigation: impl Into<String>) -> Detection {
        self.at(&table.name.schema, &table.name.table, text, mitigation)
    }

    /// A detection at the whole database.
    pub(super) fn at_database(&self, subject: &Subject<'_>, text: String, mitigation: impl Into<String>) -> Detection {
        Detection {
            id: format!("{}:", self.id),
            entity_name: subject.database.into(),
            objects: subject.tables.len() as u64,
            ..self.at("", "", text, mitigation)
        }
    }
}

/// A detection with more of what only some have.
pub(super) trait With {
    fn members(self, members: Vec<String>) -> Self;
    fn level(self, level: Level) -> Self;
    fn feature(self, feature: IncompatibleFeature) -> Self;
}

impl With for Detection {
    fn members(mut self, members: Vec<String>) -> Self {
        self.members = members;
        self
    }

    fn level(mut self, level: Level) -> Self {
        self.rule_type = level;
        self
    }

    fn feature(mut self, feature: IncompatibleFeature) -> Self {
        self.incompatible_feature_type = Some(feature);
        self
    }
}

/// A name as a part of an id: quoted where it holds what separates parts.
fn quoted(name: &str) -> String {
    match name.contains(['.', ':', '"']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    }
}

/// The most names that one text lists.
const NAMES_MAX: usize = 20;

/// Names in a text.
pub(super) fn listed(names: &[String]) -> String {
    match names.len() {
        count if count > NAMES_MAX => format!("{} and {} more", names[..NAMES_MAX].join(", "), count - NAMES_MAX),
        _ => names.join(", "),
    }
}

/// `s` behind a number that is not one.
pub(super) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Bytes in a text.
pub(super) fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" }),
        _ => format!("{value:.1} {}", units[unit]),
    }
}

/// The columns of a table with what is known of them.
pub(super) fn columns<'t>(
    table: &'t CatalogTable,
    facts: &'t TableFacts,
) -> impl Iterator<Item = (&'t crate::data::catalog::CatalogColumn, &'t ColumnFacts)> {
    let known = |name: &str| facts.columns.get(name);
    table.columns.iter().filter_map(move |c| Some((c, known(&c.name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::Bench;

    #[test]
    fn a_source_in_which_nothing_stands_in_the_way_has_no_detection() {
        let mut bench = Bench::clean();
        assert!(bench.rules().is_empty(), "{:?}", bench.detect());
        bench.mode = MigrationMode::Cdc;
        assert!(bench.rules().is_empty(), "{:?}", bench.detect());
    }

    #[test]
    fn ids_of_different_objects_differ() {
        assert_ne!(
            format!("{}.{}", quoted("a.b"), quoted("c")),
            format!("{}.{}", quoted("a"), quoted("b.c"))
        );
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted("plain name"), "plain name");
    }

    #[test]
    fn sizes_and_lists_are_short() {
        assert_eq!(
            (size(1), size(1_023), size(1_536)),
            ("1 byte".into(), "1023 bytes".into(), "1.5 KiB".into())
        );
        let names: Vec<String> = (0..30).map(|n| format!("c{n}")).collect();
        assert!(listed(&names).ends_with("c19 and 10 more"));
    }
}
