//! Integers, floats, numeric, money.

use super::{Broken, Cursor, fixed};
use crate::data::decimal::Decimal;
use crate::data::value::{Note, Value};
use crate::source::json::decimal;

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

/// A number without a sign of four or eight bytes.
pub(super) fn counter(cell: &[u8]) -> Result<u64, Broken> {
    match cell.len() {
        4 => Ok(u64::from(u32::from_be_bytes(fixed(cell)?))),
        _ => Ok(u64::from_be_bytes(fixed(cell)?)),
    }
}

/// The double that prints like the float4: 1.1, not 1.10000002384186.
pub(super) fn shortest(value: f32) -> f64 {
    if value.is_finite() {
        print_float4(value).parse().unwrap_or(f64::from(value))
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
    let rounded = |digits: usize| {
        let text = format!("{v:.*e}", digits - 1);
        (text.parse() == Ok(v)).then_some(text)
    };
    let digits = shortest_inside(&format!("{v:e}"), rounded, Interval::of_float8(v));
    print_float(v.is_finite(), v.is_nan(), v.is_sign_negative(), &digits, 15)
}

pub(super) fn print_float4(v: f32) -> String {
    let rounded = |digits: usize| {
        let text = format!("{v:.*e}", digits - 1);
        (text.parse() == Ok(v)).then_some(text)
    };
    let digits = shortest_inside(&format!("{v:e}"), rounded, Interval::of_float4(v));
    print_float(v.is_finite(), v.is_nan(), v.is_sign_negative(), &digits, 6)
}

/// The most digits that tell two doubles apart.
const DIGITS_MAX: usize = 17;

/// The shortest digits that lie between the neighbours of a number, nearest to it. The standard library also takes the
/// very middle between two of them, where that is read as the number again, and of two that are as near the larger one;
/// the server does neither. `rounded` gives the number with so many digits, where that is read as the number.
///
/// NaN and the infinities have no digits, and stay as they are.
fn shortest_inside(shortest: &str, rounded: impl Fn(usize) -> Option<String>, interval: Interval) -> String {
    let count = |text: &str| {
        let mantissa = text.split('e').next().unwrap_or_default();
        mantissa.bytes().filter(u8::is_ascii_digit).count()
    };
    if count(shortest) == 0 {
        return shortest.into();
    }
    for digits in count(shortest)..=DIGITS_MAX {
        let nearest = rounded(digits).into_iter();
        let other = (digits == count(shortest)).then(|| shortest.to_owned());
        if let Some(text) = nearest.chain(other).find(|text| interval.holds(text)) {
            return text;
        }
    }
    shortest.into()
}

/// What is read as a number: from the middle between it and the one below to the middle between it and the one above,
/// each an odd number times a power of two.
struct Interval {
    ends: [(u128, i32); 2],
}

impl Interval {
    fn of_float8(v: f64) -> Self {
        let bits = v.to_bits();
        Self::of(bits & ((1 << 52) - 1), ((bits >> 52) & 0x7ff) as i32, 52, 1075)
    }

    fn of_float4(v: f32) -> Self {
        let bits = v.to_bits();
        let mantissa = bits & ((1 << 23) - 1);
        Self::of(u64::from(mantissa), ((bits >> 23) & 0xff) as i32, 23, 150)
    }

    fn of(stored: u64, exponent: i32, bits: u32, bias: i32) -> Self {
        let (mantissa, power) = match exponent {
            0 => (u128::from(stored), 1 - bias),
            _ => (u128::from(stored) | 1 << bits, exponent - bias),
        };
        // Below a power of two numbers lie twice as close.
        let below = if stored == 0 && exponent > 1 {
            (4 * mantissa - 1, power - 2)
        } else {
            ((2 * mantissa).saturating_sub(1), power - 1)
        };
        Self {
            ends: [below, (2 * mantissa + 1, power - 1)],
        }
    }

    /// Whether digits that are read as the number are none of the two ends.
    fn holds(&self, text: &str) -> bool {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let fraction = mantissa.split_once('.').map_or(0, |(_, f)| f.len() as i32);
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let (Ok(digits), Ok(exponent)) = (digits.parse(), exponent.parse::<i32>()) else {
            return true;
        };
        !self.ends.iter().any(|end| is_same(digits, exponent - fraction, *end))
    }
}

/// Whether `digits` times a power of ten is an odd number times a power of two. What does not fit is never the same: an
/// end has fewer factors of five than that.
fn is_same(digits: u128, tens: i32, (odd, twos): (u128, i32)) -> bool {
    let fives = 5u128.checked_pow(tens.unsigned_abs());
    let sides = match (fives, tens >= 0) {
        (Some(fives), true) => digits.checked_mul(fives).zip(Some(odd)),
        (Some(fives), false) => odd.checked_mul(fives).map(|right| (digits, right)),
        (None, _) => None,
    };
    let Some((left, right)) = sides.filter(|(left, right)| *left != 0 && *right != 0) else {
        return false;
    };
    let (l, r) = (left.trailing_zeros(), right.trailing_zeros());
    left >> l == right >> r && l as i32 + tens == r as i32 + twos
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
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-Infinity");
        check(0.0, "0");
        check(0.1, "0.1");
        check(1.0, "1");
        check(-0.0, "-0");
        check(1e15, "1e+15");
        check(123456789012345.0, "123456789012345");
        check(0.0001, "0.0001");
        check(0.00001, "1e-05");
        check(1.7976931348623157e308, "1.7976931348623157e+308");
        check(-2.5, "-2.5");
        // Where the shortest lies in the middle between two numbers, and where two are as near.
        check(1e23, "9.999999999999999e+22");
        check(-5e22, "-4.9999999999999996e+22");
        check(8e23, "7.999999999999999e+23");
        check(2.0f64.powi(-25), "2.9802322387695312e-08");
        check(2.0f64.powi(-44), "5.684341886080802e-14");
        check(5e-324, "5e-324");
        check(f64::MIN_POSITIVE, "2.2250738585072014e-308");
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
    }
}
