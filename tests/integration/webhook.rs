//! The webhook: what arrives, how often, and what it must not say.

use crate::common::{coll, spec};
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::app::App;
use godwit_tests::mapping::project_file;
use godwit_tests::servers::{PASSWORD, servers};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A listener that remembers what is posted to it, and answers the first ones as it is told.
struct Listener {
    port: u16,
    posted: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Listener {
    async fn start(first_answers: &'static [&'static str]) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let posted = Arc::new(Mutex::new(Vec::new()));
        let all = posted.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut text = Vec::new();
                let mut part = [0; 4096];
                // Head and body: the length says where it ends.
                loop {
                    let read = stream.read(&mut part).await.unwrap_or(0);
                    text.extend_from_slice(&part[..read]);
                    if read == 0 || is_whole(&text) {
                        break;
                    }
                }
                let text = String::from_utf8_lossy(&text).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let body = serde_json::from_str(body).expect("JSON");
                    all.lock().expect("a list").push((head.to_owned(), body));
                }
                let answer = first_answers.get(number).unwrap_or(&"200 OK");
                let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Listener { port, posted }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook/very-secret", self.port)
    }

    fn posted(&self) -> Vec<(String, Value)> {
        self.posted.lock().expect("a list").clone()
    }

    async fn wait(&self, count: usize) -> Vec<(String, Value)> {
        let look = async || Some(self.posted()).filter(|posted| posted.len() >= count);
        wait_for(&format!("{count} messages"), LONG, look).await
    }
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_job_arrives_also_after_refusals_and_names_no_secret() {
    let listener = Listener::start(&["503 Service Unavailable", "500 Internal Server Error"]).await;
    let app = App::start_with(&[("GODWIT_WEBHOOK_URL", &listener.url())]).await;
    let source = servers()
        .await
        .postgres
        .database(
            "webhook",
            "create table t(id int primary key); insert into t values (1), (2)",
        )
        .await;
    let target = servers().await.mongo.target("webhook").await;
    let file = project_file(&source.connect().await, &spec([coll("t", "t", "id")])).await;
    let api = app.api();
    let project = api.import_project(&file).await;
    let id = api.start_job(&Job::new(&project, &source, &target)).await;
    api.wait_ended(&id, LONG).await;
    // The same message three times: two were refused.
    let posted = listener.wait(3).await;
    assert!(
        posted.iter().all(|(_, body)| body["id"] == posted[0].1["id"]),
        "{posted:#?}"
    );
    let (head, body) = &posted[2];
    assert!(head.starts_with("POST /hook/very-secret HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
    assert_eq!(
        (&body["event"], &body["job"]["id"]),
        (&json!("JOB_COMPLETED"), &json!(id))
    );
    assert_eq!(body["job"]["documentsWritten"], 2);
    let text = body.to_string();
    assert!(
        !text.contains(PASSWORD) && !text.contains("mongodb://") && !text.contains("jdbc:"),
        "{text}"
    );

    // Users see where it goes, not the way there.
    let settings = api.get("/settings").await.ok();
    assert_eq!(
        settings["webhook"]["origin"],
        json!(format!("http://127.0.0.1:{}", listener.port))
    );
    assert!(!settings.to_string().contains("very-secret"), "{settings}");
    let last = async || {
        let settings = api.get("/settings").await.ok();
        let last = &settings["webhook"]["last"];
        (last["failure"].is_null() && !last["at"].is_null()).then_some(())
    };
    wait_for("the delivery in the settings", LONG, last).await;

    let tried = api.send(hyper::Method::POST, "/settings/webhook/test", &[], None).await;
    assert_eq!(tried.expect("an answer").ok()["failure"], Value::Null);
    let posted = listener.wait(4).await;
    assert_eq!(
        (&posted[3].1["event"], &posted[3].1["job"]),
        (&json!("TEST"), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_and_a_refusal_is_told() {
    let elsewhere = Listener::start(&[]).await;
    let answer: &'static str = Box::leak(format!("302 Found\r\nlocation: {}", elsewhere.url()).into_boxed_str());
    let answers: &'static [&'static str] = Box::leak(vec![answer].into_boxed_slice());
    let listener = Listener::start(answers).await;
    let app = App::start_with(&[("GODWIT_WEBHOOK_URL", &listener.url())]).await;
    let tried = app
        .api()
        .send(hyper::Method::POST, "/settings/webhook/test", &[], None)
        .await;
    let failure = tried.expect("an answer").ok()["failure"].to_string();
    assert!(failure.contains("302"), "{failure}");
    assert!(!failure.contains("very-secret"), "{failure}");
    assert_eq!(elsewhere.posted(), []);
    assert_eq!(listener.posted().len(), 1, "a test is sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_webhook_nothing_can_be_sent() {
    let app = App::start().await;
    let api = app.api();
    assert_eq!(api.get("/settings").await.ok()["webhook"], Value::Null);
    let tried = api.send(hyper::Method::POST, "/settings/webhook/test", &[], None).await;
    tried.expect("an answer").error(409, "wrong_state");
}
