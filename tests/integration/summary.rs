//! What a job would read and write, said before it starts.

use bson::doc;
use godwit_tests::api::Job;
use godwit_tests::migrate::Migration;
use serde_json::json;

const SQL: &str = "create table customer (id int primary key, name text);
    create table orders (id int primary key, customer_id int references customer);
    create table note (text text);
    insert into customer select i, 'x' from generate_series(1, 30) i;
    insert into orders select i, 1 from generate_series(1, 500) i;
    analyze orders";

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_counts_both_sides_and_writes_nothing() {
    let spec = json!({"name": "Shop", "collections": [
        {"collection": "customers", "table": "customer", "embed": [{"kind": "array", "path": "orders", "table": "orders"}]},
        {"collection": "notes", "table": "note"}]});
    let migration = Migration::new(SQL, spec).await;
    let customers = migration.target.database.collection("customers");
    customers
        .insert_many([doc! {"_id": "a"}, doc! {"_id": "b"}])
        .await
        .expect("documents");
    let api = migration.app.api();

    let Job(request) = migration.job();
    let summary = api.post("/jobs/summary", &request).await.ok();
    assert_eq!(
        summary["collections"],
        json!([
            {"name": "customers", "tables": ["public.customer", "public.orders"], "documentsExisting": 2},
            {"name": "notes", "tables": ["public.note"], "documentsExisting": 0}
        ])
    );
    let tables = summary["tables"].as_array().expect("a list");
    let known: Vec<_> = tables
        .iter()
        .map(|t| {
            (
                t["table"].as_str().expect("a name"),
                t["rowsEstimated"].as_u64(),
                t["hasPrimaryKey"] == true,
            )
        })
        .collect();
    // Without statistics small tables are counted.
    assert_eq!(
        known,
        [
            ("public.customer", Some(30), true),
            ("public.orders", Some(500), true),
            ("public.note", Some(0), false)
        ]
    );
    assert!(
        tables[1]["sizeBytes"].as_u64().is_some_and(|size| size > 0),
        "{tables:?}"
    );
    assert_eq!(summary["isWriteConcernWeak"], false);
    assert!(api.get("/jobs").await.ok().as_array().is_some_and(Vec::is_empty));
    assert_eq!(customers.count_documents(doc! {}).await.expect("a count"), 2);

    let mut wrong = request.clone();
    wrong["mongodbConnectionDetails"]["connectionString"] =
        json!("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=500");
    api.post("/jobs/summary", &wrong).await.error(502, "target_unreachable");
}
