//! The last step of a job that fills time series: they are made of what was collected for them, whole, or not at all.

use crate::hooks;
use crate::plan::time_series_of;
use crate::sink::{Sink, SinkError, staging_of};
use crate::snapshot::{Outcome, SnapshotError};
use crate::store::{JobRecord, JobStore};
use godwit_shared::mapping::CollectionType;
use godwit_shared::relmig::ProjectFile;
use tokio_util::sync::CancellationToken;

/// What the job log says of a time series at the start.
pub fn told(name: &str) -> String {
    format!(
        "the documents are collected in \"{}\", and become the time series \"{name}\" at the end of the job: in a time \
         series MongoDB replaces and deletes no single document",
        staging_of(name)
    )
}

/// What the last step needs.
pub struct Making<'a> {
    pub file: &'a ProjectFile,
    pub record: &'a JobRecord,
    pub store: &'a JobStore,
    /// With its staging collections.
    pub sink: &'a Sink,
    pub cancel: &'a CancellationToken,
}

impl Making<'_> {
    /// Makes the time series of a job, tells of each before, and drops what was collected once the store knows that they
    /// are there. May be repeated at any point.
    ///
    /// # Errors
    /// When destination or store refuse or stay away; what was collected stays then.
    pub async fn run(self, tell: impl Fn(&str)) -> Result<Outcome, SnapshotError> {
        let collections = self.file.project.content.collections.values();
        let mut series = Vec::new();
        for collection in collections.filter(|c| c.kind == CollectionType::TimeSeries) {
            // The plan has been made of the same file.
            if let (true, Ok(plan)) = (
                self.record.collections.contains(&collection.name),
                time_series_of(collection),
            ) {
                series.push((collection.name.as_str(), plan));
            }
        }
        if series.is_empty() {
            return Ok(Outcome::Completed);
        }
        if !self.record.is_made {
            for (name, plan) in &series {
                tell(name);
                match self.sink.make_time_series(name, plan, self.cancel).await {
                    Ok(documents) => tracing::info!(name, documents, "A time series has been made"),
                    Err(SinkError::Cancelled) => return Ok(Outcome::Cancelled),
                    Err(error) => return Err(error.into()),
                }
            }
            hooks::hold(hooks::SERIES).await;
            self.store.mark_made(&self.record.status.id).await?;
            hooks::hold(hooks::SERIES_NOTED).await;
        }
        for (name, _) in &series {
            self.sink.drop_staging(name).await?;
        }
        Ok(Outcome::Completed)
    }
}
