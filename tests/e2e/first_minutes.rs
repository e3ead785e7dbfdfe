//! The first minutes of a new user, counted in clicks: from an empty page to the first job, by way of a proposed model
//! and one change of it.

use crate::pages::home::HomePage;
use crate::pages::mapping::MappingTab;
use crate::pages::{SOON, look, testid};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{Database, PASSWORD, servers};
use godwit_tests::{checkout, shared_data};

/// More than these, and the way has grown.
const CLICKS_MAX: i64 = 24;

/// A database that the writers did not design for, where there is one; else the demo's.
async fn source() -> Database {
    let pagila = shared_data().map(|folder| folder.join("data/postgresql/pagila.sql.gz"));
    let file = pagila
        .filter(|file| file.is_file())
        .unwrap_or_else(|| checkout().join("demo/shop.sql"));
    let source = servers().await.postgres.database("first", "").await;
    source.load(&file);
    source.run("analyze").await;
    source
}

/// Counts on every page of the tab, from its first script on.
const COUNT: &str = "if (!window.__counts) { window.__counts = true;
    addEventListener('click', e => { if (e.isTrusted) sessionStorage.clicks = Number(sessionStorage.clicks ?? 0) + 1 }, true) }";

#[tokio::test(flavor = "multi_thread")]
async fn clicks_of_a_new_user() {
    let (app, browser, source) = tokio::join!(App::start(), Browser::start(), source());
    let target = servers().await.mongo.target("target").await;
    let home = HomePage::open(&browser, &app).await;
    browser.run(COUNT, &[]).await;
    let page = home.new_project().await;
    page.fill_source(&source, PASSWORD).await;
    page.next().await;
    browser.find(&testid("table-count")).await;
    page.next().await;
    browser.find(&testid("casing")).await;
    page.next().await;
    browser.click(&testid("mapping-proposed")).await;
    browser.find(&testid("decision")).await;
    look(&browser, "first-minutes-proposed").await;
    page.next().await;
    browser.find(&testid("project-name")).await;
    page.next().await;

    // One change, and the documents follow.
    browser.find(&testid("document")).await;
    let tab = MappingTab::opened(&browser);
    let field = tab
        .fields()
        .await
        .into_iter()
        .find(|path| !path.contains(['.', '-']) && path != "_id");
    let field = field.expect("a field of the first level");
    tab.rename(&field, "renamedField").await;
    tab.document("\"renamedField\"").await;
    look(&browser, "first-minutes-model").await;

    let migration = page.migration().await;
    let wizard = migration.create_job().await;
    wizard.next().await;
    browser.fill(&testid("target-uri"), &target.uri).await;
    wizard.start().await;
    migration.wait_status("COMPLETED", SOON * 4).await;
    let clicks = browser.run("return Number(sessionStorage.clicks)", &[]).await;
    println!("clicks of a new user, from the first page to the first job: {clicks}");
    assert!(
        clicks.as_i64().is_some_and(|clicks| (1..=CLICKS_MAX).contains(&clicks)),
        "{clicks}"
    );
    assert_ne!(
        target.database.list_collection_names().await.expect("collections"),
        [] as [&str; 0]
    );
}
