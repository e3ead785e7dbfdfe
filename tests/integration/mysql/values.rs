//! Every type, as it comes from a real server.

use super::bed::on_both;
use godwit::data::value::Note;
use serde_json::{Value as Json, json};

/// Checks the cells of each row of a table, whose first column is its key.
async fn check(hint: &str, statements: &[&str], expected: &[Json]) {
    on_both(hint, statements, async |bed| {
        let rows = bed.rows("t").await;
        let found: Vec<Json> = rows
            .iter()
            .map(|row| row[1..].iter().map(|(value, _)| value.clone()).collect())
            .collect();
        assert_eq!(found, expected, "{:?}", bed.family);
    })
    .await;
}

#[tokio::test]
async fn integers_and_bits() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, b TINYINT(1), t TINYINT, tu TINYINT UNSIGNED, i INT, iu INT UNSIGNED, l BIGINT, \
         lu BIGINT UNSIGNED, z INT(6) ZEROFILL, y YEAR, f BIT(1), f8 BIT(8), f64 BIT(64))",
        "INSERT INTO t VALUES (1, 1, -128, 255, -2147483648, 4294967295, -9223372036854775808, 18446744073709551615, 42, \
         2024, b'1', b'10000001', b'1111111111111111111111111111111111111111111111111111111111111111')",
        "INSERT INTO t VALUES (2, 0, 127, 0, 2147483647, 0, 9223372036854775807, 9223372036854775807, 0, 0, b'0', b'0', b'0')",
        "INSERT INTO t (id) VALUES (3)",
    ];
    let nulls = Json::Array(vec![Json::Null; 12]);
    let expected = [
        json!([
            true,
            -128,
            255,
            -2147483648,
            "4294967295L",
            "-9223372036854775808L",
            "D18446744073709551615",
            "42L",
            2024,
            true,
            "81",
            "ffffffffffffffff"
        ]),
        json!([
            false,
            127,
            0,
            2147483647,
            "0L",
            "9223372036854775807L",
            "9223372036854775807L",
            "0L",
            0,
            false,
            "00",
            "0000000000000000"
        ]),
        nulls,
    ];
    check("ints", &statements, &expected).await;
}

#[tokio::test]
async fn numbers_with_fractions() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, f FLOAT, f73 FLOAT(7,3), d DOUBLE, n DECIMAL(10,2), big DECIMAL(65,30))",
        "INSERT INTO t VALUES (1, 1.23456789, 123.456, 1e300, 1.10, \
         12345678901234567890123456789012343.123456789012345678901234567890)",
        "INSERT INTO t VALUES (2, 16777217, 1.5, -0.1, -0.05, 0)",
        "INSERT INTO t VALUES (3, 1.1, 0, 1.7976931348623157e308, 0, 0.000000000000000000000000000001)",
    ];
    let expected = [
        json!([
            1.234_567_9,
            123.456,
            1e300,
            "D1.10",
            "D1.234567890123456789012345678901234E+34"
        ]),
        json!([16_777_216.0, 1.5, -0.1, "D-0.05", "D0E-30"]),
        json!([1.1, 0.0, 1.797_693_134_862_315_7e308, "D0.00", "D1E-30"]),
    ];
    check("fractions", &statements, &expected).await;
}

#[tokio::test]
async fn texts_of_all_character_sets() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, l VARCHAR(20) CHARACTER SET latin1, u VARCHAR(20) CHARACTER SET utf8mb4, \
         k VARCHAR(20) CHARACTER SET koi8r, c CHAR(5) CHARACTER SET utf8 COLLATE utf8_bin, x LONGTEXT, \
         e ENUM('b', 'it''s', '') CHARACTER SET latin1, s SET('x', 'y', 'z'), b VARCHAR(5) COLLATE utf8mb4_bin)",
        "INSERT INTO t VALUES (1, 'é ÿ', '😀\\\\''', 'привет', 'ab', REPEAT('a', 70000), 'it''s', 'z,x', 'a ')",
        "INSERT INTO t VALUES (2, '', '', '', '', '', '', '', '')",
    ];
    let expected = [
        json!([
            "é ÿ",
            "😀\\'",
            "привет",
            "ab",
            "a".repeat(70000),
            "it's",
            ["x", "z"],
            "a "
        ]),
        json!(["", "", "", "", "", "", [], ""]),
    ];
    check("texts", &statements, &expected).await;
}

#[tokio::test]
async fn bytes() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, b BINARY(4), v VARBINARY(10), l LONGBLOB)",
        "INSERT INTO t VALUES (1, X'01', X'00FF5C27', REPEAT(X'00', 5))",
        "INSERT INTO t VALUES (2, X'', X'', X'')",
    ];
    let expected = [
        json!(["01000000", "00ff5c27", "0000000000"]),
        json!(["00000000", "", ""]),
    ];
    check("bytes", &statements, &expected).await;
}

#[tokio::test]
async fn a_large_value_comes_whole() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, l LONGBLOB)",
        "INSERT INTO t VALUES (1, REPEAT('x', 3000000))",
        "UPDATE t SET l = CONCAT(l, l, l, l)",
    ];
    on_both("large", &statements[..2], async |bed| {
        let rows = bed.rows("t").await;
        assert_eq!(rows[0][1].0.as_str().map(str::len), Some(6_000_000));
    })
    .await;
}

