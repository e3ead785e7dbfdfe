//! Several servers on one store: one of them works on a job, and the others see it, ask it, or take over when it is gone.

use crate::common::{coll, spec};
use crate::family::{ROWS, family, streaming_family};
use bson::doc;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::{Continuous, continuous_job, left_in_source};
use godwit_tests::docs::raw_documents;
use godwit_tests::migrate::Migration;
use serde_json::json;
use std::time::Duration;

/// Seen: a copied data folder made both servers fail each other's jobs and drop their slots.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_copied_data_folder_leaves_the_jobs_alone_until_their_server_is_gone() {
    let mut c = streaming_family(ROWS).await;
    let slot = c.slot().await;
    let copy = c.m.app.with_copied_data().await;
    c.run("update p set n = 'with a second server' where id = 3").await;
    c.expect_like_snapshot("a second server").await;
    assert_eq!(c.slot().await, slot);
    let seen = copy.api().job(&c.id).await;
    assert_eq!((seen.status, seen.cdc_status), (JobStatus::Running, CdcStatus::Running));
    // The first one starts again as always, and the copy still has nothing of it.
    c.kill_and_restart().await;
    c.streaming().await;
    c.run("update p set n = 'after a restart' where id = 4").await;
    c.expect_like_snapshot("after a restart").await;
    assert!(!copy.log().contains("goes on after a restart"), "{}", copy.log());
    // Then it is gone for good: the copy goes on, and the first finds that when it comes back.
    c.m.app.kill();
    c.run("update p set n = 'of the second server' where id = 5").await;
    let is_written = |n: &'static str, id: i32| {
        let documents = c.m.target.database.collection::<bson::Document>("ps");
        async move {
            let count = documents
                .count_documents(doc! {"_id": id, "n": n})
                .await
                .expect("a count");
            (count == 1).then_some(())
        }
    };
    wait_for("the copy to take over", LONG, || is_written("of the second server", 5)).await;
    c.m.app.restart().await;
    c.run("update p set n = 'of the second server still' where id = 6")
        .await;
    wait_for("the copy to go on", LONG, || {
        is_written("of the second server still", 6)
    })
    .await;
    assert_eq!(c.slot().await, slot);
    // Whoever is asked, it is done.
    c.api().act(&c.id, "stop").await.ok();
    let job = copy.api().wait_ended(&c.id, LONG).await;
    assert_eq!(
        (job.status, job.cdc_status),
        (JobStatus::Completed, CdcStatus::Completed)
    );
    assert_eq!(left_in_source(&c.m.source).await, [""; 0]);
}

/// Seen under load: a job was taken for one that nobody has while it was being created, and ran twice; the second run
/// emptied collections that the first had reported as complete.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_being_created_is_not_taken_up_a_second_time() {
    let m = Migration::new(
        "create table t(id int primary key); insert into t values (1), (2)",
        spec([coll("t", "t", "")]),
    )
    .await;
    let copy = m.app.with_copied_data().await;
    m.app.hold("created");
    let creating = {
        let (api, job) = (m.app.api(), m.job());
        tokio::spawn(async move { api.start_job(&job).await })
    };
    m.app.is_held("created").await;
    // Servers look for jobs that nobody has every ten seconds.
    tokio::time::sleep(Duration::from_secs(12)).await;
    m.app.let_go("created");
    let id = creating.await.expect("the job is made");
    let job = m.app.api().wait_ended(&id, LONG).await;
    assert_eq!(job.status, JobStatus::Completed);
    m.expect("t", &[doc! {"_id": 1}, doc! {"_id": 2}]).await;
    for log in [m.app.log(), copy.log()] {
        assert!(!log.contains("goes on after a restart"), "{log}");
    }
    let restarts = job.job_updates.iter().filter(|u| u.error_code == "job_restarted");
    assert_eq!(restarts.count(), 0, "{:#?}", job.job_updates);
}

