//! The first page.

use godwit_tests::browser::Browser;
use godwit_tests::mapping::project_file;
use godwit_tests::servers::servers;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_project_is_listed() {
    let (app, browser) = tokio::join!(godwit_tests::app::App::start(), Browser::start());
    let source = servers()
        .await
        .postgres
        .database("source", "create table pets (id int primary key)")
        .await;
    let spec = json!({"name": "Pets of Graz", "collections": [{"collection": "pets", "table": "pets"}]});
    let file = project_file(&source.connect().await, &spec).await;
    app.api().import_project(&file).await;

    browser.open(&app.base()).await;
    browser
        .wait_text("the project's name", Duration::from_secs(30), |text| {
            text.contains("Pets of Graz")
        })
        .await;
    assert!(browser.client.title().await.expect("a title").contains("Godwit"));
}