#[tokio::test]
async fn dates_and_times() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE, dt DATETIME(6), ts TIMESTAMP(3) NULL, t TIME(2))",
        "INSERT INTO t VALUES (1, '2000-02-29', '1969-12-31 23:59:59.999999', '2020-01-01 00:00:00.5', '-838:59:58.25')",
        "INSERT INTO t VALUES (2, '9999-12-31', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01', '25:00:00')",
        "INSERT INTO t VALUES (3, '0000-00-00', '2020-00-15 10:00:00', 0, '00:00:00')",
        "INSERT INTO t VALUES (4, '2021-02-30', '1000-01-01', NULL, NULL)",
    ];
    let expected = [
        json!(["@951782400000", "@-1", "@1577836800500", "-838:59:58.25"]),
        json!(["@253402214400000", "@253402300799999", "@1000", "25:00:00.00"]),
        json!([null, null, null, "00:00:00.00"]),
        json!([null, "@-30610224000000", null, null]),
    ];
    check("dates", &statements, &expected).await;
    on_both("dates_notes", &statements, async |bed| {
        let rows = bed.rows("t").await;
        assert_eq!(rows[0][2].1, [Note::BelowMillisecond]);
        assert_eq!(rows[2][1].1, [Note::NoSuchDate]);
        assert_eq!(rows[2][2].1, [Note::NoSuchDate]);
        assert_eq!(rows[3][1].1, [Note::NoSuchDate]);
        assert_eq!(rows[3][3].1, []);
    })
    .await;
}

#[tokio::test]
async fn json_and_geometries() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, j JSON, p POINT, g GEOMETRY)",
        r#"INSERT INTO t VALUES (1, '{"b":1,"a":[1.5,null,"é"],"big":12345678901}', ST_GeomFromText('POINT(1 2)'),
           ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326))"#,
        "INSERT INTO t VALUES (2, '3', NULL, ST_GeomFromText('POINT(1 2)', 3857))",
        "INSERT INTO t VALUES (3, 'null', NULL, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),MULTIPOINT(3 4,5 6))'))",
    ];
    on_both("json", &statements, async |bed| {
        let rows = bed.rows("t").await;
        let cell = |row: usize, column: usize| rows[row][column].0.clone();
        assert_eq!(cell(0, 1)["a"], json!([1.5, null, "é"]));
        assert_eq!(
            (cell(0, 1)["b"].clone(), cell(0, 1)["big"].clone()),
            (json!(1), json!("12345678901L"))
        );
        assert_eq!(cell(0, 2), json!({"type": "Point", "coordinates": [1.0, 2.0]}));
        let ring = json!([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]);
        assert_eq!(cell(0, 3), json!({"type": "Polygon", "coordinates": ring}));
        assert_eq!((cell(1, 1), cell(1, 3)["srid"].clone()), (json!(3), json!(3857)));
        assert_eq!(cell(2, 1), Json::Null);
        assert_eq!(
            cell(2, 3)["geometries"][1]["coordinates"],
            json!([[3.0, 4.0], [5.0, 6.0]])
        );
    })
    .await;
}

#[tokio::test]
async fn booleans_that_are_none() {
    let statements = [
        "CREATE TABLE t (id INT PRIMARY KEY, b BOOL)",
        "INSERT INTO t VALUES (1, 5)",
    ];
    on_both("bools", &statements, async |bed| {
        let rows = bed.rows("t").await;
        assert_eq!(rows[0][1], (json!(5), vec![Note::NotBoolean]));
    })
    .await;
}

#[tokio::test]
async fn types_of_mariadb_alone() {
    let statements = ["CREATE TABLE t (id INT PRIMARY KEY)"];
    on_both("own_types", &statements, async |bed| {
        if !bed.is_mariadb() {
            return;
        }
        let more = [
            "CREATE TABLE u (id INT PRIMARY KEY, u UUID, i4 INET4, i6 INET6, h INT INVISIBLE, c TEXT COMPRESSED)",
            "INSERT INTO u (id, u, i4, i6, h, c) VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '10.0.0.1', '::1', 7, 'x')",
            "CREATE SEQUENCE s",
            "CREATE TABLE v (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING",
            "INSERT INTO v VALUES (1, 1)",
            "UPDATE v SET a = 2",
        ];
        bed.server.execute(&bed.database, &more).await;
        let rows = bed.rows("u").await;
        let found: Vec<Json> = rows[0][1..].iter().map(|(value, _)| value.clone()).collect();
        assert_eq!(json!(found), json!(["123e4567-e89b-12d3-a456-426655440000", "10.0.0.1", "::1", 7, "x"]));
        let rows = bed.rows("v").await;
        assert_eq!((rows.len(), rows[0][1].0.clone()), (1, json!(2)), "rows of now");
        assert_eq!(bed.catalog().await.tables.len(), 3, "a sequence is no table");
    })
    .await;
}
