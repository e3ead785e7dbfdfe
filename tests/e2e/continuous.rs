//! A continuous job from the wizard to *CDC Completed*, while the source is written to.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid};
use bson::doc;
use godwit_shared::job::CdcStatus;
use godwit_tests::api::{Job, LONG};
use godwit_tests::browser::Browser;
use godwit_tests::continuous::left_in_source;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD, PrivatePostgres, SUPERUSER};
use serde_json::json;

const CUSTOMERS: u64 = 40;

/// Orders do not log the column that joins them to their customer: a continuous job needs that.
async fn shop() -> (PrivatePostgres, Migration, Browser) {
    let sql = format!(
        "create table customer (id int primary key, name text not null);
         create table orders (id int primary key, customer_id int not null references customer, total int not null);
         create index on orders (customer_id);
         insert into customer select i, 'Customer ' || i from generate_series(1, {CUSTOMERS}) i;
         insert into orders select i, i, 10 from generate_series(1, {CUSTOMERS}) i"
    );
    let spec = json!({"name": "Shop", "collections": [{"collection": "customers", "table": "customer", "embed": [
        {"kind": "array", "path": "orders", "table": "orders", "exclude": ["customer_id"]}]}]});
    // Snapshots of the other journeys would keep its slot waiting.
    let (postgres, browser) = tokio::join!(PrivatePostgres::start(&[]), Browser::start());
    let source = postgres.database("shop", &sql).await;
    let migration = Migration::of(source, spec).await;
    (postgres, migration, browser)
}

/// Places orders with these numbers, each in a transaction of its own.
async fn place_orders(source: &Database, numbers: std::ops::RangeInclusive<u64>) {
    let client = source.connect().await;
    for number in numbers {
        let customer = number % CUSTOMERS + 1;
        let insert = format!("insert into orders values ({number}, {customer}, {number})");
        client.batch_execute(&insert).await.expect("an order");
    }
}

async fn replica_identity(source: &Database) -> String {
    let sql = "select relreplident::text from pg_class where oid = 'orders'::regclass";
    let row = source.connect().await.query_one(sql, &[]).await.expect("the identity");
    row.get(0)
}

