//! The drawing table's model: a draft of a project, and the edits that change it.
//!
//! An [`Edit`] is a value: it can be applied, undone, sent and named. [`apply`] changes a [`Draft`] wholly or not at all
//! and gives a [`Change`], which holds both states of what changed and nothing else, so undoing cannot come to another
//! state than the one before. [`History`] keeps changes in their order. Members that this version does not know stay in
//! the `extra` of their object, whatever is done to it.
//!
//! ```text
//! drop of a table ──▶ drops::offers ──▶ Edit ──▶ apply ──▶ Change ──▶ History
//!                     joins, names, types         │ Editor: one Step for each entry that changes
//!                                                 └ EditError with its Place
//! ```
//!
//! No I/O and no clock; the same code runs in the page and in the server.

mod apply;
mod calculated;
mod change;
mod collections;
pub mod diagrams;
pub mod differences;
mod draft;
pub mod drops;
mod editor;
mod error;
mod fault;
mod fields;
pub mod going;
mod history;
pub mod joins;
pub mod level;
pub mod names;
mod operations;
mod place;
mod placing;
mod relational;
mod rules;
pub mod schema;
mod settings;
mod step;
pub mod tree;
pub mod types;

#[cfg(test)]
mod random;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
pub mod testing;

pub use apply::apply;
pub use change::{Change, Made};
pub use collections::{TIME_SERIES, time_series};
pub use draft::Draft;
pub use error::{EditError, EditReason};
pub use fault::{FailedRow, Fault, FaultKind, Fix, fixes};
pub use history::{CHANGES_MAX, History};
pub use operations::{
    CalculatedEdit, DiagramEdit, Edit, Embedding, Granularity, NewRule, NodePlace, RulePlace, Shape, TimeSeries, View,
};
pub use place::{Part, Place};
pub use relational::table_filter;
