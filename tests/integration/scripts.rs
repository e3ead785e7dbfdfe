//! Expressions that somebody wrote to do harm, or by mistake: they cost their rows, and nobody else anything.

use crate::common::{assert_completed, coll, issues, spec};
use bson::doc;
use godwit_shared::job::EventType;
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::mapping::project_file;
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};
use std::time::Duration;

const ROWS: &str =
    "create table t(id int primary key, n text); insert into t select i, 'n' || i from generate_series(1, 5) i";

/// A project of the table with one calculated field.
async fn project_of(m: &Migration, expression: &str) -> String {
    let rules = spec([coll("t", "t", "").with("calc", json!({"x": expression}))]);
    let file = project_file(&m.source.connect().await, &rules).await;
    m.app.api().import_project(&file).await
}

fn preview_of(m: &Migration) -> Value {
    let Job(job) = m.job();
    json!({"jdbcConnectionDetails": job["jdbcConnectionDetails"], "collection": "t", "limit": 5})
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_end_their_engine_are_issues_and_nothing_else() {
    let calculated = json!({
        "x": "columns.id == 2 ? new Array(1e9) : columns.id == 3 ? Array.prototype.reverse.call({length: 2**53-1}) : columns.id",
        "y": "columns.id == 4 ? (() => { const a = []; a[2**32-2] = 1; return a })() : [columns.n]",
        "z": "columns.id == 5 ? ({'\\ud800': 1}) : columns.id == 1 ? new Map([[1, 2]]) : 1",
    });
    let m = Migration::new(ROWS, spec([coll("t", "t", "").with("calc", calculated)])).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(
        issues(&job, EventType::Error),
        [
            "expression_failed public.t x 2",
            "expression_failed public.t y 1",
            "expression_failed public.t z 2"
        ]
    );
    m.expect(
        "t",
        &[
            doc! {"_id": 1, "x": 1, "y": ["n1"], "z": null},
            doc! {"_id": 2, "x": null, "y": ["n2"], "z": 1},
            doc! {"_id": 3, "x": null, "y": ["n3"], "z": 1},
            doc! {"_id": 4, "x": 4, "y": null, "z": 1},
            doc! {"_id": 5, "x": 5, "y": ["n5"], "z": null},
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_project_does_another_does_not_see() {
    let sum = "(() => { let s = 0; for (const v of [1, 2, 3]) s += v; return s })()";
    let poison = "(() => { const p = Object.getPrototypeOf([][Symbol.iterator]()); \
                  try { p.next = () => ({done: true}) } catch (e) {} Math.max.seen = 1; return 1 })()";
    let m = Migration::new(ROWS, spec([coll("t", "t", "").with("calc", json!({"x": sum}))])).await;
    let other = project_of(&m, poison).await;
    let api = m.app.api();
    for _ in 0..3 {
        let job = api.start_job(&Job::new(&other, &m.source, &m.target)).await;
        assert_completed(&api.wait_ended(&job, LONG).await);
        m.complete().await;
        m.expect("t", &[1, 2, 3, 4, 5].map(|id: i32| doc! {"_id": id, "x": 6}))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_leaves_its_brackets_is_refused_before_it_runs() {
    let m = Migration::new(ROWS, spec([coll("t", "t", "")])).await;
    for text in [
        "1)}, (() => { for (;;); })(), function (columns) { return (2",
        "1)}, Array.prototype.reverse.call({length: 2**53-1}), function (columns) { return (2",
        "a) => (1",
        "1; for (;;);",
    ] {
        let project = project_of(&m, text).await;
        let path = format!("/project/{project}/preview");
        let message = m
            .app
            .api()
            .post(&path, &preview_of(&m))
            .await
            .error(422, "invalid_mapping");
        assert!(message.contains("cannot be compiled"), "{text}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_previews_leave_the_server_to_others() {
    let mut m = Migration::new(ROWS, spec([coll("t", "t", "")])).await;
    let mut hostile = tokio::task::JoinSet::new();
    for text in [
        "(() => { for (;;); })()",
        "Array.prototype.reverse.call({length: 2**53-1})",
        "(() => { const a = []; for (;;) a.push('x'.repeat(2**20) + a.length) })()",
        "'a'.repeat(30000).replace(/(.*)*x/, '')",
    ] {
        let path = format!("/project/{}/preview", project_of(&m, text).await);
        let (api, body) = (m.app.api(), preview_of(&m));
        hostile.spawn(async move { api.post(&path, &body).await.status });
    }
    let api = m.app.api();
    for _ in 0..5 {
        let health = tokio::time::timeout(Duration::from_secs(10), api.try_get("/actuator/health")).await;
        assert_eq!(health.expect("an answer in time").map(|a| a.status), Some(200));
    }
    let fine = project_of(&m, "[columns.n].join()").await;
    let preview = api
        .post(&format!("/project/{fine}/preview"), &preview_of(&m))
        .await
        .ok();
    assert_eq!(preview["documents"][0]["x"], "n1");
    let workers = workers_of(m.app.pid());
    assert!(!workers.is_empty() && workers.len() <= 2, "{workers:?}");
    m.app.terminate(Duration::from_secs(10));
    let are_gone = async || workers.iter().all(|pid| command_of(*pid).is_none()).then_some(());
    wait_for("the workers to end", LONG, are_gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_do_not_outlive_a_server_that_is_killed() {
    let mut m = Migration::new(ROWS, spec([coll("t", "t", "")])).await;
    let endless = project_of(&m, "(() => { for (;;); })()").await;
    let (api, body) = (m.app.api(), preview_of(&m));
    let left = tokio::spawn(async move { api.post(&format!("/project/{endless}/preview"), &body).await.status });
    let pid = m.app.pid();
    let started = async || workers_of(pid).first().copied();
    let worker = wait_for("a worker", LONG, started).await;
    left.abort();
    m.app.kill();
    let is_gone = async || command_of(worker).is_none().then_some(());
    wait_for("the worker to end", LONG, is_gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_nothing_takes_is_an_issue_of_its_row() {
    let id = "columns.id == 1 ? columns.n.repeat(4500000) : columns.id == 2 ? ({a: [{$b: 1}]}) : columns.id == 3 ? [1] \
              : columns.id == 4 ? (() => { let a = 1; for (let i = 0; i < 101; i++) a = {a}; return a })() : 'right'";
    let m = Migration::new(ROWS, spec([coll("t", "t", "n").with("calc", json!({"_id": id}))])).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), ["id_invalid public.t _id 4"]);
    m.expect("t", &[doc! {"_id": "right", "n": "n5"}]).await;
}

/// The children of a server that evaluate for it.
fn workers_of(server: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(server) && command_of(*pid).is_some_and(|c| c.contains("script-worker")))
        .collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

/// Nothing of a process that has ended.
fn command_of(pid: u32) -> Option<String> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    (!line.is_empty()).then_some(line)
}
