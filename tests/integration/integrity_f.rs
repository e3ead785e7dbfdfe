//! Group F of the integrity cases: what MongoDB does not hold, or holds differently, as far as a snapshot meets it.

use crate::common::{Rule, again, array, assert_completed, coll, issues, migrated, refused, spec};
use bson::{Bson, Document, bson, doc};
use godwit_shared::job::EventType;
use godwit_tests::docs::{assert_documents, decimal, documents, without_ids};
use godwit_tests::migrate::Migration;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn f01_a_document_over_16_mib_is_an_issue_of_its_row() {
    let m = Migration::new(
        "create table p(id int primary key); create table c(id int primary key, p_id int references p, x text);
         insert into p values (1), (2); insert into c select i, 1, repeat('x', 1000000) from generate_series(1, 20) i;
         insert into c values (21, 2, 'small')",
        spec([coll("ps", "p", "").embed([array("cs", "c", "x")])]),
    )
    .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), ["document_too_large public.p - 1"]);
    let update = job
        .job_updates
        .iter()
        .find(|u| u.error_code == "document_too_large")
        .expect("the issue");
    assert!(
        update.message.contains("2000"),
        "the size is missing: {}",
        update.message
    );
    assert_eq!(update.key.get("id").map(String::as_str), Some("1"));
    m.expect("ps", &[doc! {"_id": 2, "cs": [{"x": "small"}]}]).await;
}

/// A document with an int as `_id` and one text has 22 bytes besides the text.
#[tokio::test(flavor = "multi_thread")]
async fn f01_documents_of_just_16_mib_among_others() {
    let m = Migration::new(
        "create table t(id int primary key, s text);
         insert into t select i, repeat('x', 5000000) from generate_series(1, 7) i;
         insert into t values (8, repeat('x', 16777216 - 22)), (9, repeat('x', 16777216 - 21));
         insert into t select i, 's' from generate_series(10, 600) i",
        spec([coll("t", "t", "s")]),
    )
    .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), ["document_too_large public.t - 1"]);
    let lengths = vec![
        doc! {"$project": {"n": {"$strLenBytes": "$s"}}},
        doc! {"$group": {"_id": "$n", "n": {"$sum": 1}}},
    ];
    let found: Vec<Document> = {
        use futures_util::TryStreamExt;
        let cursor = m
            .target
            .database
            .collection::<Document>("t")
            .aggregate(lengths)
            .await
            .expect("the lengths");
        cursor.try_collect().await.expect("the lengths")
    };
    let expected = [
        doc! {"_id": 1, "n": 591},
        doc! {"_id": 5_000_000, "n": 7},
        doc! {"_id": 16_777_194, "n": 1},
    ];
    assert_documents(&found, &expected);
}

const CHAIN: &str = "create table node(id int primary key, parent int references node, j json);
    insert into node select i, nullif(i - 1, 0) from generate_series(1, 45) i";

/// Arrays in arrays, so many of them.
fn nested(levels: usize) -> Rule {
    let innermost = array("kids", "node", "id j").with("omit_null", json!(["j"]));
    let around = |inner: Rule, _| array("kids", "node", "id").embed([inner]);
    (1..levels).fold(innermost, around)
}

fn chain(levels: usize) -> serde_json::Value {
    spec([coll("nodes", "node", "")
        .with("filter", "columns.parent === null")
        .embed([nested(levels)])])
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_mappings_that_nest_deeply() {
    let m = migrated(CHAIN, chain(40)).await;
    let inner = (2..=41).rev().fold(None, |inner: Option<Document>, id| {
        let mut node = doc! {"id": id};
        if let Some(inner) = inner {
            node.insert("kids", bson!([inner]));
        }
        Some(node)
    });
    m.expect("nodes", &[doc! {"_id": 1, "kids": [inner]}]).await;
    let m = Migration::new(CHAIN, chain(60)).await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("nested"), "{message}");
}

