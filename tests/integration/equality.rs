//! What is equal is what the source's constraint calls equal: its operator, its collation, whatever the names in a search
//! path and the settings of a role say. Named cases; `equality_random` draws pairs of columns.

use crate::common::{array, assert_completed, coll, document, issues, migrated, refused, spec, synthetic};
use bson::{Document, doc};
use godwit_shared::job::EventType;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::docs::{assert_documents, documents, without_ids};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD, servers};
use serde_json::{Value, json};

/// Extensions where hosted services install them, and collations that call different texts equal.
const SETUP: &str = "create schema extensions; create extension citext schema extensions;
    create extension ltree schema extensions;
    create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create collation ai (provider = icu, locale = 'und-u-ks-level1-kc-true', deterministic = false);";

/// Parents with their children, and children with their parent.
fn both_ways() -> Value {
    spec([
        coll("ps", "p", "v").embed([array("cs", "c", "id v")]),
        coll("cs", "c", "v").embed([document("p", "p", "v")]),
    ])
}

/// Both tables with a key of these types, rows of the parent, and rows of the child.
fn tables(parent: &str, child: &str, parents: &[&str], children: &[&str]) -> String {
    let rows = |table: &str, keys: &[&str]| -> String {
        let row = |(i, k): (usize, &&str)| format!("insert into {table}(id, k) values ({}, '{k}');", i + 1);
        keys.iter().enumerate().map(row).collect()
    };
    format!(
        "{SETUP} create table p(id int, k {parent} primary key, v int default 0);
         create table c(id int primary key, k {child} references p, v int default 0); {} {}",
        rows("p", parents),
        rows("c", children)
    )
}

/// A role with settings of its own, which may do everything.
async fn role(database: &Database, settings: &[&str]) -> String {
    let name = format!("strange_{}", database.name);
    let set: String = settings.iter().map(|s| format!("alter role {name} set {s};")).collect();
    let create = format!("create role {name} superuser login password '{PASSWORD}'; {set}");
    database.run(&create).await;
    name
}

