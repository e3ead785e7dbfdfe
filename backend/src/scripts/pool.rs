//! The workers of this process: how many there are, who gets one, and what becomes of those that do not answer.
//!
//! A worker is a child process with a thread that talks to it. The thread lives as long as the child, and the kernel ends
//! the child with the thread, so no child outlives the server, however that ends.

use super::codec::{END, read_record};
use crate::assemble::script::{Outcome, RESULT_BYTES_MAX, ScriptError};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

/// Workers for what users wait for, beside those for jobs.
const PREVIEW_WORKERS: usize = 2;
const JOB_WORKERS_MAX: usize = 8;
/// A worker that is not needed for so long goes.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// A request takes a fraction of a second, of a row's limit a few. Only a machine that stands still needs longer.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// How often it is tried to start a worker, and the time between.
const STARTS_MAX: u32 = 20;
const START_AGAIN: Duration = Duration::from_millis(500);
const RECORD_BYTES_MAX: usize = 2 * RESULT_BYTES_MAX;

/// Who waits for the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Urgency {
    #[default]
    Job,
    /// A user looks at the page.
    Preview,
}

/// No worker can be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the process that evaluates expressions cannot be started: {0}")]
pub struct Unavailable(pub String);

/// What a worker answered.
#[derive(Debug)]
pub struct Answer {
    /// Of compiling, first, then of the rows, as far as they came.
    pub outcomes: Vec<(Outcome, usize)>,
    pub end: End,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The worker waits for the next request.
    Ready,
    /// It was ended by somebody, for reasons of their own.
    Stopped,
    /// It is gone because of what it was asked for.
    Died(ScriptError),
}

struct Pool {
    idle: Mutex<Vec<Worker>>,
    for_jobs: Semaphore,
    for_previews: Semaphore,
}

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Pool {
        idle: Mutex::default(),
        for_jobs: Semaphore::new(cores.clamp(1, JOB_WORKERS_MAX)),
        for_previews: Semaphore::new(PREVIEW_WORKERS),
    }
});

/// Sets the program that is started as worker, for programs that have no command for it themselves. The first call counts.
pub fn use_program(path: PathBuf) {
    let _ = PROGRAM.set(path);
}

fn program() -> PathBuf {
    // The file itself may have been replaced since the start; the kernel still has the one that runs.
    let running = || {
        if cfg!(target_os = "linux") {
            Ok("/proc/self/exe".into())
        } else {
            std::env::current_exe()
        }
    };
    PROGRAM.get().cloned().or_else(|| running().ok()).unwrap_or_default()
}

/// Sends a request to a worker and waits for the answer. Who stops waiting ends the worker.
///
/// # Errors
/// When no worker can be started for ten seconds.
pub async fn ask(request: Vec<u8>, world: u64, urgency: Urgency) -> Result<Answer, Unavailable> {
    let pool = &*POOL;
    let mut lease = pool.lease(world, urgency).await?;
    let (answer, answered) = oneshot::channel();
    let order = Order { request, answer };
    if lease.worker().orders.send(order).is_err() {
        return Ok(Answer::nothing(End::Stopped));
    }
    match tokio::time::timeout(ANSWER_MAX, answered).await {
        Ok(Ok(answer)) => {
            if answer.end == End::Ready {
                lease.give_back(world);
            }
            Ok(answer)
        }
        Ok(Err(_)) => Ok(Answer::nothing(End::Stopped)),
        Err(_) => Ok(Answer::nothing(End::Died(ScriptError::Ended(format!(
            "no answer in {} s",
            ANSWER_MAX.as_secs()
        ))))),
    }
}

impl Answer {
    fn nothing(end: End) -> Self {
        Self {
            outcomes: Vec::new(),
            end,
        }
    }
}

impl Pool {
    /// Waits for a turn; those who wait get it in their order.
    async fn lease(&self, world: u64, urgency: Urgency) -> Result<Lease<'_>, Unavailable> {
        let turns = match urgency {
            Urgency::Job => &self.for_jobs,
            Urgency::Preview => &self.for_previews,
        };
        let turn = turns
            .acquire()
            .await
            .map_err(|_| Unavailable("it is shut down".into()))?;
        let mut tries = 0;
        let worker = loop {
            if let Some(worker) = self.take_idle(world) {
                break worker;
            }
            match Worker::start().await {
                Ok(worker) => break worker,
                Err(error) if tries >= STARTS_MAX => return Err(Unavailable(error.to_string())),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(START_AGAIN).await;
        };
        Ok(Lease {
            pool: self,
            worker: Some(worker),
            _turn: turn,
        })
    }

    /// The one that knows the world, or that was used last.
    fn take_idle(&self, world: u64) -> Option<Worker> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|worker| !worker.is_gone());
        match idle.iter().rposition(|worker| worker.world == world) {
            Some(place) => Some(idle.remove(place)),
            None => idle.pop(),
        }
    }
}

/// A worker that belongs to one request. Dropped before it has answered, it is ended.
struct Lease<'p> {
    pool: &'p Pool,
    worker: Option<Worker>,
    _turn: SemaphorePermit<'p>,
}

