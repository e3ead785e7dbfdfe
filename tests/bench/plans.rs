//! What is made of the tables of TPC-H.

use serde_json::{Value, json};

/// A mapping, and what it reads.
#[derive(Clone, Copy)]
pub struct Plan {
    pub name: &'static str,
    /// The collection that it writes, one document for each row of the table of the same name.
    pub collection: &'static str,
    /// Every table that it reads, the root first.
    pub tables: &'static [&'static str],
    /// The source has an index on `orders.o_custkey`.
    pub has_index: bool,
    rules: fn() -> Value,
}

/// The plans of the snapshot benchmark.
pub const SNAPSHOTS: [Plan; 5] = [
    FLAT,
    ORDERS,
    Plan {
        name: "customers",
        collection: "customer",
        tables: &["customer", "orders", "lineitem"],
        has_index: true,
        rules: customers,
    },
    Plan {
        name: "customers-no-index",
        collection: "customer",
        tables: &["customer", "orders", "lineitem"],
        has_index: false,
        rules: customers,
    },
    Plan {
        name: "wide",
        collection: "orders",
        tables: &["orders", "customer", "nation", "region", "lineitem", "part", "supplier"],
        has_index: false,
        rules: wide,
    },
];

/// One document for each line.
pub const FLAT: Plan = Plan {
    name: "flat",
    collection: "lineitem",
    tables: &["lineitem"],
    has_index: false,
    rules: || json!({"table": "lineitem", "collection": "lineitem", "key": "WRAPPED"}),
};

/// The same with a filter that every line passes, and a field that is computed.
pub const SCRIPT: Plan = Plan {
    name: "script",
    rules: || {
        json!({"table": "lineitem", "collection": "lineitem", "key": "WRAPPED",
            "calc": {"price": "columns['l_extendedprice'] * (1 - columns['l_discount'])"},
            "filter": "columns['l_quantity'] > 0"})
    },
    ..FLAT
};

/// A table of few columns and many rows.
pub const NARROW: Plan = Plan {
    name: "narrow",
    collection: "narrow",
    tables: &["narrow"],
    has_index: false,
    rules: || json!({"table": "narrow", "collection": "narrow", "key": "SINGLE"}),
};

/// One document for each order.
pub const HEADS: Plan = Plan {
    name: "heads",
    collection: "orders",
    tables: &["orders"],
    has_index: false,
    rules: || json!({"table": "orders", "collection": "orders", "key": "SINGLE"}),
};

/// Orders with their lines as an array and the customer as a document.
pub const ORDERS: Plan = Plan {
    name: "orders",
    collection: "orders",
    tables: &["orders", "lineitem", "customer"],
    has_index: false,
    rules: || {
        json!({"table": "orders", "collection": "orders", "embed": [
            {"table": "lineitem", "kind": "array", "path": "lines"},
            {"table": "customer", "kind": "doc", "path": "customer"},
        ]})
    },
};

fn customers() -> Value {
    json!({"table": "customer", "collection": "customer", "embed": [
        {"table": "orders", "kind": "array", "path": "orders", "embed": [
            {"table": "lineitem", "kind": "array", "path": "lines"}]}]})
}

fn wide() -> Value {
    json!({"table": "orders", "collection": "orders", "embed": [
        {"table": "customer", "kind": "doc", "path": "customer", "embed": [
            {"table": "nation", "kind": "doc", "path": "nation", "embed": [
                {"table": "region", "kind": "doc", "path": "region"}]}]},
        {"table": "lineitem", "kind": "array", "path": "lines", "embed": [
            {"table": "part", "kind": "doc", "path": "part", "fk": "line_part"},
            {"table": "supplier", "kind": "doc", "path": "supplier", "fk": "line_supplier"}]}]})
}

impl Plan {
    /// The specification of the project, as [`godwit_tests::mapping`] reads it.
    pub fn project(&self) -> Value {
        // TPC-H leads from a line to its part and supplier through the offers of suppliers alone.
        let link = |name: &str, column: &str, table: &str, key: &str| json!({"name": name, "table": "lineitem", "columns": [column], "ref": table, "ref_columns": [key]});
        let links = [
            link("line_part", "l_partkey", "part", "p_partkey"),
            link("line_supplier", "l_suppkey", "supplier", "s_suppkey"),
        ];
        json!({
            "name": self.name,
            "synthetic": if self.tables.contains(&"part") { &links[..] } else { &[] },
            "collections": [(self.rules)()],
        })
    }
}
