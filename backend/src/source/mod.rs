//! Sources: one folder per database, each with the same files.
//!
//! A source knows its catalog, can be checked, and reads rows: roots in chunks, and what lies below them by key. All
//! reads of one job are of one point in time. Engine differences (quoting, types, paging) stay inside the folder.
//! Reading never writes to the source. What a continuous job makes there (a slot, a publication, replica identities) is
//! made, named and taken away in the folder of the database. Nobody here knows of documents.

pub mod api;
pub mod change_log;
pub mod check;
pub mod ddl;
pub mod error;
pub mod filter;
mod json;
pub mod model;
pub mod mysql;
mod percent;
pub mod postgres;
pub mod read;
pub mod script;
pub mod sqlite;
pub mod sums;
mod verdict;

pub use error::SourceError;

use api::Source;
use godwit_shared::connection::{JdbcConnectionDetails, SourceKind};
use mysql::MySqlSource;
use mysql::url::MySqlAddress;
use postgres::PgSource;
use postgres::url::PgAddress;
use sqlite::{SqliteFile, SqliteSource};
use std::sync::Arc;
use std::time::Duration;

/// The kind of database that connection details name.
///
/// # Errors
/// When they name one that cannot be read.
pub fn kind_of(details: &JdbcConnectionDetails) -> Result<SourceKind, SourceError> {
    match details.kind.as_str() {
        "" => Ok(SourceKind::of_url(&details.url).unwrap_or(SourceKind::Postgresql)),
        code => SourceKind::of(code).ok_or_else(|| SourceError::UnsupportedKind { kind: code.to_owned() }),
    }
}

/// The source that connection details name. Nothing is opened yet. With `patience` somebody waits for every answer: no
/// question takes longer.
///
/// # Errors
/// When the details are of no database that can be read, or are not valid.
pub fn source_of(details: &JdbcConnectionDetails, patience: Option<Duration>) -> Result<Arc<dyn Source>, SourceError> {
    let kind = kind_of(details)?;
    Ok(match kind {
        SourceKind::Postgresql => {
            let address = PgAddress::parse(details)?;
            Arc::new(match patience {
                Some(patience) => PgSource::with_patience(address, patience),
                None => PgSource::new(address),
            })
        }
        SourceKind::Mysql | SourceKind::Mariadb => Arc::new(MySqlSource {
            kind,
            address: MySqlAddress::parse(details)?,
            patience,
        }),
        SourceKind::Sqlite => Arc::new(SqliteSource {
            file: SqliteFile::parse(details)?,
            patience,
        }),
    })
}
