//! `godwit migrate` and `verify`: jobs without a server, interrupted and taken up again.

use bson::doc;
use godwit_tests::cli::{Ended, Shell};
use godwit_tests::servers::{SUPERUSER, Target, servers};
use serde_json::{Value, json};

const SHOP: &str = "
    CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, born DATE);
    CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer, total NUMERIC(10,2));
    CREATE INDEX order_customer ON orders(customer_id);
    INSERT INTO customer VALUES (1, 'Ann', '2000-01-01'), (2, 'Bob', NULL), (3, 'Cy', '1999-12-31');
    INSERT INTO orders VALUES (10, 1, 9.5), (11, 1, 20), (12, 2, 0.25);
";

/// Enough to be interrupted in.
const MANY: &str = "
    CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, born DATE);
    CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer, total NUMERIC(10,2));
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
        INSERT INTO customer SELECT i, 'customer ' || i, NULL FROM n;
";

const MAPPING: &str = "
godwit: 1
project: {name: Shop, type: SQLITE, id: shop-of-the-tests}
collections:
  - name: customers
    rules:
      - table: main.customer
        keys: SINGLE
        rules:
          - {table: main.orders, as: array, path: orders, fields: {id: id, total: total}}
";

/// A SQLite file, a mapping of it with its schema, and a destination.
struct Standalone {
    shell: Shell,
    target: Target,
    store: String,
}

impl Standalone {
    async fn new(sql: &str, mapping: &str) -> Self {
        let servers = servers().await;
        let target = servers.mongo.target("cli").await;
        let store = servers.mongo.uri(&format!("{}_store", target.database.name()));
        let shell = Shell::new()
            .with("GODWIT_SOURCE", "sqlite:shop.db")
            .with("GODWIT_TARGET", &target.uri);
        shell.sqlite("shop.db", sql);
        shell.write("mapping.yaml", mapping);
        shell.ends(
            0,
            &["convert", "mapping.yaml", "shop.yaml", "--source", "sqlite:shop.db"],
        );
        Self { shell, target, store }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["migrate", "shop.yaml", "--store-uri", self.store.as_str()], more].concat()
    }

    fn migrate(&self, code: i32, more: &[&str]) -> Ended {
        self.shell.ends(code, &self.arguments(more))
    }

    async fn documents(&self) -> u64 {
        let customers = self.target.database.collection::<bson::Document>("customers");
        customers.count_documents(doc! {}).await.expect("a count")
    }
}

