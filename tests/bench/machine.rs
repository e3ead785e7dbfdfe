//! Where and of what the figures are.

use serde_json::{Value, json};
use std::process::Command;

/// Commit, machine and time of a run.
pub struct Machine {
    commit: String,
    cpu: String,
    cores: usize,
    pub memory_mib: u64,
}

impl Machine {
    pub fn read() -> Machine {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let value = |text: &str, name: &str| {
            let line = text.lines().find(|l| l.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let total = value(&memory, "MemTotal").and_then(|m| m.split(' ').next()?.parse::<u64>().ok());
        Machine {
            commit: commit(),
            cpu: value(&cpu, "model name").unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: total.unwrap_or_default() / 1024,
        }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        format!(
            "commit {}, {} x {}, {} MiB, load {:.2}",
            self.commit,
            self.cores,
            self.cpu,
            self.memory_mib,
            load()
        )
    }

    pub fn json(&self) -> Value {
        json!({"commit": self.commit, "cpu": self.cpu, "cores": self.cores, "memoryMib": self.memory_mib})
    }

    /// The beginning of the names of the files of a run: `snapshot-44af942-1764000000`.
    pub fn file_stem(&self, what: &str) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        format!("{what}-{}-{}", self.commit, now.map_or(0, |t| t.as_secs()))
    }
}

/// Processes that ran or waited to run during the last minute: what else the machine had to do.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|l| l.parse().ok()).unwrap_or_default()
}

/// The commit of the checkout; with a plus where files differ from it.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(godwit_tests::checkout())
            .args(arguments)
            .output();
        let done = done.ok().filter(|o| o.status.success())?;
        Some(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return "unknown".into();
    };
    let is_clean = git(&["status", "--porcelain"]).is_some_and(|s| s.is_empty());
    if is_clean { commit } else { format!("{commit}+") }
}
