//! Texts that a migration prints itself are the server's own: random values of every type, alone, in arrays, composites,
//! ranges and multiranges, compared with what the server prints. A failing value is shown with its seed.
//!
//! `GODWIT_VALUE_ROWS` and `GODWIT_VALUE_SEED` ask for more rows, or others.

use crate::common::{assert_completed, coll, issues, spec};
use bson::{Bson, Document};
use godwit_shared::job::EventType;
use godwit_tests::docs::documents;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PrivatePostgres, servers};
use godwit_tests::writers::Numbers;
use serde_json::json;
use std::fmt::Write;

const ROWS: u64 = 120;
const SEED: u64 = 11;
/// One in so many values is NULL.
const NULLS: u64 = 9;

/// A type with a way to make SQL of random values of it.
struct Kind {
    name: &'static str,
    sql: &'static str,
    value: fn(&mut Numbers) -> String,
    /// A range of it can be made.
    has_range: bool,
    /// What the field holds where it asks for nothing else is the text of the value.
    is_string: bool,
}

const fn kind(name: &'static str, sql: &'static str, value: fn(&mut Numbers) -> String) -> Kind {
    Kind {
        name,
        sql,
        value,
        has_range: false,
        is_string: false,
    }
}

impl Kind {
    const fn ranged(self) -> Kind {
        Kind {
            has_range: true,
            ..self
        }
    }

    const fn string(self) -> Kind {
        Kind {
            is_string: true,
            ..self
        }
    }
}

