//! `_id` is computed from the row, never looked up.

use super::RowKey;
use super::document::{Context, levels_of};
use super::rows::{issue_of_row, issues_of, value_of};
use super::script::Outcome;
use super::{bson_value, convert};
use crate::data::issue::IssueKind;
use crate::data::row::RowSet;
use crate::data::value::Value;
use crate::plan::{IdPlan, RootPlan};

/// The first two bytes of every generated ObjectId: its time lies in 2026, whatever the clock says, so that ids of one
/// row are the same in every run. The other ten bytes are a keyed hash: among n rows of one collection the odds of any
/// two agreeing are n² / 2⁸¹, that is 4 in ten million for a billion rows. A collision shows as a duplicate `_id`.
const TIME_PREFIX: [u8; 2] = [0x6a, 0x12];

/// The `_id` of a root row.
///
/// `calculated` is what the expression of `_id` came to, where there is one. `None`: the row has no valid `_id`; the issue
/// says why.
pub fn id_of<'a>(
    root: &'a RootPlan,
    context: &mut Context<'a, '_>,
    row: usize,
    occurrence: u32,
    calculated: Option<&'a Outcome>,
) -> Option<Value<'a>> {
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
        IdPlan::Custom { target, .. } => match calculated.unwrap_or(&Ok(None)) {
            Ok(Some(value)) => convert::convert(value.clone(), *target, || printed(value), &mut notes),
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
    let is_null = match &root.id {
        IdPlan::Custom { .. } => value == Value::Null,
        // Some sources let a primary key be NULL, of several rows. (A value that cannot be converted is null as well, and
        // tells of itself.)
        IdPlan::Single { cell } => rows.cell(row, *cell).is_none(),
        IdPlan::Generated { .. } | IdPlan::Wrapped { .. } => false,
    };
    if let Some(what) = is_null.then(|| "null".to_owned()).or_else(|| refused(&value)) {
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

/// Bytes of an `_id`. MongoDB takes half of a document, in a collection where nothing else refers to it; but every
/// deletion, and what the job remembers of it, holds it again.
const ID_BYTES_MAX: usize = 1 << 20;
/// How deep an `_id` may be nested: it lies deeper in what the job remembers, and in commands.
const ID_LEVELS_MAX: usize = 100;

/// What is wrong with a value as `_id`, to MongoDB or to what the job remembers of it.
fn refused(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Long(_)
        | Value::Double(_)
        | Value::Decimal(_)
        | Value::Date(_)
        | Value::Uuid(_)
        | Value::ObjectId(_) => None,
        Value::Array(_) => Some("an array".into()),
        Value::Document(_) if has_operator(value) => Some("a document with a name that starts with $".into()),
        Value::Document(_) if levels_of(value) > ID_LEVELS_MAX => {
            Some(format!("nested deeper than {ID_LEVELS_MAX} levels"))
        }
        Value::Text(_) | Value::Binary(_) | Value::Document(_) => {
            let bytes = size_of(value);
            (bytes > ID_BYTES_MAX).then(|| format!("a value of {bytes} bytes, more than {ID_BYTES_MAX}"))
        }
    }
}

fn has_operator(value: &Value<'_>) -> bool {
    match value {
        Value::Document(members) => members.iter().any(|(n, v)| n.starts_with('$') || has_operator(v)),
        Value::Array(items) => items.iter().any(has_operator),
        _ => false,
    }
}

/// About the bytes that it takes as BSON.
fn size_of(value: &Value<'_>) -> usize {
    5 + match value {
        Value::Text(v) => v.len(),
        Value::Binary(v) => v.len(),
        Value::Array(items) => items.iter().map(|v| size_of(v) + 4).sum(),
        Value::Document(members) => members.iter().map(|(n, v)| n.len() + size_of(v) + 2).sum(),
        _ => 8,
    }
}

/// A value as text, for conversions of results that no column prints.
pub(super) fn printed(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Long(v) => v.to_string(),
        Value::Double(v) => printed_double(*v),
        Value::Decimal(v) => convert::decimal_text(*v),
        Value::Text(v) => v.to_string(),
        Value::Date(ms) => printed_date(*ms),
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

/// As JavaScript prints it: results are its numbers.
fn printed_double(v: f64) -> String {
    let size = v.abs();
    if v.is_infinite() {
        return if v > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    if v != 0.0 && !v.is_nan() && !(1e-6..1e21).contains(&size) {
        let text = format!("{v:e}");
        return if size > 1.0 { text.replace('e', "e+") } else { text };
    }
    // Zero has no sign in a text.
    (v + 0.0).to_string()
}

fn printed_date(ms: i64) -> String {
    use chrono::{DateTime, Datelike};
    /// The calendar repeats itself after 400 years.
    const CYCLE_MS: i64 = 146_097 * 86_400_000;
    let (cycles, rest) = (ms.div_euclid(CYCLE_MS), ms.rem_euclid(CYCLE_MS));
    let Some(date) = DateTime::from_timestamp_millis(rest) else {
        return String::new();
    };
    let year = i64::from(date.year()) + 400 * cycles;
    let year = match year {
        0..=9_999 => format!("{year:04}"),
        _ => format!("{}{:06}", if year < 0 { '-' } else { '+' }, year.abs()),
    };
    format!("{year}-{}", date.format("%m-%dT%H:%M:%S%.3fZ"))
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
    let id = id_of(root, &mut context, row, occurrence, None)?;
    let mut out = Vec::new();
    bson_value::element(&mut out, b"_id\0", &id);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Value<'static> {
        (0..depth).fold(Value::Int(1), |inner, _| Value::Document(vec![("a".into(), inner)]))
    }

    #[test]
    fn an_id_that_mongodb_or_the_claims_do_not_take_is_refused() {
        let document = |name: &'static str, value| Value::Document(vec![(name.into(), value)]);
        let operator = document("$a", Value::Int(1));
        for wrong in [
            Value::Array(vec![]),
            operator.clone(),
            document("a", operator.clone()),
            document("a", Value::Array(vec![Value::Int(1), operator])),
            document("$ref", Value::Null),
            nested(ID_LEVELS_MAX + 1),
            Value::Text("x".repeat(9_000_000).into()),
            Value::Binary(vec![0; ID_BYTES_MAX + 1].into()),
            document("a", Value::Text("x".repeat(ID_BYTES_MAX).into())),
            Value::Document(vec![("x".repeat(ID_BYTES_MAX).into(), Value::Null)]),
        ] {
            assert!(
                refused(&wrong).is_some(),
                "{}",
                printed(&wrong).chars().take(50).collect::<String>()
            );
        }
        for right in [
            Value::Null,
            Value::Text("x".repeat(100_000).into()),
            document("a$", Value::Array(vec![Value::Int(1)])),
            document("a.b", Value::Text("$".into())),
            nested(ID_LEVELS_MAX),
        ] {
            assert_eq!(refused(&right), None);
        }
    }

    #[test]
    fn results_print_as_javascript_prints_them() {
        for (value, text) in [
            (Value::Double(0.5), "0.5"),
            (Value::Double(-0.0), "0"),
            (Value::Double(1e21), "1e+21"),
            (Value::Double(-1.5e300), "-1.5e+300"),
            (Value::Double(123_456_789_012_345_680_000.0), "123456789012345680000"),
            (Value::Double(0.000_001), "0.000001"),
            (Value::Double(1.5e-7), "1.5e-7"),
            (Value::Double(f64::NAN), "NaN"),
            (Value::Double(f64::NEG_INFINITY), "-Infinity"),
            (Value::Date(0), "1970-01-01T00:00:00.000Z"),
            (Value::Date(-1), "1969-12-31T23:59:59.999Z"),
            (Value::Date(8_640_000_000_000_000), "+275760-09-13T00:00:00.000Z"),
            (Value::Date(-8_640_000_000_000_000), "-271821-04-20T00:00:00.000Z"),
            (Value::Date(253_402_300_800_000), "+010000-01-01T00:00:00.000Z"),
            (Value::Array(vec![Value::Int(1)]), "[1]"),
        ] {
            assert_eq!(printed(&value), text);
        }
    }
}
