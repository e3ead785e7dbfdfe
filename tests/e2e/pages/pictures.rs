//! Pictures of what the page shows, for those who look at it: `GODWIT_SCREENSHOTS=folder` asks for them.

use godwit_tests::browser::Browser;
use serde_json::json;
use std::path::PathBuf;

/// Windows of a laptop and of a desk.
const WINDOWS: [(u32, u32); 2] = [(1280, 900), (1920, 1080)];
/// The window that every test begins with.
pub const USUAL: (u32, u32) = (1400, 1000);

/// Sets a theme; afterwards nothing is on its way between two colours or places. Without a name: as it was.
const SET_THEME: &str = "
const [theme] = arguments, root = document.documentElement;
theme === null ? root.removeAttribute('data-theme') : root.setAttribute('data-theme', theme);
const ends = a => a.effect.getComputedTiming().endTime !== Infinity;
document.getAnimations().filter(ends).forEach(a => a.finish());";

const THEME: &str = "return document.documentElement.getAttribute('data-theme')";

/// The same in both themes and both windows.
pub async fn take(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("GODWIT_SCREENSHOTS").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    let before = browser.run(THEME, &[]).await;
    for (width, height) in WINDOWS {
        browser.resize(width, height).await;
        for theme in ["light", "dark"] {
            browser.run(SET_THEME, &[json!(theme)]).await;
            let file = folder.join(format!("{name}-{theme}-{width}.png"));
            browser.screenshot(&file).await.expect("a picture of the window");
        }
    }
    browser.run(SET_THEME, &[before]).await;
    browser.resize(USUAL.0, USUAL.1).await;
}

/// In both themes, in whatever window there is.
pub async fn take_as_it_is(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("GODWIT_SCREENSHOTS").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    let before = browser.run(THEME, &[]).await;
    for theme in ["light", "dark"] {
        browser.run(SET_THEME, &[json!(theme)]).await;
        let file = folder.join(format!("{name}-{theme}.png"));
        browser.screenshot(&file).await.expect("a picture of the window");
    }
    browser.run(SET_THEME, &[before]).await;
}

/// Keeps a file beside the pictures.
pub fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("GODWIT_SCREENSHOTS").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        std::fs::write(folder.join(name), bytes).expect("the file can be written");
    }
}
