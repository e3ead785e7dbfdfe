//! On a telephone, and with everything enlarged, what ends a job stays in reach.

use crate::library::Stage;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look_everywhere, pictures, testid};
use godwit_tests::api::{Job, LONG};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivatePostgres;
use serde_json::json;

/// Whether a control can be seen and pressed where it is, after everything that scrolls was scrolled to its end.
const IS_IN_REACH: &str = "
const [css] = arguments, button = document.querySelector(css);
for (const part of [document.scrollingElement, ...document.querySelectorAll('main, .gw-migration__job')])
  part.scrollTop = part.scrollHeight;
const {left, top, right, bottom} = button.getBoundingClientRect();
const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
const isInside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
return isInside && button.contains(hit) ? '' : `${left} ${top} ${right} ${bottom} in ${innerWidth} x ${innerHeight}`";

/// A telephone; a laptop of 1280 x 720 at 200 %.
const WINDOWS: [(&str, u32, u32, f64); 2] = [("390", 390, 844, 2.0), ("200-percent", 640, 360, 2.0)];

async fn in_reach(browser: &Browser, name: &str) {
    for (window, width, height, scale) in WINDOWS {
        browser.emulate(width, height, scale).await;
        let missed = browser.run(IS_IN_REACH, &[json!(testid(name))]).await;
        pictures::take_as_it_is(browser, &format!("{name}-{window}")).await;
        assert_eq!(missed, "", "{name} at {window}");
    }
    browser.stop_emulating().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_terminated_on_a_telephone() {
    let stage = Stage::new().await;
    let project = stage.import().await;
    let job = Job::new(&project, stage.source, &stage.target);
    stage.app.hold("chunk");
    stage.app.api().start_job(&job).await;
    let page = MigrationPage::open(&stage.browser, &stage.app, &project).await;
    page.wait_for("terminate").await;
    in_reach(&stage.browser, "terminate").await;
    look_everywhere(&stage.browser, "snapshot-at-work").await;
    // Pressed there, not only seen.
    stage.browser.emulate(390, 844, 2.0).await;
    stage.app.let_go("chunk");
    page.terminate().await;
    page.wait_status("CANCELLED", LONG).await;
    stage.browser.stop_emulating().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_job_is_completed_on_a_telephone() {
    let (postgres, browser) = tokio::join!(PrivatePostgres::start(&[]), Browser::start());
    let sql =
        "create table t (id int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 20) i";
    let source = postgres.database("small", sql).await;
    let spec = json!({"name": "Small", "collections": [{"collection": "t", "table": "t"}]});
    let migration = Migration::of(source, spec).await;
    let job: Job = migration.job().with("/options/mode", json!("CDC"));
    migration.app.api().start_job(&job).await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    page.wait_cdc("Running", LONG).await;
    in_reach(&browser, "complete-cdc").await;
    look_everywhere(&browser, "streaming-at-work").await;
    browser.emulate(390, 844, 2.0).await;
    browser.click(&testid("complete-cdc")).await;
    browser.find("dialog[data-tone='success']").await;
    pictures::take_as_it_is(&browser, "complete-cdc-390").await;
    browser.click(&testid("complete-cdc-confirm")).await;
    page.wait_status("COMPLETED", LONG).await;
    page.wait_cdc("Completed", SOON).await;
    browser.stop_emulating().await;
}
