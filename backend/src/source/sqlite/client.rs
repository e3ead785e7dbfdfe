//! Connections: opened read-only, used in threads of their own, ended when nobody waits any more.

use super::file::SqliteFile;
use crate::source::SourceError;
use godwit_shared::connection::SourceKind;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a writer of the file is waited for.
const BUSY_MAX: Duration = Duration::from_secs(5);
/// The longest value: MongoDB takes less.
const VALUE_BYTES_MAX: i32 = 256 << 20;

/// What every connection starts with. The file may come from anywhere: its schema calls no function that could do harm, and
/// a page that is broken is found.
const SESSION: &str = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; \
    PRAGMA case_sensitive_like = OFF; PRAGMA reverse_unordered_selects = OFF;";

/// A file as a source.
#[derive(Debug, Clone)]
pub struct SqliteSource {
    pub file: SqliteFile,
    /// Set where somebody waits for an answer: no question takes longer.
    pub patience: Option<Duration>,
}

/// An open connection. One thread at a time uses it.
pub(super) struct Client {
    connection: Mutex<Connection>,
    interrupt: InterruptHandle,
    patience: Option<Duration>,
}

impl SqliteSource {
    /// Opens the file.
    ///
    /// # Errors
    /// When there is none, it is no database, or it cannot be read.
    pub(super) async fn connect(&self) -> Result<Arc<Client>, SourceError> {
        let source = self.clone();
        in_thread(move || source.open().map(Arc::new)).await
    }

    fn open(&self) -> Result<Client, SourceError> {
        let path = self.file.path()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let refused = |error| self.refused(error);
        let connection = Connection::open_with_flags(path, flags).map_err(refused)?;
        connection.busy_timeout(BUSY_MAX).map_err(refused)?;
        connection
            .set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)
            .map_err(refused)?;
        connection.execute_batch(SESSION).map_err(refused)?;
        // The file is not looked at before the first question.
        connection
            .query_row("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(()))
            .map_err(refused)?;
        Ok(Client {
            interrupt: connection.get_interrupt_handle(),
            connection: Mutex::new(connection),
            patience: self.patience,
        })
    }

    fn refused(&self, error: rusqlite::Error) -> SourceError {
        let address = self.file.name().to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => SourceError::OtherServer {
                address,
                expected: SourceKind::Sqlite,
            },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => SourceError::Unreachable {
                address,
                reason: error.to_string(),
            },
            _ => query_error(error),
        }
    }
}

impl Client {
    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what the connection is doing now.
    pub(super) fn interrupt(&self) {
        self.interrupt.interrupt();
    }

    /// Asks the database something. It is ended when nobody waits for the answer any more.
    ///
    /// # Errors
    /// What `ask` says, or [`SourceError::Cancelled`] when it takes longer than somebody waits.
    pub(super) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&Connection) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let guard = EndOnDrop(self);
        let client = self.clone();
        let asking = in_thread(move || ask(&client.lock()));
        let answer = match self.patience {
            Some(patience) => tokio::time::timeout(patience, asking).await,
            None => Ok(asking.await),
        };
        match answer {
            Ok(answer) => {
                std::mem::forget(guard);
                answer
            }
            Err(_) => Err(SourceError::Cancelled),
        }
    }
}

/// Ends the question of a connection.
struct EndOnDrop<'c>(&'c Client);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

/// Runs something that may take long aside from the threads that serve requests.
async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(SourceError::Cancelled),
    }
}

/// An error of the database in our words.
pub(super) fn query_error(error: rusqlite::Error) -> SourceError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => SourceError::Cancelled,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SourceError::LockedOut {
            reason: error.to_string(),
        },
        _ => SourceError::Query {
            reason: error.to_string(),
        },
    }
}
