//! How the last process of a data folder died. One that was killed from outside goes on where it was; one that has
//! aborted, by a fault that no panic can tell of or for want of memory, may do so again with the same job.

use anyhow::Context;
use std::fs::File;
use std::path::Path;

/// Empty, unless the process has aborted.
const ABORTED: &str = "aborted";
/// How many processes the machine had ended for want of memory when this one started.
const MEMORY: &str = "memory";

/// Whether the last process died by a fault of its own. From now on this one leaves its own last word.
///
/// # Errors
/// When the folder cannot be written.
pub fn has_crashed(folder: &Path) -> anyhow::Result<bool> {
    let aborted = folder.join(ABORTED);
    let has_aborted = std::fs::metadata(&aborted).is_ok_and(|file| file.len() > 0);
    let file = File::create(&aborted).with_context(|| aborted.display().to_string())?;
    leave_a_word(file)?;
    let (memory, now) = (folder.join(MEMORY), killed_for_memory());
    let before = std::fs::read_to_string(&memory).unwrap_or_default();
    std::fs::write(&memory, &now).with_context(|| memory.display().to_string())?;
    Ok(has_aborted || is_more(&before, &now))
}

/// The machine's run, and how many processes it has ended in it for want of memory. Empty where it does not tell.
fn killed_for_memory() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let counters = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let killed = counters.lines().find_map(|line| line.strip_prefix("oom_kill "));
    killed.map_or_else(String::new, |n| format!("{} {}", machine.trim(), n.trim()))
}

/// Whether more were ended since, in the same run of the machine.
fn is_more(before: &str, now: &str) -> bool {
    let parts = |text: &str| {
        let (machine, count) = text.trim().split_once(' ')?;
        Some((machine.to_owned(), count.parse::<u64>().ok()?))
    };
    match (parts(before), parts(now)) {
        (Some((then, old)), Some((machine, new))) => then == machine && new > old,
        (None, _) | (_, None) => false,
    }
}

/// An abort writes into the file before it ends the process.
#[cfg(unix)]
fn leave_a_word(file: File) -> anyhow::Result<()> {
    const SIGABRT: i32 = 6;
    #[expect(unsafe_code, reason = "there is no other way to hear of an abort")]
    // SAFETY: the action makes system calls alone, which may be done in a signal handler.
    unsafe {
        signal_hook_registry::register(SIGABRT, move || {
            let _ = rustix::io::write(&file, b"aborted");
            // The usual action of the signal has been replaced by this one, and to abort again would come here again.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn leave_a_word(_file: File) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_run_of_the_machine_counts() {
        assert!(is_more("a 1", "a 2"));
        for (before, now) in [("a 1", "a 1"), ("a 1", "b 2"), ("", "a 2"), ("a 1", ""), ("a x", "a 2")] {
            assert!(!is_more(before, now), "{before} {now}");
        }
    }
}
