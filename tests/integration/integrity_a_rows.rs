//! Group A of the integrity cases, second half: which rows take part, and that every one of them arrives.
//!
//! A36 needs a sharded cluster; that every write names one `_id` is a unit test of the sink.

use crate::common::{
    again, array, assert_completed, coll, document, issues, merged, migrated, reader, refused, spec, synthetic, values,
};
use bson::{Document, doc};
use godwit_shared::job::EventType;
use godwit_tests::docs::{assert_documents, decimal, documents, without_ids};
use godwit_tests::mapping::project_file;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::PASSWORD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn a21_two_sibling_arrays_are_not_multiplied() {
    let m = migrated(
        "create table p(id int primary key); create table a(id int primary key, p_id int references p);
         create table b(id int primary key, p_id int references p);
         insert into p values (1), (2); insert into a values (1, 1), (2, 1), (3, 1);
         insert into b values (1, 1), (2, 1), (3, 2)",
        spec([coll("ps", "p", "").embed([array("as", "a", "id"), array("bs", "b", "id")])]),
    )
    .await;
    let ids = |ids: &[i32]| ids.iter().map(|id| doc! {"id": *id}).collect::<Vec<_>>();
    let first = doc! {"_id": 1, "as": ids(&[1, 2, 3]), "bs": ids(&[1, 2])};
    m.expect("ps", &[first, doc! {"_id": 2, "as": [], "bs": ids(&[3])}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a22_sorted_and_limited_array_and_limit_one_as_document() {
    let top = array("top", "r", "id score")
        .with("sort", json!(["score", "DESC"]))
        .with("limit", 2);
    let last = array("last", "r", "id score")
        .with("sort", json!(["t", "DESC"]))
        .with("limit", 1)
        .with("as_document", true);
    let lowest = values("lowest", "r", "score").with("sort", json!(["score", "ASC"]));
    let m = migrated(
        "create table p(id int primary key);
         create table r(id int primary key, p_id int references p, score int, t timestamp);
         insert into p values (1), (2);
         insert into r values (1, 1, 5, '2024-01-01'), (2, 1, 9, '2024-01-02'), (3, 1, 9, '2024-01-03'), (4, 1, null, '2024-01-04')",
        spec([coll("ps", "p", "").embed([top, last, lowest])]),
    )
    .await;
    let top = bson::bson!([{"id": 2, "score": 9}, {"id": 3, "score": 9}]);
    let expected = [
        doc! {"_id": 1, "top": top, "last": {"id": 4, "score": null}, "lowest": [null, 5, 9, 9]},
        doc! {"_id": 2, "top": [], "lowest": []},
    ];
    m.expect("ps", &expected).await;
    again(&m).await;
    m.expect("ps", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a23_row_filters() {
    let m = migrated(
        "create table p(id int primary key, act bool); create table c(id int primary key, p_id int references p, st text);
         insert into p values (1, true), (2, false);
         insert into c values (1, 1, 'ok'), (2, 1, 'no'), (3, 2, 'ok'), (4, 1, null)",
        spec([coll("ps", "p", "")
            .with("filter", "columns.act")
            .embed([array("cs", "c", "id").with("filter", "columns.st === 'ok'")])]),
    )
    .await;
    m.expect("ps", &[doc! {"_id": 1, "cs": [{"id": 1}]}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a24_null_policy_and_defaults_of_the_source() {
    let m = migrated(
        "create table t(id int primary key, a int default 7, b text not null default 'x', c int);
         insert into t values (1, null, 'x', null), (2, 7, '', 0)",
        spec([coll("t", "t", "*").with("omit_null", json!(["c"]))]),
    )
    .await;
    let expected = [
        doc! {"_id": 1, "a": null, "b": "x"},
        doc! {"_id": 2, "a": 7, "b": "", "c": 0},
    ];
    m.expect("t", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a25_excluded_columns() {
    let m = migrated(
        "create table p(id int primary key, u text); create table c(id int primary key, p_id int references p, x text);
         insert into p values (1, 'u'), (2, 'u'); insert into c values (1, 1, null), (2, 1, 'a'), (3, 1, 'a')",
        spec([coll("ps", "p", "u")
            .with("key", "GENERATED")
            .embed([array("cs", "c", "x")])]),
    )
    .await;
    let cs = bson::bson!([{"x": null}, {"x": "a"}, {"x": "a"}]);
    let found = without_ids(&m.target.database, "ps").await;
    assert_documents(&found, &[doc! {"u": "u", "cs": cs}, doc! {"u": "u", "cs": []}]);
    m.source
        .run("update c set x = 'b' where id = 3; update p set u = 'v' where id = 2")
        .await;
    again(&m).await;
    let cs = bson::bson!([{"x": null}, {"x": "a"}, {"x": "b"}]);
    let found = without_ids(&m.target.database, "ps").await;
    assert_documents(&found, &[doc! {"u": "u", "cs": cs}, doc! {"u": "v", "cs": []}]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_root_table_without_a_key_and_with_equal_rows() {
    let m = migrated(
        "create table log(n int, msg text); insert into log values (1, 'a'), (2, 'b'), (1, 'a'), (null, null), (null, null)",
        spec([coll("log", "log", "*")]),
    )
    .await;
    let (a, nothing) = (doc! {"n": 1, "msg": "a"}, doc! {"n": null, "msg": null});
    let expected = [a.clone(), a, doc! {"n": 2, "msg": "b"}, nothing.clone(), nothing];
    let first = documents(&m.target.database, "log").await;
    assert_documents(&without_ids(&m.target.database, "log").await, &expected);
    again(&m).await;
    assert_documents(&documents(&m.target.database, "log").await, &first);
}

/// Rows that the source calls equal and that are written differently: each stays, however they are mixed.
#[tokio::test(flavor = "multi_thread")]
async fn a26_rows_that_are_equal_and_look_different() {
    let m = migrated(
        "create table w(i interval, j jsonb);
         insert into w values ('1 day', '1.0'), ('24:00:00', '1.0'), ('1 day', '1.00'), ('24:00:00', '1.00'), ('1 day', '1.0'),
           ('24:00:00', '1.0'), ('1 day', '1.0')",
        spec([coll("ws", "w", "i")]),
    )
    .await;
    let (day, hours) = (doc! {"i": "P1D"}, doc! {"i": "PT24H"});
    let expected = [
        day.clone(),
        day.clone(),
        day.clone(),
        day,
        hours.clone(),
        hours.clone(),
        hours,
    ];
    assert_documents(&without_ids(&m.target.database, "ws").await, &expected);
    again(&m).await;
    assert_documents(&without_ids(&m.target.database, "ws").await, &expected);
}

/// Keys that fold into one here and are two to the source: none is lost silently.
#[tokio::test(flavor = "multi_thread")]
async fn a19_keys_that_only_the_source_tells_apart() {
    let m = Migration::new(
        "create collation no_accents (provider = icu, locale = 'und-u-ks-level1-kc-true', deterministic = false);
         create table w(k text collate no_accents primary key, v int);
         insert into w values ('A', 1), ('a', 2), ('b', 3)",
        spec([coll("ws", "w", "v").with("key", "GENERATED")]),
    )
    .await;
    m.complete().await;
    assert_eq!(without_ids(&m.target.database, "ws").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a27_child_table_without_a_key_and_with_equal_rows() {
    let m = migrated(
        "create table p(id int primary key); create table c(p_id int references p, x text);
         insert into p values (1); insert into c values (1, 'b'), (1, 'a'), (1, 'a')",
        spec([coll("ps", "p", "").embed([array("cs", "c", "x")])]),
    )
    .await;
    m.expect("ps", &[doc! {"_id": 1, "cs": [{"x": "a"}, {"x": "a"}, {"x": "b"}]}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a28_many_to_many_over_a_link_table() {
    let tags = array("tags", "pt", "pos").with("sort", json!(["pos", "ASC"]));
    let m = migrated(
        "create table post(id int primary key); create table tag(id int primary key, n text);
         create table pt(post_id int references post, tag_id int references tag, pos int, primary key (post_id, tag_id));
         insert into post values (1), (2); insert into tag values (1, 'x'), (2, 'y');
         insert into pt values (1, 1, 2), (1, 2, 1)",
        spec([
            coll("posts", "post", "").embed([tags.embed([merged("tag", "n")])]),
            coll("tags", "tag", "n").embed([values("posts", "pt", "post_id")]),
        ]),
    )
    .await;
    let tags = bson::bson!([{"pos": 1, "n": "y"}, {"pos": 2, "n": "x"}]);
    m.expect("posts", &[doc! {"_id": 1, "tags": tags}, doc! {"_id": 2, "tags": []}])
        .await;
    m.expect(
        "tags",
        &[
            doc! {"_id": 1, "n": "x", "posts": [1]},
            doc! {"_id": 2, "n": "y", "posts": [1]},
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a29_six_levels_with_gaps_in_the_middle() {
    let t5 = document("t5", "t5", "id").embed([array("t6", "t6", "id")]);
    let t3 = document("t3", "t3", "id").embed([array("t4", "t4", "id").embed([t5])]);
    let m = migrated(
        "create table t1(id int primary key); create table t3(id int primary key); create table t5(id int primary key);
         create table t2(id int primary key, t1 int references t1, t3 int references t3);
         create table t4(id int primary key, t3 int references t3, t5 int references t5);
         create table t6(id int primary key, t5 int references t5);
         insert into t1 values (1); insert into t3 values (1), (2); insert into t5 values (1);
         insert into t2 values (1, 1, null), (2, 1, 2), (3, 1, 1);
         insert into t4 values (1, 1, null), (2, 1, 1); insert into t6 values (1, 1), (2, 1)",
        spec([coll("t1", "t1", "").embed([array("t2", "t2", "id").embed([t3])])]),
    )
    .await;
    let t4 = bson::bson!([{"id": 1}, {"id": 2, "t5": {"id": 1, "t6": [{"id": 1}, {"id": 2}]}}]);
    let t2 = bson::bson!([{"id": 1}, {"id": 2, "t3": {"id": 2, "t4": []}}, {"id": 3, "t3": {"id": 1, "t4": t4}}]);
    m.expect("t1", &[doc! {"_id": 1, "t2": t2}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a30_one_to_one_from_the_child_side() {
    let sql = "create table u(id int primary key); create table prof(id int primary key, u_id int, x text);
         insert into u values (1), (2); insert into prof values (9, 1, 'p')";
    let rules = |fk: &str| spec([coll("us", "u", "").embed([document("prof", "prof", "x").with("fk", fk)])]);
    let expected = [doc! {"_id": 1, "prof": {"x": "p"}}, doc! {"_id": 2}];
    let key = "; alter table prof add constraint of_u foreign key (u_id) references u, add unique (u_id)";
    let m = migrated(&format!("{sql}{key}"), rules("of_u")).await;
    m.expect("us", &expected).await;

    let mut mapping = rules("prof_u_id");
    mapping["synthetic"] = json!([synthetic("prof", "u_id", "u", "id")]);
    let m = migrated(&format!("{sql}; insert into prof values (10, 1, 'q')"), mapping).await;
    m.expect("us", &expected).await;
    let job = again(&m).await;
    let warnings = issues(&job, EventType::Warning);
    assert!(warnings[0].starts_with("several_rows_for_document"), "{warnings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a31_child_rows_whose_parent_does_not_exist() {
    let mut mapping = spec([coll("ps", "p", "").embed([array("cs", "c", "id")])]);
    mapping["synthetic"] = json!([synthetic("c", "p_id", "p", "id")]);
    let m = migrated(
        "create table p(id int primary key); create table c(id int primary key, p_id int);
         insert into p values (1); insert into c values (1, 1), (2, 99), (3, null)",
        mapping,
    )
    .await;
    m.expect("ps", &[doc! {"_id": 1, "cs": [{"id": 1}]}]).await;
}

/// The accounts' table has several chunks, and money moves between accounts all the time.
#[tokio::test(flavor = "multi_thread")]
async fn a32_one_consistent_state_while_the_source_is_written() {
    const ACCOUNTS: i64 = 24_000;
    let m = Migration::new(
        "create table acc(id int primary key, bal int not null, pad text);
         create table led(id serial primary key, acc_id int not null references acc, d int not null);
         create index on led(acc_id);
         insert into acc select i, 100, rpad(md5(i::text), 1600, md5(i::text)) from generate_series(1, 24000) i;
         alter table acc set (fillfactor = 100); analyze acc;
         insert into led(acc_id, d) select id, 100 from acc",
        spec([coll("accs", "acc", "bal").embed([values("led", "led", "d")])]),
    )
    .await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 1..=3 {
        let (client, is_over) = (m.source.connect().await, is_over.clone());
        writers.spawn(async move {
            let mut moved = 0_i64;
            while !is_over.load(Ordering::Relaxed) {
                let (from, to) = (
                    (moved * 7_919 + writer) % ACCOUNTS + 1,
                    (moved * 104_729 + 17 * writer) % ACCOUNTS + 1,
                );
                let (low, high) = (from.min(to), from.max(to));
                let transfer = format!(
                    "begin; select from acc where id in ({low}, {high}) order by id for update;
                     update acc set bal = bal - 1 where id = {from}; insert into led(acc_id, d) values ({from}, -1);
                     update acc set bal = bal + 1 where id = {to}; insert into led(acc_id, d) values ({to}, 1); commit"
                );
                client.batch_execute(&transfer).await.expect("a transfer");
                moved += 1;
            }
            moved
        });
    }
    m.complete().await;
    is_over.store(true, Ordering::Relaxed);
    let moved: i64 = writers.join_all().await.iter().sum();
    assert!(moved > 0, "nothing was written meanwhile");
    let found = documents(&m.target.database, "accs").await;
    let torn = |d: &&Document| {
        let led: i32 = d
            .get_array("led")
            .expect("an array")
            .iter()
            .filter_map(bson::Bson::as_i32)
            .sum();
        d.get_i32("bal").expect("a balance") != led
    };
    assert_eq!(found.iter().find(torn), None);
    let total: i64 = found
        .iter()
        .map(|d| i64::from(d.get_i32("bal").expect("a balance")))
        .sum();
    assert_eq!((found.len(), total), (ACCOUNTS as usize, ACCOUNTS * 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a33_a_parent_with_very_many_children() {
    let m = migrated(
        "create table p(id int primary key); create table c(id int primary key, p_id int references p, s varchar(200));
         insert into p values (1); insert into c select i, 1, rpad(i::text, 200, 'x') from generate_series(1, 20000) i",
        spec([
            coll("ids", "p", "").embed([values("cs", "c", "id")]),
            coll("rows", "p", "").embed([array("cs", "c", "id s")]),
        ]),
    )
    .await;
    let ids: Vec<i32> = (1..=20_000).collect();
    m.expect("ids", &[doc! {"_id": 1, "cs": ids.clone()}]).await;
    let rows: Vec<Document> = ids.iter().map(|i| doc! {"id": *i, "s": format!("{i:x<200}")}).collect();
    m.expect("rows", &[doc! {"_id": 1, "cs": rows}]).await;
}

/// Tables of more than 2 MiB with an index on their foreign key: the source is given the keys of a batch all at once, and
/// the rows come by the values of the keys.
#[tokio::test(flavor = "multi_thread")]
async fn children_in_large_tables_with_an_index() {
    let m = migrated(
        "create table p(id int primary key, u uuid unique);
         insert into p select i, md5(i::text)::uuid from generate_series(1, 300) i;
         create table c(id int primary key, p_id int references p, s varchar(200));
         insert into c select i, (select id from p where id = i % 310), rpad(i::text, 200, 'x')
             from generate_series(1, 20000) i;
         create table d(id int primary key, p_u uuid references p(u), s varchar(200));
         insert into d select i, (select u from p where id = i % 310), rpad(i::text, 200, 'x')
             from generate_series(1, 20000) i;
         create index on c (p_id); create index on d (p_u); analyze",
        spec([coll("p", "p", "").embed([array("cs", "c", "id"), array("ds", "d", "id")])]),
    )
    .await;
    let documents: Vec<Document> = (1..=300)
        .map(|id| {
            let children: Vec<Document> = (id..=20_000).step_by(310).map(|child| doc! {"id": child}).collect();
            doc! {"_id": id, "cs": children.clone(), "ds": children}
        })
        .collect();
    m.expect("p", &documents).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a34_a_reader_that_sees_only_some_rows_is_refused() {
    let m = Migration::new(
        "create table rl(id int primary key, t int); insert into rl values (1, 1), (2, 2);
         create policy p on rl using (t = 1); alter table rl enable row level security",
        spec([coll("rl", "rl", "t")]),
    )
    .await;
    let user = reader(&m.source, "grant select on rl to $user").await;
    let message = refused(&m, &m.job().as_user(&user, PASSWORD), 422, "row_security").await;
    assert!(message.contains("public.rl"), "{message}");
    // Row security does not bind the owner or a superuser.
    m.complete().await;
    m.expect("rl", &[doc! {"_id": 1, "t": 1}, doc! {"_id": 2, "t": 2}])
        .await;
}

/// Rows are wide, so that each table has several chunks.
#[tokio::test(flavor = "multi_thread")]
async fn a35_chunk_borders() {
    let m = migrated(
        "create function pad(i int) returns text language sql as $$ select rpad(md5(i::text), 1700, md5(i::text)) $$;
         create table t(k text collate \"de-x-icu\" primary key, pad text);
         insert into t select (array['a', 'Ä', 'ä', 'b', 'B', 'z', ''])[1 + i % 7] || (array['', 'ß', '-', ' ', 'É'])[1 + i / 7 % 5]
           || case when i < 35 then '' else (i / 35)::text end, pad(i) from generate_series(0, 23999) i;
         create table n(id bigint primary key, pad text);
         insert into n values (-5, ''), (0, ''), (9223372036854775807, ''), (-9223372036854775808, '');
         insert into n select 1000000000000 * i, pad(i) from generate_series(1, 24000) i;
         create table m(a int, b text, pad text, primary key (a, b));
         insert into m select i / 15000, 'k' || i % 15000, pad(i) from generate_series(0, 23999) i;
         analyze",
        spec([coll("t", "t", ""), coll("n", "n", ""), coll("m", "m", "")]),
    )
    .await;
    let client = m.source.connect().await;
    for (name, key) in [("t", "k"), ("n", "id::text"), ("m", "a || ' ' || b")] {
        let rows = client
            .query(&format!("select {key} from {name}"), &[])
            .await
            .expect("the keys");
        let mut expected: Vec<String> = rows.iter().map(|r| r.get(0)).collect();
        let mut found: Vec<String> = documents(&m.target.database, name).await.iter().map(key_of).collect();
        expected.sort();
        found.sort();
        assert!(
            found == expected,
            "{name}: {} of {} documents",
            found.len(),
            expected.len()
        );
    }
}

fn key_of(document: &Document) -> String {
    match document.get("_id") {
        Some(bson::Bson::String(text)) => text.clone(),
        Some(bson::Bson::Int64(number)) => number.to_string(),
        Some(bson::Bson::Document(key)) => {
            format!(
                "{} {}",
                key.get_i32("a").expect("an int"),
                key.get_str("b").expect("a text")
            )
        }
        other => panic!("the key {other:?}"),
    }
}

const A37: &str = "create table dog(id int primary key, n text); create table cat(id int primary key, n text);
    insert into dog values (1, 'a'), (2, 'c'); insert into cat values (1, 'b')";

#[tokio::test(flavor = "multi_thread")]
async fn a37_two_tables_in_one_collection() {
    let m = Migration::new(A37, spec([coll("pets", "dog", "n"), coll("pets", "cat", "n")])).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), ["duplicate_id public.cat - 1"]);
    m.expect("pets", &[doc! {"_id": 1, "n": "a"}, doc! {"_id": 2, "n": "c"}])
        .await;

    let id = |t: &str| json!({"_id": format!("({{t: '{t}', id: columns.id}})")});
    let pets = |t: &str| coll("pets", t, "n").with("calc", id(t));
    let m = migrated(A37, spec([pets("dog"), pets("cat")])).await;
    let pet = |t: &str, id: i32, n: &str| doc! {"_id": {"t": t, "id": id}, "n": n};
    m.expect("pets", &[pet("dog", 1, "a"), pet("dog", 2, "c"), pet("cat", 1, "b")])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a38_partitioned_and_inherited_tables() {
    let mapping = spec([
        coll("ev", "ev", ""),
        coll("parent", "parent", "v"),
        coll("child", "child", "v w"),
    ]);
    let m = migrated(
        "create table ev(id int, d date, primary key (id, d)) partition by range (d);
         create table ev_1 partition of ev for values from ('2024-01-01') to ('2024-02-01');
         create table ev_2 partition of ev for values from ('2024-02-01') to ('2024-03-01');
         create table ev_rest partition of ev default;
         insert into ev values (1, '2024-01-15'), (2, '2024-02-15'), (3, '1999-01-01');
         create table parent(id int primary key, v text); create table child(w int, primary key (id)) inherits (parent);
         insert into parent values (1, 'p'); insert into child values (1, 'c', 5)",
        mapping.clone(),
    )
    .await;
    let event = |id: i32, date: &str| doc! {"_id": {"id": id, "d": godwit_tests::docs::date(date)}};
    let expected = [
        event(1, "2024-01-15T00:00:00Z"),
        event(2, "2024-02-15T00:00:00Z"),
        event(3, "1999-01-01T00:00:00Z"),
    ];
    m.expect("ev", &expected).await;
    m.expect("parent", &[doc! {"_id": 1, "v": "p"}]).await;
    m.expect("child", &[doc! {"_id": 1, "v": "c", "w": 5}]).await;
    let job = job_with_table_renamed(&m, &mapping, "ev", "ev_1").await;
    let message = m.app.api().create_job(&job).await.error(422, "invalid_mapping");
    assert!(message.contains("public.ev_1"), "{message}");
}

/// A job of the same project whose file names another table.
async fn job_with_table_renamed(m: &Migration, mapping: &Value, from: &str, to: &str) -> godwit_tests::api::Job {
    let file = project_file(&m.source.connect().await, mapping).await.to_string();
    let file = file.replace(&format!("\"{from}\""), &format!("\"{to}\""));
    let project = m
        .app
        .api()
        .import_project(&serde_json::from_str(&file).expect("JSON"))
        .await;
    godwit_tests::api::Job::new(&project, &m.source, &m.target)
}

#[tokio::test(flavor = "multi_thread")]
async fn a39_calculated_fields_and_calculated_id() {
    let calculated = json!({"total": "columns.price * columns.qty", "_id": "'p-' + columns.id"});
    let m = migrated(
        "create table t(id int primary key, price numeric(10, 2), qty int); insert into t values (1, 1.10, 3), (2, 0.10, null)",
        spec([coll("t", "t", "price").with("calc", calculated)]),
    )
    .await;
    let expected = [
        doc! {"_id": "p-1", "price": decimal("1.10"), "total": 3.300_000_000_000_000_3},
        doc! {"_id": "p-2", "price": decimal("0.10"), "total": 0},
    ];
    m.expect("t", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_a_table_or_column_that_is_not_there_is_an_error() {
    let mapping = spec([coll("orders", "orders", "*").embed([array("lines", "line", "*")])]);
    let sql = "create table orders(id int primary key, total int); insert into orders values (1, 5);
         create table line(id int primary key, order_id int references orders, gone int)";
    let m = Migration::new(sql, mapping.clone()).await;
    let job = job_with_table_renamed(&m, &mapping, "orders", "Orders").await;
    let message = refused(&m, &job, 422, "invalid_mapping").await;
    assert!(
        message.contains("public.Orders") && message.contains("public.orders"),
        "{message}"
    );
    m.source.run("alter table line drop column gone").await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(
        message.contains("public.line") && message.contains("\"gone\""),
        "{message}"
    );
    m.source.run("drop table line").await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(message.contains("public.line"), "{message}");
}

/// To the language it would be undefined: the filter would leave out every row, and the job would complete.
#[tokio::test(flavor = "multi_thread")]
async fn a40_a_column_that_only_an_expression_reads_is_gone() {
    let filtered = |filter: &str| spec([coll("orders", "orders", "total").with("filter", filter)]);
    let sql = "create table orders(id int primary key, total int); insert into orders values (1, 5)";
    for expression in ["columns.st === 'open'", "columns['st'] === 'open'"] {
        let m = Migration::new(sql, filtered(expression)).await;
        let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
        assert!(
            message.contains("public.orders") && message.contains("\"st\""),
            "{message}"
        );
    }
    let m = migrated(sql, filtered("columns.hasOwnProperty('total') && columns.total > 1")).await;
    m.expect("orders", &[doc! {"_id": 1, "total": 5}]).await;
}
