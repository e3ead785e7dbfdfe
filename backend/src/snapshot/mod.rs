//! Copies existing rows: all root rows of one point in time, in chunks, each as a whole document.
//!
//! ```text
//! cuts of a root table ─▶ queue ─▶ workers ─▶ roots of a chunk ─▶ batches ─▶ documents ─▶ writes
//!                                                  (own connection)   (own connection)   (a few in flight)
//!                          checkpoint ◀─ all writes of a chunk are durable ◀─────────────────┘
//! ```
//!
//! Chunks are key ranges, so that one that is done counts after a crash too. Memory: each worker holds one batch being
//! assembled and [`WRITES_IN_FLIGHT`] being written. A slow destination stops the reading of the source.

mod again;
mod chunks;
mod queue;
mod refused;
mod run;
mod worker;

pub use again::run_again;
pub use chunks::{Chunk, RootQueue};
pub use refused::RefusedRow;
pub use run::{Finished, Outcome, SnapshotError, SnapshotRun, readers_of, run};

/// Batches that one worker has under way to the destination.
pub const WRITES_IN_FLIGHT: usize = 3;
/// Bytes of a root table in one chunk, with the tables below it: small enough that little is done again after a crash.
pub const CHUNK_BYTES: u64 = 16 << 20;
/// Of the root table alone; smaller chunks cost more queries than they gain.
pub const CHUNK_BYTES_MIN: u64 = 128 << 10;
/// The most parts of a root table whose children are read as streams, one for each worker: the source sorts several at
/// once. Measured with two instead of one on two cores, customers with orders with lines: 4.8 s instead of 6.1.
pub const STREAM_PARTS_MAX: u64 = 4;
/// The most chunks of one table; beyond, chunks grow.
pub const CHUNKS_MAX: u64 = 4_000;
