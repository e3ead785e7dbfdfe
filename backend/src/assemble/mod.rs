//! Rows and a plan become documents: the one piece of code that computes them.
//!
//! A document is a pure function of the root row and the rows that the plan reaches from it. Snapshot, continuous
//! migration, verification and preview differ only in which documents they ask for. Nothing here waits, reads or
//! writes anything outside its arguments.
//!
//! ```text
//! RowTree ──▶ document ──▶ raw BSON
//!               │ value of a cell ──▶ convert (where the field asks for a type) ──▶ bson_value
//!               │ calculated field ──▶ what its expression came to (`scripts`, before)
//!               └ `_id` ──▶ id
//! ```

pub mod bson_value;
pub mod convert;
pub mod document;
mod id;
pub mod plain;
mod row_key;
pub mod rows;
pub mod script;

pub use convert::number_of;
pub use document::{Assembled, Assembler};
pub use row_key::RowKey;
pub use rows::{ChildRows, RowTree};

use crate::data::row::RowSet;
use crate::plan::RootPlan;

/// The `_id` that the key of a root row says, as an element of raw BSON; `None` where an expression computes it from
/// more than the key. `keys` holds rows of which only the columns of the row key are set.
pub fn id_of_key(root: &RootPlan, keys: &RowSet, row: usize, occurrence: u32) -> Option<Vec<u8>> {
    id::id_of_key(root, keys, row, occurrence)
}
