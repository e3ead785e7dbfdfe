//! The side of MySQL and MariaDB of [`change_log`](crate::source::change_log): the binary log, read as a replica reads it.
//! Nothing is made in the server, so nothing has to be taken away.
//!
//! | to | look into |
//! |---|---|
//! | know where following begins | [`begin`] |
//! | know when the log cannot be read on | [`check`] |
//! | see events of the log become changes | [`stream`], [`binlog`](super::binlog) |
//! | see points in time that are proven to contain transactions | [`points`] |
//! | see what is asked beside the stream | [`control`] |
//! | know what is noticed of a changed schema | [`state`] |
//! | know which foreign keys change rows | [`keys`] |

mod begin;
mod check;
mod control;
mod keys;
mod points;
mod server;
mod state;
mod stream;

pub use check::created;
pub use server::{LogSettings, Proof, log_end, log_files, read_settings, snapshot_place};
pub use state::{MySqlLogState, MySqlSchema};

use super::binlog::place::Place;
use super::client::MySqlSource;
use crate::data::position::LogPosition;
use crate::source::SourceError;
use crate::source::change_log::{
    Beginning, ChangeLog, Control, KeepLog, Leftover, LogError, LogState, Needed, Opened, PointSource, SchemaState,
    ServerIdentity, Shared, Watched,
};
use async_trait::async_trait;

#[async_trait]
impl ChangeLog for MySqlSource {
    fn show(&self, position: LogPosition) -> String {
        Place::from(position).shown()
    }

    fn parse(&self, text: &str) -> Option<LogPosition> {
        Place::parse(text).map(Into::into)
    }

    /// Of files between the two only the server knows the size.
    fn bytes_between(&self, from: LogPosition, to: LogPosition) -> u64 {
        super::binlog::place::bytes_between(&[], from.into(), to.into())
    }

    fn new_state(&self, _project: &str, _job: &str) -> LogState {
        LogState::Mysql(MySqlLogState::default())
    }

    async fn begin(
        &self,
        log: &mut LogState,
        needed: &Needed<'_>,
        keeper: &dyn KeepLog,
    ) -> Result<Beginning, LogError> {
        begin::begin(self, log, needed, keeper).await
    }

    async fn control(&self) -> Result<Box<dyn Control>, SourceError> {
        Ok(Box::new(control::MySqlControl::open(self).await?))
    }

    async fn open(
        &self,
        watched: &Watched,
        server: &ServerIdentity,
        position: LogPosition,
    ) -> Result<Opened, LogError> {
        let control = control::MySqlControl::open(self).await?;
        let file = check::check(self, control.link(), server, position.into()).await?;
        let tables = keys::read_tables(control.link(), watched).await?;
        let schema = state::read_schema(control.link(), watched).await?;
        let stream = stream::MySqlStream::open(self, watched, tables, file).await?;
        Ok(Opened {
            stream: Box::new(stream),
            control: Box::new(control),
            schema: SchemaState::Mysql(schema),
        })
    }

    fn points(&self) -> Box<dyn PointSource> {
        Box::new(points::MySqlPoints::new(self))
    }

    async fn end(&self, _log: &LogState, _shared: &[Shared]) -> Vec<Leftover> {
        Vec::new()
    }

    async fn keep_shared(&self, _log: &LogState, _shared: &[Shared]) -> Result<(), SourceError> {
        Ok(())
    }
}
