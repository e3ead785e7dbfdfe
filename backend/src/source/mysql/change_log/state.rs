//! What is stored of a source, and what is noticed of a changed schema.

use crate::source::SourceError;
use crate::source::change_log::{SchemaChange, Watched};
use crate::source::mysql::link::{Line, Link};
use crate::source::mysql::queries::literal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a job has made in the server: nothing. A server keeps its log for a time, whoever reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MySqlLogState {}

/// What the catalog says of the tables of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MySqlSchema {
    /// In the order of the tables; `None` where there is no such table.
    pub tables: Vec<Option<TableState>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableState {
    /// Columns that the plan reads, by name: type, collation and what else makes their values.
    columns: BTreeMap<String, String>,
    primary_key: Vec<String>,
    /// All columns in their order: where the log has their values.
    layout: String,
}

impl MySqlSchema {
    /// What is different in a newer state.
    pub fn changes_to(&self, newer: &MySqlSchema) -> Vec<SchemaChange> {
        let mut changes = Vec::new();
        for (place, (old, new)) in self.tables.iter().zip(&newer.tables).enumerate() {
            match (old, new) {
                (_, None) => changes.push(SchemaChange::TableGone(place)),
                (None, Some(_)) => changes.push(SchemaChange::Rewritten(place)),
                (Some(old), Some(new)) if old.columns != new.columns || old.primary_key != new.primary_key => {
                    let gone = old.columns.keys().filter(|name| !new.columns.contains_key(*name));
                    changes.push(SchemaChange::Columns {
                        table: place,
                        gone: gone.cloned().collect(),
                    });
                }
                (Some(old), Some(new)) if old.layout != new.layout => changes.push(SchemaChange::Redefined(place)),
                (Some(_), Some(_)) => {}
            }
        }
        changes
    }
}

/// So many tables are looked up one by one; more of them by reading all of their database.
const LOOKED_UP_MAX: usize = 10;

const COLUMNS: &str = "c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, COALESCE(c.COLLATION_NAME, ''), \
    c.EXTRA, c.GENERATION_EXPRESSION FROM information_schema.COLUMNS c";
const KEYS: &str = "k.TABLE_SCHEMA, k.TABLE_NAME, k.COLUMN_NAME FROM information_schema.STATISTICS k";

/// Reads the state as it is now. Inside of a point in time that holds the definitions it is that of the point.
///
/// # Errors
/// When the source does not answer.
pub async fn read_schema(link: &Link, watched: &Watched) -> Result<MySqlSchema, SourceError> {
    let mut state = MySqlSchema {
        tables: vec![None; watched.tables.len()],
    };
    let columns = questions(
        watched,
        COLUMNS,
        "c",
        "",
        "c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION",
    );
    let keys = questions(
        watched,
        KEYS,
        "k",
        " AND k.INDEX_NAME = 'PRIMARY'",
        "k.TABLE_SCHEMA, k.TABLE_NAME, k.SEQ_IN_INDEX",
    );
    for sql in columns {
        for line in link.query(sql).await? {
            let cell = |place: usize| line.get(place).cloned().flatten().unwrap_or_default();
            let Some(place) = place_of(watched, &line) else {
                continue;
            };
            let table = state.tables[place].get_or_insert_with(|| TableState {
                columns: BTreeMap::new(),
                primary_key: Vec::new(),
                layout: String::new(),
            });
            let (name, type_text) = (cell(2), cell(3));
            table.layout.push_str(&format!("{name} {type_text}, "));
            if watched.columns.get(place).is_some_and(|read| read.contains(&name)) {
                let generated = if cell(5).contains("GENERATED") {
                    cell(6)
                } else {
                    String::new()
                };
                table
                    .columns
                    .insert(name, format!("{type_text} {} {generated}", cell(4)));
            }
        }
    }
    for sql in keys {
        for line in link.query(sql).await? {
            if let Some(place) = place_of(watched, &line)
                && let (Some(table), Some(Some(column))) = (&mut state.tables[place], line.get(2))
            {
                table.primary_key.push(column.clone());
            }
        }
    }
    // Names and types of a wide table would fill every checkpoint.
    for table in state.tables.iter_mut().flatten() {
        table.layout = format!("{:032x}", fingerprint(&table.layout));
    }
    Ok(state)
}

/// FNV-1a: only whether two texts are the same is asked.
fn fingerprint(text: &str) -> u128 {
    text.bytes()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        })
}

fn place_of(watched: &Watched, line: &Line) -> Option<usize> {
    let cell = |place: usize| line.get(place).and_then(Option::as_deref);
    let is_it = |schema: &str, table: &str| cell(0) == Some(schema) && cell(1) == Some(table);
    watched.tables.iter().position(|t| is_it(&t.name.schema, &t.name.table))
}

/// A server finds a table of its catalog at once when it is asked for by name, and else reads all of a database.
fn questions(watched: &Watched, what: &str, alias: &str, also: &str, order: &str) -> Vec<String> {
    let mut by_schema: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for table in &watched.tables {
        by_schema.entry(&table.name.schema).or_default().push(&table.name.table);
    }
    let mut questions = Vec::new();
    for (schema, names) in by_schema {
        let of_schema = format!("{alias}.TABLE_SCHEMA = {}", literal(schema));
        let conditions: Vec<String> = if names.len() <= LOOKED_UP_MAX {
            names.iter().map(|name| format!("= {}", literal(name))).collect()
        } else {
            let listed: Vec<String> = names.iter().map(|name| literal(name)).collect();
            vec![format!("IN ({})", listed.join(", "))]
        };
        let each = conditions.iter().map(|condition| {
            format!("SELECT {what} WHERE {of_schema} AND {alias}.TABLE_NAME {condition}{also} ORDER BY {order}")
        });
        questions.extend(each);
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(columns: &[(&str, &str)], layout: &str) -> MySqlSchema {
        let columns = columns.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned()));
        MySqlSchema {
            tables: vec![Some(TableState {
                columns: columns.collect(),
                primary_key: vec!["id".into()],
                layout: layout.into(),
            })],
        }
    }

    #[test]
    fn what_documents_depend_on_is_told_from_the_rest() {
        let old = state(&[("id", "int"), ("n", "varchar(20)")], "a");
        assert_eq!(old.changes_to(&old), []);
        let columns = |gone: &[&str]| SchemaChange::Columns {
            table: 0,
            gone: gone.iter().map(|g| (*g).to_owned()).collect(),
        };
        assert_eq!(
            old.changes_to(&state(&[("id", "int"), ("n", "varchar(3)")], "b")),
            [columns(&[])]
        );
        assert_eq!(old.changes_to(&state(&[("id", "int")], "b")), [columns(&["n"])]);
        let wider = state(&[("id", "int"), ("n", "varchar(20)")], "b");
        assert_eq!(old.changes_to(&wider), [SchemaChange::Redefined(0)]);
        let gone = MySqlSchema { tables: vec![None] };
        assert_eq!(old.changes_to(&gone), [SchemaChange::TableGone(0)]);
        assert_eq!(gone.changes_to(&old), [SchemaChange::Rewritten(0)]);
    }

    #[test]
    fn layouts_are_told_apart() {
        assert_ne!(fingerprint("a int, b int, "), fingerprint("b int, a int, "));
    }
}
