//! A field that asks for another BSON type than its column gives.

use crate::data::decimal::{Decimal, same_value, split_number};
use crate::data::value::{Note, Value};
use godwit_shared::mapping::FieldType;
use std::borrow::Cow;

const NO_NUMBER: &str = "it is not a number";
const TOO_BIG: &str = "the number is too big for the type";
const NOT_FINITE: &str = "it is infinite or not a number";

/// Converts by the matrix of the field types. What cannot be converted is null, with a note, whatever the field says
/// of nulls. `printed` is the value as the source prints it.
pub fn convert<'a>(
    value: Value<'a>,
    target: FieldType,
    printed: impl FnOnce() -> String,
    notes: &mut Vec<Note>,
) -> Value<'a> {
    let converted = match target {
        _ if value == Value::Null => Ok(Value::Null),
        FieldType::Default => Ok(value),
        FieldType::Bool => to_bool(&value),
        FieldType::Date => to_date(&value),
        FieldType::Decimal => to_decimal(&value, notes),
        FieldType::Double => to_double(&value, notes),
        FieldType::Integer => {
            to_whole(&value, notes).and_then(|n| i32::try_from(n).map(Value::Int).map_err(|_| TOO_BIG))
        }
        FieldType::Long => to_whole(&value, notes).and_then(|n| i64::try_from(n).map(Value::Long).map_err(|_| TOO_BIG)),
        FieldType::String => Ok(Value::Text(match value {
            Value::Text(text) => text,
            Value::Bool(v) => Cow::Borrowed(if v { "true" } else { "false" }),
            _ => Cow::Owned(printed()),
        })),
        FieldType::ObjectId => to_object_id(&value),
        FieldType::BinData => to_binary(value),
        FieldType::Array => match value {
            Value::Array(_) => Ok(value),
            _ => Err("it is not an array"),
        },
        FieldType::Object => match value {
            Value::Document(_) => Ok(value),
            _ => Err("it is not an object"),
        },
    };
    converted.unwrap_or_else(|reason| {
        notes.push(Note::Unconvertible(Cow::Borrowed(reason)));
        Value::Null
    })
}

fn to_bool(value: &Value<'_>) -> Result<Value<'static>, &'static str> {
    Ok(Value::Bool(match value {
        Value::Bool(v) => *v,
        Value::Int(n) => *n != 0,
        Value::Long(n) => *n != 0,
        Value::Double(n) if n.is_finite() => *n != 0.0,
        Value::Decimal(d) => coefficient_of(*d).ok_or(NOT_FINITE)? != 0,
        Value::Double(_) => return Err(NOT_FINITE),
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => true,
            "false" | "f" | "no" | "n" | "0" => false,
            _ => return Err("the text is neither true nor false"),
        },
        _ => return Err("it is neither true nor false"),
    }))
}

fn to_date(value: &Value<'_>) -> Result<Value<'static>, &'static str> {
    Ok(Value::Date(match value {
        Value::Date(ms) => *ms,
        Value::Bool(v) => i64::from(*v),
        Value::Int(ms) => i64::from(*ms),
        Value::Long(ms) => *ms,
        Value::Text(text) => iso_8601(text.trim()).ok_or("the text is not an ISO 8601 date")?,
        _ => return Err("it is not a date"),
    }))
}

/// Milliseconds of `2024-02-29`, `2024-02-29 12:00:00.5`, `2024-02-29T12:00:00+02:00`; without a zone it is UTC.
fn iso_8601(text: &str) -> Option<i64> {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis());
    }
    let text = text.replacen(' ', "T", 1);
    let zoned = [
        "%Y-%m-%dT%H:%M:%S%.f%:z",
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%Y-%m-%dT%H:%M%:z",
    ];
    let plain = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.fZ",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%MZ",
    ];
    let zoned = zoned
        .iter()
        .find_map(|f| DateTime::parse_from_str(&text, f).ok())
        .map(|d| d.timestamp_millis());
    zoned.or_else(|| {
        plain
            .iter()
            .find_map(|f| NaiveDateTime::parse_from_str(&text, f).ok())
            .map(|d| d.and_utc().timestamp_millis())
    })
}

