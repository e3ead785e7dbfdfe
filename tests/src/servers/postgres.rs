//! PostgreSQL servers of the tests: the shared one, and those of one test.

use super::{PASSWORD, START_TIMEOUT, SUPERUSER, unique};
use crate::process::{self, free_port, scratch, tail};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

/// So often statements that others were in the way of are tried again.
const TRIES: usize = 50;

pub struct Postgres {
    pub port: u16,
    /// Has the data, and the log beside it.
    folder: PathBuf,
    settings: Vec<String>,
    /// Locales that the machine does not have itself.
    locales: Option<PathBuf>,
    process: Child,
}

impl Postgres {
    /// A server with its data in this folder; `settings` as `name=value`, besides those that all servers have.
    pub(super) fn start(folder: PathBuf, settings: Vec<String>) -> Postgres {
        Postgres::start_with(folder, settings, &[], &[])
    }

    /// The same with these files beside its data, and these locales.
    fn start_with(folder: PathBuf, settings: Vec<String>, files: &[(String, String)], locales: &[String]) -> Postgres {
        std::fs::create_dir_all(&folder).expect("a folder for PostgreSQL");
        give_away(&folder);
        copy_folder(fresh_data(), &folder.join("data"));
        for (name, text) in files {
            let path = folder.join("data").join(name);
            std::fs::write(&path, text).expect("a file beside the data");
            // It wants keys to be its own alone.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).expect("rights");
            give_away(&path);
        }
        let port = free_port();
        let locales = (!locales.is_empty()).then(|| make_locales(&folder.join("locales"), locales));
        let process = Postgres::launch(&folder, port, &settings, locales.as_deref());
        Postgres {
            port,
            folder,
            settings,
            locales,
            process,
        }
    }

    fn launch(folder: &Path, port: u16, settings: &[String], locales: Option<&Path>) -> Child {
        let log = folder.join("log");
        let mut server = postgres_command("postgres");
        if let Some(locales) = locales {
            server.env("LOCPATH", locales);
        }
        server
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-p", &port.to_string()]);
        let common = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "wal_level=logical",
            "max_connections=300",
            "max_wal_senders=60",
            "max_replication_slots=60",
            "fsync=off",
            "full_page_writes=off",
            "autovacuum=off",
        ];
        for setting in common.into_iter().chain(settings.iter().map(String::as_str)) {
            server.args(["-c", setting]);
        }
        server
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).expect("a log file"));
        let mut process = process::spawn(server, libc::SIGQUIT).expect("postgres starts");
        let deadline = Instant::now() + START_TIMEOUT;
        while !std::fs::read_to_string(&log)
            .unwrap_or_default()
            .contains("ready to accept connections")
        {
            let ended = process.try_wait().expect("the state of a child").is_some();
            assert!(
                !ended && Instant::now() < deadline,
                "PostgreSQL did not start:\n{}",
                tail(&log)
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        process
    }

    /// Of the process that has started all others of the server.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A fresh database in which `sql` (any number of statements) has been run.
    pub async fn database(&self, hint: &str, sql: &str) -> Database {
        let database = Database {
            name: unique(hint),
            port: self.port,
        };
        let (client, _) = connect(self.port, "postgres", SUPERUSER, PASSWORD)
            .await
            .expect("the superuser connects");
        client
            .batch_execute(&format!("create database \"{}\"", database.name))
            .await
            .expect("a fresh database");
        database.run(sql).await;
        database
    }
}

/// A PostgreSQL of one test, which may stop it, or let transactions stand open; gone when dropped.
///
/// An open transaction anywhere in a server keeps every new replication slot of it waiting.
pub struct PrivatePostgres {
    server: Postgres,
    _folder: tempfile::TempDir,
}

impl PrivatePostgres {
    /// Starts one; `settings` as `name=value`.
    pub async fn start(settings: &[&str]) -> PrivatePostgres {
        PrivatePostgres::start_with(settings, &[], &[]).await
    }

