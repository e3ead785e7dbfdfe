//! The analysis of a source before a migration: what was found, where it stands, and what to do about it.
//!
//! Names and enums are those of the published API; what is ours is added beside them.

use crate::connection::JdbcConnectionDetails;
use crate::error::ErrorCode;
use crate::ids::ProjectId;
use crate::job::MigrationMode;
use crate::preflight::PreflightCheck;
use crate::schema::Column;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnalysisStatus {
    Running,
    /// It gave no report; `failure` says why.
    Failed,
    Cancelled,
    Completed,
}

/// The newest run of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnalysisTask {
    pub project_id: ProjectId,
    pub status: AnalysisStatus,
    pub submitted_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// For which mode of migration the source is looked at.
    pub mode: MigrationMode,
    /// What it is doing, in words; while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<AnalysisFailure>,
    /// The report that it has come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_id: Option<String>,
}

/// Why a run gave no report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnalysisFailure {
    pub code: ErrorCode,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The body of `POST /analysis/{projectId}/task`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnalysisTaskRequest {
    /// Absent: the connection of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    /// Absent: continuous where the source has a change log, else a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<MigrationMode>,
}

/// What a detection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ObjectType {
    Table,
    View,
    Routine,
    Index,
    Trigger,
    Database,
    Column,
}

impl ObjectType {
    /// In plain words.
    pub fn word(self) -> &'static str {
        match self {
            ObjectType::Table => "table",
            ObjectType::View => "view",
            ObjectType::Routine => "routine",
            ObjectType::Index => "index",
            ObjectType::Trigger => "trigger",
            ObjectType::Database => "database",
            ObjectType::Column => "column",
        }
    }
}

/// How urgent a detection is; the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// Somebody has to do something before the application can work with the documents.
    Task,
    /// May go wrong, or lose something.
    Risk,
    /// Worth knowing.
    Notice,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Task, Level::Risk, Level::Notice];

    /// What a rule of this level takes away from the score when it hits every object.
    pub fn weight(self) -> f64 {
        match self {
            Level::Task => 40.0,
            Level::Risk => 20.0,
            Level::Notice => 5.0,
        }
    }

    /// As the page names it.
    pub fn word(self) -> &'static str {
        match self {
            Level::Task => "Task",
            Level::Risk => "Risk",
            Level::Notice => "Note",
        }
    }
}

/// How much work what is to be done is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Difficulty {
    High,
    Medium,
    Low,
}

impl Difficulty {
    /// In plain words.
    pub fn word(self) -> &'static str {
        match self {
            Difficulty::High => "high",
            Difficulty::Medium => "medium",
            Difficulty::Low => "low",
        }
    }
}

/// What kind of thing a detection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    UnsupportedFeature,
    Schema,
    Performance,
    DataType,
}

impl Category {
    pub const ALL: [Category; 4] = [
        Category::UnsupportedFeature,
        Category::Schema,
        Category::Performance,
        Category::DataType,
    ];

    /// As the page names it.
    pub fn word(self) -> &'static str {
        match self {
            Category::UnsupportedFeature => "Unsupported feature",
            Category::Schema => "Schema",
            Category::Performance => "Performance",
            Category::DataType => "Data type",
        }
    }
}

/// Features that no migration of rows brings over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum IncompatibleFeature {
    OraclePackage,
    Routine,
    Triggers,
    MaterializedViews,
}

/// How a table is used, of all that the source has counted: heavy is a tenth of all reads, or of all writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReadWriteClass {
    ReadHeavy,
    WriteHeavy,
    ReadAndWriteHeavy,
    #[default]
    None,
}

impl ReadWriteClass {
    /// In plain words.
    pub fn word(self) -> &'static str {
        match self {
            ReadWriteClass::ReadHeavy => "Read heavy",
            ReadWriteClass::WriteHeavy => "Write heavy",
            ReadWriteClass::ReadAndWriteHeavy => "Read and write heavy",
            ReadWriteClass::None => "",
        }
    }
}

