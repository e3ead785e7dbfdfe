//! Values in the log are printed as a read prints them: keys of both are compared (C33, group E).

use super::bed::{Bed, on_both};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use godwit::data::change::{ChangeSink, ImageCell, RowChange};
use godwit::data::position::{LogPosition, TransactionId};
use godwit::plan::Plan;
use godwit::source::api::{Snapshot, Source};
use godwit::source::change_log::{ChangeLog, KeepLog, LogState, Needed, NotKept, Preparation, ServerIdentity, Watched};
use godwit_tests::api::LONG;
use serde_json::json;
use std::sync::Arc;

type Row = Vec<Option<String>>;
const ABSENT: &str = "<absent>";

/// Keeps the images of what comes.
#[derive(Default)]
struct Images {
    old: Vec<Row>,
    new: Vec<Row>,
    reached: LogPosition,
}

fn row(image: &[ImageCell<'_>]) -> Row {
    let cell = |cell: &ImageCell<'_>| match cell {
        ImageCell::Null => None,
        ImageCell::Text(text) => Some((*text).to_owned()),
        ImageCell::Unchanged | ImageCell::Absent => Some(ABSENT.into()),
    };
    image.iter().map(cell).collect()
}

impl ChangeSink for Images {
    fn begin(&mut self, _transaction: TransactionId, _committed_at: DateTime<Utc>) {}

    fn row(&mut self, change: RowChange<'_>) {
        self.old.extend(change.old.map(row));
        self.new.extend(change.new.map(row));
    }

    fn truncate(&mut self, _table: usize) {}

