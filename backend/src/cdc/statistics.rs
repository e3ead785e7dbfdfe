//! Figures of the CDC stage, gathered where they arise and shown from time to time.

use super::arrivals::Arrivals;
use super::collect::Batch;
use super::lag::{Lag, LogEnds};
use crate::data::position::LogPosition;
use crate::source::change_log::{ChangeLog, SourceClock};
use chrono::{DateTime, TimeDelta, Utc};
use godwit_shared::job::{CdcStatistics, CollectionProgress};
use godwit_shared::outage::{CutoverReadiness, KnownLag};
use std::collections::{HashMap, VecDeque};
use std::fmt;
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
/// The source is looked at every second; when it has not answered for so long, its log may have gone on unseen.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// See the module.
pub struct CdcMeter {
    pub arrivals: Arrivals,
    /// Knows how positions are written.
    log: Arc<dyn ChangeLog>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    shown: CdcStatistics,
    /// Row changes by the second in which they were applied.
    seconds: VecDeque<(Instant, u64)>,
    /// Ends of the log and when they were seen.
    growth: VecDeque<(Instant, LogPosition)>,
    /// What to add to this server's clock to get the source's.
    clock_ahead: TimeDelta,
    /// When the source was last looked at.
    looked: Option<Instant>,
    log_end: LogPosition,
    /// Where the user has asked to complete: the log was seen to go on until there.
    complete_at: LogPosition,
    position: LogPosition,
    /// Ends of the log that are not applied yet.
    ends: LogEnds,
    /// Changes are being followed now.
    is_streaming: bool,
    newest: Option<DateTime<Utc>>,
    /// Everything that was committed before is applied.
    applied_until: Option<DateTime<Utc>>,
    /// When the job was made, by this server's clock: what was committed before is in its snapshot.
    made_at: DateTime<Utc>,
    small_lag_since: Option<Instant>,
    /// Documents rebuilt and deleted that no status has yet.
    by_collection: HashMap<String, (u64, u64)>,
}

