//! Whether the documents of orders say what the tables say: numbers of rows and sums of columns of every table.

use super::following::Following;
use crate::plans::ORDERS;
use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;

const SOURCE: &str = "
    select (select count(*) from orders), (select count(*) from lineitem),
      (select sum(o_totalprice) * 100 from orders)::int8, (select sum(l_quantity) * 100 from lineitem)::int8,
      (select sum(l_extendedprice) * 100 from lineitem)::int8,
      (select sum(l_shipdate - date '1970-01-01') from lineitem)::int8,
      (select sum(c_acctbal) * 100 from orders join customer on c_custkey = o_custkey)::int8";

const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;

/// Panics where they differ.
pub async fn check(f: &Following) {
    let row = f.sql.query_one(SOURCE, &[]).await.expect("the sums of the source");
    let expected: Vec<i64> = (0..row.len()).map(|i| row.get(i)).collect();
    let found = documents(f).await;
    assert_eq!(
        found, expected,
        "orders, lines, and the sums of o_totalprice, l_quantity, l_extendedprice, l_shipdate, c_acctbal"
    );
}

async fn documents(f: &Following) -> Vec<i64> {
    let of_lines = |field: &str| doc! {"$sum": {"$sum": format!("$lines.{field}")}};
    let days = doc! {"$map": {"input": {"$ifNull": ["$lines", []]}, "in": {"$divide": [{"$toLong": "$$this.l_shipdate"}, MILLISECONDS_OF_A_DAY]}}};
    let group = doc! {
        "_id": null,
        "orders": {"$sum": 1},
        "lines": {"$sum": {"$size": {"$ifNull": ["$lines", []]}}},
        "price": {"$sum": "$o_totalprice"},
        "quantity": of_lines("l_quantity"),
        "extended": of_lines("l_extendedprice"),
        "shipped": {"$sum": {"$sum": days}},
        "balance": {"$sum": "$customer.c_acctbal"},
    };
    let orders = f.target.database.collection::<Document>(ORDERS.collection);
    let answer = orders.aggregate([doc! {"$group": group}]).await;
    let sums: Vec<Document> = answer
        .expect("the sums of the documents")
        .try_collect()
        .await
        .expect("the sums of the documents");
    let sums = sums.first().expect("there are documents");
    let number = |name: &str| number(sums.get(name).expect("a sum"));
    vec![
        number("orders") as i64,
        number("lines") as i64,
        (number("price") * 100.0).round() as i64,
        (number("quantity") * 100.0).round() as i64,
        (number("extended") * 100.0).round() as i64,
        number("shipped") as i64,
        (number("balance") * 100.0).round() as i64,
    ]
}

fn number(value: &Bson) -> f64 {
    match value {
        Bson::Int32(n) => f64::from(*n),
        Bson::Int64(n) => *n as f64,
        Bson::Decimal128(n) => n.to_string().parse().expect("a decimal"),
        Bson::Double(n) => *n,
        other => panic!("not a sum: {other:?}"),
    }
}
