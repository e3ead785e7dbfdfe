//! The JavaScript engine inside of a worker: a world for each plan, and what goes into it and comes out of it.
//!
//! What an expression may be is decided by the parser that runs it, before anything of it runs (see [`World::compile`]).
//! All that happens here may end the process; who asked it knows what to do then (`pool.rs`).

use super::codec::{begin_array, begin_document, end_document, write_name, write_value};
use crate::assemble::plain::smallest;
use crate::assemble::script::{NAME_BYTES_MAX, RESULT_BYTES_MAX, RESULT_DEPTH_MAX, ScriptError, cut};
use crate::data::value::Value;
use rquickjs::context::intrinsic;
use rquickjs::function::Constructor;
use rquickjs::object::Property;
use rquickjs::{
    Array, Atom, BigInt, CatchResultExt, CaughtError, Context, Ctx, Error, Function, Module, Object, Persistent,
    Runtime, TypedArray,
};
use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// One evaluation may take so long, of the processor's time.
const TIME_MAX: Duration = Duration::from_millis(1000);
/// After so long by the clock on the wall the processor's time is looked at.
const LOOK_AFTER: Duration = Duration::from_millis(100);
/// All that lives in a world, in bytes.
const MEMORY_MAX: usize = 64 << 20;
const STACK_MAX: usize = 512 << 10;
/// Text of one expression, bytes.
const SOURCE_BYTES_MAX: usize = 256 << 10;
/// Whole numbers up to here are exact in a JavaScript number.
const SAFE_INTEGER_MAX: i64 = 1 << 53;

const PRELUDE: &str = include_str!("prelude.js");

thread_local! {
    /// Of the evaluation that this thread is in.
    static LIMIT: Cell<Limit> = const { Cell::new(Limit::None) };
}

/// When an evaluation is to be ended.
///
/// A process that does not get its turn, on a busy machine or one that was suspended, is not slow: its row would lose its
/// document for nothing. The clock of the own time costs a system call, so it is asked only when the time of day says that
/// it may be necessary.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Limit {
    None,
    /// By the time of day: from here on the own time counts.
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

/// What the expressions of one plan see. Nothing in it can be changed, so that no row sees another.
pub struct World {
    compiled: HashMap<u32, Compiled>,
    helpers: Persistent<Object<'static>>,
    context: Context,
    runtime: Runtime,
    state: State,
}

/// An expression that can be called.
struct Compiled {
    function: Persistent<Function<'static>>,
    /// The names of the columns that it may ask for.
    names: Vec<Name>,
}

#[derive(Clone)]
struct Name {
    atom: Persistent<Atom<'static>>,
    /// Every object has something of this name: setting it may mean another thing.
    is_inherited: bool,
}

/// What evaluations have left in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    /// At most garbage that is not collected yet.
    Used,
    /// It is not to be used again.
    Broken,
}

impl World {
    /// # Errors
    /// When the memory of the process does not suffice.
    pub fn new() -> Result<Self, ScriptError> {
        Self::build().ok_or(ScriptError::OutOfMemory)
    }

    fn build() -> Option<Self> {
        let runtime = Runtime::new().ok()?;
        runtime.set_memory_limit(MEMORY_MAX);
        runtime.set_max_stack_size(STACK_MAX);
        runtime.set_interrupt_handler(Some(Box::new(|| {
            let limit = LIMIT.get().now(Instant::now, own_time);
            LIMIT.set(limit);
            limit == Limit::Reached
        })));
        let context = Context::builder().with::<intrinsic::All>().build(&runtime).ok()?;
        let helpers = context.with(|ctx| {
            let helpers: Object<'_> = ctx.eval(PRELUDE).ok()?;
            Some(Persistent::save(&ctx, helpers))
        })?;
        Some(Self {
            compiled: HashMap::new(),
            helpers,
            context,
            runtime,
            state: State::Fresh,
        })
    }

    pub fn is_fresh(&self) -> bool {
        self.state == State::Fresh
    }

