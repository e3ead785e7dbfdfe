//! Keys of every type: cut, searched, and found again.

use super::bed::{Bed, on_both};
use godwit::plan::Plan;
use godwit::source::api::Snapshot;
use godwit::source::read::KeyRange;
use serde_json::json;

async fn plan_of(bed: &Bed, table: &str) -> Plan {
    let catalog = bed.catalog().await;
    let table = format!("$.{table}");
    let spec = json!({"key": "GENERATED", "collections": [{"table": table, "collection": "ts"}]});
    bed.plan(&catalog, &spec).await
}

/// The first cell of each row of a range.
async fn read(bed: &Bed, plan: &Plan, range: &KeyRange) -> Vec<Vec<String>> {
    let root = &plan.collections[0].roots[0];
    let snapshot = bed.point(plan, 1).await;
    let reader = snapshot.reader().await.expect("a reader");
    let mut stream = reader.stream_roots(&root.node, range, true, None).await.expect("rows");
    let mut keys = Vec::new();
    while let Some(rows) = stream.next_rows(1000, 1 << 20).await.expect("rows") {
        for row in 0..rows.len() {
            let cells = root.node.table.primary_key.iter().map(|c| {
                let cell = root.node.cell_of(*c).expect("the key is read");
                root.node.table.columns[*c]
                    .decoder
                    .key_text(rows.cell(row, cell).expect("a key is not null"))
            });
            keys.push(cells.collect());
        }
    }
    keys
}

/// Reads a table key by key: every range from one key to the next has that row alone.
async fn every_key_is_a_border(bed: &Bed, table: &str, count: usize) {
    let plan = plan_of(bed, table).await;
    let all = read(bed, &plan, &KeyRange::default()).await;
    assert_eq!(all.len(), count, "{table}");
    for (place, key) in all.iter().enumerate() {
        let range = KeyRange {
            from: Some(key.clone()),
            to: all.get(place + 1).cloned(),
        };
        let found = read(bed, &plan, &range).await;
        assert_eq!(found, std::slice::from_ref(key), "{table} in {:?}", bed.family);
    }
    // And each is found by itself.
    let root = &plan.collections[0].roots[0];
    let snapshot = bed.point(&plan, 1).await;
    let reader = snapshot.reader().await.expect("a reader");
    let keys: Vec<Vec<Option<&str>>> = all
        .iter()
        .map(|k| k.iter().map(|v| Some(v.as_str())).collect())
        .collect();
    let found = reader.read_roots(&root.node, &keys).await.expect("rows by key");
    let numbers: Vec<u32> = (0..count as u32).collect();
    assert_eq!(
        (found.numbers, found.keys.len()),
        (numbers, count),
        "{table} in {:?}",
        bed.family
    );
    for row in 0..count {
        for column in &root.node.table.primary_key {
            let cell = root.node.cell_of(*column).expect("the key is read");
            assert_eq!(found.keys.cell(row, cell), found.rows.cell(row, cell), "{table}");
        }
    }
}

