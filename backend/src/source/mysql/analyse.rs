//! What a server says of its tables, views, routines and triggers: a fixed number of bulk queries, however many there are,
//! and a look at the values of columns in a bounded time.

use super::link::{Line, Link};
use super::queries::{literal, quote, table_name};
use crate::analysis::facts::{
    Analysed, ColumnFacts, Kept, KeyFacts, LogFacts, Measured, ObjectFacts, ObjectKind, SourceFacts, Trait,
};
use crate::data::catalog::{Catalog, CatalogForeignKey, CatalogTable};
use crate::source::SourceError;
use chrono::DateTime;
use godwit_shared::schema::TableName;
use std::collections::HashSet;
use std::time::{Duration, Instant};

const TABLES: &str = "
    SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.INDEX_LENGTH, t.TABLE_TYPE, t.CREATE_OPTIONS, t.ENGINE
    FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA IN ($schemas) AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')";
const PARTITIONS: &str = "
    SELECT p.TABLE_SCHEMA, p.TABLE_NAME, MIN(p.PARTITION_METHOD), COUNT(DISTINCT p.PARTITION_NAME)
    FROM information_schema.PARTITIONS p WHERE p.TABLE_SCHEMA IN ($schemas) AND p.PARTITION_NAME IS NOT NULL
    GROUP BY p.TABLE_SCHEMA, p.TABLE_NAME";
/// What is read and written is counted by the one or by the other, if it is switched on.
const USED: &str = "
    SELECT u.OBJECT_SCHEMA, u.OBJECT_NAME, u.COUNT_READ, u.COUNT_WRITE
    FROM performance_schema.table_io_waits_summary_by_table u WHERE u.OBJECT_SCHEMA IN ($schemas)";
const USED_MARIADB: &str = "
    SELECT u.TABLE_SCHEMA, u.TABLE_NAME, u.ROWS_READ, u.ROWS_CHANGED
    FROM information_schema.TABLE_STATISTICS u WHERE u.TABLE_SCHEMA IN ($schemas)";
/// Of partitions each has its own entry.
const ANALYSED: &str = "
    SELECT s.database_name, SUBSTRING_INDEX(s.table_name, '#', 1), UNIX_TIMESTAMP(MIN(s.last_update))
    FROM mysql.innodb_table_stats s WHERE s.database_name IN ($schemas) GROUP BY 1, 2";
const KEYS: &str = "
    SELECT k.CONSTRAINT_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.DELETE_RULE, k.UPDATE_RULE
    FROM information_schema.REFERENTIAL_CONSTRAINTS k WHERE k.CONSTRAINT_SCHEMA IN ($schemas)";
const CHECKS: &str = "
    SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS t
    WHERE t.CONSTRAINT_TYPE = 'CHECK' AND t.TABLE_SCHEMA IN ($schemas) ORDER BY 1, 2, 3";
/// There columns have conditions too; that of a JSON column is the server's own.
const CHECKS_MARIADB: &str = "
    SELECT k.CONSTRAINT_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS k
    WHERE k.CONSTRAINT_SCHEMA IN ($schemas) AND LOWER(k.CHECK_CLAUSE) NOT LIKE 'json_valid(%' ORDER BY 1, 2, 3";
const DEFAULTS: &str = "
    SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_DEFAULT FROM information_schema.COLUMNS c
    WHERE c.TABLE_SCHEMA IN ($schemas) AND c.COLUMN_DEFAULT IS NOT NULL AND UPPER(c.COLUMN_DEFAULT) <> 'NULL'
      AND COALESCE(c.GENERATION_EXPRESSION, '') = ''";
const VIEWS: &str = "
    SELECT v.TABLE_SCHEMA, v.TABLE_NAME, v.VIEW_DEFINITION FROM information_schema.VIEWS v
    WHERE v.TABLE_SCHEMA IN ($schemas) ORDER BY 1, 2";
const ROUTINES: &str = "
    SELECT r.ROUTINE_SCHEMA, r.ROUTINE_NAME, r.ROUTINE_TYPE, r.ROUTINE_BODY, r.ROUTINE_DEFINITION
    FROM information_schema.ROUTINES r WHERE r.ROUTINE_SCHEMA IN ($schemas) ORDER BY 1, 2";
