//! What the source knows of its rows without reading them, and exact counts where somebody asks for them.

use super::client::{PgClient, query_error};
use super::matching::count_rows;
use super::queries::matching::key_fan;
use super::queries::quote;
use crate::data::catalog::{Catalog, CatalogTable};
use crate::source::SourceError;
use godwit_shared::proposal::{Facts, Fan, Figures, TableFacts};
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::HashMap;

/// Of a table with partitions the statistics of all of them together.
const COLUMNS: &str = "
    SELECT s.schemaname::text, s.tablename::text, s.attname::text, s.n_distinct::float8, s.null_frac::float8,
           s.most_common_freqs[1]::float8
    FROM pg_catalog.pg_stats s JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
    WHERE s.inherited = (c.relkind = 'p')";

/// Changes of rows, those of partitions at their roots.
const WRITES: &str = "
    WITH RECURSIVE tree(root, oid) AS (
        SELECT c.oid, c.oid FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        UNION ALL SELECT t.root, i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
            JOIN pg_catalog.pg_class p ON p.oid = i.inhrelid AND p.relispartition)
    SELECT n.nspname::text, r.relname::text, sum(s.n_tup_ins)::int8, sum(s.n_tup_upd + s.n_tup_del)::int8
    FROM tree t JOIN pg_catalog.pg_class r ON r.oid = t.root JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
    JOIN pg_catalog.pg_stat_user_tables s ON s.relid = t.oid GROUP BY 1, 2";

const STATEMENTS_SCHEMA: &str = "
    SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements'";
/// Statements that are looked at, the most frequent ones.
const STATEMENTS_MAX: usize = 500;

/// Bytes of a table from which on its size says something of its rows.
const SIZE_TOLD: u64 = 128 << 10;

/// Statistics of one column.
struct ColumnFacts {
    /// Negative: as a share of the rows.
    distinct: f64,
    nulls: f64,
    most_common: Option<f64>,
}

/// What the catalog says. What this user may not see, or was never collected, is missing.
///
/// # Errors
/// When the connection is lost.
pub async fn read_facts(pg: &PgClient, catalog: &Catalog, model: &RelationalModel) -> Result<Facts, SourceError> {
    let mut facts = Facts {
        figures: Figures::Catalog,
        ..Facts::default()
    };
    for table in catalog.tables.values() {
        // 0 rows in a table with pages: it was never counted.
        let is_known = table.rows_estimated > 0 || table.size_bytes == 0;
        let rows = is_known.then_some(table.rows_estimated as f64);
        let row_bytes = rows.and_then(|rows| bytes_of_row(table, rows));
        let known = TableFacts {
            rows,
            row_bytes,
            ..TableFacts::default()
        };
        facts.tables.insert(table.name.clone(), known);
    }
    for row in pg.client.query(WRITES, &[]).await.map_err(query_error)? {
        let name = TableName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        if let Some(table) = facts.tables.get_mut(&name) {
            table.inserts = u64::try_from(row.get::<_, i64>(2)).ok();
            table.changes = u64::try_from(row.get::<_, i64>(3)).ok();
        }
    }
    let mut columns: HashMap<(TableName, String), ColumnFacts> = HashMap::new();
    for row in pg.client.query(COLUMNS, &[]).await.map_err(query_error)? {
        let name = TableName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let known = ColumnFacts {
            distinct: row.get(3),
            nulls: row.get(4),
            most_common: row.get(5),
        };
        columns.insert((name, row.get(2)), known);
    }
    for (path, table) in model.tables() {
        let name = path.name();
        let Some(rows) = facts.table(&name).rows.filter(|rows| *rows > 0.0) else {
            continue;
        };
        for (key, found) in &table.foreign_keys {
            let of: Option<Vec<&ColumnFacts>> = found
                .column_mappings
                .iter()
                .map(|pair| columns.get(&(name.clone(), pair.source.clone())))
                .collect();
            let estimated = of.and_then(|of| estimate(rows, &of));
            facts
                .fans
                .extend(estimated.map(|fan| ((name.clone(), key.clone()), fan)));
        }
    }
    facts.together = read_together(pg, model).await;
    Ok(facts)
}

/// Some of the values that most rows have in a column. A list of them prints as one of texts does.
const COMMON: &str = "
    SELECT s.most_common_vals::text::text[] FROM pg_catalog.pg_stats s
    WHERE s.schemaname = $1 AND s.tablename = $2 AND s.attname = $3 AND s.inherited = $4";

