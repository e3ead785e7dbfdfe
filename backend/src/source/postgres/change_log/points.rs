//! Points in time, one after the other, on the same connections.

use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use crate::source::change_log::{ChangePoint, Contained, PointSource, SchemaState, Watched};
use crate::source::postgres::client::PgSource;
use crate::source::postgres::reader::{PgConnections, PgSnapshot};
use crate::source::postgres::watch::read_state;
use async_trait::async_trait;
use std::sync::{Arc, Weak};

/// See the module. Between two nothing is held in the source.
pub struct PgPoints {
    source: PgSource,
    connections: Option<PgConnections>,
    /// The newest one, as long as somebody has it: who drops it after an error gives it up at once.
    newest: Weak<PgSnapshot>,
}

impl PgPoints {
    pub fn new(source: &PgSource) -> Self {
        Self {
            source: source.clone(),
            connections: None,
            newest: Weak::new(),
        }
    }
}

#[async_trait]
impl PointSource for PgPoints {
    async fn begin(&mut self, tables: &[Arc<CatalogTable>]) -> Result<Arc<dyn ChangePoint>, SourceError> {
        let connections = self.connections.take();
        let connections = connections.unwrap_or_else(|| PgConnections::new(&self.source));
        let point = Arc::new(connections.begin(tables).await?);
        self.newest = Arc::downgrade(&point);
        Ok(point)
    }

    async fn end(&mut self, point: Arc<dyn ChangePoint>) -> Result<(), SourceError> {
        let own = self.newest.upgrade();
        drop(point);
        if let Some(point) = own.and_then(Arc::into_inner) {
            self.connections = Some(point.end().await?);
        }
        Ok(())
    }

    fn why_late(&self) -> &'static str {
        "committed changes cannot be read yet: a synchronous standby of the source does not answer"
    }
}

#[async_trait]
impl ChangePoint for PgSnapshot {
    fn contained(&self) -> &Contained {
        self.transactions()
    }

    async fn read_schema(&self, watched: &Watched) -> Result<SchemaState, SourceError> {
        read_state(self.holder(), watched).await.map(SchemaState::Postgresql)
    }
}
