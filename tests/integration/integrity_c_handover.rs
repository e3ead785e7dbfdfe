//! Group C of the integrity cases: from the snapshot to the changes, and transactions of every kind.

use crate::common::{array, coll, spec};
use crate::family::{COLD, EMPTY, RANGE, ROWS, TABLES, family, mapping, streaming_family};
use bson::{Document, bson, doc};
use godwit_shared::job::CdcStatus;
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity, lsn};
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::Proxy;
use godwit_tests::servers::{PrivatePostgres, servers};
use godwit_tests::writers::Writers;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn c05_transactions_that_are_open_while_the_snapshot_starts() {
    let server = PrivatePostgres::start(&[]).await;
    let source = server.database("handover", &format!("{TABLES}{ROWS}{COLD}")).await;
    full_identity(&source).await;
    let m = Migration::of(source, mapping()).await;
    // One that was there before the job: the slot waits for it.
    let before = m.source.connect().await;
    before
        .batch_execute("begin; insert into p values (500, 'before'); update c set x = 'before' where id = 10")
        .await
        .expect("an open transaction");
    // Sessions whose transactions are open for times of every length, so that one of them spans every step of the start.
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut sessions = tokio::task::JoinSet::new();
    for session in 0..12_u64 {
        let (client, stopped) = (m.source.connect().await, stopped.clone());
        sessions.spawn(async move {
            let mut round = 0;
            while !*stopped.borrow() {
                round += 1;
                let (p, c) = (600 + session, 20 + session);
                let change = format!(
                    "begin; insert into p values ({p}, 'r{round}') on conflict (id) do update set n = excluded.n;
                     update c set x = 'r{round}' where id = {c}; insert into c values ({}, {p}, 'new')",
                    100_000 + session * 10_000 + round
                );
                client.batch_execute(&change).await.expect("an open transaction");
                tokio::time::sleep(Duration::from_millis(7 + session * 23 + round % 5 * 11)).await;
                client.batch_execute("commit").await.expect("a commit");
            }
        });
    }
    let job = continuous_job(&m);
    let c = Continuous::begin(m, &job).await;
    wait_for("a slot that waits", LONG, || async {
        let waiting =
            "select count(*)::text from pg_stat_activity where backend_type = 'walsender' and wait_event_type = 'Lock'";
        (c.ask(waiting).await.as_deref() == Some("1")).then_some(())
    })
    .await;
    before.batch_execute("commit").await.expect("a commit");
    c.streaming().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.send(true).expect("the sessions listen");
    sessions.join_all().await;
    c.expect_like_snapshot("C05").await;
    let early = doc! {"_id": 500, "n": "before"};
    assert_eq!(c.count("ps", early).await, 1, "C05");
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_rows_that_change_while_their_chunk_is_read() {
    let mongo = &servers().await.mongo;
    let proxy = Proxy::before(mongo.port).await;
    let source = servers()
        .await
        .postgres
        .database("handover", &format!("{TABLES}{ROWS}{COLD}"))
        .await;
    full_identity(&source).await;
    let target = mongo.target_at(proxy.port, "slow").await;
    let mut m = Migration::between(source, target, mapping()).await;
    let writers = Writers::start(&m.source, 2, RANGE, Duration::from_millis(2));
    let (mut rounds, mut delay) = (0, Duration::from_millis(15));
    let c = loop {
        let before = rounds;
        proxy.delay(delay);
        let job = continuous_job(&m);
        let c = Continuous::begin(m, &job).await;
        while c.job().await.cdc_status == CdcStatus::NotStarted && rounds < before + 400 {
            rounds += 1;
            change_here_and_there(&c, rounds).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.delay(Duration::ZERO);
        c.streaming().await;
        if rounds > before + 20 {
            break c;
        }
        // The rows were copied before much of them could be changed: a slower destination.
        c.abandon().await;
        (m, delay) = (c.m, delay * 2);
    };
    writers.stop().await;
    c.expect_like_snapshot("C06").await;
    c.complete().await;
}

/// Changes rows that are copied, not yet copied, and just being copied.
async fn change_here_and_there(c: &Continuous, round: i32) {
    let at = 1000 + round * 37 % 15_000;
    let (far, new) = (1000 + (round * 7919) % 15_000, 50_000 + round);
    let (other, moved) = (at + 5, far + 3);
    let key = 200_000 + round;
    c.run(&format!(
        "update p set n = 'round {round}' where id in ({at}, {far}); update c set p_id = (select id from p where id = {far}) where p_id = {at};
         insert into p values ({new}, 'inserted'); insert into c values ({new}, {new}, 'inserted');
         delete from c where p_id = {other}; delete from p where id = {other};
         begin; set constraints all deferred; update p set id = {key} where id = {moved}; update c set p_id = {key} where p_id = {moved}; commit"
    ))
    .await;
}

/// C08: what was applied and not confirmed comes again.
#[tokio::test(flavor = "multi_thread")]
async fn c08_changes_that_come_again() {
    let mut c = streaming_family(ROWS).await;
    let writers = Writers::start(&c.m.source, 4, RANGE, Duration::ZERO);
    for _ in 0..4 {
        writers.more(100).await;
        c.kill_and_restart().await;
    }
    writers.stop().await;
    c.streaming().await;
    c.expect_like_snapshot("C08").await;
    // Deleted and made again, and all of it comes twice.
    c.run("delete from g; delete from c; delete from p where id = 1").await;
    c.run("insert into p values (1, 'again')").await;
    c.run("delete from p where id = 1").await;
    c.run("insert into p values (1, 'for good'); insert into c values (1, 1, 'x')")
        .await;
    c.kill_and_restart().await;
    c.streaming().await;
    c.settled().await;
    let first =
        c.m.target
            .database
            .collection::<Document>("ps")
            .find_one(doc! {"_id": 1})
            .await;
    let expected = doc! {"_id": 1, "n": "for good", "cs": [{"id": 1, "x": "x", "gs": []}]};
    assert_eq!(first.expect("find works"), Some(expected), "C08");
    c.expect_like_snapshot("C08, made again").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c18_a_very_large_transaction() {
    let m = family(ROWS).await;
    // Every transaction of more than a few rows leaves the memory of the source before its end.
    let small = format!(
        "alter database \"{}\" set logical_decoding_work_mem = '64kB'",
        m.source.name
    );
    m.source.run(&small).await;
    let mut c = Continuous::start(m).await;
    let session = c.m.source.connect().await;
    let large = tokio::spawn(async move {
        session
            .batch_execute(
                "begin; insert into p select i, 'large' from generate_series(10001, 40000) i;
                 insert into c select i, i, 'large', 1 from generate_series(10001, 40000) i;
                 update p set n = n || '!' where id > 10000; update c set x = x || '!', k_id = 2 where id > 10000;
                 delete from c where id > 10000 and id % 2 = 0; delete from p where id > 10000 and id % 2 = 0; commit",
            )
            .await
    });
    for round in 0..20 {
        c.run(&format!(
            "update p set n = 'small {round}' where id = {}",
            round % 64 + 1
        ))
        .await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    large.await.expect("a session").expect("a large transaction");
    let before = c.job().await.cdc_statistics.map_or(0, |s| s.roots_rebuilt);
    c.wait("a part of the transaction", |job| {
        job.cdc_statistics
            .as_ref()
            .is_some_and(|s| s.roots_rebuilt != before || s.lag_bytes == 0)
    })
    .await;
    c.kill_and_restart().await;
    c.streaming().await;
    c.expect_like_snapshot("C18").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c19_prepared_transactions() {
    let server = PrivatePostgres::start(&["max_prepared_transactions=5"]).await;
    let source = server.database("prepared", TABLES).await;
    full_identity(&source).await;
    let mut c = Continuous::start(Migration::of(source, mapping()).await).await;
    for (end, is_there) in [("commit prepared 'one'", true), ("rollback prepared 'one'", false)] {
        c.run(EMPTY).await;
        c.run("begin; insert into p values (90, 'prepared')").await;
        c.run("prepare transaction 'one'").await;
        c.run("insert into p values (91, 'other')").await;
        c.settled().await;
        let other = doc! {"_id": 91, "n": "other", "cs": []};
        c.expect("C19, prepared", &[("ps", vec![other.clone()])]).await;
        c.kill_and_restart().await;
        c.streaming().await;
        c.run(end).await;
        c.settled().await;
        let mut expected = vec![other];
        if is_there {
            expected.push(doc! {"_id": 90, "n": "prepared", "cs": []});
        }
        c.expect(&format!("C19, {end}"), &[("ps", expected)]).await;
    }
    c.expect_like_snapshot("C19").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c20_transactions_that_are_undone_in_part() {
    let m = family("").await;
    let small = format!(
        "alter database \"{}\" set logical_decoding_work_mem = '64kB'",
        m.source.name
    );
    m.source.run(&small).await;
    let c = Continuous::start(m).await;
    let start = format!("{EMPTY} insert into p values (1, 'P'), (2, 'Q'); insert into c values (10, 1, 'a')");
    let end = || {
        vec![
            doc! {"_id": 1, "n": "P", "cs": []},
            doc! {"_id": 2, "n": "kept", "cs": [{"id": 10, "x": "kept", "gs": []}]},
        ]
    };
    c.case(
        "C20, savepoints",
        &start,
        &["begin; update c set p_id = 2; savepoint s; update p set n = 'undone'; delete from c; insert into p values (3, 'undone');
           rollback to s; update p set n = 'kept' where id = 2; update c set x = 'kept'; commit"],
        &[("ps", end())],
    )
    .await;
    c.case(
        "C20, an error that is caught",
        &start,
        &[
            "do $$ begin update c set p_id = 2, x = 'kept'; begin update p set n = 'undone'; perform 1 / 0;
           exception when division_by_zero then update p set n = 'kept' where id = 2; end; end $$",
        ],
        &[("ps", end())],
    )
    .await;
    c.case(
        "C20, all of it",
        &start,
        &["begin; update p set n = 'undone'; delete from c; rollback"],
        &[(
            "ps",
            vec![
                doc! {"_id": 1, "n": "P", "cs": [{"id": 10, "x": "a", "gs": []}]},
                doc! {"_id": 2, "n": "Q", "cs": []},
            ],
        )],
    )
    .await;
    // Large enough to leave the memory of the source before it is undone.
    let large = "begin; savepoint a; insert into p select i, 'undone' from generate_series(100, 6000) i; rollback to a;
        update p set n = 'P'; savepoint b; insert into p select i, 'kept' from generate_series(100, 600) i; savepoint c;
        update p set n = 'undone'; delete from c; rollback to c; commit";
    c.run(large).await;
    let _ = c
        .sql
        .batch_execute("begin; update p set n = 'undone'; select 1 / 0; commit")
        .await;
    c.run("rollback").await;
    c.expect_like_snapshot("C20, streamed").await;
    c.complete().await;
}

/// The position moves on while nothing that the job wants is written.
#[tokio::test(flavor = "multi_thread")]
async fn c21_quiet_tables_in_a_busy_server() {
    let server = PrivatePostgres::start(&[]).await;
    let other = server.database("other", "create table noise(i int, t text)").await;
    let source = server
        .database("quiet", &format!("{TABLES}{ROWS} create table noise(i int, t text)"))
        .await;
    full_identity(&source).await;
    let c = Continuous::start(Migration::of(source, mapping()).await).await;
    let noise = "insert into noise select i, repeat('x', 200) from generate_series(1, 50000) i";
    for busy in [&other, &c.m.source] {
        busy.run(noise).await;
        let end = c.log_end().await;
        // It goes on being busy.
        let session = busy.connect().await;
        wait_for("the confirmed position", LONG, || async {
            let more = session.batch_execute("insert into noise values (1, 'more')").await;
            more.expect("an insert");
            (lsn(&c.confirmed().await) >= lsn(&end)).then_some(())
        })
        .await;
    }
    let job = c.settled().await;
    let statistics = job.cdc_statistics.expect("statistics");
    assert_eq!(statistics.total_events_seen, 0, "C21: {statistics:?}");
    c.run("update p set n = 'still here' where id = 1").await;
    c.expect_like_snapshot("C21").await;
    c.complete().await;
}

/// A second job on the same collections is refused while the first is there, and makes nothing in the source.
#[tokio::test(flavor = "multi_thread")]
async fn c24_a_second_job_on_the_same_collections() {
    let c = streaming_family(ROWS).await;
    let slot = c.slot().await;
    for job in [continuous_job(&c.m), c.m.job(), continuous_job(&c.m).dropping(false)] {
        let answer = c.api().create_job(&job).await;
        assert_eq!(answer.body["jobId"], c.id.as_str(), "C24");
        answer.error(409, "job_conflict");
    }
    c.pause().await;
    c.api()
        .create_job(&continuous_job(&c.m))
        .await
        .error(409, "job_conflict");
    c.resume().await;
    assert_eq!(c.slot().await, slot, "C24");
    // One to another destination stands beside it, with a slot of its own.
    let target = servers().await.mongo.target("second").await;
    let second = Job::new(&c.m.project, &c.m.source, &target).with("/options/mode", json!("CDC"));
    let second = c.api().start_job(&second).await;
    c.api()
        .wait_job(&second, "streaming", LONG, |j| j.cdc_status == CdcStatus::Running)
        .await;
    assert_eq!(
        c.ask("select count(*)::text from pg_replication_slots where database = current_database()")
            .await
            .as_deref(),
        Some("2")
    );
    c.run("update p set n = 'both' where id = 1").await;
    c.expect_like_snapshot("C24").await;
    c.api().act(&second, "stop").await.ok();
    c.api().wait_ended(&second, LONG).await;
    let one = doc! {"_id": 1, "n": "both"};
    let found = target.database.collection::<Document>("ps").count_documents(one).await;
    assert_eq!(found.expect("a count"), 1, "C24");
    c.run("update p set n = 'first' where id = 1").await;
    c.expect_like_snapshot("C24, after the second").await;
    c.complete().await;
}

/// C17, the part without changes of the schema: rows pass from partition to partition.
#[tokio::test(flavor = "multi_thread")]
async fn c17_rows_of_partitions() {
    let sql = "create table p(id int primary key);
        create table ev(id int, k int, p_id int references p, primary key (id, k)) partition by range (k);
        create table ev_1 partition of ev for values from (0) to (10);
        create table ev_2 partition of ev for values from (10) to (20) partition by list (k);
        create table ev_2a partition of ev_2 for values in (10, 11, 12, 13, 14); create table ev_2b partition of ev_2 default;
        insert into p values (1), (2)";
    let mapping = spec([
        coll("ps", "p", "").embed([array("es", "ev", "id k")]),
        coll("evs", "ev", "p_id"),
    ]);
    let c = Continuous::new(sql, mapping).await;
    let start = "delete from ev; insert into ev values (1, 5, 1), (2, 12, 1), (3, 18, 2)";
    let ps = |one: bson::Bson, two: bson::Bson| ("ps", vec![doc! {"_id": 1, "es": one}, doc! {"_id": 2, "es": two}]);
    let e = |id: i32, k: i32| bson!({"id": id, "k": k});
    c.case(
        "C17, from partition to partition",
        start,
        &[
            "update ev set k = 15 where id = 1",
            "update ev set k = 3 where id = 2",
            "update ev set k = 11, p_id = 1 where id = 3",
        ],
        &[ps(bson!([e(1, 15), e(2, 3), e(3, 11)]), bson!([]))],
    )
    .await;
    c.case(
        "C17, one partition is emptied",
        start,
        &["truncate ev_2a"],
        &[ps(bson!([e(1, 5)]), bson!([e(3, 18)]))],
    )
    .await;
    c.case(
        "C17, all are",
        start,
        &["truncate ev", "insert into ev values (4, 4, 2)"],
        &[ps(bson!([]), bson!([e(4, 4)]))],
    )
    .await;
    c.complete().await;
}
