//! JavaScript of rules: one engine for each thread, without I/O, modules or clocks to hang on, with limits of memory
//! and time for every evaluation.
//!
//! An expression is compiled once for each thread. Going over a limit or throwing is an error of the row; the engine
//! is thrown away after it ran out of memory or time, so that one row cannot harm the next.

use super::convert::number_of;
use crate::data::value::Value;
use crate::plan::Script;
use rquickjs::function::Constructor;
use rquickjs::{
    Array, BigInt, CatchResultExt, CaughtError, Context, Ctx, Function, Object, Persistent, Runtime, TypedArray,
};
use rustix::time::{ClockId, clock_gettime};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// One evaluation may take so long, of the processor's time.
const TIME_MAX: Duration = Duration::from_millis(1000);
/// All that lives in a thread's engine, in bytes.
const MEMORY_MAX: usize = 64 << 20;
const STACK_MAX: usize = 512 << 10;
/// Compiled expressions that a thread keeps.
const COMPILED_MAX: usize = 10_000;
/// How deep a result may be nested.
const DEPTH_MAX: usize = 100;
/// Whole numbers up to here are exact in a JavaScript number.
const SAFE_INTEGER_MAX: i64 = 1 << 53;

/// Takes from the global object what could keep state from one row to the next.
const PRELUDE: &str = "
    for (const name of Object.getOwnPropertyNames(globalThis)) {
        const value = globalThis[name];
        if (value && (typeof value === 'function' || typeof value === 'object') && value !== globalThis) {
            if (value.prototype) Object.freeze(value.prototype);
            Object.freeze(value);
        }
    }
    Object.freeze(globalThis);";

/// Why an evaluation gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("the expression cannot be compiled: {0}")]
    Syntax(String),
    #[error("the expression threw {0}")]
    Thrown(String),
    #[error("the expression took more than {} ms", TIME_MAX.as_millis())]
    TooSlow,
    #[error("the expression needs more than {} MiB of memory", MEMORY_MAX >> 20)]
    OutOfMemory,
    #[error("the result is a {0}, which a document cannot hold")]
    NoValue(&'static str),
}

/// What an expression gave; `None` is undefined: the field is left out.
pub type Outcome = Result<Option<Value<'static>>, ScriptError>;

struct Engine {
    compiled: HashMap<String, Persistent<Function<'static>>>,
    date: Option<Persistent<Constructor<'static>>>,
    context: Context,
    _runtime: Runtime,
}

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
    /// Of the evaluation that this thread is in.
    static LIMIT: Cell<Limit> = const { Cell::new(Limit::None) };
}

/// When an evaluation is to be ended.
///
/// A thread that does not get its turn, on a busy machine or one that was suspended, is not slow: its row would lose its
/// document for nothing. The clock of the thread's own time costs a system call, so it is asked only when the time of
/// day says that it may be necessary.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Limit {
    None,
    /// By the time of day: from here on the thread's own time counts.
    Look(Instant),
    /// By the time that the thread has had.
    End(Duration),
    Reached,
}

impl Limit {
    /// What it is now.
    fn now(self, time: impl Fn() -> Instant, own_time: impl Fn() -> Duration) -> Limit {
        match self {
            Limit::Look(at) if time() > at => Limit::End(own_time() + TIME_MAX),
            Limit::End(end) if own_time() > end => Limit::Reached,
            other => other,
        }
    }
}