/// One detection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Detection {
    /// The rule and the path of the object: the same in every run, so that a mark on it stays.
    pub id: String,
    /// The rule, stable: `blob_types`.
    pub rule: String,
    /// The rule as it is shown.
    pub rule_name: String,
    pub dbo_type: ObjectType,
    pub rule_type: Level,
    /// `schema.table`, or the name of the database.
    pub entity_name: String,
    pub detection_text: String,
    pub difficulty: Difficulty,
    pub mitigation_text: String,
    pub category: Category,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incompatible_feature_type: Option<IncompatibleFeature>,
    /// The columns, keys or indexes of the object that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// How many objects it hits: more than one where it is about the whole database.
    pub objects: u64,
}

/// A check of the source for a mode of migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnalysisCheck {
    pub name: String,
    pub migration_mode: MigrationMode,
    pub passed: bool,
    pub check: PreflightCheck,
}

/// Where an object lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectPath {
    pub database: String,
    pub schema: String,
    pub name: String,
}

/// What is known of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TableReport {
    pub path: ObjectPath,
    /// Bytes on disk, without indexes.
    pub data_size: u64,
    /// Bytes of its indexes; absent where the source does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_size: Option<u64>,
    /// By the statistics of the source.
    pub row_count: u64,
    /// Rows that were read since the source counts; 0 where it does not.
    pub read_count: u64,
    /// Rows that were inserted, changed or deleted since the source counts; 0 where it does not.
    pub write_count: u64,
    /// Whether the source counts them.
    #[serde(default)]
    pub is_counted: bool,
    pub read_write_classification: ReadWriteClass,
    /// What has become of it since the report before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
    pub columns: IndexMap<String, Column>,
}

/// What a table has grown by since an earlier report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Growth {
    pub since: DateTime<Utc>,
    pub bytes: i64,
    pub rows: i64,
}

/// A view, a routine or a trigger with its SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ObjectReport {
    pub path: ObjectPath,
    pub definition: String,
    /// `view`, `materialized view`, `function`, `procedure`, `aggregate`, `trigger`.
    pub kind: String,
    /// The language of a routine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The table of a trigger, `schema.table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Tables of the project that its SQL names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<String>,
    /// What makes it hard to carry over: `dynamic SQL`, `cursor`, `loop`, `transaction`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<String>,
    /// Lines of its SQL.
    #[serde(default)]
    pub lines: u64,
}

/// Sizes and use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DatabaseMetrics {
    /// Bytes of the tables of the project, without indexes.
    pub total_db_size: u64,
    pub read_heavy_tables: Vec<ObjectPath>,
    pub write_heavy_tables: Vec<ObjectPath>,
    pub all_tables: Vec<TableReport>,
    pub all_stored_procedures: Vec<ObjectReport>,
    pub all_triggers: Vec<ObjectReport>,
    pub all_views: Vec<ObjectReport>,
    /// Since when the source counts reads and writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_since: Option<DateTime<Utc>>,
}

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DatabaseMetadata {
    pub database_version: String,
    /// Empty where the connection is not a saved one.
    pub connection_id: String,
    pub connection_name: String,
    /// Passwords masked.
    pub connection_url: String,
    pub database_type: String,
}

/// How many detections a category has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Takeaway {
    #[serde(rename = "type")]
    pub category: Category,
    /// Of all detections, in percent.
    pub value: f64,
}

/// Objects by the most urgent of their detections, or detections by their level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LevelCounts {
    pub task: u64,
    pub risk: u64,
    pub notice: u64,
    pub none: u64,
}

impl LevelCounts {
    /// One more of a level.
    pub fn add(&mut self, level: Option<Level>) {
        *match level {
            Some(Level::Task) => &mut self.task,
            Some(Level::Risk) => &mut self.risk,
            Some(Level::Notice) => &mut self.notice,
            None => &mut self.none,
        } += 1;
    }

