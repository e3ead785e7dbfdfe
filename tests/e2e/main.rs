//! Journeys through the page in a real browser, with the real server and real databases.
//!
//! One file per journey; how the page is used stands in `pages`. `GODWIT_SCREENSHOTS=folder` keeps pictures of the way.

mod analysis;
mod cancel_and_repeat;
mod charts;
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
mod mariadb;
mod new_project;
mod outage;
mod pages;
mod pause_and_resume;
mod print;
mod projects;
mod rebuild;
mod retry;
mod sample_database;
mod schema;
mod server_settings;
mod settings;
mod small_windows;
mod states;
mod theme;
mod two_tabs;
mod verification;
mod widths;
mod wizard;
mod wrong_password;
