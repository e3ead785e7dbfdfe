//! Integers, floats, numeric, money.

use super::{Broken, Cursor, fixed};
use crate::data::decimal::{Decimal, Fit};
use crate::data::value::{Note, Value};

const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;
const NEGATIVE: u16 = 0x4000;

/// An int2, int4 or int8 by its length.
pub(super) fn integer(cell: &[u8]) -> Result<i64, Broken> {
    Ok(match cell.len() {
        2 => i64::from(i16::from_be_bytes(fixed(cell)?)),
        4 => i64::from(i32::from_be_bytes(fixed(cell)?)),
        _ => i64::from_be_bytes(fixed(cell)?),
    })
}

/// The double that prints like the float4: 1.1, not 1.10000002384186.
pub(super) fn shortest(value: f32) -> f64 {
    if value.is_finite() {
        format!("{value:e}").parse().unwrap_or(f64::from(value))
    } else {
        f64::from(value)
    }
}

pub(super) fn canonical_float(cell: &[u8], out: &mut Vec<u8>) {
    let value = match cell.len() {
        4 => fixed(cell).map(|b| shortest(f32::from_be_bytes(b))),
        _ => fixed(cell).map(f64::from_be_bytes),
    };
    match value {
        Ok(v) => out.extend_from_slice(&one_float8(v).to_be_bytes()),
        Err(_) => out.extend_from_slice(cell),
    }
}

/// One form for all NaNs and for both zeros: the source calls them equal.
pub(super) fn one_float4(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}

/// As [`one_float4`].
pub(super) fn one_float8(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

/// Fixed up to these exponents, then scientific with two digits: as `float8out` and `float4out` print.
pub(super) fn print_float8(v: f64) -> String {
    print_float(v.is_finite(), v.is_nan(), v.is_sign_negative(), &format!("{v:e}"), 15)
}

pub(super) fn print_float4(v: f32) -> String {
    print_float(v.is_finite(), v.is_nan(), v.is_sign_negative(), &format!("{v:e}"), 6)
}

fn print_float(finite: bool, nan: bool, negative: bool, shortest: &str, fixed_below: i32) -> String {
    if !finite {
        return if nan {
            "NaN"
        } else if negative {
            "-Infinity"
        } else {
            "Infinity"
        }
        .into();
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if negative { "-" } else { "" };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if !(-4..fixed_below).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let (way, size) = (if exponent < 0 { '-' } else { '+' }, exponent.abs());
        return format!("{sign}{first}{point}{rest}e{way}{size:02}");
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(-exponent as usize - 1));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        format!("{sign}{digits}{}", "0".repeat(whole - digits.len()))
    } else {
        format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
    }
}

/// A numeric taken apart: sign word, decimal digits, places after the point.
struct Numeric {
    sign: u16,
    /// Values 0 to 9; at least one before the point may be missing.
    digits: Vec<u8>,
    scale: usize,
}

fn read_numeric(cell: &[u8]) -> Result<Numeric, Broken> {
    let mut c = Cursor(cell);
    let (count, weight, sign, scale) = (c.u16()? as i16, c.u16()? as i16, c.u16()?, usize::from(c.u16()?));
    let whole_groups = i32::from(weight) + 1;
    let mut digits = Vec::with_capacity(count.max(0) as usize * 4 + scale);
    // Groups of four between the point and the first one that is stored.
    (whole_groups..0).for_each(|_| digits.extend([0; 4]));
    for _ in 0..count {
        let group = c.u16()?;
        digits.extend([group / 1000 % 10, group / 100 % 10, group / 10 % 10, group % 10].map(|d| d as u8));
    }
    let whole = whole_groups.max(0) as usize * 4;
    digits.resize(whole + scale, 0);
    Ok(Numeric { sign, digits, scale })
}

pub(super) fn numeric(cell: &[u8], notes: &mut Vec<Note>) -> Result<Value<'static>, Broken> {
    let n = read_numeric(cell)?;
    match n.sign {
        NAN => Ok(Value::Decimal(Decimal::NAN)),
        INFINITY => Ok(Value::Decimal(Decimal::INFINITY)),
        NEGATIVE_INFINITY => Ok(Value::Decimal(Decimal::NEGATIVE_INFINITY)),
        sign => decimal(sign == NEGATIVE, &n.digits, -(n.scale as i64), notes),
    }
}

/// A decimal with a note where it did not fit.
pub(super) fn decimal(
    negative: bool,
    digits: &[u8],
    exponent: i64,
    notes: &mut Vec<Note>,
) -> Result<Value<'static>, Broken> {
    let (value, fit) =
        Decimal::from_digits(negative, digits, exponent).map_err(|_| "the number is beyond ±9.99E6144")?;
    match fit {
        Fit::Exact => {}
        Fit::Rounded => notes.push(Note::Rounded),
        Fit::Underflow => notes.push(Note::TooSmall),
    }
    Ok(Value::Decimal(value))
}

pub(super) fn print_numeric(cell: &[u8]) -> Result<String, Broken> {
    let n = read_numeric(cell)?;
    Ok(match n.sign {
        NAN => "NaN".into(),
        INFINITY => "Infinity".into(),
        NEGATIVE_INFINITY => "-Infinity".into(),
        sign => print_digits(sign == NEGATIVE, &n.digits, n.scale),
    })
}

