//! The analysis before a migration: what it detects in databases that people know, what becomes of a run, and what is kept.

use super::common::{loaded, reader};
use godwit_shared::analysis::{AnalysisReport, AnalysisStatus, AnalysisTask, Level, ObjectType, Readiness};
use godwit_shared::casing::Casing;
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::KeyHandling;
use godwit_shared::schema::RelationalModel;
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::app::App;
use godwit_tests::servers::{Database, PASSWORD, SUPERUSER, servers};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A server with a project of all tables of a source.
pub struct Analysed {
    pub app: App,
    pub project: String,
    pub connection: Value,
}

impl Analysed {
    pub async fn new(connection: Value, app: App) -> Analysed {
        let api = app.api();
        let schema = api
            .post("/schema/jdbc", &json!({"jdbcConnectionDetails": connection}))
            .await
            .ok();
        let model: RelationalModel = serde_json::from_value(schema["full"].clone()).expect("a model");
        let content = content_of(&model, Casing::CamelCase, KeyHandling::Single, InitialMapping::Empty);
        let save =
            json!({"name": "analysed", "type": connection["type"], "schemasId": schema["id"], "content": content});
        let project = api.post("/project", &save).await.ok();
        let project = project["id"].as_str().expect("an id").to_owned();
        Analysed {
            app,
            project,
            connection,
        }
    }

    pub async fn of(database: &Database) -> Analysed {
        Analysed::new(details(database), App::start().await).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/analysis/{}/{rest}", self.project)
    }

    async fn task(&self) -> AnalysisTask {
        let answer = self.app.api().get(&self.path("task")).await.ok();
        serde_json::from_value(answer).expect("a task")
    }

    pub async fn ended(&self) -> AnalysisTask {
        wait_for("the end of the analysis", LONG, || async {
            Some(self.task().await).filter(|task| task.status != AnalysisStatus::Running)
        })
        .await
    }

    pub async fn start(&self, mode: Option<&str>) {
        let mut request = json!({"jdbcConnectionDetails": self.connection});
        if let Some(mode) = mode {
            request["mode"] = mode.into();
        }
        self.app.api().post(&self.path("task"), &request).await.ok();
    }

    pub async fn report(&self) -> AnalysisReport {
        let answer = self.app.api().get(&self.path("report")).await.ok();
        serde_json::from_value(answer).expect("a report")
    }

    pub async fn run(&self, mode: Option<&str>) -> AnalysisReport {
        self.start(mode).await;
        let task = self.ended().await;
        assert_eq!((task.status, &task.failure), (AnalysisStatus::Completed, &None));
        let report = self.report().await;
        assert_eq!(task.report_id.as_deref(), Some(report.id.as_str()));
        report
    }
}

fn details(database: &Database) -> Value {
    json!({"type": "POSTGRESQL", "url": database.jdbc_url(), "user": SUPERUSER, "password": PASSWORD})
}

/// `rule level: object, object`, by rule.
pub fn lines(report: &AnalysisReport) -> Vec<String> {
    let mut by_rule: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for d in &report.rules {
        let rule = format!("{} {}", d.rule, d.rule_type.word());
        let name = d.entity_name.strip_prefix("public.").unwrap_or(&d.entity_name);
        by_rule.entry(rule).or_default().insert(name);
    }
    by_rule
        .into_iter()
        .map(|(rule, names)| format!("{rule}: {}", names.into_iter().collect::<Vec<_>>().join(", ")))
        .collect()
}

