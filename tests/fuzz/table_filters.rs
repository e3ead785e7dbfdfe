//! What is accepted as a table filter, held against a real server: it has to be one boolean expression there, and to mean
//! what the text that the user wrote means there.
//!
//! Texts are made of the words of the language in any order, and of whole expressions without parentheses, where most of
//! what a parser can get wrong lies. A failing seed is printed.

use crate::harness::number_of;
use godwit::data::catalog::CatalogTable;
use godwit::source::postgres::PgSource;
use godwit::source::postgres::client::PgClient;
use godwit::source::postgres::filter::settle_text;
use godwit::source::postgres::schema::read_catalog;
use godwit::source::postgres::url::PgAddress;
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::schema::TableName;
use godwit_tests::servers::{Database, PASSWORD, SUPERUSER, servers};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TABLE: &str = "create table p(id int primary key, n int, m int, v text, w text, b bool, d date, at timestamptz, doc jsonb,
        tags text[], nums int[], r int4range, price numeric, f float8);
    insert into p select i, i % 5, nullif(i % 7, 3), 'v' || i % 4, case when i % 3 = 0 then null else 'w%' end, i % 2 = 0,
        date '2024-01-01' + i, timestamptz '2024-01-01 00:00+00' + i * interval '7 hours', jsonb_build_object('a', i % 3, 'b', array[i]),
        array['a', 'v' || i % 4], array[i % 3, i % 4], int4range(i % 4, 6), i / 4.0, i * 0.1 from generate_series(0, 40) i";

/// Splitmix64: enough for words.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const WORDS: &[&str] = &[
    "id",
    "n",
    "v",
    "w",
    "b",
    "d",
    "tags",
    "doc",
    "p.id",
    "t.n",
    "\"v\"",
    "\"id",
    "1",
    "2.5",
    ".5",
    "1e2",
    "-1",
    "'a'",
    "'it''s'",
    "'",
    "''",
    "E'\\'",
    "E'a\\'b'",
    "'\\'",
    "e'",
    "U&'a'",
    "$$",
    "$1",
    "B'1'",
    "X'f'",
    "name'a'",
    "date'2024-01-02'",
    "date",
    "null",
    "true",
    "false",
    "and",
    "or",
    "not",
    "is",
    "is null",
    "is not null",
    "notnull",
    "isnull",
    "in",
    "(",
    ")",
    "((",
    "))",
    ",",
    "[",
    "]",
    "::",
    "::int",
    "::text",
    "::date",
    "::regclass",
    "between",
    "like",
    "ilike",
    "similar to",
    "escape",
    "case",
    "when",
    "then",
    "else",
    "end",
    "=",
    "<>",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "||",
    "->",
    "->>",
    "#>",
    "@>",
    "<@",
    "?",
    "&&",
    "~",
    "~*",
    "!~",
    "!",
    "@",
    "@@",
    "|/",
    "#",
    "&",
    "|",
    "<<",
    ">>",
    "==",
    "=-",
    "--",
    "-- x\n",
    "--\r",
    "/*",
    "*/",
    "\n",
    "\r\n",
    "\t",
    ";",
    "any(",
    "all(",
    "array[",
    "row(",
    "select",
    "from p",
    "union",
    "order by id",
    "limit 1",
    "collate \"C\"",
    "at time zone 'UTC'",
    "lower(",
    "coalesce(",
    "nullif(",
    "now()",
    "pg_sleep(0)",
    "count(*)",
    "exists(",
    "distinct from",
    "operator(pg_catalog.=)",
    "cast(",
    "as",
    "interval '1 day'",
    "extract(year from",
    ".",
    ":",
    "\\",
    "\u{a0}",
    "ü",
    "current_date",
    "overlaps",
    "@-",
    "<-1",
    "*-1",
];

fn words(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(12) {
        text.push_str(random.of(WORDS));
        if random.below(4) > 0 {
            text.push(' ');
        }
    }
    text
}

