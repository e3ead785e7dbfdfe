//! The types that cross the wire, used by the server and by the page alike.
//!
//! Nothing here does I/O or knows a driver; everything compiles to wasm. Names and casing are those of the REST API,
//! so that a value serialises to exactly what a client sees.

pub mod analysis;
pub mod casing;
pub mod connection;
pub mod consent;
pub mod ddl;
pub mod draft;
pub mod dry_run;
pub mod edit;
pub mod error;
pub mod forest;
pub mod ids;
pub mod initial;
pub mod job;
pub mod live;
pub mod mapping;
mod new_project;
pub mod notice;
pub mod outage;
pub mod preflight;
pub mod project;
pub mod proposal;
pub mod quarantine;
pub mod relmig;
pub mod report;
pub mod retry;
pub mod sample;
pub mod schema;
pub mod settings;
pub mod summary;
pub mod verification;
pub mod written;

/// The path under which the whole REST API lives.
pub const API_BASE: &str = "/api/v1";
