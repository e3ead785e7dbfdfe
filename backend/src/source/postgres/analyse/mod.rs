//! What a server says of its tables, views, routines and triggers: a fixed number of bulk queries, however many there are,
//! and a look at the values of columns in a bounded time.

mod columns;
mod measure;
mod objects;

use super::client::{PgClient, query_error};
use crate::analysis::facts::{Analysed, Identity, Kept, KeyFacts, LogFacts, SourceFacts, TableFacts};
use crate::data::catalog::Catalog;
use crate::source::SourceError;
use chrono::DateTime;
use godwit_shared::schema::TableName;
use std::collections::HashSet;
use tokio_postgres::Row;

/// Reads, writes and analyses of tables, those of partitions at their roots. A table without pages has nothing to be
/// analysed.
const TABLES: &str = "
    WITH RECURSIVE tree(root, oid) AS (
        SELECT c.oid, c.oid FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid >= 16384
        UNION ALL SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
            JOIN pg_class p ON p.oid = i.inhrelid AND p.relispartition),
    leaves AS (
        SELECT t.root, c.oid, c.relreplident::text AS identity, pg_relation_size(c.oid) > 0 AS has_pages,
               pg_indexes_size(c.oid) AS index_bytes, s.seq_tup_read + coalesce(s.idx_tup_fetch, 0) AS reads,
               s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes,
               greatest(s.last_analyze, s.last_autoanalyze) AS analysed
        FROM tree t JOIN pg_class c ON c.oid = t.oid AND c.relkind = 'r'
        LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid)
    SELECT n.nspname::text, r.relname::text, sum(l.index_bytes)::int8, sum(l.reads)::int8, sum(l.writes)::int8,
           count(*) FILTER (WHERE l.has_pages)::int8, count(*) FILTER (WHERE l.has_pages AND l.analysed IS NULL)::int8,
           extract(epoch FROM min(l.analysed) FILTER (WHERE l.has_pages))::float8,
           bool_or(l.identity = 'n'), bool_or(l.identity = 'd'), bool_or(l.identity = 'i')
    FROM leaves l JOIN pg_class r ON r.oid = l.root JOIN pg_namespace n ON n.oid = r.relnamespace
    GROUP BY 1, 2";

/// What is special about tables, as a word and its details.
const FORMS: &str = "
    WITH RECURSIVE tree(root, oid) AS (
        SELECT c.oid, c.oid FROM pg_class c WHERE c.relkind = 'p' AND NOT c.relispartition
        UNION ALL SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
    SELECT n.nspname::text, c.relname::text, 'partitioned',
           CASE (to_jsonb(p) ->> 'partstrat') WHEN 'r' THEN 'range' WHEN 'l' THEN 'list' ELSE 'hash' END,
           (SELECT count(*) - 1 FROM tree t WHERE t.root = c.oid)::int8
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_partitioned_table p ON p.partrelid = c.oid
    WHERE NOT c.relispartition
    UNION ALL
    SELECT n.nspname::text, c.relname::text, 'inherits', string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno),
           count(*)::int8
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND NOT c.relispartition GROUP BY 1, 2
    UNION ALL
    SELECT n.nspname::text, c.relname::text, 'inherited', '', count(*)::int8
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_inherits i ON i.inhparent = c.oid
    WHERE c.relkind = 'r' GROUP BY 1, 2
    UNION ALL
    SELECT n.nspname::text, c.relname::text, 'periods', string_agg(k.conname::text, ', '), count(*)::int8
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE coalesce((to_jsonb(k) ->> 'conperiod')::bool, false) GROUP BY 1, 2";

const FOREIGN: &str = "
    SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'f' AND NOT c.relispartition ORDER BY 1, 2";

const POLICIES: &str = "
    SELECT n.nspname::text, c.relname::text, p.polname::text
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2, 3";

const CONSTRAINTS: &str = "
    SELECT n.nspname::text, c.relname::text, k.conname::text, k.contype::text, k.confdeltype::text, k.confupdtype::text,
           k.condeferrable
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype IN ('c', 'f') AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid >= 16384
    ORDER BY 1, 2, 3";

const COUNTED_SINCE: &str = "
    SELECT extract(epoch FROM stats_reset)::float8 FROM pg_stat_database WHERE datname = current_database()";

/// How much of its log a server keeps for a slot, in MiB: from 13 on. Older ones keep all of it.
const KEPT: &str = "SELECT setting::int8 FROM pg_settings WHERE name = 'max_slot_wal_keep_size'";
/// What is written to the log: from 14 on.
const RATE: &str = "
    SELECT (wal_bytes / nullif(extract(epoch FROM now() - stats_reset), 0))::float8 FROM pg_stat_wal";
const HAS_RATE: &str = "SELECT current_setting('server_version_num')::int4 >= 140000";