/// An expression of a kind of value, with few parentheses.
fn expression(random: &mut Random, kind: Kind, depth: usize) -> String {
    let leaf = depth == 0 || random.below(4) == 0;
    let sub = |random: &mut Random, kind| expression(random, kind, depth.saturating_sub(1));
    let text = match (kind, leaf) {
        (Kind::Bool, true) => random.of(&["b", "true", "b is null", "n > 2", "v = 'v1'"]).to_owned(),
        (Kind::Number, true) => random
            .of(&["n", "m", "id", "3", "-2", "price", "nums[1]", "2.5"])
            .to_owned(),
        (Kind::Text, true) => random
            .of(&["v", "w", "'v1'", "'%'", "tags[1]", "doc ->> 'a'"])
            .to_owned(),
        (Kind::Bool, false) => match random.below(16) {
            0 => format!("{} and {}", sub(random, Kind::Bool), sub(random, Kind::Bool)),
            1 => format!("{} or {}", sub(random, Kind::Bool), sub(random, Kind::Bool)),
            2 => format!("not {}", sub(random, Kind::Bool)),
            3 => format!(
                "{} {} {}",
                sub(random, Kind::Number),
                random.of(&["=", "<>", "!=", "<", ">=", "=-", "<-"]),
                sub(random, Kind::Number)
            ),
            4 => format!(
                "{} {} {}",
                sub(random, Kind::Text),
                random.of(&["=", "<", "like", "not like", "ilike", "~", "!~*", "~~"]),
                sub(random, Kind::Text)
            ),
            5 => format!(
                "{} {}",
                sub(random, Kind::Bool),
                random.of(&[
                    "is null",
                    "is not null",
                    "is true",
                    "is not false",
                    "is unknown",
                    "notnull"
                ])
            ),
            6 => format!(
                "{} {}between {} and {}",
                sub(random, Kind::Number),
                random.of(&["", "not "]),
                sub(random, Kind::Number),
                sub(random, Kind::Number)
            ),
            7 => format!(
                "{} {}in ({}, {})",
                sub(random, Kind::Number),
                random.of(&["", "not "]),
                sub(random, Kind::Number),
                sub(random, Kind::Number)
            ),
            8 => format!("{} in ('v1', {})", sub(random, Kind::Text), sub(random, Kind::Text)),
            9 => format!(
                "{} is {}distinct from {}",
                sub(random, Kind::Number),
                random.of(&["", "not "]),
                sub(random, Kind::Number)
            ),
            10 => format!(
                "case when {} then {} else {} end",
                sub(random, Kind::Bool),
                sub(random, Kind::Bool),
                sub(random, Kind::Bool)
            ),
            11 => format!(
                "{} {} {}(nums)",
                sub(random, Kind::Number),
                random.of(&["=", "<", "<>"]),
                random.of(&["any", "all"])
            ),
            12 => format!(
                "({}, n) {} (1, {})",
                sub(random, Kind::Number),
                random.of(&["=", "<", ">="]),
                sub(random, Kind::Number)
            ),
            13 => format!("{} = {}", sub(random, Kind::Bool), sub(random, Kind::Bool)),
            14 => format!(
                "d {} {} {} date '2024-01-15'",
                random.of(&["+", "-"]),
                sub(random, Kind::Number),
                random.of(&["<", ">", "="])
            ),
            _ => format!("({})", sub(random, Kind::Bool)),
        },
        (Kind::Number, false) => match random.below(11) {
            0..=3 => format!(
                "{} {} {}",
                sub(random, Kind::Number),
                random.of(&["+", "-", "*", "/", "%", "^"]),
                sub(random, Kind::Number)
            ),
            4 => format!("- {}", sub(random, Kind::Number)),
            5 => format!("{} {}", random.of(&["@", "~", "|/", "+"]), sub(random, Kind::Number)),
            6 => format!("{}::int", sub(random, Kind::Number)),
            7 => format!("coalesce({}, {})", sub(random, Kind::Number), sub(random, Kind::Number)),
            8 => format!("length({})", sub(random, Kind::Text)),
            9 => format!("nullif({}, {})", sub(random, Kind::Number), sub(random, Kind::Number)),
            _ => format!("({})", sub(random, Kind::Number)),
        },
        (Kind::Text, false) => match random.below(7) {
            0 => format!("{} || {}", sub(random, Kind::Text), sub(random, Kind::Text)),
            1 => format!("{}::text", sub(random, Kind::Number)),
            2 => format!("{} collate \"C\"", sub(random, Kind::Text)),
            3 => format!("substring({} from 1 for 2)", sub(random, Kind::Text)),
            4 => format!(
                "{}({})",
                random.of(&["lower", "upper", "trim"]),
                sub(random, Kind::Text)
            ),
            5 => format!("doc #>> '{{b,0}}' || {}", sub(random, Kind::Text)),
            _ => format!("({})", sub(random, Kind::Text)),
        },
    };
    // A text is changed in one place now and then.
    if random.below(60) == 0 && text.is_ascii() {
        let place = random.below(text.len() + 1);
        let (before, after) = text.split_at(place);
        return format!("{before}{}{after}", random.of(WORDS));
    }
    text
}

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Number,
    Text,
}

