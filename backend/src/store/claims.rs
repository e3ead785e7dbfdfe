//! Which row has which `_id`, for plans in which two rows may come to the same one: calculated ids, several tables in
//! one collection, keys that lose digits in BSON. The first row keeps the `_id`; a later one is an issue.

use super::{Store, StoreError, from_json, to_json};
use crate::assemble::Assembled;
use crate::plan::RootPlan;
use bson::raw::cstr;
use bson::{Document, RawBson, RawDocumentBuf, doc, rawdoc};
use futures_util::TryStreamExt;
use godwit_shared::ids::JobId;
use mongodb::error::ErrorKind;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A row's wish to have an `_id`.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The element `_id` as raw BSON: type, name, value.
    pub id_element: Vec<u8>,
    /// Stands for the row.
    pub owner: i64,
}

impl Claim {
    /// That of a root row to the `_id` that its document has.
    pub fn of(root: &RootPlan, document: &Assembled) -> Self {
        Self {
            id_element: document.id_element().to_vec(),
            owner: document.row.owner(root),
        }
    }
}

const DUPLICATE_KEY: i32 = 11_000;

impl Store {
    /// Claims `_id`s for rows and tells for each whether the row has it: `false` where another row came first. A claim
    /// that is repeated by the same row is granted again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(&self, job: &JobId, collection: &str, claims: &[Claim]) -> Result<Vec<bool>, StoreError> {
        // Of two equal ids in one call the first one gets it.
        let mut first: HashMap<Vec<u8>, i64> = HashMap::new();
        let (mut new, mut new_keys) = (Vec::new(), Vec::new());
        for claim in claims {
            if !first.contains_key(&claim.id_element) {
                first.insert(claim.id_element.clone(), claim.owner);
                new.push(entry(job, collection, &claim.id_element, claim.owner));
                new_keys.push(&claim.id_element);
            }
        }
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.database.collection::<RawDocumentBuf>("claims");
        // The claim's own `_id` holds the value, so that MongoDB compares: 1 and 1.0 are one `_id` to it.
        let taken: Vec<&Vec<u8>> = match table.insert_many(&new).ordered(false).await {
            Ok(_) => Vec::new(),
            Err(error) => match error.kind.as_ref() {
                ErrorKind::InsertMany(failed) if failed.write_concern_error.is_none() => {
                    let errors = failed.write_errors.clone().unwrap_or_default();
                    if errors.iter().any(|e| e.code != DUPLICATE_KEY) {
                        return Err(error.into());
                    }
                    errors.iter().filter_map(|e| new_keys.get(e.index).copied()).collect()
                }
                _ => return Err(error.into()),
            },
        };
        for key in taken {
            let filter = doc! {"_id": wish(job, collection, key)?};
            let found: Option<Document> = self.collection("claims").find_one(filter).await?;
            if let Some(owner) = found.and_then(|d| d.get_i64("o").ok()) {
                first.insert(key.clone(), owner);
            }
        }
        Ok(claims
            .iter()
            .map(|claim| first.get(&claim.id_element) == Some(&claim.owner))
            .collect())
    }

    /// The `_id`s that rows have: the row with each, as an element of raw BSON.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claims_of(
        &self,
        job: &JobId,
        collection: &str,
        owners: &[i64],
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let filter = doc! {"j": job.as_str(), "c": collection, "o": {"$in": owners}};
        let mut found = self
            .database
            .collection::<RawDocumentBuf>("claims")
            .find(filter)
            .await?;
        let mut claims = Vec::new();
        while let Some(entry) = found.try_next().await? {
            let malformed = |e: bson::error::Error| StoreError::Malformed(e.to_string());
            let id = entry
                .get_document("_id")
                .map_err(|e| StoreError::Malformed(e.to_string()))?;
            let Some(value) = id.get("i").map_err(malformed)? else {
                continue;
            };
            let mut element = RawDocumentBuf::new();
            element.append(cstr!("_id"), value);
            let bytes = element.as_bytes();
            let owner = entry.get_i64("o").map_err(|e| StoreError::Malformed(e.to_string()))?;
            claims.push((owner, bytes[4..bytes.len() - 1].to_vec()));
        }
        Ok(claims)
    }

    /// Which of some `_id`s any row has.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claimed(&self, job: &JobId, collection: &str, ids: &[Vec<u8>]) -> Result<Vec<bool>, StoreError> {
        let mut claimed = Vec::with_capacity(ids.len());
        for id in ids {
            let filter = doc! {"_id": wish(job, collection, id)?};
            claimed.push(self.collection("claims").find_one(filter).await?.is_some());
        }
        Ok(claimed)
    }

    /// Gives `_id`s back, and returns the rows that wait for one of them. They wait until they are settled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release(&self, job: &JobId, collection: &str, ids: &[Vec<u8>]) -> Result<Vec<Contender>, StoreError> {
        let mut waiting = Vec::new();
        for part in parts(ids, Vec::len) {
            let list = doc! {"$in": wishes(job, collection, part)?};
            let mut found = self.collection("contenders").find(doc! {"w": list.clone()}).await?;
            while let Some(entry) = found.try_next().await? {
                waiting.push(from_json(&entry, "contender")?);
            }
            self.collection("claims").delete_many(doc! {"_id": list}).await?;
        }
        Ok(waiting)
    }

    /// Forgets that rows wait, but for the wishes of `still`: `_id`s with their rows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_contenders(
        &self,
        job: &JobId,
        collection: &str,
        owners: &[i64],
        still: &[(Vec<u8>, i64)],
    ) -> Result<(), StoreError> {
        let mut wishes: HashMap<i64, Vec<&[u8]>> = HashMap::new();
        for (id, owner) in still {
            wishes.entry(*owner).or_default().push(id);
        }
        let size_of = |owner: &i64| 16 + wishes.get(owner).map_or(0, |ids| ids.iter().map(|id| id.len()).sum());
        for part in parts(owners, size_of) {
            let mut kept = Vec::new();
            for owner in part {
                for id in wishes.get(owner).into_iter().flatten() {
                    kept.push(contender_id(wish(job, collection, id)?, *owner));
                }
            }
            let settled = doc! {"j": job.as_str(), "w.c": collection, "_id.o": {"$in": part}, "_id": {"$nin": kept}};
            self.collection("contenders").delete_many(settled).await?;
        }
        Ok(())
    }

    /// Rows that wait for an `_id` that no other row has: a crash came between. Each with its collection.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ready_contenders(&self, job: &JobId) -> Result<Vec<(String, Contender)>, StoreError> {
        let claim = doc! {"from": "claims", "localField": "w", "foreignField": "_id", "as": "claim"};
        let is_free = doc! {"$not": {"$anyElementTrue": [
            {"$map": {"input": "$claim.o", "in": {"$ne": ["$$this", "$_id.o"]}}}
        ]}};
        let pipeline = [
            doc! {"$match": {"j": job.as_str()}},
            doc! {"$lookup": claim},
            doc! {"$match": {"$expr": is_free}},
        ];
        let mut found = self.collection("contenders").aggregate(pipeline).await?;
        let mut ready = Vec::new();
        while let Some(entry) = found.try_next().await? {
            let collection = entry.get_document("w").and_then(|wish| wish.get_str("c"));
            let collection = collection.map_err(|e| StoreError::Malformed(e.to_string()))?;
            ready.push((collection.to_owned(), from_json(&entry, "contender")?));
        }
        Ok(ready)
    }

    /// Remembers a row that would have an `_id` if another row had not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contend(
        &self,
        job: &JobId,
        collection: &str,
        id: &[u8],
        contender: &Contender,
    ) -> Result<(), StoreError> {
        let wanted = wish(job, collection, id)?;
        let key = contender_id(wanted.clone(), contender.owner);
        let entry = doc! {"_id": key.clone(), "w": wanted, "j": job.as_str(), "contender": to_json(contender)};
        self.collection("contenders")
            .replace_one(doc! {"_id": key}, entry)
            .upsert(true)
            .await?;
        Ok(())
    }

    /// Forgets the claims of a job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_claims(&self, job: &JobId) -> Result<(), StoreError> {
        self.collection("claims").delete_many(doc! {"j": job.as_str()}).await?;
        self.collection("contenders")
            .delete_many(doc! {"j": job.as_str()})
            .await?;
        Ok(())
    }
}

