//! Typed requests, one file per resource. Nothing here is reactive.

pub mod analyses;
mod client;
pub mod connections;
pub mod drafts;
pub mod dry_runs;
pub mod jobs;
pub mod preflight;
pub mod projects;
pub mod schema;
pub mod settings;
pub mod store;
pub mod verifications;

pub use client::{Abort, ApiError, advice};
