//! What the job's publication gives: wide enough in any form, and never narrow for a moment without being noticed.

use crate::common::{array, coll, spec};
use godwit_shared::job::{CdcStatus, MigrationJobStatus};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PrivatePostgres;
use serde_json::Value;

/// Old images of `c` hold what the mapping needs without being whole rows, so that a list of columns is allowed.
const SHOP: &str = "
    create table p(id int primary key, n text);
    create table c(id int primary key, p_id int not null references p, x text);
    create unique index c_identity on c(id, p_id); create index on c(p_id);
    alter table c replica identity using index c_identity;
    insert into p select i, 'n' || i from generate_series(1, 20) i;
    insert into c select i, i % 20 + 1, 'x' || i from generate_series(1, 60) i;";

/// A change of every kind, in both tables.
const CHANGES: &str = "
    update p set n = n || '+' where id < 6; delete from c where p_id = 20; delete from p where id = 20;
    insert into p values (500 + (select count(*) from p), 'new');
    insert into c select 1000 + count(*), 7, 'new' from c; update c set p_id = 8, x = x || '+' where id between 3 and 6;";

fn shop() -> Value {
    spec([
        coll("ps", "p", "n").embed([array("cs", "c", "id x")]),
        coll("cs", "c", "x"),
    ])
}

const EVENTS: &str = "
    create table p(id int primary key);
    create table ev(id int, k int, p_id int references p, primary key (id, k)) partition by range (k);
    create table ev_1 partition of ev for values from (0) to (10);
    create table ev_2 partition of ev for values from (10) to (20);
    insert into p select generate_series(1, 5); insert into ev select i, i % 20, i % 5 + 1 from generate_series(1, 100) i";

fn events() -> Value {
    spec([
        coll("ps", "p", "").embed([array("es", "ev", "id k")]),
        coll("evs", "ev", "p_id"),
    ])
}

fn prepared_name(m: &Migration) -> String {
    format!("godwit_{}", m.project.to_lowercase().replace('-', "_"))
}

/// A job that streams through a publication that the owner of the tables has made for it.
async fn prepared(m: Migration, objects: &str) -> (Continuous, String) {
    let name = prepared_name(&m);
    m.source.run(&format!("create publication {name} for {objects}")).await;
    let c = Continuous::start(m).await;
    let publications = "select string_agg(pubname, ' ') from pg_publication";
    assert_eq!(
        c.ask(publications).await,
        Some(name.clone()),
        "the job made another one"
    );
    (c, name)
}

async fn shop_job(objects: &str) -> (Continuous, String) {
    prepared(Migration::new(SHOP, shop()).await, objects).await
}

async fn events_job(objects: &str) -> (Continuous, String) {
    let m = Migration::new(EVENTS, events()).await;
    full_identity(&m.source).await;
    prepared(m, objects).await
}

/// The job with a publication of its own, and the name of that.
async fn own(sql: &str, mapping: Value) -> (Continuous, String) {
    let m = Migration::new(sql, mapping).await;
    m.source.run("do $$ begin if to_regclass('ev') is not null then alter table ev_1 replica identity full; alter table ev_2 replica identity full; end if; end $$").await;
    let c = Continuous::start(m).await;
    let name = c.ask("select pubname::text from pg_publication").await;
    (c, name.expect("a publication"))
}

/// Ends a case: what streams now is right, and later changes too.
async fn goes_on(c: &Continuous, case: &str, changes: &str) {
    c.soon_like_snapshot(case).await;
    c.run(changes).await;
    c.soon_like_snapshot(&format!("{case}, later")).await;
}

