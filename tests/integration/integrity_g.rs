//! Group G of the integrity cases: the server and the source die while rows are written, and come back.

use crate::common::issues;
use crate::family::{COLD, RANGE, ROWS, TABLES, family, mapping, streaming_family};
use bson::doc;
use godwit_shared::job::{CdcStatus, EventType, MigrationJobStatus};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivatePostgres;
use godwit_tests::writers::Writers;
use std::time::Duration;

fn rebuilt(job: &MigrationJobStatus) -> u64 {
    job.cdc_statistics.as_ref().map_or(0, |s| s.roots_rebuilt)
}

/// No step of the start may be lost, and none may be made twice.
#[tokio::test(flavor = "multi_thread")]
async fn g01_the_server_is_killed_at_every_step_of_the_snapshot() {
    let m = family(&format!("{ROWS}{COLD}")).await;
    let writers = Writers::start(&m.source, 2, RANGE, Duration::from_millis(3));
    let job = continuous_job(&m);
    let mut c = Continuous::begin(m, &job).await;
    // A document that the first attempts write and whose row is gone at the end.
    for (at, step) in [
        "the request",
        "the publication",
        "the slot",
        "the first documents",
        "more documents",
        "the end of the snapshot",
        "the stream",
    ]
    .into_iter()
    .enumerate()
    {
        c.wait(step, |job| {
            let is_over = job.cdc_status == CdcStatus::Running || job.statistics.snapshot_completed;
            let written = job.statistics.documents_written;
            match step {
                "the first documents" => written > 0 || is_over,
                "more documents" => written > 10_000 || is_over,
                "the end of the snapshot" => is_over,
                "the stream" => job.cdc_status == CdcStatus::Running,
                _ => true,
            }
        })
        .await;
        let made = match step {
            "the publication" => Some("select count(*)::text from pg_publication"),
            "the slot" => Some("select count(*)::text from pg_replication_slots where database = current_database()"),
            _ => None,
        };
        if let Some(made) = made {
            wait_for(step, LONG, || async {
                (c.ask(made).await.as_deref() == Some("1")).then_some(())
            })
            .await;
        }
        c.m.app.kill();
        let (first, last) = (5_000 + at * 500, 5_499 + at * 500);
        c.run(&format!(
            "begin; delete from c where p_id between {first} and {last}; delete from p where id between {first} and {last}; commit"
        ))
        .await;
        c.m.app.restart().await;
    }
    c.streaming().await;
    writers.stop().await;
    c.expect_like_snapshot("G01").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g02_the_server_is_killed_again_and_again() {
    let mut c = streaming_family(&format!("{ROWS}{COLD}")).await;
    let writers = Writers::start(&c.m.source, 4, RANGE, Duration::ZERO);
    for transactions in [2, 90, 15, 180, 40, 8, 130] {
        writers.more(transactions).await;
        c.kill_and_restart().await;
    }
    c.streaming().await;
    writers.stop().await;
    c.expect_like_snapshot("G02").await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn g03_the_server_is_killed_while_many_roots_are_rebuilt() {
    let wide = "update c set k_id = 1;";
    let mut c = streaming_family(&format!("{ROWS}{COLD}{wide}")).await;
    c.settled().await;
    let before = rebuilt(&c.job().await);
    c.run("update k set v = 'everywhere' where id = 1").await;
    for _ in 0..4 {
        c.wait("a part of the roots", |job| {
            let statistics = job.cdc_statistics.as_ref();
            rebuilt(job) > before || statistics.is_some_and(|s| s.lag_bytes == 0)
        })
        .await;
        c.kill_and_restart().await;
    }
    c.streaming().await;
    c.expect_like_snapshot("G03").await;
    assert_eq!(
        c.count("ps", doc! {"cs.k.v": {"$exists": true, "$ne": "everywhere"}})
            .await,
        0
    );
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g04_the_source_restarts() {
    let mut server = PrivatePostgres::start(&[]).await;
    let source = server.database("restarting", &format!("{TABLES}{ROWS}{COLD}")).await;
    full_identity(&source).await;
    let mut c = Continuous::start(Migration::of(source, mapping()).await).await;
    let slot = c.slot().await;
    let writers = Writers::start(&c.m.source, 3, RANGE, Duration::from_millis(1));
    for is_gentle in [false, true, false] {
        writers.more(50).await;
        if is_gentle {
            server.stop();
        } else {
            server.stop_at_once();
        }
        c.wait("a word about the source", |job| {
            job.cdc_statistics.as_ref().is_some_and(|s| s.notice.is_some())
        })
        .await;
        server.start_again();
    }
    c.reconnect().await;
    writers.more(50).await;
    writers.stop().await;
    c.streaming().await;
    c.expect_like_snapshot("G04").await;
    assert_eq!(c.slot().await, slot, "G04: another slot");
    c.wait("the end of the notice", |job| {
        job.cdc_statistics.as_ref().is_some_and(|s| s.notice.is_none())
    })
    .await;
    c.complete().await;
}

/// The same while the rows are copied: the point in time is gone with the source's connections.
#[tokio::test(flavor = "multi_thread")]
async fn g04_the_source_restarts_during_the_snapshot() {
    let mut server = PrivatePostgres::start(&[]).await;
    let source = server.database("restarting", &format!("{TABLES}{ROWS}{COLD}")).await;
    full_identity(&source).await;
    let m = Migration::of(source, mapping()).await;
    let job = continuous_job(&m);
    let mut c = Continuous::begin(m, &job).await;
    c.wait("the first documents", |job| job.statistics.documents_written > 0)
        .await;
    server.stop_at_once();
    server.start_again();
    c.reconnect().await;
    c.run("delete from c where p_id < 1200 and p_id > 1000; delete from p where id < 1200 and id > 1000; update p set n = 'after' where id > 3000")
        .await;
    c.streaming().await;
    c.expect_like_snapshot("G04, snapshot").await;
    c.complete().await;
}

/// Whatever breaks while a document is read, it is not written by halves, nor taken for gone.
#[tokio::test(flavor = "multi_thread")]
async fn g06_reads_that_fail_in_the_middle() {
    let c = streaming_family(&format!("{ROWS}{COLD}")).await;
    let writers = Writers::start(&c.m.source, 3, RANGE, Duration::from_millis(1));
    for round in 0..25 {
        let how = if round % 2 == 0 {
            "pg_terminate_backend"
        } else {
            "pg_cancel_backend"
        };
        let sql = format!(
            "select {how}(pid) from pg_stat_activity where datname = current_database() and application_name = 'godwit'"
        );
        c.run(&sql).await;
        writers.more(8).await;
    }
    // A table that cannot be read for a while.
    let lock = c.m.source.connect().await;
    lock.batch_execute("begin; lock table g in access exclusive mode")
        .await
        .expect("a lock");
    c.run("update p set n = 'locked' where id < 20").await;
    c.locked_out().await;
    lock.batch_execute("commit").await.expect("the end of the lock");
    writers.stop().await;
    c.streaming().await;
    c.expect_like_snapshot("G06").await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}
