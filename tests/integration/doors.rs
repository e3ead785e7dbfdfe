//! Who may ask, and what it costs: pages of others, clients that are slow or silent, a store that stands still.

use crate::common::{coll, spec};
use futures_util::StreamExt;
use godwit_tests::api::{LONG, Looks, wait_for};
use godwit_tests::app::App;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivateMongo;
use hyper::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// Far more than any answer takes, and far less than what a client that is not cut off would wait.
const SOON: Duration = Duration::from_secs(60);

fn port(app: &App) -> u16 {
    app.base()
        .rsplit(':')
        .next()
        .and_then(|p| p.parse().ok())
        .expect("a port")
}

async fn connect(app: &App) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port(app)))
        .await
        .expect("a connection")
}

/// What is answered to these bytes until the server closes.
async fn raw(app: &App, bytes: &[u8]) -> String {
    let mut stream = connect(app).await;
    stream.write_all(bytes).await.expect("a request");
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until the server closes; how long it took.
async fn until_closed(mut stream: TcpStream) -> Duration {
    let begun = Instant::now();
    let mut rest = vec![0; 1 << 16];
    let read = async { while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {} };
    tokio::time::timeout(SOON, read).await.expect("the server closes");
    begun.elapsed()
}

async fn asked(app: &App, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let answer = app
        .api()
        .send_text(method, path, headers, body.to_owned())
        .await
        .expect("an answer");
    (answer.status, answer.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_port_neither_starts_jobs_nor_reads_anything() {
    let m = Migration::new("create table t(id int primary key)", spec([coll("t", "t", "*")])).await;
    let (app, own) = (&m.app, m.app.base());
    let body = m.job().0.to_string();
    let other = format!("http://127.0.0.1:{}", port(app).wrapping_add(1));
    let json = ("content-type", "application/json");
    for origin in [
        other.as_str(),
        "http://localhost:3000",
        "null",
        "http://127.0.0.1",
        "http://[::1]",
        "https://evil.example",
    ] {
        for (method, path) in [
            (Method::POST, "/jobs"),
            (Method::POST, "/project/import"),
            (Method::GET, "/jobs"),
            (Method::DELETE, "/connections/jdbc/x"),
        ] {
            let (status, answer) = asked(app, method.clone(), path, &[json, ("origin", origin)], &body).await;
            assert_eq!(
                (status, &answer["code"]),
                (403, &json!("forbidden")),
                "{origin} {method} {path}"
            );
        }
    }
    for site in ["cross-site", "same-site"] {
        let (status, _) = asked(app, Method::POST, "/jobs", &[json, ("sec-fetch-site", site)], &body).await;
        assert_eq!(status, 403, "{site}");
    }
    assert_eq!(app.api().get("/jobs").await.ok(), json!([]), "a job was started");
    for headers in [
        vec![json],
        vec![json, ("origin", own.as_str())],
        vec![json, ("origin", &own), ("sec-fetch-site", "same-origin")],
    ] {
        let (status, answer) = asked(app, Method::POST, "/jobs/summary", &headers, &body).await;
        assert_eq!(status, 200, "{answer}");
    }
}

/// What a form can send without being asked first.
#[tokio::test(flavor = "multi_thread")]
async fn only_json_is_taken() {
    let app = App::start().await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "json",
        "",
        "text/plain;application/json",
        "application/json-patch+json",
    ] {
        for path in [
            "/jobs",
            "/project/import",
            "/connections/jdbc",
            "/connectivity/mongodb",
            "/project/recommendation",
        ] {
            let (status, answer) = asked(&app, Method::POST, path, &[("content-type", kind)], "{}").await;
            assert_eq!(
                (status, &answer["code"]),
                (415, &json!("unsupported_media_type")),
                "{kind} {path}"
            );
        }
    }
    let (status, _) = asked(&app, Method::POST, "/jobs", &[], "{}").await;
    assert_eq!(status, 415, "no type at all");
    let twice = [("content-type", "application/json"), ("content-type", "text/plain")];
    assert_eq!(asked(&app, Method::POST, "/jobs", &twice, "{}").await.0, 415);
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
    ] {
        let (status, answer) = asked(
            &app,
            Method::POST,
            "/project/recommendation",
            &[("content-type", kind)],
            "{}",
        )
        .await;
        assert_eq!(status, 400, "{kind}: {answer}");
    }
    // Without a body nothing has to be said of it.
    assert_eq!(asked(&app, Method::POST, "/jobs/x/stop", &[], "").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_hosts_are_refused() {
    let app = App::start().await;
    let port = port(&app);
    let get = |head: &str| format!("GET /api/v1/info HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
    for host in [
        "evil.example".to_owned(),
        "127.0.0.1.evil.example".into(),
        "localhost.".into(),
        "127.1".into(),
        "0.0.0.0".into(),
        "[::ffff:127.0.0.1]".into(),
        "localhost:99999999".into(),
        "[localhost]".into(),
        format!("127.0.0.1:{port}@evil.example"),
        String::new(),
        "127.9.9.9".into(),
        format!("localhost:{}", port.wrapping_add(1)),
        "localhost:".into(),
    ] {
        let answer = raw(&app, get(&format!("Host: {host}\r\n")).as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "403"].contains(&status), "{host}: {answer}");
    }
    for head in [
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: evil.example\r\nHost: localhost\r\n",
        "Host: localhost\r\nHost: localhost\r\n",
        "",
    ] {
        let answer = raw(&app, get(head).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{head}: {answer}");
    }
    let absolute = b"GET http://evil.example/api/v1/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(raw(&app, absolute).await.starts_with("HTTP/1.1 403"));
    assert!(raw(&app, b"GET /api/v1/info HTTP/1.0\r\n\r\n").await.contains(" 403 "));
    for host in [
        format!("127.0.0.1:{port}"),
        "localhost".into(),
        format!("LOCALHOST:{port}"),
        format!("[::1]:{port}"),
    ] {
        let answer = raw(&app, get(&format!("Host: {host}\r\n")).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let app = App::start().await;
    for path in [
        "/",
        "/projects/none",
        "/api/v1/info",
        "/api/v1/none",
        "/none.js",
        "/actuator/health",
    ] {
        let answer = raw(
            &app,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .await;
        let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
        for expected in [
            "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(expected), "{path} lacks {expected}: {head}");
        }
        assert!(
            !head.contains("unsafe-eval'; style") || head.contains("wasm-unsafe-eval"),
            "{head}"
        );
        assert!(!head.contains("access-control-allow-origin"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_channel_is_for_the_own_page_and_takes_little_of_its_reader() {
    let app = App::start().await;
    let url = format!("{}/api/v1/live", app.base().replacen("http", "ws", 1));
    let open = |origin: Option<&str>| {
        let mut request = url.as_str().into_client_request().expect("a request");
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", HeaderValue::from_str(origin).expect("a value"));
        }
        tokio_tungstenite::connect_async(request)
    };
    let other = format!("http://127.0.0.1:{}", port(&app).wrapping_add(1));
    for origin in [other.as_str(), "http://localhost:3000", "null", "https://evil.example"] {
        assert!(open(Some(origin)).await.is_err(), "{origin}");
    }
    for origin in [None, Some(app.base())] {
        let (mut socket, _) = open(origin.as_deref()).await.expect("the channel opens");
        let first = socket.next().await.expect("a message").expect("a text");
        assert!(
            first
                .to_text()
                .expect("a text")
                .starts_with("{\"type\":\"snapshot\",\"seq\":1,\"jobs\":["),
            "{first}"
        );
    }
    // No upgrade at all.
    app.api().get("/live").await.error(400, "invalid_request");
    // A frame of 64 MiB is refused when it is announced.
    let mut stream = upgraded(&app).await;
    let mut frame = vec![0x82, 0xff];
    frame.extend_from_slice(&(64u64 << 20).to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    stream.write_all(&frame).await.expect("the head of a frame");
    until_closed(stream).await;
}

/// A connection that is a WebSocket, and reads nothing of it by itself.
async fn upgraded(app: &App) -> TcpStream {
    let mut stream = connect(app).await;
    let head = "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 101");
    stream
}

/// Thirty of them took 1.5 GB.
#[tokio::test(flavor = "multi_thread")]
async fn readers_that_read_nothing_cost_little_and_are_cut_off() {
    let mut m = Migration::new("create table t(id int primary key)", spec([coll("t", "t", "*")])).await;
    m.complete().await;
    fill_history(&m, 300).await;
    m.app.restart().await;
    let jobs = m.app.api().get("/jobs?limit=1000").await.ok().to_string().len();
    assert!(jobs > 20_000_000, "the history has {jobs} bytes only");
    let before = m.app.peak_memory_mib();
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(upgraded(&m.app).await);
    }
    accepted(&m.app, &silent).await;
    // Others read all the same.
    let mut live = m.app.api().live().await;
    let first = live.next(LONG).await;
    assert_eq!(first["jobs"].as_array().map(Vec::len), Some(301));
    m.complete().await;
    let grown = m.app.peak_memory_mib().saturating_sub(before);
    assert!(grown < 150, "memory has grown by {grown} MiB");
    drop(live);
    wait_cut_off(&m.app, silent).await;
}

/// Which of these clients the server holds a connection of, by their ports. One that waits to be accepted, or that the
/// server has let go of, is nobody's: it has no inode. <https://docs.kernel.org/networking/proc_net_tcp.html>
fn held(app: &App, clients: &[TcpStream]) -> HashSet<u16> {
    let ports: HashSet<u16> = (clients.iter())
        .map(|c| c.local_addr().expect("a connected client").port())
        .collect();
    let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", app.pid())).expect("a running server");
    let port_of = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    let held = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (own, other, inode) = (port_of(fields[1])?, port_of(fields[2])?, fields[9]);
        (own == port(app) && inode != "0" && ports.contains(&other)).then_some(other)
    });
    held.collect()
}

/// Waits until the server has accepted each of these clients: a client is connected before that.
async fn accepted(app: &App, clients: &[TcpStream]) {
    let mut seen = HashSet::new();
    let mut looks = Looks::for_at_most(LONG);
    while seen.len() < clients.len() {
        seen.extend(held(app, clients));
        assert!(
            looks.next().await,
            "{} of {} clients accepted",
            seen.len(),
            clients.len()
        );
    }
}

/// Waits until the server has let go of each of these clients.
async fn wait_cut_off(app: &App, silent: Vec<TcpStream>) {
    wait_for("silent clients are cut off", LONG, async || {
        held(app, &silent).is_empty().then_some(())
    })
    .await;
}

/// Copies of the job that has ended, with long logs.
async fn fill_history(m: &Migration, count: usize) {
    let store = m.app.store().await;
    let jobs = store.collection::<bson::Document>("jobs");
    let entry = jobs.find_one(bson::doc! {}).await.expect("the store").expect("a job");
    let mut status: Value = serde_json::from_str(entry.get_str("status").expect("a status")).expect("JSON");
    let update = json!({"eventType": "WARNING", "stage": "SNAPSHOTTING", "message": "m".repeat(1_000), "timestamp": status["submittedAt"],
        "errorCode": "value_not_convertible", "key": {"id": "1"}, "count": 3});
    status["jobUpdates"] = json!(vec![update; 80]);
    let copies = (0..count).map(|number| {
        let mut entry = entry.clone();
        let id = format!("x{number}");
        status["id"] = json!(id);
        entry.insert("_id", id);
        entry.insert("status", status.to_string());
        entry
    });
    jobs.insert_many(copies).await.expect("a history");
}

/// Clients that do not finish what they began: none of them is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn half_requests_are_closed() {
    let app = App::start().await;
    let beginnings = [
        "",
        "GET",
        "GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\n",
        "GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        "POST /api/v1/project/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        // One that was answered, and asks nothing more.
        "GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    let mut open = Vec::new();
    for beginning in beginnings {
        let mut stream = connect(&app).await;
        stream.write_all(beginning.as_bytes()).await.expect("a beginning");
        open.push(until_closed(stream));
    }
    futures_util::future::join_all(open).await;
}

/// With the full number by hand: `GODWIT_SLOW_CLIENTS=2000`.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_slow_clients_keeps_nobody_waiting_and_the_end_comes_in_time() {
    let count = std::env::var("GODWIT_SLOW_CLIENTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(400);
    let mut app = App::start().await;
    let mut crowd = Vec::new();
    for number in 0..count {
        let mut stream = connect(&app).await;
        let head = match number % 3 {
            0 => "GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
            1 => {
                "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
            }
            _ => "",
        };
        let _ = stream.write_all(head.as_bytes()).await;
        crowd.push(stream);
    }
    let dripping = tokio::spawn(async move {
        for _ in 0..100 {
            for stream in &mut crowd {
                let _ = stream.write_all(b"a").await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        crowd
    });
    for _ in 0..20 {
        let begun = Instant::now();
        let answer = app.api().try_get("/actuator/health").await.expect("an answer");
        assert_eq!(answer.status, 200);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "health has taken {:?}",
            begun.elapsed()
        );
        app.api().get("/project").await.ok();
    }
    assert!(app.terminate(Duration::from_secs(10)).success());
    drop(dripping.await);
}

/// Answers that nobody takes are not kept for ever, and not without bound.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_take_their_answer_are_cut_off() {
    let mut m = Migration::new("create table t(id int primary key)", spec([coll("t", "t", "*")])).await;
    m.complete().await;
    fill_history(&m, 300).await;
    m.app.restart().await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        let mut stream = connect(&m.app).await;
        stream
            .write_all(b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .expect("a request");
        silent.push(stream);
    }
    accepted(&m.app, &silent).await;
    // Others are answered meanwhile.
    assert_eq!(m.app.api().get("/actuator/health/liveness").await.status, 200);
    wait_cut_off(&m.app, silent).await;
    let peak = m.app.peak_memory_mib();
    assert!(peak < 1_500, "the server had {peak} MiB");
    m.app.api().get("/jobs").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stands_still_holds_neither_health_nor_a_request_nor_the_end() {
    let store = PrivateMongo::start().await;
    let mut app = App::start_on(store.uri("godwit"), &[]).await;
    let api = app.api();
    store.freeze();
    let is_down = async || {
        let health = api.get("/actuator/health").await;
        (health.status == 503 && health.body["status"] == "DOWN").then_some(())
    };
    wait_for("health tells", LONG, is_down).await;
    let begun = Instant::now();
    api.get("/actuator/health").await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "health has taken {:?}",
        begun.elapsed()
    );
    assert_eq!(api.get("/actuator/health/liveness").await.status, 200);
    assert_eq!(api.get("/actuator/health/readiness").await.status, 503);
    let bodies = json!({"schemasId": "x"});
    let (list, jdbc, one, recommendation, unreadable) = tokio::join!(
        api.get("/project"),
        api.get("/connections/jdbc"),
        api.get("/project/x/export"),
        api.post("/project/recommendation", &bodies),
        api.get("/store/unreadable"),
    );
    for answer in [list, jdbc, one, recommendation, unreadable] {
        let message = answer.error(503, "store_unavailable");
        assert!(message.contains("store of Godwit does not answer"), "{message}");
    }
    // What is in memory is answered.
    api.get("/jobs").await.ok();
    store.thaw();
    wait_for("the store answers again", LONG, async || {
        (api.try_get("/actuator/health").await?.status == 200).then_some(())
    })
    .await;
    api.get("/project").await.ok();
    store.freeze();
    app.terminate(Duration::from_secs(10));
    store.thaw();
}
