//! A job is verified at its end, somebody changes a document, it is verified again, looked at and repaired.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid, wait_text};
use bson::doc;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_shown_side_by_side_and_repaired() {
    let sql = "create table people (id int primary key, name text, age int);
        insert into people select i, 'person ' || i, i % 90 from generate_series(1, 300) i";
    let spec = json!({"name": "People", "collections": [{"collection": "people", "table": "people"}]});
    let (migration, browser) = tokio::join!(Migration::new(sql, spec), Browser::start());
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    migration.run(&migration.job()).await;
    page.wait_status("COMPLETED", SOON).await;
    browser.find(&testid("verification-none")).await;

    // Everything is as it was written, and the history says so.
    browser.click(&testid("verify")).await;
    browser.click(&testid("verify-confirm")).await;
    wait_text(&browser, &testid("verification-status"), "the verdict", SOON, |text| {
        text == "Verified"
    })
    .await;
    wait_text(&browser, &testid("documents-verified"), "how many", SOON, |text| {
        text == "300 of 300"
    })
    .await;
    wait_text(&browser, &testid("verified-mark"), "the double mark", SOON, |text| {
        text.contains("Verified")
    })
    .await;
    look(&browser, "verified").await;

    let people = migration.target.database.collection::<bson::Document>("people");
    let changed = people.update_one(doc! {"_id": 7}, doc! {"$set": {"age": "old"}}).await;
    assert_eq!(changed.expect("a change").modified_count, 1);
    people.delete_one(doc! {"_id": 8}).await.expect("a deletion");
    browser.click(&testid("verify")).await;
    browser.click(&testid("verify-confirm")).await;
    wait_text(&browser, &testid("verification-status"), "the verdict", SOON, |text| {
        text == "Differences found"
    })
    .await;
    wait_text(&browser, &testid("verification-findings"), "how many", SOON, |text| {
        text == "2"
    })
    .await;
    browser.find(&testid("finding")).await;
    look(&browser, "differences").await;
    // The two may have been found in either order.
    browser.click(&testid("finding-open")).await;
    wait_text(&browser, &testid("finding-details"), "both sides", SOON, |text| {
        text.contains("What the rows give now") && text.contains("What is stored now") && text.contains("person ")
    })
    .await;
    look(&browser, "difference").await;
    browser.run("document.querySelector('dialog[open]').close()", &[]).await;

    browser.click(&testid("repair")).await;
    browser.click(&testid("repair-confirm")).await;
    wait_text(&browser, &testid("verification-status"), "the repair", SOON, |text| {
        text == "Verified"
    })
    .await;
    wait_text(
        &browser,
        &testid("verification-repair"),
        "what was done",
        SOON,
        |text| text.contains("2 documents were written"),
    )
    .await;
    let age = people
        .find_one(doc! {"_id": 7})
        .await
        .expect("an answer")
        .expect("a document");
    assert_eq!(age.get_i32("age").ok(), Some(7));
}