/// Case A35.
#[tokio::test]
async fn borders_of_every_type() {
    let statements = [
        "CREATE TABLE texts (k VARCHAR(20) COLLATE utf8mb4_unicode_ci PRIMARY KEY)",
        "INSERT INTO texts VALUES ('a'), ('Ö'), ('b'), ('Z'), (''), ('\\\\'), ('it''s'), ('n')",
        "CREATE TABLE latin (k VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY)",
        "INSERT INTO latin VALUES ('é'), ('a'), ('z'), ('ÿ')",
        "CREATE TABLE bins (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY)",
        "INSERT INTO bins VALUES ('a'), ('A'), ('ä'), ('b')",
        "CREATE TABLE longs (k BIGINT PRIMARY KEY)",
        "INSERT INTO longs VALUES (-5), (0), (9223372036854775807), (1000000000000)",
        "CREATE TABLE unsigneds (k BIGINT UNSIGNED PRIMARY KEY)",
        "INSERT INTO unsigneds VALUES (0), (18446744073709551615), (9223372036854775808)",
        "CREATE TABLE decimals (k DECIMAL(20,5) PRIMARY KEY)",
        "INSERT INTO decimals VALUES (-1.5), (0), (1.00001), (100000000000000.12345)",
        "CREATE TABLE floats (k FLOAT PRIMARY KEY)",
        "INSERT INTO floats VALUES (1.1), (-1.1), (1.23456789), (1e30)",
        "CREATE TABLE doubles (k DOUBLE PRIMARY KEY)",
        "INSERT INTO doubles VALUES (1.1), (-1e300), (0.1), (1e300)",
        "CREATE TABLE bytes (k BINARY(4) PRIMARY KEY)",
        "INSERT INTO bytes VALUES (X'01'), (X'0100FF'), (X'5C27225C'), (X'00')",
        "CREATE TABLE vars (k VARBINARY(20) PRIMARY KEY)",
        "INSERT INTO vars VALUES (X''), (X'00'), (X'0000'), (X'FF'), (X'2720')",
        "CREATE TABLE bits (k BIT(12) PRIMARY KEY)",
        "INSERT INTO bits VALUES (b'0'), (b'1'), (b'100000000000'), (b'111111111111')",
        "CREATE TABLE enums (k ENUM('z', 'it''s', 'a') PRIMARY KEY)",
        "INSERT INTO enums VALUES ('a'), ('z'), ('it''s')",
        "CREATE TABLE sets (k SET('z', 'b', 'a') PRIMARY KEY)",
        "INSERT INTO sets VALUES (''), ('z'), ('z,a'), ('b'), ('z,b,a')",
        "CREATE TABLE dates (k DATE PRIMARY KEY)",
        "INSERT INTO dates VALUES ('0000-00-00'), ('2020-00-15'), ('2020-01-01'), ('9999-12-31')",
        "CREATE TABLE moments (k DATETIME(6) PRIMARY KEY)",
        "INSERT INTO moments VALUES ('2020-01-01 00:00:00.000001'), ('2020-01-01 00:00:00.000002'), ('0000-00-00')",
        "CREATE TABLE stamps (k TIMESTAMP(6) PRIMARY KEY)",
        "INSERT INTO stamps VALUES ('2020-01-01 00:00:00.5'), ('2038-01-01'), (0)",
        "CREATE TABLE times (k TIME(1) PRIMARY KEY)",
        "INSERT INTO times VALUES ('-838:59:59'), ('-00:00:01.5'), ('00:00:00'), ('100:00:00')",
        "CREATE TABLE years (k YEAR PRIMARY KEY)",
        "INSERT INTO years VALUES (0), (1901), (2155)",
        "CREATE TABLE pairs (a INT, b VARCHAR(5) COLLATE utf8mb4_general_ci, c ENUM('y', 'x'), PRIMARY KEY (a, b, c))",
        "INSERT INTO pairs VALUES (1, 'a', 'x'), (1, 'a', 'y'), (1, 'B', 'x'), (2, '', 'y'), (2, 'z', 'y')",
    ];
    on_both("borders", &statements, async |bed| {
        for (table, count) in [
            ("texts", 8),
            ("latin", 4),
            ("bins", 4),
            ("longs", 4),
            ("unsigneds", 3),
            ("decimals", 4),
            ("floats", 4),
            ("doubles", 4),
            ("bytes", 4),
            ("vars", 5),
            ("bits", 4),
            ("enums", 3),
            ("sets", 5),
            ("dates", 4),
            ("moments", 3),
            ("stamps", 3),
            ("times", 4),
            ("years", 3),
            ("pairs", 5),
        ] {
            every_key_is_a_border(bed, table, count).await;
        }
    })
    .await;
}

/// The parts of a table hold every row once, however its keys lie.
#[tokio::test]
async fn cuts_hold_every_row_once() {
    let statements = [
        "CREATE TABLE seq (n INT PRIMARY KEY)",
        "INSERT INTO seq VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
        "CREATE TABLE gaps (k BIGINT PRIMARY KEY, pad CHAR(200))",
        "INSERT INTO gaps SELECT a.n * 1000 + b.n * 100 + c.n * 10 + d.n, 'x' FROM seq a, seq b, seq c, seq d",
        "UPDATE gaps SET k = k + 1000000000000000 WHERE k >= 5000 ORDER BY k DESC",
        "INSERT INTO gaps VALUES (-9223372036854775808, 'x'), (9223372036854775807, 'x')",
        "CREATE TABLE names (k VARCHAR(40) COLLATE utf8mb4_general_ci PRIMARY KEY, pad CHAR(200))",
        "INSERT INTO names SELECT CONCAT('User', MD5(k)), 'x' FROM gaps",
        "CREATE TABLE pairs (a INT, b INT, pad CHAR(200), PRIMARY KEY (a, b))",
        "INSERT INTO pairs SELECT IF(k < 9000, 1, 2), k, 'x' FROM gaps WHERE k BETWEEN 0 AND 4999",
        "INSERT INTO pairs SELECT 2, n, 'x' FROM seq",
        "CREATE TABLE uuids (k BINARY(16) PRIMARY KEY, pad CHAR(200))",
        "INSERT INTO uuids SELECT UNHEX(MD5(k)), 'x' FROM gaps",
        "CREATE TABLE days (k DATETIME PRIMARY KEY, pad CHAR(200))",
        "INSERT INTO days SELECT '2020-01-01' + INTERVAL k HOUR, 'x' FROM gaps WHERE k BETWEEN 0 AND 4999",
        "ANALYZE TABLE gaps, names, pairs, uuids, days",
    ];
    on_both("cuts", &statements, async |bed| {
        for table in ["gaps", "names", "pairs", "uuids", "days"] {
            let plan = plan_of(bed, table).await;
            let root = &plan.collections[0].roots[0];
            let snapshot = bed.point(&plan, 1).await;
            let cuts = snapshot
                .split_keys(&root.node.table, 100 << 10, 12)
                .await
                .expect("cuts");
            assert!(
                (3..=40).contains(&cuts.len()),
                "{table} in {:?}: {} cuts",
                bed.family,
                cuts.len()
            );
            let all = read(bed, &plan, &KeyRange::default()).await;
            let (mut found, mut from, mut largest) = (Vec::new(), None, 0);
            for to in cuts.into_iter().map(Some).chain([None]) {
                let part = read(bed, &plan, &KeyRange { from, to: to.clone() }).await;
                largest = largest.max(part.len());
                found.extend(part);
                from = to;
            }
            assert_eq!(found, all, "{table} in {:?}", bed.family);
            assert!(
                largest * 2 < all.len(),
                "{table} in {:?}: a part has {largest} rows",
                bed.family
            );
        }
    })
    .await;
}