    /// Those with a detection.
    pub fn hit(&self) -> u64 {
        self.task + self.risk + self.notice
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.hit() + self.none
    }
}

/// Detections of one type of object by category. The published API requires the one member and describes the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategoryCounts {
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub severity_counts_by_detection_category: IndexMap<Category, LevelCounts>,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub counts_by_detection_category: IndexMap<Category, u64>,
}

/// How ready a source is, from its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Readiness {
    Low,
    Medium,
    High,
}

impl Readiness {
    /// From 70 on high, from 40 on medium.
    pub fn of(score: f64) -> Self {
        match score {
            score if score >= 70.0 => Readiness::High,
            score if score >= 40.0 => Readiness::Medium,
            _ => Readiness::Low,
        }
    }

    /// In plain words.
    pub fn word(self) -> &'static str {
        match self {
            Readiness::Low => "Low",
            Readiness::Medium => "Medium",
            Readiness::High => "High",
        }
    }
}

/// How the score came about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ScoreParts {
    /// Tables, views, routines and triggers.
    pub objects: u64,
    /// Each rule that takes something away, the heaviest first.
    pub rules: Vec<ScorePart>,
}

/// What one rule takes away from the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ScorePart {
    pub rule: String,
    pub rule_name: String,
    pub level: Level,
    /// Objects that it hits on this level.
    pub objects: u64,
    /// weight × objects hit / objects
    pub points: f64,
}

/// The report of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnalysisReport {
    pub id: String,
    pub project_id: ProjectId,
    #[serde(default)]
    pub project_name: String,
    pub generated_at: DateTime<Utc>,
    /// How long the source was looked at.
    #[serde(default)]
    pub duration_ms: u64,
    /// For which mode the levels are.
    pub mode: MigrationMode,
    pub preflight_checks: Vec<AnalysisCheck>,
    /// The detections.
    pub rules: Vec<Detection>,
    pub db_metrics: DatabaseMetrics,
    pub database_metadata: DatabaseMetadata,
    /// From 0 to 100; detections that are resolved take nothing away.
    pub health_score: f64,
    #[serde(default)]
    pub score: ScoreParts,
    /// Ids of detections that a user has marked as resolved.
    pub resolved_rules: Vec<String>,
    pub takeaways: Vec<Takeaway>,
    /// Tables, views, routines and triggers by the most urgent of their open detections.
    pub unique_dbo_alerts: LevelCounts,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub detection_counts_by_dbo_type: IndexMap<ObjectType, CategoryCounts>,
    /// What could not be read, each a sentence: detections may be missing.
    pub errors: Vec<String>,
    /// Of the program.
    #[serde(default)]
    pub version: String,
}

impl AnalysisReport {
    /// Whether a detection is marked as resolved.
    pub fn is_resolved(&self, id: &str) -> bool {
        self.resolved_rules.iter().any(|resolved| resolved == id)
    }

    /// Detections that nobody has resolved.
    pub fn open(&self) -> impl Iterator<Item = &Detection> {
        self.rules.iter().filter(|d| !self.is_resolved(&d.id))
    }

