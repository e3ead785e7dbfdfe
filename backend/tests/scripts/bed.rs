//! How the tests evaluate.

use godwit::assemble::script::{Outcome, ScriptError};
use godwit::data::value::Value;
use godwit::plan::Script;
use godwit::scripts::{self, Urgency};
use std::sync::atomic::{AtomicU64, Ordering};

/// An expression of a plan of its own, over columns of these names.
pub fn script(source: &str, names: &[&str]) -> Script {
    static WORLDS: AtomicU64 = AtomicU64::new(1);
    in_world(WORLDS.fetch_add(1, Ordering::Relaxed), 0, source, names)
}

/// One of several expressions of a plan.
pub fn in_world(world: u64, id: usize, source: &str, names: &[&str]) -> Script {
    scripts::use_program(env!("CARGO_BIN_EXE_godwit").into());
    Script {
        id,
        world,
        source: source.into(),
        inputs: names.iter().enumerate().map(|(i, n)| ((*n).to_owned(), i)).collect(),
        // What the engine makes of it.
        plain: None,
    }
}

/// What it comes to for each row.
pub async fn outcomes(script: &Script, rows: &[Vec<Value<'_>>]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let value = |row: usize, input: usize| rows[row][input].clone();
    let each = |outcome, _| {
        outcomes.push(outcome);
        true
    };
    let is_whole = scripts::evaluate(script, rows.len(), Urgency::Job, value, each).await;
    assert_eq!(is_whole, Ok(true));
    assert_eq!(outcomes.len(), rows.len());
    outcomes
}

/// What a text comes to without columns.
pub async fn run(source: &str) -> Outcome {
    outcomes(&script(source, &[]), &[Vec::new()]).await.remove(0)
}

/// The same for the numbers from 0 on, as the column `n`.
pub async fn for_numbers(source: &str, count: i32) -> Vec<Outcome> {
    let rows: Vec<Vec<Value<'_>>> = (0..count).map(|n| vec![Value::Int(n)]).collect();
    outcomes(&script(source, &["n"]), &rows).await
}

/// Why a text gives nothing.
pub async fn refused(source: &str) -> String {
    match run(source).await {
        Err(error) => error.to_string(),
        Ok(value) => panic!("{source} gave {value:?}"),
    }
}

pub async fn check(source: &str) -> Result<(), ScriptError> {
    let checked = scripts::check(&[&script(source, &[])]).await;
    checked.expect("a worker").remove(0)
}

pub fn int(n: i32) -> Outcome {
    Ok(Some(Value::Int(n)))
}

pub fn text(t: &'static str) -> Outcome {
    Ok(Some(Value::Text(t.into())))
}
