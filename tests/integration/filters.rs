//! Table filters: texts that leave their place, names of somebody's, functions that do more than compute, and the filters
//! that people write.

use crate::common::{assert_completed, coll, refused, spec};
use bson::doc;
use godwit_tests::api::Answer;
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};

const TABLE: &str = "create table p(id int primary key, name text not null, n int, d date, at timestamptz, doc jsonb, tags text[],
        ip inet, price numeric(10, 2), mood text, f4 float4);
    insert into p select i, 'Name ' || i, i % 7, date '2024-01-01' + i, timestamptz '2024-01-01 12:00+00' + i * interval '1 hour',
        jsonb_build_object('a', i, 'b', jsonb_build_object('c', 'x' || i)), array['t' || i, 'all'], ('10.0.0.' || i)::inet,
        i * 1.5, case when i % 3 = 0 then null else 'ok' end, i * 0.1 from generate_series(1, 40) i;
    create sequence sq; create extension dblink";

async fn table() -> Migration {
    Migration::new(TABLE, spec([coll("ps", "p", "name")])).await
}

fn filter(text: &str) -> Value {
    json!({"public": {"p": {"whereClause": text}}})
}

/// What a filter comes to as a summary, which reads no row, and as a preview of a project that carries it.
async fn asked(m: &Migration, text: &str) -> [Answer; 2] {
    let job = m.job().filtered(filter(text));
    let summary = m.app.api().post("/jobs/summary", &job.0).await;
    let mut file = m.app.api().get(&format!("/project/{}/export", m.project)).await.ok();
    let tables = file["project"]["content"]["tables"].as_object_mut().expect("tables");
    for table in tables.values_mut() {
        table["filter"] = json!({"whereClause": text});
    }
    let carried = m.app.api().import_project(&file).await;
    let source = json!({"jdbcConnectionDetails": job.0["jdbcConnectionDetails"], "limit": 1});
    let preview = m.app.api().post(&format!("/project/{carried}/preview"), &source).await;
    [summary, preview]
}

async fn one(m: &Migration, sql: &str) -> String {
    let row = m.source.connect().await.query_one(sql, &[]).await.expect("an answer");
    row.get(0)
}

