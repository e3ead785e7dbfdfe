//! The report, put together from what was read.

use super::facts::{ObjectFacts, SourceFacts, TableFacts};
use super::rules::{Subject, detect};
use super::sql;
use crate::data::catalog::{Catalog, CatalogTable};
use chrono::{DateTime, Utc};
use godwit_shared::analysis::{
    AnalysisCheck, AnalysisReport, DatabaseMetadata, DatabaseMetrics, Growth, LevelCounts, ObjectPath, ObjectReport,
    ReadWriteClass, ScoreParts, TableReport,
};
use godwit_shared::ids::ProjectId;
use godwit_shared::job::MigrationMode;
use godwit_shared::mapping::Content;
use godwit_shared::proposal::Facts;
use godwit_shared::schema::{ColumnForeignKey, RelationalModel, TableName};
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most bytes of one piece of SQL, and of all together, that a report holds.
const SQL_BYTES_MAX: usize = 64 << 10;
const ALL_SQL_BYTES_MAX: usize = 16 << 20;
/// The most sentences about what could not be read.
const ERRORS_MAX: usize = 100;
/// Reads or writes below this say nothing.
const COUNT_TOLD: u64 = 1_000;

/// What a report is made of.
pub struct Ingredients<'i> {
    pub id: String,
    pub project: ProjectId,
    pub project_name: String,
    pub content: &'i Content,
    /// The tables of the project.
    pub planned: &'i RelationalModel,
    pub catalog: &'i Catalog,
    /// The same as a model.
    pub live: RelationalModel,
    pub facts: SourceFacts,
    pub figures: Facts,
    pub checks: Vec<AnalysisCheck>,
    pub metadata: DatabaseMetadata,
    pub mode: MigrationMode,
    pub started_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
    pub earlier: Option<&'i AnalysisReport>,
}

/// Puts it together. Nobody has resolved anything in it yet.
pub fn make(of: Ingredients<'_>) -> AnalysisReport {
    let planned: HashSet<TableName> = of.planned.tables().map(|(path, _)| path.name()).collect();
    let mut tables: Vec<&Arc<CatalogTable>> = of
        .catalog
        .tables
        .values()
        .filter(|t| planned.contains(&t.name))
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let tables: Vec<&CatalogTable> = tables.into_iter().map(AsRef::as_ref).collect();
    let mut facts = of.facts;
    let mut errors = std::mem::take(&mut facts.gaps);
    let mut gone: Vec<String> = (planned.iter())
        .filter(|name| !of.catalog.tables.contains_key(*name))
        .map(ToString::to_string)
        .collect();
    if !gone.is_empty() {
        gone.sort();
        errors.push(format!(
            "The source has these tables of the project no more: {}.",
            gone.join(", ")
        ));
    }
    // What lies in schemas from which the project takes nothing is not its concern.
    let schemas: HashSet<&str> = tables.iter().map(|t| t.name.schema.as_str()).collect();
    let is_near = |o: &ObjectFacts| schemas.contains(o.schema.as_str());
    facts.views.retain(is_near);
    facts.routines.retain(is_near);
    facts
        .triggers
        .retain(|t| t.table.as_ref().is_none_or(|table| planned.contains(table)) && is_near(t));
    facts.unread.retain(|(name, _)| schemas.contains(name.schema.as_str()));
    let subject = Subject {
        database: &of.catalog.database,
        tables,
        facts: &facts,
        figures: &of.figures,
        content: of.content,
        mode: of.mode,
        now: of.now,
    };
    let rules = detect(&subject);
    let metrics = metrics(&subject, &of.live, of.earlier, &mut errors);
    errors.truncate(ERRORS_MAX);
    let mut report = AnalysisReport {
        id: of.id,
        project_id: of.project,
        project_name: of.project_name,
        generated_at: of.now,
        duration_ms: u64::try_from((of.now - of.started_at).num_milliseconds()).unwrap_or(0),
        mode: of.mode,
        preflight_checks: of.checks,
        rules,
        db_metrics: metrics,
        database_metadata: of.metadata,
        health_score: 0.0,
        score: ScoreParts::default(),
        resolved_rules: Vec::new(),
        takeaways: Vec::new(),
        unique_dbo_alerts: LevelCounts::default(),
        detection_counts_by_dbo_type: IndexMap::new(),
        errors,
        version: env!("CARGO_PKG_VERSION").into(),
    };
    report.settle();
    report
}

