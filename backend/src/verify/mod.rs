//! Compares what is stored with what the rows give, in both directions and in bounded memory.
//!
//! ```text
//! source ── root rows of a chunk ──▶ documents (as a job assembles them) ─┐
//!                                                                          ├─▶ equal │ pending ──▶ looked at again ──▶ finding
//! destination ── documents with these `_id`s ─────────────────────────────┘
//! destination ── all `_id`s ──▶ folded ── differs from the fold of those found above ──▶ unexpected ones are named
//! source ── sums by SQL ── against ── sums by aggregation ── destination          (a path without the assembler)
//! ```
//!
//! **Missing and different.** Chunks of root rows are read as a job reads them, in one point in time, and the documents of
//! each batch are fetched by `_id`. A batch is all that is held of either side.
//!
//! **Unexpected.** A document that no row gives is never fetched above. So while the first direction runs, the `_id`s that
//! were *found* are folded (`fold.rs`: a number and a sum of 128-bit hashes for each of 1,024 parts, 24 KiB for a
//! collection of any size), and then all `_id`s of the destination. Found ones are a subset of all, so where number and
//! sum agree, the two sets agree and nothing is unexpected: no second pass. Where they differ, only the parts that differ
//! are looked at: the hashes of their *expected* `_id`s, at most two million, are held while the `_id`s of the destination
//! pass by once more, and what is in such a part and is not expected is named. For that the root rows are read without
//! what lies below them, unless a row's children can make its document go away. What does not fit into one such pass is
//! counted, for the difference of the two numbers says how many there are, and not named.
//!
//! **While the source changes.** A verification that is the last stage of its job reads in the job's own point in time:
//! there nothing changes. Otherwise a difference is looked at again, in new points in time. It is reported only if the
//! rows gave the same document in two points in time one after the other, and the document that was read between the two
//! is another one: whatever was written meanwhile, it should have been this one. That has to be so twice in a row, for the
//! next change may mend it. A row that changes each time is told as
//! *changed since*. While a job follows changes, each look first waits until the job has applied everything up to the end
//! that the source's log had *after* the point in time was fixed, so that the documents are at least as new as the rows.
//!
//! **Rows without a document.** What the assembler refuses (a null as `_id`, too large, a filter that fails) it refuses
//! here too; what the destination refused is known from the job. Both are named with their reason, and the verdict is then
//! *verified with exceptions*. Of rows that come to one `_id` one has the document: where it is that of any of them, the
//! others are such rows.
//!
//! **Time series** cannot be asked by `_id`: whole documents are folded on both sides, and looked at only where the folds
//! differ.
//!
//! This room never writes to the source, and to the destination only in `repair.rs`.

mod claims;
mod compare;
mod error;
mod fold;
mod names;
mod pending;
mod progress;
mod repair;
mod reverse;
mod run;
mod scan;
mod select;
mod series;
mod settle;
mod sums;
mod throttle;
mod worker;

pub use compare::{extended_document, extended_id};
pub use error::VerifyError;
pub use pending::fetch;
pub use progress::{Counters, Progress};
pub use repair::{Repaired, repair};
pub use run::{Outcome, Points, VerifyRun, run};
pub use settle::documents_of;
