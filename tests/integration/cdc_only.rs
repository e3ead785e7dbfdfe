//! Jobs of the mode CDC_ONLY: the documents of an earlier snapshot are kept, only what changes from now on is written.

use crate::common::{array, assert_completed, coll, refused, spec};
use bson::doc;
use godwit_shared::job::JobStatus;
use godwit_tests::api::Job;
use godwit_tests::continuous::{Continuous, full_identity};
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};

fn only_changes(m: &Migration) -> Job {
    m.job().dropping(false).with("/options/mode", json!("CDC_ONLY"))
}

/// A snapshot of the rows, then a job that only follows.
async fn following(sql: &str, spec: Value) -> Continuous {
    let m = Migration::new(sql, spec).await;
    full_identity(&m.source).await;
    m.complete().await;
    let job = only_changes(&m);
    Continuous::start_job(m, &job).await
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_reach_the_documents_of_an_earlier_snapshot() {
    let c = following(
        "create table p(id int primary key, n text); create table c(id int primary key, p_id int references p, x text);
         insert into p select i, 'p' || i from generate_series(1, 300) i;
         insert into c select i, 1 + i % 300, 'c' || i from generate_series(1, 900) i",
        spec([coll("ps", "p", "n").embed([array("cs", "c", "id x")])]),
    )
    .await;
    c.run(
        "update p set n = 'other' where id < 10; delete from c where p_id = 20; delete from p where id = 20;
           insert into p values (1000, 'new'); update c set p_id = 1000 where id < 5",
    )
    .await;
    c.soon_like_snapshot("CDC_ONLY").await;
    assert_completed(&c.complete().await);
}

/// Keys that lose digits in BSON are claimed, and nobody has claimed those of the snapshot for this job.
#[tokio::test(flavor = "multi_thread")]
async fn documents_of_keys_that_lose_digits_go_with_their_rows() {
    let c = following(
        "create table t(id timestamp primary key, v int);
         insert into t select timestamp '2024-01-01' + i * interval '1 hour', i from generate_series(1, 50) i",
        spec([coll("ts", "t", "v")]),
    )
    .await;
    c.run("delete from t where v = 7; update t set id = id + interval '1 year' where v = 8; update t set v = 100 where v = 9")
        .await;
    c.soon_like_snapshot("keys").await;
    assert_eq!(c.count("ts", doc! {}).await, 49);
    assert_completed(&c.complete().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_snapshot_can_tell_is_refused() {
    for rules in [
        spec([coll("ts", "t", "v"), coll("ts", "u", "v")]),
        spec([coll("ts", "t", "v").with("calc", json!({"_id": "columns.v"}))]),
    ] {
        let m = Migration::new(
            "create table t(id int primary key, v int); create table u(id int primary key, v int)",
            rules,
        )
        .await;
        full_identity(&m.source).await;
        let message = refused(&m, &only_changes(&m), 400, "invalid_request").await;
        assert!(message.contains("\"ts\"") && message.contains("snapshot"), "{message}");
    }
}

/// After a TRUNCATE nobody knows which of the documents were of its rows: never a silent gap.
#[tokio::test(flavor = "multi_thread")]
async fn a_truncate_asks_for_a_resync() {
    let c = following(
        "create table t(id int primary key, v int); insert into t select i, i from generate_series(1, 20) i",
        spec([coll("ts", "t", "v")]),
    )
    .await;
    c.run("truncate t").await;
    let job = c.api().wait_ended(&c.id, godwit_tests::api::LONG).await;
    assert_eq!(job.status, JobStatus::Failed);
    let failure = job.failure_error.expect("a reason");
    assert_eq!(failure.error_type, godwit_shared::error::ErrorCode::ResyncNeeded);
    assert!(failure.message.contains("ts"), "{}", failure.message);
}
