//! Writes documents to MongoDB: whole ones, by `_id`, and so that every write may be repeated.
//!
//! Empty collections are filled by unordered inserts; a document that is there already is replaced. There is no
//! command here that changes a part of a document or more than one. Time series are made of whole collections, at the end.

mod check;
mod collation;
mod connect;
mod error;
mod ids;
mod inspect;
mod read;
mod time_series;
mod turns;
mod uri;
mod write;

pub use collation::Collated;
pub use connect::{Sink, check_connection};
pub use error::SinkError;
pub use read::Documents;
pub use time_series::staging_of;
pub use turns::Turns;
pub use write::{Refused, WriteReport};
