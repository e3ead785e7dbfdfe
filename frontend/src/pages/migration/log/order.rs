//! Which groups of the log stand where, and how a group is known again when its count grows.

use godwit_shared::job::{JobUpdate, MigrationJobStatus};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// The groups of a job's log by key, and their keys from the newest to the oldest.
#[derive(Debug, Clone)]
pub struct LogIndex {
    /// Has the groups: a log is large, and none of it is copied.
    job: Arc<MigrationJobStatus>,
    keys: Vec<String>,
    /// Where the group of a key stands in the log.
    places: HashMap<String, usize>,
}

impl LogIndex {
    /// Newest first; of equal times the graver one.
    pub fn of(job: Arc<MigrationJobStatus>) -> Self {
        let updates = &job.job_updates;
        let mut order: Vec<usize> = (0..updates.len()).collect();
        order.sort_by_key(|place| (Reverse(updates[*place].timestamp), updates[*place].event_type));
        let (mut keys, mut places) = (Vec::with_capacity(order.len()), HashMap::with_capacity(order.len()));
        for place in order {
            let mut key = identity(&updates[place]);
            // Rows of the page need keys of their own, even where a server sends two groups alike.
            if places.contains_key(&key) {
                key = format!("{key}|{}", keys.len());
            }
            places.insert(key.clone(), place);
            keys.push(key);
        }
        Self { job, keys, places }
    }

    /// Whether the log of a newer state is still this one.
    pub fn is_of(&self, job: &MigrationJobStatus) -> bool {
        self.job.job_updates == job.job_updates
    }

    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    pub fn group(&self, key: &str) -> Option<&JobUpdate> {
        self.job.job_updates.get(*self.places.get(key)?)
    }

    /// All groups, newest first.
    pub fn groups(&self) -> impl Iterator<Item = (&String, &JobUpdate)> {
        self.keys.iter().filter_map(|key| Some((key, self.group(key)?)))
    }

    /// Events, not groups; a loss counts once for its column.
    pub fn event_count(&self) -> u64 {
        self.job.job_updates.iter().map(JobUpdate::weight).sum()
    }
}

/// What makes a group: everything but time, count and the example row. What happened to the job itself has a line each time.
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
pub(super) mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::{EventStage, EventType, JobStatus};

    pub(crate) fn update(kind: EventType, message: &str, second: u32, count: u64) -> JobUpdate {
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

    pub(crate) fn index(updates: Vec<JobUpdate>) -> LogIndex {
        let mut job = job(JobStatus::Running);
        job.job_updates = updates;
        LogIndex::of(Arc::new(job))
    }

    #[test]
    fn newest_first_and_errors_before_the_rest() {
        let index = index(vec![
            update(EventType::Info, "started", 1, 1),
            update(EventType::Info, "later", 5, 1),
            update(EventType::Error, "bad", 5, 40),
        ]);
        let messages: Vec<_> = index.groups().map(|(_, group)| &*group.message).collect();
        assert_eq!(messages, ["bad", "later", "started"]);
        assert_eq!(index.event_count(), 42);
    }

    #[test]
    fn a_group_is_known_again_when_its_count_grows() {
        let before = index(vec![update(EventType::Error, "bad", 5, 40)]);
        let after = index(vec![update(EventType::Error, "bad", 9, 41)]);
        assert_eq!(before.keys(), after.keys());
        assert!(before.is_of(&before.job) && !before.is_of(&after.job));
    }

    #[test]
    fn groups_alike_have_keys_of_their_own() {
        let index = index(vec![
            update(EventType::Info, "x", 1, 1),
            update(EventType::Info, "x", 2, 1),
        ]);
        assert_ne!(index.keys()[0], index.keys()[1]);
    }
}
