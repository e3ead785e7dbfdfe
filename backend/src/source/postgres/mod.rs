//! PostgreSQL 10 and later.
//!
//! Rows come through `COPY (SELECT ...) TO STDOUT (FORMAT binary)`: the cheapest way out of the server, and one way
//! for roots and children alike. Keys go in as array literals, so that the server's planner sees how many there are
//! and its own operators compare them: equality of keys is always the source's (collations, `1.0 = 1.00`, padding).

mod analyse;
pub mod change_log;
pub mod check;
pub mod client;
pub mod facts;
pub mod filter;
pub mod identity;
pub mod lookup;
pub mod matching;
mod operators;
mod pooler;
pub mod preflight;
pub mod publication;
pub mod queries;
mod reach;
pub mod reader;
pub mod replication;
pub mod schema;
mod session;
mod sums;
pub mod url;
pub mod values;
pub mod watch;

pub use client::PgSource;
