//! Whatever a request says, the fault is the asker's: no answer is 500, and none is missing.

use crate::common::{array, coll, spec};
use futures_util::StreamExt;
use godwit_tests::app::App;
use godwit_tests::mapping::project_file;
use godwit_tests::migrate::Migration;
use hyper::Method;
use serde_json::{Value, json};

const SHOP: &str =
    "create table p(id int primary key, n text); create table c(id int primary key, p_id int references p, x text);
    insert into p values (1, 'a'); insert into c values (1, 1, 'b')";

/// Requests under way at once.
const TOGETHER: usize = 8;
/// Values of one body that are changed.
const PLACES_MAX: usize = 40;

async fn shop() -> (Migration, Value) {
    let rules = spec([coll("ps", "p", "n").embed([array("cs", "c", "id x")])]);
    let m = Migration::new(SHOP, rules.clone()).await;
    let file = project_file(&m.source.connect().await, &rules).await;
    (m, file)
}

/// What an answer to a wrong request must not be.
#[track_caller]
fn check(what: &str, status: Option<u16>, body: &Value) {
    let status = status.unwrap_or_else(|| panic!("no answer to {what}"));
    assert!(
        status != 500 && status != 501 && status < 504,
        "{status} to {what}: {body}"
    );
}

async fn ask(app: &App, method: &Method, path: &str, body: Option<String>) {
    let what: String = format!("{method} {path} {}", body.as_deref().unwrap_or_default())
        .chars()
        .take(600)
        .collect();
    let headers = [("content-type", "application/json")];
    let answer = app
        .api()
        .send_text(method.clone(), path, &headers, body.unwrap_or_default())
        .await;
    let (status, body) = answer.map_or((None, Value::Null), |a| (Some(a.status), a.body));
    check(&what, status, &body);
}

/// All paths of the API with their methods.
async fn endpoints(app: &App) -> Vec<(Method, String)> {
    let document = app.api().get("/openapi.json").await.ok();
    let paths = document["paths"].as_object().expect("paths");
    let of_path = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").keys();
        methods.map(|m| (m.to_uppercase().parse::<Method>().expect("a method"), path.clone()))
    });
    let all: Vec<_> = of_path.collect();
    assert!(all.len() > 30, "{all:?}");
    all
}

/// A path with something in the place of its parameter.
fn with_id(path: &str, id: &str) -> String {
    let (Some(from), Some(to)) = (path.find('{'), path.find('}')) else {
        return path.to_owned();
    };
    format!("{}{id}{}", &path[..from], &path[to + 1..])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_with_every_kind_of_bad_body() {
    let app = App::start().await;
    let deep = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let bodies = [
        String::new(),
        "null".into(),
        "true".into(),
        "0".into(),
        "\"x\"".into(),
        "[]".into(),
        "{}".into(),
        "{".into(),
        "[1,".into(),
        "{\"a\":1}x".into(),
        "NaN".into(),
        "1e999999".into(),
        "{\"id\":1e400}".into(),
        "{\"\":{}}".into(),
        "{\"\\u0000\":\"\\u0000\"}".into(),
        "\"\\ud800\"".into(),
        "{\"name\":\"\\ud800\"}".into(),
        "\u{feff}{}".into(),
        deep("[", "]", 200),
        deep("[", "]", 100_000),
        deep("{\"a\":", "}", 100_000),
        deep("{\"project\":", "}", 126),
        "{\"id\":\"a\",\"id\":\"b\"}".into(),
        "{\"projectId\":\"a\",\"projectId\":\"b\"}".into(),
        format!("{{\"name\":\"{}\"}}", "x".repeat(1 << 20)),
        format!("[{}0]", "0,".repeat(200_000)),
        "{\"type\":\"POSTGRESQL\",\"url\":\"\",\"url\":\"\"}".into(),
    ];
    let requests = endpoints(&app)
        .await
        .into_iter()
        .filter(|(method, _)| *method != Method::GET);
    let requests: Vec<_> = requests
        .flat_map(|(m, p)| bodies.iter().map(move |b| (m.clone(), with_id(&p, "abc"), b.clone())))
        .collect();
    let all = requests
        .iter()
        .map(|(method, path, body)| ask(&app, method, path, Some(body.clone())));
    futures_util::stream::iter(all)
        .buffer_unordered(TOGETHER)
        .collect::<Vec<()>>()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_with_every_kind_of_bad_id_and_parameter() {
    let app = App::start().await;
    let long = "x".repeat(20_000);
    let ids = [
        "%00",
        "%ff",
        "%C3%28",
        "a%2Fb",
        "..",
        "%2e%2e",
        "$where",
        "%24ne",
        "'",
        "\"%22",
        "a%20b",
        "%E2%80%AE",
        "-",
        "0",
        "9999999999999999999999",
        "null",
        "{}",
        "%7B%7D",
        &long,
        "a%00b",
        "%F0%9F%98%80",
        "a;b",
        "a?limit=-1",
        "a?limit=99999999999999999999&sort=x",
        "a?mode=%00",
        "a?sort=%ff,DESC",
        "a?collection=%00&limit=0",
        "a?abandon=1&abandon=2",
        "a?=&&=&",
    ];
    let mut requests = Vec::new();
    for (method, path) in endpoints(&app).await {
        for id in ids {
            let path = match path.contains('{') {
                true => with_id(&path, id),
                false => format!("{path}?{}", id.split_once('?').map_or(id, |(_, query)| query))
                    .replace(['"', '{', '}'], "%22"),
            };
            requests.push((method.clone(), path.replace(['"', '{', '}'], "%22")));
        }
    }
    let all = requests.iter().map(|(method, path)| {
        let body = (*method != Method::GET).then(|| "{}".to_owned());
        ask(&app, method, path, body)
    });
    futures_util::stream::iter(all)
        .buffer_unordered(TOGETHER)
        .collect::<Vec<()>>()
        .await;
}

/// Bytes that are no text at all, which the client of the other tests cannot send.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_utf8() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = App::start().await;
    let address = app.base().replacen("http://", "", 1);
    for (method, path) in endpoints(&app).await {
        for bytes in [
            &b"\xff\xfe"[..],
            b"{\"name\":\"\xff\"}",
            b"\x00",
            b"{\"url\":\"\xc3\x28\"}",
        ] {
            let head = format!(
                "{method} {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                with_id(&path, "abc"),
                bytes.len()
            );
            let mut stream = tokio::net::TcpStream::connect(&address).await.expect("a connection");
            stream.write_all(head.as_bytes()).await.expect("a head");
            stream.write_all(bytes).await.expect("a body");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok());
            check(&format!("{method} {path}"), status, &json!(answer));
        }
    }
}

