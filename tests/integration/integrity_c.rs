//! Group C of the integrity cases: what an event says of a row, and what it does not.

use crate::common::{array, coll, issues, refused, spec, synthetic};
use crate::family::{EMPTY, streaming_family};
use bson::doc;
use godwit_shared::job::EventType;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity, left_in_source};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::Database;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Large values are not in the event of an update that does not change them.
#[tokio::test(flavor = "multi_thread")]
async fn c01_large_values_that_did_not_change() {
    let mut sql = "create table p(id int primary key); insert into p values (1), (2);".to_owned();
    for (table, identity) in [
        ("t_default", "default"),
        ("t_full", "full"),
        ("t_index", "using index t_index_all"),
    ] {
        let _ = write!(
            sql,
            "create table {table}(id int primary key, p_id int not null, n int, big text, arr text[], js jsonb, by bytea);
             alter table {table} alter big set storage external, alter arr set storage external, alter js set storage external,
               alter by set storage external;
             create unique index {table}_all on {table}(p_id, id); alter table {table} replica identity {identity};
             insert into {table} select i, 1, i, repeat('b', 20000), array(select 'a' || j from generate_series(1, 5000) j),
               jsonb_build_object('j', repeat('j', 20000)), decode(repeat('00ff', 10000), 'hex') from generate_series(1, 2) i;"
        );
    }
    let child = |table: &str| array(table, table, "n big arr").with("fk", format!("{table}_p_id"));
    let mut mapping = spec([
        coll("t_default", "t_default", "n big arr js by"),
        coll("t_full", "t_full", "n big arr js by"),
        coll("t_index", "t_index", "n big arr js by"),
        coll("ps", "p", "").embed([child("t_full"), child("t_index")]),
    ]);
    let key = |table: &str| synthetic(table, "p_id", "p", "id");
    mapping["synthetic"] = json!([key("t_full"), key("t_index")]);
    let c = Continuous::start(Migration::new(&sql, mapping).await).await;
    for table in ["t_default", "t_full", "t_index"] {
        c.run(&format!("update {table} set n = n + 100")).await;
        c.expect_like_snapshot(&format!("C01, {table}")).await;
        c.run(&format!("update {table} set p_id = 2 where id = 1")).await;
        c.expect_like_snapshot(&format!("C01, {table}, moved")).await;
    }
    let whole = doc! {"$expr": {"$and": [{"$eq": [{"$strLenCP": "$big"}, 20000]}, {"$eq": [{"$size": "$arr"}, 5000]},
    {"$eq": [{"$binarySize": "$by"}, 20000]}, {"$gt": ["$n", 100]}]}};
    for table in ["t_default", "t_full", "t_index"] {
        assert_eq!(c.count(table, whole.clone()).await, 2, "C01, {table}");
    }
    // C02: the insert and the update that says nothing of the large value come together.
    c.while_paused(&[
        "insert into t_full select 5, 1, 5, repeat('c', 20000), '{x}', '{}', ''",
        "update t_full set n = 6 where id = 5",
    ])
    .await;
    c.settled().await;
    let fifth = doc! {"_id": 5, "n": 6, "big": "c".repeat(20000)};
    assert_eq!(c.count("t_full", fifth).await, 1, "C02");
    c.expect_like_snapshot("C02").await;
    c.complete().await;
}