struct Ground {
    source: PgSource,
    table: Arc<CatalogTable>,
    database: Database,
}

async fn ground() -> Ground {
    let database = servers().await.postgres.database("filters", TABLE).await;
    let details = JdbcConnectionDetails {
        url: database.jdbc_url(),
        user: Some(SUPERUSER.into()),
        password: Some(PASSWORD.into()),
        ..JdbcConnectionDetails::default()
    };
    let source = PgSource::new(PgAddress::parse(&details).expect("a valid URL"));
    let pg = source.connect().await.expect("a connection");
    let catalog = read_catalog(&pg).await.expect("a catalog");
    let table = catalog.tables[&TableName::new("public", "p")].clone();
    Ground {
        source,
        table,
        database,
    }
}

/// The keys of the rows that a condition lets through; an error where a row cannot be computed.
async fn chosen(client: &tokio_postgres::Client, condition: &str) -> Result<Vec<i32>, String> {
    let sql = format!("select t.id from only public.p as t where ({condition}\n) order by 1");
    let rows = client.query(&sql, &[]).await;
    let rows = rows.map_err(|e| {
        e.as_db_error()
            .map_or_else(|| e.to_string(), |e| e.code().code().to_owned())
    })?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether the text was accepted.
async fn check(pg: &PgClient, client: &tokio_postgres::Client, table: &CatalogTable, text: &str, what: &str) -> bool {
    let Ok(condition) = settle_text(pg, table, text).await else {
        return false;
    };
    let sql = &condition.sql;
    let prepared = client.prepare(&format!("select {sql} from only public.p as t")).await;
    let prepared =
        prepared.unwrap_or_else(|e| panic!("{what}: {text:?} became {sql:?}, which the server refuses: {e:?}"));
    let types: Vec<&str> = prepared.columns().iter().map(|c| c.type_().name()).collect();
    assert_eq!(types, ["bool"], "{what}: {text:?} became {sql:?}");
    let meant = text.replace("p.id", "t.id");
    let (ours, theirs) = (chosen(client, sql).await, chosen(client, &meant).await);
    // Which of two parts that fail is computed first is the server's choice.
    if ours.is_ok() || theirs.is_ok() {
        let is_same_error = ours.is_err() != theirs.is_err()
            && ours
                .as_ref()
                .err()
                .or(theirs.as_ref().err())
                .is_some_and(|e| e.starts_with("22"));
        assert!(
            ours == theirs || is_same_error,
            "{what}: {text:?} became {sql:?}: {ours:?} instead of {theirs:?}"
        );
    } else if let Err(theirs) = theirs {
        assert!(
            theirs.starts_with("22"),
            "{what}: {text:?} was accepted, but the server says {theirs}"
        );
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn table_filters() {
    let ground = ground().await;
    let pg = ground.source.connect().await.expect("a connection");
    let client = ground.database.connect().await;
    client
        .batch_execute(
            "set default_transaction_read_only = on; set search_path = pg_catalog; set statement_timeout = 5000",
        )
        .await
        .expect("settings");
    let seconds = number_of("GODWIT_FUZZ_SECONDS").unwrap_or(3.0);
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let first = number_of("GODWIT_FUZZ_SEED").map_or_else(|| std::process::id().into(), |n| n as u64);
    let (mut accepted, mut made) = (0, 0);
    for seed in first.wrapping_mul(1_000_000).. {
        if Instant::now() > until && made > 200 {
            break;
        }
        let mut random = Random(seed);
        let text = match seed % 3 {
            0 => words(&mut random),
            _ => expression(&mut random, Kind::Bool, 3),
        };
        made += 1;
        accepted += usize::from(check(&pg, &client, &ground.table, &text, &format!("seed {seed}")).await);
    }
    println!(
        "{accepted} of {made} texts from seed {} on were accepted",
        first.wrapping_mul(1_000_000)
    );
    assert!(
        accepted * 5 > made,
        "{accepted} of {made}: what is accepted was hardly looked at"
    );
}