/// Processor time that this thread has had.
fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Evaluates an expression for one row. `values` are those of the script's inputs, in their order.
///
/// # Errors
/// When the expression does not compile, throws, or goes over a limit.
pub fn evaluate(script: &Script, values: &[Value<'_>]) -> Outcome {
    with_engine(|engine| engine.evaluate(script, values))
}

/// Whether an expression compiles at all.
///
/// # Errors
/// The syntax error.
pub fn check(source: &str) -> Result<(), ScriptError> {
    with_engine(|engine| engine.context.clone().with(|ctx| compile(&ctx, source).map(|_| ())))
}

fn with_engine<T>(run: impl FnOnce(&mut Engine) -> Result<T, ScriptError>) -> Result<T, ScriptError> {
    ENGINE.with_borrow_mut(|slot| {
        let engine = match slot {
            Some(engine) => engine,
            None => slot.insert(Engine::new().ok_or(ScriptError::OutOfMemory)?),
        };
        let outcome = run(engine);
        if matches!(outcome, Err(ScriptError::OutOfMemory | ScriptError::TooSlow)) {
            *slot = None;
        }
        outcome
    })
}

impl Engine {
    fn new() -> Option<Self> {
        let runtime = Runtime::new().ok()?;
        runtime.set_memory_limit(MEMORY_MAX);
        runtime.set_max_stack_size(STACK_MAX);
        runtime.set_interrupt_handler(Some(Box::new(|| {
            let limit = LIMIT.get().now(Instant::now, own_time);
            LIMIT.set(limit);
            limit == Limit::Reached
        })));
        let context = Context::full(&runtime).ok()?;
        let date = context.with(|ctx| {
            ctx.eval::<(), _>(PRELUDE).ok()?;
            let date: Constructor<'_> = ctx.globals().get("Date").ok()?;
            Some(Persistent::save(&ctx, date))
        })?;
        Some(Self {
            compiled: HashMap::new(),
            date: Some(date),
            context,
            _runtime: runtime,
        })
    }

    fn evaluate(&mut self, script: &Script, values: &[Value<'_>]) -> Outcome {
        if self.compiled.len() > COMPILED_MAX {
            self.compiled.clear();
        }
        let Self {
            compiled,
            date,
            context,
            ..
        } = self;
        context.with(|ctx| {
            let lost = |_| ScriptError::OutOfMemory;
            let function = match compiled.get(&script.source) {
                Some(saved) => saved.clone().restore(&ctx).map_err(lost)?,
                None => {
                    let function = compile(&ctx, &script.source)?;
                    compiled.insert(script.source.clone(), Persistent::save(&ctx, function.clone()));
                    function
                }
            };
            let date = date
                .clone()
                .ok_or(ScriptError::OutOfMemory)?
                .restore(&ctx)
                .map_err(lost)?;
            let columns = Object::new(ctx.clone()).map_err(lost)?;
            for ((name, _), value) in script.inputs.iter().zip(values) {
                columns
                    .set(name.as_str(), to_js(&ctx, &date, value).map_err(lost)?)
                    .map_err(lost)?;
            }
            LIMIT.set(Limit::Look(Instant::now() + TIME_MAX));
            let result = function.call::<_, rquickjs::Value<'_>>((columns,)).catch(&ctx);
            let outcome = match result {
                Ok(value) => from_js(&date, value, 0),
                Err(error) => Err(reason(error)),
            };
            LIMIT.set(Limit::None);
            outcome
        })
    }
}

fn compile<'js>(ctx: &Ctx<'js>, source: &str) -> Result<Function<'js>, ScriptError> {
    // The line end closes a comment at the end of the expression.
    ctx.eval::<Function<'js>, _>(format!("'use strict';(function(columns){{return ({source}\n)}})"))
        .catch(ctx)
        .map_err(|e| ScriptError::Syntax(text_of(e)))
}

fn reason(error: CaughtError<'_>) -> ScriptError {
    if LIMIT.get() == Limit::Reached {
        return ScriptError::TooSlow;
    }
    if matches!(&error, CaughtError::Error(rquickjs::Error::Allocation)) {
        return ScriptError::OutOfMemory;
    }
    let text = text_of(error);
    if text.contains("out of memory") || text == "null" {
        ScriptError::OutOfMemory
    } else {
        ScriptError::Thrown(text)
    }
}

fn text_of(error: CaughtError<'_>) -> String {
    match error {
        CaughtError::Exception(e) => {
            let name = e
                .as_object()
                .get::<_, String>("name")
                .unwrap_or_else(|_| "Error".into());
            format!("{name}: {}", e.message().unwrap_or_default())
        }
        CaughtError::Value(v) => match v.as_string().and_then(|s| s.to_string().ok()) {
            Some(text) => text,
            None => v.type_name().to_owned(),
        },
        CaughtError::Error(e) => e.to_string(),
    }
}

