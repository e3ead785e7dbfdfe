//! Servers of the family of MySQL: Debian's MariaDB, and the MySQL 5.7 that `make test` fetches. One of each for all tests
//! of a binary.

use super::{START_TIMEOUT, unique};
use crate::process::{self, free_port, scratch, tail};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
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
        let started = tokio::task::spawn_blocking(move || {
            let name = format!("{self:?}").to_lowercase();
            cell.get_or_init(|| MySql::start(self, &name, Vec::new()))
        });
        let server = started.await.expect("the server starts");
        server.is_up().await;
        server
    }
}

/// A server that dies with the tests.
pub struct MySql {
    pub port: u16,
    family: Family,
    folder: PathBuf,
    options: Vec<String>,
    process: Child,
}

impl MySql {
    fn start(family: Family, name: &str, options: Vec<String>) -> MySql {
        let folder = scratch().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for the server");
        let data = folder.join("data");
        let port = free_port();
        match family {
            Family::MariaDb => {
                let mut install = Command::new("mariadb-install-db");
                install.args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ]);
                run(install.arg(argument("--datadir", &data)).arg("--user=root"));
            }
            Family::MySql => run(mysqld(&data).arg("--initialize-insecure")),
        }
        let process = MySql::launch(family, &folder, port, &options);
        MySql {
            port,
            family,
            folder,
            options,
            process,
        }
    }

    fn launch(family: Family, folder: &Path, port: u16, options: &[String]) -> Child {
        let data = folder.join("data");
        let mut server = match family {
            Family::MariaDb => {
                let mut server = Command::new("/usr/sbin/mariadbd");
                server
                    .args(["--no-defaults", "--user=root"])
                    .arg(argument("--datadir", &data));
                server
            }
            Family::MySql => {
                let mut server = mysqld(&data);
                server.args([
                    "--secure-file-priv=NULL",
                    "--gtid-mode=ON",
                    "--enforce-gtid-consistency",
                    "--log-slave-updates",
                ]);
                server
            }
        };
        server
            .arg(argument("--socket", &folder.join("socket")))
            .arg(argument("--pid-file", &folder.join("pid")))
            .arg(argument("--tmpdir", folder))
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
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).expect("a log file"));
        process::spawn(server, libc::SIGKILL).expect("the server starts")
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

/// A server for a test that stops it, or sets it up in its own way.
pub struct PrivateMySql {
    server: MySql,
}

impl PrivateMySql {
    /// With these options besides those of all.
    pub async fn start(family: Family, options: &[&str]) -> PrivateMySql {
        let options = options.iter().map(|o| (*o).to_owned()).collect();
        let name = unique(&format!("{family:?}").to_lowercase());
        let started = tokio::task::spawn_blocking(move || MySql::start(family, &name, options));
        let server = started.await.expect("the server starts");
        server.is_up().await;
        PrivateMySql { server }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.server.process.kill();
        let _ = self.server.process.wait();
    }

    /// Starts it again on the same port with the same data.
    pub async fn start_again(&mut self) {
        let MySql {
            port,
            family,
            folder,
            options,
            ..
        } = &self.server;
        self.server.process = MySql::launch(*family, folder, *port, options);
        self.server.is_up().await;
    }
}

impl std::ops::Deref for PrivateMySql {
    type Target = MySql;

    fn deref(&self) -> &MySql {
        &self.server
    }
}

impl Drop for PrivateMySql {
    fn drop(&mut self) {
        self.kill();
    }
}

fn mysqld(data: &Path) -> Command {
    let base = mysql_base();
    let mut command = Command::new(base.join("mysqld"));
    command.args(["--no-defaults", "--explicit_defaults_for_timestamp", "--user=root"]);
    command.arg(argument("--basedir", &base));
    command.arg(argument("--lc-messages-dir", &base.join("share/mysql")));
    command.arg(argument("--datadir", data));
    command
}

fn argument(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// One after the other: two installations at once get in each other's way.
fn run(command: &mut Command) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
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
