//! What differs between MySQL and MariaDB, and between their versions.

use std::time::Duration;

/// Which of the two a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    MySql,
    MariaDb,
}

/// What a server says of itself on a new connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub flavor: Flavor,
    /// Without what packagers add: `10.11.6`.
    pub version: String,
    number: (u32, u32),
    /// The number of the connection, by which its queries are ended.
    pub connection: u64,
    pub is_encrypted: bool,
}

/// Of both, from where on the catalog has what is read of it.
const MYSQL_MIN: (u32, u32) = (5, 7);
const MARIADB_MIN: (u32, u32) = (10, 5);

/// A year: no limit of time ends a read that waits for a slow destination.
const SECONDS_MAX: u32 = 31_536_000;
/// How long a statement waits for somebody who changes the definition of its table.
const LOCK_SECONDS: u32 = 3;

impl Server {
    /// Reads `10.11.6-MariaDB-0+deb12u1`, or `5.7.29-log` with the comment of the server.
    pub fn parse(version: &str, comment: &str) -> Self {
        let is_mariadb = [version, comment]
            .iter()
            .any(|text| text.to_lowercase().contains("mariadb"));
        let plain = version.strip_prefix("5.5.5-").filter(|_| is_mariadb).unwrap_or(version);
        let plain = plain.split('-').next().unwrap_or_default();
        let mut parts = plain.split('.').map(|part| part.parse().unwrap_or(0));
        Self {
            flavor: if is_mariadb { Flavor::MariaDb } else { Flavor::MySql },
            version: plain.to_owned(),
            number: (parts.next().unwrap_or(0), parts.next().unwrap_or(0)),
            connection: 0,
            is_encrypted: false,
        }
    }

    /// The product, as a user knows it.
    pub fn name(&self) -> &'static str {
        match self.flavor {
            Flavor::MySql => "MySQL",
            Flavor::MariaDb => "MariaDB",
        }
    }

    pub fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::MariaDb
    }

    /// Why it cannot be read, where it is too old.
    pub fn too_old(&self) -> Option<String> {
        let least = match self.flavor {
            Flavor::MySql => MYSQL_MIN,
            Flavor::MariaDb => MARIADB_MIN,
        };
        (self.number < least).then(|| {
            let (name, version) = (self.name(), &self.version);
            format!(
                "{name} {version} is older than {}.{}, the oldest that can be read",
                least.0, least.1
            )
        })
    }

    /// Whether a list of rows can stand in a query as `VALUES (...), (...)`.
    pub fn has_value_lists(&self) -> bool {
        self.is_mariadb()
    }

    /// What every session starts with, so that no setting of server or user changes what is read or compared. The time zone
    /// is UTC, because a `timestamp` is printed in the session's; dates of zeros are values like any other; `'` and `\` mean
    /// what they mean by default, because table filters are written so.
    pub fn session(&self) -> Vec<String> {
        vec![
            "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci".into(),
            format!(
                "SET SESSION time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', sql_auto_is_null = 0, \
                 sql_big_selects = 1, sql_select_limit = DEFAULT, max_sort_length = 1024, autocommit = 1, \
                 lc_time_names = 'en_US', default_week_format = 0, div_precision_increment = 4, \
                 net_write_timeout = {SECONDS_MAX}, net_read_timeout = {SECONDS_MAX}, wait_timeout = {SECONDS_MAX}, \
                 lock_wait_timeout = {LOCK_SECONDS}"
            ),
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY".into(),
        ]
    }

    /// Settings that only some versions have: a server that does not know one goes on without.
    pub fn optional_settings(&self) -> &'static [&'static str] {
        match self.flavor {
            // Long lists of keys are looked up by the index, whatever memory the plan takes.
            Flavor::MySql => &[
                "SET SESSION range_optimizer_max_mem_size = 0",
                "SET SESSION information_schema_stats_expiry = 0",
            ],
            // A long list would become a table that is joined.
            Flavor::MariaDb => &[
                "SET SESSION in_predicate_conversion_threshold = 0",
                "SET SESSION optimizer_max_sel_arg_weight = 0",
            ],
        }
    }

    /// The longest that a statement may take; zero: as long as it needs.
    pub fn time_limit(&self, patience: Option<Duration>) -> String {
        let patience = patience.unwrap_or_default();
        match self.flavor {
            Flavor::MySql => format!("SET SESSION max_execution_time = {}", patience.as_millis()),
            Flavor::MariaDb => format!("SET SESSION max_statement_time = {:.3}", patience.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_what_it_says() {
        let mariadb = Server::parse("10.11.6-MariaDB-0+deb12u1", "Debian 12");
        assert_eq!((mariadb.name(), &*mariadb.version), ("MariaDB", "10.11.6"));
        assert_eq!(mariadb.too_old(), None);
        let disguised = Server::parse("5.5.5-10.4.2-MariaDB", "");
        assert!(disguised.too_old().is_some_and(|reason| reason.contains("10.5")));
        let mysql = Server::parse("5.7.29-log", "MySQL Community Server (GPL)");
        assert_eq!((mysql.name(), mysql.too_old()), ("MySQL", None));
        assert!(Server::parse("5.6.51", "").too_old().is_some());
        assert!(Server::parse("8.4.0", "").too_old().is_none());
    }

    #[test]
    fn a_limit_of_time_in_the_unit_of_the_server() {
        let limit = Some(Duration::from_millis(1500));
        let mysql = Server::parse("5.7.29", "");
        assert_eq!(mysql.time_limit(limit), "SET SESSION max_execution_time = 1500");
        assert_eq!(mysql.time_limit(None), "SET SESSION max_execution_time = 0");
        let mariadb = Server::parse("10.11.6-MariaDB", "");
        assert_eq!(mariadb.time_limit(limit), "SET SESSION max_statement_time = 1.500");
    }
}
