//! The source of a verification: points in time, and how far a job that follows changes has come.

use crate::data::catalog::CatalogTable;
use crate::jobs::hub::Hub;
use crate::source::api::{Snapshot, Source};
use crate::verify::{Points, VerifyError};
use async_trait::async_trait;
use godwit_shared::ids::JobId;
use godwit_shared::job::{CdcStatus, MigrationJobStatus};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a job may take to get as far as the source was when it was looked at.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);
/// One that does not move at all is not waited for so long.
const STANDING_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// See the module.
pub struct Ground {
    pub source: Arc<dyn Source>,
    /// How many connections on a point in time are open at once.
    pub readers: usize,
    pub tables: Vec<Arc<CatalogTable>>,
    /// Documents are to be those of the run's own point in time.
    pub is_held: bool,
    /// The job that follows changes into the documents.
    pub follows: Option<(Arc<Hub>, JobId)>,
}

impl Ground {
    /// A point in time on its own connections.
    ///
    /// # Errors
    /// When the source cannot be reached.
    pub async fn point(&self) -> Result<Arc<dyn Snapshot>, VerifyError> {
        Ok(self.source.begin_snapshot(&self.tables, self.readers).await?)
    }
}

#[async_trait]
impl Points for Ground {
    async fn fresh(&self) -> Result<Option<Arc<dyn Snapshot>>, VerifyError> {
        match self.is_held {
            true => Ok(None),
            false => self.point().await.map(Some),
        }
    }

    async fn caught_up(&self) -> Result<bool, VerifyError> {
        let Some((hub, job)) = &self.follows else {
            return Ok(true);
        };
        let Some(end) = self.source.log_end().await? else {
            return Ok(false);
        };
        let (started, mut moved, mut last) = (Instant::now(), Instant::now(), None);
        loop {
            let Some(status) = hub.job(job) else { return Ok(false) };
            let applied = applied(&status);
            let has_reached = |applied: &String| self.source.has_reached(applied, &end);
            if applied.as_ref().is_some_and(has_reached) {
                return Ok(true);
            }
            // One that has completed has applied everything up to its end, which lies before.
            let stands = match status.cdc_status {
                CdcStatus::Running | CdcStatus::Completing => status.stand_still.is_some(),
                _ => true,
            };
            if applied != last {
                (moved, last) = (Instant::now(), applied);
            }
            if stands || moved.elapsed() > STANDING_MAX || started.elapsed() > CATCH_UP_MAX {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn follows(&self) -> bool {
        self.follows.is_some()
    }
}

/// Up to where the log is applied and stored.
fn applied(status: &MigrationJobStatus) -> Option<String> {
    status.cdc_statistics.as_ref()?.position.clone()
}
