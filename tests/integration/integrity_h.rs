//! Group H of the integrity cases: stop, complete, pause and resume of continuous jobs.

use crate::common::{assert_completed, coll, issues, refused, spec};
use crate::family::{
    COLD, RANGE, ROWS, TABLES, behind_proxy, family, mapping, streaming_family, stuck_in_the_snapshot, to_proxy,
};
use bson::doc;
use godwit_shared::error::ErrorCode;
use godwit_shared::job::{CdcStatus, EventType, JobStatus, MigrationJobStatus};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity, left_in_source, lsn};
use godwit_tests::docs::raw_documents;
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::Links;
use godwit_tests::servers::{PASSWORD, PrivatePostgres, servers};
use godwit_tests::writers::Writers;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn h01_a_stop_in_the_snapshot() {
    let sql = format!("{TABLES}{ROWS}{COLD}");
    let source = servers().await.postgres.database("stopped", &sql).await;
    let (m, proxy) = to_proxy(source).await;
    let c = stuck_in_the_snapshot(m, &proxy).await;
    c.api().act(&c.id, "stop").await.ok();
    let stopped = c.api().wait_ended(&c.id, LONG).await;
    proxy.flow();
    assert_eq!(stopped.status, JobStatus::Cancelled, "{stopped:#?}");
    assert!(
        matches!(stopped.cdc_status, CdcStatus::NotStarted | CdcStatus::Cancelled),
        "{stopped:#?}"
    );
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "H01");
    c.api().act(&c.id, "stop").await.error(409, "wrong_state");
    let m = c.m;
    let second = continuous_job(&m).dropping(false);
    let c = Continuous::start_job(m, &second).await;
    c.run("update p set n = 'second' where id < 2000").await;
    c.expect_like_snapshot("H01, without dropping").await;
    c.complete().await;
    let c = Continuous::start(c.m).await;
    c.run("delete from g; update p set n = 'third' where id < 2000").await;
    c.expect_like_snapshot("H01, dropping").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h02_a_stop_that_leaves_the_rest() {
    let c = streaming_family(ROWS).await;
    let writers = Writers::start(&c.m.source, 2, RANGE, Duration::ZERO);
    writers.more(200).await;
    // The rest cannot be applied now, so the end does not wait for it.
    let lock = c.m.source.connect().await;
    lock.batch_execute("begin; lock table k in access exclusive mode")
        .await
        .expect("a lock");
    c.locked_out().await;
    c.abandon().await;
    lock.batch_execute("commit").await.expect("the end of the lock");
    let then = raw_documents(&c.m.target.database, "ps").await;
    writers.more(50).await;
    writers.stop().await;
    assert!(
        raw_documents(&c.m.target.database, "ps").await == then,
        "H02: written after the end"
    );
    for action in ["stop", "pause", "resume"] {
        c.api().act(&c.id, action).await.error(409, "wrong_state");
    }
    // One that is paused can be left too.
    let c = Continuous::start(c.m).await;
    c.pause().await;
    c.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h03_complete_applies_everything_up_to_the_request() {
    let c = streaming_family(&format!("{ROWS}{COLD}")).await;
    // A lag: nothing is read while all this is written.
    c.pause().await;
    for round in 0..20 {
        c.run(&format!("update p set n = 'r{round} ' || id where id % 20 = {round}; update c set x = 'r{round}' where id % 20 = {round}"))
            .await;
    }
    c.api().act(&c.id, "resume").await.ok();
    c.run("update p set n = 'last' where id = 7").await;
    let end = c.log_end().await;
    let job = c.complete().await;
    let position = job.cdc_statistics.and_then(|s| s.position).expect("a position");
    assert!(lsn(&position) >= lsn(&end), "H03: {position} of {end}");
    if let Some(difference) = c.unlike_snapshot().await {
        panic!("H03: {difference}");
    }
    let complete = c.job().await.cdc_statistics.and_then(|s| s.complete_position);
    assert!(
        complete.is_some_and(|p| lsn(&p) >= lsn(&end)),
        "H03: the position of the request"
    );
    // A paused job is completed too: what was committed meanwhile is part of it.
    let c = Continuous::start(c.m).await;
    c.pause().await;
    c.run("update p set n = 'paused' where id < 100").await;
    c.complete().await;
    if let Some(difference) = c.unlike_snapshot().await {
        panic!("H03, paused: {difference}");
    }
}

/// Documents are read anew, so they may show what was committed after the request, and then they show no single moment:
/// the user is told.
#[tokio::test(flavor = "multi_thread")]
async fn h04_complete_while_rows_are_written() {
    let (c, proxy) = behind_proxy(ROWS).await;
    c.settled().await;
    // The log is held back: what is committed before the request is not applied when something is committed after it.
    proxy.stick(Links::Log);
    c.run("update p set n = 'before' where id = 1").await;
    c.run("insert into p values (7000, 'before')").await;
    c.api().act(&c.id, "stop").await.ok();
    c.wait("the position of the request", |job| {
        let statistics = job.cdc_statistics.as_ref();
        statistics.is_some_and(|s| s.complete_position.is_some())
    })
    .await;
    c.run("update p set n = 'after' where id in (1, 2)").await;
    c.run("insert into p values (7001, 'after')").await;
    proxy.flow();
    let job = c.api().wait_ended(&c.id, LONG).await;
    assert_completed(&job);
    assert_eq!(
        c.count("ps", doc! {"_id": 7000}).await,
        1,
        "H04: committed before the request"
    );
    let late = c.count("ps", doc! {"n": "after"}).await;
    let is_told = issues(&job, EventType::Warning)
        .iter()
        .any(|w| w.starts_with("late_changes"));
    assert!(
        is_told || late == 0,
        "H04: {late} documents are too new: {:#?}",
        job.job_updates
    );
    // The moment of the request, if no other.
    if late == 0 {
        assert_eq!(c.count("ps", doc! {"n": "before"}).await, 2, "H04");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h05_complete_while_an_old_transaction_is_open() {
    let server = PrivatePostgres::start(&[]).await;
    let source = server.database("open", &format!("{TABLES}{ROWS}")).await;
    full_identity(&source).await;
    let c = Continuous::start(Migration::of(source, mapping()).await).await;
    let open = c.m.source.connect().await;
    let pid: i32 = open
        .query_one("select pg_backend_pid()", &[])
        .await
        .expect("a session")
        .get(0);
    open.batch_execute("begin; insert into p values (7000, 'late')")
        .await
        .expect("an open transaction");
    c.settled().await;
    c.api().act(&c.id, "stop").await.ok();
    // The job waits and says for whom, or goes on and says whose changes are missing.
    let names = |text: &str| text.contains(&pid.to_string());
    c.api()
        .wait_job(&c.id, "a word about the session", LONG, |job| {
            let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
            let updates = job.job_updates.iter().map(|u| u.message.as_str());
            notice.into_iter().chain(updates).any(names)
        })
        .await;
    open.batch_execute("commit").await.expect("a commit");
    let job = c.api().wait_ended(&c.id, LONG).await;
    assert_completed(&job);
    let is_migrated = c.count("ps", doc! {"_id": 7000}).await == 1;
    assert!(
        is_migrated || job.job_updates.iter().any(|u| names(&u.message)),
        "H05: neither migrated nor told: {job:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn h06_pause_and_resume_under_load() {
    let mut c = streaming_family(&format!("{ROWS}{COLD}")).await;
    let writers = Writers::start(&c.m.source, 2, RANGE, Duration::from_millis(1));
    writers.more(50).await;
    // In the middle of a wide change.
    c.run("update c set k_id = 1; update k set v = 'everywhere' where id = 1")
        .await;
    c.pause().await;
    c.api().act(&c.id, "pause").await.error(409, "wrong_state");
    let then = raw_documents(&c.m.target.database, "ps").await;
    writers.more(100).await;
    assert!(
        raw_documents(&c.m.target.database, "ps").await == then,
        "H06: written in the pause"
    );
    c.kill_and_restart().await;
    writers.more(50).await;
    let job = c.job().await;
    assert_eq!(
        (job.status, job.cdc_status),
        (JobStatus::Running, CdcStatus::Paused),
        "H06"
    );
    assert!(
        raw_documents(&c.m.target.database, "ps").await == then,
        "H06: written in the pause"
    );
    c.resume().await;
    c.api().act(&c.id, "resume").await.error(409, "wrong_state");
    for _ in 0..3 {
        c.pause().await;
        c.resume().await;
    }
    writers.stop().await;
    c.expect_like_snapshot("H06").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h06_pause_in_the_snapshot() {
    let m = family(&format!("{ROWS}{COLD}")).await;
    let job = continuous_job(&m);
    let mut c = Continuous::begin(m, &job).await;
    for is_restarted in [false, true] {
        c.wait("documents", |job| {
            job.statistics.documents_written > 0 || job.cdc_status == CdcStatus::Running
        })
        .await;
        if c.job().await.cdc_status == CdcStatus::Running {
            break;
        }
        c.api().act(&c.id, "pause").await.ok();
        let paused = |job: &MigrationJobStatus| job.status == JobStatus::Paused || job.cdc_status == CdcStatus::Paused;
        c.wait("a pause", paused).await;
        c.run("update p set n = n || '!'; delete from c where id % 5 = 0 and id > 1000")
            .await;
        if is_restarted {
            c.kill_and_restart().await;
            c.wait("a pause that stays", paused).await;
        }
        c.api().act(&c.id, "resume").await.ok();
    }
    c.streaming().await;
    c.expect_like_snapshot("H06, snapshot").await;
    c.complete().await;
}

/// A mapping that is changed meanwhile: all documents in one form, the old or the new one.
#[tokio::test(flavor = "multi_thread")]
async fn h08_the_mapping_changes_in_a_pause() {
    let c = streaming_family(ROWS).await;
    c.pause().await;
    let path = format!("/project/{}", c.m.project);
    let mut project = c.api().get(&path).await.ok();
    let text = project["content"].to_string().replace(
        "\"name\":\"n\",\"included\":true",
        "\"name\":\"renamed\",\"included\":true",
    );
    assert!(text.contains("renamed"), "the mapping has no such field: {text:.500}");
    project["content"] = serde_json::from_str(&text).expect("JSON");
    c.api().put(&path, &project).await.ok();
    c.run("update p set n = 'changed' where id < 10").await;
    let answer = c.api().act(&c.id, "resume").await;
    if answer.status == 409 || answer.status == 422 {
        return;
    }
    answer.ok();
    c.streaming().await;
    c.settled().await;
    let (old, new) = (
        c.count("ps", doc! {"n": {"$exists": true}}).await,
        c.count("ps", doc! {"renamed": {"$exists": true}}).await,
    );
    assert!(
        (old == 64 && new == 0) || (old == 0 && new == 64),
        "H08: {old} documents in the old form, {new} in the new one"
    );
    assert_eq!(
        c.count("ps", doc! {"$or": [{"n": "changed"}, {"renamed": "changed"}]})
            .await,
        9,
        "H08"
    );
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h09_the_schema_changes_in_a_pause() {
    let c = streaming_family(ROWS).await;
    c.while_paused(&[
        "update c set x = 'first' where id < 20",
        "alter table c add z int default 1",
        "alter table p alter n type varchar using upper(n)",
        "update c set x = 'second' where id > 100",
    ])
    .await;
    c.soon_like_snapshot("H09").await;
    c.pause().await;
    c.run("update p set n = 'third'; alter table p rename n to m").await;
    c.api().act(&c.id, "resume").await.ok();
    let job = c.wait("a notice", |job| {
        let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
        job.cdc_status == CdcStatus::Paused && notice.is_some_and(|n| n.contains("column n of public.p"))
    });
    job.await;
    c.run("alter table p rename m to n").await;
    c.resume().await;
    c.soon_like_snapshot("H09, back").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h10_the_error_limit_in_the_stream() {
    let sql = "create table t(id int primary key, d timestamp); insert into t select i, '2024-01-01' from generate_series(1, 20) i";
    let bad = "update t set d = case when id <= 5 then timestamp 'infinity' else '2024-01-01 00:00:00.000001' end";
    let m = Migration::new(sql, spec([coll("t", "t", "d")])).await;
    full_identity(&m.source).await;
    let job = continuous_job(&m).tolerating(3);
    let c = Continuous::start_job(m, &job).await;
    c.run("update t set d = 'infinity' where id in (1, 2)").await;
    let job = c.settled().await;
    assert_eq!(
        (job.status, job.statistics.errors),
        (JobStatus::Running, 2),
        "H10: below the limit"
    );
    c.run(bad).await;
    let job = c.api().wait_ended(&c.id, LONG).await;
    let kind = job.failure_error.as_ref().map(|f| f.error_type);
    assert_eq!(
        (job.status, job.cdc_status, kind),
        (JobStatus::Failed, CdcStatus::Failed, Some(ErrorCode::TooManyErrors)),
        "H10: {job:#?}"
    );
    assert!(job.statistics.errors >= 3, "{job:#?}");
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "H10");
    // Without a limit all are listed, and warnings are no errors.
    c.run("update t set d = '2024-01-01'").await;
    let c = Continuous::start(c.m).await;
    c.run(bad).await;
    c.expect_like_snapshot("H10").await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), ["value_not_convertible public.t d 5"]);
    assert_eq!(issues(&job, EventType::Warning), ["precision_lost public.t d 15"]);
}

/// What cannot be taken away at the end is named, and the job ends all the same.
#[tokio::test(flavor = "multi_thread")]
async fn h11_a_slot_that_may_not_be_dropped() {
    let server = PrivatePostgres::start(&[]).await;
    let source = server.database("rights", &format!("{TABLES}{ROWS}")).await;
    full_identity(&source).await;
    let role = format!(
        "create role mover login replication password '{PASSWORD}'; alter database \"{}\" owner to mover;
         alter table p owner to mover; alter table c owner to mover; alter table g owner to mover; alter table k owner to mover",
        source.name
    );
    source.run(&role).await;
    let m = Migration::of(source, mapping()).await;
    let job = continuous_job(&m).as_user("mover", PASSWORD);
    let c = Continuous::start_job(m, &job).await;
    let slot = c.slot().await;
    c.run("revoke execute on function pg_drop_replication_slot(name) from public")
        .await;
    c.run("update p set n = 'last'").await;
    c.api().act(&c.id, "stop").await.ok();
    let job = c.api().wait_ended(&c.id, LONG).await;
    assert_completed(&job);
    let left = left_in_source(&c.m.source).await;
    if !left.is_empty() {
        assert_eq!(left, [format!("slot {slot}")], "H11");
        assert!(
            job.job_updates.iter().any(|u| u.message.contains(&slot)),
            "H11: nothing is said of {slot}: {:#?}",
            job.job_updates
        );
    }
    if let Some(difference) = c.unlike_snapshot().await {
        panic!("H11: {difference}");
    }
}

/// A user who may not make what the job needs is told before anything is made.
#[tokio::test(flavor = "multi_thread")]
async fn h11_a_user_without_the_right_to_replicate() {
    let m = family(ROWS).await;
    let user = crate::common::reader(&m.source, "grant select on p, c, g, k to $user").await;
    let message = refused(
        &m,
        &continuous_job(&m).as_user(&user, PASSWORD),
        422,
        "preflight_failed",
    )
    .await;
    assert!(message.to_uppercase().contains("REPLICATION"), "{message}");
    assert_eq!(left_in_source(&m.source).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn h12_start_twice_stop_twice_and_stop_while_starting() {
    let m = family(&format!("{ROWS}{COLD}")).await;
    let api = m.app.api();
    let job = continuous_job(&m);
    // Two at the same moment: one of them is made.
    let (first, second) = tokio::join!(api.create_job(&job), api.create_job(&job));
    let mut made: Vec<_> = [&first, &second].into_iter().filter(|a| a.status == 200).collect();
    assert_eq!(made.len(), 1, "H12: {first:?} {second:?}");
    let id = made.remove(0).body["id"].as_str().expect("an id").to_owned();
    let c = Continuous::of(m, id).await;
    // Stopped at once, by two at the same moment.
    let api = c.api();
    let (one, other) = tokio::join!(api.act(&c.id, "stop"), api.act(&c.id, "stop"));
    for answer in [one, other] {
        assert!([200, 409].contains(&answer.status), "H12: {answer:?}");
    }
    let job = api.wait_ended(&c.id, LONG).await;
    assert!(
        matches!(job.status, JobStatus::Cancelled | JobStatus::Completed),
        "H12: {job:#?}"
    );
    wait_for("nothing to be left", LONG, || async {
        left_in_source(&c.m.source).await.is_empty().then_some(())
    })
    .await;
    // Again, and completed by two at the same moment.
    let c = Continuous::start(c.m).await;
    c.run("update p set n = 'last' where id < 50").await;
    let (one, other) = tokio::join!(api.act(&c.id, "stop"), api.act(&c.id, "stop"));
    for answer in [one, other] {
        assert!([200, 409].contains(&answer.status), "H12: {answer:?}");
    }
    assert_completed(&api.wait_ended(&c.id, LONG).await);
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "H12");
    if let Some(difference) = c.unlike_snapshot().await {
        panic!("H12: {difference}");
    }
}

/// H13: an empty source is told of, and what comes later arrives.
#[tokio::test(flavor = "multi_thread")]
async fn h13_nothing_is_there_at_first() {
    let c = streaming_family("").await;
    let job = c.settled().await;
    assert_eq!(
        issues(&job, EventType::Warning),
        ["nothing_read ks - 1", "nothing_read ps - 1"],
        "H13"
    );
    c.run("insert into k values (1, 'v'); insert into p values (1, 'P'); insert into c values (10, 1, 'a', 1)")
        .await;
    c.expect_like_snapshot("H13").await;
    c.complete().await;
}