const KINDS: &[Kind] = &[
    kind("bool", "bool", |r| (r.up_to(2) == 1).to_string()),
    kind("int2", "int2", |r| {
        (r.up_to(65_536) as i64 - 32_769).max(-32_768).to_string()
    }),
    kind("int4", "int4", |r| bits(r, 32).to_string()).ranged(),
    kind("int8", "int8", |r| format!("'{}'::int8", bits(r, 64))).ranged(),
    kind("oid", "oid", |r| r.up_to(u64::from(u32::MAX)).to_string()),
    kind("float4", "float4", |r| format!("'{}'::float4", float(r, 38))).ranged(),
    kind("float8", "float8", |r| format!("'{}'::float8", float(r, 300))).ranged(),
    kind("num", "numeric", |r| format!("'{}'::numeric", numeric(r))).ranged(),
    kind("money", "money", |r| {
        format!("('{}'::numeric / 100)::money", bits(r, 58))
    })
    .ranged(),
    kind("text", "text", text).ranged().string(),
    kind("varchar", "varchar", text).ranged().string(),
    kind("bpchar", "char(9)", |r| format!("left({}, 9)", text(r))).string(),
    kind("name", "name", text).string(),
    kind("citext", "citext", text).string(),
    kind("chr", "\"char\"", |r| format!("chr({})::\"char\"", r.up_to(127))).string(),
    kind("lbl", "label", |r| {
        pick(r, &["'a b'", "'NULL'", "'x,\"y\\'", "'ü'", "'plain'"]).to_owned() + "::label"
    })
    .string(),
    kind("short", "short", |r| format!("left({}, 12)", text(r))).string(),
    kind("bytea", "bytea", |r| format!("decode('{}', 'hex')", hex(r))).ranged(),
    kind("date", "date", date).ranged(),
    kind("ts", "timestamp", |r| timestamp(r, "timestamp")).ranged(),
    kind("tstz", "timestamptz", |r| timestamp(r, "timestamptz")).ranged(),
    kind("time", "time", time).ranged().string(),
    kind("timetz", "timetz", |r| {
        format!("({} || '{}')::timetz", clock(r), zone(r))
    })
    .ranged()
    .string(),
    kind("interval", "interval", interval).ranged().string(),
    kind("uuid", "uuid", |r| format!("md5('{}')::uuid", r.up_to(1 << 40)))
        .ranged()
        .string(),
    kind("inet", "inet", |r| format!("'{}'::inet", address(r)))
        .ranged()
        .string(),
    kind("cidr", "cidr", |r| format!("network('{}'::inet)", address(r))).string(),
    kind("mac", "macaddr", |r| format!("'{}'::macaddr", bytes_of(r, 6, ":")))
        .ranged()
        .string(),
    kind("mac8", "macaddr8", |r| format!("'{}'::macaddr8", bytes_of(r, 8, ":")))
        .ranged()
        .string(),
    kind("bits", "varbit", |r| format!("B'{}'", zeros_and_ones(r, 20)))
        .ranged()
        .string(),
    kind("bit5", "bit(5)", |r| format!("B'{:05b}'", r.up_to(32) - 1)).string(),
    kind("lsn", "pg_lsn", |r| {
        format!("'{:X}/{:X}'::pg_lsn", r.up_to(1 << 20), r.up_to(1 << 32) - 1)
    })
    .ranged()
    .string(),
    kind("xid", "xid", |r| format!("'{}'::xid", r.up_to(1 << 32) - 1)).string(),
    kind("cid", "cid", |r| format!("'{}'::cid", r.up_to(1 << 32) - 1)).string(),
    kind("xid8", "xid8", |r| format!("'{}'::xid8", r.up_to(u64::MAX)))
        .ranged()
        .string(),
    kind("tid", "tid", |r| {
        format!("'({},{})'::tid", r.up_to(1 << 32) - 1, r.up_to(60_000))
    })
    .string(),
    kind("vec2", "int2vector", |r| {
        format!("'{} {} -7'::int2vector", r.up_to(99), r.up_to(9))
    }),
    kind("veco", "oidvector", |r| {
        format!("'{} {}'::oidvector", r.up_to(99), r.up_to(1 << 32) - 1)
    }),
    kind("tsv", "tsvector", tsvector).string(),
    kind("tsq", "tsquery", |r| format!("{}::tsquery", literal(&tsquery(r, 0)))).string(),
    kind("path_", "jsonpath", |r| {
        format!("'$.a[{}] ? (@.b > {})'::jsonpath", r.up_to(9), r.up_to(99))
    })
    .string(),
    kind("tree", "ltree", |r| format!("'a.b{}.c'::ltree", r.up_to(999)))
        .ranged()
        .string(),
    kind("lquery", "lquery", |r| format!("'a.*{{{}}}.b|c'::lquery", r.up_to(9))).string(),
    kind("hs", "hstore", |r| {
        format!("hstore(array[{}, {}], array[{}, null])", text(r), text(r), text(r))
    }),
    kind("js", "json", |r| {
        format!("json_build_object({}, {}, 'n', {})", text(r), text(r), r.up_to(9))
    }),
    kind("jsb", "jsonb", |r| {
        format!("jsonb_build_array({}, {}, null, 1.50)", text(r), r.up_to(1 << 40))
    }),
    kind("xml", "xml", |r| format!("xmlelement(name a, {})", printable(r))).string(),
    kind("point", "point", |r| format!("point({}, {})", small(r), small(r))),
    kind("line", "line", |r| {
        format!("line(point({}, 1), point(2.5, {}))", small(r), r.up_to(99))
    })
    .string(),
    kind("seg", "lseg", |r| {
        format!("lseg(point({}, {}), point({}, 0.1))", small(r), small(r), small(r))
    })
    .string(),
    kind("box", "box", |r| {
        format!("box(point({}, {}), point({}, 0.1))", small(r), small(r), small(r))
    })
    .string(),
    kind("pathg", "path", |r| {
        format!("'{}'::path", pick(r, &["[(1,2),(3.5,4)]", "((0,0),(1e23,-0),(5,6))"]))
    })
    .string(),
    kind("poly", "polygon", |r| {
        format!(
            "'((1,2),({},4),(5,6))'::polygon",
            pick(r, &["1e23", "-0", "NaN", "0.1", "2.5e-7"])
        )
    })
    .string(),
    kind("circle", "circle", |r| {
        format!("circle(point({}, {}), {})", small(r), small(r), r.up_to(99))
    })
    .string(),
    kind("regt", "regtype", |r| {
        pick(r, &["'int4'", "'timestamptz'", "'label'", "'\"char\"'"]).to_owned() + "::regtype"
    })
    .string(),
    kind("snap", "pg_snapshot", |r| {
        format!("'{0}:{1}:{0}'::pg_snapshot", r.up_to(99), r.up_to(99) + 100)
    })
    .string(),
];

