//! Time series collections. In them MongoDB replaces and deletes no single document, and takes the same `_id` any number
//! of times: nothing that is written could be written again. So a job collects their documents in a regular collection
//! beside, where everything works as elsewhere, and makes the time series of them when everything is there.

use super::connect::Sink;
use super::error::SinkError;
use crate::plan::TimeSeriesPlan;
use bson::{Document, RawDocumentBuf, doc, rawdoc};
use futures_util::TryStreamExt;
use godwit_shared::edit::Granularity;
use std::borrow::Cow;
use std::collections::HashSet;
use tokio_util::sync::CancellationToken;

/// What stands behind the name of a time series collection while its documents are collected.
const STAGING: &str = ".godwit_staging";
/// Documents of one insert, and its bytes.
const BATCH_DOCUMENTS_MAX: usize = 5_000;
const BATCH_BYTES_MAX: usize = 8 << 20;
/// The first version of MongoDB with time series collections.
const VERSION_MIN: u32 = 5;

/// Where the documents of a time series collection are collected.
pub fn staging_of(name: &str) -> String {
    format!("{name}{STAGING}")
}

impl Sink {
    /// The same, with the documents of these collections in their [staging collections](staging_of).
    pub fn staging(mut self, collections: HashSet<String>) -> Self {
        self.staged = collections.into();
        self
    }

    /// The collection that holds the documents of this name now.
    pub(super) fn at<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match self.staged.contains(name) {
            true => Cow::Owned(staging_of(name)),
            false => Cow::Borrowed(name),
        }
    }

    /// Whether a time series can be made under this name. What a job has begun may be there already.
    ///
    /// # Errors
    /// When the server knows no time series, or the name is taken and nothing is to be dropped.
    pub(super) async fn check_time_series(&self, name: &str, may_be_there: bool) -> Result<(), SinkError> {
        let build = self.run(doc! {"buildInfo": 1}).await?;
        let version = build.get_str("version").unwrap_or_default();
        let major = version.split('.').next().and_then(|major| major.parse().ok());
        if major.is_some_and(|major: u32| major < VERSION_MIN) {
            return Err(SinkError::Unsupported {
                reason: format!("time series collections need MongoDB {VERSION_MIN}, and this is {version}"),
            });
        }
        match self.kind_of(name).await? {
            None => Ok(()),
            Some(kind) if kind == "view" => Err(SinkError::WrongKind {
                collection: name.into(),
                kind,
            }),
            Some(_) if may_be_there => Ok(()),
            Some(kind) => Err(SinkError::TimeSeriesTaken {
                collection: name.into(),
                kind,
            }),
        }
    }

    /// `collection`, `view` or `timeseries`; `None` where there is nothing of the name.
    async fn kind_of(&self, name: &str) -> Result<Option<String>, SinkError> {
        let command = doc! {"listCollections": 1, "filter": {"name": name}, "nameOnly": true};
        let entries = self.entries(command).await?;
        let kind = entries
            .first()
            .map(|entry| entry.get_str("type").unwrap_or("collection"));
        Ok(kind.map(Into::into))
    }

    /// Makes a time series collection of the documents that were collected for it. Begins anew where it was tried before.
    /// The collected documents stay: see [`Sink::drop_staging`].
    ///
    /// # Errors
    /// When the name has been taken meanwhile, the destination refuses or stays away, or not every document has arrived.
    pub async fn make_time_series(
        &self,
        name: &str,
        plan: &TimeSeriesPlan,
        cancel: &CancellationToken,
    ) -> Result<u64, SinkError> {
        self.may_write().await?;
        match self.kind_of(name).await? {
            None => {}
            // An earlier try: before the start the name was free.
            Some(kind) if kind == "timeseries" => self.drop_exactly(name).await?,
            Some(kind) => {
                return Err(SinkError::TimeSeriesTaken {
                    collection: name.into(),
                    kind,
                });
            }
        }
        let mut options = doc! {"timeField": &plan.time_field};
        if let Some(meta) = &plan.meta_field {
            options.insert("metaField", meta);
        }
        if let Some(granularity) = plan.granularity {
            options.insert("granularity", word_of(granularity));
        }
        let create = doc! {"create": name, "timeseries": options, "writeConcern": self.write_concern.clone()};
        self.run(create).await?;
        self.copy_from_staging(name, cancel).await?;
        let (collected, arrived) = (self.count_exactly(name).await?, self.count_at(name).await?);
        if collected != arrived {
            let reason = format!("the time series \"{name}\" has {arrived} documents of {collected}");
            return Err(SinkError::Command { reason, code: None });
        }
        // Only now: documents that are too old go away at once, and would be missing in the count.
        if let Some(seconds) = plan.expire_after_seconds {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            self.run(doc! {"collMod": name, "expireAfterSeconds": seconds}).await?;
        }
        Ok(arrived)
    }

    async fn copy_from_staging(&self, name: &str, cancel: &CancellationToken) -> Result<(), SinkError> {
        let of = |e: mongodb::error::Error| SinkError::of(&e, &self.hosts);
        let staging = self.database.collection::<RawDocumentBuf>(&staging_of(name));
        let mut documents = staging.find(doc! {}).await.map_err(of)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        loop {
            let next = documents.try_next().await.map_err(of)?;
            let is_last = next.is_none();
            if let Some(document) = next {
                bytes += document.as_bytes().len();
                batch.push(document);
            }
            let is_full = batch.len() >= BATCH_DOCUMENTS_MAX || bytes >= BATCH_BYTES_MAX;
            if !batch.is_empty() && (is_last || is_full) {
                if cancel.is_cancelled() {
                    return Err(SinkError::Cancelled);
                }
                self.may_write().await?;
                self.insert_once(name, std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Not repeated here: a document could be there twice. Who fails begins the collection anew.
    async fn insert_once(&self, name: &str, batch: Vec<RawDocumentBuf>) -> Result<(), SinkError> {
        let list: bson::RawArrayBuf = batch.into_iter().collect();
        let concern = RawDocumentBuf::try_from(&self.write_concern).unwrap_or_default();
        let command = rawdoc! {"insert": name, "ordered": false, "writeConcern": concern, "documents": list};
        let answer = self.database.run_raw_command(command).await;
        let answer = answer.map_err(|e| SinkError::of(&e, &self.hosts))?;
        let errors = answer.get_array("writeErrors").map(Vec::as_slice).unwrap_or_default();
        let first = errors.first().and_then(|e| e.as_document());
        match (first, answer.get_document("writeConcernError")) {
            (Some(error), _) => Err(SinkError::Command {
                reason: error.get_str("errmsg").unwrap_or("a document was refused").into(),
                code: error.get_i32("code").ok(),
            }),
            (None, Ok(error)) => Err(SinkError::Command {
                reason: error
                    .get_str("errmsg")
                    .unwrap_or("the write concern was not met")
                    .into(),
                code: error.get_i32("code").ok(),
            }),
            (None, Err(_)) => Ok(()),
        }
    }

    /// Drops what was collected for a time series collection; may be repeated.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn drop_staging(&self, name: &str) -> Result<(), SinkError> {
        self.may_write().await?;
        self.drop_exactly(&staging_of(name)).await
    }

    pub(super) async fn drop_exactly(&self, name: &str) -> Result<(), SinkError> {
        let dropped = self.database.collection::<Document>(name).drop().await;
        dropped.map_err(|e| SinkError::of(&e, &self.hosts))
    }
}

fn word_of(granularity: Granularity) -> &'static str {
    match granularity {
        Granularity::Seconds => "seconds",
        Granularity::Minutes => "minutes",
        Granularity::Hours => "hours",
    }
}
