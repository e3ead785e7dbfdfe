//! A private MongoDB for the store, where no URI is given: `mongod` from the PATH, with its data below the data
//! directory, listening on loopback alone.

use super::StoreError;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::{Child, Command};

/// A `mongod` that lives as long as this value.
#[derive(Debug)]
pub struct LocalMongod {
    child: Child,
    /// Where the store is.
    pub uri: String,
}

impl LocalMongod {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When there is no `mongod`, or it ends at once.
    pub async fn start(data_dir: &Path) -> Result<Self, StoreError> {
        let local = |reason: String| StoreError::Local(format!("no --store-uri is given, and {reason}"));
        let program = find()
            .ok_or_else(|| local("there is no mongod in the PATH: give the URI of a MongoDB for the store".into()))?;
        let folder = data_dir.join("store");
        super::claim_folder(&folder)?;
        end_orphan(&folder).await;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .map_err(|e| local(e.to_string()))?
            .port();
        let errors = std::fs::File::create(data_dir.join("store.err")).map_err(|e| local(e.to_string()))?;
        let mut command = Command::new(&program);
        // Ctrl-C in a terminal is for this process, which ends the `mongod` when its jobs are stored in it.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command
            .args([
                "--bind_ip",
                "127.0.0.1",
                "--quiet",
                "--wiredTigerCacheSizeGB",
                "0.25",
                "--port",
                &port.to_string(),
            ])
            .arg("--dbpath")
            .arg(&folder)
            .arg("--logpath")
            .arg(data_dir.join("store.log"))
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            // Left behind by a process that was killed, it must not hold the pipe of whoever reads the errors of that.
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| local(format!("{} cannot be started: {e}", program.display())))?;
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(Self {
                    child,
                    uri: format!("mongodb://127.0.0.1:{port}/?directConnection=true"),
                });
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(local(format!(
                    "the mongod of the data directory ended at once ({status}); see store.log there"
                )));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(local(
            "the mongod of the data directory does not answer; see store.log there".into(),
        ))
    }

    /// The `mongod` that would be started, where there is one.
    pub fn program() -> Option<PathBuf> {
        find()
    }

    /// Asks it to end and waits for it.
    pub async fn stop(mut self) {
        #[cfg(unix)]
        if let Some(id) = self.child.id() {
            // SIGTERM is its clean shutdown; there is no safe call for it in the standard library.
            let _ = Command::new("kill").arg(id.to_string()).status().await;
        }
        // Its log of changes makes it whole again, should it be killed after that.
        let _ = tokio::time::timeout(Duration::from_secs(3), self.child.wait()).await;
    }
}

/// A process that was killed has left its `mongod` behind, which keeps the folder to itself. The data directory is ours
/// alone by now, so what still runs in it is that one: it is asked to end, and waited for.
async fn end_orphan(folder: &Path) {
    // Its process id; empty after a clean end.
    let Ok(lock) = std::fs::read_to_string(folder.join("mongod.lock")) else {
        return;
    };
    let Ok(id) = lock.trim().parse::<u32>() else { return };
    // Numbers are used again: only a process that names this folder is meant.
    let command_line = PathBuf::from(format!("/proc/{id}/cmdline"));
    let names_folder = || {
        let words = std::fs::read(&command_line).unwrap_or_default();
        words
            .split(|b| *b == 0)
            .any(|word| word == folder.as_os_str().as_encoded_bytes())
    };
    if !names_folder() {
        return;
    }
    tracing::warn!(process = id, "The store's mongod of a killed server is ended");
    let _ = Command::new("kill").arg(id.to_string()).status().await;
    for _ in 0..300 {
        if !names_folder() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("GODWIT_MONGOD") {
        return Some(path.into());
    }
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|p| p.join("mongod"))
        .find(|p| p.is_file())
}
