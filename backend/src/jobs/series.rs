//! The last step of a job that fills time series: they are made of what was collected for them, whole, or not at all.

use crate::hooks;
use crate::plan::{TimeSeriesPlan, time_series_of};
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

/// The time series among the collections of a job. The plan has been made of the same file.
pub fn of(file: &ProjectFile, collections: &[String]) -> Vec<(String, TimeSeriesPlan)> {
    let all = file.project.content.collections.values();
    let own = all.filter(|c| c.kind == CollectionType::TimeSeries && collections.contains(&c.name));
    own.filter_map(|c| Some((c.name.clone(), time_series_of(c).ok()?)))
        .collect()
}

/// What the last step needs.
pub struct Making<'a> {
    pub series: &'a [(String, TimeSeriesPlan)],
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
        if !self.record.is_made {
            for (name, plan) in self.series {
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
        for (name, _) in self.series {
            self.sink.drop_staging(name).await?;
        }
        Ok(Outcome::Completed)
    }
}
