//! What a batch is applied to, as the [`decider`](super::decide) sees it: the source in one point in time, and the
//! documents made from it. Here it is a database and MongoDB, in `backend/tests/model` tables in memory.

use super::climb::RootStream;
use super::error::CdcError;
use super::rebuild::{Context, RefusedDocument, RootPlace, rebuild, settle_refused};
use super::refresh::refresh;
use super::state::Foreign;
use crate::plan::routes::{Route, decode_key};
use crate::source::api::Snapshot;
use crate::source::change_log::{ChangePoint, Contained};
use std::sync::Arc;

/// The root of a document that the destination does not take now: its place and its key. The key is empty where it is
/// not known.
pub type RefusedKey = (RootPlace, Vec<u8>);

/// See the module. Keys are those of [`encode_key`](crate::plan::routes::encode_key).
pub trait Ground: Sync {
    type Roots: RootKeys;

    /// The transactions that the point in time contains; those of the batch are among them.
    fn contained(&self) -> &Contained;

    /// Starts to look for the roots above some keys of a route.
    fn roots_above(&self, route: &Route, keys: &[&[u8]]) -> impl Future<Output = Result<Self::Roots, CdcError>> + Send;

    /// Makes the documents of some roots what the point in time says, also where it says that there is none. Returns
    /// those that are to be tried again.
    fn rebuild(
        &self,
        place: RootPlace,
        keys: Vec<Vec<u8>>,
    ) -> impl Future<Output = Result<Vec<RefusedKey>, CdcError>> + Send;

    /// The same for a whole collection, beside what it holds that is not the job's.
    fn refresh(
        &self,
        collection: usize,
        foreign: Foreign,
        reason: &str,
    ) -> impl Future<Output = Result<Vec<RefusedKey>, CdcError>> + Send;

    /// Returns when everything written before is durable.
    fn make_durable(&self) -> impl Future<Output = Result<(), CdcError>> + Send;
}

/// Root keys as they come; a wide fan-out comes in pieces.
pub trait RootKeys: Send {
    /// The next ones; `None` after the last. After an error those that came before are not all.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Vec<u8>>>, CdcError>> + Send;
}

/// A point in time of the source with the job's destination.
pub struct SourceGround<'a> {
    context: &'a Context,
    point: Arc<dyn Snapshot>,
    contained: &'a Contained,
}

impl<'a> SourceGround<'a> {
    /// The destination of a job, as it is to be made from a point in time.
    pub fn new(context: &'a Context, point: &'a Arc<dyn ChangePoint>) -> Self {
        Self {
            context,
            contained: point.contained(),
            point: point.clone(),
        }
    }

    async fn settle(&self, refused: Vec<RefusedDocument>) -> Result<Vec<RefusedKey>, CdcError> {
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        settle_refused(self.context, refused).await
    }
}

impl Ground for SourceGround<'_> {
    type Roots = RootStream;

    fn contained(&self) -> &Contained {
        self.contained
    }

    async fn roots_above(&self, route: &Route, keys: &[&[u8]]) -> Result<RootStream, CdcError> {
        let keys: Vec<Vec<Option<&str>>> = keys.iter().map(|k| decode_key(k)).collect();
        RootStream::open(&*self.point, &route.nodes(&self.context.plan), &keys).await
    }

    async fn rebuild(&self, place: RootPlace, keys: Vec<Vec<u8>>) -> Result<Vec<RefusedKey>, CdcError> {
        let refused = rebuild(self.context, &self.point, place, keys).await?;
        self.settle(refused).await
    }

    async fn refresh(&self, collection: usize, foreign: Foreign, reason: &str) -> Result<Vec<RefusedKey>, CdcError> {
        let refused = refresh(self.context, &self.point, collection, foreign, reason).await?;
        self.settle(refused).await
    }

    async fn make_durable(&self) -> Result<(), CdcError> {
        Ok(self.context.sink.make_durable().await?)
    }
}
