//! Whole documents, as a job would write them.

use super::bed::{documents_of, on_both};
use godwit::data::issue::IssueKind;
use godwit::source::api::Snapshot;
use godwit::source::read::KeyRange;
use serde_json::json;

/// Case A19 of the specification of integrity.
#[tokio::test]
async fn keys_match_as_the_collation_says() {
    let statements = [
        "CREATE TABLE p (k VARCHAR(10) COLLATE utf8mb4_general_ci PRIMARY KEY)",
        "CREATE TABLE c (id INT PRIMARY KEY, k VARCHAR(10) COLLATE utf8mb4_general_ci, FOREIGN KEY (k) REFERENCES p (k))",
        "INSERT INTO p VALUES ('ABC'), ('é'), ('none')",
        "INSERT INTO c VALUES (1, 'AbC '), (2, 'abc'), (3, 'E'), (4, NULL)",
    ];
    on_both("a19", &statements, async |bed| {
        let spec = json!({"collections": [{"table": "$.p", "collection": "ps", "embed": [
            {"table": "$.c", "kind": "array", "path": "cs"}]}]});
        let made = bed.documents(&spec).await;
        let expected = [
            json!({"_id": "ABC", "cs": [{"id": 1, "k": "AbC "}, {"id": 2, "k": "abc"}]}),
            json!({"_id": "é", "cs": [{"id": 3, "k": "E"}]}),
            json!({"_id": "none", "cs": []}),
        ];
        assert_eq!(made.documents, expected);
        // The other way round the referred row is found by the spelling of each that refers.
        let spec = json!({"collections": [{"table": "$.c", "collection": "cs", "embed": [
            {"table": "$.p", "kind": "doc", "path": "p"}]}]});
        let made = bed.documents(&spec).await;
        let names: Vec<_> = made.documents.iter().map(|d| d["p"]["k"].clone()).collect();
        assert_eq!(json!(names), json!(["ABC", "ABC", "é", null]));
    })
    .await;
}

/// A generated `_id` is that of the key, however it is spelt.
#[tokio::test]
async fn a_key_has_one_id_whatever_its_spelling() {
    let statements = [
        "CREATE TABLE t (k VARCHAR(10) COLLATE utf8mb4_general_ci PRIMARY KEY, n DECIMAL(5,2))",
        "INSERT INTO t VALUES ('Key', 1)",
    ];
    on_both("ids", &statements, async |bed| {
        let spec = json!({"key": "GENERATED", "collections": [{"table": "$.t", "collection": "ts"}]});
        let before = bed.documents(&spec).await;
        bed.server.execute(&bed.database, &["UPDATE t SET k = 'kEY '"]).await;
        let after = bed.documents(&spec).await;
        assert_eq!(before.documents[0]["_id"], after.documents[0]["_id"]);
        assert_ne!(before.documents[0]["k"], after.documents[0]["k"]);
    })
    .await;
}

