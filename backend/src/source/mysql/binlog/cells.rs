//! The values of rows in the log, as the texts that a read of the column gives: keys of both are compared.
//!
//! Only columns that somebody asks for are printed. A value that cannot be printed exactly (a text in a character set that
//! is not known here, MySQL's JSON) counts as absent, and what needs it is read again as a whole.

use super::bytes::Bytes;
use super::table_map::{LogColumn, kind};
use crate::data::catalog::CatalogColumn;
use crate::data::row::MalformedRow;
use crate::source::mysql::columns::{Kind, members};
use crate::source::mysql::operators::charset_of;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How the values of a column become texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Print {
    /// Nobody asks for it, or nobody can say it.
    Not,
    Integer {
        is_unsigned: bool,
    },
    Float,
    Double,
    Decimal,
    Bits,
    Text(Charset),
    /// Bytes, filled up with zeros to this length.
    Binary(usize),
    /// Labels by their numbers, from 1.
    Enum(Vec<String>),
    Set(Vec<String>),
    Date,
    DateTime,
    Timestamp,
    Time,
    Year,
    Uuid,
    Inet4,
    Inet6,
}

/// How texts are written in the log: in the character set of their column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Latin1,
    /// Two bytes for a character or a half of one, the upper byte first.
    Utf16,
    Utf16Little,
    Utf32,
    /// Another one in which ASCII is itself.
    Other,
}

impl Charset {
    fn of(collation: &str) -> Self {
        match charset_of(collation) {
            "utf8mb4" | "utf8mb3" | "utf8" | "ascii" => Charset::Utf8,
            "latin1" => Charset::Latin1,
            "ucs2" | "utf16" => Charset::Utf16,
            "utf16le" => Charset::Utf16Little,
            "utf32" => Charset::Utf32,
            _ => Charset::Other,
        }
    }

    /// Nothing where the bytes are no text that is known here.
    fn decode(self, bytes: &[u8], out: &mut String) -> Option<()> {
        let utf16 = |pair: fn([u8; 2]) -> u16, out: &mut String| {
            let units = bytes.chunks(2).map(|c| c.try_into().ok().map(pair));
            let units: Option<Vec<u16>> = units.collect();
            out.push_str(&String::from_utf16(&units?).ok()?);
            Some(())
        };
        match self {
            Charset::Utf8 => out.push_str(std::str::from_utf8(bytes).ok()?),
            Charset::Latin1 => out.extend(bytes.iter().map(|b| from_latin1(*b))),
            Charset::Utf16 => utf16(u16::from_be_bytes, out)?,
            Charset::Utf16Little => utf16(u16::from_le_bytes, out)?,
            Charset::Utf32 => {
                for unit in bytes.chunks(4) {
                    out.push(char::from_u32(u32::from_be_bytes(unit.try_into().ok()?))?);
                }
            }
            Charset::Other if bytes.is_ascii() => out.push_str(std::str::from_utf8(bytes).ok()?),
            Charset::Other => return None,
        }
        Some(())
    }
}