fn metrics(
    subject: &Subject<'_>,
    live: &RelationalModel,
    earlier: Option<&AnalysisReport>,
    errors: &mut Vec<String>,
) -> DatabaseMetrics {
    let none = TableFacts::default();
    let known = |table: &CatalogTable| subject.facts.tables.get(&table.name).unwrap_or(&none);
    let sum =
        |of: &dyn Fn(&TableFacts) -> Option<u64>| -> u64 { subject.tables.iter().filter_map(|t| of(known(t))).sum() };
    let (reads, writes) = (sum(&|t| t.reads), sum(&|t| t.writes));
    let before: HashMap<&ObjectPath, &TableReport> = earlier
        .iter()
        .flat_map(|r| r.db_metrics.all_tables.iter())
        .map(|t| (&t.path, t))
        .collect();
    let mut metrics = DatabaseMetrics {
        counted_since: subject.facts.counted_since,
        ..DatabaseMetrics::default()
    };
    for table in &subject.tables {
        let facts = known(table);
        let path = path(subject, &table.name.schema, &table.name.table);
        let class = class_of(facts, reads, writes);
        if matches!(class, ReadWriteClass::ReadHeavy | ReadWriteClass::ReadAndWriteHeavy) {
            metrics.read_heavy_tables.push(path.clone());
        }
        if matches!(class, ReadWriteClass::WriteHeavy | ReadWriteClass::ReadAndWriteHeavy) {
            metrics.write_heavy_tables.push(path.clone());
        }
        metrics.total_db_size += table.size_bytes;
        let difference = |now: u64, then: u64| i64::try_from(i128::from(now) - i128::from(then)).unwrap_or(i64::MAX);
        let growth = earlier.zip(before.get(&path)).map(|(report, then)| Growth {
            since: report.generated_at,
            bytes: difference(table.size_bytes, then.data_size),
            rows: difference(table.rows_estimated, then.row_count),
        });
        metrics.all_tables.push(TableReport {
            path,
            data_size: table.size_bytes,
            index_size: facts.index_bytes,
            row_count: table.rows_estimated,
            read_count: facts.reads.unwrap_or(0),
            write_count: facts.writes.unwrap_or(0),
            is_counted: facts.reads.is_some(),
            read_write_classification: class,
            growth,
            columns: columns_of(live, &table.name),
        });
    }
    let mut by_name: HashMap<String, Vec<&str>> = HashMap::new();
    let names: Vec<(String, String)> = (subject.tables.iter())
        .map(|t| (t.name.table.clone(), t.name.to_string()))
        .collect();
    for (name, full) in &names {
        by_name.entry(name.to_lowercase()).or_default().push(full);
        if name.to_lowercase() != *name {
            by_name.entry(name.clone()).or_default().push(full);
        }
    }
    let mut bytes = 0;
    let mut cut = 0;
    let mut objects = |of: &[ObjectFacts]| -> Vec<ObjectReport> {
        let one = |object: &ObjectFacts| {
            let (definition, is_cut) = shortened(&object.definition, bytes);
            bytes += definition.len();
            cut += usize::from(is_cut);
            object_of(subject, object, definition, &by_name)
        };
        of.iter().map(one).collect()
    };
    metrics.all_views = objects(&subject.facts.views);
    metrics.all_stored_procedures = objects(&subject.facts.routines);
    metrics.all_triggers = objects(&subject.facts.triggers);
    if cut > 0 {
        errors.push(format!(
            "The SQL of {cut} views, routines and triggers is not shown in full: it is too long."
        ));
    }
    metrics
}