    /// The same with these files, name and text, beside its data.
    pub async fn start_with_files(files: &[(&str, &str)], settings: &[&str]) -> PrivatePostgres {
        PrivatePostgres::start_with(settings, files, &[]).await
    }

    /// One that knows more locales than the machine: `de_DE` is `de_DE.UTF-8` there.
    pub async fn start_with_locales(locales: &[&str]) -> PrivatePostgres {
        PrivatePostgres::start_with(&[], &[], locales).await
    }

    async fn start_with(settings: &[&str], files: &[(&str, &str)], locales: &[&str]) -> PrivatePostgres {
        let owned = |all: &[&str]| -> Vec<String> { all.iter().map(|s| (*s).to_owned()).collect() };
        let (settings, locales) = (owned(settings), owned(locales));
        let files: Vec<(String, String)> = files.iter().map(|(n, t)| ((*n).into(), (*t).into())).collect();
        let start = move || {
            let folder = tempfile::tempdir_in(scratch()).expect("a folder for PostgreSQL");
            let server = Postgres::start_with(folder.path().to_owned(), settings, &files, &locales);
            PrivatePostgres {
                server,
                _folder: folder,
            }
        };
        tokio::task::spawn_blocking(start).await.expect("PostgreSQL starts")
    }

    pub async fn database(&self, hint: &str, sql: &str) -> Database {
        self.server.database(hint, sql).await
    }

    /// Of the process that has started all others of the server.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// `pg_ctl stop -m immediate`: every connection breaks.
    pub fn stop_at_once(&mut self) {
        process::signal(&self.server.process, libc::SIGQUIT);
        process::wait(&mut self.server.process, START_TIMEOUT).expect("PostgreSQL stops");
    }

    /// `pg_ctl stop -m fast`: as an administrator stops it. Waits until the logs have been sent to their readers.
    pub fn stop(&mut self) {
        process::signal(&self.server.process, libc::SIGINT);
        process::wait(&mut self.server.process, START_TIMEOUT).expect("PostgreSQL stops");
    }

    /// Keeps a copy of the data of a server that is stopped.
    pub fn keep(&self) {
        copy_folder(&self.server.folder.join("data"), &self.server.folder.join("kept"));
    }

    /// Puts what was kept in the place of the data of a server that is stopped, once.
    pub fn put_back(&self) {
        let folder = &self.server.folder;
        std::fs::remove_dir_all(folder.join("data")).expect("the data can be removed");
        std::fs::rename(folder.join("kept"), folder.join("data")).expect("the data can be put back");
    }

    /// Starts it again as after a failover or a restore: with what is in its log, and from there on a new timeline.
    pub fn start_on_a_new_timeline(&mut self) {
        let folder = &self.server.folder;
        std::fs::write(folder.join("data/recovery.signal"), "").expect("a signal file");
        let mut settings = self.server.settings.clone();
        settings.push("restore_command=false".into());
        self.server.process = Postgres::launch(folder, self.server.port, &settings, self.server.locales.as_deref());
    }

    /// Starts another server at the same address, with nothing in it.
    pub fn start_another(&mut self) {
        let data = self.server.folder.join("data");
        std::fs::remove_dir_all(&data).expect("the data can be removed");
        init_data(&data);
        self.start_again();
    }

    /// Replaces its rules of who may connect; `pg_reload_conf()` makes them hold.
    pub fn write_hba(&self, rules: &str) {
        std::fs::write(self.server.folder.join("data/pg_hba.conf"), rules).expect("the rules can be written");
    }

    /// Makes a database with a certain name.
    pub async fn database_named(&self, name: &str, sql: &str) {
        let home = Database {
            name: "postgres".into(),
            port: self.server.port,
        };
        home.run(&format!("create database \"{name}\"")).await;
        let database = Database {
            name: name.into(),
            port: self.server.port,
        };
        database.run(sql).await;
    }

    /// Starts it again on the same port with the same data.
    pub fn start_again(&mut self) {
        let Postgres {
            port,
            folder,
            settings,
            locales,
            ..
        } = &self.server;
        self.server.process = Postgres::launch(folder, *port, settings, locales.as_deref());
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        process::signal(&self.server.process, libc::SIGQUIT);
        let _ = self.server.process.wait();
    }
}

