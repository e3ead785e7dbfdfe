//! The process that evaluates: it answers requests from its input until that ends.
//!
//! It holds nothing that anybody could want: no environment, no files, no rights beyond what it was started with, and no
//! way to more of them. What an engine cannot limit itself (native loops, memory outside of its own) the kernel does:
//! a process over its limits ends, and who asked it starts another one.

use super::codec::{Cursor, END, Head, Malformed, Order, read_request, read_value, write_record};
use super::engine::World;
use crate::assemble::script::ScriptError;
use crate::data::value::Value;
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// Requests beyond this are not ours.
const REQUEST_BYTES_MAX: usize = 128 << 20;
/// Worlds that are kept: making one takes milliseconds.
const WORLDS_MAX: usize = 2;
/// Answers are sent together, but none waits longer than this for the next ones.
const SEND_AFTER: Duration = Duration::from_millis(20);
const SEND_BYTES: usize = 64 << 10;
/// After so long, or so many bytes, the rest of the rows is left: others wait for the worker too.
const SLICE: Duration = Duration::from_millis(50);
const SLICE_BYTES: usize = 8 << 20;
/// The address space; the engine's own limit is far below.
const MEMORY_MAX: u64 = 1 << 30;
/// Seconds of the processor's time that one row may have at most, where the engine does not notice that it takes too long.
const CPU_SECONDS: u64 = 2;
/// Requests of users come first.
const NICE: i32 = 5;

/// Serves on standard input and output until the input ends.
///
/// # Errors
/// When the process cannot be locked in, or the other side is gone.
pub fn run() -> io::Result<()> {
    lock_in()?;
    // It is ready for requests.
    io::stdout().write_all(&END.to_le_bytes())?;
    io::stdout().flush()?;
    serve(&mut io::stdin().lock(), &mut io::stdout().lock())
}

fn lock_in() -> io::Result<()> {
    // Out of the terminal's group, so that Ctrl-C ends the server in its own order.
    let _ = rustix::process::setsid();
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        rustix::thread::set_no_new_privs(true)?;
    }
    let _ = rustix::process::nice(NICE);
    let limit = |resource, most: u64| {
        // What the administrator allows may be less.
        let most = getrlimit(resource).maximum.map_or(most, |allowed| allowed.min(most));
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit).map_err(io::Error::from)
    };
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, 0)?;
    limit(Resource::As, MEMORY_MAX)?;
    limit_time()
}

/// From now on the process may have as much of the processor as one row.
fn limit_time() -> io::Result<()> {
    let had = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    let maximum = getrlimit(Resource::Cpu).maximum;
    // The kernel counts whole seconds.
    let current = had + 1 + CPU_SECONDS;
    let limit = Rlimit {
        current: Some(maximum.map_or(current, |allowed| allowed.min(current))),
        maximum,
    };
    Ok(setrlimit(Resource::Cpu, limit)?)
}

/// Answers requests until there are none.
///
/// # Errors
/// When the other side is gone, or is not ours.
pub fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut worlds = Worlds(Vec::new());
    let mut request = Vec::new();
    let mut answers = Answers {
        output,
        buffer: Vec::with_capacity(2 * SEND_BYTES),
        sent_at: Instant::now(),
        bytes: 0,
    };
    loop {
        let mut length = [0; 4];
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > REQUEST_BYTES_MAX {
            return Err(nonsense(Malformed));
        }
        request.clear();
        request.resize(length, 0);
        input.read_exact(&mut request)?;
        answers.begin()?;
        let (head, count, rows) = read_request(&request).map_err(nonsense)?;
        answer(&mut worlds, &head, count, &mut Cursor(rows), &mut answers)?;
        answers.buffer.extend_from_slice(&END.to_le_bytes());
        answers.send()?;
        request.shrink_to(SLICE_BYTES);
    }
}

fn nonsense(_: Malformed) -> io::Error {
    io::Error::other("the request cannot be read")
}

fn answer(
    worlds: &mut Worlds,
    head: &Head<'_>,
    count: u32,
    rows: &mut Cursor<'_>,
    answers: &mut Answers<'_, impl Write>,
) -> io::Result<()> {
    let compiled = worlds.compiled(head).map(|_| false);
    let is_compiled = compiled.is_ok();
    write_record(&mut answers.buffer, |_| compiled);
    answers.written(head.order)?;
    if !is_compiled || head.order == Order::Check {
        return Ok(());
    }
    let started = Instant::now();
    let mut values = Vec::with_capacity(head.names.len());
    for _ in 0..count {
        values.clear();
        for _ in &head.names {
            values.push(read_value(rows).map_err(nonsense)?);
        }
        write_record(&mut answers.buffer, |out| worlds.evaluate(head, &values, out));
        let now = answers.written(head.order)?;
        if now - started > SLICE || answers.bytes > SLICE_BYTES {
            break;
        }
    }
    Ok(())
}

/// The worlds of the plans that were served last, the latest first.
struct Worlds(Vec<(u64, World)>);

impl Worlds {
    /// The world of a request, with its expression compiled.
    fn compiled(&mut self, head: &Head<'_>) -> Result<&mut World, ScriptError> {
        match self.0.iter().position(|(id, _)| *id == head.world) {
            Some(0) => {}
            Some(place) => self.0[..=place].rotate_right(1),
            None => {
                self.0.truncate(WORLDS_MAX - 1);
                self.0.insert(0, (head.world, World::new()?));
            }
        }
        let world = &mut self.0[0].1;
        world.compile(head.script, head.source, &head.names)?;
        Ok(world)
    }

    fn evaluate(&mut self, head: &Head<'_>, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<bool, ScriptError> {
        let start = out.len();
        loop {
            out.truncate(start);
            let world = self.compiled(head)?;
            let was_fresh = world.is_fresh();
            let result = world.evaluate(head.script, values, out);
            if world.is_broken() {
                self.0.remove(0);
            }
            // Another row may have left no room for this one.
            if result != Err(ScriptError::OutOfMemory) || was_fresh {
                return result;
            }
        }
    }
}

struct Answers<'o, W> {
    output: &'o mut W,
    buffer: Vec<u8>,
    sent_at: Instant,
    /// Sent for this request.
    bytes: usize,
}

impl<W: Write> Answers<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        self.bytes = 0;
        self.sent_at = Instant::now();
        limit_time()
    }

    /// Sends what has gathered, when it is time. Returns which time it is.
    fn written(&mut self, order: Order) -> io::Result<Instant> {
        let now = Instant::now();
        if order == Order::EvaluateCarefully || self.buffer.len() > SEND_BYTES || now - self.sent_at > SEND_AFTER {
            self.send()?;
            self.sent_at = now;
            limit_time()?;
        }
        Ok(now)
    }

    fn send(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.output.flush()?;
        self.bytes += self.buffer.len();
        self.buffer.clear();
        self.buffer.shrink_to(2 * SEND_BYTES);
        Ok(())
    }
}