/// Children by the number of their parent, as a snapshot has them and as they are after both were changed. The parent of
/// each child as well.
async fn joined(sql: &str, settings: &[&str], expected: &[(i32, &[i32])]) {
    let mut mapping = both_ways();
    for rule in mapping["collections"].as_array_mut().expect("rules") {
        rule["key"] = json!("GENERATED");
        rule["include"] = json!(["id", "v"]);
        rule["embed"][0]["include"] = json!(["id", "v"]);
    }
    let m = Migration::new(sql, mapping).await;
    full_identity(&m.source).await;
    let user = role(&m.source, settings).await;
    let job = continuous_job(&m).as_user(&user, PASSWORD);
    let c = Continuous::start_job(m, &job).await;
    let check = async |when: &str, of_p: i32, of_c: i32| {
        let child = |id: &i32| doc! {"id": *id, "v": of_c};
        let parents: Vec<Document> = (expected.iter())
            .map(|(id, cs)| doc! {"id": *id, "v": of_p, "cs": cs.iter().map(child).collect::<Vec<_>>()})
            .collect();
        let children: Vec<Document> = (expected.iter())
            .flat_map(|(id, cs)| {
                cs.iter()
                    .map(|c| doc! {"id": *c, "v": of_c, "p": {"id": *id, "v": of_p}})
            })
            .collect();
        for (collection, expected) in [("ps", parents), ("cs", children)] {
            let found = without_ids(&c.m.target.database, collection).await;
            println!("{when}: {collection}");
            assert_documents(&found, &expected);
        }
    };
    check("snapshot", 0, 0).await;
    c.run("update c set v = 1").await;
    c.settled().await;
    check("children have changed", 0, 1).await;
    c.run("update p set v = 1").await;
    c.settled().await;
    check("parents have changed", 1, 1).await;
    c.complete().await;
    c.run(&format!("drop role {user}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_whose_operators_are_in_no_search_path_joins_by_its_own() {
    let sql = tables(
        "extensions.citext",
        "extensions.citext",
        &["ABC", "def"],
        &["abc", "AbC", "DEF"],
    );
    joined(&sql, &[], &[(1, &[1, 2]), (2, &[3])]).await;
    joined(&sql, &["search_path = ''"], &[(1, &[1, 2]), (2, &[3])]).await;
    let sql = tables(
        "extensions.ltree",
        "extensions.ltree",
        &["a.b", "a"],
        &["a.b", "a", "a.b"],
    );
    joined(&sql, &["search_path = pg_catalog"], &[(1, &[1, 3]), (2, &[2])]).await;
    let domain = tables("text", "text", &[], &[])
        .replace("create table p", "create domain d as extensions.citext; create table p");
    let sql = format!(
        "{} insert into p(id, k) values (1, 'A'); insert into c(id, k) values (1, 'a')",
        domain.replace("k text", "k d")
    );
    joined(&sql, &[], &[(1, &[1])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_of_the_same_name_in_the_search_path_are_not_asked() {
    let evil =
        "create schema evil; create function evil.no(text, text) returns bool language sql immutable as 'select false';
        create operator evil.= (leftarg = text, rightarg = text, function = evil.no);
        create function evil.no(int, int) returns bool language sql immutable as 'select false';
        create operator evil.= (leftarg = int, rightarg = int, function = evil.no);
        create function evil.format(text, int) returns text language sql immutable as $$select 'evil'$$;
        create function evil.format(text, text) returns text language sql immutable as $$select 'evil'$$;
        create function evil.unnest(int[]) returns setof int language sql immutable as 'select 0';
        create domain evil.text as varchar(1); create domain evil.int4 as int check (value > 1000);";
    let settings = ["search_path = evil, pg_catalog, public"];
    for kind in ["int", "text", "varchar(9)"] {
        let sql = tables(kind, kind, &["10", "20"], &["20", "10", "10"]);
        joined(&format!("{evil} {sql}"), &settings, &[(1, &[2, 3]), (2, &[1])]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_compared_by_the_collation_of_the_column_that_is_referred_to() {
    // The server compares so up to version 17; later it refuses such keys.
    let sql = tables("text collate ci", "text", &["ABC", "x"], &["abc", "X", "Abc"]);
    joined(&sql, &[], &[(1, &[1, 3]), (2, &[2])]).await;
    let sql = tables("text", "text collate ci", &["ABC", "abc"], &["ABC", "abc"]);
    joined(&sql, &[], &[(1, &[1]), (2, &[2])]).await;
    let sql = tables(
        "text collate ai",
        "varchar(9) collate ci",
        &["e", "E"],
        &["é", "E", "É"],
    );
    joined(&sql, &[], &[(1, &[1]), (2, &[2, 3])]).await;
    let sql = tables("text collate \"C\"", "text collate \"POSIX\"", &["a", "A"], &["A", "a"]);
    joined(&sql, &[], &[(1, &[2]), (2, &[1])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_refers_to_a_padded_one_is_compared_without_its_blanks() {
    let sql = tables("char(5)", "text", &["a", "b"], &["a  ", "a", "b"]);
    joined(&sql, &[], &[(1, &[1, 2]), (2, &[3])]).await;
    let sql = tables("char(5)", "varchar(8)", &["a", "b"], &["a  ", "a", "b"]);
    joined(&sql, &[], &[(1, &[1, 2]), (2, &[3])]).await;
    let sql = tables("char(5)", "char(9)", &["a", "b"], &["a  ", "a", "b"]);
    joined(&sql, &[], &[(1, &[1, 2]), (2, &[3])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_intervals_and_names_of_other_types_join_as_the_constraint_says() {
    let sql = tables("numeric", "int", &["1.0", "2.00"], &["1", "2", "1"]);
    joined(&sql, &["extra_float_digits = -15"], &[(1, &[1, 3]), (2, &[2])]).await;
    let sql = tables("float8", "float4", &["-0", "1.5"], &["0", "1.5", "-0"]);
    joined(&sql, &[], &[(1, &[1, 3]), (2, &[2])]).await;
    let sql = tables(
        "interval",
        "interval",
        &["1 day", "1 mon"],
        &["24:00", "30 days", "1 day"],
    );
    joined(&sql, &["intervalstyle = sql_standard"], &[(1, &[1, 3]), (2, &[2])]).await;
    let sql = tables("regclass", "oid", &["pg_class", "pg_type"], &["1259", "1247"]);
    joined(&sql, &[], &[(1, &[1]), (2, &[2])]).await;
    let sql = tables(
        "timestamptz",
        "date",
        &["2020-01-01 00:00+00", "2020-01-02 00:00+00"],
        &["2020-01-01", "2020-01-02"],
    );
    joined(
        &format!("set timezone = 'UTC'; {sql}"),
        &["timezone = 'Asia/Tokyo'", "datestyle = 'SQL, DMY'"],
        &[(1, &[1]), (2, &[2])],
    )
    .await;
    let sql = tables(
        "numeric[]",
        "numeric[]",
        &["{1.0,NULL}", "{2}"],
        &["{1.00,NULL}", "{2.0}"],
    );
    joined(&sql, &["array_nulls = off"], &[(1, &[1]), (2, &[2])]).await;
    let sql = tables("jsonb", "jsonb", &["{\"a\": 1.0}", "2"], &["{\"a\": 1.00}", "2.0"]);
    joined(&sql, &[], &[(1, &[1]), (2, &[2])]).await;
    let sql = tables("money", "money", &["1234.50", "1"], &["1", "1234.5"]);
    joined(&sql, &["lc_monetary = 'C.UTF-8'"], &[(1, &[2]), (2, &[1])]).await;
}

/// 600 roots with two rows each in the middle, whose values are equal and print differently, and a large table below
/// without an index: it is read once, in the order of the roots.
async fn streamed(middle: &str, low: &str, first: &str, second: &str, below: &str) {
    let sql = format!(
        "{SETUP} create table r(id int primary key, n text);
         create table m(id int primary key, r_id int references r, code {middle});
         create table g(id int primary key, code {low}, x text); alter table g alter x set storage external;
         insert into r select i, repeat('n', 200) from generate_series(1, 600) i;
         insert into m select i, 1 + (i - 1) % 600, ({first})::{middle} from generate_series(1, 600) i;
         insert into m select 600 + i, i, ({second})::{middle} from generate_series(1, 600) i;
         insert into g select i, ({below})::{low}, repeat(md5(i::text), 150) from generate_series(1, 600) i;
         create index on m(r_id); analyze"
    );
    let mut mapping = spec([coll("rs", "r", "").embed([array("ms", "m", "id").embed([array("gs", "g", "id")])])]);
    mapping["synthetic"] = json!([synthetic("g", "code", "m", "code")]);
    let m = Migration::new(&sql, mapping).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    let told = issues(&job, EventType::Info);
    assert!(told.contains(&"read_plan public.g rs.ms.gs 1".to_owned()), "{told:?}");
    let of = |id: i32| doc! {"_id": id, "ms": [{"id": id, "gs": [{"id": id}]}, {"id": 600 + id, "gs": [{"id": id}]}]};
    m.expect("rs", &(1..=600).map(of).collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_stream_rows_go_to_every_parent_that_the_source_calls_equal() {
    streamed("numeric", "numeric", "i * 1.0", "i * 1.000", "i").await;
    streamed("numeric", "int", "i * 1.0", "i * 1.000", "i").await;
    streamed(
        "extensions.citext",
        "extensions.citext",
        "'A' || i",
        "'a' || i",
        "'a' || i",
    )
    .await;
    streamed("text", "char(9)", "'A' || i", "'A' || i", "'A' || i").await;
    streamed(
        "interval",
        "interval",
        "i * interval '1 day'",
        "i * interval '24:00'",
        "i * interval '1 day'",
    )
    .await;
    streamed(
        "numeric[]",
        "numeric[]",
        "array[i * 1.0]",
        "array[i * 1.00]",
        "array[i]",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synthetic_key_compares_as_sql_would_and_the_job_log_says_how() {
    let sql = "create table p(id int primary key, k numeric); create table c(id int primary key, k int);
        insert into p values (1, 1.0), (2, 2.50); insert into c values (1, 1), (2, 2)";
    let mut mapping = spec([coll("ps", "p", "").embed([array("cs", "c", "id")])]);
    mapping["synthetic"] = json!([synthetic("c", "k", "p", "k")]);
    let m = migrated(sql, mapping).await;
    m.expect("ps", &[doc! {"_id": 1, "cs": [{"id": 1}]}, doc! {"_id": 2, "cs": []}])
        .await;
    let job = m.complete().await;
    let told = job.job_updates.iter().any(|u| {
        u.message
            .contains("public.c.k is compared with public.p.k as numeric = numeric")
    });
    assert!(told, "{:#?}", job.job_updates);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synthetic_key_that_the_source_cannot_compare_is_refused_with_both_types() {
    let refusals = [
        ("int", "uuid", "integer", "uuid"),
        ("json", "json", "json", "json"),
        ("int[]", "bigint[]", "integer[]", "bigint[]"),
        (
            "text collate ci",
            "text collate ai",
            "collation \"public\".\"ci\"",
            "collation \"public\".\"ai\"",
        ),
        ("extensions.ltree", "int", "ltree", "integer"),
    ];
    for (of_p, of_c, one, other) in refusals {
        let sql = format!(
            "{SETUP} create table p(id int primary key, k {of_p}); create table c(id int primary key, k {of_c})"
        );
        let mut mapping = spec([coll("ps", "p", "").embed([array("cs", "c", "id")])]);
        mapping["synthetic"] = json!([synthetic("c", "k", "p", "k")]);
        let m = Migration::new(&sql, mapping).await;
        let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
        for wanted in ["public.p.k", "public.c.k", one, other, "no operator"] {
            assert!(message.contains(wanted), "{wanted}: {message}");
        }
    }
}

/// A child table of some MiB with an index on its key: of the plan of a look-up by key its index is part, so that the
/// table is never read as a whole.
async fn read_by_index(parent: &str, child: &str, key: &str) {
    let sql = format!(
        "{SETUP} create table p(k {parent} primary key, id int);
         create table c(id int primary key, k {child} references p, x text); alter table c alter x set storage plain;
         insert into p select ({key})::{parent}, i from generate_series(1, 20000) i;
         insert into c select p.id * 2 + i, p.k, repeat('x', 200) from p, generate_series(0, 1) i;
         create index on c(k); analyze"
    );
    let m = Migration::new(&sql, spec([coll("ps", "p", "id").embed([array("cs", "c", "id")])])).await;
    let sql = m.source.connect().await;
    let scans = async || -> (i64, i64) {
        sql.execute("select pg_stat_clear_snapshot()", &[])
            .await
            .expect("it is cleared");
        let query = "select seq_scan, coalesce(idx_scan, 0) from pg_stat_user_tables where relname = 'c'";
        let row = sql.query_one(query, &[]).await.expect("the statistics");
        (row.get(0), row.get(1))
    };
    // What filled the table tells its scans when it goes.
    godwit_tests::api::wait_for("no other session", godwit_tests::api::LONG, async || {
        let query =
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        let others: i64 = sql.query_one(query, &[]).await.ok()?.get(0);
        (others == 0).then_some(())
    })
    .await;
    let before = scans().await;
    let few = json!({"public": {"p": {"whereClause": "id <= 100"}}});
    assert_completed(&m.run(&m.job().filtered(few)).await);
    let found = godwit_tests::api::wait_for("statistics of the index", godwit_tests::api::LONG, async || {
        Some(scans().await).filter(|after| after.1 > before.1)
    });
    let after = found.await;
    // The rows of a small table are counted once, before anything is read.
    assert_eq!(
        after.0,
        before.0 + 1,
        "{parent} and {child}: the table was read as a whole"
    );
    let documents = godwit_tests::docs::documents(&m.target.database, "ps").await;
    let children = documents
        .iter()
        .map(|d| d.get_array("cs").map_or(0, Vec::len))
        .sum::<usize>();
    assert_eq!(children, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_by_key_use_the_index_whatever_compares() {
    read_by_index("extensions.citext", "extensions.citext", "'K' || i").await;
    read_by_index("char(9)", "char(9)", "'K' || i").await;
    read_by_index("text collate \"C\"", "text", "'K' || i").await;
    read_by_index("text collate ci", "text collate ci", "'K' || i").await;
    read_by_index("varchar(20)", "varchar(20)", "'K' || i").await;
    read_by_index("numeric", "numeric", "i").await;
    read_by_index("int", "bigint", "i").await;
}

/// Each row has a document of its own, and none is told of.
async fn own_ids(database: Database, table: &str, rows: &[Document]) {
    let mapping = json!({"key": "GENERATED", "collections": [coll("ps", table, "*").json()]});
    let m = Migration::of(database, mapping).await;
    m.complete().await;
    let ids = async || -> Vec<Document> { godwit_tests::docs::documents(&m.target.database, "ps").await };
    assert_documents(&without_ids(&m.target.database, "ps").await, rows);
    let first = ids().await;
    m.run(&m.job().dropping(false)).await;
    assert_eq!(ids().await, first, "another run has other ids");
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_ids_tell_apart_what_the_source_tells_apart() {
    let database = async |sql: &str| {
        servers()
            .await
            .postgres
            .database("ids", &format!("{SETUP} {sql}"))
            .await
    };
    let two = |a: &str, b: &str| [doc! {"k": a, "v": 1}, doc! {"k": b, "v": 2}];
    let ai =
        database("create table p(k text collate ai primary key, v int); insert into p values ('e', 1), ('E', 2)").await;
    own_ids(ai, "p", &two("e", "E")).await;
    let ci =
        database("create table p(k text collate ci primary key, v int); insert into p values ('e', 1), ('é', 2)").await;
    own_ids(ci, "p", &two("e", "é")).await;
    let citext =
        database("create table p(k extensions.citext primary key, v int); insert into p values ('e', 1), ('é', 2)")
            .await;
    own_ids(citext, "p", &two("e", "é")).await;
    let padded =
        database("create table p(k char(3) collate ai primary key, v int); insert into p values ('e', 1), ('E', 2)")
            .await;
    own_ids(padded, "p", &two("e  ", "E  ")).await;
    let keyless = database("create table p(k text collate ai, v int); insert into p values ('e', 1), ('E', 2)").await;
    own_ids(keyless, "p", &two("e", "E")).await;
    let locale_c = servers().await.postgres.database("ids", "").await;
    let name = format!("{}_c", locale_c.name);
    let create = format!("create database {name} template template0 encoding 'UTF8' locale 'C'");
    locale_c.run(&create).await;
    let locale_c = Database { name, ..locale_c };
    locale_c.run("create extension citext; create table p(k citext primary key, v int); insert into p values ('Ä', 1), ('ä', 2)").await;
    own_ids(locale_c, "p", &two("Ä", "ä")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_changes_to_an_equal_one_keeps_its_generated_id() {
    let cases = [
        ("text collate ai", "e", "é"),
        ("extensions.citext", "abc", "ABC"),
        ("numeric", "1.0", "1.00"),
        ("interval", "1 day", "24:00"),
        ("jsonb", "{\"a\": 1.0}", "{\"a\": 1.00}"),
        ("numeric[]", "{1.0}", "{1.00}"),
        ("numrange", "[1.0,2)", "[1.00,2)"),
        ("char(5) collate ci", "a", "A"),
        ("extensions.citext[]", "{a}", "{A}"),
    ];
    for (kind, before, after) in cases {
        let sql = format!("{SETUP} create table p(k {kind} primary key, v int); insert into p values ('{before}', 1)");
        let mapping = json!({"key": "GENERATED", "collections": [coll("ps", "p", "v").json()]});
        let c = Continuous::new(&sql, mapping).await;
        let ids = async || godwit_tests::docs::documents(&c.m.target.database, "ps").await;
        let first = ids().await;
        c.run(&format!("update p set k = '{after}'")).await;
        c.settled().await;
        assert_eq!(ids().await, first, "{kind}");
        c.run("delete from p").await;
        c.settled().await;
        assert_eq!(ids().await, [], "{kind}");
        c.complete().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_role_never_decide_which_rows_of_a_table_without_a_key_are_equal() {
    let sql = format!(
        "{SETUP} create table t(a text, b int, n numeric, c text collate ci, g money, f float8[], i interval, x extensions.citext, l extensions.ltree);
         insert into t values ('x', 1, 1.0, 'a', 5, '{{0.1}}', '1 day', 'a', 'q'), (null, 2, 1.0, 'a', null, '{{NULL}}', '1 day', 'a', null),
            (null, 2, 1.00, 'A', null, '{{NULL}}', '24:00', 'A', null), ('NULL', 3, null, null, 7, null, null, null, 'a.b')"
    );
    let m = Migration::new(&sql, spec([coll("ts", "t", "a b").with("key", "GENERATED")])).await;
    full_identity(&m.source).await;
    let settings = [
        "array_nulls = off",
        "search_path = ''",
        "lc_monetary = 'C.UTF-8'",
        "intervalstyle = postgres_verbose",
        "extra_float_digits = -15",
        "bytea_output = escape",
        "datestyle = 'German'",
    ];
    let user = role(&m.source, &settings).await;
    let job = continuous_job(&m).as_user(&user, PASSWORD);
    let c = Continuous::start_job(m, &job).await.keyless("ts");
    let has = async |rows: &[Document]| {
        assert_documents(&without_ids(&c.m.target.database, "ts").await, rows);
    };
    let row = |a: Option<&str>, b: i32| doc! {"a": a, "b": b};
    has(&[row(Some("x"), 1), row(None, 2), row(None, 2), row(Some("NULL"), 3)]).await;
    c.run("delete from t where b = 2").await;
    c.settled().await;
    has(&[row(Some("x"), 1), row(Some("NULL"), 3)]).await;
    c.run("update t set a = null where b = 3; insert into t select * from t")
        .await;
    c.settled().await;
    has(&[row(Some("x"), 1), row(Some("x"), 1), row(None, 3), row(None, 3)]).await;
    c.complete().await;
    c.run(&format!("drop role {user}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_columns_has_empty_documents() {
    let sql = "create table z(); insert into z default values; insert into z default values";
    let c = Continuous::new(sql, spec([coll("zs", "z", "*").with("key", "GENERATED")]))
        .await
        .keyless("zs");
    let has = async |count: usize| {
        let found = without_ids(&c.m.target.database, "zs").await;
        assert_eq!(found, vec![Document::new(); count]);
    };
    has(2).await;
    c.run("insert into z default values").await;
    c.settled().await;
    has(3).await;
    c.run("delete from z").await;
    c.settled().await;
    has(0).await;
    c.run("insert into z default values; truncate z; insert into z default values")
        .await;
    c.settled().await;
    has(1).await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_calls_different_texts_equal_is_told_and_loses_nothing() {
    let sql = "create table t(k text primary key, n int); insert into t values ('a', 1), ('A', 2), ('b', 3)";
    let m = Migration::new(sql, spec([coll("ts", "t", "*")])).await;
    let database = &m.target.database;
    let insensitive = doc! {"locale": "en", "strength": 1};
    let create = doc! {"create": "ts", "collation": insensitive.clone()};
    database.run_command(create).await.expect("a collection");
    let index = doc! {"createIndexes": "ts", "indexes": [{"key": {"n": 1}, "name": "by_n", "unique": true,
    "collation": {"locale": "sv"}}]};
    database.run_command(index).await.expect("an index");
    full_identity(&m.source).await;
    let job = continuous_job(&m).dropping(false);
    let summary = m.app.api().post("/jobs/summary", &job.0).await.ok();
    let told = summary["collations"].to_string();
    assert!(
        told.contains("en of strength 1") && told.contains("by_n") && told.contains("sv"),
        "{told}"
    );
    let c = Continuous::start_job(m, &job).await;
    let log = format!("{:?}", c.job().await.job_updates);
    assert!(log.contains("en of strength 1") && log.contains("by_n"), "{log}");
    // One of the two has its document; which of them came first is the source's choice.
    let held = async || {
        let found = documents(&c.m.target.database, "ts").await;
        let ids: Vec<String> = found
            .iter()
            .map(|d| d.get_str("_id").expect("a text").to_owned())
            .collect();
        (ids, found)
    };
    let (ids, _) = held().await;
    assert_eq!(ids.len(), 2, "{ids:?}");
    let (kept, refused) = if ids.contains(&"a".to_owned()) {
        ("a", "A")
    } else {
        ("A", "a")
    };
    c.run(&format!("update t set n = 20 where k = '{refused}'")).await;
    c.run("update t set n = 30 where k = 'b'").await;
    c.settled().await;
    let (ids, found) = held().await;
    assert!(ids.contains(&kept.to_owned()) && ids.len() == 2, "{found:?}");
    c.run(&format!("delete from t where k = '{refused}'")).await;
    c.run("delete from t where k = 'b'").await;
    c.settled().await;
    let n = if kept == "a" { 1 } else { 2 };
    c.m.expect("ts", &[doc! {"_id": kept, "n": n}]).await;
    // Where the other one goes, the row gets its document.
    c.run(&format!("insert into t values ('{refused}', 9)")).await;
    c.settled().await;
    c.run(&format!("delete from t where k = '{kept}'")).await;
    c.settled().await;
    c.m.expect("ts", &[doc! {"_id": refused, "n": 9}]).await;
    c.complete().await;
}
