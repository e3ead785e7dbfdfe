//! Verification finds what is another one, wherever it lies in a document: a migrated database is changed in many ways, each
//! is found with key and path, and a repair brings all of it back.

use crate::common::{array, coll, document, spec, values};
use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use godwit_shared::verification::{FindingKind, VerificationStatus};
use godwit_tests::migrate::Migration;
use godwit_tests::verifying::{assert_status, findings, lines, repair, verify};
use mongodb::Collection;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Orders with lines, in them parts, and a customer; rows without a key; values of many types.
const SHOP: &str = "
    create table customer(id int primary key, name text not null, city text, since date);
    create table orders(id int primary key, customer_id int references customer, at timestamp not null, total numeric(12,2),
        weight float8, note text, big bigint, is_paid boolean, doc jsonb, raw bytea);
    create table line(order_id int references orders, no int, qty int, price numeric(10,2), name text, primary key (order_id, no));
    create table part(id int primary key, order_id int, no int, label text, size float8,
        foreign key (order_id, no) references line);
    create table tag(order_id int references orders, tag text, primary key (order_id, tag));
    create table event(kind text, n int);
    insert into customer select i, 'customer ' || i, case when i % 3 = 0 then null else 'city ' || i % 7 end,
        date '2020-01-01' + i from generate_series(1, 30) i;
    insert into orders select i, case when i % 10 = 0 then null else 1 + i % 30 end, timestamp '2024-01-01' + i * interval '1 hour 1.234 s',
        i * 1.11, i / 7.0, case when i % 4 = 0 then null else 'note ' || i end, i * 10000000000::bigint, i % 2 = 0,
        jsonb_build_object('a', i, 'b', jsonb_build_array(i, 'x')), decode(lpad(to_hex(i), 8, '0'), 'hex')
        from generate_series(1, 200) i;
    insert into line select o, n, o % 9 + n, (o * n) / 3.0, 'line ' || o || '/' || n from generate_series(1, 200) o, generate_series(1, 1 + o % 4) n;
    insert into part select row_number() over (order by order_id, no, k), order_id, no, 'part ' || k, k / 3.0
        from line, generate_series(1, 2) k where (order_id + no) % 3 = 0;
    insert into tag select o, 't' || k from generate_series(1, 200) o, generate_series(1, o % 3) k;
    insert into event select 'e' || i % 5, i % 4 from generate_series(1, 100) i";

fn shop() -> Value {
    let parts = array("parts", "part", "*");
    let lines = array("lines", "line", "*").embed([parts]);
    let orders = coll("orders", "orders", "*").embed([
        lines,
        document("customer", "customer", "*"),
        values("tags", "tag", "tag"),
    ]);
    spec([
        orders.with("calc", json!({"double": "columns.weight * 2"})),
        coll("customers", "customer", "*").with("key", "WRAPPED"),
        coll("events", "event", "*").with("key", "GENERATED"),
    ])
}

