//! Rows that the destination has refused are tried again when the cause is gone.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid, wait_text};
use bson::doc;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::json;

async fn validate(migration: &Migration, verb: &str, below: i32) {
    let rule = doc! {verb: "people", "validator": {"age": {"$lt": below}}};
    migration.target.database.run_command(rule).await.expect("a validator");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_rows_are_tried_again_by_a_job_of_their_own() {
    let sql = "create table people (id int primary key, age int not null, born date not null default 'infinity');
        insert into people select i, i from generate_series(1, 30) i";
    let spec = json!({"name": "People", "collections": [{"collection": "people", "table": "people"}]});
    let (migration, browser) = tokio::join!(Migration::new(sql, spec), Browser::start());
    validate(&migration, "create", 20).await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    migration.run(&migration.job().dropping(false)).await;
    page.wait_status("COMPLETED", SOON).await;

    // Each kind of error says whether a second try helps.
    browser.fill(&testid("log-search"), "converted").await;
    browser.click(&format!("{} button", testid("log-row"))).await;
    browser
        .wait_text("why not", SOON, |text| {
            text.contains("Does not help") && text.contains("run the job again")
        })
        .await;
    validate(&migration, "collMod", 1_000).await;
    browser.click(&testid("retry-failed")).await;
    wait_text(&browser, &testid("retry-count"), "how many", SOON, |text| {
        text.starts_with("11 rows")
    })
    .await;
    look(&browser, "retry").await;
    browser.click(&testid("retry-failed-confirm")).await;

    // The new job is shown, says what it is, and leads back.
    wait_text(&browser, &testid("retry-of"), "what the job is", SOON, |text| {
        text.contains("an earlier job")
    })
    .await;
    page.wait_status("COMPLETED", SOON).await;
    browser
        .wait_text("what became of them", SOON, |text| {
            text.contains("11 rows that had failed were tried again: 11 have documents now")
        })
        .await;
    look(&browser, "retried").await;
    let all = migration.target.database.collection::<bson::Document>("people");
    assert_eq!(all.count_documents(doc! {}).await.expect("a count"), 30);
    browser.click(&format!("{} a", testid("retry-of"))).await;
    wait_text(&browser, &testid("job-status"), "the first job", SOON, |text| {
        text.contains("errors")
    })
    .await;
}
