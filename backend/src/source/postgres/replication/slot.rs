//! Slot and publication of a job: making them, looking after them, taking them away.

use super::Lsn;
use super::wire::WalConnection;
use crate::data::catalog::CatalogTable;
use crate::data::row::MalformedRow;
use crate::source::SourceError;
use crate::source::change_log::{ServerIdentity, SourceClock};
use crate::source::postgres::client::{PgClient, query_error};
use crate::source::postgres::identity::read_relations;
use crate::source::postgres::preflight::{create_sql, prepare_sql};
use crate::source::postgres::queries::{literal, quote};
use std::sync::Arc;
use std::time::Duration;

/// How long a slot that is to be dropped may still be held by a connection that is going away.
const RELEASE_MAX: Duration = Duration::from_secs(10);

/// Between two looks at transactions that have to end.
const WRITERS_PAUSE: Duration = Duration::from_millis(200);
/// After this long the wait for them is told to the user.
const TELL_AFTER: Duration = Duration::from_secs(2);

/// A slot that was just made.
#[derive(Debug)]
pub struct NewSlot {
    /// The stream begins here.
    pub consistent_point: Lsn,
    /// The point in time that fits it, until the connection does anything else.
    pub snapshot: String,
}

/// A slot as the server shows it.
#[derive(Debug, Clone)]
pub struct SlotState {
    pub plugin: String,
    pub database: String,
    pub active_pid: Option<i32>,
    /// Up to where changes were confirmed.
    pub confirmed: Lsn,
    /// `reserved`, `extended`, `unreserved`, `lost`; before PostgreSQL 13 absent.
    pub wal_status: Option<String>,
    /// Why it was invalidated: PostgreSQL 16 and later.
    pub conflict: Option<String>,
}

/// Publishes tables to one job. Roots of partitioned tables bring their leaves, also future ones, and those publish as
/// themselves: through its root, the server does not log the TRUNCATE of a single partition.
///
/// # Errors
/// When the server refuses.
pub async fn create_publication(pg: &PgClient, name: &str, tables: &[Arc<CatalogTable>]) -> Result<(), SourceError> {
    let relations = read_relations(pg, tables.iter().map(AsRef::as_ref)).await?;
    let row = pg
        .client
        .query_one("SELECT current_setting('server_version_num')::int4", &[])
        .await
        .map_err(query_error)?;
    write(pg, &create_sql(row.get(0), name, tables, &relations)).await
}

/// Makes a publication give all that a job needs of the tables.
///
/// # Errors
/// When the server refuses.
pub async fn mend_publication(pg: &PgClient, name: &str, tables: &[Arc<CatalogTable>]) -> Result<(), SourceError> {
    let relations = read_relations(pg, tables.iter().map(AsRef::as_ref)).await?;
    let row = pg
        .client
        .query_one("SELECT current_setting('server_version_num')::int4", &[])
        .await
        .map_err(query_error)?;
    write(pg, &prepare_sql(row.get(0), name, tables, &relations)).await
}

