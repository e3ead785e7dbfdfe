//! How old the log is that is not applied: its ends, and when it ended there.

use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Every other one goes when there are more: a long outage is measured more coarsely.
const ENDS_MAX: usize = 2_048;
/// A stream that keeps up has passed an end of the log by then: it is told of it once a second.
const OVERDUE_AFTER: Duration = Duration::from_secs(2);

/// How far the destination is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    Known(u64),
    /// The source is not seen: it may have committed something at any time since it was.
    AtMost(u64),
}

impl Lag {
    pub fn milliseconds(self) -> u64 {
        match self {
            Lag::Known(ms) | Lag::AtMost(ms) => ms,
        }
    }
}

/// Ends of the log behind the position, oldest first, with the times at which they were seen: by the clock of the source,
/// and by that of this process.
#[derive(Debug, Default)]
pub struct LogEnds(VecDeque<(u64, DateTime<Utc>, Instant)>);

impl LogEnds {
    pub fn push(&mut self, end: u64, at: DateTime<Utc>, seen: Instant) {
        // The log has not grown: what is in it is as old as it was.
        if self.0.back().is_some_and(|(last, ..)| *last >= end) {
            return;
        }
        self.0.push_back((end, at, seen));
        if self.0.len() > ENDS_MAX {
            let mut is_kept = false;
            self.0.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
    }

    /// Everything before a position is applied: until when everything that was committed is, as far as these tell.
    pub fn passed(&mut self, position: u64) -> Option<DateTime<Utc>> {
        let mut until = None;
        while let Some((_, at, _)) = self.0.front().filter(|(end, ..)| *end <= position) {
            until = Some(*at);
            self.0.pop_front();
        }
        until
    }

    /// Whether a stream that has come to a position should have come further.
    pub fn is_overdue(&self, position: u64, now: Instant) -> bool {
        let next = self.0.iter().find(|(end, ..)| *end > position);
        next.is_some_and(|(.., seen)| now - *seen > OVERDUE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_position_is_as_new_as_the_last_end_of_the_log_before_it() {
        let (start, now) = (DateTime::UNIX_EPOCH, Instant::now());
        let at = |seconds: i64| start + TimeDelta::seconds(seconds);
        let mut ends = LogEnds::default();
        for (end, seconds) in [(100, 1), (100, 2), (200, 3), (300, 4)] {
            ends.push(end, at(seconds), now);
        }
        assert_eq!(ends.passed(99), None);
        assert_eq!(ends.passed(250), Some(at(3)));
        assert_eq!(ends.passed(250), None);
        assert!(!ends.is_overdue(250, now) && !ends.is_overdue(300, now + OVERDUE_AFTER * 2));
        assert!(ends.is_overdue(250, now + OVERDUE_AFTER * 2));
    }

    #[test]
    fn their_number_is_bounded() {
        let mut ends = LogEnds::default();
        for end in 0..10_000 {
            ends.push(end, DateTime::UNIX_EPOCH, Instant::now());
        }
        assert!(ends.0.len() <= ENDS_MAX);
        assert_eq!(ends.0.front().map(|(end, ..)| *end), Some(0));
    }
}
