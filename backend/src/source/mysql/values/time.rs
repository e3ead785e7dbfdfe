//! Dates. Zero dates and impossible ones, which these servers store, have no date in BSON.

use super::Broken;
use crate::data::value::{Note, Value};

const NO_DATE: Broken = "it is not a date";

/// Reads `2020-02-29`, or the same with ` 12:00:00.123456` behind it, as UTC.
pub(super) fn date(text: &str, notes: &mut Vec<Note>) -> Result<Value<'static>, Broken> {
    let (day, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(day, '-')?;
    if month == 0 || day == 0 || month > 12 || day > days_of(year, month) {
        notes.push(Note::NoSuchDate);
        return Ok(Value::Null);
    }
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hour, minute, second] = numbers(time, ':')?;
    if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NO_DATE);
    }
    let micros: i64 = format!("{fraction:0<6}").parse().map_err(|_| NO_DATE)?;
    if micros % 1000 != 0 {
        notes.push(Note::BelowMillisecond);
    }
    let seconds = ((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Ok(Value::Date(seconds * 1000 + micros / 1000))
}

fn numbers(text: &str, separator: char) -> Result<[i64; 3], Broken> {
    let mut parts = text.split(separator).map(|part| part.parse::<u32>().map(i64::from));
    let mut next = || parts.next().and_then(Result::ok).ok_or(NO_DATE);
    let found = [next()?, next()?, next()?];
    if parts.next().is_none() {
        Ok(found)
    } else {
        Err(NO_DATE)
    }
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Value<'_>, told: &[Note]) {
        let mut notes = Vec::new();
        assert_eq!(date(text, &mut notes), Ok(expected), "{text}");
        assert_eq!(notes, told, "{text}");
    }

    #[test]
    fn dates_are_read_as_utc() {
        check("1970-01-01", Value::Date(0), &[]);
        check("2000-02-29 00:00:00", Value::Date(951_782_400_000), &[]);
        check("1969-12-31 23:59:59.999", Value::Date(-1), &[]);
        check("1000-01-01", Value::Date(-30_610_224_000_000), &[]);
        check(
            "9999-12-31 23:59:59.999999",
            Value::Date(253_402_300_799_999),
            &[Note::BelowMillisecond],
        );
    }

    #[test]
    fn zero_and_impossible_dates_are_null() {
        for text in [
            "0000-00-00",
            "0000-00-00 00:00:00",
            "2020-00-15",
            "2020-05-00",
            "2021-02-29",
        ] {
            check(text, Value::Null, &[Note::NoSuchDate]);
        }
        for text in [
            "",
            "2020",
            "2020-01-01-01",
            "2020-01-01 1:2",
            "x-y-z",
            "2020-01-01 00:00:00.x",
        ] {
            assert!(date(text, &mut Vec::new()).is_err(), "{text}");
        }
    }
}
