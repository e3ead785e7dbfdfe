//! What stands still can be ended: every state and every refusal of the CDC stage has a way out that a user can take now.

use crate::common::{array, coll, spec};
use crate::ends::Bench;
use crate::family::{ROWS, TABLES, mapping, streaming_family};
use bson::doc;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity, left_in_source};
use godwit_tests::docs::raw_documents;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PASSWORD, PrivatePostgres};

const SQL: &str = "create table t(id int primary key, n text);
    create table c(id int primary key, t_id int references t, x text);
    insert into t select i, 'n' || i from generate_series(1, 5) i; insert into c select i, i, 'x' from generate_series(1, 5) i;";

fn two_tables() -> serde_json::Value {
    spec([coll("ts", "t", "n").embed([array("cs", "c", "id x")])])
}

/// A job that streams as a role that may be refused things later.
async fn streaming() -> Continuous {
    let m = Migration::new(SQL, two_tables()).await;
    full_identity(&m.source).await;
    let role = format!("owner_{}", m.source.name);
    m.source
        .run(&format!(
            "create role {role} login replication password '{PASSWORD}'; alter database \"{}\" owner to {role};
             grant all on schema public to {role}; grant {role} to current_user;
             alter table t owner to {role}; alter table c owner to {role}",
            m.source.name
        ))
        .await;
    let job = continuous_job(&m).as_user(&role, PASSWORD);
    Continuous::start_job(m, &job).await
}

async fn standing(c: &Continuous, case: &str) -> MigrationJobStatus {
    let job = c.wait(case, |job| job.stand_still.is_some()).await;
    assert!(
        job.cdc_statistics.as_ref().is_some_and(|s| s.notice.is_some()),
        "{case}: {job:#?}"
    );
    job
}

/// The end without the rest: cancelled, told, and nothing is left.
async fn ends_without_the_rest(c: &Continuous, case: &str) {
    let before = raw_documents(&c.m.target.database, "ts").await;
    c.api().act(&c.id, "stop").await.ok();
    let job = c.api().wait_ended(&c.id, LONG).await;
    assert_eq!(
        (job.status, job.cdc_status),
        (JobStatus::Cancelled, CdcStatus::Cancelled),
        "{case}: {job:#?}"
    );
    let rest = job.end.as_ref().and_then(|e| e.unapplied.as_ref());
    let rest = rest.unwrap_or_else(|| panic!("{case}: what was not applied is not told: {job:#?}"));
    assert!(
        rest.from.is_some() && rest.to.is_some() && rest.since.is_some(),
        "{case}: {rest:?}"
    );
    let told = job.job_updates.iter().find(|u| u.error_code == "rest_not_applied");
    let told = &told.unwrap_or_else(|| panic!("{case}: {job:#?}")).message;
    assert!(
        told.contains("from position") && told.contains("committed before"),
        "{case}: {told}"
    );
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "{case}");
    assert!(
        raw_documents(&c.m.target.database, "ts").await == before,
        "{case}: the documents stay as they are"
    );
    // It is in nobody's way.
    let again = c.api().create_job(&c.m.job()).await;
    assert_ne!(again.body["code"], "job_conflict", "{case}: {:#}", again.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_makes_a_stage_stand_still_a_stop_ends_it() {
    for (case, change) in [
        ("a column is dropped", "alter table c drop column x"),
        ("a column is renamed", "alter table c rename column x to y"),
        ("a table is dropped", "drop table c"),
        ("a table is renamed", "alter table c rename to d"),
        (
            "a right is revoked",
            "alter table c owner to postgres; revoke all on c from public",
        ),
        (
            "an identity is taken back",
            "alter table c replica identity default; update c set t_id = 2 where id = 1",
        ),
        (
            "a schema is moved",
            "create schema other; alter table c set schema other",
        ),
    ] {
        let c = streaming().await;
        c.run("update t set n = 'before' where id = 1").await;
        c.settled().await;
        let change = change.replace("postgres", "current_user");
        c.run(&change).await;
        c.run("update t set n = 'not applied' where id = 2").await;
        standing(&c, case).await;
        ends_without_the_rest(&c, case).await;
    }
}

/// A stage that stands still while it completes is tried again by *resume*, and ended by *stop*.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_still_while_it_completes_can_be_mended_or_ended() {
    for is_mended in [true, false] {
        let c = streaming().await;
        c.m.app.hold("point");
        c.run("update t set n = 'the last change' where id = 1").await;
        c.m.app.is_held("point").await;
        c.api().act(&c.id, "stop").await.ok();
        c.run("alter table c rename column x to y").await;
        c.m.app.let_go("point");
        let job = standing(&c, "the column is gone").await;
        assert_eq!(job.cdc_status, CdcStatus::Completing);
        c.api().act(&c.id, "pause").await.error(409, "wrong_state");
        if is_mended {
            c.run("alter table c rename column y to x").await;
            c.api().act(&c.id, "resume").await.ok();
            let job = c.api().wait_ended(&c.id, LONG).await;
            assert_eq!(
                (job.status, job.cdc_status),
                (JobStatus::Completed, CdcStatus::Completed),
                "{job:#?}"
            );
            assert_eq!(job.stand_still, None);
            assert_eq!(c.count("ts", doc! {"_id": 1, "n": "the last change"}).await, 1);
        } else {
            ends_without_the_rest(&c, "completing").await;
        }
        assert_eq!(left_in_source(&c.m.source).await, [""; 0]);
    }
}

