//! Child processes that never outlive the tests.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// Starts a child that gets `signal` when this process dies, however it dies.
///
/// The kernel sends that signal when the *thread* that started the child ends, and every test has a thread of its own:
/// so one thread that never ends starts them all.
pub fn spawn(mut command: Command, signal: libc::c_int) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    #[expect(unsafe_code, reason = "std has no other way to set the parent-death signal")]
    // SAFETY: prctl with these arguments is async-signal-safe and touches no memory.
    unsafe {
        // After std has changed the user, which would clear the signal.
        command.pre_exec(move || match libc::prctl(libc::PR_SET_PDEATHSIG, signal) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
    let (sender, answer) = mpsc::channel();
    spawner
        .send((command, sender))
        .expect("the spawner lives as long as the process");
    answer.recv().expect("the spawner answers")
}

/// Sends a signal to a child that has not been waited for.
pub fn signal(child: &Child, signal: libc::c_int) {
    #[expect(unsafe_code, reason = "std can only kill")]
    // SAFETY: no memory is involved; the id is that of a child of ours that has not been reaped.
    unsafe {
        libc::kill(child.id().cast_signed(), signal);
    }
}

/// Waits for the end of a child; `None` when it is still running at the end of the time.
pub fn wait(child: &mut Child, timeout: Duration) -> Option<std::process::ExitStatus> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port of 127.0.0.1 that was free just now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// Ends the browsers whose profile lies in this folder: one whose driver is gone stays for ever. Its children go with it.
pub fn end_browsers(folder: &Path) {
    let mark = format!("--user-data-dir={}", folder.display());
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid: Option<i32> = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let is_inside = |argument: &[u8]| {
            let rest = argument.strip_prefix(mark.as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        };
        if let Some(pid) = pid
            && line.split(|b| *b == 0).any(is_inside)
        {
            #[expect(unsafe_code, reason = "std kills children only, and this is a grandchild")]
            // SAFETY: no memory is involved; the process was started with a folder that is ours alone.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
            }
        }
    }
}

/// What the kernel says of a process: its parent, and the time that it has had of a processor.
fn stat_of(pid: u32) -> Option<(u32, f64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold spaces and brackets.
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((
        fields.get(1)?.parse().ok()?,
        (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
    ))
}

/// Of every Linux that anyone runs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of a process in seconds.
pub fn cpu_seconds(pid: u32) -> f64 {
    stat_of(pid).expect("a running process").1
}

/// The same with all its descendants.
pub fn cpu_seconds_of_tree(root: u32) -> f64 {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let all: std::collections::HashMap<u32, (u32, f64)> =
        pids.filter_map(|pid| stat_of(pid).map(|stat| (pid, stat))).collect();
    let is_below = |pid: u32| {
        let up = std::iter::successors(Some(pid), |pid| all.get(pid).map(|(parent, _)| *parent));
        up.take_while(|pid| *pid > 1).any(|pid| pid == root)
    };
    all.iter()
        .filter(|(pid, _)| is_below(**pid))
        .map(|(_, (_, seconds))| seconds)
        .sum()
}

/// Memory of a process that lies in RAM now, in MiB.
pub fn memory_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .expect("a size");
    kib / 1024.0
}

/// The folder of this test process. What processes that are gone have left is removed first: nobody else does.
pub fn scratch() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = std::env::temp_dir().join("godwit-tests");
        std::fs::create_dir_all(&all).expect("a folder for temporary files");
        for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                end_browsers(&old.path());
                let _ = std::fs::remove_dir_all(old.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        std::fs::create_dir_all(&folder).expect("a folder for this process");
        folder
    })
}

/// The last lines of a log file, for the message of a panic.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
