//! One private PostgreSQL and one private MongoDB replica set for all tests of a binary.

use crate::process::{self, free_port, scratch, tail};
use mongodb::bson::doc;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// Name and password of the superuser of the private PostgreSQL.
pub const SUPERUSER: &str = "postgres";
pub const PASSWORD: &str = "secret of the tests";

const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Many of them may run at the same time.
const SMALL_CACHE: [&str; 2] = ["--wiredTigerCacheSizeGB", "0.25"];

pub struct Servers {
    pub postgres: Postgres,
    pub mongo: Mongo,
}

/// Starts the servers at the first call.
pub async fn servers() -> &'static Servers {
    static SERVERS: OnceCell<Servers> = OnceCell::const_new();
    SERVERS
        .get_or_init(|| async {
            let postgres = || Postgres::start(scratch().join("postgres"), &[]);
            let (postgres, mongo) = tokio::join!(tokio::task::spawn_blocking(postgres), Mongo::start());
            let servers = Servers {
                postgres: postgres.expect("PostgreSQL starts"),
                mongo,
            };
            stop_at_exit(&servers);
            servers
        })
        .await
}

/// Names of databases: readable, and never the same twice.
fn unique(hint: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{hint}_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

// ---- PostgreSQL ----

pub struct Postgres {
    pub port: u16,
    /// Has the data, and the log beside it.
    folder: PathBuf,
    settings: Vec<String>,
    process: Child,
}

impl Postgres {
    /// A server with its data in this folder; `settings` as `name=value`, besides those that all servers have.
    fn start(folder: PathBuf, settings: &[&str]) -> Postgres {
        std::fs::create_dir_all(&folder).expect("a folder for PostgreSQL");
        if let Some((uid, gid)) = unprivileged_user() {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).expect("the folder's owner can be set");
        }
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD).expect("the password can be written");
        let made = postgres_command("initdb")
            .args([
                "-U",
                SUPERUSER,
                "--auth=scram-sha-256",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(folder.join("data"))
            .arg(format!("--pwfile={}", password.display()))
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );

        let port = free_port();
        let settings: Vec<String> = settings.iter().map(|s| (*s).to_owned()).collect();
        let process = Postgres::launch(&folder, port, &settings);
        Postgres {
            port,
            folder,
            settings,
            process,
        }
    }

    fn launch(folder: &Path, port: u16, settings: &[String]) -> Child {
        let log = folder.join("log");
        let mut server = postgres_command("postgres");
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
    pub async fn start(settings: &[&'static str]) -> PrivatePostgres {
        let settings = settings.to_vec();
        let start = move || {
            let folder = tempfile::tempdir_in(scratch()).expect("a folder for PostgreSQL");
            let server = Postgres::start(folder.path().to_owned(), &settings);
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
        self.server.process.id()
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

    /// Starts it again on the same port with the same data.
    pub fn start_again(&mut self) {
        let Postgres {
            port, folder, settings, ..
        } = &self.server;
        self.server.process = Postgres::launch(folder, *port, settings);
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

    /// Runs statements; the panic of one that fails shows the server's message.
    pub async fn run(&self, sql: &str) {
        if let Err(error) = self.connect().await.batch_execute(sql).await {
            let message = error
                .as_db_error()
                .map_or_else(|| error.to_string(), |e| format!("{e:?}"));
            panic!("SQL failed: {message}\n{sql:.2000}");
        }
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
        .options("-c timezone=UTC -c lock_timeout=30s")
        .connect(NoTls)
        .await?;
    let task = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok((client, task))
}

/// One of the server's programs, as a user that it accepts.
fn postgres_command(program: &str) -> Command {
    let mut command = Command::new(postgres_bin().join(program));
    if let Some((uid, gid)) = unprivileged_user() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// The folder of the newest server programs.
fn postgres_bin() -> PathBuf {
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

// ---- MongoDB ----

pub struct Mongo {
    pub port: u16,
    process: Child,
}

impl Mongo {
    async fn start() -> Mongo {
        let folder = scratch().join("mongo");
        let port = free_port();
        let arguments = ["--wiredTigerCacheSizeGB", "1", "--oplogSize", "512"];
        let mut process = launch_member(&folder, port, &arguments);
        // Nothing here outlives the process: majority writes need not wait for the disk.
        initiate(&mut process, &folder, port, false).await;
        Mongo { port, process }
    }

    /// The URI of a database by its name.
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}?replicaSet=tests", self.port)
    }

    /// A database of its own; it exists once something is written.
    pub async fn target(&self, hint: &str) -> Target {
        let name = unique(hint);
        Target::new(self.uri(&name), &name).await
    }
}

/// Starts a mongod that is to be the only member of a replica set.
fn launch_member(folder: &Path, port: u16, arguments: &[&str]) -> Child {
    std::fs::create_dir_all(folder).expect("a folder for MongoDB");
    let mut server = Command::new(mongod());
    server.arg("--dbpath").arg(folder).args(["--port", &port.to_string()]);
    server.args(["--bind_ip", "127.0.0.1", "--nounixsocket", "--replSet", "tests"]);
    server.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
    server.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    server.stdout(std::fs::File::create(folder.join("log")).expect("a log file"));
    process::spawn(server, libc::SIGKILL).expect("mongod starts")
}

/// Makes it a replica set, unless it is one, and waits until it can be written.
async fn initiate(process: &mut Child, folder: &Path, port: u16, waits_for_disk: bool) {
    let client = mongodb::Client::with_uri_str(format!("mongodb://127.0.0.1:{port}/?directConnection=true"))
        .await
        .expect("a client of MongoDB");
    let admin = client.database("admin");
    let config = doc! {
        "_id": "tests", "members": [{"_id": 0, "host": format!("127.0.0.1:{port}")}],
        "writeConcernMajorityJournalDefault": waits_for_disk,
    };
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let ended = process.try_wait().expect("the state of a child").is_some();
        assert!(
            !ended && Instant::now() < deadline,
            "MongoDB did not start:\n{}",
            tail(&folder.join("log"))
        );
        if let Ok(hello) = admin.run_command(doc! {"hello": 1}).await {
            if hello.get_bool("isWritablePrimary").unwrap_or(false) {
                return;
            }
            if !hello.contains_key("setName") {
                // Refused where it is one already and still reads its configuration.
                let _ = admin.run_command(doc! {"replSetInitiate": config.clone()}).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A MongoDB of one test, which may kill it; gone when dropped.
pub struct PrivateMongo {
    pub port: u16,
    process: Child,
    folder: tempfile::TempDir,
    arguments: &'static [&'static str],
}

impl PrivateMongo {
    /// A replica set of one member without passwords. What it has acknowledged to a majority is on its disk.
    pub async fn start() -> PrivateMongo {
        PrivateMongo::start_with(&SMALL_CACHE).await
    }

    /// The same with other arguments.
    pub async fn start_with(arguments: &'static [&'static str]) -> PrivateMongo {
        let folder = tempfile::tempdir_in(scratch()).expect("a folder for MongoDB");
        let port = free_port();
        let mut process = launch_member(folder.path(), port, arguments);
        initiate(&mut process, folder.path(), port, true).await;
        PrivateMongo {
            port,
            process,
            folder,
            arguments,
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A database of the server without passwords, reached at this port: its own, or that of a proxy before it.
    pub async fn target_at(&self, port: u16, hint: &str) -> Target {
        let name = unique(hint);
        Target::new(
            format!("mongodb://127.0.0.1:{port}/{name}?directConnection=true"),
            &name,
        )
        .await
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts the server without passwords again on the same port with the same data.
    pub async fn start_again(&mut self) {
        self.process = launch_member(self.folder.path(), self.port, self.arguments);
        initiate(&mut self.process, self.folder.path(), self.port, true).await;
    }

    /// Starts it with users of `admin`, each with one role in every database and [`PASSWORD`].
    pub async fn start_with_users(users: &[(&str, &str)]) -> PrivateMongo {
        let folder = tempfile::tempdir_in(scratch()).expect("a folder for MongoDB");
        let port = free_port();
        let mut server = Command::new(mongod());
        server.arg("--auth").arg("--dbpath").arg(folder.path());
        server.args(["--port", &port.to_string(), "--bind_ip", "127.0.0.1", "--nounixsocket"]);
        server.args(SMALL_CACHE);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = process::spawn(server, libc::SIGKILL).expect("mongod starts");
        // The first user may be made without one.
        let first = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
        let root = doc! {"createUser": "root", "pwd": PASSWORD, "roles": ["root"]};
        let admin = mongodb::Client::with_uri_str(first)
            .await
            .expect("a client")
            .database("admin");
        admin.run_command(root).await.expect("the first user can be made");
        let server = PrivateMongo {
            port,
            process,
            folder,
            arguments: &SMALL_CACHE,
        };
        let admin = mongodb::Client::with_uri_str(server.uri_of("root", "admin"))
            .await
            .expect("a client");
        for (name, role) in users {
            let role = format!("{role}AnyDatabase");
            let user = doc! {"createUser": name, "pwd": PASSWORD, "roles": [role]};
            admin
                .database("admin")
                .run_command(user)
                .await
                .expect("a user can be made");
        }
        server
    }

    /// The URI of a database for one of the users.
    pub fn uri_of(&self, user: &str, database: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!(
            "mongodb://{user}:{password}@127.0.0.1:{}/{database}?authSource=admin",
            self.port
        )
    }
}

impl Drop for PrivateMongo {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where a test's job writes.
pub struct Target {
    pub uri: String,
    pub database: mongodb::Database,
}

impl Target {
    async fn new(uri: String, name: &str) -> Target {
        let client = mongodb::Client::with_uri_str(&uri).await.expect("a client of MongoDB");
        Target {
            database: client.database(name),
            uri,
        }
    }
}

/// `GODWIT_MONGOD`, the cache that `make test` fills, or PATH.
fn mongod() -> PathBuf {
    let cache = std::env::var_os("GODWIT_CACHE").map(PathBuf::from).or_else(|| {
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(
            base.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")))?
                .join("godwit"),
        )
    });
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    std::env::var_os("GODWIT_MONGOD")
        .map(PathBuf::from)
        .into_iter()
        .chain(cache.map(|c| c.join("mongod/bin/mongod")))
        .chain(std::env::split_paths(&in_path).map(|p| p.join("mongod")))
        .find(|p| p.is_file())
        .expect("no mongod found: `make test` fetches it, or set GODWIT_MONGOD")
}

// ---- the end ----

/// What the exit handler needs: it runs after the statics can no longer be reached safely by name.
static AT_EXIT: OnceLock<[u32; 2]> = OnceLock::new();

/// Statics are never dropped: an exit handler ends the servers and removes their files.
fn stop_at_exit(servers: &Servers) {
    extern "C" fn stop() {
        let Some([postgres, mongo]) = AT_EXIT.get() else { return };
        for (pid, signal) in [(postgres, libc::SIGQUIT), (mongo, libc::SIGKILL)] {
            #[expect(unsafe_code, reason = "std can only kill, and only with the Child at hand")]
            // SAFETY: both are children of ours that nobody has waited for; no memory is shared.
            unsafe {
                libc::kill(pid.cast_signed(), signal);
                libc::waitpid(pid.cast_signed(), std::ptr::null_mut(), 0);
            }
        }
        let _ = std::fs::remove_dir_all(scratch());
    }
    AT_EXIT.get_or_init(|| [servers.postgres.process.id(), servers.mongo.process.id()]);
    #[expect(unsafe_code, reason = "std has no exit handlers")]
    // SAFETY: the handler is a plain function that only makes system calls.
    unsafe {
        libc::atexit(stop);
    }
}
