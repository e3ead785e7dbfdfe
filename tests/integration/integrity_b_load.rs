//! Group B of the integrity cases: many roots at once, sessions that overtake each other, what the destination refuses.

use crate::common::{array, coll, issues, spec};
use crate::family::{EMPTY, TABLES, mapping, streaming_family};
use bson::{Document, bson, doc};
use godwit_shared::job::{CdcStatus, EventType, MigrationJobStatus};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivatePostgres;
use std::time::Duration;

/// Six thousand parents, each with one child that names the same row.
const WIDE: &str = "insert into k values (5, 'v'), (6, 'w');
    insert into p select i, 'n' || i from generate_series(1, 6000) i;
    insert into c select i, i, 'x' || i, 5 from generate_series(1, 6000) i;";

#[tokio::test(flavor = "multi_thread")]
async fn b15_a_row_that_many_roots_show() {
    let mut c = streaming_family(WIDE).await;
    let before = c.job().await.cdc_statistics.map_or(0, |s| s.roots_rebuilt);
    c.run("update k set v = 'new' where id = 5").await;
    c.wait("a part of the roots", |job| {
        job.cdc_statistics.as_ref().is_some_and(|s| s.roots_rebuilt > before)
    })
    .await;
    c.run("update c set k_id = 6 where id <= 100").await;
    c.run("begin; delete from c where id between 101 and 200; delete from p where id between 101 and 200; commit")
        .await;
    c.run("update k set v = 'newer' where id = 5").await;
    c.kill_and_restart().await;
    c.streaming().await;
    c.run("update k set v = 'newest' where id = 6").await;
    c.expect_like_snapshot("B15").await;
    for (filter, count) in [
        (doc! {}, 5900),
        (doc! {"cs.k.v": "newer"}, 5800),
        (doc! {"cs.k.v": "newest"}, 100),
    ] {
        let shown = filter.to_string();
        assert_eq!(c.count("ps", filter).await, count, "B15: {shown}");
    }
    c.complete().await;
}

/// A standby that never answers lets the log out before the change can be seen.
#[tokio::test(flavor = "multi_thread")]
async fn b32a_an_event_before_its_change_can_be_read() {
    let server = PrivatePostgres::start(&[]).await;
    let rows = "insert into p values (1, 'P'); insert into c values (10, 1, 'old');";
    let source = server.database("silent", &format!("{TABLES}{rows}")).await;
    full_identity(&source).await;
    let c = Continuous::start(Migration::of(source, mapping()).await).await;
    c.settled().await;
    let silent = "alter system set synchronous_standby_names = 'nobody'";
    c.run(silent).await;
    c.run("select pg_reload_conf()").await;
    wait_for("the setting", LONG, || async {
        (c.ask("show synchronous_standby_names").await.as_deref() == Some("nobody")).then_some(())
    })
    .await;
    let session = c.m.source.connect().await;
    let waiting = tokio::spawn(async move { session.batch_execute("update c set x = 'new' where id = 10").await });
    wait_for("a session that waits for the standby", LONG, || async {
        let sql = "select count(*)::text from pg_stat_activity where wait_event = 'SyncRep'";
        (c.ask(sql).await.as_deref() == Some("1")).then_some(())
    })
    .await;
    // Time enough to act on the event, which is in the log, while nobody can read what it says.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(c.ask("select x from c").await.as_deref(), Some("old"));
    c.expect("B32 a, before it can be read", &[("ps", vec![one_child("old")])])
        .await;
    c.run("alter system reset synchronous_standby_names").await;
    c.run("select pg_reload_conf()").await;
    waiting.await.expect("a session").expect("an update");
    c.settled().await;
    c.expect("B32 a", &[("ps", vec![one_child("new")])]).await;
    c.expect_like_snapshot("B32 a").await;
    c.complete().await;
}

fn one_child(x: &str) -> Document {
    doc! {"_id": 1, "n": "P", "cs": [{"id": 10, "x": x, "gs": []}]}
}

