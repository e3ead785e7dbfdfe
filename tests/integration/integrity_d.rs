//! Group D of the integrity cases: every PostgreSQL type as a field and as the values of an array, from a database
//! whose settings would change what it prints.

use crate::common::{array, assert_completed, coll, issues, migrated, spec, values};
use bson::{Bson, bson, doc};
use godwit_shared::job::{EventType, MigrationJobStatus};
use godwit_tests::docs::{binary, date, decimal, documents, without_ids};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, servers};
use serde_json::json;

const HOSTILE: &str = "
    do $$ declare setting text; begin
      foreach setting in array array['DateStyle = \"SQL, DMY\"', 'IntervalStyle = sql_standard', 'TimeZone = \"Asia/Kolkata\"',
          'bytea_output = escape', 'extra_float_digits = 0', 'search_path = pg_catalog', 'standard_conforming_strings = off',
          'array_nulls = off', 'transform_null_equals = on'] loop
        execute format('alter database %I set ', current_database()) || setting;
      end loop; end $$;";

/// A type with values as the source takes them, and what they become. `=` starts an expression.
struct Type {
    name: &'static str,
    values: Vec<(&'static str, Bson)>,
}

macro_rules! of {
    ($name:literal: $($text:expr => $value:expr),+ $(,)?) => {
        Type { name: $name, values: vec![$(($text, Bson::from($value))),+] }
    };
}

/// Migrates a table of each type and compares; every table also has a NULL. Returns the job, for its issues.
async fn check(setup: &str, types: &[Type]) -> MigrationJobStatus {
    let source = servers().await.postgres.database("types", setup).await;
    check_in(source, types).await
}

async fn check_in(source: Database, types: &[Type]) -> MigrationJobStatus {
    let mut sql = String::new();
    let mut rules = Vec::new();
    for (n, of) in types.iter().enumerate() {
        let (name, null) = (of.name, of.values.len() + 1);
        sql += &format!(
            "create table p{n}(id int primary key); insert into p{n} values (1);
            create table t{n}(id int primary key, p int default 1 references p{n}, v {name});
            insert into t{n}(id, v) values ({null}, null);"
        );
        for (at, (text, _)) in of.values.iter().enumerate() {
            let value = text
                .strip_prefix('=')
                .map_or_else(|| format!("$q${text}$q$::{name}"), Into::into);
            sql += &format!("insert into t{n}(id, v) values ({}, {value});", at + 1);
        }
        let default = json!({"v": "DEFAULT"});
        rules.push(coll(&format!("t{n}"), &format!("t{n}"), "v").with("types", default.clone()));
        let of_parent = values("vs", &format!("t{n}"), "v").with("types", default);
        rules.push(coll(&format!("p{n}"), &format!("p{n}"), "").embed([of_parent]));
    }
    source.run(&sql).await;
    source.run(HOSTILE).await;
    let mut mapping = spec([]);
    mapping["collections"] = rules.into_iter().map(|r| r.json()).collect();
    let m = Migration::of(source, mapping).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    for (n, of) in types.iter().enumerate() {
        let expected: Vec<Bson> = of.values.iter().map(|(_, v)| v.clone()).chain([Bson::Null]).collect();
        let mut found = documents(&m.target.database, &format!("t{n}")).await;
        found.sort_by_key(|d| d.get_i32("_id").expect("an id"));
        let found: Vec<Bson> = found.iter().map(|d| d.get("v").cloned().expect("a value")).collect();
        for ((found, expected), (text, _)) in found
            .iter()
            .zip(&expected)
            .zip(of.values.iter().chain([&("null", Bson::Null)]))
        {
            assert_eq!(shown(found), shown(expected), "{} {text:.200}", of.name);
        }
        assert_eq!(found.len(), expected.len());
        let parents = documents(&m.target.database, &format!("p{n}")).await;
        let [parent] = parents.as_slice() else {
            panic!("{} parents", parents.len())
        };
        assert!(
            parent.get("vs").map(shown) == Some(shown(&Bson::Array(expected))),
            "{} in an array",
            of.name
        );
    }
    job
}

fn shown(value: &Bson) -> String {
    value.clone().into_canonical_extjson().to_string()
}

/// The same, where nothing is to be told of the values.
async fn clean(setup: &str, types: &[Type]) {
    let job = check(setup, types).await;
    assert_eq!(
        (issues(&job, EventType::Error), issues(&job, EventType::Warning)),
        (vec![], vec![])
    );
}

fn millis(millis: i64) -> Bson {
    Bson::DateTime(bson::DateTime::from_millis(millis))
}

#[tokio::test(flavor = "multi_thread")]
async fn d01_d02_d04_d06_exact_numbers() {
    let types = [
        of!("int2": "-32768" => -32768, "32767" => 32767),
        of!("int4": "-2147483648" => i32::MIN, "2147483647" => i32::MAX),
        of!("int8": "-9223372036854775808" => i64::MIN, "9223372036854775807" => i64::MAX,
            "9007199254740993" => 9_007_199_254_740_993_i64, "1" => 1_i64),
        of!("oid": "4294967295" => 4_294_967_295_i64, "0" => 0_i64),
        of!("xid8": "18446744073709551615" => "18446744073709551615"),
        of!("numeric": "0" => decimal("0"), "-0" => decimal("0"), "1.10" => decimal("1.10"), "1.1" => decimal("1.1"),
            "100" => decimal("100"), "1E+2" => decimal("100"), "0.000001" => decimal("0.000001"), "-0.1" => decimal("-0.1"),
            "1234567890123456789012345678901234" => decimal("1234567890123456789012345678901234"),
            "NaN" => decimal("NaN"), "Infinity" => decimal("Infinity"), "-Infinity" => decimal("-Infinity")),
        of!("numeric(6, 2)": "1" => decimal("1.00"), "-1234.5" => decimal("-1234.50")),
        of!("money": "12.34" => decimal("12.34"), "-92233720368547758.08" => decimal("-92233720368547758.08"),
            "92233720368547758.07" => decimal("92233720368547758.07"), "0" => decimal("0.00")),
    ];
    clean("", &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d03_numeric_beyond_decimal128() {
    let numbers = of!("numeric":
        "12345678901234567890123456789012345" => decimal("1.234567890123456789012345678901234E+34"),
        "12345678901234567890123456789012355" => decimal("1.234567890123456789012345678901236E+34"),
        "0.1234567890123456789012345678901234567" => decimal("0.1234567890123456789012345678901235"),
        "1e-6200" => decimal("0E-6176"),
        "1e131071" => Bson::Null,
        "-1e131071" => Bson::Null);
    let job = check("", &[numbers]).await;
    assert_eq!(issues(&job, EventType::Error), ["value_not_convertible public.t0 v 2"]);
    assert_eq!(
        issues(&job, EventType::Warning),
        ["value_rounded public.t0 v 3", "value_too_small public.t0 v 1"]
    );

    let digits = "12345678901234567890123456789012345.10";
    let m = migrated(
        &format!("create table t(id int primary key, v numeric); insert into t values (1, {digits})"),
        spec([coll("t", "t", "v").with("types", json!({"v": "STRING"}))]),
    )
    .await;
    m.expect("t", &[doc! {"_id": 1, "v": digits}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d05_floating_point() {
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    let types = [
        of!("float4": "0.1" => 0.1, "1e-45" => 1e-45, "3.4028235e38" => 3.402_823_5e38, "NaN" => nan,
            "Infinity" => infinity, "-Infinity" => -infinity, "-0" => -0.0, "16777216" => 16_777_216.0),
        of!("float8": "0.1" => 0.1, "1.7976931348623157e308" => f64::MAX, "5e-324" => 5e-324, "NaN" => nan,
            "Infinity" => infinity, "-Infinity" => -infinity, "-0" => -0.0, "0.30000000000000004" => 0.300_000_000_000_000_04),
    ];
    clean("", &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d07_d08_d22_d23_d24_text_and_what_is_printed() {
    let types = [
        of!("boolean": "true" => true, "false" => false),
        of!("\"char\"": "a" => "a", "" => ""),
        of!("name": "x" => "x"),
        of!("text": "" => "", " " => " ", "a😀" => "a😀", "e\u{301}" => "e\u{301}", "שלום" => "שלום", "it's \"q\"" => "it's \"q\"",
            "back\\slash\\n" => "back\\slash\\n", "new\nline\r\t" => "new\nline\r\t", "\u{ffff}" => "\u{ffff}", "\\N" => "\\N"),
        of!("char(5)": "ab" => "ab   ", "abcde" => "abcde", "é" => "é    "),
        of!("varchar(3)": "ab " => "ab "),
        of!("bit(1)": "0" => "0", "1" => "1"),
        of!("bit(3)": "101" => "101", "001" => "001"),
        of!("bit(70)": "=('1' || repeat('0', 68) || '1')::bit(70)" => format!("1{}1", "0".repeat(68))),
        of!("varbit": "" => "", "0101" => "0101"),
        of!("uuid": "00000000-0000-0000-0000-000000000000" => "00000000-0000-0000-0000-000000000000",
            "123E4567-e89b-12d3-a456-426614174000" => "123e4567-e89b-12d3-a456-426614174000"),
        of!("inet": "192.168.0.1" => "192.168.0.1", "192.168.0.1/24" => "192.168.0.1/24", "::1" => "::1",
            "2001:db8::/32" => "2001:db8::/32", "::ffff:1.2.3.4" => "::ffff:1.2.3.4"),
        of!("cidr": "10.0.0.0/8" => "10.0.0.0/8", "192.168.0.1" => "192.168.0.1/32"),
        of!("macaddr": "08:00:2b:01:02:03" => "08:00:2b:01:02:03"),
        of!("macaddr8": "08:00:2b:01:02:03:04:05" => "08:00:2b:01:02:03:04:05"),
    ];
    clean("", &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d08_d10_d17_large_values() {
    let m = migrated(
        "create table t(id int primary key, v text, b bytea, a int[]);
         insert into t values (1, repeat('é', 5000000), null, null), (2, null, decode(repeat('00ff', 7864320), 'hex'), null),
           (3, null, null, (select array_agg(i) from generate_series(1, 100000) i))",
        spec([coll("t", "t", "*").with("omit_null", json!(["v", "b", "a"]))]),
    )
    .await;
    let found = documents(&m.target.database, "t").await;
    assert!(found[0].get_str("v").is_ok_and(|v| v == "é".repeat(5_000_000)));
    assert!(
        found[1]
            .get_binary_generic("b")
            .is_ok_and(|b| *b == [0, 255].repeat(7_864_320))
    );
    let numbers: Vec<Bson> = (1..=100_000).map(Bson::Int32).collect();
    assert!(found[2].get_array("a").is_ok_and(|a| *a == numbers));
}

async fn database_in(encoding: &str, sql: &str) -> Database {
    let home = servers().await.postgres.database("home", "").await;
    let name = format!("{}_{}", home.name, encoding.to_lowercase());
    let create =
        format!("create database \"{name}\" encoding '{encoding}' template template0 lc_collate 'C' lc_ctype 'C'");
    home.run(&create).await;
    let database = Database { name, port: home.port };
    database.run(sql).await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn d09_databases_that_are_not_in_utf8() {
    let latin = database_in("LATIN1", "").await;
    let job = check_in(latin, &[of!("text": "é" => "é", "ÿ£" => "ÿ£")]).await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
    let ascii = database_in("SQL_ASCII", "").await;
    let job = check_in(
        ascii,
        &[of!("text": "plain" => "plain", "=E'caf\\xe9'" => Bson::Null, "=E'\\xc3\\xa9'" => "é")],
    )
    .await;
    assert_eq!(issues(&job, EventType::Error), ["value_not_convertible public.t0 v 1"]);
    let update = job
        .job_updates
        .iter()
        .find(|u| u.error_code == "value_not_convertible")
        .expect("the issue");
    assert_eq!(update.key.get("id").map(String::as_str), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn d10_bytea() {
    let all: Vec<u8> = (0..=255).collect();
    let types = [
        of!("bytea": "" => binary(&[]), "\\x00" => binary(&[0]), "\\x5c5c27" => binary(b"\\\\'"),
        "=(select string_agg(set_byte('\\x00', 0, i), '' order by i) from generate_series(0, 255) i)" => binary(&all)),
    ];
    clean("", &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d11_d12_dates_and_times() {
    let types = [
        of!("timestamp": "2024-02-29 23:59:59.999999" => date("2024-02-29T23:59:59.999Z"), "1969-12-31 23:59:59.999999" => millis(-1),
            "0001-01-01" => millis(-62_135_596_800_000), "2021-03-28 02:30" => date("2021-03-28T02:30:00Z"),
            "0044-03-15 BC" => millis(-63_517_824_000_000), "4713-01-01 BC" => millis(-210_863_520_000_000),
            "294276-12-31 23:59:59.999999" => millis(9_224_318_015_999_999), "infinity" => Bson::Null, "-infinity" => Bson::Null),
        of!("timestamptz": "2024-02-29 23:59:59.999999+05:30" => date("2024-02-29T18:29:59.999Z"),
            "2024-06-01 00:00 Europe/Berlin" => date("2024-05-31T22:00:00Z"), "1969-12-31 23:59:59.999999+00" => millis(-1),
            "infinity" => Bson::Null, "-infinity" => Bson::Null),
        of!("date": "2024-02-29" => date("2024-02-29T00:00:00Z"), "1582-10-10" => millis(-12_219_724_800_000),
            "0044-03-15 BC" => millis(-63_517_824_000_000), "4713-01-01 BC" => millis(-210_863_520_000_000),
            "5874897-12-31" => millis(185_331_706_992_000_000), "infinity" => Bson::Null, "-infinity" => Bson::Null),
        of!("timestamp(3)": "2024-02-29 23:59:59.999" => date("2024-02-29T23:59:59.999Z")),
    ];
    let job = check("", &types).await;
    let errors = [0, 1, 2].map(|n| format!("value_not_convertible public.t{n} v 2"));
    assert_eq!(issues(&job, EventType::Error), errors);
    let warnings = ["precision_lost public.t0 v 3", "precision_lost public.t1 v 2"];
    assert_eq!(issues(&job, EventType::Warning), warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn d13_d14_times_and_intervals() {
    let types = [
        of!("time": "00:00" => "00:00:00", "24:00:00" => "24:00:00", "23:59:59.999999" => "23:59:59.999999"),
        of!("timetz": "12:00:00.123456+05:30:15" => "12:00:00.123456+05:30:15", "00:00+00" => "00:00:00+00"),
        of!("interval": "1 mon 1 day 00:00:00.000001" => "P1M1DT0.000001S", "-1 mon +1 day" => "P-1M1D", "100 years" => "P100Y",
            "0" => "PT0S", "1 year 2 mons -3 days 04:05:06.7" => "P1Y2M-3DT4H5M6.7S", "36:00" => "PT36H"),
    ];
    clean("", &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d15_d16_json_and_jsonb() {
    let nested = |depth: usize| -> &'static str { format!("{}{}", "[".repeat(depth), "]".repeat(depth)).leak() };
    let inside = (0..99).fold(bson!([]), |inner, _| bson!([inner]));
    let types = [
        of!("json": "{\"a\":1,\"a\":2,\"b\":1.00}" => doc! {"a": 2, "b": 1.0}, "null" => Bson::Null, "\"x\"" => "x", "true" => true,
            "[1,[2]]" => bson!([1, [2]]), "1e400" => decimal("1E+400"), "9007199254740993" => 9_007_199_254_740_993_i64,
            "0.1234567890123456789" => decimal("0.1234567890123456789"), "0.5" => 0.5,
            "{\"$a\":1,\"b.c\":2,\"\":3}" => doc! {"$a": 1, "b.c": 2, "": 3}, "{\"a\":\"\\u0000\"}" => doc! {"a": "\0"},
            nested(100) => inside.clone(), nested(200) => Bson::Null, "{\"a\\u0000b\":1}" => Bson::Null,
            " { \"s\" : \"\\ud83d\\ude00\\n\" } " => doc! {"s": "😀\n"}),
        of!("jsonb": "{\"bb\":1,\"a\":{\"x\":null}}" => doc! {"a": {"x": null}, "bb": 1}, "null" => Bson::Null, "[]" => bson!([]),
            "-9223372036854775809" => decimal("-9223372036854775809"), "2147483648" => 2_147_483_648_i64, "1.10" => 1.1,
            "1234567890123456789012345678901234567890" => decimal("1.234567890123456789012345678901235E+39"),
            nested(100) => inside, nested(200) => Bson::Null),
    ];
    let job = check("", &types).await;
    assert_eq!(
        issues(&job, EventType::Error),
        [
            "value_not_convertible public.t0 v 2",
            "value_not_convertible public.t1 v 1"
        ]
    );
    assert_eq!(issues(&job, EventType::Warning), ["value_rounded public.t1 v 1"]);
}

const OWN_TYPES: &str = "
    create type mood as enum ('ok', 'it''s', 'a, b', '\"q\"'); create schema other; create type other.mood as enum ('far');
    create type addr as (street text, no int, geo point);
    create domain d_int as int check (value > 0); create domain d_num as numeric(5, 2); create domain d_text as text check (value <> '');
    create domain d_again as d_int; create domain d_array as int[]; create domain d_mood as mood; create domain d_addr as addr;
    create extension citext;";

#[tokio::test(flavor = "multi_thread")]
async fn d17_arrays() {
    let types = [
        of!("int[]": "{}" => bson!([]), "{1,NULL,3}" => bson!([1, null, 3]), "{{1,2},{3,4}}" => bson!([[1, 2], [3, 4]]),
            "{{{1}},{{2}}}" => bson!([[[1]], [[2]]]), "[2:3]={1,NULL}" => bson!([1, null])),
        of!("text[]": "{\"\",NULL,\"NULL\",\"a,b\",\"c\\\"d\"}" => bson!(["", null, "NULL", "a,b", "c\"d"])),
        of!("numeric[]": "{NaN,1.10}" => bson!([decimal("NaN"), decimal("1.10")])),
        of!("timestamptz[]": "{2024-01-01 00:00+05:30,NULL}" => bson!([date("2023-12-31T18:30:00Z"), null])),
        of!("uuid[]": "{123e4567-e89b-12d3-a456-426614174000}" => bson!(["123e4567-e89b-12d3-a456-426614174000"])),
        of!("bytea[]": "{\"\\\\x00ff\",NULL}" => bson!([binary(&[0, 255]), null])),
        of!("jsonb[]": "{\"{\\\"a\\\": [1]}\",null,\"null\"}" => bson!([{"a": [1]}, null, null])),
        of!("citext[]": "{AbC}" => bson!(["AbC"])),
        of!("mood[]": "{ok,\"it's\",\"a, b\"}" => bson!(["ok", "it's", "a, b"])),
        of!("d_int[]": "{1,NULL}" => bson!([1, null])),
        of!("addr[]": "=array[row('s', 1, null)::addr, null]" => bson!([{"street": "s", "no": 1, "geo": null}, null])),
        of!("interval[]": "{1 day}" => bson!(["P1D"])),
    ];
    let job = check(OWN_TYPES, &types).await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
    assert_eq!(
        issues(&job, EventType::Warning),
        ["array_lower_bound_dropped public.t0 v 1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn d18_d19_d20_enums_domains_and_composites() {
    let at = |x: f64| doc! {"type": "Point", "coordinates": [x, 2.0]};
    let types = [
        of!("mood": "ok" => "ok", "it's" => "it's", "a, b" => "a, b", "\"q\"" => "\"q\""),
        of!("other.mood": "far" => "far"),
        of!("d_int": "5" => 5),
        of!("d_num": "5" => decimal("5.00")),
        of!("d_text": "x" => "x"),
        of!("d_again": "7" => 7),
        of!("d_array": "{1,NULL}" => bson!([1, null])),
        of!("d_mood": "a, b" => "a, b"),
        of!("addr": "(\"a,b\",1,)" => doc! {"street": "a,b", "no": 1, "geo": null}, "(,,)" => doc! {"street": null, "no": null, "geo": null},
            "(\"\",0,\"(1,2)\")" => doc! {"street": "", "no": 0, "geo": at(1.0)}),
        of!("d_addr": "(x,,)" => doc! {"street": "x", "no": null, "geo": null}),
    ];
    clean(OWN_TYPES, &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d21_d26_d27_ranges_documents_and_geometry() {
    let at = |x: f64, y: f64| doc! {"type": "Point", "coordinates": [x, y]};
    let types = [
        of!("int4range": "[1,5)" => "[1,5)", "empty" => "empty", "(,)" => "(,)", "[1,5]" => "[1,6)"),
        of!("tstzrange": "[2020-01-01 00:00+00,infinity)" => "[\"2020-01-01 00:00:00+00\",infinity)",
            "[2020-01-01 00:00+00,)" => "[\"2020-01-01 00:00:00+00\",)"),
        of!("daterange": "[2020-01-31,2020-02-29)" => "[2020-01-31,2020-02-29)"),
        of!("numrange": "(1.10,2]" => "(1.10,2]"),
        of!("int4multirange": "{[1,2),[5,6)}" => "{[1,2),[5,6)}", "{}" => "{}"),
        of!("xml": "<a b=\"1\"/>" => "<a b=\"1\"/>", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>é</a>" => "<a>é</a>"),
        of!("tsvector": "'a':1A 'fat cat':2" => "'a':1A 'fat cat':2", "" => ""),
        of!("tsquery": "'a' & 'b'" => "'a' & 'b'", "'a' <2> !'b':*A" => "'a' <2> !'b':*A"),
        of!("point": "(1,2)" => at(1.0, 2.0), "(-0.1,1e300)" => at(-0.1, 1e300)),
        of!("line": "{1,-1,2.5}" => "{1,-1,2.5}"),
        of!("lseg": "[(0,0),(1,1.5)]" => "[(0,0),(1,1.5)]"),
        of!("box": "(2,2),(1,1)" => "(2,2),(1,1)"),
        of!("path": "[(0,0),(1,1)]" => "[(0,0),(1,1)]", "((0,0),(1,1))" => "((0,0),(1,1))"),
        of!("polygon": "((0,0),(1,1),(2,0))" => "((0,0),(1,1),(2,0))"),
        of!("circle": "<(1,2),3>" => "<(1,2),3>"),
    ];
    clean("", &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d25_d28_extensions_and_types_of_the_catalog() {
    let setup = "create schema ext; create extension hstore schema ext; create extension citext schema ext; create extension ltree schema ext;
        create type own; create function own_in(cstring) returns own language internal immutable strict as 'textin';
        create function own_out(own) returns cstring language internal immutable strict as 'textout';
        create type own (input = own_in, output = own_out, like = text);";
    let types = [
        of!("ext.hstore": "a=>1, b=>NULL" => doc! {"a": "1", "b": null}, "" => doc! {},
            "\"x.y\"=>1, \"$k\"=>2, \"q\\\"t\"=>\"\"" => doc! {"$k": "2", "q\"t": "", "x.y": "1"}),
        of!("ext.citext": "AbC" => "AbC"),
        of!("ext.ltree": "a.b" => "a.b", "" => ""),
        of!("pg_lsn": "16/B374D848" => "16/B374D848"),
        of!("regclass": "pg_class" => "pg_class"),
        of!("regtype": "int4" => "integer"),
        of!("xid": "5" => "5"),
        of!("tid": "(0,1)" => "(0,1)"),
        of!("jsonpath": "$.a[*] ? (@ > 1)" => "$.\"a\"[*]?(@ > 1)"),
        of!("own": "any text" => "any text"),
        of!("own[]": "{a,NULL,\"b c\"}" => bson!(["a", null, "b c"])),
    ];
    clean(setup, &types).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d29_types_of_keys() {
    let setup = "create type mood as enum ('ok', 'bad'); create collation caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";
    let keys = [
        ("numeric", "1.10", decimal("1.10")),
        ("timestamptz", "2024-01-01 00:00+00", date("2024-01-01T00:00:00Z")),
        ("text collate caseless", "AbC", "AbC".into()),
        ("mood", "bad", "bad".into()),
        (
            "uuid",
            "123e4567-e89b-12d3-a456-426614174000",
            "123e4567-e89b-12d3-a456-426614174000".into(),
        ),
        ("bytea", "\\x00ff", binary(&[0, 255])),
        ("float8", "NaN", f64::NAN.into()),
        ("date", "2024-02-29", date("2024-02-29T00:00:00Z")),
        ("inet", "10.0.0.1", "10.0.0.1".into()),
        ("bit(3)", "101", "101".into()),
    ];
    let mut sql = setup.to_owned();
    let mut mapping = spec([]);
    let mut rules = Vec::new();
    for (n, (name, text, _)) in keys.iter().enumerate() {
        sql += &format!("create table p{n}(k {name} primary key, v int); create table c{n}(id int primary key, k {name} references p{n});
            insert into p{n} values ('{text}', {n}); insert into c{n} values (1, '{text}'), (2, null);");
        rules.push(
            coll(&format!("p{n}"), &format!("p{n}"), "v")
                .embed([array("cs", &format!("c{n}"), "id")])
                .json(),
        );
    }
    mapping["collections"] = rules.into();
    let m = migrated(&(sql + HOSTILE), mapping).await;
    for (n, (_, _, id)) in keys.iter().enumerate() {
        m.expect(&format!("p{n}"), &[doc! {"_id": id, "v": n as i32, "cs": [{"id": 1}]}])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d29_keys_that_lose_digits_do_not_share_a_document_silently() {
    let rules = |n: i32| coll(&format!("t{n}"), &format!("t{n}"), "v");
    let m = Migration::new(
        "create table t0(k date primary key, v int); insert into t0 values ('infinity', 1), ('-infinity', 2);
         create table t1(k timestamp primary key, v int); insert into t1 values ('2024-01-01 00:00:00.000001', 1), ('2024-01-01 00:00:00.000002', 2);
         create table t2(k numeric primary key, v int); insert into t2 values (1.00000000000000000000000000000000001, 1), (1.00000000000000000000000000000000002, 2);
         create table t3(a int, k date, v int, primary key (a, k)); insert into t3 values (1, 'infinity', 1), (1, '-infinity', 2)",
        spec([rules(0), rules(1), rules(2), rules(3)]),
    )
    .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    let errors = issues(&job, EventType::Error);
    for n in 0..4 {
        assert!(
            errors.contains(&format!("duplicate_id public.t{n} - 1")),
            "t{n}: {errors:?}"
        );
        let found = documents(&m.target.database, &format!("t{n}")).await;
        assert_eq!(
            found.iter().map(|d| d.get_i32("v").expect("v")).collect::<Vec<_>>(),
            [1]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d29_a_key_that_is_spelled_differently_stays_one_document() {
    let m = migrated(
        "create table s(k numeric primary key, v int); insert into s values (1.0, 1);
         create table g(k numeric primary key, v int); insert into g values (1.0, 1)",
        spec([coll("s", "s", "v"), coll("g", "g", "v").with("key", "GENERATED")]),
    )
    .await;
    let first = documents(&m.target.database, "g").await;
    m.source
        .run("update s set k = 1.000, v = 2; update g set k = 1.000, v = 2")
        .await;
    crate::common::again(&m).await;
    assert_eq!(without_ids(&m.target.database, "s").await, [doc! {"v": 2}]);
    m.expect("g", &[doc! {"_id": first[0].get("_id"), "v": 2}]).await;
}