fn to_js<'js>(ctx: &Ctx<'js>, date: &Constructor<'js>, value: &Value<'_>) -> rquickjs::Result<rquickjs::Value<'js>> {
    Ok(match value {
        Value::Null => rquickjs::Value::new_null(ctx.clone()),
        Value::Bool(v) => rquickjs::Value::new_bool(ctx.clone(), *v),
        Value::Int(v) => rquickjs::Value::new_int(ctx.clone(), *v),
        Value::Long(v) if (-SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX).contains(v) => number(ctx, *v as f64),
        Value::Long(v) => BigInt::from_i64(ctx.clone(), *v)?.into_value(),
        Value::Double(v) => number(ctx, *v),
        Value::Decimal(v) => number(ctx, number_of(*v)),
        Value::Text(v) => rquickjs::String::from_str(ctx.clone(), v)?.into_value(),
        Value::Date(ms) => date.construct((*ms as f64,))?,
        Value::Binary(v) => TypedArray::<u8>::new(ctx.clone(), v.to_vec())?.into_value(),
        Value::Uuid(v) => TypedArray::<u8>::new(ctx.clone(), v.to_vec())?.into_value(),
        Value::ObjectId(v) => TypedArray::<u8>::new(ctx.clone(), v.to_vec())?.into_value(),
        Value::Array(items) => {
            let array = Array::new(ctx.clone())?;
            for (index, item) in items.iter().enumerate() {
                array.set(index, to_js(ctx, date, item)?)?;
            }
            array.into_value()
        }
        Value::Document(members) => {
            let object = Object::new(ctx.clone())?;
            for (name, item) in members {
                object.set(name.as_ref(), to_js(ctx, date, item)?)?;
            }
            object.into_value()
        }
    })
}

/// Whole numbers are integers in the engine too, so that they print without a point.
fn number<'js>(ctx: &Ctx<'js>, value: f64) -> rquickjs::Value<'js> {
    rquickjs::Value::new_number(ctx.clone(), value)
}

fn from_js<'js>(date: &Constructor<'js>, value: rquickjs::Value<'js>, depth: usize) -> Outcome {
    if depth > DEPTH_MAX {
        return Err(ScriptError::NoValue("value nested too deeply"));
    }
    if value.is_undefined() {
        return Ok(None);
    }
    if value.is_null() {
        return Ok(Some(Value::Null));
    }
    if let Some(v) = value.as_bool() {
        return Ok(Some(Value::Bool(v)));
    }
    if let Some(v) = value.as_number() {
        return Ok(Some(smallest(v)));
    }
    if let Some(text) = value.as_string() {
        // Half a surrogate pair has no UTF-8 form.
        return text
            .to_string()
            .map(|t| Some(Value::Text(t.into())))
            .map_err(|_| ScriptError::NoValue("text with half a character"));
    }
    if let Some(v) = value.clone().into_big_int() {
        return big_int(&value, v);
    }
    if value.is_function() || value.is_symbol() {
        return Err(ScriptError::NoValue(value.type_name()));
    }
    let Some(object) = value.as_object() else {
        return Err(ScriptError::NoValue(value.type_name()));
    };
    if object.is_instance_of(date) {
        return from_date(object);
    }
    if let Some(bytes) = object.as_typed_array::<u8>() {
        let copied: Result<Vec<u8>, _> = (0..bytes.len()).map(|i| object.get(i as u32)).collect();
        return copied
            .map(|b| Some(Value::Binary(b.into())))
            .map_err(|_| ScriptError::NoValue("Uint8Array that is gone"));
    }
    let broken = |_| ScriptError::NoValue("value that cannot be read");
    if let Some(array) = value.as_array() {
        let mut items = Vec::with_capacity(array.len());
        for item in array.iter::<rquickjs::Value<'js>>() {
            items.push(from_js(date, item.map_err(broken)?, depth + 1)?.unwrap_or(Value::Null));
        }
        return Ok(Some(Value::Array(items)));
    }
    let mut members = Vec::new();
    for member in object.props::<String, rquickjs::Value<'js>>() {
        let (name, item) = member.map_err(broken)?;
        if name.contains('\0') {
            return Err(ScriptError::NoValue("name with a zero byte"));
        }
        if let Some(item) = from_js(date, item, depth + 1)? {
            members.push((Cow::Owned(name), item));
        }
    }
    Ok(Some(Value::Document(members)))
}

