//! How many documents the collections of a job hold now, whoever has written them: the destination is asked from time to
//! time, so that the figures of a job can be compared with what is there.

use super::tracker::Tracker;
use crate::sink::Sink;
use godwit_shared::job::CollectionProgress;
use std::time::Duration;

/// Between two rounds. A count is one look at metadata of the destination.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_secs(20);
/// How long the last one may hold up the end.
const LAST_MAX: Duration = Duration::from_secs(1);

/// Counts for ever.
pub async fn watch(tracker: &Tracker, sink: Option<&Sink>, collections: &[String]) {
    let Some(sink) = sink else {
        return std::future::pending().await;
    };
    loop {
        // A destination that is away is not counted: what was counted last stays.
        if let Ok(Some(counts)) = tokio::time::timeout(ROUND_MAX, count(sink, collections)).await {
            tracker.note(|status| put(&mut status.statistics.collections, &counts));
        }
        tokio::time::sleep(COUNT_EVERY).await;
    }
}

/// Counts once more, when nothing is written any more.
pub async fn take_last(tracker: &Tracker, sink: Option<&Sink>, collections: &[String]) {
    let Some(sink) = sink else { return };
    if let Ok(Some(counts)) = tokio::time::timeout(LAST_MAX, count(sink, collections)).await {
        tracker.note(|status| put(&mut status.statistics.collections, &counts));
    }
}

async fn count(sink: &Sink, collections: &[String]) -> Option<Vec<(String, u64)>> {
    let mut counts = Vec::with_capacity(collections.len());
    for collection in collections {
        counts.push((collection.clone(), sink.count(collection).await.ok()?));
    }
    Some(counts)
}

fn put(collections: &mut Vec<CollectionProgress>, counts: &[(String, u64)]) {
    for (name, count) in counts {
        match collections.iter_mut().find(|c| c.collection == *name) {
            Some(collection) => collection.documents_now = Some(*count),
            // A job without a snapshot stage has listed none.
            None => collections.push(CollectionProgress {
                collection: name.clone(),
                is_complete: true,
                documents_now: Some(*count),
                ..CollectionProgress::default()
            }),
        }
    }
}
