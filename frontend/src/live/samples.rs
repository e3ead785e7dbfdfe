//! The values of the last minutes, one for each second.
//!
//! The server sends a job's state when it changes. A second without a message is therefore no value of zero and no gap:
//! the last value still holds. Only where the link to the server was broken, or the stage had not begun or was over,
//! nothing is known.

use std::collections::VecDeque;

/// How far back values are kept.
pub const KEPT_SECONDS: i64 = 600;
/// The lengths of time that are shown: the shortest that holds all there is.
const SPANS: [i64; 4] = [60, 120, 300, KEPT_SECONDS];

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    second: i64,
    /// What holds from this second on; `None`: nothing is known.
    value: Option<f64>,
}

/// Values by the second of the page's clock; at most two for each of [`KEPT_SECONDS`], the oldest go first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples(VecDeque<Sample>);

/// Values ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// One for each second, oldest first.
    pub values: Vec<Option<f64>>,
    /// The second of the last value, where it is not now.
    pub ended: Option<i64>,
}

impl Samples {
    /// Takes a value, or that nothing is known from now on. Of several in one second the last counts.
    pub fn push(&mut self, second: i64, value: Option<f64>) {
        // A clock that was set back: what is there cannot be put in order with what comes.
        if self.0.back().is_some_and(|last| last.second > second) {
            self.0.clear();
        }
        match self.0.back_mut() {
            None if value.is_none() => return,
            Some(last) if last.value == value => return,
            Some(last) if last.second == second && value.is_some() => {
                last.value = value;
                return;
            }
            // An end does not take the value of its second away.
            None | Some(_) => {}
        }
        self.0.push_back(Sample { second, value });
        // One value from before the window is kept: it holds at its beginning.
        while self.0.get(1).is_some_and(|next| next.second <= second - KEPT_SECONDS) {
            self.0.pop_front();
        }
    }

    /// What there is at the second `now`; `None` before the first value.
    pub fn window(&self, now: i64) -> Option<Window> {
        let (first, last) = (self.0.front()?, self.0.back()?);
        let ended = last.value.is_none().then_some(last.second);
        let end = ended.unwrap_or(now.max(last.second));
        let length = end - first.second;
        let span = SPANS.into_iter().find(|span| *span >= length).unwrap_or(KEPT_SECONDS);
        let mut values = Vec::with_capacity(span as usize + 1);
        let mut next = 0;
        let mut held = None;
        for second in end - span..=end {
            // At the end itself the last value still counts.
            let is_over = |sample: &Sample| Some(second) == ended && sample.value.is_none();
            while let Some(sample) = self.0.get(next).filter(|s| s.second <= second && !is_over(s)) {
                held = sample.value;
                next += 1;
            }
            values.push(held);
        }
        Some(Window { values, ended })
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
        let window = samples(pushed).window(now).expect("a window");
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
    fn the_window_grows_with_what_it_holds_up_to_its_limit() {
        let length = |now| samples(&[(100, Some(1.0))]).window(now).map(|w| w.values.len());
        assert_eq!(length(100), Some(61));
        assert_eq!(length(161), Some(121));
        assert_eq!(length(400), Some(301));
        assert_eq!(length(5000), Some(601));
        assert_eq!(Samples::default().window(100), None);
        assert_eq!(samples(&[(100, None)]).window(100), None);
    }

    #[test]
    fn the_number_of_samples_is_bounded_and_the_oldest_value_still_holds() {
        let mut many = Samples::default();
        for second in 0..5000 {
            many.push(second, Some(second as f64));
        }
        assert!(many.0.len() <= KEPT_SECONDS as usize + 2, "{}", many.0.len());
        let mut rare = samples(&[(0, Some(1.0)), (2000, Some(2.0))]);
        rare.push(2500, Some(3.0));
        let window = rare.window(2500).expect("a window");
        assert_eq!(changes(&window), [(600, Some(1.0)), (500, Some(2.0)), (0, Some(3.0))]);
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
