//! Row changes on their way from a source's log, free of any database's own format.

use crate::data::position::{LogPosition, TransactionId};
use chrono::{DateTime, Utc};

/// The value of one column in the image of a changed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageCell<'a> {
    Null,
    /// As the source prints it, which is also how the source reads it.
    Text(&'a str),
    /// A large value that the change left as it was: the log does not repeat it.
    Unchanged,
    /// The log does not have it: not a part of the replica identity, or a generated column.
    Absent,
}

/// A row before or after a change: a cell for each column of the table, in the order of the catalog.
pub type Image<'a> = [ImageCell<'a>];

/// One change of one row. An insert has no old image, a delete no new one.
#[derive(Debug, Clone, Copy)]
pub struct RowChange<'a> {
    /// Which of the plan's tables, by its place among them.
    pub table: usize,
    pub old: Option<&'a Image<'a>>,
    pub new: Option<&'a Image<'a>>,
}

/// What a change lacks to be followed row by row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a change of table number {table} does not hold the column number {column}: the replica identity is not enough"
)]
pub struct ImageTooSmall {
    pub table: usize,
    pub column: usize,
}

/// Takes a source's changes in the order of their commits. A call for a row costs little beside the row itself: it was
/// decoded just before, and is printed into keys there.
pub trait ChangeSink: Send {
    /// A transaction begins, or goes on after a batch was cut in its middle. It is committed already.
    fn begin(&mut self, transaction: TransactionId, committed_at: DateTime<Utc>);

    fn row(&mut self, change: RowChange<'_>);

    /// All rows of a table are gone, or those of one of its partitions.
    fn truncate(&mut self, table: usize);

    /// Rows of a table may be others now, and nothing tells which. `what` has happened to it, in a clause: `was rewritten`.
    fn rewritten(&mut self, table: usize, what: &'static str);

    /// Rows of a relation that is gone by now, and of which nobody knows any more to which table it belonged.
    fn unknown(&mut self);

    /// The transaction is complete; `end` is where the next one begins in the log.
    fn commit(&mut self, end: LogPosition);

    /// Everything before this position has arrived. Told between transactions alone: inside of one the position waits for
    /// its commit.
    fn reached(&mut self, position: LogPosition);

    /// Nothing more is to be handed on for now.
    fn is_full(&self) -> bool;
}
