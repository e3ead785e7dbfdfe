//! Figures of the CDC stage, gathered where they arise and shown from time to time.

use crate::source::postgres::replication::Lsn;
use crate::source::postgres::replication::slot::SourceClock;
use chrono::{DateTime, TimeDelta, Utc};
use godwit_shared::job::CdcStatistics;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
const RATE_WINDOW: Duration = Duration::from_secs(5);
/// How long the lag has to be small before a cut-over is proposed.
const READY_AFTER: Duration = Duration::from_secs(60);
const READY_LAG_MS: u64 = 1_000;
/// The growth of the log is measured over so long.
const GROWTH_WINDOW: Duration = Duration::from_secs(300);

/// See the module.
#[derive(Debug)]
pub struct CdcMeter {
    /// Row changes that have arrived, applied or not.
    pub arrived: Arc<AtomicU64>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    shown: CdcStatistics,
    /// Row changes that have arrived and are applied, of this go.
    applied: u64,
    /// Row changes by the second in which they were applied.
    seconds: VecDeque<(Instant, u64)>,
    /// Ends of the log and when they were seen.
    growth: VecDeque<(Instant, u64)>,
    /// What to add to this server's clock to get the source's.
    clock_ahead: TimeDelta,
    log_end: u64,
    position: u64,
    /// When the oldest change was committed that is being applied.
    pending: Option<DateTime<Utc>>,
    newest: Option<DateTime<Utc>>,
    /// Everything that was committed before is applied.
    applied_until: Option<DateTime<Utc>>,
    small_lag_since: Option<Instant>,
}