/// A row whose `_id` another row has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contender {
    /// Which root of the collection it belongs to.
    pub root: usize,
    pub owner: i64,
    /// The printed values of its row key; empty where they are not known.
    pub key: Vec<Option<String>>,
}

impl Contender {
    /// The root row of a document; `place` is that of its root in the collection.
    pub fn of(root: &RootPlan, place: usize, document: &Assembled) -> Self {
        Self {
            root: place,
            owner: document.row.owner(root),
            key: document.row.values(&root.node),
        }
    }
}

/// Cuts a list so that a command takes each part.
fn parts<T>(items: &[T], size_of: impl Fn(&T) -> usize) -> Vec<&[T]> {
    const COUNT_MAX: usize = 1_000;
    const BYTES_MAX: usize = 4 << 20;
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (i, item) in items.iter().enumerate() {
        let size = size_of(item);
        if i > start && (bytes + size > BYTES_MAX || i - start >= COUNT_MAX) {
            parts.push(&items[start..i]);
            (start, bytes) = (i, 0);
        }
        bytes += size;
    }
    if start < items.len() {
        parts.push(&items[start..]);
    }
    parts
}

fn value_of(id_element: &[u8]) -> RawBson {
    let mut document = Vec::with_capacity(id_element.len() + 5);
    document.extend_from_slice(&(id_element.len() as i32 + 5).to_le_bytes());
    document.extend_from_slice(id_element);
    document.push(0);
    let raw = RawDocumentBuf::from_bytes(document).ok();
    raw.and_then(|d| d.get("_id").ok().flatten().map(Into::into))
        .unwrap_or(RawBson::Null)
}

/// What stands for an `_id` in the store, for filters.
fn wish(job: &JobId, collection: &str, id: &[u8]) -> Result<Document, StoreError> {
    let id = Document::try_from(claim_id(job, collection, id));
    id.map_err(|e: bson::error::Error| StoreError::Malformed(e.to_string()))
}

fn wishes(job: &JobId, collection: &str, ids: &[Vec<u8>]) -> Result<Vec<Document>, StoreError> {
    ids.iter().map(|id| wish(job, collection, id)).collect()
}

fn contender_id(wish: Document, owner: i64) -> Document {
    doc! {"w": wish, "o": owner}
}

/// The same, of raw values.
fn claim_id(job: &JobId, collection: &str, key: &[u8]) -> RawDocumentBuf {
    rawdoc! {"j": job.as_str(), "c": collection, "i": value_of(key)}
}

fn entry(job: &JobId, collection: &str, key: &[u8], owner: i64) -> RawDocumentBuf {
    rawdoc! {"_id": claim_id(job, collection, key), "j": job.as_str(), "c": collection, "o": owner}
}
