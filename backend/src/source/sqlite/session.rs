//! SQLite as the rooms above see it.

use super::client::{Client, query_error};
use super::reader::{SqliteSnapshot, printed_key};
use super::schema::read_catalog;
use super::{SqliteSource, analyse, counts, filter, queries};
use crate::analysis::facts::SourceFacts;
use crate::data::catalog::{Catalog, CatalogColumn, CatalogTable};
use crate::plan::{Condition, Join, Plan, RowFilter};
use crate::source::SourceError;
use crate::source::api::{Findings, Matched, Session, Snapshot, Source};
use crate::source::filter::settle_filters;
use crate::source::verdict::{no_change_log, passed, snapshot_filters};
use async_trait::async_trait;
use godwit_shared::connection::{ConnectivityResult, SourceKind};
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::PreflightCheck;
use godwit_shared::proposal::Facts;
use godwit_shared::schema::{RelationalModel, TableName};
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

#[async_trait]
impl Source for SqliteSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Sqlite
    }

    fn user(&self) -> &'static str {
        ""
    }

    async fn answers(&self, patience: Duration) -> Result<(), SourceError> {
        match tokio::time::timeout(patience, self.connect()).await {
            Ok(opened) => opened.map(|_| ()),
            Err(_) => Err(SourceError::Unreachable {
                address: self.file.name().to_owned(),
                reason: format!("the file could not be opened within {} seconds", patience.as_secs()),
            }),
        }
    }

    async fn test(&self) -> Result<ConnectivityResult, SourceError> {
        self.connect().await?;
        Ok(ConnectivityResult {
            success: true,
            message: format!("Opened the SQLite file \"{}\".", self.file.name()),
            version: format!("SQLite {}", rusqlite::version()),
            topology: "a file".into(),
        })
    }

    async fn session(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(SqliteSession {
            client: self.connect().await?,
            database: self.file.database(),
        }))
    }

    /// Nobody can change a table while a transaction reads the file: the tables need no locks.
    async fn begin_snapshot(
        &self,
        _tables: &[Arc<CatalogTable>],
        readers: usize,
    ) -> Result<Arc<dyn Snapshot>, SourceError> {
        Ok(Arc::new(SqliteSnapshot::begin(self, readers).await?))
    }
}

/// A connection for questions.
struct SqliteSession {
    client: Arc<Client>,
    database: String,
}

#[async_trait]
impl Session for SqliteSession {
    /// The library that reads the file is part of this program.
    async fn check_version(&self) -> Result<PreflightCheck, SourceError> {
        let message = format!("SQLite {}.", rusqlite::version());
        Ok(passed("server_version", "Version", message))
    }

    async fn read_catalog(&self) -> Result<Catalog, SourceError> {
        let database = self.database.clone();
        self.client
            .ask(move |connection| read_catalog(connection, database))
            .await
    }

    async fn judge_filter(&self, table: &CatalogTable, text: &str) -> Result<Result<Condition, String>, SourceError> {
        let (table, text) = (table.clone(), text.to_owned());
        self.client
            .ask(move |connection| filter::judge(connection, &table, &text))
            .await
    }

    async fn preflight(&self, plan: &mut Plan, mode: MigrationMode, _project: &str) -> Result<Findings, SourceError> {
        let mut checks = vec![self.check_version().await?];
        checks.push(snapshot_filters(&settle_filters(self, plan).await?));
        if mode != MigrationMode::Snapshot {
            let message = "SQLite keeps no log of changes that could be followed: choose the mode SNAPSHOT.";
            checks.push(no_change_log(message));
        }
        Ok(Findings {
            checks,
            continuous: None,
        })
    }

    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
        let sql = queries::filtered_rows(table, filter);
        self.client
            .ask(move |connection| super::reader::count(connection, &sql))
            .await
    }

    async fn match_key(&self, parent: &CatalogTable, own: &CatalogTable, join: &Join) -> Result<Matched, SourceError> {
        let (parent, own, join) = (parent.clone(), own.clone(), join.clone());
        self.client
            .ask(move |connection| counts::match_key(connection, &parent, &own, &join))
            .await
    }

    async fn search(&self, table: &CatalogTable, text: &str, limit: usize) -> Result<Vec<Vec<String>>, SourceError> {
        let sql = queries::search(table, limit);
        let pattern = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let key: Vec<CatalogColumn> = table.primary_key.iter().map(|c| table.columns[*c].clone()).collect();
        let find = move |connection: &Connection| {
            let mut statement = connection.prepare(&sql).map_err(query_error)?;
            let mut rows = statement.query([format!("%{pattern}%")]).map_err(query_error)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(query_error)? {
                found.extend(printed_key(row, &key)?);
            }
            Ok(found)
        };
        self.client.ask(find).await
    }

    /// Any text is a value of any column.
    async fn are_values(&self, _table: &CatalogTable, _values: &[String]) -> Result<bool, SourceError> {
        Ok(true)
    }

    async fn read_facts(&self, catalog: &Catalog, _model: &RelationalModel) -> Result<Facts, SourceError> {
        Ok(counts::facts_of(catalog))
    }

    async fn count_exactly(
        &self,
        catalog: &Catalog,
        model: &RelationalModel,
        facts: &mut Facts,
    ) -> Result<(), SourceError> {
        let (catalog, model, mut counted) = (catalog.clone(), model.clone(), facts.clone());
        let count = move |connection: &Connection| {
            counts::count_exactly(connection, &catalog, &model, &mut counted)?;
            Ok(counted)
        };
        *facts = self.client.ask(count).await?;
        Ok(())
    }

    async fn analyse(&self, catalog: &Catalog, tables: &HashSet<TableName>) -> Result<SourceFacts, SourceError> {
        let (catalog, tables) = (catalog.clone(), tables.clone());
        let look = move |connection: &Connection| analyse::analyse(connection, &catalog, &tables);
        self.client.ask(look).await
    }
}