fn path(subject: &Subject<'_>, schema: &str, name: &str) -> ObjectPath {
    ObjectPath {
        database: subject.database.into(),
        schema: schema.into(),
        name: name.into(),
    }
}

/// The columns with the foreign keys that they belong to.
fn columns_of(live: &RelationalModel, name: &TableName) -> IndexMap<String, godwit_shared::schema::Column> {
    let Some(table) = live.table(name) else {
        return IndexMap::new();
    };
    let mut columns = table.columns.clone();
    for (key, found) in &table.foreign_keys {
        for pair in &found.column_mappings {
            if let Some(column) = columns.get_mut(&pair.source) {
                column.foreign_key = Some(ColumnForeignKey {
                    name: key.clone(),
                    schema: found.target_table.schema.clone(),
                    table: found.target_table.table.clone(),
                    column: pair.target.clone(),
                    cardinality: found.cardinality,
                    synthetic: Some(found.synthetic),
                    extra: Default::default(),
                });
            }
        }
    }
    columns
}

/// A tenth of all reads, or of all writes, is much.
fn class_of(facts: &TableFacts, reads: u64, writes: u64) -> ReadWriteClass {
    let is_much = |own: Option<u64>, all: u64| own.is_some_and(|own| own >= COUNT_TOLD && own >= all / 10);
    match (is_much(facts.reads, reads), is_much(facts.writes, writes)) {
        (true, true) => ReadWriteClass::ReadAndWriteHeavy,
        (true, false) => ReadWriteClass::ReadHeavy,
        (false, true) => ReadWriteClass::WriteHeavy,
        (false, false) => ReadWriteClass::None,
    }
}

fn shortened(definition: &str, taken: usize) -> (String, bool) {
    let max = SQL_BYTES_MAX.min(ALL_SQL_BYTES_MAX.saturating_sub(taken));
    if definition.len() <= max {
        return (definition.to_owned(), false);
    }
    (definition[..definition.floor_char_boundary(max)].to_owned(), true)
}

fn object_of(
    subject: &Subject<'_>,
    object: &ObjectFacts,
    definition: String,
    by_name: &HashMap<String, Vec<&str>>,
) -> ObjectReport {
    ObjectReport {
        path: path(subject, &object.schema, &object.name),
        kind: object.kind.word().into(),
        language: object.language.clone(),
        table: object.table.as_ref().map(ToString::to_string),
        uses: sql::tables_in(&object.definition, by_name)
            .into_iter()
            .map(Into::into)
            .collect(),
        traits: sql::traits(&object.definition),
        lines: object.definition.lines().count() as u64,
        definition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_heavy_with_a_tenth_of_all() {
        let facts = |reads: u64, writes: u64| TableFacts {
            reads: Some(reads),
            writes: Some(writes),
            ..TableFacts::default()
        };
        let class = |own: TableFacts| class_of(&own, 100_000, 50_000);
        assert_eq!(class(facts(10_000, 0)), ReadWriteClass::ReadHeavy);
        assert_eq!(class(facts(9_999, 5_000)), ReadWriteClass::WriteHeavy);
        assert_eq!(class(facts(10_000, 5_000)), ReadWriteClass::ReadAndWriteHeavy);
        assert_eq!(class(TableFacts::default()), ReadWriteClass::None);
        // All of almost nothing is not much.
        assert_eq!(class_of(&facts(999, 999), 999, 999), ReadWriteClass::None);
    }

    #[test]
    fn sql_is_cut_between_two_characters() {
        let long = "ä".repeat(SQL_BYTES_MAX);
        let (cut, is_cut) = shortened(&long, 0);
        assert!(is_cut && cut.len() == SQL_BYTES_MAX);
        assert_eq!(shortened("abc", ALL_SQL_BYTES_MAX), (String::new(), true));
        assert_eq!(shortened("abc", 0), ("abc".to_owned(), false));
    }
}
