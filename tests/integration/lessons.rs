//! What broke in other tools of this kind, as far as no integrity case says the same.
//! Names: data integrity (DI), types (TY), names and quoting (NM).

use crate::common::{
    again, array, assert_completed, coll, document, issues, merged, migrated, refused, spec, synthetic, values,
};
use bson::{Bson, doc};
use godwit_shared::job::EventType;
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::docs::{collections, date, decimal};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, servers};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn di02_several_keys_between_two_tables_need_a_choice() {
    let sql = "create table p(id int primary key);
        create table c(id int primary key, one int constraint k1 references p, two int constraint k2 references p)";
    let m = Migration::new(sql, spec([coll("ps", "p", "").embed([array("cs", "c", "id")])])).await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("k1") && message.contains("k2"), "{message}");
    let m = Migration::new(
        sql,
        spec([coll("ps", "p", "").embed([array("cs", "c", "id").with("fk", "gone")])]),
    )
    .await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("gone"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn di03_synthetic_keys_of_one_column_each_are_one_composite_key() {
    let mut mapping = spec([coll("ps", "p", "").embed([array("cs", "c", "id")])]);
    mapping["synthetic"] = json!([synthetic("c", "x", "p", "a"), synthetic("c", "y", "p", "b")]);
    let m = migrated(
        "create table p(a int, b int, primary key (a, b)); create table c(id int primary key, x int, y int);
         insert into p values (1, 1), (1, 2); insert into c values (1, 1, 1), (2, 1, 2), (3, 2, 2)",
        mapping,
    )
    .await;
    let p = |b: i32| doc! {"_id": {"a": 1, "b": b}, "cs": [{"id": b}]};
    m.expect("ps", &[p(1), p(2)]).await;
}

/// The source does not answer a query for a while, then it does.
#[tokio::test(flavor = "multi_thread")]
async fn di13_a_slow_start_is_not_an_empty_source() {
    let m = Migration::new(
        "create table t(id int primary key); insert into t select generate_series(1, 100)",
        spec([coll("t", "t", "")]),
    )
    .await;
    let (holder, watcher) = (m.source.connect().await, m.source.connect().await);
    holder.batch_execute("begin; lock table t").await.expect("a lock");
    let (api, job) = (m.app.api(), m.job());
    let started = tokio::spawn(async move { api.start_job(&job).await });
    let waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    wait_for("a query that waits", LONG, async || {
        let rows = watcher.query(waiting, &[]).await.expect("the activity");
        (!rows.is_empty()).then_some(())
    })
    .await;
    holder.batch_execute("commit").await.expect("the end of the lock");
    let id = started.await.expect("the job is made");
    let job = m.app.api().wait_ended(&id, LONG).await;
    assert_completed(&job);
    assert_eq!(
        (job.statistics.documents_written, issues(&job, EventType::Warning)),
        (100, vec![])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn di15_merged_fields_never_cover_the_parents() {
    let sql = "create table r(id int primary key, city text, status text); insert into r values (7, 'X', 'r');
        create table t(id int primary key, addr text, status text, r_id int references r); insert into t values (1, 'a', 't', 7)";
    for renamed in [
        json!({"city": "addr.city"}),
        json!({"city": "addr"}),
        json!({"city": "status"}),
    ] {
        let m = Migration::new(
            sql,
            spec([coll("ts", "t", "addr status").embed([merged("r", "city").with("rename", renamed)])]),
        )
        .await;
        let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
        assert!(
            message.contains("public.r") && message.contains("public.t"),
            "{message}"
        );
    }
    let nested = merged("r", "city status").with("rename", json!({"city": "place.city", "status": "place.status"}));
    // The join column is the same on both sides: it appears once.
    let joined = merged("r", "id city").with("rename", json!({"id": "r_id"}));
    let own = coll("nested", "t", "addr").with("rename", json!({"addr": "place.addr"}));
    let m = migrated(
        sql,
        spec([own.embed([nested]), coll("joined", "t", "status r_id").embed([joined])]),
    )
    .await;
    m.expect(
        "nested",
        &[doc! {"_id": 1, "place": {"addr": "a", "city": "X", "status": "r"}}],
    )
    .await;
    m.expect("joined", &[doc! {"_id": 1, "status": "t", "r_id": 7, "city": "X"}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn di24_the_order_of_collections_and_rules_changes_nothing() {
    let sql = "create table d(id int primary key, head int); create table e(id int primary key, d_id int references d, n text);
        insert into d values (1, 5), (2, null); insert into e values (5, 1, 'E'), (6, 1, 'F'); alter table d add foreign key (head) references e";
    let rules = || {
        let below = || document("d", "d", "id").embed([values("names", "e", "n")]);
        [
            coll("ds", "d", "").embed([
                document("head", "e", "n").embed([below()]),
                array("es", "e", "n").embed([below()]),
            ]),
            coll("es", "e", "").embed([below()]),
            coll("plain", "e", "n"),
        ]
    };
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let rules = rules();
        let m = migrated(sql, spec(order.map(|at| rules[at].clone()))).await;
        let d = || doc! {"id": 1, "names": ["E", "F"]};
        let head = doc! {"n": "E", "d": d()};
        let first = doc! {"_id": 1, "head": head, "es": [{"n": "E", "d": d()}, {"n": "F", "d": d()}]};
        m.expect("ds", &[first, doc! {"_id": 2, "es": []}]).await;
        m.expect("es", &[doc! {"_id": 5, "d": d()}, doc! {"_id": 6, "d": d()}])
            .await;
        m.expect("plain", &[doc! {"_id": 5, "n": "E"}, doc! {"_id": 6, "n": "F"}])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn di28_the_name_of_the_database_counts_in_upper_and_lower_case() {
    let m = Migration::new("create table t(id int primary key)", spec([coll("t", "t", "")])).await;
    let url = m.source.jdbc_url().replace("/source_", "/Source_");
    let message = refused(
        &m,
        &m.job().with("/jdbcConnectionDetails/url", json!(url)),
        502,
        "source_unreachable",
    )
    .await;
    assert!(message.contains("Source_"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn di29_di30_a_calculated_field_may_have_the_name_of_an_excluded_column() {
    let m = migrated(
        "create table t(id int primary key, a int, b int); insert into t values (1, 2, 3)",
        spec([coll("t", "t", "b").with("calc", json!({"a": "columns.a * 10", "c": "columns['b'] + columns.a"}))]),
    )
    .await;
    m.expect("t", &[doc! {"_id": 1, "b": 3, "a": 20, "c": 5}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ty01_ty02_columns_of_all_kinds_in_expressions() {
    let calculated = json!({
        "sum": "columns.price + 1", "whole": "columns.price * 10", "big": "columns.big + 1n", "kind": "typeof columns.big",
        "first": "columns.j[0].a", "list": "columns.list.length", "year": "columns.at.getUTCFullYear()", "later": "new Date(columns.at.getTime() + 1)",
        "bytes": "columns.b[1]", "nothing": "undefined", "isNull": "columns.none === null", "made": "({a: [1, 'x', null, 1.5]})",
        "unsafe": "columns['odd name']"
    });
    let m = migrated(
        "create table t(id int primary key, price numeric, big bigint, j jsonb, list int[], at timestamptz, b bytea, none text, \"odd name\" text);
         insert into t values (1, 1.10, 9007199254740993, '[{\"a\": 7}]', '{1,2,3}', '2024-02-29 00:00+00', '\\x0102', null, 'odd')",
        spec([coll("t", "t", "").with("calc", calculated)]),
    )
    .await;
    let expected = doc! {"_id": 1, "sum": 2.1, "whole": 11, "big": 9_007_199_254_740_994_i64, "kind": "bigint", "first": 7, "list": 3,
    "year": 2024, "later": date("2024-02-29T00:00:00.001Z"), "bytes": 2, "isNull": true, "made": {"a": [1, "x", null, 1.5]}, "unsafe": "odd"};
    m.expect("t", &[expected]).await;
}

/// Every kind of column as every type of field; what cannot be is null and an issue.
#[tokio::test(flavor = "multi_thread")]
async fn ty09_every_conversion_of_a_field() {
    let at = |millis: i64| Bson::DateTime(bson::DateTime::from_millis(millis));
    let cases: [(&str, &str, [Bson; 7]); 6] = [
        (
            "int",
            "100",
            [
                true.into(),
                at(100),
                decimal("100"),
                100.0.into(),
                100.into(),
                100_i64.into(),
                "100".into(),
            ],
        ),
        (
            "boolean",
            "true",
            [
                true.into(),
                at(1),
                decimal("1"),
                1.0.into(),
                1.into(),
                1_i64.into(),
                "true".into(),
            ],
        ),
        (
            "bigint",
            "1233140483647",
            [
                true.into(),
                at(1_233_140_483_647),
                decimal("1233140483647"),
                1_233_140_483_647.0.into(),
                Bson::Null,
                1_233_140_483_647_i64.into(),
                "1233140483647".into(),
            ],
        ),
        (
            "numeric",
            "26.55",
            [
                true.into(),
                Bson::Null,
                decimal("26.55"),
                26.55.into(),
                26.into(),
                26_i64.into(),
                "26.55".into(),
            ],
        ),
        (
            "text",
            "Hello",
            [
                Bson::Null,
                Bson::Null,
                Bson::Null,
                Bson::Null,
                Bson::Null,
                Bson::Null,
                "Hello".into(),
            ],
        ),
        (
            "text",
            "yes",
            [
                true.into(),
                Bson::Null,
                Bson::Null,
                Bson::Null,
                Bson::Null,
                Bson::Null,
                "yes".into(),
            ],
        ),
    ];
    let targets = ["BOOL", "DATE", "DECIMAL", "DOUBLE", "INTEGER", "LONG", "STRING"];
    let (mut sql, mut rules) = (String::new(), Vec::new());
    for (n, (kind, value, _)) in cases.iter().enumerate() {
        sql += &format!(
            "create table t{n}(id int primary key, v {kind}); insert into t{n} values (1, '{value}'), (2, null);"
        );
        for target in targets {
            // Null where it cannot be converted, whatever the field says of nulls.
            let rule = coll(&format!("{target}{n}"), &format!("t{n}"), "v").with("types", json!({"v": target}));
            rules.push(rule.with("omit_null", json!(["v"])).json());
        }
    }
    let mut mapping = spec([]);
    mapping["collections"] = rules.into();
    let m = Migration::new(&sql, mapping).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    for (n, (_, _, values)) in cases.iter().enumerate() {
        for (target, value) in targets.iter().zip(values) {
            m.expect(&format!("{target}{n}"), &[doc! {"_id": 1, "v": value}, doc! {"_id": 2}])
                .await;
        }
    }
    let warnings = issues(&job, EventType::Warning);
    assert!(
        warnings.iter().all(|w| w.starts_with("fraction_cut public.t3 v")) && !warnings.is_empty(),
        "{warnings:?}"
    );
    let failed: Vec<String> = issues(&job, EventType::Error)
        .iter()
        .map(|e| e.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        failed,
        [2, 3, 4, 5].map(|n| format!("value_not_convertible public.t{n}"))
    );
}

/// Names with everything that has a meaning in SQL, in URLs, in paths.
#[tokio::test(flavor = "multi_thread")]
async fn nm01_nm02_nm05_nm06_names_are_quoted_everywhere() {
    let home = servers().await.postgres.database("home", "").await;
    let name = format!("{}.b-c$d", home.name);
    home.run(&format!("create database \"{name}\"")).await;
    let source = Database { name, port: home.port };
    source
        .run(
            "create schema \"my-schema.v1$\"; set search_path = \"my-schema.v1$\";
             create table \"Order.Line $\"(\"the id\" int primary key, \"ORDER\" int, \"a\"\"b\" text, \"c'd\" int, \"e\\f\" int, \"%s\" int, \"{x}\" int);
             create table \"sub;--\"(\"group\" int primary key, \"the id\" int references \"Order.Line $\", \"desc\" int);
             insert into \"Order.Line $\" values (1, 5, 'x', 7, 8, 9, 10); insert into \"sub;--\" values (1, 1, 3), (2, 1, 4)",
        )
        .await;
    let subs = array("subs", "my-schema.v1$.sub;--", "desc").with("sort", json!(["desc", "DESC"]));
    let mut mapping = spec([coll("lines", "my-schema.v1$.Order.Line $", "*").embed([subs])]);
    mapping["schemas"] = json!(["my-schema.v1$"]);
    let m = Migration::of(source, mapping).await;
    let filter = json!({"my-schema.v1$": {"Order.Line $": {"whereClause": "\"a\"\"b\" = 'x' and \"ORDER\" = 5", "rowCount": 9}}});
    assert_completed(&m.run(&m.job().filtered(filter)).await);
    let subs = bson::bson!([{"desc": 4}, {"desc": 3}]);
    m.expect(
        "lines",
        &[doc! {"_id": 1, "ORDER": 5, "a\"b": "x", "c'd": 7, "e\\f": 8, "%s": 9, "{x}": 10, "subs": subs}],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nm09_the_job_reads_the_database_of_its_connection() {
    let sql = "create table t(id int primary key, v text)";
    let m = migrated(
        &format!("{sql}; insert into t values (1, 'first')"),
        spec([coll("t", "t", "v")]),
    )
    .await;
    let other = servers()
        .await
        .postgres
        .database("other", &format!("{sql}; insert into t values (2, 'second')"))
        .await;
    let job = m
        .run(&m.job().with("/jdbcConnectionDetails/url", json!(other.jdbc_url())))
        .await;
    assert_completed(&job);
    m.expect("t", &[doc! {"_id": 2, "v": "second"}]).await;
    assert_eq!(collections(&m.target.database).await, ["t"]);
    again(&m).await;
}
