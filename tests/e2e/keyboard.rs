//! A job is started, paused, resumed and terminated without a mouse, and another one run to its end.

use crate::library::{NAME, Stage, WHOLE_JOB};
use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid, text_now, wait_focus, wait_text};
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{PASSWORD, SUPERUSER};

/// More than any page has to pass on the way to a control.
const STOPS_MAX: usize = 60;

/// Types, wherever the focus is.
async fn press(browser: &Browser, keys: &str) {
    let stroke = |value: char| [KeyAction::Down { value }, KeyAction::Up { value }];
    let actions = keys
        .chars()
        .flat_map(stroke)
        .fold(KeyActions::new("keyboard".into()), KeyActions::then);
    browser
        .client
        .perform_actions(actions)
        .await
        .expect("keys can be pressed");
}

async fn press_key(browser: &Browser, key: Key) {
    press(browser, &char::from(key).to_string()).await;
}

async fn is_focused(browser: &Browser, css: &str) -> bool {
    let script = "const [css] = arguments; return document.activeElement?.matches(css) ?? false";
    let is = browser
        .client
        .execute(script, vec![css.into()])
        .await
        .expect("a script runs");
    is == true
}

/// Goes on with Tab until an element has the focus; it has to be visible there.
async fn tab_to(browser: &Browser, css: &str) {
    browser.find(css).await;
    for _ in 0..STOPS_MAX {
        if is_focused(browser, css).await {
            let ring = "return getComputedStyle(document.activeElement).outlineStyle";
            let ring = browser.client.execute(ring, vec![]).await.expect("a script runs");
            assert_ne!(ring, "none", "{css} does not show that it has the focus");
            return;
        }
        press_key(browser, Key::Tab).await;
    }
    panic!("Tab does not lead to {css}; the page shows:\n{}", browser.text().await);
}

async fn activate(browser: &Browser, name: &str) {
    tab_to(browser, &testid(name)).await;
    press_key(browser, Key::Enter).await;
}

async fn wait_status(browser: &Browser, status: &str) {
    let css = format!("{}[data-status='{status}']", testid("job-status"));
    wait_text(browser, &css, status, SOON, |_| true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_run_with_the_keyboard_alone() {
    let stage = Stage::new().await;
    let browser = &stage.browser;
    stage.import().await;
    let home = HomePage::open(browser, &stage.app).await;
    home.wait_project(NAME).await;
    tab_to(browser, "[data-testid='project-card'] a").await;
    press_key(browser, Key::Enter).await;

    activate(browser, "create-job").await;
    // The dialog takes the focus, and Enter leads on from its fields.
    wait_focus(browser, "dialog *").await;
    tab_to(browser, &testid("source-host")).await;
    press(browser, "127.0.0.1").await;
    tab_to(browser, &testid("source-port")).await;
    // It holds the usual one, selected on the way to it.
    press(browser, &stage.source.port.to_string()).await;
    tab_to(browser, &testid("source-database")).await;
    press(browser, &stage.source.name).await;
    tab_to(browser, &testid("source-user")).await;
    press(browser, SUPERUSER).await;
    tab_to(browser, &testid("source-password")).await;
    press(browser, PASSWORD).await;
    press_key(browser, Key::Enter).await;
    tab_to(browser, &testid("target-uri")).await;
    press(browser, &stage.target.uri).await;
    press_key(browser, Key::Enter).await;
    wait_focus(browser, &testid("mode-snapshot")).await;
    tab_to(browser, &testid("drop-collections")).await;
    press(browser, " ").await;
    activate(browser, "wizard-next").await;
    browser.find(&testid("review-figures")).await;
    // Keys take their time: the job must not be through before them.
    stage.app.hold("chunk");
    activate(browser, "wizard-start").await;

    wait_status(browser, "RUNNING").await;
    activate(browser, "pause").await;
    activate(browser, "pause-confirm").await;
    stage.app.let_go("chunk");
    wait_status(browser, "PAUSED").await;
    stage.app.hold("chunk");
    activate(browser, "resume").await;
    activate(browser, "resume-confirm").await;
    wait_status(browser, "RUNNING").await;
    // A question can be left with Esc; the focus is back where it came from.
    activate(browser, "terminate").await;
    wait_focus(browser, "dialog *").await;
    stage.app.freeze();
    look(browser, "keyboard-terminate").await;
    stage.app.thaw();
    press_key(browser, Key::Escape).await;
    wait_focus(browser, &testid("terminate")).await;
    press_key(browser, Key::Enter).await;
    wait_focus(browser, "dialog *").await;
    activate(browser, "terminate-confirm").await;
    stage.app.let_go("chunk");
    wait_status(browser, "CANCELLED").await;
    let label = text_now(browser, &testid("job-status")).await;
    assert_eq!(label.as_deref(), Some("Snapshot cancelled"));

    // Once more, to the end: everything that was entered is there again.
    activate(browser, "create-new-job").await;
    for step in ["source-saved", "target-saved", "drop-collections"] {
        browser.find(&testid(step)).await;
        activate(browser, "wizard-next").await;
    }
    browser.find(&testid("review-figures")).await;
    // What the cancelled job has written is dropped: that has to be typed.
    tab_to(browser, &testid("drop-confirmation")).await;
    press(browser, "borrowers").await;
    activate(browser, "wizard-start").await;
    wait_status(browser, "RUNNING").await;
    let css = format!("{}[data-status='COMPLETED']", testid("job-status"));
    wait_text(browser, &css, "the end", WHOLE_JOB, |_| true).await;
}
