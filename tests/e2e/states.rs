//! What the page shows while it waits, and when nobody answers.

use crate::library::Stage;
use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::process::scratch;

const LINK: &str = ".gw-link-state";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow_or_gone_is_no_dead_end() {
    let (mut app, browser) = tokio::join!(App::start(), Browser::start());
    let home = HomePage::open(&browser, &app).await;
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
    // A file that cannot be imported has the list asked for again.
    browser.click_text("Projects").await;
    let file = scratch().join("any.relmig");
    std::fs::write(&file, "{}").expect("the file can be written");
    home.import(&file).await;
    browser.find_text("Try again").await;
    look(&browser, "home-unreachable").await;
    browser.click_text("Connections").await;
    browser.find_text("The server does not answer.").await;
    app.restart().await;
    wait_text(&browser, LINK, "a live link", SOON, |text| text == "Live").await;
    // Without a press of *Try again*.
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
        browser.find(&testid("import-file")).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_gone_and_rules_that_are_on_their_way() {
    let stage = Stage::new().await;
    let project = stage.import().await;
    let (app, browser) = (&stage.app, &stage.browser);
    browser
        .open(&format!("{}/projects/{project}/migration?job=gone", app.base()))
        .await;
    browser.find_text("There is no such job").await;
    look(browser, "gone-job").await;
    app.freeze();
    browser.click_text("Mapping").await;
    browser.find("main .gw-skeleton").await;
    look(browser, "mapping-loading").await;
    app.thaw();
    browser.find(&testid("outline")).await;
}
