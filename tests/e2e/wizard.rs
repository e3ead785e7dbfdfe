//! *New migration job*: what is saved is shown as it is, nothing is asked that is not needed, nothing is lost by a reload.

use crate::pages::migration::MigrationPage;
use crate::pages::wizard::Wizard;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::api::wait_for;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PASSWORD, PrivatePostgres, SUPERUSER};
use serde_json::{Value, json};

const TABLE: &str = "create table t (id int primary key); insert into t select generate_series(1, 5)";

fn spec(name: &str) -> Value {
    json!({"name": name, "collections": [{"collection": "t", "table": "t"}]})
}

async fn value(browser: &Browser, name: &str) -> String {
    let field = browser.find(&testid(name)).await;
    field.prop("value").await.expect("a property").unwrap_or_default()
}

/// Whether the buttons of a dialog lie inside of the window.
const FOOT_IN_SIGHT: &str = "
const {top, bottom} = document.querySelector(arguments[0]).getBoundingClientRect();
return top >= 0 && bottom <= innerHeight";

#[tokio::test(flavor = "multi_thread")]
async fn saved_values_are_shown_and_a_server_without_passwords_is_asked_for_none() {
    let (postgres, browser) = tokio::join!(PrivatePostgres::start(&[]), Browser::start());
    let source = postgres.database("trusting", TABLE).await;
    // Everybody is let in.
    postgres.write_hba("host all all 127.0.0.1/32 trust\nlocal all all trust\n");
    source.run("select pg_reload_conf()").await;
    let migration = Migration::of(source, spec("Trusting")).await;
    let saved = json!({"name": "Trusting", "type": "POSTGRESQL", "url": migration.source.jdbc_url(), "user": SUPERUSER,
        "savePassword": false});
    migration.app.api().post("/connections/jdbc", &saved).await.ok();
    browser.emulate(1280, 720, 1.0).await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    let wizard = page.create_job().await;
    // The only one is chosen: what it says is there to be read.
    let shown = wait_text(
        &browser,
        &testid("chosen-connection"),
        "the saved values",
        SOON,
        |text| !text.is_empty(),
    )
    .await;
    let port = migration.source.port.to_string();
    for part in ["127.0.0.1", &port, &migration.source.name, SUPERUSER, "Not stored"] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    in_sight(&browser).await;
    wizard.next().await;
    assert!(wizard.step().await.contains("Destination"), "no password was asked for");
    wizard.fill_target(&migration.target).await;
    in_sight(&browser).await;
    wizard.next().await;
    in_sight(&browser).await;
    browser.stop_emulating().await;
    browser.click(&testid("wizard-back")).await;
    browser.click(&testid("wizard-back")).await;
    look(&browser, "wizard-chosen").await;
    // Its values become those of another one.
    browser.click(&testid("change-chosen")).await;
    assert_eq!(value(&browser, "source-host").await, "127.0.0.1");
    assert_eq!(value(&browser, "source-user").await, SUPERUSER);
    wizard.start().await;
    page.wait_status("COMPLETED", SOON).await;
}

async fn in_sight(browser: &Browser) {
    let css = "dialog .gw-dialog__foot";
    let is_there = async || (browser.run(FOOT_IN_SIGHT, &[json!(css)]).await == true).then_some(());
    wait_for("Next in view", SOON, is_there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_entered_survives_a_reload_without_its_secrets() {
    let (migration, browser) = tokio::join!(Migration::new(TABLE, spec("Reloaded")), Browser::start());
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    let wizard = page.create_job().await;
    wizard.fill_source(&migration.source, PASSWORD).await;
    wizard.next().await;
    browser
        .fill(&testid("target-uri"), "mongodb://someone:hidden@127.0.0.1:1/shop")
        .await;
    browser.client.refresh().await.expect("a reload");
    let wizard = Wizard::opened(&browser).await;
    assert_eq!(value(&browser, "source-database").await, migration.source.name);
    assert_eq!(value(&browser, "source-password").await, "");
    let kept = browser
        .run(
            "return JSON.stringify(sessionStorage) + JSON.stringify(localStorage)",
            &[],
        )
        .await;
    assert!(
        !kept.to_string().contains(PASSWORD) && !kept.to_string().contains("hidden"),
        "{kept}"
    );
    browser.fill(&testid("source-password"), PASSWORD).await;
    wizard.next().await;
    assert_eq!(
        value(&browser, "target-uri").await,
        "mongodb://someone:***@127.0.0.1:1/shop"
    );
    // Closed, it does not come back by itself.
    browser.click(&testid("wizard-cancel")).await;
    assert_eq!(
        browser
            .run("return sessionStorage.getItem('godwit.job-draft')", &[])
            .await,
        Value::Null
    );

    // A connection that is being entered stays too.
    browser.open(&format!("{}/connections", migration.app.base())).await;
    browser.click(&testid("add-mongodb")).await;
    browser.fill(&testid("connection-name"), "Half done").await;
    browser.fill(&testid("target-uri"), "mongodb://u:hidden@h/db").await;
    browser.client.refresh().await.expect("a reload");
    browser.find(&testid("connection-name")).await;
    assert_eq!(value(&browser, "connection-name").await, "Half done");
    assert_eq!(value(&browser, "target-uri").await, "mongodb://u:***@h/db");
    look(&browser, "connection-reloaded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_destination_of_another_project_is_not_proposed() {
    let (migration, browser) = tokio::join!(Migration::new(TABLE, spec("First")), Browser::start());
    let api = migration.app.api();
    let saved = json!({"name": "Warehouse", "connectionString": migration.target.uri, "savePassword": true});
    let saved = api.post("/connections/mongodb", &saved).await.ok();
    let details = json!({"jdbcConnectionDetails": {"type": "POSTGRESQL", "url": migration.source.jdbc_url(),
        "user": SUPERUSER, "password": PASSWORD}});
    let schema = api.post("/schema/jdbc", &details).await.ok();
    let asked = json!({"schemasId": schema["id"]});
    let content = api.post("/project/recommendation", &asked).await.ok();
    let second = json!({"name": "Second", "type": "POSTGRESQL", "schemasId": schema["id"], "content": content,
        "mongodbId": saved["id"]});
    let second = api.post("/project", &second).await.ok();
    let second = second["id"].as_str().expect("an id").to_owned();

    let chosen = async |project: &str| {
        let page = MigrationPage::open(&browser, &migration.app, project).await;
        let wizard = page.create_job().await;
        wizard.fill_source(&migration.source, PASSWORD).await;
        wizard.next().await;
        let option = format!("{} option:checked", testid("target-saved"));
        wait_text(&browser, &option, "a choice", SOON, |_| true).await
    };
    assert_eq!(chosen(&migration.project).await, "New connection");
    assert!(chosen(&second).await.starts_with("Warehouse"));
}
