//! Values in flight between the rooms: rows as the source sent them, SQL values, the catalog, issues.
//!
//! Level 0: everything may import this room, it imports nothing but `shared`. No I/O.

pub mod catalog;
pub mod change;
pub mod decimal;
pub mod equality;
pub mod failed;
pub mod issue;
pub mod position;
pub mod progress;
pub mod row;
pub mod value;
pub mod words;
