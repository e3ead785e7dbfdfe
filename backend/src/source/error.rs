//! What goes wrong at the source, as a user has to read it.

use crate::certificates::CertificateError;
use godwit_shared::connection::SourceKind;
use godwit_shared::error::ErrorCode;

/// Errors of a source. [`SourceError::code`] and [`SourceError::hint`] decide what the user sees.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the source URL is not valid: {reason}")]
    InvalidUrl { reason: String },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("databases of type {kind} cannot be read by this version")]
    UnsupportedKind { kind: String },
    #[error("cannot connect to {address}: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("what answers at {address} is not {}", expected.name())]
    OtherServer { address: String, expected: SourceKind },
    /// Also one that lies outside, whether it is there or not.
    #[error("the folder of SQLite files has no file \"{name}\"")]
    NoFile { name: String },
    #[error("{address} refused the user \"{user}\": the password is wrong or missing")]
    WrongPassword { address: String, user: String },
    #[error("{address} does not let the user \"{user}\" in: {reason}")]
    NotLetIn {
        address: String,
        user: String,
        reason: String,
    },
    #[error("{address} gives no more connections: {reason}")]
    TooManyConnections { address: String, reason: String },
    #[error("{address} is a connection pooler that {reason}")]
    Pooler { address: String, reason: String },
    #[error("there is no database \"{database}\" at {address}")]
    NoSuchDatabase { address: String, database: String },
    #[error("{address} does not offer TLS, which the SSL mode requires")]
    TlsRefused { address: String },
    #[error("the certificate of {address} was not accepted: {reason}")]
    CertificateRejected { address: String, reason: String },
    #[error("no SELECT on {}", tables.join(", "))]
    NoSelect { tables: Vec<String> },
    #[error("the user of the source may not do this: {reason}")]
    NoRight { reason: String },
    /// The log cannot be read from where the job stands, now or later.
    #[error("the log of the source cannot be read any more: {reason}")]
    LogUnusable { reason: String },
    #[error("row security hides rows of {} from this user", tables.join(", "))]
    RowSecurity { tables: Vec<String> },
    #[error("the filter of {table} is not valid: {reason}")]
    InvalidFilter { table: String, reason: String },
    #[error("the publication \"{publication}\" does not give every change of the mapped tables: {reason}")]
    NotPublished { publication: String, reason: String },
    #[error("the replica identity of {relation} could not be changed: {reason}")]
    IdentityNotSet { relation: String, reason: String },
    #[error("the connection to the source was lost: {reason}")]
    ConnectionLost { reason: String },
    #[error("the source refused a query: {reason}")]
    Query { reason: String },
    #[error("another session of the source holds a lock, or waits for one: {reason}")]
    LockedOut { reason: String },
    #[error("the replication slot \"{slot}\" is in use by another connection")]
    SlotInUse { slot: String },
    #[error(transparent)]
    MalformedRow(#[from] crate::data::row::MalformedRow),
    /// What the rules make of the rows cannot be computed at the moment.
    #[error("expressions cannot be evaluated: {reason}")]
    Scripts { reason: String },
    #[error("cancelled")]
    Cancelled,
}

impl SourceError {
    /// Why, where somebody says already what is away.
    pub fn reason_alone(&self) -> String {
        match self {
            SourceError::Unreachable { reason, .. } | SourceError::ConnectionLost { reason } => reason.clone(),
            other => other.to_string(),
        }
    }

