//! One point in time for several connections.

use super::bed::{on_both, source_of};
use godwit::data::row::RowSet;
use godwit::source::SourceError;
use godwit::source::api::{Reader, Snapshot};
use godwit::source::mysql::snapshot::{MySqlSnapshot, PointInTime};
use godwit::source::read::KeyRange;
use mysql_async::prelude::Queryable;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ACCOUNTS: [&str; 3] = [
    "CREATE TABLE acc (id INT PRIMARY KEY, bal INT NOT NULL) ENGINE = InnoDB",
    "CREATE TABLE led (id BIGINT PRIMARY KEY AUTO_INCREMENT, acc_id INT, d INT, FOREIGN KEY (acc_id) REFERENCES acc (id))",
    "INSERT INTO acc VALUES (1, 0), (2, 0), (3, 0), (4, 0)",
];

/// Case A32: in every document the balance is the sum of its entries.
#[tokio::test(flavor = "multi_thread")]
async fn all_readers_see_one_point_in_time_while_others_write() {
    on_both("torn", &ACCOUNTS, async |bed| {
        let is_over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..3)
            .map(|n| {
                let (is_over, server, database) = (is_over.clone(), bed.server, bed.database.clone());
                tokio::spawn(async move {
                    let mut conn = server.connect("root", &database).await.expect("a connection");
                    let mut turn = n;
                    while !is_over.load(Ordering::Relaxed) {
                        let (from, to) = (turn % 4 + 1, (turn / 4 + n) % 4 + 1);
                        turn += 1;
                        // A lock that another writer has is waited for or given up.
                        let _ = transfer(&mut conn, from, to).await;
                    }
                })
            })
            .collect();
        let catalog = bed.catalog().await;
        let spec = json!({"collections": [{"table": "$.acc", "collection": "accs", "embed": [
            {"table": "$.led", "kind": "array", "path": "led", "include": ["d"], "primitive": true}]}]});
        let plan = bed.plan(&catalog, &spec).await;
        let root = &plan.collections[0].roots[0];
        let child = &root.node.children[0];
        for _ in 0..10 {
            let snapshot = bed.point(&plan, 4).await;
            assert_ne!(snapshot.point(), PointInTime::OneConnection, "{:?}", bed.family);
            let mut readers = Vec::new();
            for _ in 0..5 {
                readers.push(snapshot.reader().await.expect("a reader"));
            }
            let mut sums = Vec::new();
            for (place, reader) in readers.iter().enumerate() {
                tokio::task::yield_now().await;
                // Each sees the balances with the entries that another sees.
                let balances = column(&**reader, &root.node, "bal").await;
                let entries = column(&*readers[(place + 1) % 5], child, "d").await;
                assert_eq!(balances.iter().sum::<i64>(), 0);
                sums.push((balances, entries.iter().sum::<i64>(), entries.len()));
            }
            assert!(sums.iter().all(|seen| *seen == sums[0]), "{:?}: {sums:?}", bed.family);
            let made = super::bed::documents_of(&plan, &snapshot, &[KeyRange::default()]).await;
            for document in made.documents {
                let entries = document["led"].as_array().expect("entries");
                let sum: i64 = entries.iter().filter_map(serde_json::Value::as_i64).sum();
                assert_eq!(document["bal"].as_i64(), Some(sum), "{:?}: {document}", bed.family);
            }
        }
        is_over.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.expect("a writer");
        }
    })
    .await;
}

async fn transfer(conn: &mut mysql_async::Conn, from: i32, to: i32) -> mysql_async::Result<()> {
    conn.query_drop("START TRANSACTION").await?;
    for (account, amount) in [(from, -1), (to, 1)] {
        conn.query_drop(format!("UPDATE acc SET bal = bal + {amount} WHERE id = {account}"))
            .await?;
        conn.query_drop(format!("INSERT INTO led (acc_id, d) VALUES ({account}, {amount})"))
            .await?;
    }
    conn.query_drop("COMMIT").await
}

/// All values of a column of integers.
async fn column(reader: &dyn Reader, node: &godwit::plan::Node, name: &str) -> Vec<i64> {
    let place = node
        .table
        .column(name)
        .and_then(|c| node.cell_of(c))
        .expect("a column that is read");
    let mut stream = reader
        .stream_roots(node, &KeyRange::default(), true, None)
        .await
        .expect("rows");
    let mut all = Vec::new();
    while let Some(rows) = stream.next_rows(1000, 1 << 20).await.expect("rows") {
        all.extend(numbers(&rows, place));
    }
    all
}

fn numbers(rows: &RowSet, cell: usize) -> Vec<i64> {
    let texts = (0..rows.len()).map(|row| rows.cell(row, cell).expect("a number").to_vec());
    texts
        .map(|t| {
            String::from_utf8(t)
                .ok()
                .and_then(|t| t.parse().ok())
                .expect("a number")
        })
        .collect()
}

