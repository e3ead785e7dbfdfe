//! Which groups of the log stand where, and how a group is known again when its count grows.

use godwit_shared::job::JobUpdate;
use std::collections::HashMap;

/// The groups of a log by key, and their keys in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogIndex {
    keys: Vec<String>,
    groups: HashMap<String, JobUpdate>,
}

impl LogIndex {
    /// Newest first; of equal times the graver one.
    pub fn of(updates: &[JobUpdate]) -> Self {
        let mut sorted: Vec<&JobUpdate> = updates.iter().collect();
        sorted.sort_by(|a, b| {
            b.timestamp
                .cmp(&a.timestamp)
                .then_with(|| a.event_type.cmp(&b.event_type))
        });
        let mut index = Self::default();
        for update in sorted {
            let key = index.free_key(identity(update));
            index.keys.push(key.clone());
            index.groups.insert(key, update.clone());
        }
        index
    }

    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    pub fn group(&self, key: &str) -> Option<&JobUpdate> {
        self.groups.get(key)
    }

    /// Events, not groups.
    pub fn event_count(&self) -> u64 {
        self.groups.values().map(|group| group.count).sum()
    }

    /// Rows of the page need keys of their own, even where a server sends two groups alike.
    fn free_key(&self, key: String) -> String {
        match self.groups.contains_key(&key) {
            true => format!("{key}|{}", self.keys.len()),
            false => key,
        }
    }
}

/// What makes a group: everything but time, count and the example row.
fn identity(update: &JobUpdate) -> String {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{:?}|{:?}|{}|{}|{}|{}",
        update.event_type,
        update.stage,
        update.error_code,
        or_empty(&update.location_name),
        or_empty(&update.field_name),
        update.message
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_shared::job::{EventStage, EventType};

    fn update(kind: EventType, message: &str, second: u32, count: u64) -> JobUpdate {
        JobUpdate {
            event_type: kind,
            stage: EventStage::Snapshotting,
            message: message.into(),
            details: None,
            timestamp: format!("2026-11-03T10:00:{second:02}Z").parse().unwrap(),
            error_code: "value_not_convertible".into(),
            suggestion: None,
            location_type: None,
            location_name: None,
            field_name: None,
            key: Default::default(),
            count,
        }
    }

    #[test]
    fn newest_first_and_errors_before_the_rest() {
        let index = LogIndex::of(&[
            update(EventType::Info, "started", 1, 1),
            update(EventType::Info, "later", 5, 1),
            update(EventType::Error, "bad", 5, 40),
        ]);
        let messages: Vec<_> = index.keys().iter().map(|k| &*index.group(k).unwrap().message).collect();
        assert_eq!(messages, ["bad", "later", "started"]);
        assert_eq!(index.event_count(), 42);
    }

    #[test]
    fn a_group_is_known_again_when_its_count_grows() {
        let before = LogIndex::of(&[update(EventType::Error, "bad", 5, 40)]);
        let after = LogIndex::of(&[update(EventType::Error, "bad", 9, 41)]);
        assert_eq!(before.keys(), after.keys());
        assert_ne!(before, after);
    }

    #[test]
    fn groups_alike_have_keys_of_their_own() {
        let index = LogIndex::of(&[update(EventType::Info, "x", 1, 1), update(EventType::Info, "x", 2, 1)]);
        assert_ne!(index.keys()[0], index.keys()[1]);
    }
}
