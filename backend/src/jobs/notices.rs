//! Tells the webhook what happens to the jobs that are at work here. Other servers on the same store tell of theirs.

use super::hub::Hub;
use super::supervisor::Supervisor;
use crate::webhook::Webhook;
use chrono::Utc;
use godwit_shared::notice::Watcher;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks: figures change much more often than there is something to tell.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Watches all jobs, for ever. From this call on, not from the first poll.
pub fn watch(supervisor: Arc<Supervisor>, hub: Arc<Hub>, webhook: Webhook) -> impl Future<Output = ()> {
    supervisor.newly_taken();
    watch_on(supervisor, hub, webhook)
}

async fn watch_on(supervisor: Arc<Supervisor>, hub: Arc<Hub>, webhook: Webhook) {
    let mut watcher = Watcher::new(webhook.lag_limit_ms());
    let mut versions = hub.watch();
    let mut seen = 0;
    loop {
        // A job may begin and end between two looks.
        supervisor.newly_taken().iter().for_each(|id| watcher.begin(id));
        let changes = hub.changes_after(seen);
        seen = changes.version;
        for job in &changes.jobs {
            // One that another server works on now is told of there.
            if !job.status.is_ended() && supervisor.held(&job.id).is_none() {
                watcher.forget(&job.id);
                continue;
            }
            watcher
                .look(job, Utc::now())
                .into_iter()
                .for_each(|notice| webhook.send(notice));
        }
        changes.removed.iter().for_each(|id| watcher.forget(id));
        tokio::time::sleep(LOOK_EVERY).await;
        if versions.changed().await.is_err() {
            return;
        }
    }
}
