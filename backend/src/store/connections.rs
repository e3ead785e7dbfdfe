//! Saved connections. URLs and passwords are encrypted: both may hold secrets.

use super::{Store, StoreError, from_json, to_json};
use bson::{Document, RawDocumentBuf, doc};
use futures_util::TryStreamExt;
use godwit_shared::connection::{SaveJdbcConnection, SaveMongodbConnection};
use godwit_shared::ids::ConnectionId;
use godwit_shared::quarantine::EntryKind;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A saved relational connection with its secrets.
pub type StoredJdbc = SaveJdbcConnection;
/// A saved MongoDB connection with its secrets.
pub type StoredMongodb = SaveMongodbConnection;

/// A connection under the id that it lies under, whatever it says itself.
struct Saved<T> {
    id: ConnectionId,
    connection: T,
}

fn with_id(saved: Saved<StoredJdbc>) -> StoredJdbc {
    StoredJdbc {
        id: Some(saved.id),
        ..saved.connection
    }
}

fn mongodb_with_id(saved: Saved<StoredMongodb>) -> StoredMongodb {
    StoredMongodb {
        id: Some(saved.id),
        ..saved.connection
    }
}

/// The kind as the store spells it.
fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::MongodbConnection => "mongodb",
        EntryKind::JdbcConnection | EntryKind::Project | EntryKind::Job | EntryKind::Store => "jdbc",
    }
}

impl Store {
    /// Writes a relational connection under its id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_jdbc(&self, id: &ConnectionId, connection: &StoredJdbc) -> Result<(), StoreError> {
        self.save_connection("jdbc", id, connection).await
    }

    /// Writes a MongoDB connection under its id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_mongodb(&self, id: &ConnectionId, connection: &StoredMongodb) -> Result<(), StoreError> {
        self.save_connection("mongodb", id, connection).await
    }

    /// All relational connections that can be read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn jdbc_connections(&self) -> Result<Vec<StoredJdbc>, StoreError> {
        let all = self.connections(EntryKind::JdbcConnection, None).await?;
        Ok(all.into_iter().map(with_id).collect())
    }

    /// All MongoDB connections that can be read.
    ///
    /// # Errors
    /// As [`Store::jdbc_connections`].
    pub async fn mongodb_connections(&self) -> Result<Vec<StoredMongodb>, StoreError> {
        let all = self.connections(EntryKind::MongodbConnection, None).await?;
        Ok(all.into_iter().map(mongodb_with_id).collect())
    }

    /// One relational connection.
    ///
    /// # Errors
    /// When the store fails, or it cannot be read.
    pub async fn jdbc_connection(&self, id: &ConnectionId) -> Result<Option<StoredJdbc>, StoreError> {
        let mut found = self.connections(EntryKind::JdbcConnection, Some(id)).await?;
        Ok(found.pop().map(with_id))
    }

    /// One MongoDB connection.
    ///
    /// # Errors
    /// As [`Store::jdbc_connection`].
    pub async fn mongodb_connection(&self, id: &ConnectionId) -> Result<Option<StoredMongodb>, StoreError> {
        let mut found = self.connections(EntryKind::MongodbConnection, Some(id)).await?;
        Ok(found.pop().map(mongodb_with_id))
    }

    /// Deletes a connection of a kind, `jdbc` or `mongodb`; returns whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_connection(&self, kind: &str, id: &ConnectionId) -> Result<bool, StoreError> {
        let deleted = self
            .collection("connections")
            .delete_one(doc! {"_id": id.as_str(), "kind": kind})
            .await?;
        Ok(deleted.deleted_count > 0)
    }

    async fn save_connection<T: Serialize>(
        &self,
        kind: &str,
        id: &ConnectionId,
        connection: &T,
    ) -> Result<(), StoreError> {
        let sealed = self.seal(connection);
        let entry = doc! {"_id": id.as_str(), "kind": kind, "sealed": sealed};
        self.collection("connections")
            .replace_one(doc! {"_id": id.as_str()}, entry)
            .upsert(true)
            .await?;
        Ok(())
    }

    async fn connections<T: DeserializeOwned>(
        &self,
        kind: EntryKind,
        id: Option<&ConnectionId>,
    ) -> Result<Vec<Saved<T>>, StoreError> {
        let mut filter = doc! {"kind": kind_name(kind)};
        if let Some(id) = id {
            filter.insert("_id", id.as_str());
        }
        let connections = self.database.collection::<RawDocumentBuf>("connections");
        let found = connections.find(filter).sort(doc! {"_id": 1}).await?;
        let entries: Vec<RawDocumentBuf> = found.try_collect().await?;
        let read = |entry: &Document| {
            Ok(Saved {
                id: ConnectionId::new(entry.get_str("_id").map_err(|e| StoreError::Malformed(e.to_string()))?),
                connection: self.unseal(entry, "sealed")?,
            })
        };
        match id {
            // Who asks for one has to be told.
            Some(_) => entries
                .iter()
                .map(|raw| read(&Document::try_from(raw.as_ref()).map_err(|e| StoreError::Malformed(e.to_string()))?))
                .collect(),
            None => Ok(self.readable(kind, true, entries, read)),
        }
    }

    pub(super) fn seal<T: Serialize>(&self, value: &T) -> bson::Binary {
        bson::Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: self.key.encrypt(&to_json(value)),
        }
    }

    pub(super) fn unseal<T: DeserializeOwned>(&self, entry: &Document, member: &str) -> Result<T, StoreError> {
        let malformed = |reason: &str| StoreError::Malformed(format!("{member}: {reason}"));
        let sealed = entry
            .get_binary_generic(member)
            .map_err(|e| malformed(&e.to_string()))?;
        let plain = self
            .key
            .decrypt(sealed)
            .ok_or_else(|| malformed("it was encrypted with another key file"))?;
        from_json(&doc! {member: plain}, member)
    }
}
