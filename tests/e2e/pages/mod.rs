//! The page as its users speak of it: what can be done on each part, and what it shows.

mod accessibility;
pub mod home;
pub mod mapping;
pub mod migration;
pub mod new_project;
pub mod pictures;
mod width;
pub mod wizard;

use fantoccini::Locator;
use godwit_tests::api::wait_for;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{Database, SUPERUSER};

use std::time::Duration;

/// Time enough for the page to follow, on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

pub fn testid(name: &str) -> String {
    format!("[data-testid='{name}']")
}

/// Text of the first element that is there, at this moment.
pub async fn text_now(browser: &Browser, css: &str) -> Option<String> {
    let element = browser.client.find(Locator::Css(css)).await.ok()?;
    element.text().await.ok()
}

/// An attribute of the first element that is there, at this moment.
pub async fn attribute_now(browser: &Browser, css: &str, name: &str) -> Option<String> {
    let element = browser.client.find(Locator::Css(css)).await.ok()?;
    element.attr(name).await.ok().flatten()
}

/// The text of an element once it fulfils the condition; the panic shows the whole page.
pub async fn wait_text(
    browser: &Browser,
    css: &str,
    what: &str,
    timeout: Duration,
    is_right: impl Fn(&str) -> bool,
) -> String {
    let look = async || text_now(browser, css).await.filter(|text| is_right(text));
    let found = tokio::time::timeout(timeout, wait_for(what, timeout * 2, look)).await;
    match found {
        Ok(text) => text,
        Err(_) => panic!(
            "waited {timeout:?} for {what} in {css}; the page shows:\n{}",
            browser.text().await
        ),
    }
}

/// The fields of a source, on whatever form of one is there.
pub async fn fill_source(browser: &Browser, source: &Database, password: &str) {
    let fill = async |name: &str, text: &str| browser.fill(&testid(name), text).await;
    fill("source-host", "127.0.0.1").await;
    fill("source-port", &source.port.to_string()).await;
    fill("source-database", &source.name).await;
    fill("source-user", SUPERUSER).await;
    fill("source-password", password).await;
}

/// Waits until what a selector finds has the focus.
pub async fn wait_focus(browser: &Browser, css: &str) {
    let script = "const [css] = arguments; return document.activeElement?.matches(css) ?? false";
    let is_there = async || (browser.run(script, &[css.into()]).await == true).then_some(());
    wait_for(&format!("the focus on {css}"), SOON, is_there).await;
}

/// Checks that what is shown can be used by everyone, in a narrow window too; keeps pictures where the environment asks
/// for pictures. What does not stay has to be held for it.
pub async fn look(browser: &Browser, name: &str) {
    pictures::take(browser, name).await;
    width::check(browser, name).await;
    accessibility::check(browser, name).await;
}

/// The same in windows from a telephone to a desk: checked for everyone, in both themes.
pub async fn look_everywhere(browser: &Browser, name: &str) {
    for (width, height) in width::EVERYWHERE {
        browser.emulate(width, height, 1.0).await;
        let name = format!("{name}-{width}");
        pictures::take_as_it_is(browser, &name).await;
        width::check_as_it_is(browser, &name).await;
        accessibility::check(browser, &name).await;
    }
    browser.stop_emulating().await;
}
