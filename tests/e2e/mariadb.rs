//! From a MariaDB to a project, a snapshot and a continuous job, all in the page.

use crate::pages::home::HomePage;
use crate::pages::{SOON, look, testid};
use bson::doc;
use godwit_tests::api::wait_for;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::servers::{Family, servers};
use mysql_async::prelude::Queryable;

#[tokio::test(flavor = "multi_thread")]
async fn a_mariadb_is_migrated_and_followed() {
    let server = Family::MariaDb.server().await;
    let statements = [
        "CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL)",
        "CREATE TABLE purchase (id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, \
         total DECIMAL(8,2) NOT NULL, FOREIGN KEY (customer_id) REFERENCES customer(id) ON DELETE CASCADE)",
        "INSERT INTO customer VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Zoë')",
        "INSERT INTO purchase (customer_id, total) VALUES (1, 10.50), (2, 7), (2, 8.25)",
    ];
    let name = server.database("page", &statements).await;
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let target = servers().await.mongo.target("target").await;

    let home = HomePage::open(&browser, &app).await;
    let page = home.new_project().await;
    let kinds = browser.find(&testid("source-kind")).await;
    kinds.select_by_value("MARIADB").await.expect("an option");
    wait_for("the port of the kind", SOON, async || {
        let port = browser.find(&testid("source-port")).await;
        (port.prop("value").await.ok().flatten().as_deref() == Some("3306")).then_some(())
    })
    .await;
    browser.fill(&testid("source-host"), "127.0.0.1").await;
    browser.fill(&testid("source-port"), &server.port.to_string()).await;
    browser.fill(&testid("source-database"), &name).await;
    browser.fill(&testid("source-user"), "root").await;
    look(&browser, "mariadb-form").await;
    page.next().await;
    page.wait_count("2 of 2 tables selected").await;
    page.next().await;
    page.next().await;
    page.next().await;
    browser.fill(&testid("project-name"), "Purchases").await;
    page.next().await;

    let migration = page.migration().await;
    let wizard = migration.create_job().await;
    assert!(wizard.chosen_source().await.contains("jdbc:mariadb://"));
    wizard.next().await;
    wizard.fill_target(&target).await;
    wizard.next().await;
    look(&browser, "mariadb-options").await;
    wizard.start().await;
    migration.wait_status("COMPLETED", SOON).await;
    look(&browser, "mariadb-done").await;
    let customers = target.database.collection::<bson::Document>("customer");
    let is_there = customers.count_documents(doc! {"name": "Zoë"}).await.expect("a count");
    assert_eq!(is_there, 1);

    // The same again, and after it the changes.
    let wizard = migration.create_job().await;
    wizard.next().await;
    wizard.next().await;
    wizard.choose_continuous().await;
    wizard.passed_checks().await;
    browser.click(&testid("drop-collections")).await;
    look(&browser, "mariadb-continuous").await;
    wizard.start().await;
    migration.wait_cdc("Running", SOON).await;
    let mut source = server.connect("root", &name).await.expect("a connection");
    for change in [
        "INSERT INTO customer VALUES (4, 'Barbara')",
        "UPDATE customer SET name = 'Grace Hopper' WHERE id = 2",
        // Its purchase goes with it, and no event tells of that.
        "DELETE FROM customer WHERE id = 1",
    ] {
        source.query_drop(change).await.expect("a change");
    }
    migration.wait_events_above(2).await;
    look(&browser, "mariadb-following").await;
    migration.complete_cdc().await;
    migration.wait_status("COMPLETED", SOON).await;
    let names = customers.distinct("name", doc! {}).await.expect("names");
    assert_eq!(names, ["Barbara", "Grace Hopper", "Zoë"].map(bson::Bson::from));
    // The number of the file of the binary log, and the place in it.
    let jobs = app.api().get("/jobs").await.ok();
    let jobs = jobs.as_array().expect("jobs");
    let continuous = jobs
        .iter()
        .find(|job| job["options"]["mode"] == "CDC")
        .expect("the job");
    let id = continuous["id"].as_str().expect("its id");
    let job = app.api().get(&format!("/jobs/{id}")).await.ok();
    let position = job["cdcStatistics"]["position"].as_str();
    assert!(position.is_some_and(|text| text.starts_with("000001:")), "{job:#}");
    let purchases = target.database.collection::<bson::Document>("purchase");
    assert_eq!(purchases.count_documents(doc! {}).await.expect("a count"), 2);
}