/// Transactions are applied in the order in which they were committed, whatever lies where in the log.
#[tokio::test(flavor = "multi_thread")]
async fn b36_transactions_that_commit_in_another_order() {
    let server = PrivatePostgres::start(&[]).await;
    let source = server.database("order", TABLES).await;
    full_identity(&source).await;
    let c = Continuous::start(Migration::of(source, mapping()).await).await;
    for lock in ["", "select from p where id = 1 for key share;"] {
        c.run(&format!("{EMPTY} insert into p values (1, 'P')")).await;
        c.settled().await;
        let a = c.m.source.connect().await;
        a.batch_execute(&format!("begin; {lock} insert into c values (10, 1, 'a')"))
            .await
            .expect("an open transaction");
        c.run("update p set n = 'B' where id = 1").await;
        c.settled().await;
        c.expect("B36, before", &[("ps", vec![doc! {"_id": 1, "n": "B", "cs": []}])])
            .await;
        a.batch_execute("commit").await.expect("a commit");
        c.settled().await;
        let both = doc! {"_id": 1, "n": "B", "cs": [{"id": 10, "x": "a", "gs": []}]};
        c.expect("B36", &[("ps", vec![both])]).await;
    }
    c.expect_like_snapshot("B36").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b38_a_very_hot_parent() {
    const CHILDREN: u64 = 5_000;
    let c = streaming_family("").await;
    c.run(&format!(
        "insert into p values (1, 'P'); insert into c select i, 1, 'x' from generate_series(1, {CHILDREN}) i"
    ))
    .await;
    c.run("update c set x = 'y'").await;
    c.expect_like_snapshot("B38, one transaction").await;
    // A statement that commits must be alone in its message.
    let many = "do $$ begin for i in 1..5000 loop update c set x = 'z' || i where id = i; commit; end loop; end $$";
    c.run(many).await;
    c.expect_like_snapshot("B38, many transactions").await;
    // Once more, and all of it is there before the first is looked at: how often it is assembled does not depend on how
    // fast it comes.
    let rebuilt =
        |job: &godwit_shared::job::MigrationJobStatus| job.cdc_statistics.as_ref().map_or(0, |s| s.roots_rebuilt);
    let before = rebuilt(&c.settled().await);
    c.while_paused(&[many, "update p set n = 'Q'"]).await;
    let rewrites = rebuilt(&c.settled().await) - before;
    assert!(
        rewrites < CHILDREN / 50,
        "B38: the document was assembled {rewrites} times for {CHILDREN} changes"
    );
    c.expect_like_snapshot("B38, many transactions at once").await;
    c.complete().await;
}

/// What is set on a partitioned table holds for none of its partitions.
#[tokio::test(flavor = "multi_thread")]
async fn b39_old_images_of_partitions() {
    let sql = "create table p(id int primary key);
        create table c(id int, k int, p_id int references p, primary key (id, k)) partition by range (k);
        create table c_low partition of c for values from (0) to (10); alter table c replica identity full;
        insert into p values (7), (8); insert into c values (1, 5, 7), (2, 5, 7)";
    let m = Migration::new(sql, spec([coll("ps", "p", "").embed([array("cs", "c", "id")])])).await;
    let message = (m.app.api())
        .create_job(&continuous_job(&m))
        .await
        .error(422, "preflight_failed");
    assert!(message.contains("public.c_low"), "B39: {message}");
    m.source.run("alter table c_low replica identity full").await;
    let c = Continuous::start(m).await;
    let ps = |seven: bson::Bson, eight: bson::Bson| vec![doc! {"_id": 7, "cs": seven}, doc! {"_id": 8, "cs": eight}];
    c.run("delete from c where id = 1").await;
    c.settled().await;
    c.expect("B39, a delete", &[("ps", ps(bson!([{"id": 2}]), bson!([])))])
        .await;
    c.run("create table c_mid partition of c for values from (10) to (20); alter table c_mid replica identity full")
        .await;
    c.run("insert into c values (3, 15, 7)").await;
    c.run("update c set p_id = 8 where id = 3").await;
    c.soon_like_snapshot("B39, a new partition").await;
    c.run("update c set k = 16 where id = 2").await;
    c.run("delete from c where id = 3").await;
    c.soon_like_snapshot("B39, from partition to partition").await;
    c.expect("B39", &[("ps", ps(bson!([{"id": 2}]), bson!([])))]).await;

    // A new partition without old images: the documents are right all the same, or the job waits and says why.
    c.run("create table c_high partition of c for values from (20) to (30); insert into c values (4, 25, 7)")
        .await;
    c.settled().await;
    c.run("update c set p_id = 8 where id = 4").await;
    let waits = |job: &MigrationJobStatus| {
        let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
        job.cdc_status == CdcStatus::Paused && notice.is_some_and(|n| n.contains("public.c_high"))
    };
    wait_for("the right documents, or a word about the partition", LONG, || async {
        (waits(&c.job().await) || c.unlike_snapshot().await.is_none()).then_some(())
    })
    .await;
    c.run("alter table c_high replica identity full").await;
    if waits(&c.job().await) {
        c.resume().await;
    }
    c.run("delete from c where id = 4").await;
    c.soon_like_snapshot("B39, after the partition has old images").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b33_rows_that_swap_what_the_destination_wants_unique() {
    let sql = "create table u(id int primary key, mail text unique)";
    let c = Continuous::new(sql, spec([coll("us", "u", "mail")])).await;
    let index =
        doc! {"createIndexes": "us", "indexes": [{"key": {"mail": 1}, "name": "mail", "unique": true, "sparse": true}]};
    c.m.target.database.run_command(index).await.expect("an index");
    c.case(
        "B33",
        "delete from u; insert into u values (1, 'a'), (2, 'b')",
        &[
            "begin; update u set mail = 'temporary' where id = 1; update u set mail = 'a' where id = 2;
           update u set mail = 'b' where id = 1; commit",
        ],
        &[("us", vec![doc! {"_id": 1, "mail": "b"}, doc! {"_id": 2, "mail": "a"}])],
    )
    .await;
    c.case(
        "B33, from row to row",
        "delete from u; insert into u values (1, 'a'), (2, 'b'), (3, 'c')",
        &["begin; delete from u where id = 1; update u set mail = 'a' where id = 2; insert into u values (4, 'b'); commit"],
        &[(
            "us",
            vec![
                doc! {"_id": 2, "mail": "a"},
                doc! {"_id": 3, "mail": "c"},
                doc! {"_id": 4, "mail": "b"},
            ],
        )],
    )
    .await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn b33_a_row_without_a_key_that_fits_when_another_one_is_gone() {
    let sql = "create table u(mail text, n int)";
    let c = Continuous::new(sql, spec([coll("us", "u", "mail n")]))
        .await
        .keyless("us");
    let index = doc! {"createIndexes": "us", "indexes": [{"key": {"mail": 1}, "name": "mail", "unique": true}]};
    c.m.target.database.run_command(index).await.expect("an index");
    c.run("insert into u values ('a', 1)").await;
    c.settled().await;
    c.run("insert into u values ('a', 2)").await;
    c.settled().await;
    c.expect("B33, the first one", &[("us", vec![doc! {"mail": "a", "n": 1}])])
        .await;
    c.run("delete from u where n = 1").await;
    c.settled().await;
    c.expect("B33, the second one", &[("us", vec![doc! {"mail": "a", "n": 2}])])
        .await;
    c.complete().await;
}

/// F10: what a validator refuses is an issue of its row, and is mended by a later change.
#[tokio::test(flavor = "multi_thread")]
async fn f10_documents_that_the_destination_refuses() {
    let sql = "create table t(id int primary key, n int); insert into t select i, i from generate_series(1, 20) i";
    let c = Continuous::new(sql, spec([coll("t", "t", "n")])).await;
    let rule = doc! {"collMod": "t", "validator": {"n": {"$lt": 1000}}, "validationLevel": "strict"};
    c.m.target.database.run_command(rule).await.expect("a validator");
    c.run("begin; update t set n = n + 100; update t set n = 5000 where id in (3, 17); insert into t values (21, 6000), (22, 1); commit")
        .await;
    let job = c.settled().await;
    let count = async |filter: Document| c.count("t", filter).await;
    assert_eq!(count(doc! {"n": {"$gt": 100}}).await, 18, "F10: others are written");
    assert_eq!(count(doc! {"_id": 22}).await, 1, "F10: others are written");
    assert_eq!(count(doc! {"_id": 21}).await, 0);
    let errors = issues(&job, EventType::Error);
    assert!(
        errors.len() == 1 && errors[0].ends_with(" 3"),
        "F10: three errors: {errors:?}"
    );
    c.run("update t set n = 7 where n > 1000").await;
    c.expect_like_snapshot("F10, mended").await;
    c.complete().await;
}

/// F21: the destination belongs to the job until it is completed.
#[tokio::test(flavor = "multi_thread")]
async fn f21_fields_that_another_program_adds() {
    let sql =
        "create table p(id int primary key, n text); create table c(id int primary key, p_id int references p, x text);
        insert into p values (1, 'P'), (2, 'Q'); insert into c values (10, 1, 'a')";
    let mapping = spec([coll("ps", "p", "n").embed([array("cs", "c", "x")])]);
    let c = Continuous::new(sql, mapping).await;
    let set = doc! {"$set": {"seen": true, "cs.0.seen": true}};
    let ps = c.m.target.database.collection::<Document>("ps");
    ps.update_one(doc! {"_id": 1}, set).await.expect("an update");
    c.run("update c set x = 'b' where id = 10").await;
    c.expect_like_snapshot("F21").await;
    // Documents that are nobody's stay.
    ps.insert_one(doc! {"_id": "mine"}).await.expect("an insert");
    c.run("update p set n = 'Q2' where id = 2").await;
    c.settled().await;
    assert_eq!(c.count("ps", doc! {"_id": "mine"}).await, 1);
    c.complete().await;
}
