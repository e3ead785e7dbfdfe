//! The first flight: import, create, watch, terminate, run again.

use crate::library::{BORROWERS, NAME, ROWS, Stage, WHOLE_JOB};
use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid, wait_focus};
use godwit_tests::servers::PASSWORD;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_job_is_run_again_with_drop() {
    let stage = Stage::new().await;
    let browser = &stage.browser;
    let home = HomePage::open(browser, &stage.app).await;
    // Lost by a reload.
    let mark = "window.isTheFirstPage = true";
    browser.client.execute(mark, vec![]).await.expect("a script runs");
    look(browser, "home-empty").await;
    home.import(&stage.project_file().await).await;
    let page = home.open_project(NAME).await;
    look(browser, "migration-empty").await;

    let wizard = page.create_job().await;
    wizard.fill_source(stage.source, PASSWORD).await;
    wizard.test_source().await;
    look(browser, "wizard-source").await;
    wizard.next().await;
    wizard.fill_target(&stage.target).await;
    wizard.test_target().await;
    look(browser, "wizard-target").await;
    wizard.next().await;
    assert!(!wizard.is_drop_ticked().await);
    wizard.passed_checks().await;
    look(browser, "wizard-options").await;
    wizard.start().await;

    page.wait_status("RUNNING", SOON).await;
    let first = page.wait_rows_above(0).await;
    let second = page.wait_rows_above(first).await;
    let third = page.wait_rows_above(second).await;
    assert!(third < ROWS, "the job ended before it could be terminated");
    page.wait_history(&[("Running", "Running")]).await;
    // Held for as long as it is looked at.
    stage.app.freeze();
    look(browser, "running").await;
    page.ask_terminate().await;
    look(browser, "terminate").await;
    stage.app.thaw();

    browser.click(&testid("terminate-confirm")).await;
    let asked_at = Instant::now();
    page.wait_snapshot("Snapshot cancelled", SOON).await;
    let took = asked_at.elapsed();
    assert!(took < Duration::from_secs(5), "cancelled after {took:?}");
    page.wait_status("CANCELLED", SOON).await;
    assert_eq!(page.status().await, "Snapshot cancelled");
    page.wait_history(&[("Close", "Snapshot cancelled")]).await;
    assert!(!page.has("resume").await && !page.has("terminate").await);
    look(browser, "cancelled").await;
    let kept = stage.whole_documents().await;
    assert!(kept > 0 && kept < BORROWERS, "{kept} documents stayed");

    let wizard = page.create_job_like_this().await;
    // What was typed for the first job has been saved.
    let source = wizard.chosen_source().await;
    assert!(source.contains(&stage.source.jdbc_url()), "{source}");
    wizard.next().await;
    browser.find(&testid("target-saved")).await;
    wizard.next().await;
    assert!(wizard.is_drop_ticked().await);
    wizard.next().await;
    let (figures, warnings) = wizard.review().await;
    assert!(
        figures.contains("600,000") && warnings.is_some_and(|w| w.contains("will be deleted")),
        "{figures}"
    );
    // Not before the user has typed the name of what goes.
    browser.click(&testid("wizard-start")).await;
    browser
        .find_text("Type borrowers, or go back and keep the documents.")
        .await;
    wait_focus(browser, &testid("drop-confirmation")).await;
    look(browser, "wizard-drop").await;
    wizard.start().await;
    page.wait_status("RUNNING", SOON).await;
    page.wait_status("COMPLETED", WHOLE_JOB).await;
    page.wait_snapshot("Completed", SOON).await;
    page.wait_history(&[("Check", "Completed"), ("Close", "Snapshot cancelled")])
        .await;
    assert_eq!((page.rows().await, page.percent().await), (ROWS, 100));
    look(browser, "completed").await;
    assert_eq!(stage.whole_documents().await, BORROWERS);

    let mark = browser.client.execute("return window.isTheFirstPage", vec![]).await;
    assert_eq!(mark.expect("a script runs"), true, "the page was loaded anew");

    // Who comes later sees as well how fast it was.
    browser.client.refresh().await.expect("the page is loaded anew");
    let chart = page.chart("Rows read per second").await;
    assert!(chart.contains("at the end") && chart.contains("highest"), "{chart}");
}
