//! PostgreSQL as the rooms above see it.

use super::client::{PgClient, PgSource};
use super::reader::PgSnapshot;
use super::{analyse, check, facts, filter, lookup, matching, preflight, schema};
use crate::analysis::facts::SourceFacts;
use crate::data::catalog::{Catalog, CatalogTable};
use crate::plan::{Condition, Join, Plan, RowFilter};
use crate::source::SourceError;
use crate::source::api::{Findings, Matched, Session, Snapshot, Source};
use crate::source::change_log::ChangeLog;
use async_trait::async_trait;
use godwit_shared::connection::{ConnectivityResult, SourceKind};
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::PreflightCheck;
use godwit_shared::proposal::Facts;
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

#[async_trait]
impl Source for PgSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Postgresql
    }

    fn user(&self) -> &str {
        &self.address.user
    }

    async fn answers(&self, patience: Duration) -> Result<(), SourceError> {
        PgSource::answers(self, patience).await
    }

    async fn test(&self) -> Result<ConnectivityResult, SourceError> {
        check::check_connection(self).await
    }

    async fn session(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(self.connect().await?))
    }

    /// Readers are added whenever one is needed.
    async fn begin_snapshot(
        &self,
        tables: &[Arc<CatalogTable>],
        _readers: usize,
    ) -> Result<Arc<dyn Snapshot>, SourceError> {
        Ok(Arc::new(PgSnapshot::begin(self, tables).await?))
    }

    fn change_log(&self) -> Option<Arc<dyn ChangeLog>> {
        Some(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Session for PgClient {
    async fn check_version(&self) -> Result<PreflightCheck, SourceError> {
        preflight::check_version(self).await
    }

    async fn read_catalog(&self) -> Result<Catalog, SourceError> {
        schema::read_catalog(self).await
    }

    async fn judge_filter(&self, table: &CatalogTable, text: &str) -> Result<Result<Condition, String>, SourceError> {
        filter::judge(self, table, text).await
    }

    async fn preflight(&self, plan: &mut Plan, mode: MigrationMode, project: &str) -> Result<Findings, SourceError> {
        preflight::examine(self, plan, mode, project).await
    }

    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
        matching::count_rows(self, table, filter).await
    }

    async fn match_key(&self, parent: &CatalogTable, own: &CatalogTable, join: &Join) -> Result<Matched, SourceError> {
        matching::count(self, parent, own, join).await
    }

    async fn search(&self, table: &CatalogTable, text: &str, limit: usize) -> Result<Vec<Vec<String>>, SourceError> {
        lookup::search(self, table, text, limit).await
    }

    async fn are_values(&self, table: &CatalogTable, values: &[String]) -> Result<bool, SourceError> {
        lookup::are_values(self, table, values).await
    }

    async fn read_facts(&self, catalog: &Catalog, model: &RelationalModel) -> Result<Facts, SourceError> {
        facts::read_facts(self, catalog, model).await
    }

    async fn count_exactly(
        &self,
        catalog: &Catalog,
        model: &RelationalModel,
        facts: &mut Facts,
    ) -> Result<(), SourceError> {
        facts::count_exactly(self, catalog, model, facts).await
    }

    async fn most_common(&self, table: &CatalogTable, column: usize) -> Result<Vec<String>, SourceError> {
        facts::most_common(self, table, column).await
    }

    async fn analyse(&self, catalog: &Catalog, tables: &HashSet<TableName>) -> Result<SourceFacts, SourceError> {
        analyse::analyse(self, catalog, tables).await
    }
}
