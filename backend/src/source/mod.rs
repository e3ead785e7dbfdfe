//! Sources: one folder per database, each with the same files.
//!
//! A source knows its catalog, can be checked, and reads rows: roots in chunks, and what lies below them by key. All
//! reads of one job are of one point in time. Engine differences (quoting, types, paging) stay inside the folder.
//! Reading never writes to the source. What a continuous job makes there (a slot, a publication, replica identities) is
//! made, named and taken away in the folder of the database. Nobody here knows of documents.

pub mod api;
pub mod ddl;
pub mod error;
pub mod postgres;
pub mod read;

pub use error::SourceError;