/// The values that most rows of a table have in a column, printed, the most frequent first.
///
/// # Errors
/// When the connection is lost.
pub async fn most_common(pg: &PgClient, table: &CatalogTable, column: usize) -> Result<Vec<String>, SourceError> {
    let column = &table.columns[column];
    // Between values of such a type stands another character.
    if column.comes_apart {
        return Ok(Vec::new());
    }
    let (schema, name) = (&table.name.schema, &table.name.table);
    let found = pg
        .client
        .query_opt(COMMON, &[schema, name, &column.name, &table.is_partitioned])
        .await;
    match found.map_err(query_error) {
        Ok(row) => Ok(row
            .and_then(|row| row.get::<_, Option<Vec<String>>>(0))
            .unwrap_or_default()),
        Err(error) if error.is_outage() => Err(error),
        // Statistics that cannot be read are none.
        Err(_) => Ok(Vec::new()),
    }
}

/// What a table takes for each row; of a small one its pages say nothing.
fn bytes_of_row(table: &CatalogTable, rows: f64) -> Option<f64> {
    (rows > 0.0 && table.size_bytes >= SIZE_TOLD).then(|| table.size_bytes as f64 / rows)
}

/// Of several columns the one with most values decides: together they have at least as many.
fn estimate(rows: f64, columns: &[&ColumnFacts]) -> Option<Fan> {
    let distinct = |column: &&&ColumnFacts| match column.distinct {
        share if share < 0.0 => -share * rows,
        count => count,
    };
    let one = columns.iter().max_by(|a, b| distinct(a).total_cmp(&distinct(b)))?;
    let values = distinct(&one);
    if values < 1.0 {
        return None;
    }
    let average = (rows * (1.0 - one.nulls) / values).max(1.0);
    Some(Fan {
        average,
        p99: None,
        largest: one.most_common.map(|share| (share * rows).round().max(average)),
    })
}

/// Which tables stand in one statement, where the source keeps its statements and this user may read them.
async fn read_together(pg: &PgClient, model: &RelationalModel) -> HashMap<(TableName, TableName), u64> {
    let mut together = HashMap::new();
    let schema = pg.client.query_opt(STATEMENTS_SCHEMA, &[]).await;
    let Ok(Some(row)) = schema else { return together };
    let sql = format!(
        "SELECT query::text, calls::int8 FROM {}.pg_stat_statements ORDER BY calls DESC LIMIT {STATEMENTS_MAX}",
        quote(row.get(0))
    );
    // Not loaded, or not for this user: that is no fault of the proposal.
    let Ok(statements) = pg.client.query(&sql, &[]).await else {
        return together;
    };
    let names: Vec<TableName> = model.tables().map(|(path, _)| path.name()).collect();
    for row in statements {
        let (text, calls): (Option<String>, i64) = (row.get(0), row.get(1));
        let Some(text) = text.filter(|t| t.to_lowercase().trim_start().starts_with("select")) else {
            continue;
        };
        let words: std::collections::HashSet<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        let mut read: Vec<&TableName> = names
            .iter()
            .filter(|name| words.contains(name.table.as_str()))
            .collect();
        read.sort();
        for (n, a) in read.iter().enumerate() {
            for b in &read[n + 1..] {
                let count = together.entry(((*a).clone(), (*b).clone())).or_insert(0u64);
                *count += u64::try_from(calls).unwrap_or(0);
            }
        }
    }
    together
}

/// Counts the rows of all tables and of all keys. A count that takes too long leaves what the catalog says.
///
/// # Errors
/// When the connection is lost.
pub async fn count_exactly(
    pg: &PgClient,
    catalog: &Catalog,
    model: &RelationalModel,
    facts: &mut Facts,
) -> Result<(), SourceError> {
    facts.figures = Figures::Exact;
    for (path, table) in model.tables() {
        let name = path.name();
        let Some(found) = catalog
            .tables
            .get(&name)
            .filter(|t| t.can_select && !t.has_row_security)
        else {
            continue;
        };
        match count_rows(pg, found, None).await {
            Ok(rows) => {
                let rows = rows as f64;
                let known = facts.tables.entry(name.clone()).or_default();
                known.rows = Some(rows);
                known.row_bytes = bytes_of_row(found, rows);
            }
            Err(SourceError::Cancelled) => continue,
            Err(error) => return Err(error),
        }
        for (key, foreign) in &table.foreign_keys {
            let columns: Vec<&str> = foreign.column_mappings.iter().map(|p| p.source.as_str()).collect();
            if columns.is_empty() || columns.iter().any(|c| found.column(c).is_none()) {
                continue;
            }
            match pg
                .client
                .query_one(&key_fan(found, &columns), &[])
                .await
                .map_err(query_error)
            {
                Ok(row) => {
                    let fan = row.get::<_, Option<f64>>(0).map(|average| Fan {
                        average,
                        p99: row.get(1),
                        largest: row.get(2),
                    });
                    facts.fans.extend(fan.map(|fan| ((name.clone(), key.clone()), fan)));
                }
                // A type without an order cannot be grouped; a count that takes too long ends.
                Err(SourceError::Cancelled | SourceError::Query { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
