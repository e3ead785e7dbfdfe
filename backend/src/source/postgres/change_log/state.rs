//! What is stored of a job's slot, publication and replica identities.

use crate::source::SourceError;
use crate::source::change_log::{LogState, ServerIdentity};
use crate::source::postgres::identity::{LackingIdentity, PreviousIdentity};
use crate::source::postgres::preflight::replication_name;
use crate::source::postgres::watch::PgSchema;
use serde::{Deserialize, Serialize};

fn other() -> SourceError {
    SourceError::LogUnusable {
        reason: "the job has followed a source of another kind".into(),
    }
}

/// What a job has made in the server, or changed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PgLogState {
    pub slot: String,
    pub publication: String,
    /// The publication was made by the job, and goes with it.
    pub owns_publication: bool,
    /// Replica identities that the job has changed because the user asked for it.
    pub previous_identities: Vec<PreviousIdentity>,
    /// The database that the job reads; `None` where an earlier version began it.
    #[serde(default)]
    pub database: Option<String>,
    /// The system identifier of its server, where the user may ask for it.
    #[serde(default)]
    pub system: Option<String>,
    /// Every relation whose old images the job needs, by object id.
    #[serde(default)]
    pub relations: Vec<u32>,
}

impl PgLogState {
    /// That of a job which follows a PostgreSQL.
    ///
    /// # Errors
    /// When it follows another source.
    pub fn of(log: &LogState) -> Result<&Self, SourceError> {
        match log {
            LogState::Postgresql(log) => Ok(log),
            LogState::Mysql(_) => Err(other()),
        }
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// When it follows another source.
    pub fn of_mut(log: &mut LogState) -> Result<&mut Self, SourceError> {
        match log {
            LogState::Postgresql(log) => Ok(log),
            LogState::Mysql(_) => Err(other()),
        }
    }

    /// Before anything is made in the source. Names follow from project and job, so that what a crash leaves is found
    /// again.
    pub fn new(project: &str, job: &str) -> Self {
        let short: String = job.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        let name = format!("{}_{}", replication_name(project), short.to_ascii_lowercase());
        Self {
            slot: name.clone(),
            publication: name,
            owns_publication: true,
            previous_identities: Vec::new(),
            database: None,
            system: None,
            relations: Vec::new(),
        }
    }

    /// Notes what relations have now, before it is changed. What was noted first counts.
    pub(super) fn remember(&mut self, lacking: &[LackingIdentity]) {
        let known: Vec<u32> = self.previous_identities.iter().map(|p| p.oid).collect();
        let new = lacking.iter().map(LackingIdentity::previous);
        self.previous_identities.extend(new.filter(|p| !known.contains(&p.oid)));
    }

    /// Whether this job reads the relation of another one, and so needs its replica identity as it is. Where the one or
    /// the other does not know its server or database, by what is left. What was `seen` with its stream is newer.
    pub fn reads(
        &self,
        seen: Option<(&ServerIdentity, &PgSchema)>,
        relation: u32,
        (other, other_server): (&PgLogState, Option<&ServerIdentity>),
    ) -> bool {
        let is_same = |own: Option<&String>, theirs: Option<&String>| match (own, theirs) {
            (Some(own), Some(theirs)) => own == theirs,
            (None, _) | (_, None) => true,
        };
        let own_system = seen.map(|(server, _)| &server.system_id).or(self.system.as_ref());
        let their_system = other_server.map(|server| &server.system_id).or(other.system.as_ref());
        // Those known at the beginning, and partitions that came later.
        let reads = |oid| {
            let streamed = seen.iter().flat_map(|(_, schema)| schema.tables.iter().flatten());
            let mut streamed = streamed.flat_map(|t| t.relations.iter().map(|r| r.oid));
            self.relations.contains(&oid) || streamed.any(|own| own == oid)
        };
        is_same(own_system, their_system) && is_same(self.database.as_ref(), other.database.as_ref()) && reads(relation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(database: Option<&str>, system: Option<&str>, relations: &[u32]) -> PgLogState {
        PgLogState {
            database: database.map(Into::into),
            system: system.map(Into::into),
            relations: relations.to_vec(),
            ..PgLogState::new("p", "j")
        }
    }

    #[test]
    fn only_who_reads_the_same_relation_of_the_same_database_needs_its_identity() {
        let own = state(Some("a"), Some("1"), &[10]);
        let reads = |other: PgLogState| other.reads(None, 10, (&own, None));
        assert!(reads(state(Some("a"), Some("1"), &[9, 10])));
        assert!(!reads(state(Some("a"), Some("1"), &[9])));
        assert!(!reads(state(Some("b"), Some("1"), &[10])));
        assert!(!reads(state(Some("a"), Some("2"), &[10])));
        // What is not known may be the same.
        assert!(reads(state(None, None, &[10])));
    }

    #[test]
    fn the_server_of_the_stream_counts_before_the_one_that_was_noted() {
        let server = |id: &str| ServerIdentity {
            system_id: id.into(),
            timeline: "1".into(),
        };
        let (own, other) = (state(None, Some("1"), &[10]), state(None, Some("2"), &[10]));
        let (first, second) = (server("1"), server("2"));
        let nothing = PgSchema::default();
        assert!(!own.reads(None, 10, (&other, None)));
        assert!(own.reads(None, 10, (&other, Some(&first))));
        assert!(own.reads(Some((&second, &nothing)), 10, (&other, None)));
    }
}
