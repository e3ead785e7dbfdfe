//! Every component in each of its states. The page of them is in development builds only.

use crate::pages::{look, testid};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;

/// More than the page is long.
const SCREENS_MAX: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn every_component_can_be_used_by_everyone() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    browser.open(&format!("{}/design", app.base())).await;
    let shown = browser.find("h1, h2").await.text().await.expect("a title");
    if shown == "There is no such page" {
        return;
    }
    // Pictures show a window of it at a time.
    let next = "const main = document.querySelector('main'), before = main.scrollTop;
        main.scrollBy(0, main.clientHeight * 0.8);
        return main.scrollTop > before";
    for screen in 1..SCREENS_MAX {
        look(&browser, &format!("design-{screen}")).await;
        if browser.run(next, &[]).await != true {
            break;
        }
    }
    browser.click_text("Say a failure").await;
    look(&browser, "design-toasts").await;
    browser.click(&testid("design-drawer")).await;
    look(&browser, "design-drawer").await;
}