#[tokio::test]
async fn without_rights_to_lock_one_connection_reads_all() {
    on_both("alone", &ACCOUNTS, async |bed| {
        let user = format!("r{}", bed.database);
        let user = &user[..user.len().min(16)];
        let mut conn = bed.server.connect("root", &bed.database).await.expect("a connection");
        for sql in [
            format!("DROP USER IF EXISTS {user}@localhost"),
            format!("CREATE USER {user}@localhost"),
            format!("GRANT SELECT ON {}.* TO {user}@localhost", bed.database),
        ] {
            conn.query_drop(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        transfer(&mut conn, 1, 2).await.expect("a transfer");
        let source = source_of(bed.server, user, &bed.database);
        let catalog = bed.catalog().await;
        let spec = json!({"collections": [{"table": "$.acc", "collection": "accs", "embed": [
            {"table": "$.led", "kind": "array", "path": "led", "include": ["d"], "primitive": true}]}]});
        let plan = bed.plan(&catalog, &spec).await;
        let snapshot = MySqlSnapshot::begin(&source, &plan.tables(), 4)
            .await
            .expect("a point in time");
        // The log of a MariaDB needs no right.
        let expected = if bed.is_mariadb() {
            PointInTime::SamePlaceOfLog
        } else {
            PointInTime::OneConnection
        };
        assert_eq!(snapshot.point(), expected);
        transfer(&mut conn, 1, 2).await.expect("a transfer");
        let made = super::bed::documents_of(&plan, &snapshot, &[KeyRange::default()]).await;
        let led: Vec<_> = made.documents.iter().map(|d| d["led"].clone()).collect();
        assert_eq!(json!(led), json!([[-1], [1], [], []]));
        drop(snapshot);
        conn.query_drop(format!("GRANT LOCK TABLES ON {}.* TO {user}@localhost", bed.database))
            .await
            .expect("a right");
        let snapshot = MySqlSnapshot::begin(&source, &plan.tables(), 2)
            .await
            .expect("a point in time");
        let expected = if bed.is_mariadb() {
            PointInTime::SamePlaceOfLog
        } else {
            PointInTime::TableLocks
        };
        assert_eq!(snapshot.point(), expected);
        transfer(&mut conn, 3, 4).await.expect("the lock is gone");
    })
    .await;
}

/// More readers than connections share one.
#[tokio::test]
async fn readers_never_wait_for_each_other() {
    on_both("shared", &ACCOUNTS, async |bed| {
        let catalog = bed.catalog().await;
        let spec = json!({"collections": [{"table": "$.acc", "collection": "accs"}]});
        let plan = bed.plan(&catalog, &spec).await;
        let node = &plan.collections[0].roots[0].node;
        let snapshot = bed.point(&plan, 1).await;
        let (mut readers, mut streams) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            let reader = snapshot.reader().await.expect("a reader");
            streams.push(
                reader
                    .stream_roots(node, &KeyRange::default(), true, None)
                    .await
                    .expect("rows"),
            );
            readers.push(reader);
        }
        for mut stream in streams {
            let rows = stream.next_rows(10, 1 << 20).await.expect("rows").expect("rows");
            assert_eq!(rows.len(), 4);
        }
    })
    .await;
}

#[tokio::test]
async fn a_read_that_is_cut_short_leaves_the_reader_in_its_point_in_time() {
    let statements = [
        "CREATE TABLE seq (n INT PRIMARY KEY)",
        "INSERT INTO seq VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
        "CREATE TABLE t (id INT PRIMARY KEY, pad VARCHAR(2000))",
        "INSERT INTO t SELECT a.n * 1000 + b.n * 100 + c.n * 10 + d.n, REPEAT('x', 2000) FROM seq a, seq b, seq c, seq d",
    ];
    on_both("cut_short", &statements, async |bed| {
        let catalog = bed.catalog().await;
        let spec = json!({"collections": [{"table": "$.t", "collection": "ts"}]});
        let plan = bed.plan(&catalog, &spec).await;
        let node = &plan.collections[0].roots[0].node;
        let snapshot = bed.point(&plan, 1).await;
        bed.server
            .execute(&bed.database, &["DELETE FROM t WHERE id > 10"])
            .await;
        for _ in 0..5 {
            let reader = snapshot.reader().await.expect("a reader");
            let mut stream = reader
                .stream_roots(node, &KeyRange::default(), true, None)
                .await
                .expect("rows");
            let rows = stream.next_rows(10, 1 << 20).await.expect("rows").expect("rows");
            assert_eq!(rows.len(), 10);
            drop(stream);
        }
        let reader = snapshot.reader().await.expect("a reader");
        let mut stream = reader
            .stream_roots(node, &KeyRange::default(), true, None)
            .await
            .expect("rows");
        let mut count = 0;
        while let Some(rows) = stream.next_rows(1000, 1 << 20).await.expect("rows") {
            count += rows.len();
        }
        assert_eq!(
            count, 10_000,
            "{:?}: rows that were there at the point in time",
            bed.family
        );
        drop(stream);
        // One that computes is ended too.
        let mut stream = reader
            .stream_roots(node, &KeyRange::default(), true, None)
            .await
            .expect("rows");
        reader.cancel().await;
        let ended = loop {
            match stream.next_rows(1000, 1 << 20).await {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        assert!(
            matches!(ended, Some(SourceError::Cancelled)),
            "{:?}: {ended:?}",
            bed.family
        );
        assert_eq!(column(&*reader, node, "id").await.len(), 10_000);
    })
    .await;
}

#[tokio::test]
async fn tables_without_transactions_are_named() {
    let statements = [
        "CREATE TABLE m (id INT PRIMARY KEY) ENGINE = MyISAM",
        "CREATE TABLE i (id INT PRIMARY KEY)",
    ];
    on_both("myisam", &statements, async |bed| {
        let catalog = bed.catalog().await;
        let tables: Vec<_> = catalog.tables.values().cloned().collect();
        let snapshot = MySqlSnapshot::begin(&bed.source, &tables, 1)
            .await
            .expect("a point in time");
        assert_eq!(snapshot.unprotected(), [format!("{}.m (MyISAM)", bed.database)]);
    })
    .await;
}