fn from_date(object: &Object<'_>) -> Outcome {
    let time: Option<f64> = object
        .get::<_, Function<'_>>("getTime")
        .ok()
        .and_then(|f| f.call((rquickjs::function::This(object.clone()),)).ok());
    match time.filter(|t| t.is_finite()) {
        Some(ms) => Ok(Some(Value::Date(ms as i64))),
        None => Err(ScriptError::NoValue("Date that is not valid")),
    }
}

fn big_int<'js>(value: &rquickjs::Value<'js>, big: BigInt<'js>) -> Outcome {
    let wrapped = big.to_i64().map_err(|_| ScriptError::NoValue("BigInt"))?;
    // The conversion wraps around: only a number that comes back as itself fits.
    let back = BigInt::from_i64(value.ctx().clone(), wrapped).map_err(|_| ScriptError::OutOfMemory)?;
    let text = |v: &rquickjs::Value<'js>| -> Option<String> {
        v.ctx()
            .globals()
            .get::<_, Function<'js>>("String")
            .ok()?
            .call((v.clone(),))
            .ok()
    };
    if text(value) == text(back.as_value()) {
        Ok(Some(Value::Long(wrapped)))
    } else {
        Err(ScriptError::NoValue("BigInt beyond 64 bits"))
    }
}

