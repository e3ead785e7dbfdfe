//! The REST API as a client sees it: every resource there and back, lists and their parameters, answers that are errors.

use crate::common::{array, assert_completed, coll, spec};
use godwit_shared::job::CdcStatus;
use godwit_tests::api::LONG;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD, SUPERUSER};
use hyper::Method;
use serde_json::{Value, json};

const SHOP: &str = "create table p(id int primary key, n text); create table c(id int primary key, p_id int references p, x text);
    insert into p select i, 'p' || i from generate_series(1, 20) i; insert into c select i, 1 + i % 20, 'c' || i from generate_series(1, 60) i";

async fn shop() -> Migration {
    Migration::new(SHOP, spec([coll("ps", "p", "n").embed([array("cs", "c", "id x")])])).await
}

fn details(source: &Database) -> Value {
    json!({"type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER, "password": PASSWORD})
}

fn ids(list: &Value) -> Vec<&str> {
    let all = list.as_array().expect("a list");
    all.iter().map(|entry| entry["id"].as_str().expect("an id")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_made_changed_and_deleted() {
    let m = shop().await;
    let api = m.app.api();
    let made = api.get(&format!("/project/{}", m.project)).await.ok();
    let read = json!({"jdbcConnectionDetails": details(&m.source)});
    let schema = api.post("/schema/jdbc", &read).await.ok();
    let copy = json!({"name": "second", "type": "POSTGRESQL", "schemasId": schema["id"], "content": made["content"]});
    let second = api.post("/project", &copy).await.ok();
    let id = second["id"].as_str().expect("an id");
    assert_eq!(
        ids(&api.get("/project").await.ok()),
        [id, m.project.as_str()],
        "newest first"
    );
    let oldest_first = api.get("/project?sort=lastModified,ASC").await.ok();
    assert_eq!(ids(&oldest_first), [m.project.as_str(), id]);
    let collections = api.get(&format!("/project/{id}/collections")).await.ok();
    assert_eq!(collections[0]["name"], "ps");
    api.post("/project", &copy).await.error(400, "invalid_request");

    let mut changed = api.get(&format!("/project/{id}")).await.ok();
    changed["name"] = json!("renamed");
    api.put(&format!("/project/{id}"), &changed).await.ok();
    let exported = api.get(&format!("/project/{id}/export")).await.ok();
    assert_eq!(exported["project"]["name"], "renamed");
    assert_eq!(
        api.get(&format!("/project/{id}/export")).await.ok(),
        exported,
        "the same twice"
    );
    assert!(api.delete(&format!("/project/{id}")).await.status < 300);
    api.get(&format!("/project/{id}")).await.error(404, "not_found");
    assert_eq!(ids(&api.get("/project").await.ok()), [m.project.as_str()]);
}

/// What an imported file holds of passwords is not kept.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_of_a_project_file_are_not_kept() {
    let m = shop().await;
    let api = m.app.api();
    let mut file = api.get(&format!("/project/{}/export", m.project)).await.ok();
    file["project"]["connectionDetails"] =
        json!({"jdbc": {"url": "jdbc:postgresql://h/d?password=secret-1", "password": "secret-2"}});
    file["project"]["name"] = json!("with passwords");
    api.import_project(&file).await;
    let store = m.app.store().await;
    let text = format!("{:?}", godwit_tests::docs::documents(&store, "projects").await);
    assert!(
        text.contains("with passwords") && !text.contains("secret-"),
        "a password is in the store"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_are_documents_of_live_rows() {
    let m = shop().await;
    let api = m.app.api();
    let path = format!("/project/{}/preview", m.project);
    let given = json!({"jdbcConnectionDetails": details(&m.source), "collection": "ps", "limit": 2});
    let shown = api.post(&path, &given).await.ok();
    let documents = shown["documents"].as_array().expect("documents");
    assert_eq!(documents.len(), 2, "{shown}");
    assert!(
        shown.to_string().contains("p1") && shown.to_string().contains("cs"),
        "{shown}"
    );
    assert_eq!(
        godwit_tests::docs::collections(&m.target.database).await,
        [""; 0],
        "nothing is written"
    );

    let mut other = given.clone();
    other["collection"] = json!("none");
    api.post(&path, &other).await.error(404, "not_found");
    api.get(&format!("{path}?limit=0")).await.error(400, "invalid_request");
    api.get(&format!("{path}?limit=many"))
        .await
        .error(400, "invalid_request");

    // With the saved connection of the project nothing has to be given.
    let mut connection = details(&m.source);
    connection["name"] = json!("source");
    connection["savePassword"] = json!(true);
    let saved = api.post("/connections/jdbc", &connection).await.ok();
    let mut project = api.get(&format!("/project/{}", m.project)).await.ok();
    project["jdbcId"] = saved["id"].clone();
    api.put(&format!("/project/{}", m.project), &project).await.ok();
    let shown = api.get(&format!("{path}?collection=ps&limit=1")).await.ok();
    assert_eq!(shown["documents"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_connections_there_and_back() {
    let m = shop().await;
    let api = m.app.api();
    let mut jdbc = details(&m.source);
    jdbc["name"] = json!("shop");
    jdbc["savePassword"] = json!(true);
    let mongodb = json!({"name": "target", "connectionString": m.target.uri});
    for (kind, connection) in [("jdbc", jdbc), ("mongodb", mongodb)] {
        let saved = api.post(&format!("/connections/{kind}"), &connection).await.ok();
        let one = format!("/connections/{kind}/{}", saved["id"].as_str().expect("an id"));
        let found = api.get(&one).await.ok();
        assert_eq!(found["name"], connection["name"]);
        assert!(!found.to_string().contains(PASSWORD), "{found}");
        assert_eq!(api.get(&format!("/connections/{kind}")).await.ok(), json!([found]));
        assert!(api.delete(&one).await.status < 300);
        api.get(&one).await.error(404, "not_found");
        assert_eq!(api.get(&format!("/connections/{kind}")).await.ok(), json!([]));
    }
    assert_eq!(api.get("/connectivity/environment").await.status, 200);
    let tested = api.post("/connectivity/jdbc", &details(&m.source)).await.ok();
    assert_eq!(tested["success"], true);
    let reached = json!({"connectionString": m.target.uri});
    assert_eq!(api.post("/connectivity/mongodb", &reached).await.ok()["success"], true);
    // A name that no name server knows is an address that does not answer, no wrong request.
    let unknown = json!({"connectionString": "mongodb+srv://user:secret@no-such-host.invalid/shop"});
    let message = api
        .post("/connectivity/mongodb", &unknown)
        .await
        .error(502, "target_unreachable");
    assert!(
        message.contains("no-such-host.invalid") && !message.contains("secret"),
        "{message}"
    );

    let read = api
        .post("/schema/jdbc", &json!({"jdbcConnectionDetails": details(&m.source)}))
        .await
        .ok();
    let id = read["id"].as_str().expect("a schema has an id");
    assert_eq!(api.get(&format!("/schema/{id}")).await.ok(), read);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_and_their_logs_read() {
    let m = shop().await;
    let api = m.app.api();
    let first = m.complete().await;
    let second = m.complete().await;
    let listed = async |query: &str| {
        let list = api.get(&format!("/jobs{query}")).await.ok();
        ids(&list).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let (newest, oldest) = (second.id.to_string(), first.id.to_string());
    assert_eq!(listed("").await, [newest.clone(), oldest.clone()]);
    assert_eq!(listed("?sort=submittedAt,ASC").await, [oldest.clone(), newest.clone()]);
    assert_eq!(listed("?limit=1").await, std::slice::from_ref(&newest));
    assert_eq!(listed("?type=IN_PROGRESS").await, [""; 0]);
    assert_eq!(listed(&format!("?projectId={}", m.project)).await.len(), 2);
    assert_eq!(listed("?projectId=another").await, [""; 0]);
    for wrong in ["?sort=submittedAt", "?sort=color,ASC", "?type=ENDED", "?limit=some"] {
        api.get(&format!("/jobs{wrong}")).await.error(400, "invalid_request");
    }
    for path in ["logs", "logs/download"] {
        assert_eq!(api.get(&format!("/jobs/{newest}/{path}")).await.status, 200);
        api.get(&format!("/jobs/nobody/{path}")).await.error(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_of_itself() {
    let m = shop().await;
    let api = m.app.api();
    let info = api.get("/info").await.ok();
    assert_eq!(info["deployment"]["type"], "LOCAL");
    assert_eq!(api.get("/actuator/health").await.ok()["status"], "UP");
    let document = api.get("/openapi.json").await.ok();
    for path in [
        "/jobs",
        "/jobs/{jobId}/stop",
        "/project/import",
        "/project/{id}/preview",
        "/live",
    ] {
        assert!(document["paths"].get(format!("/api/v1{path}")).is_some(), "{path}");
    }
    api.get("/no-such-path").await.error(404, "not_found");
    let answer = api.send(Method::PATCH, "/jobs", &[], None).await.expect("an answer");
    answer.error(405, "method_not_allowed");
    api.post(&format!("/jobs/{}/stop?abandon=perhaps", m.project), &json!({}))
        .await
        .error(400, "invalid_request");
}

/// Requests of every version of the API that clients know.
#[tokio::test(flavor = "multi_thread")]
async fn options_of_other_versions_are_understood() {
    let m = shop().await;
    let job = m
        .job()
        .with("/options/signalingTable", json!("public.signals"))
        .with("/options/metadataSnapshotOptions", json!({"any": 1}));
    assert_completed(&m.run(&job).await);
    full_identity(&m.source).await;
    let incremental = m.job().dropping(false).with("/options/mode", json!("INCREMENTAL"));
    let c = Continuous::start_job(m, &incremental).await;
    assert_completed(&c.complete().await);
    let wrong = c.m.job().with("/options/colour", json!("red"));
    let message = c.api().create_job(&wrong).await.error(400, "invalid_request");
    assert!(message.contains("colour"), "{message}");
}

/// A job that completes has been asked for its end: a pause would only hold it up.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_completes_cannot_be_paused() {
    let m = shop().await;
    full_identity(&m.source).await;
    let job = continuous_job(&m);
    let c = Continuous::start_job(m, &job).await;
    c.m.app.hold("point");
    c.run("update p set n = 'other'").await;
    c.m.app.is_held("point").await;
    c.api().act(&c.id, "stop").await.ok();
    c.wait("completing", |j| j.cdc_status == CdcStatus::Completing).await;
    c.api().act(&c.id, "pause").await.error(409, "wrong_state");
    c.m.app.let_go("point");
    assert_completed(&c.api().wait_ended(&c.id, LONG).await);
}
