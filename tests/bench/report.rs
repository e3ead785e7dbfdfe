//! Figures for people and for scripts.

use crate::data::Origin;
use crate::machine::Machine;
use crate::snapshot::Outcome;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const MB: f64 = 1e6;

/// The first lines of the table of snapshots.
pub const HEAD: &str = "\
                                                                             CPU seconds           the limits
plan                   rows  documents  seconds   rows/s   docs/s   MB/s  source  server  mongod  MiB  copy s  insert s  ratio";

/// A line of the table.
pub fn row(outcome: &Outcome) -> String {
    let per_second = |count: u64| count as f64 / outcome.run.seconds;
    format!(
        "{:<18} {:>8} {:>10} {:>8.2} {:>8.0} {:>8.0} {:>6.1} {:>7.1} {:>7.1} {:>7.1} {:>4} {:>7.2} {:>9.2} {:>6.2}",
        outcome.plan.name,
        outcome.rows(),
        outcome.documents(),
        outcome.run.seconds,
        per_second(outcome.rows()),
        per_second(outcome.documents()),
        per_second(outcome.bytes) / MB,
        outcome.run.cpu.source,
        outcome.run.cpu.server,
        outcome.run.cpu.mongod,
        outcome.run.rss_mib,
        outcome.copy_seconds,
        outcome.insert_seconds,
        outcome.ratio(),
    )
}

/// Everything of a run of snapshots.
pub fn json(machine: &Machine, origin: Origin, scale: f64, outcomes: &[Outcome]) -> Value {
    let plans: Vec<Value> = outcomes.iter().map(outcome).collect();
    json!({"machine": machine.json(), "data": origin.name(), "scale": scale, "plans": plans})
}

fn outcome(outcome: &Outcome) -> Value {
    let samples = outcome.run.samples.iter().map(|s| json!([s.seconds, s.rows, s.bytes]));
    json!({
        "plan": outcome.plan.name,
        "rows": outcome.rows(),
        "documents": outcome.documents(),
        "bsonBytes": outcome.bytes,
        "seconds": outcome.run.seconds,
        "rowsPerSecond": outcome.rows() as f64 / outcome.run.seconds,
        "documentsPerSecond": outcome.documents() as f64 / outcome.run.seconds,
        "megabytesPerSecond": outcome.bytes as f64 / outcome.run.seconds / MB,
        "cpuSeconds": outcome.run.cpu.json(),
        "peakMemoryMib": outcome.run.rss_mib,
        "limits": {
            "copySeconds": outcome.copy_seconds, "copyBytes": outcome.copied_bytes,
            "insertSeconds": outcome.insert_seconds
        },
        "ratio": outcome.ratio(),
        "loadBefore": outcome.run.load,
        "samples": {"members": ["seconds", "rows", "bsonBytes"], "values": samples.collect::<Vec<_>>()},
    })
}

/// Writes a file of a run; where it is.
pub fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    written.unwrap_or_else(|e| panic!("{} cannot be written: {e}", path.display()));
    path
}
