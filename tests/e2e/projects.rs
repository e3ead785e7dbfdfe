//! What can be done with a project on its card.

use crate::library::{NAME, Stage};
use crate::pages::home::HomePage;
use crate::pages::{SOON, attribute_now, look, testid, wait_text};
use godwit_tests::api::{Job, LONG, wait_for};
use serde_json::{Value, json};

const OTHER: &str = "Town archive";
const RENAMED: &str = "City library of the year";

const FOCUSED: &str = "
const focused = document.activeElement;
return focused?.getAttribute('aria-label') ?? focused?.textContent ?? ''";

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_renamed_exported_and_deleted() {
    let stage = Stage::new().await;
    let (browser, api) = (&stage.browser, stage.app.api());
    let project = stage.import().await;
    let text = std::fs::read_to_string(stage.project_file().await).expect("the project file");
    let mut other: Value = serde_json::from_str(&text).expect("JSON");
    other["project"]["name"] = json!(OTHER);
    api.import_project(&other).await;
    let home = HomePage::open(browser, &stage.app).await;
    // The newest comes first.
    home.wait_project(OTHER).await;

    browser.click(&format!("[aria-label='Rename {NAME}']")).await;
    browser.find(&format!("{}:focus", testid("project-name"))).await;
    look(browser, "rename").await;
    browser.fill(&testid("project-name"), OTHER).await;
    browser.find_text("Another project has this name.").await;
    browser.fill(&testid("project-name"), RENAMED).await;
    browser.click_text("Rename").await;
    home.wait_project(RENAMED).await;
    // The card is the same one under another name: it has the focus back.
    let label = format!("Rename {RENAMED}");
    let is_back = async || (browser.run(FOCUSED, &[]).await == label).then_some(());
    wait_for("the focus on the card", SOON, is_back).await;

    let export = format!("[aria-label='Export {RENAMED}']");
    let file = attribute_now(browser, &export, "download").await;
    assert_eq!(file, Some(format!("{RENAMED}.relmig")));
    let href = attribute_now(browser, &export, "href").await.expect("a link");
    let exported = api.get(&href).await.ok();
    assert_eq!(exported["project"]["name"], RENAMED);

    // A project that is at work stays.
    let id = api.start_job(&Job::new(&project, stage.source, &stage.target)).await;
    api.act(&id, "pause").await.ok();
    wait_text(browser, &testid("project-paused"), "the job", SOON, |text| {
        text == "1 job paused"
    })
    .await;
    let refused = api.delete(&format!("/project/{project}")).await;
    let message = refused.error(409, "job_conflict");
    assert!(
        message.contains(RENAMED) && message.contains("cannot be deleted"),
        "{message}"
    );
    browser.click(&format!("[aria-label='Delete {RENAMED}']")).await;
    wait_text(browser, &testid("jobs-in-the-way"), "the job", SOON, |text| {
        text.contains("Paused")
    })
    .await;
    browser.find(&format!("{}:disabled", testid("delete-confirm"))).await;
    look(browser, "delete-project").await;
    api.act(&id, "stop").await.ok();
    api.wait_ended(&id, LONG).await;
    browser.click(&format!("{}:enabled", testid("delete-confirm"))).await;
    let count = "return document.querySelectorAll(arguments[0]).length";
    let is_gone = async || (browser.run(count, &[json!(testid("project-card"))]).await == 1).then_some(());
    wait_for("one project less", SOON, is_gone).await;
    let is_on_heading = async || (browser.run(FOCUSED, &[]).await == "Projects").then_some(());
    wait_for("the focus on the heading", SOON, is_on_heading).await;
}
