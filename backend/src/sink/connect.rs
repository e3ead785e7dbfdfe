//! The destination as a place: its URI, whether it answers, what may be done there.

use super::check;
use super::error::{SinkError, UNAUTHORIZED};
use super::turns::Turns;
use super::uri::{Certificates, options_of};
use crate::lease::Lease;
use bson::{Document, doc};
use godwit_shared::connection::{ConnectivityResult, MongodbConnectionDetails};
use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};
use mongodb::{Client, Database};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest name of a database, in bytes.
const DATABASE_NAME_BYTES_MAX: usize = 63;
/// For one answer to a request that a user waits for.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// A database of a MongoDB that documents are written to.
#[derive(Debug, Clone)]
pub struct Sink {
    pub(super) database: Database,
    pub(super) hosts: String,
    pub(super) write_concern: Document,
    /// The URI asks for less than a majority.
    pub is_weak: bool,
    /// From where the URI asks to read; documents are read where they are written.
    pub reads_elsewhere: Option<String>,
    /// Collections whose documents lie in their staging collections.
    pub(super) staged: Arc<HashSet<String>>,
    /// Why writes are being repeated.
    pub(super) trouble: Arc<Mutex<Option<String>>>,
    /// The driver may read them again.
    _certificates: Certificates,
    /// Nothing is written while it does not hold.
    pub(super) lease: Option<Arc<Lease>>,
}

impl Sink {
    /// Reads the URI; connects on first use.
    ///
    /// # Errors
    /// When the URI is not valid, or names no database.
    pub async fn open(details: &MongodbConnectionDetails) -> Result<Self, SinkError> {
        let (client, options, hosts, certificates, reads_elsewhere) = client_of(details).await?;
        let name = details
            .database
            .clone()
            .filter(|d| !d.is_empty())
            .or(options.default_database)
            .ok_or(SinkError::DatabaseMissing)?;
        if name.len() > DATABASE_NAME_BYTES_MAX || name.contains(['/', '\\', '.', ' ', '"', '$', '\0']) {
            return Err(SinkError::InvalidDatabase { name });
        }
        check::check_name(&name)?;
        let (write_concern, is_weak) = write_concern(options.write_concern.as_ref());
        Ok(Self {
            database: client.database(&name),
            hosts,
            write_concern,
            is_weak,
            reads_elsewhere,
            staged: Arc::default(),
            trouble: Arc::default(),
            _certificates: certificates,
            lease: None,
        })
    }

    /// The same for the writes of a job: they wait while its lease does not hold, and fail once it is lost.
    pub fn under(mut self, lease: Arc<Lease>) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Waits until something may be written.
    pub(super) async fn may_write(&self) -> Result<(), SinkError> {
        match &self.lease {
            Some(lease) if !lease.is_held().await => Err(SinkError::Cancelled),
            Some(_) | None => Ok(()),
        }
    }

    /// Why writes have to be repeated just now; nothing while they succeed.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// The turns of a job at its server: see [`Turns::of`].
    pub fn turns(&self, workers: usize, each: usize) -> Turns {
        Turns::of(&self.hosts, workers, each)
    }

    /// Where it writes, to see whether two jobs write the same place.
    pub fn place(&self) -> String {
        format!("{}/{}", self.hosts, self.database.name())
    }

    /// Whether the server answers and the user may write; `collections` must not be views. Those that become time series
    /// must not be there, unless they may be: the job drops them, or has made them itself.
    ///
    /// # Errors
    /// Why nothing could be written there.
    pub async fn check(&self, collections: &[String], may_be_there: bool) -> Result<(), SinkError> {
        self.ask(doc! {"ping": 1}).await?;
        self.check_case().await?;
        let written: Vec<String> = collections.iter().map(|name| self.at(name).into_owned()).collect();
        for collection in &written {
            self.check_rights(collection).await?;
        }
        self.check_kinds(&written).await?;
        for series in collections.iter().filter(|name| self.staged.contains(*name)) {
            self.check_rights(series).await?;
            self.check_time_series(series, may_be_there).await?;
        }
        match written.first() {
            Some(collection) => self.check_abilities(collection).await,
            None => Ok(()),
        }
    }

    /// Rights may be given for single collections.
    async fn check_rights(&self, collection: &str) -> Result<(), SinkError> {
        // Neither writes anything: there is nothing to insert, and no document has this `_id`.
        let nothing = bson::oid::ObjectId::new();
        for command in [
            doc! {"insert": collection, "documents": []},
            doc! {"update": collection, "updates": [{"q": {"_id": nothing}, "u": {"_id": nothing}, "upsert": false}]},
            doc! {"delete": collection, "deletes": [{"q": {"_id": nothing}, "limit": 1}]},
        ] {
            match self.ask(command).await {
                Err(SinkError::Command {
                    code: Some(UNAUTHORIZED),
                    ..
                }) => {
                    return Err(SinkError::NoWrite {
                        database: self.database.name().into(),
                        collection: collection.into(),
                    });
                }
                Err(error @ SinkError::Unreachable { .. }) => return Err(error),
                // What else is wrong shows at the first write.
                _ => {}
            }
        }
        Ok(())
    }

