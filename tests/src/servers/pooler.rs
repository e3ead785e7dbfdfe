//! PgBouncer before a PostgreSQL of the tests.

use super::postgres::{as_unprivileged, give_away};
use super::{Database, PASSWORD, START_TIMEOUT, SUPERUSER};
use crate::process::{self, free_port, scratch, tail};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Gone when dropped.
pub struct Pooler {
    pub port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Pooler {
    /// Starts one before the server of a database. `settings` as `name = value`; connections are never put in order by
    /// the pooler itself, so that what a client leaves in them stays.
    pub fn before(database: &Database, settings: &[&str]) -> Pooler {
        let folder = tempfile::tempdir_in(scratch()).expect("a folder for PgBouncer");
        let port = free_port();
        let (config, users, log) = (
            folder.path().join("pgbouncer.ini"),
            folder.path().join("users"),
            folder.path().join("log"),
        );
        std::fs::write(&users, format!("\"{SUPERUSER}\" \"{PASSWORD}\"\n")).expect("the users can be written");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\nserver_reset_query =\n{}\n",
            database.port,
            users.display(),
            settings.join("\n"),
        );
        std::fs::write(&config, text).expect("the settings can be written");
        for path in [folder.path(), &config, &users] {
            give_away(path);
        }
        let mut command = Command::new(program());
        as_unprivileged(&mut command);
        command
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).expect("a log file"));
        let mut process = process::spawn(command, libc::SIGKILL).expect("pgbouncer starts");
        let deadline = Instant::now() + START_TIMEOUT;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = process.try_wait().expect("the state of a child").is_some();
            assert!(
                !ended && Instant::now() < deadline,
                "PgBouncer did not start:\n{}",
                tail(&log)
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Pooler {
            port,
            process,
            _folder: folder,
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Debian installs it where only root looks for programs.
fn program() -> &'static Path {
    const PLACES: [&str; 3] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    let found = PLACES.iter().map(Path::new).find(|p| p.exists());
    found.expect("no PgBouncer is installed here: `make test` installs it")
}
