//! Entries of the store that cannot be read: they are left out of every list, and told.

use serde::{Deserialize, Serialize};

/// What an entry is, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntryKind {
    Project,
    JdbcConnection,
    MongodbConnection,
    Job,
    /// Not one entry: something that the store as a whole lacks.
    Store,
}

/// One entry that is left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UnreadableEntry {
    pub kind: EntryKind,
    /// Its `_id` in the store.
    pub id: String,
    /// One sentence.
    pub reason: String,
}
