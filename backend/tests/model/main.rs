//! Random histories over random mappings: when the log is read to its end, the documents are those of a fresh snapshot.
//!
//! What decides is the product's own code: rules are compiled by `plan::compile`, changes become keys in
//! `cdc::collect`, and `cdc::decide` says what is climbed, rebuilt and skipped. Only source and destination are tables in
//! memory ([`ground`]), so that thousands of histories take seconds, and batch borders, points in time and deaths of the
//! process can fall anywhere.
//!
//! ```text
//! schema ─▶ mapping ─▶ plan, routes                       documents: the oracle
//!    └────▶ history ─▶ log ─▶ Collector ─▶ Decider ─▶ ground ─▶ documents: the same?
//!                      play: borders, points in time, deaths
//! ```
//!
//! A case that fails is printed with its schema, plan and history, as short as it still fails. To see it again:
//! `GODWIT_MODEL_SEED=4711 cargo test -p godwit --test model`. More of them: `GODWIT_MODEL_HISTORIES=100000`.

mod case;
mod documents;
mod ground;
mod history;
mod log;
mod mapping;
mod play;
mod random;
mod schema;
mod show;

use case::{Case, Seen};
use log::Mistake;
use play::play;
use std::ops::RangeInclusive;

const HISTORIES: u64 = 3_000;
/// Enough for each mistake to show. They are the first of all histories.
const HISTORIES_WITH_A_MISTAKE: u64 = 300;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
    )
}

/// Says in which case the product has panicked.
struct NamedInPanic(u64);

impl Drop for NamedInPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("this was seed {}", self.0);
        }
    }
}

/// Plays the histories and returns those that fail.
fn failing(seeds: RangeInclusive<u64>, mistake: Option<Mistake>, seen: &mut Seen) -> Vec<u64> {
    let mut failed = Vec::new();
    for seed in seeds {
        let _named = NamedInPanic(seed);
        let case = Case::new(seed);
        case.note_features(seen);
        let played = play(&case, mistake, false);
        seen.add(played.seen);
        if played.difference.is_some() {
            failed.push(seed);
        }
    }
    failed
}

/// The case in words, with as few transactions as it still fails with.
fn explain(seed: u64) -> String {
    let all = Case::new(seed).history.transactions.len();
    for transactions in 0..=all {
        let mut case = Case::new(seed);
        case.history.shorten(transactions);
        let played = play(&case, None, true);
        if let Some(difference) = played.difference {
            let (case, told) = (show::case(&case), played.told.join("\n"));
            return format!("seed {seed}, its first {transactions} transactions\n{case}{told}\n{difference}");
        }
    }
    format!("seed {seed} does not fail")
}

#[test]
fn documents_equal_those_of_a_fresh_snapshot() {
    let seeds = match number_from("GODWIT_MODEL_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number_from("GODWIT_MODEL_HISTORIES").unwrap_or(HISTORIES),
    };
    println!("histories with the seeds {} to {}", seeds.start(), seeds.end());
    let is_whole = seeds.clone().count() as u64 >= HISTORIES;
    let mut seen = Seen::default();
    let failed = failing(seeds.clone(), None, &mut seen);
    for (what, count) in &seen.0 {
        println!("{count:9} {what}");
    }
    if let Some(first) = failed.first() {
        let (count, all) = (failed.len(), seeds.count());
        panic!(
            "{count} of {all} histories fail: {failed:?}\nthe first of them:\n{}",
            explain(*first)
        );
    }
    // What never comes up is not tried.
    let missing: Vec<&str> = seen
        .0
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(what, _)| *what)
        .collect();
    assert!(!is_whole || missing.is_empty(), "never seen: {missing:?}");
}

/// Each mistake makes some of the histories fail that are right without it, as the test of all histories says.
fn shows(mistake: Mistake) {
    let seeds = 1..=HISTORIES_WITH_A_MISTAKE;
    let failed = failing(seeds, Some(mistake), &mut Seen::default());
    println!(
        "{mistake:?}: {} of {HISTORIES_WITH_A_MISTAKE} histories fail",
        failed.len()
    );
    assert!(!failed.is_empty(), "{mistake:?} is not found");
}

#[test]
fn new_images_alone_are_not_enough() {
    shows(Mistake::NewImagesOnly);
}

#[test]
fn changes_of_a_row_must_not_be_folded() {
    shows(Mistake::FoldedRows);
}

#[test]
fn a_point_in_time_must_contain_its_batch() {
    shows(Mistake::EarlyPoint);
}

#[test]
fn the_journal_must_not_promise_too_much() {
    shows(Mistake::OptimisticJournal);
}