fn bits(r: &mut Numbers, count: u32) -> i64 {
    // Short ones as often as long ones.
    let used = r.up_to(u64::from(count)) as u32;
    let size = (r.up_to(u64::MAX) >> (64 - used)) as i64;
    let value = if r.up_to(2) == 1 { size } else { size.wrapping_neg() };
    let most = if count == 64 { i64::MAX } else { (1 << (count - 1)) - 1 };
    value.clamp(-most, most)
}

fn float(r: &mut Numbers, exponent: i64) -> String {
    match r.up_to(12) {
        1 => pick(
            r,
            &[
                "NaN",
                "Infinity",
                "-Infinity",
                "0",
                "-0",
                "1e23",
                "1e15",
                "1e-5",
                "0.0001",
            ],
        )
        .into(),
        2..=5 => format!("{}e{}", r.up_to(999), r.up_to(60) as i64 - 30),
        6..=8 => format!("-{}.{}", r.up_to(1 << 20), r.up_to(1 << 20)),
        _ => format!(
            "{}e{}",
            bits(r, 64),
            r.up_to(2 * (exponent - 20) as u64) as i64 - (exponent - 20)
        ),
    }
}

fn small(r: &mut Numbers) -> String {
    let text = pick(
        r,
        &[
            "0",
            "'-0'::float8",
            "1e23::float8",
            "'NaN'::float8",
            "0.1",
            "-2.5",
            "1e-7",
            "'Infinity'::float8",
        ],
    );
    match r.up_to(3) {
        1 => text.into(),
        _ => format!("{}.{}", bits(r, 30), r.up_to(999)),
    }
}

fn numeric(r: &mut Numbers) -> String {
    let digits =
        |r: &mut Numbers, most: u64| (0..r.up_to(most)).fold(String::new(), |s, _| s + &(r.up_to(10) - 1).to_string());
    match r.up_to(9) {
        1 => pick(r, &["NaN", "Infinity", "-Infinity", "0", "0.000", "1e40", "-1e-30"]).into(),
        2..=4 => format!("-{}.{}", digits(r, 20), digits(r, 30)),
        5 => format!("0.{}{}", "0".repeat(r.up_to(30) as usize), digits(r, 9)),
        _ => format!("{}.{}", digits(r, 9), digits(r, 4)),
    }
}

fn pick<'a>(r: &mut Numbers, choices: &[&'a str]) -> &'a str {
    choices[r.up_to(choices.len() as u64) as usize - 1]
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const PARTS: [&str; 33] = [
    "a", "B", "ß", "é", "日", "0", "9", " ", "\t", "\n", "\r", "\u{b}", "\u{c}", "\u{a0}", "\u{85}", "\u{2003}",
    "\u{3000}", "\u{feff}", "\"", "\\", "'", ",", ";", ":", "{", "}", "(", ")", "[", "]", "NULL", "null", "\u{1}",
];

fn characters(r: &mut Numbers) -> String {
    match r.up_to(8) {
        1 => pick(r, &["", "NULL", "nUlL", " ", "{}", "()", "\"\"", "\\"]).into(),
        _ => (0..r.up_to(9)).map(|_| pick(r, &PARTS)).collect(),
    }
}

fn text(r: &mut Numbers) -> String {
    literal(&characters(r))
}