async fn orders_in(migration: &Migration) -> i64 {
    let customers = migration.target.database.collection::<bson::Document>("customers");
    let count = [doc! {"$unwind": "$orders"}, doc! {"$count": "n"}];
    let mut cursor = customers.aggregate(count).await.expect("a count");
    assert!(cursor.advance().await.expect("a count"), "no orders at all");
    i64::from(
        cursor
            .deserialize_current()
            .expect("a document")
            .get_i32("n")
            .expect("a number"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_job_is_prepared_watched_paused_and_completed() {
    let (_postgres, migration, browser) = shop().await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    let wizard = page.create_job().await;
    wizard.fill_source(&migration.source, PASSWORD).await;
    wizard.next().await;
    wizard.fill_target(&migration.target).await;
    wizard.next().await;
    wizard.choose_continuous().await;
    let failed = wizard.failed_checks().await;
    assert!(
        failed.contains("public.orders") && failed.contains("REPLICA IDENTITY FULL"),
        "{failed}"
    );
    wizard.prepare_source().await;
    look(&browser, "wizard-continuous").await;
    wizard.start().await;

    page.wait_cdc("Running", LONG).await;
    page.wait_history(&[("Running", "Running")]).await;
    page.wait_for("streaming-mark").await;
    assert_eq!(replica_identity(&migration.source).await, "f");
    place_orders(&migration.source, 101..=160).await;
    page.wait_events_above(59).await;
    let chart = page.chart("Events per second").await;
    assert!(chart.contains("highest"), "{chart}");
    look(&browser, "streaming").await;

    let kept = page.pause_continuous().await;
    assert!(kept.contains("log"), "{kept}");
    page.wait_cdc("Paused", SOON).await;
    page.wait_history(&[("Pause", "CDC paused")]).await;
    place_orders(&migration.source, 161..=200).await;
    page.wait_status("RUNNING", SOON).await;
    look(&browser, "cdc-paused").await;

    page.resume_continuous().await;
    page.wait_cdc("Running", SOON).await;
    page.wait_events_above(99).await;

    // Held between reading and writing, so that there is something left to be done.
    migration.app.hold("write");
    place_orders(&migration.source, 201..=230).await;
    migration.app.is_held("write").await;
    page.complete_cdc().await;
    page.wait_cdc("Completing", SOON).await;
    page.wait_for("completion").await;
    look(&browser, "completing").await;
    migration.app.let_go("write");
    page.wait_status("COMPLETED", LONG).await;
    page.wait_cdc("Completed", SOON).await;
    page.wait_history(&[("Check", "CDC Completed")]).await;
    assert!(page.has("create-new-job").await && !page.has("pause").await && !page.has("complete-cdc").await);
    look(&browser, "cdc-completed").await;
    assert_eq!(orders_in(&migration).await, CUSTOMERS as i64 + 130);
    assert_eq!(replica_identity(&migration.source).await, "d");
    assert_eq!(left_in_source(&migration.source).await, [""; 0], "left in the source");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_lost_its_log_says_what_to_do() {
    let (_postgres, migration, browser) = shop().await;
    let api = migration.app.api();
    let job: Job = (migration.job())
        .with("/options/mode", json!("CDC"))
        .with("/options/prepareSource", json!(true));
    let id = api.start_job(&job).await;
    let is_paused = |job: &godwit_shared::job::MigrationJobStatus| job.cdc_status == CdcStatus::Paused;
    api.wait_job(&id, "streaming", LONG, |job| job.cdc_status == CdcStatus::Running)
        .await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    page.wait_cdc("Running", SOON).await;
    api.act(&id, "pause").await.ok();
    api.wait_job(&id, "a pause", LONG, is_paused).await;
    page.wait_cdc("Paused", SOON).await;
    let client = migration.source.connect().await;
    let drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots";
    client.batch_execute(drop).await.expect("the slot can be dropped");

    page.resume_continuous().await;
    page.wait_status("FAILED", LONG).await;
    page.wait_history(&[("Error", "Failed")]).await;
    let text = browser.text().await;
    assert!(
        text.contains("resync_needed") && text.contains("Drop destination collections"),
        "{text}"
    );
    look(&browser, "resync-needed").await;
    let wizard = page.create_job_like_this().await;
    // The connection was never saved, so nobody but the user has its name and password.
    browser.fill(&testid("source-user"), SUPERUSER).await;
    browser.fill(&testid("source-password"), PASSWORD).await;
    wizard.next().await;
    wizard.next().await;
    assert!(wizard.is_drop_ticked().await && wizard.is_continuous().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_paused_or_stands_still_is_ended_without_the_rest() {
    let (_postgres, migration, browser) = shop().await;
    let job: Job = (migration.job())
        .with("/options/mode", json!("CDC"))
        .with("/options/prepareSource", json!(true));
    for stands_still in [false, true] {
        migration.app.api().start_job(&job).await;
        let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
        page.wait_cdc("Running", LONG).await;
        if stands_still {
            migration.source.run("alter table orders drop column total").await;
            page.wait_cdc("Paused", LONG).await;
            browser.find_text("The job stands still").await;
            assert!(page.has("resume").await && !page.has("complete-cdc").await);
        } else {
            page.pause_continuous().await;
            page.wait_cdc("Paused", SOON).await;
            assert!(page.has("resume").await && page.has("complete-cdc").await);
        }
        browser.click(&testid("abandon")).await;
        browser.find(&testid("rest")).await;
        let rest = browser.texts(&testid("rest")).await.concat();
        assert!(rest.contains("position"), "{rest}");
        look(
            &browser,
            if stands_still {
                "end-without-rest"
            } else {
                "end-without-rest-paused"
            },
        )
        .await;
        browser.click(&testid("abandon-confirm")).await;
        page.wait_status("CANCELLED", LONG).await;
        assert_eq!(left_in_source(&migration.source).await, [""; 0], "left in the source");
    }
    let jobs = migration.app.api().get("/jobs").await.ok().to_string();
    assert!(jobs.contains("ended without the rest"), "{jobs}");
}
