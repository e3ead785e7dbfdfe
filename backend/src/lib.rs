//! Godwit moves relational databases into MongoDB.
//!
//! The rooms and who may import whom are drawn in ARCHITECTURE.md.

pub mod analysis;
pub mod api;
pub mod assemble;
pub mod cdc;
pub mod certificates;
pub mod check_report;
pub mod cli;
pub mod config;
mod crash;
pub mod data;
pub mod documents;
pub mod drafts;
mod engine;
mod hooks;
pub mod jobs;
pub mod lease;
pub mod plan;
pub mod scripts;
pub mod serve;
pub mod sink;
pub mod snapshot;
pub mod source;
pub mod store;
pub mod verify;
pub mod webhook;
