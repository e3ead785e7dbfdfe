//! Two windows on the same server show the same.

use crate::library::{NAME, Stage};
use crate::pages::home::HomePage;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::api::{Job, wait_for};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_does_the_other_sees() {
    let (stage, second) = tokio::join!(Stage::new(), Browser::start());
    let project = stage.import().await;
    let here = MigrationPage::open(&stage.browser, &stage.app, &project).await;
    let home = HomePage::open(&second, &stage.app).await;
    let there = home.open_project(NAME).await;
    stage
        .app
        .api()
        .start_job(&Job::new(&project, stage.source, &stage.target))
        .await;
    here.wait_rows_above(0).await;
    // On a quick machine the rest would be through before the next click.
    stage.app.hold("chunk");
    there.wait_rows_above(0).await;

    here.pause().await;
    stage.app.let_go("chunk");
    there.wait_status("PAUSED", SOON).await;
    here.wait_status("PAUSED", SOON).await;
    same_rows(&here, &there).await;
    look(&second, "two-tabs").await;
    stage.app.hold("chunk");
    there.resume().await;
    here.wait_status("RUNNING", SOON).await;
    there.terminate().await;
    stage.app.let_go("chunk");
    here.wait_status("CANCELLED", SOON).await;
    here.wait_history(&[("Close", "Snapshot cancelled")]).await;
    there.wait_history(&[("Close", "Snapshot cancelled")]).await;
    same_rows(&here, &there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_one_adds_and_deletes_comes_and_goes_for_the_other() {
    let (app, here, there) = tokio::join!(App::start(), Browser::start(), Browser::start());
    for browser in [&here, &there] {
        browser.open(&format!("{}/connections", app.base())).await;
        browser.find(&testid("add-jdbc")).await;
    }
    here.click(&testid("add-jdbc")).await;
    here.fill(&testid("connection-name"), "Warehouse").await;
    here.fill(&testid("source-host"), "127.0.0.1").await;
    here.click(&testid("connection-save")).await;
    let connection = testid("connection");
    for browser in [&here, &there] {
        wait_text(browser, &connection, "the connection", SOON, |text| {
            text.contains("Warehouse")
        })
        .await;
    }
    there.click(&testid("connection-delete")).await;
    there.click(&testid("delete-confirm")).await;
    wait_for("no connection", SOON, async || {
        here.texts(&connection).await.is_empty().then_some(())
    })
    .await;
}

/// The last figures of a job that stands still come a moment after its status.
async fn same_rows(here: &MigrationPage<'_>, there: &MigrationPage<'_>) {
    wait_for("the same rows in both windows", SOON, || async {
        (here.rows().await == there.rows().await).then_some(())
    })
    .await;
}
