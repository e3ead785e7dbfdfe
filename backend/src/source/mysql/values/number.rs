//! Numbers and bits.

use super::{Broken, utf8};
use crate::data::decimal::split_number;
use crate::data::value::{Note, Value};
use crate::source::json;

const NO_NUMBER: Broken = "it is not a number";

fn parsed<T: std::str::FromStr>(cell: &[u8]) -> Result<T, Broken> {
    utf8(cell)?.parse().map_err(|_| NO_NUMBER)
}

pub(super) fn int(cell: &[u8]) -> Result<Value<'static>, Broken> {
    let number: i64 = parsed(cell)?;
    Ok(i32::try_from(number).map_or(Value::Long(number), Value::Int))
}

pub(super) fn long(cell: &[u8]) -> Result<Value<'static>, Broken> {
    Ok(Value::Long(parsed(cell)?))
}

pub(super) fn unsigned(cell: &[u8]) -> Result<Value<'static>, Broken> {
    let number: u64 = parsed(cell)?;
    Ok(match i64::try_from(number) {
        Ok(fits) => Value::Long(fits),
        Err(_) => Value::Decimal(crate::data::decimal::Decimal::from_i128(i128::from(number))),
    })
}

pub(super) fn decimal(cell: &[u8], notes: &mut Vec<Note>) -> Result<Value<'static>, Broken> {
    let (negative, digits, exponent) = split_number(utf8(cell)?).ok_or(NO_NUMBER)?;
    json::decimal(negative, &digits, exponent, notes)
}

pub(super) fn double(cell: &[u8]) -> Result<f64, Broken> {
    parsed(cell)
}

/// The shortest number that is this `float` and no other: 1.1, not 1.10000002384186.
pub(super) fn shortest(cell: &[u8]) -> Result<f64, Broken> {
    let exact = double(cell)?;
    Ok((exact as f32).to_string().parse().unwrap_or(exact))
}

pub(super) fn print_float(cell: &[u8]) -> Result<String, Broken> {
    Ok((double(cell)? as f32).to_string())
}

/// The number that the bits are, the first the highest.
pub(super) fn bits(cell: &[u8]) -> String {
    cell.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte)).to_string()
}

pub(super) fn canonical_integer(cell: &[u8], out: &mut Vec<u8>) {
    match parsed::<i128>(cell) {
        // As PostgreSQL's integers, so that ids stay when a key is moved between databases.
        Ok(number) => match i64::try_from(number) {
            Ok(fits) => out.extend_from_slice(&fits.to_be_bytes()),
            Err(_) => out.extend_from_slice(&number.to_be_bytes()),
        },
        Err(_) => out.extend_from_slice(cell),
    }
}

/// Without zeros at either end, and with one sign for zero.
pub(super) fn canonical_decimal(cell: &[u8], out: &mut Vec<u8>) {
    let Some((negative, mut digits, mut exponent)) = utf8(cell).ok().and_then(split_number) else {
        return out.extend_from_slice(cell);
    };
    while digits.last() == Some(&0) {
        digits.pop();
        exponent += 1;
    }
    let start = digits.iter().take_while(|d| **d == 0).count();
    let digits = &digits[start..];
    if digits.is_empty() {
        return out.push(0);
    }
    out.push(if negative { 2 } else { 1 });
    out.extend_from_slice(&exponent.to_be_bytes());
    out.extend_from_slice(digits);
}

pub(super) fn canonical_double(cell: &[u8], out: &mut Vec<u8>) {
    match double(cell) {
        // Both zeros are equal.
        Ok(number) => out.extend_from_slice(&(if number == 0.0 { 0.0 } else { number }).to_be_bytes()),
        Err(_) => out.extend_from_slice(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_65_digits_are_rounded_with_a_note() {
        let mut notes = Vec::new();
        let text = "9".repeat(65);
        let value = decimal(text.as_bytes(), &mut notes).unwrap();
        assert!(matches!(value, Value::Decimal(_)));
        assert_eq!(notes, [Note::Rounded]);
        let big = unsigned(b"18446744073709551615").unwrap();
        let Value::Decimal(big) = big else { panic!("{big:?}") };
        assert_eq!(bson::Decimal128::from_bytes(big.0).to_string(), "18446744073709551615");
    }
}