impl fmt::Debug for CdcMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CdcMeter")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl CdcMeter {
    /// Goes on from what was shown last of a job that was made at this time.
    pub fn new(log: Arc<dyn ChangeLog>, shown: Option<CdcStatistics>, made_at: DateTime<Utc>) -> Self {
        let mut shown = shown.unwrap_or_default();
        shown.notice = None;
        let parsed = |text: &Option<String>| text.as_deref().and_then(|t| log.parse(t)).unwrap_or_default();
        Self {
            arrivals: Arrivals::default(),
            inner: Mutex::new(Inner {
                newest: shown.last_event_source_database_time,
                applied_until: shown.applied_until,
                log_end: parsed(&shown.log_end),
                complete_at: parsed(&shown.complete_position),
                position: parsed(&shown.position),
                shown,
                seconds: VecDeque::new(),
                growth: VecDeque::new(),
                clock_ahead: TimeDelta::zero(),
                looked: None,
                ends: LogEnds::default(),
                is_streaming: false,
                made_at,
                small_lag_since: None,
                by_collection: HashMap::new(),
            }),
            log,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream is open at a position.
    pub fn started(&self, position: LogPosition) {
        self.arrivals.restart(position.0);
        let mut inner = self.lock();
        inner.position = position;
        inner.is_streaming = true;
        inner.small_lag_since = None;
        inner.shown.started_at.get_or_insert_with(Utc::now);
        inner.shown.notice = None;
    }

    /// The stream is closed: what comes from now on is not seen.
    pub fn stopped(&self) {
        let mut inner = self.lock();
        inner.is_streaming = false;
        let position = inner.position;
        self.arrivals.restart(position.0);
    }

    /// A batch is applied and stored.
    pub fn applied(&self, batch: &Batch, position: LogPosition) {
        let now = Instant::now();
        self.arrivals.applied(batch);
        let mut inner = self.lock();
        inner.position = inner.position.max(position);
        inner.newest = batch.newest.or(inner.newest);
        let seen = inner.position.0;
        let until = inner.ends.passed(seen);
        inner.applied_until = inner.applied_until.max(until).max(batch.newest);
        if batch.events == 0 {
            return;
        }
        let source_now = Utc::now() + inner.clock_ahead;
        inner.shown.latest_batch_max_lag_ms = batch.oldest.map(|t| milliseconds(source_now - t));
        inner.shown.total_events_seen += batch.events;
        inner.shown.last_event_time = Some(Utc::now());
        inner.shown.last_event_source_database_time = inner.newest;
        match inner.seconds.back_mut() {
            Some((at, count)) if now - *at < Duration::from_secs(1) => *count += batch.events,
            _ => inner.seconds.push_back((now, batch.events)),
        }
    }

    pub fn rebuilt(&self, collection: &str, roots: u64) {
        let mut inner = self.lock();
        inner.shown.roots_rebuilt += roots;
        inner.changed(collection).0 += roots;
    }

    pub fn deleted(&self, collection: &str, documents: u64) {
        let mut inner = self.lock();
        inner.shown.documents_deleted += documents;
        inner.changed(collection).1 += documents;
    }

    /// Adds to each collection how many documents were rebuilt and deleted since this was asked last.
    pub fn hand_out(&self, collections: &mut [CollectionProgress]) {
        for (name, (rebuilt, deleted)) in std::mem::take(&mut self.lock().by_collection) {
            if let Some(collection) = collections.iter_mut().find(|c| c.collection == name) {
                collection.documents_rebuilt += rebuilt;
                collection.documents_deleted += deleted;
            }
        }
    }

    /// Why nothing moves; nothing when it does.
    pub fn notice(&self, notice: Option<String>) {
        let mut inner = self.lock();
        if notice.is_some() {
            inner.small_lag_since = None;
        }
        inner.shown.notice = notice;
    }

    pub fn complete_at(&self, position: Option<LogPosition>) {
        let mut inner = self.lock();
        inner.shown.complete_position = position.map(|p| self.log.show(p));
        inner.complete_at = position.unwrap_or_default();
        inner.log_end = inner.log_end.max(inner.complete_at);
    }

    /// Everything before it is applied.
    pub fn position(&self) -> LogPosition {
        self.lock().position
    }

    /// What the source says of itself.
    pub fn clock(&self, clock: &SourceClock) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.clock_ahead = clock.now - Utc::now();
        inner.looked = Some(now);
        inner.log_end = clock.log_end.max(inner.complete_at);
        if inner.position >= inner.log_end {
            inner.applied_until = inner.applied_until.max(Some(clock.now));
        } else {
            inner.ends.push(clock.log_end.0, clock.now, now);
        }
        inner.growth.push_back((now, clock.log_end));
        while inner.growth.front().is_some_and(|(at, _)| now - *at > GROWTH_WINDOW) {
            inner.growth.pop_front();
        }
        inner.shown.retained_log_bytes = Some(clock.retained_bytes);
        inner.shown.remaining_log_bytes = clock.remaining_bytes;
        let rate = inner.growth.front().map_or(0.0, |(at, end)| {
            let seconds = (now - *at).as_secs_f64();
            if seconds > 1.0 {
                self.log.bytes_between(*end, clock.log_end) as f64 / seconds
            } else {
                0.0
            }
        });
        let by_bytes = clock.remaining_bytes.filter(|_| rate > 0.0);
        // What the job needs is as old as what it has not applied.
        let by_time = clock.kept_seconds.zip(inner.applied_until).map(|(kept, applied)| {
            let age = (clock.now - applied).num_milliseconds() as f64 / 1000.0;
            (kept - age.max(0.0)).max(0.0)
        });
        inner.shown.seconds_until_log_lost = by_bytes.map(|bytes| bytes as f64 / rate).or(by_time);
    }

    /// The figures as they are now. `obstacle` says why no cut-over is possible, whatever the lag.
    pub fn show(&self, obstacle: Option<&str>) -> CdcStatistics {
        let now = Instant::now();
        let (arrived, oldest) = (self.arrivals.end(), self.arrivals.oldest());
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
        let lag = inner.lag(now, arrived, oldest);
        if let Lag::Known(ms) = lag {
            inner.shown.last_known_lag = Some(KnownLag {
                lag_ms: ms,
                lag_bytes: self.log.bytes_between(inner.position, inner.log_end),
                at: Utc::now(),
            });
        }
        let readiness = inner.readiness(now, lag, obstacle);
        let mut shown = inner.shown.clone();
        shown.events_in_last_hour = within(&inner, HOUR);
        shown.events_in_last_minute = within(&inner, MINUTE);
        shown.events_per_second = within(&inner, RATE_WINDOW) as f64 / RATE_WINDOW.as_secs_f64();
        shown.lag_ms = lag.milliseconds();
        shown.is_lag_unknown = !matches!(lag, Lag::Known(_));
        // Told where it is all that is known.
        shown.last_known_lag = shown.last_known_lag.filter(|_| shown.is_lag_unknown);
        shown.lag_bytes = self.log.bytes_between(inner.position, inner.log_end);
        shown.position = Some(self.log.show(inner.position));
        shown.applied_until = inner.applied_until;
        if inner.log_end > LogPosition::default() {
            shown.log_end = Some(self.log.show(inner.log_end));
        }
        shown.is_ready_for_cutover = readiness.is_ready;
        shown.cutover = Some(readiness);
        shown
    }
}

