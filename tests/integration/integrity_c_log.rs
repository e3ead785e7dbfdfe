//! Group C of the integrity cases: the log is not what it was when the job looked last. It never goes on over a gap.

use crate::family::{ROWS, TABLES, family, mapping, streaming_family};
use godwit_shared::error::ErrorCode;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::{Continuous, full_identity, left_in_source};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivatePostgres;

/// The job must have failed because everything has to be read again.
pub async fn needs_resync(c: &Continuous, case: &str) -> MigrationJobStatus {
    let job = c.api().wait_ended(&c.id, LONG).await;
    let kind = job.failure_error.as_ref().map(|f| f.error_type);
    assert_eq!(
        (job.status, job.cdc_status, kind),
        (JobStatus::Failed, CdcStatus::Failed, Some(ErrorCode::ResyncNeeded)),
        "{case}: {job:#?}"
    );
    c.api().act(&c.id, "resume").await.error(409, "wrong_state");
    job
}

/// A job after that, which drops first, ends in the right documents.
pub async fn starts_again(c: Continuous, case: &str) {
    c.run("update p set n = 'after the gap' where id = 1").await;
    let again = Continuous::start(c.m).await;
    again.run("update p set n = 'streaming again' where id = 2").await;
    again.expect_like_snapshot(case).await;
    again.complete().await;
}

