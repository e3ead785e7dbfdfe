//! IEEE 754-2008 decimal128 as BSON stores it (binary integer decimal), made from decimal digits.
//! <https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md>

/// Most significant digits that a decimal128 holds.
pub const DIGITS_MAX: usize = 34;
const EXPONENT_MIN: i64 = -6176;
const EXPONENT_MAX: i64 = 6111;
const BIAS: i64 = 6176;

/// The 16 bytes of a decimal128, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal(pub [u8; 16]);

/// How a number came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Exact,
    /// Digits beyond the 34th were rounded half even.
    Rounded,
    /// Too small: it became 0.
    Underflow,
}

/// The number is beyond ±9.99E6144.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

impl Decimal {
    pub const NAN: Decimal = Decimal::special(0x7c);
    pub const INFINITY: Decimal = Decimal::special(0x78);
    pub const NEGATIVE_INFINITY: Decimal = Decimal::special(0xf8);

    const fn special(top: u8) -> Decimal {
        let mut bytes = [0; 16];
        bytes[15] = top;
        Decimal(bytes)
    }

    fn assemble(negative: bool, coefficient: u128, exponent: i64) -> Decimal {
        debug_assert!((EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent));
        let bits = (u128::from(negative) << 127) | (((exponent + BIAS) as u128) << 113) | coefficient;
        Decimal(bits.to_le_bytes())
    }

    /// The number `± digits × 10^exponent`; `digits` are 0 to 9, the most significant first.
    ///
    /// # Errors
    /// [`Overflow`] beyond the range of the type.
    pub fn from_digits(negative: bool, digits: &[u8], mut exponent: i64) -> Result<(Decimal, Fit), Overflow> {
        let digits = &digits[digits.iter().take_while(|d| **d == 0).count()..];
        if digits.is_empty() {
            return Ok((
                Self::assemble(negative, 0, exponent.clamp(EXPONENT_MIN, EXPONENT_MAX)),
                Fit::Exact,
            ));
        }
        let surplus = (digits.len() as i64 - DIGITS_MAX as i64)
            .max(EXPONENT_MIN - exponent)
            .max(0) as usize;
        let (mut coefficient, mut fit) = (number(&digits[..digits.len().saturating_sub(surplus)]), Fit::Exact);
        if surplus > 0 {
            let dropped = if surplus > digits.len() {
                &[0, 1][..]
            } else {
                &digits[digits.len() - surplus..]
            };
            if dropped.iter().any(|d| *d != 0) {
                fit = Fit::Rounded;
                let half = (dropped[0].cmp(&5)).then(if dropped[1..].iter().any(|d| *d != 0) {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Equal
                });
                if half.is_gt() || (half.is_eq() && coefficient % 2 == 1) {
                    coefficient += 1;
                }
            }
            exponent += surplus as i64;
            if coefficient == 10u128.pow(DIGITS_MAX as u32) {
                coefficient /= 10;
                exponent += 1;
            }
        }
        if coefficient == 0 {
            return Ok((Self::assemble(negative, 0, EXPONENT_MIN), Fit::Underflow));
        }
        while exponent > EXPONENT_MAX && coefficient < 10u128.pow(DIGITS_MAX as u32 - 1) {
            coefficient *= 10;
            exponent -= 1;
        }
        if exponent > EXPONENT_MAX {
            return Err(Overflow);
        }
        Ok((Self::assemble(negative, coefficient, exponent), fit))
    }

    /// An integer.
    pub fn from_i128(value: i128) -> Decimal {
        let digits: Vec<u8> = value.unsigned_abs().to_string().bytes().map(|b| b - b'0').collect();
        Self::from_digits(value < 0, &digits, 0).map_or(Self::NAN, |(d, _)| d)
    }

    /// Reads `-12.50e3`.
    ///
    /// # Errors
    /// `None` when the text is no number.
    pub fn parse(text: &str) -> Option<Result<(Decimal, Fit), Overflow>> {
        let (negative, digits, exponent) = split_number(text)?;
        Some(Self::from_digits(negative, &digits, exponent))
    }
}

