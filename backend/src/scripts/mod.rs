//! JavaScript of rules, evaluated in processes of their own.
//!
//! Expressions are strangers' code: an engine inside of the server could hang a thread, take all memory, or end the
//! process. So a few workers, children that run this same program, get batches of rows and answer with what each came
//! to. A worker that goes over its limits is ended; the row that it was at is an issue, the others are evaluated by the
//! next worker. Evaluation has no effects and no memory of other rows, so doing it again does no harm.
//!
//! ```text
//! rows ──▶ evaluate ──▶ pool ══ pipe ══▶ worker ──▶ engine: one world for each plan
//!             └ plain expressions, which need no engine (`assemble/plain.rs`)
//! ```

pub mod codec;
mod engine;
mod pool;
mod worker;

use crate::assemble::plain;
use crate::assemble::script::{Outcome, ScriptError};
use crate::data::value::Value;
use crate::plan::Script;
use codec::{Head, Order, begin_request, finish_request, write_value};
use pool::{End, ask};

pub use pool::{Unavailable, Urgency, use_program};
pub use worker::run as run_worker;

/// The command under which this program is a worker.
pub const WORKER_COMMAND: &str = "script-worker";

/// Bytes and rows of a request: so that the way there and back costs little for each row, and no request takes long.
const REQUEST_BYTES: usize = 512 << 10;
const REQUEST_ROWS: usize = 8_192;
/// Values of one row, bytes: they have to fit into the engine, beside what it makes of them.
const ROW_BYTES_MAX: usize = 48 << 20;
/// How often a worker may be ended from outside in one evaluation.
const STOPS_MAX: u32 = 5;

/// Whether expressions compile, in their order.
///
/// # Errors
/// When no worker can be started.
pub async fn check(scripts: &[&Script]) -> Result<Vec<Result<(), ScriptError>>, Unavailable> {
    let mut checked = Vec::with_capacity(scripts.len());
    for script in scripts {
        let mut result = None;
        let mut stops = 0;
        while result.is_none() {
            let mut request = Vec::new();
            begin_request(&mut request, &head_of(script, Order::Check));
            finish_request(&mut request, 0, &[]);
            let answer = ask(request, script.world, Urgency::Preview).await?;
            result = match (answer.outcomes.into_iter().next(), answer.end) {
                (Some((outcome, _)), _) => Some(outcome.map(|_| ())),
                (None, End::Died(error)) => Some(Err(compiling(error))),
                (None, End::Ready | End::Stopped) if stops >= STOPS_MAX => return Err(stopped()),
                (None, End::Ready | End::Stopped) => None,
            };
            stops += 1;
        }
        checked.extend(result);
    }
    Ok(checked)
}

fn compiling(error: ScriptError) -> ScriptError {
    match error {
        ScriptError::Ended(_) => ScriptError::Syntax("it is nested too deeply".into()),
        ScriptError::TooSlow | ScriptError::OutOfMemory => ScriptError::Syntax("it is too large".into()),
        other => other,
    }
}

fn stopped() -> Unavailable {
    Unavailable("it is ended from outside again and again".into())
}

fn head_of(script: &Script, order: Order) -> Head<'_> {
    Head {
        order,
        world: script.world,
        script: script.id as u32,
        source: &script.source,
        names: script.inputs.iter().map(|(name, _)| name.as_str()).collect(),
    }
}

