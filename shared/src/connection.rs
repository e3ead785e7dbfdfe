//! Connections: what a request says of them, what is saved, what a test answers.

use crate::ids::ConnectionId;
use serde::{Deserialize, Serialize};

/// The kinds of source database that this build can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceKind {
    /// PostgreSQL 10 and later.
    Postgresql,
    /// MySQL 5.7 and later.
    Mysql,
    /// MariaDB 10.5 and later.
    Mariadb,
    /// A file of SQLite 3.
    Sqlite,
}

impl SourceKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [SourceKind; 4] = [
        SourceKind::Postgresql,
        SourceKind::Mysql,
        SourceKind::Mariadb,
        SourceKind::Sqlite,
    ];

    /// As API and project files spell it.
    pub fn code(self) -> &'static str {
        match self {
            SourceKind::Postgresql => "POSTGRESQL",
            SourceKind::Mysql => "MYSQL",
            SourceKind::Mariadb => "MARIADB",
            SourceKind::Sqlite => "SQLITE",
        }
    }

    /// As its makers spell it.
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Postgresql => "PostgreSQL",
            SourceKind::Mysql => "MySQL",
            SourceKind::Mariadb => "MariaDB",
            SourceKind::Sqlite => "SQLite",
        }
    }

    /// Whether a project for one of the two can use a connection to the other: they are read in the same way.
    pub fn is_read_like(self, other: Self) -> bool {
        let is_of_family = |kind: Self| matches!(kind, SourceKind::Mysql | SourceKind::Mariadb);
        self == other || (is_of_family(self) && is_of_family(other))
    }

    /// The kind of this code, in capital or small letters.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.code().eq_ignore_ascii_case(code))
    }

    /// The kind that a URL is of, by its beginning.
    pub fn of_url(url: &str) -> Option<Self> {
        let native = url.trim().strip_prefix("jdbc:").unwrap_or(url.trim());
        match native.split_once(':')?.0.to_ascii_lowercase().as_str() {
            "postgresql" | "postgres" => Some(SourceKind::Postgresql),
            "mysql" => Some(SourceKind::Mysql),
            "mariadb" => Some(SourceKind::Mariadb),
            "sqlite" => Some(SourceKind::Sqlite),
            _ => None,
        }
    }
}

/// How a request names a source: by a saved connection, or by URL and credentials.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JdbcConnectionDetails {
    /// The kind as the API spells it, e.g. `POSTGRESQL`. Open: an unknown one is answered with what this build can read.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// `jdbc:postgresql://host:port/database?...`, or a native `postgresql://` URI.
    #[serde(default)]
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ConnectionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Write-only: no answer carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Keep the password, encrypted, with the saved connection.
    #[serde(default)]
    pub save_password: bool,
    /// Use this saved connection; what is given here besides wins over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_connection_id: Option<ConnectionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oracle_pdb_name: Option<String>,
    #[serde(default)]
    pub is_manual_uri: bool,
    /// The certificates of the authorities to trust, in PEM, at most 1 MiB. Used with every SSL mode but `disable`; wins
    /// over `sslrootcert`, which names a file of the server's folder of certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_root_cert_content: Option<String>,
}

/// The longest name of a saved connection, in characters.
pub const CONNECTION_NAME_LENGTH_MAX: usize = 100;

/// How a request names a destination.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MongodbConnectionDetails {
    /// `mongodb://` or `mongodb+srv://`, with the database in its path.
    #[serde(default)]
    pub connection_string: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ConnectionId>,
    /// Wins over the database of the URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Wins over the user of the URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Write-only. Wins over the password of the URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default)]
    pub save_password: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_connection_id: Option<ConnectionId>,
    /// The certificates of the authorities to trust, in PEM, at most 1 MiB. Wins over `tlsCAFile`, which names a file of the
    /// server's folder of certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca_content: Option<String>,
    /// Write-only: certificate and private key to sign on with, in PEM. Wins over `tlsCertificateKeyFile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_certificate_key_content: Option<String>,
}

macro_rules! redacted_debug {
    ($($name:ident),*) => {$(
        /// Without URL and password: both may hold secrets.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("user", &self.user).finish_non_exhaustive()
            }
        }
    )*};
}
redacted_debug!(JdbcConnectionDetails, MongodbConnectionDetails);

/// Where a connection is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EnvironmentTag {
    Demo,
    Qa,
    Staging,
    Development,
    Production,
    #[default]
    None,
}

/// A saved relational connection as the API shows it: without its password, the URL masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SavedJdbcConnection {
    pub id: ConnectionId,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default)]
    pub environment_tag: EnvironmentTag,
    /// Whether a password is stored with it.
    #[serde(default)]
    pub has_password: bool,
    /// Whether certificates of authorities are stored with it.
    #[serde(default)]
    pub has_ssl_root_cert: bool,
}

/// A saved MongoDB connection as the API shows it: the password in the URI masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SavedMongodbConnection {
    pub id: ConnectionId,
    pub name: String,
    pub connection_string: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default)]
    pub environment_tag: EnvironmentTag,
    /// Whether a password is stored with it, besides one in the URI.
    #[serde(default)]
    pub has_password: bool,
    /// Whether certificates of authorities are stored with it.
    #[serde(default)]
    pub has_tls_ca: bool,
    /// Whether a certificate to sign on with is stored with it.
    #[serde(default)]
    pub has_tls_certificate_key: bool,
}

/// The body that saves a relational connection. With the id of a saved one it replaces that.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SaveJdbcConnection {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ConnectionId>,
    /// 1 to 100 characters.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default)]
    pub save_password: bool,
    #[serde(default)]
    pub environment_tag: EnvironmentTag,
    /// As in the details of a request. Absent: that of the connection which is replaced stays; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_root_cert_content: Option<String>,
}

/// The body that saves a MongoDB connection.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SaveMongodbConnection {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ConnectionId>,
    /// 1 to 100 characters.
    pub name: String,
    /// A password in it is kept with it.
    pub connection_string: String,
    /// Wins over the database of the URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Wins over the user of the URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Write-only. Wins over the password of the URI; kept with `savePassword` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default)]
    pub save_password: bool,
    #[serde(default)]
    pub environment_tag: EnvironmentTag,
    /// As in the details of a request. Absent: that of the connection which is replaced stays; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca_content: Option<String>,
    /// As `tlsCaContent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_certificate_key_content: Option<String>,
}

/// What a successful test of a connection tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectivityResult {
    /// Always `true`: a failed test is an error answer.
    pub success: bool,
    /// One sentence that names the kind of database.
    pub message: String,
    /// `PostgreSQL 15.18`, `MongoDB 6.0.5`.
    pub version: String,
    /// `replicaSet rs0`, `standalone`, `sharded`; of a source whether the link is encrypted.
    pub topology: String,
}
