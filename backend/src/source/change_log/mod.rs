//! What the rooms above ask of a source whose changes can be followed. As in [`api`](super::api), no call is for a single
//! row; those of a [`ChangeSink`] are, and decode nothing.
//!
//! ```text
//! Source::change_log ─▶ ChangeLog ─ begin ─▶ what the job needs in the source, and the snapshot that fits it
//!                         │  ▲     └ end ──▶ what could not be taken away
//!                         │  └ LogState: what was made there, stored before it is made
//!                         ├ open ───▶ ChangeStream ─▶ ChangeSink: changes in the order of their commits
//!                         ├ control ▶ Control: questions beside the stream
//!                         └ points ─▶ PointSource ─▶ ChangePoint: a snapshot that knows which transactions it contains
//! ```
//!
//! | to | look into |
//! |---|---|
//! | know what a checkpoint holds of a source, and what a job leaves there | [`state`] |
//! | know which changes of the schema there are | [`schema`] |
//! | know whether a point in time contains a transaction | [`contained`] |
//! | know what keeps a job from going on | [`error`] |

pub mod contained;
pub mod error;
pub mod schema;
pub mod state;

pub use contained::Contained;
pub use error::LogError;
pub use schema::{Leaf, SchemaChange, SchemaState, Watched};
pub use state::{Followed, Leftover, LogState, Preparation, ServerIdentity, Shared};

use super::SourceError;
use super::api::{Session, Snapshot};
use crate::data::catalog::CatalogTable;
use crate::data::change::ChangeSink;
use crate::data::position::{LogPosition, TransactionId};
use crate::plan::Plan;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::error::Error;
use std::sync::Arc;

/// Why something could not be stored.
pub type NotKept = Box<dyn Error + Send + Sync>;

/// Stores what a job has made or is about to make in the source. It is called before the source is changed.
#[async_trait]
pub trait KeepLog: Send + Sync {
    /// Returns when it is stored.
    ///
    /// # Errors
    /// When it is not: nothing may be changed in the source then.
    async fn keep(&self, log: &LogState) -> Result<(), NotKept>;
}

/// A source whose changes can be followed. Nothing is open yet.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// A position as the source writes it.
    fn show(&self, position: LogPosition) -> String;

    /// Reads what [`ChangeLog::show`] writes.
    fn parse(&self, text: &str) -> Option<LogPosition>;

    /// Bytes of the log between two positions, as far as they are known.
    fn bytes_between(&self, from: LogPosition, to: LogPosition) -> u64 {
        to.0.saturating_sub(from.0)
    }

    /// What a job will make in the source, before it makes anything. Names follow from project and job, so that what a
    /// crash leaves is found again.
    fn new_state(&self, project: &str, job: &str) -> LogState;

    /// Makes what a job needs in the source, in an order in which nothing that is committed after the snapshot is missing
    /// in the stream. What an earlier try has left is taken away first.
    ///
    /// # Errors
    /// When the source refuses, or what is about to be made cannot be stored.
    async fn begin(&self, log: &mut LogState, needed: &Needed<'_>, keeper: &dyn KeepLog)
    -> Result<Beginning, LogError>;

    /// Opens a connection for questions beside a stream.
    ///
    /// # Errors
    /// When the source cannot be reached.
    async fn control(&self) -> Result<Box<dyn Control>, SourceError>;

    /// Finds out whether changes can be read on from where a job stands, and opens a connection for it. Nothing is sent
    /// until [`ChangeStream::start`].
    ///
    /// # Errors
    /// [`LogError::Resync`] where the log does not reach back to it, or belongs to another server or another history.
    async fn open(&self, watched: &Watched, server: &ServerIdentity, position: LogPosition)
    -> Result<Opened, LogError>;

    /// Points in time for batches.
    fn points(&self) -> Box<dyn PointSource>;

    /// Takes away what a job made in the source and sets back what it changed there. May be repeated. Returns what is
    /// still there; what other jobs share stays for them.
    async fn end(&self, log: &LogState, shared: &[Shared]) -> Vec<Leftover>;

    /// Makes again what other jobs share and [`ChangeLog::end`] has just set back: they have begun to read it meanwhile.
    ///
    /// # Errors
    /// When the source refuses.
    async fn keep_shared(&self, log: &LogState, shared: &[Shared]) -> Result<(), SourceError>;
}

/// What a job needs of a source that it begins to follow.
pub struct Needed<'a> {
    pub plan: &'a Plan,
    /// What the checks have found to be done.
    pub preparation: &'a Preparation,
    /// The user lets the job change tables of the source, so that the log holds what is needed of old rows.
    pub prepares_source: bool,
    /// How many readers of the snapshot will be open at the same time.
    pub readers: usize,
}

/// Where following begins.
pub struct Beginning {
    pub server: ServerIdentity,
    /// The stream begins here.
    pub position: LogPosition,
    /// The schema in the snapshot.
    pub schema: SchemaState,
    /// The point in time that fits the position.
    pub snapshot: Arc<dyn Snapshot>,
}

/// What a stream is read through.
pub struct Opened {
    pub stream: Box<dyn ChangeStream>,
    pub control: Box<dyn Control>,
    /// As it is now.
    pub schema: SchemaState,
}

/// The changes of a source as they come.
#[async_trait]
pub trait ChangeStream: Send {
    /// Has the source send everything from a position on.
    ///
    /// # Errors
    /// When the source refuses.
    async fn start(&mut self, from: LogPosition) -> Result<(), SourceError>;

