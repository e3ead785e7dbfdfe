//! The rows that documents are made of, as a tree of the same shape as the plan.

use super::script::Results;
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::row::RowSet;
use crate::data::value::{Note, Value};
use crate::plan::Node;
use std::ops::Range;

/// Rows of one node, and what lies below them.
#[derive(Debug, Default)]
pub struct RowTree {
    pub rows: RowSet,
    /// One for each child of the node, in rule order.
    pub children: Vec<ChildRows>,
    /// What the node's expressions came to.
    pub results: Results,
}

/// Rows of a child node, grouped by the parent's row.
#[derive(Debug, Default)]
pub struct ChildRows {
    pub tree: RowTree,
    /// For each row of the parent its rows in `tree`; several parents may share a range.
    pub ranges: Vec<Range<u32>>,
}

/// The value of a cell by the column's own type; NULL is null.
pub fn value_of<'a>(node: &Node, rows: &'a RowSet, row: usize, cell: usize, notes: &mut Vec<Note>) -> Value<'a> {
    match rows.cell(row, cell) {
        Some(bytes) => node.table.columns[node.columns[cell]].decoder.decode(bytes, notes),
        None => Value::Null,
    }
}

/// The key of a row for messages: its primary key, printed; without one nothing.
pub fn key_of(node: &Node, rows: &RowSet, row: usize) -> Vec<(String, String)> {
    node.table
        .primary_key
        .iter()
        .filter_map(|column| {
            let cell = node.cell_of(*column)?;
            let column = &node.table.columns[*column];
            Some((column.name.clone(), column.decoder.print(rows.cell(row, cell)?)))
        })
        .collect()
}

/// What is to be told of values of one field.
pub fn issues_of(node: &Node, rows: &RowSet, row: usize, field: &str, notes: Vec<Note>, out: &mut Vec<Issue>) {
    for note in notes {
        let (kind, message) = match note {
            Note::Unconvertible(reason) => (
                IssueKind::ValueNotConvertible,
                format!("a value cannot be converted: {reason}"),
            ),
            Note::Rounded => (IssueKind::ValueRounded, "a number was rounded to 34 digits".into()),
            Note::TooSmall => (
                IssueKind::ValueTooSmall,
                "a number too near to 0 was stored as 0".into(),
            ),
            Note::BelowMillisecond => (IssueKind::PrecisionLost, "a time was cut to milliseconds".into()),
            Note::FractionCut => (IssueKind::FractionCut, "a fraction was cut".into()),
            Note::RoundedToDouble => (
                IssueKind::RoundedToDouble,
                "a number was rounded to the nearest double".into(),
            ),
            Note::LowerBoundDropped => (IssueKind::LowerBoundDropped, "an array does not start at 1".into()),
            Note::NoSuchDate => (
                IssueKind::NoSuchDate,
                "a date that no calendar has was stored as null".into(),
            ),
            Note::NotBoolean => (
                IssueKind::NotBoolean,
                "a number other than 0 and 1 was stored as it is".into(),
            ),
        };
        out.push(issue_of_row(node, rows, row, kind, Some(field), message));
    }
}

/// An issue of one row.
pub fn issue_of_row(
    node: &Node,
    rows: &RowSet,
    row: usize,
    kind: IssueKind,
    field: Option<&str>,
    message: String,
) -> Issue {
    Issue {
        kind,
        location: Location::Table(node.table.name.to_string()),
        field: field.map(Into::into),
        message,
        key: key_of(node, rows, row),
    }
}