    /// Computes what depends on which detections are resolved: score, counts and takeaways.
    pub fn settle(&mut self) {
        let resolved = std::mem::take(&mut self.resolved_rules);
        self.resolved_rules = (self.rules.iter())
            .filter(|d| resolved.contains(&d.id))
            .map(|d| d.id.clone())
            .collect();
        let metrics = &self.db_metrics;
        let objects: Vec<(ObjectType, String)> = (metrics.all_tables.iter().map(|t| (ObjectType::Table, &t.path)))
            .chain(metrics.all_views.iter().map(|o| (ObjectType::View, &o.path)))
            .chain(
                metrics
                    .all_stored_procedures
                    .iter()
                    .map(|o| (ObjectType::Routine, &o.path)),
            )
            .chain(metrics.all_triggers.iter().map(|o| (ObjectType::Trigger, &o.path)))
            .map(|(kind, path)| (kind, format!("{}.{}", path.schema, path.name)))
            .collect();
        let open: Vec<Detection> = self.open().cloned().collect();
        self.score = parts_of(&open, objects.len() as u64);
        let lost: f64 = self.score.rules.iter().map(|part| part.points).sum();
        self.health_score = ((100.0 - lost).clamp(0.0, 100.0) * 10.0).round() / 10.0;
        let mut worst: std::collections::HashMap<(ObjectType, &str), Level> = std::collections::HashMap::new();
        for detection in &open {
            let level = worst
                .entry((detection.dbo_type, detection.entity_name.as_str()))
                .or_insert(detection.rule_type);
            *level = (*level).min(detection.rule_type);
        }
        self.unique_dbo_alerts = LevelCounts::default();
        for (kind, name) in &objects {
            self.unique_dbo_alerts.add(worst.get(&(*kind, name.as_str())).copied());
        }
        self.detection_counts_by_dbo_type.clear();
        for detection in &open {
            let counts = self.detection_counts_by_dbo_type.entry(detection.dbo_type).or_default();
            let by_level = counts.severity_counts_by_detection_category.entry(detection.category);
            by_level.or_default().add(Some(detection.rule_type));
            *counts
                .counts_by_detection_category
                .entry(detection.category)
                .or_default() += 1;
        }
        self.takeaways = (Category::ALL.iter())
            .map(|category| {
                let count = open.iter().filter(|d| d.category == *category).count();
                let share = if open.is_empty() {
                    0.0
                } else {
                    count as f64 * 100.0 / open.len() as f64
                };
                Takeaway {
                    category: *category,
                    value: (share * 10.0).round() / 10.0,
                }
            })
            .collect();
    }
}

/// What each rule takes away.
fn parts_of(open: &[Detection], objects: u64) -> ScoreParts {
    let mut rules: Vec<ScorePart> = Vec::new();
    for detection in open {
        let known = rules
            .iter_mut()
            .find(|part| part.rule == detection.rule && part.level == detection.rule_type);
        match known {
            Some(part) => part.objects += detection.objects,
            None => rules.push(ScorePart {
                rule: detection.rule.clone(),
                rule_name: detection.rule_name.clone(),
                level: detection.rule_type,
                objects: detection.objects,
                points: 0.0,
            }),
        }
    }
    for part in &mut rules {
        part.objects = part.objects.min(objects.max(1));
        part.points = part.level.weight() * part.objects as f64 / objects.max(1) as f64;
    }
    rules.sort_by(|a, b| b.points.total_cmp(&a.points));
    ScoreParts { objects, rules }
}

/// One of the reports of a project, as they are listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnalysisReportSummary {
    pub id: String,
    pub generated_at: DateTime<Utc>,
    pub mode: MigrationMode,
    pub health_score: f64,
    /// Detections by level.
    pub detections: LevelCounts,
    pub errors: u64,
}