    pub fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Compiles an expression, where that was not done before.
    ///
    /// # Errors
    /// Why the text is not one expression.
    pub fn compile(&mut self, script: u32, source: &str, names: &[&str]) -> Result<(), ScriptError> {
        if self.compiled.contains_key(&script) {
            return Ok(());
        }
        let helpers = self.helpers.clone();
        let compiled = armed(|| {
            self.context.with(|ctx| {
                let helpers = Helpers(helpers.restore(&ctx).map_err(lost)?);
                let function = compile(&ctx, &helpers, source)?;
                let empty = Object::new(ctx.clone()).map_err(lost)?;
                let name = |name: &&str| {
                    Ok(Name {
                        atom: Persistent::save(&ctx, Atom::from_str(ctx.clone(), name)?),
                        is_inherited: empty.contains_key(*name)?,
                    })
                };
                Ok(Compiled {
                    function: Persistent::save(&ctx, function),
                    names: names.iter().map(name).collect::<rquickjs::Result<_>>().map_err(lost)?,
                })
            })
        })?;
        self.compiled.insert(script, compiled);
        Ok(())
    }

    /// Evaluates a compiled expression for one row, whose values are given in the order of the names, and writes the
    /// result. `false` stands for undefined.
    ///
    /// # Errors
    /// When it throws, goes over a limit, or gives what a document cannot hold. What was written is to be forgotten then.
    pub fn evaluate(&mut self, script: u32, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<bool, ScriptError> {
        let compiled = self.compiled.get(&script).ok_or(ScriptError::OutOfMemory)?;
        let helpers = self.helpers.clone();
        let result = armed(|| {
            self.context.with(|ctx| {
                let helpers = Helpers(helpers.restore(&ctx).map_err(lost)?);
                let function = compiled.function.clone().restore(&ctx).map_err(lost)?;
                let columns = Object::new(ctx.clone()).map_err(lost)?;
                for (name, value) in compiled.names.iter().zip(values) {
                    let atom = name.atom.clone().restore(&ctx).map_err(lost)?;
                    let value = to_js(&ctx, &helpers, value).map_err(lost)?;
                    match name.is_inherited {
                        true => columns.prop(atom, own(value)).map_err(lost)?,
                        false => columns.set(atom, value).map_err(lost)?,
                    }
                }
                let value = function
                    .call::<_, rquickjs::Value<'_>>((columns,))
                    .catch(&ctx)
                    .map_err(|error| reason(&ctx, error))?;
                if value.is_undefined() {
                    return Ok(false);
                }
                let mut reader = Reader {
                    ctx: &ctx,
                    helpers: &helpers,
                    out,
                    room: RESULT_BYTES_MAX,
                };
                reader.value(value, 0)?;
                Ok(true)
            })
        });
        self.state = match &result {
            Err(ScriptError::OutOfMemory | ScriptError::TooSlow) => State::Broken,
            _ if self.state == State::Broken => State::Broken,
            _ => State::Used,
        };
        if self.runtime.is_job_pending() {
            // It would be run for another row.
            self.state = State::Broken;
            return result.and(no_value(PROMISE));
        }
        result
    }
}

const PROMISE: &str = "a Promise, or waits for one: a document cannot hold what comes later";

fn lost(_: Error) -> ScriptError {
    ScriptError::OutOfMemory
}

fn no_value<T>(what: impl Into<String>) -> Result<T, ScriptError> {
    Err(ScriptError::NoValue(what.into()))
}

/// Runs something within the limit of time.
fn armed<T>(run: impl FnOnce() -> T) -> T {
    LIMIT.set(Limit::Look(Instant::now() + LOOK_AFTER));
    let result = run();
    LIMIT.set(Limit::None);
    result
}

/// What the prelude returned.
struct Helpers<'js>(Object<'js>);

impl<'js> Helpers<'js> {
    fn date(&self) -> rquickjs::Result<Constructor<'js>> {
        self.0.get("date")
    }

    fn call<T: rquickjs::FromJs<'js>>(&self, name: &str, value: rquickjs::Value<'js>) -> rquickjs::Result<T> {
        self.0.get::<_, Function<'js>>(name)?.call((value,))
    }
}