#[tokio::test]
async fn composite_and_synthetic_keys() {
    let statements = [
        "CREATE TABLE p (a INT, b VARCHAR(5), PRIMARY KEY (b, a))",
        "CREATE TABLE c (id INT PRIMARY KEY, pb VARCHAR(5), pa INT, FOREIGN KEY (pb, pa) REFERENCES p (b, a))",
        "CREATE TABLE codes (code VARCHAR(10) PRIMARY KEY)",
        "CREATE TABLE uses (id INT PRIMARY KEY, code INT)",
        "INSERT INTO p VALUES (1, 'x'), (2, 'x'), (1, 'Y')",
        "INSERT INTO c VALUES (1, 'X', 1), (2, 'x', NULL), (3, 'y', 1), (4, NULL, 2)",
        "INSERT INTO codes VALUES ('7'), ('007'), ('7a')",
        "INSERT INTO uses VALUES (1, 7)",
    ];
    on_both("composite", &statements, async |bed| {
        let spec = json!({"key": "WRAPPED", "collections": [{"table": "$.p", "collection": "ps", "embed": [
            {"table": "$.c", "kind": "array", "path": "cs", "include": ["id"]}]}]});
        let made = bed.documents(&spec).await;
        let expected = [
            json!({"_id": {"b": "x", "a": 1}, "cs": [{"id": 1}]}),
            json!({"_id": {"b": "x", "a": 2}, "cs": []}),
            json!({"_id": {"b": "Y", "a": 1}, "cs": [{"id": 3}]}),
        ];
        assert_eq!(made.documents, expected);
        // A text and a number are compared as texts.
        let spec = json!({"collections": [{"table": "$.codes", "collection": "codes", "embed": [
            {"table": "$.uses", "kind": "array", "path": "uses", "include": ["id"]}]}],
            "synthetic": [{"name": "s", "table": "$.uses", "columns": ["code"], "ref": "$.codes", "ref_columns": ["code"]}]});
        let made = bed.documents(&spec).await;
        let found: Vec<_> = made.documents.iter().map(|d| (d["_id"].clone(), d["uses"].clone())).collect();
        assert_eq!(
            found,
            [(json!("007"), json!([])), (json!("7"), json!([{"id": 1}])), (json!("7a"), json!([]))]
        );
    })
    .await;
}

#[tokio::test]
async fn sorted_and_limited_arrays() {
    let statements = [
        "CREATE TABLE p (id INT PRIMARY KEY)",
        "CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, FOREIGN KEY (p) REFERENCES p (id))",
        "INSERT INTO p VALUES (1), (2), (3)",
        "INSERT INTO c VALUES (1, 1, 5), (2, 1, NULL), (3, 1, 5), (4, 1, 9), (5, 2, 1)",
    ];
    on_both("sorted", &statements, async |bed| {
        let check = async |order: &str, limit: u32, expected: serde_json::Value| {
            let spec = json!({"collections": [{"table": "$.p", "collection": "ps", "embed": [
                {"table": "$.c", "kind": "array", "path": "cs", "include": ["id"], "primitive": true,
                 "sort": ["v", order], "limit": limit}]}]});
            let made = bed.documents(&spec).await;
            let found: Vec<_> = made.documents.iter().map(|d| d["cs"].clone()).collect();
            assert_eq!(json!(found), expected, "{order} {limit}");
        };
        check("ASC", 3, json!([[2, 1, 3], [5], []])).await;
        check("DESC", 2, json!([[4, 1], [5], []])).await;
    })
    .await;
}

