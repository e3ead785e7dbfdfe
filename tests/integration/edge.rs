//! All of a database of edge cases: `shared/data/postgresql/edge.sql` beside the checkout, where there is one.

use crate::common::{array, assert_completed, coll, issues, spec};
use bson::{Bson, Document, doc};
use godwit_shared::job::{EventType, JobStatus, MigrationJobStatus};
use godwit_tests::api::{Job, LONG};
use godwit_tests::app::App;
use godwit_tests::docs::{assert_documents, binary, collections, decimal, documents, without_ids};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD, SUPERUSER, Target, servers};
use godwit_tests::shared_data;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::sync::OnceCell;

fn folder() -> Option<PathBuf> {
    let folder = shared_data()?.join("data/postgresql");
    if !folder.join("edge.sql").is_file() {
        eprintln!("SKIPPED: no {}", folder.join("edge.sql").display());
        return None;
    }
    Some(folder)
}

/// The database, loaded once for all tests, which only read it.
async fn edge() -> Option<Database> {
    static LOADED: OnceCell<(String, u16)> = OnceCell::const_new();
    let folder = folder()?;
    let load = async || {
        let database = servers().await.postgres.database("edge", "").await;
        database.load(&folder.join("edge.sql"));
        (database.name, database.port)
    };
    let (name, port) = LOADED.get_or_init(load).await.clone();
    Some(Database { name, port })
}

struct Run {
    job: MigrationJobStatus,
    target: Target,
    /// Collection by `schema.table`.
    collections: BTreeMap<String, String>,
}

/// A project made as the page makes it, one collection for each table, and a job of it.
async fn run(source: &Database, settings: Value, only: &[&str]) -> Run {
    let (app, target) = tokio::join!(App::start(), async { servers().await.mongo.target("edge").await });
    let api = app.api();
    let connection = json!({"type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER, "password": PASSWORD});
    let schema = api
        .post("/schema/jdbc", &json!({"jdbcConnectionDetails": connection}))
        .await
        .ok();
    let mut wanted = settings;
    wanted["schemasId"] = schema["id"].clone();
    let content = api.post("/project/recommendation", &wanted).await.ok();
    let request = json!({"name": "edge", "type": "POSTGRESQL", "schemasId": schema["id"], "content": content});
    let project = api.post("/project", &request).await.ok();
    let project = project["id"].as_str().expect("an id");
    let job = Job::new(project, source, &target).with("/collectionFilters", json!({"include": only}));
    let id = api.start_job(&job).await;
    let job = api.wait_ended(&id, LONG * 3).await;
    assert_completed(&job);
    Run {
        job,
        target,
        collections: collections_of(&content),
    }
}

fn collections_of(content: &Value) -> BTreeMap<String, String> {
    let mappings = content["mappings"].as_object().expect("mappings");
    let name_of = |mapping: &Value| {
        let path = &content["tables"][mapping["table"].as_str().expect("a table")]["path"];
        format!(
            "{}.{}",
            path["schema"].as_str().expect("a schema"),
            path["table"].as_str().expect("a table")
        )
    };
    let collection_of = |mapping: &Value| {
        let id = mapping["collectionId"].as_str().expect("a collection");
        content["collections"][id]["name"].as_str().expect("a name").to_owned()
    };
    mappings.values().map(|m| (name_of(m), collection_of(m))).collect()
}

/// Rows by `schema.table`; partitions count for their root.
fn rows() -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(folder().expect("it was there").join("edge.counts.tsv")).expect("the counts");
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let (table, count) = line.split_once('\t').expect("a table and its count");
        let table = if table.starts_with("edge.orders_") {
            "edge.orders"
        } else {
            table
        };
        *rows.entry(table.to_owned()).or_default() += count.parse::<u64>().expect("a number");
    }
    rows
}

