//! Values: the storage class first, then the bytes. <https://www.sqlite.org/datatype3.html>

use crate::data::value::{CellDecoder, Note, Value};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use rusqlite::types::{Value as Stored, ValueRef};
use std::borrow::Cow;

const INTEGER: u8 = b'i';
const REAL: u8 = b'r';
const TEXT: u8 = b't';
const BLOB: u8 = b'b';

/// What a column makes of values that are put into it, by its declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Affinity {
    Integer,
    Real,
    Numeric,
    Text,
    /// Also of columns without a type: values stay what they are.
    Blob,
}

impl Affinity {
    /// That of a declared type, by the rules of the database.
    pub(super) fn of(declared: &str, is_strict: bool) -> Self {
        let upper = declared.to_ascii_uppercase();
        let has = |part: &str| upper.contains(part);
        match () {
            () if is_strict && upper == "ANY" => Affinity::Blob,
            () if has("INT") => Affinity::Integer,
            () if has("CHAR") || has("CLOB") || has("TEXT") => Affinity::Text,
            () if has("BLOB") || upper.is_empty() => Affinity::Blob,
            () if has("REAL") || has("FLOA") || has("DOUB") => Affinity::Real,
            () => Affinity::Numeric,
        }
    }

    /// A declared type that has it.
    pub(super) fn declared(self) -> &'static str {
        match self {
            Affinity::Integer => "INTEGER",
            Affinity::Real => "REAL",
            Affinity::Numeric => "NUMERIC",
            Affinity::Text => "TEXT",
            Affinity::Blob => "BLOB",
        }
    }
}

/// How texts of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Binary,
    /// Of A to Z alone.
    NoCase,
    RightTrim,
    /// A function of the application, which is not here.
    Foreign,
}

/// Reads the cells of one column.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqliteCell {
    pub(super) affinity: Affinity,
    pub(super) comparison: Comparison,
    /// Declared as DATE, DATETIME or TIMESTAMP: texts in the form of ISO 8601 are dates.
    pub(super) is_date: bool,
}

/// Appends a value as a cell.
pub(super) fn encode(value: ValueRef<'_>, out: &mut Vec<u8>) -> Option<usize> {
    let start = out.len();
    match value {
        ValueRef::Null => return None,
        ValueRef::Integer(n) => {
            out.push(INTEGER);
            out.extend_from_slice(&n.to_be_bytes());
        }
        ValueRef::Real(x) => {
            out.push(REAL);
            out.extend_from_slice(&x.to_be_bytes());
        }
        ValueRef::Text(bytes) => {
            out.push(TEXT);
            out.extend_from_slice(bytes);
        }
        ValueRef::Blob(bytes) => {
            out.push(BLOB);
            out.extend_from_slice(bytes);
        }
    }
    Some(out.len() - start)
}

fn stored(cell: &[u8]) -> Option<ValueRef<'_>> {
    let (class, bytes) = cell.split_first()?;
    Some(match *class {
        INTEGER => ValueRef::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
        REAL => ValueRef::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        TEXT => ValueRef::Text(bytes),
        BLOB => ValueRef::Blob(bytes),
        _ => return None,
    })
}

impl CellDecoder for SqliteCell {
    fn decode<'a>(&self, cell: &'a [u8], notes: &mut Vec<Note>) -> Value<'a> {
        let mut unconvertible = |reason: &'static str| {
            notes.push(Note::Unconvertible(Cow::Borrowed(reason)));
            Value::Null
        };
        match stored(cell) {
            None => unconvertible("the cell has no storage class"),
            Some(ValueRef::Null) => Value::Null,
            Some(ValueRef::Integer(n)) => Value::Long(n),
            Some(ValueRef::Real(x)) => Value::Double(x),
            Some(ValueRef::Blob(bytes)) => Value::Binary(bytes.into()),
            Some(ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
                Err(_) => unconvertible("the text is not UTF-8"),
                Ok(text) => match self.is_date.then(|| date(text)).flatten() {
                    Some(read) => {
                        if read.is_cut {
                            notes.push(Note::BelowMillisecond);
                        }
                        Value::Date(read.ms)
                    }
                    None => Value::Text(text.into()),
                },
            },
        }
    }

    fn print(&self, cell: &[u8]) -> String {
        self.try_print(cell)
            .unwrap_or_else(|| String::from_utf8_lossy(cell).into_owned())
    }

    fn try_print(&self, cell: &[u8]) -> Option<String> {
        Some(match stored(cell)? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok()?.to_owned(),
            other => plain(other)?,
        })
    }

    fn key_text(&self, cell: &[u8]) -> String {
        stored(cell)
            .and_then(|value| key_text(value, self.affinity))
            .unwrap_or_default()
    }

    /// A number is the same whether it is an integer or not; texts by the column's collation.
    fn canonical(&self, cell: &[u8], out: &mut Vec<u8>) {
        match stored(cell) {
            Some(ValueRef::Real(x)) => match whole(x) {
                Some(n) => {
                    encode(ValueRef::Integer(n), out);
                }
                None => out.extend_from_slice(cell),
            },
            Some(ValueRef::Text(text)) => {
                out.push(TEXT);
                match self.comparison {
                    Comparison::NoCase => out.extend(text.iter().map(u8::to_ascii_lowercase)),
                    Comparison::RightTrim => {
                        let end = text.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1);
                        out.extend_from_slice(&text[..end]);
                    }
                    Comparison::Binary | Comparison::Foreign => out.extend_from_slice(text),
                }
            }
            Some(_) | None => out.extend_from_slice(cell),
        }
    }
}

