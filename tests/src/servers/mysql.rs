//! Servers of the family of MySQL: Debian's MariaDB, and the MySQL 5.7 that `make test` fetches. One of each for all tests
//! of a binary.

use super::{START_TIMEOUT, unique};
use crate::process::{self, free_port, scratch, tail};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    MariaDb,
    MySql,
}

impl Family {
    pub const ALL: [Family; 2] = [Family::MariaDb, Family::MySql];

    /// The server of this family, started at the first call.
    pub async fn server(self) -> &'static MySql {
        static MARIADB: OnceLock<MySql> = OnceLock::new();
        static MYSQL: OnceLock<MySql> = OnceLock::new();
        let cell = match self {
            Family::MariaDb => &MARIADB,
            Family::MySql => &MYSQL,
        };
        let started = tokio::task::spawn_blocking(move || cell.get_or_init(|| MySql::start(self)));
        let server = started.await.expect("the server starts");
        server.is_up().await;
        server
    }
}

/// A server that dies with the tests.
pub struct MySql {
    pub port: u16,
    folder: PathBuf,
    _process: Child,
}

impl MySql {
    fn start(family: Family) -> MySql {
        let folder = scratch().join(format!("{family:?}").to_lowercase());
        std::fs::create_dir_all(&folder).expect("a folder for the server");
        let data = folder.join("data");
        let port = free_port();
        let mut server = match family {
            Family::MariaDb => {
                let mut install = Command::new("mariadb-install-db");
                install.args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ]);
                run(install.arg(argument("--datadir", &data)).arg("--user=root"));
                let mut server = Command::new("/usr/sbin/mariadbd");
                server
                    .args(["--no-defaults", "--user=root"])
                    .arg(argument("--datadir", &data));
                server
            }
            Family::MySql => {
                let base = mysql_base();
                let with_base = |options: &[&str]| {
                    let mut command = Command::new(base.join("mysqld"));
                    command.args(["--no-defaults", "--explicit_defaults_for_timestamp", "--user=root"]);
                    command.arg(argument("--basedir", &base));
                    command.arg(argument("--lc-messages-dir", &base.join("share/mysql")));
                    command.arg(argument("--datadir", &data)).args(options);
                    command
                };
                run(&mut with_base(&["--initialize-insecure"]));
                with_base(&[
                    "--secure-file-priv=NULL",
                    "--gtid-mode=ON",
                    "--enforce-gtid-consistency",
                    "--log-slave-updates",
                ])
            }
        };
        server
            .arg(argument("--socket", &folder.join("socket")))
            .arg(argument("--pid-file", &folder.join("pid")))
            .arg(argument("--tmpdir", &folder))
            .arg(format!("--port={port}"))
            .args([
                "--bind-address=127.0.0.1",
                "--log-bin=bin",
                "--server-id=7",
                "--binlog-format=ROW",
            ])
            .args([
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=64M",
                "--max-connections=200",
            ])
            .args(["--performance-schema=OFF", "--sync-binlog=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).expect("a log file"));
        let process = process::spawn(server, libc::SIGKILL).expect("the server starts");
        MySql {
            port,
            folder,
            _process: process,
        }
    }

    async fn is_up(&self) {
        let deadline = Instant::now() + START_TIMEOUT;
        while let Err(error) = self.connect("root", "").await {
            assert!(
                Instant::now() < deadline,
                "it did not start: {error}\n{}",
                tail(&self.folder.join("log"))
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The certificate of the authority that a MySQL makes for itself.
    pub fn authority(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.join("data/ca.pem")).ok()
    }

    /// A connection of a user without a password.
    ///
    /// # Errors
    /// When the server is not there.
    pub async fn connect(&self, user: &str, database: &str) -> mysql_async::Result<Conn> {
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .prefer_socket(false)
            .user(Some(user))
            .db_name(Some(database).filter(|d| !d.is_empty()));
        Conn::new(options).await
    }

    /// A database of its own, with these statements run in it by a user who may do everything.
    pub async fn database(&self, hint: &str, statements: &[&str]) -> String {
        let name = unique(hint);
        let mut conn = self.connect("root", "").await.expect("a connection");
        let made = conn
            .query_drop(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))
            .await;
        made.expect("a database");
        self.execute(&name, statements).await;
        name
    }

    /// Runs statements in a database, in the mode in which anything can be stored.
    pub async fn execute(&self, database: &str, statements: &[&str]) {
        let mut conn = self.connect("root", database).await.expect("a connection");
        conn.query_drop("SET NAMES utf8mb4").await.expect("a character set");
        conn.query_drop("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
            .await
            .expect("a mode");
        for statement in statements {
            let done = conn.query_drop(*statement).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }
}

fn argument(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

fn run(command: &mut Command) {
    let done = command
        .stdin(Stdio::null())
        .output()
        .expect("a program of the server runs");
    assert!(
        done.status.success(),
        "{command:?}:\n{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Where `make test` puts it, or what `GODWIT_MYSQL` names.
fn mysql_base() -> PathBuf {
    let cache = std::env::var_os("GODWIT_CACHE").map(PathBuf::from).or_else(|| {
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let base = base.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")))?;
        Some(base.join("godwit"))
    });
    (std::env::var_os("GODWIT_MYSQL").map(PathBuf::from).into_iter())
        .chain(cache.map(|c| c.join("mysql")))
        .find(|folder| folder.join("mysqld").is_file())
        .expect("no MySQL found: `make test` fetches it, or set GODWIT_MYSQL to its folder")
}
