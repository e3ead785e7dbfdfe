//! Which key the entries of the store are sealed with. A value that only that key opens lies in the store, so that a key
//! file that is lost or is another one is noticed at the start, and never made anew beside entries that need the old one.

use super::StoreError;
use super::secret::{FILE, Key};
use bson::{Binary, Document, doc};
use futures_util::TryStreamExt;
use mongodb::Database;
use std::path::Path;

/// The collection and the `_id` of the value.
const SEALS: &str = "seals";
const CHECK: &str = "key";
const CHECK_TEXT: &str = "godwit";

/// Collections with sealed members.
const SEALED: [(&str, &str); 3] = [
    ("connections", "sealed"),
    ("jobs", "secrets"),
    ("verifications", "secrets"),
];

/// The key of this data folder, which has to be that of the store.
///
/// # Errors
/// When it is not; with `new_key` the key file is taken, or made, all the same.
pub(super) async fn key_of(database: &Database, data_dir: &Path, new_key: bool) -> Result<Key, StoreError> {
    let path = data_dir.join(FILE);
    let seals = database.collection::<Document>(SEALS);
    let check = seals.find_one(doc! {"_id": CHECK}).await?;
    let check = check.as_ref().and_then(|entry| entry.get_binary_generic("sealed").ok());
    let found = Key::read(&path)?;
    let fits = match (&found, check) {
        (Some(key), Some(check)) => key.decrypt(check).as_deref() == Some(CHECK_TEXT),
        // A store of before: some entry has to open.
        (Some(key), None) => opens_any(database, key).await?,
        (None, _) => false,
    };
    if !fits && !new_key && is_sealed(database).await? {
        let what = match found {
            Some(_) => "is not the one that entries of the store were sealed with",
            None => "is missing, and the store holds entries that were sealed with it",
        };
        return Err(StoreError::OtherKey {
            what: format!("the key file {} {what}", path.display()),
        });
    }
    let key = match found {
        Some(key) => key,
        None => Key::make(&path)?,
    };
    if !fits || check.is_none() {
        let sealed = Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: key.encrypt(CHECK_TEXT),
        };
        let entry = doc! {"_id": CHECK, "sealed": sealed};
        seals.replace_one(doc! {"_id": CHECK}, entry).upsert(true).await?;
    }
    Ok(key)
}

async fn is_sealed(database: &Database) -> Result<bool, StoreError> {
    for (collection, member) in SEALED {
        let sealed = doc! {member: {"$type": "binData"}};
        let entries = database.collection::<Document>(collection);
        let found = entries.find_one(sealed).projection(doc! {"_id": 1}).await?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn opens_any(database: &Database, key: &Key) -> Result<bool, StoreError> {
    for (collection, member) in SEALED {
        let sealed = doc! {member: {"$type": "binData"}};
        let entries = database.collection::<Document>(collection);
        let mut found = entries.find(sealed).projection(doc! {"_id": 0, member: 1}).await?;
        while let Some(entry) = found.try_next().await? {
            let opened = entry.get_binary_generic(member).ok().and_then(|s| key.decrypt(s));
            if opened.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
