//! A continuous job from a server of the family, and the rule that decides about it: once it has applied everything, the
//! destination holds what a fresh snapshot of the source would write into an empty one.

use bson::Document;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use godwit_tests::api::{Api, Job, LONG};
use godwit_tests::app::App;
use godwit_tests::continuous::applied;
use godwit_tests::docs::{collections, difference, documents, raw_documents};
use godwit_tests::mapping::project_file_of;
use godwit_tests::servers::{Family, MySql, Target, servers};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde_json::{Value, json};
use std::time::Instant;
use tokio::sync::Mutex;

/// See the module.
pub struct Following {
    pub app: App,
    pub family: Family,
    pub port: u16,
    pub database: String,
    pub target: Target,
    pub project: String,
    pub details: Value,
    pub id: String,
    pub sql: Mutex<Conn>,
    fresh: Target,
}

/// What a collection must hold, by its name.
pub type Expected<'a> = (&'a str, Vec<Document>);

/// Runs a test with a job that streams, on each server. In the mapping `$` stands for the database.
pub async fn on_both(hint: &str, statements: &str, spec: &Value, test: impl AsyncFn(&mut Following)) {
    for family in Family::ALL {
        let mut f = Following::new(family.server().await, family, hint, statements, spec).await;
        f.streaming().await;
        test(&mut f).await;
    }
}

impl Following {
    /// A database with these statements run in it, and a continuous job that has been started.
    pub async fn new(server: &MySql, family: Family, hint: &str, statements: &str, spec: &Value) -> Following {
        let mut f = Following::prepared(server, family, hint, statements, spec).await;
        f.id = f.app.api().start_job(&f.continuous()).await;
        f
    }

    /// The same without a job.
    pub async fn prepared(server: &MySql, family: Family, hint: &str, statements: &str, spec: &Value) -> Following {
        let statements: Vec<&str> = split(statements);
        let database = server.database(hint, &statements).await;
        let (app, servers) = tokio::join!(App::start(), servers());
        let (target, fresh) = (servers.mongo.target(hint).await, servers.mongo.target("fresh").await);
        let details = json!({
            "type": if family == Family::MariaDb { "MARIADB" } else { "MYSQL" },
            "url": format!("jdbc:mysql://127.0.0.1:{}/{database}", server.port),
            "user": "root", "password": "",
        });
        let read = app
            .api()
            .post("/schema/jdbc", &json!({"jdbcConnectionDetails": details}))
            .await
            .ok();
        let spec: Value =
            serde_json::from_str(&spec.to_string().replace("$.", &format!("{database}."))).expect("a mapping");
        let project = app.api().import_project(&project_file_of(&read["full"], &spec)).await;
        let sql = server.connect("root", &database).await.expect("a connection");
        Following {
            app,
            family,
            port: server.port,
            database,
            target,
            project,
            details,
            id: String::new(),
            sql: Mutex::new(sql),
            fresh,
        }
    }

    fn job_of(&self, target: &Target, mode: &str) -> Job {
        Job(json!({
            "projectId": self.project, "jdbcConnectionDetails": self.details,
            "mongodbConnectionDetails": {"connectionString": target.uri},
            "options": {"mode": mode, "dropCollections": true},
            "verification": {"enabled": false},
        }))
    }

    pub fn continuous(&self) -> Job {
        self.job_of(&self.target, "CDC")
    }

    pub fn api(&self) -> Api {
        self.app.api()
    }

    pub fn is_mariadb(&self) -> bool {
        self.family == Family::MariaDb
    }

    pub async fn job(&self) -> MigrationJobStatus {
        self.api().job(&self.id).await
    }

    pub async fn streaming(&self) -> MigrationJobStatus {
        self.wait("streaming", |job| job.cdc_status == CdcStatus::Running).await
    }

    /// Waits for a state of a job that must not end before it.
    pub async fn wait(&self, what: &str, condition: impl Fn(&MigrationJobStatus) -> bool) -> MigrationJobStatus {
        let status = (self.api())
            .wait_job(&self.id, what, LONG, |job| condition(job) || job.status.is_ended())
            .await;
        assert!(condition(&status), "the job has ended before {what}: {status:#?}");
        status
    }

    /// Statements with `;` between them, on the one connection of the test.
    pub async fn run(&self, sql: &str) {
        let mut conn = self.sql.lock().await;
        for statement in split(sql) {
            let done = conn.query_drop(statement).await;
            done.unwrap_or_else(|error| panic!("{:?}: {statement}: {error}", self.family));
        }
    }

    /// The end of the log.
    pub async fn log_end(&self) -> (u64, u64) {
        let mut conn = self.sql.lock().await;
        let row: mysql_async::Row = conn
            .query_first("SHOW MASTER STATUS")
            .await
            .expect("an answer")
            .expect("a log");
        let (file, offset): (String, u64) = (row.get(0).expect("a file"), row.get(1).expect("an offset"));
        let number = file.rsplit_once('.').and_then(|(_, n)| n.parse().ok());
        (number.expect("a number"), offset)
    }

