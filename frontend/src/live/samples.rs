//! The values of a job from its beginning on, one for each second and fewer of long ago.
//!
//! The server sends a job's state when it changes. A second without a message is therefore no value of zero and no gap:
//! the last value still holds. Only where the link to the server was broken, or the stage had not begun or was over,
//! nothing is known.

use godwit_shared::sample::{SAMPLES_MAX, thin};
use std::collections::VecDeque;

/// They are thinned each time that so many more have come.
const THINNED_EVERY: usize = 300;
/// The lengths of time that are shown of a short job: the shortest that holds all there is.
const SPANS: [i64; 4] = [60, 120, 300, 600];
/// The most values that a chart has room for.
const VALUES_MAX: i64 = 600;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    second: i64,
    /// What holds from this second on; `None`: nothing is known.
    value: Option<f64>,
}

/// Values by the second of the page's clock; the oldest go first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    all: VecDeque<Sample>,
    since_thinned: usize,
}

/// A part of the time, in seconds of the page's clock.
pub type Span = (i64, i64);

/// Values ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// At the same distance from each other, oldest first.
    pub values: Vec<Option<f64>>,
    /// The second of the first value.
    pub first: i64,
    /// Seconds between two values.
    pub step: i64,
    /// The second of the last value, where it is not now.
    pub ended: Option<i64>,
}

impl Samples {
    /// Takes a value, or that nothing is known from now on. Of several in one second the last counts.
    pub fn push(&mut self, second: i64, value: Option<f64>) {
        // A clock that was set back: what is there cannot be put in order with what comes.
        if self.all.back().is_some_and(|last| last.second > second) {
            self.all.clear();
        }
        match self.all.back_mut() {
            None if value.is_none() => return,
            Some(last) if last.value == value => return,
            Some(last) if last.second == second && value.is_some() => {
                last.value = value;
                return;
            }
            // An end does not take the value of its second away.
            None | Some(_) => {}
        }
        self.all.push_back(Sample { second, value });
        self.since_thinned += 1;
        if self.since_thinned >= THINNED_EVERY {
            self.since_thinned = 0;
            thin(&mut self.all, second, |s| s.second, |s| s.value.is_none());
        }
        while self.all.len() > SAMPLES_MAX {
            self.all.pop_front();
        }
    }

    /// What there is at the second `now`, or of a part of the time; `None` before the first value.
    pub fn window(&self, now: i64, part: Option<Span>) -> Option<Window> {
        let (first, last) = (self.all.front()?, self.all.back()?);
        let ended = last.value.is_none().then_some(last.second);
        let end = ended.unwrap_or(now.max(last.second));
        let length = end - first.second;
        let span = SPANS.into_iter().find(|span| *span >= length).unwrap_or(length);
        let (from, to) = match part {
            Some((from, to)) => (from.max(end - span), to.min(end)),
            None => (end - span, end),
        };
        let step = ((to - from) / VALUES_MAX + i64::from((to - from) % VALUES_MAX != 0)).max(1);
        let mut values = Vec::new();
        let (mut next, mut held) = (0, None);
        let mut second = from;
        while second <= to {
            // The highest of what held in the step that ends here: a peak is not lost in a long job.
            let mut highest: Option<f64> = None;
            // At the end itself the last value still counts.
            let is_over = |sample: &Sample| Some(second) == ended && sample.value.is_none();
            while let Some(sample) = self.all.get(next).filter(|s| s.second <= second && !is_over(s)) {
                held = sample.value;
                if sample.second > second - step {
                    highest = highest.max_of(held);
                }
                next += 1;
            }
            values.push(held.map(|held| highest.map_or(held, |highest| highest.max(held))));
            second += step;
        }
        Some(Window {
            values,
            first: from,
            step,
            ended: ended.filter(|_| to == end),
        })
    }
}

trait MaxOf {
    fn max_of(self, other: Self) -> Self;
}

impl MaxOf for Option<f64> {
    fn max_of(self, other: Self) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (one, None) | (None, one) => one,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(pushed: &[(i64, Option<f64>)]) -> Samples {
        let mut samples = Samples::default();
        for (second, value) in pushed {
            samples.push(*second, *value);
        }
        samples
    }

