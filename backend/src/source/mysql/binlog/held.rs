//! Changes of transactions that are prepared and not yet committed (XA): the log has the rows with the preparation, and
//! later, without any, what became of it.

use crate::data::change::{ChangeSink, ImageCell, RowChange};
use crate::data::position::{LogPosition, TransactionId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes of changes that wait for their end; of what is beyond, only the tables are remembered.
const BYTES_MAX: usize = 16 << 20;
/// Transactions that may wait. Of one that is not remembered nothing is known.
const TRANSACTIONS_MAX: usize = 10_000;

#[derive(Debug, Clone)]
enum Cell {
    Null,
    Text(Box<str>),
    Unchanged,
    Absent,
}

#[derive(Debug, Clone)]
struct Held {
    table: usize,
    old: Option<Vec<Cell>>,
    new: Option<Vec<Cell>>,
}

/// The changes of one transaction.
#[derive(Debug, Default)]
pub struct Changes {
    changes: Vec<Held>,
    truncated: BTreeSet<usize>,
    /// Tables of which some changes were not kept.
    incomplete: BTreeSet<usize>,
    rewritten: BTreeMap<usize, &'static str>,
    bytes: usize,
    /// What others have left of the memory.
    bytes_max: usize,
}

/// Transactions that wait for their end, by the name that they have in the log.
#[derive(Debug, Default)]
pub struct Prepared {
    waiting: HashMap<String, Changes>,
    bytes: usize,
}

fn kept(image: &[ImageCell<'_>]) -> Vec<Cell> {
    let cell = |cell: &ImageCell<'_>| match cell {
        ImageCell::Null => Cell::Null,
        ImageCell::Text(text) => Cell::Text((*text).into()),
        ImageCell::Unchanged => Cell::Unchanged,
        ImageCell::Absent => Cell::Absent,
    };
    image.iter().map(cell).collect()
}

fn image(cells: &[Cell]) -> Vec<ImageCell<'_>> {
    let cell = |cell: &'_ Cell| match cell {
        Cell::Null => ImageCell::Null,
        Cell::Text(_) | Cell::Unchanged => ImageCell::Unchanged,
        Cell::Absent => ImageCell::Absent,
    };
    let mut image: Vec<ImageCell<'_>> = cells.iter().map(cell).collect();
    for (place, cell) in cells.iter().enumerate() {
        if let Cell::Text(text) = cell {
            image[place] = ImageCell::Text(text);
        }
    }
    image
}

impl Changes {
    /// Hands everything on.
    pub fn release(self, sink: &mut dyn ChangeSink, columns_of: impl Fn(usize) -> usize) {
        for held in &self.changes {
            let (old, new) = (held.old.as_deref().map(image), held.new.as_deref().map(image));
            sink.row(RowChange {
                table: held.table,
                old: old.as_deref(),
                new: new.as_deref(),
            });
        }
        for table in self.incomplete {
            let nothing = vec![ImageCell::Absent; columns_of(table)];
            sink.row(RowChange {
                table,
                old: Some(&nothing),
                new: None,
            });
        }
        self.truncated.into_iter().for_each(|table| sink.truncate(table));
        self.rewritten
            .into_iter()
            .for_each(|(table, what)| sink.rewritten(table, what));
    }
}

impl ChangeSink for Changes {
    fn begin(&mut self, _transaction: TransactionId, _committed_at: DateTime<Utc>) {}

    fn row(&mut self, change: RowChange<'_>) {
        let size = |image: &[ImageCell<'_>]| {
            let texts = image.iter().map(|cell| match cell {
                ImageCell::Text(text) => text.len(),
                _ => 0,
            });
            image.len() * std::mem::size_of::<Cell>() + texts.sum::<usize>()
        };
        let bytes = change.old.map_or(0, size) + change.new.map_or(0, size) + std::mem::size_of::<Held>();
        if self.bytes + bytes > self.bytes_max {
            self.incomplete.insert(change.table);
            return;
        }
        self.bytes += bytes;
        self.changes.push(Held {
            table: change.table,
            old: change.old.map(kept),
            new: change.new.map(kept),
        });
    }

    fn truncate(&mut self, table: usize) {
        self.truncated.insert(table);
    }

    fn rewritten(&mut self, table: usize, what: &'static str) {
        self.rewritten.insert(table, what);
    }

    /// Tables have no parts of their own here.
    fn unknown(&mut self) {}

    fn commit(&mut self, _end: LogPosition) {}

    fn reached(&mut self, _position: LogPosition) {}

    fn is_full(&self) -> bool {
        false
    }
}

impl Prepared {
    /// For the changes of one more.
    pub fn changes(&self) -> Changes {
        Changes {
            bytes_max: BYTES_MAX.saturating_sub(self.bytes),
            ..Changes::default()
        }
    }

    pub fn keep(&mut self, name: String, changes: Changes) {
        if self.waiting.len() >= TRANSACTIONS_MAX {
            self.waiting.clear();
            self.bytes = 0;
        }
        self.bytes += changes.bytes;
        if let Some(before) = self.waiting.insert(name, changes) {
            self.bytes -= before.bytes;
        }
    }

    /// What a transaction has changed; `None` where that is not known.
    pub fn take(&mut self, name: &str) -> Option<Changes> {
        let changes = self.waiting.remove(name)?;
        self.bytes -= changes.bytes;
        Some(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::cascade::testing::Notes;
    use super::*;
    use ImageCell::{Absent, Null, Text, Unchanged};

    #[test]
    fn changes_come_out_as_they_came_in() {
        let mut prepared = Prepared::default();
        let mut changes = prepared.changes();
        changes.row(RowChange {
            table: 1,
            old: Some(&[Text("a"), Absent]),
            new: Some(&[Unchanged, Null]),
        });
        changes.truncate(2);
        prepared.keep("x".into(), changes);
        let mut notes = Notes::default();
        prepared.take("x").expect("it waits").release(&mut notes, |_| 2);
        assert_eq!(notes.0, ["1: a,? > =,null", "all of 2"]);
        assert!(prepared.take("x").is_none());
        assert_eq!(prepared.bytes, 0);
    }

    #[test]
    fn what_is_too_much_is_remembered_by_its_table() {
        let prepared = Prepared::default();
        let mut changes = prepared.changes();
        let long = "x".repeat(BYTES_MAX / 2);
        for _ in 0..3 {
            changes.row(RowChange {
                table: 1,
                old: None,
                new: Some(&[Text(&long)]),
            });
        }
        let mut notes = Notes::default();
        assert_eq!(changes.changes.len(), 1);
        changes.release(&mut notes, |_| 2);
        assert_eq!(notes.0[1..], ["1: ?,? > -"]);
    }
}