/// Asks for all of it.
///
/// # Errors
/// When the connection is lost; what the server refuses is a gap.
pub async fn analyse(
    pg: &PgClient,
    catalog: &Catalog,
    tables: &HashSet<TableName>,
) -> Result<SourceFacts, SourceError> {
    let mut facts = SourceFacts::default();
    for row in asked(pg, TABLES, "how tables are used", &mut facts.gaps).await? {
        let entry = facts.tables.entry(name_of(&row)).or_default();
        take_table(entry, &row);
    }
    for row in asked(pg, FORMS, "partitions and inheritance", &mut facts.gaps).await? {
        let form = form_of(row.get(2), row.get(3), row.get(4));
        facts.tables.entry(name_of(&row)).or_default().forms.push(form);
    }
    for row in asked(pg, FOREIGN, "foreign tables", &mut facts.gaps).await? {
        facts.unread.push((name_of(&row), "is a foreign table".into()));
    }
    for row in asked(pg, POLICIES, "policies", &mut facts.gaps).await? {
        facts.tables.entry(name_of(&row)).or_default().policies.push(row.get(2));
    }
    for row in asked(pg, CONSTRAINTS, "constraints", &mut facts.gaps).await? {
        take_constraint(facts.tables.entry(name_of(&row)).or_default(), &row);
    }
    columns::read(pg, &mut facts).await?;
    objects::read(pg, &mut facts).await?;
    facts.log = Some(read_log(pg, &mut facts.gaps).await?);
    let since = asked(pg, COUNTED_SINCE, "since when reads are counted", &mut facts.gaps).await?;
    facts.counted_since = since.first().and_then(|row| moment(row.get(0)));
    measure::measure(pg, catalog, tables, &mut facts).await?;
    Ok(facts)
}

/// The rows of a query; none where the server refuses it, which is noted.
async fn asked(pg: &PgClient, sql: &str, what: &str, gaps: &mut Vec<String>) -> Result<Vec<Row>, SourceError> {
    match pg.client.query(sql, &[]).await.map_err(query_error) {
        Ok(rows) => Ok(rows),
        Err(error) if error.is_outage() => Err(error),
        Err(error) => {
            gaps.push(format!("Could not read {what}: {error}."));
            Ok(Vec::new())
        }
    }
}

fn name_of(row: &Row) -> TableName {
    TableName::new(row.get::<_, String>(0), row.get::<_, String>(1))
}

fn moment(seconds: Option<f64>) -> Option<DateTime<chrono::Utc>> {
    DateTime::from_timestamp(seconds? as i64, 0)
}

fn take_table(table: &mut TableFacts, row: &Row) {
    let count = |place: usize| row.get::<_, Option<i64>>(place).and_then(|n| u64::try_from(n).ok());
    table.index_bytes = count(2);
    table.reads = count(3);
    table.writes = count(4);
    let (with_pages, never) = (count(5).unwrap_or(0), count(6).unwrap_or(0));
    table.analysed = match moment(row.get(7)) {
        _ if with_pages == 0 => Analysed::Unknown,
        _ if never > 0 => Analysed::Never,
        Some(at) => Analysed::At(at),
        None => Analysed::Unknown,
    };
    let any = |place: usize| row.get::<_, Option<bool>>(place).unwrap_or(false);
    // Of partitions the one that tells least counts.
    table.identity = match (any(8), any(9), any(10)) {
        (true, _, _) => Identity::Nothing,
        (_, true, _) => Identity::Default,
        (_, _, true) => Identity::Index,
        (false, false, false) => Identity::Full,
    };
}

fn form_of(kind: &str, details: &str, count: i64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    match kind {
        "partitioned" => format!("is partitioned by {details} into {count} partition{plural}"),
        "inherits" => format!("inherits from {details}"),
        "inherited" => format!("is inherited by {count} table{plural}"),
        _ => format!("has keys that hold for a period: {details}"),
    }
}

fn take_constraint(table: &mut TableFacts, row: &Row) {
    let name: String = row.get(2);
    if row.get::<_, String>(3) == "c" {
        table.checks.push(name);
        return;
    }
    let action = |place: usize| match row.get::<_, &str>(place) {
        "c" => Some("CASCADE".to_owned()),
        "n" => Some("SET NULL".to_owned()),
        "d" => Some("SET DEFAULT".to_owned()),
        _ => None,
    };
    let key = KeyFacts {
        on_delete: action(4),
        on_update: action(5),
        is_deferrable: row.get(6),
        has_other_case: false,
    };
    table.keys.insert(name, key);
}

async fn read_log(pg: &PgClient, gaps: &mut Vec<String>) -> Result<LogFacts, SourceError> {
    let kept = asked(pg, KEPT, "how long the log is kept", gaps).await?;
    let mebibytes: Option<i64> = kept.first().map(|row| row.get(0));
    let kept = mebibytes
        .and_then(|m| u64::try_from(m).ok())
        .map_or(Kept::Always, |m| Kept::Bytes(m << 20));
    let has_rate = asked(pg, HAS_RATE, "the version", gaps).await?;
    let mut rate = None;
    if has_rate.first().is_some_and(|row| row.get(0)) {
        let rows = asked(pg, RATE, "how much is written to the log", gaps).await?;
        rate = rows.first().and_then(|row| row.get(0));
    }
    Ok(LogFacts {
        kept,
        setting: format!("max_slot_wal_keep_size = {} MB", mebibytes.unwrap_or(-1)),
        bytes_per_second: rate,
    })
}
