//! What the page shows while it waits, and when nobody answers.

use crate::pages::home::HomePage;
use crate::pages::{SOON, look, wait_text};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;

const LINK: &str = ".gw-link-state";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow_or_gone_is_no_dead_end() {
    let (mut app, browser) = tokio::join!(App::start(), Browser::start());
    HomePage::open(&browser, &app).await;
    wait_text(&browser, LINK, "a live link", SOON, |text| text == "Live").await;
    app.freeze();
    browser.click_text("Connections").await;
    browser.find(".gw-skeleton").await;
    look(&browser, "connections-loading").await;
    app.thaw();
    browser.find_text("Add connection").await;
    look(&browser, "connections-empty").await;

    app.kill();
    wait_text(&browser, LINK, "a lost link", SOON, |text| {
        text.starts_with("Reconnecting")
    })
    .await;
    browser.run("history.back()", &[]).await;
    browser.click_text("Connections").await;
    browser.find_text("The server does not answer.").await;
    look(&browser, "connections-unreachable").await;
    app.restart().await;
    wait_text(&browser, LINK, "a live link", SOON, |text| text == "Live").await;
    browser.click_text("Try again").await;
    browser.find_text("Add connection").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_nowhere_leads_back() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    for (path, name, said) in [
        ("/nothing", "no-page", "There is no such page"),
        ("/projects/gone/migration", "no-project", "There is no such project"),
    ] {
        browser.open(&format!("{}{path}", app.base())).await;
        browser.find_text(said).await;
        look(&browser, name).await;
        browser.click_text("Go to the projects").await;
        browser.find(&crate::pages::testid("import-file")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_says_nothing_any_more_does_not_count_as_live() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    HomePage::open(&browser, &app).await;
    wait_text(&browser, LINK, "a live link", SOON, |text| text == "Live").await;
    // Its connections stay, and nothing comes through them.
    app.freeze();
    wait_text(&browser, LINK, "a lost link", SOON, |text| {
        text.starts_with("Reconnecting")
    })
    .await;
    look(&browser, "reconnecting").await;
    app.thaw();
    wait_text(&browser, LINK, "a live link", SOON, |text| text == "Live").await;
}
