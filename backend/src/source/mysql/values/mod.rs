//! The text protocol of MySQL and MariaDB: every type becomes a [`Value`] here.
//!
//! A cell is what the server prints for a column under our session's settings (UTC, utf8mb4). That is also how it reads the
//! value, but for bytes and bits, which are printed as numbers here so that they can stand in a query.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html>

mod number;
mod spatial;
mod time;

use crate::data::value::{CellDecoder, Note, Value};
use crate::source::json;
use crate::source::mysql::columns::Kind;
use std::borrow::Cow;

/// What a cell's bytes are not.
type Broken = &'static str;

/// How the cells of one type are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    /// `tinyint(1)`.
    Bool,
    /// Fits 32 bits with its sign.
    Int,
    /// Fits 64 bits with its sign.
    Long,
    /// `bigint unsigned`.
    UnsignedLong,
    Decimal,
    /// Requested as the double that it is equal to.
    Float,
    Double,
    /// `bit(1)`.
    Flag,
    /// `bit(n)`.
    Bits,
    Text(TextEquality),
    Set,
    Binary,
    Json,
    Date,
    /// `datetime` and `timestamp`.
    DateTime,
    /// The server's own form of a geometry: four bytes of SRID, then WKB.
    Geometry,
}

/// Which texts the source calls equal, as far as that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEquality {
    /// Those with the same bytes.
    Bytes,
    /// Those with the same bytes but for blanks at the end.
    Padded,
    /// Nobody can say it here.
    Asked,
}

impl CellDecoder for Codec {
    fn decode<'a>(&self, cell: &'a [u8], notes: &mut Vec<Note>) -> Value<'a> {
        self.value(cell, notes).unwrap_or_else(|broken| {
            notes.push(Note::Unconvertible(Cow::Borrowed(broken)));
            Value::Null
        })
    }

    fn print(&self, cell: &[u8]) -> String {
        self.try_print(cell)
            .unwrap_or_else(|| String::from_utf8_lossy(cell).into_owned())
    }

    fn try_print(&self, cell: &[u8]) -> Option<String> {
        match self {
            Codec::Float => number::print_float(cell).ok(),
            Codec::Flag | Codec::Bits => Some(number::bits(cell)),
            Codec::Binary | Codec::Geometry => Some(hex(cell)),
            _ => Some(utf8(cell).ok()?.to_owned()),
        }
    }

    fn key_text(&self, cell: &[u8]) -> String {
        match self {
            // What is printed for users is not equal to it.
            Codec::Float => String::from_utf8_lossy(cell).into_owned(),
            _ => self.print(cell),
        }
    }

    fn canonical(&self, cell: &[u8], out: &mut Vec<u8>) {
        match self {
            Codec::Bool | Codec::Int | Codec::Long | Codec::UnsignedLong => number::canonical_integer(cell, out),
            Codec::Decimal => number::canonical_decimal(cell, out),
            Codec::Float | Codec::Double => number::canonical_double(cell, out),
            Codec::Text(TextEquality::Padded) => {
                let end = cell.iter().rposition(|b| *b != b' ').map_or(0, |place| place + 1);
                out.extend_from_slice(&cell[..end]);
            }
            _ => out.extend_from_slice(cell),
        }
    }
}

impl Codec {
    fn value<'a>(&self, cell: &'a [u8], notes: &mut Vec<Note>) -> Result<Value<'a>, Broken> {
        Ok(match self {
            Codec::Bool => match cell {
                b"0" => Value::Bool(false),
                b"1" => Value::Bool(true),
                _ => {
                    notes.push(Note::NotBoolean);
                    number::int(cell)?
                }
            },
            Codec::Int => number::int(cell)?,
            Codec::Long => number::long(cell)?,
            Codec::UnsignedLong => number::unsigned(cell)?,
            Codec::Decimal => number::decimal(cell, notes)?,
            Codec::Float => Value::Double(number::shortest(cell)?),
            Codec::Double => Value::Double(number::double(cell)?),
            Codec::Flag => Value::Bool(cell.iter().any(|b| *b != 0)),
            Codec::Bits | Codec::Binary => Value::Binary(Cow::Borrowed(cell)),
            Codec::Text(_) => Value::Text(Cow::Borrowed(utf8(cell)?)),
            Codec::Set => Value::Array(match utf8(cell)? {
                "" => Vec::new(),
                members => members.split(',').map(|m| Value::Text(Cow::Borrowed(m))).collect(),
            }),
            Codec::Json => json::value(utf8(cell)?, notes)?,
            Codec::Date | Codec::DateTime => time::date(utf8(cell)?, notes)?,
            Codec::Geometry => spatial::geometry(cell)?,
        })
    }

    /// Of the types whose values are printed otherwise than they are sent.
    pub fn of_kind(kind: &Kind) -> Option<Codec> {
        match kind {
            Kind::Bits => Some(Codec::Bits),
            Kind::Binary => Some(Codec::Binary),
            Kind::Geometry => Some(Codec::Geometry),
            _ => None,
        }
    }

    /// The cell of a value that was printed for a query; `None` where the text is no value of the type.
    pub fn cell_of(&self, printed: &str) -> Option<Vec<u8>> {
        match self {
            Codec::Flag | Codec::Bits => {
                let number: u64 = printed.parse().ok()?;
                Some(number.to_be_bytes().to_vec())
            }
            Codec::Binary | Codec::Geometry => unhex(printed),
            _ => Some(printed.as_bytes().to_vec()),
        }
    }
}

