//! The state of every job, as the server pushes it.
//!
//! One task ([`socket`]) owns the link: it connects, backs off, reads messages, lets [`interpret`] decide what each one
//! means, and writes the result into the store of [`state`]: a new state of a job at once, figures with the beat of the clock
//! ([`pace`]). Components only read. What a message says of rates is kept for the charts as well ([`history`]), after what
//! the server has measured before the page looked.

pub mod backoff;
pub mod history;
pub mod interpret;
pub mod pace;
pub mod samples;
pub mod socket;
pub mod state;

pub use state::{JobField, Link, Live, use_live};
