//! Group G of the integrity cases: links that hang and break, a destination that is slow or away, rows that cannot be
//! converted, and a schema that changes during the snapshot.

use crate::common::{array, coll, issues, spec};
use crate::family::{COLD, RANGE, ROWS, TABLES, behind_proxy, mapping, stuck_in_the_snapshot, to_proxy};
use bson::doc;
use godwit_shared::job::{CdcStatus, EventType, JobStatus};
use godwit_tests::continuous::{Continuous, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::Links;
use godwit_tests::servers::{PrivateMongo, servers};
use godwit_tests::writers::Writers;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn g05_links_to_the_source_hang_and_break() {
    let (c, proxy) = behind_proxy(&format!("{ROWS}{COLD}")).await;
    let writers = Writers::start(&c.m.source, 2, RANGE, Duration::from_millis(2));
    for links in [Links::Log, Links::Other, Links::All] {
        // What hangs and goes on.
        writers.more(40).await;
        proxy.stick(links);
        writers.more(150).await;
        proxy.flow();
        writers.more(40).await;
        // What hangs and breaks, and cannot be had again at once.
        proxy.stick(links);
        writers.more(60).await;
        proxy.open(false);
        proxy.cut(links);
        writers.more(60).await;
        proxy.flow();
        proxy.open(true);
    }
    writers.stop().await;
    c.streaming().await;
    c.expect_like_snapshot("G05").await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}

/// F12, F15, G07: what the destination has acknowledged is there after `kill -9`, and the job waits for the rest.
#[tokio::test(flavor = "multi_thread")]
async fn g07_the_destination_is_killed() {
    let mut mongo = PrivateMongo::start().await;
    let source = servers()
        .await
        .postgres
        .database("target_dies", &format!("{TABLES}{ROWS}{COLD}"))
        .await;
    full_identity(&source).await;
    let target = mongo.target_at(mongo.port, "dying").await;
    let c = Continuous::start(Migration::between(source, target, mapping()).await).await;
    let writers = Writers::start(&c.m.source, 3, RANGE, Duration::from_millis(1));
    for is_long in [false, true] {
        writers.more(60).await;
        mongo.kill();
        if is_long {
            c.wait("a word about the destination", |job| {
                job.cdc_statistics.as_ref().is_some_and(|s| s.notice.is_some())
            })
            .await;
            writers.more(100).await;
        }
        mongo.start_again().await;
    }
    writers.more(60).await;
    writers.stop().await;
    c.streaming().await;
    c.expect_like_snapshot("G07").await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_rows_that_cannot_be_converted() {
    let sql = "create table t(id int primary key, d timestamp, n int); create table u(t_id int, pad text);
        insert into t select i, '2024-01-01', i from generate_series(1, 10) i";
    let c = Continuous::new(sql, spec([coll("t", "t", "d n")])).await;
    // Counted once for a row and field, however often it changes; the job's log is shown a moment after its position.
    let bad = async |count: u64| {
        c.settled().await;
        let expected = [format!("value_not_convertible public.t d {count}")];
        c.wait("the error", |job| issues(job, EventType::Error) == expected)
            .await;
        c.expect_like_snapshot("G13").await;
    };
    for round in 1..=5 {
        c.run(&format!(
            "update t set d = 'infinity', n = {round} where id = 1; update t set n = n + 100 where id > 1"
        ))
        .await;
        bad(1).await;
    }
    c.run("update t set d = 'infinity' where id = 2").await;
    bad(2).await;
    c.run("update t set d = '2024-02-02'").await;
    bad(2).await;
    let job = c.complete().await;
    assert_eq!(job.status, JobStatus::Completed);
}

/// F01: a document that grows over what MongoDB takes is not there, as in a snapshot, and comes back when it fits.
#[tokio::test(flavor = "multi_thread")]
async fn f01_a_document_grows_over_the_limit_and_shrinks() {
    let sql = "create table p(id int primary key); create table c(id int primary key, p_id int references p, x text);
        insert into p values (1), (2); insert into c values (1, 1, repeat('x', 1000000))";
    let c = Continuous::new(sql, spec([coll("ps", "p", "").embed([array("cs", "c", "id x")])])).await;
    let numbers = |collection: &str, ids: Vec<i32>| {
        let collection = c.m.target.database.collection::<bson::Document>(collection);
        async move {
            let filter = doc! {"_id": {"$in": ids}};
            collection.count_documents(filter).await.expect("a count")
        }
    };
    c.run("insert into c select i, 1, repeat('x', 1000000) from generate_series(2, 18) i; insert into c values (100, 2, 'small')")
        .await;
    let job = c.settled().await;
    assert_eq!(
        numbers("ps", vec![1, 2]).await,
        1,
        "F01: the large one is not there, the small one is"
    );
    assert_eq!(
        issues(&job, EventType::Error),
        ["document_too_large public.p - 1"],
        "F01"
    );
    c.expect_like_snapshot("F01, too large").await;
    c.run("delete from c where id between 5 and 18").await;
    c.settled().await;
    assert_eq!(numbers("ps", vec![1, 2]).await, 2, "F01: back again");
    c.expect_like_snapshot("F01, fits again").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g14_the_schema_changes_during_the_snapshot() {
    let cases = [
        ("alter table c add z int default 5", None),
        (
            "alter table g rename y to y2",
            Some(("column y of public.g", "alter table g rename y2 to y")),
        ),
        (
            "alter table c drop column x",
            Some(("column x of public.c", "alter table c add x text default 'back'")),
        ),
    ];
    for (ddl, breaks) in cases {
        let source = servers()
            .await
            .postgres
            .database("ddl", &format!("{TABLES}{ROWS}{COLD}"))
            .await;
        let (m, proxy) = to_proxy(source).await;
        let c = stuck_in_the_snapshot(m, &proxy).await;
        // Waits for the readers, if it has to.
        let session = c.m.source.connect().await;
        let changing = tokio::spawn(async move { session.batch_execute(ddl).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.flow();
        changing.await.expect("a session").expect("a change of the schema");
        if let Some((what, back)) = breaks {
            c.wait("a word about the column", |job| {
                let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
                job.cdc_status == CdcStatus::Paused && notice.is_some_and(|n| n.contains(what))
            })
            .await;
            c.run(back).await;
            c.resume().await;
        }
        c.soon_like_snapshot(&format!("G14, {ddl}")).await;
        c.complete().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g15_a_destination_that_is_slow_and_one_that_hangs() {
    let source = servers()
        .await
        .postgres
        .database("slow", &format!("{TABLES}{ROWS}{COLD}"))
        .await;
    // The source ends the stream of a reader that is silent for so long.
    let impatient = format!("alter database \"{}\" set wal_sender_timeout = '4s'", source.name);
    source.run(&impatient).await;
    let (m, proxy) = to_proxy(source).await;
    let c = Continuous::start(m).await;
    let reader = "select active_pid::text from pg_replication_slots where database = current_database()";
    c.settled().await;
    let first = c.ask(reader).await;
    assert!(first.is_some(), "G15: nobody reads from the slot");
    proxy.delay(Duration::from_millis(400));
    let writers = Writers::start(&c.m.source, 2, RANGE, Duration::ZERO);
    for round in 0..10 {
        c.run(&format!(
            "update p set n = 'round {round}' where id >= 1000; update c set x = 'round {round}' where id >= 2000"
        ))
        .await;
    }
    c.wait("a lag", |job| {
        let statistics = job.cdc_statistics.as_ref();
        statistics.is_some_and(|s| s.lag_ms > 0 && s.lag_bytes > 0)
    })
    .await;
    // Longer than the patience of the source.
    proxy.stick(Links::All);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(c.ask(reader).await, first, "G15: the source has ended the stream");
    proxy.flow();
    proxy.delay(Duration::ZERO);
    writers.stop().await;
    c.expect_like_snapshot("G15").await;
    c.wait("the end of the lag", |job| {
        job.cdc_statistics.as_ref().is_some_and(|s| s.lag_ms == 0)
    })
    .await;
    let peak = c.m.app.peak_memory_mib();
    assert!(peak < 600, "G15: {peak} MiB");
    c.complete().await;
}
