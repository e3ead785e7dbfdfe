//! Saved connections: added, tested, copied, changed and deleted.

use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid, text_now, wait_focus, wait_text};
use fantoccini::Locator;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{PASSWORD, SUPERUSER, servers};
use serde_json::json;

/// Clicks a button of the connection with exactly this name.
async fn click_of(browser: &Browser, connection: &str, action: &str) {
    let path = format!(
        "//*[@data-testid='connection'][.//*[normalize-space(.)='{connection}']]//*[@data-testid='connection-{action}']"
    );
    let button = browser
        .client
        .wait()
        .at_most(SOON)
        .for_element(Locator::XPath(&path))
        .await;
    button
        .expect("the button of the connection")
        .click()
        .await
        .expect("a click");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_added_tested_copied_changed_and_deleted() {
    let database = servers()
        .await
        .postgres
        .database("saved", "create table t (id int primary key)");
    let (app, browser, source) = tokio::join!(App::start(), Browser::start(), database);
    let api = app.api();
    HomePage::open(&browser, &app).await;
    browser.click_text("Connections").await;
    browser.click(&testid("add-jdbc")).await;
    browser.click(&testid("connection-save")).await;
    let shown = browser
        .wait_text("errors at the fields", SOON, |text| text.contains("Enter a name."))
        .await;
    assert!(shown.contains("Enter the host of the server."), "{shown}");
    browser.fill(&testid("connection-name"), "Main").await;
    browser
        .find(&testid("connection-tag"))
        .await
        .select_by_value("PRODUCTION")
        .await
        .expect("an option");
    browser.fill(&testid("source-host"), "127.0.0.1").await;
    browser.fill(&testid("source-port"), &source.port.to_string()).await;
    browser.fill(&testid("source-database"), &source.name).await;
    browser.fill(&testid("source-user"), SUPERUSER).await;
    browser.fill(&testid("source-password"), PASSWORD).await;
    browser.click(&testid("source-test")).await;
    browser.find(&testid("test-passed")).await;
    look(&browser, "connection").await;
    browser.click(&testid("connection-save")).await;
    wait_text(&browser, &testid("connection"), "the connection", SOON, |text| {
        text.contains("Main") && text.contains("Production") && text.contains("password saved")
    })
    .await;

    wait_focus(&browser, &testid("add-jdbc")).await;
    look(&browser, "connections").await;

    // Its password is kept where it belongs: the list tests it, a change of the name keeps it, a copy has none.
    click_of(&browser, "Main", "test").await;
    browser.find(&testid("test-passed")).await;
    click_of(&browser, "Main", "edit").await;
    browser.fill(&testid("connection-name"), "Shop").await;
    browser.click(&testid("connection-save")).await;
    wait_focus(&browser, &testid("connection-edit")).await;
    click_of(&browser, "Shop", "test").await;
    browser.find(&testid("test-passed")).await;
    click_of(&browser, "Shop", "copy").await;
    let name = browser.find(&testid("connection-name")).await;
    assert_eq!(
        name.prop("value").await.expect("a property").as_deref(),
        Some("Shop-Copy")
    );
    browser.click(&testid("connection-save")).await;
    browser.find_text("Shop-Copy").await;
    let saved = api.get("/connections/jdbc").await.ok();
    let with_password = |name: &str| {
        let all = saved.as_array().expect("a list").iter();
        all.filter(|c| c["name"] == name)
            .map(|c| c["hasPassword"] == true)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (with_password("Shop"), with_password("Shop-Copy")),
        (vec![true], vec![false])
    );

    // Who uses it is told before it goes.
    let shop = saved
        .as_array()
        .expect("a list")
        .iter()
        .find(|c| c["name"] == "Shop")
        .expect("the shop");
    let details = json!({"jdbcConnectionDetails": {"existingConnectionId": shop["id"]}});
    let schema = api.post("/schema/jdbc", &details).await.ok();
    let content = api
        .post("/project/recommendation", &json!({"schemasId": schema["id"]}))
        .await
        .ok();
    let project = json!({"name": "Library", "type": "POSTGRESQL", "schemasId": schema["id"], "content": content,
        "jdbcId": shop["id"]});
    api.post("/project", &project).await.ok();
    browser.find_text("Used by 1 project:").await;
    click_of(&browser, "Shop", "delete").await;
    wait_text(&browser, &testid("connection-users"), "who uses it", SOON, |text| {
        text == "Library"
    })
    .await;
    look(&browser, "connection-delete").await;
    browser.click(&testid("delete-confirm")).await;
    browser
        .wait_text("the shop to go", SOON, |text| !text.contains("password saved"))
        .await;
    // The button that was pressed is gone: the list has the focus.
    wait_focus(&browser, "section[aria-label='Relational'] h2").await;
    let names: Vec<_> = api
        .get("/connections/jdbc")
        .await
        .ok()
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| c["name"].clone())
        .collect();
    assert_eq!(names, [json!("Shop-Copy")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn destinations_are_added_tested_changed_copied_and_deleted() {
    let database = servers()
        .await
        .postgres
        .database("of a destination", "create table t (id int primary key)");
    let (app, browser, source) = tokio::join!(App::start(), Browser::start(), database);
    let (api, target) = (app.api(), servers().await.mongo.target("target").await);
    let bare = target.uri.replacen(&format!("/{}", target.database.name()), "/", 1);
    HomePage::open(&browser, &app).await;
    browser.click_text("Connections").await;
    browser.click(&testid("add-mongodb")).await;
    browser.fill(&testid("connection-name"), &"x".repeat(101)).await;
    browser.click(&testid("connection-save")).await;
    browser.find_text("At most 100 characters; this name has 101.").await;
    let shown = browser.text().await;
    assert!(shown.contains("Enter the URI"), "{shown}");
    browser.fill(&testid("connection-name"), "Warehouse").await;
    browser.fill(&testid("target-uri"), &bare).await;
    browser.click(&testid("target-test")).await;
    browser.find(&testid("test-passed")).await;
    look(&browser, "connection-mongodb").await;
    browser.click(&testid("connection-save")).await;
    wait_text(&browser, &testid("connection"), "the connection", SOON, |text| {
        text.contains("Warehouse") && text.contains("MongoDB")
    })
    .await;

    // Its database may be entered besides the URI; a copy has it too.
    click_of(&browser, "Warehouse", "edit").await;
    browser.fill(&testid("target-database"), "stock").await;
    browser.click(&testid("connection-save")).await;
    browser.find_text("database stock").await;
    click_of(&browser, "Warehouse", "test").await;
    browser.find(&testid("test-passed")).await;
    click_of(&browser, "Warehouse", "copy").await;
    browser.click(&testid("connection-save")).await;
    browser.find_text("Warehouse-Copy").await;
    let saved = api.get("/connections/mongodb").await.ok();
    let all = saved.as_array().expect("a list");
    assert!(
        all.len() == 2 && all.iter().all(|c| c["database"] == "stock"),
        "{saved:#}"
    );

    let warehouse = all.iter().find(|c| c["name"] == "Warehouse").expect("the warehouse");
    let details = json!({"jdbcConnectionDetails": {"type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER,
        "password": PASSWORD}});
    let schema = api.post("/schema/jdbc", &details).await.ok();
    let asked = json!({"schemasId": schema["id"]});
    let content = api.post("/project/recommendation", &asked).await.ok();
    let project = json!({"name": "Stock", "type": "POSTGRESQL", "schemasId": schema["id"], "content": content,
        "mongodbId": warehouse["id"]});
    api.post("/project", &project).await.ok();
    browser.find_text("Used by 1 project:").await;
    look(&browser, "connections-mongodb").await;
    click_of(&browser, "Warehouse", "delete").await;
    wait_text(&browser, &testid("connection-users"), "who uses it", SOON, |text| {
        text == "Stock"
    })
    .await;
    look(&browser, "connection-mongodb-delete").await;
    browser.click(&testid("delete-confirm")).await;
    wait_focus(&browser, "section[aria-label='MongoDB'] h2").await;
    let left = text_now(&browser, &testid("connection")).await.expect("a connection");
    assert!(left.starts_with("Warehouse-Copy"), "{left}");
}
