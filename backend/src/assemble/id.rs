//! `_id` is computed from the row, never looked up.

use super::RowKey;
use super::document::{Context, inputs};
use super::rows::{issue_of_row, issues_of, value_of};
use super::{bson_value, convert, script};
use crate::data::issue::IssueKind;
use crate::data::row::RowSet;
use crate::data::value::Value;
use crate::plan::{IdPlan, RootPlan};
use godwit_shared::mapping::FieldType;

/// The first two bytes of every generated ObjectId: its time lies in 2026, whatever the clock says, so that ids of one
/// row are the same in every run. The other ten bytes are a keyed hash: among n rows of one collection the odds of any
/// two agreeing are n² / 2⁸¹, that is 4 in ten million for a billion rows. A collision shows as a duplicate `_id`.
const TIME_PREFIX: [u8; 2] = [0x6a, 0x12];

/// The `_id` of a root row.
///
/// `None`: the row has no valid `_id`; the issue says why.
pub fn id_of<'a>(root: &'a RootPlan, context: &mut Context<'a, '_>, row: usize, occurrence: u32) -> Option<Value<'a>> {
    let node = &root.node;
    let rows = context.rows;
    let mut notes = Vec::new();
    let value = match &root.id {
        IdPlan::Generated { hash_key } => Value::ObjectId(generated(root, hash_key, context, row, occurrence)),
        IdPlan::Single { cell } => value_of(node, rows, row, *cell, &mut notes),
        IdPlan::Wrapped { members } => Value::Document(
            members
                .iter()
                .map(|(name, cell)| (name.as_str().into(), value_of(node, rows, row, *cell, &mut notes)))
                .collect(),
        ),
        IdPlan::Custom { script: s, target } => match script::evaluate(s, &inputs(node, rows, row, s)) {
            Ok(Some(value)) if *target != FieldType::Default => {
                let printed = printed(&value);
                convert::convert(value, *target, || printed, &mut notes)
            }
            Ok(Some(value)) => value,
            Ok(None) => Value::Null,
            Err(error) => {
                let message = error.to_string();
                context.issues.push(issue_of_row(
                    node,
                    rows,
                    row,
                    IssueKind::IdInvalid,
                    Some("_id"),
                    message,
                ));
                return None;
            }
        },
    };
    issues_of(node, rows, row, "_id", notes, context.issues);
    let refused = match (&root.id, &value) {
        (_, Value::Array(_)) => Some("an array"),
        (IdPlan::Custom { .. }, Value::Null) => Some("null"),
        (_, Value::Document(members)) if members.iter().any(|(n, _)| n.starts_with('$')) => {
            Some("a document with a name that starts with $")
        }
        _ => None,
    };
    if let Some(what) = refused {
        let message = format!("the `_id` of a row would be {what}");
        context.issues.push(issue_of_row(
            node,
            rows,
            row,
            IssueKind::IdInvalid,
            Some("_id"),
            message,
        ));
        return None;
    }
    Some(value)
}

/// A value as text, for conversions of results that no column prints.
pub(super) fn printed(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Long(v) => v.to_string(),
        Value::Double(v) => v.to_string(),
        Value::Decimal(v) => convert::decimal_text(*v),
        Value::Text(v) => v.to_string(),
        Value::Date(ms) => chrono::DateTime::from_timestamp_millis(*ms).map_or_else(
            || ms.to_string(),
            |d| d.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        ),
        Value::Binary(_) | Value::Uuid(_) | Value::ObjectId(_) | Value::Array(_) | Value::Document(_) => {
            let mut out = Vec::new();
            let start = bson_value::begin(&mut out);
            bson_value::element(&mut out, b"v\0", value);
            bson_value::end(&mut out, start);
            let document = bson::Document::from_reader(&out[..]).ok();
            document
                .and_then(|d| Some(d.get("v")?.clone().into_relaxed_extjson().to_string()))
                .unwrap_or_default()
        }
    }
}

fn generated(
    root: &RootPlan,
    hash_key: &[u8; 32],
    context: &mut Context<'_, '_>,
    row: usize,
    occurrence: u32,
) -> [u8; 12] {
    let identity = RowKey::of(root, context.rows, row, occurrence).identity(root);
    let mut hasher = blake3::Hasher::new_keyed(hash_key);
    hasher.update(&identity);
    if root.node.table.primary_key.is_empty() {
        hasher.update(&occurrence.to_le_bytes());
    }
    let mut id = [0; 12];
    id[..2].copy_from_slice(&TIME_PREFIX);
    id[2..].copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    id
}

/// The `_id` that a row's key alone says, as an element of raw BSON; `None` where an expression computes it from the
/// row.
pub(super) fn id_of_key(root: &RootPlan, keys: &RowSet, row: usize, occurrence: u32) -> Option<Vec<u8>> {
    if matches!(root.id, IdPlan::Custom { .. }) {
        return None;
    }
    let mut context = Context {
        rows: keys,
        issues: &mut Vec::new(),
    };
    let id = id_of(root, &mut context, row, occurrence)?;
    let mut out = Vec::new();
    bson_value::element(&mut out, b"_id\0", &id);
    Some(out)
}