const TRIGGERS: &str = "
    SELECT t.TRIGGER_SCHEMA, t.TRIGGER_NAME, t.EVENT_OBJECT_TABLE, t.ACTION_TIMING, t.EVENT_MANIPULATION, t.ACTION_STATEMENT
    FROM information_schema.TRIGGERS t WHERE t.TRIGGER_SCHEMA IN ($schemas) ORDER BY 1, 3, 2";
const LOG: &str = "SELECT @@log_bin";
/// How long the log is kept: seconds, or days where the server is older.
const KEPT: [(&str, &str, u64); 2] = [
    ("binlog_expire_logs_seconds", "SELECT @@binlog_expire_logs_seconds", 1),
    ("expire_logs_days", "SELECT @@expire_logs_days", 86_400),
];

/// For the values of all tables together.
const TIME_MAX: Duration = Duration::from_secs(20);
/// Of a table that is larger only its first rows are read, of about so many bytes together.
const BYTES_MAX: u64 = 32 << 20;
const ROWS_MAX: u64 = 100_000;

/// Asks for all of it.
///
/// # Errors
/// When the connection is lost; what the server refuses is a gap.
pub(super) async fn analyse(
    link: &Link,
    catalog: &Catalog,
    wanted: &HashSet<TableName>,
) -> Result<SourceFacts, SourceError> {
    let mut schemas: Vec<&str> = catalog.tables.keys().map(|name| name.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let mut facts = SourceFacts::default();
    if schemas.is_empty() {
        return Ok(facts);
    }
    let literals: Vec<String> = schemas.into_iter().map(literal).collect();
    let asking = Asking {
        link,
        schemas: literals.join(", "),
    };
    for table in catalog.tables.values() {
        let entry = facts.tables.entry(table.name.clone()).or_default();
        for column in &table.columns {
            let of = ColumnFacts {
                traits: traits_of(&column.type_text),
                ..ColumnFacts::default()
            };
            entry.columns.insert(column.name.clone(), of);
        }
    }
    asking.read_tables(&mut facts).await?;
    asking.read_use(&mut facts).await?;
    asking.read_rules(&mut facts).await?;
    asking.read_objects(&mut facts).await?;
    facts.log = asking.read_log().await?;
    measure(link, catalog, wanted, &mut facts).await?;
    Ok(facts)
}

struct Asking<'l> {
    link: &'l Link,
    /// As literals.
    schemas: String,
}

