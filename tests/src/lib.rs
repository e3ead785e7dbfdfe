//! What the tests stand on: private servers, the product as a child process, its REST API, project files, documents.
//!
//! `make test` runs everything; `cargo test -p godwit-tests --test integration` alone needs the binary built before
//! (`GODWIT_BIN`, or beside the test binary) and the `mongod` that `make test` fetches.

pub mod api;
pub mod app;
pub mod browser;
pub mod cli;
pub mod continuous;
pub mod docs;
pub mod mapping;
pub mod migrate;
pub mod process;
pub mod proxy;
pub mod servers;
pub mod verifying;
pub mod writers;

use std::path::{Path, PathBuf};

/// The top of the checkout.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the checkout")
}

/// The folder of test data beside the checkout; says so where there is none, and the test that asks returns early.
pub fn shared_data() -> Option<PathBuf> {
    let folder = checkout().parent()?.join("shared");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no folder `shared` beside the checkout");
    None
}
