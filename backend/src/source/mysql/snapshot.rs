//! One point in time for several connections.
//!
//! These servers cannot hand a snapshot from one connection to another. So all connections begin their transactions while
//! nothing is committed: under a short lock on everything or on the tables that are read, or, on a MariaDB that writes a
//! binary log, until all of them say that they stand at the same place of it. Without any of these rights one connection
//! reads everything, and what it reads waits in files where two readers are needed at once.

use super::binlog::place::Place;
use super::change_log::{log_end, snapshot_place};
use super::client::{MySqlSource, query_error};
use super::link::{Form, Link};
use super::matching::count_rows;
use super::queries::{literal, table_name};
use super::reader::{Idle, MySqlReader};
use super::split::split_keys;
use crate::data::catalog::CatalogTable;
use crate::plan::RowFilter;
use crate::source::SourceError;
use crate::source::api::{Reader, Snapshot};
use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::sync::{Arc, Mutex, PoisonError};

/// How often the connections of a MariaDB try to meet at one place of the log.
const MEETINGS_MAX: usize = 20;
/// The longest that the application waits for our lock, in seconds.
const LOCK_SECONDS: u32 = 3;
/// How often the locks are tried while somebody is in the way: the application waits behind each try.
const LOCK_TRIES: usize = 3;
/// Tables that one statement touches.
const TOUCHED_AT_ONCE: usize = 50;

pub(super) const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
pub(super) const GLOBAL_LOCK: &str = "FLUSH TABLES WITH READ LOCK";

/// How the connections came to one point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointInTime {
    /// All stand at the same place of the binary log.
    SamePlaceOfLog,
    /// All began under `FLUSH TABLES WITH READ LOCK`.
    GlobalLock,
    /// All began under `LOCK TABLES ... READ`.
    TableLocks,
    /// There is only one.
    OneConnection,
    /// One after the other, without any lock: for somebody who looks at a few rows.
    NearlyOne,
}

impl PointInTime {
    /// For the log of a job.
    pub fn described(self) -> &'static str {
        match self {
            PointInTime::SamePlaceOfLog => {
                "all connections read the same point in time: they stand at one place of the binary log"
            }
            PointInTime::GlobalLock => {
                "all connections read the same point in time: they began under a short global read lock"
            }
            PointInTime::TableLocks => {
                "all connections read the same point in time: they began under short read locks on the tables"
            }
            PointInTime::OneConnection => {
                "one connection reads everything, because neither all tables nor those that are read could be locked for a \
                 moment: give the user RELOAD or LOCK TABLES, and let nobody hold a lock, to read with several"
            }
            PointInTime::NearlyOne => "the connections began one after the other",
        }
    }
}

/// One point in time of the source.
pub struct MySqlSnapshot {
    /// Reads that take no time, and those for which there is no connection left.
    holder: Link,
    idle: Idle,
    point: PointInTime,
    place: Option<Place>,
    unprotected: Vec<String>,
}

impl MySqlSnapshot {
    /// Fixes a point in time with so many connections beside the one that holds it.
    ///
    /// # Errors
    /// When the source cannot be reached or refuses.
    pub async fn begin(
        source: &MySqlSource,
        tables: &[Arc<CatalogTable>],
        readers: usize,
    ) -> Result<Self, SourceError> {
        let holder = source.connect().await?;
        let mut links = Vec::with_capacity(readers);
        for opened in join_all((0..readers).map(|_| source.connect())).await {
            match opened {
                Ok(link) => links.push(link),
                // Fewer do as well.
                Err(SourceError::TooManyConnections { reason, .. }) => {
                    tracing::info!(reason, "The source gives fewer connections than were asked for");
                }
                Err(error) => return Err(error),
            }
        }
        let (point, mut place) = match tables {
            // Nobody holds up an application for a preview.
            [] => {
                try_join_all(links.iter().chain([&holder]).map(|link| link.run(BEGIN))).await?;
                (PointInTime::NearlyOne, None)
            }
            tables => meet(source, &holder, &links, tables).await?,
        };
        if point == PointInTime::OneConnection {
            links.clear();
            holder.run(BEGIN).await?;
            if holder.server().is_mariadb() {
                place = snapshot_place(&holder).await.ok();
            }
        }
        for link in links.iter().chain([&holder]) {
            touch(link, tables).await?;
        }
        let unprotected = without_transactions(&holder, tables).await?;
        tracing::info!(connections = links.len() + 1, "{}", point.described());
        Ok(Self {
            holder,
            idle: Arc::new(Mutex::new(links)),
            point,
            place,
            unprotected,
        })
    }

    /// Where in the log it stands: what begins behind it is not in it, all before it is. Nothing where that is not known,
    /// or not for this user.
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// How its connections came to it.
    pub fn point(&self) -> PointInTime {
        self.point
    }

    /// Tables whose engine has no transactions: what is read of them is of the time when it is read.
    pub fn unprotected(&self) -> &[String] {
        &self.unprotected
    }
}

#[async_trait]
impl Snapshot for MySqlSnapshot {
    async fn reader(&self) -> Result<Box<dyn Reader>, SourceError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Box::new(match idle {
            Some(link) => MySqlReader::new(link, Form::default(), Some(self.idle.clone())),
            // To wait for one might be to wait for oneself.
            None => MySqlReader::sharing(&self.holder),
        }))
    }

    async fn split_keys(
        &self,
        table: &CatalogTable,
        chunk_bytes: u64,
        chunks_max: u64,
    ) -> Result<Vec<Vec<String>>, SourceError> {
        split_keys(&self.holder.share(), table, chunk_bytes, chunks_max).await
    }

    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
        count_rows(&self.holder.share(), table, filter).await
    }

    fn notes(&self) -> Vec<String> {
        let engines = (!self.unprotected.is_empty()).then(|| {
            format!(
                "these tables have an engine without transactions, so they are read as they are in the meantime: {}",
                self.unprotected.join(", ")
            )
        });
        [self.point.described().to_owned()].into_iter().chain(engines).collect()
    }
}

