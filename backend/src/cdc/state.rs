//! What a continuous job remembers between two batches and over a restart.

use crate::data::position::LogPosition;
use crate::plan::routes::decode_key;
use crate::source::change_log::{Followed, LogState, SchemaState, ServerIdentity};
use serde::{Deserialize, Serialize};

/// The checkpoint of a continuous job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CdcState {
    /// What the job has made in the source.
    #[serde(flatten)]
    pub log: LogState,
    /// What is known of the stream since it can be read; before, nothing can be followed.
    pub stream: Option<StreamState>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamState {
    pub system: ServerIdentity,
    /// Everything before it is durable in the destination.
    pub position: LogPosition,
    /// The snapshot stage is done.
    pub is_snapshot_done: bool,
    /// The schema that the documents were made from.
    pub schema: SchemaState,
    /// Where *Complete CDC* found the end of the log.
    pub complete_at: Option<LogPosition>,
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
    /// Before anything is made in the source.
    pub fn new(log: LogState) -> Self {
        Self { log, stream: None }
    }

    /// Whether this job needs what another one has changed in the source.
    pub fn needs(&self, object: u32, other: &CdcState) -> bool {
        self.followed().needs(object, &other.followed())
    }

    fn followed(&self) -> Followed<'_> {
        Followed {
            log: &self.log,
            seen: self.stream.as_ref().map(|s| (&s.system, &s.schema)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// As PostgreSQL jobs have been stored since there are checkpoints of them.
    fn stored() -> Value {
        let relation = |oid: u32| {
            json!({"oid": oid, "name": "\"public\".\"t\"", "file": 30, "described": ["740", "741"],
                "size_bytes": 8192, "is_unlogged": false})
        };
        json!({
            "slot": "godwit_p_j", "publication": "own", "ownsPublication": false,
            "previousIdentities": [{"oid": 20, "relation": "public.t",
                "identity": {"kind": "index", "index": "t_key"}}],
            "database": "d", "system": "7301", "relations": [20],
            "stream": {
                "system": {"system_id": "7302", "timeline": "1"},
                "position": 97_430_000_000_000_u64, "isSnapshotDone": true,
                "schema": {
                    "tables": [null, {"oid": 20, "relations": [relation(20), relation(21)],
                        "columns": {"id": {"number": 1, "type_oid": 23, "modifier": -1}}, "primary_key": ["id"]}],
                    "labels": {"16400": "new"}, "composites": {"16410": "x 23 -1"},
                    "publication": {"version": "16500.742", "lacks": [],
                        "relations": {"20": {"ways": ["16501.743"], "is_listed": true, "faults": []}}},
                },
                "completeAt": 97_430_000_000_001_u64,
                "refused": [{"collection": "ts", "root": 0, "key": ["1", null]}],
                "foreign": [["ts", 3]], "isWithoutSnapshot": false,
            },
        })
    }

    #[test]
    fn checkpoints_of_earlier_versions_are_read() {
        let old = r#"{"slot":"s","publication":"s","ownsPublication":true,"previousIdentities":[],"stream":null}"#;
        let read: CdcState = serde_json::from_str(old).expect("a checkpoint");
        let LogState::Postgresql(log) = read.log else {
            panic!("it is of another source");
        };
        assert_eq!((log.database, log.relations, log.slot), (None, vec![], "s".into()));
    }

    #[test]
    fn a_checkpoint_with_a_stream_is_read_and_stored_as_ever() {
        let read: CdcState = serde_json::from_str(&stored().to_string()).expect("a checkpoint");
        let stream = read.stream.as_ref().expect("a stream");
        assert_eq!(stream.position, LogPosition(97_430_000_000_000));
        assert_eq!(read.log.changed(), [20]);
        assert_eq!(serde_json::to_value(&read).expect("a checkpoint"), stored());
    }

    #[test]
    fn a_partition_that_came_later_is_needed_as_well() {
        let read: CdcState = serde_json::from_value(stored()).expect("a checkpoint");
        let mut elsewhere = read.clone();
        elsewhere.stream.as_mut().expect("a stream").system.system_id = "7303".into();
        assert!(read.needs(20, &read) && read.needs(21, &read));
        assert!(!read.needs(22, &read) && !read.needs(20, &elsewhere));
    }
}
