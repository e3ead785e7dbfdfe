//! SQLite 3: a file, read in this process.
//!
//! Every value has a type of its own, whatever its column was declared as, so a cell carries its storage class in front of
//! its bytes ([`values`]). Keys go to the database through temporary tables whose columns have the affinity and the
//! collation of the parent's columns ([`keys`]): its own rules compare them, as its foreign keys would. All readers of a
//! point in time are transactions that were proven to begin between two commits ([`reader`]). Nothing is ever written to the
//! file.

mod analyse;
mod client;
mod counts;
mod file;
mod filter;
mod keys;
mod queries;
mod reader;
pub mod sample;
mod schema;
mod session;
mod values;

pub use client::SqliteSource;
pub use file::{SqliteFile, allow};
