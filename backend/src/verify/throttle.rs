//! A limit to the rows that are read in a second.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// Rows pay with time: who has read so many waits until they are due. Several workers share one.
#[derive(Debug)]
pub struct Throttle {
    rows_per_second: Option<u64>,
    /// When the next rows are due.
    due: Mutex<Option<Instant>>,
}

impl Throttle {
    pub fn new(rows_per_second: Option<u64>) -> Self {
        Self {
            rows_per_second: rows_per_second.filter(|rows| *rows > 0),
            due: Mutex::new(None),
        }
    }

    /// Waits for as long as these rows may take.
    pub async fn pay(&self, rows: u64) {
        let Some(limit) = self.rows_per_second else { return };
        let cost = Duration::from_secs_f64(rows as f64 / limit as f64);
        let until = {
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let begin = due.unwrap_or(now).max(now);
            *due = Some(begin + cost);
            begin + cost
        };
        tokio::time::sleep_until(until).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_take_their_time_and_without_a_limit_none() {
        let begin = Instant::now();
        Throttle::new(None).pay(1_000_000_000).await;
        assert!(begin.elapsed() < Duration::from_secs(1));
        let throttle = Throttle::new(Some(1_000));
        for _ in 0..3 {
            throttle.pay(100).await;
        }
        assert!(begin.elapsed() >= Duration::from_millis(300), "{:?}", begin.elapsed());
    }
}
