//! What the user has entered so far.

use crate::connections::draft::{DestinationDraft, SourceDraft};
use reactive_stores::Store;

/// What the limit of errors is where nobody said otherwise.
pub const ERROR_LIMIT_DEFAULT: u64 = 100;

/// No `Debug`: it holds passwords.
#[derive(Clone, PartialEq, Default, Store)]
pub struct Draft {
    pub source: SourceDraft,
    pub destination: DestinationDraft,
    pub options: OptionsDraft,
}

#[derive(Clone, PartialEq, Store)]
pub struct OptionsDraft {
    pub is_continuous: bool,
    /// Let the job set the replica identities that it needs. Continuous jobs only.
    pub prepare_source: bool,
    pub drop_collections: bool,
    pub has_error_limit: bool,
    pub error_limit: String,
}

impl Default for OptionsDraft {
    fn default() -> Self {
        Self {
            is_continuous: false,
            prepare_source: false,
            drop_collections: false,
            has_error_limit: true,
            error_limit: ERROR_LIMIT_DEFAULT.to_string(),
        }
    }
}
