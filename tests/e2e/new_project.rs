//! From a live database to a project and its first job, without a file.

use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid, text_now, wait_focus};
use godwit_tests::api::wait_for;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{PASSWORD, SUPERUSER, servers};

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

    look(&browser, "new-project-connect").await;
    page.next().await;
    page.wait_field_error("Enter the host of the server.").await;
    wait_focus(&browser, &testid("source-host")).await;
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
    page.bulk_names("CUSTOMER, public.Order Line, nothing").await;
    page.wait_bulk("2 tables: public.Order Line, public.customer").await;
    page.wait_bulk("No table, or more than one: nothing").await;
    look(&browser, "new-project-bulk").await;
    browser.click(&testid("bulk-only")).await;
    page.wait_count("2 of 4 tables selected").await;
    page.bulk_names("note, archive.old_line").await;
    browser.click(&testid("bulk-add")).await;
    page.wait_count("4 of 4 tables selected").await;
    browser.click(&testid("bulk-remove")).await;
    page.wait_count("2 of 4 tables selected").await;
    page.next().await;

    browser
        .find(&testid("casing"))
        .await
        .select_by_value("snake_case")
        .await
        .expect("an option");
    page.wait_text("order_line").await;
    look(&browser, "new-project-casing").await;
    page.next().await;
    page.wait_text("top-level").await;
    look(&browser, "new-project-mapping").await;
    page.next().await;
    wait_focus(&browser, &testid("project-name")).await;
    look(&browser, "new-project-name").await;

    // Back to the first step and forth again: nothing is lost, and nothing is read twice.
    for _ in 0..4 {
        page.back().await;
    }
    let host = browser.find(&testid("source-host")).await;
    assert_eq!(
        host.prop("value").await.expect("a property").as_deref(),
        Some("127.0.0.1")
    );
    // The tables of one connection are not those of another, whichever way leads forward.
    let right = browser.find(&testid("source-database")).await;
    let name = right.prop("value").await.expect("a property").unwrap_or_default();
    browser.fill(&testid("source-database"), "elsewhere").await;
    browser.run("history.back()", &[]).await;
    page.wait_step("connect").await;
    browser.fill(&testid("source-database"), &name).await;
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
    // The server alone is no destination.
    let bare = target.uri.replacen(&format!("/{}", target.database.name()), "/", 1);
    browser.fill(&testid("target-uri"), &bare).await;
    wizard.next().await;
    page.wait_field_error("Enter the database: the URI names none.").await;
    wait_focus(&browser, &testid("target-database")).await;
    look(&browser, "wizard-no-database").await;
    browser.fill(&testid("target-database"), target.database.name()).await;
    wizard.test_target().await;
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

    // Both connections have been saved with the project; the next job begins with them and writes a part.
    let is_kept = async || {
        let project = app.api().get(&format!("/project/{id}")).await.ok();
        let saved = app.api().get("/connections/mongodb").await.ok();
        let is_named = saved[0]["id"].is_string() && project["mongodbId"] == saved[0]["id"];
        (is_named && project["jdbcId"].is_string()).then_some(())
    };
    wait_for("the connections of the project", SOON, is_kept).await;
    let wizard = migration.create_job().await;
    wizard.next().await;
    wizard.next().await;
    wizard.passed_checks().await;
    wizard.leave_out(&["order_line"]).await;
    look(&browser, "wizard-selective").await;
    wizard.next().await;
    let (figures, _) = wizard.review().await;
    assert!(figures.lines().any(|line| line == "1"), "{figures}");
    browser.find_text("1 of 2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_made_by_uri_and_begins_without_rules() {
    let database = servers().await.postgres.database("by uri", SQL);
    let (app, browser, source) = tokio::join!(App::start(), Browser::start(), database);
    let home = HomePage::open(&browser, &app).await;
    let page = home.new_project().await;
    browser.click(&testid("source-manual")).await;
    browser.fill(&testid("source-uri"), &source.jdbc_url()).await;
    browser.fill(&testid("source-user"), SUPERUSER).await;
    browser.fill(&testid("source-password"), PASSWORD).await;
    let modes = browser.find(&testid("source-ssl-mode")).await;
    modes.select_by_value("require").await.expect("an option");
    browser.click(&testid("source-test")).await;
    let refused = page.error().await;
    assert!(
        refused.to_lowercase().contains("tls") || refused.to_lowercase().contains("ssl"),
        "{refused}"
    );
    look(&browser, "new-project-uri").await;
    modes.select_by_value("").await.expect("an option");
    browser.click(&testid("source-test")).await;
    browser.find(&testid("test-passed")).await;
    page.next().await;
    page.wait_count("4 of 4 tables selected").await;
    page.toggle("archive").await;
    page.next().await;
    browser.find(&testid("casing")).await;
    page.next().await;
    browser.click(&testid("mapping-empty")).await;
    look(&browser, "new-project-empty").await;
    page.next().await;
    browser.find(&testid("project-name")).await;
    page.next().await;

    // No rules, no job: the way to both is shown.
    browser.find(&testid("first-step")).await;
    page.migration().await;
    browser.find(&testid("no-rules")).await;
    let create = browser.find(&testid("create-job")).await;
    assert!(!create.is_enabled().await.expect("the state of a button"));
    look(&browser, "migration-no-rules").await;
    browser.click(&format!("{} a", testid("no-rules"))).await;
    browser.click(&testid("fill-mapping")).await;
    browser.find(&testid("outline")).await;
    page.migration().await;
    browser.find(&format!("{}:enabled", testid("create-job"))).await;
}
