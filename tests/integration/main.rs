//! The product against real servers. One module per subject; `make test` builds what they need.

#![recursion_limit = "256"]

mod bad_input;
mod cdc_only;
mod common;
mod connections;
mod demo;
mod edge;
mod equality;
mod equality_random;
mod family;
mod filters;
mod integrity_a;
mod integrity_a_rows;
mod integrity_b;
mod integrity_b_filters;
mod integrity_b_load;
mod integrity_b_order;
mod integrity_b_shapes;
mod integrity_c;
mod integrity_c_handover;
mod integrity_c_log;
mod integrity_c_schema;
mod integrity_c_source;
mod integrity_d;
mod integrity_f;
mod integrity_f_changes;
mod integrity_f_links;
mod integrity_g;
mod integrity_g_links;
mod integrity_g_soak;
mod integrity_h;
mod jobs;
mod lessons;
mod lessons_cdc;
mod preflight;
mod project_files;
mod relmig;
mod rest;
mod scripts;
mod smoke;
mod summary;
mod tidy;
