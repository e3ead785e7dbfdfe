//! The product against real servers. One module per subject; `make test` builds what they need.

mod demo;
mod smoke;
