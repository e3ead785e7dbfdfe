//! Saved connections. URLs and passwords are encrypted: both may hold secrets.

use super::{Store, StoreError, from_json, to_json};
use bson::{Document, doc};
use futures_util::TryStreamExt;
use godwit_shared::connection::{SaveJdbcConnection, SaveMongodbConnection};
use godwit_shared::ids::ConnectionId;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A saved relational connection with its secrets.
pub type StoredJdbc = SaveJdbcConnection;
/// A saved MongoDB connection with its secrets.
pub type StoredMongodb = SaveMongodbConnection;

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

    /// All relational connections, by name.
    ///
    /// # Errors
    /// When the store fails, or its key file is not the one that encrypted them.
    pub async fn jdbc_connections(&self) -> Result<Vec<StoredJdbc>, StoreError> {
        self.connections("jdbc", doc! {}).await
    }

    /// All MongoDB connections, by name.
    ///
    /// # Errors
    /// As [`Store::jdbc_connections`].
    pub async fn mongodb_connections(&self) -> Result<Vec<StoredMongodb>, StoreError> {
        self.connections("mongodb", doc! {}).await
    }

    /// One relational connection.
    ///
    /// # Errors
    /// As [`Store::jdbc_connections`].
    pub async fn jdbc_connection(&self, id: &ConnectionId) -> Result<Option<StoredJdbc>, StoreError> {
        Ok(self.connections("jdbc", doc! {"_id": id.as_str()}).await?.pop())
    }

    /// One MongoDB connection.
    ///
    /// # Errors
    /// As [`Store::jdbc_connections`].
    pub async fn mongodb_connection(&self, id: &ConnectionId) -> Result<Option<StoredMongodb>, StoreError> {
        Ok(self.connections("mongodb", doc! {"_id": id.as_str()}).await?.pop())
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

    async fn connections<T: DeserializeOwned>(&self, kind: &str, mut filter: Document) -> Result<Vec<T>, StoreError> {
        filter.insert("kind", kind);
        let entries: Vec<Document> = self
            .collection("connections")
            .find(filter)
            .sort(doc! {"_id": 1})
            .await?
            .try_collect()
            .await?;
        entries.iter().map(|e| self.unseal(e, "sealed")).collect()
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