/// A comment that ends at a carriage return, a literal of a type named `name`, an escape string that is continued: each
/// closed the parentheses around the filter, and went on with statements of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_leaves_its_place_runs_nothing() {
    let m = table().await;
    let harm = ")) AS x; COMMIT; BEGIN READ WRITE; CREATE TABLE public.pwned(a int); COMMIT; SELECT 1 FROM (SELECT 1 WHERE (true";
    let texts = [
        format!("true --\r{harm}"),
        format!("name = name'\\'{harm} --'"),
        format!("name = E'a'\n'\\' or name = '{harm} --'"),
        format!("name = U&'\\' UESCAPE '!' or name = '{harm} --'"),
        format!("name = X'\\' or name = '{harm} --'"),
        format!("name = $a$ $a$ or name = $b$'$b${harm} --'"),
        format!("name = 'a\\'{harm} --'"),
        format!("true /* /* */ {harm} -- */"),
        format!("true -- \u{2028}{harm}"),
        format!("true{harm}"),
        format!("true;{harm}"),
        format!("E'\\\\'{harm} --'"),
    ];
    for text in &texts {
        for answer in asked(&m, text).await {
            assert!([200, 400].contains(&answer.status), "{text:?}: {:#}", answer.body);
        }
        let answer = m.app.api().create_job(&m.job().filtered(filter(text))).await;
        if answer.status == 200 {
            let id = answer.body["id"].as_str().expect("an id");
            m.app.api().wait_ended(id, godwit_tests::api::LONG).await;
        }
        let made = one(&m, "select coalesce(to_regclass('public.pwned')::text, 'nothing')").await;
        assert_eq!(made, "nothing", "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_with_side_effects_or_a_look_beyond_the_row_are_refused_by_name() {
    let m = table().await;
    m.source
        .run(
            "create function mine(int) returns bool language sql immutable as 'select true';
              create function vouched(int) returns bool language internal immutable leakproof strict as 'int4um';
              create domain careful as int check (mine(value))",
        )
        .await;
    for (text, named) in [
        ("nextval('sq') > 0", "nextval"),
        ("setval('sq', 777) > 0", "setval"),
        (
            "set_config('default_transaction_read_only', 'off', false) is not null",
            "set_config",
        ),
        ("current_setting('data_directory') <> ''", "current_setting"),
        ("lo_import('/etc/passwd') > 0", "lo_import"),
        ("lo_export(1, '/tmp/x') > 0", "lo_export"),
        ("length(pg_read_file('/etc/passwd')) > 0", "pg_read_file"),
        ("pg_ls_dir('/') is not null", "pg_ls_dir"),
        (
            "dblink_exec('', 'create table pwned(a int)') is not null",
            "dblink_exec",
        ),
        (
            "public.dblink_exec('', 'create table pwned(a int)') is not null",
            "dblink_exec",
        ),
        (
            "length(query_to_xml('select * from pg_authid', true, true, '')::text) > 0",
            "query_to_xml",
        ),
        ("table_to_xml('p', true, true, '') is not null", "table_to_xml"),
        ("pg_sleep(8) is not null", "pg_sleep"),
        ("pg_terminate_backend(1)", "pg_terminate_backend"),
        ("pg_advisory_lock(1) is null", "pg_advisory_lock"),
        ("has_table_privilege('p', 'select')", "has_table_privilege"),
        ("pg_catalog.pg_sleep(8) is not null", "pg_sleep"),
        ("\"pg_sleep\"(8) is not null", "pg_sleep"),
        ("pg_notify('a', 'b') is null", "pg_notify"),
        ("generate_series(1, 3) > 1", "generate_series"),
        ("txid_current() > 0", "txid_current"),
        ("ts_rewrite('a'::tsquery, 'select 1') is not null", "ts_rewrite"),
        ("mine(id)", "mine"),
        ("public.mine(id)", "mine"),
        ("id::careful > 0", "careful"),
        ("'p'::regclass > 0", "regclass"),
        ("name::regrole is null", "regrole"),
        ("count(*) > 1", "count"),
        ("exists (select 1 from pg_authid)", "sub-select"),
        ("id = (select max(id) from p)", "sub-select"),
        ("current_user = 'postgres'", "current_user"),
        ("tableoid = 1", "tableoid"),
        ("p.mine", "mine"),
    ] {
        for answer in asked(&m, text).await {
            let message = answer.error(400, "invalid_request");
            assert!(
                message.contains("public.p") && message.to_lowercase().contains(named),
                "{text}: {message}"
            );
        }
    }
    assert_eq!(
        one(&m, "select last_value || '/' || is_called from sq").await,
        "1/false"
    );
    // What only a superuser can declare so is believed.
    assert_completed(&m.run(&m.job().filtered(filter("public.vouched(id) is not null"))).await);
}

/// What a filter chose before it chooses today: the server itself says which rows that are.
#[tokio::test(flavor = "multi_thread")]
async fn filters_that_people_write_choose_the_rows_that_the_server_chooses() {
    let m = table().await;
    for text in [
        "name like 'Name 1%' and name not like '%5'",
        "name ilike 'NAME _' or name similar to 'Name (2|3)_'",
        "name ~ '^Name [12]' and name !~* '9$'",
        "id in (1, 2, 3) or id not in (4, 5) and id between 10 and 12",
        "name in ('Name 1', 'Name 2') or d in ('2024-01-04', '2024-01-05')",
        "doc ->> 'a' = '5' or doc @> '{\"a\": 6}' or doc #>> '{b,c}' = 'x7' or doc -> 'b' ->> 'c' = 'x8'",
        "doc ? 'a' and (doc -> 'a')::int > 30",
        "tags @> array['t3'] or 't4' = any(tags) or tags[1] = 't5' or cardinality(tags[1:1]) = 9",
        "id = any('{1,2}') or id = any(array[5, 6]) and n <> all(array[0, 1])",
        "extract(year from d) = 2024 and extract(day from d) < 9 or date_part('month', d) = 2",
        "date_trunc('day', at) = '2024-01-02' or at at time zone 'Europe/Berlin' < '2024-01-01 15:00'",
        "d + 3 > '2024-02-10' or d - interval '1 month' > date '2024-01-08' or at > timestamptz '2024-01-03 00:00+00'",
        "age(at, '2024-01-01') < interval '1 day' and at <= now()",
        "coalesce(mood, 'none') = 'none' or nullif(n, 3) is null",
        "case when n > 3 then price > 20 else price < 10 end",
        "case n when 1 then true when 2 then false else null end",
        "(n, id) = (1, 8) or (n, id) < (1, 10) or row(n, id) in ((2, 9), (3, 10))",
        "mood is distinct from 'ok' or n is not distinct from 2",
        "substring(name from 6 for 1) = '1' or position('2' in name) = 6 or trim(name) = 'Name 3' or left(name, 3) = 'x'",
        "cast(price as int) % 3 = 0 and price::text like '%.00' and -n < -2",
        "lower(name) || '!' = 'name 7!' or upper(name) = 'NAME 8' or length(name) = 6",
        "ip << inet '10.0.0.0/28' or ip = '10.0.0.20'",
        "int4range(1, 5) @> id or '[7,9)'::int4range @> id",
        "(d, d + 10) overlaps (date '2024-01-01', date '2024-01-05')",
        "not (id > 3) or id ^ 2 > 1500 and @ (n - 4) = 1",
        "name collate \"C\" > 'Name 35' or to_tsvector('english', name) @@ to_tsquery('english', 'name & 12')",
        "round(price / 2, 1) = 3.8 or abs(price - 6) < 0.1 or greatest(n, 5) = 6",
        "id = 1 -- and id = 2",
        "to_char(d, 'DD') = '05' or make_date(2024, 1, 7) = d or doc = jsonb_build_object('a', 1)",
        "random() < 2 and current_date > d and clock_timestamp() > at",
        "id = 3 OR public.p.id = 4 or p.id = 5 or t.id = 6",
        "1 = 1",
        "f4 in (0.1, 0.7) or f4 in (0.3)",
        "id > '35' and n::bool",
        "E'Name\\x202' <> name",
    ] {
        let expected: Vec<i32> = match text {
            // The numeric escape is refused; everything else has to be the server's answer.
            text if text.contains("\\x20") => {
                let message = m
                    .app
                    .api()
                    .post("/jobs/summary", &m.job().filtered(filter(text)).0)
                    .await;
                assert!(message.error(400, "invalid_request").contains("escape"));
                continue;
            }
            _ => {
                let sql = format!(
                    "select p.id from p, p t where p.id = t.id and ({}\n) order by 1",
                    unambiguous(text)
                );
                let rows = m.source.connect().await.query(&sql, &[]).await;
                rows.unwrap_or_else(|e| panic!("{text}: {e:?}"))
                    .iter()
                    .map(|r| r.get(0))
                    .collect()
            }
        };
        let job = m.run(&m.job().filtered(filter(text))).await;
        assert_completed(&job);
        let expected: Vec<bson::Document> = (expected.iter())
            .map(|id| doc! {"_id": id, "name": format!("Name {id}")})
            .collect();
        m.expect("ps", &expected).await;
    }
}

/// The text as it is said of `p` alone.
fn unambiguous(text: &str) -> String {
    let columns = ["id", "name", "n", "d", "at", "doc", "tags", "ip", "price", "mood", "f4"];
    let mut out = String::new();
    let mut rest = text;
    let mut is_quoted = false;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_column = !is_quoted && columns.contains(&word) && !out.ends_with('.');
        // `at time zone` is no column.
        let is_column = is_column && !(word == "at" && after.starts_with(" time"));
        if is_column {
            out.push_str("p.");
        }
        out.push_str(word);
        let next = after
            .find(|c: char| c.is_alphanumeric() || c == '_')
            .unwrap_or(after.len());
        let between = &after[..next];
        is_quoted ^= between.matches('\'').count() % 2 == 1;
        out.push_str(between);
        rest = &after[next..];
    }
    out
}

