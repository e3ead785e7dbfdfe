//! Follows changes: finds the documents that a change may touch and assembles them again.
//!
//! ```text
//! log ─▶ capture ─▶ batches of keys ─▶ apply: a point in time that contains the batch's transactions
//!  ▲      (routes,    (one waits while       │ schema: what the log does not tell
//!  │      both images) one is applied)       │ decide: keys ─▶ root keys, each once, that may be out of date
//!  │                                         ▼ rebuild: assemble, replace or delete by `_id`
//!  └──── confirm ◀──── checkpoint ◀──── durable in the destination
//! ```
//!
//! A change says only *which* documents to look at; what they hold is always read anew. So changes may be repeated and
//! may be read ahead of their turn. What this rests on, and where it is kept:
//!
//! 1. The point in time contains the change: [`point`]. A change may be in the log before it can be read.
//! 2. Keys come from the old and the new image of every change: [`collect`]. Nothing is folded before.
//! 3. Climbing and assembling happen in one point in time; batches are applied one after the other, so that a document
//!    is always written in the order in which it was read: [`apply`].
//! 4. A row counts as gone only when a complete answer says so: [`documents::by_key`](crate::documents::by_key).
//! 5. A position is stored after its documents are durable, and confirmed after it is stored: [`run`].
//! 6. What has no row events is looked for in the catalog of every point in time: [`schema`].
//!
//! The source is asked through the traits of [`change_log`](crate::source::change_log): nothing here knows which database
//! it is.
//!
//! What is decided ([`collect`], [`decide`]) is apart from what is read and written ([`ground`]), so that random histories
//! can be tried on tables in memory: `backend/tests/model`.
//!
//! Memory: one batch waits while one is applied, each at most [`collect::BATCH_BYTES_MAX`]; roots of a wide fan-out are
//! streamed and rebuilt in pieces.

pub mod apply;
pub mod arrivals;
pub mod capture;
mod claims;
mod climb;
pub mod collect;
pub mod decide;
mod error;
pub mod ground;
mod lag;
pub mod point;
pub mod rebuild;
mod refresh;
pub mod run;
pub mod schema;
pub mod setup;
pub mod state;
pub mod statistics;

pub use error::CdcError;
