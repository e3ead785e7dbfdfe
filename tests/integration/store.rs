//! The server's own store: one entry that cannot be read is left out and told, and the key file is the one that sealed it.

use crate::common::{assert_completed, coll, spec};
use bson::{Bson, Document, doc};
use godwit_tests::api::{Api, LONG};
use godwit_tests::app::App;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD, SUPERUSER};
use mongodb::Database as Store;
use serde_json::{Value, json};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

const TABLE: &str = "create table t(id int primary key, v text); insert into t values (1, 'a'), (2, 'b')";

/// A project, a job that has ended, and a saved connection of each kind.
async fn filled() -> Migration {
    let m = Migration::new(TABLE, spec([coll("t", "t", "v")])).await;
    m.complete().await;
    let api = m.app.api();
    api.post("/connections/jdbc", &jdbc("one", &m.source)).await.ok();
    let mongodb = json!({"name": "one", "connectionString": m.target.uri});
    api.post("/connections/mongodb", &mongodb).await.ok();
    m
}

fn jdbc(name: &str, source: &Database) -> Value {
    json!({"name": name, "type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER, "password": PASSWORD,
        "savePassword": true})
}

async fn first(store: &Store, collection: &str, filter: Document) -> Document {
    let found = store.collection::<Document>(collection).find_one(filter).await;
    found.expect("the store").expect("an entry")
}

/// A copy of an entry under the id `zz`, changed.
fn copy(mut entry: Document, change: impl FnOnce(&mut Document)) -> Document {
    entry.insert("_id", "zz");
    if entry.contains_key("name") {
        // Two may not have one name.
        entry.insert("name", "zz");
    }
    change(&mut entry);
    entry
}

async fn put(store: &Store, collection: &str, entry: Document) {
    let entries = store.collection::<Document>(collection);
    entries.insert_one(entry).await.expect("an entry");
}

/// How many entries each list has: every one of them answers.
async fn lengths(api: &Api) -> [usize; 4] {
    let mut lengths = [0; 4];
    for (at, path) in ["/project", "/jobs", "/connections/jdbc", "/connections/mongodb"]
        .iter()
        .enumerate()
    {
        let list = api.get(path).await.ok();
        lengths[at] = list.as_array().expect("a list").len();
    }
    lengths
}

/// What is told of the entry `zz`: its kind, and why it cannot be read.
async fn told(api: &Api, id: &str) -> (String, String) {
    let all = api.get("/store/unreadable").await.ok();
    let all = all.as_array().expect("a list").clone();
    let own: Vec<&Value> = all.iter().filter(|e| e["id"] == id).collect();
    assert_eq!(own.len(), 1, "{all:?}");
    let text = |member: &str| own[0][member].as_str().expect("a text").to_owned();
    (text("kind"), text("reason"))
}

/// Each of these kept the server from starting, or a list from being answered.
#[tokio::test(flavor = "multi_thread")]
async fn one_entry_that_cannot_be_read_stops_neither_the_start_nor_a_list() {
    let mut m = filled().await;
    let store = m.app.store().await;
    let (project, job) = (
        first(&store, "projects", doc! {}).await,
        first(&store, "jobs", doc! {}).await,
    );
    let saved = first(&store, "connections", doc! {"kind": "jdbc"}).await;
    let later = job
        .get_str("status")
        .expect("a status")
        .replace("COMPLETED", "VERIFYING");
    let wrong: [(&str, &str, Document); 12] = [
        ("PROJECT", "projects", doc! {"_id": "zz"}),
        (
            "PROJECT",
            "projects",
            copy(project.clone(), |e| _ = e.insert("summary", "{")),
        ),
        // Of another project: nothing may be done to that one under this id.
        ("PROJECT", "projects", copy(project.clone(), |_| ())),
        (
            "PROJECT",
            "projects",
            copy(project, |e| _ = e.insert("summary", Bson::Null)),
        ),
        ("JDBC_CONNECTION", "connections", doc! {"_id": "zz", "kind": "jdbc"}),
        (
            "JDBC_CONNECTION",
            "connections",
            copy(saved.clone(), |e| _ = e.insert("sealed", "text")),
        ),
        (
            "MONGODB_CONNECTION",
            "connections",
            copy(saved, |e| _ = e.insert("kind", "mongodb")),
        ),
        (
            "JOB",
            "jobs",
            doc! {"_id": "zz", "isEnded": true, "submittedAt": Bson::Null, "status": "{"},
        ),
        // Of a later version.
        (
            "JOB",
            "jobs",
            copy(job.clone(), |e| {
                _ = e.insert("status", later.replace(job_id(&job), "zz"))
            }),
        ),
        ("JOB", "jobs", copy(job.clone(), |_| ())),
        ("JOB", "jobs", doc! {"_id": "zz", "isEnded": false, "status": 5}),
        (
            "JOB",
            "jobs",
            doc! {"_id": "zz", "isEnded": false, "status": later, "owner": instance(&m.app)},
        ),
    ];
    for (kind, collection, entry) in wrong {
        put(&store, collection, entry.clone()).await;
        m.app.restart().await;
        let api = m.app.api();
        assert_eq!(lengths(&api).await, [1, 1, 1, 1], "{entry}");
        let (told_kind, reason) = told(&api, "zz").await;
        assert_eq!(told_kind, kind, "{entry}");
        assert!(!reason.is_empty());
        assert_completed(&m.run(&m.job()).await);
        let entries = store.collection::<Document>(collection);
        entries.delete_one(doc! {"_id": "zz"}).await.expect("a deletion");
        let jobs = store.collection::<Document>("jobs");
        let newer = doc! {"_id": {"$nin": [job_id(&job), "zz"]}};
        jobs.delete_many(newer).await.expect("a deletion");
    }
    // What is mended is forgotten.
    m.app.restart().await;
    assert_eq!(m.app.api().get("/store/unreadable").await.ok(), json!([]));
}

