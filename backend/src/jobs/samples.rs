//! What was measured of one job, from its beginning on and more thinly of long ago: its charts are drawn from it.

use chrono::{DateTime, Utc};
use godwit_shared::sample::{JobSample, Measured, SAMPLES_MAX, thin};
use std::collections::VecDeque;

/// They are thinned each time that so many more have come.
const THINNED_EVERY: usize = 300;

/// At most one for each second; the oldest go first.
#[derive(Debug, Default)]
pub struct Samples {
    all: VecDeque<JobSample>,
    since_thinned: usize,
    /// Something has come that was not handed out to be stored.
    is_changed: bool,
}

impl Samples {
    /// Of a job that goes on.
    pub fn of(stored: Vec<JobSample>) -> Self {
        Self {
            all: stored.into(),
            ..Self::default()
        }
    }

    /// Takes what holds from now on. Of several in one second the last counts, but an end does not take the value of its
    /// second away.
    pub fn push(&mut self, at: DateTime<Utc>, measured: Measured) {
        match self.all.back_mut() {
            Some(last) if last.measured == measured => return,
            Some(last) if last.at.timestamp() == at.timestamp() && measured != Measured::default() => {
                last.measured = measured;
                self.is_changed = true;
                return;
            }
            Some(_) | None => {}
        }
        self.all.push_back(JobSample { at, measured });
        self.is_changed = true;
        self.since_thinned += 1;
        if self.since_thinned >= THINNED_EVERY {
            self.since_thinned = 0;
            let second = |sample: &JobSample| sample.at.timestamp();
            let is_gap = |sample: &JobSample| sample.measured == Measured::default();
            thin(&mut self.all, at.timestamp(), second, is_gap);
        }
        while self.all.len() > SAMPLES_MAX {
            self.all.pop_front();
        }
    }

    /// Oldest first.
    pub fn all(&self) -> Vec<JobSample> {
        self.all.iter().copied().collect()
    }

    /// Those to be stored, where there are new ones.
    pub fn take_changed(&mut self) -> Option<Vec<JobSample>> {
        std::mem::take(&mut self.is_changed).then(|| self.all())
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
    fn the_whole_job_is_known_and_the_number_is_bounded() {
        let mut samples = Samples::default();
        let at = |second: i64| DateTime::from_timestamp(second, 0).expect("a time");
        for second in 0..100_000 {
            samples.push(at(second), rows(second as f64));
        }
        let kept = samples.all();
        assert!(kept.len() <= SAMPLES_MAX, "{}", kept.len());
        assert_eq!((kept[0].at, kept.last().map(|s| s.at)), (at(0), Some(at(99_999))));
        assert_eq!(samples.take_changed().map(|s| s.len()), Some(kept.len()));
        assert_eq!(samples.take_changed(), None);
        let mut restored = Samples::of(kept.clone());
        restored.push(at(100_010), rows(1.0));
        assert_eq!(restored.all().len(), kept.len() + 1);
    }
}
