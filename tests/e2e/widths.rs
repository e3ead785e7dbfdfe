//! Every page of its own, from a telephone to a desk, light and dark: nothing that axe finds, nothing that does not fit.
//! The pages of a job are looked at where jobs are.

use crate::pages::home::HomePage;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look_everywhere, testid};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PASSWORD, SUPERUSER};
use serde_json::json;

/// Files that the first view has asked for, by what they are.
const REQUESTS: &str = "
const all = performance.getEntriesByType('resource').map(e => e.name);
return {
  styles: all.filter(name => name.endsWith('.css')).length,
  fonts: all.filter(name => name.endsWith('.woff2')).length,
  files: all.filter(name => !name.includes('/api/')).length,
};";

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_for_every_window() {
    let sql = "create table orders (id int primary key, customer text not null, d date not null default 'infinity');
        insert into orders select i, 'Customer ' || i from generate_series(1, 40) i";
    let spec =
        json!({"name": "Shop of many words in its name", "collections": [{"collection": "orders", "table": "orders"}]});
    let (migration, browser) = tokio::join!(Migration::new(sql, spec), Browser::start());
    let saved = json!({"name": "Main", "type": "POSTGRESQL", "url": migration.source.jdbc_url(), "user": SUPERUSER,
        "password": PASSWORD, "savePassword": true, "environmentTag": "PRODUCTION"});
    migration.app.api().post("/connections/jdbc", &saved).await.ok();
    migration.run(&migration.job()).await;
    HomePage::open(&browser, &migration.app).await;
    browser.find(&testid("project-card")).await;
    let requests = browser.run(REQUESTS, &[]).await;
    assert_eq!(
        (&requests["styles"], &requests["fonts"]),
        (&json!(1), &json!(2)),
        "{requests}"
    );
    assert!(
        requests["files"].as_u64().is_some_and(|files| files <= 12),
        "{requests}"
    );
    let is_shown = "return document.fonts.check('600 13px Inter') && document.fonts.check('13px Inter') \
                    && getComputedStyle(document.body).fontFamily.startsWith('Inter')";
    assert_eq!(browser.run(is_shown, &[]).await, true, "the page's own font");
    look_everywhere(&browser, "home").await;

    browser.click_text("Connections").await;
    browser.find(&testid("connection")).await;
    look_everywhere(&browser, "connections").await;
    browser.click(&testid("add-jdbc")).await;
    browser.find(&testid("connection-name")).await;
    look_everywhere(&browser, "connection").await;
    browser.click("dialog [aria-label='Close']").await;
    browser.click(&testid("settings")).await;
    browser.find(&testid("about")).await;
    browser.find(&testid("no-webhook")).await;
    look_everywhere(&browser, "settings").await;

    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    page.wait_status("COMPLETED", SOON).await;
    browser.click(&format!("{} button", testid("log-row"))).await;
    look_everywhere(&browser, "migration").await;
    let wizard = page.create_job().await;
    look_everywhere(&browser, "wizard-source").await;
    wizard.next().await;
    wizard.fill_target(&migration.target).await;
    look_everywhere(&browser, "wizard-destination").await;
    wizard.next().await;
    wizard.passed_checks().await;
    look_everywhere(&browser, "wizard-options").await;
    wizard.next().await;
    browser.find(&testid("review-figures")).await;
    look_everywhere(&browser, "wizard-review").await;
}
