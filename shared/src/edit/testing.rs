//! Drafts for tests.

use super::Draft;
use crate::casing::Casing;
use crate::ids::TableId;
use crate::initial::{InitialMapping, content_of};
use crate::mapping::KeyHandling;
use crate::schema::{RelationalModel, TableName};
use serde_json::{Value, json};

/// A column of a table: its type, and whether it is of the primary key.
fn column(place: usize, kind: &str, is_key: bool) -> Value {
    let mut column = json!({"type": {"databaseSpecificType": kind}, "ordinalPosition": place + 1, "nullable": !is_key});
    if is_key {
        column["primaryKey"] = json!({"name": "PRIMARY"});
    }
    column
}

/// `name: type, ...`; a `*` before a name is the primary key, a `!` behind it not null.
pub fn table(columns: &str, keys: &[(&str, &str, &str)]) -> Value {
    let columns: serde_json::Map<String, Value> = columns
        .split(", ")
        .enumerate()
        .map(|(n, c)| {
            let (name, kind) = c.split_once(": ").unwrap();
            let (is_key, is_needed) = (name.starts_with('*'), name.ends_with('!'));
            let bare = name.trim_start_matches('*').trim_end_matches('!');
            let mut made = column(n, kind, is_key);
            made["nullable"] = json!(!is_key && !is_needed);
            (bare.to_owned(), made)
        })
        .collect();
    let keys: serde_json::Map<String, Value> = keys
        .iter()
        .map(|(name, columns, target)| {
            let (table, to) = target.split_once('.').unwrap();
            let (columns, one) = match columns.strip_suffix('!') {
                Some(columns) => (columns, "ZERO_TO_ONE"),
                None => (*columns, "ZERO_TO_MANY"),
            };
            let pairs: Vec<Value> = columns
                .split('+')
                .zip(to.split('+'))
                .map(|(a, b)| json!({"source": a, "target": b}))
                .collect();
            let key = json!({"targetTable": {"database": "db", "schema": "s", "table": table}, "cardinality": one, "columnMappings": pairs});
            ((*name).to_owned(), key)
        })
        .collect();
    json!({"type": "TABLE", "columns": columns, "foreignKeys": keys})
}

/// The tables of the examples that the rules are explained with.
pub fn shop() -> RelationalModel {
    serde_json::from_value(json!({"databases": {"db": {"schemas": {"s": {"tables": {
        "customer": table("*customer_id: int4, full_name: text, referred_by: int4", &[("customer_referred", "referred_by", "customer.customer_id")]),
        "address": table("*address_id: int4, customer_id: int4, city: text", &[("address_customer", "customer_id", "customer.customer_id")]),
        "order_status": table("*code: char(1), label: text", &[]),
        "sales_order": table("*order_id: int4, customer_id: int4, bill_addr: int4, ship_addr: int4, status: char(1), placed_at: timestamptz, total: numeric(10,2)", &[
            ("order_customer", "customer_id", "customer.customer_id"), ("order_bill", "bill_addr", "address.address_id"),
            ("order_ship", "ship_addr", "address.address_id"), ("order_status", "status", "order_status.code")]),
        "order_line": table("*order_id: int4, *line_no: int4, sku: text, qty: int4", &[
            ("line_order", "order_id", "sales_order.order_id"), ("line_product", "sku", "product.sku")]),
        "product": table("*sku: text, title: text, price: numeric(10,2)", &[]),
        "customer_tag": table("*customer_id: int4, *tag: text", &[("tag_customer", "customer_id", "customer.customer_id")]),
        "passport": table("*customer_id: int4, number: text, issued: date", &[("passport_customer", "customer_id!", "customer.customer_id")]),
        "reading": table("sensor: text, taken_at: timestamptz, value: float8", &[])
    }}}}}}))
    .unwrap()
}

/// A draft of the shop, without rules or with one collection for each table.
pub fn draft(initial: InitialMapping) -> Draft {
    let model = shop();
    Draft {
        name: "Shop".to_owned(),
        content: content_of(&model, Casing::CamelCase, KeyHandling::Generated, initial),
        model,
        revision: 0,
    }
}

/// The id of a table of the shop.
pub fn id(draft: &Draft, table: &str) -> TableId {
    draft.table_id(&TableName::new("s", table)).unwrap().clone()
}

/// All of a draft, with the order of every map.
pub fn text(draft: &Draft) -> String {
    serde_json::to_string(draft).unwrap()
}
