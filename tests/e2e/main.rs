//! Journeys through the page in a real browser, with the real server and real databases.
//!
//! One file per journey; how the page is used stands in `pages`. `GODWIT_SCREENSHOTS=folder` keeps pictures of the way.

mod cancel_and_repeat;
mod connections;
mod continuous;
mod failed_job;
mod import;
mod job_from_outside;
mod keyboard;
mod library;
mod log;
mod new_project;
mod pages;
mod pause_and_resume;
mod wrong_password;