    /// Whether the server is away, and nothing else is wrong.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            SourceError::Unreachable { .. } | SourceError::ConnectionLost { .. }
        )
    }

    /// Whether the same may work later, without anybody doing anything here.
    pub fn is_passing(&self) -> bool {
        match self {
            SourceError::Unreachable { .. }
            | SourceError::TooManyConnections { .. }
            | SourceError::ConnectionLost { .. }
            | SourceError::LockedOut { .. }
            | SourceError::SlotInUse { .. }
            | SourceError::Scripts { .. }
            // By somebody else, or by a limit of the server's: what a job cancels itself it does not wait for.
            | SourceError::Cancelled => true,
            SourceError::InvalidUrl { .. }
            | SourceError::Certificate(_)
            | SourceError::UnsupportedKind { .. }
            | SourceError::OtherServer { .. }
            | SourceError::NoFile { .. }
            | SourceError::WrongPassword { .. }
            | SourceError::NotLetIn { .. }
            | SourceError::Pooler { .. }
            | SourceError::NoSuchDatabase { .. }
            | SourceError::TlsRefused { .. }
            | SourceError::CertificateRejected { .. }
            | SourceError::NoSelect { .. }
            | SourceError::NoRight { .. }
            | SourceError::LogUnusable { .. }
            | SourceError::RowSecurity { .. }
            | SourceError::InvalidFilter { .. }
            | SourceError::IdentityNotSet { .. }
            | SourceError::NotPublished { .. }
            | SourceError::Query { .. }
            | SourceError::MalformedRow(_) => false,
        }
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            SourceError::InvalidUrl { .. }
            | SourceError::Certificate(_)
            | SourceError::UnsupportedKind { .. }
            | SourceError::InvalidFilter { .. } => ErrorCode::InvalidRequest,
            SourceError::Unreachable { .. }
            | SourceError::OtherServer { .. }
            | SourceError::NoFile { .. }
            | SourceError::WrongPassword { .. }
            | SourceError::NotLetIn { .. }
            | SourceError::TooManyConnections { .. }
            | SourceError::Pooler { .. }
            | SourceError::NoSuchDatabase { .. }
            | SourceError::TlsRefused { .. }
            | SourceError::CertificateRejected { .. }
            | SourceError::ConnectionLost { .. }
            | SourceError::LockedOut { .. } => ErrorCode::SourceUnreachable,
            SourceError::NoSelect { .. } | SourceError::NoRight { .. } => ErrorCode::SourcePermission,
            SourceError::LogUnusable { .. } => ErrorCode::ResyncNeeded,
            SourceError::RowSecurity { .. } => ErrorCode::RowSecurity,
            SourceError::IdentityNotSet { .. } | SourceError::NotPublished { .. } => ErrorCode::PreflightFailed,
            SourceError::Query { .. }
            | SourceError::SlotInUse { .. }
            | SourceError::Scripts { .. }
            | SourceError::MalformedRow(_)
            | SourceError::Cancelled => ErrorCode::Internal,
        }
    }

    /// What to do now.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            SourceError::InvalidUrl { .. } => {
                "Write it as jdbc:postgresql://host:port/database or postgresql://user@host:port/database, a file as \
                 jdbc:sqlite:file."
            }
            SourceError::Certificate(error) => error.hint(),
            SourceError::UnsupportedKind { .. } => "This version reads POSTGRESQL, MYSQL, MARIADB and SQLITE.",
            SourceError::Unreachable { .. } => {
                "Check host and port, that the server runs, and that it listens on this address."
            }
            SourceError::OtherServer { expected, .. } => match expected {
                SourceKind::Postgresql => "Check the port: PostgreSQL listens at 5432 unless it was set otherwise.",
                SourceKind::Mysql | SourceKind::Mariadb => {
                    "Check the port: MySQL and MariaDB listen at 3306 unless it was set otherwise."
                }
                SourceKind::Sqlite => "Check the file.",
            },
            SourceError::NoFile { .. } => {
                "Put the file into the folder that --sqlite-dir names: the folder `sqlite` of the data directory unless it was \
                 set otherwise."
            }
            SourceError::WrongPassword { .. } => "Check user and password.",
            SourceError::NotLetIn { .. } => {
                "Add a rule for this user, database and address to pg_hba.conf, or let the role log in; the password is \
                 not looked at before."
            }
            SourceError::TooManyConnections { .. } => {
                "End other sessions, or give the user more connections: max_connections of the server, CONNECTION LIMIT of \
                 role and database, the size of a pooler's pool."
            }
            SourceError::Pooler { .. } => {
                "Give the address of the server itself, or of a pool in session mode; a continuous job needs the server."
            }
            SourceError::NoSuchDatabase { .. } => "Check the name; upper and lower case count.",
            SourceError::TlsRefused { .. } => "Turn TLS on in the server, or choose the SSL mode Prefer.",
            SourceError::CertificateRejected { .. } => {
                "Enter the certificate of the authority with the connection. Without one, the SSL mode Require takes any."
            }
            SourceError::NoSelect { .. } => {
                "GRANT SELECT on these tables, and USAGE on their schemas, to the user of the migration."
            }
            SourceError::NoRight { .. } => "Give the user the right that the message names.",
            SourceError::LogUnusable { .. } => "Start the job again: everything has to be read anew.",
            SourceError::RowSecurity { .. } => {
                "Use the owner of the tables or a user with BYPASSRLS: with hidden rows the result would not be complete."
            }
            SourceError::InvalidFilter { .. } => "Write what would follow WHERE, for this table alone.",
            SourceError::IdentityNotSet { .. } => {
                "Let the owner of the table run the script of the preflight check, at a time when no long transaction uses it."
            }
            SourceError::NotPublished { .. } => {
                "Let its owner run the script of the preflight check, then start or resume the job."
            }
            SourceError::ConnectionLost { .. } => "The job can be started again when the source answers.",
            SourceError::LockedOut { .. } => "It is tried again. End the session that holds the lock if it stays so.",
            SourceError::SlotInUse { .. } => "End what reads from the slot, then try again.",
            SourceError::Scripts { .. } => {
                "Look at the limits of processes and memory for the user that Godwit runs as, and whether its program is still there."
            }
            SourceError::Query { .. } | SourceError::MalformedRow(_) | SourceError::Cancelled => return None,
        })
    }
}
