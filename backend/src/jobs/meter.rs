//! Figures of the snapshot stage: counters become statistics, and statistics are published.

use super::saver::Saver;
use super::tracker::Tracker;
use crate::data::progress::{Progress, UNKNOWN};
use crate::hooks;
use chrono::Utc;
use godwit_shared::job::{CollectionProgress, JobStatistics, JobStatus, MigrationJobStatus, TableProgress};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the status is published while something moves.
pub const PUBLISH_EVERY: Duration = Duration::from_millis(200);
/// Rates are those of the last so many seconds.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// Publishes the progress until the go is over, and its last state then. `trouble` tells why nothing moves.
pub async fn publish(
    tracker: Arc<Tracker>,
    progress: Arc<Progress>,
    trouble: impl Fn() -> Option<String>,
    is_over: CancellationToken,
) {
    let mut meter = Meter::new(&tracker.status().statistics);
    let mut saver = Saver::new(tracker.clone());
    let mut tick = tokio::time::interval(PUBLISH_EVERY);
    loop {
        let is_last = tokio::select! {
            biased;
            () = is_over.cancelled() => true,
            _ = tick.tick() => false,
        };
        hooks::hold(hooks::FIGURES).await;
        tracker.update(|status| {
            meter.refresh(status, &progress);
            status.statistics.notice = trouble().filter(|_| !is_last);
        });
        if is_last {
            return;
        }
        saver.save_now_and_then().await;
    }
}

/// Turns counters into statistics.
struct Meter {
    /// Time in work before this go.
    elapsed_before: Duration,
    started: Instant,
    paused: Duration,
    seen: Instant,
    /// Instants with rows read and bytes written.
    samples: VecDeque<(Instant, u64, u64)>,
}

impl Meter {
    fn new(statistics: &JobStatistics) -> Self {
        let now = Instant::now();
        Self {
            elapsed_before: Duration::from_millis(statistics.elapsed_ms),
            started: now,
            paused: Duration::ZERO,
            seen: now,
            samples: VecDeque::new(),
        }
    }

    fn refresh(&mut self, status: &mut MigrationJobStatus, progress: &Progress) {
        let now = Instant::now();
        let is_running = status.status == JobStatus::Running;
        if !is_running {
            self.paused += now - self.seen;
        }
        self.seen = now;
        let load = |c: &std::sync::atomic::AtomicU64| c.load(Ordering::Relaxed);
        let rows: u64 = progress.tables.iter().map(|t| load(&t.rows_read)).sum();
        let written = load(&progress.bytes_written);
        let before = &progress.before;
        // Counters are read one by one: what is taken over just now may be in one of them only.
        let of_this_go = (
            rows.saturating_sub(load(&before.rows)),
            written.saturating_sub(load(&before.bytes_written)),
        );
        self.samples.push_back((now, of_this_go.0, of_this_go.1));
        while self.samples.front().is_some_and(|(at, ..)| now - *at > RATE_WINDOW) {
            self.samples.pop_front();
        }
        let (first, rows_then, written_then) = *self.samples.front().expect("one was pushed above");
        let seconds = (now - first).as_secs_f64();
        let rate = |from: u64, to: u64| {
            if seconds > 0.0 {
                to.saturating_sub(from) as f64 / seconds
            } else {
                0.0
            }
        };
        let is_complete = |table: usize| {
            progress
                .collections
                .iter()
                .filter(|c| c.tables.contains(&table))
                .all(|c| c.is_complete.load(Ordering::Relaxed))
        };
        let tables: Vec<TableProgress> = progress
            .tables
            .iter()
            .enumerate()
            .map(|(i, t)| TableProgress {
                table: t.name.clone(),
                rows_read: load(&t.rows_read),
                rows_estimated: load(&t.rows_estimated).max(load(&t.rows_read)),
                rows_in_scope: Some(load(&t.rows_in_scope)).filter(|n| *n != UNKNOWN),
                is_complete: is_complete(i),
            })
            .collect();
        let roots_read: u64 = progress.collections.iter().map(|c| load(&c.roots_read)).sum();
        let roots: u64 = progress
            .collections
            .iter()
            .map(|c| load(&c.roots_estimated).max(load(&c.roots_read)))
            .sum();
        let is_done = progress
            .collections
            .iter()
            .all(|c| c.is_complete.load(Ordering::Relaxed));
        let log = progress.log();
        let elapsed_before = self.elapsed_before;
        let s = &mut status.statistics;
        s.started_at.get_or_insert_with(Utc::now);
        let of_this_run = (now - self.started).saturating_sub(self.paused);
        s.elapsed_ms = (elapsed_before + of_this_run).as_millis() as u64;
        s.elapsed_seconds = s.elapsed_ms / 1000;
        s.total_table_count = tables.len() as u64;
        s.remaining_table_count = tables.iter().filter(|t| !t.is_complete).count() as u64;
        s.migrated_tables = tables
            .iter()
            .filter(|t| t.is_complete)
            .map(|t| t.table.clone())
            .collect();
        s.processing_tables = progress
            .tables
            .iter()
            .filter(|t| load(&t.readers) > 0)
            .map(|t| t.name.clone())
            .collect();
        s.total_events_seen = rows;
        s.total_events = if is_done {
            rows
        } else {
            tables.iter().map(|t| t.rows_estimated).sum()
        };
        s.total_event_size = load(&progress.bytes_read);
        s.documents_written = progress.collections.iter().map(|c| load(&c.documents)).sum();
        s.bytes_written = written;
        s.errors = log.errors;
        s.warnings = log.warnings;
        s.rows_per_second = rate(rows_then, of_this_go.0);
        s.bytes_per_second = rate(written_then, of_this_go.1);
        s.percent = match (is_done, roots) {
            (true, _) => 100.0,
            (false, 0) => 0.0,
            (false, roots) => (roots_read as f64 / roots as f64 * 100.0).min(99.9),
        };
        let percent_of_this_go = s.percent - load(&before.roots) as f64 / roots.max(1) as f64 * 100.0;
        s.estimated_seconds_remaining = (is_running && percent_of_this_go > 0.0 && !is_done)
            .then(|| of_this_run.as_secs_f64().max(0.1) * (100.0 - s.percent) / percent_of_this_go);
        s.snapshot_completed = is_done;
        // What others have counted of a collection stays.
        let counted = std::mem::take(&mut s.collections);
        let counted = |name: &str| {
            counted
                .iter()
                .find(|c| c.collection == name)
                .cloned()
                .unwrap_or_default()
        };
        s.collections = progress
            .collections
            .iter()
            .map(|c| CollectionProgress {
                collection: c.name.clone(),
                root_rows: load(&c.roots_read),
                documents_written: load(&c.documents),
                is_complete: c.is_complete.load(Ordering::Relaxed),
                documents_untouched: Some(load(&c.untouched)).filter(|n| *n != UNKNOWN),
                ..counted(&c.name)
            })
            .collect();
        s.tables = tables;
        status.job_updates = log.updates();
    }
}