    /// Waits until something has arrived. May be dropped and called again without loss.
    ///
    /// # Errors
    /// When the connection ends.
    async fn ready(&mut self) -> Result<(), SourceError>;

    /// Takes what has arrived into a sink: a bounded part of it, and no more once the sink is full. It waits for nothing
    /// that has not arrived, and must not be dropped before its end.
    ///
    /// # Errors
    /// When the stream breaks, or holds what cannot be read.
    async fn read(&mut self, sink: &mut dyn ChangeSink) -> Result<Arrived, SourceError>;

    /// Tells the source what is durable, and that somebody reads. With `asks` it has to answer with how far it has sent:
    /// a sign of life, and an end of what there is.
    ///
    /// # Errors
    /// When the connection ends.
    async fn confirm(&mut self, durable: LogPosition, asks: bool) -> Result<(), SourceError>;

    /// The transaction whose changes are arriving, and when it was committed.
    fn open_transaction(&self) -> Option<(TransactionId, DateTime<Utc>)>;
}

/// What one look into a stream has brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrived {
    /// The source has sent everything before it, whatever is in it.
    pub sent: Option<LogPosition>,
    /// Changes, or a position that is further.
    pub is_further: bool,
}

/// What is looked at while changes are followed.
#[derive(Debug, Clone)]
pub struct SourceClock {
    pub now: DateTime<Utc>,
    /// The end of the log on disk.
    pub log_end: LogPosition,
    /// Bytes of the log that the source keeps for the job.
    pub retained_bytes: u64,
    /// Bytes that may be written until the source may lose what the job needs.
    pub remaining_bytes: Option<u64>,
    /// For how many seconds the source keeps what it has written, whoever reads it; `None` where that is no matter of time.
    pub kept_seconds: Option<f64>,
}

/// A connection beside a stream. It does one thing after the other.
#[async_trait]
pub trait Control: Send + Sync {
    /// The same connection for other questions about the source.
    fn session(&self) -> &dyn Session;

    /// The end of everything that was written to the log until now, so that the stream is sure to get there.
    ///
    /// # Errors
    /// When the source does not answer.
    async fn log_end(&self) -> Result<LogPosition, SourceError>;

    /// Clock and log of the source as they are now, and what lies behind the job's position.
    ///
    /// # Errors
    /// When the source does not answer.
    async fn clock(&self, log: &LogState, position: LogPosition) -> Result<SourceClock, SourceError>;

    /// The schema as it is now.
    ///
    /// # Errors
    /// When the source does not answer, or somebody changes a table just now.
    async fn read_schema(&self, watched: &Watched) -> Result<SchemaState, SourceError>;

    /// Transactions with changes of these tables that are neither committed nor rolled back: who they are, in words.
    ///
    /// # Errors
    /// When the source does not answer.
    async fn open_writers(&self, tables: &[Arc<CatalogTable>]) -> Result<Vec<String>, SourceError>;

    /// Makes sure that the log holds every change from here on, and mends what the job itself has made for it. Returns the
    /// schema for which that is so.
    ///
    /// # Errors
    /// [`LogError::Resync`] where the log cannot be read any more; [`SourceError::NotPublished`] where somebody has to act.
    async fn prove_logged(&self, watched: &Watched) -> Result<SchemaState, LogError>;

    /// Makes sure that changes come with the old values that the plan needs. What is changed for it is kept first.
    ///
    /// # Errors
    /// [`LogError::Blocked`] where the user has to do it.
    async fn prepare_old_images(
        &self,
        log: &mut LogState,
        plan: &Plan,
        prepares_source: bool,
        keeper: &dyn KeepLog,
    ) -> Result<(), LogError>;

    /// The transactions that may have changed one of the tables and have not ended, as the source names them.
    ///
    /// # Errors
    /// When the source does not answer.
    async fn writers(&self, schema: &SchemaState) -> Result<Vec<String>, SourceError>;

    /// Waits until all of some transactions have ended. `tell` is called when it takes long.
    ///
    /// # Errors
    /// When the source does not answer.
    async fn await_end_of(
        &self,
        writers: Vec<String>,
        tell: &(dyn Fn(Option<String>) + Send + Sync),
    ) -> Result<(), SourceError>;
}

/// Fixes points in time, one after the other, on connections that go from one to the next.
#[async_trait]
pub trait PointSource: Send + Sync {
    /// Fixes a point in time. The definitions of the tables stay as they are while it is held, where the source can grant
    /// that. It is given up when it is dropped.
    ///
    /// # Errors
    /// When the source cannot be reached, or somebody changes a table just now.
    async fn begin(&mut self, tables: &[Arc<CatalogTable>]) -> Result<Arc<dyn ChangePoint>, SourceError>;

    /// Gives a point in time up, and keeps its connections for the next one where nobody else has it.
    ///
    /// # Errors
    /// When the source is gone.
    async fn end(&mut self, point: Arc<dyn ChangePoint>) -> Result<(), SourceError>;

    /// Why a transaction that is in the log may not be contained for a long time, for the user.
    fn why_late(&self) -> &'static str;
}

/// A point in time that knows which transactions of the log it contains.
#[async_trait]
pub trait ChangePoint: Snapshot {
    fn contained(&self) -> &Contained;

    /// The schema in this point in time.
    ///
    /// # Errors
    /// When the source does not answer.
    async fn read_schema(&self, watched: &Watched) -> Result<SchemaState, SourceError>;
}
