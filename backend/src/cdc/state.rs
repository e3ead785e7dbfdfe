//! What a continuous job remembers between two batches and over a restart.

use crate::plan::routes::decode_key;
use crate::source::postgres::identity::PreviousIdentity;
use crate::source::postgres::preflight::replication_name;
use crate::source::postgres::replication::Lsn;
use crate::source::postgres::replication::slot::SystemIdentity;
use crate::source::postgres::watch::SchemaState;
use serde::{Deserialize, Serialize};

/// The checkpoint of a continuous job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CdcState {
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
    /// What is known of slot and source since the slot was made; before, nothing can be followed.
    pub stream: Option<StreamState>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamState {
    pub system: SystemIdentity,
    /// Everything before it is durable in the destination.
    pub position: Lsn,
    /// The snapshot stage is done.
    pub is_snapshot_done: bool,
    /// The schema that the documents were made from.
    pub schema: SchemaState,
    /// Where *Complete CDC* found the end of the log.
    pub complete_at: Option<Lsn>,
    /// Root keys whose documents MongoDB did not take, to be tried again: they may fit later.
    pub refused: Vec<RefusedRoot>,
    /// Documents that were in a collection before and are not the job's, by collection.
    pub foreign: Vec<(String, u64)>,
    /// The documents were there before the job: nobody has counted which of them are of its rows.
    #[serde(default)]
    pub is_without_snapshot: bool,
}

/// What a collection holds besides the documents of the job's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    Documents(u64),
    Unknown,
}

impl StreamState {
    pub fn foreign_of(&self, collection: &str) -> Foreign {
        if self.is_without_snapshot {
            return Foreign::Unknown;
        }
        let held = self.foreign.iter().find(|(name, _)| name == collection);
        Foreign::Documents(held.map_or(0, |(_, count)| *count))
    }

    /// The root of this key, in the form of [`encode_key`](crate::plan::routes::encode_key), is rebuilt with the next
    /// batch.
    pub fn try_again(&mut self, collection: &str, root: usize, key: &[u8]) {
        let root = RefusedRoot {
            collection: collection.into(),
            root,
            key: decode_key(key).into_iter().map(|part| part.map(Into::into)).collect(),
        };
        if !self.refused.contains(&root) {
            self.refused.push(root);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRoot {
    pub collection: String,
    pub root: usize,
    pub key: Vec<Option<String>>,
}

impl CdcState {
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
            stream: None,
        }
    }

    /// Whether this job reads the relation of another one, and so needs its replica identity as it is. Where the one or
    /// the other does not know its server or database, by what is left.
    pub fn reads(&self, relation: u32, other: &CdcState) -> bool {
        let is_same = |own: Option<&String>, theirs: Option<&String>| match (own, theirs) {
            (Some(own), Some(theirs)) => own == theirs,
            (None, _) | (_, None) => true,
        };
        let system = |state: &CdcState| {
            let of_stream = state.stream.as_ref().map(|s| s.system.system_id.clone());
            of_stream.or_else(|| state.system.clone())
        };
        is_same(system(self).as_ref(), system(other).as_ref())
            && is_same(self.database.as_ref(), other.database.as_ref())
            && self.all_relations().any(|own| own == relation)
    }

    /// Those known at the beginning, and partitions that came later.
    fn all_relations(&self) -> impl Iterator<Item = u32> {
        let tables = self.stream.iter().flat_map(|s| s.schema.tables.iter().flatten());
        let streamed = tables.flat_map(|t| t.relations.iter().map(|r| r.oid));
        self.relations.iter().copied().chain(streamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(database: Option<&str>, system: Option<&str>, relations: &[u32]) -> CdcState {
        CdcState {
            database: database.map(Into::into),
            system: system.map(Into::into),
            relations: relations.to_vec(),
            ..CdcState::new("p", "j")
        }
    }

    #[test]
    fn only_who_reads_the_same_relation_of_the_same_database_needs_its_identity() {
        let own = state(Some("a"), Some("1"), &[10]);
        let reads = |other: CdcState| other.reads(10, &own);
        assert!(reads(state(Some("a"), Some("1"), &[9, 10])));
        assert!(!reads(state(Some("a"), Some("1"), &[9])));
        assert!(!reads(state(Some("b"), Some("1"), &[10])));
        assert!(!reads(state(Some("a"), Some("2"), &[10])));
        // What is not known may be the same.
        assert!(reads(state(None, None, &[10])));
    }

    #[test]
    fn checkpoints_of_earlier_versions_are_read() {
        let old = r#"{"slot":"s","publication":"s","ownsPublication":true,"previousIdentities":[],"stream":null}"#;
        let read: CdcState = serde_json::from_str(old).expect("a checkpoint");
        assert_eq!((read.database, read.relations), (None, vec![]));
    }
}
