//! Whatever is wrong is answered with its code before a job is made and before anything is written; a row that is
//! wrong is an issue of that row.

use crate::common::{assert_completed, coll, issues, reader, refused, spec};
use bson::doc;
use godwit_shared::job::EventType;
use godwit_tests::api::{Api, Job};
use godwit_tests::app::App;
use godwit_tests::docs::collections;
use godwit_tests::mapping::project_file;
use godwit_tests::migrate::Migration;
use godwit_tests::process::free_port;
use godwit_tests::servers::{PASSWORD, PrivateMongo};
use hyper::Method;
use serde_json::{Value, json};

async fn one_table() -> Migration {
    let sql =
        "create table t(id int primary key, v text, secret text); insert into t values (1, 'a', 's'), (2, 'b', 's')";
    Migration::new(sql, spec([coll("t", "t", "v")])).await
}

fn with_url(m: &Migration, url: &str) -> Job {
    m.job().with("/jdbcConnectionDetails/url", json!(url))
}

fn with_uri(m: &Migration, uri: &str) -> Job {
    m.job().with("/mongodbConnectionDetails/connectionString", json!(uri))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_reached() {
    let m = one_table().await;
    let (url, closed, name) = (m.source.jdbc_url(), free_port(), &m.source.name);
    let postgres = |host_and_path: &str| format!("jdbc:postgresql://{host_and_path}");
    let wrong = [
        (m.job().as_user("postgres", "not it"), "password"),
        (m.job().as_user("nobody_of_that_name", "x"), "nobody_of_that_name"),
        (
            with_url(&m, &postgres("no-such-host.invalid:5432/x")),
            "no-such-host.invalid",
        ),
        (
            with_url(&m, &postgres(&format!("127.0.0.1:{closed}/{name}"))),
            "127.0.0.1",
        ),
        (with_url(&m, &format!("{url}?sslmode=require")), "TLS"),
        (
            with_url(&m, &postgres(&format!("127.0.0.1:{}/no_such_database", m.source.port))),
            "no_such_database",
        ),
    ];
    for (job, named) in wrong {
        let message = refused(&m, &job, 502, "source_unreachable").await;
        assert!(message.contains(named), "{named}: {message}");
        assert!(!message.contains("not it"), "the password is in the message: {message}");
    }
    let message = refused(
        &m,
        &with_url(&m, "jdbc:sqlserver://127.0.0.1/x"),
        400,
        "invalid_request",
    )
    .await;
    assert!(message.contains("URL"), "{message}");
    m.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_may_not_be_read() {
    let m = one_table().await;
    let user = reader(&m.source, "").await;
    let job = m.job().as_user(&user, PASSWORD);
    let message = refused(&m, &job, 422, "source_permission").await;
    assert!(message.contains("public.t"), "{message}");
    // Neither is the right on some of its columns enough.
    m.source.run(&format!("grant select (id, secret) on t to {user}")).await;
    let message = refused(&m, &job, 422, "source_permission").await;
    assert!(message.contains("public.t"), "{message}");
    m.source
        .run(&format!(
            "grant select on t to {user}; alter table t enable row level security; create policy p on t using (id = 1)"
        ))
        .await;
    let message = refused(&m, &job, 422, "row_security").await;
    assert!(message.contains("public.t"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_cannot_be_written() {
    let m = one_table().await;
    let port = m
        .target
        .uri
        .split([':', '/'])
        .find_map(|p| p.parse::<u16>().ok())
        .expect("a port");
    let hurried = "serverSelectionTimeoutMS=300&connectTimeoutMS=300";
    let message = refused(
        &m,
        &with_uri(&m, &format!("mongodb://127.0.0.1:{port}/?replicaSet=tests")),
        422,
        "target_database_missing",
    )
    .await;
    assert!(message.contains("database"), "{message}");
    for host in [format!("127.0.0.1:{}", free_port()), "no-such-host.invalid".to_owned()] {
        let message = refused(
            &m,
            &with_uri(&m, &format!("mongodb://{host}/x?{hurried}")),
            502,
            "target_unreachable",
        )
        .await;
        assert!(message.contains(&host), "{message}");
    }
    let user = format!("mongodb://nobody:wrong@127.0.0.1:{port}/x?authSource=admin&{hurried}");
    let message = refused(&m, &with_uri(&m, &user), 502, "target_unreachable").await;
    assert!(!message.contains("wrong@"), "{message}");
    refused(&m, &with_uri(&m, "http://127.0.0.1/x"), 400, "invalid_request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_whose_user_may_only_read() {
    let m = one_table().await;
    let server = PrivateMongo::start_with_users(&[("reader", "read"), ("writer", "readWrite")]).await;
    let message = refused(
        &m,
        &with_uri(&m, &server.uri_of("reader", "shop")),
        422,
        "target_permission",
    )
    .await;
    assert!(message.contains("shop"), "{message}");
    assert_completed(&m.run(&with_uri(&m, &server.uri_of("writer", "shop"))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn collections_that_are_something_else() {
    let m = one_table().await;
    let make = doc! {"create": "t", "viewOn": "other", "pipeline": []};
    m.target.database.run_command(make).await.expect("a view");
    let message = m.app.api().create_job(&m.job()).await.error(422, "target_permission");
    assert!(message.contains("\"t\"") && message.contains("view"), "{message}");
    assert_eq!(m.app.api().get("/jobs").await.ok(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_columns_and_names_that_do_not_fit() {
    let sql = "create table t(id int primary key, a text, b text); create table \"T\"(id int primary key)";
    let wrong = [
        (spec([coll("t", "t", "a b").with("rename", json!({"a": "b"}))]), "\"b\""),
        (spec([coll("t", "t", "a").with("calc", json!({"a": "1"}))]), "\"a\""),
        (spec([coll("t", "t", "a").with("rename", json!({"a": "  "}))]), "blank"),
        (
            spec([coll("t", "t", "a").with("calc", json!({"c": "columns.a +"}))]),
            "\"c\"",
        ),
        (spec([coll("t", "t", "a").with("filter", "columns.a ==== 1")]), "filter"),
        (spec([coll("system.t", "t", "a")]), "system.t"),
        (spec([coll("a$b", "t", "a")]), "a$b"),
        (
            spec([coll("t", "t", "a")
                .with("key", "GENERATED")
                .with("rename", json!({"a": "_id"}))]),
            "_id",
        ),
    ];
    for (mapping, named) in wrong {
        let m = Migration::new(sql, mapping).await;
        let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
        assert!(message.contains(named), "{named}: {message}");
    }
    let m = Migration::new(sql, spec([coll("t", "t", "a b")])).await;
    m.source.run("alter table t rename column b to c").await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("public.t") && message.contains("\"b\""), "{message}");
    m.source.run("drop table t").await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("public.t"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn project_files_that_are_none() {
    let m = one_table().await;
    let good = project_file(&m.source.connect().await, &spec([coll("t", "t", "v")])).await;
    let api = m.app.api();
    let projects = api.get("/project").await.ok();
    let changed = |pointer: &str, value: Value| {
        let mut file = good.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        file.pointer_mut(parent).expect("the parent")[name] = value;
        file
    };
    let wrong = [
        (json!([]), ""),
        (json!({}), ""),
        (changed("/version", json!("0.9.0")), "0.9.0"),
        (
            changed("/project/content/mappings", json!(5)),
            "project.content.mappings",
        ),
        (
            changed("/project/content/settings/casing", json!("LOUD")),
            "project.content.settings.casing",
        ),
        (changed("/project/name", json!({})), "project.name"),
        (changed("/schema/full", json!(null)), "schema.full"),
    ];
    for (file, member) in wrong {
        let message = api
            .post("/project/import", &file)
            .await
            .error(422, "invalid_project_file");
        assert!(message.contains(member), "{member}: {message}");
    }
    assert_eq!(api.get("/project").await.ok(), projects, "a project was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_malformed() {
    let m = one_table().await;
    let api = m.app.api();
    let wrong = [
        (m.job().with("/options/mode", json!("EVERYTHING")), "options.mode"),
        (m.job().with("/options/unknownOption", json!(1)), "unknownOption"),
        (
            m.job().with("/options/errorTolerance", json!(-1)),
            "options.errorTolerance",
        ),
        (m.job().with("/options", json!(null)), "options"),
        (
            m.job().with(
                "/relationalTableFilters",
                json!({"public": {"t": {"rowCount": "many"}}}),
            ),
            "rowCount",
        ),
    ];
    for (job, named) in wrong {
        let message = refused(&m, &job, 400, "invalid_request").await;
        assert!(message.contains(named), "{named}: {message}");
    }
    for project in ["no-such-project", "../jobs", "a b"] {
        let answer = api.create_job(&m.job().with("/projectId", json!(project))).await;
        assert!([400, 404].contains(&answer.status), "{project}: {answer:?}");
    }
    for text in ["", "{", "{\"projectId\": 1}", "nonsense", "[1, 2]"] {
        let answer = raw(&m.app, text).await;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (400, Some("invalid_request")),
            "{text}: {answer:?}"
        );
    }
    api.get("/jobs/no-such-job").await.error(404, "not_found");
    api.act("no-such-job", "stop").await.error(404, "not_found");
    api.get("/project/no-such-project").await.error(404, "not_found");
    assert_eq!(api.get("/jobs").await.ok(), json!([]));
    assert_eq!(collections(&m.target.database).await, [""; 0]);
}

/// `POST /jobs` with any text.
async fn raw(app: &App, text: &str) -> godwit_tests::api::Answer {
    let api: Api = app.api();
    let headers = [("content-type", "application/json")];
    api.send_text(Method::POST, "/jobs", &headers, text.to_owned())
        .await
        .expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_wrong_do_not_end_the_job() {
    let calculated = json!({
        "c": "columns.id == 3 ? no.such.name : columns.id",
        "endless": "(() => { while (columns.id == 4) {} return 1 })()",
        "greedy": "(() => { const all = ['x']; while (columns.id == 5) { all.push(...all); } return 1 })()",
    });
    let m = Migration::new(
        "create table t(id int primary key, d date, n text);
         insert into t select i, '2024-01-01', i from generate_series(1, 9) i;
         update t set d = 'infinity' where id = 1; update t set n = 'many' where id = 2",
        spec([coll("t", "t", "d n")
            .with("types", json!({"n": "INTEGER"}))
            .with("calc", calculated)
            .with(
                "filter",
                "columns.id == 6 ? no.such.name : columns.id == 7 ? 'maybe' : columns.id != 8",
            )]),
    )
    .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    let expected = [
        "expression_failed public.t c 1",
        "expression_failed public.t endless 1",
        "expression_failed public.t greedy 1",
        "filter_failed public.t - 1",
        "filter_not_boolean public.t - 1",
        "value_not_convertible public.t d 1",
        "value_not_convertible public.t n 1",
    ];
    assert_eq!(issues(&job, EventType::Error), expected);
    let day = godwit_tests::docs::date("2024-01-01T00:00:00Z");
    let row = |id: i32| doc! {"_id": id, "d": day.clone(), "n": id, "c": id, "endless": 1, "greedy": 1};
    let mut rows = [1, 2, 3, 4, 5, 9].map(row);
    for (at, field) in [(0, "d"), (1, "n"), (2, "c"), (3, "endless"), (4, "greedy")] {
        rows[at].insert(field, bson::Bson::Null);
    }
    m.expect("t", &rows).await;
}
