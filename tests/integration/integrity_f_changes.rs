//! Group F of the integrity cases: what MongoDB does not hold, or holds differently, as far as changes meet it.
//!
//! Rows that come by the log must end as those that a snapshot reads: the same documents, and the same errors.

use crate::common::{array, coll, issues, spec};
use godwit_shared::job::EventType;
use godwit_tests::continuous::{Continuous, full_identity};
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};

/// One job with empty tables, to which every step comes by the log; the errors that a snapshot of the end tells of must
/// have been told.
async fn by_changes(case: &str, tables: &str, mapping: Value, steps: &[&str]) {
    let m = Migration::new(tables, mapping).await;
    full_identity(&m.source).await;
    let c = Continuous::start(m).await;
    for step in steps {
        c.run(step).await;
        c.expect_like_snapshot(&format!("{case}, {step:.80}")).await;
    }
    let job = c.complete().await;
    let snapshot = c.m.run(&c.m.job()).await;
    let names = |issues: Vec<String>| -> Vec<String> {
        let kinds = issues
            .iter()
            .map(|i| i.rsplit_once(' ').map_or("", |(kind, _)| kind).to_owned());
        kinds.collect()
    };
    // Rows that were bad only for a while have been told of besides.
    let told = names(issues(&job, EventType::Error));
    for error in names(issues(&snapshot, EventType::Error)) {
        assert!(told.contains(&error), "{case}: {error} is not among {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_deep_values() {
    by_changes(
        "F02",
        "create table p(id int primary key); create table t(id int primary key, p_id int references p, j json)",
        spec([coll("ps", "p", "").embed([array("ts", "t", "id j")]), coll("ts", "t", "j")]),
        &[
            "insert into p values (1), (2); insert into t values (1, 1, '[1]'), (2, 2, '[2]')",
            "update t set j = (repeat('[', 90) || repeat(']', 90))::json where id = 1",
            "update t set j = (repeat('[', 250) || repeat(']', 250))::json where id = 2",
            "update t set j = '[3]' where id = 2; update t set j = (repeat('[', 250) || repeat(']', 250))::json where id = 1",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_f04_f06_names_with_dots_dollars_and_doubles() {
    let types = || json!({"h": "DEFAULT"});
    by_changes(
        "F03",
        "create extension hstore;
         create table t(\"a.b\" text primary key, \"$a\" int, \"c.$d\" int, j jsonb, t json, h hstore);
         create table w(\"a.b\" int, \"$a\" int, v int, primary key (\"a.b\", \"$a\"))",
        spec([
            coll("single", "t", "*").with("types", types()),
            coll("wrapped", "w", "*").with("key", "WRAPPED"),
            // The first field of a document that starts with a dollar would be taken for an operator by an update.
            coll("first", "t", "$a j").with("types", types()),
        ]),
        &[
            "insert into t values ('a.b', 1, 2, '{\"x.y\": 1, \"$ref\": {\"$id\": 2}, \"\": 3}', '{\"a\":1,\"a\":2}', '\"h.k\"=>1, \"$set\"=>2');
             insert into w values (1, 2, 3)",
            "update t set \"$a\" = 9, j = '{\"$set\": {\"a\": 1}}', h = '\"$inc\"=>NULL'; update w set v = 4",
            "update t set \"a.b\" = '$a.b'; update w set \"a.b\" = 5",
            "delete from t; insert into w values (1, 2, 6)",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f05_zero_bytes_in_names() {
    by_changes(
        "F05",
        "create table t(id int primary key, j json)",
        spec([coll("t", "t", "j")]),
        &[
            "insert into t values (1, '{\"a\": \"x\\u0000y\"}'), (2, '{\"a\\u0000b\": 1}')",
            "update t set id = id + 10",
            "insert into t values (2, '{\"a\": \"mended\"}')",
        ],
    )
    .await;
}

/// Keys that are one in the source and two in MongoDB, or the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn f07_keys_that_only_mongodb_calls_equal_or_different() {
    by_changes(
        "F07",
        "create extension citext; create table txt(k text primary key, v int); create table ci(k citext primary key, v int);
         create table n(k numeric primary key, v int); create table f(k float8 primary key, v int);
         create table o(b int, a int, v int, primary key (a, b))",
        spec([
            coll("txt", "txt", "v"),
            coll("ci", "ci", "v"),
            coll("n", "n", "v"),
            coll("f", "f", "v"),
            coll("o", "o", "v").with("key", "WRAPPED"),
        ]),
        &[
            "insert into txt values ('abc', 1), ('ABC', 2), ('abc ', 3), ('', 4); insert into ci values ('abc', 1), ('é', 2);
             insert into n values (100.00, 1), (0.1, 2); insert into f values (0.1, 1), ('NaN', 2), ('-0', 3), (100, 4);
             insert into o values (1, 2, 3), (2, 1, 4)",
            "update txt set v = v + 10; update ci set v = v + 10; update n set v = v + 10; update f set v = v + 10; update o set v = v + 10",
            "update ci set k = 'ABC' where k = 'abc'; update n set k = 100 where k = 100; update f set k = 0 where k = 0;
             update o set a = 3 where a = 1",
            "update txt set k = 'Abc' where k = 'abc'; delete from txt where k = 'ABC'; delete from n where k = 100.0; delete from f where k = 'NaN'",
            "begin; delete from ci; insert into ci values ('aBC', 7), ('É', 8); commit",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f08_values_that_cannot_be_an_id() {
    let choose = "[0, [1], null, undefined, {$a: 1}, 'ok', {a: [1]}, NaN, /x/][columns.id]";
    by_changes(
        "F08",
        "create table a(k int[] primary key, v int); create table t(id int primary key, v int)",
        spec([
            coll("arrays", "a", "v"),
            coll("chosen", "t", "id v").with("calc", json!({"_id": choose})),
        ]),
        &[
            "insert into a values ('{1,2}', 1), ('{}', 2); insert into t select i, i from generate_series(0, 8) i",
            "update a set v = v + 1; update t set v = v + 1",
            "update t set id = 15 where id = 5; update t set id = 5 where id = 1",
            "delete from t where id not in (0, 3, 5, 7); delete from a where v = 2",
        ],
    )
    .await;
}
