//! What a file says of itself: views, triggers, definitions of tables, and how large its values are.

use super::client::query_error;
use super::queries::{quote, table_name};
use super::schema::SCHEMA;
use crate::analysis::facts::{
    ColumnFacts, KeyFacts, Measured, ObjectFacts, ObjectKind, SourceFacts, TableFacts, Trait,
};
use crate::analysis::sql::words;
use crate::data::catalog::{Catalog, CatalogTable};
use crate::source::SourceError;
use godwit_shared::schema::TableName;
use rusqlite::Connection;
use std::collections::HashSet;
use std::time::{Duration, Instant};

const OBJECTS: &str = "SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_schema \
    WHERE type IN ('view', 'trigger', 'table') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
const VIRTUAL: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual' ORDER BY name";
const DEFAULTS: &str =
    "SELECT name, dflt_value FROM pragma_table_xinfo(?1, 'main') WHERE dflt_value IS NOT NULL AND hidden = 0";
const KEYS: &str = "SELECT \"from\", on_update, on_delete FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq";

/// For the values of all tables together.
const TIME_MAX: Duration = Duration::from_secs(20);
/// Of a table that is larger only its first rows are read.
const BYTES_MAX: u64 = 32 << 20;
const ROWS_MAX: u64 = 10_000;

/// Asks for all of it.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn analyse(
    connection: &Connection,
    catalog: &Catalog,
    wanted: &HashSet<TableName>,
) -> Result<SourceFacts, SourceError> {
    let mut facts = SourceFacts::default();
    for table in catalog.tables.values() {
        facts.tables.insert(table.name.clone(), facts_of(connection, table)?);
    }
    read_objects(connection, &mut facts)?;
    let mut listed = connection.prepare(VIRTUAL).map_err(query_error)?;
    let names = listed
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(query_error)?;
    for name in names {
        let name = TableName::new(SCHEMA, name.map_err(query_error)?);
        facts.unread.push((name, "is a virtual table".into()));
    }
    measure(connection, catalog, wanted, &mut facts)?;
    Ok(facts)
}

fn facts_of(connection: &Connection, table: &CatalogTable) -> Result<TableFacts, SourceError> {
    let mut facts = TableFacts::default();
    for column in &table.columns {
        let base = column.type_text.split('(').next().unwrap_or_default().trim();
        let is_large = ["TEXT", "CLOB", "BLOB"]
            .iter()
            .any(|large| base.eq_ignore_ascii_case(large));
        let traits = if is_large {
            vec![Trait::Large { bytes_max: None }]
        } else {
            Vec::new()
        };
        let of = ColumnFacts {
            traits,
            ..ColumnFacts::default()
        };
        facts.columns.insert(column.name.clone(), of);
    }
    let mut read = connection.prepare(DEFAULTS).map_err(query_error)?;
    let mut rows = read.query([&table.name.table]).map_err(query_error)?;
    while let Some(row) = rows.next().map_err(query_error)? {
        let (name, default): (String, String) = (row.get(0).map_err(query_error)?, row.get(1).map_err(query_error)?);
        if let Some(column) = facts
            .columns
            .get_mut(&name)
            .filter(|_| !default.eq_ignore_ascii_case("NULL"))
        {
            column.default = Some(default);
        }
    }
    let mut read = connection.prepare(KEYS).map_err(query_error)?;
    let mut rows = read.query([&table.name.table]).map_err(query_error)?;
    while let Some(row) = rows.next().map_err(query_error)? {
        let [from, on_update, on_delete] = [0, 1, 2].map(|place| row.get::<_, String>(place).unwrap_or_default());
        let action = |action: String| {
            ["CASCADE", "SET NULL", "SET DEFAULT"]
                .contains(&action.as_str())
                .then_some(action)
        };
        // Keys have no names: the column says which one it is.
        let key = (table.foreign_keys.iter()).find(|key| key.columns.iter().any(|c| c.eq_ignore_ascii_case(&from)));
        if let Some(key) = key {
            let known = facts.keys.entry(key.name.clone()).or_insert_with(KeyFacts::default);
            known.on_update = action(on_update);
            known.on_delete = action(on_delete);
        }
    }
    Ok(facts)
}

fn read_objects(connection: &Connection, facts: &mut SourceFacts) -> Result<(), SourceError> {
    let mut read = connection.prepare(OBJECTS).map_err(query_error)?;
    let mut rows = read.query([]).map_err(query_error)?;
    while let Some(row) = rows.next().map_err(query_error)? {
        let [kind, name, table, sql] = [0, 1, 2, 3].map(|place| row.get::<_, String>(place).unwrap_or_default());
        match kind.as_str() {
            "view" => facts.views.push(ObjectFacts {
                schema: SCHEMA.into(),
                name,
                kind: ObjectKind::View,
                definition: sql,
                ..ObjectFacts::default()
            }),
            "trigger" => facts.triggers.push(ObjectFacts {
                schema: SCHEMA.into(),
                name: format!("{table}.{name}"),
                kind: ObjectKind::Trigger,
                language: None,
                table: Some(TableName::new(SCHEMA, table)),
                definition: sql,
            }),
            _ => {
                // Conditions have no list: they stand in the definition alone.
                let count = words(&sql).iter().filter(|word| *word == "check").count();
                if let Some(known) = facts.tables.get_mut(&TableName::new(SCHEMA, name)) {
                    known.checks = (1..=count)
                        .map(|n| format!("condition {n} of the definition"))
                        .collect();
                }
            }
        }
    }
    Ok(())
}

fn measure(
    connection: &Connection,
    catalog: &Catalog,
    wanted: &HashSet<TableName>,
    facts: &mut SourceFacts,
) -> Result<(), SourceError> {
    let begin = Instant::now();
    let mut late = 0;
    let mut tables: Vec<&CatalogTable> = wanted
        .iter()
        .filter_map(|name| catalog.tables.get(name).map(AsRef::as_ref))
        .collect();
    tables.sort_by(|a, b| (a.size_bytes, &a.name).cmp(&(b.size_bytes, &b.name)));
    for table in tables {
        let Some(known) = facts.tables.get_mut(&table.name) else {
            continue;
        };
        let large: Vec<String> = (table.columns.iter())
            .filter(|c| {
                known
                    .columns
                    .get(&c.name)
                    .is_some_and(|f| f.is(Trait::Large { bytes_max: None }))
            })
            .map(|c| c.name.clone())
            .collect();
        if large.is_empty() {
            continue;
        }
        if begin.elapsed() > TIME_MAX {
            late += 1;
            continue;
        }
        let is_sample = table.size_bytes > BYTES_MAX;
        let most: Vec<String> = large
            .iter()
            .map(|c| format!("max(length(CAST(t.{} AS BLOB)))", quote(c)))
            .collect();
        let limit = if is_sample {
            format!(" LIMIT {ROWS_MAX}")
        } else {
            String::new()
        };
        let sql = format!(
            "SELECT {} FROM (SELECT * FROM {}{limit}) AS t",
            most.join(", "),
            table_name(table)
        );
        let read = connection.query_row(&sql, [], |row| {
            (0..large.len())
                .map(|place| row.get::<_, Option<i64>>(place))
                .collect::<Result<Vec<_>, _>>()
        });
        for (column, bytes) in large.iter().zip(read.map_err(query_error)?) {
            if let Some(column) = known.columns.get_mut(column) {
                column.measured = Some(Measured {
                    is_sample,
                    bytes: Some(bytes.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)),
                    ..Measured::default()
                });
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