/// It stands still, the server starts again, and the way out is still there.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_still_can_be_ended_after_a_restart() {
    for is_killed in [true, false] {
        let mut c = streaming().await;
        c.run("alter table c drop column x").await;
        standing(&c, "the column is gone").await;
        if is_killed {
            c.kill_and_restart().await;
        } else {
            c.m.app.terminate(LONG);
            c.m.app.restart().await;
        }
        assert!(c.job().await.stand_still.is_some());
        ends_without_the_rest(&c, "after a restart").await;
    }
}

/// The source is switched off after the cut-over: *Complete* says why it does not get there, and the end is still there.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_never_comes_back_does_not_keep_a_job_from_its_end() {
    let bench = Bench::new(&format!("{TABLES}{ROWS}"), mapping()).await;
    let id = bench.streaming().await;
    Bench::away(&bench.source);
    bench.api().act(&id, "stop").await.ok();
    let is_told = |job: &MigrationJobStatus| {
        job.cdc_status == CdcStatus::Completing && job.cdc_statistics.as_ref().is_some_and(|s| s.notice.is_some())
    };
    bench
        .api()
        .wait_job(&id, "why it does not complete", LONG, is_told)
        .await;
    // Asked once more, it still waits: the source may come back.
    assert_eq!(bench.api().act(&id, "stop").await.ok()["cdcStatus"], "COMPLETING");
    bench.api().act(&id, "stop?abandon=true").await.ok();
    let job = bench.api().wait_ended(&id, LONG).await;
    assert_eq!(
        (job.status, job.cdc_status),
        (JobStatus::Cancelled, CdcStatus::Cancelled)
    );
    let end = job.end.expect("an end");
    assert!(end.unapplied.is_some() && !end.left.is_empty(), "{end:#?}");
    Bench::back(&bench.source);
    bench.cleaned(&id).await;
    bench.assert_clean("the source came back after all").await;
}

/// The password of the source is changed while the server is away: the log is kept until it is put back, or the job ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_may_not_connect_any_more_stands_still() {
    let mut c = streaming().await;
    c.m.app.terminate(LONG);
    let role = format!("owner_{}", c.m.source.name);
    c.run(&format!("alter role {role} password 'another'")).await;
    c.m.app.restart().await;
    standing(&c, "the password is another").await;
    c.run(&format!(
        "alter role {role} password '{PASSWORD}'; update t set n = 'later' where id = 3"
    ))
    .await;
    c.resume().await;
    c.expect_like_snapshot("the password is put back").await;
    c.complete().await;
}

