//! A job stands still and goes on.

use crate::library::{BORROWERS, ROWS, Stage, WHOLE_JOB};
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look};
use godwit_shared::job::JobStatus;
use godwit_tests::api::Job;

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_stands_still_and_goes_on() {
    let stage = Stage::new().await;
    let project = stage.import().await;
    let api = stage.app.api();
    let page = MigrationPage::open(&stage.browser, &stage.app, &project).await;
    let id = api.start_job(&Job::new(&project, stage.source, &stage.target)).await;

    page.wait_rows_above(0).await;
    page.pause().await;
    page.wait_status("PAUSED", SOON).await;
    page.wait_snapshot("Paused", SOON).await;
    page.wait_history(&[("Pause", "Paused")]).await;
    assert!(page.has("resume").await && page.has("terminate").await && !page.has("pause").await);
    let job = api.job(&id).await;
    assert_eq!(job.status, JobStatus::Paused);
    let rows = page
        .wait_rows_above(job.statistics.total_events_seen.saturating_sub(1))
        .await;
    assert!(rows < ROWS, "the job ended before it could be paused");
    look(&stage.browser, "paused").await;

    page.resume().await;
    page.wait_status("RUNNING", SOON).await;
    page.wait_rows_above(rows).await;
    page.wait_status("COMPLETED", WHOLE_JOB).await;
    page.wait_history(&[("Check", "Completed")]).await;
    assert_eq!(page.rows().await, ROWS);
    assert_eq!(stage.whole_documents().await, BORROWERS);
}
