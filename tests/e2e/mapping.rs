//! Documents are shaped beside documents of live rows.

use crate::pages::mapping::MappingTab;
use crate::pages::{SOON, look, testid};
use godwit_tests::api::wait_for;
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

async fn rules(migration: &Migration) -> Value {
    let file = migration
        .app
        .api()
        .get(&format!("/project/{}/export", migration.project))
        .await
        .ok();
    file["project"]["content"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_follows_each_edit() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_collection("customers").await;
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

    // What is not saved yet is previewed already.
    page.rename("fullName", "person.name").await;
    page.document("\"person\": {").await;
    page.press_on("email", " ").await;
    let is_gone = async || (!browser.text().await.contains("ada@example.org")).then_some(());
    wait_for("a document without the field", SOON, is_gone).await;

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
async fn every_change_is_saved_and_can_be_undone() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_collection("customers").await;
    page.rename("fullName", "called").await;
    page.wait_field("called").await;
    page.press_on("email", " ").await;
    page.wait_field("email-").await;
    page.wait_saved().await;
    let name = |content: &Value| {
        let rules = content["mappings"].as_object().expect("rules").values();
        let fields = rules.filter_map(|rule| rule["fields"].get("full_name"));
        fields
            .map(|field| field["target"]["name"].as_str().expect("a name").to_owned())
            .next()
    };
    let is_stored = async || (name(&rules(&migration).await).as_deref() == Some("called")).then_some(());
    wait_for("the new name in the file", SOON, is_stored).await;

    browser.click(&testid("undo")).await;
    page.wait_field("email").await;
    browser.click(&testid("undo")).await;
    page.wait_field("fullName").await;
    browser.click(&testid("redo")).await;
    page.wait_field("called").await;
    browser.click(&testid("history")).await;
    look(&browser, "mapping-history").await;
    browser.find_text("As it was opened").await;
    browser.click(&testid("history")).await;

    // A reload loses nothing, saved or not.
    page.rename("born", "birth.date").await;
    page.wait_field("birth.date").await;
    browser.client.refresh().await.expect("a reload");
    page.wait_field("birth.date").await;
    page.wait_field("called").await;
    page.wait_saved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_becomes_part_of_a_document_by_form_and_by_drag() {
    let spec = json!({"name": "Shop", "schemas": ["public", "archive"], "collections": [{"collection": "customers", "table": "customer"}]});
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_collection("customers").await;

    // By drag, from the list onto the documents.
    page.drag("[data-line='public.orders']", "[role=row][data-path='full_name']")
        .await;
    browser.find(&testid("offers")).await;
    look(&browser, "mapping-offers").await;
    page.take_offer("rray").await;
    page.wait_field("orders").await;
    page.wait_field("orders.total").await;

    // By form, below what was made before.
    page.choose_collection("customers").await;
    browser.click(&testid("add-rule")).await;
    let choose = "const s = document.querySelector('[data-testid=add-rule-table]');
        s.value = [...s.options].find(o => o.text === 'public.order_line').value; s.dispatchEvent(new Event('change', {bubbles: true}))";
    browser.run(choose, &[]).await;
    page.take_offer("rray").await;
    let has_lines = async || {
        page.fields()
            .await
            .iter()
            .any(|path| path.starts_with("orders.") && path.ends_with(".article"))
            .then_some(())
    };
    wait_for("lines inside of orders", SOON, has_lines).await;
    look(&browser, "mapping-rule").await;

    // What goes with it is listed before it goes; it comes back whole.
    page.press_on("orders", "Delete").await;
    browser.find("dialog[open]").await;
    look(&browser, "mapping-delete").await;
    browser.click(&testid("confirm-delete")).await;
    let is_gone = async || (!page.fields().await.iter().any(|path| path.starts_with("orders"))).then_some(());
    wait_for("documents without orders", SOON, is_gone).await;
    browser.click(&testid("undo")).await;
    page.wait_field("orders").await;
    page.wait_saved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_without_rules_leads_to_the_first_drag() {
    let spec = json!({"name": "Empty", "collections": []});
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    browser.find(&testid("first-step")).await;
    look(&browser, "mapping-empty").await;
    page.drag(
        "[data-line='public.customer']",
        "[data-side=collection] [data-drop=canvas]",
    )
    .await;
    page.take_offer("ew collection").await;
    page.wait_collection("customer").await;
    page.wait_saved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_found_by_key_and_by_text() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    page.wait_collection("customers").await;
    browser.click(&testid("preview-connect")).await;
    page.connect(&migration.source, PASSWORD).await;
    page.document("Ada Lovelace").await;
    let only = async |name: &str| {
        let look = async || {
            let documents = browser.texts(&testid("document")).await;
            (documents.len() == 1 && documents[0].contains(name)).then(|| documents[0].clone())
        };
        wait_for(&format!("the document of {name} alone"), SOON, look).await
    };
    browser.fill(&testid("preview-search"), "HOPPER").await;
    only("Grace Hopper").await;
    let by = browser.find(&testid("preview-by")).await;
    by.select_by_value("key").await.expect("an option");
    browser.fill(&testid("preview-key"), "1").await;
    let document = only("Ada Lovelace").await;
    // Its size, and how many elements its arrays have.
    assert!(
        document.contains("orders: 2") && document.contains("orders.lines: 2"),
        "{document}"
    );
    look(&browser, "mapping-by-key").await;
    browser.fill(&testid("preview-key"), "77").await;
    browser
        .find_text("No row is found that passes the rules of this collection.")
        .await;
    browser.fill(&testid("preview-key"), "no number").await;
    browser
        .find_text("No row is found that passes the rules of this collection.")
        .await;

    // What is typed on ends what is under way: the browser says so of the older requests.
    let count = "window.__ended = 0; const send = window.fetch; window.fetch = (...all) => {
        const signal = all[0].signal ?? all[1]?.signal;
        signal?.addEventListener('abort', () => window.__ended++); return send(...all) }";
    browser.run(count, &[]).await;
    by.select_by_value("text").await.expect("an option");
    let slow = "const e = document.querySelector('[data-testid=preview-search]'); let n = 0;
        const type = () => { e.value = 'ada'.slice(0, n % 3 + 1); e.dispatchEvent(new Event('input', {bubbles: true}));
          if (++n < 12) setTimeout(type, 125); }; type()";
    browser.find(&testid("preview-search")).await;
    browser.run(slow, &[]).await;
    let ended = async || (browser.run("return window.__ended > 0", &[]).await == true).then_some(());
    wait_for("a request that was ended", SOON, ended).await;
}
