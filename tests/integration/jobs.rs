//! What a user does with jobs, and what happens to them.

use crate::common::{again, array, assert_completed, coll, issues, refused, spec};
use bson::{Document, doc};
use godwit_shared::error::ErrorCode;
use godwit_shared::job::{EventType, JobStatus};
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::docs::{assert_documents, documents};
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::Proxy;
use godwit_tests::servers::{Database, servers};
use hyper::Method;
use serde_json::json;
use std::time::Duration;
use tokio::sync::OnceCell;

const ROWS: i32 = 30_000;

/// Several chunks of rows that are wide, two children for each.
const BUSY: &str = "
    create table big(id int primary key, v int, pad text); create table part(id int primary key, big_id int references big, n int);
    insert into big select i, i * 7 % 1000, rpad(md5(i::text), 1600, md5(i::text)) from generate_series(1, 30000) i;
    insert into part select i, (i + 1) / 2, i from generate_series(1, 60000) i; create index on part(big_id); analyze";

/// The database for tests that only read it.
async fn busy_source() -> Database {
    static MADE: OnceCell<(String, u16)> = OnceCell::const_new();
    let make = async || {
        let made = servers().await.postgres.database("busy", BUSY).await;
        (made.name, made.port)
    };
    let (name, port) = MADE.get_or_init(make).await.clone();
    Database { name, port }
}

fn mapping() -> serde_json::Value {
    spec([coll("big", "big", "v").embed([array("parts", "part", "n")])])
}

async fn busy() -> (Migration, Proxy) {
    to_proxy(busy_source().await).await
}

/// A migration to a destination that can be slow.
async fn to_proxy(source: Database) -> (Migration, Proxy) {
    let mongo = &servers().await.mongo;
    let proxy = Proxy::before(mongo.port).await;
    let target = mongo.target_at(proxy.port, "busy").await;
    (Migration::between(source, target, mapping()).await, proxy)
}

fn expected(id: i32) -> Document {
    doc! {"_id": id, "v": id * 7 % 1000, "parts": [{"n": id * 2 - 1}, {"n": id * 2}]}
}

async fn assert_all(m: &Migration) {
    let all: Vec<Document> = (1..=ROWS).map(expected).collect();
    let found = documents(&m.target.database, "big").await;
    if found != all {
        assert_documents(&found, &all);
    }
}

/// Starts the job; its id, once it has written something. Its destination stays slow.
async fn in_the_middle(m: &Migration, proxy: &Proxy, job: &Job) -> String {
    let api = m.app.api();
    let mut delay = Duration::from_millis(40);
    loop {
        proxy.delay(delay);
        let id = api.start_job(job).await;
        let status = api
            .wait_job(&id, "the first documents", LONG, |j| j.statistics.documents_written > 0)
            .await;
        if status.status == JobStatus::Running && status.statistics.documents_written < ROWS as u64 / 2 {
            return id;
        }
        // Too fast for a test that wants to do something meanwhile.
        api.wait_ended(&id, LONG).await;
        delay *= 2;
    }
}

