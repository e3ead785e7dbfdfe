//! The life of a job: it is checked, started, watched, paused, stopped, and found again after a crash.
//!
//! ```text
//! supervisor ── holds jobs, each under a lease ──▶ runner: the work of an open job ──▶ ending: decided, cleaned, ended
//!     ▲ commands (here, or for other servers)        (a panic anywhere is its failure)
//!     └ keeper: renews leases, shows the jobs of other servers
//! ```
//!
//! Statuses change in [`state`] alone. The newest status of every job lies in the [`hub`], from where the API and the
//! live channel read; it is written to the store at every change of status and every [`tracker::SAVE_EVERY`].

mod again;
pub mod analysing;
pub mod commands;
mod continuous;
mod counts;
mod ending;
mod events;
mod failure;
pub mod hub;
pub mod keeper;
mod meter;
pub mod notices;
mod outages;
pub mod prepare;
mod remarks;
pub mod report;
mod runner;
mod samples;
mod saver;
mod series;
pub mod shelf;
pub mod state;
pub mod summary;
pub mod supervisor;
mod tracker;
pub mod verifying;

pub use analysing::{Analyser, AnalysingError};
pub use commands::Command;
pub use hub::Hub;
pub use supervisor::{JobError, Supervisor};
pub use verifying::{Verifier, VerifyingError};
