//! What the server says of its log and of itself.

use crate::source::SourceError;
use crate::source::mysql::binlog::place::{LogFile, Place, number_of};
use crate::source::mysql::link::{Line, Link};
use std::collections::HashMap;

/// How it is proven that a point in time contains a transaction of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// MariaDB tells where in its log a consistent snapshot stands.
    SnapshotPlace,
    /// MySQL with GTIDs: what was executed before the snapshot began is in it.
    Gtids,
    /// A short global read lock around the beginning of every snapshot.
    Lock,
}

/// Variables of the server, as far as following changes depends on them.
#[derive(Debug, Clone, Default)]
pub struct LogSettings {
    variables: HashMap<String, String>,
}

const VARIABLES: &str = "'log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_metadata', 'server_id', 'server_uuid', \
    'gtid_mode', 'gtid_domain_id', 'expire_logs_days', 'binlog_expire_logs_seconds', 'binlog_transaction_compression', \
    'innodb_flush_log_at_trx_commit', 'sync_binlog'";

/// Reads the settings that hold for all sessions.
///
/// # Errors
/// When the source does not answer.
pub async fn read_settings(link: &Link) -> Result<LogSettings, SourceError> {
    let sql = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({VARIABLES})");
    let pair = |line: Line| {
        let mut cells = line.into_iter().map(Option::unwrap_or_default);
        Some((cells.next()?.to_lowercase(), cells.next()?))
    };
    let lines = link.query(sql).await?;
    Ok(LogSettings {
        variables: lines.into_iter().filter_map(pair).collect(),
    })
}

impl LogSettings {
    /// Empty where the server has no such variable.
    pub fn get(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), "ON" | "1")
    }

    pub fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap_or(0.0)
    }

    /// Seconds for which files of the log stay; `None`: until somebody takes them away.
    pub fn kept_seconds(&self) -> Option<f64> {
        // Where a server has both, the seconds are what counts; MariaDB keeps them equal.
        let seconds = self.number("binlog_expire_logs_seconds");
        let days = self.number("expire_logs_days");
        let seconds = if seconds > 0.0 { seconds } else { days * 86_400.0 };
        (seconds > 0.0).then_some(seconds)
    }

    /// How a point in time is proven on this server.
    pub fn proof(&self, is_mariadb: bool) -> Proof {
        match is_mariadb {
            true => Proof::SnapshotPlace,
            false if self.get("gtid_mode") == "ON" => Proof::Gtids,
            false => Proof::Lock,
        }
    }

    /// What tells this server from others.
    pub fn identity(&self, is_mariadb: bool) -> String {
        match is_mariadb {
            true => format!(
                "server {}, domain {}",
                self.get("server_id"),
                self.get("gtid_domain_id")
            ),
            false => self.get("server_uuid").to_owned(),
        }
    }
}

/// Where the log ends now. What is behind it was not written when this was asked for.
///
/// # Errors
/// When the source does not answer, or has no log.
pub async fn log_end(link: &Link) -> Result<Place, SourceError> {
    let lines = match link.query("SHOW MASTER STATUS").await {
        Ok(lines) => lines,
        // MySQL 8.4 has only the new name.
        Err(SourceError::Query { .. }) => link.query("SHOW BINARY LOG STATUS").await?,
        Err(error) => return Err(error),
    };
    place_of(lines.first())
}

/// The first two cells of a line: a file and an offset.
pub fn place_of(line: Option<&Line>) -> Result<Place, SourceError> {
    let cell = |place: usize| line.and_then(|l| l.get(place).cloned().flatten());
    let (Some(file), Some(offset)) = (cell(0), cell(1)) else {
        return Err(SourceError::LogUnusable {
            reason: "the server writes no binary log".into(),
        });
    };
    let place = offset.parse().ok().and_then(|offset| Place::named(&file, offset));
    place.ok_or_else(|| SourceError::Query {
        reason: format!("the file \"{file}\" of the binary log has no number at its end"),
    })
}

/// Where in the log a consistent snapshot of MariaDB stands.
/// <https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/>
///
/// # Errors
/// When the source does not answer, or writes no log.
pub async fn snapshot_place(link: &Link) -> Result<Place, SourceError> {
    let lines = link.query("SHOW STATUS LIKE 'binlog_snapshot_%'").await?;
    let of = |name: &str| {
        let found = lines.iter().find(|l| {
            l.first()
                .cloned()
                .flatten()
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
        });
        found.and_then(|l| l.get(1).cloned().flatten())
    };
    let line = vec![of("binlog_snapshot_file"), of("binlog_snapshot_position")];
    place_of(Some(&line))
}

/// The files of the log that are there.
///
/// # Errors
/// When the source does not answer, or the user may not ask.
pub async fn log_files(link: &Link) -> Result<Vec<LogFile>, SourceError> {
    let file = |line: Line| {
        let name = line.first().cloned().flatten()?;
        Some(LogFile {
            number: number_of(&name)?,
            bytes: line.get(1).cloned().flatten()?.parse().ok()?,
            name,
        })
    };
    Ok(link
        .query("SHOW BINARY LOGS")
        .await?
        .into_iter()
        .filter_map(file)
        .collect())
}
