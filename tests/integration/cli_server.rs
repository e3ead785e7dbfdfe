//! Commands that ask a running server: the same paths and the same guard as for every other client.

use bson::doc;
use godwit_tests::app::App;
use godwit_tests::cli::Shell;
use godwit_tests::servers::{Target, servers};
use serde_json::{Value, json};

const SHOP: &str = "
    CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO customer VALUES (1, 'Ann'), (2, 'Bob');
";

struct Served {
    app: App,
    shell: Shell,
    target: Target,
}

async fn served(sql: &str) -> Served {
    let (app, servers) = tokio::join!(App::start(), servers());
    let target = servers.mongo.target("cli").await;
    let shell = Shell::new().with("GODWIT_SERVER", &app.base());
    shell.sqlite("shop.db", sql);
    let folder = app.data_dir().join("sqlite");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(shell.path("shop.db"), folder.join("shop.db")).expect("a copy");
    shell.ends(
        0,
        &["init", "shop.yaml", "--source", "sqlite:shop.db", "--keys", "single"],
    );
    Served { app, shell, target }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_server_is_started_watched_and_looked_at() {
    let s = served(SHOP).await;
    let start = [
        "jobs",
        "start",
        "shop.yaml",
        "--source",
        "sqlite:shop.db",
        "--target",
        &s.target.uri,
        "--watch",
        "--drop",
    ];
    let ended = s.shell.ends(0, &start).event("ended");
    assert_eq!(
        (&ended["status"], &ended["documentsWritten"]),
        (&json!("COMPLETED"), &json!(2))
    );
    let id = ended["job"].as_str().expect("an id").to_owned();
    let listed = s.shell.ends(0, &["jobs", "list"]).events();
    assert_eq!(listed[0]["id"], id.as_str());
    assert!(s.shell.ends(0, &["jobs", "list", "--running"]).events().is_empty());
    let shown = s.shell.ends(0, &["jobs", "show", &id[..8]]).events();
    assert_eq!(shown[0]["statistics"]["documentsWritten"], 2);
    assert!(
        s.shell
            .ends(0, &["jobs", "show", &id, "--output", "text"])
            .out
            .contains("completed")
    );
    s.shell.ends(0, &["jobs", "logs", &id]);
    // Watching what has ended says how.
    assert_eq!(s.shell.ends(0, &["jobs", "watch", &id]).event("ended")["exitCode"], 0);
    for what in ["stop", "pause", "resume", "complete"] {
        let refused = s.shell.ends(6, &["jobs", what, &id]);
        assert_eq!(refused.failure()["code"], "wrong_state", "{what}");
    }
    let missing = s.shell.ends(2, &["jobs", "show", "nothing"]);
    assert_eq!(missing.failure()["code"], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_paused_and_resumed_and_stopped() {
    let many = "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO customer SELECT i, 'customer ' || i FROM n";
    let s = served(many).await;
    // It waits where nothing is written yet, so that it does not end before it is paused.
    s.app.hold("created");
    let start = [
        "jobs",
        "start",
        "shop.yaml",
        "--source",
        "sqlite:shop.db",
        "--target",
        &s.target.uri,
    ];
    let mut starting = s.shell.start(&start);
    s.app.is_held("created").await;
    s.app.let_go("created");
    let id = starting.until("a job", |job| job["id"].is_string())["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(starting.end().code, 0);
    // Paused, or already done: both are said.
    let paused = s.shell.run(&["jobs", "pause", &id]);
    if paused.code == 0 {
        assert_eq!(s.shell.ends(0, &["jobs", "show", &id]).events()[0]["status"], "PAUSED");
        s.shell.ends(0, &["jobs", "resume", &id]);
    } else {
        assert_eq!(paused.failure()["code"], "wrong_state");
    }
    let stopped = s.shell.run(&["jobs", "stop", &id]);
    let ended = s.shell.run(&["jobs", "watch", &id]);
    match stopped.code {
        0 => assert_eq!(ended.code, 7, "{}", ended.out),
        _ => assert_eq!((stopped.code, ended.code), (6, 0), "{}", stopped.error),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_and_connections_of_a_server_are_kept() {
    let s = served(SHOP).await;
    let made = s.shell.ends(0, &["import", "shop.yaml"]).events();
    assert_eq!(made[0]["name"], "shop");
    let listed = s.shell.ends(0, &["projects", "list"]).events();
    assert_eq!(listed[0]["id"], made[0]["id"]);
    assert_eq!(
        s.shell.ends(0, &["projects", "show", "shop"]).events()[0]["collections"][0]["name"],
        "customer"
    );
    s.shell.ends(0, &["export", "shop", "back.yaml"]);
    s.shell.ends(0, &["diff", "shop.yaml", "back.yaml"]);
    let printed: Value = serde_json::from_str(&s.shell.ends(0, &["export", "shop"]).out).expect("JSON");
    assert_eq!(printed["project"]["name"], "shop");
    s.shell.ends(2, &["projects", "delete", "shop"]);
    s.shell.ends(0, &["projects", "delete", "shop", "--yes"]);
    assert!(s.shell.ends(0, &["projects", "list"]).events().is_empty());

    let saved = s
        .shell
        .ends(0, &["connections", "add", "files", "--source", "sqlite:shop.db"])
        .events();
    assert_eq!(saved[0]["connection"]["name"], "files");
    s.shell
        .ends(0, &["connections", "add", "mongo", "--target", &s.target.uri]);
    assert_eq!(s.shell.ends(0, &["connections", "list"]).events().len(), 2);
    let tested = s
        .shell
        .ends(
            0,
            &[
                "connections",
                "test",
                "--source",
                "sqlite:shop.db",
                "--target",
                &s.target.uri,
            ],
        )
        .events();
    assert!(tested.iter().all(|t| t["result"]["success"] == true));
    s.shell.ends(0, &["connections", "delete", "files"]);
    s.shell.ends(2, &["connections", "delete", "files"]);
    s.shell.ends(2, &["connections", "add", "x"]);
    s.shell.ends(0, &["doctor", "--with-server"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_so() {
    let shell = Shell::new().with("GODWIT_SERVER", "http://127.0.0.1:1");
    for arguments in [
        vec!["jobs", "list"],
        vec!["projects", "list"],
        vec!["connections", "list"],
        vec!["export", "x"],
    ] {
        let failure = shell.ends(4, &arguments).failure();
        assert_eq!(failure["code"], "server_unreachable");
    }
    shell.ends(2, &["jobs", "list", "--server", "somewhere"]);
    shell.ends(4, &["doctor", "--with-server"]);
}

/// Godwit has no sign-on: what asks for the token is a proxy in front of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_sent_to_whoever_asks_for_it() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}/godwit", listener.local_addr().expect("an address"));
    let proxy = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let answer = match head.contains("authorization: bearer abc\r\n") {
                true => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
                false => "HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno",
            };
            stream.write_all(answer.as_bytes()).expect("an answer");
            seen.push(head);
        }
        seen
    });
    let shell = Shell::new().with("GODWIT_SERVER", &base);
    let refused = shell.ends(4, &["projects", "list"]);
    assert_eq!(refused.failure()["code"], "answer");
    shell.write("token", "abc\n");
    shell.ends(0, &["projects", "list", "--token-file", "token"]);
    let seen = proxy.join().expect("a proxy");
    assert!(
        seen.iter()
            .all(|head| head.starts_with("get /godwit/api/v1/project http/1.1") && !head.contains("origin:")),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_job_of_a_server_is_completed() {
    let (app, servers) = tokio::join!(App::start(), servers());
    let source = servers
        .postgres
        .database(
            "cli",
            "CREATE TABLE customer(id int PRIMARY KEY, name text); INSERT INTO customer VALUES (1, 'Ann')",
        )
        .await;
    let target = servers.mongo.target("cli").await;
    let shell = Shell::new()
        .with("GODWIT_SERVER", &app.base())
        .with("GODWIT_SOURCE", &source.jdbc_url())
        .with("GODWIT_SOURCE_USER", godwit_tests::servers::SUPERUSER)
        .with("GODWIT_SOURCE_PASSWORD", godwit_tests::servers::PASSWORD)
        .with("GODWIT_TARGET", &target.uri);
    shell.ends(0, &["init", "shop.relmig"]);
    let started = shell
        .ends(0, &["jobs", "start", "shop.relmig", "--continuous"])
        .events();
    let id = started[0]["id"].as_str().expect("an id").to_owned();
    let mut watching = shell.start(&["jobs", "watch", &id]);
    watching.until("changes", |event| {
        event["event"] == "status" && event["cdcStatus"] == "RUNNING"
    });
    source.run("INSERT INTO customer VALUES (2, 'Bob')").await;
    let done = shell.ends(0, &["jobs", "complete", &id, "--watch"]);
    assert_eq!(done.event("ended")["cdcStatus"], "COMPLETED");
    assert_eq!(watching.end().code, 0);
    let customers = target.database.collection::<bson::Document>("customer");
    assert_eq!(customers.count_documents(doc! {}).await.expect("a count"), 2);
}
