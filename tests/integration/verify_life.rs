//! The life of a verification: as the last stage of a job, while a job follows changes, cancelled, paused, interrupted, and
//! what is kept of it.

use crate::common::{array, assert_completed, coll, migrated, spec};
use bson::{Document, doc};
use godwit_shared::verification::{Verification, VerificationStatus};
use godwit_tests::api::{Job, LONG, Looks};
use godwit_tests::continuous::Continuous;
use godwit_tests::migrate::Migration;
use godwit_tests::process::scratch;
use godwit_tests::servers::PrivatePostgres;
use godwit_tests::verifying::{self, CANCEL_MAX, act, assert_status, ended, findings, start, status, verify, wait};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Instant;

const ROWS: &str = "create table p(id int primary key, v int, t text);
    create table c(id int primary key, p_id int references p, n int); create index on c(p_id);
    insert into p select i, i % 100, repeat('x', 200) from generate_series(1, 60000) i;
    insert into c select i, 1 + i % 60000, i from generate_series(1, 120000) i";

fn rules() -> Value {
    spec([coll("p", "p", "*").embed([array("cs", "c", "n")])])
}

/// So slow that there is time for something to happen in the middle.
fn slow() -> Value {
    json!({"maxRowsPerSecond": 40_000})
}

fn verifying(job: Job) -> Job {
    job.with("/verification", json!({"enabled": true}))
}

