//! Amounts of money: a count of the smallest unit, printed as the server's `lc_monetary` has it.

use super::Broken;
use super::number::integer;
use crate::data::value::{Note, Value};
use crate::source::json::decimal;

/// What the server is asked to print so that its way shows: eight digits before the point.
pub const SAMPLE: i32 = 12_345_678;

/// How the server prints amounts, and how it reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyFormat {
    /// Digits after the point.
    scale: usize,
    /// What stands before and behind the digits.
    positive: (String, String),
    negative: (String, String),
    point: String,
    separator: String,
    /// Digits between two separators; 0 without any.
    group: usize,
}

impl MoneyFormat {
    /// As [`SAMPLE`] and its negative are printed where an amount has so many digits after the point.
    pub fn learn(scale: usize, positive: &str, negative: &str) -> Option<Self> {
        let (before, inner, behind) = around_digits(positive)?;
        let (n_before, _, n_behind) = around_digits(negative)?;
        let (whole, point) = match scale {
            0 => (inner, ""),
            _ => {
                let (rest, _) = inner.split_at_checked(inner.len().checked_sub(scale)?)?;
                let whole = rest.trim_end_matches(|c: char| !c.is_ascii_digit());
                (whole, &rest[whole.len()..])
            }
        };
        let group = whole.bytes().rev().take_while(u8::is_ascii_digit).count();
        let left = &whole[..whole.len() - group];
        let separator = &left[left.trim_end_matches(|c: char| !c.is_ascii_digit()).len()..];
        let format = Self {
            scale,
            positive: (before.into(), behind.into()),
            negative: (n_before.into(), n_behind.into()),
            point: point.into(),
            separator: separator.into(),
            group: if separator.is_empty() { 0 } else { group },
        };
        let sample = i64::from(SAMPLE).checked_mul(10i64.checked_pow(u32::try_from(scale).ok()?)?)?;
        (format.print_amount(sample) == positive && format.print_amount(-sample) == negative).then_some(format)
    }

    /// Without currency and separators.
    pub fn plain(scale: usize) -> Self {
        Self {
            scale,
            positive: Default::default(),
            negative: ("-".into(), String::new()),
            point: if scale == 0 { "" } else { "." }.into(),
            separator: String::new(),
            group: 0,
        }
    }

    fn print_amount(&self, amount: i64) -> String {
        let digits = self.digits(amount);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        let (before, behind) = if amount < 0 { &self.negative } else { &self.positive };
        let mut out = before.clone();
        for (place, digit) in whole.char_indices() {
            let left = whole.len() - place;
            if self.group > 0 && place > 0 && left % self.group == 0 {
                out.push_str(&self.separator);
            }
            out.push(digit);
        }
        out + &self.point + fraction + behind
    }

    /// All digits, at least one before the point.
    fn digits(&self, amount: i64) -> String {
        format!("{:0>width$}", amount.unsigned_abs(), width = self.scale + 1)
    }
}

/// What stands before the first digit, from there to the last one, and behind it.
fn around_digits(text: &str) -> Option<(&str, &str, &str)> {
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    Some((&text[..first], &text[first..end], &text[end..]))
}

pub(super) fn money(cell: &[u8], format: &MoneyFormat, notes: &mut Vec<Note>) -> Result<Value<'static>, Broken> {
    let amount = integer(cell)?;
    let digits: Vec<u8> = format.digits(amount).bytes().map(|b| b - b'0').collect();
    decimal(amount < 0, &digits, -(format.scale as i64), notes)
}

pub(super) fn print_money(cell: &[u8], format: &MoneyFormat) -> Result<String, Broken> {
    Ok(format.print_amount(integer(cell)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_as_the_locale_has_them() {
        let check = |scale: usize, samples: [&str; 2], amounts: &[(i64, &str)]| {
            let format = MoneyFormat::learn(scale, samples[0], samples[1]).unwrap();
            for (amount, text) in amounts {
                assert_eq!(format.print_amount(*amount), *text);
            }
        };
        check(
            2,
            ["$12,345,678.00", "-$12,345,678.00"],
            &[
                (0, "$0.00"),
                (-5, "-$0.05"),
                (99_999, "$999.99"),
                (100_000, "$1,000.00"),
                (i64::MIN, "-$92,233,720,368,547,758.08"),
            ],
        );
        check(
            2,
            ["12.345.678,00 €", "-12.345.678,00 €"],
            &[(123_456, "1.234,56 €"), (-1, "-0,01 €")],
        );
        check(
            0,
            ["¥12,345,678", "-¥12,345,678"],
            &[(0, "¥0"), (1_234, "¥1,234"), (-1_234, "-¥1,234")],
        );
        check(
            3,
            ["KD 12,345,678.000", "(KD 12,345,678.000)"],
            &[(1, "KD 0.001"), (-1_234_567, "(KD 1,234.567)")],
        );
        check(2, ["12345678.00", "-12345678.00"], &[(123_456_789, "1234567.89")]);
        assert_eq!(MoneyFormat::learn(2, "12'345'678.0", "-12'345'678.0"), None);
        assert_eq!(MoneyFormat::plain(2).print_amount(-5), "-0.05");
        assert_eq!(MoneyFormat::plain(0).print_amount(5), "5");
    }
}
