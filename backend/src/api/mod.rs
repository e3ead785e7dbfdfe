//! HTTP and WebSocket: turns requests into calls of the rooms below, and their errors into answers.
//!
//! Paths, names and codes are those that scripts of users rely on. Nothing is decided here but what an answer looks
//! like, and who may ask at all ([`guard`]).

mod analyses;
mod analysis_page;
mod assets;
mod body;
mod bounds;
mod connections;
mod consent;
mod drafts;
mod dry_run;
mod error;
mod extract;
mod guard;
mod headers;
mod in_process;
mod info;
mod jobs;
mod live;
mod preflight;
mod projects;
mod report_page;
mod router;
mod sample;
mod schema;
mod server;
mod settings;
mod shelf;
pub mod verification_page;
mod verifications;

pub use error::ApiError;
pub use guard::Doors;
pub use in_process::InProcess;
pub use info::Health;
pub use live::Texts;
pub use router::{AppState, router};
pub use server::{raise_file_limit, serve};
