//! The family of MySQL at the level of the library: catalog, values, points in time, documents. Every test runs on both
//! servers.

mod bed;
mod catalog;
mod documents;
mod filters;
mod jobs;
mod keys;
mod points;
mod values;