async fn identities(source: &Database) -> Vec<String> {
    let sql = "select relname || ' ' || relreplident::text from pg_class where relnamespace = 'public'::regnamespace
        and relkind in ('r', 'p') order by 1";
    let rows = source.connect().await.query(sql, &[]).await.expect("the catalog");
    rows.iter().map(|r| r.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c03_tables_without_a_replica_identity() {
    let sql =
        "create table t(a int); create table u(id int primary key, v text); alter table u replica identity nothing;
        create table fine(id int primary key); insert into t values (1), (1); insert into u values (1, 'a')";
    let m = Migration::new(
        sql,
        spec([coll("t", "t", "a"), coll("u", "u", "v"), coll("fine", "fine", "")]),
    )
    .await;
    let before = identities(&m.source).await;
    assert_eq!(before, ["fine d", "t d", "u n"]);
    let message = refused(&m, &continuous_job(&m), 422, "preflight_failed").await;
    assert!(
        message.contains("public.t") && message.contains("public.u"),
        "C03: {message}"
    );
    assert!(!message.contains("public.fine"), "C03: {message}");
    assert_eq!(left_in_source(&m.source).await, [""; 0], "C03");
    assert_eq!(identities(&m.source).await, before, "C03");
    // The application goes on as before.
    m.source.run("update t set a = 2; update u set v = 'b'").await;

    let job = continuous_job(&m).with("/options/prepareSource", json!(true));
    let c = Continuous::start_job(m, &job).await.keyless("t");
    assert_eq!(identities(&c.m.source).await, ["fine d", "t f", "u f"], "C03, prepared");
    c.run("update t set a = 3 where ctid = (select min(ctid) from t); update u set v = 'c'; delete from u; insert into u values (1, 'd')")
        .await;
    c.expect_like_snapshot("C03").await;
    c.complete().await;
    assert_eq!(identities(&c.m.source).await, before, "C03, restored");
}

#[tokio::test(flavor = "multi_thread")]
async fn c03_the_identities_are_restored_however_the_job_ends() {
    let sql = "create table t(a int); insert into t values (1)";
    let m = Migration::new(sql, spec([coll("t", "t", "a")])).await;
    let job = continuous_job(&m).with("/options/prepareSource", json!(true));
    let mut c = Continuous::start_job(m, &job).await;
    c.kill_and_restart().await;
    c.streaming().await;
    assert_eq!(identities(&c.m.source).await, ["t f"]);
    c.abandon().await;
    assert_eq!(identities(&c.m.source).await, ["t d"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_equal_rows_of_a_root_table_without_a_key() {
    let c = Continuous::new("create table log(ts int, msg text)", spec([coll("log", "log", "*")]))
        .await
        .keyless("log");
    let row = |ts: i32, msg: &str| doc! {"ts": ts, "msg": msg};
    c.case(
        "C04",
        "delete from log; insert into log values (1, 'a'), (1, 'a'), (2, 'b')",
        &[
            "delete from log where ctid = (select min(ctid) from log where ts = 1)",
            "update log set msg = 'c' where ts = 1",
            "insert into log values (1, 'a'), (1, 'a')",
        ],
        &[("log", vec![row(1, "c"), row(2, "b"), row(1, "a"), row(1, "a")])],
    )
    .await;
    c.case(
        "C04, the number of equal rows",
        "delete from log; insert into log select 1, 'a' from generate_series(1, 5)",
        &[
            "delete from log where ctid in (select ctid from log limit 3)",
            "insert into log values (null, null), (null, null), (null, 'x')",
            "delete from log where ctid in (select ctid from log where ts is null and msg is null limit 1)",
            "update log set ts = ts",
        ],
        &[(
            "log",
            vec![
                row(1, "a"),
                row(1, "a"),
                doc! {"ts": null, "msg": null},
                doc! {"ts": null, "msg": "x"},
            ],
        )],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c30_generated_columns() {
    let sql = "create table p(id int primary key); insert into p values (1), (2);
        create table t(id int primary key, a int, s int generated always as (a * 3) stored, p_id int references p);
        insert into t(id, a, p_id) values (1, 5, 1)";
    let mut mapping = spec([
        coll("t", "t", "a s"),
        coll("ps", "p", "").embed([array("ts", "t", "s").with("sort", json!(["s", "DESC"]))]),
    ]);
    let c = Continuous::new(sql, mapping.clone()).await;
    let t = |a: i32| doc! {"_id": 1, "a": a, "s": a * 3};
    c.expect("C30, snapshot", &[("t", vec![t(5)])]).await;
    c.run("update t set a = 7").await;
    c.settled().await;
    c.expect("C30", &[("t", vec![t(7)])]).await;
    c.run("insert into t(id, a, p_id) values (2, 9, 1), (3, 8, 1); update t set a = 100 where id = 1")
        .await;
    c.expect_like_snapshot("C30, sorted by it").await;
    c.complete().await;

    // A column that joins rows must be in their events, and before PostgreSQL 18 generated ones are in none.
    mapping["synthetic"] = json!([synthetic("t", "s", "p", "id")]);
    mapping["collections"][1]["embed"][0]["fk"] = json!("t_s");
    let m = Migration::new(sql, mapping).await;
    full_identity(&m.source).await;
    let message = refused(&m, &continuous_job(&m), 422, "preflight_failed").await;
    assert!(
        message.contains("public.t") && message.contains("generated"),
        "C30: {message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn c32_every_read_sees_the_present_and_c37_the_order_is_that_of_the_log() {
    let c = streaming_family("insert into p values (1, 'n0'); insert into c values (10, 1, 'x0')").await;
    for round in 1..=30 {
        c.run(&format!("update p set n = 'n{round}'")).await;
        c.run(&format!("update c set x = 'x{round}'")).await;
        c.settled().await;
        let x = format!("x{round}");
        let expected = doc! {"_id": 1, "n": format!("n{round}"), "cs": [{"id": 10, "x": x, "gs": []}]};
        c.expect(&format!("C32, round {round}"), &[("ps", vec![expected])])
            .await;
    }
    // Two sessions change one row by turns, faster than any clock ticks.
    let sessions = [c.m.source.connect().await, c.m.source.connect().await];
    for round in 1..=100 {
        let sql = format!("update p set n = 't{round}'");
        sessions[round % 2].batch_execute(&sql).await.expect("an update");
    }
    c.settled().await;
    c.expect_like_snapshot("C37").await;
    c.run(EMPTY).await;
    c.settled().await;
    c.expect("C32, empty", &[("ps", vec![])]).await;
    c.complete().await;
}

/// The types of keys, each with two values that are hard to write down the same way twice.
const KEYS: [(&str, &str, [&str; 2]); 11] = [
    ("padded", "char(5)", ["'ab'", "'cd  '"]),
    ("single", "float4", ["'1.1'", "'-0'"]),
    ("double", "float8", ["'0.1'", "'NaN'"]),
    ("number", "numeric", ["1.0", "2.50"]),
    (
        "moment",
        "timestamptz",
        ["'2024-02-29 23:59:59.123456+05:30'", "'1900-01-01 00:00:00.000001+00'"],
    ),
    ("day", "date", ["'0044-03-15 BC'", "'9999-12-31'"]),
    ("caseless", "citext", ["'AbC'", "'é'"]),
    ("bytes", "bytea", ["'\\x00ff00'", "''"]),
    (
        "unique_id",
        "uuid",
        [
            "'123E4567-e89b-12d3-a456-426614174000'",
            "'00000000-0000-0000-0000-000000000000'",
        ],
    ),
    ("mood", "mood", ["'so, so'", "'\"ok\"'"]),
    ("words", "text collate \"de-x-icu\"", ["'Ä'", "''"]),
];

fn key_mapping() -> Value {
    let mut collections = Vec::new();
    for (name, _, _) in KEYS {
        let children = array("cs", &format!("c_{name}"), "id x");
        collections.push(
            coll(&format!("p_{name}"), &format!("p_{name}"), "v")
                .embed([children])
                .json(),
        );
    }
    json!({"collections": collections})
}

#[tokio::test(flavor = "multi_thread")]
async fn c33_keys_are_found_again_however_they_are_written() {
    let mut sql = "create extension citext; create type mood as enum ('so, so', '\"ok\"');".to_owned();
    for (name, kind, [first, second]) in KEYS {
        let _ = write!(
            sql,
            "create table p_{name}(k {kind} primary key, v text);
             create table c_{name}(id int primary key, k {kind} references p_{name} on update cascade on delete cascade, x text);
             create index on c_{name}(k);
             insert into p_{name} values ({first}, 'v1'), ({second}, 'v2');
             insert into c_{name} values (1, {first}, 'x1'), (2, {second}, 'x2');"
        );
    }
    let c = Continuous::new(&sql, key_mapping()).await;
    let on_all = async |statement: &str| {
        for (name, _, [first, second]) in KEYS {
            let statement = statement
                .replace("$p", &format!("p_{name}"))
                .replace("$c", &format!("c_{name}"))
                .replace("$1", first)
                .replace("$2", second);
            c.run(&statement).await;
        }
    };
    c.expect_like_snapshot("C33, snapshot").await;
    let steps = [
        "update $p set v = v || '!'",
        "update $c set x = x || '!'",
        "update $c set k = $2 where id = 1",
        "insert into $c values (3, $1, 'x3')",
        "delete from $c where id = 2",
        "delete from $p where k = $2",
        "insert into $p values ($2, 'again')",
        "insert into $c values (4, $2, 'x4')",
        "begin; delete from $p where k = $1; insert into $p values ($1, 'new'); commit",
        "update $p set k = k, v = 'last'",
    ];
    for step in steps {
        on_all(step).await;
        c.expect_like_snapshot(&format!("C33, {step}")).await;
    }
    // Keys that the source calls equal are one key, however often they are written in another way.
    c.run("update p_number set k = 1.000 where k = 1; update p_caseless set k = 'aBc' where k = 'abc'")
        .await;
    c.expect_like_snapshot("C33, written in another way").await;
    for name in ["p_number", "p_caseless"] {
        assert_eq!(c.count(name, doc! {}).await, 2, "C33, {name}");
    }
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}

/// A key of several columns.
#[tokio::test(flavor = "multi_thread")]
async fn c33_keys_of_several_parts() {
    let sql = "create table two(a text, b numeric, v text, primary key (a, b));
        create table of_two(id int primary key, a text, b numeric,
          foreign key (a, b) references two on update cascade on delete cascade);
        insert into two values ('', 1.0, 'v'), ('a,b', 2, 'v'); insert into of_two values (1, '', 1.00), (2, 'a,b', 2)";
    let mapping = spec([coll("twos", "two", "v").embed([array("os", "of_two", "id")])]);
    let c = Continuous::new(sql, mapping).await;
    let steps = [
        "update two set v = v || '!'",
        "update of_two set a = 'a,b', b = 2.00 where id = 1",
        "update two set b = 3 where b = 2",
        "update two set b = 3.00 where b = 3",
        "delete from two where b = 3",
    ];
    for step in steps {
        c.run(step).await;
        c.expect_like_snapshot(&format!("C33, {step}")).await;
    }
    c.complete().await;
}

/// A key that is a row, and one that is an array: a list of either comes apart where it is not watched.
#[tokio::test(flavor = "multi_thread")]
async fn c33_keys_of_composite_types() {
    let sql = "create type pair as (a text, b int);
        create table one(k pair primary key, v text);
        create table of_one(id int primary key, k pair references one on update cascade on delete cascade);
        create table many(n int, k int[], v text, primary key (n, k));
        create table of_many(id int primary key, n int, k int[],
          foreign key (n, k) references many on update cascade on delete cascade);
        insert into one values (row('', 1), 'v'), (row('a,\"b', null), 'v'); insert into of_one values (1, row('', 1));
        insert into many values (1, '{1,2}', 'v'), (1, '{}', 'v'); insert into of_many values (1, 1, '{1,2}')";
    let mapping = spec([
        coll("ones", "one", "v").embed([array("os", "of_one", "id")]),
        coll("manies", "many", "v").embed([array("os", "of_many", "id")]),
    ]);
    let c = Continuous::new(sql, mapping).await;
    c.expect_like_snapshot("C33, composite, snapshot").await;
    let steps = [
        "update one set v = v || '!'; update many set v = v || '!'",
        "update of_one set k = row('a,\"b', null); update of_many set k = '{}'",
        "update one set k = row('c', 5) where k = row('', 1)::pair; update many set k = '{3,4}' where k = '{1,2}'",
        "delete from one where k = row('c', 5)::pair; delete from many where k = '{}'",
    ];
    for step in steps {
        c.run(step).await;
        c.expect_like_snapshot(&format!("C33, {step}")).await;
    }
    for name in ["ones", "manies"] {
        assert_eq!(c.count(name, doc! {}).await, 1, "C33, {name}");
    }
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c34_names() {
    let long = "n".repeat(63);
    let tables = [
        "\"Order\"".to_owned(),
        "\"order\"".to_owned(),
        "\"a.b\"".to_owned(),
        "\"a\"\"b\"".to_owned(),
        "\"tab le\"".to_owned(),
        "\"täble\"".to_owned(),
        "\"$t'\\x\"".to_owned(),
        format!("\"{long}\""),
        "other.\"order\"".to_owned(),
        "other.\"Select\"".to_owned(),
    ];
    let mut sql = "create schema other;".to_owned();
    for (at, table) in tables.iter().enumerate() {
        let _ = write!(
            sql,
            "create table {table}(id int primary key, \"from\" text, \"From\" text, \"ä b\" text); insert into {table} values (1, 't{at}', 'a', 'b');"
        );
    }
    let name = |table: &str| match table.strip_prefix("other.") {
        Some(rest) => format!("other.{}", rest.trim_matches('"')),
        None => format!("public.{}", table[1..table.len() - 1].replace("\"\"", "\"")),
    };
    let rules: Vec<Value> = (tables.iter().enumerate())
        .map(|(at, table)| coll(&format!("coll{at}"), &name(table), "*").json())
        .collect();
    let c = Continuous::new(&sql, json!({"collections": rules, "schemas": ["public", "other"]})).await;
    for (at, table) in tables.iter().enumerate() {
        c.run(&format!(
            "update {table} set \"From\" = 'A{at}'; insert into {table} values (2, 'f', 'g', 'h')"
        ))
        .await;
        c.settled().await;
        let row =
            |id: i32, from: &str, capital: &str, odd: &str| doc! {"_id": id, "from": from, "From": capital, "ä b": odd};
        let expected = vec![row(1, &format!("t{at}"), &format!("A{at}"), "b"), row(2, "f", "g", "h")];
        c.expect(&format!("C34, {table}"), &[(&format!("coll{at}"), expected)])
            .await;
    }
    c.expect_like_snapshot("C34").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c35_rows_that_triggers_rules_and_copies_write() {
    let sql = "create table p(id int primary key, n text); create table c(id serial primary key, p_id int references p, x text);
        create table seen(id serial primary key, p_id int, what text);
        create function note() returns trigger language plpgsql as $$ begin
          insert into c(p_id, x) values (new.id, 'of a trigger: ' || new.n); return new; end $$;
        create trigger t after insert or update on p for each row execute function note();
        create rule r as on delete to c do also insert into seen(p_id, what) values (old.p_id, 'deleted')";
    let mut mapping = spec([coll("ps", "p", "n").embed([
        array("cs", "c", "x"),
        array("seen", "seen", "what").with("fk", "seen_p_id"),
    ])]);
    mapping["synthetic"] = json!([synthetic("seen", "p_id", "p", "id")]);
    let c = Continuous::new(sql, mapping).await;
    let steps = [
        "insert into p values (1, 'a')",
        "update p set n = 'b'",
        "delete from c where x like '%b'",
        "insert into p select i, 'n' || i from generate_series(2, 50) i",
        "copy c(p_id, x) from program 'seq 1 40 | sed \"s/$/\\tcopied/\"'",
        "alter table p disable trigger t; update p set n = 'quiet'; alter table p enable trigger t",
        "insert into p values (1, 'again') on conflict (id) do update set n = excluded.n",
        "with told as (update c set x = 'told' where p_id = 2 returning p_id) update p set n = 'told' where id in (select p_id from told)",
        "merge into p using (values (3, 'merged'), (99, 'new')) v(id, n) on p.id = v.id
         when matched then update set n = v.n when not matched then insert values (v.id, v.n)",
        "set session_replication_role = replica; delete from p where id = 4; set session_replication_role = origin",
    ];
    for step in steps {
        c.run(step).await;
        c.expect_like_snapshot(&format!("C35, {step}")).await;
    }
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c35_tables_that_are_not_in_the_log_are_refused() {
    let sql = "create table p(id int primary key); create unlogged table t(id int primary key, p_id int references p)";
    let m = Migration::new(sql, spec([coll("ps", "p", "").embed([array("ts", "t", "id")])])).await;
    full_identity(&m.source).await;
    let message = refused(&m, &continuous_job(&m), 422, "preflight_failed").await;
    assert!(message.contains("public.t"), "C35: {message}");
    assert_eq!(left_in_source(&m.source).await, [""; 0], "C35");
    m.source.run("alter table t set logged").await;
    let c = Continuous::start(m).await;
    c.run("insert into p values (1); insert into t values (1, 1)").await;
    c.expect_like_snapshot("C35, logged").await;
    c.complete().await;
}
