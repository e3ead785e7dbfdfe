//! The lease of a job: as long as it holds, this process alone works on the job. Whoever writes for it looks here first.
//!
//! It is renewed in the store, by a clock that all servers share; here it counts from
//! the moment before the renewal was sent, and ends a little earlier. So a process that was frozen, or that the store does
//! not reach, has stopped to write when another one may begin.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::watch;

/// How long a lease holds in the store after its last renewal.
pub const LEASE_TERM: Duration = Duration::from_secs(20);
/// So much earlier its holder stops to write.
pub const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// Between two looks of one who waits for a renewal.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Whether a job may be worked on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Yes.
    Held,
    /// It was not renewed in time. Nobody else has it as far as is known here: it may be held again.
    Lapsed,
    /// Another server has it, or the job is gone. It never comes back to this lease.
    Lost,
}

/// See the module.
#[derive(Debug)]
pub struct Lease {
    /// Grows with every holder. What is stored with a smaller one is refused.
    pub token: i64,
    /// Until when it holds, by [`now`]; `None` when it is lost.
    until: Mutex<Option<Duration>>,
    lost: watch::Sender<bool>,
}

impl Lease {
    /// A lease that was asked for at this moment.
    pub fn new(token: i64, asked_at: Duration) -> Self {
        Self {
            token,
            until: Mutex::new(Some(end_of(asked_at))),
            lost: watch::Sender::new(false),
        }
    }

    /// It was renewed by a request that was sent at this moment.
    pub fn renew(&self, asked_at: Duration) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until.as_mut() {
            *until = end_of(asked_at).max(*until);
        }
    }

    /// Somebody else has the job.
    pub fn lose(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.lost.send_replace(true);
    }

    pub fn state(&self) -> Hold {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        match until {
            Some(until) if now() < until => Hold::Held,
            Some(_) => Hold::Lapsed,
            None => Hold::Lost,
        }
    }

    /// Waits until it holds. `false` when it never will again.
    pub async fn is_held(&self) -> bool {
        loop {
            match self.state() {
                Hold::Held => return true,
                Hold::Lost => return false,
                Hold::Lapsed => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// Waits until it is lost.
    pub async fn is_lost(&self) {
        let mut lost = self.lost.subscribe();
        if lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn end_of(asked_at: Duration) -> Duration {
    asked_at + (LEASE_TERM - LEASE_MARGIN)
}

/// A clock that goes on while the process is frozen and the machine sleeps.
#[cfg(target_os = "linux")]
pub fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// The best that other systems have in the standard library.
#[cfg(not(target_os = "linux"))]
pub fn now() -> Duration {
    static BEGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_until_shortly_before_others_may_have_it() {
        let lease = Lease::new(3, now());
        assert_eq!(lease.state(), Hold::Held);
        let old = now().saturating_sub(LEASE_TERM - LEASE_MARGIN);
        let lease = Lease::new(3, old);
        assert_eq!(lease.state(), Hold::Lapsed);
        lease.renew(now());
        assert_eq!(lease.state(), Hold::Held);
        // An answer that comes late does not shorten it.
        lease.renew(old);
        assert_eq!(lease.state(), Hold::Held);
    }

    #[test]
    fn a_lease_that_is_lost_stays_so() {
        let lease = Lease::new(1, now());
        lease.lose();
        lease.renew(now());
        assert_eq!(lease.state(), Hold::Lost);
    }
}
