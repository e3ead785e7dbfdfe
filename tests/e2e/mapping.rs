//! The rules of a project beside documents of live rows.

use crate::pages::mapping::MappingTab;
use crate::pages::{look, testid, text_now};
use fantoccini::key::Key;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PASSWORD;
use serde_json::{Value, json};

const SQL: &str = "create schema archive;
    create table customer (id int primary key, full_name text not null, born date, email text);
    create table orders (id int primary key, customer_id int not null references customer, placed timestamptz not null,
      total numeric(10, 2) not null, note text);
    create table order_line (id int primary key, order_id int not null references orders, article text not null,
      quantity int not null);
    create table archive.\"Bestellpositionsänderungsprotokolle der Vorjahre\" (id int primary key);
    create table archive.letter (id int primary key, customer_id int not null references customer, text text not null);
    insert into customer values (1, 'Ada Lovelace', '1815-12-10', 'ada@example.org'), (2, 'Grace Hopper', null, null);
    insert into orders values (10, 1, '2026-03-01T10:00Z', 12.50, null), (11, 1, '2026-03-04T10:00Z', 99, 'Gift');
    insert into order_line values (100, 10, 'Compass', 1), (101, 11, 'Atlas', 2), (102, 11, 'Map', 3)";

fn spec() -> Value {
    json!({"name": "Shop", "schemas": ["public", "archive"], "collections": [
        {"collection": "customers", "table": "customer", "rename": {"full_name": "fullName"}, "omit_null": ["born"],
         "calc": {"initial": "columns[\"full_name\"][0]"}, "embed": [
            {"kind": "array", "path": "orders", "table": "orders", "exclude": ["customer_id"], "sort": ["placed", "DESC"],
             "limit": 10, "embed": [
                {"kind": "array", "path": "lines", "table": "order_line", "exclude": ["order_id"],
                 "filter": "columns[\"quantity\"] > 0"}]}]},
        {"collection": "letters", "table": "archive.letter"}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_stand_beside_documents_of_live_rows() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_collection("customers").await;
    let rules = page.rules().await;
    for part in [
        "public.order_line",
        "orders.customer_id = customer.id",
        "Sorted by placed, descending; the first 10",
        "born date Left out",
        "email text Kept",
    ] {
        assert!(rules.contains(part), "{part} is not said:\n{rules}");
    }
    look(&browser, "mapping-no-source").await;

    // A wrong password is said where it can be corrected.
    browser.click(&testid("preview-connect")).await;
    look(&browser, "mapping-source").await;
    page.connect(&migration.source, "not the password").await;
    browser.find(&testid("error-message")).await;
    look(&browser, "mapping-error").await;
    browser.click(&testid("preview-source")).await;
    page.connect(&migration.source, PASSWORD).await;
    let document = page.document("Ada Lovelace").await;
    assert!(
        document.starts_with("Document 1, ") && document.contains("\"article\": \"Atlas\""),
        "{document}"
    );
    look(&browser, "mapping").await;

    // The next look at the rows finds what has changed.
    let client = migration.source.connect().await;
    client
        .batch_execute("update customer set full_name = 'Ada King' where id = 1")
        .await
        .expect("an update");
    browser.click(&testid("preview-refresh")).await;
    page.document("Ada King").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_trees_point_at_each_other() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_collection("customers").await;
    page.choose("Relational", "letter").await;
    page.wait_collection("letters").await;
    assert!(
        browser
            .client
            .current_url()
            .await
            .expect("a URL")
            .query()
            .is_some_and(|q| q.contains("collection="))
    );
    page.choose("MongoDB", "customers").await;
    page.wait_collection("customers").await;

    // A search shows what lies above a find, and leaves the other tree alone.
    page.search("Relational", "QUANT").await;
    let lines = page.lines("Relational").await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[0].starts_with("public") && lines[1].starts_with("order_line"),
        "{lines:?}"
    );
    assert!(page.lines("MongoDB").await.len() > 3);
    page.search("Relational", "nothing like it").await;
    browser.find_text("Nothing has that in its name.").await;
    look(&browser, "mapping-nothing-found").await;

    // Keys do what they do in every tree.
    let root = browser.find("[role='tree'][aria-label='MongoDB'] [tabindex='0']").await;
    let before = page.lines("MongoDB").await.len();
    root.send_keys(&char::from(Key::Left).to_string()).await.expect("a key");
    let after = async || (page.lines("MongoDB").await.len() < before).then_some(());
    godwit_tests::api::wait_for("a closed line", crate::pages::SOON, after).await;
    let here = "[role='tree'][aria-label='MongoDB'] [aria-selected='true']";
    assert!(
        text_now(&browser, here)
            .await
            .is_some_and(|text| text.starts_with("customers"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_without_rules_says_how_to_get_some() {
    let spec = json!({"name": "Empty", "collections": []});
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec), Browser::start());
    browser
        .open(&format!(
            "{}/projects/{}/mapping",
            migration.app.base(),
            migration.project
        ))
        .await;
    browser.find_text("This project maps no table yet").await;
    look(&browser, "mapping-empty").await;
}
