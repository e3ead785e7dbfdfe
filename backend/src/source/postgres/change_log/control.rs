//! Questions beside a stream.

use super::PgLogState;
use crate::data::catalog::CatalogTable;
use crate::data::position::LogPosition;
use crate::plan::Plan;
use crate::source::SourceError;
use crate::source::api::Session;
use crate::source::change_log::{Control, KeepLog, LogError, LogState, SchemaState, SourceClock, Watched};
use crate::source::postgres::client::PgClient;
use crate::source::postgres::identity;
use crate::source::postgres::replication::slot;
use crate::source::postgres::watch::read_state;
use async_trait::async_trait;
use std::sync::Arc;

#[async_trait]
impl Control for PgClient {
    fn session(&self) -> &dyn Session {
        self
    }

    async fn log_end(&self) -> Result<LogPosition, SourceError> {
        Ok(slot::log_end(self).await?.into())
    }

    async fn clock(&self, log: &LogState, _position: LogPosition) -> Result<SourceClock, SourceError> {
        let log = PgLogState::of(log)?;
        slot::source_clock(self, &log.slot).await
    }

    async fn read_schema(&self, watched: &Watched) -> Result<SchemaState, SourceError> {
        read_state(self, watched).await.map(SchemaState::Postgresql)
    }

    async fn open_writers(&self, tables: &[Arc<CatalogTable>]) -> Result<Vec<String>, SourceError> {
        slot::open_writers(self, tables).await
    }

    /// One that the job has made is mended.
    async fn prove_logged(&self, watched: &Watched) -> Result<SchemaState, LogError> {
        let log = PgLogState::of(&watched.log)?;
        let name = &log.publication;
        let mut now = read_state(self, watched).await?;
        if !now.has_publication() {
            // The server decodes the log with the catalog as it was then: a new one of the name does not help.
            return Err(LogError::Resync(format!(
                "the publication \"{name}\" is gone, and without it the log cannot be read"
            )));
        }
        if now.lack().is_some() && log.owns_publication {
            slot::mend_publication(self, name, &watched.tables).await?;
            now = read_state(self, watched).await?;
        }
        match now.lack() {
            None => Ok(SchemaState::Postgresql(now)),
            Some(reason) => Err(LogError::Source(SourceError::NotPublished {
                publication: name.clone(),
                reason,
            })),
        }
    }

    async fn prepare_old_images(
        &self,
        log: &mut LogState,
        plan: &Plan,
        prepares_source: bool,
        keeper: &dyn KeepLog,
    ) -> Result<(), LogError> {
        let lacking = identity::read_lacking(self, plan).await?;
        let Some(first) = lacking.first() else { return Ok(()) };
        if !prepares_source || !lacking.iter().all(|l| l.can_be_prepared) {
            return Err(LogError::Blocked(format!(
                "old images of {} lack {}: set its REPLICA IDENTITY to FULL, then resume",
                first.relation,
                first.missing.join(", ")
            )));
        }
        let state = PgLogState::of_mut(log)?;
        state.remember(&lacking);
        keeper.keep(log).await.map_err(LogError::NotKept)?;
        identity::set_full(self, &lacking).await?;
        Ok(())
    }

    async fn writers(&self, schema: &SchemaState) -> Result<Vec<String>, SourceError> {
        let SchemaState::Postgresql(schema) = schema else {
            return Ok(Vec::new());
        };
        slot::writing_transactions(self, &schema.relations()).await
    }

    async fn await_end_of(
        &self,
        writers: Vec<String>,
        tell: &(dyn Fn(Option<String>) + Send + Sync),
    ) -> Result<(), SourceError> {
        slot::await_end_of(self, writers, tell).await
    }
}
