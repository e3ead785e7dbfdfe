//! How far a verification has come, and what it has come to.
//!
//! What a worker finds in a chunk counts as *live* until the chunk is done: then it becomes part of what the checkpoint
//! holds, so that a chunk that is read again after a crash is not counted twice.

use crate::data::issue::{Issue, IssueKind, Location};
use godwit_shared::verification::{CollectionVerification, FINDINGS_MAX, VerificationException};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most different exceptions that are kept of a run.
const EXCEPTIONS_MAX: usize = 500;

/// What some rows have come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub counts: CollectionVerification,
    pub exceptions: Vec<VerificationException>,
    pub notes: Vec<VerificationException>,
}

impl Counters {
    /// Adds what others have come to.
    pub fn merge(&mut self, more: &Counters) {
        let (own, more_counts) = (&mut self.counts, &more.counts);
        for (own, more) in [
            (&mut own.rows, more_counts.rows),
            (&mut own.expected, more_counts.expected),
            (&mut own.compared, more_counts.compared),
            (&mut own.equal, more_counts.equal),
            (&mut own.different, more_counts.different),
            (&mut own.missing, more_counts.missing),
            (&mut own.unexpected, more_counts.unexpected),
            (&mut own.skipped, more_counts.skipped),
            (&mut own.changed_since, more_counts.changed_since),
            (&mut own.sums_compared, more_counts.sums_compared),
            (&mut own.sums_different, more_counts.sums_different),
        ] {
            *own += more;
        }
        if more_counts.documents.is_some() {
            own.documents = more_counts.documents;
        }
        more.exceptions.iter().for_each(|e| add(&mut self.exceptions, e));
        more.notes.iter().for_each(|e| add(&mut self.notes, e));
    }

    /// Names what was left out.
    pub fn except(&mut self, exception: VerificationException) {
        add(&mut self.exceptions, &exception);
    }

    /// Takes what the assembler tells: a row without a document is an exception, a loss in a value a note.
    pub fn take(&mut self, issue: Issue) {
        let told = exception_of(&issue);
        match gives_no_document(issue.kind) {
            true => {
                self.counts.skipped += 1;
                add(&mut self.exceptions, &told);
            }
            false => add(&mut self.notes, &told),
        }
    }

    /// Differences of all kinds.
    fn findings(&self) -> u64 {
        let c = &self.counts;
        c.different + c.missing + c.unexpected + c.sums_different
    }
}

fn add(list: &mut Vec<VerificationException>, more: &VerificationException) {
    let same = |e: &&mut VerificationException| {
        e.code == more.code && e.place == more.place && e.field == more.field && e.reason == more.reason
    };
    if let Some(known) = list.iter_mut().find(same) {
        known.count += more.count;
    } else if list.len() < EXCEPTIONS_MAX {
        list.push(more.clone());
    } else if let Some(last) = list.last_mut() {
        last.count += more.count;
    }
}

/// Whether a row that this is told of has no document. Of an embedded row it is the element that is not there.
fn gives_no_document(kind: IssueKind) -> bool {
    matches!(
        kind,
        IssueKind::FilterFailed
            | IssueKind::FilterNotBoolean
            | IssueKind::IdInvalid
            | IssueKind::DuplicateId
            | IssueKind::DocumentTooLarge
            | IssueKind::TimeMissing
            | IssueKind::WriteRefused
    )
}