    /// Two databases may not differ in case alone; the server would say so at the first write.
    async fn check_case(&self) -> Result<(), SinkError> {
        let name = self.database.name();
        // Who may not list databases finds out at the first write.
        let names = within(&self.hosts, self.database.client().list_database_names()).await;
        let Ok(names) = names else {
            return Ok(());
        };
        let alike = |other: &&String| other.as_str() != name && other.to_lowercase() == name.to_lowercase();
        match names.iter().find(alike) {
            Some(existing) if !names.iter().any(|n| n == name) => Err(SinkError::DatabaseCase {
                name: name.into(),
                existing: existing.clone(),
            }),
            _ => Ok(()),
        }
    }

    async fn check_kinds(&self, collections: &[String]) -> Result<(), SinkError> {
        let answer = self
            .ask(doc! {"listCollections": 1, "filter": {"name": {"$in": collections}}, "cursor": {"batchSize": 10_000}})
            .await?;
        let found = answer
            .get_document("cursor")
            .and_then(|c| c.get_array("firstBatch"))
            .cloned()
            .unwrap_or_default();
        for entry in found.iter().filter_map(|e| e.as_document()) {
            let name = entry.get_str("name").unwrap_or_default();
            let is_capped = entry
                .get_document("options")
                .is_ok_and(|o| o.get_bool("capped").unwrap_or(false));
            let kind = match entry.get_str("type").unwrap_or("collection") {
                "collection" if is_capped => "capped collection",
                "collection" => continue,
                "view" => "view",
                _ => "time series collection",
            };
            return Err(SinkError::WrongKind {
                collection: name.into(),
                kind: kind.into(),
            });
        }
        Ok(())
    }

    /// Whether the server answers within this time.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self, patience: Duration) -> Result<(), SinkError> {
        let asked = tokio::time::timeout(patience, self.run(doc! {"ping": 1})).await;
        let answer = asked.unwrap_or_else(|_| {
            Err(SinkError::Unreachable {
                hosts: self.hosts.clone(),
                reason: format!("no answer within {} seconds", patience.as_secs()),
            })
        });
        // A user without any right gets an answer too.
        match answer {
            Err(error) if error.is_retryable() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Drops a collection, and what is collected for it; one that is not there is fine.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn drop_collection(&self, name: &str) -> Result<(), SinkError> {
        self.may_write().await?;
        if self.staged.contains(name) {
            self.drop_exactly(&self.at(name)).await?;
        }
        self.drop_exactly(name).await
    }

    /// How many documents a collection holds.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn count(&self, name: &str) -> Result<u64, SinkError> {
        self.database
            .collection::<Document>(&self.at(name))
            .estimated_document_count()
            .await
            .map_err(|e| SinkError::of(&e, &self.hosts))
    }

    /// As [`Sink::run`], for a limited time: somebody waits for the answer.
    async fn ask(&self, command: Document) -> Result<Document, SinkError> {
        within(&self.hosts, self.database.run_command(command)).await
    }

    pub(super) async fn run(&self, command: Document) -> Result<Document, SinkError> {
        self.database
            .run_command(command)
            .await
            .map_err(|e| SinkError::of(&e, &self.hosts))
    }
}

/// Tries a connection and tells what it found. A database in the URI is not needed.
///
/// # Errors
/// Why no connection can be had.
pub async fn check_connection(details: &MongodbConnectionDetails) -> Result<ConnectivityResult, SinkError> {
    let (client, _, hosts, _certificates, _) = client_of(details).await?;
    let admin = client.database("admin");
    let hello = within(&hosts, admin.run_command(doc! {"hello": 1})).await?;
    let build = within(&hosts, admin.run_command(doc! {"buildInfo": 1})).await?;
    let topology = match (hello.get_str("msg"), hello.get_str("setName")) {
        (Ok("isdbgrid"), _) => "sharded cluster".to_owned(),
        (_, Ok(set)) => format!("replica set {set}"),
        _ => "standalone".into(),
    };
    let version = format!("MongoDB {}", build.get_str("version").unwrap_or_default());
    Ok(ConnectivityResult {
        success: true,
        message: format!("Connected to {version}."),
        version,
        topology,
    })
}

