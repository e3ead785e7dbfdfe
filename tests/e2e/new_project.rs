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

#[tokio::test(flavor = "multi_thread")]
async fn a_project_begins_with_a_proposed_model() {
    let sql = "create table customer (id int primary key, full_name text not null);
        create table orders (id int primary key, customer_id int not null references customer);
        create table order_line (order_id int references orders, line_no int, qty int, primary key (order_id, line_no));
        insert into customer select i, 'Customer ' || i from generate_series(1, 50) i;
        insert into orders select i, i % 50 + 1 from generate_series(1, 200) i;
        insert into order_line select i, n, 1 from generate_series(1, 200) i, generate_series(1, 3) n; analyze";
    let database = servers().await.postgres.database("proposed", sql);
    let (app, browser, source) = tokio::join!(App::start(), Browser::start(), database);
    let page = HomePage::open(&browser, &app).await.new_project().await;
    page.fill_source(&source, PASSWORD).await;
    page.next().await;
    page.wait_count("3 of 3 tables selected").await;
    page.next().await;
    page.next().await;
    browser.click(&testid("mapping-proposed")).await;
    let decisions = browser.find(&testid("decision")).await;
    assert!(
        decisions.text().await.expect("a text").contains("public."),
        "a decision names its table"
    );
    page.wait_text("By keys and the statistics of the source.").await;
    look(&browser, "new-project-proposed").await;
    page.next().await;
    page.wait_text("the proposed model").await;
    page.next().await;
    browser.find(&testid("outline")).await;
    let projects = app.api().get("/project").await.ok();
    let id = projects[0]["id"].as_str().expect("a project");
    let file = app.api().get(&format!("/project/{id}/export")).await.ok();
    let rules = file["project"]["content"]["mappings"]
        .as_object()
        .expect("rules")
        .clone();
    let kinds: Vec<&str> = rules
        .values()
        .filter_map(|rule| rule["settings"]["type"].as_str())
        .collect();
    assert!(kinds.contains(&"EMBEDDED_DOCUMENT_ARRAY"), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_made_of_ddl_files() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let page = HomePage::open(&browser, &app).await.new_project().await;
    browser.click(&testid("origin-ddl")).await;
    page.next().await;
    page.wait_text("Choose at least one file with a table in it.").await;
    let folder = tempfile::tempdir_in(godwit_tests::process::scratch()).expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file.to_str().expect("a path").to_owned()
    };
    let wrong = write("wrong.sql", "select 1;");
    let input = browser.find(&testid("ddl-files")).await;
    input.send_keys(&wrong).await.expect("a file is chosen");
    let message = page.error().await;
    assert!(message.contains("no statement CREATE TABLE"), "{message}");
    look(&browser, "new-project-ddl-wrong").await;

    // Two files, of which the second refers to the first, and has a statement that cannot be read.
    let tables = write(
        "tables.sql",
        "CREATE TABLE `customer` (`id` int NOT NULL, `name` varchar(50), PRIMARY KEY (`id`));",
    );
    let more = write(
        "orders.sql",
        "CREATE TABLE `orders` (`id` int NOT NULL, `customer_id` int, PRIMARY KEY (`id`),\n\
         CONSTRAINT `fk` FOREIGN KEY (`customer_id`) REFERENCES `customer` (`id`));\n\nCREATE TABLE `broken` (`id` int,;\n",
    );
    input
        .send_keys(&format!("{tables}\n{more}"))
        .await
        .expect("files are chosen");
    browser
        .find(&testid("ddl-database"))
        .await
        .select_by_value("MYSQL")
        .await
        .expect("an option");
    let skipped = crate::pages::wait_text(&browser, &testid("ddl-skipped"), "what was left out", SOON, |text| {
        text.contains("orders.sql")
    })
    .await;
    assert!(skipped.starts_with("orders.sql, line 4"), "{skipped}");
    look(&browser, "new-project-ddl").await;
    page.next().await;
    page.wait_count("2 of 2 tables selected").await;
    for _ in 0..3 {
        page.next().await;
    }
    browser.fill(&testid("project-name"), "From files").await;
    page.next().await;
    browser.find(&testid("outline")).await;
    let projects = app.api().get("/project").await.ok();
    assert_eq!(
        (&projects[0]["name"], &projects[0]["type"]),
        (&"From files".into(), &"MYSQL".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_a_project_at_once() {
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let page = HomePage::open(&browser, &app).await.new_project().await;
    browser.click(&testid("origin-sample")).await;
    look(&browser, "new-project-sample").await;
    page.next().await;
    browser.find(&testid("outline")).await;
    page.wait_text("order_lines").await;
}

/// Where the button that leads on ends, and the window does.
const NEXT: &str = "const b = document.querySelector('[data-testid=project-next]').getBoundingClientRect();
    return [Math.round(b.top), Math.round(b.bottom), innerHeight]";

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_survives_a_reload_and_next_is_in_sight() {
    let tables: String = (0..60)
        .map(|n| format!("create table t{n} (id int primary key);"))
        .collect();
    let sql = format!("{SQL};{tables}");
    let database = servers().await.postgres.database("kept", &sql);
    let (app, browser, source) = tokio::join!(App::start(), Browser::start(), database);
    let page = HomePage::open(&browser, &app).await.new_project().await;
    let in_sight = async |step: &str| {
        browser.resize(1280, 720).await;
        let found: [i64; 3] = serde_json::from_value(browser.run(NEXT, &[]).await).expect("places");
        assert!(found[0] > 0 && found[1] <= found[2], "{step}: {found:?}");
    };
    in_sight("source").await;
    page.fill_source(&source, PASSWORD).await;
    page.next().await;
    page.wait_count("64 of 64 tables selected").await;
    in_sight("tables").await;
    page.toggle("archive").await;
    page.wait_count("62 of 64 tables selected").await;
    page.next().await;
    let casing = browser.find(&testid("casing")).await;
    casing.select_by_value("snake_case").await.expect("an option");
    in_sight("casing").await;
    page.next().await;
    browser.find(&testid("mapping-empty")).await;
    in_sight("mapping").await;
    browser.click(&testid("mapping-empty")).await;
    page.next().await;
    browser.fill(&testid("project-name"), "Kept").await;

    // Passwords are not kept: the source is asked for once more, and everything else is as it was.
    browser.client.refresh().await.expect("a reload");
    browser.find(&testid("password-again")).await;
    look(&browser, "new-project-reloaded").await;
    let stored = browser
        .run("return JSON.stringify({...sessionStorage, ...localStorage})", &[])
        .await;
    assert!(!stored.as_str().expect("a text").contains(PASSWORD), "{stored}");
    browser.fill(&testid("source-password"), PASSWORD).await;
    page.next().await;
    page.wait_count("62 of 64 tables selected").await;
    page.next().await;
    let casing = browser.find(&testid("casing")).await;
    assert_eq!(
        casing.prop("value").await.expect("a property").as_deref(),
        Some("snake_case")
    );
    page.next().await;
    page.next().await;
    let name = browser.find(&testid("project-name")).await;
    assert_eq!(name.prop("value").await.expect("a property").as_deref(), Some("Kept"));

    // With a saved connection nothing has to be entered again: the step itself comes back.
    page.next().await;
    browser.find(&testid("first-step")).await;
    let page = HomePage::open(&browser, &app).await.new_project().await;
    let saved = browser.find(&testid("source-saved")).await;
    saved
        .select_by_index(1)
        .await
        .expect("the connection that was saved with the project");
    page.next().await;
    page.wait_count("64 of 64 tables selected").await;
    page.bulk_names("customer").await;
    browser.click(&testid("bulk-only")).await;
    page.wait_count("1 of 64 tables selected").await;
    page.next().await;
    browser.find(&testid("casing")).await;
    browser.client.refresh().await.expect("a reload");
    browser.find(&testid("casing")).await;
    page.back().await;
    page.wait_count("1 of 64 tables selected").await;
}
