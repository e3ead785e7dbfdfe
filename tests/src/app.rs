//! The product as its users run it: a child process with its own data folder and store.

use crate::api::Api;
use crate::process::{self, free_port, scratch, tail};
use crate::servers::{Servers, servers};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const START_TIMEOUT: Duration = Duration::from_secs(180);

/// A running server; killed when dropped.
pub struct App {
    process: Child,
    port: u16,
    /// The URI; empty where the server starts a `mongod` of its own.
    store: String,
    environment: Vec<(String, String)>,
    /// What is said on the command line besides.
    arguments: Vec<String>,
    data: tempfile::TempDir,
}

impl App {
    /// Starts a server with an empty store.
    pub async fn start() -> App {
        App::start_with(&[]).await
    }

    /// The same with further environment variables.
    pub async fn start_with(environment: &[(&str, &str)]) -> App {
        let Servers { mongo, .. } = servers().await;
        let store = mongo.uri(&format!("godwit_store_{}", unix_nanos()));
        App::start_on(store, environment).await
    }

    /// The same with the store at this URI.
    pub async fn start_on(store: String, environment: &[(&str, &str)]) -> App {
        let data = tempfile::tempdir_in(scratch()).expect("a data folder");
        let port = free_port();
        let environment: Vec<(String, String)> = environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let process = launch(port, &store, data.path(), data.path(), &environment, &[]);
        let mut app = App {
            process,
            port,
            store,
            environment,
            arguments: Vec::new(),
            data,
        };
        app.wait_healthy().await;
        app
    }

    /// Another server on the same store, with a data folder of its own.
    pub async fn beside(&self) -> App {
        App::start_on(self.store.clone(), &[]).await
    }

    /// The same with a copy of this one's data folder: its key, and what stands for the installation.
    pub async fn with_copied_data(&self) -> App {
        let data = tempfile::tempdir_in(scratch()).expect("a data folder");
        let (from, to) = (self.data_dir(), data.path().join("data"));
        std::fs::create_dir_all(&to).expect("a data folder");
        for file in std::fs::read_dir(from).expect("a data folder").flatten() {
            if file.path().is_file() {
                std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
            }
        }
        let port = free_port();
        let process = launch(port, &self.store, data.path(), data.path(), &self.environment, &[]);
        let mut app = App {
            process,
            port,
            store: self.store.clone(),
            environment: self.environment.clone(),
            arguments: Vec::new(),
            data,
        };
        app.wait_healthy().await;
        app
    }

    /// The same without a URI: with a `mongod` of its own, which a clean end alone takes with it.
    pub async fn start_with_its_own_store() -> App {
        App::start_on(String::new(), &[]).await
    }

