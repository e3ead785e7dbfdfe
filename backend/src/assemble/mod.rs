//! Rows and a plan become documents: the one piece of code that computes them.
//!
//! A document is a pure function of the root row and the rows that the plan reaches from it. Snapshot, continuous
//! migration, verification and preview differ only in which documents they ask for. Nothing here waits, reads or
//! writes anything outside its arguments; the only clock is the deadline of a script.
//!
//! ```text
//! RowTree ──▶ document ──▶ raw BSON
//!               │ value of a cell ──▶ convert (where the field asks for a type) ──▶ bson_value
//!               │ calculated field ──▶ script
//!               └ `_id` ──▶ id
//! ```

pub mod bson_value;
mod convert;
pub mod document;
mod id;
pub mod rows;
pub mod script;

pub use document::{Assembled, Assembler};
pub use rows::{ChildRows, RowTree};