fn assert_lines(report: &AnalysisReport, expected: &[&str]) {
    let found = lines(report);
    assert_eq!(found, expected, "{found:#?}");
    assert_eq!(report.errors, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_has_nothing_that_stands_in_the_way() {
    let Some(source) = loaded("chinook", "chinook.sql").await else {
        return;
    };
    let report = Analysed::of(&source).await.run(None).await;
    assert_lines(&report, &[]);
    assert_eq!(
        (report.health_score, Readiness::of(report.health_score)),
        (100.0, Readiness::High)
    );
    assert!(report.preflight_checks.iter().any(|c| c.passed));
}

#[tokio::test(flavor = "multi_thread")]
async fn pagila_has_every_rule_that_applies_and_no_other() {
    let Some(source) = loaded("pagila", "pagila.sql.gz").await else {
        return;
    };
    let report = Analysed::of(&source).await.run(None).await;
    assert_lines(&report, PAGILA);
    let view = report
        .db_metrics
        .all_views
        .iter()
        .find(|v| v.path.name == "customer_list")
        .expect("the view");
    assert!(
        view.definition.contains("SELECT") && view.uses.contains(&"public.customer".to_owned()),
        "{view:#?}"
    );
    let routine = report
        .db_metrics
        .all_stored_procedures
        .iter()
        .find(|r| r.path.name.starts_with("film_in_stock("));
    assert_eq!(routine.expect("the routine").kind, "function");
    let payment = report
        .db_metrics
        .all_tables
        .iter()
        .find(|t| t.path.name == "payment")
        .expect("the table");
    assert!(
        payment.row_count > 10_000 && payment.data_size > 0 && payment.index_size > Some(0),
        "{payment:#?}"
    );
    assert!(payment.is_counted && payment.write_count >= payment.row_count);
    let key = &report
        .db_metrics
        .all_tables
        .iter()
        .find(|t| t.path.name == "film")
        .expect("the table")
        .columns["language_id"];
    assert_eq!(key.foreign_key.as_ref().expect("a key").table, "language");
    let modes: BTreeSet<String> = report
        .preflight_checks
        .iter()
        .map(|c| format!("{:?}", c.migration_mode))
        .collect();
    assert_eq!(modes.len(), 3, "{modes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_has_every_rule_that_applies_and_no_other() {
    let Some(source) = loaded("edge", "edge.sql").await else {
        return;
    };
    let report = Analysed::of(&source).await.run(None).await;
    assert_lines(&report, EDGE);
}

/// One table for each rule, named after it.
const EVERY_RULE: &str = r#"
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN email AS varchar(100) CHECK (VALUE ~ '@');
CREATE TABLE a_parent (id int PRIMARY KEY, code char(4) UNIQUE, name varchar(10));
CREATE TABLE geo (id int PRIMARY KEY, at point, way path[]);
CREATE TABLE blob_small (id int PRIMARY KEY, t text, c character(20));
CREATE TABLE blob_large (id int PRIMARY KEY, b bytea);
CREATE TABLE digits_declared (id int PRIMARY KEY, n numeric(40, 2), fine numeric(34, 2));
CREATE TABLE digits_few (id int PRIMARY KEY, n numeric);
CREATE TABLE digits_many (id int PRIMARY KEY, n numeric);
CREATE TABLE zoned (id int PRIMARY KEY, at timestamptz);
CREATE TABLE counted (id serial PRIMARY KEY, other int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE special (id int PRIMARY KEY, f float8, d date, far date, fine timestamp);
CREATE TABLE no_key (a int);
CREATE TABLE no_identity (id int PRIMARY KEY);
ALTER TABLE no_identity REPLICA IDENTITY NOTHING;
CREATE TABLE padded (id int PRIMARY KEY, code varchar(4) REFERENCES a_parent (code));
CREATE INDEX ON padded (code);
CREATE TABLE names (id int PRIMARY KEY, "a.b" int, "$c" int, "1st" int);
CREATE TABLE unindexed (id int PRIMARY KEY, parent int REFERENCES a_parent);
CREATE TABLE cascading (id int PRIMARY KEY, parent int REFERENCES a_parent ON DELETE CASCADE);
CREATE INDEX ON cascading (parent);
CREATE TABLE deferred (id int PRIMARY KEY, parent int REFERENCES a_parent DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX ON deferred (parent);
CREATE TABLE circle_a (id int PRIMARY KEY, b int);
CREATE TABLE circle_b (id int PRIMARY KEY, a int REFERENCES circle_a);
ALTER TABLE circle_a ADD FOREIGN KEY (b) REFERENCES circle_b;
CREATE INDEX ON circle_a (b);
CREATE INDEX ON circle_b (a);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000);
CREATE TABLE heir (more int, PRIMARY KEY (id)) INHERITS (no_identity);
CREATE TABLE kept (id int PRIMARY KEY, m mood, e email, d int DEFAULT 5, c int CHECK (c > 0));
CREATE TABLE secured (id int PRIMARY KEY);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secured USING (id < 3);
CREATE VIEW v AS SELECT id FROM a_parent;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM a_parent;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM geo; RETURN NEW; END';
CREATE PROCEDURE p(a int) LANGUAGE sql AS 'UPDATE geo SET id = a';
CREATE TRIGGER t AFTER INSERT ON a_parent FOR EACH ROW EXECUTE FUNCTION f();
INSERT INTO blob_small VALUES (1, repeat('ä', 100), 'x');
INSERT INTO blob_large VALUES (1, decode(repeat('00', 1500000), 'hex'));
INSERT INTO digits_few VALUES (1, 1234.50), (2, 'NaN');
INSERT INTO digits_many VALUES (1, 12345678901234567890123456789012345.6);
INSERT INTO special VALUES (1, 'NaN', 'infinity', '4000-01-01 BC', '2024-01-01');
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_postgresql_is_found_where_it_applies() {
    let source = servers().await.postgres.database("rules", EVERY_RULE).await;
    source
        .run("analyze; CREATE TABLE stale AS SELECT 1 AS id; ALTER TABLE stale ADD PRIMARY KEY (id)")
        .await;
    let analysed = Analysed::of(&source).await;
    let report = analysed.run(None).await;
    assert_lines(
        &report,
        &[
            "auto_increment Note: counted",
            "blob_types Note: a_parent, blob_small",
            "blob_types Risk: blob_large",
            "cascading_keys Note: cascading",
            "char_padding Risk: padded",
            "circular_keys Note: circle_a, circle_b",
            "deferred_keys Note: deferred",
            "geospatial_data Task: geo",
            "materialized_views Note: mv",
            "names_to_escape Note: names",
            "no_primary_key Task: no_key",
            "numeric_precision_specified Risk: digits_declared",
            "numeric_precision_unspecified Note: digits_few",
            "numeric_precision_unspecified Risk: digits_many",
            "replica_identity Task: no_identity, no_key",
            "routines Task: f(), p(IN a integer)",
            "schema_validation Note: kept",
            "special_tables Note: heir, no_identity, parted",
            "special_values Risk: digits_few, special",
            "statistics_outdated Note: stale",
            "timezones_on_dates Note: zoned",
            "triggers Task: a_parent.t",
            "unindexed_foreign_key Risk: unindexed",
            "views Note: v",
        ],
    );
    let text = |rule: &str, name: &str| {
        let found = report
            .rules
            .iter()
            .find(|d| d.rule == rule && d.entity_name.ends_with(name));
        found.expect("a detection").detection_text.clone()
    };
    assert!(text("blob_types", "blob_large").contains("1.4 MiB"));
    assert!(text("blob_types", "blob_small").contains("200 bytes"));
    assert!(text("numeric_precision_unspecified", "digits_many").contains("36 digits"));
    assert!(text("numeric_precision_unspecified", "digits_few").contains("5 digits"));
    assert!(text("special_values", "special").contains("NaN or infinity, a year before 1 or after 9999, infinity"));
    let routine = &report.db_metrics.all_stored_procedures[0];
    assert_eq!(
        (&routine.uses[..], &routine.traits[..]),
        (&["public.geo".to_owned()][..], &["writes rows".to_owned()][..])
    );
    // For a snapshot nobody needs to be told which row has changed.
    let snapshot = lines(&analysed.run(Some("SNAPSHOT")).await);
    assert!(
        snapshot.contains(&"no_primary_key Risk: no_key".to_owned()),
        "{snapshot:#?}"
    );
    assert!(
        !snapshot.iter().any(|line| line.starts_with("replica_identity")),
        "{snapshot:#?}"
    );
    // Policies do not hold for a superuser.
    let user = reader(&source, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO $user").await;
    let mut connection = analysed.connection.clone();
    connection["user"] = user.into();
    let request = json!({"jdbcConnectionDetails": connection});
    analysed.app.api().post(&analysed.path("task"), &request).await.ok();
    assert_eq!(analysed.ended().await.status, AnalysisStatus::Completed);
    let found = lines(&analysed.report().await);
    assert!(found.contains(&"row_security Risk: secured".to_owned()), "{found:#?}");
}

const SMALL: &str = "
    CREATE TABLE customer (id serial PRIMARY KEY, born timestamptz);
    CREATE TABLE note (customer_id int, t text);
    INSERT INTO customer SELECT n, now() FROM generate_series(1, 100) n;";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_resolved_stays_resolved_until_it_is_opened_again() {
    let source = servers().await.postgres.database("resolved", SMALL).await;
    source.run("analyze").await;
    let analysed = Analysed::of(&source).await;
    let api = analysed.app.api();
    analysed
        .app
        .api()
        .get(&analysed.path("task"))
        .await
        .error(404, "not_found");
    analysed
        .app
        .api()
        .get(&analysed.path("report"))
        .await
        .error(404, "not_found");
    let first = analysed.run(None).await;
    let id = "no_primary_key:public.note";
    let keyless = first.rules.iter().find(|d| d.id == id).expect("the detection");
    assert_eq!((keyless.rule_type, keyless.dbo_type), (Level::Task, ObjectType::Table));
    let mark = |resolved: bool| json!({"id": id, "resolved": resolved});
    let marks = api.put(&analysed.path("report/rule"), &mark(true)).await.ok();
    assert_eq!(marks, json!([id]));
    let again = analysed.run(None).await;
    assert_ne!(first.id, again.id);
    assert_eq!(again.resolved_rules, [id]);
    assert_eq!(again.rules.len(), first.rules.len());
    // One of two tables with a task less, of which each counts half: 40 / 2.
    assert_eq!(((again.health_score - first.health_score) * 10.0).round(), 200.0);
    assert!(again.db_metrics.all_tables[0].growth.is_some());
    let listed = api.get(&analysed.path("reports")).await.ok();
    let ids: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|r| r["id"].as_str())
        .collect();
    assert_eq!(ids, [again.id.as_str(), first.id.as_str()]);
    let earlier = api
        .get(&format!("{}?id={}", analysed.path("report"), first.id))
        .await
        .ok();
    assert_eq!(earlier["id"], first.id.as_str());
    let marks = api.put(&analysed.path("report/rule"), &mark(false)).await.ok();
    assert_eq!(marks, json!([]));
    assert_eq!(analysed.report().await.health_score, first.health_score);
    // With the project everything goes.
    api.put(&analysed.path("report/rule"), &mark(true)).await.ok();
    assert_eq!(api.delete(&format!("/project/{}", analysed.project)).await.status, 204);
    api.get(&analysed.path("report")).await.error(404, "not_found");
    let store = analysed.app.store().await;
    for name in [
        "analysisTasks",
        "analysisReports",
        "analysisReportParts",
        "analysisMarks",
    ] {
        let left = store
            .collection::<bson::Document>(name)
            .count_documents(bson::doc! {})
            .await
            .expect("a count");
        assert_eq!(left, 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_given_in_four_forms_and_hold_what_the_published_api_requires() {
    let source = servers().await.postgres.database("forms", SMALL).await;
    source
        .run("CREATE VIEW \"</script><b>\" AS SELECT '</code><i>' FROM note; analyze")
        .await;
    let analysed = Analysed::of(&source).await;
    let report = analysed.run(None).await;
    let api = analysed.app.api();
    let json = api.get(&analysed.path("report")).await.ok();
    for member in [
        "id",
        "projectId",
        "generatedAt",
        "preflightChecks",
        "rules",
        "dbMetrics",
        "databaseMetadata",
        "healthScore",
        "resolvedRules",
        "takeaways",
        "uniqueDboAlerts",
        "detectionCountsByDboType",
        "errors",
    ] {
        assert!(!json[member].is_null(), "{member}");
    }
    let table = &json["dbMetrics"]["allTables"][0];
    for member in [
        "path",
        "dataSize",
        "rowCount",
        "readCount",
        "writeCount",
        "readWriteClassification",
        "columns",
    ] {
        assert!(!table[member].is_null(), "{member}");
    }
    let counts = &json["detectionCountsByDboType"]["TABLE"]["severityCountsByDetectionCategory"]["SCHEMA"];
    assert!(counts["task"].as_u64() > Some(0), "{json:#}");
    assert!(!json.to_string().contains(PASSWORD), "no password in a report");
    let page = api.get(&analysed.path("report.html")).await.ok();
    let page = page.as_str().expect("a page");
    assert!(
        page.contains("Table without primary key") && page.contains("&lt;/script&gt;&lt;b&gt;"),
        "{page}"
    );
    assert!(!page.contains("<b>") && !page.contains("<i>"), "{page}");
    let markdown = api.get(&analysed.path("report.md")).await.ok();
    assert!(
        markdown
            .as_str()
            .expect("a text")
            .contains("| public.note | Table without primary key |"),
        "{markdown}"
    );
    let sarif = api.get(&analysed.path("report.sarif")).await.ok();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(
        sarif["runs"][0]["results"].as_array().expect("results").len(),
        report.rules.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_ended_and_does_not_outlive_its_server() {
    let source = servers().await.postgres.database("ended", SMALL).await;
    let mut analysed = Analysed::of(&source).await;
    let api = analysed.app.api();
    api.post(&analysed.path("task/cancel"), &json!({}))
        .await
        .error(404, "not_found");
    // Somebody holds a lock, and the look at the values waits for it.
    let holder = source.connect().await;
    holder
        .batch_execute("BEGIN; LOCK TABLE note IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    analysed.start(None).await;
    api.post(
        &analysed.path("task"),
        &json!({"jdbcConnectionDetails": analysed.connection}),
    )
    .await
    .error(409, "wrong_state");
    let ended = api.post(&analysed.path("task/cancel"), &json!({})).await.ok();
    assert_eq!(ended["status"], "CANCELLED");
    assert_eq!(analysed.ended().await.status, AnalysisStatus::Cancelled);
    api.post(&analysed.path("task/cancel"), &json!({}))
        .await
        .error(409, "not_cancellable");
    analysed.start(None).await;
    analysed.app.kill();
    analysed.app.restart().await;
    let task = analysed.ended().await;
    assert_eq!(task.status, AnalysisStatus::Failed);
    assert!(
        task.failure
            .expect("a reason")
            .message
            .contains("the server was stopped")
    );
    holder.batch_execute("ROLLBACK").await.expect("an end");
    analysed.run(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_beside_what_can() {
    let source = servers().await.postgres.database("partial", SMALL).await;
    source.run("analyze").await;
    let mut analysed = Analysed::of(&source).await;
    let user = reader(&source, "GRANT SELECT ON customer TO $user").await;
    let superuser = analysed.connection.clone();
    analysed.connection["user"] = user.into();
    let report = analysed.run(None).await;
    assert!(
        report.errors.iter().any(|e| e.contains("public.note")),
        "{:?}",
        report.errors
    );
    assert!(report.rules.iter().any(|d| d.id == "auto_increment:public.customer"));
    let failed = report.preflight_checks.iter().filter(|c| !c.passed).count();
    assert!(failed > 0, "{:?}", report.preflight_checks);
    analysed.connection = superuser;
    source.run("DROP TABLE note").await;
    let report = analysed.run(None).await;
    assert!(
        report.errors.iter().any(|e| e.contains("no more: public.note")),
        "{:?}",
        report.errors
    );
    let wrong = json!({"jdbcConnectionDetails": {"type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER, "password": "wrong"}});
    analysed
        .app
        .api()
        .post(&analysed.path("task"), &wrong)
        .await
        .error(502, "source_unreachable");
    // The failed try has not taken the place of the report.
    assert_eq!(analysed.report().await.id, report.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_tables_are_analysed() {
    let mut sql = String::new();
    for n in 0..5_000 {
        use std::fmt::Write;
        let _ = write!(
            sql,
            "CREATE TABLE t{n} (id int PRIMARY KEY, a text, b numeric, c timestamptz, d int);"
        );
    }
    let source = servers().await.postgres.database("many", "").await;
    for part in sql.split_inclusive(';').collect::<Vec<_>>().chunks(500) {
        source.run(&part.concat()).await;
    }
    let report = Analysed::of(&source).await.run(None).await;
    assert_eq!(report.db_metrics.all_tables.len(), 5_000);
    println!("5,000 tables: {} ms", report.duration_ms);
    let hit = |rule: &str| report.rules.iter().filter(|d| d.rule == rule).count();
    assert_eq!(
        (hit("timezones_on_dates"), hit("numeric_precision_unspecified")),
        (5_000, 5_000)
    );
}

const SQLITE: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, price INT DEFAULT 3 CHECK (price > 0));
    CREATE TABLE child (id INT PRIMARY KEY NOT NULL, parent_id INT REFERENCES parent ON DELETE CASCADE);
    CREATE TABLE loose (a INT);
    CREATE VIEW v AS SELECT name FROM parent;
    CREATE TRIGGER t AFTER INSERT ON parent BEGIN DELETE FROM loose; END;
    INSERT INTO parent VALUES (1, 'ä', 1);";

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_files_are_analysed_for_a_snapshot() {
    let app = App::start().await;
    let folder = app.data_dir().join("sqlite");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = rusqlite::Connection::open(folder.join("a.db")).expect("a file");
    file.execute_batch(SQLITE).expect("statements that run");
    let analysed = Analysed::new(json!({"type": "SQLITE", "url": "jdbc:sqlite:a.db"}), app).await;
    let report = analysed.run(None).await;
    assert_eq!(
        lines(&report),
        [
            "auto_increment Note: main.parent",
            "blob_types Note: main.parent",
            "cascading_keys Note: main.child",
            "no_primary_key Risk: main.loose",
            "schema_validation Note: main.parent",
            "triggers Task: main.parent.t",
            "unindexed_foreign_key Risk: main.child",
            "views Note: main.v",
        ]
    );
    assert_eq!(report.errors, Vec::<String>::new());
}

const PAGILA: &[&str] = &[
    "auto_increment Note: actor, address, category, city, country, customer, film, inventory, language, payment, \
     rental, staff, store",
    "blob_types Note: actor, address, category, city, country, customer, film, language, staff",
    "cascading_keys Note: address, city, customer, film, film_actor, film_category, inventory, rental, staff, store",
    "materialized_views Note: rental_by_category",
    "routines Task: _group_concat(text, text), film_in_stock(p_film_id integer, p_store_id integer, OUT p_film_count \
     integer), film_not_in_stock(p_film_id integer, p_store_id integer, OUT p_film_count integer), \
     get_customer_balance(p_customer_id integer, p_effective_date timestamp with time zone), group_concat(text), \
     inventory_held_by_customer(p_inventory_id integer), inventory_in_stock(p_inventory_id integer), \
     last_day(timestamp with time zone), last_updated(), rewards_report(min_monthly_purchases integer, \
     min_dollar_amount_purchased numeric)",
    "schema_validation Note: actor, address, category, city, country, customer, film, film_actor, film_category, \
     inventory, language, rental, staff, store",
    "special_tables Note: payment",
    "timezones_on_dates Note: actor, address, category, city, country, customer, film, film_actor, film_category, \
     inventory, language, payment, rental, staff, store",
    "triggers Task: actor.last_updated, address.last_updated, category.last_updated, city.last_updated, \
     country.last_updated, customer.last_updated, film.film_fulltext_trigger, film.last_updated, \
     film_actor.last_updated, film_category.last_updated, inventory.last_updated, language.last_updated, \
     rental.last_updated, staff.last_updated, store.last_updated",
    "unindexed_foreign_key Risk: film_category, inventory, rental, staff, store",
    "views Note: actor_info, customer_list, film_list, nicer_but_slower_film_list, sales_by_film_category, \
     sales_by_store, staff_list",
];
const EDGE: &[&str] = &[
    "auto_increment Note: edge.audit, edge.customer, edge.ticket, edge.visit, edge.visit_full",
    "blob_types Note: edge.Mixed Case Table, edge.animal, edge.audit, edge.city, edge.country, edge.customer, \
     edge.dept, edge.dog, edge.dropped, edge.emp, edge.house, edge.k_bytea, edge.k_enum, edge.k_text, edge.key_only, \
     edge.log_full, edge.log_idx, edge.log_nopk, edge.log_nothing, edge.node, edge.order_line, edge.orders, \
     edge.passport, edge.person, edge.profile, edge.reading, edge.region, edge.scratch, edge.sensor, edge.status, \
     edge.street, edge.subscription, edge.system.users, edge.tag, edge.ticket, edge.toasty, edge.tri, edge.types, \
     edge.visit, edge.visit_full, edge.wide, edge2.customer",
    "cascading_keys Note: edge.city, edge.emp, edge.house, edge.order_line, edge.profile, edge.region, edge.street, \
     edge.subscription, edge.ticket, edge.visit_full",
    "circular_keys Note: edge.dept, edge.emp",
    "deferred_keys Note: edge.dept, edge.emp",
    "geospatial_data Task: edge.types",
    "materialized_views Note: edge.mv_city",
    "names_to_escape Note: edge.Mixed Case Table, edge.system.users",
    "no_primary_key Task: edge.dog, edge.log_full, edge.log_nopk, edge.no_columns",
    "numeric_precision_specified Risk: edge.types",
    "numeric_precision_unspecified Note: edge.Mixed Case Table",
    "numeric_precision_unspecified Risk: edge.k_num, edge.types",
    "replica_identity Task: edge.dog, edge.log_nopk, edge.log_nothing, edge.no_columns",
    "routines Task: edge.audit_fn()",
    "schema_validation Note: edge.audit, edge.customer, edge.dropped, edge.k_enum, edge.ticket, edge.types",
    "special_tables Note: edge.animal, edge.dog, edge.orders",
    "special_values Risk: edge.k_date, edge.k_num, edge.types",
    "timezones_on_dates Note: edge.audit, edge.k_ts, edge.person_tag, edge.reading, edge.types, edge.wide",
    "triggers Task: edge.person.person_audit",
    "unindexed_foreign_key Risk: edge.dept, edge.emp, edge.empty_table, edge.friend, edge.node, edge.order, \
     edge.orders, edge.person_tag, edge.reading, edge.subscription, edge.ticket, edge.tri, edge.visit, \
     edge.visit_full, edge2.customer",
    "views Note: edge.v_orders",
];