fn to_decimal(value: &Value<'_>, notes: &mut Vec<Note>) -> Result<Value<'static>, &'static str> {
    use crate::data::decimal::Fit;
    let text = match value {
        Value::Decimal(d) => return Ok(Value::Decimal(*d)),
        Value::Bool(v) => return Ok(Value::Decimal(Decimal::from_i128(i128::from(*v)))),
        Value::Int(n) => return Ok(Value::Decimal(Decimal::from_i128(i128::from(*n)))),
        Value::Long(n) => return Ok(Value::Decimal(Decimal::from_i128(i128::from(*n)))),
        Value::Double(n) if n.is_nan() => return Ok(Value::Decimal(Decimal::NAN)),
        Value::Double(n) if n.is_infinite() => {
            return Ok(Value::Decimal(if *n > 0.0 {
                Decimal::INFINITY
            } else {
                Decimal::NEGATIVE_INFINITY
            }));
        }
        Value::Double(n) => Cow::Owned(n.to_string()),
        Value::Text(text) => Cow::Borrowed(text.trim()),
        _ => return Err(NO_NUMBER),
    };
    let (decimal, fit) = Decimal::parse(&text).ok_or(NO_NUMBER)?.map_err(|_| TOO_BIG)?;
    match fit {
        Fit::Exact => {}
        Fit::Rounded => notes.push(Note::Rounded),
        Fit::Underflow => notes.push(Note::TooSmall),
    }
    Ok(Value::Decimal(decimal))
}

fn to_double(value: &Value<'_>, notes: &mut Vec<Note>) -> Result<Value<'static>, &'static str> {
    Ok(Value::Double(match value {
        Value::Double(n) => *n,
        Value::Bool(v) => f64::from(u8::from(*v)),
        Value::Int(n) => f64::from(*n),
        Value::Long(n) => {
            if *n as f64 as i128 != i128::from(*n) {
                notes.push(Note::RoundedToDouble);
            }
            *n as f64
        }
        Value::Decimal(d) => {
            let double = number_of(*d);
            if double.is_infinite() && coefficient_of(*d).is_some() {
                return Err(TOO_BIG);
            }
            if is_rounded(*d, double) {
                notes.push(Note::RoundedToDouble);
            }
            double
        }
        Value::Text(text) => text_to_double(text.trim(), notes)?,
        _ => return Err(NO_NUMBER),
    }))
}

/// Digits only: words like `inf` are names here, not numbers.
fn text_to_double(text: &str, notes: &mut Vec<Note>) -> Result<f64, &'static str> {
    split_number(text).ok_or(NO_NUMBER)?;
    let double: f64 = text.parse().map_err(|_| NO_NUMBER)?;
    if double.is_infinite() {
        return Err(TOO_BIG);
    }
    let is_short = text.bytes().filter(u8::is_ascii_digit).count() <= DOUBLE_DIGITS;
    let is_exact = is_short && double.is_normal();
    if !is_exact && !same_value(text, &format!("{double:e}")) {
        notes.push(Note::RoundedToDouble);
    }
    Ok(double)
}

/// A double keeps any so many digits.
const DOUBLE_DIGITS: usize = 15;

