//! What happened to a job stands in its charts; a part of them is chosen by dragging.

use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivatePostgres;
use serde_json::{Value, json};

/// Where a chart's drawing lies, and the texts of its axis of time.
const CHART: &str = "
const chart = [...document.querySelectorAll('.gw-chart')].find(c => c.innerText.startsWith(arguments[0]));
if (!chart) return null;
chart.scrollIntoView({block: 'center'});
const {left, top, width, height} = chart.querySelector('.gw-chart__plot').getBoundingClientRect();
const times = [...chart.querySelectorAll('.gw-chart__times span')].map(e => e.innerText);
const marks = [...chart.querySelectorAll('.gw-chart__mark')].map(e => e.getBoundingClientRect().left);
return {left, top, width, height, times, marks};";

async fn chart(browser: &Browser, title: &str) -> Value {
    let look = async || Some(browser.run(CHART, &[json!(title)]).await).filter(|chart| !chart.is_null());
    wait_for(&format!("the chart {title}"), SOON, look).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_schema_is_marked_and_a_part_is_shown_more_closely() {
    let (postgres, browser) = tokio::join!(PrivatePostgres::start(&[]), Browser::start());
    let sql = "create table items (id int primary key, n int not null); alter table items replica identity full;
        insert into items select i, i from generate_series(1, 50) i";
    let source = postgres.database("items", sql).await;
    let spec = json!({"name": "Items", "collections": [{"collection": "items", "table": "items"}]});
    let migration = Migration::of(source, spec).await;
    let job: Job = migration.job().with("/options/mode", json!("CDC"));
    migration.app.api().start_job(&job).await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    page.wait_cdc("Running", LONG).await;
    migration
        .source
        .run("insert into items select i, i from generate_series(51, 80) i")
        .await;
    page.wait_events_above(29).await;
    assert_eq!(chart(&browser, "Lag").await["marks"], json!([]));

    migration.source.run("alter table items alter n type bigint").await;
    let mark = async || {
        let chart = chart(&browser, "Lag").await;
        chart["marks"]
            .as_array()
            .and_then(|marks| marks.first())
            .and_then(Value::as_f64)
    };
    wait_for("a mark", LONG, &mark).await;
    let log = async || {
        page.log_rows()
            .await
            .join("\n")
            .contains("schema of the source has changed")
            .then_some(())
    };
    wait_for("a line of the log", SOON, log).await;
    let lag = chart(&browser, "Lag").await;
    let number = |name: &str| lag[name].as_f64().expect("a number");
    let middle = number("top") + number("height") / 2.0;
    // Under the pointer the mark says what it is.
    let said = async || {
        // It moves on with the clock.
        let place = json!({"type": "mouseMoved", "x": mark().await?, "y": middle});
        browser.devtools("Input.dispatchMouseEvent", place).await;
        browser.text().await.contains("schema change").then_some(())
    };
    wait_for("what the mark is", SOON, said).await;
    look(&browser, "schema-change").await;

    let before = chart(&browser, "Lag").await["times"].clone();
    assert_eq!(before[1], "now");
    let (left, width) = (number("left"), number("width"));
    browser
        .drag((left + width * 0.6, middle), (left + width * 0.8, middle))
        .await;
    browser.find(&testid("whole-job")).await;
    let zoomed = chart(&browser, "Lag").await["times"].clone();
    assert_ne!(zoomed, before);
    assert_ne!(zoomed[1], "now", "{zoomed}");
    // All charts of the job show the same time.
    assert_eq!(chart(&browser, "Events per second").await["times"], zoomed);
    look(&browser, "chart-zoomed").await;
    browser.click(&testid("whole-job")).await;
    let whole = async || (chart(&browser, "Lag").await["times"][1] == "now").then_some(());
    wait_for("the whole job", SOON, whole).await;
    wait_text(&browser, &testid("cdc-status"), "the stage", SOON, |text| {
        text == "Running"
    })
    .await;
}
