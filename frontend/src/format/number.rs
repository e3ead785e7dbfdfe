//! Counts, bytes, rates and shares.

/// `1,234,567`
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `512 B`, `1.5 kB`, `23.4 MB`: powers of 1,000.
pub fn bytes(n: f64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = n.max(0.0);
    let mut unit = 0;
    // 999.95 would be printed as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{value:.0} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// `12,345 rows/s`
pub fn rows_per_second(rate: f64) -> String {
    format!("{} rows/s", count(rate.max(0.0).round() as u64))
}

/// `12,345 events/s`; below ten with a decimal.
pub fn events_per_second(rate: f64) -> String {
    let tenths = (rate.max(0.0) * 10.0).round() as u64;
    match tenths {
        0..100 if !tenths.is_multiple_of(10) => format!("{}.{} events/s", tenths / 10, tenths % 10),
        _ => format!("{} events/s", count((tenths + 5) / 10)),
    }
}

/// `950`, `1.2 k`, `35 M`: short, for axes.
pub fn compact(n: f64) -> String {
    const UNITS: [&str; 4] = ["", " k", " M", " G"];
    let mut value = n.max(0.0);
    let mut unit = 0;
    // 999.95 would be printed as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let text = format!("{value:.1}");
    format!("{}{}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

/// `1.2 MB/s`
pub fn bytes_per_second(rate: f64) -> String {
    format!("{}/s", bytes(rate))
}

/// `37.4 %`. Rounded down: `100 %` is written only of what is complete.
pub fn percent(share: f64) -> String {
    let tenths = (share.clamp(0.0, 100.0) * 10.0 + 1e-6).floor() as u64;
    match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        rest => format!("{}.{rest} %", tenths / 10),
    }
}

/// `1 table`, `3 tables`
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        let check = |n, text: &str| assert_eq!(count(n), text);
        check(0, "0");
        check(999, "999");
        check(1000, "1,000");
        check(1_234_567, "1,234,567");
        check(u64::MAX, "18,446,744,073,709,551,615");
    }

    #[test]
    fn bytes_get_the_unit_that_reads_best() {
        let check = |n, text: &str| assert_eq!(bytes(n), text);
        check(0.0, "0 B");
        check(-1.0, "0 B");
        check(999.0, "999 B");
        check(999.97, "1.0 kB");
        check(1500.0, "1.5 kB");
        check(23_400_000.0, "23.4 MB");
        check(7.1e15, "7100.0 TB");
    }

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        let check = |share, text: &str| assert_eq!(percent(share), text);
        check(0.0, "0 %");
        check(37.45, "37.4 %");
        check(99.99, "99.9 %");
        check(100.0, "100 %");
        check(29.0, "29 %");
        check(120.0, "100 %");
        check(f64::NAN, "0 %");
    }

    #[test]
    fn rates_of_events_and_numbers_of_axes() {
        let check = |rate, text: &str| assert_eq!(events_per_second(rate), text);
        check(0.0, "0 events/s");
        check(0.34, "0.3 events/s");
        check(2.0, "2 events/s");
        check(9.96, "10 events/s");
        check(1234.5, "1,235 events/s");
        assert_eq!(
            [0.0, 0.5, 250.0, 1500.0, 20_000.0, 999_960.0].map(compact),
            ["0", "0.5", "250", "1.5 k", "20 k", "1 M"]
        );
    }

    #[test]
    fn rates_and_plurals() {
        assert_eq!(rows_per_second(12345.6), "12,346 rows/s");
        assert_eq!(bytes_per_second(1_200_000.0), "1.2 MB/s");
        assert_eq!(counted(1, "table", "tables"), "1 table");
        assert_eq!(counted(1200, "table", "tables"), "1,200 tables");
    }
}