/// Truncated towards zero.
fn to_whole(value: &Value<'_>, notes: &mut Vec<Note>) -> Result<i128, &'static str> {
    let text = match value {
        Value::Bool(v) => return Ok(i128::from(*v)),
        Value::Int(n) => return Ok(i128::from(*n)),
        Value::Long(n) | Value::Date(n) => return Ok(i128::from(*n)),
        Value::Double(n) if n.is_finite() => n.to_string(),
        Value::Decimal(d) => decimal_text(*d),
        Value::Text(text) => text.trim().to_owned(),
        _ => return Err(NO_NUMBER),
    };
    let (negative, digits, exponent) = split_number(&text).ok_or(NO_NUMBER)?;
    let (whole, fraction) = match exponent {
        e if e < 0 => digits.split_at(digits.len().saturating_sub(e.unsigned_abs() as usize)),
        _ => (&digits[..], &[][..]),
    };
    if fraction.iter().any(|d| *d != 0) {
        notes.push(Note::FractionCut);
    }
    let start = whole.iter().take_while(|d| **d == 0).count();
    let whole = &whole[start..];
    if whole.is_empty() {
        return Ok(0);
    }
    let places = whole.len() as i64 + exponent.max(0);
    if places > 30 {
        return Err(TOO_BIG);
    }
    let magnitude = whole.iter().fold(0i128, |n, d| n * 10 + i128::from(*d)) * 10i128.pow(exponent.max(0) as u32);
    Ok(if negative { -magnitude } else { magnitude })
}

fn to_object_id(value: &Value<'_>) -> Result<Value<'static>, &'static str> {
    let wrong = "it is not an ObjectId: 24 hexadecimal digits or 12 bytes";
    match value {
        Value::Text(text) => bson::oid::ObjectId::parse_str(text.trim())
            .map(|id| Value::ObjectId(id.bytes()))
            .map_err(|_| wrong),
        Value::Binary(bytes) => bytes.as_ref().try_into().map(Value::ObjectId).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

fn to_binary(value: Value<'_>) -> Result<Value<'_>, &'static str> {
    match value {
        Value::Binary(_) => Ok(value),
        Value::Text(text) => match uuid::Uuid::parse_str(text.trim()) {
            Ok(id) => Ok(Value::Uuid(*id.as_bytes())),
            Err(_) => Err("only binary columns and UUIDs can be binary"),
        },
        _ => Err("only binary columns and UUIDs can be binary"),
    }
}

/// As MongoDB prints it.
pub fn decimal_text(decimal: Decimal) -> String {
    bson::Decimal128::from_bytes(decimal.0).to_string()
}

/// The nearest double.
pub fn number_of(decimal: Decimal) -> f64 {
    exact_number(decimal).unwrap_or_else(|| printed_number(decimal))
}

/// Digits that a double holds exactly, divided or multiplied by a power of ten that it holds exactly too: such a result
/// is rounded once, so it is the nearest. Every amount of money is one of these; ten times as fast as by way of a text.
fn exact_number(decimal: Decimal) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];
    const BIAS: i32 = 6176;
    let coefficient = coefficient_of(decimal).filter(|c| *c <= 1 << 53)?;
    let bits = u128::from_le_bytes(decimal.0);
    let exponent = ((bits >> COEFFICIENT_BITS) & 0x3fff) as i32 - BIAS;
    let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
    let digits = coefficient as f64;
    let size = if exponent < 0 { digits / power } else { digits * power };
    Some(if bits >> 127 == 1 { -size } else { size })
}

const COEFFICIENT_BITS: u32 = 113;

/// The digits as a whole number; `None` for infinity and NaN.
fn coefficient_of(decimal: Decimal) -> Option<u128> {
    let bits = u128::from_le_bytes(decimal.0);
    // Two ones behind the sign stand for infinity, NaN, and a form that no number needs.
    let is_plain = (bits >> 125) & 0b11 != 0b11;
    is_plain.then_some(bits & ((1 << COEFFICIENT_BITS) - 1))
}

/// Whether a number lost digits on its way into a double: it would be printed as another one.
fn is_rounded(decimal: Decimal, double: f64) -> bool {
    const KEPT: u128 = 10u128.pow(DOUBLE_DIGITS as u32);
    coefficient_of(decimal).is_some_and(|c| c >= KEPT || c != 0 && !double.is_normal())
        && !same_value(&decimal_text(decimal), &double.to_string())
}

fn printed_number(decimal: Decimal) -> f64 {
    match decimal_text(decimal).as_str() {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Value<'static>, target: FieldType, expected: Option<Value<'static>>) {
        let mut notes = Vec::new();
        let found = convert(value.clone(), target, || "printed".into(), &mut notes);
        let errors = notes.iter().filter(|n| n.is_error()).count();
        assert_eq!(
            (found, errors),
            (expected.clone().unwrap_or(Value::Null), usize::from(expected.is_none())),
            "{value:?} to {target:?}"
        );
    }

    fn decimal(text: &str) -> Value<'static> {
        Value::Decimal(Decimal::parse(text).unwrap().unwrap().0)
    }

    #[test]
    fn numbers_are_the_nearest_doubles() {
        let texts = [
            "0",
            "-0",
            "0.00",
            "1",
            "-1",
            "0.1",
            "0.3",
            "21168.23",
            "-0.04",
            "123456789012345.67",
            "9007199254740992",
            "9007199254740993",
            "1E22",
            "1E23",
            "3E-22",
            "3E-23",
            "-12345678901234567890.123",
            "0.000001",
            "1E6000",
        ];
        for text in texts {
            let decimal = Decimal::parse(text).unwrap().unwrap().0;
            let expected: f64 = text.parse().unwrap();
            assert_eq!(number_of(decimal).to_bits(), expected.to_bits(), "{text}");
            assert_eq!(printed_number(decimal).to_bits(), expected.to_bits(), "{text}");
        }
        let is_exact = |text: &str| exact_number(Decimal::parse(text).unwrap().unwrap().0).is_some();
        assert!(is_exact("21168.23") && !is_exact("1E23") && !is_exact("9007199254740993"));
        assert!(number_of(Decimal::NAN).is_nan());
        assert_eq!(number_of(Decimal::INFINITY), f64::INFINITY);
        assert_eq!(number_of(Decimal::NEGATIVE_INFINITY), f64::NEG_INFINITY);
    }

    #[test]
    fn a_double_that_lost_digits_is_told() {
        let told = |value: Value<'static>| {
            let mut notes = Vec::new();
            convert(value, FieldType::Double, String::new, &mut notes);
            notes
        };
        for exact in ["0", "21168.23", "0.1", "1E22", "9007199254740992"] {
            assert_eq!(told(decimal(exact)), [], "{exact}");
        }
        for rounded in ["9007199254740993", "12345678901234567890.123", "1E-400"] {
            assert_eq!(told(decimal(rounded)), [Note::RoundedToDouble], "{rounded}");
        }
        assert_eq!(told(Value::Decimal(Decimal::NAN)), []);
        assert_eq!(told(Value::Decimal(Decimal::INFINITY)), []);
        assert_eq!(told(Value::Long(1 << 53)), []);
        assert_eq!(told(Value::Long((1 << 53) + 1)), [Note::RoundedToDouble]);
        assert!(told(decimal("1E400")).iter().all(Note::is_error));
    }

    #[test]
    fn the_matrix_of_field_types() {
        use FieldType::{Bool, Date, Double, Integer, Long};
        let text = |t: &'static str| Value::Text(t.into());
        check(Value::Int(100), Bool, Some(Value::Bool(true)));
        check(Value::Int(100), Date, Some(Value::Date(100)));
        check(Value::Int(100), FieldType::Decimal, Some(decimal("100")));
        check(Value::Bool(true), Integer, Some(Value::Int(1)));
        check(
            Value::Long(1_233_140_483_647),
            Date,
            Some(Value::Date(1_233_140_483_647)),
        );
        check(Value::Long(1_233_140_483_647), Integer, None);
        check(decimal("26.55"), Integer, Some(Value::Int(26)));
        check(decimal("-26.55"), Long, Some(Value::Long(-26)));
        check(decimal("1E+2"), Integer, Some(Value::Int(100)));
        check(decimal("26.55"), Date, None);
        check(decimal("26.55"), Double, Some(Value::Double(26.55)));
        check(text("Hello"), Bool, None);
        check(text("Hello"), Date, None);
        check(text("Hello"), Long, None);
        check(text("true"), Bool, Some(Value::Bool(true)));
        check(text("26.55"), FieldType::Decimal, Some(decimal("26.55")));
        check(
            text("2024-02-29 12:00:00.5+02"),
            Date,
            Some(Value::Date(1_709_200_800_500)),
        );
        check(text("2024-02-29"), Date, Some(Value::Date(1_709_164_800_000)));
        check(Value::Int(7), FieldType::String, Some(text("printed")));
        check(Value::Bool(false), FieldType::String, Some(text("false")));
        check(Value::Double(f64::NAN), Integer, None);
        check(Value::Null, Integer, Some(Value::Null));
        check(
            text("123e4567-e89b-12d3-a456-426614174000"),
            FieldType::BinData,
            Some(Value::Uuid(
                *uuid::uuid!("123e4567-e89b-12d3-a456-426614174000").as_bytes(),
            )),
        );
    }

    #[test]
    fn what_is_not_finite_goes_where_the_type_has_it_and_nowhere_else() {
        use FieldType::{Bool, Date, Double, Integer, Long};
        let text = |t: &'static str| Value::Text(t.into());
        for not_finite in [
            Value::Double(f64::NAN),
            Value::Double(f64::INFINITY),
            Value::Double(f64::NEG_INFINITY),
            Value::Decimal(Decimal::NAN),
            Value::Decimal(Decimal::INFINITY),
            Value::Decimal(Decimal::NEGATIVE_INFINITY),
        ] {
            for target in [Bool, Date, Integer, Long] {
                check(not_finite.clone(), target, None);
            }
        }
        check(
            Value::Double(f64::INFINITY),
            FieldType::Decimal,
            Some(Value::Decimal(Decimal::INFINITY)),
        );
        check(
            Value::Decimal(Decimal::NEGATIVE_INFINITY),
            Double,
            Some(Value::Double(f64::NEG_INFINITY)),
        );
        for word in [
            "inf",
            "-inf",
            "Infinity",
            "nan",
            "NaN",
            "+infinity",
            "1e400",
            "-1e309",
            "0x10",
            "1_000",
            "",
            ".",
        ] {
            check(text(word), Double, None);
        }
        for word in ["inf", "nan", "1e7000", "-1e99999999999999999999"] {
            check(text(word), FieldType::Decimal, None);
            check(text(word), Long, None);
        }
        check(text(" +1.5e3 "), Double, Some(Value::Double(1500.0)));
        check(text("0e99999999999999999999"), Double, Some(Value::Double(0.0)));
    }

    #[test]
    fn a_text_that_lost_digits_is_told() {
        for (source, is_told) in [
            ("0.1", false),
            ("-0", false),
            ("1e308", false),
            ("100000000000000000000", false),
            ("0.1000000000000000055511151231257827", true),
            ("9007199254740993", true),
            ("1e-400", true),
            ("0.10000000000000000000", false),
        ] {
            let mut notes = Vec::new();
            convert(Value::Text(source.into()), FieldType::Double, String::new, &mut notes);
            assert_eq!(notes == [Note::RoundedToDouble], is_told, "{source}: {notes:?}");
        }
    }

    #[test]
    fn a_cut_fraction_is_told() {
        let mut notes = Vec::new();
        convert(decimal("26.55"), FieldType::Integer, String::new, &mut notes);
        assert_eq!(notes, [Note::FractionCut]);
    }
}