fn printable(r: &mut Numbers) -> String {
    literal(
        &characters(r)
            .replace('\u{1}', "")
            .replace(['\u{b}', '\u{c}', '\u{feff}', '\r'], "<&>"),
    )
}

fn hex(r: &mut Numbers) -> String {
    (1..r.up_to(9)).fold(String::new(), |mut out, _| {
        let _ = write!(out, "{:02x}", r.up_to(256) - 1);
        out
    })
}

fn date(r: &mut Numbers) -> String {
    match r.up_to(9) {
        1 => {
            pick(
                r,
                &[
                    "'infinity'",
                    "'-infinity'",
                    "'0001-01-01 BC'",
                    "'4713-01-01 BC'",
                    "'5874897-12-31'",
                ],
            )
            .to_owned()
                + "::date"
        }
        _ => format!("date '2000-01-01' + {}", bits(r, 22)).replace("+ -", "- "),
    }
}

fn timestamp(r: &mut Numbers, kind: &str) -> String {
    match r.up_to(9) {
        1 => {
            pick(
                r,
                &[
                    "'infinity'",
                    "'-infinity'",
                    "'0044-03-15 12:00:00.5 BC'",
                    "'294276-12-31 23:59:59.999999'",
                ],
            )
            .to_owned()
                + "::"
                + kind
        }
        _ => format!("{kind} '2000-01-01' + {} * interval '1 us'", bits(r, 57)),
    }
}

