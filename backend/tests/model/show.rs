//! A case in words, for whoever has to find out why it fails.

use crate::case::Case;
use crate::documents::{Document, Documents};
use crate::history::{Cell, Change, Row};
use crate::log::Identity;
use godwit::plan::Node;
use godwit::plan::routes::{Arrival, decode_key};
use std::fmt::Write as _;

fn row(row: &Row) -> String {
    cells(&row.cells)
}

fn cells(cells: &[Cell]) -> String {
    let cells: Vec<String> = cells.iter().map(|c| c.map_or("-".into(), |v| v.to_string())).collect();
    format!("({})", cells.join(" "))
}

/// Schema, plan and history.
pub fn case(case: &Case) -> String {
    let mut out = String::from("tables (* primary key, ~ large) and their first rows\n");
    for (number, table) in case.schema.tables.iter().enumerate() {
        let columns: Vec<String> = (table.columns.iter().enumerate())
            .map(|(c, column)| {
                let key = if table.primary_key.contains(&c) { "*" } else { "" };
                let large = if column.is_large { "~" } else { "" };
                format!("c{c}{key}{large} {}", column.cast)
            })
            .collect();
        let identity = match case.tables.iter().find(|(t, _)| *t == number) {
            None => "not mapped".into(),
            Some((_, Identity::Full)) => "old rows in full".into(),
            Some((_, Identity::Columns(columns))) => format!("of old rows the columns {columns:?}"),
        };
        let rows: Vec<String> = case.history.versions[0][number].iter().map(row).collect();
        let _ = writeln!(
            out,
            "  t{number}({}), {identity}: {}",
            columns.join(", "),
            rows.join(" ")
        );
    }
    for (number, key) in case.schema.keys.iter().enumerate() {
        let pairs: Vec<String> = key.pairs.iter().map(|(from, to)| format!("c{from} -> c{to}")).collect();
        let _ = writeln!(out, "  k{number}: t{} -> t{} by {}", key.from, key.to, pairs.join(", "));
    }
    out.push_str("plan\n");
    for collection in &case.plan.collections {
        let _ = writeln!(out, "  {}", collection.name);
        collection
            .roots
            .iter()
            .for_each(|root| node(case, &root.node, 2, &mut out));
    }
    let direct = case
        .routes
        .iter()
        .filter(|r| !r.path.is_empty() && r.arrival == Arrival::Root)
        .count();
    let _ = writeln!(
        out,
        "  {} routes, {direct} of children that hold the key of their root",
        case.routes.len()
    );
    out.push_str("transactions in the order of their ends\n");
    for transaction in &case.history.transactions {
        let changes: Vec<String> = transaction.changes.iter().map(change).collect();
        let end = if transaction.is_rolled_back {
            ", rolled back"
        } else {
            ""
        };
        let _ = writeln!(out, "  {}: {}{end}", transaction.number as u32, changes.join("; "));
    }
    out
}

fn node(case: &Case, node_: &Node, depth: usize, out: &mut String) {
    let join = node_.join.as_ref().map_or(String::new(), |join| {
        let pairs: Vec<String> = join
            .pairs
            .iter()
            .map(|p| format!("c{} = parent.c{}", p.own, p.parent))
            .collect();
        format!(" by {}", pairs.join(", "))
    });
    let fields: Vec<String> = node_
        .fields
        .iter()
        .map(|f| format!("c{}", node_.columns[f.cell]))
        .collect();
    let filter = case.filters.get(&node_.rule);
    let filter = filter.map_or(String::new(), |f| format!(" without c{} = {}", f.column, f.value));
    let limit = node_.limit.map_or(String::new(), |limit| format!(" at most {limit}"));
    let (kind, table, indent) = (node_.kind, &node_.table.name.table, "  ".repeat(depth));
    let _ = writeln!(
        out,
        "{indent}{kind:?} of {table}{join} [{}]{filter}{limit}",
        fields.join(" ")
    );
    node_
        .children
        .iter()
        .for_each(|child| node(case, child, depth + 1, out));
}

fn change(change: &Change) -> String {
    match change {
        Change::Row { table, old, new } => match (old, new) {
            (Some(old), Some(new)) => format!("update t{table} {} to {}", row(old), row(new)),
            (Some(old), None) => format!("delete t{table} {}", row(old)),
            (None, Some(new)) => format!("insert t{table} {}", row(new)),
            (None, None) => "nothing".into(),
        },
        Change::Truncate { table } => format!("truncate t{table}"),
    }
}

fn document(document: &Document) -> String {
    let children: Vec<String> = document.children.iter().map(|c| documents(c)).collect();
    format!("{}{}", cells(&document.fields), children.concat())
}

fn documents(all: &[Document]) -> String {
    let all: Vec<String> = all.iter().map(document).collect();
    format!("[{}]", all.join(" "))
}

/// The documents that are not as they should be.
pub fn difference(case: &Case, wanted: &Documents, found: &Documents) -> String {
    let mut out = String::new();
    let mut keys: Vec<_> = wanted.keys().chain(found.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys.into_iter().filter(|key| wanted.get(key) != found.get(key)) {
        let (place, root) = key;
        let show = |all: Option<&Vec<Document>>| all.map_or("nothing".into(), |all| documents(all));
        let name = &case.plan.collections[place.collection].name;
        let key_of_root: Vec<&str> = decode_key(root).into_iter().map(|part| part.unwrap_or("-")).collect();
        let _ = writeln!(
            out,
            "  {name}, root {} ({}):\n    should be {}\n    is        {}",
            place.root,
            key_of_root.join(" "),
            show(wanted.get(key)),
            show(found.get(key)),
        );
    }
    out
}