async fn migrated() -> (Migration, String) {
    let m = Migration::new(SHOP, shop()).await;
    let job = m.complete().await;
    (m, job.id.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_has_written_is_verified_at_every_level() {
    let (m, job) = migrated().await;
    let api = m.app.api();
    for options in [
        json!({}),
        json!({"level": "COUNTS"}),
        json!({"level": "SAMPLE", "samplePercent": 20}),
        json!({"includedCollections": ["orders", "events"]}),
        json!({"maxRowsPerSecond": 100_000}),
    ] {
        let one = verify(&api, &job, options.clone()).await;
        assert_status(&one, VerificationStatus::Verified);
        assert_eq!((one.findings, one.percent()), (0, 100), "{one:#?}");
        let of = |name: &str| one.collections.iter().find(|c| c.collection == name);
        if options == json!({}) {
            let orders = of("orders").expect("the collection");
            assert_eq!((orders.rows, orders.expected, orders.equal), (200, 200, 200));
            assert_eq!(orders.documents, Some(200));
            assert!(orders.sums_compared > 15, "{orders:#?}");
            assert_eq!(of("events").map(|c| c.equal), Some(100), "equal rows count");
        }
        if options["level"] == "SAMPLE" {
            let orders = of("orders").expect("the collection");
            assert!((10..80).contains(&orders.compared), "{orders:#?}");
            let again = verify(&api, &job, options).await;
            assert_eq!(again.collections, one.collections, "the same rows each time");
        }
    }
    let unknown = json!({"jobId": job, "options": {"includedCollections": ["nothing"]}});
    api.post("/verifications", &unknown).await.error(400, "invalid_request");
}

/// One change to the destination, and what has to be found: kind and path.
struct Mutation {
    collection: &'static str,
    id: Bson,
    kind: FindingKind,
    path: String,
}

type Change = fn(&mut Document, &mut fastrand::Rng) -> Option<(FindingKind, String)>;

fn lines_of(order: &mut Document) -> Option<&mut Vec<Bson>> {
    let lines = order.get_array_mut("lines").ok()?;
    (lines.len() > 1).then_some(lines)
}

/// Ways to change an order; `None` where it has not what is to be changed.
const CHANGES: [(&str, Change); 22] = [
    ("one ulp", |o, _| {
        let weight = o.get_f64("weight").ok()?;
        o.insert("weight", f64::from_bits(weight.to_bits() + 1));
        Some((FindingKind::FieldValue, "weight".into()))
    }),
    ("int to long", |o, _| {
        let line = lines_of(o)?[0].as_document_mut()?;
        let qty = line.get_i32("qty").ok()?;
        line.insert("qty", i64::from(qty));
        Some((FindingKind::FieldType, "lines.0.qty".into()))
    }),
    ("long to int", |o, _| {
        o.insert("big", 7);
        Some((FindingKind::FieldType, "big".into()))
    }),
    ("decimal to double", |o, _| {
        o.insert("total", 1.5);
        Some((FindingKind::FieldType, "total".into()))
    }),
    ("element missing", |o, _| {
        lines_of(o)?.pop();
        Some((FindingKind::ArrayLength, "lines".into()))
    }),
    ("element doubled", |o, _| {
        let lines = lines_of(o)?;
        lines.push(lines[0].clone());
        Some((FindingKind::ArrayLength, "lines".into()))
    }),
    ("elements swapped", |o, _| {
        lines_of(o)?.swap(0, 1);
        Some((FindingKind::FieldValue, "lines.0.no".into()))
    }),
    ("tag missing", |o, _| {
        let tags = o.get_array_mut("tags").ok()?;
        tags.pop()?;
        Some((FindingKind::ArrayLength, "tags".into()))
    }),
    ("tag another", |o, _| {
        let tags = o.get_array_mut("tags").ok()?;
        *tags.first_mut()? = "T".into();
        Some((FindingKind::FieldValue, "tags.0".into()))
    }),
    ("field renamed", |o, _| {
        let note = o.remove("note")?;
        o.insert("Note", note);
        Some((FindingKind::FieldMissing, "note".into()))
    }),
    ("null for absent", |o, _| {
        (!o.contains_key("customer")).then(|| o.insert("customer", Bson::Null))?;
        Some((FindingKind::FieldUnexpected, "customer".into()))
    }),
    ("absent for null", |o, _| {
        (o.get("note") == Some(&Bson::Null)).then(|| o.remove("note"))?;
        Some((FindingKind::FieldMissing, "note".into()))
    }),
    ("trailing blank", |o, _| {
        let note = o.get_str("note").ok()?.to_owned();
        o.insert("note", note + " ");
        Some((FindingKind::FieldValue, "note".into()))
    }),
    ("a millisecond", |o, _| {
        let at = o.get_datetime("at").ok()?.timestamp_millis();
        o.insert("at", bson::DateTime::from_millis(at + 1));
        Some((FindingKind::FieldValue, "at".into()))
    }),
    ("order of fields", |o, _| {
        let total = o.remove("total")?;
        o.insert("total", total);
        Some((FindingKind::FieldOrder, String::new()))
    }),
    ("order of embedded fields", |o, _| {
        let customer = o.get_document_mut("customer").ok()?;
        let name = customer.remove("name")?;
        customer.insert("name", name);
        Some((FindingKind::FieldOrder, "customer".into()))
    }),
    ("a decimal", |o, _| {
        o.insert("total", Bson::Decimal128("0.01".parse().ok()?));
        Some((FindingKind::FieldValue, "total".into()))
    }),
    ("a boolean", |o, _| {
        let paid = o.get_bool("is_paid").ok()?;
        o.insert("is_paid", !paid);
        Some((FindingKind::FieldValue, "is_paid".into()))
    }),
    ("inside JSON", |o, _| {
        o.get_document_mut("doc").ok()?.get_array_mut("b").ok()?[1] = "y".into();
        Some((FindingKind::FieldValue, "doc.b.1".into()))
    }),
    ("a byte", |o, rng| {
        let mut bytes = o.get_binary_generic("raw").ok()?.clone();
        bytes[0] ^= 1 + rng.u8(..255);
        let subtype = bson::spec::BinarySubtype::Generic;
        o.insert("raw", bson::Binary { subtype, bytes });
        Some((FindingKind::FieldValue, "raw".into()))
    }),
    ("two levels down", |o, _| {
        for (place, line) in o.get_array_mut("lines").ok()?.iter_mut().enumerate() {
            let parts = line.as_document_mut()?.get_array_mut("parts").ok()?;
            if let Some(part) = parts.last_mut() {
                part.as_document_mut()?.insert("label", "another");
                let last = parts.len() - 1;
                return Some((FindingKind::FieldValue, format!("lines.{place}.parts.{last}.label")));
            }
        }
        None
    }),
    ("a calculated field", |o, _| {
        // Some are whole numbers, and of another type.
        o.get_f64("double").ok()?;
        o.insert("double", 0.5);
        Some((FindingKind::FieldValue, "double".into()))
    }),
];

async fn all(collection: &Collection<Document>) -> Vec<Document> {
    let found = collection.find(doc! {}).sort(doc! {"_id": 1}).await.expect("documents");
    found.try_collect().await.expect("documents")
}

/// Changes orders in all ways, several times each; what has to be found.
async fn mutate(m: &Migration, rng: &mut fastrand::Rng) -> Vec<Mutation> {
    let orders = m.target.database.collection::<Document>("orders");
    let mut left = all(&orders).await;
    rng.shuffle(&mut left);
    let mut mutations = Vec::new();
    for round in 0..3 {
        for (name, change) in CHANGES {
            // Each order is changed once, so that what is found is the one change.
            let fits = left
                .iter()
                .position(|order| change(&mut order.clone(), &mut rng.clone()).is_some());
            let Some(place) = fits else {
                assert!(round > 0, "no order fits \"{name}\"");
                continue;
            };
            let mut order = left.swap_remove(place);
            let (kind, path) = change(&mut order, rng).expect("it fits");
            let id = order.get("_id").expect("an id").clone();
            orders
                .replace_one(doc! {"_id": id.clone()}, order)
                .await
                .expect("a change");
            mutations.push(Mutation {
                collection: "orders",
                id,
                kind,
                path,
            });
        }
    }
    for _ in 0..3 {
        let order = left.pop().expect("an order is left");
        let id = order.get("_id").expect("an id").clone();
        orders.delete_one(doc! {"_id": id.clone()}).await.expect("a deletion");
        mutations.push(Mutation {
            collection: "orders",
            id,
            kind: FindingKind::MissingDocument,
            path: "-".into(),
        });
    }
    for (collection, id) in [
        ("orders", Bson::Int32(9_999)),
        ("orders", "text".into()),
        ("customers", doc! {"id": 77}.into()),
        ("events", bson::oid::ObjectId::new().into()),
    ] {
        let extra = doc! {"_id": id.clone(), "x": 1};
        let own = m.target.database.collection::<Document>(collection);
        own.insert_one(extra).await.expect("a document");
        mutations.push(Mutation {
            collection,
            id,
            kind: FindingKind::UnexpectedDocument,
            path: "-".into(),
        });
    }
    // One of several equal rows has lost its document.
    let events = m.target.database.collection::<Document>("events");
    let lost = events
        .find_one(doc! {"x": {"$exists": false}})
        .await
        .expect("a document");
    let id = lost.expect("a document").get("_id").expect("an id").clone();
    events.delete_one(doc! {"_id": id.clone()}).await.expect("a deletion");
    mutations.push(Mutation {
        collection: "events",
        id,
        kind: FindingKind::MissingDocument,
        path: "-".into(),
    });
    mutations
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_found_with_key_and_path_and_a_repair_brings_it_back() {
    let (m, job) = migrated().await;
    let api = m.app.api();
    let mut rng = fastrand::Rng::with_seed(20_261_130);
    let before = all(&m.target.database.collection("orders")).await;
    let mutations = mutate(&m, &mut rng).await;
    assert!(mutations.len() >= 50, "{} mutations", mutations.len());

    let one = verify(&api, &job, json!({})).await;
    assert_status(&one, VerificationStatus::Failed);
    let key = |id: &Bson| id.clone().into_canonical_extjson().to_string();
    let mut wanted: Vec<String> = mutations
        .iter()
        .map(|m| format!("{:?} {} {} {}", m.kind, m.collection, key(&m.id), m.path))
        .collect();
    wanted.sort();
    assert_eq!(lines(&api, &one.id).await, wanted);
    assert_eq!(one.findings, mutations.len() as u64);
    assert_eq!(one.findings_stored, one.findings);

    // Each with its row, and both documents side by side.
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for finding in findings(&api, &one.id).await {
        *kinds.entry(format!("{:?}", finding.kind)).or_default() += 1;
        let is_unexpected = finding.kind == FindingKind::UnexpectedDocument;
        assert_eq!(finding.rows.is_empty(), is_unexpected, "{finding:#?}");
        if finding.collection == "orders" && !is_unexpected {
            assert_eq!(finding.rows[0].table, "public.orders");
            assert_eq!(
                finding.rows[0].key["id"],
                finding.key["$numberInt"].as_str().expect("a number")
            );
        }
        if finding.number % 7 == 0 {
            let path = format!("/verifications/{}/findings/{}", one.id, finding.number);
            let both = api.get(&path).await.ok();
            assert_eq!(both["expected"].is_null(), is_unexpected, "{both:#}");
            assert_eq!(
                both["found"].is_null(),
                finding.kind == FindingKind::MissingDocument,
                "{both:#}"
            );
        }
    }
    assert!(kinds.len() >= 7, "{kinds:?}");
    let only = api
        .get(&format!(
            "/verifications/{}/findings?kind=MISSING_DOCUMENT&collection=events",
            one.id
        ))
        .await
        .ok();
    assert_eq!(only.as_array().map(Vec::len), Some(1));
    let download = api
        .get(&format!("/verifications/{}/findings/download", one.id))
        .await
        .ok();
    let text = download.as_str().map_or_else(|| download.to_string(), Into::into);
    assert_eq!(text.trim().lines().count(), mutations.len());

    // The order of fields can be ignored, and what no row gives.
    let ignoring = json!({"ignoreFieldOrder": true, "ignoreUnexpected": true, "ignoreTrailingBlanks": true});
    let less = verify(&api, &job, ignoring).await;
    let ignored = mutations.iter().filter(|m| {
        let is_order = m.kind == FindingKind::FieldOrder || m.kind == FindingKind::UnexpectedDocument;
        is_order || (m.kind == FindingKind::FieldValue && m.path == "note")
    });
    assert_eq!(less.findings, (mutations.len() - ignored.count()) as u64);

    // A repair without deletions leaves what no row gives.
    let repaired = repair(&api, &one.id, false).await;
    assert_status(&repaired, VerificationStatus::Failed);
    assert_eq!(repaired.findings - repaired.findings_repaired, 4, "{repaired:#?}");
    let repaired = repair(&api, &one.id, true).await;
    assert_status(&repaired, VerificationStatus::Verified);
    assert_eq!(all(&m.target.database.collection("orders")).await, before);
    let again = verify(&api, &job, json!({})).await;
    assert_status(&again, VerificationStatus::Verified);
    let none = api
        .post(&format!("/verifications/{}/repair", again.id), &json!({}))
        .await;
    none.error(409, "wrong_state");
}