impl Lease<'_> {
    fn worker(&mut self) -> &mut Worker {
        self.worker.as_mut().expect("it is taken at the end")
    }

    fn give_back(&mut self, world: u64) {
        if let Some(mut worker) = self.worker.take() {
            worker.world = world;
            let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(worker);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.kill();
        }
    }
}

struct Order {
    request: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

struct Worker {
    orders: SyncSender<Order>,
    child: Arc<Mutex<Child>>,
    thread: std::thread::JoinHandle<()>,
    /// What it was used for last.
    world: u64,
}

impl Worker {
    /// Starts a thread that starts a child.
    async fn start() -> io::Result<Self> {
        let (orders, received) = sync_channel(1);
        let (started, child) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("scripts".into())
            .spawn(move || match launch() {
                Ok((child, input, output)) => {
                    let child = Arc::new(Mutex::new(child));
                    match started.send(Ok(child.clone())) {
                        Ok(()) => keep(&child, input, output, &received),
                        // Nobody waits for it any more.
                        Err(_) => drop((input, end_of(&child))),
                    }
                }
                Err(error) => drop(started.send(Err(error))),
            })?;
        let child = child.await.map_err(io::Error::other)??;
        Ok(Self {
            orders,
            child,
            thread,
            world: 0,
        })
    }

    fn is_gone(&self) -> bool {
        self.thread.is_finished()
    }

    fn kill(&self) {
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }
}

fn launch() -> io::Result<(Child, ChildStdin, ChildStdout)> {
    let mut child = Command::new(program())
        .arg(super::WORKER_COMMAND)
        .env_clear()
        // Not a name, which would be looked for in files.
        .env("TZ", "UTC0")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (input, mut output) = (input.expect("it is piped"), output.expect("it is piped"));
    let mut greeting = [0; 4];
    if output.read_exact(&mut greeting).is_err() || greeting != END.to_le_bytes() {
        let _ = child.kill();
        let status = child.wait()?;
        return Err(io::Error::other(format!(
            "{} is no worker ({status})",
            program().display()
        )));
    }
    Ok((child, input, output))
}

/// Carries out orders until there are no more for a while, or the child is gone.
fn keep(child: &Mutex<Child>, mut input: ChildStdin, output: ChildStdout, orders: &Receiver<Order>) {
    let mut output = BufReader::with_capacity(64 << 10, output);
    loop {
        let order = match orders.recv_timeout(IDLE_MAX) {
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        };
        let mut outcomes = Vec::new();
        let end = match converse(&order.request, &mut input, &mut output, &mut outcomes) {
            Ok(()) => End::Ready,
            Err(_) => end_of(child),
        };
        let is_ready = end == End::Ready;
        // Nobody may be waiting any more.
        let _ = order.answer.send(Answer { outcomes, end });
        if !is_ready {
            break;
        }
    }
    // Without input it ends by itself.
    drop(input);
    let _ = end_of(child);
}

fn converse(
    request: &[u8],
    input: &mut impl Write,
    output: &mut impl Read,
    outcomes: &mut Vec<(Outcome, usize)>,
) -> io::Result<()> {
    input.write_all(request)?;
    input.flush()?;
    let mut record = Vec::new();
    loop {
        let mut length = [0; 4];
        output.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length == END {
            return Ok(());
        }
        if length as usize > RECORD_BYTES_MAX {
            return Err(io::Error::other("a record that is too long"));
        }
        record.resize(length as usize, 0);
        output.read_exact(&mut record)?;
        let outcome = read_record(&record).map_err(|_| io::Error::other("a record that cannot be read"))?;
        outcomes.push((outcome, record.len()));
    }
}

/// Ends a child that does not go on, and says why it did not.
fn end_of(child: &Mutex<Child>) -> End {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // One that closed its pipes is about to end by itself, with a reason.
    let ended = (0..50).find_map(|_| match child.try_wait() {
        Ok(Some(status)) => Some(status),
        _ => {
            std::thread::sleep(Duration::from_millis(2));
            None
        }
    });
    match ended {
        Some(status) => reason(status),
        None => {
            let _ = child.kill();
            let _ = child.wait();
            End::Died(ScriptError::Ended("it did not keep to the protocol".into()))
        }
    }
}

fn reason(status: ExitStatus) -> End {
    const HANGUP: i32 = 1;
    const INTERRUPT: i32 = 2;
    const ABORT: i32 = 6;
    const BUS: i32 = 7;
    const KILL: i32 = 9;
    const SEGMENTATION: i32 = 11;
    const TERMINATE: i32 = 15;
    const CPU_TIME: i32 = 24;
    let why = match status.signal() {
        Some(HANGUP | INTERRUPT | TERMINATE) => return End::Stopped,
        Some(CPU_TIME) => return End::Died(ScriptError::TooSlow),
        Some(ABORT) => "it had no memory left".into(),
        Some(SEGMENTATION | BUS) => "it had no stack left, or the engine has a fault".into(),
        Some(KILL) => "it was killed, perhaps for its memory".into(),
        Some(other) => format!("signal {other}"),
        None => format!("exit code {}", status.code().unwrap_or_default()),
    };
    End::Died(ScriptError::Ended(why))
}
