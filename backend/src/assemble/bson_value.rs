//! Values as raw BSON, without a tree in between. <https://bsonspec.org/spec.html>

use crate::data::value::Value;

const DOUBLE: u8 = 0x01;
const STRING: u8 = 0x02;
pub const DOCUMENT: u8 = 0x03;
pub const ARRAY: u8 = 0x04;
const BINARY: u8 = 0x05;
pub const OBJECT_ID: u8 = 0x07;
const BOOL: u8 = 0x08;
const DATE: u8 = 0x09;
const NULL: u8 = 0x0a;
const INT: u8 = 0x10;
const LONG: u8 = 0x12;
const DECIMAL: u8 = 0x13;

/// Starts a document or array; returns where its length belongs.
pub fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; 4]);
    out.len() - 4
}

/// Ends what [`begin`] started.
pub fn end(out: &mut Vec<u8>, start: usize) {
    out.push(0);
    let length = (out.len() - start) as i32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Writes type and name of an element; `name` ends in its zero byte.
pub fn header(out: &mut Vec<u8>, kind: u8, name: &[u8]) {
    debug_assert_eq!(name.last(), Some(&0));
    out.push(kind);
    out.extend_from_slice(name);
}

/// Writes the name of the so-many-th element of an array.
pub fn index_header(out: &mut Vec<u8>, kind: u8, index: usize) {
    out.push(kind);
    write_index(out, index);
}

fn write_index(out: &mut Vec<u8>, index: usize) {
    let mut digits = [0u8; 20];
    let (mut at, mut rest) = (digits.len(), index);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    out.push(0);
}

/// Writes a whole element.
pub fn element(out: &mut Vec<u8>, name: &[u8], value: &Value<'_>) {
    header(out, type_of(value), name);
    body(out, value);
}

/// Writes the so-many-th element of an array.
pub fn array_element(out: &mut Vec<u8>, index: usize, value: &Value<'_>) {
    index_header(out, type_of(value), index);
    body(out, value);
}

fn type_of(value: &Value<'_>) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOL,
        Value::Int(_) => INT,
        Value::Long(_) => LONG,
        Value::Double(_) => DOUBLE,
        Value::Decimal(_) => DECIMAL,
        Value::Text(_) => STRING,
        Value::Date(_) => DATE,
        Value::Binary(_) | Value::Uuid(_) => BINARY,
        Value::ObjectId(_) => OBJECT_ID,
        Value::Array(_) => ARRAY,
        Value::Document(_) => DOCUMENT,
    }
}

fn binary(out: &mut Vec<u8>, subtype: u8, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as i32).to_le_bytes());
    out.push(subtype);
    out.extend_from_slice(bytes);
}

fn body(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => {}
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::Int(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::Long(v) | Value::Date(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::Double(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::Decimal(v) => out.extend_from_slice(&v.0),
        Value::Text(v) => {
            out.extend_from_slice(&(v.len() as i32 + 1).to_le_bytes());
            out.extend_from_slice(v.as_bytes());
            out.push(0);
        }
        Value::Binary(v) => binary(out, 0, v),
        Value::Uuid(v) => binary(out, 4, v),
        Value::ObjectId(v) => out.extend_from_slice(v),
        Value::Array(items) => {
            let start = begin(out);
            for (index, item) in items.iter().enumerate() {
                array_element(out, index, item);
            }
            end(out, start);
        }
        Value::Document(members) => {
            let start = begin(out);
            for (name, value) in members {
                out.push(type_of(value));
                // Whoever makes a document refuses names with a zero byte: here it could only be cut.
                debug_assert!(!name.contains('\0'));
                out.extend(name.bytes().filter(|b| *b != 0));
                out.push(0);
                body(out, value);
            }
            end(out, start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::decimal::Decimal;
    use bson::{RawDocumentBuf, doc};

    #[test]
    fn every_kind_reads_back_as_itself() {
        let mut out = Vec::new();
        let start = begin(&mut out);
        let values = Value::Document(vec![
            ("n".into(), Value::Null),
            ("b".into(), Value::Bool(true)),
            ("i".into(), Value::Int(-1)),
            ("l".into(), Value::Long(1)),
            ("d".into(), Value::Double(-0.5)),
            ("x".into(), Value::Decimal(Decimal::parse("1.10").unwrap().unwrap().0)),
            ("t".into(), Value::Text("ü\0".into())),
            ("z".into(), Value::Date(-1)),
            ("y".into(), Value::Binary((&[1u8, 2][..]).into())),
            ("a".into(), Value::Array((0..12).map(Value::Int).collect())),
            ("".into(), Value::Document(vec![])),
        ]);
        element(&mut out, b"v\0", &values);
        end(&mut out, start);
        let read: bson::Document = RawDocumentBuf::from_bytes(out).unwrap().try_into().unwrap();
        let expected = doc! {"v": {
            "n": null, "b": true, "i": -1, "l": 1i64, "d": -0.5, "x": "1.10".parse::<bson::Decimal128>().unwrap(),
            "t": "ü\0", "z": bson::DateTime::from_millis(-1),
            "y": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![1, 2] },
            "a": (0..12).collect::<Vec<i32>>(), "": {},
        }};
        assert_eq!(read, expected);
    }
}