/// A number without a fraction that an integer holds.
fn whole(x: f64) -> Option<i64> {
    let is_whole = x.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x);
    is_whole.then_some(x as i64)
}

/// A value that is no text, as a text.
fn plain(value: ValueRef<'_>) -> Option<String> {
    Some(match value {
        ValueRef::Integer(n) => n.to_string(),
        // The shortest text that is read as the same number, always with a point or an exponent.
        ValueRef::Real(x) if x.is_finite() => format!("{x:?}"),
        ValueRef::Real(x) => if x > 0.0 { "9e999" } else { "-9e999" }.to_owned(),
        ValueRef::Blob(bytes) => {
            let digits: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
            format!("x'{}'", digits.concat())
        }
        ValueRef::Null | ValueRef::Text(_) => return None,
    })
}

/// A value as a text that [`value_of`] reads as the same value; nothing of a text that is not UTF-8.
pub(super) fn key_text(value: ValueRef<'_>, affinity: Affinity) -> Option<String> {
    let ValueRef::Text(bytes) = value else {
        return plain(value);
    };
    let text = std::str::from_utf8(bytes).ok()?;
    let is_plain = value_of(text, affinity) == Stored::Text(text.to_owned());
    Some(match is_plain {
        true => text.to_owned(),
        false => format!("'{text}'"),
    })
}

/// The value that a text stands for in a column: of a key, or what a user has typed. A text in quotes is a text in any case.
pub(super) fn value_of(text: &str, affinity: Affinity) -> Stored {
    if let Some(inner) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Stored::Text(inner.to_owned());
    }
    if let Some(bytes) = blob(text) {
        return Stored::Blob(bytes);
    }
    let is_number = || {
        let first = text.trim_start_matches(['+', '-']).bytes().next();
        let of_number = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-' | b'e' | b'E');
        first.is_some_and(|b| b.is_ascii_digit() || b == b'.') && text.bytes().all(of_number)
    };
    if affinity != Affinity::Text && is_number() {
        if let Ok(n) = text.parse::<i64>() {
            return Stored::Integer(n);
        }
        if let Ok(x) = text.parse::<f64>() {
            return Stored::Real(x);
        }
    }
    Stored::Text(text.to_owned())
}

fn blob(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("x'")?.strip_suffix('\'')?;
    let nibble = |b: &u8| (*b as char).to_digit(16).map(|n| n as u8);
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
            _ => None,
        })
        .collect()
}

/// A moment, and whether something below its milliseconds was left out.
struct Moment {
    ms: i64,
    is_cut: bool,
}

