//! Points in time in the user's zone, and lengths of time.

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc};
use std::fmt::Display;

/// `45 s`, `3 min 05 s`, `1 h 02 min`, `2 d 03 h`; less than a second as `< 1 s`.
pub fn duration(seconds: f64) -> String {
    let total = seconds.max(0.0) as u64;
    let (days, hours, minutes, rest) = (total / 86_400, total / 3600 % 24, total / 60 % 60, total % 60);
    match (days, hours, minutes, total) {
        (0, 0, 0, 0) if seconds > 0.0 => "< 1 s".into(),
        (0, 0, 0, _) => format!("{rest} s"),
        (0, 0, _, _) => format!("{minutes} min {rest:02} s"),
        (0, _, _, _) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours:02} h"),
    }
}

/// How far something is behind: `340 ms`, `2.4 s`, from ten seconds on as [`duration`].
pub fn lag(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..10_000 => format!("{}.{} s", ms / 1000, ms / 100 % 10),
        _ => duration((ms / 1000) as f64),
    }
}

/// The seconds between two times; never negative, for clocks that differ.
pub fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    ((to - from).num_milliseconds() as f64 / 1000.0).max(0.0)
}

/// `14:03:22`
pub fn clock<Z: TimeZone>(at: DateTime<Utc>, zone: &Z) -> String
where
    Z::Offset: Display,
{
    at.with_timezone(zone).format("%H:%M:%S").to_string()
}

/// `14:03`
pub fn hour_and_minute<Z: TimeZone>(at: DateTime<Utc>, zone: &Z) -> String
where
    Z::Offset: Display,
{
    at.with_timezone(zone).format("%H:%M").to_string()
}

/// `3 Nov 2026, 14:03:22`
pub fn date_and_clock<Z: TimeZone>(at: DateTime<Utc>, zone: &Z) -> String
where
    Z::Offset: Display,
{
    at.with_timezone(zone).format("%-d %b %Y, %H:%M:%S").to_string()
}

/// The exact time in UTC, for titles: `2026-11-03T14:03:22.120Z`.
pub fn exact_utc(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `Today, 3 Nov`, `Yesterday, 2 Nov`, `Monday, 2 Nov`, with the year where it is not this one.
pub fn day_label(day: NaiveDate, today: NaiveDate) -> String {
    match (today - day).num_days() {
        0 => day.format("Today, %-d %b").to_string(),
        1 => day.format("Yesterday, %-d %b").to_string(),
        _ if day.year() == today.year() => day.format("%A, %-d %b").to_string(),
        _ => day.format("%-d %b %Y").to_string(),
    }
}

/// `just now`, `5 min ago`, `3 h ago`, `yesterday`, then the date.
pub fn ago<Z: TimeZone>(at: DateTime<Utc>, now: DateTime<Utc>, zone: &Z) -> String
where
    Z::Offset: Display,
{
    let day = at.with_timezone(zone).date_naive();
    let today = now.with_timezone(zone).date_naive();
    match (seconds_between(at, now) as u64, (today - day).num_days()) {
        (0..60, _) => "just now".into(),
        (seconds @ 60..3600, _) => format!("{} min ago", seconds / 60),
        (seconds, 0) => format!("{} h ago", seconds / 3600),
        (_, 1) => "yesterday".into(),
        _ => day.format("%-d %b %Y").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn zone() -> FixedOffset {
        FixedOffset::east_opt(2 * 3600).unwrap()
    }

    #[test]
    fn durations() {
        let check = |seconds, text: &str| assert_eq!(duration(seconds), text);
        check(0.0, "0 s");
        check(-3.0, "0 s");
        check(0.4, "< 1 s");
        check(45.9, "45 s");
        check(185.0, "3 min 05 s");
        check(3725.0, "1 h 02 min");
        check(2.0 * 86_400.0 + 3.5 * 3600.0, "2 d 03 h");
    }

    #[test]
    fn lags() {
        let check = |ms, text: &str| assert_eq!(lag(ms), text);
        check(0, "0 ms");
        check(999, "999 ms");
        check(2_499, "2.4 s");
        check(10_000, "10 s");
        check(185_900, "3 min 05 s");
    }

    #[test]
    fn times_are_shown_in_the_zone_of_the_user_and_exactly_in_utc() {
        let at = utc("2026-11-02T23:03:22.120Z");
        assert_eq!(clock(at, &zone()), "01:03:22");
        assert_eq!(date_and_clock(at, &zone()), "3 Nov 2026, 01:03:22");
        assert_eq!(exact_utc(at), "2026-11-02T23:03:22.120Z");
    }

    #[test]
    fn days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let check = |d, label: &str| assert_eq!(day_label(day(d), day("2026-11-03")), label);
        check("2026-11-03", "Today, 3 Nov");
        check("2026-11-02", "Yesterday, 2 Nov");
        check("2026-10-30", "Friday, 30 Oct");
        check("2025-12-31", "31 Dec 2025");
    }

    #[test]
    fn how_long_ago() {
        let now = utc("2026-11-03T10:00:00Z");
        let check = |at, text: &str| assert_eq!(ago(utc(at), now, &zone()), text);
        check("2026-11-03T09:59:30Z", "just now");
        check("2026-11-03T10:00:05Z", "just now");
        check("2026-11-03T09:50:00Z", "10 min ago");
        check("2026-11-03T07:00:00Z", "3 h ago");
        check("2026-11-02T20:00:00Z", "yesterday");
        check("2026-10-02T20:00:00Z", "2 Oct 2026");
    }
}
