//! What the user has entered so far.

use reactive_stores::Store;

/// What the limit of errors is where nobody said otherwise.
pub const ERROR_LIMIT_DEFAULT: u64 = 100;

/// No `Debug`: it holds passwords.
#[derive(Clone, PartialEq, Default, Store)]
pub struct Draft {
    pub source: SourceDraft,
    pub destination: DestinationDraft,
    pub options: OptionsDraft,
}

#[derive(Clone, PartialEq, Store)]
pub struct SourceDraft {
    /// The id of a saved connection; empty: a new one. A user or password typed besides wins over its own; an address
    /// makes it a new one, so that a stored password never goes to another server.
    pub saved: String,
    /// One URI instead of host, port and database.
    pub is_manual_uri: bool,
    pub uri: String,
    pub host: String,
    pub port: String,
    pub database: String,
    pub user: String,
    pub password: String,
    /// A value of [`SSL_MODES`].
    pub ssl_mode: String,
}

impl SourceDraft {
    /// Whether an address was typed in, in the form that is in sight.
    pub fn has_address(&self) -> bool {
        let typed = match self.is_manual_uri {
            true => [&self.uri, &self.uri],
            false => [&self.host, &self.database],
        };
        typed.iter().any(|text| !text.trim().is_empty())
    }

    /// A saved connection that is chosen takes the place of what was typed before.
    pub fn choose(&mut self) {
        let kept = (std::mem::take(&mut self.saved), self.is_manual_uri);
        *self = Self::default();
        (self.saved, self.is_manual_uri) = kept;
    }
}

impl Default for SourceDraft {
    fn default() -> Self {
        Self {
            saved: String::new(),
            is_manual_uri: true,
            uri: String::new(),
            host: String::new(),
            port: "5432".into(),
            database: String::new(),
            user: String::new(),
            password: String::new(),
            ssl_mode: String::new(),
        }
    }
}

#[derive(Clone, PartialEq, Default, Store)]
pub struct DestinationDraft {
    /// The id of a saved connection; empty: a new one.
    pub saved: String,
    pub uri: String,
}

#[derive(Clone, PartialEq, Store)]
pub struct OptionsDraft {
    pub is_continuous: bool,
    /// Let the job set the replica identities that it needs. Continuous jobs only.
    pub prepare_source: bool,
    pub drop_collections: bool,
    pub has_error_limit: bool,
    pub error_limit: String,
}

impl Default for OptionsDraft {
    fn default() -> Self {
        Self {
            is_continuous: false,
            prepare_source: false,
            drop_collections: false,
            has_error_limit: true,
            error_limit: ERROR_LIMIT_DEFAULT.to_string(),
        }
    }
}

/// Values of `sslmode` with their labels; the empty one is left out of the URI and means *Prefer*.
pub const SSL_MODES: [(&str, &str); 5] = [
    ("", "Prefer (encrypted where the server can)"),
    ("require", "Require"),
    ("verify-ca", "Verify CA"),
    ("verify-full", "Verify full"),
    ("disable", "Disable"),
];
