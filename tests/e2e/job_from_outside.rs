//! An open page follows what others do over REST.

use crate::library::Stage;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look};
use godwit_tests::api::Job;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_started_and_stopped_over_rest_shows_by_itself() {
    let stage = Stage::new().await;
    let project = stage.import().await;
    let api = stage.app.api();
    let page = MigrationPage::open(&stage.browser, &stage.app, &project).await;
    page.wait_history(&[]).await;

    let id = api.start_job(&Job::new(&project, stage.source, &stage.target)).await;
    page.wait_history(&[("Running", "Running")]).await;
    page.wait_status("RUNNING", SOON).await;
    page.wait_rows_above(0).await;
    api.act(&id, "stop").await.ok();
    page.wait_history(&[("Close", "Snapshot cancelled")]).await;
    page.wait_snapshot("Snapshot cancelled", SOON).await;
    look(&stage.browser, "cancelled-from-outside").await;
}