/// Whoever was frozen and replaced meanwhile writes nothing when he wakes.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_that_was_replaced_touches_nothing_any_more() {
    let c = streaming_family(ROWS).await;
    let copy = c.m.app.with_copied_data().await;
    // In the middle of a batch.
    c.m.app.hold("write");
    c.run("update p set n = 'read by the first server'").await;
    c.m.app.is_held("write").await;
    c.m.app.freeze();
    c.m.app.let_go("write");
    wait_for("the copy to take over", LONG, || async {
        copy.log().contains("goes on after a restart").then_some(())
    })
    .await;
    copy.api().act(&c.id, "stop?abandon=true").await.ok();
    let job = copy.api().wait_ended(&c.id, LONG).await;
    assert_eq!(job.status, JobStatus::Cancelled);
    let documents = c.m.target.database.collection::<bson::Document>("ps");
    let mine = doc! {"$set": {"n": "of the application"}};
    documents.update_many(doc! {}, mine).await.expect("an update");
    let then = raw_documents(&c.m.target.database, "ps").await;
    c.m.app.thaw();
    wait_for("the first server to notice", LONG, || async {
        let job = c.api().try_get(&format!("/jobs/{}", c.id)).await?;
        (job.body["status"] == "CANCELLED").then_some(())
    })
    .await;
    assert!(
        raw_documents(&c.m.target.database, "ps").await == then,
        "written by a server that was replaced"
    );
    assert_eq!(copy.api().job(&c.id).await.status, JobStatus::Cancelled);
    for action in ["resume", "stop", "pause"] {
        c.api().act(&c.id, action).await.error(409, "wrong_state");
    }
}

/// Seen: a second server showed states of an hour ago.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_shows_fresh_states_and_asks_the_first_one() {
    let m = family(ROWS).await;
    let second = m.app.beside().await;
    let mut live = second.api().live().await;
    live.next(LONG).await;
    let job = continuous_job(&m);
    let c = Continuous::start_job(m, &job).await;
    let at_second = second.api();
    // A job that is new, and figures that move.
    wait_for("the job in the second server", LONG, || async {
        let answer = at_second.try_get(&format!("/jobs/{}", c.id)).await?;
        (answer.status == 200 && answer.body["cdcStatus"] == "RUNNING").then_some(())
    })
    .await;
    let is_pushed = async { while live.next(LONG).await["job"]["cdcStatus"] != "RUNNING" {} };
    tokio::time::timeout(LONG, is_pushed).await.expect("the job is pushed");
    c.run("update p set n = 'seen from afar'").await;
    let has_events = |job: &MigrationJobStatus| job.cdc_statistics.as_ref().is_some_and(|s| s.total_events_seen >= 64);
    at_second.wait_job(&c.id, "the figures", LONG, has_events).await;
    // What the second is asked, the first does.
    assert_eq!(at_second.act(&c.id, "pause").await.ok()["cdcStatus"], "PAUSED");
    assert_eq!(c.job().await.cdc_status, CdcStatus::Paused);
    at_second.act(&c.id, "pause").await.error(409, "wrong_state");
    at_second.act(&c.id, "resume").await.ok();
    c.streaming().await;
    let project = format!("/project/{}", c.m.project);
    let refused = at_second.delete(&project).await;
    assert_eq!(refused.body["jobId"], c.id.as_str());
    refused.error(409, "job_conflict");
    assert_eq!(left_in_source(&c.m.source).await.len(), 2);
    at_second.act(&c.id, "stop").await.ok();
    let job = at_second.wait_ended(&c.id, LONG).await;
    assert_eq!(
        (job.status, job.cdc_status),
        (JobStatus::Completed, CdcStatus::Completed)
    );
    assert_eq!(c.api().wait_ended(&c.id, LONG).await.status, JobStatus::Completed);
    assert_eq!(left_in_source(&c.m.source).await, [""; 0]);
    // A job that is deleted goes from the other's list as well.
    at_second.delete(&project).await.ok();
    wait_for("the job to go", LONG, || async {
        (c.api().get("/jobs").await.ok() == json!([])).then_some(())
    })
    .await;
    c.api().act(&c.id, "stop").await.error(404, "not_found");
}

/// Two servers that are asked for the same at once never both begin.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_do_not_begin_jobs_on_the_same_collections() {
    let m = family(ROWS).await;
    let second = m.app.beside().await;
    let (job, at_first, at_second) = (continuous_job(&m), m.app.api(), second.api());
    for _ in 0..3 {
        let (one, other) = tokio::join!(at_first.create_job(&job), at_second.create_job(&job));
        let begun: Vec<String> = [&one, &other]
            .into_iter()
            .filter(|a| a.status == 200)
            .map(|a| a.body["id"].as_str().expect("an id").to_owned())
            .collect();
        assert!(begun.len() <= 1, "both have begun: {one:?} {other:?}");
        for id in begun {
            at_first.wait_job(&id, "a job to stop", LONG, |_| true).await;
            at_first.act(&id, "stop?abandon=true").await.ok();
            at_first.wait_ended(&id, LONG).await;
        }
    }
    assert_eq!(left_in_source(&m.source).await, [""; 0]);
}
