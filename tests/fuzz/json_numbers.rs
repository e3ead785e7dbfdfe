//! JSON of the source: what comes out is valid BSON, and every number keeps its value or a note says that it did not.

use crate::harness::Fuzz;
use bson::{RawBsonRef, RawDocument};
use godwit::assemble::bson_value::{begin, element, end};
use godwit::data::decimal::same_value;
use godwit::data::value::{CellDecoder, Value};
use godwit::source::postgres::values::Codec;

#[test]
fn json_numbers() {
    Fuzz::new("json_numbers")
        .seeds([
            "0",
            "-0",
            "1",
            "-2147483648",
            "2147483648",
            "9223372036854775807",
            "9223372036854775808",
            "1.0",
            "1.50",
            "1e2",
            "0.1234567890123456789",
            "1e400",
            "1e6144",
            "9.99e6144",
            "1e6145",
            "1e-6176",
            "1e-6177",
            "-1e99999999999999999999",
            "12345678901234567890123456789012345",
            "0.00000000000000000000000000000000000000000000000000001",
            r#"{"a":1,"b":[null,true,"x\u00e9\ud83d\ude00"],"a":{"":0}}"#,
            r#"[1.5,[2e0,{"k":-0.0}],"\u0000",3]"#,
            r#"{"a\u0000b":1}"#,
            r#""\ud800""#,
        ])
        .tokens([
            "[", "]", "{", "}", ",", ":", "\"", "\\u0000", "\\ud800", "e", "E+", "-", ".", "null", "true", "00", "\\",
        ])
        .run(|input| check(&String::from_utf8_lossy(input)));
}

fn check(text: &str) -> Result<(), String> {
    let mut notes = Vec::new();
    let value = Codec::Json.decode(text.as_bytes(), &mut notes);
    let mut document = Vec::new();
    let start = begin(&mut document);
    element(&mut document, b"v\0", &value);
    end(&mut document, start);
    let read = RawDocument::from_bytes(&document).map_err(|e| format!("no BSON: {e}"))?;
    walk(read)?;
    if serde_json::from_str::<serde_json::Value>(text).is_ok() {
        let number = text.trim_matches([' ', '\t', '\r', '\n']);
        if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && notes.is_empty() {
            let printed = printed(&value).ok_or("a number became something else")?;
            if !same_value(&printed, number) {
                return Err(format!("{number} became {printed}, and nothing is said"));
            }
        }
    }
    Ok(())
}

fn printed(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Int(n) => Some(n.to_string()),
        Value::Long(n) => Some(n.to_string()),
        Value::Double(n) => Some(format!("{n:e}")),
        Value::Decimal(d) => Some(bson::Decimal128::from_bytes(d.0).to_string()),
        _ => None,
    }
}

/// Reads everything, as a driver would.
pub fn walk(document: &RawDocument) -> Result<(), String> {
    for entry in document {
        let (_, value) = entry.map_err(|e| format!("no BSON: {e}"))?;
        match value {
            RawBsonRef::Document(inner) => walk(inner)?,
            RawBsonRef::Array(inner) => walk(RawDocument::from_bytes(inner.as_bytes()).map_err(|e| e.to_string())?)?,
            _ => {}
        }
    }
    Ok(())
}
