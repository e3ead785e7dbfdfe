//! What has arrived of the log and is not applied: told by the one who reads it, looked at by the one who shows the lag.

use super::collect::Batch;
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module. Copies are of the same.
#[derive(Debug, Clone, Default)]
pub struct Arrivals(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Everything before it has arrived.
    end: u64,
    /// When the first transaction of each batch was committed that is not applied: the one that gathers, the one that
    /// waits, the one that is being applied.
    waiting: VecDeque<DateTime<Utc>>,
    /// The one that gathers is among them.
    is_gathering_told: bool,
}

impl Arrivals {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream begins anew at a position.
    pub fn restart(&self, position: u64) {
        *self.lock() = Seen {
            end: position,
            ..Seen::default()
        };
    }

    /// So much of the log has arrived, whatever is in it.
    pub fn reached(&self, end: u64) {
        let mut seen = self.lock();
        seen.end = seen.end.max(end);
    }

    /// What has been gathered so far.
    pub fn gathers(&self, batch: &Batch) {
        if let Some(oldest) = batch.oldest {
            let mut seen = self.lock();
            if !seen.is_gathering_told {
                seen.is_gathering_told = true;
                seen.waiting.push_back(oldest);
            }
        }
    }

    /// The batch is handed on, and another one gathers.
    pub fn hands_on(&self) {
        self.lock().is_gathering_told = false;
    }

    /// The oldest batch is applied.
    pub fn applied(&self, batch: &Batch) {
        if batch.oldest.is_some() {
            self.lock().waiting.pop_front();
        }
    }

    pub fn end(&self) -> u64 {
        self.lock().end
    }

    /// When the oldest transaction was committed that has arrived and is not applied.
    pub fn oldest(&self) -> Option<DateTime<Utc>> {
        self.lock().waiting.front().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn the_oldest_batch_that_is_not_applied_counts() {
        let arrivals = Arrivals::default();
        let batch = |seconds: i64| Batch {
            oldest: Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)),
            ..Batch::default()
        };
        let (first, second) = (batch(10), batch(20));
        arrivals.gathers(&Batch::default());
        assert_eq!(arrivals.oldest(), None);
        arrivals.gathers(&first);
        arrivals.gathers(&first);
        arrivals.hands_on();
        arrivals.gathers(&second);
        assert_eq!(arrivals.oldest(), first.oldest);
        arrivals.applied(&first);
        // One without a transaction was never among them.
        arrivals.applied(&Batch::default());
        assert_eq!(arrivals.oldest(), second.oldest);
        arrivals.restart(7);
        assert_eq!((arrivals.oldest(), arrivals.end()), (None, 7));
    }
}
