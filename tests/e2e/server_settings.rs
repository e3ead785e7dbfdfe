//! Settings, notifications, the overview of keys, *About*.

use crate::pages::home::HomePage;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid, wait_focus, wait_text};
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::migrate::Migration;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// In place of the browser's own notifications, which a browser without a window does not show.
const FAKE: &str = "
window.shown = []; window.asked = 0;
window.Notification = class {
  static permission = 'default';
  static async requestPermission() { window.asked += 1; return this.permission = 'granted'; }
  constructor(title, options) { window.shown.push(`${title}: ${options.body}`); }
};";

async fn type_key(browser: &Browser, value: char) {
    let keys = KeyActions::new("keyboard".into())
        .then(KeyAction::Down { value })
        .then(KeyAction::Up { value });
    browser
        .client
        .perform_actions(keys)
        .await
        .expect("a key can be pressed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_theme_is_chosen_and_keys_and_licences_are_found() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    HomePage::open(&browser, &app).await;
    browser.click(&testid("settings")).await;
    browser.find(&testid("no-webhook")).await;
    browser.click(&testid("theme-dark")).await;
    let dark = async || {
        let theme = "return document.documentElement.getAttribute('data-theme')";
        (browser.run(theme, &[]).await == "dark").then_some(())
    };
    wait_for("a dark page", SOON, dark).await;
    // The button of the bar says the same.
    browser.find("[aria-label='Theme: dark']").await;
    browser.click(&testid("theme-system")).await;
    browser.find("[aria-label='Theme: as the system']").await;
    look(&browser, "settings").await;
    let about = browser.texts(&testid("about")).await.concat();
    assert!(about.contains(concat!("Godwit ", env!("CARGO_PKG_VERSION"))), "{about}");
    let (_, licences) = app.api().sent("/licences.txt", "identity").await;
    let licences = String::from_utf8_lossy(&licences).into_owned();
    for part in [
        "Apache License",
        "SIL OPEN FONT LICENSE",
        "leptos v",
        "tokio v",
        "mongodb v",
    ] {
        assert!(licences.contains(part), "no {part} in the licences");
    }

    // `?` anywhere, but not where somebody types.
    type_key(&browser, '?').await;
    wait_text(&browser, &testid("keys"), "keys", SOON, |text| {
        text.contains("F2") && text.contains("Undo")
    })
    .await;
    look(&browser, "keys").await;
    type_key(&browser, '\u{e00c}').await;
    let closed = async || browser.texts("dialog").await.is_empty().then_some(());
    wait_for("no dialog", SOON, closed).await;
    browser.click_text("Connections").await;
    browser.click(&testid("add-jdbc")).await;
    browser.click(&testid("connection-name")).await;
    wait_focus(&browser, &testid("connection-name")).await;
    type_key(&browser, '?').await;
    let name = browser.find(&testid("connection-name")).await;
    assert_eq!(name.prop("value").await.expect("a property").as_deref(), Some("?"));
    assert!(browser.texts(&testid("keys")).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_was_asked_tells_the_end_of_a_job() {
    let sql = "create table t (id int primary key); insert into t select generate_series(1, 20)";
    let spec = json!({"name": "Told", "collections": [{"collection": "t", "table": "t"}]});
    let (migration, browser) = tokio::join!(Migration::new(sql, spec), Browser::start());
    HomePage::open(&browser, &migration.app).await;
    browser.run(FAKE, &[]).await;
    // Nothing is asked before the user has pressed the button.
    browser.click(&testid("settings")).await;
    browser.find(&testid("notifications-on")).await;
    assert_eq!(browser.run("return window.asked", &[]).await, 0);
    browser.click(&testid("notifications-on")).await;
    browser.find(&testid("notifications-are-on")).await;
    assert_eq!(browser.run("return window.asked", &[]).await, 1);
    look(&browser, "notifications").await;
    migration.run(&migration.job()).await;
    let told = async || {
        let shown = browser.run("return window.shown.join('|')", &[]).await;
        (shown == "Godwit: Told: the job is complete").then_some(())
    };
    wait_for("a notification", SOON, told).await;
    // Off, nothing is told.
    browser.click(&testid("notifications-off")).await;
    browser.find(&testid("notifications-on")).await;
    migration.run(&migration.job()).await;
    let page = MigrationPage::open(&browser, &migration.app, &migration.project).await;
    page.wait_status("COMPLETED", SOON).await;
    // A page that is loaded again remembers the wish, and asks nobody.
    let wish = "return JSON.parse(localStorage.getItem('godwit.notifications')).isOn";
    assert_eq!(browser.run(wish, &[]).await, false);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_is_shown_and_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let answering = tokio::spawn(async move {
        for answer in ["404 Not Found", "204 No Content"] {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let url = format!("{origin}/secret");
    let environment = [("GODWIT_WEBHOOK_URL", url.as_str())];
    let (app, browser) = tokio::join!(App::start_with(&environment), Browser::start());
    browser.open(&format!("{}/settings", app.base())).await;
    wait_text(&browser, &testid("webhook-origin"), "the host", SOON, |text| {
        text == origin
    })
    .await;
    assert!(!browser.text().await.contains("/secret"));
    for expected in ["404", "arrived"] {
        browser.click(&testid("webhook-test")).await;
        wait_text(&browser, &testid("webhook-came"), expected, LONG, |text| {
            text.contains(expected)
        })
        .await;
        look(&browser, &format!("webhook-{expected}")).await;
    }
    answering.await.expect("both were answered");
}
