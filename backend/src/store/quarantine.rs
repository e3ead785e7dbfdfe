//! One entry that cannot be read must not keep the others from being read: it is left out, and remembered with the reason.

use super::{Store, StoreError};
use bson::{Bson, Document, RawDocumentBuf};
use godwit_shared::quarantine::{EntryKind, UnreadableEntry};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Entries whose reason is kept. More of them are left out as well.
const KEPT_MAX: usize = 1_000;
/// Characters of a reason: a parser may quote what it has read.
const REASON_CHARS_MAX: usize = 300;

/// What could not be read so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Unreadable(Arc<Mutex<BTreeMap<(EntryKind, String), String>>>);

impl Unreadable {
    /// Remembers one; the log is told once.
    pub(super) fn add(&self, kind: EntryKind, id: String, reason: String) {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT_MAX && !all.contains_key(&(kind, id.clone())) {
            return;
        }
        if all.insert((kind, id.clone()), reason.clone()).as_ref() != Some(&reason) {
            tracing::error!(
                ?kind,
                id,
                reason,
                "An entry of the store cannot be read and is left out"
            );
        }
    }

    /// What is remembered of a kind is from now on these.
    fn replace(&self, kind: EntryKind, found: Vec<(String, String)>) {
        {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|(k, id), _| *k != kind || found.iter().any(|(other, _)| other == id));
        }
        for (id, reason) in found {
            self.add(kind, id, reason);
        }
    }
}

impl Store {
    /// The entries of a list that can be read. `is_whole`: the list is of everything of its kind.
    pub(super) fn readable<T>(
        &self,
        kind: EntryKind,
        is_whole: bool,
        entries: Vec<RawDocumentBuf>,
        read: impl Fn(&Document) -> Result<T, StoreError>,
    ) -> Vec<T> {
        let (mut all, mut unreadable) = (Vec::with_capacity(entries.len()), Vec::new());
        for raw in entries {
            let entry = Document::try_from(raw.as_ref());
            let found = match &entry {
                Ok(entry) => read(entry),
                Err(error) => Err(StoreError::Malformed(error.to_string())),
            };
            match found {
                Ok(found) => all.push(found),
                Err(error) => unreadable.push((id_of(&raw), error.to_string())),
            }
        }
        if is_whole {
            self.unreadable.replace(kind, unreadable);
        } else {
            for (id, reason) in unreadable {
                self.unreadable.add(kind, id, reason);
            }
        }
        all
    }

    /// What could not be read so far, by kind and id.
    pub fn unreadable(&self) -> Vec<UnreadableEntry> {
        let all = self.unreadable.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = |((kind, id), reason): (&(EntryKind, String), &String)| UnreadableEntry {
            kind: *kind,
            id: id.clone(),
            reason: reason.clone(),
        };
        all.iter().map(entry).collect()
    }
}

/// The `_id` as a text, as far as there is one.
fn id_of(raw: &RawDocumentBuf) -> String {
    match raw.get("_id").ok().flatten().map(Bson::try_from) {
        Some(Ok(Bson::String(id))) => id,
        Some(Ok(other)) => other.to_string(),
        Some(Err(_)) | None => String::new(),
    }
}

/// An entry has to say of itself what it lies under.
pub(super) fn check_own_id(entry: &Document, own: &str) -> Result<(), StoreError> {
    match entry.get_str("_id") {
        Ok(id) if id == own => Ok(()),
        _ => Err(StoreError::Malformed(format!(
            "it says of itself that its id is \"{own}\""
        ))),
    }
}
