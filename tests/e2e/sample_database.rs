//! The smallest way in: from the empty page to a finished job of a sample database, without any server but the destination.

use crate::pages::home::HomePage;
use crate::pages::mapping::MappingTab;
use crate::pages::migration::MigrationPage;
use crate::pages::{SOON, look, testid};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::servers;

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_database_is_migrated_from_the_empty_page() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let target = servers().await.mongo.target("target").await;
    HomePage::open(&browser, &app).await;
    browser.click(&testid("try-sample")).await;
    // Documents of its rows are there at once.
    browser.find(&testid("document")).await;
    let tab = MappingTab::opened(&browser);
    assert!(!tab.fields().await.is_empty());
    look(&browser, "sample-database").await;
    browser.click_text("Data Migration").await;
    let migration = MigrationPage::opened(&browser).await;
    let wizard = migration.create_job().await;
    look(&browser, "sample-database-wizard").await;
    wizard.next().await;
    browser.fill(&testid("target-uri"), &target.uri).await;
    wizard.start().await;
    migration.wait_status("COMPLETED", SOON * 4).await;
    look(&browser, "sample-database-done").await;
    let orders = target.database.collection::<bson::Document>("orders");
    assert_eq!(orders.count_documents(bson::doc! {}).await.expect("a count"), 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_connected_and_its_type_follows_the_uri() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let folder = app.data_dir().join("sqlite");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = rusqlite::Connection::open(folder.join("notes.db")).expect("a file");
    file.execute_batch("CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT); INSERT INTO note VALUES (1, 'first')")
        .expect("a table");
    let home = HomePage::open(&browser, &app).await;
    let page = home.new_project().await;
    browser
        .click(&format!("{} option[value='SQLITE']", testid("source-kind")))
        .await;
    browser.fill(&testid("source-uri"), "jdbc:sqlite:notes.db").await;
    look(&browser, "sqlite-form").await;
    page.next().await;
    browser.find(&testid("table-count")).await;
}
