//! What the rooms above ask of a source. One call reads a batch of rows or starts a stream of them, never a single row, so
//! that calls through these traits cost nothing that could be measured.

use super::SourceError;
use super::change_log::{ChangeLog, Preparation};
use super::read::{ChildKeys, KeyRange, RootRows};
use super::sums::Sums;
use crate::analysis::facts::SourceFacts;
use crate::data::catalog::{Catalog, CatalogTable};
use crate::data::row::RowSet;
use crate::plan::{Condition, Join, Node, Plan, RowFilter};
use async_trait::async_trait;
use godwit_shared::connection::{ConnectivityResult, SourceKind};
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::{CheckStatus, PreflightCheck};
use godwit_shared::proposal::Facts;
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// A database that can be read: a place to connect to. Nothing is open yet.
#[async_trait]
pub trait Source: Send + Sync {
    /// Which database it is.
    fn kind(&self) -> SourceKind;

    /// The user that it is read as; empty where there are none.
    fn user(&self) -> &str;

    /// Whether something that speaks this database's language answers there, found out without signing on.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when nothing does in time, [`SourceError::OtherServer`] when something else does.
    async fn answers(&self, patience: Duration) -> Result<(), SourceError>;

    /// Tries a connection and tells what it found.
    ///
    /// # Errors
    /// Why no connection can be had.
    async fn test(&self) -> Result<ConnectivityResult, SourceError>;

    /// Opens a connection for questions about the source.
    ///
    /// # Errors
    /// Why no connection can be had.
    async fn session(&self) -> Result<Box<dyn Session>, SourceError>;

    /// Fixes a point in time. The definitions of the tables stay as they are while it is held, where the source can
    /// grant that. `readers` is how many will be open at the same time: some sources cannot add one later.
    ///
    /// # Errors
    /// When the source cannot be reached, or somebody changes a table just now.
    async fn begin_snapshot(
        &self,
        tables: &[Arc<CatalogTable>],
        readers: usize,
    ) -> Result<Arc<dyn Snapshot>, SourceError>;

    /// Its change log; nothing where it has none that can be followed.
    fn change_log(&self) -> Option<Arc<dyn ChangeLog>> {
        None
    }

    /// Where the change log ends now, as the source writes positions; nothing where there is none.
    ///
    /// # Errors
    /// When the source cannot be reached, or refuses to answer.
    async fn log_end(&self) -> Result<Option<String>, SourceError> {
        let Some(log) = self.change_log() else { return Ok(None) };
        let end = log.control().await?.log_end().await?;
        Ok(Some(log.show(end)))
    }

    /// Whether a position of the change log lies at another one or behind it, both as the source writes them.
    fn has_reached(&self, position: &str, end: &str) -> bool {
        let Some(log) = self.change_log() else { return false };
        matches!((log.parse(position), log.parse(end)), (Some(position), Some(end)) if position >= end)
    }
}

/// An open connection for questions about a source. It does one thing after the other.
#[async_trait]
pub trait Session: Send + Sync {
    /// Whether the server is of a version that can be read at all: older ones do not even understand the questions.
    ///
    /// # Errors
    /// When the server does not answer.
    async fn check_version(&self) -> Result<PreflightCheck, SourceError>;

    /// Reads all tables that the user can see.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    async fn read_catalog(&self) -> Result<Catalog, SourceError>;

    /// Judges a table filter. What it comes to, or why it is refused: a clause that begins with "it", or the server's own
    /// words.
    ///
    /// # Errors
    /// When the connection is lost or the source refuses to answer.
    async fn judge_filter(&self, table: &CatalogTable, text: &str) -> Result<Result<Condition, String>, SourceError>;

    /// Checks the source for a mode of migration, and makes the filters of the plan usable.
    ///
    /// # Errors
    /// When the checks themselves cannot run; what they find is no error.
    async fn preflight(&self, plan: &mut Plan, mode: MigrationMode, project: &str) -> Result<Findings, SourceError>;