impl CdcMeter {
    /// Goes on from what was shown last.
    pub fn new(shown: Option<CdcStatistics>) -> Self {
        let mut shown = shown.unwrap_or_default();
        shown.notice = None;
        Self {
            arrived: Arc::default(),
            inner: Mutex::new(Inner {
                newest: shown.last_event_source_database_time,
                applied_until: shown.applied_until,
                shown,
                applied: 0,
                seconds: VecDeque::new(),
                growth: VecDeque::new(),
                clock_ahead: TimeDelta::zero(),
                log_end: 0,
                position: 0,
                pending: None,
                small_lag_since: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream is open at a position.
    pub fn started(&self, position: Lsn) {
        self.arrived.store(0, Ordering::Relaxed);
        let mut inner = self.lock();
        inner.applied = 0;
        inner.position = position.0;
        inner.pending = None;
        inner.small_lag_since = None;
        inner.shown.started_at.get_or_insert_with(Utc::now);
        inner.shown.notice = None;
    }

    /// A batch is being applied whose first transaction was committed then.
    pub fn begins(&self, oldest: Option<DateTime<Utc>>) {
        self.lock().pending = oldest;
    }

    /// A batch is applied and stored.
    pub fn applied(&self, events: u64, oldest: Option<DateTime<Utc>>, newest: Option<DateTime<Utc>>, position: Lsn) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.applied += events;
        inner.position = inner.position.max(position.0);
        inner.pending = None;
        inner.newest = newest.or(inner.newest);
        inner.applied_until = inner.applied_until.max(newest);
        if events == 0 {
            return;
        }
        let source_now = Utc::now() + inner.clock_ahead;
        inner.shown.latest_batch_max_lag_ms = oldest.map(|t| milliseconds(source_now - t));
        inner.shown.total_events_seen += events;
        inner.shown.last_event_time = Some(Utc::now());
        inner.shown.last_event_source_database_time = inner.newest;
        match inner.seconds.back_mut() {
            Some((at, count)) if now - *at < Duration::from_secs(1) => *count += events,
            _ => inner.seconds.push_back((now, events)),
        }
    }

    pub fn rebuilt(&self, roots: u64) {
        self.lock().shown.roots_rebuilt += roots;
    }

    pub fn deleted(&self, documents: u64) {
        self.lock().shown.documents_deleted += documents;
    }

    /// Why nothing moves; nothing when it does.
    pub fn notice(&self, notice: Option<String>) {
        let mut inner = self.lock();
        if notice.is_some() {
            inner.small_lag_since = None;
        }
        inner.shown.notice = notice;
    }

    pub fn complete_at(&self, position: Option<Lsn>) {
        self.lock().shown.complete_position = position.map(|p| p.to_string());
    }

    /// What the source says of itself.
    pub fn clock(&self, clock: &SourceClock) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.clock_ahead = clock.now - Utc::now();
        inner.log_end = clock.log_end.0;
        if inner.position >= inner.log_end {
            inner.applied_until = inner.applied_until.max(Some(clock.now));
        }
        inner.growth.push_back((now, clock.log_end.0));
        while inner.growth.front().is_some_and(|(at, _)| now - *at > GROWTH_WINDOW) {
            inner.growth.pop_front();
        }
        inner.shown.retained_log_bytes = Some(clock.retained_bytes);
        inner.shown.remaining_log_bytes = clock.remaining_bytes;
        let rate = inner.growth.front().map_or(0.0, |(at, end)| {
            let seconds = (now - *at).as_secs_f64();
            if seconds > 1.0 {
                clock.log_end.0.saturating_sub(*end) as f64 / seconds
            } else {
                0.0
            }
        });
        inner.shown.seconds_until_log_lost = clock
            .remaining_bytes
            .filter(|_| rate > 0.0)
            .map(|bytes| bytes as f64 / rate);
    }

    /// The figures as they are now.
    pub fn show(&self) -> CdcStatistics {
        let now = Instant::now();
        let arrived = self.arrived.load(Ordering::Relaxed);
        let mut inner = self.lock();
        while inner.seconds.front().is_some_and(|(at, _)| now - *at > HOUR) {
            inner.seconds.pop_front();
        }
        let within = |inner: &Inner, window: Duration| -> u64 {
            let newest_first = inner.seconds.iter().rev();
            newest_first
                .take_while(|(at, _)| now - *at <= window)
                .map(|(_, count)| count)
                .sum()
        };
        let source_now = Utc::now() + inner.clock_ahead;
        let waits = arrived > inner.applied;
        let since = inner.pending.or(if waits { inner.newest } else { None });
        let lag_ms = since.map_or(0, |t| milliseconds(source_now - t));
        inner.small_lag_since = if lag_ms < READY_LAG_MS && inner.shown.notice.is_none() {
            inner.small_lag_since.or(Some(now))
        } else {
            None
        };
        let mut shown = inner.shown.clone();
        shown.events_in_last_hour = within(&inner, HOUR);
        shown.events_in_last_minute = within(&inner, MINUTE);
        shown.events_per_second = within(&inner, RATE_WINDOW) as f64 / RATE_WINDOW.as_secs_f64();
        shown.lag_ms = lag_ms;
        shown.lag_bytes = inner.log_end.saturating_sub(inner.position);
        shown.position = Some(Lsn(inner.position).to_string());
        shown.applied_until = inner.applied_until;
        if inner.log_end > 0 {
            shown.log_end = Some(Lsn(inner.log_end).to_string());
        }
        shown.is_ready_for_cutover = inner.small_lag_since.is_some_and(|since| now - since >= READY_AFTER);
        shown
    }
}

fn milliseconds(delta: TimeDelta) -> u64 {
    u64::try_from(delta.num_milliseconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_age_of_what_is_not_applied() {
        let meter = CdcMeter::new(None);
        meter.started(Lsn(100));
        assert_eq!(meter.show().lag_ms, 0);
        meter.arrived.store(2, Ordering::Relaxed);
        let committed = Utc::now() - TimeDelta::milliseconds(500);
        meter.begins(Some(committed));
        let lag = meter.show().lag_ms;
        assert!((500..60_000).contains(&lag), "{lag}");
        meter.applied(2, Some(committed), Some(committed), Lsn(150));
        let shown = meter.show();
        assert_eq!(
            (shown.lag_ms, shown.total_events_seen, shown.events_in_last_minute),
            (0, 2, 2)
        );
        assert_eq!(shown.position.as_deref(), Some("0/96"));
        assert!(shown.latest_batch_max_lag_ms.is_some_and(|ms| ms >= 500));
    }

    #[test]
    fn figures_go_on_after_a_restart_but_the_notice_does_not() {
        let before = CdcStatistics {
            total_events_seen: 7,
            notice: Some("the source does not answer".into()),
            ..CdcStatistics::default()
        };
        let meter = CdcMeter::new(Some(before));
        meter.applied(1, None, None, Lsn(1));
        assert_eq!((meter.show().total_events_seen, meter.show().notice), (8, None));
    }
}
