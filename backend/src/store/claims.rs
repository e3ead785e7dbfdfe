//! Which row has which `_id`, for plans in which two rows may come to the same one: calculated ids, several tables in
//! one collection, keys that lose digits in BSON. The first row keeps the `_id`; a later one is an issue.

use super::{Store, StoreError};
use bson::{Document, RawBson, RawDocumentBuf, doc, rawdoc};
use godwit_shared::ids::JobId;
use mongodb::error::ErrorKind;
use std::collections::HashMap;

/// A row's wish to have an `_id`.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The element `_id` as raw BSON: type, name, value.
    pub id_element: Vec<u8>,
    /// Stands for the row.
    pub owner: i64,
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
            let id: Document = claim_id(job, collection, key)
                .try_into()
                .map_err(|e: bson::error::Error| StoreError::Malformed(e.to_string()))?;
            let filter = doc! {"_id": id};
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

    /// Forgets the claims of a job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_claims(&self, job: &JobId) -> Result<(), StoreError> {
        self.collection("claims").delete_many(doc! {"j": job.as_str()}).await?;
        Ok(())
    }
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

fn claim_id(job: &JobId, collection: &str, key: &[u8]) -> RawDocumentBuf {
    rawdoc! {"j": job.as_str(), "c": collection, "i": value_of(key)}
}

fn entry(job: &JobId, collection: &str, key: &[u8], owner: i64) -> RawDocumentBuf {
    rawdoc! {"_id": claim_id(job, collection, key), "j": job.as_str(), "o": owner}
}
