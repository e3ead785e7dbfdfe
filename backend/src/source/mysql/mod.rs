//! MySQL 5.7 and later, MariaDB 10.5 and later.
//!
//! Rows come through the text protocol: the server prints every value, and a printed key is a key that it reads again. A
//! task owns each connection ([`link`]), so that an answer nobody wants any more can be ended and the connection kept:
//! inside a point in time there is no other one. Keys go in as literals and are compared by the server, under the collation
//! of their columns, wherever bytes do not decide.

mod analyse;
pub mod binlog;
pub mod change_log;
mod check;
pub mod client;
pub mod columns;
pub mod facts;
pub mod filter;
pub mod flavor;
pub mod link;
pub mod lookup;
pub mod matching;
pub mod operators;
pub mod preflight;
pub mod queries;
pub mod reader;
pub mod schema;
pub mod session;
pub mod snapshot;
mod split;
mod spool;
pub mod url;
pub mod values;

pub use client::MySqlSource;
