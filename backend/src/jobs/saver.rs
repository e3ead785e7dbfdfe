//! Stores a status while it keeps changing.

use super::tracker::{SAVE_EVERY, Tracker};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Stores a status that keeps changing, beside the one who publishes it: a store that is slow holds nobody up.
pub struct Saver {
    tracker: Arc<Tracker>,
    saved: Instant,
    saving: Option<AbortOnDropHandle<()>>,
}

impl Saver {
    pub fn new(tracker: Arc<Tracker>) -> Self {
        Self {
            tracker,
            saved: Instant::now(),
            saving: None,
        }
    }

    /// Once in [`SAVE_EVERY`], unless the last one is still under way.
    ///
    /// # Panics
    /// When the one that stores has.
    pub async fn save_now_and_then(&mut self) {
        if self.saved.elapsed() < SAVE_EVERY || self.saving.as_ref().is_some_and(|s| !s.is_finished()) {
            return;
        }
        if let Some(saving) = self.saving.take()
            && let Err(error) = saving.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
        let tracker = self.tracker.clone();
        self.saving = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            tracker.save().await;
        })));
        self.saved = Instant::now();
    }
}
