//! What the server says of itself, of the user and of publications: read once, judged elsewhere.

use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use crate::source::postgres::client::{PgClient, query_error};
use godwit_shared::schema::TableName;
use std::sync::Arc;

/// Server, database and user.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// As a number: 150004 is 15.4.
    pub version: i32,
    pub version_text: String,
    pub user: String,
    pub database: String,
    pub is_superuser: bool,
    /// Amazon RDS or Aurora: settings and the right to replicate have other names there.
    pub is_rds: bool,
    /// By its own attribute, or as a member of the role that RDS has for it.
    pub can_replicate: bool,
    pub can_create_in_database: bool,
    pub is_in_recovery: bool,
    pub wal_level: String,
    pub slots_max: i32,
    pub slots_used: i32,
    pub senders_max: i32,
    pub senders_used: i32,
    /// A job of the project has its slot already.
    pub has_own_slot: bool,
    /// Of the log that slots may keep, in MB; `None` without a limit.
    pub slot_keep_mb: Option<i64>,
    /// How long a slot may be idle before it is dropped; `None` without a limit.
    pub slot_idle_seconds: Option<i64>,
    /// Slots that nobody reads from, with the MB of log that the server keeps for each; not those of this project.
    pub idle_slots: Vec<(String, i64)>,
}

const FACTS: &str = "
    SELECT current_setting('server_version_num')::int4, current_setting('server_version'), current_user::text,
           current_database()::text, r.rolsuper,
           r.rolsuper OR r.rolreplication OR EXISTS (
               SELECT FROM pg_roles rds WHERE rds.rolname = 'rds_replication' AND pg_has_role(rds.oid, 'MEMBER')),
           has_database_privilege(current_database(), 'CREATE'), pg_is_in_recovery(), current_setting('wal_level'),
           current_setting('max_replication_slots')::int4, (SELECT count(*) FROM pg_replication_slots)::int4,
           current_setting('max_wal_senders')::int4, (SELECT count(*) FROM pg_stat_replication)::int4,
           EXISTS (SELECT FROM pg_replication_slots WHERE left(slot_name::text, length($1::text)) = $1::text),
           (SELECT setting::int8 FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
           (SELECT setting::int8 * CASE unit WHEN 'min' THEN 60 ELSE 1 END FROM pg_settings
            WHERE name = 'idle_replication_slot_timeout'),
           EXISTS (SELECT FROM pg_roles rds WHERE rds.rolname = 'rds_superuser')
    FROM pg_roles r WHERE r.rolname = current_user";

const IDLE_SLOTS: &str = "
    SELECT s.slot_name::text, (pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn) / 1048576)::int8
    FROM pg_replication_slots s
    WHERE NOT s.active AND s.restart_lsn IS NOT NULL AND left(s.slot_name::text, length($1::text)) <> $1::text
    ORDER BY 2 DESC";

/// `own` is what names of this project's slots begin with.
pub async fn read_facts(pg: &PgClient, own: &str) -> Result<Facts, SourceError> {
    let row = pg.client.query_one(FACTS, &[&own]).await.map_err(query_error)?;
    let idle = pg.client.query(IDLE_SLOTS, &[&own]).await.map_err(query_error)?;
    Ok(Facts {
        version: row.get(0),
        version_text: row.get(1),
        user: row.get(2),
        database: row.get(3),
        is_superuser: row.get(4),
        can_replicate: row.get(5),
        can_create_in_database: row.get(6),
        is_in_recovery: row.get(7),
        wal_level: row.get(8),
        slots_max: row.get(9),
        slots_used: row.get(10),
        senders_max: row.get(11),
        senders_used: row.get(12),
        has_own_slot: row.get(13),
        slot_keep_mb: row.get::<_, Option<i64>>(14).filter(|mb| *mb >= 0),
        slot_idle_seconds: row.get::<_, Option<i64>>(15).filter(|s| *s > 0),
        is_rds: row.get(16),
        idle_slots: idle.iter().map(|r| (r.get(0), r.get(1))).collect(),
    })
}

/// A table that the user may not read.
#[derive(Debug, Clone)]
pub struct Refused {
    pub table: TableName,
    pub lacks_usage: bool,
    pub lacks_select: bool,
}

const REFUSED: &str = "
    SELECT n.nspname::text, c.relname::text, NOT has_schema_privilege(n.oid, 'USAGE'),
           NOT has_table_privilege(c.oid, 'SELECT')
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS m(nspname, relname, place)
    JOIN pg_namespace n ON n.nspname = m.nspname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = m.relname
    WHERE NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, 'SELECT')
    ORDER BY m.place";

/// Which of the tables the user may not read, and what it lacks.
pub async fn read_refused(pg: &PgClient, tables: &[Arc<CatalogTable>]) -> Result<Vec<Refused>, SourceError> {
    let (schemas, names): (Vec<&str>, Vec<&str>) = tables
        .iter()
        .map(|t| (t.name.schema.as_str(), t.name.table.as_str()))
        .unzip();
    let rows = pg
        .client
        .query(REFUSED, &[&schemas, &names])
        .await
        .map_err(query_error)?;
    let refused = rows.iter().map(|row| Refused {
        table: TableName::new(row.get::<_, String>(0), row.get::<_, String>(1)),
        lacks_usage: row.get(2),
        lacks_select: row.get(3),
    });
    Ok(refused.collect())
}