/// What these servers call latin1: Windows' 1252, with its five holes filled.
fn from_latin1(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => UPPER[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

impl Print {
    /// How a column of the catalog is printed from what the log has of it; `None` where that is a column of another type.
    pub fn of(column: &CatalogColumn, log: LogColumn) -> Option<Print> {
        let texts = [
            kind::VARCHAR,
            kind::VAR_STRING,
            kind::STRING,
            kind::TINY_BLOB,
            kind::BLOB,
            kind::MEDIUM_BLOB,
            kind::LONG_BLOB,
        ];
        let type_name = column.type_text.split(['(', ' ']).next().unwrap_or_default();
        Some(match (Kind::of(column), log.kind) {
            (Kind::Integer, logged) => {
                let declared = match type_name {
                    "tinyint" => kind::TINY,
                    "smallint" => kind::SHORT,
                    "mediumint" => kind::INT24,
                    "bigint" => kind::LONGLONG,
                    _ => kind::LONG,
                };
                let is_unsigned = column.type_text.contains("unsigned");
                return (declared == logged).then_some(Print::Integer { is_unsigned });
            }
            (Kind::Decimal, kind::NEWDECIMAL) => Print::Decimal,
            (Kind::Float, kind::FLOAT) => Print::Float,
            (Kind::Double, kind::DOUBLE) => Print::Double,
            (Kind::Bits, kind::BIT) => Print::Bits,
            (Kind::Enum, kind::ENUM) => Print::Enum(members(&column.type_text)),
            (Kind::Set, kind::SET) => Print::Set(members(&column.type_text)),
            (Kind::Text | Kind::Binary, kind::BLOB_COMPRESSED | kind::VARCHAR_COMPRESSED) => Print::Not,
            (Kind::Text, logged) if texts.contains(&logged) => {
                Print::Text(Charset::of(column.collation.as_ref().map_or("utf8mb4_bin", |c| &c.sql)))
            }
            // MariaDB's is a text.
            (Kind::Json, logged) if texts.contains(&logged) => Print::Text(Charset::Utf8),
            (Kind::Json, kind::JSON) => Print::Not,
            (Kind::Binary, logged) if texts.contains(&logged) || logged == kind::VECTOR => {
                let fixed = column.type_text.strip_prefix("binary(");
                Print::Binary(fixed.and_then(|t| t.strip_suffix(')')?.parse().ok()).unwrap_or(0))
            }
            (Kind::Geometry, kind::GEOMETRY | kind::BLOB | kind::LONG_BLOB) => Print::Binary(0),
            (Kind::Date, kind::DATE | kind::NEWDATE) => Print::Date,
            (Kind::DateTime, kind::DATETIME2 | kind::DATETIME) => Print::DateTime,
            (Kind::Timestamp, kind::TIMESTAMP2 | kind::TIMESTAMP) => Print::Timestamp,
            (Kind::Time, kind::TIME2 | kind::TIME) => Print::Time,
            (Kind::Year, kind::YEAR) => Print::Year,
            (Kind::Plain, logged) => match type_name {
                "uuid" if logged == kind::STRING => Print::Uuid,
                "inet4" if logged == kind::STRING => Print::Inet4,
                "inet6" if logged == kind::STRING => Print::Inet6,
                _ => Print::Not,
            },
            _ => return None,
        })
    }
}

/// Takes the value of a column from the front of a row and prints it. False where it is not printed.
///
/// # Errors
/// When the row ends early.
pub fn print(row: &mut Bytes<'_>, log: LogColumn, how: &Print, out: &mut String) -> Result<bool, MalformedRow> {
    let bytes = value(row, log)?;
    let start = out.len();
    let printed = match how {
        Print::Not => None,
        _ => write(bytes, log, how, out),
    };
    if printed.is_none() {
        out.truncate(start);
    }
    Ok(printed.is_some())
}

/// The bytes of a value.
fn value<'a>(row: &mut Bytes<'a>, log: LogColumn) -> Result<&'a [u8], MalformedRow> {
    let fraction = |meta: u8| usize::from(meta.min(6)).div_ceil(2);
    let size = match log.kind {
        kind::NULL => 0,
        kind::TINY | kind::YEAR => 1,
        kind::SHORT => 2,
        kind::INT24 | kind::DATE | kind::NEWDATE | kind::TIME => 3,
        kind::LONG | kind::FLOAT | kind::TIMESTAMP => 4,
        kind::LONGLONG | kind::DOUBLE | kind::DATETIME => 8,
        kind::TIME2 => 3 + fraction(log.meta[0]),
        kind::TIMESTAMP2 => 4 + fraction(log.meta[0]),
        kind::DATETIME2 => 5 + fraction(log.meta[0]),
        kind::NEWDECIMAL => Digits::of(log).bytes(),
        kind::BIT => usize::from(log.meta[1]) + usize::from(log.meta[0] > 0),
        kind::ENUM | kind::SET => usize::from(log.meta[1]),
        _ => return row.prefixed(log.length_bytes().clamp(1, 8)),
    };
    row.take(size)
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

fn big(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

fn write(bytes: &[u8], log: LogColumn, how: &Print, out: &mut String) -> Option<()> {
    match how {
        Print::Not => return None,
        Print::Integer { is_unsigned: true } => write!(out, "{}", little(bytes)).ok()?,
        Print::Integer { is_unsigned: false } => {
            let shift = 64 - 8 * bytes.len() as u32;
            write!(out, "{}", (little(bytes) << shift) as i64 >> shift).ok()?;
        }
        Print::Float => double(f64::from(f32::from_le_bytes(bytes.try_into().ok()?)), out),
        Print::Double => double(f64::from_le_bytes(bytes.try_into().ok()?), out),
        Print::Decimal => Digits::of(log).print(bytes, out)?,
        Print::Bits => write!(out, "{}", big(bytes)).ok()?,
        Print::Text(charset) => charset.decode(bytes, out)?,
        Print::Binary(length) => {
            out.push_str("0x");
            let zeros = length.saturating_sub(bytes.len());
            bytes.iter().try_for_each(|byte| write!(out, "{byte:02X}")).ok()?;
            out.extend(std::iter::repeat_n("00", zeros));
        }
        // An invalid label is stored as 0.
        Print::Enum(labels) => {
            if let Some(place) = usize::try_from(little(bytes)).ok()?.checked_sub(1) {
                out.push_str(labels.get(place)?);
            }
        }
        Print::Set(labels) => {
            let bits = little(bytes);
            let held = (0..64).filter(|bit| bits >> bit & 1 == 1);
            let held: Option<Vec<&str>> = held.map(|bit: usize| labels.get(bit).map(String::as_str)).collect();
            out.push_str(&held?.join(","));
        }
        Print::Date => {
            let number = little(bytes);
            day(number >> 9, number >> 5 & 15, number & 31, out)?;
        }
        Print::DateTime if log.kind == kind::DATETIME => {
            let number = little(bytes);
            let (date, time) = (number / 1_000_000, number % 1_000_000);
            day(date / 10_000, date / 100 % 100, date % 100, out)?;
            out.push(' ');
            clock(time / 10_000, time / 100 % 100, time % 100, out)?;
        }
        Print::DateTime => {
            let (whole, fraction) = bytes.split_at_checked(5)?;
            let number = big(whole).checked_sub(1 << 39)?;
            let (days, time) = (number >> 17, number & ((1 << 17) - 1));
            let months = days >> 5;
            day(months / 13, months % 13, days & 31, out)?;
            out.push(' ');
            clock(time >> 12, time >> 6 & 63, time & 63, out)?;
            micros(fraction_of(fraction), log.meta[0], out)?;
        }
        Print::Timestamp => {
            let (whole, fraction) = bytes.split_at_checked(4)?;
            let seconds = if log.kind == kind::TIMESTAMP {
                little(whole)
            } else {
                big(whole)
            };
            match seconds {
                0 => out.push_str("0000-00-00 00:00:00"),
                _ => {
                    let time = chrono::DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
                    write!(out, "{}", time.format("%Y-%m-%d %H:%M:%S")).ok()?;
                }
            }
            micros(fraction_of(fraction), log.meta[0], out)?;
        }
        Print::Time if log.kind == kind::TIME => {
            let shift = 40;
            let number = (little(bytes) << shift) as i64 >> shift;
            if number < 0 {
                out.push('-');
            }
            let number = number.unsigned_abs();
            clock(number / 10_000, number / 100 % 100, number % 100, out)?;
        }
        Print::Time => {
            // One number: the time, then the fraction in as many bytes as it has; half of all are negative.
            let width = 8 * bytes.len() as u32;
            let number = i64::try_from(big(bytes)).ok()? - (1 << (width - 1));
            if number < 0 {
                out.push('-');
            }
            let (number, fraction_bits) = (number.unsigned_abs(), width - 24);
            let time = number >> fraction_bits;
            clock(time >> 12 & 0x3ff, time >> 6 & 63, time & 63, out)?;
            let fraction = number & ((1 << fraction_bits) - 1);
            micros(fraction * unit_of(bytes.len() - 3), log.meta[0], out)?;
        }
        Print::Year => match bytes.first()? {
            0 => out.push_str("0000"),
            year => write!(out, "{}", 1900 + u32::from(*year)).ok()?,
        },
        Print::Uuid => uuid(&filled::<16>(bytes)?, out)?,
        Print::Inet4 => write!(out, "{}", Ipv4Addr::from(filled::<4>(bytes)?)).ok()?,
        Print::Inet6 => write!(out, "{}", Ipv6Addr::from(filled::<16>(bytes)?)).ok()?,
    }
    Some(())
}

/// A number as the server prints it as well, but for the place from where on it has an exponent.
fn double(number: f64, out: &mut String) {
    let has_exponent = number != 0.0 && !(1e-15..1e15).contains(&number.abs());
    // Writing to a text does not fail.
    let _ = if has_exponent {
        write!(out, "{number:e}")
    } else {
        write!(out, "{number}")
    };
}

fn day(year: u64, month: u64, day: u64, out: &mut String) -> Option<()> {
    write!(out, "{year:04}-{month:02}-{day:02}").ok()
}

fn clock(hour: u64, minute: u64, second: u64, out: &mut String) -> Option<()> {
    write!(out, "{hour:02}:{minute:02}:{second:02}").ok()
}

/// What one of a fraction of so many bytes stands for, in microseconds.
fn unit_of(bytes: usize) -> u64 {
    match bytes {
        1 => 10_000,
        2 => 100,
        _ => 1,
    }
}

fn fraction_of(bytes: &[u8]) -> u64 {
    big(bytes) * unit_of(bytes.len())
}

/// A fraction of a second with so many digits.
fn micros(micros: u64, digits: u8, out: &mut String) -> Option<()> {
    let digits = usize::from(digits.min(6));
    if digits > 0 {
        let text = format!("{micros:06}");
        write!(out, ".{}", text.get(..digits)?).ok()?;
    }
    Some(())
}

/// Zeros at the end are cut off.
fn filled<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut whole = [0; N];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(whole)
}

/// MariaDB stores the parts of a UUID from the last to the first, unless it is of a version that is in order by itself.
fn uuid(bytes: &[u8; 16], out: &mut String) -> Option<()> {
    // As stored: 6 bytes of node, 2 of sequence, then time. The variant is the highest bit of the sequence.
    let is_turned = bytes[6] & 0x80 != 0 && matches!(bytes[8] >> 4, 1..=5);
    let parts: [&[u8]; 5] = if is_turned {
        [&bytes[12..], &bytes[10..12], &bytes[8..10], &bytes[6..8], &bytes[..6]]
    } else {
        [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]]
    };
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.push('-');
        }
        part.iter().try_for_each(|byte| write!(out, "{byte:02x}")).ok()?;
    }
    Some(())
}