/// Makes a function of the text of an expression.
///
/// The text stands between brackets, and must not close them: then other things would run than its value, and at another
/// time. So it is compiled twice, which runs nothing: between round brackets, and between square ones. Up to the first
/// bracket that closes the surrounding one both texts are read alike; there one of the two is wrong. What compiles in both
/// is one expression, by the judgement of the parser whose code then runs. The line end closes a comment at its end.
fn compile<'js>(ctx: &Ctx<'js>, helpers: &Helpers<'js>, source: &str) -> Result<Function<'js>, ScriptError> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(ScriptError::Syntax(format!(
            "it has more than {SOURCE_BYTES_MAX} bytes"
        )));
    }
    if source.contains('\0') {
        return Err(ScriptError::Syntax("it holds a zero byte".into()));
    }
    let declare = |open: char, close: char| {
        Module::declare(
            ctx.clone(),
            "expression",
            format!("export default (columns) => {open}\n{source}\n{close};"),
        )
        .catch(ctx)
        .map_err(|error| match reason(ctx, error) {
            ScriptError::Thrown(message) => ScriptError::Syntax(message),
            other => other,
        })
    };
    let module = declare('(', ')')?;
    match declare('[', ']') {
        Err(ScriptError::Syntax(_)) => return Err(ScriptError::Syntax("the text is not one expression".into())),
        other => other?,
    };
    let (module, _) = module.eval().catch(ctx).map_err(|error| reason(ctx, error))?;
    let function: Function<'js> = module.get("default").map_err(lost)?;
    // The two objects that belong to this expression alone, beside what each evaluation makes.
    let meta = module.meta().map_err(lost)?.into_value();
    for own in [meta, function.clone().into_value()] {
        helpers.call::<rquickjs::Value<'_>>("freeze", own).map_err(lost)?;
    }
    Ok(function)
}

fn reason(ctx: &Ctx<'_>, error: CaughtError<'_>) -> ScriptError {
    if LIMIT.get() == Limit::Reached {
        return ScriptError::TooSlow;
    }
    let text = match &error {
        CaughtError::Exception(e) => {
            let part = |name: &str| e.as_object().get::<_, String>(name).unwrap_or_default();
            let (name, message) = (part("name"), part("message"));
            // The text may come from a getter, which runs within the limits too.
            let _ = ctx.catch();
            if name == "InternalError" && message == "out of memory" {
                return ScriptError::OutOfMemory;
            }
            format!("{}: {}", if name.is_empty() { "Error" } else { &name }, cut(&message))
        }
        CaughtError::Value(v) => match v.as_string().map(rquickjs::String::to_string) {
            Some(Ok(text)) => text,
            Some(Err(_)) => "a text".into(),
            // So the engine says that it had no room even for an error.
            None if v.is_null() && is_full(ctx) => return ScriptError::OutOfMemory,
            None => v.type_name().to_owned(),
        },
        CaughtError::Error(Error::Allocation) => return ScriptError::OutOfMemory,
        CaughtError::Error(e) => e.to_string(),
    };
    if LIMIT.get() == Limit::Reached {
        return ScriptError::TooSlow;
    }
    ScriptError::Thrown(cut(&text))
}

/// Whether a megabyte more would be too much.
fn is_full(ctx: &Ctx<'_>) -> bool {
    let full = TypedArray::<u8>::new_copy(ctx.clone(), vec![0; 1 << 20]).is_err();
    let _ = ctx.catch();
    full
}

fn to_js<'js>(ctx: &Ctx<'js>, helpers: &Helpers<'js>, value: &Value<'_>) -> rquickjs::Result<rquickjs::Value<'js>> {
    Ok(match value {
        Value::Null => rquickjs::Value::new_null(ctx.clone()),
        Value::Bool(v) => rquickjs::Value::new_bool(ctx.clone(), *v),
        Value::Int(v) => rquickjs::Value::new_int(ctx.clone(), *v),
        Value::Long(v) if (-SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX).contains(v) => number(ctx, *v as f64),
        Value::Long(v) => BigInt::from_i64(ctx.clone(), *v)?.into_value(),
        Value::Double(v) => number(ctx, *v),
        Value::Decimal(_) => unreachable!("decimals come as doubles"),
        Value::Text(v) => rquickjs::String::from_str(ctx.clone(), v)?.into_value(),
        Value::Date(ms) => helpers.date()?.construct((*ms as f64,))?,
        Value::Binary(v) => TypedArray::<u8>::new_copy(ctx.clone(), v)?.into_value(),
        Value::Uuid(v) => TypedArray::<u8>::new_copy(ctx.clone(), v)?.into_value(),
        Value::ObjectId(v) => TypedArray::<u8>::new_copy(ctx.clone(), v)?.into_value(),
        Value::Array(items) => {
            let array = Array::new(ctx.clone())?;
            for (index, item) in items.iter().enumerate() {
                array.set(index, to_js(ctx, helpers, item)?)?;
            }
            array.into_value()
        }
        Value::Document(members) => {
            let object = Object::new(ctx.clone())?;
            for (name, item) in members {
                object.prop(name.as_ref(), own(to_js(ctx, helpers, item)?))?;
            }
            object.into_value()
        }
    })
}