async fn drop_slot(c: &Continuous, slot: &str) {
    wait_for("the end of the slot", LONG, || async {
        let ended = "select pg_terminate_backend(active_pid) from pg_replication_slots where active and database = current_database()";
        let _ = c.sql.batch_execute(ended).await;
        let gone = c.sql.batch_execute(&format!("select pg_drop_replication_slot('{slot}')")).await;
        gone.is_ok().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c22a_a_slot_that_was_made_again() {
    let mut c = streaming_family(ROWS).await;
    c.settled().await;
    let slot = c.slot().await;
    c.m.app.kill();
    drop_slot(&c, &slot).await;
    c.run("update c set x = 'in the gap'").await;
    c.run(&format!(
        "select pg_create_logical_replication_slot('{slot}', 'pgoutput')"
    ))
    .await;
    c.m.app.restart().await;
    let job = needs_resync(&c, "C22 a").await;
    let message = job.failure_error.expect("why").message;
    assert!(message.contains(&slot), "C22 a: {message}");
    let _ = c
        .sql
        .batch_execute(&format!("select pg_drop_replication_slot('{slot}')"))
        .await;
    starts_again(c, "C22 a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c22a_a_slot_that_is_gone() {
    let mut c = streaming_family(ROWS).await;
    c.settled().await;
    let slot = c.slot().await;
    c.m.app.kill();
    drop_slot(&c, &slot).await;
    c.m.app.restart().await;
    needs_resync(&c, "C22 a, gone").await;
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "C22 a, gone");
    starts_again(c, "C22 a, gone").await;
    // While the job streams, and while it is paused.
    let c = streaming_family(ROWS).await;
    drop_slot(&c, &c.slot().await).await;
    needs_resync(&c, "C22 a, gone under the stream").await;
    let c = streaming_family(ROWS).await;
    c.pause().await;
    drop_slot(&c, &c.slot().await).await;
    let resumed = c.api().act(&c.id, "resume").await;
    assert!([200, 422, 409].contains(&resumed.status), "{resumed:?}");
    needs_resync(&c, "C22 a, gone in a pause").await;
}

/// C22 b, G08 and H07: the source throws away what the job still needs.
#[tokio::test(flavor = "multi_thread")]
async fn c22b_a_slot_that_the_source_gives_up() {
    let settings = ["max_slot_wal_keep_size=48MB", "min_wal_size=32MB", "max_wal_size=64MB"];
    let server = PrivatePostgres::start(&settings).await;
    let source = server
        .database("lost", &format!("{TABLES}{ROWS} create table noise(i int)"))
        .await;
    full_identity(&source).await;
    let c = Continuous::start(Migration::of(source, mapping()).await).await;
    c.settled().await;
    c.pause().await;
    c.run("update p set n = 'in the pause'").await;
    let remaining = async || {
        let job = c.job().await;
        job.cdc_statistics.and_then(|s| s.remaining_log_bytes)
    };
    let first = wait_for("how much log is left", LONG, &remaining).await;
    let status = "select wal_status from pg_replication_slots where database = current_database()";
    let segment = async || {
        c.run("insert into noise values (1)").await;
        c.run("select pg_switch_wal()").await;
    };
    segment().await;
    wait_for("less log to be left", LONG, || async {
        remaining().await.filter(|now| *now < first)
    })
    .await;
    for _ in 0..20 {
        segment().await;
        c.run("checkpoint").await;
        if c.ask(status).await.as_deref() == Some("lost") {
            break;
        }
    }
    assert_eq!(
        c.ask(status).await.as_deref(),
        Some("lost"),
        "the server did not give up the slot"
    );
    let resumed = c.api().act(&c.id, "resume").await;
    assert!([200, 422, 409].contains(&resumed.status), "{resumed:?}");
    needs_resync(&c, "C22 b").await;
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "C22 b");
    starts_again(c, "C22 b").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c22c_a_slot_that_somebody_else_moved() {
    let mut c = streaming_family(ROWS).await;
    c.settled().await;
    let slot = c.slot().await;
    c.m.app.kill();
    c.run("update c set x = 'skipped'").await;
    let advance = format!("select pg_replication_slot_advance('{slot}', pg_current_wal_lsn())");
    wait_for("the slot to be free", LONG, || async {
        c.sql.batch_execute(&advance).await.ok()
    })
    .await;
    c.m.app.restart().await;
    needs_resync(&c, "C22 c").await;
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "C22 c");
    starts_again(c, "C22 c").await;
}

/// Right in the end, or failed because everything has to be read again.
async fn right_or_failed(c: &Continuous, case: &str) {
    let deadline = std::time::Instant::now() + LONG;
    loop {
        if c.job().await.status.is_ended() {
            needs_resync(c, case).await;
            return;
        }
        if c.job().await.cdc_status == CdcStatus::Running && c.unlike_snapshot().await.is_none() {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{case}: neither right nor failed: {:#?}",
            c.job().await
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn publication(c: &Continuous) -> String {
    c.ask("select pubname::text from pg_publication")
        .await
        .expect("a publication")
}

#[tokio::test(flavor = "multi_thread")]
async fn c09_a_table_that_left_the_publication() {
    let mut c = streaming_family(ROWS).await;
    c.settled().await;
    let name = publication(&c).await;
    c.m.app.kill();
    c.run(&format!("alter publication \"{name}\" drop table only g")).await;
    c.run("update g set y = 'in the gap' where id < 50").await;
    c.m.app.restart().await;
    right_or_failed(&c, "C09").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c09_a_table_that_left_the_publication_for_a_while() {
    let mut c = streaming_family(ROWS).await;
    c.settled().await;
    let name = publication(&c).await;
    c.m.app.kill();
    c.run(&format!("alter publication \"{name}\" drop table only g")).await;
    c.run("update g set y = 'in the gap' where id < 50").await;
    c.run(&format!("alter publication \"{name}\" add table only g")).await;
    c.run("update g set y = 'after it' where id > 200").await;
    c.m.app.restart().await;
    right_or_failed(&c, "C09, for a while").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_publication_that_is_gone_or_was_made_again() {
    for is_made_again in [false, true] {
        let mut c = Continuous::start(family(ROWS).await).await;
        c.settled().await;
        let name = publication(&c).await;
        c.m.app.kill();
        c.run("update g set y = 'before' where id < 20").await;
        c.run(&format!("drop publication \"{name}\"")).await;
        c.run("update g set y = 'in the gap' where id < 50").await;
        if is_made_again {
            c.run(&format!(
                "create publication \"{name}\" for table only p, only c, only g, only k"
            ))
            .await;
            c.run("update g set y = 'after it' where id > 200").await;
        }
        c.m.app.restart().await;
        right_or_failed(&c, &format!("C10, made again: {is_made_again}")).await;
    }
}
