//! The product against real servers. One module per subject; `make test` builds what they need.

#![recursion_limit = "256"]

mod bad_input;
mod common;
mod connections;
mod demo;
mod edge;
mod integrity_a;
mod integrity_a_rows;
mod integrity_d;
mod integrity_f;
mod jobs;
mod lessons;
mod preflight;
mod relmig;
mod smoke;
mod tidy;
