//! Projects come in as files, by hand or over REST, and the list follows.

use crate::library::{NAME, Stage};
use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid, wait_text};
use godwit_tests::api::wait_for;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_comes_in_over_rest_is_listed_at_once() {
    let stage = Stage::new().await;
    let home = HomePage::open(&stage.browser, &stage.app).await;
    assert!(stage.browser.client.title().await.expect("a title").contains("Godwit"));
    stage.import().await;
    home.wait_project(NAME).await;
    look(&stage.browser, "home-project").await;
}

/// A file that hangs over the page, and then falls.
const DRAG: &str = "
const [type, name, text] = arguments, dataTransfer = new DataTransfer();
dataTransfer.items.add(new File([text], name));
const event = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
document.querySelector('main h1').dispatchEvent(event)";

#[tokio::test(flavor = "multi_thread")]
async fn a_project_file_can_be_dropped_on_the_page() {
    let stage = Stage::new().await;
    let home = HomePage::open(&stage.browser, &stage.app).await;
    let text = std::fs::read_to_string(stage.project_file().await).expect("the project file");
    let file = [json!("library.relmig"), json!(text)];
    let drag = async |kind: &str| {
        let arguments = [&[json!(kind)], &file[..]].concat();
        stage.browser.run(DRAG, &arguments).await
    };
    drag("dragover").await;
    stage.browser.find(".gw-drop--over").await;
    look(&stage.browser, "home-drop").await;
    drag("drop").await;
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
    look(&stage.browser, "import-refused").await;
}

/// The file is somebody else's: what of it would run is read first, at the import and later in the project.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_project_carries_is_read_before_any_of_it_runs() {
    let stage = Stage::new().await;
    let home = HomePage::open(&stage.browser, &stage.app).await;
    let path = stage.project_file().await;
    let text = std::fs::read_to_string(&path).expect("the project file");
    let mut file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let tables = file["project"]["content"]["tables"].as_object_mut().expect("tables");
    tables
        .values_mut()
        .for_each(|t| t["filter"] = json!({"whereClause": "id > 17"}));
    std::fs::write(&path, file.to_string()).expect("the file can be written");
    home.import(&path).await;
    let shows = |text: &str| text.contains("id > 17");
    wait_text(&stage.browser, &testid("consent-code"), "what would run", SOON, shows).await;
    look(&stage.browser, "import-consent").await;
    let listed = stage.app.api().get("/project").await.ok();
    assert_eq!(listed[0]["needsConsent"], true);
    stage.browser.click(&testid("consent-allow")).await;
    wait_for("the agreement", SOON, async || {
        let listed = stage.app.api().get("/project").await.ok();
        listed[0]["needsConsent"].is_null().then_some(())
    })
    .await;
}
