//! What is to be measured: one argument and some environment variables.

use crate::{more, plans};
use std::path::PathBuf;
use std::str::FromStr;

pub enum What {
    /// Snapshots of every plan.
    Snapshot,
    /// Continuous jobs.
    Cdc,
    /// The steps of a row's way, each alone.
    Micro,
}

/// Parts of the benchmark of continuous jobs.
pub const PARTS: [&str; 4] = ["steady", "flat", "embedded", "large"];

pub struct Settings {
    pub what: What,
    /// `BENCH_OUT`: the folder for the figures and charts.
    pub out: PathBuf,
    /// `SCALE`: scale factor of TPC-H; 1 has 6 million lines of orders.
    pub scale: f64,
    /// `PLANS`: the snapshots to run, names of [`plans::SNAPSHOTS`] and of [`more::PARTS`].
    pub plans: Vec<String>,
    /// `RUNS`: how often each snapshot runs; the one in the middle counts.
    pub runs: usize,
    /// `NARROW`: rows of the table that is migrated twice.
    pub narrow: u64,
    /// `PARTS`: the parts of the other benchmark.
    pub parts: Vec<String>,
    /// `RATE`: row changes a second of the steady load.
    pub rate: u64,
    /// `MINUTES` of the steady load.
    pub minutes: f64,
    /// `CHANGES`: row changes of a backlog.
    pub changes: u64,
    /// `LARGE`: row changes of the one large transaction.
    pub large: u64,
}

impl Settings {
    /// Reads arguments and environment; the error is for the user.
    pub fn read() -> Result<Settings, String> {
        let mut arguments = std::env::args().skip(1);
        let what = match (arguments.next().as_deref(), arguments.next()) {
            (Some("snapshot"), None) => What::Snapshot,
            (Some("cdc"), None) => What::Cdc,
            (Some("micro"), None) => What::Micro,
            _ => return Err("the one argument is `snapshot`, `cdc` or `micro`".into()),
        };
        let settings = Settings {
            what,
            out: value("BENCH_OUT").map_or_else(|| godwit_tests::checkout().join("target/bench"), PathBuf::from),
            scale: number("SCALE", 0.2)?,
            plans: names("PLANS", &[&plans::SNAPSHOTS.map(|p| p.name)[..], &more::PARTS].concat())?,
            runs: number("RUNS", 1)?,
            narrow: number("NARROW", 10_000_000)?,
            parts: names("PARTS", &PARTS)?,
            rate: number("RATE", 2_000)?,
            minutes: number("MINUTES", 10.0)?,
            changes: number("CHANGES", 200_000)?,
            large: number("LARGE", 2_000_000)?,
        };
        let is_positive = settings.scale > 0.0
            && settings.minutes > 0.0
            && [
                settings.runs as u64,
                settings.narrow,
                settings.rate,
                settings.changes,
                settings.large,
            ]
            .iter()
            .all(|n| *n > 0);
        if is_positive {
            Ok(settings)
        } else {
            Err("SCALE, RUNS, NARROW, RATE, MINUTES, CHANGES and LARGE are greater than 0".into())
        }
    }
}

fn value(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn number<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    match value(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| format!("{name} is no number: {text}")),
    }
}

/// A list with commas; all that there are where nothing is said.
fn names(name: &str, known: &[&str]) -> Result<Vec<String>, String> {
    let Some(text) = value(name) else {
        return Ok(known.iter().map(|n| (*n).to_owned()).collect());
    };
    let chosen: Vec<String> = text.split(',').map(|n| n.trim().to_owned()).collect();
    match chosen.iter().find(|n| !known.contains(&n.as_str())) {
        None => Ok(chosen),
        Some(unknown) => Err(format!("{name} knows {}, not {unknown:?}", known.join(", "))),
    }
}