fn utf8(cell: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(cell).map_err(|_| "the text is not UTF-8")
}

/// `0x0A1B`, as the source reads bytes.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2 + 2);
    text.push_str("0x");
    for byte in bytes {
        text.push_str(&format!("{byte:02X}"));
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?;
    let is_whole = digits.len().is_multiple_of(2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let pairs = (0..digits.len()).step_by(2);
    is_whole.then(|| {
        pairs
            .filter_map(|i| u8::from_str_radix(&digits[i..i + 2], 16).ok())
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(codec: Codec, cell: &[u8], expected: Value<'_>, told: &[Note]) {
        let mut notes = Vec::new();
        assert_eq!(codec.decode(cell, &mut notes), expected, "{codec:?}");
        assert_eq!(notes, told, "{codec:?}");
    }

    #[test]
    fn what_the_server_prints_becomes_a_value() {
        check(Codec::Bool, b"1", Value::Bool(true), &[]);
        check(Codec::Bool, b"-5", Value::Int(-5), &[Note::NotBoolean]);
        check(Codec::Long, b"4294967295", Value::Long(4_294_967_295), &[]);
        check(Codec::UnsignedLong, b"9223372036854775807", Value::Long(i64::MAX), &[]);
        check(Codec::Float, b"1.2345678806304932", Value::Double(1.2345679), &[]);
        check(Codec::Float, b"1.100000023841858", Value::Double(1.1), &[]);
        check(Codec::Double, b"1e300", Value::Double(1e300), &[]);
        check(Codec::Flag, &[1], Value::Bool(true), &[]);
        check(Codec::Bits, &[0xff; 8], Value::Binary(Cow::Owned(vec![0xff; 8])), &[]);
        check(Codec::Set, b"", Value::Array(vec![]), &[]);
        check(
            Codec::Set,
            b"a,c",
            Value::Array(vec![Value::Text("a".into()), Value::Text("c".into())]),
            &[],
        );
    }

    #[test]
    fn bytes_and_bits_are_printed_so_that_the_server_reads_them() {
        assert_eq!(Codec::Binary.print(&[1, 0, 0xab]), "0x0100AB");
        assert_eq!(Codec::Binary.cell_of("0x0100AB"), Some(vec![1, 0, 0xab]));
        assert_eq!(Codec::Binary.cell_of("0x1"), None);
        assert_eq!(Codec::Bits.print(&[0xff; 8]), "18446744073709551615");
        assert_eq!(Codec::Bits.print(&[1, 0]), "256");
    }

    #[test]
    fn equal_values_have_one_form() {
        let form = |codec: &Codec, cell: &[u8]| {
            let mut out = Vec::new();
            codec.canonical(cell, &mut out);
            out
        };
        for (a, b) in [(&b"1.0"[..], &b"1.00"[..]), (b"-0.0", b"0"), (b"10", b"10.000")] {
            assert_eq!(form(&Codec::Decimal, a), form(&Codec::Decimal, b));
        }
        assert_ne!(form(&Codec::Decimal, b"1"), form(&Codec::Decimal, b"10"));
        assert_eq!(form(&Codec::Double, b"-0"), form(&Codec::Double, b"0"));
        let padded = Codec::Text(TextEquality::Padded);
        assert_eq!(form(&padded, b"a  "), form(&padded, b"a"));
        assert_eq!(form(&Codec::Int, b"007"), form(&Codec::Long, b"7"));
    }
}
