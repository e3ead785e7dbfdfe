//! Servers that a job needs and that do not answer, and what that means for its figures.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who a job depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Dependency {
    Source,
    Destination,
    /// Where the product keeps what it knows itself.
    Store,
}

impl Dependency {
    /// As it stands in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Dependency::Source => "source",
            Dependency::Destination => "destination",
            Dependency::Store => "store of Godwit",
        }
    }
}

/// A server that has not answered for a while. The job waits for it, whatever its status, and goes on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Outage {
    pub server: Dependency,
    /// When it was first asked in vain.
    pub since: DateTime<Utc>,
    pub reason: String,
}

/// What was known of the lag when the source was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct KnownLag {
    pub lag_ms: u64,
    pub lag_bytes: u64,
    pub at: DateTime<Utc>,
}

/// Whether the application may be switched over, and if not, why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CutoverReadiness {
    pub is_ready: bool,
    /// For how long the lag has been small, in whole seconds; at most `secondsNeeded`.
    pub seconds_below: u64,
    pub seconds_needed: u64,
    /// `lag under 1 s for 26 of 60 s`
    pub reason: String,
}