/// The digits of a decimal: groups of nine in four bytes, and the first and the last ones in fewer.
#[derive(Debug, Clone, Copy)]
struct Digits {
    whole: usize,
    fraction: usize,
}

const GROUP: usize = 9;
const BYTES_OF_DIGITS: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

impl Digits {
    fn of(log: LogColumn) -> Self {
        let (precision, scale) = (usize::from(log.meta[0]), usize::from(log.meta[1]));
        Self {
            whole: precision.saturating_sub(scale),
            fraction: scale.min(precision),
        }
    }

    /// Digits of each group in their order.
    fn groups(self) -> impl Iterator<Item = (bool, usize)> {
        let whole = std::iter::once(self.whole % GROUP).chain(std::iter::repeat_n(GROUP, self.whole / GROUP));
        let fraction = std::iter::repeat_n(GROUP, self.fraction / GROUP).chain([self.fraction % GROUP]);
        whole
            .map(|d| (false, d))
            .chain(fraction.map(|d| (true, d)))
            .filter(|(_, digits)| *digits > 0)
    }

    fn bytes(self) -> usize {
        self.groups().map(|(_, digits)| BYTES_OF_DIGITS[digits]).sum()
    }

    fn print(self, bytes: &[u8], out: &mut String) -> Option<()> {
        let mut bytes = bytes.to_vec();
        let is_negative = bytes.first()? & 0x80 == 0;
        bytes[0] ^= 0x80;
        if is_negative {
            bytes.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let (mut whole, mut fraction, mut rest) = (String::new(), String::new(), bytes.as_slice());
        for (is_fraction, digits) in self.groups() {
            let (group, tail) = rest.split_at_checked(BYTES_OF_DIGITS[digits])?;
            rest = tail;
            let part = if is_fraction { &mut fraction } else { &mut whole };
            write!(part, "{:0digits$}", big(group)).ok()?;
        }
        let whole = whole.trim_start_matches('0');
        let is_zero = whole.is_empty() && fraction.bytes().all(|b| b == b'0');
        if is_negative && !is_zero {
            out.push('-');
        }
        out.push_str(if whole.is_empty() { "0" } else { whole });
        if !fraction.is_empty() {
            out.push('.');
            out.push_str(&fraction);
        }
        Some(())
    }
}
