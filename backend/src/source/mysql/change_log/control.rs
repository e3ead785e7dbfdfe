//! Questions beside a stream.

use super::server::{log_end, log_files, read_settings};
use super::state::read_schema;
use crate::data::catalog::CatalogTable;
use crate::data::position::LogPosition;
use crate::plan::Plan;
use crate::source::SourceError;
use crate::source::api::Session;
use crate::source::change_log::{Control, KeepLog, LogError, LogState, SchemaState, SourceClock, Watched};
use crate::source::mysql::binlog::place::{Place, bytes_between};
use crate::source::mysql::client::MySqlSource;
use crate::source::mysql::link::Link;
use crate::source::mysql::preflight;
use crate::source::mysql::session::MySqlSession;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// See the module.
pub struct MySqlControl {
    session: MySqlSession,
    kept_seconds: Option<f64>,
}

impl MySqlControl {
    /// # Errors
    /// When the source cannot be reached.
    pub async fn open(source: &MySqlSource) -> Result<Self, SourceError> {
        let session = MySqlSession::open(source).await?;
        let kept_seconds = read_settings(session.link()).await?.kept_seconds();
        Ok(Self { session, kept_seconds })
    }

    pub fn link(&self) -> &Link {
        self.session.link()
    }
}

/// Transactions that have changed rows. Their tables the server does not tell.
const WRITERS: &str = "
    SELECT t.trx_mysql_thread_id, COALESCE(p.USER, ''), COALESCE(p.HOST, ''), t.trx_started
    FROM information_schema.INNODB_TRX t LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
    WHERE t.trx_rows_modified > 0 ORDER BY t.trx_started LIMIT 100";

#[async_trait]
impl Control for MySqlControl {
    fn session(&self) -> &dyn Session {
        &self.session
    }

    async fn log_end(&self) -> Result<LogPosition, SourceError> {
        Ok(log_end(self.link()).await?.into())
    }

    async fn clock(&self, _log: &LogState, position: LogPosition) -> Result<SourceClock, SourceError> {
        let link = self.link();
        let now = link.one("SELECT UNIX_TIMESTAMP(UTC_TIMESTAMP(6))").await?;
        let end = log_end(link).await?;
        let seconds: f64 = now
            .first()
            .cloned()
            .flatten()
            .and_then(|t| t.parse().ok())
            .unwrap_or(0.0);
        let files = log_files(link).await.unwrap_or_default();
        let from = Place::from(position);
        Ok(SourceClock {
            now: DateTime::<Utc>::from_timestamp_micros((seconds * 1e6) as i64).unwrap_or_default(),
            log_end: end.into(),
            retained_bytes: bytes_between(&files, from, end),
            remaining_bytes: None,
            kept_seconds: self.kept_seconds,
        })
    }

    async fn read_schema(&self, watched: &Watched) -> Result<SchemaState, SourceError> {
        read_schema(self.link(), watched).await.map(SchemaState::Mysql)
    }

    async fn open_writers(&self, _tables: &[Arc<CatalogTable>]) -> Result<Vec<String>, SourceError> {
        let lines = match self.link().query(WRITERS).await {
            Ok(lines) => lines,
            // It takes a right that a migration does not need.
            Err(SourceError::NoRight { .. } | SourceError::Query { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let shown = lines.into_iter().map(|line| {
            let cell = |place: usize| line.get(place).cloned().flatten().unwrap_or_default();
            match cell(0).as_str() {
                "0" => format!("a prepared XA transaction, begun {}", cell(3)),
                id => format!("connection {id} of {}@{}, begun {}", cell(1), cell(2), cell(3)),
            }
        });
        Ok(shown.collect())
    }

    async fn prove_logged(&self, watched: &Watched) -> Result<SchemaState, LogError> {
        let settings = read_settings(self.link()).await?;
        if let Some(reason) = preflight::not_logged(&settings) {
            return Err(LogError::Blocked(reason));
        }
        Ok(self.read_schema(watched).await?)
    }

    /// A change that comes without them has its collections read again.
    async fn prepare_old_images(
        &self,
        _log: &mut LogState,
        _plan: &Plan,
        _prepares_source: bool,
        _keeper: &dyn KeepLog,
    ) -> Result<(), LogError> {
        Ok(())
    }

    async fn writers(&self, _schema: &SchemaState) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    async fn await_end_of(
        &self,
        _writers: Vec<String>,
        _tell: &(dyn Fn(Option<String>) + Send + Sync),
    ) -> Result<(), SourceError> {
        Ok(())
    }
}
