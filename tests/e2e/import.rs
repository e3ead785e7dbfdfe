//! Projects come in as files, by hand or over REST, and the list follows.

use crate::library::{NAME, Stage};
use crate::pages::home::HomePage;
use crate::pages::{SOON, testid, wait_text};

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_comes_in_over_rest_is_listed_at_once() {
    let stage = Stage::new().await;
    let home = HomePage::open(&stage.browser, &stage.app).await;
    assert!(stage.browser.client.title().await.expect("a title").contains("Godwit"));
    stage.import().await;
    home.wait_project(NAME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_project_is_refused_by_name() {
    let stage = Stage::new().await;
    let home = HomePage::open(&stage.browser, &stage.app).await;
    let path = stage.project_file().await;
    let text = std::fs::read_to_string(&path).expect("the project file");
    std::fs::write(&path, text.replacen("\"content\"", "\"contents\"", 1)).expect("the file can be written");
    home.import(&path).await;
    let message = wait_text(&stage.browser, &testid("error-message"), "a message", SOON, |text| {
        !text.is_empty()
    })
    .await;
    assert!(message.contains("content"), "{message}");
    let shown = stage.browser.text().await;
    assert!(shown.contains("library.relmig"), "{shown}");
}