    /// The known values of a window with their distance from its end, where they change.
    fn changes(window: &Window) -> Vec<(usize, Option<f64>)> {
        let values = &window.values;
        let is_new = |i: &usize| *i == 0 || values[*i] != values[*i - 1];
        (0..values.len())
            .filter(is_new)
            .map(|i| (values.len() - 1 - i, values[i]))
            .collect()
    }

    fn check(pushed: &[(i64, Option<f64>)], now: i64, expected: &[(usize, Option<f64>)], ended: Option<i64>) {
        let window = samples(pushed).window(now, None).expect("a window");
        assert_eq!(changes(&window), expected);
        assert_eq!(window.ended, ended);
    }

    #[test]
    fn a_value_holds_until_the_next_one() {
        check(
            &[(100, Some(7.0)), (110, Some(9.0))],
            115,
            &[(60, None), (15, Some(7.0)), (5, Some(9.0))],
            None,
        );
    }

    #[test]
    fn of_one_second_the_last_value_counts() {
        check(
            &[(100, Some(7.0)), (101, Some(8.0)), (101, Some(9.0))],
            101,
            &[(60, None), (1, Some(7.0)), (0, Some(9.0))],
            None,
        );
    }

    #[test]
    fn a_broken_link_leaves_a_gap() {
        check(
            &[(100, Some(7.0)), (105, None), (106, None), (120, Some(3.0))],
            121,
            &[(60, None), (21, Some(7.0)), (16, None), (1, Some(3.0))],
            None,
        );
    }

    #[test]
    fn an_end_stops_the_clock() {
        check(
            &[(100, Some(7.0)), (110, None)],
            900,
            &[(60, None), (10, Some(7.0))],
            Some(110),
        );
        // In the second of the last value.
        check(
            &[(100, Some(7.0)), (110, Some(8.0)), (110, None)],
            900,
            &[(60, None), (10, Some(7.0)), (0, Some(8.0))],
            Some(110),
        );
    }

    #[test]
    fn the_window_holds_the_whole_job() {
        let length = |now| {
            let window = samples(&[(100, Some(1.0))]).window(now, None);
            window.map(|w| (w.values.len(), w.step))
        };
        assert_eq!(length(100), Some((61, 1)));
        assert_eq!(length(161), Some((121, 1)));
        assert_eq!(length(400), Some((301, 1)));
        assert_eq!(length(5_000), Some((545, 9)));
        assert_eq!(Samples::default().window(100, None), None);
        assert_eq!(samples(&[(100, None)]).window(100, None), None);
    }

    #[test]
    fn a_part_of_it_is_shown_more_closely_and_no_peak_is_lost() {
        let mut long = Samples::default();
        for second in 0..6_000 {
            long.push(
                second,
                Some(if second == 5_995 {
                    50.0
                } else {
                    f64::from(second as i32 % 2)
                }),
            );
        }
        let whole = long.window(6_000, None).expect("a window");
        assert_eq!((whole.first, whole.step), (0, 10));
        assert_eq!(whole.values.last().copied().flatten(), Some(50.0));
        let part = long.window(6_000, Some((5_980, 6_000))).expect("a window");
        assert_eq!((part.first, part.step, part.values.len()), (5_980, 1, 21));
        // Of an earlier part the end is not the job's.
        long.push(6_001, None);
        assert_eq!(long.window(7_000, Some((100, 200))).expect("a window").ended, None);
        assert_eq!(long.window(7_000, None).expect("a window").ended, Some(6_001));
    }

    #[test]
    fn the_number_of_samples_is_bounded() {
        let mut many = Samples::default();
        for second in 0..50_000 {
            many.push(second, Some(second as f64));
        }
        assert!(many.all.len() <= SAMPLES_MAX, "{}", many.all.len());
        assert_eq!(many.all.front().map(|s| s.second), Some(0));
    }

    #[test]
    fn a_clock_set_back_begins_anew() {
        check(
            &[(100, Some(7.0)), (50, Some(3.0))],
            50,
            &[(60, None), (0, Some(3.0))],
            None,
        );
    }
}
