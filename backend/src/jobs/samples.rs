//! What was measured of one job over the last minutes, in memory: charts begin with it.

use chrono::{DateTime, Utc};
use godwit_shared::sample::{JobSample, Measured, SAMPLES_MAX};
use std::collections::VecDeque;

/// At most one for each second; the oldest go first.
#[derive(Debug, Default)]
pub struct Samples(VecDeque<JobSample>);

impl Samples {
    /// Takes what holds from now on. Of several in one second the last counts, but an end does not take the value of its
    /// second away.
    pub fn push(&mut self, at: DateTime<Utc>, measured: Measured) {
        match self.0.back_mut() {
            Some(last) if last.measured == measured => return,
            Some(last) if last.at.timestamp() == at.timestamp() && measured != Measured::default() => {
                last.measured = measured;
                return;
            }
            Some(_) | None => {}
        }
        self.0.push_back(JobSample { at, measured });
        while self.0.len() > SAMPLES_MAX {
            self.0.pop_front();
        }
    }

    /// Oldest first.
    pub fn all(&self) -> Vec<JobSample> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rate: f64) -> Measured {
        Measured {
            rows_per_second: Some(rate),
            ..Measured::default()
        }
    }

    fn samples(pushed: &[(i64, Measured)]) -> Vec<(i64, Option<f64>)> {
        let mut samples = Samples::default();
        for (ms, measured) in pushed {
            samples.push(DateTime::from_timestamp_millis(*ms).expect("a time"), *measured);
        }
        let shown = |s: &JobSample| (s.at.timestamp_millis(), s.measured.rows_per_second);
        samples.all().iter().map(shown).collect()
    }

    #[test]
    fn only_changes_are_kept_and_of_a_second_the_last() {
        let pushed = [
            (1000, rows(5.0)),
            (1400, rows(6.0)),
            (2000, rows(6.0)),
            (3000, rows(7.0)),
        ];
        assert_eq!(samples(&pushed), [(1000, Some(6.0)), (3000, Some(7.0))]);
    }

    #[test]
    fn an_end_keeps_the_value_of_its_second() {
        let pushed = [
            (1000, rows(5.0)),
            (1400, Measured::default()),
            (9000, Measured::default()),
        ];
        assert_eq!(samples(&pushed), [(1000, Some(5.0)), (1400, None)]);
    }

    #[test]
    fn the_number_is_bounded_and_the_oldest_go() {
        let many: Vec<_> = (0..700).map(|i| (i * 1000, rows(i as f64))).collect();
        let kept = samples(&many);
        assert_eq!((kept.len(), kept[0].0), (SAMPLES_MAX, 100_000));
    }
}