/// Cases A26 and A27: equal rows count.
#[tokio::test]
async fn tables_without_a_key() {
    let long = format!("{}{}", "x".repeat(2000), "a");
    let insert = format!(
        "INSERT INTO t VALUES (1, 'a', NULL, '{long}'), (1, 'a', NULL, '{long}b'), (1, 'a', NULL, '{long}'), (1, 'A', NULL, '{long}')"
    );
    let statements = ["CREATE TABLE t (a INT, b VARCHAR(5), j JSON, x TEXT)", &insert];
    on_both("keyless", &statements, async |bed| {
        let spec = json!({"key": "GENERATED", "collections": [{"table": "$.t", "collection": "ts"}]});
        let made = bed.documents(&spec).await;
        let mut ids: Vec<String> = made.documents.iter().map(|d| d["_id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((made.documents.len(), ids.len()), (4, 4), "each row has its own id");
        let again = bed.documents(&spec).await;
        let mut same: Vec<String> = again.documents.iter().map(|d| d["_id"].to_string()).collect();
        same.sort();
        assert_eq!(ids, same);
    })
    .await;
}

/// A large child without an index is read once, in the order of the roots.
#[tokio::test]
async fn children_without_an_index_are_streamed() {
    let statements = [
        "CREATE TABLE seq (n INT PRIMARY KEY)",
        "INSERT INTO seq VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
        "CREATE TABLE p (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, pad CHAR(200))",
        "CREATE TABLE c (id INT PRIMARY KEY, k VARCHAR(20) COLLATE utf8mb4_general_ci, pad VARCHAR(200))",
        "INSERT INTO p SELECT CONCAT('Key', a.n, b.n, c.n, d.n), 'x' FROM seq a, seq b, seq c, seq d WHERE a.n < 2",
        "INSERT INTO c SELECT a.n * 10000 + b.n * 1000 + c.n * 100 + d.n * 10 + e.n, CONCAT('kEY', a.n, b.n, c.n, d.n), \
         REPEAT('y', 200) FROM seq a, seq b, seq c, seq d, seq e WHERE a.n < 2",
        "ANALYZE TABLE p",
        "ANALYZE TABLE c",
    ];
    on_both("streamed", &statements, async |bed| {
        let catalog = bed.catalog().await;
        let spec = json!({"collections": [{"table": "$.p", "collection": "ps", "include": ["k"], "embed": [
            {"table": "$.c", "kind": "array", "path": "cs", "include": ["id"], "primitive": true}]}],
            "synthetic": [{"name": "s", "table": "$.c", "columns": ["k"], "ref": "$.p", "ref_columns": ["k"]}]});
        let plan = bed.plan(&catalog, &spec).await;
        let root = &plan.collections[0].roots[0];
        assert_eq!(godwit::documents::streamed_nodes(root).len(), 1, "it is a stream");
        let snapshot = bed.point(&plan, 3).await;
        let cuts = snapshot.split_keys(&root.node.table, 64 << 10, 8).await.expect("cuts");
        assert!(cuts.len() > 2, "{cuts:?}");
        let mut ranges: Vec<KeyRange> = Vec::new();
        for to in cuts.into_iter().map(Some).chain([None]) {
            let from = ranges.last().and_then(|r| r.to.clone());
            ranges.push(KeyRange { from, to });
        }
        let made = documents_of(&plan, &snapshot, &ranges).await;
        assert_eq!(made.documents.len(), 2000);
        for document in &made.documents {
            let first: i64 = document["_id"]
                .as_str()
                .and_then(|k| k[3..].parse().ok())
                .expect("a key");
            let expected: Vec<i64> = (0..10).map(|n| first * 10 + n).collect();
            assert_eq!(document["cs"], json!(expected), "{}", document["_id"]);
        }
    })
    .await;
}

#[tokio::test]
async fn zero_dates_are_told_and_not_guessed() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL)",
        "INSERT INTO t VALUES (1, '0000-00-00')",
    ];
    on_both("zero", &statements, async |bed| {
        let made = bed
            .documents(&json!({"collections": [{"table": "$.t", "collection": "ts"}]}))
            .await;
        assert_eq!(made.documents, [json!({"_id": 1, "d": null})]);
        let kinds: Vec<IssueKind> = made.issues.iter().map(|i| i.kind).collect();
        assert_eq!(kinds, [IssueKind::NoSuchDate]);
    })
    .await;
}

/// Case A33.
#[tokio::test]
async fn a_parent_with_very_many_children() {
    let statements = [
        "CREATE TABLE seq (n INT PRIMARY KEY)",
        "INSERT INTO seq VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
        "CREATE TABLE p (id INT PRIMARY KEY)",
        "CREATE TABLE c (id INT PRIMARY KEY, p INT, s VARCHAR(200), FOREIGN KEY (p) REFERENCES p (id))",
        "INSERT INTO p VALUES (1), (2)",
        "INSERT INTO c SELECT a.n * 10000 + b.n * 1000 + c.n * 100 + d.n * 10 + e.n, 1, REPEAT('s', 200) \
         FROM seq a, seq b, seq c, seq d, seq e WHERE a.n < 2",
    ];
    on_both("many", &statements, async |bed| {
        let spec = json!({"collections": [{"table": "$.p", "collection": "ps", "embed": [
            {"table": "$.c", "kind": "array", "path": "cs", "include": ["id"], "primitive": true}]}]});
        let made = bed.documents(&spec).await;
        assert_eq!(made.documents[0]["cs"].as_array().map(Vec::len), Some(20_000));
        assert_eq!(made.documents[1]["cs"], json!([]));
    })
    .await;
}
