//! Commands of the product as scripts run them: arguments in, lines and an exit code out.

use crate::app::binary;
use crate::process::{self, scratch};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const END_TIMEOUT: Duration = Duration::from_secs(180);

/// A folder in which commands run, with nothing of the machine's configuration.
pub struct Shell {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What a command has left.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub error: String,
}

impl Default for Shell {
    fn default() -> Self {
        Self::new()
    }
}

impl Shell {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir_in(scratch()).expect("a folder"),
            environment: Vec::new(),
        }
    }

    /// With a variable for all commands from now on.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// Makes a SQLite file.
    pub fn sqlite(&self, name: &str, sql: &str) {
        let connection = rusqlite::Connection::open(self.path(name)).expect("a file");
        connection.execute_batch(sql).expect("statements that run");
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("XDG_CONFIG_HOME")
            .envs(self.environment.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// Runs a command that has to end with this code; what it printed.
    pub fn ends(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}\n{}\n{}", ended.out, ended.error);
        ended
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut child = process::spawn(self.command(arguments), libc::SIGKILL).expect("the command starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut error = child.stderr.take().expect("it is piped");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = error.read_to_string(&mut text);
            text
        });
        Running {
            child,
            out,
            seen: String::new(),
            error: Some(reader),
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A command that runs; killed when dropped.
pub struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    seen: String,
    error: Option<std::thread::JoinHandle<String>>,
}

impl Running {
    /// Reads lines until one is an event that this is true of. Panics when the command ends before.
    pub fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).expect("output");
            if read == 0 {
                let _ = self.child.wait();
                let error = self.error.take().map(|t| t.join().unwrap_or_default());
                panic!("it ended before {what}:\n{}\n{error:?}", self.seen);
            }
            self.seen.push_str(&line);
            if let Ok(event) = serde_json::from_str(&line)
                && is_it(&event)
            {
                return event;
            }
        }
    }

    pub fn signal(&self, signal: libc::c_int) {
        process::signal(&self.child, signal);
    }

    pub fn end(mut self) -> Ended {
        // Whoever prints much waits until somebody reads.
        let mut rest = String::new();
        let _ = self.out.read_to_string(&mut rest);
        let status = process::wait(&mut self.child, END_TIMEOUT).expect("a command that ends");
        self.seen.push_str(&rest);
        Ended {
            code: status.code().unwrap_or(-1),
            out: std::mem::take(&mut self.seen),
            error: self
                .error
                .take()
                .map(|t| t.join().unwrap_or_default())
                .unwrap_or_default(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The lines that it has printed, as JSON.
    pub fn events(&self) -> Vec<Value> {
        let lines = self.out.lines().filter(|line| !line.trim().is_empty());
        let parsed = lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")));
        parsed.collect()
    }

    /// The one event of a kind.
    pub fn event(&self, kind: &str) -> Value {
        let found = self.events().into_iter().find(|event| event["event"] == kind);
        found.unwrap_or_else(|| panic!("there is no event {kind}:\n{}\n{}", self.out, self.error))
    }

    /// The error that it has printed, as JSON.
    pub fn failure(&self) -> Value {
        let line = self.error.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {}", self.error))
    }
}
