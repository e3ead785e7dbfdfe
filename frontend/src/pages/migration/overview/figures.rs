//! What the stages show, as text. Plain functions of the job.

use crate::format::{number, time};
use chrono::{DateTime, TimeZone, Utc};
use godwit_shared::job::{CollectionProgress, JobStatus, MigrationJobStatus, TableProgress};
use std::fmt::Display;

/// What is not known yet.
pub(super) const NONE: &str = "–";

/// The snapshot stage in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotFigures {
    pub started: String,
    pub started_exactly: String,
    pub duration: String,
    pub tables: String,
    pub rows: String,
    pub in_scope: String,
    pub now: String,
    pub rows_expected: String,
    /// Over the whole time, of a stage that is over; as long as it is at work its charts say how fast it is now.
    pub average_rows: String,
    pub average_bytes: String,
    pub documents: String,
    pub remaining: String,
    pub percent: String,
    pub in_work: String,
    pub issues: String,
}

pub fn snapshot_figures<Z: TimeZone>(job: &MigrationJobStatus, zone: &Z) -> SnapshotFigures
where
    Z::Offset: Display,
{
    let s = &job.statistics;
    let migrated = s.total_table_count.saturating_sub(s.remaining_table_count);
    let (average_rows, average_bytes) = averages(job);
    SnapshotFigures {
        started: at(s.started_at, |t| time::date_and_clock(t, zone)),
        started_exactly: s.started_at.map(time::exact_utc).unwrap_or_default(),
        duration: time::duration(s.elapsed_ms as f64 / 1000.0),
        tables: format!("{} of {}", number::count(migrated), number::count(s.total_table_count)),
        rows: number::count(s.total_events_seen),
        in_scope: in_scope(job),
        now: documents_now(job),
        rows_expected: rows_expected(job),
        average_rows,
        average_bytes,
        documents: documents(s.documents_written, s.bytes_written),
        remaining: remaining(job),
        percent: number::percent(s.percent),
        in_work: in_work(job),
        issues: issues(s.errors, s.warnings),
    }
}

/// Rows of all tables that the filters let through, each once.
fn in_scope(job: &MigrationJobStatus) -> String {
    let tables = &job.statistics.tables;
    let is_exact = tables.iter().all(|t| t.rows_in_scope.is_some());
    let rows: u64 = tables.iter().map(|t| t.rows_in_scope.unwrap_or(t.rows_estimated)).sum();
    match (tables.is_empty(), is_exact) {
        (true, _) => NONE.into(),
        (false, true) => number::count(rows),
        (false, false) => format!("about {}", number::count(rows)),
    }
}

/// Documents in all collections of the job, when they were last counted.
fn documents_now(job: &MigrationJobStatus) -> String {
    let counts: Option<Vec<u64>> = job.statistics.collections.iter().map(|c| c.documents_now).collect();
    match counts {
        Some(counts) if !counts.is_empty() => number::count(counts.iter().sum()),
        Some(_) | None => NONE.into(),
    }
}

/// The tables that are being read; none while the job stands still, though it will go on in them.
fn in_work(job: &MigrationJobStatus) -> String {
    match job.status {
        JobStatus::Running => job.statistics.processing_tables.join(", "),
        JobStatus::Paused
        | JobStatus::CleaningUp
        | JobStatus::Cancelling
        | JobStatus::Cancelled
        | JobStatus::Failed
        | JobStatus::Completed => String::new(),
    }
}

fn averages(job: &MigrationJobStatus) -> (String, String) {
    let s = &job.statistics;
    let is_over = job.status.is_ended() || s.snapshot_completed;
    // A fraction of a second says nothing about a rate.
    let seconds = s.elapsed_ms as f64 / 1000.0;
    match is_over && seconds >= 0.1 {
        true => (
            number::rows_per_second(s.total_events_seen as f64 / seconds),
            number::bytes_per_second(s.bytes_written as f64 / seconds),
        ),
        false => (NONE.into(), NONE.into()),
    }
}

/// `40,210 (98.4 MB)`
fn documents(count: u64, bytes: u64) -> String {
    match count {
        0 => "0".into(),
        _ => format!("{} ({})", number::count(count), number::bytes(bytes as f64)),
    }
}

/// An estimate until all are read, and gone then.
fn rows_expected(job: &MigrationJobStatus) -> String {
    let s = &job.statistics;
    match s.snapshot_completed || s.total_events <= s.total_events_seen {
        true => NONE.into(),
        false => format!("about {}", number::count(s.total_events)),
    }
}

fn remaining(job: &MigrationJobStatus) -> String {
    match (job.status, job.statistics.estimated_seconds_remaining) {
        (JobStatus::Running, Some(seconds)) => time::duration(seconds.ceil()),
        _ => NONE.into(),
    }
}

