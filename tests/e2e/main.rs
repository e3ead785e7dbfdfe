//! Journeys through the page in a real browser, with the real server and real databases.
//!
//! One file per journey; how the page is used stands in `pages`. `GODWIT_SCREENSHOTS=folder` keeps pictures of the way.

mod cancel_and_repeat;
mod connections;
mod continuous;
mod design;
mod diagrams;
mod failed_job;
mod figures;
mod first_minutes;
mod history;
mod import;
mod job_from_outside;
mod keyboard;
mod library;
mod log;
mod long_names;
mod mapping;
mod new_project;
mod outage;
mod pages;
mod pause_and_resume;
mod projects;
mod rebuild;
mod schema;
mod settings;
mod states;
mod theme;
mod two_tabs;
mod wrong_password;