async fn assert_counts(run: &Run, missing: &[(&str, u64)]) {
    let rows = rows();
    let tables: Vec<&String> = rows.keys().collect();
    assert_eq!(run.collections.keys().collect::<Vec<_>>(), tables);
    for (table, collection) in &run.collections {
        let missing: u64 = missing.iter().filter(|(t, _)| t == table).map(|(_, n)| n).sum();
        let collection = run.target.database.collection::<Document>(collection);
        let found = collection.count_documents(doc! {}).await.expect("a count");
        assert_eq!(found, rows[table] - missing, "{table}");
    }
    let mut expected: Vec<&String> = run.collections.values().collect();
    expected.sort();
    let mut found = collections(&run.target.database).await;
    found.retain(|c| c != "empty_table" && c != "emptyTable");
    expected.retain(|c| *c != "empty_table" && *c != "emptyTable");
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_arrives_with_generated_keys() {
    let Some(source) = edge().await else { return };
    let run = run(&source, json!({}), &[]).await;
    assert_counts(&run, &[]).await;
    let errors = [
        "value_not_convertible edge.k_date k 1",
        "value_not_convertible edge.types d 2",
        "value_not_convertible edge.types ts 2",
        "value_not_convertible edge.types tz 2",
    ];
    assert_eq!(issues(&run.job, EventType::Error), errors);
    let warnings = [
        "array_lower_bound_dropped edge.types ia 1",
        "nothing_read emptyTable - 1",
        "precision_lost edge.k_ts k 20",
        "precision_lost edge.types ts 2",
        "precision_lost edge.types tz 2",
        "value_rounded edge.k_num k 1",
        "value_rounded edge.types n 1",
        "value_rounded edge.types n20 1",
    ];
    assert_eq!(issues(&run.job, EventType::Warning), warnings);
    let (orders, others) = (&run.collections["edge.customer"], &run.collections["edge2.customer"]);
    assert_eq!((orders.as_str(), others.as_str()), ("customer", "customer2"));
    let mixed = without_ids(&run.target.database, &run.collections["edge.Mixed Case Table"]).await;
    let expected = (1..=30).map(|i| {
        doc! {"id": i, "firstName": format!("F{i}"), "select": "s", "aB": i, "price": price(i), "id2": 1000 + i,
        "ünï": "ü", "quo\"te": "q", "tabX": "t", "id3": -i}
    });
    assert_documents(&mixed, &expected.collect::<Vec<_>>());
}

fn price(i: i32) -> Bson {
    decimal(&format!("{}.{}", i * 3 / 2, i % 2 * 5))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_arrives_with_its_own_keys() {
    let Some(source) = edge().await else { return };
    let run = run(&source, json!({"keyHandling": "SINGLE", "casing": "ORIGINAL"}), &[]).await;
    // Twenty keys lie within one millisecond.
    assert_counts(&run, &[("edge.k_ts", 19)]).await;
    let errors = [
        "duplicate_id edge.k_ts - 19",
        "value_not_convertible edge.k_date _id 1",
        "value_not_convertible edge.types d 2",
        "value_not_convertible edge.types ts 2",
        "value_not_convertible edge.types tz 2",
    ];
    assert_eq!(issues(&run.job, EventType::Error), errors);
    let expect = async |table: &str, expected: &[Document]| {
        assert_documents(
            &documents(&run.target.database, &run.collections[table]).await,
            expected,
        );
    };
    let mixed = (1..=30).map(|i| {
        doc! {"_id": i, "First Name": format!("F{i}"), "select": "s", "a_b": i, "_price": price(i), "_id2": 1000 + i,
        "ünï": "ü", "quo\"te": "q", "tab\tx": "t", "id": -i}
    });
    expect("edge.Mixed Case Table", &mixed.collect::<Vec<_>>()).await;
    let users = [
        doc! {"_id": "x", "__v": 0},
        doc! {"_id": "", "__v": 1},
        doc! {"_id": " ", "__v": 2},
    ];
    expect("edge.system.users", &users).await;
    expect(
        "edge.order",
        &[doc! {"_id": 1, "order": null}, doc! {"_id": 2, "order": 1}],
    )
    .await;
    expect(
        "edge.k_text",
        &[doc! {"_id": "ab   ", "v": 1}, doc! {"_id": "abcde", "v": 2}],
    )
    .await;
    let key = |k: &str| doc! {"k": k, "n": "a"};
    expect(
        "edge.k_enum",
        &[doc! {"_id": key("sad"), "v": 1}, doc! {"_id": key("ÜBER"), "v": 2}],
    )
    .await;
    let bytes = |bytes: &[u8], v: i32| doc! {"_id": binary(bytes), "v": v};
    expect("edge.k_bytea", &[bytes(&[0], 1), bytes(&[0, 0], 2), bytes(&[], 3)]).await;
    let big = |k: i64, v: i32| doc! {"_id": k, "v": v};
    expect(
        "edge.k_big",
        &[big(9_007_199_254_740_993, 1), big(9_007_199_254_740_992, 2), big(-1, 3)],
    )
    .await;
    expect("edge.key_only", &["a", "A", "á", "a\n", ""].map(|k| doc! {"_id": k})).await;
    let dropped = (1..=20).map(|i| doc! {"_id": i, "stays": format!("s{i}"), "added": 42});
    expect("edge.dropped", &dropped.collect::<Vec<_>>()).await;
    expect("edge.animal", &[doc! {"_id": 1, "name": "generic"}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extreme_values_of_all_types() {
    let Some(source) = edge().await else { return };
    let run = run(
        &source,
        json!({"keyHandling": "SINGLE", "casing": "ORIGINAL"}),
        &["types"],
    )
    .await;
    let expected = [
        row(1, doc! {}),
        low(),
        high(),
        row(4, not_finite()),
        row(5, negative()),
        row(6, early()),
        row(7, plain()),
    ];
    let found = documents(&run.target.database, "types").await;
    for (found, expected) in found.iter().zip(&expected) {
        assert_documents(std::slice::from_ref(found), std::slice::from_ref(expected));
    }
    assert_eq!(found.len(), expected.len());
}

const COLUMNS: &str = "i2 i4 i8 n n20 f4 f8 b t vc c nm ba d ts tz ti ttz iv u j jb x ip ci ma m8 mo bi vb pt ln po bx \
    ci2 tsv tsq ir mr tr frr en dom adr ia ia2 ta na ena adra ja o lsn jp";

/// A row with these values and null in all other columns.
fn row(id: i32, mut given: Document) -> Document {
    let mut row = doc! {"_id": id};
    for column in COLUMNS.split_whitespace() {
        row.insert(column, given.remove(column).unwrap_or(Bson::Null));
    }
    assert!(given.is_empty(), "no columns: {given}");
    row
}

fn millis(millis: i64) -> Bson {
    Bson::DateTime(bson::DateTime::from_millis(millis))
}

fn low() -> Document {
    let first = millis(-210_863_520_000_000);
    row(
        2,
        doc! {
            "i2": -32768, "i4": i32::MIN, "i8": i64::MIN, "n": decimal("-1.000000000000000000000000000000000E+44"),
            "n20": decimal("1234567890123456789012345678.012346"), "f4": -3.402_823_5e38, "f8": f64::MIN, "b": false,
            "t": "", "vc": "", "c": "          ", "nm": "", "ba": binary(&[]), "d": &first, "ts": &first, "tz": &first,
            "ti": "00:00:00", "ttz": "00:00:00+15:59", "iv": "P-178000000Y", "u": "00000000-0000-0000-0000-000000000000",
            "j": {"a": 2, "b": 1.5, "": 0},
            "jb": {"": 0, "a": 1, "b": 1.5, "u": "é😀", "big": decimal("123456789012345678901234567890.5"), "$set": {"x.y": 1}},
            "x": "<a/>", "ip": "::1", "ci": "::/0", "ma": "00:00:00:00:00:00", "m8": "00:00:00:00:00:00:00:00",
            "mo": decimal("-92233720368547758.08"), "bi": "00000", "vb": "", "pt": point(0.0, 0.0), "ln": "{1,0,0}",
            "po": "((0,0))", "bx": "(0,0),(0,0)", "ci2": "<(0,0),0>", "tsv": "", "tsq": "", "ir": "empty", "mr": "{}",
            "tr": "(,)", "frr": "[1.5,2.5]", "en": "sad", "dom": 1, "adr": {"street": null, "no": null, "tags": null},
            "ia": [], "ia2": [], "ta": [], "na": [], "ena": [], "adra": [], "ja": [], "o": 0_i64, "lsn": "0/0", "jp": "$"
        },
    )
}

fn point(x: f64, y: f64) -> Document {
    doc! {"type": "Point", "coordinates": [x, y]}
}

fn high() -> Document {
    let last = millis(9_224_318_015_999_999);
    row(
        3,
        doc! {
            "i2": 32767, "i4": i32::MAX, "i8": i64::MAX, "n": decimal("NaN"), "n20": decimal("-1E-10"),
            "f4": f64::INFINITY, "f8": f64::NEG_INFINITY, "b": true,
            "t": "tab\t nl\n cr\r quote' dq\" bs\\ é 😀 \u{202e} end", "vc": "0123456789", "c": "padded    ", "nm": "nm",
            "ba": binary(&[0, 255, 0, 128]), "d": millis(185_331_706_992_000_000), "ts": &last, "tz": &last,
            "ti": "24:00:00", "ttz": "24:00:00-15:59", "iv": "P178000000Y11M30DT23H59M59.999999S",
            "u": "ffffffff-ffff-ffff-ffff-ffffffffffff", "j": [], "jb": [null, true, "x", [[]], {}],
            "x": "<a b=\"c\">&lt;<![CDATA[x]]></a>", "ip": "10.1.2.3/8", "ci": "10.0.0.0/8", "ma": "ff:ff:ff:ff:ff:ff",
            "m8": "ff:ff:ff:ff:ff:ff:ff:ff", "mo": decimal("92233720368547758.07"), "bi": "11111", "vb": "1010101",
            "pt": point(1e300, -1e-300), "ln": "{1,-1,2.5}", "po": "((0,0),(1,1),(2,0))", "bx": "(2,2),(1,1)",
            "ci2": "<(1,2),3>", "tsv": "'fat':2A 'rat':3B", "tsq": "'fat' & ( 'rat' | 'cat' )", "ir": "[1,10)",
            "mr": "{[1,3),[5,7)}", "tr": "[\"2024-01-01 00:00:00+00\",infinity)", "frr": "(,5)", "en": "it's \"fine\"",
            "dom": i32::MAX, "adr": {"street": "Main \"St\", x", "no": 5, "tags": ["a", null, "b,c"]}, "ia": [1, null, 3],
            "ia2": [[1, 2], [3, 4]], "ta": ["a", "", null, "NULL", "x,y", "q\"z"], "na": [decimal("1.10"), decimal("NaN")],
            "ena": ["sad", "it's \"fine\""], "adra": [{"street": "s", "no": 1, "tags": null}, null],
            "ja": [{"a": [1]}], "o": 4_294_967_295_i64, "lsn": "FFFFFFFF/FFFFFFFF", "jp": "$.\"a\"[*]?(@ > 1)"
        },
    )
}

fn not_finite() -> Document {
    let nan = f64::NAN;
    doc! {"n": decimal("Infinity"), "f4": nan, "f8": nan, "ia": [7, 8, 9], "iv": "P1M-1DT0.000001S"}
}

fn negative() -> Document {
    doc! {"n": decimal("-Infinity"), "f4": -0.0, "f8": -0.0, "ia": [], "iv": "PT-0.000001S"}
}

fn early() -> Document {
    doc! {
        "d": millis(-12_219_724_800_000), "ts": millis(-62_135_596_800_000), "tz": millis(0),
        "n": decimal("1.000000000000000000000000000000000E+100"), "f4": 1e-45, "f8": 5e-324, "ia": [i32::MAX],
        "iv": "P1Y2M3DT4H5M6S"
    }
}

fn plain() -> Document {
    doc! {
        "d": millis(-62_135_683_200_000), "ts": millis(1_709_208_000_123), "tz": millis(1_729_989_000_000),
        "n": decimal("0.1000"), "f4": 0.1, "f8": 0.1, "iv": "P1Y"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_with_too_many_readings_is_left_out_and_the_others_are_complete() {
    let Some(source) = edge().await else { return };
    let client = source.connect().await;
    let mut mapping =
        spec([coll("sensors", "edge.sensor", "name").embed([array("readings", "edge.reading", "id payload")])]);
    mapping["schemas"] = json!(["edge"]);
    let m = Migration::of(source, mapping).await;
    let job = m.run(&m.job()).await;
    assert_eq!(job.status, JobStatus::Completed);
    assert_eq!(issues(&job, EventType::Error), ["document_too_large edge.sensor - 1"]);
    let rows = client
        .query("select id, payload from edge.reading where sensor = 2 order by id", &[])
        .await
        .expect("rows");
    let readings: Vec<Document> = rows
        .iter()
        .map(|r| doc! {"id": r.get::<_, i64>(0), "payload": r.get::<_, String>(1)})
        .collect();
    assert_eq!(readings.len(), 60);
    let expected = [
        doc! {"_id": 2, "name": "small", "readings": readings},
        doc! {"_id": 3, "name": "none", "readings": []},
    ];
    m.expect("sensors", &expected).await;
}
