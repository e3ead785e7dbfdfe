//! What stands in the way of a migration, found in what a source says of itself.
//!
//! ```text
//! Catalog + SourceFacts + Figures + project file ──▶ rules ──▶ Detection… ──▶ report (score, counts)
//! ```
//!
//! The rules know no database: each source says of its columns and tables what is true of them ([`facts`]), and a rule
//! asks for that. They are pure functions, so that what is detected depends on nothing but what was read. Whether a user
//! has resolved a detection lies beside the reports (`store/analyses.rs`) under the detection's id, which is made of the
//! rule and the path of its object.

pub mod facts;
pub mod output;
pub mod report;
pub mod rules;
pub mod sql;
#[cfg(test)]
mod testing;