/// The answer of a server that may stand still.
async fn within<T>(
    hosts: &str,
    answer: impl IntoFuture<Output = Result<T, mongodb::error::Error>>,
) -> Result<T, SinkError> {
    match tokio::time::timeout(ANSWER_MAX, answer.into_future()).await {
        Ok(answer) => answer.map_err(|e| SinkError::of(&e, hosts)),
        Err(_) => Err(SinkError::Unreachable {
            hosts: hosts.into(),
            reason: format!("no answer within {} seconds", ANSWER_MAX.as_secs()),
        }),
    }
}

/// The client, its options, its hosts, its certificates, and from where it was asked to read.
async fn client_of(
    details: &MongodbConnectionDetails,
) -> Result<(Client, ClientOptions, String, Certificates, Option<String>), SinkError> {
    let text = with_credentials(
        details.connection_string.trim(),
        details.user.as_deref().unwrap_or_default(),
        details.password.as_deref().unwrap_or_default(),
    );
    let (mut options, certificates) = options_of(&text, details).await?;
    let reads_elsewhere = check::read_where_written(&mut options);
    let mut names: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
    names.sort();
    let hosts = names.join(",");
    let client = Client::with_options(options.clone()).map_err(|e| SinkError::InvalidUri {
        reason: e.kind.to_string(),
    })?;
    Ok((client, options, hosts, certificates, reads_elsewhere))
}

/// The host of a URI, without credentials.
pub(super) fn host_of(uri: &str) -> String {
    let behind = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let hosts = behind.split(['/', '?']).next().unwrap_or_default();
    hosts.rsplit('@').next().unwrap_or_default().to_owned()
}

/// The URI with a user and a password that win over its own; empty ones leave what it has. They go into the URI, so that
/// everything that depends on them (where the user is looked for) is as if they had been written there.
fn with_credentials(uri: &str, user: &str, password: &str) -> String {
    let Some((scheme, rest)) = uri
        .split_once("://")
        .filter(|_| !user.is_empty() || !password.is_empty())
    else {
        return uri.to_owned();
    };
    let place = rest.find(['/', '?']).unwrap_or(rest.len());
    let (own, hosts) = match rest[..place].rsplit_once('@') {
        Some((own, hosts)) => (own, hosts),
        None => ("", &rest[..place]),
    };
    let (own_user, own_password) = match own.split_once(':') {
        Some((user, password)) => (user, Some(password.to_owned())),
        None => (own, None),
    };
    let password = match (password, user) {
        // A password in the URI is that of its own user.
        ("", user) if !user.is_empty() && escaped(user) != own_user => None,
        ("", _) => own_password,
        (given, _) => Some(escaped(given)),
    };
    let user = if user.is_empty() {
        own_user.to_owned()
    } else {
        escaped(user)
    };
    let password = password.map(|p| format!(":{p}")).unwrap_or_default();
    format!("{scheme}://{user}{password}@{hosts}{}", &rest[place..])
}

/// Percent escapes for everything that means something in a URI.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// What the URI says, and majority where it says nothing.
fn write_concern(asked: Option<&WriteConcern>) -> (Document, bool) {
    let mut concern = doc! {"w": "majority"};
    let mut is_weak = false;
    let Some(asked) = asked else { return (concern, false) };
    match &asked.w {
        Some(Acknowledgment::Nodes(n)) => {
            // Unacknowledged writes could not be checked at all.
            concern.insert("w", i64::from((*n).max(1)));
            is_weak = true;
        }
        Some(Acknowledgment::Custom(tag)) => {
            concern.insert("w", tag);
        }
        _ => {}
    }
    if let Some(journal) = asked.journal {
        concern.insert("j", journal);
    }
    if let Some(limit) = asked.w_timeout {
        concern.insert("wtimeout", i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
    }
    (concern, is_weak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_besides_wins_over_the_uri() {
        let check = |uri: &str, user: &str, password: &str, expected: &str| {
            assert_eq!(with_credentials(uri, user, password), expected);
        };
        check("mongodb://h/db", "", "", "mongodb://h/db");
        check(
            "mongodb://h:1,i:2/db?w=1",
            "u",
            "a/b@",
            "mongodb://u:a%2Fb%40@h:1,i:2/db?w=1",
        );
        check("mongodb+srv://h", "u", "", "mongodb+srv://u@h");
        check("mongodb://v:q@h/?w=1", "u", "p", "mongodb://u:p@h/?w=1");
        check("mongodb://v:q@h/db", "", "p", "mongodb://v:p@h/db");
        check("mongodb://v:q@h/db", "v", "", "mongodb://v:q@h/db");
        check("mongodb://v:q@h/db", "u", "", "mongodb://u@h/db");
        check(
            "mongodb://h?authSource=admin",
            "u",
            "p",
            "mongodb://u:p@h?authSource=admin",
        );
    }
}
