//! The state of every job, as the server pushes it.
//!
//! One task ([`socket`]) owns the link: it connects, backs off, reads messages, lets [`interpret`] decide what each one
//! means, and writes the result into the store of [`state`]. Components only read.

pub mod backoff;
pub mod interpret;
pub mod socket;
pub mod state;

pub use state::{JobField, Link, Live, use_live};