    /// `http://127.0.0.1:port`
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn api(&self) -> Api {
        Api::new(self.base())
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The database that it keeps its own data in.
    pub async fn store(&self) -> mongodb::Database {
        let client = mongodb::Client::with_uri_str(&self.store)
            .await
            .expect("a client of the store");
        client.default_database().expect("the URI names a database")
    }

    /// The folder given as `--data-dir`.
    pub fn data_dir(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// Holds the server's jobs at one of the points of `backend/src/hooks.rs` from now on.
    pub fn hold(&self, point: &str) {
        let hooks = self.data.path();
        let _ = std::fs::remove_file(hooks.join(format!("held-{point}")));
        std::fs::write(hooks.join(format!("hold-{point}")), []).expect("a file in the data folder");
    }

    /// Waits until a job is held there.
    pub async fn is_held(&self, point: &str) {
        let held = self.data.path().join(format!("held-{point}"));
        let wait = async || held.exists().then_some(());
        crate::api::wait_for(&format!("a job held at {point}"), crate::api::LONG, wait).await;
    }

    /// Makes the next job that comes to one of these points panic.
    pub fn panic_at(&self, point: &str) {
        std::fs::write(self.data.path().join(format!("panic-{point}")), []).expect("a file in the data folder");
    }

    /// Brings about one of the faults of `backend/src/hooks.rs`, or ends it.
    pub fn fault(&self, name: &str, is_there: bool) {
        let file = self.data.path().join(format!("fault-{name}"));
        match is_there {
            true => std::fs::write(file, []).expect("a file in the data folder"),
            false => std::fs::remove_file(file).expect("the fault is there"),
        }
    }

    /// Whether somebody has come there since.
    pub fn has_panicked_at(&self, point: &str) -> bool {
        !self.data.path().join(format!("panic-{point}")).exists()
    }

    /// Whether a job is held there now.
    pub fn is_held_now(&self, point: &str) -> bool {
        self.data.path().join(format!("held-{point}")).exists()
    }

    pub fn let_go(&self, point: &str) {
        std::fs::remove_file(self.data.path().join(format!("hold-{point}"))).expect("it is held");
    }

    /// What the server has printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }

    /// The most memory that the server has had so far, in MiB.
    pub fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("a running server");
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.expect("a line with the peak") / 1024
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// It ends as by a fault that no panic can tell of.
    pub fn abort(&mut self) {
        process::signal(&self.process, libc::SIGABRT);
        let _ = self.process.wait();
    }

    /// SIGTERM; the exit status, or a panic when the server is still there after the time.
    pub fn terminate(&mut self, timeout: Duration) -> ExitStatus {
        process::signal(&self.process, libc::SIGTERM);
        let status = process::wait(&mut self.process, timeout);
        status.unwrap_or_else(|| panic!("still running {timeout:?} after SIGTERM:\n{}", self.tail()))
    }

    /// SIGSTOP: it does nothing until [`App::thaw`].
    pub fn freeze(&self) {
        process::signal(&self.process, libc::SIGSTOP);
    }

    pub fn thaw(&self) {
        process::signal(&self.process, libc::SIGCONT);
    }

    /// Starts another server on the same data folder and store, which must not work; what it says.
    pub async fn second_on_the_same_data(&self) -> String {
        let log = tempfile::tempdir_in(scratch()).expect("a folder");
        let mut second = launch(
            free_port(),
            &self.store,
            self.data.path(),
            log.path(),
            &self.environment,
            &self.arguments,
        );
        let ended = process::wait(&mut second, START_TIMEOUT);
        let _ = second.kill();
        let ended = ended.expect("a second server ends");
        assert!(!ended.success(), "a second server ended with {ended:?}");
        std::fs::read_to_string(log.path().join("log")).unwrap_or_default()
    }

    /// Starts the server again, after `kill` or `terminate`, on the same port with the same data folder and store.
    pub async fn restart(&mut self) {
        self.kill();
        let data = self.data.path();
        self.process = launch(self.port, &self.store, data, data, &self.environment, &self.arguments);
        self.wait_healthy().await;
    }

    /// The same with these arguments, from now on.
    pub async fn restart_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        self.restart().await;
    }

    /// Starts the server again, which must not work; what it says.
    pub fn restart_fails(&mut self) -> String {
        self.kill();
        let (data, before) = (self.data.path(), self.log().len());
        self.process = launch(self.port, &self.store, data, data, &self.environment, &self.arguments);
        let ended = process::wait(&mut self.process, START_TIMEOUT);
        self.kill();
        let ended = ended.expect("a server that cannot start ends");
        assert!(!ended.success(), "it ended with {ended:?}");
        self.log().split_off(before)
    }

    async fn wait_healthy(&mut self) {
        let deadline = Instant::now() + START_TIMEOUT;
        let api = self.api();
        while api.try_get("/actuator/health").await.is_none_or(|r| r.status != 200) {
            let ended = self.process.try_wait().expect("the state of a child");
            assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", self.tail());
            assert!(Instant::now() < deadline, "the server is not healthy:\n{}", self.tail());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn tail(&self) -> String {
        tail(&self.data.path().join("log"))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- the server's log ----\n{}", self.tail());
        }
    }
}

/// The data lie in `data/data`, the log in `output/log`.
fn launch(
    port: u16,
    store: &str,
    data: &Path,
    output: &Path,
    environment: &[(String, String)],
    arguments: &[String],
) -> Child {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(output.join("log"));
    let log = log.expect("a log file");
    let mut command = Command::new(binary());
    command
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(data.join("data"))
        .args(if store.is_empty() {
            vec![]
        } else {
            vec!["--store-uri", store]
        })
        .args(arguments)
        .env("GODWIT_HOOKS", data)
        .envs(environment.iter().map(|(k, v)| (k, v)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log);
    process::spawn(command, libc::SIGKILL).expect("the server starts")
}

/// `GODWIT_BIN`, or the binary beside this test binary.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("GODWIT_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the path of this binary");
    let path = test
        .parent()
        .and_then(|deps| deps.parent())
        .map(|target| target.join("godwit"));
    path.filter(|p| p.is_file())
        .expect("no godwit beside the tests: `make test` builds it, or `cargo build -p godwit`, or set GODWIT_BIN")
}

fn unix_nanos() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("a clock after 1970").as_nanos()
}
