//! What goes through the pipes between the server and its workers, as bytes. Numbers are little-endian.
//!
//! ```text
//! request   length u32, then: order u8 (0 check, 1 evaluate, 2 evaluate and send each result at once), world u64, script u32,
//!           text source, count u16, text names, count u32, values of each row
//! greeting  END, from a worker that is ready
//! answer    records of length u32 and that many bytes, each an outcome: first that of compiling, then one for each row;
//!           the length END says that the worker waits for the next request
//! text      length u32, UTF-8
//! value     tag u8, then what the tag says
//! ```

use crate::assemble::number_of;
use crate::assemble::script::{Outcome, ScriptError, cut};
use crate::data::value::Value;
use std::borrow::Cow;

/// How deep values may be nested: what columns hold is deeper than what results may be.
const DEPTH_MAX: usize = 256;

/// In the place of a record's length.
pub const END: u32 = u32::MAX;

/// Bytes that are not what they should be: the other side is another program, or broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

type Read<T> = Result<T, Malformed>;

/// What a worker is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Compile.
    Check,
    Evaluate,
    /// Send each result before the next row: so it is known which row is the last one that a worker saw.
    EvaluateCarefully,
}

/// A request without its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Head<'a> {
    pub order: Order,
    /// Expressions of one plan share a world, others see nothing of it.
    pub world: u64,
    pub script: u32,
    pub source: &'a str,
    pub names: Vec<&'a str>,
}

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const LONG: u8 = 4;
const DOUBLE: u8 = 5;
const TEXT: u8 = 6;
const DATE: u8 = 7;
const BINARY: u8 = 8;
const ARRAY: u8 = 9;
const DOCUMENT: u8 = 10;

const VALUE: u8 = 0;
const UNDEFINED: u8 = 1;
const SYNTAX: u8 = 2;
const THROWN: u8 = 3;
const TOO_SLOW: u8 = 4;
const OUT_OF_MEMORY: u8 = 5;
const NO_VALUE: u8 = 6;
const ENDED: u8 = 7;

/// Starts a request; the rows follow, then [`finish_request`].
pub fn begin_request(out: &mut Vec<u8>, head: &Head<'_>) {
    out.clear();
    out.extend_from_slice(&[0; 4]);
    out.push(match head.order {
        Order::Check => 0,
        Order::Evaluate => 1,
        Order::EvaluateCarefully => 2,
    });
    out.extend_from_slice(&head.world.to_le_bytes());
    out.extend_from_slice(&head.script.to_le_bytes());
    text(out, head.source);
    out.extend_from_slice(&(head.names.len() as u16).to_le_bytes());
    head.names.iter().for_each(|name| text(out, name));
}

/// Writes the count of rows and the rows, and the length in front of it all.
pub fn finish_request(out: &mut Vec<u8>, count: u32, rows: &[u8]) {
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(rows);
    let length = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&length.to_le_bytes());
}

/// Reads a request without its length. What is left of the bytes are the rows; the number says how many.
pub fn read_request(bytes: &[u8]) -> Read<(Head<'_>, u32, &[u8])> {
    let mut cursor = Cursor(bytes);
    let order = match cursor.u8()? {
        0 => Order::Check,
        1 => Order::Evaluate,
        2 => Order::EvaluateCarefully,
        _ => return Err(Malformed),
    };
    let world = u64::from_le_bytes(cursor.array()?);
    let script = cursor.u32()?;
    let source = cursor.text()?;
    let count = u16::from_le_bytes(cursor.array()?);
    let names = (0..count).map(|_| cursor.text()).collect::<Read<_>>()?;
    let head = Head {
        order,
        world,
        script,
        source,
        names,
    };
    Ok((head, cursor.u32()?, cursor.0))
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value.as_bytes());
}

/// Writes a value. A decimal is the nearest double, what JavaScript calculates with.
pub fn write_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(v) => out.push(if *v { TRUE } else { FALSE }),
        Value::Int(v) => {
            out.push(INT);
            out.extend_from_slice(&v.to_le_bytes());
        }
        Value::Long(v) => tagged(out, LONG, &v.to_le_bytes()),
        Value::Double(v) => tagged(out, DOUBLE, &v.to_le_bytes()),
        Value::Decimal(v) => tagged(out, DOUBLE, &number_of(*v).to_le_bytes()),
        Value::Text(v) => {
            out.push(TEXT);
            text(out, v);
        }
        Value::Date(v) => tagged(out, DATE, &v.to_le_bytes()),
        Value::Binary(v) => binary(out, v),
        Value::Uuid(v) => binary(out, v),
        Value::ObjectId(v) => binary(out, v),
        Value::Array(items) => {
            begin_array(out, items.len() as u32);
            items.iter().for_each(|item| write_value(out, item));
        }
        Value::Document(members) => {
            let start = begin_document(out);
            for (name, item) in members {
                write_name(out, name);
                write_value(out, item);
            }
            end_document(out, start, members.len() as u32);
        }
    }
}

