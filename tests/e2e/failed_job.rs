//! A job that fails says why.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look};
use godwit_tests::api::Job;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_shows_its_reason_and_its_log() {
    let sql = "create table people (id int primary key, born date);
               insert into people select i, date 'infinity' from generate_series(1, 50) i";
    let spec = json!({"name": "People", "collections": [{"collection": "people", "table": "people"}]});
    let (migration, browser) = tokio::join!(Migration::new(sql, spec), Browser::start());
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    let job: Job = migration.job().tolerating(0);
    migration.app.api().start_job(&job).await;

    page.wait_status("FAILED", SOON).await;
    page.wait_history(&[("Error", "Failed")]).await;
    let message = page.failure().await;
    assert!(message.contains("errors"), "{message}");
    assert!(page.has("log-row").await && page.has("create-new-job").await && !page.has("resume").await);
    page.wait_for("failure-time").await;
    look(&browser, "failed").await;
}