fn exception_of(issue: &Issue) -> VerificationException {
    VerificationException {
        code: issue.kind.code().into(),
        place: match &issue.location {
            Location::Table(name) | Location::Collection(name) => name.clone(),
            Location::Job => String::new(),
        },
        field: issue.field.clone(),
        reason: issue.message.clone(),
        count: 1,
        example: issue.key.iter().cloned().collect(),
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Progress {
    inner: Mutex<Inner>,
    /// Findings that are stored, and the number of the next one.
    stored: AtomicU64,
    next_number: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    /// In the order of the run's collections.
    done: Vec<Counters>,
    /// By the number of the worker: of which collection, and what.
    live: HashMap<usize, (usize, Counters)>,
}

impl Progress {
    /// For these collections, with their estimated rows.
    pub fn new(collections: impl IntoIterator<Item = (String, u64)>) -> Self {
        let done = collections.into_iter().map(|(collection, rows_estimated)| Counters {
            counts: CollectionVerification {
                collection,
                rows_estimated,
                ..CollectionVerification::default()
            },
            ..Counters::default()
        });
        Self {
            inner: Mutex::new(Inner {
                done: done.collect(),
                live: HashMap::new(),
            }),
            stored: AtomicU64::new(0),
            next_number: AtomicU64::new(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on with findings that are stored already.
    pub fn restore_findings(&self, stored: u64, last_number: u64) {
        self.stored.store(stored, Ordering::Relaxed);
        self.next_number.store(last_number + 1, Ordering::Relaxed);
    }

    /// What the checkpoint says of a collection.
    pub fn restore(&self, collection: usize, counters: Counters) {
        let mut inner = self.lock();
        let rows_estimated = inner.done[collection].counts.rows_estimated;
        inner.done[collection] = counters;
        let counts = &mut inner.done[collection].counts;
        counts.rows_estimated = counts.rows_estimated.max(rows_estimated);
    }

    /// Forgets what was found in a collection that is begun anew.
    pub fn restart(&self, collection: usize) {
        let mut inner = self.lock();
        let counts = &inner.done[collection].counts;
        let fresh = CollectionVerification {
            collection: counts.collection.clone(),
            rows_estimated: counts.rows_estimated,
            ..CollectionVerification::default()
        };
        inner.done[collection] = Counters {
            counts: fresh,
            ..Counters::default()
        };
    }

    /// Counts what a worker finds in its chunk.
    pub fn live(&self, worker: usize, collection: usize, change: impl FnOnce(&mut Counters)) {
        let mut inner = self.lock();
        let (_, counters) = inner
            .live
            .entry(worker)
            .or_insert_with(|| (collection, Counters::default()));
        change(counters);
    }

    /// A worker's chunk is done. Returns what the collection has come to by now.
    pub fn settle(&self, worker: usize, collection: usize) -> Counters {
        let mut inner = self.lock();
        if let Some((of, counters)) = inner.live.remove(&worker) {
            inner.done[of].merge(&counters);
        }
        inner.done[collection].clone()
    }

    /// Changes what is settled of a collection. Returns what it has come to by now.
    pub fn settled(&self, collection: usize, change: impl FnOnce(&mut Counters)) -> Counters {
        let mut inner = self.lock();
        change(&mut inner.done[collection]);
        inner.done[collection].clone()
    }

    /// Everything, with what workers have found so far.
    pub fn now(&self) -> Vec<Counters> {
        let inner = self.lock();
        let mut all = inner.done.clone();
        for (collection, counters) in inner.live.values() {
            all[*collection].merge(counters);
        }
        all
    }

    /// Findings of all kinds, and those that are stored.
    pub fn findings(&self) -> (u64, u64) {
        let all = self.now().iter().map(Counters::findings).sum();
        (all, self.stored.load(Ordering::Relaxed))
    }

    /// How many more findings may be stored.
    pub fn room(&self) -> u64 {
        FINDINGS_MAX.saturating_sub(self.stored.load(Ordering::Relaxed))
    }

    /// The number of the next finding.
    pub fn number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// So many findings were stored.
    pub fn stored(&self, count: u64) {
        self.stored.fetch_add(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(place: &str) -> VerificationException {
        VerificationException {
            code: "id_invalid".into(),
            place: place.into(),
            field: None,
            reason: "null".into(),
            count: 1,
            example: Default::default(),
        }
    }

    #[test]
    fn a_chunk_counts_once_when_it_is_done_and_is_seen_before() {
        let progress = Progress::new([("a".to_owned(), 10), ("b".to_owned(), 0)]);
        progress.live(0, 0, |c| c.counts.equal += 3);
        progress.live(1, 0, |c| c.counts.missing += 1);
        assert_eq!(progress.now()[0].counts.equal, 3);
        assert_eq!(progress.findings().0, 1);
        let done = progress.settle(0, 0);
        assert_eq!((done.counts.equal, done.counts.missing), (3, 0));
        assert_eq!(progress.now()[0].counts.missing, 1);
        progress.restart(0);
        assert_eq!(progress.now()[0].counts.equal, 0);
        assert_eq!(progress.now()[0].counts.rows_estimated, 10);
    }

    #[test]
    fn equal_exceptions_are_one_with_a_count() {
        let mut counters = Counters::default();
        for _ in 0..3 {
            counters.except(exception("a"));
        }
        counters.except(exception("b"));
        let counts: Vec<u64> = counters.exceptions.iter().map(|e| e.count).collect();
        assert_eq!(counts, [3, 1]);
        for n in 0..2_000 {
            counters.except(exception(&n.to_string()));
        }
        assert_eq!(counters.exceptions.len(), EXCEPTIONS_MAX);
        assert_eq!(counters.exceptions.iter().map(|e| e.count).sum::<u64>(), 2_004);
    }
}