impl Inner {
    fn changed(&mut self, collection: &str) -> &mut (u64, u64) {
        self.by_collection.entry(collection.to_owned()).or_default()
    }

    /// How old the oldest committed change is that the destination lacks.
    ///
    /// What has arrived carries the time of its commit. Of what has not, only the length of the log is known and when it
    /// was that long, so the lag is then the most that it can be: the log may hold changes of other tables alone.
    fn lag(&self, now: Instant, arrived: u64, oldest: Option<DateTime<Utc>>) -> Lag {
        let source_now = Utc::now() + self.clock_ahead;
        let until = self.applied_until.unwrap_or(self.made_at + self.clock_ahead);
        let at_most = milliseconds(source_now - until);
        if self.looked.is_none_or(|at| now - at > SILENCE_MAX) {
            return Lag::AtMost(at_most);
        }
        let is_behind = match self.is_streaming {
            // A stream that keeps up is told the end of the log once a second.
            true => self.ends.is_overdue(arrived.max(self.position.0), now),
            false => self.log_end > self.position,
        };
        Lag::Known(match (oldest, is_behind) {
            (Some(committed), _) => milliseconds(source_now - committed),
            (None, true) => at_most,
            (None, false) => 0,
        })
    }

    fn readiness(&mut self, now: Instant, lag: Lag, obstacle: Option<&str>) -> CutoverReadiness {
        let is_small = matches!(lag, Lag::Known(ms) if ms < READY_LAG_MS);
        let is_free = self.is_streaming && obstacle.is_none() && self.shown.notice.is_none();
        self.small_lag_since = match is_small && is_free {
            true => self.small_lag_since.or(Some(now)),
            false => None,
        };
        let held = self.small_lag_since.map_or(Duration::ZERO, |since| now - since);
        let (below, needed) = (held.min(READY_AFTER).as_secs(), READY_AFTER.as_secs());
        let reason = match (obstacle, lag) {
            (Some(obstacle), _) => obstacle.to_owned(),
            (None, Lag::AtMost(_)) => "the lag is unknown: the source does not answer".into(),
            (None, _) if !self.is_streaming || self.shown.notice.is_some() => "no changes are applied just now".into(),
            (None, Lag::Known(ms)) if !is_small => format!("the lag is {}.{} s", ms / 1000, ms / 100 % 10),
            (None, Lag::Known(_)) => format!("lag under 1 s for {below} of {needed} s"),
        };
        CutoverReadiness {
            is_ready: held >= READY_AFTER,
            seconds_below: below,
            seconds_needed: needed,
            reason,
        }
    }
}

