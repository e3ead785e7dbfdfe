//! Settings that commands have in common: argument, then environment, then configuration file, then default.

use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// As text where standard output is a terminal, else as JSON.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For programs: one JSON value on each line.
    Json,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// How results are printed: text for people, or JSON, one value a line. Errors go to standard error in the same form
    #[arg(
        long,
        global = true,
        env = "GODWIT_OUTPUT",
        value_enum,
        default_value_t,
        help_heading = "Common options"
    )]
    pub output: Format,
    /// The configuration file (TOML). Without it $XDG_CONFIG_HOME/godwit/godwit.toml, if there is one
    #[arg(
        long,
        global = true,
        env = "GODWIT_CONFIG",
        value_name = "FILE",
        help_heading = "Common options"
    )]
    pub config: Option<PathBuf>,
    /// What to log to standard error: off, error, warn, info, debug, or a filter by module. Servers: info; commands: off
    #[arg(
        long,
        global = true,
        env = "GODWIT_LOG",
        value_name = "LEVEL",
        help_heading = "Common options"
    )]
    pub log: Option<String>,
}

/// The source database of a command.
#[derive(Clone, Default, Args)]
pub struct SourceArgs {
    /// The source: postgresql://, mysql:// or mariadb:// with user, host and database, or sqlite:FILE; jdbc: URLs too
    #[arg(
        long,
        env = "GODWIT_SOURCE",
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Source"
    )]
    pub source: Option<String>,
    /// The user of the source; wins over that of the URL
    #[arg(long, env = "GODWIT_SOURCE_USER", value_name = "NAME", help_heading = "Source")]
    pub source_user: Option<String>,
    /// A file whose first line is the password of the source. The password itself may stand in GODWIT_SOURCE_PASSWORD
    #[arg(
        long,
        env = "GODWIT_SOURCE_PASSWORD_FILE",
        value_name = "FILE",
        help_heading = "Source"
    )]
    pub source_password_file: Option<PathBuf>,
    /// Ask for the password of the source in the terminal
    #[arg(long, help_heading = "Source")]
    pub ask_source_password: bool,
    /// Certificates of the authorities to trust for the source, in PEM
    #[arg(long, env = "GODWIT_SOURCE_CA_FILE", value_name = "FILE", help_heading = "Source")]
    pub source_ca_file: Option<PathBuf>,
}

/// The destination of a command.
#[derive(Clone, Default, Args)]
pub struct TargetArgs {
    /// The destination: mongodb:// or mongodb+srv:// with the database in its path
    #[arg(
        long,
        env = "GODWIT_TARGET",
        hide_env_values = true,
        value_name = "URI",
        help_heading = "Destination"
    )]
    pub target: Option<String>,
    /// The user of the destination; wins over that of the URI
    #[arg(long, env = "GODWIT_TARGET_USER", value_name = "NAME", help_heading = "Destination")]
    pub target_user: Option<String>,
    /// A file whose first line is the password of the destination. The password itself may stand in GODWIT_TARGET_PASSWORD
    #[arg(
        long,
        env = "GODWIT_TARGET_PASSWORD_FILE",
        value_name = "FILE",
        help_heading = "Destination"
    )]
    pub target_password_file: Option<PathBuf>,
    /// Ask for the password of the destination in the terminal
    #[arg(long, help_heading = "Destination")]
    pub ask_target_password: bool,
    /// Certificates of the authorities to trust for the destination, in PEM
    #[arg(
        long,
        env = "GODWIT_TARGET_CA_FILE",
        value_name = "FILE",
        help_heading = "Destination"
    )]
    pub target_ca_file: Option<PathBuf>,
    /// Certificate and private key to sign on to the destination with, in PEM
    #[arg(
        long,
        env = "GODWIT_TARGET_CERTIFICATE_FILE",
        value_name = "FILE",
        help_heading = "Destination"
    )]
    pub target_certificate_file: Option<PathBuf>,
}

/// A running server.
#[derive(Clone, Default, Args)]
pub struct ServerArgs {
    /// The running server
    #[arg(long, env = "GODWIT_SERVER", value_name = "URL", default_value = DEFAULT_SERVER, help_heading = "Server")]
    pub server: String,
    /// Sent as a bearer token. Godwit itself has no sign-on yet: this is for a proxy in front of it that asks for one
    #[arg(
        long,
        env = "GODWIT_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help_heading = "Server"
    )]
    pub token: Option<String>,
    /// A file whose first line is the token
    #[arg(long, env = "GODWIT_TOKEN_FILE", value_name = "FILE", help_heading = "Server")]
    pub token_file: Option<PathBuf>,
    /// Certificates of the authorities to trust for the server, in PEM, beside the usual ones
    #[arg(long, env = "GODWIT_SERVER_CA_FILE", value_name = "FILE", help_heading = "Server")]
    pub server_ca_file: Option<PathBuf>,
}

impl ServerArgs {
    /// The server that is asked where none is named.
    pub const USUAL: &str = DEFAULT_SERVER;
}

const DEFAULT_SERVER: &str = "http://127.0.0.1:8278";

/// Where a command without a server keeps what it has to remember.
#[derive(Clone, Default, Args)]
pub struct StateArgs {
    /// Folder of the run's state: its key file and, unless told otherwise, a private mongod with its checkpoints. Without
    /// it, one beside the project file: shop.relmig has shop.godwit
    #[arg(long, env = "GODWIT_STATE", value_name = "FOLDER", help_heading = "State")]
    pub state: Option<PathBuf>,
    /// MongoDB for the run's state, in place of a private mongod
    #[arg(long, value_name = "URI", help_heading = "State")]
    pub store_uri: Option<String>,
    /// Keep the run's state in the destination, in a database of its own beside the one that is written: DATABASE_godwit
    #[arg(long, conflicts_with = "store_uri", help_heading = "State")]
    pub store_in_target: bool,
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
    /// Folder for the key file, and for the private mongod. Without it godwit in $XDG_DATA_HOME, else in ~/.local/share.
    #[arg(long, env = "GODWIT_DATA_DIR", default_value_os_t = default_data_dir(), hide_default_value = true)]
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
}

fn default_data_dir() -> PathBuf {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::env::var_os("XDG_DATA_HOME")
        .map_or_else(|| home.join(".local/share"), PathBuf::from)
        .join("godwit")
}
