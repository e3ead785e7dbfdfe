//! What the rooms above ask of a source. One call reads a batch of rows or starts a stream of them, never a single row, so
//! that calls through these traits cost nothing that could be measured.

use super::SourceError;
use super::read::{ChildKeys, KeyRange, RootRows};
use crate::data::catalog::CatalogTable;
use crate::data::row::RowSet;
use crate::plan::{Node, RowFilter};
use async_trait::async_trait;

/// One point in time of a source. As long as it is held, readers can be opened on it, and all of them see the same.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// Opens one more connection on the point in time, or takes one that was given back.
    ///
    /// # Errors
    /// When the source cannot be reached, has no connection left, or the point in time is gone.
    async fn reader(&self) -> Result<Box<dyn Reader>, SourceError>;

    /// Keys that cut a table into parts of about equal size, of so many bytes each; empty when one part is enough.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    async fn split_keys(
        &self,
        table: &CatalogTable,
        chunk_bytes: u64,
        chunks_max: u64,
    ) -> Result<Vec<Vec<String>>, SourceError>;

    /// Counts the rows of a table, all or those that a filter lets through.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError>;
}

/// A connection inside a point in time. It does one thing after the other.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Streams root rows of a range, in the order of their keys where that is asked for.
    ///
    /// # Errors
    /// When the source refuses the read.
    async fn stream_roots(
        &self,
        node: &Node,
        range: &KeyRange,
        is_ordered: bool,
        limit: Option<u32>,
    ) -> Result<Box<dyn Rows>, SourceError>;

    /// Reads the rows of a child node for many keys at once. Returns them with the number of the key of each, the rows of
    /// a key side by side and in the order of the node; `None` when they have more than `bytes_max`.
    ///
    /// After a `None` or an error the reader is to be thrown away.
    ///
    /// # Errors
    /// When the source refuses the read or is gone in the middle of it.
    async fn read_children(
        &self,
        node: &Node,
        keys: &ChildKeys<'_>,
        limit: Option<u32>,
        bytes_max: usize,
    ) -> Result<Option<(RowSet, Vec<u32>)>, SourceError>;

    /// Reads root rows by their keys: see [`RootRows`].
    ///
    /// # Errors
    /// When the source refuses the read or is gone in the middle of it.
    async fn read_roots(&self, node: &Node, keys: &[Vec<Option<&str>>]) -> Result<RootRows, SourceError>;

    /// Streams the keys of the root rows above rows of a node that have given values in the columns of its join; each
    /// root once. A key may be that of a row that no filter lets through.
    ///
    /// # Errors
    /// When the source refuses the read.
    async fn stream_roots_above(
        &self,
        path: &[&Node],
        keys: &[Vec<Option<&str>>],
    ) -> Result<Box<dyn Rows>, SourceError>;

    /// Streams the values of some columns of a table or of one of its partitions, printed, each combination once.
    ///
    /// # Errors
    /// When the source refuses the read.
    async fn stream_values(
        &self,
        table: &CatalogTable,
        leaf: Option<&str>,
        columns: &[usize],
    ) -> Result<Box<dyn Rows>, SourceError>;

    /// Streams all rows of the last node of a path below the roots of a range, in the order of the roots. In front of
    /// each row stand the primary key of its root and the columns of its join.
    ///
    /// # Errors
    /// When the source refuses the read.
    async fn stream_below(&self, path: &[&Node], range: &KeyRange) -> Result<Box<dyn Rows>, SourceError>;

    /// Ends what the connection is doing now.
    async fn cancel(&self);

    /// Gives the connection back to its point in time; it has read all that it was asked for.
    fn give_back(self: Box<Self>);
}

/// Rows as they arrive.
#[async_trait]
pub trait Rows: Send + Sync {
    /// Takes rows until there are so many or they have so many bytes. `None` when there are no more.
    ///
    /// # Errors
    /// When the source is gone before the end of the rows.
    async fn next_rows(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<RowSet>, SourceError>;
}
