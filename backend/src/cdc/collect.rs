//! Changes become keys. What is kept of a change is where it may lead, never what it says.

use crate::data::change::{ChangeSink, RowChange};
use crate::data::position::{LogPosition, TransactionId};
use crate::plan::routes::Route;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Keys that one batch may hold, bytes. A batch that is full is applied before more of the log is read.
pub const BATCH_BYTES_MAX: usize = 32 << 20;
/// What a key costs besides its bytes.
const KEY_BYTES: usize = 64;

/// Keys of some changes that follow each other in the log.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    /// For each route its keys, with the place of the last transaction that brought each.
    pub keys: Vec<HashMap<Box<[u8]>, u32>>,
    /// Transactions in the order of their commits. The last one may go on in the next batch.
    pub transactions: Vec<TransactionId>,
    /// Tables of which all rows are gone, or those of a partition.
    pub truncated: BTreeSet<usize>,
    /// Tables with a change that came without the old values that a route starts with, and the collection of the route:
    /// only reading all of it tells which documents it touched.
    pub images_too_small: BTreeSet<(usize, usize)>,
    /// Tables of which nothing tells the rows that are others now, with what has happened to them.
    pub rewritten: BTreeMap<usize, &'static str>,
    /// Rows changed in a relation that is gone and was a partition of nobody knows which table.
    pub has_unknown: bool,
    /// Where the log goes on after the last transaction that is complete; the beginning of all where none is.
    pub end: LogPosition,
    pub events: u64,
    /// When the first and the last transaction were committed, by the source's clock.
    pub oldest: Option<DateTime<Utc>>,
    pub newest: Option<DateTime<Utc>>,
    pub(super) bytes: usize,
}

impl Batch {
    /// One that holds nothing, for so many routes.
    pub fn empty(routes: usize) -> Self {
        Self {
            keys: vec![HashMap::new(); routes],
            ..Self::default()
        }
    }

    /// Whether there is nothing to look at, though the position may have moved.
    pub fn is_empty(&self) -> bool {
        self.events == 0 && !self.has_unknown
    }
}

/// Collects a batch.
#[derive(Debug)]
pub struct Collector {
    routes: Arc<Vec<Route>>,
    /// The routes of each table.
    by_table: Vec<Vec<usize>>,
    batch: Batch,
}

impl Collector {
    pub fn new(routes: Arc<Vec<Route>>, tables: usize) -> Self {
        let of = |table: usize| (0..routes.len()).filter(|r| routes[*r].table == table).collect();
        let by_table = (0..tables).map(of).collect();
        let mut collector = Self {
            routes,
            by_table,
            batch: Batch::default(),
        };
        collector.take(None);
        collector
    }

    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Hands out what was collected. `open` is the transaction that goes on.
    pub fn take(&mut self, open: Option<(TransactionId, DateTime<Utc>)>) -> Batch {
        let taken = std::mem::replace(&mut self.batch, Batch::empty(self.routes.len()));
        if let Some((transaction, committed_at)) = open {
            self.begin(transaction, committed_at);
        }
        taken
    }
}

impl ChangeSink for Collector {
    fn begin(&mut self, transaction: TransactionId, committed_at: DateTime<Utc>) {
        let batch = &mut self.batch;
        batch.transactions.push(transaction);
        batch.bytes += size_of::<TransactionId>();
        batch.oldest.get_or_insert(committed_at);
        batch.newest = Some(committed_at);
    }

    fn row(&mut self, change: RowChange<'_>) {
        let batch = &mut self.batch;
        let place = batch.transactions.len().saturating_sub(1) as u32;
        for route in &self.by_table[change.table] {
            let keys = &mut batch.keys[*route];
            let bytes = &mut batch.bytes;
            let complete = self.routes[*route].keys(&change, |key| match keys.get_mut(key) {
                Some(last) => *last = place,
                None => {
                    *bytes += key.len() + KEY_BYTES;
                    keys.insert(key.into(), place);
                }
            });
            if complete.is_err() {
                let collection = self.routes[*route].collection;
                batch.images_too_small.insert((change.table, collection));
            }
        }
        batch.events += 1;
    }

    fn truncate(&mut self, table: usize) {
        self.batch.truncated.insert(table);
        self.batch.events += 1;
    }

    fn rewritten(&mut self, table: usize, what: &'static str) {
        self.batch.rewritten.insert(table, what);
        self.batch.events += 1;
    }

    fn unknown(&mut self) {
        self.batch.has_unknown = true;
    }

    fn commit(&mut self, end: LogPosition) {
        self.batch.end = end;
    }

    fn reached(&mut self, position: LogPosition) {
        self.batch.end = self.batch.end.max(position);
    }

    /// The batch is to be applied before more is read.
    fn is_full(&self) -> bool {
        self.batch.bytes >= BATCH_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::change::ImageCell::{Absent, Text};
    use crate::plan::routes::{Arrival, encode_key};

    #[test]
    fn every_image_counts_however_often_a_row_moves() {
        let route = Route {
            collection: 0,
            root: 0,
            table: 0,
            path: vec![0],
            columns: vec![0],
            arrival: Arrival::Root,
        };
        let mut collector = Collector::new(Arc::new(vec![route]), 1);
        let move_row = |collector: &mut Collector, from: &str, to: &str| {
            let (old, new) = ([Text(from)], [Text(to)]);
            let change = RowChange {
                table: 0,
                old: Some(&old),
                new: Some(&new),
            };
            collector.row(change);
        };
        collector.begin(TransactionId::Number(7), Utc::now());
        move_row(&mut collector, "1", "2");
        collector.commit(LogPosition(100));
        collector.begin(TransactionId::Number(8), Utc::now());
        move_row(&mut collector, "2", "3");
        let batch = collector.take(Some((TransactionId::Number(8), Utc::now())));
        let mut keys: Vec<_> = batch.keys[0].iter().map(|(k, last)| (k.to_vec(), *last)).collect();
        keys.sort();
        let key = |text| encode_key([Some(text)]);
        assert_eq!(keys, [(key("1"), 0), (key("2"), 1), (key("3"), 1)]);
        // The position is that of the transaction that is complete; the other one goes on in the next batch.
        let both = vec![TransactionId::Number(7), TransactionId::Number(8)];
        assert_eq!(
            (batch.end, batch.transactions, batch.events),
            (LogPosition(100), both, 2)
        );
        assert_eq!(collector.batch().transactions, [TransactionId::Number(8)]);
    }

    #[test]
    fn a_change_without_the_old_value_is_not_forgotten() {
        let route = Route {
            collection: 0,
            root: 0,
            table: 0,
            path: vec![0],
            columns: vec![1],
            arrival: Arrival::Climb,
        };
        let mut collector = Collector::new(Arc::new(vec![route]), 1);
        collector.begin(TransactionId::Number(7), Utc::now());
        // The identity holds the first column alone.
        collector.row(RowChange {
            table: 0,
            old: Some(&[Text("1"), Absent]),
            new: Some(&[Text("1"), Text("b")]),
        });
        let batch = collector.take(None);
        assert_eq!(batch.images_too_small, [(0, 0)].into());
        assert!(!batch.is_empty());
    }
}
