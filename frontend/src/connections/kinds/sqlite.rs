//! SQLite: a file, and nobody to sign on to.

pub const BEGINNING: &str = "jdbc:sqlite:";
pub const EXAMPLE: &str = "jdbc:sqlite:shop.db";
