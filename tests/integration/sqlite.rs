//! SQLite files as sources: types by affinity and value, keys as the database compares them, jobs, previews, what is
//! refused. Cases E20 to E22.

use bson::{Bson, doc};
use futures_util::TryStreamExt;
use godwit_shared::job::{JobStatus, MigrationJobStatus};
use godwit_tests::api::LONG;
use godwit_tests::app::App;
use godwit_tests::mapping::project_file_of;
use godwit_tests::servers::{Target, servers};
use godwit_tests::shared_data;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A server with a file in its folder, a destination, and a project between them.
struct Files {
    app: App,
    target: Target,
    project: String,
}

fn details(file: &str) -> Value {
    json!({"type": "SQLITE", "url": format!("jdbc:sqlite:{file}")})
}

/// Makes a file in the folder that the server reads.
fn file_of(app: &App, name: &str, sql: &str) -> PathBuf {
    let folder = app.data_dir().join("sqlite");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    let connection = Connection::open(&path).expect("a file");
    connection.execute_batch(sql).expect("statements that run");
    path
}

impl Files {
    async fn new(sql: &str, spec: Value) -> Files {
        let (app, servers) = tokio::join!(App::start(), servers());
        file_of(&app, "shop.db", sql);
        let target = servers.mongo.target("sqlite").await;
        let read = app
            .api()
            .post("/schema/jdbc", &json!({"jdbcConnectionDetails": details("shop.db")}))
            .await
            .ok();
        let file = project_file_of(&read["full"], &spec);
        let project = app.api().import_project(&file).await;
        Files { app, target, project }
    }

    fn job(&self) -> Value {
        json!({
            "projectId": self.project, "jdbcConnectionDetails": details("shop.db"),
            "mongodbConnectionDetails": {"connectionString": self.target.uri},
            "options": {"mode": "SNAPSHOT", "dropCollections": true, "errorHandling": "WARN"},
        })
    }

    async fn run(&self, job: &Value) -> MigrationJobStatus {
        let api = self.app.api();
        let started = api.post("/jobs", job).await.ok();
        let id = started["id"].as_str().expect("an id").to_owned();
        api.wait_ended(&id, LONG).await
    }

    async fn complete(&self) -> MigrationJobStatus {
        let job = self.run(&self.job()).await;
        assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
        job
    }

    async fn documents(&self, collection: &str) -> Vec<bson::Document> {
        let found = self
            .target
            .database
            .collection(collection)
            .find(doc! {})
            .sort(doc! {"_id": 1})
            .await;
        found.expect("an answer").try_collect().await.expect("documents")
    }
}

const SHOP: &str = "
    CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, since DATETIME, note);
    CREATE TABLE \"order\"(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer, total NUMERIC(10,2), paid BOOLEAN);
    CREATE TABLE line(order_id INTEGER REFERENCES \"order\"(id), no INTEGER, sku TEXT COLLATE NOCASE REFERENCES item(sku), count INT,
        PRIMARY KEY (order_id, no)) WITHOUT ROWID;
    CREATE TABLE item(sku TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, title TEXT, twice INT GENERATED ALWAYS AS (length(title) * 2) VIRTUAL);
    CREATE INDEX order_customer ON \"order\"(customer_id);
    CREATE VIEW v AS SELECT * FROM customer;
    INSERT INTO customer VALUES (1, 'Ann', '2024-02-29 12:00:00', x'00ff'), (2, 'Bob', 'yesterday', 42), (3, 'Cy', NULL, 'text');
    INSERT INTO \"order\" VALUES (10, 1, 9.5, 1), (11, 1, 20, 0), (12, 2, NULL, NULL), (13, NULL, 1, 1);
    INSERT INTO item VALUES ('A-1', 'Apple'), ('b-2', 'Pear');
    INSERT INTO line VALUES (10, 2, 'a-1', 3), (10, 1, 'B-2', 1), (11, 1, 'A-1', 7), (12, 1, NULL, 0);
";