/// Pointers to the values of a body, objects and lists among them.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    if !at.is_empty() {
        all.push(at.to_owned());
    }
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(n, v)| places(v, &format!("{at}/{}", escaped(n)), all)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(n, v)| places(v, &format!("{at}/{n}"), all)),
        _ => {}
    }
}

/// Bodies that are right but for one value.
#[tokio::test(flavor = "multi_thread")]
async fn every_value_of_a_good_body_in_its_turn() {
    let (m, file) = shop().await;
    let api = m.app.api();
    let details = m.job().0["jdbcConnectionDetails"].clone();
    let schema = api
        .post("/schema/jdbc", &json!({"jdbcConnectionDetails": details}))
        .await
        .ok();
    let project = api.get(&format!("/project/{}", m.project)).await.ok();
    let mut copy =
        json!({"name": "copy", "type": "POSTGRESQL", "schemasId": schema["id"], "content": project["content"]});
    let mut jdbc = details.clone();
    jdbc["name"] = json!("saved");
    let mongodb = json!({"name": "saved", "connectionString": m.target.uri, "database": "x"});
    let mut job = m
        .job()
        .filtered(json!({"public": {"p": {"whereClause": "id = 1", "rowCount": 1}}}))
        .0;
    job["collectionFilters"] = json!({"include": ["ps"], "exclude": []});
    let one = format!("/project/{}", m.project);
    let preview = json!({"jdbcConnectionDetails": details, "collection": "ps", "limit": 1});
    let ready =
        json!({"jdbcConnectionDetails": details, "relationalTableFilters": {}, "collectionFilters": {"include": []}});
    let first =
        json!({"schemasId": schema["id"], "initialMapping": "ALL", "casing": "CAMEL", "keyHandling": "GENERATED"});
    copy["jdbcId"] = json!("x");
    let bases = [
        (Method::POST, "/jobs/summary".to_owned(), job),
        (Method::POST, "/connections/jdbc".into(), jdbc),
        (Method::POST, "/connections/mongodb".into(), mongodb.clone()),
        (Method::POST, "/connectivity/jdbc".into(), details.clone()),
        (Method::POST, "/connectivity/mongodb".into(), mongodb),
        (
            Method::POST,
            "/schema/jdbc".into(),
            json!({"jdbcConnectionDetails": details}),
        ),
        (Method::POST, format!("{one}/preview"), preview),
        (Method::POST, format!("{one}/preflight?mode=SNAPSHOT"), ready),
        (Method::POST, "/project/recommendation".into(), first),
        (Method::POST, "/project".into(), copy),
        (Method::POST, "/project/import".into(), file),
    ];
    let hostile = [
        json!(null),
        json!(-1),
        json!(u64::MAX),
        json!(1.5e300),
        json!(""),
        json!("\0"),
        json!("x".repeat(30_000)),
        json!("\u{202e}'\";--"),
        json!([]),
        json!({}),
        json!([[[[{}]]]]),
        json!({"$where": "1"}),
    ];
    let mut requests = Vec::new();
    for (method, path, body) in &bases {
        let mut all = Vec::new();
        places(body, "", &mut all);
        // Of a large one every so many.
        for place in all.iter().step_by(all.len().div_ceil(PLACES_MAX)) {
            for value in &hostile {
                let mut body = body.clone();
                if let Some(name) = body.pointer_mut("/project/name") {
                    // Of its own: else each import looks for a free one.
                    *name = json!(format!("import {}", requests.len()));
                }
                *body.pointer_mut(place).expect("a place") = value.clone();
                requests.push((method.clone(), path.clone(), body.to_string()));
            }
        }
    }
    let all = requests
        .iter()
        .map(|(method, path, body)| ask(&m.app, method, path, Some(body.clone())));
    futures_util::stream::iter(all)
        .buffer_unordered(TOGETHER)
        .collect::<Vec<()>>()
        .await;
    m.complete().await;
}
