//! Whether a stream can go on where a job stands.
//!
//! Places in the log are numbers of files and offsets, which come again when a log is started anew (`RESET MASTER`), and
//! mean nothing on another server. So the server is known by its identifier, and its log by a file with the second in which
//! that was made.

use super::server::{log_files, read_settings};
use super::stream::{Replica, Request};
use crate::source::SourceError;
use crate::source::change_log::{LogError, ServerIdentity};
use crate::source::mysql::binlog::events::event;
use crate::source::mysql::binlog::place::{LogFile, MAGIC_BYTES, Place};
use crate::source::mysql::client::MySqlSource;
use crate::source::mysql::link::Link;

/// See the module. Returns the file that the stream begins in.
///
/// # Errors
/// [`LogError::Resync`] where the log does not reach back to the place, or is another one.
pub async fn check(
    source: &MySqlSource,
    link: &Link,
    server: &ServerIdentity,
    place: Place,
) -> Result<LogFile, LogError> {
    let identity = read_settings(link).await?.identity(link.server().is_mariadb());
    if identity != server.system_id {
        return Err(LogError::Resync(format!(
            "the source is another server now: its identifier is {identity}, not {}",
            server.system_id
        )));
    }
    let files = log_files(link).await?;
    let Some(file) = files.iter().find(|f| f.number == place.file) else {
        let is_purged = files.first().is_some_and(|first| place.file < first.number);
        return Err(LogError::Resync(match is_purged {
            true => format!(
                "the binary log does not reach back to the job's position {}: its oldest file is \"{}\"",
                place.shown(),
                files[0].name
            ),
            false => format!(
                "the binary log has no file for the job's position {}: it was started anew, or an older state of the \
                 source was put back",
                place.shown()
            ),
        }));
    };
    if file.bytes < place.offset {
        return Err(LogError::Resync(format!(
            "the file \"{}\" of the binary log ends at {}, before the job's position {}: it was started anew, or an older \
             state of the source was put back",
            file.name,
            file.bytes,
            place.shown()
        )));
    }
    let known = server
        .timeline
        .split_once('@')
        .and_then(|(number, _)| number.parse::<u64>().ok());
    if let Some(anchor) = known.and_then(|number| files.iter().find(|f| f.number == number)) {
        let now = created(source, anchor).await?;
        if now != server.timeline {
            return Err(LogError::Resync(format!(
                "the binary log was started anew: its file \"{}\" is another one than when the job began",
                anchor.name
            )));
        }
    }
    Ok(file.clone())
}

/// A file of the log with the second in which it was made: `42@1700000000`.
///
/// # Errors
/// When the server does not send it.
pub async fn created(source: &MySqlSource, file: &LogFile) -> Result<String, SourceError> {
    let request = Request {
        file: &file.name,
        offset: MAGIC_BYTES,
        is_waiting: false,
    };
    let mut replica = Replica::open(source).await?;
    replica.start(&request).await?;
    while let Some(next) = replica.next().await? {
        let header = next.header();
        if header.event_type_raw() == event::FORMAT_DESCRIPTION {
            return Ok(format!("{}@{}", file.number, header.timestamp()));
        }
    }
    Err(SourceError::LogUnusable {
        reason: format!("the file \"{}\" of the binary log has no description", file.name),
    })
}
