//! The source of a project is analysed, what was found is looked through, one detection is resolved, and it stays so.

use crate::pages::{SOON, fill_source, look, look_everywhere, testid, wait_text};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD};
use serde_json::json;

const SQL: &str = "
    create type mood as enum ('sad', 'glad');
    create table customer (id serial primary key, name text, born timestamptz, feels mood);
    create table orders (id serial primary key, customer_id int references customer on delete cascade, total numeric);
    create table log (at timestamptz, said text);
    create view big_orders as select * from orders where total > 1000;
    create function touch() returns trigger language plpgsql as 'begin insert into log values (now(), new.name); return new; end';
    create trigger touched after update on customer for each row execute function touch();
    insert into customer (name) select 'c ' || n from generate_series(1, 500) n;
    insert into orders (customer_id, total) select n % 500 + 1, n from generate_series(1, 2000) n;";

/// The drawer that asks for a source.
async fn connect(browser: &Browser, source: &Database, password: &str) {
    fill_source(browser, source, password).await;
    browser.click(&testid("preview-use-source")).await;
}

async fn count(browser: &Browser, is_right: impl Fn(&str) -> bool) -> String {
    wait_text(browser, &testid("detection-count"), "the count", SOON, is_right).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_analysed_and_a_detection_is_resolved() {
    let spec = json!({"name": "Shop", "collections": [{"collection": "customers", "table": "customer"}]});
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec), Browser::start());
    migration.source.run("analyze").await;
    browser
        .open(&format!(
            "{}/projects/{}/migration",
            migration.app.base(),
            migration.project
        ))
        .await;
    browser.click_text("Pre-Migration Analysis").await;
    browser.find(&testid("analysis-none")).await;
    look(&browser, "analysis-none").await;

    // Nothing says yet where the rows are.
    wait_text(&browser, &testid("analysis-run"), "the way to connect", SOON, |text| {
        text == "Connect and run analysis"
    })
    .await;
    browser.click(&testid("analysis-run")).await;
    connect(&browser, &migration.source, "wrong").await;
    browser.find(&testid("analysis-refused")).await;
    look(&browser, "analysis-refused").await;
    browser.click_text("Another source").await;
    connect(&browser, &migration.source, PASSWORD).await;
    wait_text(&browser, &testid("readiness"), "a readiness", LONG, |text| {
        !text.is_empty()
    })
    .await;
    wait_text(&browser, &testid("count-tasks"), "tasks", SOON, |text| text == "4").await;
    browser.find(&testid("score-formula")).await;
    look_everywhere(&browser, "analysis-summary").await;

    browser.click(&testid("part-detections")).await;
    let all = count(&browser, |text| text.ends_with("detections")).await;
    look(&browser, "analysis-detections").await;
    browser.click(&testid("level-task")).await;
    count(&browser, |text| text == "4 detections").await;
    browser.fill(&testid("detection-search"), "touched").await;
    count(&browser, |text| text == "1 detection").await;
    browser.fill(&testid("detection-search"), "nothing of this name").await;
    browser.find(&testid("no-detections")).await;
    browser.fill(&testid("detection-search"), "").await;
    browser
        .run(
            "document.querySelector('[data-testid=detection-search]').dispatchEvent(new Event('input'))",
            &[],
        )
        .await;
    browser.fill(&testid("detection-search"), "log").await;

    // Resolved, it is no longer in the list; with those that are, it is.
    let resolve = format!("{} {}", testid("rule-no_primary_key"), testid("resolve"));
    browser.click(&resolve).await;
    let gone = async || {
        browser
            .texts(&testid("rule-no_primary_key"))
            .await
            .is_empty()
            .then_some(())
    };
    wait_for("the resolved one to go", SOON, gone).await;
    browser.click(&testid("include-resolved")).await;
    browser
        .find(&format!("{}[data-resolved=true]", testid("detection")))
        .await;
    look(&browser, "analysis-resolved").await;

    // A new run does not open it again.
    let made = wait_text(&browser, &testid("analysis-made"), "when it was made", SOON, |_| true).await;
    browser.click(&testid("analysis-run")).await;
    browser.find(&testid("analysis-reports")).await;
    browser.run("location.reload()", &[]).await;
    browser.find(&testid("detection-count")).await;
    let open = count(&browser, |text| text.ends_with("detections")).await;
    let number = |text: &str| {
        text.split(' ')
            .next()
            .and_then(|n| n.parse::<u32>().ok())
            .expect("a number")
    };
    assert_eq!(number(&open) + 1, number(&all), "made {made}");

    for (part, name) in [
        ("tables", "analysis-tables"),
        ("prerequisites", "analysis-prerequisites"),
    ] {
        browser.click(&testid(&format!("part-{part}"))).await;
        browser.find(&testid(name)).await;
        look(&browser, name).await;
    }
    browser.click(&testid("part-features")).await;
    wait_text(&browser, &testid("analysis-objects"), "the trigger", SOON, |text| {
        text.contains("customer.touched")
    })
    .await;
    browser
        .run(
            "document.querySelector('[data-testid=analysed-object] summary').click()",
            &[],
        )
        .await;
    wait_text(&browser, &testid("analysis-objects"), "its SQL", SOON, |text| {
        text.contains("CREATE TRIGGER touched")
    })
    .await;
    look(&browser, "analysis-features").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_terminated() {
    let spec = json!({"name": "Shop", "collections": [{"collection": "customers", "table": "customer"}]});
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec), Browser::start());
    browser
        .open(&format!(
            "{}/projects/{}/analysis",
            migration.app.base(),
            migration.project
        ))
        .await;
    let holder = migration.source.connect().await;
    holder
        .batch_execute("begin; lock table customer in access exclusive mode")
        .await
        .expect("a lock");
    browser.click(&testid("analysis-run")).await;
    connect(&browser, &migration.source, PASSWORD).await;
    browser.click(&testid("analysis-terminate")).await;
    browser.find(&testid("analysis-cancelled")).await;
    look(&browser, "analysis-terminated").await;
    holder.batch_execute("rollback").await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_beside_the_analysis() {
    let spec = json!({"name": "Shop", "collections": [{"collection": "customers", "table": "customer"}]});
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec), Browser::start());
    migration.source.run("analyze").await;
    browser
        .open(&format!(
            "{}/projects/{}/analysis?part=dry-run",
            migration.app.base(),
            migration.project
        ))
        .await;
    browser.click(&testid("analysis-run")).await;
    connect(&browser, &migration.source, PASSWORD).await;
    browser.find(&testid("dry-run-panel")).await;
    browser.click(&testid("dry-run")).await;
    wait_text(
        &browser,
        &testid("dry-run-headline"),
        "what it comes to",
        LONG,
        |text| text.starts_with("500 documents"),
    )
    .await;
    look(&browser, "dry-run").await;
    let names = migration.target.database.list_collection_names().await.expect("names");
    assert_eq!(names, Vec::<String>::new());
}
