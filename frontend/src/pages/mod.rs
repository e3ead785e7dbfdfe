//! One folder for each page, one file for each part of it.

pub mod analysis;
pub mod connections;
#[cfg(debug_assertions)]
pub mod design;
pub mod home;
pub mod mapping;
pub mod migration;
pub mod new_project;
pub mod parts;
pub mod project;
pub mod settings;
pub mod unreadable;
