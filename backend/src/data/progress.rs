//! What a running job has done so far: counters that writers bump and readers look at, neither waits for the other.

use super::failed::{FailedRow, FailedRowList};
use super::issue::{Issue, IssueLog};
use godwit_shared::job::EventStage;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters of one job.
#[derive(Debug, Default)]
pub struct Progress {
    pub tables: Vec<TableCount>,
    pub collections: Vec<CollectionCount>,
    pub bytes_read: AtomicU64,
    pub bytes_written: AtomicU64,
    /// What the counters began with, because an earlier go has done it.
    pub before: Before,
    issues: Mutex<IssueLog>,
    failed: Mutex<Failed>,
    /// What has changed in the source and was not told yet.
    schema_changes: Mutex<Vec<String>>,
    /// The job fails when this many errors have been counted.
    errors_max: Option<u64>,
}

/// Rows that can be tried again, and whether there are others than those that were handed out to be stored.
#[derive(Debug, Default)]
struct Failed {
    list: FailedRowList,
    is_changed: bool,
}

/// Rows of one table.
#[derive(Debug, Default)]
pub struct TableCount {
    pub name: String,
    pub rows_read: AtomicU64,
    pub rows_estimated: AtomicU64,
    /// Rows that the filters let through, each once; u64::MAX while not known.
    pub rows_in_scope: AtomicU64,
    /// Readers that are at work in it now.
    pub readers: AtomicU64,
}

/// Documents of one collection.
#[derive(Debug, Default)]
pub struct CollectionCount {
    pub name: String,
    pub documents: AtomicU64,
    /// Root rows read, whether they became documents or not.
    pub roots_read: AtomicU64,
    pub roots_estimated: AtomicU64,
    pub is_complete: AtomicBool,
    /// Documents that were there when the job started and that it did not replace; u64::MAX while not known.
    pub untouched: AtomicU64,
    /// Indexes into the job's tables.
    pub tables: Vec<usize>,
}

/// What an earlier go of the job has done: rates and the time that is left are those of this one.
#[derive(Debug, Default)]
pub struct Before {
    pub rows: AtomicU64,
    pub bytes_written: AtomicU64,
    pub roots: AtomicU64,
}

/// What some parts of a root came to, as it is remembered with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub documents: u64,
    pub roots: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
    /// Rows of the root's table and of those below it, by the table's name.
    pub rows: Vec<(String, u64)>,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.documents += other.documents;
        self.roots += other.roots;
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
        for (table, rows) in &other.rows {
            self.add_rows(table, *rows);
        }
    }

    pub fn add_rows(&mut self, table: &str, rows: u64) {
        match self.rows.iter_mut().find(|(name, _)| name == table) {
            Some((_, sum)) => *sum += rows,
            None => self.rows.push((table.to_owned(), rows)),
        }
    }
}

/// Not known yet.
pub const UNKNOWN: u64 = u64::MAX;

/// The job has as many errors as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the job was stopped after {errors} error{}: its limit of errors is {limit}", if *.errors == 1 { "" } else { "s" })]
pub struct TooManyErrors {
    pub errors: u64,
    pub limit: u64,
}

impl Progress {
    pub fn new(
        tables: Vec<TableCount>,
        collections: Vec<CollectionCount>,
        issues: IssueLog,
        errors_max: Option<u64>,
    ) -> Self {
        Self {
            tables,
            collections,
            issues: Mutex::new(issues),
            errors_max,
            ..Self::default()
        }
    }

    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    /// Takes over what an earlier go has done of a collection.
    pub fn resume(&self, collection: usize, done: &Counts) {
        let rows: u64 = done.rows.iter().map(|(_, rows)| rows).sum();
        for (counter, by) in [
            (&self.collections[collection].documents, done.documents),
            (&self.collections[collection].roots_read, done.roots),
            (&self.bytes_read, done.bytes_read),
            (&self.bytes_written, done.bytes_written),
            (&self.before.roots, done.roots),
            (&self.before.bytes_written, done.bytes_written),
            (&self.before.rows, rows),
        ] {
            Self::add(counter, by);
        }
        for (name, rows) in &done.rows {
            if let Some(table) = self.tables.iter().find(|t| t.name == *name) {
                Self::add(&table.rows_read, *rows);
            }
        }
    }

    /// Takes issues into the log.
    ///
    /// # Errors
    /// [`TooManyErrors`] as soon as the job has as many as it may have.
    pub fn report(&self, issues: impl IntoIterator<Item = Issue>, stage: EventStage) -> Result<(), TooManyErrors> {
        let mut log = self.issues.lock().unwrap_or_else(PoisonError::into_inner);
        for issue in issues {
            let failed = FailedRow::of(&issue);
            if let (true, Some(row)) = (log.add(issue, stage), failed) {
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.is_changed |= failed.list.add(row);
            }
            if let Some(limit) = self.errors_max.filter(|max| log.errors >= (*max).max(1)) {
                let errors = log.errors;
                return Err(TooManyErrors { errors, limit });
            }
        }
        Ok(())
    }

    /// Takes over the rows that have failed in an earlier go.
    pub fn restore_failed(&self, list: FailedRowList) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.list = list;
    }

    /// The rows that can be tried again.
    pub fn failed(&self) -> FailedRowList {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.list.clone()
    }

    /// The same to be stored, where there are others than last time.
    pub fn take_changed_failed(&self) -> Option<FailedRowList> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut failed.is_changed).then(|| failed.list.clone())
    }

    /// Takes rows out of the log that are tried again. Those that fail again come back.
    pub fn withdraw(&self, rows: &[FailedRow]) {
        let mut log = self.issues.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().for_each(|row| log.withdraw(row));
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.list.remove(rows);
        failed.is_changed = true;
    }

    /// Notes that the schema of the source is another one now: it is told of the job, each time.
    pub fn schema_changed(&self, what: String) {
        let mut changes = self.schema_changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push(what);
    }

    /// What has changed in the source since this was asked for last.
    pub fn take_schema_changes(&self) -> Vec<String> {
        let mut changes = self.schema_changes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *changes)
    }

    /// A copy of the log.
    pub fn log(&self) -> IssueLog {
        self.issues.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
