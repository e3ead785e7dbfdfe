//! One private PostgreSQL and one private MongoDB replica set for all tests of a binary, and more for tests that stop
//! theirs.

mod mongo;
mod mysql;
mod pooler;
mod postgres;

pub use mongo::{Mongo, PrivateMongo, Target};
pub use mysql::{Family, MySql, PrivateMySql};
pub use pooler::Pooler;
pub use postgres::{Database, Postgres, PrivatePostgres, connect, execute};

use crate::process::scratch;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Name and password of the superuser of the private PostgreSQL.
pub const SUPERUSER: &str = "postgres";
pub const PASSWORD: &str = "secret of the tests";

const START_TIMEOUT: Duration = Duration::from_secs(180);

pub struct Servers {
    pub postgres: Postgres,
    pub mongo: Mongo,
}

/// Starts the servers at the first call.
pub async fn servers() -> &'static Servers {
    static SERVERS: OnceCell<Servers> = OnceCell::const_new();
    SERVERS
        .get_or_init(|| async {
            let postgres = || Postgres::start(scratch().join("postgres"), Vec::new());
            let (postgres, mongo) = tokio::join!(tokio::task::spawn_blocking(postgres), Mongo::start());
            let servers = Servers {
                postgres: postgres.expect("PostgreSQL starts"),
                mongo,
            };
            stop_at_exit(&servers);
            servers
        })
        .await
}

/// Names of databases: readable, and never the same twice.
fn unique(hint: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{hint}_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What the exit handler needs: it runs after the statics can no longer be reached safely by name.
static AT_EXIT: OnceLock<[u32; 2]> = OnceLock::new();

/// Statics are never dropped: an exit handler ends the servers and removes their files.
fn stop_at_exit(servers: &Servers) {
    extern "C" fn stop() {
        let Some([postgres, mongo]) = AT_EXIT.get() else { return };
        for (pid, signal) in [(postgres, libc::SIGQUIT), (mongo, libc::SIGKILL)] {
            #[expect(unsafe_code, reason = "std can only kill, and only with the Child at hand")]
            // SAFETY: both are children of ours that nobody has waited for; no memory is shared.
            unsafe {
                libc::kill(pid.cast_signed(), signal);
                libc::waitpid(pid.cast_signed(), std::ptr::null_mut(), 0);
            }
        }
        // Hundreds of databases are hundreds of thousands of files: nobody waits for that.
        let _ = std::process::Command::new("rm").arg("-rf").arg(scratch()).spawn();
    }
    AT_EXIT.get_or_init(|| [servers.postgres.pid(), servers.mongo.pid()]);
    #[expect(unsafe_code, reason = "std has no exit handlers")]
    // SAFETY: the handler is a plain function that ends processes and starts one.
    unsafe {
        libc::atexit(stop);
    }
}