/// Every state that a job can be in, with what ends it.
#[tokio::test(flavor = "multi_thread")]
async fn every_state_has_a_way_to_an_end() {
    let ends = async |c: &Continuous, state: &str| {
        c.api().act(&c.id, "stop?abandon=true").await.ok();
        let job = c.api().wait_ended(&c.id, LONG).await;
        assert_eq!(job.status, JobStatus::Cancelled, "{state}");
        assert_eq!(left_in_source(&c.m.source).await, [""; 0], "{state}");
    };
    // Copying, and paused in it.
    for is_paused in [false, true] {
        let m = crate::family::family(ROWS).await;
        m.app.hold("chunk");
        let job = continuous_job(&m);
        let c = Continuous::begin(m, &job).await;
        c.m.app.is_held("chunk").await;
        if is_paused {
            let api = c.api();
            let let_go = async { c.m.app.let_go("chunk") };
            let (_, ()) = tokio::join!(api.act(&c.id, "pause"), let_go);
        }
        ends(&c, "copying").await;
        if !is_paused {
            c.m.app.let_go("chunk");
        }
    }
    let c = streaming_family(ROWS).await;
    ends(&c, "streaming").await;
    let c = Continuous::start(c.m).await;
    c.pause().await;
    ends(&c, "paused").await;
    let c = Continuous::start(c.m).await;
    c.m.app.hold("point");
    c.run("update p set n = 'held'").await;
    c.m.app.is_held("point").await;
    c.api().act(&c.id, "stop").await.ok();
    ends(&c, "completing").await;
    c.m.app.let_go("point");
    // Cleaning up ends by itself, and soon.
    let c = Continuous::start(c.m).await;
    let reader = c.m.source.connect().await;
    reader
        .batch_execute("begin; select count(*) from p")
        .await
        .expect("a reader");
    c.api().act(&c.id, "stop").await.ok();
    c.api().wait_ended(&c.id, LONG).await;
}

/// Seen: Complete did not name a prepared transaction, whose changes were lost without a word.
#[tokio::test(flavor = "multi_thread")]
async fn complete_names_every_open_transaction_on_mapped_tables() {
    let server = PrivatePostgres::start(&["max_prepared_transactions=5"]).await;
    let sql = format!(
        "{SQL} create table parts(id int, k int, primary key (id, k)) partition by range (k);
         create table parts_1 partition of parts for values from (0) to (10); create table other(id int)"
    );
    let source = server.database("open", &sql).await;
    full_identity(&source).await;
    let mapping = spec([
        coll("ts", "t", "n").embed([array("cs", "c", "id x")]),
        coll("parts", "parts", ""),
    ]);
    let c = Continuous::start(Migration::of(source, mapping).await).await;
    let mut sessions = Vec::new();
    for sql in [
        "begin; insert into t values (90, 'prepared'); prepare transaction 'the cut-over'",
        "begin; update c set x = 'prepared' where id = 5; prepare transaction 'and ''another'''",
        "begin; update t set n = 'open' where id = 3",
        "begin; delete from c where id = 4",
        // As a partition alone.
        "begin; insert into parts_1 values (1, 1)",
        // Of no interest.
        "begin; insert into other values (1)",
        "begin; select count(*) from t",
    ] {
        let session = c.m.source.connect().await;
        session
            .batch_execute(sql)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        sessions.push(session);
    }
    c.api().act(&c.id, "stop").await.ok();
    let job = c.api().wait_ended(&c.id, LONG).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let told = job.job_updates.iter().find(|u| u.error_code == "open_transaction");
    let told = &told.expect("open transactions are told").message;
    assert!(told.starts_with("5 transactions"), "{told}");
    for part in ["'the cut-over'", "'and ''another'''", "of user postgres since 2"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let c2 = c.m.source.connect().await;
    c2.batch_execute("rollback prepared 'the cut-over'")
        .await
        .expect("a rollback");
    c2.batch_execute("rollback prepared 'and ''another'''")
        .await
        .expect("a rollback");
    drop(sessions);
    wait_for("the sessions to go", LONG, || async {
        let open = c
            .ask("select count(*)::text from pg_stat_activity where state like 'idle in%'")
            .await;
        (open.as_deref() == Some("0")).then_some(())
    })
    .await;
}
