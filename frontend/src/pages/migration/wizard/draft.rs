//! What the user has entered so far.

use crate::connections::draft::{DestinationDraft, SourceDraft};
use crate::connections::save::SaveDraft;
use reactive_stores::Store;
use serde::{Deserialize, Serialize};

/// What the limit of errors is where nobody said otherwise.
pub const ERROR_LIMIT_DEFAULT: u64 = 100;

/// No `Debug`: it holds passwords.
#[derive(Clone, PartialEq, Store, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub source: SourceDraft,
    pub destination: DestinationDraft,
    /// Of a source that was typed in.
    pub save_source: SaveDraft,
    /// Of a destination that was typed in.
    pub save_destination: SaveDraft,
    pub options: OptionsDraft,
    /// What was typed to agree to the loss of documents.
    #[serde(skip)]
    pub confirmation: String,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            source: SourceDraft::in_fields(),
            destination: DestinationDraft::default(),
            save_source: SaveDraft::default(),
            save_destination: SaveDraft::default(),
            options: OptionsDraft::default(),
            confirmation: String::new(),
        }
    }
}

#[derive(Clone, PartialEq, Store, Serialize, Deserialize)]
#[serde(default)]
pub struct OptionsDraft {
    pub is_continuous: bool,
    /// Let the job set the replica identities that it needs. Continuous jobs only.
    pub prepare_source: bool,
    /// Whether only some of the collections are written.
    pub is_selective: bool,
    /// The names of those that are not.
    pub left_out: Vec<String>,
    pub collection_filter: String,
    pub drop_collections: bool,
    /// Compare everything at the end. Snapshot jobs only.
    pub verifies: bool,
    pub has_error_limit: bool,
    pub error_limit: String,
}

impl Default for OptionsDraft {
    fn default() -> Self {
        Self {
            is_continuous: false,
            prepare_source: false,
            is_selective: false,
            left_out: vec![],
            collection_filter: String::new(),
            drop_collections: false,
            verifies: false,
            has_error_limit: true,
            error_limit: ERROR_LIMIT_DEFAULT.to_string(),
        }
    }
}
