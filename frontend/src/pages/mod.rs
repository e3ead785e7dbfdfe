//! One folder for each page, one file for each part of it.

#[cfg(debug_assertions)]
pub mod design;
pub mod home;
pub mod mapping;
pub mod migration;
pub mod project;
