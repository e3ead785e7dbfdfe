//! The way that every other test goes: rows, a project, a job, documents.

use bson::doc;
use godwit_tests::api::LONG;
use godwit_tests::app::App;
use godwit_tests::docs::{collections, date, decimal};
use godwit_tests::migrate::Migration;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn two_tables_become_one_collection() {
    let migration = Migration::new(
        "create table customers (id int primary key, name text not null, since date);
         create table orders (id bigint primary key, customer_id int references customers, total numeric(10, 2));
         insert into customers values (7, 'Ana Ruiz', '2020-02-29'), (8, 'Bo Lind', null);
         insert into orders values (501, 7, 40.50), (502, 7, 12.00)",
        json!({"collections": [{"collection": "customers", "table": "customers", "embed": [
            {"kind": "array", "path": "orders", "table": "orders", "exclude": ["customer_id"]}]}]}),
    )
    .await;
    let job = migration.complete().await;
    assert_eq!(
        (job.statistics.total_events_seen, job.statistics.documents_written),
        (4, 2)
    );
    let expected = [
        doc! {"_id": 7, "name": "Ana Ruiz", "since": date("2020-02-29T00:00:00Z"), "orders": [
        {"id": 501i64, "total": decimal("40.50")}, {"id": 502i64, "total": decimal("12.00")}]},
        doc! {"_id": 8, "name": "Bo Lind", "since": null, "orders": []},
    ];
    migration.expect("customers", &expected).await;
    assert_eq!(collections(&migration.target.database).await, ["customers"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_server_cleanly() {
    let mut app = App::start().await;
    let status = app.terminate(LONG);
    assert!(status.success(), "{status:?}");
    app.restart().await;
}

/// Without a URI for the store: what a killed server leaves running does not keep the next one from starting.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_with_a_store_of_its_own_starts_again() {
    let mut app = App::start_with_its_own_store().await;
    let connection = json!({"name": "kept", "connectionString": "mongodb://127.0.0.1/x"});
    let saved = app.api().post("/connections/mongodb", &connection).await.ok();
    app.kill();
    app.restart().await;
    assert_eq!(app.api().get("/connections/mongodb").await.ok()[0]["id"], saved["id"]);
    assert!(app.terminate(LONG).success());
}
