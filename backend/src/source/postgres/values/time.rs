//! Dates and times. The server counts from 2000-01-01 in the proleptic Gregorian calendar, as BSON does from 1970.

use super::{Broken, Cursor, fixed};
use crate::data::value::{Note, Value};

/// Days between 1970-01-01 and 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;
const DAY_MS: i64 = 86_400_000;
const DAY_US: i64 = 86_400_000_000;
const NOT_FINITE: Broken = "infinity cannot be held by a BSON date";

pub(super) fn date(cell: &[u8]) -> Result<Value<'static>, Broken> {
    match i32::from_be_bytes(fixed(cell)?) {
        i32::MAX | i32::MIN => Err(NOT_FINITE),
        days => Ok(Value::Date((i64::from(days) + EPOCH_DAYS) * DAY_MS)),
    }
}

pub(super) fn timestamp(cell: &[u8], notes: &mut Vec<Note>) -> Result<Value<'static>, Broken> {
    match i64::from_be_bytes(fixed(cell)?) {
        i64::MAX | i64::MIN => Err(NOT_FINITE),
        micros => {
            if micros % 1000 != 0 {
                notes.push(Note::BelowMillisecond);
            }
            Ok(Value::Date(micros.div_euclid(1000) + EPOCH_DAYS * DAY_MS))
        }
    }
}

pub(super) fn print_date(cell: &[u8]) -> Result<String, Broken> {
    Ok(match i32::from_be_bytes(fixed(cell)?) {
        i32::MAX => "infinity".into(),
        i32::MIN => "-infinity".into(),
        days => {
            let (day, era) = civil(i64::from(days) + EPOCH_DAYS);
            format!("{day}{era}")
        }
    })
}

pub(super) fn print_timestamp(cell: &[u8], zone: &str) -> Result<String, Broken> {
    Ok(match i64::from_be_bytes(fixed(cell)?) {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        micros => {
            let (day, era) = civil(micros.div_euclid(DAY_US) + EPOCH_DAYS);
            format!("{day} {}{zone}{era}", clock(micros.rem_euclid(DAY_US)))
        }
    })
}

pub(super) fn print_time(cell: &[u8]) -> Result<String, Broken> {
    Ok(clock(i64::from_be_bytes(fixed(cell)?)))
}

/// Microseconds, then the zone in seconds west of UTC.
pub(super) fn print_timetz(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let micros = i64::from_be_bytes(fixed(c.take(8)?)?);
    let west = c.i32()?;
    let (sign, size) = (if west > 0 { '-' } else { '+' }, west.unsigned_abs());
    let (h, m, s) = (size / 3600, size / 60 % 60, size % 60);
    let zone = match (m, s) {
        (0, 0) => format!("{sign}{h:02}"),
        (_, 0) => format!("{sign}{h:02}:{m:02}"),
        _ => format!("{sign}{h:02}:{m:02}:{s:02}"),
    };
    Ok(format!("{}{zone}", clock(micros)))
}

/// The source compares the length of an interval, a month with 30 days: what is equal has as few days and microseconds as
/// can be, and a sign for all parts.
pub(super) fn canonical_interval(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut c = Cursor(cell);
    let (micros, days, months) = (i64::from_be_bytes(fixed(c.take(8)?)?), c.i32()?, c.i32()?);
    let length = (i128::from(months) * 30 + i128::from(days)) * i128::from(DAY_US) + i128::from(micros);
    let (days, micros) = (length / i128::from(DAY_US), (length % i128::from(DAY_US)) as i64);
    let (months, days) = ((days / 30) as i64, (days % 30) as i32);
    out.extend_from_slice(&micros.to_be_bytes());
    out.extend_from_slice(&days.to_be_bytes());
    match i32::try_from(months) {
        Ok(months) => out.extend_from_slice(&months.to_be_bytes()),
        Err(_) => out.extend_from_slice(&months.to_be_bytes()),
    }
    Ok(())
}