#[tokio::test]
async fn rows_are_searched_and_counted() {
    let statements = [
        "CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(20), d DATE)",
        "CREATE TABLE c (id INT PRIMARY KEY, p INT)",
        "INSERT INTO p VALUES (1, 'Anna 100%', '2020-01-01'), (2, 'bert', NULL)",
        "INSERT INTO c VALUES (1, 1), (2, 1), (3, NULL), (4, 99)",
    ];
    on_both("search", &statements, async |bed| {
        let catalog = bed.catalog().await;
        let session = bed.session().await;
        let table = bed.table(&catalog, "p");
        let search = async |text: &str| session.search(table, text, 10).await.expect("an answer");
        assert_eq!(search("ANNA").await, [["1"]]);
        assert_eq!(search("00%").await, [["1"]]);
        assert_eq!(search("2020-01").await, [["1"]]);
        assert_eq!(search("0_").await, Vec::<Vec<String>>::new());
        for (value, is_one) in [("1", true), ("x", false), ("1; DROP TABLE p", false)] {
            let found = session.are_values(table, &[value.to_owned()]).await.expect("an answer");
            assert_eq!(found, is_one, "{value}");
        }
        let spec = json!({"collections": [{"table": "$.p", "collection": "ps", "embed": [
            {"table": "$.c", "kind": "array", "path": "cs"}]}],
            "synthetic": [{"name": "s", "table": "$.c", "columns": ["p"], "ref": "$.p", "ref_columns": ["id"]}]});
        let plan = bed.plan(&catalog, &spec).await;
        let child = &plan.collections[0].roots[0].node.children[0];
        let join = child.join.as_ref().expect("a join");
        let matched = session.match_key(table, &child.table, join).await.expect("counts");
        assert_eq!(
            (
                matched.rows,
                matched.nulls,
                matched.matching,
                matched.most_for_one,
                matched.is_target_unique
            ),
            (4, 1, 2, 2, true)
        );
        assert_eq!(matched.examples, [["99"]]);
        assert_eq!(session.count_rows(table, None).await.expect("a count"), 2);
    })
    .await;
}

/// A row of a table without a key is found again by what it prints.
#[tokio::test]
async fn keyless_rows_are_found_again() {
    let statements = [
        "CREATE TABLE t (a INT, f FLOAT, s VARCHAR(5) CHARACTER SET latin1, x TEXT, b BLOB, j JSON, d DATETIME(3))",
        r#"INSERT INTO t VALUES (1, 1.1, 'é', 'ü\\', X'00FF', '{"a":1}', '2020-01-01'), (1, 1.1, 'é', 'ü\\', X'00FF', '{"a":1}', '2020-01-01')"#,
        "INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL)",
    ];
    on_both("found", &statements, async |bed| {
        let plan = plan_of(bed, "t").await;
        let root = &plan.collections[0].roots[0];
        let snapshot = bed.point(&plan, 1).await;
        let reader = snapshot.reader().await.expect("a reader");
        let mut stream = reader
            .stream_roots(&root.node, &KeyRange::default(), true, None)
            .await
            .expect("rows");
        let rows = stream.next_rows(10, 1 << 20).await.expect("rows").expect("rows");
        let printed: Vec<Vec<Option<String>>> = (0..rows.len())
            .map(|row| {
                let cells = (0..root.node.columns.len()).map(|cell| {
                    let column = &root.node.table.columns[root.node.columns[cell]];
                    rows.cell(row, cell).map(|bytes| column.decoder.key_text(bytes))
                });
                cells.collect()
            })
            .collect();
        let keys: Vec<Vec<Option<&str>>> = [0, 2]
            .map(|row: usize| printed[row].iter().map(Option::as_deref).collect())
            .into();
        let found = reader.read_roots(&root.node, &keys).await.expect("rows by key");
        let mut counts = [0, 0];
        found.numbers.iter().for_each(|n| counts[*n as usize] += 1);
        assert_eq!(
            (counts, found.keys.len()),
            (if printed[0][1].is_none() { [1, 2] } else { [2, 1] }, 2)
        );
    })
    .await;
}