/// Evaluates an expression for some rows. `value` gives the value of a row's input, by their numbers; `each` gets what the
/// rows came to, in their order and with about the bytes that it takes, and says whether to go on.
///
/// Returns whether all rows were evaluated.
///
/// # Errors
/// When no worker can be started.
pub async fn evaluate<'a>(
    script: &Script,
    rows: usize,
    urgency: Urgency,
    value: impl Fn(usize, usize) -> Value<'a>,
    mut each: impl FnMut(Outcome, usize) -> bool,
) -> Result<bool, Unavailable> {
    let Some(plain) = &script.plain else {
        let all: Vec<u32> = (0..rows as u32).collect();
        return in_workers(script, &all, urgency, value, |_, outcome, bytes| each(outcome, bytes)).await;
    };
    for start in (0..rows).step_by(REQUEST_ROWS) {
        let window = start..rows.min(start + REQUEST_ROWS);
        let mut known: Vec<Option<Outcome>> = Vec::with_capacity(window.len());
        known.extend(
            window
                .clone()
                .map(|row| plain::evaluate(plain, &|input| value(row, input)).map(Ok)),
        );
        let left: Vec<u32> = window
            .clone()
            .filter(|row| known[row - start].is_none())
            .map(|row| row as u32)
            .collect();
        // The next row that `each` has not seen.
        let mut next = start;
        let mut up_to = |row: usize, each: &mut dyn FnMut(Outcome, usize) -> bool| {
            let go_on = known[next - start..row - start]
                .iter_mut()
                .flat_map(Option::take)
                .all(|outcome| {
                    let bytes = match &outcome {
                        Ok(Some(Value::Text(text))) => text.len(),
                        Ok(_) | Err(_) => 0,
                    };
                    each(outcome, bytes)
                });
            next = row + 1;
            go_on
        };
        let between = |row: u32, outcome, bytes| up_to(row as usize, &mut each) && each(outcome, bytes);
        let is_whole = left.is_empty() || in_workers(script, &left, urgency, &value, between).await?;
        if !is_whole || !up_to(window.end, &mut each) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The same for some of the rows, by their numbers.
async fn in_workers<'a>(
    script: &Script,
    rows: &[u32],
    urgency: Urgency,
    value: impl Fn(usize, usize) -> Value<'a>,
    mut each: impl FnMut(u32, Outcome, usize) -> bool,
) -> Result<bool, Unavailable> {
    let (mut left, mut stops) = (rows, 0);
    let mut order = Order::Evaluate;
    while let [first, others @ ..] = left {
        let (values, count) = values_of(script, left, &value);
        if values.len() > ROW_BYTES_MAX {
            left = others;
            if !each(*first, Err(ScriptError::OutOfMemory), 0) {
                return Ok(false);
            }
            continue;
        }
        let mut request = Vec::with_capacity(values.len() + script.source.len() + 256);
        begin_request(&mut request, &head_of(script, order));
        finish_request(&mut request, count as u32, &values);
        let answer = ask(request, script.world, urgency).await?;
        let mut outcomes = answer.outcomes.into_iter();
        let compiled = outcomes.next().map(|(outcome, _)| outcome);
        for (outcome, bytes) in outcomes.take(count) {
            let [row, rest @ ..] = left else { break };
            left = rest;
            if !each(*row, outcome, bytes) {
                return Ok(false);
            }
        }
        match (compiled, answer.end) {
            (Some(Err(error)), _) => return Ok(left.iter().all(|row| each(*row, Err(error.clone()), 0))),
            (Some(Ok(_)), End::Ready) => {}
            (_, End::Ready | End::Stopped) => {
                stops += 1;
                if stops > STOPS_MAX {
                    return Err(stopped());
                }
            }
            // Which row it was is not known yet: some answers may have been on their way.
            (_, End::Died(_)) if order == Order::Evaluate => order = Order::EvaluateCarefully,
            (None, End::Died(error)) => {
                let error = compiling(error);
                return Ok(left.iter().all(|row| each(*row, Err(error.clone()), 0)));
            }
            (Some(Ok(_)), End::Died(error)) => {
                let [row, rest @ ..] = left else { break };
                left = rest;
                if !each(*row, Err(error), 0) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

/// The values of the first of some rows, as many as a request takes, and how many these are. A large row goes alone.
fn values_of<'a>(script: &Script, rows: &[u32], value: &impl Fn(usize, usize) -> Value<'a>) -> (Vec<u8>, usize) {
    let mut values = Vec::new();
    for (count, row) in rows.iter().take(REQUEST_ROWS).enumerate() {
        let start = values.len();
        (0..script.inputs.len()).for_each(|input| write_value(&mut values, &value(*row as usize, input)));
        if count > 0 && values.len() > REQUEST_BYTES {
            values.truncate(start);
            return (values, count);
        }
    }
    (values, rows.len().min(REQUEST_ROWS))
}
