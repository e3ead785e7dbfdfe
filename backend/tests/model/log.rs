//! The log of the source: what it says of a change, and the mistakes that one can make in reading it.

use crate::case::Case;
use crate::documents::PRINTED;
use crate::history::{Cell, Change, Row, Transaction};
use crate::random::Random;
use chrono::DateTime;
use godwit::cdc::collect::Collector;
use godwit::data::change::{ChangeSink, ImageCell, RowChange};
use godwit::data::position::{LogPosition, TransactionId};
use godwit::plan::images::TableImages;
use std::collections::{BTreeSet, HashMap};

/// What the log tells of the row before a change.
/// <https://www.postgresql.org/docs/15/sql-altertable.html#SQL-ALTERTABLE-REPLICA-IDENTITY>
pub enum Identity {
    Full,
    /// These columns, and only when one of them has changed or the row is gone.
    Columns(BTreeSet<usize>),
}

/// Mistakes that look right for a long time. They are made here, in the model, to see that the test finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Old rows are not looked at; of a deleted one only its primary key is known.
    NewImagesOnly,
    /// All changes of a row inside a batch become one.
    FoldedRows,
    /// The point in time need not contain the last transaction of the batch.
    EarlyPoint,
    /// The journal says of one transaction too many that it was read.
    OptimisticJournal,
}

/// One step of the log.
#[derive(Clone)]
pub enum Step {
    Begin,
    Change(Change),
    Commit,
}

#[derive(Clone)]
pub struct Event {
    /// Which of the committed transactions.
    pub transaction: usize,
    /// As the log has it: 32 bits.
    pub number: TransactionId,
    pub step: Step,
}

impl Identity {
    /// Enough for the plan, and often more.
    pub fn random(random: &mut Random, needed: &TableImages) -> Self {
        if needed.needs_full || random.percent(30) {
            return Identity::Full;
        }
        let columns = needed.table.columns.len();
        let count = random.pick(&[0, 0, 1]);
        let more = random.distinct(count, columns);
        Identity::Columns(needed.columns.iter().copied().chain(more).collect())
    }
}

impl Case {
    /// The log from a position on: that many transactions are done with.
    pub fn log_from(&self, position: u64) -> Vec<Event> {
        let committed = self.history.committed().enumerate().skip(position as usize);
        committed.flat_map(|(number, t)| self.events_of(number, t)).collect()
    }

    fn events_of(&self, transaction: usize, t: &Transaction) -> Vec<Event> {
        let changes = t.changes.iter().filter(|change| {
            let (Change::Row { table, .. } | Change::Truncate { table }) = change;
            self.number_in_plan(*table).is_some()
        });
        let steps = [Step::Begin]
            .into_iter()
            .chain(changes.cloned().map(Step::Change))
            .chain([Step::Commit]);
        let event = |step| Event {
            transaction,
            number: TransactionId::Number(t.number as u32),
            step,
        };
        steps.map(event).collect()
    }

    fn number_in_plan(&self, table: usize) -> Option<usize> {
        self.tables.iter().position(|(t, _)| *t == table)
    }

    /// Hands the events of a batch to the product.
    pub fn feed(&self, collector: &mut Collector, mut events: Vec<Event>, mistake: Option<Mistake>) {
        if mistake == Some(Mistake::FoldedRows) {
            events = folded(events);
        }
        for event in events {
            match event.step {
                Step::Begin => collector.begin(event.number, DateTime::UNIX_EPOCH),
                Step::Change(Change::Row { table, old, new }) => {
                    let number = self
                        .number_in_plan(table)
                        .expect("only tables of the plan are published");
                    let (old, new) = if mistake == Some(Mistake::NewImagesOnly) {
                        self.new_images(table, old.as_ref(), new.as_ref())
                    } else {
                        self.images(number, old.as_ref(), new.as_ref())
                    };
                    let change = RowChange {
                        table: number,
                        old: old.as_deref(),
                        new: new.as_deref(),
                    };
                    collector.row(change);
                }
                Step::Change(Change::Truncate { table }) => {
                    collector.truncate(self.number_in_plan(table).expect("a table of the plan"));
                }
                Step::Commit => collector.commit(LogPosition(event.transaction as u64 + 1)),
            }
        }
    }

    /// The old and the new image of a row, of a table with this number in the plan.
    fn images(&self, number: usize, old: Option<&Row>, new: Option<&Row>) -> (Option<Image>, Option<Image>) {
        let (table, identity) = &self.tables[number];
        let table = &self.schema.tables[*table];
        let is_left_out = |c: usize, row: &Row| {
            let is_same = old.is_some_and(|old| old.cells[c] == row.cells[c]);
            table.columns[c].is_large && is_same && row.cells[c].is_some()
        };
        let new_image = new.map(|row| {
            let cell = |c: usize| {
                if is_left_out(c, row) {
                    ImageCell::Unchanged
                } else {
                    printed(row.cells[c])
                }
            };
            (0..row.cells.len()).map(cell).collect()
        });
        let old_image = old.and_then(|old| match identity {
            Identity::Full => Some(old.cells.iter().map(|cell| printed(*cell)).collect()),
            Identity::Columns(columns) => {
                let is_told = new.is_none_or(|new| {
                    let mut told = columns
                        .iter()
                        .map(|c| old.cells[*c] != new.cells[*c] || is_left_out(*c, new));
                    told.any(|told| told)
                });
                is_told.then(|| only(old, |c| columns.contains(&c), ImageCell::Absent))
            }
        });
        (old_image, new_image)
    }

    /// The new row alone; of a row that is gone its primary key.
    fn new_images(&self, table: usize, old: Option<&Row>, new: Option<&Row>) -> (Option<Image>, Option<Image>) {
        let key = &self.schema.tables[table].primary_key;
        let is_key = |c: usize| key.is_empty() || key.contains(&c);
        match (old, new) {
            (Some(old), None) => (Some(only(old, is_key, ImageCell::Null)), None),
            (_, new) => (None, new.map(|row| only(row, |_| true, ImageCell::Null))),
        }
    }
}

type Image = Vec<ImageCell<'static>>;

fn printed(cell: Cell) -> ImageCell<'static> {
    cell.map_or(ImageCell::Null, |value| ImageCell::Text(PRINTED[value as usize]))
}

fn only(row: &Row, is_wanted: impl Fn(usize) -> bool, other: ImageCell<'static>) -> Image {
    let cells = row.cells.iter().enumerate();
    cells
        .map(|(c, cell)| if is_wanted(c) { printed(*cell) } else { other })
        .collect()
}

/// Makes all changes of a row one, at the place of the last.
fn folded(events: Vec<Event>) -> Vec<Event> {
    let id = |event: &Event| match &event.step {
        Step::Change(Change::Row { old, new, .. }) => old.as_ref().or(new.as_ref()).map(|row| row.id),
        Step::Change(Change::Truncate { .. }) | Step::Begin | Step::Commit => None,
    };
    let mut last = HashMap::new();
    let mut first_old: HashMap<u32, Option<Row>> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        if let (Some(id), Step::Change(Change::Row { old, .. })) = (id(event), &event.step) {
            last.insert(id, place);
            first_old.entry(id).or_insert_with(|| old.clone());
        }
    }
    let mut kept = Vec::new();
    for (place, mut event) in events.into_iter().enumerate() {
        if let Some(id) = id(&event) {
            if last[&id] != place {
                continue;
            }
            if let Step::Change(Change::Row { old, new, .. }) = &mut event.step {
                *old = first_old[&id].clone();
                if old.is_none() && new.is_none() {
                    continue;
                }
            }
        }
        kept.push(event);
    }
    kept
}