fn shop_mapping() -> Value {
    json!({"collections": [{"collection": "customers", "table": "main.customer", "embed": [
        {"table": "main.order", "kind": "array", "path": "orders", "exclude": ["customer_id"], "embed": [
            {"table": "main.line", "kind": "array", "path": "lines", "exclude": ["order_id"], "embed": [
                {"table": "main.item", "kind": "doc", "path": "item"}]}]}]}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_any_depth_are_made_from_a_file() {
    let files = Files::new(SHOP, shop_mapping()).await;
    let job = files.complete().await;
    assert_eq!(job.statistics.errors, 0, "{:#?}", job.job_updates);
    let apple = doc! {"sku": "A-1", "title": "Apple", "twice": 10_i64};
    let pear = doc! {"sku": "b-2", "title": "Pear", "twice": 8_i64};
    let noon = bson::DateTime::from_millis(1_709_208_000_000);
    let blob = bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: vec![0, 255],
    };
    let expected = [
        doc! {"_id": 1_i64, "name": "Ann", "since": noon, "note": blob, "orders": [
        {"id": 10_i64, "total": 9.5, "paid": 1_i64, "lines": [
            {"no": 1_i64, "sku": "B-2", "count": 1_i64, "item": pear},
            {"no": 2_i64, "sku": "a-1", "count": 3_i64, "item": apple.clone()}]},
        {"id": 11_i64, "total": 20_i64, "paid": 0_i64, "lines": [
            {"no": 1_i64, "sku": "A-1", "count": 7_i64, "item": apple}]}]},
        doc! {"_id": 2_i64, "name": "Bob", "since": "yesterday", "note": 42_i64, "orders": [
        {"id": 12_i64, "total": Bson::Null, "paid": Bson::Null, "lines": [
            {"no": 1_i64, "sku": Bson::Null, "count": 0_i64}]}]},
        doc! {"_id": 3_i64, "name": "Cy", "since": Bson::Null, "note": "text", "orders": []},
    ];
    assert_eq!(files.documents("customers").await, expected);
    // The same rows give the same documents again.
    files.complete().await;
    assert_eq!(files.documents("customers").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn e20_values_of_another_class_than_their_column_stay_what_they_are() {
    let files = Files::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, i INTEGER, t TEXT, d DATE, r REAL, n);
         INSERT INTO t VALUES (1, 'abc', x'0102', 9e999, 9007199254740993, '1'),
            (2, 9223372036854775807, 5, 1709164800, '1.5', 1), (3, 2.5, 'a' || char(0) || 'b', '2024-02-29', 7, 1.5)",
        json!({"collections": [{"collection": "t", "table": "main.t"}]}),
    )
    .await;
    files.complete().await;
    let blob = bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: vec![1, 2],
    };
    let day = bson::DateTime::from_millis(1_709_164_800_000);
    assert_eq!(
        files.documents("t").await,
        [
            doc! {"_id": 1_i64, "i": "abc", "t": blob, "d": f64::INFINITY, "r": 9_007_199_254_740_992.0, "n": "1"},
            doc! {"_id": 2_i64, "i": i64::MAX, "t": "5", "d": 1_709_164_800_i64, "r": 1.5, "n": 1_i64},
            doc! {"_id": 3_i64, "i": 2.5, "t": "a\0b", "d": day, "r": 7.0, "n": 1.5},
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn e22_what_is_no_text_and_keys_without_a_value_are_told() {
    let files = Files::new(
        "CREATE TABLE t(code TEXT PRIMARY KEY, v TEXT);
         INSERT INTO t VALUES ('a', CAST(x'ff' AS TEXT)), (NULL, 'one'), (NULL, 'two')",
        json!({"collections": [{"collection": "t", "table": "main.t"}]}),
    )
    .await;
    let job = files.complete().await;
    assert_eq!(files.documents("t").await, [doc! {"_id": "a", "v": Bson::Null}]);
    let kinds: Vec<&str> = job.job_updates.iter().map(|u| u.error_code.as_str()).collect();
    assert!(job.statistics.errors >= 3, "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_key_count_and_filters_hold() {
    let files = Files::new(
        "CREATE TABLE log(at TEXT, what TEXT); CREATE TABLE big(id INTEGER PRIMARY KEY, v TEXT);
         INSERT INTO log VALUES ('a', 'x'), ('a', 'x'), (NULL, 'y');
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
         INSERT INTO big SELECT i, 'value ' || i FROM n",
        json!({"key": "GENERATED", "collections": [{"collection": "log", "table": "main.log"}, {"collection": "big", "table": "main.big"}]}),
    )
    .await;
    let mut job = files.job();
    job["relationalTableFilters"] = json!({"main": {"big": {"whereClause": "id % 3 = 0 AND v LIKE '%9'"}}});
    let done = files.run(&job).await;
    assert_eq!(done.status, JobStatus::Completed, "{done:#?}");
    assert_eq!(files.documents("log").await.len(), 3);
    assert_eq!(files.documents("big").await.len(), 1_000);
    for bad in [
        "1) OR (1 = 1",
        "id IN (SELECT 1); DROP TABLE log",
        "load_extension('x')",
        "id = ?",
    ] {
        job["relationalTableFilters"]["main"]["big"]["whereClause"] = json!(bad);
        let refused = files.app.api().post("/jobs", &job).await;
        assert!((400..500).contains(&refused.status), "{bad}: {:?}", refused.body);
    }
}

/// Written by another process while it is read: one moment for everything.
#[tokio::test(flavor = "multi_thread")]
async fn all_readers_see_one_moment_of_a_file_that_is_written() {
    let files = Files::new(
        "PRAGMA journal_mode = WAL; CREATE TABLE a(id INTEGER PRIMARY KEY, v INT); CREATE TABLE b(id INTEGER PRIMARY KEY, a_id INT REFERENCES a, v INT);
         CREATE INDEX ba ON b(a_id);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO a SELECT i, 0 FROM n;
         INSERT INTO b SELECT id, id, 0 FROM a",
        json!({"collections": [{"collection": "a", "table": "main.a", "embed": [{"table": "main.b", "kind": "array", "path": "b"}]}]}),
    )
    .await;
    let path = files.app.data_dir().join("sqlite/shop.db");
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writer = std::thread::spawn({
        let is_over = is_over.clone();
        move || {
            let connection = Connection::open(path).expect("the file");
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                connection
                    .execute_batch("BEGIN; UPDATE a SET v = v + 1; UPDATE b SET v = v + 1; COMMIT")
                    .expect("a transaction");
            }
        }
    });
    let job = files.complete().await;
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().expect("a writer that ends");
    assert_eq!(job.statistics.documents_written, 20_000);
    let documents = files.documents("a").await;
    let first = documents[0].get_i64("v").expect("a number");
    for document in documents {
        let child = document.get_array("b").expect("an array")[0]
            .as_document()
            .expect("a document");
        let both = [document.get_i64("v").ok(), child.get_i64("v").ok()];
        assert_eq!(both, [Some(first); 2], "{document}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outside_and_what_is_no_database_are_refused() {
    let app = App::start().await;
    file_of(&app, "empty.db", "CREATE VIEW v AS SELECT 1");
    std::fs::write(app.data_dir().join("sqlite/text.db"), "no database at all, only a text").expect("a file");
    let tested = |file: &'static str| {
        let api = app.api();
        async move { api.post("/connectivity/jdbc", &details(file)).await }
    };
    assert_eq!(tested("empty.db").await.body["success"], json!(true));
    for file in [
        "missing.db",
        "../key",
        "/etc/passwd",
        "text.db",
        "",
        "empty.db?mode=rwc",
    ] {
        let answer = tested(file).await;
        assert!(answer.status >= 400, "{file}: {:?}", answer.body);
    }
    let other = tested("text.db").await;
    assert!(
        other.body["message"]
            .as_str()
            .expect("a message")
            .contains("is not SQLite"),
        "{:?}",
        other.body
    );
    let job = app
        .api()
        .post("/schema/jdbc", &json!({"jdbcConnectionDetails": details("empty.db")}))
        .await;
    assert!(
        job.body["message"].as_str().expect("a message").contains("no table"),
        "{:?}",
        job.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_job_is_refused_with_a_reason() {
    let files = Files::new(SHOP, shop_mapping()).await;
    let mut job = files.job();
    job["options"]["mode"] = json!("CDC");
    let refused = files.app.api().post("/jobs", &job).await;
    assert!(
        refused.body["message"].as_str().expect("a message").contains("SQLite"),
        "{:?}",
        refused.body
    );
    let preflight = format!("/project/{}/preflight?mode=CDC", files.project);
    let report = files
        .app
        .api()
        .post(&preflight, &json!({"jdbcConnectionDetails": details("shop.db")}))
        .await;
    assert_eq!(report.body["passed"], json!(false), "{:?}", report.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_many_documents_share_are_whole_in_each() {
    let files = Files::new(
        "PRAGMA foreign_keys = OFF; CREATE TABLE kind(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO kind VALUES (1, 'one'), (2, NULL);
         CREATE TABLE part(id INTEGER PRIMARY KEY, kind_id INT REFERENCES kind, twin INT REFERENCES part);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO part SELECT i, 1 + i % 3, nullif(i % 5, 0) FROM n",
        json!({"collections": [{"collection": "parts", "table": "main.part", "embed": [
            {"table": "main.kind", "kind": "doc", "path": "kind"}]}]}),
    )
    .await;
    files.complete().await;
    for (id, document) in (1_i64..).zip(files.documents("parts").await) {
        let kind = match id % 3 {
            0 => Some(doc! {"id": 1_i64, "name": "one"}),
            1 => Some(doc! {"id": 2_i64, "name": Bson::Null}),
            // There is no such row.
            _ => None,
        };
        assert_eq!(
            (
                document.get_i64("_id").ok(),
                document.get_document("kind").ok().cloned()
            ),
            (Some(id), kind)
        );
    }
}

/// Every table of a real database, one collection each, counted.
#[tokio::test(flavor = "multi_thread")]
async fn all_rows_of_chinook_arrive() {
    let Some(folder) = shared_data()
        .map(|folder| folder.join("data/sqlite"))
        .filter(|f| f.is_dir())
    else {
        eprintln!("SKIPPED: no shared/data/sqlite beside the checkout");
        return;
    };
    let (app, servers) = tokio::join!(App::start(), servers());
    let (api, target) = (app.api(), servers.mongo.target("chinook").await);
    std::fs::create_dir_all(app.data_dir().join("sqlite")).expect("a folder");
    std::fs::copy(folder.join("chinook.sqlite"), app.data_dir().join("sqlite/chinook.db")).expect("a copy");
    let connection = details("chinook.db");
    let schema = api
        .post("/schema/jdbc", &json!({"jdbcConnectionDetails": connection}))
        .await
        .ok();
    let wanted = json!({"schemasId": schema["id"], "initialMapping": "RELATIONAL", "casing": "ORIGINAL", "keyHandling": "SINGLE"});
    let content = api.post("/project/recommendation", &wanted).await.ok();
    let request = json!({"name": "chinook", "type": "SQLITE", "schemasId": schema["id"], "content": content});
    let project = api.post("/project", &request).await.ok()["id"].clone();
    let files = Files {
        app,
        target,
        project: project.as_str().expect("an id").to_owned(),
    };
    let mut job = files.job();
    job["jdbcConnectionDetails"] = connection;
    let done = files.run(&job).await;
    assert_eq!(
        (done.status, done.statistics.errors),
        (JobStatus::Completed, 0),
        "{:#?}",
        done.job_updates
    );
    let counts = std::fs::read_to_string(folder.join("chinook.counts.tsv")).expect("counts");
    for line in counts.lines() {
        let (table, count) = line.split_once('\t').expect("two columns");
        let table = table.rsplit('.').next().expect("a name");
        let found = files
            .target
            .database
            .collection::<bson::Document>(table)
            .count_documents(doc! {})
            .await;
        assert_eq!(found.expect("a count").to_string(), count, "{table}");
    }
}
