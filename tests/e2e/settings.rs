//! Settings of a project after it was made, time series, and expressions in colours.

use crate::pages::mapping::MappingTab;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::api::wait_for;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};

const SQL: &str =
    "create table reading (id int primary key, sensor_name text not null, taken_at timestamptz not null, value float8,
      note text);
    create table part (id int primary key, reading_id int not null references reading, kind_of text)";

fn spec() -> Value {
    json!({"name": "Readings", "casing": "ORIGINAL", "collections": [
        {"collection": "readings", "table": "reading", "embed": [
            {"kind": "array", "path": "parts", "table": "part", "exclude": ["reading_id"]}]},
        {"collection": "parts", "table": "part"}]})
}

async fn content(migration: &Migration) -> Value {
    let path = format!("/project/{}/export", migration.project);
    migration.app.api().get(&path).await.ok()["project"].clone()
}

async fn select(browser: &Browser, name: &str, label: &str) {
    let element = browser.find(&testid(name)).await;
    element.select_by_label(label).await.expect("an option");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_project_change_and_can_be_undone() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_field("taken_at").await;
    browser.click(&testid("project-settings")).await;
    browser.fill(&testid("settings-name"), "Sensor readings").await;
    select(&browser, "settings-casing", "camelCase").await;
    select(&browser, "settings-key", "Document of the key").await;
    wait_text(
        &browser,
        &testid("settings-key-note"),
        "the rules concerned",
        SOON,
        |text| text.starts_with("2 rules follow"),
    )
    .await;
    browser.click(&testid("settings-nulls")).await;
    browser.click(&testid("settings-all-nulls")).await;
    look(&browser, "project-settings").await;
    browser.click(&testid("settings-save")).await;
    page.wait_field("takenAt").await;
    page.wait_saved().await;
    let project = content(&migration).await;
    let settings = &project["content"]["settings"];
    assert_eq!(project["name"], "Sensor readings");
    assert_eq!(
        (&settings["casing"], &settings["keyHandling"], &settings["omitNulls"]),
        (&json!("CAMEL_CASE"), &json!("WRAPPED"), &json!(true))
    );
    let rules = project["content"]["mappings"].as_object().expect("rules").clone();
    let note = rules
        .values()
        .find_map(|rule| rule["fields"].get("note"))
        .expect("a field");
    assert_eq!(note["target"]["isNullExcluded"], json!(true));
    wait_text(&browser, "h1", "the new name", SOON, |text| text == "Sensor readings").await;

    // Four settings, four steps.
    for _ in 0..4 {
        browser.click(&testid("undo")).await;
    }
    page.wait_field("taken_at").await;
    page.wait_saved().await;
    let project = content(&migration).await;
    assert_eq!(project["name"], "Readings");
    assert_eq!(project["content"]["settings"]["keyHandling"], json!("SINGLE"));

    // A name that cannot be is said at once.
    browser.click(&testid("project-settings")).await;
    browser.fill(&testid("settings-name"), " ").await;
    browser.find_text("Enter a name.").await;
    let save = browser.find(&testid("settings-save")).await;
    assert!(!save.is_enabled().await.expect("the state of a button"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_becomes_a_time_series() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.choose_collection("parts").await;
    browser.find(&testid("no-time-field")).await;
    page.choose_collection("readings").await;
    browser.click(&testid("time-series")).await;
    browser.find(&testid("time-field")).await;
    let times = browser.texts(&format!("{} option", testid("time-field"))).await;
    assert_eq!(times, ["taken_at"], "only dates are offered");
    select(&browser, "meta-field", "sensor_name").await;
    select(&browser, "granularity", "minutes").await;
    browser.fill(&testid("expire-after"), "soon\n").await;
    browser.find_text("Enter a whole number of seconds, or nothing.").await;
    browser.fill(&testid("expire-after"), "86400\n").await;
    look(&browser, "mapping-time-series").await;
    page.wait_saved().await;
    let series = async || {
        let project = content(&migration).await;
        let collections = project["content"]["collections"]
            .as_object()
            .expect("collections")
            .clone();
        let readings = collections
            .values()
            .find(|c| c["name"] == "readings")
            .expect("readings")
            .clone();
        (readings["type"].clone(), readings["timeSeries"].clone())
    };
    let wanted = json!({"timeField": "taken_at", "metaField": "sensor_name", "granularity": "minutes", "expireAfterSeconds": 86400});
    let is_stored = async || (series().await == (json!("TIME_SERIES"), wanted.clone())).then_some(());
    wait_for("the settings in the file", SOON, is_stored).await;
    browser.click(&testid("time-series")).await;
    let is_regular = async || (series().await == (json!("REGULAR"), Value::Null)).then_some(());
    wait_for("a regular collection", SOON, is_regular).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_are_shown_in_colours_while_they_are_typed() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_field("taken_at").await;
    let text = "columns[\"value\"] > 2 && columns[\"note\"] != null // measured";
    browser.fill(&testid("rule-filter"), text).await;
    let parts = browser
        .texts("[data-testid='rule-form'] .gw-code-area__colours [class^='gw-code-area__']")
        .await;
    for part in ["columns", "\"value\"", "2", "null", "// measured"] {
        assert!(parts.iter().any(|own| own == part), "{part}: {parts:?}");
    }
    look(&browser, "mapping-colours").await;
    // The coloured text lies exactly below the one that is typed.
    let places = browser
        .run(
            "const [a, b] = ['.gw-code-area__colours', '.gw-code-area__text'].map(c => document.querySelector('[data-testid=rule-form] ' + c));
             const box = e => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height].map(Math.round).join(' '); };
             const style = e => { const s = getComputedStyle(e); return [s.fontFamily, s.fontSize, s.lineHeight, s.paddingLeft, s.paddingTop, s.letterSpacing].join(' '); };
             return [box(a) === box(b), style(a) === style(b), b.scrollHeight <= b.clientHeight + 1]",
            &[],
        )
        .await;
    assert_eq!(places, json!([true, true, true]));
}
