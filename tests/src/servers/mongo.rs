//! MongoDB servers of the tests: the shared one, and those of one test.

use super::{PASSWORD, START_TIMEOUT, unique};
use crate::api::wait_for;
use crate::process::{self, free_port, scratch, tail};
use mongodb::bson::doc;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Many of them may run at the same time.
const SMALL_CACHE: [&str; 2] = ["--wiredTigerCacheSizeGB", "0.25"];
/// A file for each collection and index of every test: those that nobody reads any more are closed soon, for the number of
/// open ones is limited.
const FEW_FILES: [&str; 6] = [
    "--setParameter",
    "wiredTigerFileHandleCloseIdleTime=20",
    "--setParameter",
    "wiredTigerFileHandleCloseScanInterval=5",
    "--setParameter",
    "wiredTigerFileHandleCloseMinimum=250",
];

pub struct Mongo {
    pub port: u16,
    process: Child,
}

impl Mongo {
    pub(super) async fn start() -> Mongo {
        let folder = scratch().join("mongo");
        let port = free_port();
        let arguments = ["--wiredTigerCacheSizeGB", "1", "--oplogSize", "512"];
        let mut process = launch_member(&folder, port, &arguments);
        // Nothing here outlives the process: majority writes need not wait for the disk.
        initiate(&mut process, &folder, port, false).await;
        Mongo { port, process }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The URI of a database by its name.
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}?replicaSet=tests", self.port)
    }

    /// One that is reached at this port, a proxy's.
    pub async fn target_at(&self, port: u16, hint: &str) -> Target {
        Target::at(port, hint).await
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
    server.args(FEW_FILES);
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
        Target::at(port, hint).await
    }

    /// Waits until it can be written, after it has stepped down.
    pub async fn is_primary(&self) {
        let uri = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        let client = mongodb::Client::with_uri_str(uri).await.expect("a client of MongoDB");
        let hello = || async {
            let hello = client.database("admin").run_command(doc! {"hello": 1}).await.ok()?;
            hello.get_bool("isWritablePrimary").ok().filter(|yes| *yes)
        };
        wait_for("a primary", START_TIMEOUT, hello).await;
    }

    /// The URI of a database of the server without passwords.
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}?directConnection=true", self.port)
    }

    /// SIGSTOP: it answers nothing until [`PrivateMongo::thaw`].
    pub fn freeze(&self) {
        process::signal(&self.process, libc::SIGSTOP);
    }

    pub fn thaw(&self) {
        process::signal(&self.process, libc::SIGCONT);
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

    /// Starts it with TLS alone: certificate and key in one text, and the authority that clients have to be of.
    pub async fn start_with_tls(pair: &str, authority: &str) -> PrivateMongo {
        let folder = tempfile::tempdir_in(scratch()).expect("a folder for MongoDB");
        let port = free_port();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file of MongoDB");
            path
        };
        let mut server = Command::new(mongod());
        server.args(["--tlsMode", "requireTLS", "--tlsCertificateKeyFile"]);
        server
            .arg(file("pair.pem", pair))
            .arg("--tlsCAFile")
            .arg(file("ca.pem", authority));
        server.arg("--dbpath").arg(folder.path());
        server.args(["--port", &port.to_string(), "--bind_ip", "127.0.0.1", "--nounixsocket"]);
        server.args(SMALL_CACHE);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = process::spawn(server, libc::SIGKILL).expect("mongod starts");
        wait_for("a MongoDB with TLS", START_TIMEOUT, || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        PrivateMongo {
            port,
            process,
            folder,
            arguments: &SMALL_CACHE,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
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
    /// A database of its own in whatever server answers at the port.
    async fn at(port: u16, hint: &str) -> Target {
        let name = unique(hint);
        let uri = format!("mongodb://127.0.0.1:{port}/{name}?directConnection=true");
        Target::new(uri, &name).await
    }

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