fn has_read_rows(event: &Value) -> bool {
    event["event"] == "progress" && event["documentsWritten"].as_u64().is_some_and(|n| n > 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_migrated_without_a_server() {
    let m = Standalone::new(SHOP, MAPPING).await;
    let ended = m.migrate(0, &["--drop", "--verify"]);
    let event = ended.event("ended");
    assert_eq!(event["status"], "COMPLETED");
    assert_eq!(
        (&event["documentsWritten"], &event["verification"]),
        (&json!(3), &json!("VERIFIED"))
    );
    assert_eq!(ended.event("started")["project"], "Shop");
    let ann = m
        .target
        .database
        .collection::<bson::Document>("customers")
        .find_one(doc! {"_id": 1_i64})
        .await;
    let born = bson::DateTime::from_millis(946_684_800_000);
    let orders = vec![doc! {"id": 10_i64, "total": 9.5}, doc! {"id": 11_i64, "total": 20_i64}];
    assert_eq!(
        ann.expect("an answer"),
        Some(doc! {"_id": 1_i64, "name": "Ann", "born": born, "orders": orders})
    );
    // Once more, without dropping: the same documents, and no others.
    let text = m.migrate(0, &["--output", "text"]);
    assert!(
        text.out.contains("Snapshot completed") && text.out.contains("3 documents"),
        "{}",
        text.out
    );
    assert_eq!(m.documents().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_interrupted_goes_on_where_it_was() {
    let m = Standalone::new(MANY, MAPPING).await;
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 130), (libc::SIGKILL, -1)] {
        let mut run = m.shell.start(&m.arguments(&["--drop"]));
        let started = run.until("a start", |event| event["event"] == "started");
        run.until("rows", has_read_rows);
        run.signal(signal);
        let ended = run.end();
        assert_eq!(ended.code, code, "{}\n{}", ended.out, ended.error);
        if code == 130 {
            assert_eq!(ended.failure()["code"], "interrupted");
        }
        assert!(m.documents().await < 400_000, "it was too late to interrupt it");
        // Nothing starts over it unasked.
        let refused = m.migrate(6, &[]);
        assert_eq!(refused.failure()["code"], "unfinished");
        let resumed = m.migrate(0, &["--resume"]);
        assert_eq!(resumed.event("resumed")["job"], started["job"]);
        assert_eq!(resumed.event("ended")["status"], "COMPLETED");
        assert_eq!(m.documents().await, 400_000);
    }
    // Without one that was interrupted it starts one.
    assert_eq!(m.migrate(0, &["--resume"]).event("started")["project"], "Shop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_interrupted_can_be_given_up() {
    let m = Standalone::new(MANY, MAPPING).await;
    let mut run = m.shell.start(&m.arguments(&[]));
    run.until("rows", has_read_rows);
    // The state is this process's alone.
    let refused = m.migrate(6, &[]);
    assert_eq!(refused.failure()["code"], "state_in_use");
    run.signal(libc::SIGINT);
    assert_eq!(run.end().code, 130);
    let ended = m.migrate(0, &["--restart", "--drop"]);
    assert_eq!(ended.event("ended")["status"], "COMPLETED");
    assert_eq!(m.documents().await, 400_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_lies_beside_the_project_with_a_mongod_of_its_own() {
    let m = Standalone::new(MANY, MAPPING).await;
    // Killed, it leaves its mongod behind, which the next run ends.
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGKILL, -1)] {
        let mut run = m.shell.start(&["migrate", "shop.yaml", "--drop"]);
        run.until("rows", has_read_rows);
        run.signal(signal);
        assert_eq!(run.end().code, code);
        assert!(m.shell.path("shop.godwit/godwit.key").is_file());
        // As a resumed run has its connections, it needs no options.
        let ended = m.shell.ends(0, &["migrate", "shop.yaml", "--resume"]);
        assert_eq!(ended.event("ended")["status"], "COMPLETED");
        assert_eq!(m.documents().await, 400_000);
    }
    let none = Shell::new()
        .with("GODWIT_SOURCE", "sqlite:shop.db")
        .with("GODWIT_TARGET", &m.target.uri);
    let none = none.with("GODWIT_MONGOD", "").with("PATH", "/nonexistent");
    none.sqlite("shop.db", SHOP);
    none.write("shop.yaml", &m.shell.read("shop.yaml"));
    let refused = none.ends(2, &["migrate", "shop.yaml"]);
    assert!(
        refused.failure()["hint"]
            .as_str()
            .unwrap_or_default()
            .contains("--store-in-target"),
        "{}",
        refused.error
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_may_lie_in_the_destination() {
    let m = Standalone::new(SHOP, MAPPING).await;
    m.shell.ends(0, &["migrate", "shop.yaml", "--store-in-target"]);
    let client = m.target.database.client();
    let state = client.database(&format!("{}_godwit", m.target.database.name()));
    let jobs = state
        .collection::<bson::Document>("jobs")
        .count_documents(doc! {})
        .await;
    assert_eq!(jobs.expect("a count"), 1);
    assert!(!m.shell.path("shop.godwit/store").exists());
    assert_eq!(m.documents().await, 3);
    // It is not ours to list in the destination itself.
    let names = m.target.database.list_collection_names().await.expect("names");
    assert_eq!(names, ["customers"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_fail_has_its_number() {
    let m = Standalone::new(SHOP, MAPPING).await;
    let nowhere = "mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=300";
    for (code, word, more) in [
        (4, "target_unreachable", vec!["--target", nowhere]),
        (2, "target_database_missing", vec!["--target", "mongodb://127.0.0.1:1"]),
        (2, "usage", vec!["--source", "sqlite:missing.db"]),
        (2, "usage", vec!["--source", "oracle://host/db"]),
        (2, "usage", vec!["--source-password-file", "missing"]),
        (2, "invalid_request", vec!["--continuous"]),
    ] {
        let ended = m.migrate(code, &more);
        let failure = ended.failure();
        let is_word = failure["code"] == word || (word == "usage" && failure["code"] == "file");
        assert!(is_word && failure["exitCode"] == code, "{more:?}: {failure}");
    }
    // A rule that nothing can come of.
    let broken = m
        .shell
        .read("shop.yaml")
        .replace("keys: SINGLE", "keys: SINGLE\n    filter: 'columns.id >'");
    m.shell.write("broken.yaml", &broken);
    let ended = m.shell.ends(3, &["migrate", "broken.yaml", "--store-uri", &m.store]);
    assert_eq!(ended.failure()["code"], "invalid_mapping");
    // Rows that cannot be migrated: the limit decides.
    let bad = m.shell.read("shop.yaml").replace(
        "keys: SINGLE",
        "keys: SINGLE\n    calculated: [{name: x, expression: 'columns.id.no.more'}]",
    );
    m.shell.write("bad.yaml", &bad);
    let failed = m
        .shell
        .ends(1, &["migrate", "bad.yaml", "--store-uri", &m.store, "--errors", "2"]);
    assert_eq!(failed.event("ended")["failure"]["errorType"], "too_many_errors");
    let done = m
        .shell
        .ends(0, &["migrate", "bad.yaml", "--store-uri", &m.store, "--no-error-limit"]);
    assert_eq!(done.event("ended")["errors"], 3);
    let usage = m.shell.run(&["migrate", "shop.yaml", "--resume", "--restart"]);
    assert_eq!(usage.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_verified_without_a_server() {
    let m = Standalone::new(SHOP, MAPPING).await;
    m.migrate(0, &[]);
    let verify = [
        "verify",
        "shop.yaml",
        "--store-uri",
        &m.store,
        "--report",
        "report.json",
    ];
    let ended = m.shell.ends(0, &verify);
    assert_eq!(ended.event("ended")["verification"]["status"], "VERIFIED");
    let customers = m.target.database.collection::<bson::Document>("customers");
    customers
        .update_one(doc! {"_id": 2_i64}, doc! {"$set": {"name": "Rob"}})
        .await
        .expect("an update");
    let ended = m.shell.ends(5, &verify);
    let finding = &ended.event("finding")["finding"];
    assert_eq!(
        (&finding["collection"], &finding["path"]),
        (&json!("customers"), &json!("name"))
    );
    m.shell.ends(0, &["check-report", "report.json"]);
    let text = m.shell.read("report.json").replace("Rob", "Bob");
    m.shell.write("report.json", &text);
    assert_eq!(m.shell.run(&["check-report", "report.json"]).code, 1);
}

/// With a real change log: followed, completed by itself, completed by a signal.
#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_run_is_completed() {
    let servers = servers().await;
    let source = servers.postgres.database("cli", "CREATE TABLE customer(id int PRIMARY KEY, name text); INSERT INTO customer SELECT i, 'c' || i FROM generate_series(1, 50) i").await;
    let target = servers.mongo.target("cli").await;
    let store = servers.mongo.uri(&format!("{}_store", target.database.name()));
    let shell = Shell::new()
        .with("GODWIT_SOURCE", &source.jdbc_url())
        .with("GODWIT_SOURCE_USER", SUPERUSER)
        .with("GODWIT_SOURCE_PASSWORD", godwit_tests::servers::PASSWORD)
        .with("GODWIT_TARGET", &target.uri);
    shell.ends(0, &["init", "shop.relmig", "--keys", "single"]);
    let migrate = ["migrate", "shop.relmig", "--store-uri", &store, "--continuous"];
    let ended = shell.ends(0, &[&migrate[..], &["--until-caught-up"]].concat());
    assert_eq!(ended.event("ended")["cdcStatus"], "COMPLETED");
    // Asked for while the snapshot is still at work: it is waited for, and then completed.
    let mut run = shell.start(&migrate);
    run.until("a start", |event| event["event"] == "started");
    run.signal(libc::SIGUSR1);
    let ended = run.end();
    assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.error);
    assert_eq!(ended.event("ended")["cdcStatus"], "COMPLETED");
    let mut run = shell.start(&migrate);
    run.until("changes", |event| {
        event["event"] == "status" && event["cdcStatus"] == "RUNNING"
    });
    source
        .run("UPDATE customer SET name = 'new' WHERE id = 7; INSERT INTO customer VALUES (51, 'last')")
        .await;
    // Interrupted while it follows changes, and taken up again.
    run.signal(libc::SIGINT);
    assert_eq!(run.end().code, 130);
    let mut run = shell.start(&["migrate", "shop.relmig", "--store-uri", &store, "--resume"]);
    run.until("changes", |event| {
        event["event"] == "progress" && event["changes"]["seen"].as_u64().is_some_and(|n| n >= 2)
    });
    run.signal(libc::SIGUSR1);
    let ended = run.end();
    assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.error);
    let customers = target.database.collection::<bson::Document>("customer");
    assert_eq!(customers.count_documents(doc! {}).await.expect("a count"), 51);
    assert_eq!(
        customers
            .count_documents(doc! {"name": "new", "_id": 7})
            .await
            .expect("a count"),
        1
    );
    assert!(godwit_tests::continuous::left_in_source(&source).await.is_empty());
}
