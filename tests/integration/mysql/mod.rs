//! The family of MySQL at the level of the library: catalog, values, points in time, documents. Every test runs on both
//! servers.

mod analysis;
mod bed;
mod catalog;
mod changes;
mod documents;
mod filters;
mod following;
mod images;
mod jobs;
mod keys;
mod losses;
mod points;
mod values;
