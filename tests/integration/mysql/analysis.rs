//! The analysis of MySQL and MariaDB: rules by types, keys and values, and what is no table.

use super::bed::on_both;
use godwit::analysis::report::{Ingredients, make};
use godwit::source::api::Source;
use godwit::source::model::model_of;
use godwit_shared::analysis::{AnalysisReport, DatabaseMetadata};
use godwit_shared::ids::ProjectId;
use godwit_shared::job::MigrationMode;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const STATEMENTS: &[&str] = &[
    "CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT, code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci UNIQUE)",
    "CREATE TABLE geo (id INT PRIMARY KEY, at POINT)",
    "CREATE TABLE large (id INT PRIMARY KEY, t LONGTEXT, small TEXT)",
    "CREATE TABLE digits (id INT PRIMARY KEY, n DECIMAL(40,2), fine DECIMAL(34,2))",
    "CREATE TABLE wide (id INT PRIMARY KEY, u BIGINT UNSIGNED, b BIT(8), t TIME)",
    "CREATE TABLE zero (id INT PRIMARY KEY, d DATE)",
    "CREATE TABLE fine (id INT PRIMARY KEY, d DATE)",
    "CREATE TABLE no_key (a INT)",
    "CREATE TABLE child (id INT PRIMARY KEY, code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, \
     FOREIGN KEY (code) REFERENCES parent (code) ON DELETE CASCADE)",
    "CREATE TABLE parted (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3",
    "CREATE TABLE kept (id INT PRIMARY KEY, e ENUM('a','b'), d INT DEFAULT 5, g INT AS (d + 1) STORED)",
    "CREATE VIEW v AS SELECT id FROM parent",
    "CREATE PROCEDURE p() SELECT 1",
    "CREATE TRIGGER t AFTER INSERT ON geo FOR EACH ROW DELETE FROM no_key",
    "INSERT INTO parent (code) VALUES ('Abc')",
    "INSERT INTO child VALUES (1, 'aBC')",
    "INSERT INTO large VALUES (1, REPEAT('x', 2000000), 'y')",
    "SET SESSION sql_mode = ''",
    "INSERT INTO zero VALUES (1, '0000-00-00')",
    "INSERT INTO fine VALUES (1, '2024-01-01')",
];

fn lines(report: &AnalysisReport, database: &str) -> Vec<String> {
    let mut by_rule: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let prefix = format!("{database}.");
    for d in report
        .rules
        .iter()
        .filter(|d| d.rule != "statistics_outdated" && d.rule != "log_retention")
    {
        let rule = format!("{} {}", d.rule, d.rule_type.word());
        by_rule
            .entry(rule)
            .or_default()
            .insert(d.entity_name.strip_prefix(&prefix).unwrap_or(&d.entity_name));
    }
    (by_rule.into_iter())
        .map(|(rule, names)| format!("{rule}: {}", names.into_iter().collect::<Vec<_>>().join(", ")))
        .collect()
}

#[tokio::test]
async fn every_rule_is_found_where_it_applies() {
    on_both("analysis", STATEMENTS, async |bed| {
        let session = bed.session().await;
        let catalog = session.read_catalog().await.expect("the catalog");
        let model = model_of(bed.source.kind(), &catalog);
        let wanted: HashSet<_> = catalog.tables.keys().cloned().collect();
        let facts = session.analyse(&catalog, &wanted).await.expect("facts");
        let report = make(Ingredients {
            id: "r".into(),
            project: ProjectId::new("p"),
            project_name: "p".into(),
            content: &Default::default(),
            planned: &model,
            catalog: &catalog,
            live: model.clone(),
            facts,
            figures: session.read_facts(&catalog, &model).await.expect("figures"),
            checks: Vec::new(),
            metadata: DatabaseMetadata::default(),
            mode: MigrationMode::Cdc,
            started_at: Default::default(),
            now: Default::default(),
            earlier: None,
        });
        assert_eq!(report.errors, Vec::<String>::new(), "{:?}", bed.family);
        assert_eq!(
            lines(&report, &bed.database),
            [
                "auto_increment Note: parent",
                "blob_types Risk: large",
                "cascading_keys Note: child",
                "case_insensitive_keys Risk: child",
                "geospatial_data Task: geo",
                "no_primary_key Task: no_key",
                "numeric_precision_specified Risk: digits",
                "routines Task: p",
                "schema_validation Note: kept",
                "special_tables Note: parted",
                "triggers Task: geo.t",
                "unusual_types Note: wide",
                "views Note: v",
                "zero_dates Risk: zero",
            ],
            "{:?}",
            bed.family
        );
        let trigger = &report.db_metrics.all_triggers[0];
        assert!(
            trigger.definition.contains("AFTER INSERT") && trigger.definition.contains("DELETE FROM"),
            "{trigger:?}"
        );
    })
    .await;
}