/// In ISO 8601, as `intervalstyle = iso_8601` prints: months, days and time are kept apart.
pub(super) fn print_interval(cell: &[u8], has_infinity: bool) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let (micros, days, months) = (i64::from_be_bytes(fixed(c.take(8)?)?), c.i32()?, c.i32()?);
    match (micros, days, months) {
        (0, 0, 0) => return Ok("PT0S".into()),
        (i64::MAX, i32::MAX, i32::MAX) if has_infinity => return Ok("infinity".into()),
        (i64::MIN, i32::MIN, i32::MIN) if has_infinity => return Ok("-infinity".into()),
        _ => {}
    }
    let mut out = String::from("P");
    let mut part = |value: i64, unit: char| {
        if value != 0 {
            out.push_str(&format!("{value}{unit}"));
        }
    };
    part(i64::from(months / 12), 'Y');
    part(i64::from(months % 12), 'M');
    part(i64::from(days), 'D');
    if micros != 0 {
        out.push('T');
        let mut part = |value: i64, unit: char| {
            if value != 0 {
                out.push_str(&format!("{value}{unit}"));
            }
        };
        part(micros / 3_600_000_000, 'H');
        part(micros / 60_000_000 % 60, 'M');
        let rest = micros % 60_000_000;
        if rest != 0 {
            let sign = if rest < 0 { "-" } else { "" };
            let (seconds, fraction) = (rest.abs() / 1_000_000, rest.abs() % 1_000_000);
            out.push_str(&format!("{sign}{seconds}{}S", fraction_text(fraction)));
        }
    }
    Ok(out)
}

fn clock(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{h:02}:{m:02}:{s:02}{}", fraction_text(micros % 1_000_000))
}

fn fraction_text(micros: i64) -> String {
    if micros == 0 {
        String::new()
    } else {
        format!(".{micros:06}").trim_end_matches('0').into()
    }
}

/// Year, month and day of a day counted from 1970-01-01, and ` BC` where the year needs it.
/// Algorithm: <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
fn civil(days: i64) -> (String, &'static str) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (year, bc) = if year <= 0 { (1 - year, " BC") } else { (year, "") };
    (format!("{year:04}-{month:02}-{day:02}"), bc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_far_and_before_christ() {
        let check = |days: i32, text: &str| assert_eq!(print_date(&days.to_be_bytes()).unwrap(), text);
        check(0, "2000-01-01");
        check(59, "2000-02-29");
        check(-730_119, "0001-01-01");
        check(-730_120, "0001-12-31 BC");
        check(-2_451_507, "4713-01-01 BC");
        check(2_145_031_948, "5874897-12-31");
        check(i32::MAX, "infinity");
    }

    #[test]
    fn times_are_cut_towards_the_past() {
        let mut notes = Vec::new();
        // 1969-12-31 23:59:59.999999
        let cell = (-EPOCH_DAYS * DAY_US - 1).to_be_bytes();
        assert_eq!(timestamp(&cell, &mut notes), Ok(Value::Date(-1)));
        assert_eq!(notes, [Note::BelowMillisecond]);
        assert_eq!(print_timestamp(&cell, "+00").unwrap(), "1969-12-31 23:59:59.999999+00");
    }

    #[test]
    fn intervals_keep_months_days_and_time_apart() {
        let check = |micros: i64, days: i32, months: i32, text: &str| {
            let cell = [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()].concat();
            assert_eq!(print_interval(&cell, true).unwrap(), text);
        };
        check(0, 0, 0, "PT0S");
        check(1, -1, 1, "P1M-1DT0.000001S");
        check(-1, 0, 0, "PT-0.000001S");
        check(14_706_000_000, 3, 14, "P1Y2M3DT4H5M6S");
        check(i64::MAX, i32::MAX, i32::MAX, "infinity");
        let end = [&i64::MIN.to_be_bytes()[..], &[0x80, 0, 0, 0, 0x80, 0, 0, 0]].concat();
        assert_eq!(
            print_interval(&end, false).unwrap(),
            "P-178956970Y-8M-2147483648DT-2562047788H-54.775808S"
        );
    }

    #[test]
    fn intervals_of_one_length_have_one_form() {
        let form = |micros: i64, days: i32, months: i32| {
            let parts = [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()];
            let mut out = Vec::new();
            canonical_interval(&parts.concat(), &mut out).unwrap();
            out
        };
        assert_eq!(form(DAY_US, 0, 0), form(0, 1, 0));
        assert_eq!(form(0, 30, 0), form(0, 0, 1));
        assert_eq!(form(-DAY_US, 1, 0), form(0, 0, 0));
        assert_eq!(form(0, -30, 1), form(0, 0, 0));
        assert_ne!(form(1, 0, 0), form(0, 0, 0));
        // What is in its smallest parts already stays as it is.
        assert_eq!(
            form(1, 2, 3),
            [&1i64.to_be_bytes()[..], &[0, 0, 0, 2, 0, 0, 0, 3]].concat()
        );
    }
}
