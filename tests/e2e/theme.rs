//! Light and dark: chosen, kept, and the same in every tab.

use crate::pages::SOON;
use crate::pages::home::HomePage;
use godwit_tests::api::wait_for;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use serde_json::{Value, json};

const THEME: &str = "return document.documentElement.getAttribute('data-theme')";

async fn wait_theme(browser: &Browser, expected: Value) {
    let look = async || (browser.run(THEME, &[]).await == expected).then_some(());
    wait_for(&format!("the theme {expected}"), SOON, look).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_is_kept_and_other_tabs_follow() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    HomePage::open(&browser, &app).await;
    browser.click("[aria-label='Theme: as the system']").await;
    browser.click("[aria-label='Theme: light']").await;
    wait_theme(&browser, json!("dark")).await;

    let first = browser.client.window().await.expect("a window");
    let second = browser.client.new_window(true).await.expect("a tab");
    browser.client.switch_to_window(second.handle).await.expect("the tab");
    HomePage::open(&browser, &app).await;
    wait_theme(&browser, json!("dark")).await;
    browser.click("[aria-label='Theme: dark']").await;
    wait_theme(&browser, Value::Null).await;
    browser.client.switch_to_window(first).await.expect("the first tab");
    wait_theme(&browser, Value::Null).await;
    browser.find("[aria-label='Theme: as the system']").await;
}
