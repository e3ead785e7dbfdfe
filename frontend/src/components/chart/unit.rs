//! What the values of a chart are: how they are written, and where their axis ends.

use crate::format::{number, time};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartUnit {
    EventsPerSecond,
    RowsPerSecond,
    BytesPerSecond,
    /// How far something is behind.
    LagMs,
}

/// Ends of an axis of time, ms: their halves are lengths that people use as well.
const TIMES_MS: [f64; 17] = [
    1e3, 2e3, 4e3, 10e3, 20e3, 60e3, 120e3, 240e3, 600e3, 1200e3, 3600e3, 7200e3, 14_400e3, 43_200e3, 86_400e3,
    172_800e3, 604_800e3,
];

impl ChartUnit {
    /// With its unit, for a single value.
    pub fn long(self, value: f64) -> String {
        match self {
            ChartUnit::EventsPerSecond => number::events_per_second(value),
            ChartUnit::RowsPerSecond => number::rows_per_second(value),
            ChartUnit::BytesPerSecond => number::bytes_per_second(value),
            ChartUnit::LagMs => time::lag(value.max(0.0).round() as u64),
        }
    }

    /// For an axis, whose title says the unit.
    pub fn short(self, value: f64) -> String {
        match self {
            ChartUnit::EventsPerSecond | ChartUnit::RowsPerSecond => number::compact(value),
            ChartUnit::BytesPerSecond if value <= 0.0 => "0".into(),
            ChartUnit::BytesPerSecond => number::bytes(value),
            ChartUnit::LagMs => short_time(value),
        }
    }

    /// The end of an axis that holds values up to `highest`. It does not go below a size that is small for the unit, so
    /// that a line near zero looks like one.
    pub fn top(self, highest: f64) -> f64 {
        match self {
            ChartUnit::EventsPerSecond => round_up(highest.max(10.0)),
            ChartUnit::RowsPerSecond => round_up(highest.max(100.0)),
            ChartUnit::BytesPerSecond => round_up(highest.max(10_000.0)),
            ChartUnit::LagMs => {
                let days = (highest / TIMES_MS[16]).ceil() * TIMES_MS[16];
                TIMES_MS.into_iter().find(|end| *end >= highest).unwrap_or(days)
            }
        }
    }
}

/// The next of 1, 2, 4, 10, 20, 40, ...: their halves are round too.
fn round_up(value: f64) -> f64 {
    let magnitude = 10f64.powf(value.log10().floor());
    let ends = [1.0, 2.0, 4.0, 10.0].map(|step| step * magnitude);
    ends.into_iter().find(|end| *end >= value).unwrap_or(value)
}

/// `0`, `500 ms`, `30 s`, `2 min`, `6 h`, `1 d`
fn short_time(ms: f64) -> String {
    let ms = ms.max(0.0).round() as u64;
    match ms {
        0 => "0".into(),
        1..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{} s", ms / 1000),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        3_600_000..86_400_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", number::compact(ms as f64 / 86_400_000.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_values_that_hold_the_highest() {
        let check = |unit: ChartUnit, highest, top, half: &str, end: &str| {
            let found = unit.top(highest);
            assert_eq!(found, top);
            assert_eq!((&*unit.short(found / 2.0), &*unit.short(found)), (half, end));
        };
        check(ChartUnit::EventsPerSecond, 0.0, 10.0, "5", "10");
        check(ChartUnit::EventsPerSecond, 10.0, 10.0, "5", "10");
        check(ChartUnit::EventsPerSecond, 350.0, 400.0, "200", "400");
        check(ChartUnit::RowsPerSecond, 45_000.0, 100_000.0, "50 k", "100 k");
        check(
            ChartUnit::BytesPerSecond,
            12_300_000.0,
            20_000_000.0,
            "10.0 MB",
            "20.0 MB",
        );
        check(ChartUnit::LagMs, 0.0, 1000.0, "500 ms", "1 s");
        check(ChartUnit::LagMs, 3_100.0, 4_000.0, "2 s", "4 s");
        check(ChartUnit::LagMs, 90_000.0, 120_000.0, "1 min", "2 min");
        check(ChartUnit::LagMs, 3.0 * 3_600_000.0, 14_400_000.0, "2 h", "4 h");
        check(ChartUnit::LagMs, 9.0 * 86_400_000.0, 14.0 * 86_400_000.0, "7 d", "14 d");
    }
}