fn job_id(job: &Document) -> &str {
    job.get_str("_id").expect("an id")
}

/// What stands for this installation in the store.
fn instance(app: &App) -> String {
    std::fs::read_to_string(app.data_dir().join("instance")).expect("the instance")
}

/// A text that is no UTF-8 cannot be read by any driver.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_no_valid_bson_is_left_out() {
    let mut m = filled().await;
    let store = m.app.store().await;
    for collection in ["projects", "jobs", "connections"] {
        let entry =
            doc! {"_id": "zz", "name": "QQQQ", "kind": "jdbc", "status": "QQQQ", "summary": "QQQQ", "isEnded": true};
        let mut bytes = bson::serialize_to_vec(&entry).expect("bytes");
        while let Some(at) = bytes.windows(4).position(|w| w == b"QQQQ") {
            bytes[at] = 0xff;
        }
        let raw = bson::RawDocumentBuf::from_bytes(bytes).expect("a document");
        let entries = store.collection::<bson::RawDocumentBuf>(collection);
        entries.insert_one(raw).await.expect("an entry");
    }
    m.app.restart().await;
    assert_eq!(lengths(&m.app.api()).await, [1, 1, 1, 1]);
    let all = m.app.api().get("/store/unreadable").await.ok();
    assert_eq!(all.as_array().map(Vec::len), Some(3), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_answered_as_such_and_can_be_deleted() {
    let m = filled().await;
    let (api, store) = (m.app.api(), m.app.store().await);
    put(&store, "projects", doc! {"_id": "zz", "name": "zz"}).await;
    put(&store, "connections", doc! {"_id": "zz", "kind": "jdbc", "sealed": 1}).await;
    put(&store, "schemas", doc! {"_id": "zz", "model": "{"}).await;
    for path in [
        "/project/zz",
        "/project/zz/export",
        "/connections/jdbc/zz",
        "/schema/zz",
    ] {
        let message = api.get(path).await.error(422, "entry_unreadable");
        assert!(message.contains("cannot be read"), "{message}");
    }
    let details = json!({"existingConnectionId": "zz"});
    api.post("/connectivity/jdbc", &details)
        .await
        .error(422, "entry_unreadable");
    for path in ["/project/zz", "/connections/jdbc/zz"] {
        assert_eq!(api.delete(path).await.status, 204, "{path}");
        api.get(path).await.error(404, "not_found");
    }
    assert_eq!(api.get("/store/unreadable").await.ok(), json!([]));
}

/// An index that what is there does not allow.
#[tokio::test(flavor = "multi_thread")]
async fn two_projects_of_one_name_do_not_keep_the_server_from_starting() {
    let mut m = filled().await;
    let store = m.app.store().await;
    let projects = store.collection::<Document>("projects");
    projects.drop_indexes().await.expect("no indexes");
    for id in ["yy", "zz"] {
        put(&store, "projects", doc! {"_id": id}).await;
    }
    m.app.restart().await;
    assert_eq!(lengths(&m.app.api()).await, [1, 1, 1, 1]);
    let (kind, reason) = told(&m.app.api(), "projects").await;
    assert_eq!(kind, "STORE");
    assert!(reason.contains("index"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_is_missing_or_another_is_said_at_the_start() {
    let mut m = filled().await;
    let path = m.app.data_dir().join("godwit.key");
    let key = std::fs::read(&path).expect("a key");
    let refused = |m: &mut Migration| {
        let said = m.app.restart_fails();
        assert!(said.contains("godwit.key") && said.contains("Put"), "{said}");
        said
    };
    m.app.kill();
    std::fs::remove_file(&path).expect("a key file");
    assert!(refused(&mut m).contains("is missing"));
    assert!(!path.exists(), "a key was made anew");
    for wrong in [&b""[..], b"short", &[7; 33]] {
        std::fs::write(&path, wrong).expect("a file");
        assert!(refused(&mut m).contains("32 bytes"));
    }
    std::fs::write(&path, [7; 32]).expect("a file");
    assert!(refused(&mut m).contains("not the one"));
    // Also in a store of before, which has no check value.
    let seals = m.app.store().await.collection::<Document>("seals");
    seals.delete_many(doc! {}).await.expect("a deletion");
    assert!(refused(&mut m).contains("not the one"));
    std::fs::write(&path, &key).expect("a file");
    m.app.restart().await;
    assert_eq!(path.metadata().expect("a key file").mode() & 0o777, 0o600);
    let details = json!({"existingConnectionId": m.app.api().get("/connections/jdbc").await.ok()[0]["id"]});
    m.app.api().post("/connectivity/jdbc", &details).await.ok();
    let count = seals.count_documents(doc! {}).await.expect("a count");
    assert_eq!(count, 1, "the check value is there again");
}

/// Who has lost the key for good goes on; what it sealed is told, and not made unreadable for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_made_when_it_is_asked_for() {
    let mut m = filled().await;
    let path = m.app.data_dir().join("godwit.key");
    let old = std::fs::read(&path).expect("a key");
    m.app.kill();
    std::fs::remove_file(&path).expect("a key file");
    m.app.restart_with(&["--new-key"]).await;
    let api = m.app.api();
    assert_eq!(lengths(&api).await, [1, 1, 0, 0]);
    let all = api.get("/store/unreadable").await.ok();
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    assert!(
        all[0]["reason"].as_str().expect("a reason").contains("another key"),
        "{all}"
    );
    api.post("/connections/jdbc", &jdbc("two", &m.source)).await.ok();
    m.complete().await;
    // From now on the new one is the right one.
    m.app.restart_with(&[]).await;
    assert_eq!(lengths(&m.app.api()).await, [1, 2, 1, 0]);
    assert_ne!(std::fs::read(&path).expect("a key"), old);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_belongs_to_somebody_else_or_is_no_file_is_refused() {
    let mut m = filled().await;
    let path = m.app.data_dir().join("godwit.key");
    let aside = m.app.data_dir().join("aside");
    m.app.kill();
    std::fs::rename(&path, &aside).expect("another name");
    std::os::unix::fs::symlink(&aside, &path).expect("a link");
    assert!(m.app.restart_fails().contains("no regular file"));
    std::fs::remove_file(&path).expect("a link");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    assert!(m.app.restart_fails().contains("no regular file"));
    std::fs::remove_file(&path).expect("a FIFO");
    std::fs::rename(&aside, &path).expect("its name");
    // Only root can give something away.
    if chown(&path, Some(12_345), None).is_ok() {
        assert!(m.app.restart_fails().contains("belongs to the user 12345"));
        chown(&path, Some(0), None).expect("ours again");
    }
    m.app.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_of_others_is_refused() {
    let mut app = App::start().await;
    app.kill();
    let folder = app.data_dir();
    assert_eq!(folder.metadata().expect("a folder").mode() & 0o777, 0o700);
    let set = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("a mode");
    for mode in [0o777, 0o770, 0o722] {
        set(mode);
        let said = app.restart_fails();
        assert!(said.contains("chmod go-w"), "{said}");
    }
    set(0o755);
    if chown(&folder, Some(12_345), None).is_ok() {
        let said = app.restart_fails();
        assert!(
            said.contains("belongs to the user 12345") && said.contains("--data-dir"),
            "{said}"
        );
        chown(&folder, Some(0), None).expect("ours again");
    }
    app.restart().await;
    app.terminate(LONG);
}
