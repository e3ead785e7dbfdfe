//! Where following begins: the place of the log that fits the snapshot.
//!
//! The stream begins in front of everything that the snapshot does not have. Where the snapshot was fixed at a place of
//! the log, or under a lock, that place is known. Where one connection of a MySQL reads all without a lock, a transaction
//! may be in the log and not yet in the snapshot; but a server begins a new file only when all transactions of the one
//! before are committed by their engines. So the stream begins with the file: what the snapshot has already is applied once
//! more, which changes nothing.

use super::check::created;
use super::server::{log_end, log_files, read_settings};
use super::state::read_schema;
use crate::source::SourceError;
use crate::source::change_log::{Beginning, KeepLog, LogError, LogState, Needed, SchemaState, ServerIdentity, Watched};
use crate::source::mysql::binlog::place::{MAGIC_BYTES, Place};
use crate::source::mysql::client::MySqlSource;
use crate::source::mysql::snapshot::MySqlSnapshot;
use std::sync::Arc;

/// See the module.
///
/// # Errors
/// When the source refuses.
pub async fn begin(
    source: &MySqlSource,
    log: &mut LogState,
    needed: &Needed<'_>,
    keeper: &dyn KeepLog,
) -> Result<Beginning, LogError> {
    let control = source.connect().await?;
    let settings = read_settings(&control).await?;
    let watched = Watched::of(needed.plan, log);
    keeper.keep(log).await.map_err(LogError::NotKept)?;
    let before = log_end(&control).await?;
    let snapshot = MySqlSnapshot::begin(source, &watched.tables, needed.readers).await?;
    let place = snapshot.place().unwrap_or(Place {
        offset: MAGIC_BYTES,
        ..before
    });
    // The definitions are held by the snapshot.
    let schema = read_schema(&control, &watched).await?;
    let files = log_files(&control).await?;
    let file = files
        .iter()
        .find(|f| f.number == place.file)
        .ok_or_else(|| SourceError::LogUnusable {
            reason: "the file of the binary log that the snapshot stands in is gone already".into(),
        })?;
    Ok(Beginning {
        server: ServerIdentity {
            system_id: settings.identity(control.server().is_mariadb()),
            timeline: created(source, file).await?,
        },
        position: place.into(),
        schema: SchemaState::Mysql(schema),
        snapshot: Arc::new(snapshot),
    })
}
