//! The life of a job: it is checked, started, watched, paused, stopped, and found again after a crash.
//!
//! Statuses change in [`state`] alone. The newest status of every job lies in the [`hub`], from where the API and the
//! live channel read; it is written to the store at every change of status and every [`tracker::SAVE_EVERY`].

mod continuous;
pub mod hub;
mod meter;
pub mod prepare;
mod runner;
mod samples;
pub mod state;
pub mod summary;
pub mod supervisor;
mod tracker;

pub use hub::Hub;
pub use supervisor::{JobError, Supervisor};