fn print_digits(negative: bool, digits: &[u8], scale: usize) -> String {
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let text = |ds: &[u8]| ds.iter().map(|d| char::from(b'0' + d)).collect::<String>();
    let whole = text(whole);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    let point = if scale > 0 { "." } else { "" };
    format!("{}{whole}{point}{}", if negative { "-" } else { "" }, text(fraction))
}

/// Without trailing zeros after the point: 1.0 and 1.00 are one key.
pub(super) fn canonical_numeric(cell: &[u8], out: &mut Vec<u8>) {
    match print_numeric(cell) {
        Ok(text) if text.contains('.') => {
            out.extend_from_slice(text.trim_end_matches('0').trim_end_matches('.').as_bytes())
        }
        Ok(text) => out.extend_from_slice(text.as_bytes()),
        Err(_) => out.extend_from_slice(cell),
    }
}

/// The binary form with no more digits after the point than the value has: the source stores no zeros at its end, only
/// how many of them are printed.
pub(super) fn canonical_numeric_bytes(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let n = read_numeric(cell)?;
    let zeros = n.digits.iter().rev().take_while(|d| **d == 0).count().min(n.scale);
    let scale = u16::try_from(n.scale - zeros).map_err(|_| "a scale beyond its range")?;
    out.extend_from_slice(&cell[..6]);
    out.extend_from_slice(&scale.to_be_bytes());
    out.extend_from_slice(&cell[8..]);
    Ok(())
}

fn money_digits(cell: &[u8], scale: u32) -> Result<(bool, Vec<u8>), Broken> {
    let amount = integer(cell)?;
    let text = format!("{:0>width$}", amount.unsigned_abs(), width = scale as usize + 1);
    Ok((amount < 0, text.bytes().map(|b| b - b'0').collect()))
}

pub(super) fn money(cell: &[u8], scale: u32, notes: &mut Vec<Note>) -> Result<Value<'static>, Broken> {
    let (negative, digits) = money_digits(cell, scale)?;
    decimal(negative, &digits, -i64::from(scale), notes)
}

/// As a plain number, without the currency that the server's locale would print.
pub(super) fn print_money(cell: &[u8], scale: u32) -> Result<String, Broken> {
    let (negative, digits) = money_digits(cell, scale)?;
    Ok(print_digits(negative, &digits, scale as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_binary_form() {
        // A group of 1 at weight 0, then of 5000 at weight -1; the last number is the scale.
        let form = |scale: u8, groups: &[u8]| {
            let head = [0, groups.len() as u8 / 2, 0, 0, 0, 0, 0, scale];
            let mut out = Vec::new();
            canonical_numeric_bytes(&[&head[..], groups].concat(), &mut out).unwrap();
            out
        };
        assert_eq!(form(3, &[0, 1]), form(0, &[0, 1]));
        assert_eq!(form(3, &[0, 1, 0x13, 0x88]), form(1, &[0, 1, 0x13, 0x88]));
        assert_ne!(form(1, &[0, 1, 0x13, 0x88]), form(1, &[0, 1]));
        assert_eq!(one_float4(-0.0).to_be_bytes(), 0f32.to_be_bytes());
    }

    #[test]
    fn floats_print_as_the_server_prints_them() {
        let check = |v: f64, expected: &str| assert_eq!(print_float8(v), expected);
        check(0.1, "0.1");
        check(1.0, "1");
        check(-0.0, "-0");
        check(1e15, "1e+15");
        check(123456789012345.0, "123456789012345");
        check(0.0001, "0.0001");
        check(0.00001, "1e-05");
        check(1.7976931348623157e308, "1.7976931348623157e+308");
        check(-2.5, "-2.5");
        assert_eq!(print_float4(1e6), "1e+06");
        assert_eq!(print_float4(1.1), "1.1");
        assert_eq!(shortest(1.1), 1.1);
        assert_eq!(shortest(1e-45), 1e-45);
    }

    #[test]
    fn numerics_of_all_sizes() {
        // 1234.5600, 0.00001, -10000, as numeric_send sends them
        let check = |cell: &[i16], text: &str, canonical: &str| {
            let bytes: Vec<u8> = cell.iter().flat_map(|w| w.to_be_bytes()).collect();
            assert_eq!(print_numeric(&bytes).unwrap(), text);
            let mut out = Vec::new();
            canonical_numeric(&bytes, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), canonical);
        };
        check(&[2, 0, 0, 4, 1234, 5600], "1234.5600", "1234.56");
        check(&[1, -2, 0, 5, 1000], "0.00001", "0.00001");
        check(&[1, 1, 0x4000, 0, 1], "-10000", "-10000");
        check(&[0, 0, 0, 2], "0.00", "0");
        check(&[0, 0, NAN as i16, 0], "NaN", "NaN");
        assert_eq!(print_money(&5i64.to_be_bytes(), 2).unwrap(), "0.05");
        assert_eq!(
            print_money(&i64::MIN.to_be_bytes(), 2).unwrap(),
            "-92233720368547758.08"
        );
    }
}