/// Functions, operators and casts that somebody has declared do not stand for those of the server, whatever the path.
#[tokio::test(flavor = "multi_thread")]
async fn names_mean_the_servers_own_whatever_the_search_path() {
    let m = table().await;
    let name = &m.source.name;
    m.source
        .run(&format!(
            "create schema evil;
             create function evil.lower(text) returns text language sql as 'select nextval(''public.sq'')::text';
             create function evil.eq(int, int) returns bool language sql as 'select nextval(''public.sq'') > 0';
             create function evil.eqt(text, text) returns bool language sql as 'select nextval(''public.sq'') > 0';
             create operator evil.= (leftarg = int, rightarg = int, procedure = evil.eq);
             create operator evil.= (leftarg = text, rightarg = text, procedure = evil.eqt);
             create operator evil.>= (leftarg = int, rightarg = int, procedure = evil.eq);
             create operator evil.~~ (leftarg = text, rightarg = text, procedure = evil.eqt);
             create type evil.date as enum ('x');
             alter database \"{name}\" set search_path = evil, pg_catalog, public"
        ))
        .await;
    for (text, ids) in [
        ("lower(name) = 'name 3'", vec![3]),
        ("id = 4", vec![4]),
        ("name like 'Name 5'", vec![5]),
        ("id between 6 and 7", vec![6, 7]),
        ("nullif(id, 8) is null or id is not distinct from 9", vec![8, 9]),
        ("case id when 10 then true end", vec![10]),
        ("d = date '2024-01-12'", vec![11]),
        ("(id, name) = (12, 'Name 12')", vec![12]),
        ("id in (13, 14)", vec![13, 14]),
    ] {
        let job = m.run(&m.job().filtered(filter(text))).await;
        assert_completed(&job);
        let expected: Vec<bson::Document> = ids
            .iter()
            .map(|id| doc! {"_id": id, "name": format!("Name {id}")})
            .collect();
        m.expect("ps", &expected).await;
    }
    assert_eq!(
        one(&m, "select last_value || '/' || is_called from public.sq").await,
        "1/false"
    );
}