    /// Counts the rows of a table, all or those that a filter lets through.
    ///
    /// # Errors
    /// When the source refuses, or does not answer in time.
    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError>;

    /// Counts the rows of a table that find one by a join.
    ///
    /// # Errors
    /// When the source refuses, or does not answer in time.
    async fn match_key(&self, parent: &CatalogTable, own: &CatalogTable, join: &Join) -> Result<Matched, SourceError>;

    /// The primary keys of rows with a value that holds the text, in capital or small letters; in the order of the key.
    ///
    /// # Errors
    /// When the source refuses, or does not answer in time.
    async fn search(&self, table: &CatalogTable, text: &str, limit: usize) -> Result<Vec<Vec<String>>, SourceError>;

    /// Whether texts are values of the primary key's columns.
    ///
    /// # Errors
    /// When the connection is lost.
    async fn are_values(&self, table: &CatalogTable, values: &[String]) -> Result<bool, SourceError>;

    /// What the source knows of its rows without reading them. What the user may not see, or was never collected, is
    /// missing.
    ///
    /// # Errors
    /// When the connection is lost.
    async fn read_facts(&self, catalog: &Catalog, model: &RelationalModel) -> Result<Facts, SourceError>;

    /// Counts rows and children for each parent, in place of the statistics.
    ///
    /// # Errors
    /// When the source refuses, or does not answer in time.
    async fn count_exactly(
        &self,
        catalog: &Catalog,
        model: &RelationalModel,
        facts: &mut Facts,
    ) -> Result<(), SourceError>;

    /// The values that most rows of a table have in a column, printed, the most frequent first; as far as statistics tell.
    ///
    /// # Errors
    /// When the connection is lost.
    async fn most_common(&self, _table: &CatalogTable, _column: usize) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    /// What the source says of itself beyond its catalog: how its tables are used, what their types mean, its views,
    /// routines and triggers. Of the values of some tables a bounded part is looked at.
    ///
    /// # Errors
    /// When the connection is lost; what the source refuses to say is a gap of the facts.
    async fn analyse(&self, catalog: &Catalog, tables: &HashSet<TableName>) -> Result<SourceFacts, SourceError>;
}

/// What a look at a source for a mode of migration gives.
#[derive(Debug, Clone)]
pub struct Findings {
    pub checks: Vec<PreflightCheck>,
    /// What a continuous job has to do at the source first; nothing for a snapshot, and where it cannot be done.
    pub continuous: Option<Preparation>,
}

impl Findings {
    /// The checks that keep a job from starting; `prepares` is the user's consent to let the job prepare the source.
    pub fn failed(&self, prepares: bool) -> Vec<PreflightCheck> {
        self.checks
            .iter()
            .filter(|c| c.status == CheckStatus::Failed && !(prepares && c.can_be_prepared))
            .cloned()
            .collect()
    }
}

/// How rows match a key.
#[derive(Debug)]
pub struct Matched {
    pub rows: u64,
    /// Rows with a NULL in the key: they refer to nothing.
    pub nulls: u64,
    pub matching: u64,
    /// The most rows that refer to one.
    pub most_for_one: u64,
    pub is_target_unique: bool,
    /// Keys that find no row.
    pub examples: Vec<Vec<String>>,
}

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

    /// What a user should know of how it was fixed, each a sentence.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
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

    /// Sums of columns of the last node of a path over all of its rows below the rows of the root, computed by the source;
    /// `None` where it cannot. See [`Sums`].
    ///
    /// # Errors
    /// When the source refuses the read.
    async fn sums(&self, _path: &[&Node], _columns: &[usize]) -> Result<Option<Sums>, SourceError> {
        Ok(None)
    }

    /// The statement that reads the last node of a path, for people: all rows of a root, or those of a child; where they
    /// are read by keys, it names none.
    fn statement(&self, path: &[&Node]) -> String;

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