/// A date of ISO 8601, with or without a time and a zone: without one it is UTC.
fn date(text: &str) -> Option<Moment> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    if rest.is_empty() {
        return Some(Moment {
            ms: day.and_time(NaiveTime::MIN).and_utc().timestamp_millis(),
            is_cut: false,
        });
    }
    let time = rest.strip_prefix(['T', ' '])?;
    let at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(at);
    let clock = ["%H:%M:%S%.f", "%H:%M:%S", "%H:%M"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(clock, form).ok())?;
    let local: NaiveDateTime = day.and_time(clock);
    let utc = match zone {
        "" | "Z" | "z" => local.and_utc(),
        zone => {
            let whole = format!("{}{zone}", local.format("%Y-%m-%dT%H:%M:%S%.f"));
            DateTime::parse_from_str(&whole, "%Y-%m-%dT%H:%M:%S%.f%:z")
                .ok()?
                .to_utc()
        }
    };
    Some(Moment {
        ms: utc.timestamp_micros().div_euclid(1_000),
        is_cut: utc.timestamp_subsec_nanos() % 1_000_000 != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: ValueRef<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        encode(value, &mut out);
        out
    }

    #[test]
    fn affinities_follow_the_declared_type() {
        for (declared, affinity) in [
            ("INTEGER", Affinity::Integer),
            ("unsigned big int", Affinity::Integer),
            ("FLOATING POINT", Affinity::Integer),
            ("varchar(20)", Affinity::Text),
            ("CLOB", Affinity::Text),
            ("", Affinity::Blob),
            ("DOUBLE PRECISION", Affinity::Real),
            ("DECIMAL(10,2)", Affinity::Numeric),
            ("BOOLEAN", Affinity::Numeric),
            ("ANY", Affinity::Numeric),
        ] {
            assert_eq!(Affinity::of(declared, false), affinity, "{declared}");
        }
        assert_eq!(Affinity::of("ANY", true), Affinity::Blob);
    }

    #[test]
    fn a_key_leads_back_to_the_same_value() {
        let texts = [
            "", "a", "42", "'", "'a'", "x'00'", " 42 ", "1e5", "-", "+", ".", "1_000", "inf", "NaN", "ä\0b",
        ];
        let mut values: Vec<Stored> = texts.iter().map(|t| Stored::Text((*t).to_owned())).collect();
        values.extend([0, 42, -7, i64::MAX, i64::MIN].map(Stored::Integer));
        values.extend([0.5, 1e300, -2.5e-7, 9_007_199_254_740_993.0, f64::INFINITY].map(Stored::Real));
        values.extend([vec![], vec![0, 255]].map(Stored::Blob));
        for affinity in [
            Affinity::Integer,
            Affinity::Real,
            Affinity::Numeric,
            Affinity::Blob,
            Affinity::Text,
        ] {
            for value in &values {
                // A column of texts makes texts of numbers.
                if affinity == Affinity::Text && matches!(value, Stored::Integer(_) | Stored::Real(_)) {
                    continue;
                }
                let text = key_text(ValueRef::from(value), affinity).expect("a key");
                assert_eq!(value_of(&text, affinity), *value, "{text} {affinity:?}");
            }
        }
    }

    #[test]
    fn dates_are_read_where_the_column_is_one() {
        let read = |text: &str| {
            let cell = cell(ValueRef::Text(text.as_bytes()));
            let decoder = SqliteCell {
                affinity: Affinity::Numeric,
                comparison: Comparison::Binary,
                is_date: true,
            };
            let mut notes = Vec::new();
            let value = match decoder.decode(&cell, &mut notes) {
                Value::Date(ms) => Some(ms),
                _ => None,
            };
            (value, notes)
        };
        let day = 1_709_164_800_000;
        for (text, ms) in [
            ("2024-02-29", day),
            ("2024-02-29 00:00", day),
            ("2024-02-29T12:00:00Z", day + 43_200_000),
            ("2024-02-29 12:00:00.123", day + 43_200_123),
            ("2024-02-29T12:00:00+02:00", day + 36_000_000),
            ("1969-12-31 23:59:59.999", -1),
        ] {
            assert_eq!(read(text), (Some(ms), vec![]), "{text}");
        }
        assert_eq!(
            read("2024-02-29 12:00:00.1239"),
            (Some(day + 43_200_123), vec![Note::BelowMillisecond])
        );
        for text in [
            "",
            "yesterday",
            "2024-02-30",
            "2024-02-29T25:00:00",
            "20240229",
            "2024-02-2é",
        ] {
            assert_eq!(read(text), (None, vec![]), "{text}");
        }
    }

    #[test]
    fn what_the_source_calls_equal_has_one_canonical_form() {
        let canonical = |comparison, value| {
            let decoder = SqliteCell {
                affinity: Affinity::Blob,
                comparison,
                is_date: false,
            };
            let mut out = Vec::new();
            decoder.canonical(&cell(value), &mut out);
            out
        };
        let text = |comparison, text: &'static str| canonical(comparison, ValueRef::Text(text.as_bytes()));
        let binary = |value| canonical(Comparison::Binary, value);
        assert_eq!(binary(ValueRef::Integer(1)), binary(ValueRef::Real(1.0)));
        assert_eq!(binary(ValueRef::Real(0.0)), binary(ValueRef::Real(-0.0)));
        assert_ne!(binary(ValueRef::Integer(1)), binary(ValueRef::Text(b"1")));
        assert_ne!(binary(ValueRef::Blob(b"1")), binary(ValueRef::Text(b"1")));
        assert_eq!(text(Comparison::NoCase, "aBc"), text(Comparison::NoCase, "ABC"));
        assert_ne!(text(Comparison::NoCase, "ä"), text(Comparison::NoCase, "Ä"));
        assert_eq!(text(Comparison::RightTrim, "a  "), text(Comparison::RightTrim, "a"));
        assert_ne!(text(Comparison::Binary, "a"), text(Comparison::Binary, "A"));
    }
}
