//! The page of Godwit: projects, migration jobs and their live progress.
//!
//! ```text
//!   api/   requests ──▶ server            live/   WebSocket ──▶ Store<LiveState>
//!                 ╲                                 ╱
//!                  pages/  one folder per page, one file per part
//!                  components/  know nothing of projects and jobs; style and behaviour only
//! ```
//!
//! Invariants: what a component decides is a plain function in a plain file with tests (`format/`,
//! `live/interpret.rs`, `pages/migration/present.rs`, ...). Only `live/` writes [`live::LiveState`]. Nothing polls.
//! This crate knows `godwit-shared` and no other room.

pub mod api;
pub mod app;
pub mod browser;
pub mod clock;
pub mod components;
pub mod connections;
pub mod consent;
pub mod dry_run;
pub mod format;
pub mod keyboard;
pub mod live;
pub mod notify;
pub mod pages;
pub mod projects;
pub mod remote;
pub mod routes;
pub mod storage;
pub mod theme;
pub mod title;

/// What `index.html` shows until the page is there.
const BOOT: &str = "boot";

/// Mounts the page into the document's body.
pub fn start() {
    console_error_panic_hook::set_once();
    if let Some(boot) = leptos::prelude::document().get_element_by_id(BOOT) {
        boot.remove();
    }
    leptos::mount::mount_to_body(app::App);
}
