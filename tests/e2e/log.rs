//! The job update log: long, filtered, sorted, opened.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::api::wait_for;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::json;

/// Each has its own group of the log.
const BAD_COLUMNS: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_filtered_sorted_and_opened() {
    let columns: Vec<String> = (1..=BAD_COLUMNS)
        .map(|i| format!("d{i} date not null default 'infinity'"))
        .collect();
    let sql = format!(
        "create table people (id int primary key, wide numeric not null, {});
         insert into people select i, repeat('1234567890', 4)::numeric from generate_series(1, 3) i",
        columns.join(", ")
    );
    let spec = json!({"name": "People", "collections": [{"collection": "people", "table": "people"}]});
    let (migration, browser) = tokio::join!(Migration::new(&sql, spec), Browser::start());
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    migration.run(&migration.job()).await;
    page.wait_status("COMPLETED", SOON).await;
    // 60 kinds of errors and one of warnings, in three rows each.
    wait_text(&browser, &testid("log-error"), "errors", SOON, |text| {
        text.ends_with("180")
    })
    .await;
    let rows = page.log_rows().await;
    assert!(rows.len() < BAD_COLUMNS, "all of {} rows are in the page", rows.len());

    browser.click(&testid("log-warning")).await;
    let warnings = page.log_rows().await;
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("Warning"),
        "{warnings:?}"
    );
    wait_text(
        &browser,
        &testid("log-warning"),
        "a loss as one warning of its column",
        SOON,
        |text| text.ends_with("1"),
    )
    .await;
    browser.click(&testid("log-warning")).await;
    browser.fill(&testid("log-search"), "D17").await;
    let found = async || {
        let rows = page.log_rows().await;
        (rows.len() == 1 && rows[0].contains("d17")).then_some(())
    };
    wait_for("the one line that is searched", SOON, found).await;
    browser.click(&format!("{} button", testid("log-row"))).await;
    let link = browser.find(&testid("rule-link")).await;
    let href = link.attr("href").await.expect("an attribute").unwrap_or_default();
    assert!(href.contains("/mapping?collection="), "{href}");
    browser.click(&format!("{} button", testid("log-row"))).await;
    // Emptied as a user does it: a driver that clears a field tells the page nothing of it.
    let search = browser.find(&testid("log-search")).await;
    search
        .send_keys("\u{e003}\u{e003}\u{e003}")
        .await
        .expect("three backspaces");
    let all = async || (page.log_rows().await.len() > 1).then_some(());
    wait_for("the whole log again", SOON, all).await;
    browser.click_text("Severity").await;
    assert!(page.log_rows().await[0].starts_with("Error"));
    browser.click_text("Severity").await;
    assert!(page.log_rows().await[0].starts_with("Warning"));

    let end = "const frame = document.querySelector(arguments[0]); frame.scrollTop = frame.scrollHeight";
    let frame = testid("log-frame");
    browser
        .client
        .execute(end, vec![json!(frame)])
        .await
        .expect("a script runs");
    let last = format!("{}[aria-rowindex='{}']", testid("log-row"), BAD_COLUMNS + 2);
    let is_there = async || browser.client.find(fantoccini::Locator::Css(&last)).await.ok();
    wait_for("the last row", SOON, is_there).await;
    browser.click(&format!("{last} button")).await;
    let shown = browser
        .wait_text("the key of a row", SOON, |text| text.contains("Row key"))
        .await;
    assert!(
        shown.contains("id = 1") && shown.contains("value_not_convertible"),
        "{shown}"
    );
    look(&browser, "log").await;
}