async fn stands_still(c: &Continuous, case: &str, words: &str) -> MigrationJobStatus {
    c.wait(&format!("{case}: the reason"), |job| {
        let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
        job.cdc_status == CdcStatus::Paused && notice.is_some_and(|n| n.contains("publication") && n.contains(words))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn wide_enough_in_any_form() {
    for objects in [
        "table p, c",
        "all tables",
        "tables in schema public",
        "table p (id), c (id, p_id)",
        "table p, c with (publish_via_partition_root = true)",
    ] {
        let (c, name) = shop_job(objects).await;
        goes_on(&c, objects, CHANGES).await;
        c.api().act(&c.id, "stop").await.ok();
        c.api().wait_ended(&c.id, godwit_tests::api::LONG).await;
        let kept = c.ask("select pubname::text from pg_publication").await;
        assert_eq!(kept, Some(name), "{objects}: it is its owner's");
    }
    for objects in [
        "table p, ev",
        "table p, ev_1, ev_2",
        "all tables",
        "tables in schema public",
    ] {
        let (c, _) = events_job(objects).await;
        goes_on(
            &c,
            objects,
            "update ev set k = (k + 10) % 20; delete from ev where id = 7; truncate ev_2",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_narrow_is_not_used() {
    let m = Migration::new(SHOP, shop()).await;
    let name = prepared_name(&m);
    // Who owns the tables could make one: a job of somebody else could not.
    let user = crate::common::reader(
        &m.source,
        "alter role $user replication; grant select on all tables in schema public to $user",
    )
    .await;
    for (objects, words) in [
        (
            "table p, c with (publish = 'insert, update')",
            "leaves out deletes, truncates",
        ),
        ("table p, c where (id < 9)", "public.c with a row filter"),
        ("table p, c (id)", "public.c with a list of columns that lacks p_id"),
        ("table p", "lacks public.c"),
        ("tables in schema elsewhere", "lacks public.c, public.p"),
    ] {
        m.source.run("create schema if not exists elsewhere").await;
        m.source
            .run(&format!(
                "drop publication if exists {name}; create publication {name} for {objects}"
            ))
            .await;
        let job = continuous_job(&m).as_user(&user, godwit_tests::servers::PASSWORD);
        let message = m.app.api().create_job(&job).await.error(422, "preflight_failed");
        assert!(message.contains(words), "{objects}: {message}");
    }
}

/// What narrows the owner's publication, what widens it again, and words of the reason.
fn narrowed(name: &str) -> Vec<(String, String, &'static str)> {
    let all = format!("alter publication {name} set table p, c");
    [
        (
            "set (publish = 'insert, update')",
            format!("alter publication {name} set (publish = 'insert, update, delete, truncate')"),
            "leaves out deletes",
        ),
        ("set table p, c where (id < 4)", all.clone(), "row filter"),
        ("set table p", all.clone(), "does not hold"),
        (
            "drop table c",
            format!("alter publication {name} add table c"),
            "does not hold",
        ),
        ("set tables in schema other", all, "does not hold"),
    ]
    .map(|(narrow, wide, words)| (format!("alter publication {name} {narrow}"), wide, words))
    .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_narrowed_stands_still_until_it_is_wide_again() {
    let (c, name) = shop_job("table p, c").await;
    c.run("create schema other").await;
    for (narrow, wide, words) in narrowed(&name) {
        c.run(&narrow).await;
        c.run(CHANGES).await;
        stands_still(&c, &narrow, words).await;
        // As long as it is narrow, going on is no way.
        c.api().act(&c.id, "resume").await.ok();
        stands_still(&c, &narrow, words).await;
        c.run(&wide).await;
        c.resume().await;
        goes_on(&c, &narrow, CHANGES).await;
    }
    // Without a column of the keys, where whole rows are not needed. The server refuses what its list cannot tell.
    c.run(&format!("alter publication {name} set table p, c (id, x)")).await;
    c.run("insert into c values (5000, 3, 'unseen')").await;
    stands_still(&c, "columns", "lacks p_id").await;
    c.run(&format!("alter publication {name} set table p, c")).await;
    c.resume().await;
    goes_on(&c, "columns", CHANGES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_narrow_between_two_looks_is_read_again() {
    let (c, name) = shop_job("table p, c").await;
    c.run("create schema other").await;
    for is_paused in [false, true] {
        for (narrow, wide, _) in narrowed(&name) {
            if is_paused {
                c.pause().await;
            }
            for step in [&narrow, CHANGES, &wide, "update p set n = n || '.' where id = 2"] {
                c.run(step).await;
            }
            if is_paused {
                c.resume().await;
            }
            goes_on(&c, &format!("{narrow}, paused: {is_paused}"), CHANGES).await;
        }
    }
    let read_again = |u: &godwit_shared::job::JobUpdate| u.message.contains("read again");
    let job = c.job().await;
    assert!(job.job_updates.iter().any(read_again), "{:#?}", job.job_updates);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wide_form_is_taken() {
    let (c, name) = shop_job("table p, c").await;
    for form in [
        "set tables in schema public",
        "set table p, c",
        "add tables in schema public",
        "drop table p, c",
    ] {
        c.run(&format!("alter publication {name} {form}")).await;
        goes_on(&c, form, CHANGES).await;
        assert_eq!(c.job().await.cdc_status, CdcStatus::Running, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_left_for_a_moment() {
    let (c, name) = shop_job("tables in schema public").await;
    c.run("create schema other").await;
    let steps = [
        (
            format!("alter publication {name} drop tables in schema public"),
            format!("alter publication {name} add tables in schema public"),
            CHANGES,
        ),
        (
            "alter table c set schema other".to_owned(),
            "alter table other.c set schema public".to_owned(),
            "update other.c set x = 'elsewhere' where id < 30",
        ),
        (
            "alter table c set unlogged".to_owned(),
            "alter table c set logged".to_owned(),
            "update c set x = 'unlogged' where id < 20",
        ),
    ];
    for (away, back, changes) in steps {
        c.pause().await;
        for step in [&away, changes, &back] {
            c.run(step).await;
        }
        c.resume().await;
        goes_on(&c, &away, CHANGES).await;
    }
    // While it is there, it says so.
    c.run("alter table c set unlogged").await;
    stands_still(&c, "unlogged", "UNLOGGED").await;
    c.run("update c set x = 'still'").await;
    c.run("alter table c set logged").await;
    c.resume().await;
    goes_on(&c, "logged again", CHANGES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_were_not_published_for_a_moment() {
    let change = "update ev set p_id = p_id % 5 + 1; delete from ev where id % 7 = 3 and id < 60";
    let (c, name) = events_job("table p, ev_1, ev_2").await;
    for is_paused in [false, true] {
        if is_paused {
            c.pause().await;
        }
        for step in [
            &*format!("alter publication {name} drop table ev_1"),
            change,
            &format!("alter publication {name} add table ev_1"),
        ] {
            c.run(step).await;
        }
        if is_paused {
            c.resume().await;
        }
        goes_on(&c, "a leaf", change).await;
    }
    // A new one has to be published as well.
    c.run("create table ev_3 partition of ev for values from (20) to (30); alter table ev_3 replica identity full")
        .await;
    stands_still(&c, "a new leaf", "ev_3").await;
    c.run("insert into ev values (900, 25, 1)").await;
    c.run(&format!("alter publication {name} add table ev_3")).await;
    c.resume().await;
    goes_on(&c, "a new leaf", change).await;
    let (c, _) = events_job("table p, ev").await;
    for step in [
        "alter table ev detach partition ev_1",
        "update ev_1 set p_id = 2; delete from ev_1 where id < 30",
        "alter table ev attach partition ev_1 for values from (0) to (10)",
    ] {
        c.run(step).await;
    }
    goes_on(&c, "a leaf that was detached for a moment", change).await;
    c.pause().await;
    for step in ["alter table ev_2 set unlogged", change, "alter table ev_2 set logged"] {
        c.run(step).await;
    }
    c.resume().await;
    goes_on(&c, "a leaf that was unlogged for a moment", change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_own_is_mended() {
    let (c, name) = own(SHOP, shop()).await;
    c.run("create schema other").await;
    for narrow in [
        "set (publish = 'insert')",
        "set (publish = 'insert, update, delete')",
        "set table p, c where (id < 4)",
        "set table p, c (id, x)",
        "drop table c",
        "set tables in schema other",
        "set tables in schema public",
        "set table p",
    ] {
        c.run(&format!("alter publication {name} {narrow}")).await;
        c.run("insert into c select 2000 + count(*), 5, 'in the gap' from c")
            .await;
        goes_on(&c, narrow, CHANGES).await;
        let lacks = "select string_agg(t.n, ' ') from (values ('p'), ('c')) t(n) where not exists (
            select from pg_publication_tables pt where pt.tablename = t.n and pt.rowfilter is null)";
        assert_eq!(c.ask(lacks).await, None, "{narrow}: not published");
    }
    c.complete().await;
    let (c, name) = own(EVENTS, events()).await;
    c.run(&format!(
        "alter publication {name} set (publish_via_partition_root = true)"
    ))
    .await;
    c.run("truncate ev_1; update ev set p_id = 3 where id < 50").await;
    goes_on(&c, "by the root", "truncate ev_2; insert into ev values (700, 4, 1)").await;
    c.complete().await;
}

/// What is written before the publication is wide again is lost, even where it is committed after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_was_open_when_it_was_widened() {
    let server = PrivatePostgres::start(&["max_prepared_transactions=5"]).await;
    let m = Migration::of(server.database("source", SHOP).await, shop()).await;
    let (c, name) = prepared(m, "table p, c").await;
    for end in ["commit", "prepare transaction 'late'"] {
        c.pause().await;
        c.run(&format!("alter publication {name} drop table c")).await;
        let writer = c.m.source.connect().await;
        writer
            .batch_execute("begin; update c set x = x || ', late', p_id = 9 where id < 12")
            .await
            .expect("a change");
        c.run(&format!("alter publication {name} add table c")).await;
        let is_prepared = end != "commit";
        if is_prepared {
            writer.batch_execute(end).await.expect("a prepared transaction");
        }
        c.api().act(&c.id, "resume").await.ok();
        c.wait("the transaction to be named", |job| {
            let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
            let who = if is_prepared { "prepared" } else { "process" };
            notice.is_some_and(|n| n.contains("have to end first") && n.contains(who))
        })
        .await;
        let end = if is_prepared {
            "commit prepared 'late'"
        } else {
            "commit"
        };
        writer.batch_execute(end).await.expect("the end of the change");
        goes_on(&c, end, CHANGES).await;
    }
    c.api().act(&c.id, "stop").await.ok();
    c.api().wait_ended(&c.id, godwit_tests::api::LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_dropped_with_its_owner_is_told() {
    let (c, name) = shop_job("table p, c").await;
    let role = format!("owner_{name}");
    c.run(&format!(
        "create role {role} superuser; alter publication {name} owner to {role}"
    ))
    .await;
    goes_on(&c, "another owner", CHANGES).await;
    c.run(&format!("drop owned by {role}; drop role {role}")).await;
    c.run(CHANGES).await;
    let job = c.api().wait_ended(&c.id, godwit_tests::api::LONG).await;
    let failure = job.failure_error.expect("a reason");
    assert!(failure.message.contains(&name), "{failure:?}");
}