impl Asking<'_> {
    /// The lines of a query; the reason where the server refuses it.
    async fn tried(&self, sql: &str) -> Result<Result<Vec<Line>, SourceError>, SourceError> {
        match self.link.query(sql.replace("$schemas", &self.schemas)).await {
            Err(error) if error.is_outage() => Err(error),
            answer => Ok(answer),
        }
    }

    async fn asked(&self, sql: &str, what: &str, gaps: &mut Vec<String>) -> Result<Vec<Line>, SourceError> {
        let answer = self.tried(sql).await?;
        Ok(answer.unwrap_or_else(|error| {
            gaps.push(format!("Could not read {what}: {error}."));
            Vec::new()
        }))
    }

    async fn read_tables(&self, facts: &mut SourceFacts) -> Result<(), SourceError> {
        for line in self.asked(TABLES, "tables", &mut facts.gaps).await? {
            let table = facts.tables.entry(name_of(&line)).or_default();
            table.index_bytes = number(&line, 2);
            if text(&line, 3) == "SYSTEM VERSIONED" {
                table.forms.push("keeps the history of its rows".into());
            }
            let engine = text(&line, 5);
            if ["FEDERATED", "CONNECT", "SPIDER", "MRG_MyISAM", "CSV", "BLACKHOLE"].contains(&engine) {
                table.forms.push(format!("lies elsewhere (engine {engine})"));
            }
        }
        for line in self.asked(PARTITIONS, "partitions", &mut facts.gaps).await? {
            let count = number(&line, 3).unwrap_or(0);
            let form = format!(
                "is partitioned by {} into {count} partitions",
                text(&line, 2).to_lowercase()
            );
            facts.tables.entry(name_of(&line)).or_default().forms.push(form);
        }
        // Most users may not read this table: then nobody knows how old statistics are.
        for line in self.tried(ANALYSED).await?.unwrap_or_default() {
            let at = number(&line, 2).and_then(|seconds| DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0));
            if let (Some(at), Some(table)) = (at, facts.tables.get_mut(&name_of(&line))) {
                table.analysed = Analysed::At(at);
            }
        }
        Ok(())
    }

    async fn read_use(&self, facts: &mut SourceFacts) -> Result<(), SourceError> {
        let is_on = |answer: Result<Vec<Line>, SourceError>| {
            let lines = answer.unwrap_or_default();
            lines.first().is_some_and(|line| number(line, 0).unwrap_or(0) > 0)
        };
        let counters = [
            ("SELECT @@performance_schema", USED),
            ("SELECT @@userstat", USED_MARIADB),
        ];
        for (setting, sql) in counters {
            if !is_on(self.tried(setting).await?) {
                continue;
            }
            let Ok(lines) = self.tried(sql).await? else { continue };
            for table in facts.tables.values_mut() {
                (table.reads, table.writes) = (Some(0), Some(0));
            }
            for line in lines {
                if let Some(table) = facts.tables.get_mut(&name_of(&line)) {
                    (table.reads, table.writes) = (number(&line, 2), number(&line, 3));
                }
            }
            return Ok(());
        }
        Ok(())
    }

    async fn read_rules(&self, facts: &mut SourceFacts) -> Result<(), SourceError> {
        for line in self.asked(KEYS, "foreign keys", &mut facts.gaps).await? {
            let action = |place: usize| match text(&line, place) {
                "CASCADE" | "SET NULL" | "SET DEFAULT" => Some(text(&line, place).to_owned()),
                _ => None,
            };
            let key = KeyFacts {
                on_delete: action(3),
                on_update: action(4),
                ..KeyFacts::default()
            };
            let table = facts.tables.entry(name_of(&line)).or_default();
            table.keys.insert(text(&line, 2).to_owned(), key);
        }
        let checks = if self.link.server().is_mariadb() {
            CHECKS_MARIADB
        } else {
            CHECKS
        };
        for line in self.tried(checks).await?.unwrap_or_default() {
            let table = facts.tables.entry(name_of(&line)).or_default();
            table.checks.push(text(&line, 2).to_owned());
        }
        for line in self.asked(DEFAULTS, "defaults", &mut facts.gaps).await? {
            let table = facts.tables.entry(name_of(&line)).or_default();
            if let Some(column) = table.columns.get_mut(text(&line, 2)) {
                column.default = Some(text(&line, 3).to_owned());
            }
        }
        Ok(())
    }

    async fn read_objects(&self, facts: &mut SourceFacts) -> Result<(), SourceError> {
        for line in self.asked(VIEWS, "views", &mut facts.gaps).await? {
            facts.views.push(ObjectFacts {
                schema: text(&line, 0).into(),
                name: text(&line, 1).into(),
                kind: ObjectKind::View,
                definition: text(&line, 2).into(),
                ..ObjectFacts::default()
            });
        }
        for line in self.asked(ROUTINES, "routines", &mut facts.gaps).await? {
            let is_procedure = text(&line, 2) == "PROCEDURE";
            facts.routines.push(ObjectFacts {
                schema: text(&line, 0).into(),
                name: text(&line, 1).into(),
                kind: if is_procedure {
                    ObjectKind::Procedure
                } else {
                    ObjectKind::Function
                },
                language: Some(text(&line, 3).into()),
                table: None,
                definition: text(&line, 4).into(),
            });
        }
        for line in self.asked(TRIGGERS, "triggers", &mut facts.gaps).await? {
            let [schema, name, table] = [0, 1, 2].map(|place| text(&line, place).to_owned());
            let definition = format!(
                "CREATE TRIGGER {} {} {} ON {} FOR EACH ROW\n{}",
                quote(&name),
                text(&line, 3),
                text(&line, 4),
                quote(&table),
                text(&line, 5)
            );
            facts.triggers.push(ObjectFacts {
                name: format!("{table}.{name}"),
                kind: ObjectKind::Trigger,
                language: None,
                table: Some(TableName::new(&schema, table)),
                schema,
                definition,
            });
        }
        Ok(())
    }

    async fn read_log(&self) -> Result<Option<LogFacts>, SourceError> {
        let log = self.tried(LOG).await?.unwrap_or_default();
        if log.first().and_then(|line| number(line, 0)) != Some(1) {
            return Ok(None);
        }
        let mut found = None;
        for (setting, sql, seconds) in KEPT {
            let lines = self.tried(sql).await?.unwrap_or_default();
            let Some(value) = lines.first().and_then(|line| number(line, 0)) else {
                continue;
            };
            let kept = if value == 0 {
                Kept::Always
            } else {
                Kept::Seconds(value * seconds)
            };
            let facts = LogFacts {
                kept,
                setting: format!("{setting} = {value}"),
                bytes_per_second: None,
            };
            // Of two settings the one that is not 0 counts.
            if value > 0 || found.is_none() {
                found = Some(facts);
            }
            if value > 0 {
                break;
            }
        }
        Ok(found)
    }
}