/// The transactions that may have changed one of the relations and have not ended, as the server numbers them.
///
/// # Errors
/// When the server does not answer.
pub async fn writing_transactions(pg: &PgClient, relations: &[u32]) -> Result<Vec<String>, SourceError> {
    let sql = "SELECT DISTINCT l.virtualtransaction FROM pg_locks l \
               WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY ($1::oid[]) \
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                 AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')";
    let rows = pg.client.query(sql, &[&relations]).await.map_err(query_error)?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

/// Waits until all of some transactions have ended. `tell` is called when it takes long.
///
/// # Errors
/// When the server does not answer.
pub async fn await_end_of(
    pg: &PgClient,
    transactions: Vec<String>,
    tell: impl Fn(Option<String>),
) -> Result<(), SourceError> {
    let sql = "SELECT coalesce(string_agg(DISTINCT coalesce('process ' || l.pid, 'a prepared transaction'), ', '), '') \
               FROM pg_locks l WHERE l.virtualtransaction = ANY ($1::text[])";
    let started = tokio::time::Instant::now();
    loop {
        let row = pg.client.query_one(sql, &[&transactions]).await.map_err(query_error)?;
        let open: String = row.get(0);
        if open.is_empty() {
            tell(None);
            return Ok(());
        }
        if started.elapsed() > TELL_AFTER {
            tell(Some(format!(
                "transactions that began before the publication was mended have to end first: {open}"
            )));
        }
        tokio::time::sleep(WRITERS_PAUSE).await;
    }
}

/// Takes a publication away; one that is gone is fine.
///
/// # Errors
/// When the server refuses.
pub async fn drop_publication(pg: &PgClient, name: &str) -> Result<(), SourceError> {
    write(pg, &format!("DROP PUBLICATION IF EXISTS {}", quote(name))).await
}

/// Runs a statement that changes the source: slots and publications are all that a job changes by itself.
pub(in crate::source::postgres) async fn write(pg: &PgClient, sql: &str) -> Result<(), SourceError> {
    let set = async |state: &str| {
        let sql = format!("SET default_transaction_read_only = {state}");
        pg.client.batch_execute(&sql).await.map_err(query_error)
    };
    set("off").await?;
    let done = pg.client.batch_execute(sql).await.map_err(query_error);
    set("on").await?;
    done
}

/// Takes a slot away; one that is gone is fine. A connection of a process that has died may hold it for a moment.
///
/// # Errors
/// When the server refuses.
pub async fn drop_slot(pg: &PgClient, name: &str) -> Result<(), SourceError> {
    let started = tokio::time::Instant::now();
    loop {
        let Some(state) = slot_state(pg, name).await? else {
            return Ok(());
        };
        if let Some(pid) = state.active_pid {
            if started.elapsed() > RELEASE_MAX {
                return Err(SourceError::SlotInUse { slot: name.into() });
            }
            let sql = format!("SELECT pg_terminate_backend({pid})");
            pg.client.batch_execute(&sql).await.map_err(query_error)?;
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        let sql = format!("SELECT pg_drop_replication_slot({})", literal(name));
        match write(pg, &sql).await {
            Ok(()) => return Ok(()),
            // Somebody was quicker to take it, or to take it away.
            Err(SourceError::Query { .. }) if started.elapsed() < RELEASE_MAX => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes a slot with the point in time that fits it.
///
/// # Errors
/// When the server refuses: no slot is free, no right.
pub async fn create_slot(wal: &mut WalConnection, name: &str) -> Result<NewSlot, SourceError> {
    // The older spelling, which every version takes.
    let sql = format!(
        "CREATE_REPLICATION_SLOT {} LOGICAL pgoutput EXPORT_SNAPSHOT",
        quote(name)
    );
    let rows = wal.command(&sql).await?;
    let cell = |i: usize| rows.first().and_then(|r| r.get(i)).cloned().flatten();
    match (cell(1).and_then(|p| p.parse().ok()), cell(2)) {
        (Some(consistent_point), Some(snapshot)) => Ok(NewSlot {
            consistent_point,
            snapshot,
        }),
        _ => Err(MalformedRow("no position of a new slot").into()),
    }
}

/// Which server answers, and on which timeline.
///
/// # Errors
/// When it does not.
pub async fn identify(wal: &mut WalConnection) -> Result<ServerIdentity, SourceError> {
    let rows = wal.command("IDENTIFY_SYSTEM").await?;
    let cell = |i: usize| rows.first().and_then(|r| r.get(i)).cloned().flatten();
    match (cell(0), cell(1)) {
        (Some(system_id), Some(timeline)) => Ok(ServerIdentity { system_id, timeline }),
        _ => Err(MalformedRow("no identity of the system").into()),
    }
}

/// Opens the stream of a slot from a position on.
///
/// # Errors
/// When the server refuses.
pub async fn start(wal: &mut WalConnection, slot: &str, publication: &str, from: Lsn) -> Result<(), SourceError> {
    wal.start(&format!(
        "START_REPLICATION SLOT {} LOGICAL {from} (proto_version '1', publication_names {})",
        quote(slot),
        literal(&quote(publication))
    ))
    .await
}

/// A slot; `None` when there is none of this name.
///
/// # Errors
/// When the server does not answer.
pub async fn slot_state(pg: &PgClient, name: &str) -> Result<Option<SlotState>, SourceError> {
    let sql = "SELECT s.plugin::text, s.database::text, s.active_pid, s.confirmed_flush_lsn::text, \
               to_jsonb(s) ->> 'wal_status', \
               coalesce(to_jsonb(s) ->> 'invalidation_reason', \
                        CASE WHEN to_jsonb(s) ->> 'conflicting' = 'true' THEN 'conflicting' END) \
               FROM pg_replication_slots s WHERE s.slot_name = $1";
    let row = pg.client.query_opt(sql, &[&name]).await.map_err(query_error)?;
    Ok(row.map(|row| SlotState {
        plugin: row.get::<_, Option<String>>(0).unwrap_or_default(),
        database: row.get::<_, Option<String>>(1).unwrap_or_default(),
        active_pid: row.get(2),
        confirmed: row
            .get::<_, Option<String>>(3)
            .and_then(|l| l.parse().ok())
            .unwrap_or_default(),
        wal_status: row.get(4),
        conflict: row.get(5),
    }))
}

/// Clock, log and slot of the source as they are now.
///
/// # Errors
/// When the server does not answer.
pub async fn source_clock(pg: &PgClient, slot: &str) -> Result<SourceClock, SourceError> {
    let sql = "SELECT clock_timestamp(), pg_current_wal_flush_lsn()::text, \
               greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::int8, \
               (to_jsonb(s) ->> 'safe_wal_size')::int8 \
               FROM (SELECT 1) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1";
    let row = pg.client.query_one(sql, &[&slot]).await.map_err(query_error)?;
    Ok(SourceClock {
        now: row.get(0),
        log_end: parse(row.get(1))?.into(),
        retained_bytes: row.get::<_, Option<i64>>(2).unwrap_or_default().max(0) as u64,
        remaining_bytes: row.get::<_, Option<i64>>(3).map(|n| n.max(0) as u64),
        kept_seconds: None,
    })
}

/// The end of everything that was written to the log until now. It is on disk when this returns, so that the stream gets
/// there: the server leaves the last page in memory until somebody commits.
///
/// # Errors
/// When the server does not answer.
pub async fn log_end(pg: &PgClient) -> Result<Lsn, SourceError> {
    let row = pg
        .client
        .query_one("SELECT pg_current_wal_insert_lsn()::text", &[])
        .await
        .map_err(query_error)?;
    // A transaction that has a number writes its commit, and waits for the disk, though for no standby. It changes
    // nothing.
    let commit = "BEGIN; SET LOCAL synchronous_commit = local; SELECT txid_current(); COMMIT";
    pg.client.batch_execute(commit).await.map_err(query_error)?;
    parse(row.get(0))
}

/// The end of the log on disk: nothing beyond it was ever sent.
///
/// # Errors
/// When the server does not answer.
pub async fn flushed_end(pg: &PgClient) -> Result<Lsn, SourceError> {
    let sql = "SELECT pg_current_wal_flush_lsn()::text";
    let row = pg.client.query_one(sql, &[]).await.map_err(query_error)?;
    parse(row.get(0))
}

fn parse(text: &str) -> Result<Lsn, SourceError> {
    text.parse().map_err(|e| MalformedRow(e).into())
}

/// Transactions with changes of these tables that are neither committed nor rolled back, prepared ones too: who they are,
/// in words.
///
/// # Errors
/// When the server does not answer.
pub async fn open_writers(pg: &PgClient, tables: &[Arc<CatalogTable>]) -> Result<Vec<String>, SourceError> {
    // Who writes to a partition as such locks it alone.
    let relations = read_relations(pg, tables.iter().map(AsRef::as_ref)).await?;
    let leaves = relations.iter().map(|r| &r.name);
    let names: Vec<String> = (tables.iter().map(|t| &t.name).chain(leaves))
        .map(|name| format!("{}.{}", quote(&name.schema), quote(&name.table)))
        .collect();
    let sql = "WITH held AS (
            SELECT DISTINCT l.pid, l.virtualtransaction FROM pg_locks l
            WHERE l.locktype = 'relation' AND l.granted
              AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND l.relation = ANY (SELECT to_regclass(n)::oid FROM unnest($1::text[]) n))
        SELECT format('process %s of user %s since %s', a.pid, coalesce(a.usename, '?'), coalesce(
                      to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"'), 'an unknown time'))
        FROM held JOIN pg_stat_activity a USING (pid) WHERE a.backend_xid IS NOT NULL
        UNION ALL
        SELECT format('the prepared transaction %L of user %s since %s', p.gid, p.owner,
                      to_char(p.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"'))
        FROM held JOIN pg_locks x ON x.locktype = 'transactionid' AND x.pid IS NULL
                  AND x.virtualtransaction = held.virtualtransaction
        JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
        WHERE held.pid IS NULL ORDER BY 1";
    let rows = pg.client.query(sql, &[&names]).await.map_err(query_error)?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

/// The database of a connection, and the system identifier of its server where the user may ask for it.
///
/// # Errors
/// When the server does not answer.
pub async fn place_of(pg: &PgClient) -> Result<(Option<String>, Option<String>), SourceError> {
    let sql = "SELECT current_database()::text, has_function_privilege('pg_control_system()', 'EXECUTE')";
    let row = pg.client.query_one(sql, &[]).await.map_err(query_error)?;
    if !row.get::<_, bool>(1) {
        return Ok((row.get(0), None));
    }
    let system = "SELECT system_identifier::text FROM pg_control_system()";
    let system = pg.client.query_one(system, &[]).await.map_err(query_error)?;
    Ok((row.get(0), system.get(0)))
}

/// How the server encodes texts: a database in SQL_ASCII holds any bytes and cannot be asked for another encoding.
///
/// # Errors
/// When the server does not answer.
pub async fn client_encoding(pg: &PgClient) -> Result<String, SourceError> {
    let sql = "SELECT CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END";
    let row = pg.client.query_one(sql, &[]).await.map_err(query_error)?;
    Ok(row.get(0))
}