/// Operators and functions of an extension belong to its types; those of somebody do not.
#[tokio::test(flavor = "multi_thread")]
async fn types_of_extensions_and_enums_are_compared_by_their_own_operators() {
    let m = Migration::new(
        "create schema ext; create extension citext schema ext; create extension hstore; create extension ltree; create extension pg_trgm;
         create type mood as enum ('sad', 'ok', 'happy');
         create table p(id int primary key, c ext.citext, h hstore, l ltree, m mood, name text);
         insert into p values (1, 'Ab', 'a=>1', 'top.a', 'sad', 'one'), (2, 'CD', 'b=>2', 'top.a.b', 'happy', 'two');
         create function loud(mood) returns text language plpgsql as 'begin perform 1; return ''loud''; end'",
        spec([coll("ps", "p", "id")]),
    )
    .await;
    for (text, ids) in [
        ("c = 'aB'", vec![1]),
        ("c in ('AB', 'x') or c = any(array['cd'::ext.citext])", vec![1, 2]),
        ("c like 'a%' and nullif(c, 'AB') is null", vec![1]),
        ("c::text = 'Ab' and lower(c) = 'ab'", vec![1]),
        ("h -> 'b' = '2' or h ? 'zz'", vec![2]),
        ("l <@ 'top.a' and nlevel(l) = 3", vec![2]),
        ("m > 'sad' and m = 'happy'::mood", vec![2]),
        ("m in ('sad', 'ok') and m::text <> 'ok'", vec![1]),
        ("name % 'onee' and similarity(name, 'one') > 0.9", vec![1]),
    ] {
        let job = m.run(&m.job().filtered(filter(text))).await;
        assert_completed(&job);
        let expected: Vec<bson::Document> = ids.iter().map(|id| doc! {"_id": id}).collect();
        m.expect("ps", &expected).await;
    }
    m.run(&m.job().filtered(filter("id > 9"))).await;
    m.target.database.drop().await.expect("the destination can be dropped");
    m.source
        .run("create cast (mood as text) with function loud(mood) as implicit")
        .await;
    let answer = m
        .app
        .api()
        .create_job(&m.job().filtered(filter("m::text = 'loud'")))
        .await;
    assert!(answer.error(400, "invalid_request").contains("loud"));
}

/// The text of a continuous job's filter that is another one every day, however it is written.
#[tokio::test(flavor = "multi_thread")]
async fn times_of_the_day_are_found_in_every_place() {
    let m = table().await;
    let job = |text: &str| {
        let job = m.job().with("/options/mode", json!("CDC"));
        job.filtered(filter(text))
    };
    for text in [
        "d > 'today'",
        "d in ('2024-01-01', 'Tomorrow')",
        "d = any('{today}')",
        "'[yesterday,)'::daterange @> d",
        "d between 'yesterday' and '2030-01-01'",
        "at > E'n\\ow'",
        "d > ('to' || 'day')::date",
        "d > 'today'::text::date",
        "d > date('today')",
        "d > cast(concat('to', 'day') as date)",
        "coalesce(d, 'now') > '2024-01-01'",
        "case when d > 'now'::timestamp then true else false end",
        "age(d) > interval '1 day'",
        "transaction_timestamp() > at",
        "random() > 0.5",
        "localtime is not null",
    ] {
        let message = refused(&m, &job(text), 400, "invalid_request").await;
        assert!(message.contains("public.p"), "{text}: {message}");
    }
}
