//! From a live database to a project and its first job, without a file.

use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid, text_now};
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{PASSWORD, servers};

const SQL: &str = "create schema archive;
    create table customer (id int primary key, full_name text not null);
    create table \"Order Line\" (id int primary key, customer_id int not null references customer);
    create table archive.old_line (id int primary key);
    create table archive.note (id int primary key);
    insert into customer values (1, 'Ada'), (2, 'Grace');
    insert into \"Order Line\" values (10, 1), (11, 2), (12, 2)";

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_made_of_a_live_database_and_run() {
    let database = servers().await.postgres.database("shop", SQL);
    let (app, browser, source) = tokio::join!(App::start(), Browser::start(), database);
    let target = servers().await.mongo.target("target").await;
    let home = HomePage::open(&browser, &app).await;
    let page = home.new_project().await;

    page.next().await;
    page.wait_field_error("Enter the host of the server.").await;
    page.fill_source(&source, "not the password").await;
    page.next().await;
    let message = page.error().await;
    assert!(message.contains("the password is wrong"), "{message}");
    look(&browser, "new-project-refused").await;
    browser.fill(&testid("source-password"), PASSWORD).await;
    page.next().await;

    page.wait_count("4 of 4 tables selected").await;
    browser.fill(&testid("table-filter"), "line").await;
    page.wait_count("4 of 4 tables selected, 2 of them hidden by the filter")
        .await;
    assert_eq!(page.shown_tables().await, ["old_line", "Order Line"]);
    // The box above speaks of what is shown: archive.old_line alone.
    page.toggle("archive").await;
    page.wait_count("3 of 4 tables selected, 2 of them hidden by the filter")
        .await;
    look(&browser, "new-project-tables").await;
    browser.fill(&testid("table-filter"), " ").await;
    page.wait_count("3 of 4 tables selected").await;
    page.toggle("note").await;
    page.wait_count("2 of 4 tables selected").await;
    page.next().await;

    browser
        .find(&testid("casing"))
        .await
        .select_by_value("snake_case")
        .await
        .expect("an option");
    page.wait_text("order_line").await;
    page.next().await;
    page.wait_text("top-level").await;
    look(&browser, "new-project-mapping").await;
    page.next().await;
    browser.find(&testid("project-name")).await;

    // Back to the first step and forth again: nothing is lost, and nothing is read twice.
    for _ in 0..4 {
        page.back().await;
    }
    let host = browser.find(&testid("source-host")).await;
    assert_eq!(
        host.prop("value").await.expect("a property").as_deref(),
        Some("127.0.0.1")
    );
    page.next().await;
    page.wait_count("2 of 4 tables selected").await;
    for _ in 0..3 {
        page.next().await;
    }
    browser.fill(&testid("project-name"), "  ").await;
    page.next().await;
    page.wait_field_error("Enter a name.").await;
    browser.fill(&testid("project-name"), "From scratch").await;
    page.next().await;
    page.wait_text("public.Order Line").await;

    let projects = app.api().get("/project").await.ok();
    let id = projects[0]["id"].as_str().expect("a project");
    let file = app.api().get(&format!("/project/{id}/export")).await.ok();
    let imported = &file["schema"]["imported"];
    let database = imported
        .as_object()
        .and_then(|all| all.values().next())
        .expect("a database");
    let tables = database["public"]
        .as_object()
        .map(|tables| tables.keys().cloned().collect::<Vec<_>>());
    assert_eq!(tables.expect("a schema"), ["Order Line", "customer"], "{imported:#}");
    assert!(database["archive"].is_null(), "{imported:#}");

    let migration = page.migration().await;
    let wizard = migration.create_job().await;
    wizard.next().await;
    wizard.fill_target(&target).await;
    wizard.start().await;
    migration.wait_status("COMPLETED", SOON).await;
    assert_eq!(migration.rows().await, 5);
    let lines = target.database.collection::<bson::Document>("order_line");
    assert_eq!(
        lines
            .count_documents(bson::doc! {"customer_id": 2})
            .await
            .expect("a count"),
        2
    );
    assert!(
        text_now(&browser, "h1")
            .await
            .is_some_and(|title| title == "From scratch")
    );
}