fn text(line: &Line, place: usize) -> &str {
    line.get(place).and_then(Option::as_deref).unwrap_or_default()
}

/// A number, also one that is printed with a fraction.
fn number(line: &Line, place: usize) -> Option<u64> {
    let text = line.get(place)?.as_deref()?;
    text.split('.').next()?.parse().ok()
}

fn name_of(line: &Line) -> TableName {
    TableName::new(text(line, 0), text(line, 1))
}

/// What a type means, as it is declared: `decimal(40,2)`.
pub(super) fn traits_of(declared: &str) -> Vec<Trait> {
    let lower = declared.to_lowercase();
    let base = lower.split(['(', ' ']).next().unwrap_or_default();
    let first: Option<u32> = lower
        .split_once('(')
        .and_then(|(_, rest)| rest.split([',', ')']).next()?.trim().parse().ok());
    match base {
        "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon" | "geometry"
        | "geometrycollection" | "geomcollection" => vec![Trait::Geospatial],
        "mediumblob" | "longblob" | "mediumtext" | "longtext" => vec![Trait::Large { bytes_max: None }],
        "decimal" | "numeric" => vec![Trait::Numeric {
            precision: Some(first.unwrap_or(10)),
        }],
        "bigint" if lower.contains("unsigned") => vec![Trait::UnsignedBigint],
        "bit" if first.unwrap_or(1) > 1 => vec![Trait::Bits],
        "time" => vec![Trait::LongTime],
        "enum" | "set" => vec![Trait::Enumerated],
        _ => Vec::new(),
    }
}

/// Whether values of a type may be dates that are none.
fn is_date(declared: &str) -> bool {
    let base = declared.split(['(', ' ']).next().unwrap_or_default();
    ["date", "datetime", "timestamp"]
        .iter()
        .any(|kind| base.eq_ignore_ascii_case(kind))
}

