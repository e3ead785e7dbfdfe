//! What a job would do, found out without writing: counted, sampled, measured, and true when the job runs.

use super::common::{array, coll, spec};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PASSWORD, SUPERUSER};
use serde_json::{Value, json};

const FAMILY: &str = "
    CREATE TABLE parent (id int PRIMARY KEY, name text);
    CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, note text);
    CREATE INDEX ON child (parent_id);
    INSERT INTO parent SELECT n, 'parent ' || n FROM generate_series(1, 5000) n;
    INSERT INTO child SELECT n, n % 4000 + 1, 'child' FROM generate_series(1, 8000) n;";

async fn dry_run(migration: &Migration, more: Value) -> Value {
    let source = &migration.source;
    let mut request = json!({"jdbcConnectionDetails": {
        "type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER, "password": PASSWORD,
    }});
    request
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    let path = format!("/project/{}/dry-run", migration.project);
    migration.app.api().post(&path, &request).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_the_job_then_does_and_writes_nothing() {
    let spec = spec([coll("parents", "parent", "*").embed([array("children", "child", "*")])]);
    let migration = Migration::new(FAMILY, spec).await;
    migration.source.run("analyze").await;
    let found = dry_run(&migration, json!({})).await;
    let one = &found["collections"][0];
    assert_eq!(
        (&one["collection"], &one["rows"], &one["documents"]),
        (&json!("parents"), &json!(5_000), &json!(5_000))
    );
    assert_eq!(
        (&one["isCounted"], &one["issues"], &found["isCut"]),
        (&json!(true), &json!([]), &json!(false))
    );
    let sampled = one["sampled"].as_u64().expect("a number");
    assert!((150..=300).contains(&sampled), "{one:#}");
    assert!(
        one["average"].as_u64() > Some(50) && one["largest"].as_u64() >= one["average"].as_u64(),
        "{one:#}"
    );
    assert!(found["seconds"].as_f64() > Some(0.0) && found["basis"].as_str().expect("words").contains("by one reader"));
    // The destination is as it was: it does not even have the database.
    let names = migration.target.database.list_collection_names().await.expect("names");
    assert_eq!(names, Vec::<String>::new());
    let job = migration.run(&migration.job()).await;
    assert_eq!(job.statistics.documents_written, 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_go_wrong_shows_before_the_job() {
    let sql = "
        CREATE TABLE parent (id int PRIMARY KEY, at date);
        CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, note text);
        CREATE INDEX ON child (parent_id);
        INSERT INTO parent SELECT n, CASE WHEN n = 3 THEN 'infinity' ELSE '2024-01-01' END::date FROM generate_series(1, 300) n;
        INSERT INTO child SELECT n, CASE WHEN n <= 2000 THEN 299 ELSE n % 250 + 1 END, repeat('x', 10000)
            FROM generate_series(1, 2500) n;";
    let spec = spec([coll("parents", "parent", "*").embed([array("children", "child", "*")])]);
    let migration = Migration::new(sql, spec).await;
    migration.source.run("analyze").await;
    let found = dry_run(&migration, json!({"sample": 100})).await;
    let one = &found["collections"][0];
    let codes: Vec<&str> = (one["issues"].as_array().expect("issues").iter())
        .filter_map(|issue| issue["errorCode"].as_str())
        .collect();
    // The one with 2,000 children of 10 kB is in no sample of a hundred for certain: the statistics name it.
    assert!(codes.contains(&"document_too_large"), "{one:#}");
    let large = &one["large"][0];
    assert_eq!(
        (&large["key"], &large["bytes"]),
        (&json!("299"), &Value::Null),
        "{one:#}"
    );
    assert!(one["large"].as_array().expect("a list").len() > 1, "{one:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_obeys_filters_and_choices_and_refuses_what_a_job_refuses() {
    let spec = spec([coll("parents", "parent", "*"), coll("children", "child", "*")]);
    let migration = Migration::new(FAMILY, spec).await;
    let chosen = json!({
        "relationalTableFilters": {"public": {"parent": {"whereClause": "id <= 10"}}},
        "collectionFilters": {"include": ["parents"]},
    });
    let found = dry_run(&migration, chosen).await;
    assert_eq!(found["collections"].as_array().expect("a list").len(), 1);
    assert_eq!(
        (&found["documents"], &found["collections"][0]["sampled"]),
        (&json!(10), &json!(10))
    );
    let path = format!("/project/{}/dry-run", migration.project);
    let api = migration.app.api();
    api.post(&path, &json!({"sample": 0}))
        .await
        .error(400, "invalid_request");
    api.post("/project/none/dry-run", &json!({}))
        .await
        .error(404, "not_found");
    let wrong = json!({"jdbcConnectionDetails": {
        "type": "POSTGRESQL", "url": migration.source.jdbc_url(), "user": SUPERUSER, "password": "wrong",
    }});
    api.post(&path, &wrong).await.error(502, "source_unreachable");
}
