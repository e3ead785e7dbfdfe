//! A small database to try things with: a shop with a few thousand rows, the same every time.

use super::client::query_error;
use super::file::folder;
use crate::source::SourceError;
use rusqlite::Connection;

/// Its file, in the folder of SQLite files.
pub const FILE: &str = "sample.db";

const SQL: &str = include_str!("sample.sql");

/// Makes the file where there is none.
///
/// # Errors
/// When the folder cannot be written.
pub async fn make() -> Result<(), SourceError> {
    let making = tokio::task::spawn_blocking(|| {
        let folder = folder()?;
        let path = folder.join(FILE);
        if path.exists() {
            return Ok(());
        }
        let cannot = |error: &dyn std::fmt::Display| SourceError::Unreachable {
            address: FILE.into(),
            reason: format!("it cannot be made: {error}"),
        };
        std::fs::create_dir_all(folder).map_err(|e| cannot(&e))?;
        // Whole or not at all, whoever asks at the same time.
        let part = folder.join(format!("{FILE}.{}", uuid::Uuid::new_v4().simple()));
        let made = Connection::open(&part).and_then(|connection| connection.execute_batch(SQL));
        let placed = made
            .map_err(query_error)
            .and_then(|()| std::fs::rename(&part, &path).map_err(|e| cannot(&e)));
        if placed.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        placed
    });
    making.await.unwrap_or(Err(SourceError::Cancelled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_holds_together() {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch(SQL).expect("the sample");
        let broken: i64 = connection
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
            .expect("a check");
        assert_eq!(broken, 0);
    }
}