    /// How many files the log has.
    pub async fn log_files(&self) -> usize {
        let mut conn = self.sql.lock().await;
        let rows: Vec<mysql_async::Row> = conn.query("SHOW BINARY LOGS").await.expect("files");
        rows.len()
    }

    /// Waits until the job has applied everything that is committed now.
    pub async fn settled(&self) -> MigrationJobStatus {
        let end = self.log_end().await;
        let what = format!("{end:?} of {:?}", self.family);
        applied(
            async || self.job().await,
            &what,
            |position| place(position) >= end,
            LONG,
        )
        .await
    }

    /// Runs one case in two ways: every step applied before the next comes, and all steps in the log before the job sees
    /// the first.
    pub async fn case(&self, name: &str, start: &str, steps: &[&str], expected: &[Expected<'_>]) {
        self.run(start).await;
        self.settled().await;
        for step in steps {
            self.run(step).await;
            self.settled().await;
        }
        self.expect(&format!("{name}, step by step"), expected).await;
        self.run(start).await;
        self.settled().await;
        self.while_paused(steps).await;
        self.settled().await;
        self.expect(&format!("{name}, at once"), expected).await;
        self.like_snapshot(name).await;
    }

    pub async fn while_paused(&self, steps: &[&str]) {
        self.pause().await;
        for step in steps {
            self.run(step).await;
        }
        self.resume().await;
    }

    pub async fn expect(&self, case: &str, expected: &[Expected<'_>]) {
        for (collection, expected) in expected {
            let found = documents(&self.target.database, collection).await;
            if let Some(difference) = difference(&found, expected) {
                panic!(
                    "{:?}: {case}: {collection}: {difference}\n{:#?}",
                    self.family,
                    self.job().await
                );
            }
        }
    }

    /// Waits until every collection is as a fresh snapshot of the source: a job may have to do more after the last
    /// position than the log says.
    pub async fn like_snapshot(&self, case: &str) {
        let deadline = Instant::now() + LONG;
        loop {
            self.streaming().await;
            self.settled().await;
            let Some(difference) = self.unlike_snapshot().await else {
                return;
            };
            let is_late = Instant::now() >= deadline || self.job().await.status.is_ended();
            // What a document lacks after all changes are applied nothing mends any more.
            assert!(
                !is_late,
                "{:?}: {case}: {difference}\n{:#?}",
                self.family,
                self.job().await
            );
            self.settled().await;
            let still = self.unlike_snapshot().await;
            assert!(
                still.as_ref() != Some(&difference) || self.is_reading_again().await,
                "{:?}: {case}: not as a fresh snapshot: {difference}\n{:#?}",
                self.family,
                self.job().await
            );
        }
    }

    /// The position is told before a schema that has changed is followed.
    async fn is_reading_again(&self) -> bool {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        self.job().await.cdc_status == CdcStatus::Running && self.unlike_snapshot().await.is_none()
    }

    /// How the destination differs from a fresh snapshot of the source as it is now.
    pub async fn unlike_snapshot(&self) -> Option<String> {
        let id = self.api().start_job(&self.job_of(&self.fresh, "SNAPSHOT")).await;
        let job = self.api().wait_ended(&id, LONG).await;
        assert_eq!(job.status, JobStatus::Completed, "the fresh snapshot: {job:#?}");
        let mut names = collections(&self.target.database).await;
        names.extend(collections(&self.fresh.database).await);
        names.sort();
        names.dedup();
        let mut differences = Vec::new();
        for name in names {
            if raw_documents(&self.target.database, &name).await == raw_documents(&self.fresh.database, &name).await {
                continue;
            }
            let found = documents(&self.target.database, &name).await;
            let expected = documents(&self.fresh.database, &name).await;
            differences.extend(difference(&found, &expected).map(|d| format!("{name}: {d}")));
        }
        (!differences.is_empty()).then(|| differences.join("\n"))
    }

    pub async fn pause(&self) {
        self.api().act(&self.id, "pause").await.ok();
        self.wait("a pause", |job| job.cdc_status == CdcStatus::Paused).await;
    }

    pub async fn resume(&self) {
        self.api().act(&self.id, "resume").await.ok();
        self.streaming().await;
    }

    pub async fn complete(&self) -> MigrationJobStatus {
        self.api().act(&self.id, "stop").await.ok();
        let job = self.api().wait_ended(&self.id, LONG).await;
        assert_eq!(
            (job.status, job.cdc_status),
            (JobStatus::Completed, CdcStatus::Completed),
            "{:?}: {job:#?}",
            self.family
        );
        job
    }

    /// A new connection, after the source has been away.
    pub async fn connect_again(&self, server: &MySql) {
        *self.sql.lock().await = server.connect("root", &self.database).await.expect("a connection");
    }
}

/// `000042:1337`.
fn place(text: &str) -> (u64, u64) {
    let parts = text
        .split_once(':')
        .and_then(|(file, offset)| Some((file.parse().ok()?, offset.parse().ok()?)));
    parts.unwrap_or_else(|| panic!("not a position: {text}"))
}

fn split(sql: &str) -> Vec<&str> {
    sql.split(';').map(str::trim).filter(|s| !s.is_empty()).collect()
}
