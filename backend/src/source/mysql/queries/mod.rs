//! The SQL of every read, in one place: names are always quoted, values always literals of their column's type.

mod children;
mod clauses;
mod compare;
mod keys;
mod literals;
pub mod matching;
mod range;
mod roots;

pub use children::{ChildStatements, child_rows, streamed_rows};
pub use literals::{is_number, listed_pattern, literal, literal_of, quote, table_name};
pub use range::{end_of_range, rows_of_range};
pub use roots::{classes_of, printed, printed_values, root_rows, roots_above, roots_by_key, rows_equal_to};
