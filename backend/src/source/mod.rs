//! Sources: one folder per database, each with the same files.
//!
//! A source knows its catalog, can be checked, and reads rows: roots in chunks, and what lies below them by key. All
//! reads of one job are of one point in time. Engine differences (quoting, types, paging) stay inside the folder.
//! This room never writes to the source and knows nothing of documents.

pub mod ddl;
pub mod error;
pub mod postgres;

pub use error::SourceError;