    fn rewritten(&mut self, _table: usize, _what: &'static str) {}

    fn unknown(&mut self) {}

    fn commit(&mut self, end: LogPosition) {
        self.reached = end;
    }

    fn reached(&mut self, position: LogPosition) {
        self.reached = position;
    }

    fn is_full(&self) -> bool {
        false
    }
}

struct Nowhere;

#[async_trait]
impl KeepLog for Nowhere {
    async fn keep(&self, _log: &LogState) -> Result<(), NotKept> {
        Ok(())
    }
}

/// Everything that the log has of a plan's tables between two positions.
async fn between(log: &dyn ChangeLog, plan: &Plan, server: &ServerIdentity, from: LogPosition) -> Images {
    let watched = Watched::of(plan, &log.new_state("p", "j"));
    let end = log
        .control()
        .await
        .expect("a connection")
        .log_end()
        .await
        .expect("the end");
    let mut opened = log.open(&watched, server, from).await.unwrap_or_else(|e| panic!("{e}"));
    opened.stream.start(from).await.expect("a stream");
    let mut images = Images::default();
    let reading = async {
        while images.reached < end {
            opened.stream.ready().await.expect("events");
            opened.stream.read(&mut images).await.expect("events");
        }
    };
    tokio::time::timeout(LONG, reading).await.expect("the end of the log");
    images
}

/// The rows of the table as a reader prints them.
async fn printed(bed: &Bed, plan: &Plan) -> Vec<Row> {
    let table = &plan.tables()[0];
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    let point = bed.point(plan, 1).await;
    let reader = point.reader().await.expect("a reader");
    let mut stream = reader.stream_values(table, None, &columns).await.expect("values");
    let mut all = Vec::new();
    while let Some(rows) = stream.next_rows(1_000, 1 << 24).await.expect("values") {
        for row in 0..rows.len() {
            let cells = columns
                .iter()
                .map(|c| rows.cell(row, *c).map(|b| String::from_utf8_lossy(b).into_owned()));
            all.push(cells.collect());
        }
    }
    all
}

/// Numbers without an exact form are compared as such.
fn comparable(table: &Arc<godwit::data::catalog::CatalogTable>, rows: &[Row], left_out: &[&str]) -> Vec<Row> {
    let cell = |(place, cell): (usize, &Option<String>)| {
        let column = &table.columns[place];
        match cell {
            _ if left_out.contains(&column.name.as_str()) => None,
            Some(text) if column.type_text.starts_with("float") || column.type_text.starts_with("double") => {
                Some(text.parse::<f64>().map_or_else(|_| text.clone(), |n| format!("{n:?}")))
            }
            cell => cell.clone(),
        }
    };
    let mut rows: Vec<Row> = rows
        .iter()
        .map(|row| row.iter().enumerate().map(cell).collect())
        .collect();
    rows.sort();
    rows
}

const COMMON: &str = "
    n TINYINT, nu TINYINT UNSIGNED, b BOOL, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT,
    iu INT UNSIGNED, l BIGINT, lu BIGINT UNSIGNED, z INT(8) ZEROFILL, de DECIMAL(65,30), dm DECIMAL(10,2), dz DECIMAL(5,0),
    dw DECIMAL(18,9), f FLOAT, d DOUBLE, b1 BIT(1), b8 BIT(8), b64 BIT(64), b13 BIT(13),
    cl CHAR(6) CHARACTER SET latin1, vl VARCHAR(300) CHARACTER SET latin1, v4 VARCHAR(50) CHARACTER SET utf8mb4,
    c4 CHAR(80) CHARACTER SET utf8mb4, v3 VARCHAR(50) CHARACTER SET utf8, u2 VARCHAR(20) CHARACTER SET ucs2,
    u16 VARCHAR(20) CHARACTER SET utf16, u32 VARCHAR(20) CHARACTER SET utf32, gb VARCHAR(20) CHARACTER SET gbk,
    bi BINARY(4), vb VARBINARY(20), tb TINYBLOB, bb BLOB, lb LONGBLOB, tt TINYTEXT, tx TEXT CHARACTER SET latin1,
    mt MEDIUMTEXT, e ENUM('a','it''s','x,y','é'), st SET('r','g','b'), da DATE, t0 TIME, t1 TIME(1), t2 TIME(2), t3 TIME(3),
    t6 TIME(6), d0 DATETIME, d2 DATETIME(2), d4 DATETIME(4), d6 DATETIME(6), ts0 TIMESTAMP NULL, ts3 TIMESTAMP(3) NULL,
    ts6 TIMESTAMP(6) NULL, y YEAR, p POINT, js JSON, gv INT AS (i + 1) VIRTUAL, gs INT AS (i * 2) STORED";

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_printed_as_a_read_prints_it() {
    on_both("images", &[], async |bed| {
        let own = if bed.is_mariadb() {
            ", u UUID, i6 INET6, i4 INET4, inv INT INVISIBLE"
        } else {
            ""
        };
        let create = format!("CREATE TABLE t (k INT, {COMMON}{own})");
        let columns = "k, n, nu, b, s, su, m, mu, i, iu, l, lu, z, de, dm, dz, dw, f, d, b1, b8, b64, b13, cl, vl, v4, c4, v3, u2, \
            u16, u32, gb, bi, vb, tb, bb, lb, tt, tx, mt, e, st, da, t0, t1, t2, t3, t6, d0, d2, d4, d6, ts0, ts3, ts6, y, p, js";
        let (more, of_one, of_two) = match bed.is_mariadb() {
            true => (
                ", u, i6, i4, inv",
                ", '123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '192.168.0.1', 5",
                ", '01890a5d-ac96-774b-bcce-b302099a8000', '::', '0.0.0.0', NULL",
            ),
            false => ("", "", ""),
        };
        let one = format!(
            "INSERT INTO t ({columns}{more}) VALUES (1, -128, 255, 1, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, \
            -9223372036854775808, 18446744073709551615, 42, -12345678901234567890123456789012345.678901234567890123456789012345, \
            -1.10, -99999, 123456789.000000001, 1.23456789, 1e300, b'1', b'10000001', b'{ones}', b'1000000000001', 'é€ab', \
            'AbC ', '😀é', 'ab  ', 'ünï', 'é', '😀', '€', 'abc', x'01000000', x'0100', x'00ff', '', x'00', 'tiny', 'Straße', 'm', \
            'it''s', 'r,b', '2020-02-29', '-838:59:59', '-00:00:01.5', '12:34:56.78', '-12:34:56.789', '-00:00:00.000001', \
            '1000-01-01 00:00:00', '2020-02-29 12:00:00.12', '9999-12-31 23:59:59.9999', '2020-02-29 12:00:00.123456', \
            '2001-02-03 04:05:06', '2001-02-03 04:05:06.789', '2038-01-19 03:14:07.999999', 2155, ST_GeomFromText('POINT(1 2)'), \
            '{{\"b\": 1}}'{of_one})",
            ones = "1".repeat(64)
        );
        let two = format!(
            "INSERT INTO t ({columns}{more}) VALUES (2, 127, 0, 0, 32767, 0, 8388607, 0, 2147483647, 0, 9223372036854775807, 0, 0, \
            0.000000000000000000000000000001, 0.00, 0, -0.000000001, -16777217, -0.0, b'0', b'0', b'0', b'0', '', '', '', '', '', \
            '', '', '', '', x'00000000', '', '', x'{long}', '', '', '', '', 'nothing', '', '0000-00-00', '00:00:00', '838:59:59', \
            '00:00:00.01', '23:59:59.999', '100:00:00.5', '0000-00-00 00:00:00', '2020-00-15 00:00:00', '2020-05-00 10:00:00', \
            '0000-00-00 00:00:00', '0000-00-00 00:00:00', '1970-01-01 00:00:01', '1970-01-01 00:00:01.000001', 0, NULL, \
            NULL{of_two})",
            long = "AB".repeat(70_000)
        );
        bed.server.execute(&bed.database, &[&create]).await;
        let catalog = bed.catalog().await;
        let spec = json!({"key": "GENERATED", "collections": [{"table": "$.t", "collection": "ts"}]});
        let plan = bed.plan(&catalog, &spec).await;
        let log = bed.source.change_log().expect("a log");
        let needed = Needed {
            plan: &plan,
            preparation: &Preparation::Nothing,
            prepares_source: false,
            readers: 1,
        };
        let mut state = log.new_state("p", "j");
        let begun = log.begin(&mut state, &needed, &Nowhere).await.unwrap_or_else(|e| panic!("{e}"));
        // MySQL's JSON has a form of its own in the log, and what is generated follows from the rest.
        let left_out: &[&str] = if bed.is_mariadb() { &["gv", "gs"] } else { &["js", "gv", "gs"] };
        let table = plan.tables()[0].clone();
        let check = |what: &str, found: &[Row], expected: &[Row]| {
            let (found, expected) = (comparable(&table, found, left_out), comparable(&table, expected, left_out));
            assert_eq!(found.len(), expected.len(), "{:?}: {what}", bed.family);
            for (found, expected) in found.iter().zip(&expected) {
                for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let column = &table.columns[place];
                    assert_eq!(found, expected, "{:?}: {what}: {} {}", bed.family, column.name, column.type_text);
                }
            }
        };
        let nulls = "INSERT INTO t (k) VALUES (3)";
        bed.server.execute(&bed.database, &[&one, &two, nulls]).await;
        let rows = printed(bed, &plan).await;
        assert_eq!(rows.len(), 3);
        let images = between(&*log, &plan, &begun.server, begun.position).await;
        check("inserted", &images.new, &rows);
        let before = images.reached;
        bed.server.execute(&bed.database, &["UPDATE t SET k = k + 10"]).await;
        let images = between(&*log, &plan, &begun.server, before).await;
        check("before an update", &images.old, &rows);
        check("after it", &images.new, &printed(bed, &plan).await);
        let (before, rows) = (images.reached, printed(bed, &plan).await);
        bed.server.execute(&bed.database, &["DELETE FROM t"]).await;
        let images = between(&*log, &plan, &begun.server, before).await;
        check("deleted", &images.old, &rows);
    })
    .await;
}