/// A whole number is int, then long, where it fits; any other a double.
fn smallest(v: f64) -> Value<'static> {
    if v.fract() != 0.0 || !v.is_finite() {
        return Value::Double(v);
    }
    if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&v) {
        Value::Int(v as i32)
    } else if (-(2f64.powi(63))..2f64.powi(63)).contains(&v) {
        Value::Long(v as i64)
    } else {
        Value::Double(v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(source: &str, inputs: &[(&str, Value<'_>)]) -> Outcome {
        let script = Script {
            id: 0,
            source: source.into(),
            inputs: inputs
                .iter()
                .enumerate()
                .map(|(i, (n, _))| ((*n).to_owned(), i))
                .collect(),
        };
        evaluate(&script, &inputs.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>())
    }

    #[test]
    fn results_become_the_smallest_type() {
        let check =
            |source: &str, expected: Value<'static>| assert_eq!(run(source, &[]), Ok(Some(expected)), "{source}");
        check("1 + 1", Value::Int(2));
        check("-0", Value::Int(0));
        check("2 ** 31", Value::Long(1 << 31));
        check("2 ** 63", Value::Double(2f64.powi(63)));
        check("0.5", Value::Double(0.5));
        check("10n ** 18n", Value::Long(1_000_000_000_000_000_000));
        check("'a' + \"b\" // comment", Value::Text("ab".into()));
        check("new Date(5)", Value::Date(5));
        check(
            "[1, undefined, 'x']",
            Value::Array(vec![Value::Int(1), Value::Null, Value::Text("x".into())]),
        );
        check(
            "({a: 1, b: undefined})",
            Value::Document(vec![("a".into(), Value::Int(1))]),
        );
        check("new Uint8Array([1, 2])", Value::Binary(vec![1, 2].into()));
        assert_eq!(run("undefined", &[]), Ok(None));
        assert!(matches!(run("() => 1", &[]), Err(ScriptError::NoValue(_))));
        assert!(matches!(run("2n ** 64n", &[]), Err(ScriptError::NoValue(_))));
    }

    #[test]
    fn columns_arrive_as_their_kinds() {
        let decimal = crate::data::decimal::Decimal::parse("1.10").unwrap().unwrap().0;
        let columns = [
            ("price", Value::Decimal(decimal)),
            ("qty", Value::Int(3)),
            ("none", Value::Null),
            ("big", Value::Long(9_007_199_254_740_993)),
            (
                "doc",
                Value::Document(vec![("a".into(), Value::Array(vec![Value::Int(7)]))]),
            ),
            ("at", Value::Date(86_400_000)),
            ("net.price", Value::Text("n".into())),
        ];
        let check =
            |source: &str, expected: Value<'static>| assert_eq!(run(source, &columns), Ok(Some(expected)), "{source}");
        check("columns['price'] * columns.qty", Value::Double(3.3000000000000003));
        check("columns.none * 5", Value::Int(0));
        check("columns.big + 1n", Value::Long(9_007_199_254_740_994));
        check("columns.doc.a[0]", Value::Int(7));
        check("columns.at.getUTCDate()", Value::Int(2));
        check("columns['net.price']", Value::Text("n".into()));
    }

    #[test]
    fn an_expression_that_goes_wrong_harms_nothing_else() {
        assert!(matches!(run("1 +", &[]), Err(ScriptError::Syntax(_))));
        assert!(matches!(run("null.x", &[]), Err(ScriptError::Thrown(_))));
        assert_eq!(
            run("(() => { throw 'no' })()", &[]),
            Err(ScriptError::Thrown("no".into()))
        );
        assert_eq!(run("(() => { for (;;) {} })()", &[]), Err(ScriptError::TooSlow));
        assert!(run("'x'.repeat(1e9)", &[]).is_err());
        assert!(
            run(
                "(() => { const a = []; for (;;) a.push(new Array(1e6).fill(0)) })()",
                &[]
            )
            .is_err()
        );
        assert!(run("(() => { const f = () => f() + 1; return f() })()", &[]).is_err());
        assert_eq!(run("1", &[]), Ok(Some(Value::Int(1))));
    }

    #[test]
    fn a_thread_that_waits_for_its_turn_is_not_slow() {
        let (start, late) = (Instant::now(), Instant::now() + TIME_MAX * 20);
        let at = |seconds| move || Duration::from_secs(seconds);
        let look = Limit::Look(start + TIME_MAX);
        assert_eq!(look.now(|| start, at(7)), look);
        let end = look.now(|| late, at(7));
        assert_eq!(end, Limit::End(Duration::from_secs(8)));
        assert_eq!(end.now(|| late, at(8)), end);
        assert_eq!(end.now(|| late, at(9)), Limit::Reached);
        assert_eq!(Limit::None.now(|| late, at(9)), Limit::None);
    }

    /// Calls itself so often that something lies this deep in the stack, and then evaluates.
    #[inline(never)]
    fn run_at_depth(bytes: usize) -> Outcome {
        let frame = std::hint::black_box([0_u8; 4096]);
        let outcome = match bytes.checked_sub(frame.len()) {
            Some(rest) => run_at_depth(rest),
            None => run("1 + 1", &[]),
        };
        std::hint::black_box(&frame);
        outcome
    }

    #[test]
    fn how_deep_in_the_stack_an_evaluation_begins_does_not_matter() {
        let work = || {
            for depth in [0, 2 * STACK_MAX, 0] {
                assert_eq!(run_at_depth(depth), Ok(Some(Value::Int(2))), "{depth}");
            }
            assert!(run("(() => { const f = () => f() + 1; return f() })()", &[]).is_err());
        };
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(work);
        thread.expect("a thread").join().expect("all evaluations");
    }

    #[test]
    fn nothing_is_kept_from_one_row_to_the_next() {
        assert!(run("(globalThis.count = (globalThis.count || 0) + 1)", &[]).is_err());
        assert!(run("(Array.prototype.x = 1)", &[]).is_err());
        assert_eq!(
            run("typeof require + typeof std + typeof fetch", &[]),
            Ok(Some(Value::Text("undefinedundefinedundefined".into())))
        );
    }
}