async fn measure(
    link: &Link,
    catalog: &Catalog,
    wanted: &HashSet<TableName>,
    facts: &mut SourceFacts,
) -> Result<(), SourceError> {
    let begin = Instant::now();
    let mut late = 0;
    let mut tables: Vec<&CatalogTable> = (wanted.iter())
        .filter_map(|name| catalog.tables.get(name).map(AsRef::as_ref))
        .filter(|table| table.can_select)
        .collect();
    tables.sort_by(|a, b| (a.size_bytes, &a.name).cmp(&(b.size_bytes, &b.name)));
    for table in tables {
        let Some(known) = facts.tables.get_mut(&table.name) else {
            continue;
        };
        let asked: Vec<(String, bool)> = (table.columns.iter())
            .filter_map(|column| {
                let is_large = known.columns.get(&column.name)?.is(Trait::Large { bytes_max: None });
                (is_large || is_date(&column.type_text)).then(|| (column.name.clone(), is_large))
            })
            .collect();
        let keys: Vec<&CatalogForeignKey> = table
            .foreign_keys
            .iter()
            .filter(|key| ignores_case(table, key))
            .collect();
        if asked.is_empty() && keys.is_empty() {
            continue;
        }
        if begin.elapsed() > TIME_MAX {
            late += 1;
            continue;
        }
        let is_sample = table.size_bytes > BYTES_MAX;
        if !asked.is_empty() {
            match link.query(query_of(table, &asked)).await {
                Ok(lines) => take(known, &asked, lines.first(), is_sample),
                Err(error) if error.is_outage() => return Err(error),
                Err(SourceError::Cancelled) => late += 1,
                Err(error) => facts
                    .gaps
                    .push(format!("Could not look at the values of {}: {error}.", table.name)),
            }
        }
        for key in keys.into_iter().filter(|_| !is_sample) {
            let Some(target) = catalog.tables.get(&key.target) else {
                continue;
            };
            match link.query(other_case(table, target, key)).await {
                Ok(lines) if !lines.is_empty() => known.keys.entry(key.name.clone()).or_default().has_other_case = true,
                Err(error) if error.is_outage() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    }
    if late > 0 {
        facts
            .gaps
            .push(format!("The values of {late} tables could not be looked at in time."));
    }
    Ok(())
}

fn query_of(table: &CatalogTable, asked: &[(String, bool)]) -> String {
    let expressions: Vec<String> = (asked.iter())
        .map(|(column, is_large)| {
            let column = format!("t.{}", quote(column));
            match is_large {
                true => format!("MAX(OCTET_LENGTH({column}))"),
                false => format!("MAX(MONTH({column}) = 0 OR DAYOFMONTH({column}) = 0)"),
            }
        })
        .collect();
    let from = if table.size_bytes > BYTES_MAX {
        let row = (table.size_bytes / table.rows_estimated.max(1)).max(1);
        let columns: Vec<String> = asked.iter().map(|(column, _)| quote(column)).collect();
        let rows = (BYTES_MAX / row).clamp(10, ROWS_MAX);
        format!(
            "(SELECT {} FROM {} LIMIT {rows})",
            columns.join(", "),
            table_name(&table.name)
        )
    } else {
        table_name(&table.name)
    };
    format!("SELECT {} FROM {from} t", expressions.join(", "))
}

fn take(
    known: &mut crate::analysis::facts::TableFacts,
    asked: &[(String, bool)],
    line: Option<&Line>,
    is_sample: bool,
) {
    let Some(line) = line else { return };
    for (place, (column, is_large)) in asked.iter().enumerate() {
        let Some(column) = known.columns.get_mut(column) else {
            continue;
        };
        let value = number(line, place);
        column.measured = Some(Measured {
            is_sample,
            bytes: is_large.then(|| value.unwrap_or(0)),
            has_zero_dates: !is_large && value == Some(1),
            ..Measured::default()
        });
    }
}

/// Whether a key compares texts without regard to capital and small letters.
fn ignores_case(table: &CatalogTable, key: &CatalogForeignKey) -> bool {
    key.columns.iter().any(|name| {
        let column = table.column(name).map(|c| &table.columns[c]);
        let collation = column.and_then(|c| c.collation.as_ref());
        collation.is_some_and(|c| c.sql.contains("_ci"))
    })
}

fn other_case(table: &CatalogTable, target: &CatalogTable, key: &CatalogForeignKey) -> String {
    let pairs: Vec<(String, String)> = (key.columns.iter().zip(&key.target_columns))
        .map(|(own, other)| (format!("c.{}", quote(own)), format!("p.{}", quote(other))))
        .collect();
    let equal: Vec<String> = pairs.iter().map(|(own, other)| format!("{own} = {other}")).collect();
    let other: Vec<String> = pairs
        .iter()
        .map(|(own, other)| format!("HEX({own}) <> HEX({other})"))
        .collect();
    format!(
        "SELECT 1 FROM {} c JOIN {} p ON {} WHERE {} LIMIT 1",
        table_name(&table.name),
        table_name(&target.name),
        equal.join(" AND "),
        other.join(" OR ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_mean_what_they_are_declared_as() {
        assert_eq!(traits_of("decimal(40,2)"), [Trait::Numeric { precision: Some(40) }]);
        assert_eq!(traits_of("bigint(20) unsigned"), [Trait::UnsignedBigint]);
        assert!(traits_of("bigint(20)").is_empty() && traits_of("bit(1)").is_empty() && traits_of("text").is_empty());
        assert_eq!(traits_of("bit(8)"), [Trait::Bits]);
        assert_eq!(traits_of("LONGTEXT"), [Trait::Large { bytes_max: None }]);
        assert_eq!(traits_of("set('a','b')"), [Trait::Enumerated]);
        assert_eq!(traits_of("geometry"), [Trait::Geospatial]);
        assert_eq!(traits_of("time(6)"), [Trait::LongTime]);
        assert!(is_date("datetime(6)") && is_date("date") && !is_date("time(6)") && !is_date("year(4)"));
    }
}