/// The body of `PUT /analysis/{projectId}/report/rule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveDetection {
    /// Of the detection.
    pub id: String,
    pub resolved: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn detection(rule: &str, level: Level, table: &str, objects: u64) -> Detection {
        Detection {
            id: format!("{rule}:{table}"),
            rule: rule.into(),
            rule_name: rule.into(),
            dbo_type: ObjectType::Table,
            rule_type: level,
            entity_name: format!("public.{table}"),
            detection_text: String::new(),
            difficulty: Difficulty::Low,
            mitigation_text: String::new(),
            category: Category::Schema,
            incompatible_feature_type: None,
            members: Vec::new(),
            objects,
        }
    }

    fn report(tables: usize, rules: Vec<Detection>) -> AnalysisReport {
        let table = |n: usize| TableReport {
            path: ObjectPath {
                database: "d".into(),
                schema: "public".into(),
                name: format!("t{n}"),
            },
            data_size: 0,
            index_size: None,
            row_count: 0,
            read_count: 0,
            write_count: 0,
            is_counted: false,
            read_write_classification: ReadWriteClass::None,
            growth: None,
            columns: IndexMap::new(),
        };
        AnalysisReport {
            id: "r".into(),
            project_id: ProjectId::new("p"),
            project_name: String::new(),
            generated_at: DateTime::UNIX_EPOCH,
            duration_ms: 0,
            mode: MigrationMode::Snapshot,
            preflight_checks: Vec::new(),
            rules,
            db_metrics: DatabaseMetrics {
                all_tables: (0..tables).map(table).collect(),
                ..DatabaseMetrics::default()
            },
            database_metadata: DatabaseMetadata::default(),
            health_score: 0.0,
            score: ScoreParts::default(),
            resolved_rules: Vec::new(),
            takeaways: Vec::new(),
            unique_dbo_alerts: LevelCounts::default(),
            detection_counts_by_dbo_type: IndexMap::new(),
            errors: Vec::new(),
            version: String::new(),
        }
    }

    #[test]
    fn the_score_is_what_the_formula_says_and_what_is_resolved_takes_nothing_away() {
        let rules = vec![
            detection("a", Level::Task, "t0", 1),
            detection("a", Level::Task, "t1", 1),
            detection("b", Level::Risk, "t0", 1),
            detection("c", Level::Notice, "database", 10),
        ];
        let mut report = report(10, rules);
        report.settle();
        // 100 - 40 * 2/10 - 20 * 1/10 - 5 * 10/10
        assert_eq!(report.health_score, 85.0);
        let alerts = report.unique_dbo_alerts;
        assert_eq!((alerts.task, alerts.risk, alerts.notice, alerts.none), (2, 0, 0, 8));
        report.resolved_rules = vec!["a:t0".into(), "of another run".into()];
        report.settle();
        assert_eq!(report.health_score, 89.0);
        assert_eq!(report.resolved_rules, ["a:t0"]);
        let alerts = report.unique_dbo_alerts;
        assert_eq!((alerts.task, alerts.risk, alerts.none), (1, 1, 8));
    }

    #[test]
    fn no_score_falls_below_zero_and_nothing_to_look_at_is_ready() {
        let rules = (0..5)
            .map(|n| detection(&format!("r{n}"), Level::Task, "t0", 1))
            .collect();
        let mut report_of_one = report(1, rules);
        report_of_one.settle();
        assert_eq!(report_of_one.health_score, 0.0);
        let mut empty = report(0, Vec::new());
        empty.settle();
        assert_eq!(empty.health_score, 100.0);
        assert_eq!(Readiness::of(empty.health_score), Readiness::High);
        assert_eq!(Readiness::of(69.9), Readiness::Medium);
        assert_eq!(Readiness::of(39.9), Readiness::Low);
    }

    #[test]
    fn words_on_the_wire_are_those_of_the_published_api() {
        let json = |value: &dyn erased::Json| value.json();
        assert_eq!(json(&IncompatibleFeature::MaterializedViews), "\"MATERIALIZED-VIEWS\"");
        assert_eq!(json(&ReadWriteClass::ReadAndWriteHeavy), "\"READ_AND_WRITE_HEAVY\"");
        assert_eq!(json(&Category::UnsupportedFeature), "\"UNSUPPORTED_FEATURE\"");
        assert_eq!(json(&AnalysisStatus::Cancelled), "\"CANCELLED\"");
    }

    mod erased {
        pub trait Json {
            fn json(&self) -> String;
        }
        impl<T: serde::Serialize> Json for T {
            fn json(&self) -> String {
                serde_json::to_string(self).expect("it is plain")
            }
        }
    }
}
