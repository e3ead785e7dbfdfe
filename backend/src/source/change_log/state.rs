//! What a job makes in a source so that it can follow changes: what is stored of it, and what is left of it.

use super::SchemaState;
use crate::source::mysql::change_log::MySqlLogState;
use crate::source::postgres::change_log::{PgLogState, left};
use crate::source::postgres::preflight::Continuous;
use godwit_shared::connection::SourceKind;
use godwit_shared::ids::JobId;
use godwit_shared::job::LeftInSource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which server and which history of it a position belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIdentity {
    pub system_id: String,
    /// Empty where a server has one history alone.
    pub timeline: String,
}

/// What a job has made in the source, or changed there. Only the source reads it.
///
/// That of PostgreSQL is stored as it always was, without a mark of its own; every other one under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", rename_all = "camelCase")]
pub enum LogState {
    Mysql(MySqlLogState),
    #[serde(untagged)]
    Postgresql(PgLogState),
}

impl TryFrom<Value> for LogState {
    type Error = serde_json::Error;

    fn try_from(mut value: Value) -> Result<Self, Self::Error> {
        match value.get_mut("mysql").map(Value::take) {
            Some(own) => serde_json::from_value(own).map(LogState::Mysql),
            None => serde_json::from_value(value).map(LogState::Postgresql),
        }
    }
}

/// What the checks have found to be done at the source before changes can be followed. Only the source reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preparation {
    /// The job has begun already: all is done.
    Done,
    /// There is nothing to do: the log is there, whoever reads it.
    Nothing,
    Postgresql(Continuous),
}

/// Something that one job has changed and another one needs as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// As [`LogState::changed`] numbers it.
    pub object: u32,
    /// The one that needs it.
    pub job: JobId,
}

/// Something of a job that is still in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    pub told: LeftInSource,
    /// It stays for another job, and goes when that one has ended.
    pub is_shared: bool,
}

/// What is known of a job that follows changes.
#[derive(Debug, Clone, Copy)]
pub struct Followed<'a> {
    pub log: &'a LogState,
    /// Server and schema that were seen last, once there is a stream.
    pub seen: Option<(&'a ServerIdentity, &'a SchemaState)>,
}

impl LogState {
    /// What a job would make in a source of this kind: see [`ChangeLog::new_state`](super::ChangeLog::new_state). Nothing
    /// where no changes can be followed.
    pub fn new(kind: SourceKind, project: &str, job: &str) -> Option<Self> {
        match kind {
            SourceKind::Postgresql => Some(LogState::Postgresql(PgLogState::new(project, job))),
            SourceKind::Mysql | SourceKind::Mariadb => Some(LogState::Mysql(MySqlLogState::default())),
            SourceKind::Sqlite => None,
        }
    }

    /// What the job has changed and other jobs may need as it is, by the source's numbers.
    pub fn changed(&self) -> Vec<u32> {
        match self {
            LogState::Postgresql(log) => log.previous_identities.iter().map(|was| was.oid).collect(),
            LogState::Mysql(_) => Vec::new(),
        }
    }

    /// All that a job may have left in a source that cannot be reached.
    pub fn all_left(&self, reason: &str) -> Vec<Leftover> {
        match self {
            LogState::Postgresql(log) => left::all_left(log, reason),
            LogState::Mysql(_) => Vec::new(),
        }
    }

    /// What stays for other jobs.
    pub fn left_shared(&self, shared: &[Shared]) -> Vec<Leftover> {
        match self {
            LogState::Postgresql(log) => left::shared_identities(log, shared),
            LogState::Mysql(_) => Vec::new(),
        }
    }
}

impl Followed<'_> {
    /// Whether this job needs what another one has changed.
    pub fn needs(&self, object: u32, other: &Followed<'_>) -> bool {
        let (LogState::Postgresql(own), LogState::Postgresql(theirs)) = (self.log, other.log) else {
            return false;
        };
        let seen = self.seen.and_then(|(server, schema)| match schema {
            SchemaState::Postgresql(schema) => Some((server, schema)),
            SchemaState::Mysql(_) => None,
        });
        own.reads(seen, object, (theirs, other.seen.map(|(server, _)| server)))
    }
}
