//! Group C of the integrity cases: the schema of the source changes while the job streams, or while it does not look.
//!
//! What leaves the mapping valid makes the job read the collections again; what breaks it makes the job wait.

use crate::common::{array, coll, spec};
use crate::family::{ROWS, streaming_family};
use bson::doc;
use godwit_shared::job::{CdcStatus, MigrationJobStatus};
use godwit_tests::continuous::Continuous;
use godwit_tests::docs::raw_documents;

/// Waits until the job stands still because of a column of a table, and says so.
async fn waits_because_of(c: &Continuous, table: &str, column: &str) -> MigrationJobStatus {
    c.wait(&format!("a word about {column} of {table}"), |job| {
        let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
        let notice = notice.map(|n| n.replace('"', ""));
        job.cdc_status == CdcStatus::Paused && notice.is_some_and(|n| n.contains(table) && n.contains(column))
    })
    .await
}

async fn hundred(c: &Continuous, value: &str) {
    for at in 1..=50 {
        c.run(&format!("update p set n = '{value}' where id = {at}")).await;
        c.run(&format!("update g set y = '{value}' where id = {at}")).await;
    }
}

async fn all_documents(c: &Continuous) -> Vec<Vec<u8>> {
    raw_documents(&c.m.target.database, "ps").await
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_a_new_column() {
    let c = streaming_family(ROWS).await;
    c.run("alter table p add z int default 5").await;
    c.run("insert into p values (100, 'new'); update p set n = 'other' where id < 9; update c set x = 'other' where id < 9")
        .await;
    c.soon_like_snapshot("C11").await;
    let with_z = c.count("ps", doc! {"z": {"$exists": true}}).await;
    assert_eq!(with_z, 0, "C11: the mapping has no such field");
    c.run("update p set z = 6 where id = 3").await;
    c.soon_like_snapshot("C11, and a change of it alone").await;
    c.complete().await;
}

/// C12 and C13, while the server is down: nothing is confirmed and nothing written until the column is back.
async fn column_is_gone(case: &str, gone: &str, back: &str) {
    let mut c = streaming_family(ROWS).await;
    c.settled().await;
    c.m.app.kill();
    let (confirmed, before) = (c.confirmed().await, all_documents(&c).await);
    hundred(&c, "before").await;
    c.run(gone).await;
    hundred(&c, "after").await;
    c.m.app.restart().await;
    waits_because_of(&c, "public.c", "column x").await;
    assert_eq!(c.confirmed().await, confirmed, "{case}: a position was confirmed");
    assert!(all_documents(&c).await == before, "{case}: documents were changed");
    // Going on without the column is no way.
    c.api().act(&c.id, "resume").await.ok();
    waits_because_of(&c, "public.c", "column x").await;
    assert!(all_documents(&c).await == before, "{case}: documents were changed");
    c.run(back).await;
    c.resume().await;
    c.soon_like_snapshot(case).await;
    c.run("update c set x = 'again' where id < 20").await;
    c.soon_like_snapshot(&format!("{case}, later")).await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c12_a_column_of_the_mapping_is_dropped() {
    column_is_gone(
        "C12",
        "alter table c drop column x",
        "alter table c add column x text default 'back'",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c13_a_column_of_the_mapping_is_renamed() {
    column_is_gone("C13", "alter table c rename x to x2", "alter table c rename x2 to x").await;
}

/// The same under a running stream, with a join column and with a table.
#[tokio::test(flavor = "multi_thread")]
async fn c12_columns_and_tables_go_while_the_job_streams() {
    let c = streaming_family(ROWS).await;
    let changes = [
        (
            "alter table c rename x to x2",
            "alter table c rename x2 to x",
            "column x",
            "public.c",
        ),
        (
            "alter table c rename k_id to other",
            "alter table c rename other to k_id",
            "column k_id",
            "public.c",
        ),
        (
            "alter table k rename to k2",
            "alter table k2 rename to k",
            "table",
            "public.k",
        ),
    ];
    for (gone, back, column, table) in changes {
        c.run(gone).await;
        c.run("update p set n = 'meanwhile'").await;
        waits_because_of(&c, table, column).await;
        c.run(back).await;
        c.run("update p set n = 'n' || id").await;
        c.resume().await;
        c.soon_like_snapshot(gone).await;
    }
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c14_a_column_gets_another_type() {
    let c = streaming_family(ROWS).await;
    c.run("alter table c alter x type varchar using upper(x)").await;
    c.soon_like_snapshot("C14, other values").await;
    c.run("alter table c alter x type int using id").await;
    c.run("update p set n = 'meanwhile' where id = 1").await;
    c.soon_like_snapshot("C14, another type").await;
    c.run("update c set x = x + 1").await;
    c.soon_like_snapshot("C14, later").await;
    c.run("alter table p alter id type bigint").await;
    c.run("update c set x = 0 where id = 1; insert into p values (5000000000, 'far')")
        .await;
    c.soon_like_snapshot("C14, a key").await;
    c.complete().await;
}

/// To MongoDB 5 and 5.0 are one `_id`, and it keeps the one that was there first.
#[tokio::test(flavor = "multi_thread")]
async fn c14_a_key_gets_another_type() {
    let sql = "create table t(id int primary key, v text); insert into t select i, 'v' from generate_series(1, 500) i";
    let c = Continuous::new(sql, spec([coll("t", "t", "v")])).await;
    for kind in ["bigint", "numeric", "float8", "text", "int using id::int"] {
        c.run(&format!("alter table t alter id type {kind}")).await;
        c.soon_like_snapshot(&format!("C14, a key of {kind}")).await;
        c.run("update t set v = v || '!'").await;
        c.soon_like_snapshot(&format!("C14, a key of {kind}, later")).await;
    }
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_a_value_of_an_enum_is_renamed() {
    let sql = "create type e as enum ('a', 'b'); create table t(id int primary key, e e, es e[]); insert into t values (1, 'a', '{a,b}'), (2, 'b', '{}')";
    let c = Continuous::new(sql, spec([coll("t", "t", "e es")])).await;
    c.run("alter type e rename value 'a' to 'zz'").await;
    c.run("insert into t values (3, 'zz', '{b}')").await;
    c.soon_like_snapshot("C15").await;
    c.run("alter type e add value 'first' before 'zz'").await;
    c.run("update t set e = 'first' where id = 2").await;
    c.soon_like_snapshot("C15, a new value").await;
    c.run("alter type e rename value 'b' to 'B'").await;
    c.soon_like_snapshot("C15, without another change").await;
    c.complete().await;
}

/// Composite types change as tables do, and no row event tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn c15_a_composite_type_changes() {
    let sql = "create type a as (street text, city text); create table t(id int primary key, a a, s a[]);
               insert into t values (1, row('s', 'c'), array[row('s', 'c')::a]), (2, null, '{}')";
    let c = Continuous::new(sql, spec([coll("t", "t", "a s")])).await;
    c.run("alter type a rename attribute city to town").await;
    c.soon_like_snapshot("an attribute is renamed").await;
    c.run("alter type a add attribute zip int").await;
    c.run("update t set a = row('s2', 'c2', 5) where id = 2").await;
    c.soon_like_snapshot("an attribute is added").await;
    c.run("alter type a drop attribute street").await;
    c.soon_like_snapshot("an attribute is dropped").await;
    c.complete().await;
}

/// Another table takes the name: right, or a stop that says why; never a stream that misses it.
#[tokio::test(flavor = "multi_thread")]
async fn c16_a_table_is_swapped() {
    let c = streaming_family(ROWS).await;
    c.run("create table k_new(like k including all); alter table k_new replica identity full; insert into k_new select id, v || ' new' from k")
        .await;
    c.run("begin; alter table k rename to k_old; alter table k_new rename to k; commit")
        .await;
    c.run("update k set v = 'swapped' where id < 4; delete from k where id = 5; insert into k values (77, 'x')")
        .await;
    c.run("update c set k_id = 77 where id = 1").await;
    right_or_stopped(&c, "C16", "public.k").await;
}

/// Waits until the documents are those of a snapshot, or the job has stopped and names the table.
async fn right_or_stopped(c: &Continuous, case: &str, table: &str) {
    let deadline = std::time::Instant::now() + godwit_tests::api::LONG;
    loop {
        let job = c.job().await;
        if job.status.is_ended() || job.cdc_status == CdcStatus::Paused {
            let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.clone());
            let failure = job.failure_error.as_ref().map(|f| f.message.clone());
            let says_why = [notice, failure].iter().flatten().any(|text| text.contains(table));
            assert!(says_why, "{case}: stopped without naming {table}: {job:#?}");
            return;
        }
        let Some(difference) = c.unlike_snapshot().await else {
            return;
        };
        assert!(
            std::time::Instant::now() < deadline,
            "{case}: neither right nor stopped: {difference}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c17_partitions_come_and_go() {
    let sql = "create table p(id int primary key);
        create table ev(id int, k int, p_id int references p, primary key (id, k)) partition by range (k);
        create table ev_1 partition of ev for values from (0) to (10); create table ev_2 partition of ev for values from (10) to (20);
        insert into p select generate_series(1, 5); insert into ev select i, i % 20, i % 5 + 1 from generate_series(1, 100) i";
    let mapping = spec([
        coll("ps", "p", "").embed([array("es", "ev", "id k")]),
        coll("evs", "ev", "p_id"),
    ]);
    let c = Continuous::new(sql, mapping).await;
    let steps = [
        ("detached", "alter table ev detach partition ev_1"),
        (
            "attached with its rows",
            "update ev_1 set p_id = 3; alter table ev attach partition ev_1 for values from (0) to (10)",
        ),
        ("changed again", "update ev set p_id = 4 where k < 10"),
        ("dropped", "drop table ev_2"),
        (
            "a new one",
            "create table ev_3 partition of ev for values from (20) to (30); alter table ev_3 replica identity full",
        ),
        ("rows in the new one", "insert into ev values (500, 25, 1), (501, 26, 2)"),
        ("rows move within the new one", "update ev set p_id = 5 where k = 25; delete from ev where k = 26"),
        (
            "one that was a table before",
            "create table ev_4(like ev including all); alter table ev_4 replica identity full; insert into ev_4 values (600, 35, 2);
             alter table ev attach partition ev_4 for values from (30) to (40)",
        ),
        ("a row comes into it", "update ev set k = 36 where id = 500"),
    ];
    for (name, step) in steps {
        c.run(step).await;
        c.soon_like_snapshot(&format!("C17, {name}")).await;
    }
    c.complete().await;
}
