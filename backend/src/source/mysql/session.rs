//! MySQL and MariaDB as the rooms above see them.

use super::client::MySqlSource;
use super::link::Link;
use super::snapshot::MySqlSnapshot;
use super::{analyse, facts, filter, lookup, matching, preflight, schema};
use crate::analysis::facts::SourceFacts;
use crate::data::catalog::{Catalog, CatalogTable};
use crate::plan::{Condition, Join, Plan, RowFilter};
use crate::source::SourceError;
use crate::source::api::{Findings, Matched, Session, Snapshot, Source};
use crate::source::change_log::{ChangeLog, Preparation};
use crate::source::filter::settle_filters;
use crate::source::verdict::{entry, passed, snapshot_filters};
use async_trait::async_trait;
use godwit_shared::connection::{ConnectivityResult, SourceKind};
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::{CheckStatus, PreflightCheck};
use godwit_shared::proposal::Facts;
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

#[async_trait]
impl Source for MySqlSource {
    fn kind(&self) -> SourceKind {
        self.kind
    }

    fn user(&self) -> &str {
        &self.address.user
    }

    async fn answers(&self, patience: Duration) -> Result<(), SourceError> {
        self.is_there(patience).await
    }

    async fn test(&self) -> Result<ConnectivityResult, SourceError> {
        self.check().await
    }

    async fn session(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(MySqlSession::open(self).await?))
    }

    async fn begin_snapshot(
        &self,
        tables: &[Arc<CatalogTable>],
        readers: usize,
    ) -> Result<Arc<dyn Snapshot>, SourceError> {
        Ok(Arc::new(MySqlSnapshot::begin(self, tables, readers).await?))
    }

    fn change_log(&self) -> Option<Arc<dyn ChangeLog>> {
        Some(Arc::new(self.clone()))
    }
}

/// A connection for questions, without a point in time.
pub struct MySqlSession {
    source: MySqlSource,
    link: Link,
}

impl MySqlSession {
    /// # Errors
    /// Why no connection can be had.
    pub async fn open(source: &MySqlSource) -> Result<Self, SourceError> {
        Ok(Self {
            source: source.clone(),
            link: source.connect().await?,
        })
    }

    pub fn link(&self) -> &Link {
        &self.link
    }
}

#[async_trait]
impl Session for MySqlSession {
    /// One that is too old has been refused when the connection was opened.
    async fn check_version(&self) -> Result<PreflightCheck, SourceError> {
        let server = self.link.server();
        let message = format!("{} {}.", server.name(), server.version);
        Ok(passed("server_version", "Version", message))
    }

    async fn read_catalog(&self) -> Result<Catalog, SourceError> {
        schema::read_catalog(&self.source, &self.link).await
    }

    async fn judge_filter(&self, table: &CatalogTable, text: &str) -> Result<Result<Condition, String>, SourceError> {
        filter::judge(&self.link, table, text).await
    }

    async fn preflight(&self, plan: &mut Plan, mode: MigrationMode, _project: &str) -> Result<Findings, SourceError> {
        let mut checks = vec![self.check_version().await?];
        let refused: Vec<String> = (plan.tables().iter())
            .filter(|table| !table.can_select)
            .map(|table| table.name.to_string())
            .collect();
        let (id, title) = ("select", "Reading");
        checks.push(match refused.as_slice() {
            [] => passed(id, title, "All mapped tables can be read."),
            some => {
                let message = format!("No SELECT on {}.", some.join(", "));
                PreflightCheck {
                    tables: some.to_vec(),
                    ..entry(id, title, CheckStatus::Failed, message)
                }
            }
        });
        checks.push(snapshot_filters(&settle_filters(self, plan).await?));
        let is_continuous = match mode {
            MigrationMode::Snapshot => false,
            MigrationMode::Cdc | MigrationMode::CdcOnly => true,
        };
        if is_continuous {
            checks.extend(preflight::examine(&self.source, &self.link, plan).await?);
        }
        Ok(Findings {
            checks,
            continuous: is_continuous.then_some(Preparation::Nothing),
        })
    }

    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
        matching::count_rows(&self.link, table, filter).await
    }

    async fn match_key(&self, parent: &CatalogTable, own: &CatalogTable, join: &Join) -> Result<Matched, SourceError> {
        matching::count(&self.link, parent, own, join).await
    }

    async fn search(&self, table: &CatalogTable, text: &str, limit: usize) -> Result<Vec<Vec<String>>, SourceError> {
        lookup::search(&self.link, table, text, limit).await
    }

    async fn are_values(&self, table: &CatalogTable, values: &[String]) -> Result<bool, SourceError> {
        lookup::are_values(&self.link, table, values).await
    }

    async fn read_facts(&self, catalog: &Catalog, model: &RelationalModel) -> Result<Facts, SourceError> {
        facts::read_facts(&self.link, catalog, model).await
    }

    async fn count_exactly(
        &self,
        catalog: &Catalog,
        model: &RelationalModel,
        facts: &mut Facts,
    ) -> Result<(), SourceError> {
        facts::count_exactly(&self.link, catalog, model, facts).await
    }

    async fn analyse(&self, catalog: &Catalog, tables: &HashSet<TableName>) -> Result<SourceFacts, SourceError> {
        analyse::analyse(&self.link, catalog, tables).await
    }
}
