//! A history of many jobs.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid};
use futures_util::future::join_all;
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::servers;
use serde_json::json;

const JOBS: usize = 200;
/// Each into a database of its own: two jobs that write the same do not run at once.
const AT_ONCE: usize = 8;

/// Remembers the lines of the history; how many there are.
const REMEMBER: &str = "
window.lines = new Set(document.querySelectorAll(arguments[0]));
return window.lines.size";

/// How many of the lines that were there before are the very same elements.
const KEPT: &str = "
return [...document.querySelectorAll(arguments[0])].filter(line => window.lines.has(line)).length";

/// Scrolls the history for a hundred frames; how long the one in the middle and the longest took, ms.
const SCROLL: &str = "
const [item, done] = arguments, frames = [];
let scrolled = document.querySelector(item);
while (scrolled && scrolled.scrollHeight <= scrolled.clientHeight + 1) scrolled = scrolled.parentElement;
let last = performance.now();
const step = now => {
  frames.push(now - last);
  last = now;
  if (frames.length === 101) {
    const sorted = frames.slice(1).sort((a, b) => a - b);
    return done([Math.round(sorted[50]), Math.round(sorted[99])]);
  }
  (scrolled ?? document.scrollingElement).scrollBy(0, 40);
  requestAnimationFrame(step);
};
requestAnimationFrame(step);";

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_jobs_show_by_themselves_and_stay_one_list() {
    let sql = "create table t (id int primary key); insert into t select generate_series(1, 20)";
    let spec = json!({"name": "Many", "collections": [{"collection": "t", "table": "t"}]});
    let (migration, browser) = tokio::join!(Migration::new(sql, spec), Browser::start());
    let api = migration.app.api();
    let mongo = &servers().await.mongo;
    let targets = join_all((0..AT_ONCE).map(|_| mongo.target("many"))).await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    let run = async |target: &_| {
        let id = api
            .start_job(&Job::new(&migration.project, &migration.source, target))
            .await;
        api.wait_ended(&id, LONG).await;
    };
    // The page is open all the while: it is told of each of them.
    for _ in 0..JOBS / AT_ONCE {
        join_all(targets.iter().map(&run)).await;
    }
    let line = testid("history-item");
    let count = "return document.querySelectorAll(arguments[0]).length";
    let all = async || (browser.run(count, &[json!(line)]).await == JOBS).then_some(());
    wait_for("all jobs in the history", SOON, all).await;
    look(&browser, "history").await;
    let frames = browser.client.execute_async(SCROLL, vec![json!(line)]).await;
    let frames = frames.expect("frames");
    println!(
        "scrolling {JOBS} jobs: a frame took {} ms, the longest {} ms",
        frames[0], frames[1]
    );

    // The first job lies at the end, and leads to its overview.
    let first = format!("li:last-child > {line}");
    let last_section = format!("section:last-of-type {first}");
    browser
        .run(
            "document.querySelector(arguments[0]).scrollIntoView()",
            &[json!(last_section)],
        )
        .await;
    browser.click(&last_section).await;
    page.wait_status("COMPLETED", SOON).await;
    let url = browser.client.current_url().await.expect("a URL");
    assert!(url.query().is_some_and(|query| query.starts_with("job=")), "{url}");

    // One more job adds one line: the others are not made anew.
    assert_eq!(browser.run(REMEMBER, &[json!(line)]).await, JOBS);
    run(&targets[0]).await;
    let one_more = async || (browser.run(count, &[json!(line)]).await == JOBS + 1).then_some(());
    wait_for("one more job", SOON, one_more).await;
    assert_eq!(browser.run(KEPT, &[json!(line)]).await, JOBS);
}