/// Writes the start of an array; so many values follow.
pub fn begin_array(out: &mut Vec<u8>, count: u32) {
    tagged(out, ARRAY, &count.to_le_bytes());
}

/// Writes the start of a document, whose count of members is not known yet; names and values follow.
pub fn begin_document(out: &mut Vec<u8>) -> usize {
    tagged(out, DOCUMENT, &[0; 4]);
    out.len() - 4
}

/// Writes the name of a member; its value follows.
pub fn write_name(out: &mut Vec<u8>, name: &str) {
    text(out, name);
}

/// Ends what [`begin_document`] started.
pub fn end_document(out: &mut [u8], start: usize, count: u32) {
    out[start..start + 4].copy_from_slice(&count.to_le_bytes());
}

fn tagged(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(bytes);
}

fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    tagged(out, BINARY, &(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Reads one value from the front of the bytes.
pub fn read_value<'a>(cursor: &mut Cursor<'a>) -> Read<Value<'a>> {
    read_nested(cursor, 0)
}

fn read_nested<'a>(cursor: &mut Cursor<'a>, depth: usize) -> Read<Value<'a>> {
    if depth > DEPTH_MAX {
        return Err(Malformed);
    }
    Ok(match cursor.u8()? {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INT => Value::Int(i32::from_le_bytes(cursor.array()?)),
        LONG => Value::Long(i64::from_le_bytes(cursor.array()?)),
        DOUBLE => Value::Double(f64::from_le_bytes(cursor.array()?)),
        TEXT => Value::Text(Cow::Borrowed(cursor.text()?)),
        DATE => Value::Date(i64::from_le_bytes(cursor.array()?)),
        BINARY => {
            let length = cursor.u32()?;
            Value::Binary(Cow::Borrowed(cursor.take(length as usize)?))
        }
        ARRAY => {
            let count = cursor.count()?;
            Value::Array(
                (0..count)
                    .map(|_| read_nested(cursor, depth + 1))
                    .collect::<Read<_>>()?,
            )
        }
        DOCUMENT => {
            let count = cursor.count()?;
            let member = |_| {
                let name = cursor.text()?;
                if name.contains('\0') {
                    return Err(Malformed);
                }
                Ok((Cow::Borrowed(name), read_nested(cursor, depth + 1)?))
            };
            Value::Document((0..count).map(member).collect::<Read<_>>()?)
        }
        _ => return Err(Malformed),
    })
}

/// Writes a record. `value` writes the value of an outcome that has one.
pub fn write_record(out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>) -> Result<bool, ScriptError>) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, VALUE]);
    let body = start + 4;
    match value(out) {
        Ok(true) => {}
        Ok(false) => {
            out.truncate(body);
            out.push(UNDEFINED);
        }
        Err(error) => {
            out.truncate(body);
            let (tag, message) = match &error {
                ScriptError::Syntax(m) => (SYNTAX, m.as_str()),
                ScriptError::Thrown(m) => (THROWN, m.as_str()),
                ScriptError::TooSlow => (TOO_SLOW, ""),
                ScriptError::OutOfMemory => (OUT_OF_MEMORY, ""),
                ScriptError::NoValue(m) => (NO_VALUE, m.as_str()),
                ScriptError::Ended(m) => (ENDED, m.as_str()),
            };
            out.push(tag);
            out.extend_from_slice(cut(message).as_bytes());
        }
    }
    let length = (out.len() - body) as u32;
    out[start..body].copy_from_slice(&length.to_le_bytes());
}

/// Reads what a record holds.
pub fn read_record(bytes: &[u8]) -> Read<Outcome> {
    let mut cursor = Cursor(bytes);
    let tag = cursor.u8()?;
    if tag == VALUE {
        let value = read_value(&mut cursor)?;
        return if cursor.0.is_empty() {
            Ok(Ok(Some(owned(value))))
        } else {
            Err(Malformed)
        };
    }
    let message = cut(std::str::from_utf8(cursor.0).map_err(|_| Malformed)?);
    Ok(match tag {
        UNDEFINED => Ok(None),
        SYNTAX => Err(ScriptError::Syntax(message)),
        THROWN => Err(ScriptError::Thrown(message)),
        TOO_SLOW => Err(ScriptError::TooSlow),
        OUT_OF_MEMORY => Err(ScriptError::OutOfMemory),
        NO_VALUE => Err(ScriptError::NoValue(message)),
        ENDED => Err(ScriptError::Ended(message)),
        _ => return Err(Malformed),
    })
}

fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Bool(v) => Value::Bool(v),
        Value::Int(v) => Value::Int(v),
        Value::Long(v) => Value::Long(v),
        Value::Double(v) => Value::Double(v),
        Value::Decimal(v) => Value::Decimal(v),
        Value::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
        Value::Date(v) => Value::Date(v),
        Value::Binary(v) => Value::Binary(Cow::Owned(v.into_owned())),
        Value::Uuid(v) => Value::Uuid(v),
        Value::ObjectId(v) => Value::ObjectId(v),
        Value::Array(items) => Value::Array(items.into_iter().map(owned).collect()),
        Value::Document(members) => {
            let member = |(name, item): (Cow<'_, str>, _)| (Cow::Owned(name.into_owned()), owned(item));
            Value::Document(members.into_iter().map(member).collect())
        }
    }
}

/// Bytes that are read from their front.
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn u8(&mut self) -> Read<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A count that the rest can hold at all, so that a wrong one allocates nothing.
    fn count(&mut self) -> Read<usize> {
        let count = self.u32()? as usize;
        if count > self.0.len() {
            Err(Malformed)
        } else {
            Ok(count)
        }
    }

    fn text(&mut self) -> Read<&'a str> {
        let length = self.u32()?;
        std::str::from_utf8(self.take(length as usize)?).map_err(|_| Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_outcomes_read_back_as_themselves() {
        let value = Value::Document(vec![
            ("n".into(), Value::Null),
            (
                "b".into(),
                Value::Array(vec![Value::Bool(true), Value::Bool(false), Value::Int(-7)]),
            ),
            ("l".into(), Value::Long(i64::MIN)),
            ("d".into(), Value::Double(-0.5)),
            ("t".into(), Value::Text("ü\0".into())),
            ("z".into(), Value::Date(-1)),
            ("y".into(), Value::Binary(vec![1, 2].into())),
        ]);
        let mut bytes = Vec::new();
        write_record(&mut bytes, |out| {
            write_value(out, &value);
            Ok(true)
        });
        assert_eq!(read_record(&bytes[4..]), Ok(Ok(Some(value))));
        for error in [
            ScriptError::TooSlow,
            ScriptError::Thrown("no".into()),
            ScriptError::NoValue("a Map".into()),
        ] {
            let mut bytes = Vec::new();
            write_record(&mut bytes, |_| Err(error.clone()));
            assert_eq!(read_record(&bytes[4..]), Ok(Err(error)));
        }
        let mut bytes = Vec::new();
        write_record(&mut bytes, |_| Ok(false));
        assert_eq!(read_record(&bytes[4..]), Ok(Ok(None)));
    }

    #[test]
    fn requests_read_back_as_themselves() {
        let head = Head {
            order: Order::EvaluateCarefully,
            world: 7,
            script: 3,
            source: "columns.ü",
            names: vec!["ü", ""],
        };
        let (mut bytes, mut rows) = (Vec::new(), Vec::new());
        write_value(&mut rows, &Value::Int(1));
        write_value(&mut rows, &Value::Null);
        begin_request(&mut bytes, &head);
        finish_request(&mut bytes, 1, &rows);
        assert_eq!(
            u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize,
            bytes.len() - 4
        );
        assert_eq!(read_request(&bytes[4..]), Ok((head, 1, &rows[..])));
    }

    #[test]
    fn bytes_of_another_program_are_refused() {
        for bytes in [
            &b""[..],
            b"\x00",
            b"\x63",
            b"\x00\x06\xff\xff\xff\xff",
            b"\x00\x09\xff\xff\xff\x7f",
            b"\x00\x0a\x01\0\0\0\x01\0\0\0\0\x00",
            b"\x00\x00\x00",
            b"\x03\xff",
        ] {
            assert_eq!(read_record(bytes), Err(Malformed), "{bytes:?}");
        }
        let deep = [&b"\x00"[..], &b"\x09\x01\0\0\0".repeat(DEPTH_MAX + 2), b"\x00"].concat();
        assert_eq!(read_record(&deep), Err(Malformed));
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        let long = "ü".repeat(5000);
        let short = cut(&long);
        assert!(short.len() <= crate::assemble::script::MESSAGE_BYTES_MAX && short.ends_with('…'));
        assert_eq!(cut("short"), "short");
    }
}