/// One database of a private PostgreSQL.
pub struct Database {
    pub name: String,
    pub port: u16,
}

impl Database {
    /// As a user would type it into the form of a relational connection.
    pub fn jdbc_url(&self) -> String {
        self.jdbc_url_at(self.port)
    }

    /// The same through another port, without TLS, so that a proxy there can see what a connection is for.
    pub fn jdbc_url_at(&self, port: u16) -> String {
        let mode = if port == self.port { "" } else { "?sslmode=disable" };
        format!("jdbc:postgresql://127.0.0.1:{port}/{}{mode}", self.name)
    }

    /// A connection of the superuser, in UTC.
    pub async fn connect(&self) -> Client {
        let (client, _) = connect(self.port, &self.name, SUPERUSER, PASSWORD)
            .await
            .unwrap_or_else(|e| panic!("cannot connect to {}: {e:?}", self.name));
        client
    }

    /// The same, `None` where the server does not answer.
    pub async fn try_connect(&self) -> Option<Client> {
        let connected = connect(self.port, &self.name, SUPERUSER, PASSWORD).await;
        connected.ok().map(|(client, _)| client)
    }

    /// Runs statements, see [`execute`].
    pub async fn run(&self, sql: &str) {
        execute(&self.connect().await, sql).await;
    }

    /// Runs a file with psql (for files with COPY data), unpacked first if it ends in `.gz`.
    pub fn load(&self, file: &Path) {
        let unpack = if file.extension().is_some_and(|e| e == "gz") {
            "gzip -dc"
        } else {
            "cat"
        };
        let done = Command::new("sh")
            .arg("-c")
            .arg(format!("{unpack} \"$1\" | psql -X -q -v ON_ERROR_STOP=1"))
            .arg("sh")
            .arg(file)
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGDATABASE", &self.name)
            .env("PGUSER", SUPERUSER)
            .env("PGPASSWORD", PASSWORD)
            .output()
            .expect("sh runs");
        assert!(
            done.status.success(),
            "{}: {}",
            file.display(),
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

/// Runs statements, again where all of them were rolled back because other sessions were in the way, as applications
/// do. The panic of one that fails shows the server's message.
pub async fn execute(client: &Client, sql: &str) {
    for tries_left in (0..TRIES).rev() {
        let Err(error) = client.batch_execute(sql).await else {
            return;
        };
        let others = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        let is_passing = error.code().is_some_and(|code| others.contains(code));
        if !is_passing || !is_one_transaction(sql) || tries_left == 0 {
            let message = (error.as_db_error()).map_or_else(|| error.to_string(), |e| format!("{e:?}"));
            panic!("SQL failed: {message}\n{sql:.2000}");
        }
        client
            .batch_execute("rollback")
            .await
            .expect("the end of a transaction");
    }
}

/// Whether nothing of the statements stays where one of them fails: statements in one message are one transaction unless
/// they end it themselves.
fn is_one_transaction(sql: &str) -> bool {
    let sql = sql.to_lowercase();
    let sql = sql.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    let before_the_end = sql.strip_suffix("commit").unwrap_or(sql);
    !["commit", "rollback", "prepare transaction"]
        .iter()
        .any(|end| before_the_end.contains(end))
}

/// A connection whose background task ends with it.
pub async fn connect(
    port: u16,
    database: &str,
    user: &str,
    password: &str,
) -> Result<(Client, tokio::task::JoinHandle<()>), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::Config::new()
        .host("127.0.0.1")
        .port(port)
        .dbname(database)
        .user(user)
        .password(password)
        // A job that blocks the statements of a test makes it fail, not hang.
        .options("-c timezone=UTC -c lock_timeout=120s")
        .connect(NoTls)
        .await?;
    let task = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok((client, task))
}

/// Data of a server that has never run, made once: a copy of it is a server in a tenth of the time that `initdb` takes.
fn fresh_data() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = scratch().join("fresh");
        std::fs::create_dir_all(&folder).expect("a folder for PostgreSQL");
        give_away(&folder);
        init_data(&folder.join("data"));
        folder.join("data")
    })
}