async fn half(m: &Migration, id: &str) -> Verification {
    wait(&m.app.api(), id, "a part of it", |v| v.documents_verified() > 5_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_last_stage_of_a_job_that_wants_it_in_the_jobs_own_point_in_time() {
    let m = Migration::new(
        "create table t(id int primary key, v int); insert into t select i, i from generate_series(1, 500) i",
        spec([coll("t", "t", "*")]),
    )
    .await;
    m.app.hold("verify");
    let api = m.app.api();
    let id = api.start_job(&verifying(m.job())).await;
    m.app.is_held("verify").await;
    let job = api.job(&id).await;
    assert_eq!(job.metadata.verification_status.as_deref(), Some("VERIFYING"));
    assert!(job.metadata.verification_requested);
    // What changes now is no difference: the documents are those of the point in time.
    m.source
        .run("update t set v = -1; delete from t where id < 100; insert into t values (1000, 1)")
        .await;
    m.app.let_go("verify");
    let job = api.wait_ended(&id, LONG).await;
    assert_completed(&job);
    assert_eq!(
        job.metadata.verification_status.as_deref(),
        Some("VERIFIED"),
        "{:#?}",
        job.job_updates
    );
    let told = job
        .job_updates
        .iter()
        .find(|u| u.error_code == "verified")
        .expect("it is told");
    assert_eq!(told.stage, godwit_shared::job::EventStage::Verification);
    let one = api.get(&format!("/verification/{id}")).await.ok();
    assert_eq!(one["id"].as_str(), job.verification_job_id.as_deref());
    assert_eq!(one["collections"][0]["equal"], 500);
    // Now they are others.
    let later = verify(&api, &id, json!({})).await;
    assert_status(&later, VerificationStatus::Failed);
    assert_eq!(
        api.job(&id).await.metadata.verification_status.as_deref(),
        Some("FAILED")
    );
    // With the job its verifications go.
    api.delete(&format!("/jobs/{id}")).await.ok();
    api.get(&format!("/verifications/{}", later.id))
        .await
        .error(404, "not_found");
    // Only some collections, and one that there is not.
    let unknown = m.job().with(
        "/verification",
        json!({"enabled": true, "includedCollections": ["nothing"]}),
    );
    let job = m.run(&unknown).await;
    assert_completed(&job);
    assert_eq!(job.metadata.verification_status.as_deref(), Some("ABORTED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn to_stop_the_job_in_its_last_stage_cancels_the_verification_alone() {
    let m = Migration::new(ROWS, rules()).await;
    m.app.hold("verify");
    let api = m.app.api();
    let id = api.start_job(&verifying(m.job())).await;
    m.app.is_held("verify").await;
    let begin = Instant::now();
    api.act(&id, "stop").await.ok();
    let job = api.wait_ended(&id, LONG).await;
    assert!(begin.elapsed() < CANCEL_MAX * 3, "{:?}", begin.elapsed());
    m.app.let_go("verify");
    assert_completed(&job);
    assert_eq!(job.metadata.verification_status.as_deref(), Some("CANCELLED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_cancelled_at_half_within_a_second_and_paused_and_resumed() {
    let m = migrated(ROWS, rules()).await;
    let api = m.app.api();
    let job = api.get("/jobs").await.ok()[0]["id"].as_str().expect("a job").to_owned();
    let one = start(&api, &job, slow()).await;
    half(&m, &one.id).await;
    let begin = Instant::now();
    act(&api, &one.id, "cancel").await;
    let cancelled = ended(&api, &one.id).await;
    assert!(begin.elapsed() < CANCEL_MAX, "{:?}", begin.elapsed());
    assert_status(&cancelled, VerificationStatus::Cancelled);
    assert!(cancelled.documents_verified() < 60_000);
    let path = format!("/verifications/{}", one.id);
    api.post(&format!("{path}/cancel"), &json!({}))
        .await
        .error(409, "wrong_state");
    api.post(&format!("{path}/resume"), &json!({}))
        .await
        .error(409, "wrong_state");
    // Nothing of it goes on in the source.
    let sql = m.source.connect().await;
    let busy = "select count(*)::int from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid()";
    let mut looks = Looks::for_at_most(LONG);
    while sql.query_one(busy, &[]).await.expect("a count").get::<_, i32>(0) > 0 {
        assert!(looks.next().await, "the source is still at work");
    }

    let two = start(&api, &job, slow()).await;
    half(&m, &two.id).await;
    assert!(act(&api, &two.id, "pause").await.is_paused);
    tokio::time::sleep(std::time::Duration::from_millis(1_000)).await;
    let (before, after) = (status(&api, &two.id).await, {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        status(&api, &two.id).await
    });
    assert_eq!(before.documents_verified(), after.documents_verified());
    api.get(&format!("/verifications/{}/report", two.id))
        .await
        .error(409, "wrong_state");
    act(&api, &two.id, "resume").await;
    let done = ended(&api, &two.id).await;
    assert_status(&done, VerificationStatus::Verified);
    assert_eq!(done.collections[0].equal, 60_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_dies_in_the_middle_aborts_it_and_it_goes_on_from_there() {
    let mut postgres = PrivatePostgres::start(&[]).await;
    let source = postgres.database("verified", ROWS).await;
    let m = Migration::of(source, rules()).await;
    let job = m.complete().await.id.to_string();
    let api = m.app.api();
    let one = start(&api, &job, slow()).await;
    half(&m, &one.id).await;
    postgres.stop_at_once();
    let aborted = ended(&api, &one.id).await;
    assert_status(&aborted, VerificationStatus::Aborted);
    assert!(
        aborted.failure.is_some() && aborted.documents_verified() > 0,
        "{aborted:#?}"
    );
    // A change while it was away is found after it.
    let all = m.target.database.collection::<Document>("p");
    for id in [1, 59_999] {
        all.update_one(doc! {"_id": id}, doc! {"$set": {"v": -1}})
            .await
            .expect("a change");
    }
    postgres.start_again();
    act(&api, &one.id, "resume").await;
    let done = ended(&api, &one.id).await;
    assert_status(&done, VerificationStatus::Failed);
    let c = &done.collections[0];
    assert!(c.rows == 60_000 && c.expected == 60_000, "each row counts once: {c:#?}");
    assert!(done.findings >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_goes_on_with_it_at_its_next_start() {
    let mut m = migrated(ROWS, rules()).await;
    let api = m.app.api();
    let job = api.get("/jobs").await.ok()[0]["id"].as_str().expect("a job").to_owned();
    let all = m.target.database.collection::<Document>("p");
    all.update_one(doc! {"_id": 3}, doc! {"$set": {"v": -1}})
        .await
        .expect("a change");
    let one = start(&api, &job, slow()).await;
    half(&m, &one.id).await;
    m.app.kill();
    m.app.restart().await;
    let done = ended(&m.app.api(), &one.id).await;
    assert_status(&done, VerificationStatus::Failed);
    let c = &done.collections[0];
    assert_eq!(
        (c.rows, c.equal, c.different, done.findings_stored),
        (60_000, 59_999, 1, 1),
        "{done:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_job_copies_it_is_refused_and_while_one_follows_only_lasting_differences_count() {
    let mut c = Continuous::new(
        "create table p(id int primary key, v int); create table c(id int primary key, p_id int references p, n int);
         insert into p select i, i from generate_series(1, 2000) i; insert into c select i, 1 + i % 2000, i from generate_series(1, 4000) i",
        rules_small(),
    )
    .await;
    let all = c.m.target.database.collection::<Document>("p");
    all.update_one(doc! {"_id": 1999}, doc! {"$set": {"v": -5}})
        .await
        .expect("a change");
    all.insert_one(doc! {"_id": 99_999}).await.expect("a document");
    // Somebody writes all the time.
    let writer = c.m.source.connect().await;
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = is_over.clone();
    let writing = tokio::spawn(async move {
        let mut n = 0;
        while !told.load(std::sync::atomic::Ordering::Relaxed) {
            n += 1;
            let sql = format!(
                "update p set v = v + 1 where id = {}; insert into p values ({}, 1); update c set p_id = 1 + {n} % 1900 where id = {}",
                1 + n * 7 % 1_900,
                10_000 + n,
                // None of those of the changed document: with them it would be written again.
                1 + n * 13 % 1_000
            );
            godwit_tests::servers::execute(&writer, &sql).await;
        }
        n
    });
    let api = c.api();
    let one = verify(&api, &c.id, json!({})).await;
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    let written = writing.await.expect("the writer");
    assert!(written > 20, "{written} writes");
    assert_status(&one, VerificationStatus::Failed);
    assert_eq!(
        verifying::lines(&api, &one.id).await,
        [
            r#"FieldValue p {"$numberInt":"1999"} v"#,
            r#"UnexpectedDocument p {"$numberInt":"99999"} -"#,
        ],
        "{one:#?}"
    );
    // Two writers of one document could overtake each other.
    let refused = api.post(&format!("/verifications/{}/repair", one.id), &json!({})).await;
    assert!(refused.error(409, "wrong_state").contains("end it first"));
    c.pause().await;
    let message = api
        .post("/verifications", &json!({"jobId": c.id}))
        .await
        .error(409, "wrong_state");
    assert!(message.contains("paused"), "{message}");
    c.resume().await;
    c.streaming().await;
    c.complete().await;
    let repaired = verifying::repair(&api, &one.id, true).await;
    // Rows that changed each time they were looked at are still told.
    assert_ne!(repaired.status, VerificationStatus::Failed, "{repaired:#?}");
    assert_eq!((repaired.findings, repaired.findings_repaired), (2, 2));
    assert!(
        repaired.exceptions.iter().all(|e| e.code == "changed_since"),
        "{repaired:#?}"
    );
    let last = verify(&api, &c.id, json!({})).await;
    assert_status(&last, VerificationStatus::Verified);
    c.reconnect().await;
}

fn rules_small() -> Value {
    spec([coll("p", "p", "*").embed([array("cs", "c", "n")])])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_snapshot_cannot_be_verified() {
    let m = Migration::new(ROWS, rules()).await;
    m.app.hold("chunk");
    let api = m.app.api();
    let id = api.start_job(&m.job()).await;
    m.app.is_held("chunk").await;
    let message = api
        .post("/verifications", &json!({"jobId": id}))
        .await
        .error(409, "wrong_state");
    assert!(message.contains("still copies"), "{message}");
    let body = verifying::of_project(&m.job(), json!({}));
    api.post("/verifications", &body).await.error(409, "wrong_state");
    m.app.let_go("chunk");
    assert_completed(&api.wait_ended(&id, LONG).await);
    api.post("/verifications", &json!({"jobId": "none"}))
        .await
        .error(404, "not_found");
    api.post("/verifications", &json!({}))
        .await
        .error(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_signed_and_a_changed_one_is_recognized() {
    let m = migrated(
        "create table t(id int primary key, v int); insert into t select i, i from generate_series(1, 50) i",
        spec([coll("t", "t", "*")]),
    )
    .await;
    let api = m.app.api();
    let job = api.get("/jobs").await.ok()[0]["id"].as_str().expect("a job").to_owned();
    let all = m.target.database.collection::<Document>("t");
    all.update_one(doc! {"_id": 3}, doc! {"$set": {"v": "<b>"}})
        .await
        .expect("a change");
    let one = verify(&api, &job, json!({})).await;
    assert_eq!(findings(&api, &one.id).await.len(), 1);
    let folder = tempfile::tempdir_in(scratch()).expect("a folder");
    let check = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        let output = Command::new(godwit_tests::app::binary())
            .arg("check-report")
            .arg(&file)
            .output();
        let output = output.expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let page = api.get(&format!("/verifications/{}/report.html", one.id)).await.ok();
    let page = page.as_str().expect("a page").to_owned();
    let data = api
        .get(&format!("/verifications/{}/report", one.id))
        .await
        .ok()
        .to_string();
    assert!(!page.contains("<b>"), "a value is no markup");
    let key = m.app.data_dir().join("signing.key");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&key).expect("the key"));
    assert_eq!(mode & 0o777, 0o600);
    for (name, text) in [("r.html", &page), ("r.json", &data)] {
        let (is_valid, said) = check(name, text);
        assert!(is_valid && said.contains("FAILED"), "{said}");
    }
    for (name, text) in [
        ("a.html", page.replace("FAILED", "VERIFIED")),
        ("b.html", page.replacen("Verification report: ", "Report: ", 1)),
        ("c.json", data.replace("\"FAILED\"", "\"VERIFIED\"")),
    ] {
        let (is_valid, said) = check(name, &text);
        assert!(!is_valid && said.contains("was changed"), "{name}: {said}");
    }
}