fn milliseconds(delta: TimeDelta) -> u64 {
    u64::try_from(delta.num_milliseconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::source_of;
    use godwit_shared::connection::JdbcConnectionDetails;

    fn log() -> Arc<dyn ChangeLog> {
        let details = JdbcConnectionDetails {
            url: "postgresql://localhost/d?user=u".into(),
            ..JdbcConnectionDetails::default()
        };
        source_of(&details, None)
            .expect("a source")
            .change_log()
            .expect("a log")
    }

    fn batch(events: u64, committed: DateTime<Utc>) -> Batch {
        Batch {
            events,
            oldest: Some(committed),
            newest: Some(committed),
            ..Batch::default()
        }
    }

    fn clock(log_end: u64) -> SourceClock {
        SourceClock {
            now: Utc::now(),
            log_end: LogPosition(log_end),
            retained_bytes: 0,
            remaining_bytes: None,
            kept_seconds: None,
        }
    }

    fn ago(ms: i64) -> DateTime<Utc> {
        Utc::now() - TimeDelta::milliseconds(ms)
    }

    #[test]
    fn lag_is_the_age_of_what_is_not_applied() {
        let meter = CdcMeter::new(log(), None, ago(0));
        meter.started(LogPosition(100));
        meter.clock(&clock(100));
        assert_eq!(meter.show(None).lag_ms, 0);
        let changes = batch(2, ago(500));
        meter.arrivals.gathers(&changes);
        let lag = meter.show(None).lag_ms;
        assert!((500..60_000).contains(&lag), "{lag}");
        meter.applied(&changes, LogPosition(150));
        let shown = meter.show(None);
        assert_eq!(
            (shown.lag_ms, shown.total_events_seen, shown.events_in_last_minute),
            (0, 2, 2)
        );
        assert_eq!(shown.position.as_deref(), Some("0/96"));
        assert!(shown.latest_batch_max_lag_ms.is_some_and(|ms| ms >= 500));
    }

    #[test]
    fn a_log_that_goes_on_in_a_pause_is_a_lag_that_grows() {
        let meter = CdcMeter::new(log(), None, ago(90_000));
        meter.started(LogPosition(100));
        meter.applied(&batch(1, ago(30_000)), LogPosition(110));
        meter.stopped();
        meter.clock(&clock(110));
        assert_eq!((meter.show(None).lag_ms, meter.show(None).lag_bytes), (0, 0));
        meter.clock(&clock(1_000));
        let first = meter.show(None);
        assert_eq!((first.lag_bytes, first.is_lag_unknown), (890, false));
        std::thread::sleep(Duration::from_millis(5));
        assert!(meter.show(None).lag_ms > first.lag_ms);
        // Since when it is, the log of the source says: it was applied as a whole a moment ago.
        assert!(first.lag_ms < 30_000, "{}", first.lag_ms);
    }

    #[test]
    fn what_was_written_while_nobody_looked_counts_from_the_last_change_that_is_applied() {
        let before = CdcStatistics {
            position: Some("0/96".into()),
            applied_until: Some(ago(120_000)),
            ..CdcStatistics::default()
        };
        let meter = CdcMeter::new(log(), Some(before), ago(900_000));
        meter.clock(&clock(1_000));
        let lag = meter.show(None).lag_ms;
        assert!((120_000..900_000).contains(&lag), "{lag}");
    }

    #[test]
    fn a_source_that_is_not_seen_makes_the_lag_unknown() {
        let meter = CdcMeter::new(log(), None, ago(5_000));
        meter.started(LogPosition(100));
        let shown = meter.show(None);
        assert!(shown.is_lag_unknown && shown.lag_ms >= 5_000, "{shown:?}");
        assert!(!shown.is_ready_for_cutover);
        let reason = shown.cutover.map(|c| c.reason).unwrap_or_default();
        assert!(reason.contains("unknown"), "{reason}");
        meter.clock(&clock(100));
        assert_eq!((meter.show(None).is_lag_unknown, meter.show(None).lag_ms), (false, 0));
    }

    #[test]
    fn the_log_ends_no_earlier_than_where_the_user_has_completed() {
        let meter = CdcMeter::new(log(), None, ago(0));
        meter.started(LogPosition(0x10));
        meter.complete_at(Some(LogPosition(0x30)));
        // What was asked before the request, and is answered after it.
        meter.clock(&clock(0x20));
        let shown = meter.show(None);
        assert_eq!((shown.log_end.as_deref(), shown.lag_bytes), (Some("0/30"), 0x20));
        assert_eq!(shown.complete_position.as_deref(), Some("0/30"));
    }

    #[test]
    fn readiness_says_why_not() {
        let meter = CdcMeter::new(log(), None, ago(0));
        let reason = |obstacle| meter.show(obstacle).cutover.expect("a readiness").reason;
        meter.clock(&clock(100));
        assert_eq!(reason(None), "no changes are applied just now");
        meter.started(LogPosition(100));
        assert_eq!(reason(None), "lag under 1 s for 0 of 60 s");
        assert_eq!(reason(Some("the job is paused")), "the job is paused");
        let late = batch(1, ago(4_250));
        meter.arrivals.gathers(&late);
        assert!(reason(None).starts_with("the lag is 4."), "{}", reason(None));
    }

    #[test]
    fn figures_go_on_after_a_restart_but_the_notice_does_not() {
        let before = CdcStatistics {
            total_events_seen: 7,
            notice: Some("the source does not answer".into()),
            ..CdcStatistics::default()
        };
        let meter = CdcMeter::new(log(), Some(before), ago(0));
        meter.applied(&batch(1, ago(0)), LogPosition(1));
        assert_eq!((meter.show(None).total_events_seen, meter.show(None).notice), (8, None));
    }
}
