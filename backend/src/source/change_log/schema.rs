//! The schema of a source while its changes are followed: what it was, and what has become of it.

use super::LogState;
use crate::data::catalog::CatalogTable;
use crate::plan::Plan;
use crate::plan::images::{columns_logged, columns_read};
use crate::source::mysql::change_log::MySqlSchema;
use crate::source::postgres::watch::PgSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What a job looks at in the source while it follows changes.
#[derive(Debug, Clone)]
pub struct Watched {
    pub tables: Vec<Arc<CatalogTable>>,
    /// Columns that the plan reads of each table.
    pub columns: Vec<Vec<String>>,
    /// Columns of each table whose values are taken from the log.
    pub logged: Vec<Vec<String>>,
    /// What the job has made in the source.
    pub log: LogState,
}

impl Watched {
    pub fn of(plan: &Plan, log: &LogState) -> Self {
        Self {
            tables: plan.tables(),
            columns: columns_read(plan),
            logged: columns_logged(plan),
            log: log.clone(),
        }
    }
}

/// What the source says of the tables of a plan, as far as documents depend on it. Only the source reads it.
///
/// That of PostgreSQL is stored as it always was, without a mark of its own; every other one under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", rename_all = "camelCase")]
pub enum SchemaState {
    Mysql(MySqlSchema),
    #[serde(untagged)]
    Postgresql(PgSchema),
}

impl TryFrom<Value> for SchemaState {
    type Error = serde_json::Error;

    fn try_from(mut value: Value) -> Result<Self, Self::Error> {
        match value.get_mut("mysql").map(Value::take) {
            Some(own) => serde_json::from_value(own).map(SchemaState::Mysql),
            None => serde_json::from_value(value).map(SchemaState::Postgresql),
        }
    }
}

impl SchemaState {
    /// What is different in a newer state.
    pub fn changes_to(&self, newer: &SchemaState) -> Vec<SchemaChange> {
        match (self, newer) {
            (SchemaState::Postgresql(old), SchemaState::Postgresql(newer)) => old.changes_to(newer),
            (SchemaState::Mysql(old), SchemaState::Mysql(newer)) => old.changes_to(newer),
            // A job has one source for all its life.
            (SchemaState::Postgresql(_), _) | (SchemaState::Mysql(_), _) => Vec::new(),
        }
    }

    /// Whether changes of the same tables get into the log in the very same way.
    pub fn is_logged_alike(&self, other: &SchemaState) -> bool {
        match (self, other) {
            (SchemaState::Postgresql(own), SchemaState::Postgresql(other)) => own.is_same_publication(other),
            (SchemaState::Mysql(_), SchemaState::Mysql(_)) => true,
            (SchemaState::Postgresql(_), _) | (SchemaState::Mysql(_), _) => false,
        }
    }
}

/// A part of a table that holds rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// As it stands in a query.
    pub name: String,
    pub size_bytes: u64,
}

/// One difference, for the table of this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaChange {
    /// There is no such table any more.
    TableGone(usize),
    /// A column that the plan reads is gone or has another type, or the primary key is another one.
    Columns { table: usize, gone: Vec<String> },
    /// Another table has the name now, or the rows were rewritten.
    Rewritten(usize),
    /// Only what the plan does not read is another one: in the log the values stand at other places now.
    Redefined(usize),
    /// The rows lie elsewhere, and it may be that their changes were not logged for a while.
    Moved(usize),
    /// Partitions that were attached or made.
    LeavesAdded { table: usize, leaves: Vec<Leaf> },
    /// Partitions that were detached or dropped.
    LeavesRemoved(usize),
    /// Not every change of the table is logged now. `lack` is the source's word for it: `not published`.
    NotLogged {
        table: usize,
        lack: &'static str,
        reason: String,
    },
    /// Every change is logged now, but nothing says that it was so since the last look. `cause` says what has happened,
    /// in a clause: `the publication was changed`.
    LoggedAnew { table: usize, cause: &'static str },
    /// A label of an enum has another text, or a composite type has other attributes.
    TypeChanged,
}
