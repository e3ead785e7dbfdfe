//! Settings: flag, then environment, then default.

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Godwit moves relational databases into MongoDB.
#[derive(Debug, Parser)]
#[command(name = "godwit", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page and the REST API.
    Serve(Box<Serve>),
    /// Say whether a report of a verification is as it was signed, and by which installation.
    CheckReport(CheckReport),
    /// Evaluate expressions for a server, which starts this itself.
    #[command(hide = true)]
    ScriptWorker,
}

#[derive(Debug, Args)]
pub struct CheckReport {
    /// The file: the page (.html) or the signed data (.json).
    pub file: PathBuf,
    /// The public key that the report has to be signed with, as 64 hexadecimal digits.
    #[arg(long)]
    pub key: Option<String>,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen on. Loopback only: there is no sign-on yet.
    #[arg(long, env = "GODWIT_LISTEN", default_value = "127.0.0.1:8278")]
    pub listen: SocketAddr,
    /// MongoDB for Godwit's own data. Without it a private mongod is started in the data directory.
    #[arg(long, env = "GODWIT_STORE_URI", hide_env_values = true)]
    pub store_uri: Option<String>,
    /// Folder for the key file, and for the private mongod.
    #[arg(long, env = "GODWIT_DATA_DIR", default_value_os_t = default_data_dir())]
    pub data_dir: PathBuf,
    /// Folder with the certificates that connection strings may name (sslrootcert, tlsCAFile, tlsCertificateKeyFile). Without
    /// it they may name none.
    #[arg(long, env = "GODWIT_CERTIFICATES_DIR")]
    pub certificates_dir: Option<PathBuf>,
    /// Folder with the SQLite files that connections may read. Without it, the folder `sqlite` of the data directory.
    #[arg(long, env = "GODWIT_SQLITE_DIR")]
    pub sqlite_dir: Option<PathBuf>,
    /// Let connection strings name Unix sockets of this machine, where servers may know this server's own user.
    #[arg(long, env = "GODWIT_ALLOW_UNIX_SOCKETS")]
    pub allow_unix_sockets: bool,
    /// Where messages about jobs are posted as JSON: their end, a lag beyond the limit, a log about to be discarded. http or
    /// https. Users of the page see the host and may have a test sent there; they cannot set it.
    #[arg(long, env = "GODWIT_WEBHOOK_URL", hide_env_values = true)]
    pub webhook_url: Option<String>,
    /// With a lag of more seconds than this the webhook is told.
    #[arg(long, env = "GODWIT_WEBHOOK_LAG_SECONDS", default_value_t = 60)]
    pub webhook_lag_seconds: u64,
    /// Another origin whose page may use the server: that of the page in development.
    #[arg(long, env = "GODWIT_PAGE_ORIGIN", hide = true)]
    pub page_origin: Option<url::Url>,
    /// Start although the key file is missing, or is not the one that entries of the store were sealed with: those stay
    /// unreadable, new ones are sealed with the key of this data directory.
    #[arg(long)]
    pub new_key: bool,
    /// What to log: error, warn, info, debug, or a filter by module.
    #[arg(long, env = "GODWIT_LOG", default_value = "info")]
    pub log: String,
}

fn default_data_dir() -> PathBuf {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::env::var_os("XDG_DATA_HOME")
        .map_or_else(|| home.join(".local/share"), PathBuf::from)
        .join("godwit")
}