/// `initdb`: a server with an identity of its own.
fn init_data(data: &Path) {
    let password = scratch().join("password");
    std::fs::write(&password, PASSWORD).expect("the password can be written");
    let made = postgres_command("initdb")
        .args([
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ])
        .arg(format!("--pwfile={}", password.display()))
        .args(["--no-sync", "-D"])
        .arg(data)
        .output()
        .expect("initdb runs");
    assert!(
        made.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&made.stderr)
    );
}

/// Compiles locales from the sources that come with Debian's PostgreSQL.
fn make_locales(folder: &Path, names: &[String]) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder for locales");
    for name in names {
        let made = Command::new("localedef")
            .args(["--no-archive", "-i", name, "-f", "UTF-8"])
            .arg(folder.join(format!("{name}.UTF-8")))
            .output()
            .expect("localedef runs");
        // It warns of much, and fails only where there is no result.
        let is_there = folder.join(format!("{name}.UTF-8/LC_MONETARY")).exists();
        assert!(is_there, "{name}: {}", String::from_utf8_lossy(&made.stderr));
    }
    folder.to_owned()
}

/// A copy with the same owners.
fn copy_folder(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(done.is_ok_and(|status| status.success()), "cp {}", from.display());
}

/// Lets the server write into a folder, when this is root.
pub(super) fn give_away(folder: &Path) {
    if let Some((uid, gid)) = unprivileged_user() {
        std::os::unix::fs::chown(folder, Some(uid), Some(gid)).expect("the folder's owner can be set");
    }
}

/// One of the server's programs, as a user that it accepts.
fn postgres_command(program: &str) -> Command {
    let mut command = Command::new(postgres_bin().join(program));
    as_unprivileged(&mut command);
    command
}

/// Lets a program run as a user that it accepts.
pub(super) fn as_unprivileged(command: &mut Command) {
    if let Some((uid, gid)) = unprivileged_user() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/").stdin(Stdio::null());
}

/// The folder of the server programs: `GODWIT_POSTGRES_BIN`, or of the newest version that is installed.
fn postgres_bin() -> PathBuf {
    if let Some(bin) = std::env::var_os("GODWIT_POSTGRES_BIN") {
        return bin.into();
    }
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return bin;
    }
    let answer = Command::new("pg_config").arg("--bindir").output();
    let bin = answer.map(|o| PathBuf::from(String::from_utf8_lossy(&o.stdout).trim().to_owned()));
    match bin {
        Ok(bin) if bin.join("initdb").exists() => bin,
        _ => panic!("no PostgreSQL server is installed here: `make test` installs it"),
    }
}

/// User and group to run PostgreSQL as, when this is root: it refuses to be.
fn unprivileged_user() -> Option<(u32, u32)> {
    let me = std::fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m));
    if me.expect("/proc/self") != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let fields = users
        .lines()
        .map(|l| l.split(':').collect::<Vec<_>>())
        .find(|f| f[0] == "postgres");
    let fields = fields.expect("a user `postgres` to run the server as: the Debian package makes it");
    Some((
        fields[2].parse().expect("a user id"),
        fields[3].parse().expect("a group id"),
    ))
}

#[cfg(test)]
mod tests {
    use super::is_one_transaction;

    #[test]
    fn statements_are_one_transaction_unless_they_end_it_themselves() {
        assert!(is_one_transaction("update t set a = 1; delete from t"));
        assert!(is_one_transaction("begin; update t set a = 1; COMMIT ;\n"));
        assert!(!is_one_transaction("begin; update t set a = 1; commit; delete from t"));
        assert!(!is_one_transaction("do $$ begin update t set a = 1; commit; end $$"));
        assert!(!is_one_transaction("begin; update t set a = 1; rollback"));
    }
}
