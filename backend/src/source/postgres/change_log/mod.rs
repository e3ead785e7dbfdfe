//! PostgreSQL's side of [`change_log`](crate::source::change_log): what a continuous job makes in the server, looks after
//! and takes away, and the stream that it reads.
//!
//! | to | look into |
//! |---|---|
//! | know what is stored of a job before anything is made, and who else needs what it changed | [`state`] |
//! | see publication, identities, slot and point in time made, in their order | [`begin`] |
//! | know when the log cannot be read on | [`check`] |
//! | see messages of the log become changes, and statuses go back | [`stream`] |
//! | see what is asked beside the stream, and how a publication is mended | [`control`] |
//! | see points in time go from one connection to the next | [`points`] |
//! | see what is taken away, and what stays and is told | [`left`] |
//!
//! The statements themselves are in [`replication::slot`](super::replication::slot), [`publication`](super::publication) and
//! [`identity`](super::identity).

mod begin;
mod check;
mod control;
pub mod left;
mod points;
mod state;
mod stream;

pub use points::PgPoints;
pub use state::PgLogState;
pub use stream::PgStream;

use super::client::PgSource;
use super::replication::wire::WalConnection;
use super::replication::{Lsn, slot};
use super::watch::read_state;
use crate::data::position::LogPosition;
use crate::source::SourceError;
use crate::source::change_log::{
    Beginning, ChangeLog, Control, KeepLog, Leftover, LogError, LogState, Needed, Opened, PointSource, SchemaState,
    ServerIdentity, Shared, Watched,
};
use async_trait::async_trait;

#[async_trait]
impl ChangeLog for PgSource {
    fn show(&self, position: LogPosition) -> String {
        Lsn::from(position).to_string()
    }

    fn parse(&self, text: &str) -> Option<LogPosition> {
        text.parse::<Lsn>().ok().map(Into::into)
    }

    fn new_state(&self, project: &str, job: &str) -> LogState {
        LogState::Postgresql(PgLogState::new(project, job))
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
        Ok(Box::new(self.connect().await?))
    }

    async fn open(
        &self,
        watched: &Watched,
        server: &ServerIdentity,
        position: LogPosition,
    ) -> Result<Opened, LogError> {
        let log = PgLogState::of(&watched.log)?;
        let control = self.connect().await?;
        let encoding = slot::client_encoding(&control).await?;
        let mut wal = WalConnection::open(self, &encoding).await?;
        check::check(&control, &mut wal, (log, server, position.into())).await?;
        let schema = read_state(&control, watched).await?;
        let stream = PgStream::new(wal, self.clone(), log, watched.tables.clone(), schema.table_of());
        Ok(Opened {
            stream: Box::new(stream),
            control: Box::new(control),
            schema: SchemaState::Postgresql(schema),
        })
    }

    fn points(&self) -> Box<dyn PointSource> {
        Box::new(PgPoints::new(self))
    }

    async fn end(&self, log: &LogState, shared: &[Shared]) -> Vec<Leftover> {
        match PgLogState::of(log) {
            Ok(log) => left::end(self, log, shared).await,
            Err(_) => Vec::new(),
        }
    }

    async fn keep_shared(&self, log: &LogState, shared: &[Shared]) -> Result<(), SourceError> {
        let log = PgLogState::of(log)?;
        left::keep_identities(self, log, shared).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::source_of;
    use godwit_shared::connection::JdbcConnectionDetails;

    #[test]
    fn positions_are_written_as_the_source_writes_them() {
        let details = JdbcConnectionDetails {
            url: "postgresql://localhost/d?user=u".into(),
            ..JdbcConnectionDetails::default()
        };
        let log = source_of(&details, None)
            .expect("a source")
            .change_log()
            .expect("a log");
        let position = LogPosition(0x16_B374_D848);
        assert_eq!(log.show(position), "16/B374D848");
        assert_eq!(
            (log.parse("16/B374D848"), log.parse("B374D848")),
            (Some(position), None)
        );
        assert_eq!(log.bytes_between(LogPosition(16), LogPosition(48)), 32);
    }
}
