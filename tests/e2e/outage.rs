//! The source goes away and comes back while somebody looks; then the job is named, compared, reported and removed.

use crate::pages::home::HomePage;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid, wait_text};
use fantoccini::Locator;
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivatePostgres;
use serde_json::json;

const SQL: &str = "create table customer (id int primary key, name text not null);
    insert into customer select i, 'Customer ' || i from generate_series(1, 50) i";

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_where_one_looks_and_ends() {
    let (mut postgres, browser) = tokio::join!(PrivatePostgres::start(&[]), Browser::start());
    let source = postgres.database("shop", SQL).await;
    let spec = json!({"name": "Shop", "collections": [{"collection": "customers", "table": "customer"}]});
    let migration = Migration::of(source, spec).await;
    let api = migration.app.api();
    let job: Job = migration.job().with("/options/mode", json!("CDC"));
    let id = api.start_job(&job).await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    page.wait_cdc("Running", LONG).await;
    wait_text(&browser, &testid("lag"), "a lag of nothing", SOON, |text| {
        text.contains("0 ms")
    })
    .await;
    wait_text(&browser, &testid("readiness"), "the countdown", SOON, |text| {
        text.contains("of 60 s")
    })
    .await;
    look(&browser, "lead").await;

    postgres.stop_at_once();
    let status = testid("job-status");
    wait_text(&browser, &status, "the outage", LONG, |text| {
        text.contains("Retrying: source unreachable since")
    })
    .await;
    wait_text(&browser, &testid("outage"), "its reason", SOON, |text| {
        text.contains("refused")
    })
    .await;
    wait_text(&browser, &testid("lag"), "an unknown lag", SOON, |text| {
        text.contains("Unknown") && text.contains("last known") && text.contains("growing")
    })
    .await;
    wait_text(&browser, &testid("readiness"), "why not", SOON, |text| {
        text.contains("source")
    })
    .await;
    let stale = async || {
        browser
            .client
            .find(Locator::Css(".gw-job[data-stale='true']"))
            .await
            .ok()
    };
    wait_for("grey figures", SOON, stale).await;
    let labels = browser
        .attributes(&format!("{} [role='img']", testid("history-icon")), ["aria-label"])
        .await;
    assert!(labels[0][0].contains("Retrying"), "{labels:?}");
    look(&browser, "outage").await;
    HomePage::open(&browser, &migration.app).await;
    wait_text(&browser, &testid("project-retrying"), "the card", SOON, |text| {
        text.contains("Retrying")
    })
    .await;
    look(&browser, "outage-card").await;

    postgres.start_again();
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    wait_text(&browser, &status, "the end of it", LONG, |text| text == "Running").await;
    wait_text(&browser, &testid("lag"), "a lag of nothing", LONG, |text| {
        text.contains("0 ms")
    })
    .await;
    let log = page.log_rows().await.join("\n");
    assert!(
        log.contains("cannot be reached") && log.contains("answers again"),
        "{log}"
    );

    name_and_remove(&browser, &page, &migration, &id).await;
}

/// What one does with a job that is over.
async fn name_and_remove(browser: &Browser, page: &MigrationPage<'_>, migration: &Migration, id: &str) {
    page.complete_cdc().await;
    page.wait_status("COMPLETED", LONG).await;
    browser.click(&testid("label-job")).await;
    browser.fill(&testid("job-name-field"), "Rehearsal").await;
    look(browser, "label").await;
    browser.click(&testid("save-label")).await;
    wait_text(browser, &testid("job-name"), "the name", SOON, |text| {
        text == "Rehearsal"
    })
    .await;
    wait_text(browser, &testid("history-item"), "the name", SOON, |text| {
        text.contains("Rehearsal")
    })
    .await;

    browser.click(&testid("collection-open")).await;
    wait_text(
        browser,
        &testid("collection-details"),
        "sizes and a document",
        SOON,
        |text| text.contains("Average size") && text.contains("Customer"),
    )
    .await;
    look(browser, "collection").await;
    browser.click("dialog [aria-label='Close']").await;

    browser.click(&testid("copy-curl")).await;
    wait_text(browser, &testid("curl"), "a command", SOON, |text| {
        text.starts_with("curl ")
    })
    .await;
    look(browser, "curl").await;
    browser.click("dialog [aria-label='Close']").await;

    let again = migration.run(&migration.job()).await;
    assert_ne!(again.id.as_str(), id);
    browser
        .open(&format!(
            "{}/projects/{}/migration?job={id}",
            migration.app.base(),
            migration.project
        ))
        .await;
    browser.click(&testid("compare-jobs")).await;
    wait_text(browser, &testid("comparison"), "both jobs", SOON, |text| {
        text.contains("Documents of customers") && text.contains("Continuous")
    })
    .await;
    look(browser, "compare").await;
    browser.click("dialog [aria-label='Close']").await;

    // The later job writes the same collection.
    browser.click(&testid("delete-written")).await;
    wait_text(browser, "dialog", "what stays", SOON, |text| text.contains("later job")).await;
    browser.click("dialog [aria-label='Close']").await;
    browser.click(&testid("delete-job")).await;
    browser.click(&testid("delete-job-confirm")).await;
    let one = async || (browser.texts(&testid("history-item")).await.len() == 1).then_some(());
    wait_for("one job in the history", SOON, one).await;
    browser.click(&testid("delete-written")).await;
    wait_text(browser, &testid("written-count"), "a count", SOON, |text| {
        text.starts_with("50 documents")
    })
    .await;
    look(browser, "delete-written").await;
    browser.click(&testid("delete-written-confirm")).await;
    let gone = async || {
        let names = godwit_tests::docs::collections(&migration.target.database).await;
        names.is_empty().then_some(())
    };
    wait_for("an empty destination", SOON, gone).await;

    let report = format!("{}/api/v1/jobs/{}/report.html", migration.app.base(), again.id);
    browser.open(&report).await;
    browser
        .wait_text("the report", SOON, |text| text.contains("Migration report"))
        .await;
    crate::pages::pictures::take(browser, "report").await;
}