/// Begins the transactions of all connections at one point in time, if that can be had.
async fn meet(
    source: &MySqlSource,
    holder: &Link,
    links: &[Link],
    tables: &[Arc<CatalogTable>],
) -> Result<(PointInTime, Option<Place>), SourceError> {
    if links.is_empty() {
        return Ok((PointInTime::OneConnection, None));
    }
    let all: Vec<&Link> = links.iter().chain([holder]).collect();
    if holder.server().is_mariadb() && at_one_place(&all).await? {
        return Ok((PointInTime::SamePlaceOfLog, snapshot_place(holder).await.ok()));
    }
    let global = GLOBAL_LOCK.to_owned();
    let names: Vec<String> = tables.iter().map(|t| format!("{} READ", table_name(&t.name))).collect();
    let of_tables = (!names.is_empty()).then(|| format!("LOCK TABLES {}", names.join(", ")));
    for _ in 0..LOCK_TRIES {
        let mut is_in_the_way = false;
        for (lock, point) in [
            (Some(&global), PointInTime::GlobalLock),
            (of_tables.as_ref(), PointInTime::TableLocks),
        ] {
            let Some(lock) = lock else { continue };
            let mut locker = match locked(source, lock).await? {
                Lock::Held(conn) => conn,
                Lock::InTheWay => {
                    is_in_the_way = true;
                    continue;
                }
                Lock::NotAllowed => continue,
            };
            // No commit is under way, at least none that touches these tables. Not every user may ask.
            let place = log_end(holder).await.ok();
            let begun = try_join_all(all.iter().map(|link| link.run(BEGIN))).await;
            // Whatever came of it, the application goes on.
            let unlocked = locker.query_drop("UNLOCK TABLES").await;
            let _ = locker.disconnect().await;
            begun?;
            unlocked.map_err(query_error)?;
            return Ok((point, place));
        }
        if !is_in_the_way {
            break;
        }
    }
    Ok((PointInTime::OneConnection, None))
}

/// What came of asking for a lock.
enum Lock {
    Held(Conn),
    /// Somebody holds one, or reads for long.
    InTheWay,
    NotAllowed,
}

async fn locked(source: &MySqlSource, lock: &str) -> Result<Lock, SourceError> {
    let (mut conn, _) = source.in_time(source.open()).await?;
    let limit = format!("SET SESSION lock_wait_timeout = {LOCK_SECONDS}");
    conn.query_drop(limit).await.map_err(query_error)?;
    let error = match conn.query_drop(lock).await.map_err(query_error) {
        Ok(()) => return Ok(Lock::Held(conn)),
        Err(error @ SourceError::ConnectionLost { .. }) => return Err(error),
        Err(error) => error,
    };
    tracing::info!(%error, "A lock of the source could not be had");
    let _ = conn.disconnect().await;
    Ok(match error {
        SourceError::LockedOut { .. } => Lock::InTheWay,
        _ => Lock::NotAllowed,
    })
}

/// Whether all connections began at one place of the binary log.
/// <https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/>
async fn at_one_place(links: &[&Link]) -> Result<bool, SourceError> {
    let has_log = links[0].one("SELECT @@log_bin").await?;
    if has_log.first().and_then(|value| value.as_deref()) != Some("1") {
        return Ok(false);
    }
    for _ in 0..MEETINGS_MAX {
        try_join_all(links.iter().map(|link| link.run(BEGIN))).await?;
        let places = links
            .iter()
            .map(|link| link.query("SHOW STATUS LIKE 'binlog_snapshot_%'"));
        let places = try_join_all(places).await?;
        if !places[0].is_empty() && places.iter().all(|place| *place == places[0]) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Holds the definitions of the tables as they are: who changes one has to wait for the end of the point in time, and no
/// read has to wait for who waits.
pub(super) async fn touch(link: &Link, tables: &[Arc<CatalogTable>]) -> Result<(), SourceError> {
    for some in tables.chunks(TOUCHED_AT_ONCE) {
        let touched: Vec<String> = (some.iter())
            .map(|table| format!("(SELECT 1 FROM {} LIMIT 0)", table_name(&table.name)))
            .collect();
        match link.run(format!("DO {}", touched.join(", "))).await {
            // It is said where the table is read.
            Ok(()) | Err(SourceError::NoRight { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Tables whose engine has no transactions, with the engine.
pub(super) async fn without_transactions(
    link: &Link,
    tables: &[Arc<CatalogTable>],
) -> Result<Vec<String>, SourceError> {
    let mut found = Vec::new();
    for some in tables.chunks(TOUCHED_AT_ONCE) {
        let names: Vec<String> = (some.iter())
            .map(|t| format!("({}, {})", literal(&t.name.schema), literal(&t.name.table)))
            .collect();
        let sql = format!(
            "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.ENGINE FROM information_schema.TABLES t \
             JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
             WHERE (t.TABLE_SCHEMA, t.TABLE_NAME) IN ({}) AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'",
            names.join(", ")
        );
        for line in link.query(sql).await? {
            let name = |place: usize| line.get(place).cloned().flatten().unwrap_or_default();
            found.push(format!("{}.{} ({})", name(0), name(1), name(2)));
        }
    }
    Ok(found)
}