fn clock(r: &mut Numbers) -> String {
    let second = r.up_to(86_400) - 1;
    let fraction = pick(r, &["", ".5", ".000001", ".123456", ".12"]);
    let text = format!(
        "'{:02}:{:02}:{:02}{fraction}'",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    if r.up_to(20) == 1 { "'24:00:00'".into() } else { text }
}

fn time(r: &mut Numbers) -> String {
    clock(r) + "::time"
}

fn zone(r: &mut Numbers) -> String {
    let sign = pick(r, &["+", "-"]);
    let (h, m, s) = (r.up_to(16) - 1, r.up_to(60) - 1, r.up_to(60) - 1);
    match r.up_to(3) {
        1 => format!("{sign}{h:02}"),
        2 => format!("{sign}{h:02}:{m:02}"),
        _ => format!("{sign}{h:02}:{m:02}:{s:02}"),
    }
}

fn interval(r: &mut Numbers) -> String {
    match r.up_to(12) {
        1 => "'178956970 years 7 mons 2147483647 days 2562047788:00:54.775807'::interval".into(),
        2 => "'-178956970 years -8 mons -2147483648 days'::interval".into(),
        _ => {
            let part = |r: &mut Numbers, count: u32| if r.up_to(3) == 1 { 0 } else { bits(r, count) };
            let (months, days, micros) = (part(r, 20), part(r, 20), part(r, 50));
            format!("make_interval(months => {months}, days => {days}) + {micros} * interval '1 us'")
        }
    }
}

fn address(r: &mut Numbers) -> String {
    if r.up_to(2) == 1 {
        let mask = if r.up_to(2) == 1 {
            String::new()
        } else {
            format!("/{}", r.up_to(33) - 1)
        };
        let mut byte = || r.up_to(256) - 1;
        return format!("{}.{}.{}.{}{mask}", byte(), byte(), byte(), byte());
    }
    let words: Vec<String> = (0..8)
        .map(|_| match r.up_to(3) {
            1 | 2 => "0".to_owned(),
            _ if r.up_to(4) == 1 => "ffff".into(),
            _ => format!("{:x}", r.up_to(65_536) - 1),
        })
        .collect();
    let mask = if r.up_to(2) == 1 {
        String::new()
    } else {
        format!("/{}", r.up_to(129) - 1)
    };
    let special = [
        "::1.2.3.4",
        "::ffff:10.0.0.1",
        "::",
        "::1",
        "1::",
        "0:0:0:0:0:ffff:0:0",
        "::0.1.0.0",
    ];
    if r.up_to(4) == 1 {
        pick(r, &special).to_owned() + &mask
    } else {
        words.join(":") + &mask
    }
}

fn bytes_of(r: &mut Numbers, count: usize, separator: &str) -> String {
    let bytes: Vec<String> = (0..count).map(|_| format!("{:02x}", r.up_to(256) - 1)).collect();
    bytes.join(separator)
}

fn zeros_and_ones(r: &mut Numbers, most: u64) -> String {
    (1..r.up_to(most))
        .map(|_| if r.up_to(2) == 1 { '0' } else { '1' })
        .collect()
}

/// A lexeme in the quotes that these types have of their own.
fn lexeme(r: &mut Numbers) -> String {
    let text = pick(r, &["a", "it's", "back\\slash", "two words", "ü", "x:y", "&|!"]);
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn tsvector(r: &mut Numbers) -> String {
    let parts: Vec<String> = (0..r.up_to(4))
        .map(|_| lexeme(r) + pick(r, &["", ":1", ":3A,7", ":2B,9C,16000"]))
        .collect();
    format!("{}::tsvector", literal(&parts.join(" ")))
}

fn tsquery(r: &mut Numbers, depth: u32) -> String {
    if depth > 3 || r.up_to(3) == 1 {
        return lexeme(r) + pick(r, &["", "", ":A", ":*", ":*BD"]);
    }
    let (left, right) = (tsquery(r, depth + 1), tsquery(r, depth + 1));
    match r.up_to(5) {
        1 => format!("!({left})"),
        2 => format!("({left}) & ({right})"),
        3 => format!("({left}) | ({right})"),
        4 => format!("({left}) <-> ({right})"),
        _ => format!("({left}) <{}> ({right})", r.up_to(5)),
    }
}

/// A value or NULL.
fn value(r: &mut Numbers, kind: &Kind) -> String {
    if r.up_to(NULLS) == 1 {
        "null".into()
    } else {
        (kind.value)(r)
    }
}

fn array(r: &mut Numbers, kind: &Kind) -> String {
    let row = |r: &mut Numbers| {
        let items: Vec<String> = (0..2).map(|_| value(r, kind)).collect();
        format!("array[{}]::{}[]", items.join(", "), kind.sql)
    };
    match r.up_to(9) {
        1 => "'{}'".into(),
        2 => "null".into(),
        3 | 4 => format!("array[{}, {}]", row(r), row(r)),
        5 => format!("('[{}:{}]=' || {}::text)::{}[]", 5, 6, row(r), kind.sql),
        _ => row(r),
    }
}

fn range(r: &mut Numbers, kind: &Kind) -> String {
    let (a, b) = (format!("({})", value(r, kind)), format!("({})", value(r, kind)));
    let bounds = pick(r, &["[)", "[]", "()", "(]"]);
    // With a NULL on one side the other bound is the only one.
    format!(
        "r_{0}(least({a}::{1}, {b}::{1}), case when num_nulls({a}, {b}) = 0 then greatest({a}::{1}, {b}::{1}) end, '{bounds}')",
        kind.name, kind.sql
    )
}

fn ranged() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|k| k.has_range)
}

/// Without the two that cannot be part of a composite type here: their own is read as text.
fn parts() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|k| !matches!(k.name, "regt" | "snap"))
}

