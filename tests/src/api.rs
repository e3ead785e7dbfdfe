//! A client of the REST API that tests read easily: it panics with the server's answer where a test expects another.

use crate::servers::{Database, PASSWORD, SUPERUSER, Target};
use bytes::Bytes;
use futures_util::StreamExt;
use godwit_shared::API_BASE;
use godwit_shared::job::MigrationJobStatus;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::future::Future;
use std::time::{Duration, Instant};

/// Time enough for anything that a test waits for on a machine that is busy with much else. Nothing that is right takes
/// so long.
pub const LONG: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub struct Api {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer of the server, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The body as JSON; a JSON string where it is not JSON; null where it is empty.
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "answered {}: {:#}",
            self.status,
            self.body
        );
        self.body
    }

    /// The message of an error with this status and code.
    #[track_caller]
    pub fn error(self, status: u16, code: &str) -> String {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "answered {:#}",
            self.body
        );
        self.body["message"]
            .as_str()
            .expect("an error has a message")
            .to_owned()
    }
}

impl Api {
    pub fn new(base: String) -> Api {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Api { base, client }
    }

    /// Any request; paths that do not start with `/api` or `/actuator` are below the API's base path.
    /// `None` where nothing answers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Answer> {
        let mut all = headers.to_vec();
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        self.send_text(method, path, &all, text).await
    }

    /// The same with any text as body.
    pub async fn send_text(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Option<Answer> {
        let prefix = if path.starts_with("/api") || path.starts_with("/actuator") {
            ""
        } else {
            API_BASE
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{prefix}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).expect("a valid request");
        let response = self.client.request(request).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        let body = match serde_json::from_slice(&body) {
            Ok(value) => value,
            Err(_) if body.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(&body).into_owned()),
        };
        Some(Answer { status, body })
    }

    /// What is sent for a path of the page to a browser that understands these encodings: the encoding, and the bytes.
    pub async fn sent(&self, path: &str, encodings: &str) -> (String, Bytes) {
        let request = Request::get(format!("{}{path}", self.base)).header("accept-encoding", encodings);
        let request = request.body(Full::new(Bytes::new())).expect("a valid request");
        let response = self.client.request(request).await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        let encoding = response
            .headers()
            .get("content-encoding")
            .map(|value| value.to_str().expect("text").to_owned());
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (encoding.unwrap_or_default(), body)
    }

    async fn must(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let answer = self.send(method.clone(), path, &[], body).await;
        answer.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.must(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.must(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.must(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.must(Method::DELETE, path, None).await
    }

    /// Imports a project file; the id of the new project.
    pub async fn import_project(&self, file: &Value) -> String {
        let summary = self.post("/project/import", file).await.ok();
        summary["id"].as_str().expect("a project has an id").to_owned()
    }

    /// Asks for a job, which may be refused.
    pub async fn create_job(&self, job: &Job) -> Answer {
        self.post("/jobs", &job.0).await
    }

    /// Starts a job that must not be refused; its id.
    pub async fn start_job(&self, job: &Job) -> String {
        let status = self.create_job(job).await.ok();
        status["id"].as_str().expect("a job has an id").to_owned()
    }

    pub async fn job(&self, id: &str) -> MigrationJobStatus {
        let body = self.get(&format!("/jobs/{id}")).await.ok();
        serde_json::from_value(body.clone()).unwrap_or_else(|e| panic!("not a job: {e}: {body:#}"))
    }

    /// `stop`, `pause`, `resume`, `retry`.
    pub async fn act(&self, id: &str, action: &str) -> Answer {
        self.must(Method::POST, &format!("/jobs/{id}/{action}"), None).await
    }

    /// The job once it has ended, however.
    pub async fn wait_ended(&self, id: &str, timeout: Duration) -> MigrationJobStatus {
        self.wait_job(id, "its end", timeout, |job| job.status.is_ended()).await
    }

    /// The job once the condition holds; panics with the job when it does not in time.
    pub async fn wait_job(
        &self,
        id: &str,
        what: &str,
        timeout: Duration,
        condition: impl Fn(&MigrationJobStatus) -> bool,
    ) -> MigrationJobStatus {
        let mut looks = Looks::for_at_most(timeout);
        loop {
            let job = self.job(id).await;
            if condition(&job) {
                return job;
            }
            assert!(looks.next().await, "waited {timeout:?} for {what} of {job:#?}");
        }
    }

    /// Connects to the live channel.
    pub async fn live(&self) -> Live {
        let url = format!("{}{API_BASE}/live", self.base.replacen("http", "ws", 1));
        let (socket, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("the live channel connects");
        Live { socket }
    }
}

/// The live channel.
pub struct Live {
    socket: tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
}

impl Live {
    /// The next message; panics when none comes in time.
    pub async fn next(&mut self, timeout: Duration) -> Value {
        let next = async {
            loop {
                let message = self
                    .socket
                    .next()
                    .await
                    .expect("the channel stays open")
                    .expect("the channel works");
                if message.is_text() {
                    return serde_json::from_str(message.to_text().expect("text")).expect("messages are JSON");
                }
            }
        };
        tokio::time::timeout(timeout, next)
            .await
            .expect("a message of the live channel in time")
    }
}

/// The body of `POST /jobs`. Default: a snapshot that drops first, no limit of errors, as the superuser.
#[derive(Clone, Debug)]
pub struct Job(pub Value);

impl Job {
    pub fn new(project: &str, source: &Database, target: &Target) -> Job {
        Job(json!({
            "projectId": project,
            "jdbcConnectionDetails": {"type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER, "password": PASSWORD},
            "mongodbConnectionDetails": {"connectionString": target.uri},
            "options": {"mode": "SNAPSHOT", "dropCollections": true},
            "verification": {"enabled": false},
        }))
    }

    /// Whether the collections are dropped first.
    pub fn dropping(mut self, yes: bool) -> Job {
        self.0["options"]["dropCollections"] = json!(yes);
        self
    }

    /// Fail when so many errors have been counted.
    pub fn tolerating(mut self, errors: u64) -> Job {
        self.0["options"]["errorTolerance"] = json!(errors);
        self
    }

    /// `{schema: {table: {whereClause, rowCount}}}`
    pub fn filtered(mut self, filters: Value) -> Job {
        self.0["relationalTableFilters"] = filters;
        self
    }

    pub fn as_user(mut self, user: &str, password: &str) -> Job {
        self.0["jdbcConnectionDetails"]["user"] = json!(user);
        self.0["jdbcConnectionDetails"]["password"] = json!(password);
        self
    }

    /// Sets any member: `.with("/options/mode", json!("CDC"))`. Objects on the way must exist.
    pub fn with(mut self, pointer: &str, value: Value) -> Job {
        let (parent, name) = pointer.rsplit_once('/').expect("a JSON pointer");
        self.0.pointer_mut(parent).expect("the parent exists")[name] = value;
        self
    }
}

/// Looks at something again and again until it is as it should be: often at first, then less, for looking costs the
/// server time that what is waited for needs.
pub struct Looks {
    deadline: Instant,
    pause: Duration,
}

impl Looks {
    pub fn for_at_most(timeout: Duration) -> Looks {
        Looks {
            deadline: Instant::now() + timeout,
            pause: Duration::from_millis(4),
        }
    }

    /// Waits until the next look; false when the time is over.
    pub async fn next(&mut self) -> bool {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 5 / 4).min(Duration::from_millis(60));
        Instant::now() < self.deadline
    }
}

/// The first `Some`; panics when none comes in time. Nothing here sleeps longer than between two looks.
pub async fn wait_for<T, F: Future<Output = Option<T>>>(
    what: &str,
    timeout: Duration,
    mut look: impl FnMut() -> F,
) -> T {
    let mut looks = Looks::for_at_most(timeout);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(looks.next().await, "waited {timeout:?} for {what}");
    }
}