fn issues(errors: u64, warnings: u64) -> String {
    match (errors, warnings) {
        (0, 0) => "None".into(),
        (errors, 0) => number::counted(errors, "error", "errors"),
        (0, warnings) => number::counted(warnings, "warning", "warnings"),
        (errors, warnings) => format!(
            "{}, {}",
            number::counted(errors, "error", "errors"),
            number::counted(warnings, "warning", "warnings")
        ),
    }
}

pub(super) fn at(time: Option<DateTime<Utc>>, text: impl FnOnce(DateTime<Utc>) -> String) -> String {
    time.map_or_else(|| NONE.into(), text)
}

/// A table's row of the progress table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableFigures {
    /// Rows that the filters let through, each once.
    pub in_scope: String,
    /// As often as they were read.
    pub rows: String,
    pub percent: f64,
    pub percent_text: String,
    pub state: TableState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableState {
    #[default]
    Waiting,
    /// The job has ended before its turn.
    NotRead,
    Reading,
    /// Begun, and not being read now: the job has stopped or is paused.
    Partly,
    Complete,
}

impl TableState {
    pub fn label(self) -> &'static str {
        match self {
            TableState::Waiting => "Waiting",
            TableState::NotRead => "Not read",
            TableState::Reading => "Reading",
            TableState::Partly => "Partly read",
            TableState::Complete => "Completed",
        }
    }
}

/// A collection's row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CollectionFigures {
    /// By the job: its snapshot, and with it what its CDC stage has rebuilt.
    pub documents: String,
    /// In the collection when it was last counted.
    pub now: String,
    pub state: TableState,
    pub label: &'static str,
    /// That there are documents which the job has not replaced.
    pub untouched: Option<String>,
}

pub fn collection_figures(job: &MigrationJobStatus, collection: &CollectionProgress) -> CollectionFigures {
    let (state, label) = match (collection.is_complete, job.status, collection.documents_written) {
        (true, _, _) => (TableState::Complete, "Completed"),
        (false, JobStatus::Running, 1..) => (TableState::Reading, "Writing"),
        (false, _, 1..) => (TableState::Partly, "Partly written"),
        (false, status, 0) if status.is_ended() => (TableState::NotRead, "Not written"),
        (false, _, 0) => (TableState::Waiting, "Waiting"),
    };
    let untouched = collection.documents_untouched.filter(|n| *n > 0).map(|n| {
        let documents = number::counted(n, "document was", "documents were");
        format!("{documents} there before and came from no row of this job")
    });
    CollectionFigures {
        documents: match (collection.documents_rebuilt, collection.documents_deleted) {
            (0, 0) => number::count(collection.documents_written),
            (rebuilt, deleted) => format!(
                "{} + {} rebuilt, {} deleted",
                number::count(collection.documents_written),
                number::count(rebuilt),
                number::count(deleted)
            ),
        },
        now: collection.documents_now.map_or_else(|| NONE.into(), number::count),
        state,
        label,
        untouched,
    }
}

