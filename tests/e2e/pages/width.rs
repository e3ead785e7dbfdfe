//! The narrowest window that the page is made for shows all of it.

use super::pictures::USUAL;
use godwit_tests::browser::Browser;
use serde_json::Value;

/// As wide as a small laptop.
const NARROW: (u32, u32) = (1024, 768);

/// A telephone, a tablet, a small laptop, a desk.
pub const EVERYWHERE: [(u32, u32); 4] = [(390, 844), (800, 900), (1280, 720), (1920, 1080)];

/// What is wider than its frame. Tables, code and steps may be: they scroll in a frame of their own.
const TOO_WIDE: &str = "
const frames = 'html, body, header, main, aside, section, dialog, dialog > *, .gw-migration__job, .gw-mapping__scroll';
return [...document.querySelectorAll(frames)]
  .filter(frame => frame.clientWidth > 0 && frame.scrollWidth > frame.clientWidth + 1)
  .map(frame => `${frame.tagName} ${frame.className}: ${frame.scrollWidth} in ${frame.clientWidth}`)";

/// What a dialog offers to do stands below its text, which alone scrolls.
const OUT_OF_SIGHT: &str = "
return [...document.querySelectorAll('dialog[open] > .gw-dialog__foot')]
  .map(foot => foot.getBoundingClientRect().bottom)
  .filter(bottom => bottom > innerHeight)
  .map(bottom => `the foot of a dialog ends at ${bottom} of ${innerHeight}`)";

/// Fails where something has to be scrolled sideways to be seen, or the buttons of a dialog are out of sight.
pub async fn check(browser: &Browser, name: &str) {
    browser.resize(NARROW.0, NARROW.1).await;
    if let Some(folder) = std::env::var_os("GODWIT_SCREENSHOTS").map(std::path::PathBuf::from) {
        let file = folder.join(format!("{name}-{}.png", NARROW.0));
        browser.screenshot(&file).await.expect("a picture of the window");
    }
    let found = problems(browser).await;
    browser.resize(USUAL.0, USUAL.1).await;
    assert!(
        found.is_empty(),
        "{name} does not fit into {NARROW:?}:\n{}",
        found.join("\n")
    );
}

/// The same in whatever window there is.
pub async fn check_as_it_is(browser: &Browser, name: &str) {
    let found = problems(browser).await;
    assert!(found.is_empty(), "{name} does not fit:\n{}", found.join("\n"));
}

async fn problems(browser: &Browser) -> Vec<String> {
    let found = [browser.run(TOO_WIDE, &[]).await, browser.run(OUT_OF_SIGHT, &[]).await];
    found
        .iter()
        .flat_map(|list| list.as_array().expect("a list"))
        .filter_map(Value::as_str)
        .map(Into::into)
        .collect()
}
