//! A document model proposed from keys and statistics, with a reason for every decision.
//!
//! A proposal decides for every table whether its rows are documents of their own, and for every foreign key whether the
//! rows on its two sides go into one document. It never nests what has no bound: an array needs a figure that shows
//! that it stays small, or a key that says that its elements are parts of the parent. And it never leads in a circle:
//! what is embedded is a part that nothing else refers to, or a copy of a row from which only further copies follow.
//!
//! ```text
//! model + Facts ──▶ propose ──▶ Decision…, each with a sentence ──▶ take(some of them) ──▶ one Edit
//! ```

mod decide;
pub mod facts;
mod tables;
mod take;
#[cfg(test)]
mod tests;
mod words;

use crate::connection::JdbcConnectionDetails;
use crate::draft::DraftBody;
use crate::edit::Shape;
use crate::schema::TableName;
use serde::{Deserialize, Serialize};

pub use decide::propose;
pub use facts::{Facts, Fan, TableFacts};
pub use take::take;

/// What is proposed for a relational model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// Collections first; what lies below something comes behind it.
    pub decisions: Vec<Decision>,
    pub figures: Figures,
    /// Why there are no figures of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_problem: Option<String>,
}

/// Where the figures of a proposal come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Figures {
    /// There are none: keys alone.
    #[default]
    None,
    /// The statistics of the source's catalog.
    Catalog,
    /// All rows were counted.
    Exact,
}

/// The body of `POST /project/{id}/draft/proposal`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposeForDraft {
    pub draft: DraftBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    /// Count the rows: takes as long as reading the keys of all tables.
    #[serde(default)]
    pub exact: bool,
}

/// The body of `POST /schema/{id}/proposal`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposeForSchema {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_connection_details: Option<JdbcConnectionDetails>,
    #[serde(default)]
    pub exact: bool,
    /// The tables that take part; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<Vec<TableName>>,
}

/// One decision. The user takes it or leaves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Stays the same for the same model.
    pub id: String,
    pub table: TableName,
    pub choice: Choice,
    /// One sentence with its figure.
    pub reason: String,
    /// Decisions without which this one cannot be taken.
    pub needs: Vec<String>,
}

/// What a decision does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Choice {
    /// Its rows are documents of their own.
    Collection,
    /// Its rows lie in the documents of another decision.
    Embed {
        under: String,
        shape: Shape,
        /// The foreign key.
        key: Option<String>,
    },
    /// A field goes on referring to another collection: nothing is to be done.
    Refer {
        to: TableName,
        /// The foreign key of the table.
        key: String,
    },
}
