//! Points in time that are proven to contain what the log has told of.
//!
//! A change arrives in the log before others can see it: the server writes the commit, the log is read, and only then
//! the transaction ends for everybody else; under a silent synchronous standby it never does. What is read too early is
//! the old state, and no further change would ever mend it. So the transactions of a batch are looked for in the very
//! snapshot that is read from; positions of the log and clocks prove nothing.

use crate::data::catalog::CatalogTable;
use crate::data::position::TransactionId;
use crate::source::SourceError;
use crate::source::change_log::{ChangePoint, PointSource};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// After this long the wait is told to the user.
const TELL_AFTER: Duration = Duration::from_secs(2);

/// A point in time that contains the transactions. `tell` is called when it takes long. Nothing is held in the source
/// while it is waited for.
///
/// # Errors
/// When the source is gone, or somebody changes a table just now.
pub async fn containing(
    points: &mut dyn PointSource,
    tables: &[Arc<CatalogTable>],
    transactions: &[TransactionId],
    tell: impl Fn(Option<String>),
) -> Result<Arc<dyn ChangePoint>, SourceError> {
    let started = Instant::now();
    let (mut pause, mut has_told) = (PAUSE_FIRST, false);
    loop {
        let point = points.begin(tables).await?;
        if transactions.iter().all(|t| point.contained().contains(t)) {
            if has_told {
                tell(None);
            }
            return Ok(point);
        }
        points.end(point).await?;
        if started.elapsed() > TELL_AFTER && !has_told {
            has_told = true;
            tell(Some(points.why_late().into()));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