fn schema() -> String {
    let mut sql = String::from(
        "create extension citext; create extension hstore; create extension ltree;
         create type label as enum ('a b', 'NULL', 'x,\"y\\', 'ü', 'plain'); create domain short as varchar(12);",
    );
    for kind in ranged() {
        let _ = write!(
            sql,
            "create type r_{0} as range (subtype = {1}, multirange_type_name = m_{0});",
            kind.name, kind.sql
        );
    }
    let of = |kinds: &mut dyn Iterator<Item = &'static Kind>, prefix: &str, suffix: &str| {
        let columns: Vec<String> = kinds.map(|k| format!("{prefix}{} {}{suffix}", k.name, k.sql)).collect();
        columns.join(", ")
    };
    let _ = write!(sql, "create type parts as ({});", of(&mut parts(), "", ""));
    let _ = write!(sql, "create type part_arrays as ({});", of(&mut parts(), "", "[]"));
    let ranges: Vec<String> = ranged()
        .map(|k| format!("r_{0} r_{0}, m_{0} m_{0}, ra_{0} r_{0}[]", k.name))
        .collect();
    let _ = write!(
        sql,
        "create table v(id int primary key, {}, {}, {}, c_one parts, c_all parts[], c_arrays part_arrays, c_deep record_holder)",
        of(&mut KINDS.iter(), "s_", ""),
        of(&mut KINDS.iter(), "a_", "[]"),
        ranges.join(", "),
    );
    sql.replace(
        "create table v(",
        "create type record_holder as (p parts, r r_text, m m_inet, b box[], d date[]); create table v(",
    )
}

fn row(r: &mut Numbers, id: u64) -> String {
    let mut values = vec![id.to_string()];
    values.extend(KINDS.iter().map(|k| value(r, k)));
    values.extend(KINDS.iter().map(|k| array(r, k)));
    for kind in ranged() {
        values.push(range(r, kind));
        values.push(format!("m_{}({}, {})", kind.name, range(r, kind), range(r, kind)));
        values.push(format!("array[{}, null]::r_{}[]", range(r, kind), kind.name));
    }
    let composite = |r: &mut Numbers| {
        let fields: Vec<String> = parts().map(|k| format!("({})::{}", value(r, k), k.sql)).collect();
        format!("row({})::parts", fields.join(", "))
    };
    values.push(composite(r));
    values.push(format!("array[{}, null]", composite(r)));
    let arrays: Vec<String> = parts().map(|k| array(r, k)).collect();
    values.push(format!("row({})::part_arrays", arrays.join(", ")));
    let by_name = |name: &str| KINDS.iter().find(|k| k.name == name).expect("a kind");
    values.push(format!(
        "row({}, {}, m_inet({}), {}, {})::record_holder",
        composite(r),
        range(r, by_name("text")),
        range(r, by_name("inet")),
        array(r, by_name("box")),
        array(r, by_name("date"))
    ));
    format!("insert into v values ({})", values.join(", "))
}

/// A number from outside of the tests.
fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(otherwise)
}

const PRINTED: &str =
    "set intervalstyle = 'iso_8601'; set datestyle = 'ISO, YMD'; set timezone = 'UTC'; set bytea_output = 'hex'";

/// Migrates random values and compares every text with the server's.
async fn compare(source: Database, seed: u64, rows: u64) {
    let mut numbers = Numbers(seed);
    let sql = source.connect().await;
    for id in 1..=rows {
        let insert = row(&mut numbers, id);
        if let Err(error) = sql.batch_execute(&insert).await {
            panic!("seed {seed}, row {id}: {error:?}\n{insert}");
        }
    }
    let names = sql
        .query(
            "select attname::text from pg_attribute where attrelid = 'v'::regclass and attnum > 1 order by attnum",
            &[],
        )
        .await
        .expect("the columns");
    // A boolean alone is not printed but named.
    let names: Vec<String> = names.iter().map(|r| r.get(0)).filter(|n| n != "s_bool").collect();
    let types: serde_json::Map<String, serde_json::Value> =
        names.iter().map(|n| (n.clone(), json!("STRING"))).collect();
    let mapping = spec([coll("texts", "v", "*").with("types", types), coll("values", "v", "*")]);
    let m = Migration::of(source, mapping).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    let of_texts = |line: &&String| line.contains(" texts") || line.contains("public.v");
    let errors = issues(&job, EventType::Error);
    let told: Vec<&String> = errors.iter().filter(of_texts).collect();
    // Infinite times have no place among BSON's dates; as texts they do.
    assert!(
        told.iter().all(|line| line.contains("value_not_convertible")),
        "{told:?}"
    );

    let sql = m.source.connect().await;
    sql.batch_execute(PRINTED).await.expect("the settings");
    let printed = |name: &str| format!("case when num_nulls(\"{name}\") = 0 then format('%s', \"{name}\") end");
    let columns: Vec<String> = names.iter().map(|n| printed(n)).collect();
    let texts = sql
        .query(&format!("select {} from v order by id", columns.join(", ")), &[])
        .await
        .expect("the texts");
    let found = by_id(&m, "texts").await;
    assert_eq!(found.len() as u64, rows);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (document, row) in found.iter().zip(&texts) {
        for (place, name) in names.iter().enumerate() {
            let expected: Option<&str> = row.get(place);
            count += 1;
            if document.get(name) != Some(&expected.map_or(Bson::Null, |t| Bson::String(t.into()))) {
                let id = &document["_id"];
                wrong.push(format!("{name} of {id}: {:?}, not {expected:?}", document.get(name)));
            }
        }
    }
    wrong.extend(unlike_strings(&m, &sql).await);
    wrong.truncate(20);
    assert_eq!(wrong, [""; 0], "seed {seed}: of {count} texts");
}

