//! What processes have used, as the kernel counts it.

use serde_json::{Value, json};
use std::collections::HashMap;

/// Ticks of the times in `/proc`: USER_HZ, which is the same everywhere.
const TICKS_PER_SECOND: f64 = 100.0;

struct Process {
    parent: u32,
    /// Of the process itself, and of its children that have ended and been waited for.
    ticks: u64,
}

/// CPU seconds of the three who do the work.
#[derive(Clone, Copy)]
pub struct Cpu {
    pub source: f64,
    pub server: f64,
    pub mongod: f64,
}

impl Cpu {
    /// What they have used so far.
    pub fn read([source, server, mongod]: [u32; 3]) -> Cpu {
        Cpu {
            source: cpu_seconds(source),
            server: cpu_seconds(server),
            mongod: cpu_seconds(mongod),
        }
    }

    /// What they have used since `self` was read.
    pub fn until_now(self, pids: [u32; 3]) -> Cpu {
        let now = Cpu::read(pids);
        Cpu {
            source: now.source - self.source,
            server: now.server - self.server,
            mongod: now.mongod - self.mongod,
        }
    }

    pub fn json(self) -> Value {
        json!({"source": self.source, "server": self.server, "mongod": self.mongod})
    }
}

impl std::fmt::Display for Cpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Cpu { source, server, mongod } = self;
        write!(
            f,
            "CPU seconds of source {source:.1}, server {server:.1}, mongod {mongod:.1}"
        )
    }
}

/// CPU seconds that a process and everything it has started have used so far.
fn cpu_seconds(pid: u32) -> f64 {
    let mut processes = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended in this moment is counted with its parent.
        if let Some(process) = std::fs::read_to_string(entry.path().join("stat"))
            .ok()
            .and_then(|s| parse_stat(&s))
        {
            processes.insert(pid, process);
        }
    }
    ticks_below(pid, &processes) as f64 / TICKS_PER_SECOND
}

fn ticks_below(root: u32, processes: &HashMap<u32, Process>) -> u64 {
    let own = processes.get(&root).map_or(0, |p| p.ticks);
    let children = processes.iter().filter(|(_, p)| p.parent == root);
    own + children.map(|(pid, _)| ticks_below(*pid, processes)).sum::<u64>()
}

/// `/proc/PID/stat`: the name in parentheses may hold anything, so what is counted begins after the last one.
fn parse_stat(text: &str) -> Option<Process> {
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
    let number = |i: usize| fields.get(i)?.parse::<i64>().ok();
    let (user, system, children_user, children_system) = (number(11)?, number(12)?, number(13)?, number(14)?);
    Some(Process {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: u64::try_from(user + system + children_user + children_system).ok()?,
    })
}

/// What a process holds in memory, MiB.
pub fn memory_mib(pid: u32) -> u64 {
    status_mib(pid, "VmRSS:")
}

/// The most that it has held since it began, or since [`forget_peak`], MiB.
pub fn peak_mib(pid: u32) -> u64 {
    status_mib(pid, "VmHWM:")
}

/// From now on the peak is that of what follows. Where the kernel does not offer it, it stays that of everything.
pub fn forget_peak(pid: u32) {
    let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

fn status_mib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process that runs");
    let line = status.lines().find_map(|l| l.strip_prefix(name));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.expect("the kernel tells what a process holds") / 1024
}

/// The value below which this part of all lies.
pub fn percentile(values: &[u64], part: f64) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() as f64 * part) as usize;
    sorted
        .get(place.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_fields() {
        let stat = "4242 (a) S 1 (b) R 7 1 1 0 -1 4194560 1 0 0 0 100 20 3 4 20 0 1 0 5 6 7";
        let process = parse_stat(stat).unwrap();
        assert_eq!((process.parent, process.ticks), (7, 127));
    }

    #[test]
    fn children_count_wherever_they_are() {
        let process = |parent, ticks| Process { parent, ticks };
        let all = HashMap::from([
            (1, process(0, 5)),
            (2, process(1, 10)),
            (3, process(2, 20)),
            (4, process(9, 40)),
        ]);
        assert_eq!(ticks_below(1, &all), 35);
    }

    #[test]
    fn percentiles_of_few_values() {
        assert_eq!(percentile(&[], 0.5), 0);
        assert_eq!(percentile(&[3, 1, 2], 0.5), 2);
        assert_eq!(percentile(&[3, 1, 2], 1.0), 3);
    }
}
