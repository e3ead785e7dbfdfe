//! Points in time that are proven to contain what the log has told of.
//!
//! A change arrives in the log before others can see it: the server writes the commit, the log is read, and only then
//! the transaction ends for everybody else; under a silent synchronous standby it never does. What is read too early is
//! the old state, and no further change would ever mend it. So the transactions of a batch are looked for in the very
//! snapshot that is read from; positions of the log and clocks prove nothing.

use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use crate::source::postgres::PgSource;
use crate::source::postgres::reader::PgSnapshot;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// After this long the wait is told to the user.
const TELL_AFTER: Duration = Duration::from_secs(2);

/// A new point in time that contains the transactions; the old one's connections are used again. `tell` is called when
/// it takes long.
///
/// # Errors
/// When the source is gone.
pub async fn containing(
    source: &PgSource,
    previous: Option<PgSnapshot>,
    tables: &[Arc<CatalogTable>],
    transactions: &[u32],
    tell: impl Fn(Option<String>),
) -> Result<PgSnapshot, SourceError> {
    let started = Instant::now();
    let (mut pause, mut previous, mut has_told) = (PAUSE_FIRST, previous, false);
    loop {
        let point = match previous.take() {
            Some(previous) => previous.renew(tables).await?,
            None => PgSnapshot::begin(source, tables).await?,
        };
        if transactions.iter().all(|t| point.transactions().contains(*t)) {
            if has_told {
                tell(None);
            }
            return Ok(point);
        }
        if started.elapsed() > TELL_AFTER && !has_told {
            has_told = true;
            tell(Some(
                "committed changes cannot be read yet: a synchronous standby of the source does not answer".into(),
            ));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
        previous = Some(point);
    }
}