/// 81 levels of documents and arrays, then the value's own.
#[tokio::test(flavor = "multi_thread")]
async fn f02_a_deep_value_in_a_deep_document() {
    let m = Migration::new(CHAIN, chain(40)).await;
    m.source
        .run(
            "insert into node values (101, null), (102, null);
             update node set j = (repeat('[', 140) || repeat(']', 140))::json where id = 41;
             insert into node select 200 + i, case when i = 1 then 101 else 199 + i end from generate_series(1, 45) i",
        )
        .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    let errors = issues(&job, EventType::Error);
    assert!(errors.len() == 1 && errors[0].ends_with(" 1"), "{errors:?}");
    let found = documents(&m.target.database, "nodes").await;
    let ids: Vec<i32> = found.iter().filter_map(|d| d.get_i32("_id").ok()).collect();
    assert!(ids.contains(&101) && ids.contains(&102), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_f04_names_with_dots_dollars_and_blanks() {
    let m = migrated(
        "create extension hstore;
         create table t(\"a.b\" text primary key, \"$a\" int, \"c.$d\" int, \"x y\" int, j jsonb, h hstore);
         insert into t values ('a.b', 1, 2, 3, '{\"x.y\": 1, \"$ref\": {\"$id\": 2}, \"\": 3}', '\"h.k\"=>1, \"$set\"=>2');
         create table w(\"a.b\" int, \"$a\" int, primary key (\"a.b\", \"$a\")); insert into w values (1, 2)",
        spec([
            coll("single", "t", "*").with("types", json!({"h": "DEFAULT"})),
            coll("generated", "t", "*").with("key", "GENERATED").with("types", json!({"h": "DEFAULT"})),
            coll("wrapped", "w", "*").with("key", "WRAPPED"),
            coll("nested", "t", "$a j").with("rename", json!({"$a": "deep.er.a", "j": "deep.er.j"})),
        ]),
    )
    .await;
    let j = || doc! {"": 3, "x.y": 1, "$ref": {"$id": 2}};
    for _ in 0..2 {
        let rest = doc! {"_a": 1, "c_$d": 2, "x y": 3, "j": j(), "h": {"h.k": "1", "$set": "2"}};
        let with = |name: &str| {
            let mut all = doc! {name: "a.b"};
            all.extend(rest.clone());
            all
        };
        m.expect("single", &[with("_id")]).await;
        assert_documents(&without_ids(&m.target.database, "generated").await, &[with("a_b")]);
        m.expect("wrapped", &[doc! {"_id": {"a_b": 1, "_a": 2}}]).await;
        m.expect("nested", &[doc! {"_id": "a.b", "deep": {"er": {"a": 1, "j": j()}}}])
            .await;
        // The second run replaces.
        again(&m).await;
    }
    let sql = "create table t(id int primary key, \" \" int)";
    let m = Migration::new(sql, spec([coll("t", "t", "*")])).await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("blank"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f05_zero_bytes() {
    let m = Migration::new(
        "create table t(id int primary key, j json); insert into t values (1, '{\"a\": \"x\\u0000y\"}'), (2, '{\"a\\u0000b\": 1}')",
        spec([coll("t", "t", "j")]),
    )
    .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), ["value_not_convertible public.t j 1"]);
    m.expect("t", &[doc! {"_id": 1, "j": {"a": "x\0y"}}, doc! {"_id": 2, "j": null}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f06_names_that_come_twice() {
    let sql =
        "create table t(id int primary key, _id int, user_id int, \"userId\" int); insert into t values (1, 2, 3, 4)";
    let mut camel = spec([coll("t", "t", "user_id userId")]);
    camel["casing"] = "CAMEL_CASE".into();
    for (mapping, named) in [(spec([coll("t", "t", "_id")]), "\"_id\""), (camel, "\"userId\"")] {
        let m = Migration::new(sql, mapping).await;
        let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
        assert!(message.contains(named), "{message}");
    }
    let renamed = coll("t", "t", "_id user_id userId").with("rename", json!({"_id": "old_id"}));
    let m = migrated(sql, spec([renamed])).await;
    m.expect("t", &[doc! {"_id": 1, "old_id": 2, "user_id": 3, "userId": 4}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_keys_that_only_mongodb_calls_equal_or_different() {
    let m = Migration::new(
        "create table txt(k text primary key); insert into txt values ('abc'), ('ABC'), ('abc '), ('');
         create table i(k int primary key, v text); insert into i values (100, 'int'), (5, 'int');
         create table n(k numeric primary key, v text); insert into n values (100.00, 'numeric'), (0.1, 'numeric');
         create table f(k float8 primary key, v text); insert into f values (0.1, 'float'), ('NaN', 'float'), ('-0', 'float');
         create table o(b int, a int, v int, primary key (a, b)); insert into o values (1, 2, 3)",
        spec([
            coll("txt", "txt", ""),
            coll("numbers", "i", "v"),
            coll("numbers", "n", "v"),
            coll("numbers", "f", "v"),
            coll("o", "o", "v").with("key", "WRAPPED"),
        ]),
    )
    .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), ["duplicate_id public.n - 1"]);
    m.expect("txt", &["abc", "ABC", "abc ", ""].map(|k| doc! {"_id": k}))
        .await;
    let number = |id: Bson, v: &str| doc! {"_id": id, "v": v};
    let expected = [
        number(100.into(), "int"),
        number(5.into(), "int"),
        number(decimal("0.1"), "numeric"),
        number(0.1.into(), "float"),
        number(f64::NAN.into(), "float"),
        number((-0.0).into(), "float"),
    ];
    m.expect("numbers", &expected).await;
    // In the order of the key, not of the columns.
    m.expect("o", &[doc! {"_id": {"a": 2, "b": 1}, "v": 3}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f08_values_that_cannot_be_an_id() {
    let choose = "[0, [1], null, undefined, {$a: 1}, 'ok', 'ok', {a: [1]}, NaN, /x/][columns.id]";
    let m = Migration::new(
        "create table a(k int[] primary key, v int); insert into a values ('{1,2}', 1), ('{}', 2);
         create table t(id int primary key); insert into t select generate_series(0, 9)",
        spec([
            coll("arrays", "a", "v"),
            coll("generated", "a", "v").with("key", "GENERATED"),
            coll("chosen", "t", "id").with("calc", json!({"_id": choose})),
        ]),
    )
    .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    let errors = issues(&job, EventType::Error);
    assert_eq!(
        errors[..3],
        [
            "duplicate_id public.t - 1",
            "id_invalid public.a _id 2",
            "id_invalid public.t _id 5"
        ]
    );
    assert_documents(&documents(&m.target.database, "arrays").await, &[]);
    assert_documents(
        &without_ids(&m.target.database, "generated").await,
        &[doc! {"v": 1}, doc! {"v": 2}],
    );
    let found = documents(&m.target.database, "chosen").await;
    let mut ids: Vec<i32> = found.iter().map(|d| d.get_i32("id").expect("an id")).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 5, 7, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_f11_documents_that_the_destination_refuses() {
    let m = Migration::new(
        "create table t(id int primary key, u int, s text);
         insert into t select i, i, 's' from generate_series(1, 1000) i;
         update t set s = repeat('x', 17000000) where id = 3; update t set s = null where id = 700; update t set u = 1 where id = 900",
        spec([coll("t", "t", "u s")]),
    )
    .await;
    let database = &m.target.database;
    let validator = doc! {"create": "t", "validator": {"s": {"$type": "string"}}};
    database.run_command(validator).await.expect("a collection");
    let index = doc! {"createIndexes": "t", "indexes": [{"key": {"u": 1}, "name": "u", "unique": true}]};
    database.run_command(index).await.expect("an index");
    for _ in 0..2 {
        let job = m.run(&m.job().dropping(false)).await;
        assert_completed(&job);
        let errors = ["document_too_large public.t - 1", "write_refused public.t - 2"];
        assert_eq!(issues(&job, EventType::Error), errors);
        let found = database
            .collection::<Document>("t")
            .count_documents(doc! {})
            .await
            .expect("a count");
        assert_eq!(found, 997);
    }
    // What is put right arrives with the next run.
    m.source.run("update t set u = id, s = 's'").await;
    again(&m).await;
    let all: Vec<Document> = (1..=1000).map(|i| doc! {"_id": i, "u": i, "s": "s"}).collect();
    m.expect("t", &all).await;
}

/// Rows that have exchanged what the destination wants unique since the run before.
#[tokio::test(flavor = "multi_thread")]
async fn f10_rows_that_have_changed_places() {
    let m = migrated(
        "create table u(id int primary key, mail text unique);
         insert into u select i, 'm' || i from generate_series(1, 400) i",
        spec([coll("us", "u", "mail")]),
    )
    .await;
    let index = doc! {"createIndexes": "us", "indexes": [{"key": {"mail": 1}, "name": "mail", "unique": true}]};
    m.target.database.run_command(index).await.expect("an index");
    m.source
        .run("update u set mail = 'x' || id; update u set mail = 'm' || (1 + id % 400)")
        .await;
    again(&m).await;
    let all: Vec<Document> = (1..=400)
        .map(|i| doc! {"_id": i, "mail": format!("m{}", 1 + i % 400)})
        .collect();
    m.expect("us", &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f06_members_of_an_id_that_have_one_name() {
    let rename = json!({"a": "x", "b": "x"});
    let m = Migration::new(
        "create table t(a int, b int, v int, primary key (a, b)); insert into t values (1, 2, 3)",
        spec([coll("ts", "t", "*").with("key", "WRAPPED").with("rename", rename)]),
    )
    .await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("_id") && message.contains('x'), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_a_repeated_run_doubles_nothing() {
    let m = migrated(
        "create table k(id int primary key, v text); insert into k select i, 'v' from generate_series(1, 3000) i;
         create table n(v int); insert into n select i % 100 from generate_series(1, 3000) i",
        spec([
            coll("generated", "k", "*").with("key", "GENERATED"),
            coll("single", "k", "v"),
            coll("keyless", "n", "v"),
        ]),
    )
    .await;
    let names = ["generated", "single", "keyless"];
    let mut first = Vec::new();
    for name in names {
        first.push(documents(&m.target.database, name).await);
    }
    again(&m).await;
    for (name, first) in names.iter().zip(first) {
        assert!(
            documents(&m.target.database, name).await == first && first.len() == 3000,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f18_names_of_collections() {
    let long = "n".repeat(63);
    let sql = format!("create schema {long}; create table {long}.{long}(id int primary key); create table \"täble 1\"(id int primary key);
        insert into {long}.{long} values (1); insert into \"täble 1\" values (1)");
    let table = format!("{long}.{long}");
    let mut mapping = spec([
        coll(&format!("{long}_{long}"), &table, ""),
        coll("täble 1", "täble 1", ""),
    ]);
    mapping["schemas"] = json!(["public", long]);
    let m = migrated(&sql, mapping).await;
    for name in [format!("{long}_{long}"), "täble 1".into()] {
        m.expect(&name, &[doc! {"_id": 1}]).await;
    }
    for name in ["n".repeat(250), ".hidden".into(), " ".into()] {
        let m = Migration::new(&sql, spec([coll(&name, "täble 1", "")])).await;
        refused(&m, &m.job(), 422, "invalid_mapping").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f18_names_of_databases() {
    let m = migrated(
        "create table t(id int primary key); insert into t values (1)",
        spec([coll("t", "t", "")]),
    )
    .await;
    let own = m.target.database.name();
    // The last one differs from one that is there in case alone.
    for name in ["a.b", "a b", "a$b", &"d".repeat(64), &own.to_uppercase()] {
        let uri = m.target.uri.replace(own, name);
        let job = m.job().with("/mongodbConnectionDetails/connectionString", json!(uri));
        let answer = m.app.api().create_job(&job).await;
        assert!((400..500).contains(&answer.status), "{name}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_destinations_that_are_something_else() {
    let sql = "create table t(id int primary key); insert into t values (1)";
    let time_series = doc! {"create": "t", "timeseries": {"timeField": "at"}};
    let capped = doc! {"create": "t", "capped": true, "size": 4096};
    let view = doc! {"create": "t", "viewOn": "other", "pipeline": []};
    for (make, kind) in [(time_series, "time series"), (capped, "capped"), (view, "view")] {
        let m = Migration::new(sql, spec([coll("t", "t", "")])).await;
        m.target.database.run_command(make).await.expect("a collection");
        for job in [m.job(), m.job().dropping(false)] {
            let message = m.app.api().create_job(&job).await.error(422, "target_permission");
            assert!(message.contains(kind), "{message}");
        }
    }
}