/// The documents of a collection in the order of their numbers, as the source sorts its rows.
async fn by_id(m: &Migration, collection: &str) -> Vec<Document> {
    let mut found = documents(&m.target.database, collection).await;
    found.sort_by_key(|document| document.get_i32("_id").expect("a number"));
    found
}

/// What is a string without being asked for one: alone, as an element of an array, as a member of a composite.
async fn unlike_strings(m: &Migration, sql: &tokio_postgres::Client) -> Vec<String> {
    let found = by_id(m, "values").await;
    let mut wrong = Vec::new();
    for kind in KINDS.iter().filter(|k| k.is_string) {
        let name = kind.name;
        let member = if parts().any(|k| k.name == name) {
            format!("case when num_nulls((c_one).{name}) = 0 then format('%s', (c_one).{name}) end")
        } else {
            "null".into()
        };
        let rows = sql
            .query(
                &format!(
                    "select case when num_nulls(s_{name}) = 0 then format('%s', s_{name}) end,
                            array(select case when num_nulls(e) = 0 then format('%s', e) end
                                  from unnest(a_{name}) with ordinality u(e, n) order by n), {member}::text
                     from v order by id"
                ),
                &[],
            )
            .await
            .unwrap_or_else(|e| panic!("{name}: {e:?}"));
        for (document, row) in found.iter().zip(&rows) {
            let expected = |t: Option<String>| t.map_or(Bson::Null, Bson::String);
            let elements: Vec<Option<String>> = row.get(1);
            let alone = (document.get(format!("s_{name}")).cloned(), expected(row.get(0)));
            let mut flat = Vec::new();
            flatten(&document[&format!("a_{name}")], &mut flat);
            let in_array = (
                Some(Bson::Array(flat)),
                Bson::Array(elements.into_iter().map(expected).collect()),
            );
            let mut pairs = vec![alone, in_array];
            if parts().any(|k| k.name == name)
                && let Ok(composite) = document.get_document("c_one")
            {
                pairs.push((composite.get(name).cloned(), expected(row.get(2))));
            }
            for (is, should) in pairs {
                if is.as_ref() != Some(&should) {
                    wrong.push(format!(
                        "{name} of {} as a value: {is:?}, not {should:?}",
                        document["_id"]
                    ));
                }
            }
        }
    }
    wrong
}