async fn count(m: &Migration) -> u64 {
    m.target
        .database
        .collection::<Document>("big")
        .count_documents(doc! {})
        .await
        .expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_cancels_and_leaves_whole_documents() {
    let (m, proxy) = busy().await;
    let api = m.app.api();
    let id = in_the_middle(&m, &proxy, &m.job()).await;
    api.act(&id, "stop").await.ok();
    let job = api.wait_ended(&id, LONG).await;
    proxy.delay(Duration::ZERO);
    assert_eq!((job.status, job.failure_error), (JobStatus::Cancelled, None));
    let found = documents(&m.target.database, "big").await;
    assert!(
        !found.is_empty() && found.len() < ROWS as usize,
        "{} documents",
        found.len()
    );
    for document in &found {
        assert_eq!(*document, expected(document.get_i32("_id").expect("an id")));
    }
    for action in ["stop", "resume", "pause"] {
        api.act(&id, action).await.error(409, "wrong_state");
    }
    // What was stopped can be run again, over what it left.
    again(&m).await;
    assert_all(&m).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_and_resume_end_with_the_rows_of_the_first_moment() {
    let source = servers().await.postgres.database("busy", BUSY).await;
    let (m, proxy) = to_proxy(source).await;
    let api = m.app.api();
    let id = in_the_middle(&m, &proxy, &m.job()).await;
    api.act(&id, "resume").await.error(409, "wrong_state");
    assert_eq!(api.act(&id, "pause").await.ok()["status"], "PAUSED");
    let written = count(&m).await;
    api.act(&id, "pause").await.error(409, "wrong_state");
    m.source
        .run("update big set v = -1; delete from part where id % 3 = 0; insert into big values (0, 0, '')")
        .await;
    assert_eq!(count(&m).await, written, "documents were written during the pause");
    proxy.delay(Duration::ZERO);
    assert_eq!(api.act(&id, "resume").await.ok()["status"], "RUNNING");
    assert_completed(&api.wait_ended(&id, LONG).await);
    assert_all(&m).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_can_be_stopped() {
    let (m, proxy) = busy().await;
    let api = m.app.api();
    let id = in_the_middle(&m, &proxy, &m.job()).await;
    api.act(&id, "pause").await.ok();
    api.act(&id, "stop").await.ok();
    assert_eq!(api.wait_ended(&id, LONG).await.status, JobStatus::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_stays_paused_over_a_restart() {
    let (mut m, proxy) = busy().await;
    let api = m.app.api();
    let id = in_the_middle(&m, &proxy, &m.job()).await;
    api.act(&id, "pause").await.ok();
    m.app.kill();
    m.app.restart().await;
    assert_eq!(api.job(&id).await.status, JobStatus::Paused);
    proxy.delay(Duration::ZERO);
    api.act(&id, "resume").await.ok();
    assert_completed(&api.wait_ended(&id, LONG).await);
    assert_all(&m).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_finishes_its_job_after_the_restart() {
    let (mut m, proxy) = busy().await;
    let api = m.app.api();
    let id = in_the_middle(&m, &proxy, &m.job()).await;
    for _ in 0..2 {
        m.app.kill();
        let written = count(&m).await;
        assert!(written < ROWS as u64, "the job had ended");
        m.app.restart().await;
        wait_for("more documents", LONG, async || {
            (count(&m).await > written).then_some(())
        })
        .await;
    }
    proxy.delay(Duration::ZERO);
    let job = api.wait_ended(&id, LONG).await;
    assert_completed(&job);
    assert_all(&m).await;
    // What the goes before have done counts, and nothing twice.
    let (statistics, rows) = (&job.statistics, ROWS as u64);
    assert_eq!(
        (statistics.total_events_seen, statistics.documents_written),
        (3 * rows, rows)
    );
    let mut read: Vec<u64> = statistics.tables.iter().map(|t| t.rows_read).collect();
    read.sort_unstable();
    assert_eq!(read, [rows, 2 * rows]);
    // The one point in time went with the process: the user is told.
    let told = issues(&job, EventType::Warning);
    assert!(
        told.iter().any(|line| line.starts_with("two_points_in_time big")),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_jobs_at_once_but_not_into_the_same_collection() {
    let (m, proxy) = busy().await;
    let api = m.app.api();
    let id = in_the_middle(&m, &proxy, &m.job()).await;
    let answer = api.create_job(&m.job()).await;
    assert_eq!(answer.body["jobId"], id.as_str());
    assert!(answer.error(409, "job_conflict").contains("big"));
    proxy.delay(Duration::ZERO);
    let other = servers().await.mongo.target("other").await;
    let second = api.start_job(&Job::new(&m.project, &m.source, &other)).await;
    for id in [id, second] {
        assert_completed(&api.wait_ended(&id, LONG).await);
    }
    assert_all(&m).await;
    let (first, second) = (
        documents(&m.target.database, "big").await,
        documents(&other.database, "big").await,
    );
    assert!(first == second);
    // Once it has ended it is in nobody's way.
    again(&m).await;
}

/// Ten rows with an error each, and warnings in between.
async fn ten_errors() -> Migration {
    Migration::new(
        "create table t(id int primary key, d timestamp);
         insert into t select i, case when i % 2 = 0 then timestamp 'infinity' else '2024-01-01 00:00:00.000001' end
         from generate_series(1, 20) i",
        spec([coll("t", "t", "d")]),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_limit_ends_a_job() {
    let m = ten_errors().await;
    let job = m.run(&m.job().tolerating(3)).await;
    assert_eq!(job.status, JobStatus::Failed);
    let failure = job.failure_error.expect("why it failed");
    assert_eq!(
        (failure.error_type, failure.setup_error),
        (ErrorCode::TooManyErrors, false)
    );
    assert!(job.statistics.errors >= 3, "{}", job.statistics.errors);
    // What is tolerated does not end it, nor do warnings.
    for job in [
        m.job(),
        m.job().tolerating(11),
        m.job().tolerating(3).with("/options/errorHandling", json!("WARN")),
    ] {
        let job = m.run(&job).await;
        assert_completed(&job);
        assert_eq!(issues(&job, EventType::Error), ["value_not_convertible public.t d 10"]);
        assert_eq!(issues(&job, EventType::Warning), ["precision_lost public.t d 10"]);
        // What its type costs a column is one warning.
        assert_eq!((job.statistics.errors, job.statistics.warnings), (10, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_dropping_adds_and_replaces_and_leaves_the_rest() {
    let m = Migration::new(
        "create table t(id int primary key, v text); insert into t values (1, 'a'), (2, 'b'), (3, 'c')",
        spec([coll("t", "t", "v")]),
    )
    .await;
    m.complete().await;
    let foreign = doc! {"_id": "mine", "seen": true};
    m.target
        .database
        .collection::<Document>("t")
        .insert_one(&foreign)
        .await
        .expect("an insert");
    m.source
        .run("delete from t where id = 2; update t set v = 'A' where id = 1; insert into t values (4, 'd')")
        .await;
    let job = again(&m).await;
    let row = |id: i32, v: &str| doc! {"_id": id, "v": v};
    m.expect("t", &[row(1, "A"), row(2, "b"), row(3, "c"), row(4, "d"), foreign])
        .await;
    assert_eq!(job.statistics.collections[0].documents_untouched, Some(2));
    m.complete().await;
    m.expect("t", &[row(1, "A"), row(3, "c"), row(4, "d")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_channel_numbers_its_messages() {
    let m = Migration::new(
        "create table t(id int primary key); insert into t values (1)",
        spec([coll("t", "t", "")]),
    )
    .await;
    let mut live = m.app.api().live().await;
    let first = live.next(LONG).await;
    assert_eq!(
        (&first["type"], &first["seq"], &first["jobs"]),
        (&json!("snapshot"), &json!(1), &json!([]))
    );
    let id = m.app.api().start_job(&m.job()).await;
    let mut seq = 1;
    loop {
        let message = live.next(LONG).await;
        seq += 1;
        assert_eq!(message["seq"], seq, "{message}");
        if message["type"] == "jobChanged" && message["job"]["status"] == "COMPLETED" {
            assert_eq!(message["job"]["id"], id.as_str());
            break;
        }
    }
    let first = m.app.api().live().await.next(LONG).await;
    assert_eq!(
        (&first["seq"], &first["jobs"][0]["status"]),
        (&json!(1), &json!("COMPLETED"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_measured_of_a_job_is_there_after_its_end() {
    let m = Migration::new(
        "create table t(id int primary key); insert into t select generate_series(1, 1000)",
        spec([coll("t", "t", "")]),
    )
    .await;
    let api = m.app.api();
    let id = api.start_job(&m.job()).await;
    api.wait_ended(&id, LONG).await;
    let answer = api.get(&format!("/jobs/{id}/samples")).await.ok();
    let samples = answer["samples"].as_array().expect("samples");
    let (first, last) = (&samples[0], &samples[samples.len() - 1]);
    assert!(
        first["rowsPerSecond"].is_f64() && first["lagMs"].is_null(),
        "{answer:#}"
    );
    assert!(last["at"].is_string() && last["rowsPerSecond"].is_null(), "{answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_and_pages_are_refused() {
    let m = Migration::new("create table t(id int primary key)", spec([coll("t", "t", "")])).await;
    let api = m.app.api();
    for path in ["/jobs", "/live", "/project", "/actuator/health"] {
        for header in [
            ("host", "evil.example"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let answer = api.send(Method::GET, path, &[header], None).await.expect("an answer");
            assert_eq!(answer.status, 403, "{path} {header:?}: {:?}", answer.body);
        }
    }
    let own = m.app.base();
    let by_name = own.replacen("http://127.0.0.1", "localhost", 1);
    for headers in [&[("origin", own.as_str())][..], &[("host", by_name.as_str())], &[]] {
        assert_eq!(
            api.send(Method::GET, "/jobs", headers, None)
                .await
                .expect("an answer")
                .status,
            200,
            "{headers:?}"
        );
    }
}

async fn two_tables() -> Migration {
    Migration::new(
        "create table p(id int primary key, v text, \"odd \"\"name\" int); create table c(id int primary key, p_id int references p, n int);
         insert into p select i, 'v' || i, i * 10 from generate_series(1, 5) i; insert into p values (6, 'it''s; -- x', null);
         insert into c select i, (i + 1) / 2, i from generate_series(1, 10) i; analyze",
        spec([coll("ps", "p", "").embed([array("cs", "c", "id")])]),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn table_filters_choose_rows_wherever_the_table_is_used() {
    let m = two_tables().await;
    let p = |id: i32, cs: &[i32]| doc! {"_id": id, "cs": cs.iter().map(|c| doc! {"id": *c}).collect::<Vec<_>>()};
    let cases = [
        (
            json!({"p": {"whereClause": "id > 3 and v <> 'v4'"}}),
            vec![p(5, &[9, 10]), p(6, &[])],
        ),
        (json!({"p": {"whereClause": "v = 'it''s; -- x'"}}), vec![p(6, &[])]),
        (
            json!({"p": {"whereClause": "\"odd \"\"name\" = 20 -- a remark"}}),
            vec![p(2, &[3, 4])],
        ),
        (
            json!({"p": {"whereClause": "id = 1 or id = 2"}, "c": {"whereClause": "n % 2 = 0"}}),
            vec![p(1, &[2]), p(2, &[4])],
        ),
        (json!({"p": {"rowCount": 2}}), vec![p(1, &[1, 2]), p(2, &[3, 4])]),
        (
            json!({"p": {"whereClause": "id > 1", "rowCount": 1}, "c": {"rowCount": 3}}),
            vec![p(2, &[3])],
        ),
        (
            json!({"p": {"whereClause": "TRUE", "rowCount": 1}}),
            vec![p(1, &[1, 2])],
        ),
    ];
    for (filters, expected) in cases {
        let job = m.run(&m.job().filtered(json!({"public": filters}))).await;
        assert_completed(&job);
        m.expect("ps", &expected).await;
    }
    let job = m
        .run(&m.job().filtered(json!({"public": {"p": {"whereClause": "id > 99"}}})))
        .await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Warning), ["nothing_read ps - 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn table_filters_that_are_no_predicate_are_refused() {
    let m = two_tables().await;
    let wrong = [
        "no_column = 1",
        "id =",
        "id = 1; drop table c",
        "id = 1) union select 1 --",
        "true) or (true",
        "(id = 1",
        "/* x */ true",
        "v = $$x$$",
        "v = 'open",
        "id = 1 order by id",
        "count(*) > 1",
        "id",
        "true limit 1",
        "1 = 1)) to stdout; drop table c; --",
        "id in (select p_id from c where n = 1)",
    ];
    for text in wrong {
        let job = m.job().filtered(json!({"public": {"p": {"whereClause": text}}}));
        let message = refused(&m, &job, 400, "invalid_request").await;
        assert!(message.contains("public.p"), "{text}: {message}");
    }
    let job = m.job().filtered(json!({"public": {"gone": {"whereClause": "true"}}}));
    let message = refused(&m, &job, 422, "invalid_mapping").await;
    assert!(message.contains("public.gone"), "{message}");
    // Functions cannot change the source either.
    m.source
        .run("create function harm() returns bool language sql as 'delete from c; select true'")
        .await;
    let job = m.job().filtered(json!({"public": {"p": {"whereClause": "harm()"}}}));
    let answer = m.app.api().create_job(&job).await;
    if answer.status == 200 {
        let id = answer.body["id"].as_str().expect("an id");
        assert_eq!(m.app.api().wait_ended(id, LONG).await.status, JobStatus::Failed);
    }
    let rows = m
        .source
        .connect()
        .await
        .query_one("select count(*) from c", &[])
        .await
        .expect("the table is there");
    assert_eq!(rows.get::<_, i64>(0), 10);
}