/// A member like any other.
fn own<'js>(value: rquickjs::Value<'js>) -> Property<rquickjs::Value<'js>> {
    Property::from(value).configurable().enumerable().writable()
}

/// Whole numbers are integers in the engine too, so that they print without a point.
fn number<'js>(ctx: &Ctx<'js>, value: f64) -> rquickjs::Value<'js> {
    rquickjs::Value::new_number(ctx.clone(), value)
}

/// Reads a result. Getters run while it does, so everything is counted as it comes.
struct Reader<'r, 'js> {
    ctx: &'r Ctx<'js>,
    helpers: &'r Helpers<'js>,
    out: &'r mut Vec<u8>,
    /// Bytes of BSON that are still free.
    room: usize,
}

impl<'js> Reader<'_, 'js> {
    fn take(&mut self, bytes: usize) -> Result<(), ScriptError> {
        match self.room.checked_sub(bytes) {
            Some(room) => {
                self.room = room;
                Ok(())
            }
            None => no_value(format!("larger than {} MiB", RESULT_BYTES_MAX >> 20)),
        }
    }

    /// Why something of the result could not be had.
    fn broken(&self, error: Error) -> ScriptError {
        match error {
            Error::Exception => reason(self.ctx, CaughtError::from_error(self.ctx, error)),
            Error::Utf8(_) => ScriptError::NoValue("a text with half a character (a lone surrogate)".into()),
            // A text without room for its bytes.
            _ => {
                let _ = self.ctx.catch();
                ScriptError::OutOfMemory
            }
        }
    }

    fn text(&mut self, text: &rquickjs::String<'js>) -> Result<String, ScriptError> {
        let text = text.to_string().map_err(|e| self.broken(e))?;
        self.take(text.len())?;
        Ok(text)
    }

    fn value(&mut self, value: rquickjs::Value<'js>, depth: usize) -> Result<(), ScriptError> {
        if depth > RESULT_DEPTH_MAX {
            return no_value(format!("nested deeper than {RESULT_DEPTH_MAX} levels, or in itself"));
        }
        // Type, and what most values have.
        self.take(9)?;
        let simple = if value.is_undefined() || value.is_null() {
            Value::Null
        } else if let Some(v) = value.as_bool() {
            Value::Bool(v)
        } else if let Some(v) = value.as_number() {
            smallest(v)
        } else if let Some(text) = value.as_string() {
            Value::Text(self.text(text)?.into())
        } else if value.is_big_int() {
            self.big_int(value)?
        } else {
            return self.object(value, depth);
        };
        write_value(self.out, &simple);
        Ok(())
    }

    fn big_int(&self, value: rquickjs::Value<'js>) -> Result<Value<'static>, ScriptError> {
        let fits: bool = self.helpers.call("isLong", value.clone()).map_err(|e| self.broken(e))?;
        match value.into_big_int().filter(|_| fits) {
            Some(big) => Ok(Value::Long(big.to_i64().map_err(|e| self.broken(e))?)),
            None => no_value("a BigInt beyond 64 bits"),
        }
    }

    fn object(&mut self, value: rquickjs::Value<'js>, depth: usize) -> Result<(), ScriptError> {
        if value.is_promise() {
            return no_value(PROMISE);
        }
        if value.is_proxy() {
            return no_value("a Proxy, which a document cannot hold");
        }
        if value.is_function() || value.is_symbol() {
            return no_value(format!("a {}, which a document cannot hold", value.type_name()));
        }
        let Some(object) = value.as_object() else {
            return no_value(format!("a {}, which a document cannot hold", value.type_name()));
        };
        if let Some(array) = value.as_array() {
            return self.array(array, depth);
        }
        if let Some(bytes) = object.as_typed_array::<u8>() {
            return self.bytes(bytes);
        }
        let kind: Option<String> = self.helpers.call("kindOf", value.clone()).map_err(|e| self.broken(e))?;
        match kind.as_deref() {
            None => self.document(object, depth),
            Some("Date") => self.date(value),
            Some(kind) => no_value(format!("a {kind}, which a document cannot hold")),
        }
    }

    fn date(&mut self, value: rquickjs::Value<'js>) -> Result<(), ScriptError> {
        let time: f64 = self.helpers.call("timeOf", value).map_err(|e| self.broken(e))?;
        if !time.is_finite() {
            return no_value("a Date that is not valid");
        }
        write_value(self.out, &Value::Date(time as i64));
        Ok(())
    }

    fn bytes(&mut self, array: &TypedArray<'js, u8>) -> Result<(), ScriptError> {
        let Some(raw) = array.as_raw() else {
            return no_value("a Uint8Array that is gone");
        };
        self.take(raw.len())?;
        #[expect(unsafe_code, reason = "the engine lends its bytes only this way")]
        // SAFETY: no JavaScript runs while the slice is there, so the bytes stay where they are.
        let bytes = unsafe { raw.as_ref() };
        write_value(self.out, &Value::Binary(bytes.into()));
        Ok(())
    }

    fn array(&mut self, array: &Array<'js>, depth: usize) -> Result<(), ScriptError> {
        let count = array.len();
        // Its elements are counted as they come, but a length can be had for nothing.
        if count > RESULT_BYTES_MAX / 10 {
            return no_value(format!("larger than {} MiB", RESULT_BYTES_MAX >> 20));
        }
        begin_array(self.out, count as u32);
        for index in 0..count {
            self.take(index.checked_ilog10().unwrap_or(0) as usize + 2)?;
            let item: rquickjs::Value<'js> = array.get(index).map_err(|e| self.broken(e))?;
            self.value(item, depth + 1)?;
        }
        Ok(())
    }

    fn document(&mut self, object: &Object<'js>, depth: usize) -> Result<(), ScriptError> {
        let start = begin_document(self.out);
        let mut count = 0;
        for key in object.keys::<Atom<'js>>() {
            let key = key.map_err(|e| self.broken(e))?;
            let item: rquickjs::Value<'js> = object.get(key.clone()).map_err(|e| self.broken(e))?;
            if item.is_undefined() {
                continue;
            }
            let name = key.to_js_string().map_err(|e| self.broken(e))?;
            let name = match self.text(&name) {
                Err(ScriptError::NoValue(why)) => return no_value(format!("an object with a name that is {why}")),
                name => name?,
            };
            if name.contains('\0') {
                return no_value("an object with a name that holds a zero byte");
            }
            if name.len() > NAME_BYTES_MAX {
                return no_value(format!(
                    "an object with a name of more than {} KiB",
                    NAME_BYTES_MAX >> 10
                ));
            }
            write_name(self.out, &name);
            self.value(item, depth + 1)?;
            count += 1;
        }
        end_document(self.out, start, count);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(world: &mut World, source: &str, names: &[&str], values: &[Value<'_>]) -> Result<Vec<u8>, ScriptError> {
        let script = world.compiled.len() as u32;
        world.compile(script, source, names)?;
        let mut out = Vec::new();
        world.evaluate(script, values, &mut out).map(|_| out)
    }

    fn bytes(value: &Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        write_value(&mut out, value);
        out
    }

    #[test]
    fn columns_may_be_named_like_members_of_every_object() {
        let mut world = World::new().unwrap();
        let names = ["__proto__", "constructor", "toString", "a"];
        let values = [1, 2, 3, 4].map(Value::Int);
        let source =
            "columns.__proto__ + columns.constructor + columns.toString + columns.a + Object.keys(columns).length";
        assert_eq!(run(&mut world, source, &names, &values), Ok(bytes(&Value::Int(14))));
    }

    #[test]
    fn a_world_lives_until_something_is_left_in_it() {
        let mut world = World::new().unwrap();
        assert!(world.is_fresh());
        assert!(run(&mut world, "1 + 1", &[], &[]).is_ok());
        assert!(!world.is_fresh() && !world.is_broken());
        assert!(run(&mut world, "(async () => { await 0 })(), 1", &[], &[]).is_err());
        assert!(world.is_broken());
    }

    #[test]
    fn a_process_that_waits_for_its_turn_is_not_slow() {
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
}