/// The elements of an array of any dimensions; of no array none.
fn flatten(value: &Bson, out: &mut Vec<Bson>) {
    let Bson::Array(items) = value else { return };
    for item in items {
        match item {
            Bson::Array(_) => flatten(item, out),
            other => out.push(other.clone()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_the_servers_own() {
    let source = servers().await.postgres.database("values", &schema()).await;
    compare(
        source,
        asked("GODWIT_VALUE_SEED", SEED),
        asked("GODWIT_VALUE_ROWS", ROWS),
    )
    .await;
}

/// Separators of several bytes, signs behind, no digits after the point, three of them, a point that is a comma.
#[tokio::test(flavor = "multi_thread")]
async fn texts_are_the_servers_own_in_other_locales() {
    let names = ["de_DE", "ja_JP", "fr_FR", "de_CH", "ar_KW", "en_IN", "sv_SE"];
    let server = PrivatePostgres::start_with_locales(&names).await;
    for (place, name) in names.iter().enumerate() {
        let source = server.database("values", &schema()).await;
        source
            .run(&format!(
                "alter database \"{0}\" set lc_monetary = '{name}.UTF-8'; alter database \"{0}\" set lc_numeric = '{name}.UTF-8';
                 alter database \"{0}\" set lc_time = '{name}.UTF-8'",
                source.name
            ))
            .await;
        compare(source, SEED + place as u64, asked("GODWIT_VALUE_ROWS", ROWS) / 6).await;
    }
}

/// The digits of an amount and its text depend on the locale: keys that are looked up by their text find their rows.
#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_keys_in_any_locale() {
    let server = PrivatePostgres::start_with_locales(&["de_DE", "ja_JP"]).await;
    for name in ["de_DE", "ja_JP"] {
        let source = server.database("values", "select").await;
        source
            .run(&format!(
                "alter database \"{}\" set lc_monetary = '{name}.UTF-8'",
                source.name
            ))
            .await;
        source
            .run(
                "create table p(id money primary key, n text);
                 create table c(id int primary key, p_id money references p);
                 insert into p select (i * 1234.56)::numeric::money, i from generate_series(1, 50) i;
                 insert into c select i, (i * 1234.56)::numeric::money from generate_series(1, 50) i",
            )
            .await;
        let m = Migration::of(
            source,
            spec([coll("ps", "p", "n").embed([crate::common::array("cs", "c", "id")])]),
        )
        .await;
        m.complete().await;
        let found = documents(&m.target.database, "ps").await;
        let with_child = found.iter().filter(|d| d.get_array("cs").is_ok_and(|c| c.len() == 1));
        assert_eq!((found.len(), with_child.count()), (50, 50), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_has_lost_nothing_and_nothing_is_told() {
    let source = servers()
        .await
        .postgres
        .database(
            "values",
            "create table t(id int primary key, at timestamp, tz timestamptz, d date, n numeric, small numeric, a int[], r tsrange);
             insert into t values (1, '2020-01-01 00:00:00.123456', 'infinity', '-infinity', repeat('7', 60)::numeric, '1e-7000', '[3:4]={1,2}',
                '[2020-01-01 00:00:00.000001,]')",
        )
        .await;
    let types = json!({"at": "STRING", "tz": "STRING", "d": "STRING", "n": "STRING", "small": "STRING", "a": "STRING"});
    let m = Migration::of(source, spec([coll("ts", "t", "*").with("types", types)])).await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
    assert_eq!(issues(&job, EventType::Warning), [""; 0]);
    let document = &documents(&m.target.database, "ts").await[0];
    assert_eq!(document.get_str("at").ok(), Some("2020-01-01 00:00:00.123456"));
    assert_eq!(document.get_str("tz").ok(), Some("infinity"));
    assert_eq!(document.get_str("d").ok(), Some("-infinity"));
    assert_eq!(document.get_str("n").map(str::len).ok(), Some(60));
    assert_eq!(document.get_str("a").ok(), Some("[3:4]={1,2}"));
    // The same columns as times and numbers are told of.
    let m = Migration::of(m.source, spec([coll("ts", "t", "*")])).await;
    let job = m.run(&m.job()).await;
    assert!(issues(&job, EventType::Warning).len() >= 3, "{:#?}", job.job_updates);
    assert_eq!(issues(&job, EventType::Error).len(), 2, "{:#?}", job.job_updates);
}
