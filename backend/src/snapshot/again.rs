//! Rows that had failed in an earlier job, read and written again: in place of the chunks of a whole table, their keys.
//!
//! The earlier job may have ended long ago, and the documents may be somebody else's by now. So a document is only made
//! where there is none: what is there already stays as it is.

use super::run::{Outcome, SnapshotError, SnapshotRun};
use super::worker::refused_issue;
use crate::data::failed::FailedRow;
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::Progress;
use crate::documents::ChildReader;
use crate::documents::again::{AgainRoot, roots_of};
use crate::documents::by_key::assemble_keys;
use crate::sink::SinkError;
use godwit_shared::job::EventStage;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Documents that are assembled at once.
const AT_ONCE: usize = 100;

/// What became of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub outcome: Outcome,
    /// Documents that there are now.
    pub written: u64,
    /// Documents that were there already, and were not touched.
    pub existing: u64,
    /// Rows that have failed again, or that the source has no more.
    pub without: u64,
}

impl Tried {
    /// For the log of the job.
    pub fn in_words(&self) -> String {
        let Tried {
            written,
            existing,
            without,
            ..
        } = self;
        let rows = written + existing + without;
        let mut text = format!("{rows} rows that had failed were tried again: {written} have documents now");
        if *existing > 0 {
            text += &format!(", {existing} had them already and were not touched");
        }
        if *without > 0 {
            text += &format!(", {without} have none");
        }
        text
    }
}

/// Tries rows again that had failed in an earlier job. May be repeated: what is written is left alone then.
///
/// # Errors
/// When source, destination or store fail.
pub async fn run_again(run: SnapshotRun, rows: &[FailedRow]) -> Result<Tried, SnapshotError> {
    let mut tried = Tried {
        outcome: Outcome::Completed,
        written: 0,
        existing: 0,
        without: 0,
    };
    let mut by_place: BTreeMap<(usize, usize), Vec<Vec<String>>> = BTreeMap::new();
    for AgainRoot { collection, root, key } in roots_of(&run.plan, rows).roots {
        by_place.entry((collection, root)).or_default().push(key);
    }
    for (place, keys) in by_place {
        for keys in keys.chunks(AT_ONCE) {
            match part(&run, place, keys, &mut tried).await {
                Ok(()) => {}
                Err(SnapshotError::Sink(SinkError::Cancelled)) => tried.outcome = Outcome::Cancelled,
                Err(error) => return Err(error),
            }
            if tried.outcome == Outcome::Cancelled {
                return Ok(tried);
            }
        }
    }
    run.sink.make_durable().await?;
    run.save_failed_rows().await?;
    let told = Issue {
        kind: IssueKind::TwoPointsInTime,
        location: Location::Job,
        field: None,
        message: "these documents are of rows as they are now; the other ones are older".into(),
        key: Vec::new(),
    };
    if tried.written > 0 {
        run.progress.report([told], EventStage::Snapshotting)?;
    }
    for collection in &run.progress.collections {
        collection.untouched.store(tried.existing, Ordering::Relaxed);
        collection.is_complete.store(true, Ordering::Relaxed);
    }
    Ok(tried)
}

async fn part(
    run: &SnapshotRun,
    (collection, root): (usize, usize),
    keys: &[Vec<String>],
    tried: &mut Tried,
) -> Result<(), SnapshotError> {
    stand_still(run).await;
    let plan = &run.plan.collections[collection];
    let asked: Vec<Vec<Option<&str>>> = keys
        .iter()
        .map(|key| key.iter().map(|part| Some(part.as_str())).collect())
        .collect();
    let work = async {
        let mut reader = ChildReader::new(&*run.point);
        let rebuilt = assemble_keys(&plan.roots[root], &mut reader, &asked).await?;
        reader.give_back();
        run.progress.report(rebuilt.issues, EventStage::Snapshotting)?;
        let (report, existing) = run.sink.insert(&plan.name, &rebuilt.documents, &run.cancel).await?;
        let existing = existing.len() as u64;
        let node = &plan.roots[root].node;
        let refused = report.refused.into_iter();
        let issues = refused.map(|r| refused_issue(node, &rebuilt.documents[r.index], r.reason));
        run.progress.report(issues, EventStage::Snapshotting)?;
        let bytes: usize = rebuilt.documents.iter().map(|d| d.bson.len()).sum();
        Progress::add(&run.progress.bytes_read, rebuilt.bytes_read);
        Progress::add(&run.progress.bytes_written, bytes as u64);
        Progress::add(&run.progress.collections[collection].documents, report.inserted);
        Progress::add(&run.progress.collections[collection].roots_read, keys.len() as u64);
        let table = node.table.name.to_string();
        if let Some(table) = run.progress.tables.iter().find(|t| t.name == table) {
            Progress::add(&table.rows_read, keys.len() as u64);
        }
        tried.written += report.inserted;
        tried.existing += existing;
        tried.without += (keys.len() as u64).saturating_sub(report.inserted + existing);
        Ok(())
    };
    tokio::select! {
        biased;
        () = run.cancel.cancelled() => Err(SinkError::Cancelled.into()),
        done = work => done,
    }
}

/// While the job is paused nothing is under way.
async fn stand_still(run: &SnapshotRun) {
    let mut is_paused = run.is_paused.clone();
    if !*is_paused.borrow_and_update() {
        return;
    }
    run.parked.send_replace(run.workers);
    tokio::select! {
        biased;
        () = run.cancel.cancelled() => {}
        _ = is_paused.wait_for(|paused| !paused) => {}
    }
    run.parked.send_replace(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_the_rows_is_said_in_words() {
        let tried = |written, existing, without| Tried {
            outcome: Outcome::Completed,
            written,
            existing,
            without,
        };
        assert_eq!(
            tried(3, 0, 0).in_words(),
            "3 rows that had failed were tried again: 3 have documents now"
        );
        assert_eq!(
            tried(1, 1, 1).in_words(),
            "3 rows that had failed were tried again: 1 have documents now, 1 had them already and were not touched, 1 have none"
        );
    }
}
