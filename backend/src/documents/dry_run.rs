//! What a job would do: rows counted, a sample of them assembled as a job would, nothing written.
//!
//! The sample is spread over the table by ranges of its key, and what the statistics point to as the largest documents is
//! assembled besides: those are the ones that do not fit.

use super::by_key::assemble_keys;
use super::preview::READERS;
use super::{ChildReader, assemble_batch};
use crate::assemble::Assembler;
use crate::data::issue::IssueLog;
use crate::plan::{CollectionPlan, Plan, RootPlan};
use crate::source::SourceError;
use crate::source::api::{Session, Snapshot, Source};
use crate::source::read::KeyRange;
use chrono::Utc;
use godwit_shared::dry_run::{DryRun, DryRunCollection, LargeRoot};
use godwit_shared::job::EventStage;
use std::time::{Duration, Instant};

/// After that nothing new is begun: one more statement may take half a minute, and a request a whole one.
const TIME_MAX: Duration = Duration::from_secs(25);
/// Up to so many rows, by the statistics, they are counted.
const COUNTED_MAX: u64 = 5_000_000;
/// Parts of a table from which the sample comes.
const PARTS: u64 = 8;
/// Rows and bytes that are assembled at once.
const BATCH_ROWS: usize = 100;
const BATCH_BYTES: usize = 4 << 20;
/// For each array of a root, how many of the largest documents are assembled.
const LARGEST: usize = 2;

/// Looks at all collections of a plan. `sample` is how many root rows of each are assembled, `workers` how many a job
/// would have.
///
/// # Errors
/// When the source fails; a statement that takes too long is a note.
pub async fn dry_run(plan: &Plan, source: &dyn Source, sample: u32, workers: usize) -> Result<DryRun, SourceError> {
    let begin = Instant::now();
    let session = source.session().await?;
    let snapshot = source.begin_snapshot(&[], READERS).await?;
    let mut run = DryRun {
        made_at: Utc::now(),
        collections: Vec::new(),
        documents: 0,
        bytes: 0,
        seconds: None,
        basis: String::new(),
        is_cut: false,
    };
    for collection in &plan.collections {
        if begin.elapsed() > TIME_MAX {
            run.is_cut = true;
            break;
        }
        let mut look = Look {
            session: &*session,
            snapshot: &*snapshot,
            begin,
            is_cut: false,
            bytes: 0,
            assembled: 0,
            issues: IssueLog::default(),
        };
        let found = look.collection(collection, sample).await?;
        run.is_cut |= look.is_cut;
        run.documents += found.documents;
        run.bytes += found.documents * found.average;
        run.collections.push(found);
    }
    estimate(&mut run, workers);
    Ok(run)
}

/// What a snapshot may take, by the rate at which the samples were assembled.
fn estimate(run: &mut DryRun, workers: usize) {
    let measured = |c: &&DryRunCollection| c.sampled > 0 && c.sampled_ms > 0;
    let rows: u64 = run.collections.iter().filter(measured).map(|c| c.sampled).sum();
    let ms: u64 = run.collections.iter().filter(measured).map(|c| c.sampled_ms).sum();
    if rows == 0 || ms == 0 {
        run.basis = "No row was assembled, so nothing can be said of the duration.".into();
        return;
    }
    // A collection without a sample goes at the rate of all others.
    let all = rows as f64 * 1_000.0 / ms as f64;
    let seconds: f64 = (run.collections.iter())
        .map(|c| {
            let own = measured(&c).then(|| c.sampled as f64 * 1_000.0 / c.sampled_ms as f64);
            c.rows as f64 / own.unwrap_or(all)
        })
        .sum();
    run.seconds = Some((seconds / workers.max(1) as f64 * 10.0).ceil() / 10.0);
    run.basis = format!(
        "{rows} root rows were read and assembled in {:.2} s by one reader; a job has {workers} at once. Short reads cost more \
         for each row than long ones, so a large table goes faster than this says. Writing was not measured: where the \
         destination takes less than that, it decides.",
        ms as f64 / 1_000.0
    );
}

