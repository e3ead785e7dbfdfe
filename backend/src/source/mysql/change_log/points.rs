//! Points in time that are proven to contain what the log has told of, one after the other on the same connection.
//!
//! A transaction is in the log before others can see it. What proves that they can:
//!
//! - MariaDB counts a transaction into the place of a consistent snapshot only when its engine has committed it, and both
//!   happens under the same lock under which a snapshot begins. A transaction that begins in front of that place is in it.
//! - MySQL adds a transaction to `gtid_executed` after its engine has committed it. What is in the set that was read before
//!   the snapshot began is in the snapshot; there may be more in it.
//! - Without GTIDs MySQL has nothing of the kind. Under `FLUSH TABLES WITH READ LOCK` no commit is under way, so a snapshot
//!   that begins under it has everything that the log has. It is held for the two statements in between.
//!
//! One connection reads a point in time: to begin several at the same one would take a lock, or many tries on a busy server,
//! for each batch. Its answers are taken whole, so that one question can be asked while the rows of another are used.

use super::server::{Proof, log_end, read_settings, snapshot_place};
use super::state::read_schema;
use crate::data::catalog::CatalogTable;
use crate::plan::RowFilter;
use crate::source::SourceError;
use crate::source::api::{Reader, Snapshot};
use crate::source::change_log::{ChangePoint, Contained, PointSource, SchemaState, Watched};
use crate::source::mysql::binlog::gtid::GtidSet;
use crate::source::mysql::client::{MySqlSource, query_error};
use crate::source::mysql::link::Link;
use crate::source::mysql::matching::count_rows;
use crate::source::mysql::reader::MySqlReader;
use crate::source::mysql::snapshot::{BEGIN, GLOBAL_LOCK, touch};
use crate::source::mysql::split::split_keys;
use async_trait::async_trait;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::sync::{Arc, Weak};

/// See the module. Between two of them nothing is held in the source.
pub struct MySqlPoints {
    source: MySqlSource,
    proof: Option<Proof>,
    link: Option<Link>,
    /// Holds the lock, where one is needed.
    locker: Option<Conn>,
    newest: Weak<MySqlPoint>,
}

/// One point in time.
pub struct MySqlPoint {
    link: Link,
    contained: Contained,
}

impl MySqlPoints {
    pub fn new(source: &MySqlSource) -> Self {
        Self {
            source: source.clone(),
            proof: None,
            link: None,
            locker: None,
            newest: Weak::new(),
        }
    }

    async fn fix(&mut self, link: &Link) -> Result<Contained, SourceError> {
        let proof = match self.proof {
            Some(proof) => proof,
            None => {
                let proof = read_settings(link).await?.proof(link.server().is_mariadb());
                *self.proof.insert(proof)
            }
        };
        Ok(match proof {
            Proof::SnapshotPlace => {
                link.run(BEGIN).await?;
                Contained::UpTo(snapshot_place(link).await?.into())
            }
            Proof::Gtids => {
                let executed = link.one("SELECT @@GLOBAL.gtid_executed").await?;
                link.run(BEGIN).await?;
                let text = executed.into_iter().next().flatten().unwrap_or_default();
                let set = GtidSet::parse(&text).ok_or_else(|| SourceError::Query {
                    reason: "the set of executed GTIDs cannot be read".into(),
                })?;
                Contained::Gtids(set)
            }
            Proof::Lock => {
                let mut locker = match self.locker.take() {
                    Some(conn) => conn,
                    None => {
                        let (mut conn, _) = self.source.in_time(self.source.open()).await?;
                        let patience = "SET SESSION lock_wait_timeout = 3, wait_timeout = 31536000";
                        conn.query_drop(patience).await.map_err(query_error)?;
                        conn
                    }
                };
                locker.query_drop(GLOBAL_LOCK).await.map_err(query_error)?;
                let begun = async {
                    let end = log_end(link).await?;
                    link.run(BEGIN).await?;
                    Ok::<_, SourceError>(end)
                };
                let begun = begun.await;
                // Whatever came of it, the application goes on: a connection that is dropped loses its lock as well.
                locker.query_drop("UNLOCK TABLES").await.map_err(query_error)?;
                self.locker = Some(locker);
                Contained::UpTo(begun?.into())
            }
        })
    }
}

#[async_trait]
impl PointSource for MySqlPoints {
    async fn begin(&mut self, tables: &[Arc<CatalogTable>]) -> Result<Arc<dyn ChangePoint>, SourceError> {
        let link = match self.link.take().filter(|link| !link.is_lost()) {
            Some(link) => link,
            None => self.source.connect().await?,
        };
        let contained = self.fix(&link).await?;
        touch(&link, tables).await?;
        let point = Arc::new(MySqlPoint { link, contained });
        self.newest = Arc::downgrade(&point);
        Ok(point)
    }

    async fn end(&mut self, point: Arc<dyn ChangePoint>) -> Result<(), SourceError> {
        let own = self.newest.upgrade();
        drop(point);
        if let Some(point) = own.and_then(Arc::into_inner) {
            point.link.run("COMMIT").await?;
            self.link = Some(point.link);
        }
        Ok(())
    }

    fn why_late(&self) -> &'static str {
        "committed changes cannot be read yet: the source waits for a replica (semi-synchronous replication), or its \
         commits take long"
    }
}

#[async_trait]
impl Snapshot for MySqlPoint {
    async fn reader(&self) -> Result<Box<dyn Reader>, SourceError> {
        Ok(Box::new(MySqlReader::sharing(&self.link)))
    }

    async fn split_keys(
        &self,
        table: &CatalogTable,
        chunk_bytes: u64,
        chunks_max: u64,
    ) -> Result<Vec<Vec<String>>, SourceError> {
        split_keys(&self.link.share(), table, chunk_bytes, chunks_max).await
    }

    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
        count_rows(&self.link.share(), table, filter).await
    }
}

#[async_trait]
impl ChangePoint for MySqlPoint {
    fn contained(&self) -> &Contained {
        &self.contained
    }

    async fn read_schema(&self, watched: &Watched) -> Result<SchemaState, SourceError> {
        read_schema(&self.link, watched).await.map(SchemaState::Mysql)
    }
}