fn number(digits: &[u8]) -> u128 {
    digits.iter().fold(0, |n, d| n * 10 + u128::from(*d))
}

/// Sign, digits and exponent of a decimal number in text. Leading zeros stay.
pub fn split_number(text: &str) -> Option<(bool, Vec<u8>, i64)> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], exponent_of(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = || whole.bytes().chain(fraction.bytes());
    if all().next().is_none() || !all().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((
        negative,
        all().map(|b| b - b'0').collect(),
        exponent - fraction.len() as i64,
    ))
}

/// No number has use for more than a billion, whatever is written.
fn exponent_of(text: &str) -> Option<i64> {
    const MAX: i64 = 1_000_000_000;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(MAX).min(MAX);
    Some(if text.starts_with('-') { -size } else { size })
}

/// Whether two numbers in text have the same value, whatever their spelling.
pub fn same_value(a: &str, b: &str) -> bool {
    let normal = |text: &str| {
        let (negative, mut digits, mut exponent) = split_number(text)?;
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        let start = digits.iter().take_while(|d| **d == 0).count();
        digits.drain(..start);
        Some(if digits.is_empty() {
            (false, digits, 0)
        } else {
            (negative, digits, exponent)
        })
    };
    matches!((normal(a), normal(b)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, printed: &str, fit: Fit) {
        let (decimal, found) = Decimal::parse(text).unwrap().unwrap();
        assert_eq!(
            (bson::Decimal128::from_bytes(decimal.0).to_string().as_str(), found),
            (printed, fit),
            "{text}"
        );
    }

    #[test]
    fn numbers_keep_their_scale_and_round_half_even() {
        check("0", "0", Fit::Exact);
        check("-0.1", "-0.1", Fit::Exact);
        check("1.10", "1.10", Fit::Exact);
        check("100", "100", Fit::Exact);
        check("1E+2", "1E+2", Fit::Exact);
        check("0.000001", "0.000001", Fit::Exact);
        check(
            "1234567890123456789012345678901234",
            "1234567890123456789012345678901234",
            Fit::Exact,
        );
        check(
            "12345678901234567890123456789012345",
            "1.234567890123456789012345678901234E+34",
            Fit::Rounded,
        );
        check(
            "12345678901234567890123456789012355",
            "1.234567890123456789012345678901236E+34",
            Fit::Rounded,
        );
        check(
            "99999999999999999999999999999999999",
            "1.000000000000000000000000000000000E+35",
            Fit::Rounded,
        );
        check(
            "10000000000000000000000000000000000000",
            "1.000000000000000000000000000000000E+37",
            Fit::Exact,
        );
        check("1e-6200", "0E-6176", Fit::Underflow);
        check("16e-6177", "2E-6176", Fit::Rounded);
        check("1e6144", "1.000000000000000000000000000000000E+6144", Fit::Exact);
        assert_eq!(Decimal::parse("1e6145"), Some(Err(Overflow)));
        assert_eq!(Decimal::parse("1e99999999999999999999"), Some(Err(Overflow)));
        check("-1e-99999999999999999999", "-0E-6176", Fit::Underflow);
        for no_number in ["one", "1e", "1e+", "1e--1", "1e1.5", "inf", "--1", "1.2.3"] {
            assert_eq!(Decimal::parse(no_number), None, "{no_number}");
        }
        assert_eq!(bson::Decimal128::from_bytes(Decimal::NAN.0).to_string(), "NaN");
        assert_eq!(
            bson::Decimal128::from_bytes(Decimal::NEGATIVE_INFINITY.0).to_string(),
            "-Infinity"
        );
    }

    #[test]
    fn values_are_equal_whatever_their_spelling() {
        assert!(same_value("1.50", "1.5") && same_value("150e-2", "1.5") && same_value("0", "-0.00"));
        assert!(!same_value("1.5", "1.51") && !same_value("1", "x"));
    }
}
