//! Figures as words.

use super::facts::Fan;

/// A number with at most one digit behind the point, thousands apart.
pub fn number(n: f64) -> String {
    if n >= 100.0 || (n - n.round()).abs() < 0.05 {
        let digits = format!("{:.0}", n.round());
        let mut out = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place) % 3 == 0 {
                out.push(',');
            }
            out.push(digit);
        }
        return out;
    }
    format!("{n:.1}")
}

/// *2.9 rows on average, 12 at most*.
pub fn fan(fan: &Fan, is_exact: bool) -> String {
    let mut text = format!("{} on average", number(fan.average));
    if let Some(p99) = fan.p99 {
        text.push_str(&format!(", {} for 99 of 100", number(p99)));
    }
    if let Some(largest) = fan.largest {
        text.push_str(&format!(", {} at most", number(largest)));
    }
    if !is_exact {
        text.push_str(" by the statistics of the catalog");
    }
    text
}

/// A size in bytes.
pub fn size(bytes: f64) -> String {
    match bytes {
        b if b < 1_024.0 => format!("{} bytes", number(b)),
        b if b < 1_048_576.0 => format!("{} KiB", number(b / 1_024.0)),
        b => format!("{} MiB", number(b / 1_048_576.0)),
    }
}