/// One collection's look.
struct Look<'l> {
    session: &'l dyn Session,
    snapshot: &'l dyn Snapshot,
    begin: Instant,
    is_cut: bool,
    /// Of the documents of the sample.
    bytes: u64,
    assembled: u64,
    issues: IssueLog,
}

impl Look<'_> {
    fn is_late(&mut self) -> bool {
        let is_late = self.begin.elapsed() > TIME_MAX;
        self.is_cut |= is_late;
        is_late
    }

    async fn collection(&mut self, plan: &CollectionPlan, sample: u32) -> Result<DryRunCollection, SourceError> {
        let mut found = DryRunCollection {
            collection: plan.name.clone(),
            is_counted: true,
            ..DryRunCollection::default()
        };
        let roots = u32::try_from(plan.roots.len()).unwrap_or(u32::MAX).max(1);
        for root in &plan.roots {
            found.tables.push(root.node.table.name.to_string());
            let rows = self.count(root, &mut found).await?;
            found.rows += rows;
            let (sampled, assembled) = (found.sampled, self.assembled);
            self.noted(root, (sample / roots).max(1), &mut found).await?;
            let share = match found.sampled - sampled {
                0 => 1.0,
                looked_at => (self.assembled - assembled) as f64 / looked_at as f64,
            };
            found.documents += (rows as f64 * share).round() as u64;
        }
        found.average = self.bytes.checked_div(self.assembled).unwrap_or(0);
        found
            .large
            .sort_by(|a, b| b.bytes.unwrap_or(u64::MAX).cmp(&a.bytes.unwrap_or(u64::MAX)));
        found.issues = std::mem::take(&mut self.issues).updates();
        Ok(found)
    }

    async fn count(&mut self, root: &RootPlan, found: &mut DryRunCollection) -> Result<u64, SourceError> {
        let table = &root.node.table;
        let estimated = table.rows_estimated;
        if !self.is_late() && (estimated <= COUNTED_MAX) {
            match self.snapshot.count_rows(table, root.node.table_filter.as_ref()).await {
                Ok(rows) => return Ok(rows),
                Err(SourceError::Cancelled) => {}
                Err(error) => return Err(error),
            }
        }
        found.is_counted = false;
        Ok(estimated)
    }

    /// Assembles a sample; what takes too long is a note.
    async fn noted(&mut self, root: &RootPlan, sample: u32, found: &mut DryRunCollection) -> Result<(), SourceError> {
        let place = root.node.table.name.to_string();
        for is_sample in [true, false] {
            if self.is_late() {
                return Ok(());
            }
            let done = match is_sample {
                true => self.sample(root, sample, found).await,
                false => self.largest(root, found).await,
            };
            match done {
                Ok(()) => {}
                Err(SourceError::Cancelled) => {
                    let what = if is_sample {
                        "a sample of"
                    } else {
                        "the largest documents of"
                    };
                    found.note = Some(format!("Reading {what} {place} took too long and was ended."));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn sample(&mut self, root: &RootPlan, sample: u32, found: &mut DryRunCollection) -> Result<(), SourceError> {
        let table = &root.node.table;
        let keys = match table.rows_estimated > u64::from(sample) {
            true => {
                self.snapshot
                    .split_keys(table, (table.size_bytes / PARTS).max(1), PARTS)
                    .await?
            }
            false => Vec::new(),
        };
        let each = sample.div_ceil(u32::try_from(keys.len() + 1).unwrap_or(1)).max(1);
        for part in 0..=keys.len() {
            let range = KeyRange::part(&keys, part);
            if self.is_late() {
                break;
            }
            let begin = Instant::now();
            self.part(root, &range, each, found).await?;
            found.sampled_ms += u64::try_from(begin.elapsed().as_millis()).unwrap_or(0).max(1);
        }
        Ok(())
    }

    async fn part(
        &mut self,
        root: &RootPlan,
        range: &KeyRange,
        limit: u32,
        found: &mut DryRunCollection,
    ) -> Result<(), SourceError> {
        let reader = self.snapshot.reader().await?;
        let mut children = ChildReader::new(self.snapshot).for_preview();
        let mut assembler = Assembler::new(root);
        let mut stream = reader.stream_roots(&root.node, range, true, Some(limit)).await?;
        while let Some(rows) = stream.next_rows(BATCH_ROWS, BATCH_BYTES).await? {
            found.sampled += rows.len() as u64;
            let batch = assemble_batch(root, &mut assembler, &mut children, rows).await?;
            for issue in batch.issues {
                self.issues.add(issue, EventStage::Snapshotting);
            }
            for document in &batch.documents {
                let bytes = document.bson.len() as u64;
                self.assembled += 1;
                self.bytes += bytes;
                found.largest = found.largest.max(bytes);
            }
            if self.is_late() {
                reader.cancel().await;
                return Ok(());
            }
        }
        drop(stream);
        reader.give_back();
        children.give_back();
        Ok(())
    }

    /// The documents of roots to which the most rows of an array refer, where the source knows them.
    async fn largest(&mut self, root: &RootPlan, found: &mut DryRunCollection) -> Result<(), SourceError> {
        let table = &root.node.table;
        let [key] = table.primary_key.as_slice() else {
            return Ok(());
        };
        for node in &root.node.children {
            let pairs = node.join.as_ref().map_or(&[][..], |join| &join.pairs[..]);
            let [pair] = pairs else { continue };
            if pair.parent != *key {
                continue;
            }
            let common = self.session.most_common(&node.table, pair.own).await?;
            for value in common.into_iter().take(LARGEST) {
                if self.is_late() || found.large.iter().any(|known| known.key == value) {
                    continue;
                }
                let mut children = ChildReader::new(self.snapshot).for_preview();
                let rebuilt = assemble_keys(root, &mut children, &[vec![Some(value.as_str())]]).await?;
                children.give_back();
                let has_row = rebuilt.rows_read > 0;
                let bytes = rebuilt.documents.iter().map(|d| d.bson.len() as u64).max();
                for issue in rebuilt.issues {
                    self.issues.add(issue, EventStage::Snapshotting);
                }
                found.largest = found.largest.max(bytes.unwrap_or(0));
                if has_row {
                    let table = table.name.to_string();
                    found.large.push(LargeRoot {
                        table,
                        key: value,
                        bytes,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection(rows: u64, sampled: u64, sampled_ms: u64) -> DryRunCollection {
        DryRunCollection {
            rows,
            sampled,
            sampled_ms,
            ..DryRunCollection::default()
        }
    }

    fn estimated(collections: Vec<DryRunCollection>, workers: usize) -> DryRun {
        let mut run = DryRun {
            made_at: chrono::DateTime::UNIX_EPOCH,
            collections,
            documents: 0,
            bytes: 0,
            seconds: None,
            basis: String::new(),
            is_cut: false,
        };
        estimate(&mut run, workers);
        run
    }

    #[test]
    fn the_duration_is_that_of_the_sample_for_all_rows() {
        let run = estimated(vec![collection(10_000, 100, 1_000), collection(1_000, 100, 1_000)], 2);
        assert_eq!(run.seconds, Some(55.0));
        assert!(
            run.basis
                .starts_with("200 root rows were read and assembled in 2.00 s by one reader; a job has 2"),
            "{}",
            run.basis
        );
        // One that was not looked at goes at the rate of the others.
        let run = estimated(vec![collection(100, 100, 1_000), collection(100, 0, 0)], 1);
        assert_eq!(run.seconds, Some(2.0));
        assert_eq!(estimated(vec![collection(0, 0, 0)], 4).seconds, None);
    }
}
