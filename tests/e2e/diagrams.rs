//! Several diagrams of one project: their cards, names and notes.

use crate::pages::mapping::MappingTab;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::api::wait_for;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};

const SQL: &str = "create table customer (id int primary key, name text);
    create table orders (id int primary key, customer_id int not null references customer);
    create table product (id int primary key, title text)";

fn spec() -> Value {
    json!({"name": "Shop", "collections": [
        {"collection": "customers", "table": "customer", "embed": [{"kind": "array", "path": "orders", "table": "orders"}]},
        {"collection": "orders", "table": "orders"},
        {"collection": "products", "table": "product"}]})
}

/// The titles of the cards of a view, in order.
async fn cards(browser: &Browser, side: &str) -> Vec<String> {
    let css = format!("[data-side='{side}'] [data-card] .gw-canvas__title");
    let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent).sort()";
    serde_json::from_value(browser.run(script, &[json!(css)]).await).expect("titles")
}

async fn wait_cards(browser: &Browser, side: &str, expected: &[&str]) {
    let are_there = async || (cards(browser, side).await == expected).then_some(());
    wait_for(&format!("the cards {expected:?}"), SOON, are_there).await;
}

async fn tabs(browser: &Browser) -> Vec<[String; 1]> {
    browser.attributes(&testid("diagram-tab"), ["aria-pressed"]).await
}

async fn choose_item(browser: &Browser, item: &str) {
    browser.click(&testid("diagram-menu")).await;
    browser.click(&testid(item)).await;
}

/// A box of the dialog of cards, by the name on its line.
async fn toggle_card(browser: &Browser, list: &str, name: &str) {
    let script = "const [list, name] = arguments;
        const lines = [...document.querySelectorAll(`dialog section[aria-label='${list}'] [data-testid=diagram-card]`)];
        const line = lines.find(e => e.innerText.trim().split(/\\s/)[0] === name); line.querySelector('input').click()";
    browser.run(script, &[json!(list), json!(name)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_diagrams_show_parts_of_a_project() {
    let (migration, browser) = tokio::join!(Migration::new(SQL, spec()), Browser::start());
    let page = MappingTab::open(&browser, &migration.app, &migration.project).await;
    wait_cards(&browser, "relational", &["customer", "orders", "product"]).await;
    assert_eq!(tabs(&browser).await.len(), 1);

    // Hidden from the first one: what only this table feeds goes with it, and all of it can be shown again.
    browser.click("[data-line='public.product']").await;
    let hide = "const e = document.querySelector(\"[data-side='relational'] .gw-canvas__window\"); e.focus();
        e.dispatchEvent(new KeyboardEvent('keydown', {key: 'h', bubbles: true, cancelable: true}))";
    browser.run(hide, &[]).await;
    wait_cards(&browser, "relational", &["customer", "orders"]).await;
    wait_cards(&browser, "collection", &["customers", "orders"]).await;
    wait_text(&browser, &testid("diagram-hidden"), "what is hidden", SOON, |text| {
        text == "2 hidden"
    })
    .await;
    browser.click(&testid("diagram-hidden")).await;
    browser.find(&testid("diagram-cards-dialog")).await;
    look(&browser, "diagram-cards").await;
    browser.click(&testid("diagram-show-all")).await;
    browser.click(&testid("diagram-cards-save")).await;
    wait_cards(&browser, "relational", &["customer", "orders", "product"]).await;
    wait_cards(&browser, "collection", &["customers", "orders", "products"]).await;

    // A second one begins empty; tables bring the collections that they feed.
    browser.click(&testid("diagram-add")).await;
    browser.find(&testid("diagram-cards-dialog")).await;
    toggle_card(&browser, "Tables", "customer").await;
    browser.click(&testid("diagram-cards-save")).await;
    wait_cards(&browser, "relational", &["customer"]).await;
    wait_cards(&browser, "collection", &["customers"]).await;
    assert_eq!(tabs(&browser).await, [["false".to_owned()], ["true".to_owned()]]);
    choose_item(&browser, "diagram-describe").await;
    browser.fill(&testid("diagram-name"), "Sales").await;
    browser
        .fill(&testid("diagram-notes-input"), "What the shop sells, and to whom.")
        .await;
    browser.click(&testid("diagram-save")).await;
    wait_text(&browser, &testid("diagram-notes"), "the notes", SOON, |text| {
        text.starts_with("What the shop")
    })
    .await;
    look(&browser, "diagrams").await;

    // A chosen card moves to a third one.
    browser.click("[data-line='public.customer']").await;
    choose_item(&browser, "diagram-move-new").await;
    wait_cards(&browser, "relational", &["customer"]).await;
    assert_eq!(tabs(&browser).await.len(), 3);
    browser.click_text("Sales").await;
    wait_cards(&browser, "relational", &[]).await;
    choose_item(&browser, "diagram-remove").await;
    let has_two = async || (tabs(&browser).await.len() == 2).then_some(());
    wait_for("two diagrams", SOON, has_two).await;
    browser.click(&testid("undo")).await;
    browser.find_text("Sales").await;
    page.wait_saved().await;

    // All of it stands in the project file, and another window finds it there.
    let path = format!("/project/{}/export", migration.project);
    let file = migration.app.api().get(&path).await.ok();
    let tabs = file["project"]["content"]["diagrams"]["tabs"]
        .as_array()
        .expect("tabs")
        .clone();
    let names: Vec<&str> = tabs.iter().filter_map(|tab| tab["name"].as_str()).collect();
    assert_eq!(names, ["Main Diagram", "Sales", "Diagram 1"]);
    assert_eq!(tabs[1]["notes"], "What the shop sells, and to whom.");
    let copy = migration.app.api().import_project(&file).await;
    MappingTab::open(&browser, &migration.app, &copy).await;
    browser.find_text("Sales").await;
    browser.click_text("Diagram 1").await;
    wait_cards(&browser, "relational", &["customer"]).await;
}