pub fn table_figures(job: &MigrationJobStatus, table: &TableProgress) -> TableFigures {
    let is_reading = job.status == JobStatus::Running && job.statistics.processing_tables.contains(&table.table);
    let state = match (table.is_complete, is_reading, table.rows_read) {
        (true, _, _) => TableState::Complete,
        (false, true, _) => TableState::Reading,
        (false, false, 0) if job.status.is_ended() => TableState::NotRead,
        (false, false, 0) => TableState::Waiting,
        (false, false, _) => TableState::Partly,
    };
    let percent = match (table.is_complete, table.rows_estimated) {
        (true, _) => 100.0,
        (false, 0) => 0.0,
        // Read in several places, or more rows than estimated: it is as far as the whole job.
        (false, estimated) if table.rows_read >= estimated => job.statistics.percent.min(99.0),
        (false, estimated) => (table.rows_read as f64 / estimated as f64 * 100.0).min(99.0),
    };
    let in_scope = match table.rows_in_scope {
        Some(rows) => number::count(rows),
        None => format!("about {}", number::count(table.rows_estimated)),
    };
    TableFigures {
        in_scope,
        rows: number::count(table.rows_read),
        percent,
        percent_text: number::percent(percent),
        state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;

    fn running() -> MigrationJobStatus {
        let mut job = job(JobStatus::Running);
        let s = &mut job.statistics;
        s.started_at = Some("2026-11-03T10:00:00Z".parse().unwrap());
        s.elapsed_ms = 65_000;
        (s.total_table_count, s.remaining_table_count) = (12, 5);
        (s.total_events, s.total_events_seen) = (300_000, 120_000);
        (s.rows_per_second, s.bytes_per_second) = (45_678.4, 12_300_000.0);
        s.bytes_written = 65_000_000;
        s.percent = 40.0;
        s.estimated_seconds_remaining = Some(97.2);
        s.processing_tables = vec!["shop.orders".into(), "shop.item".into()];
        job
    }

    #[test]
    fn a_running_snapshot() {
        let figures = snapshot_figures(&running(), &Utc);
        let shown = [
            &figures.started,
            &figures.duration,
            &figures.tables,
            &figures.rows,
            &figures.rows_expected,
            &figures.average_rows,
            &figures.average_bytes,
            &figures.remaining,
            &figures.percent,
            &figures.in_work,
            &figures.issues,
        ];
        assert_eq!(
            shown.map(String::as_str),
            [
                "3 Nov 2026, 10:00:00",
                "1 min 05 s",
                "7 of 12",
                "120,000",
                "about 300,000",
                "–",
                "–",
                "1 min 38 s",
                "40 %",
                "shop.orders, shop.item",
                "None",
            ]
        );
    }

    #[test]
    fn an_ended_snapshot_shows_its_average_and_no_rest() {
        let mut job = running();
        job.status = JobStatus::Cancelled;
        let figures = snapshot_figures(&job, &Utc);
        assert_eq!(
            (&*figures.average_rows, &*figures.average_bytes),
            ("1,846 rows/s", "1.0 MB/s")
        );
        assert_eq!((&*figures.remaining, &*figures.in_work), ("–", ""));
        job.statistics.elapsed_ms = 0;
        assert_eq!(snapshot_figures(&job, &Utc).average_rows, "–");
    }

    #[test]
    fn rows_issues_and_what_is_not_known() {
        assert_eq!(documents(0, 0), "0");
        assert_eq!(documents(40_210, 98_400_000), "40,210 (98.4 MB)");
        assert_eq!(issues(1, 2), "1 error, 2 warnings");
        assert_eq!(issues(0, 1), "1 warning");
    }

    #[test]
    fn states_of_collections() {
        let check = |status, (documents_written, is_complete), label: &str| {
            let collection = CollectionProgress {
                documents_written,
                is_complete,
                ..Default::default()
            };
            let figures = collection_figures(&job(status), &collection);
            assert_eq!((figures.label, figures.untouched), (label, None));
        };
        check(JobStatus::Running, (0, false), "Waiting");
        check(JobStatus::Running, (5, false), "Writing");
        check(JobStatus::Paused, (5, false), "Partly written");
        check(JobStatus::Cancelled, (0, false), "Not written");
        check(JobStatus::Completed, (0, true), "Completed");
        let kept = CollectionProgress {
            documents_written: 1200,
            is_complete: true,
            documents_untouched: Some(1),
            ..Default::default()
        };
        let figures = collection_figures(&job(JobStatus::Completed), &kept);
        assert_eq!(figures.documents, "1,200");
        assert!(
            figures
                .untouched
                .is_some_and(|text| text.starts_with("1 document was there before"))
        );
    }

    #[test]
    fn figures_that_can_be_compared_stand_apart() {
        let mut shown = running();
        let table = |rows_in_scope| TableProgress {
            table: "shop.customer".into(),
            rows_read: 31_398,
            rows_estimated: 12_100,
            rows_in_scope,
            is_complete: true,
        };
        let collection = |documents_now| CollectionProgress {
            documents_written: 12_000,
            documents_now,
            ..Default::default()
        };
        shown.statistics.tables = vec![table(Some(12_000))];
        shown.statistics.collections = vec![collection(Some(12_001)), collection(None)];
        assert_eq!((&*in_scope(&shown), &*documents_now(&shown)), ("12,000", "–"));
        shown.statistics.collections.pop();
        assert_eq!(documents_now(&shown), "12,001");
        shown.statistics.tables.push(table(None));
        assert_eq!(in_scope(&shown), "about 24,100");
        let figures = table_figures(&shown, &table(Some(12_000)));
        assert_eq!((&*figures.in_scope, &*figures.rows), ("12,000", "31,398"));
    }

    #[test]
    fn states_of_tables() {
        let check = |job: &MigrationJobStatus, read, estimated, is_complete, state, percent: f64| {
            let table = TableProgress {
                table: "shop.orders".into(),
                rows_read: read,
                rows_estimated: estimated,
                is_complete,
                rows_in_scope: None,
            };
            let figures = table_figures(job, &table);
            assert_eq!((figures.state, figures.percent), (state, percent));
        };
        let mut job = running();
        check(&job, 50, 200, false, TableState::Reading, 25.0);
        check(&job, 300, 200, false, TableState::Reading, 40.0);
        check(&job, 0, 0, true, TableState::Complete, 100.0);
        job.status = JobStatus::Paused;
        check(&job, 50, 200, false, TableState::Partly, 25.0);
        check(&job, 0, 200, false, TableState::Waiting, 0.0);
        job.status = JobStatus::Cancelled;
        check(&job, 0, 200, false, TableState::NotRead, 0.0);
    }
}
