//! The tables of a project follow those of its source: what has changed is shown first, and taken over as one step.

use crate::pages::mapping::MappingTab;
use crate::pages::{SOON, look, testid, wait_text};
use fantoccini::Locator;
use godwit_tests::api::wait_for;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::process::scratch;
use godwit_tests::servers::PASSWORD;
use serde_json::{Value, json};

const SQL: &str = "create table customer (id int primary key, full_name text not null, email text);
    create table orders (id int primary key, customer_id int not null references customer, total numeric);
    create table note (id int primary key, text text);
    create table later (id int primary key, customer_id int references customer);
    insert into customer values (1, 'Ada Lovelace', 'ada@example.org');
    insert into orders values (10, 1, 12.5)";

fn spec() -> Value {
    json!({"name": "Shop", "collections": [
        {"collection": "customers", "table": "customer", "embed": [
            {"kind": "array", "path": "orders", "table": "orders", "exclude": ["customer_id"]}]},
        {"collection": "notes", "table": "note"}]})
}

/// The box of a table in the dialog.
async fn toggle(browser: &Browser, table: &str) {
    let path = format!("//dialog//*[contains(@class, 'gw-tree__line')]//label[normalize-space(.)='{table}']");
    let label = browser
        .client
        .find(Locator::XPath(&path))
        .await
        .expect("the line of a table");
    label.click().await.expect("a click");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_schema_is_taken_over_as_one_step() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_collection("customers").await;

    // Without a source there is a way to one.
    browser.click(&testid("manage-schema")).await;
    browser.find(&testid("manage-connect")).await;
    look(&browser, "manage-no-source").await;
    browser.click(&testid("manage-connect")).await;
    page.connect(&migration.source, PASSWORD).await;
    browser.find(&testid("manage-nothing")).await;
    let take = browser.find(&testid("manage-take")).await;
    assert!(
        !take.is_enabled().await.expect("the state of a button"),
        "nothing is to be taken over"
    );
    browser.click_text("Cancel").await;

    let client = migration.source.connect().await;
    client
        .batch_execute(
            "alter table customer add born date, drop email; alter table orders alter total type float8;
             alter table note rename to remark; drop table later; create table extra (id int primary key)",
        )
        .await
        .expect("another schema");
    browser.click(&testid("manage-schema")).await;
    wait_text(&browser, &testid("manage-changes"), "the changes", SOON, |text| {
        text == "5 changes"
    })
    .await;
    let lines = browser.texts(&testid("schema-change")).await;
    let has = |part: &str| lines.iter().any(|line| line.contains(part));
    assert!(
        has("new column \"born\"") && has("Becomes a field of customers"),
        "{lines:?}"
    );
    assert!(
        has("\"email\" of public.customer is gone") && has("until you leave it out"),
        "{lines:?}"
    );
    assert!(has("was numeric and is double precision"), "{lines:?}");
    assert!(has("public.remark has the same columns"), "{lines:?}");
    wait_text(&browser, &testid("manage-count"), "the tables", SOON, |text| {
        text == "3 tables in the project, 2 new"
    })
    .await;
    look(&browser, "manage").await;

    // A new table comes, one that is left goes with its rules, one that is gone goes when it is said so.
    toggle(&browser, "extra").await;
    browser.click(&testid("manage-drop-gone")).await;
    toggle(&browser, "orders").await;
    wait_text(&browser, &testid("manage-going"), "what goes", SOON, |text| {
        text.contains("customers.orders")
    })
    .await;
    look(&browser, "manage-going").await;
    toggle(&browser, "orders").await;
    browser.click(&testid("manage-take")).await;
    page.wait_field("born").await;
    page.wait_saved().await;
    let lines = async || browser.attributes("[data-line]", ["data-line"]).await.concat();
    let is_there = async || {
        let lines = lines().await;
        let has = |line: &str| lines.iter().any(|own| own == line);
        (has("public.extra") && has("public.remark") && !has("public.note") && !has("public.later")).then_some(())
    };
    wait_for("the tables of the source", SOON, is_there).await;
    // The rules of the renamed table go on.
    page.choose_collection("notes").await;
    page.wait_field("text").await;
    let file = migration
        .app
        .api()
        .get(&format!("/project/{}/export", migration.project))
        .await
        .ok();
    let tables = file["project"]["content"]["tables"]
        .as_object()
        .expect("tables")
        .clone();
    let mut names: Vec<&str> = tables
        .values()
        .filter_map(|table| table["path"]["table"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["customer", "extra", "orders", "remark"]);

    // One step back, and all of it is as it was.
    browser.click(&testid("undo")).await;
    page.choose_collection("customers").await;
    page.wait_field("email").await;
    let is_back = async || lines().await.iter().any(|line| line == "public.later").then_some(());
    wait_for("the table that was gone", SOON, is_back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_ddl_files_can_be_changed_without_a_database() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let api = app.api();
    let text = "create table customer (id int primary key, name text)";
    let read = api
        .post("/schema/ddl", &json!({"database": "MYSQL", "text": text}))
        .await
        .ok();
    let table = json!({"path": {"database": "", "schema": "", "table": "customer"}});
    let project = json!({"name": "From files", "type": "MYSQL", "schemasId": read["id"],
        "content": {"settings": {}, "collections": {}, "mappings": {}, "relationships": {}, "tables": {"t": table}}});
    let created = api.post("/project", &project).await.ok();
    let id = created["id"].as_str().expect("a project");
    let page = MappingTab::open(&browser, &app, id).await;
    let folder = tempfile::tempdir_in(scratch()).expect("a folder");
    let file = folder.path().join("next.sql");
    std::fs::write(
        &file,
        "create table customer (id int primary key, name text, born date);\ncreate table extra (id int primary key);",
    )
    .expect("a file");
    browser.click(&testid("manage-schema")).await;
    let input = browser.find(&testid("ddl-files")).await;
    input
        .send_keys(file.to_str().expect("a path"))
        .await
        .expect("the file is chosen");
    wait_text(&browser, &testid("manage-changes"), "the change", SOON, |text| {
        text == "1 change"
    })
    .await;
    toggle(&browser, "extra").await;
    look(&browser, "manage-files").await;
    browser.click(&testid("manage-take")).await;
    page.wait_saved().await;
    let has_extra = async || {
        let lines = browser.attributes("[data-line]", ["data-line"]).await.concat();
        lines.iter().any(|line| line.ends_with("extra")).then_some(())
    };
    wait_for("the new table", SOON, has_extra).await;
}
