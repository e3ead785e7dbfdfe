//! From the rows to the documents: workers take the parts of a collection's root tables until none is left.

use super::claims;
use super::error::VerifyError;
use super::fold::Fold;
use super::pending::{Pending, fetch, id_element};
use super::run::{Shared, VerifyRun};
use super::scan::{Place, Scan, Scanned};
use super::settle::{Settled, finding_of, settle};
use crate::documents::SharedRows;
use crate::hooks;
use crate::source::api::Snapshot;
use crate::source::read::KeyRange;
use crate::store::StoredFinding;
use godwit_shared::verification::VerificationException;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// Documents that are looked at again at once, and their bytes.
const PENDING_MAX: usize = 500;
const PENDING_BYTES_MAX: usize = 32 << 20;

type Queue = Arc<Mutex<VecDeque<(usize, usize, KeyRange)>>>;

/// Compares all documents of a collection that its rows give, or those of the sample.
///
/// # Errors
/// The first error of any worker; parts that are done are remembered.
pub(super) async fn compare_all(run: &Arc<VerifyRun>, shared: &Arc<Shared>) -> Result<(), VerifyError> {
    let plan = &run.plan.collections[shared.collection];
    let queue: VecDeque<(usize, usize, KeyRange)> = {
        let held = shared.mark.lock().await;
        let roots = held.0.roots.iter().enumerate();
        roots
            .flat_map(|(root, mark)| mark.open().into_iter().map(move |(part, range)| (root, part, range)))
            .collect()
    };
    // Where rows may come to one `_id`, one worker sees them all.
    let workers = match plan.needs_claims {
        true => 1,
        false => run.workers.min(queue.len()).max(1),
    };
    let queue: Queue = Arc::new(Mutex::new(queue));
    let rows = Arc::new(SharedRows::default());
    let mut tasks = JoinSet::new();
    for number in 0..workers {
        let worker = Worker {
            run: run.clone(),
            shared: shared.clone(),
            rows: rows.clone(),
            number,
        };
        tasks.spawn(work(worker, queue.clone()));
    }
    let mut result = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.unwrap_or_else(|e| Err(VerifyError::Panicked(e.to_string())));
        if result.is_ok() && ended.is_err() {
            // The first error ends the others.
            tasks.abort_all();
            result = ended;
        }
    }
    result
}

async fn work(worker: Worker, queue: Queue) -> Result<(), VerifyError> {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((root, part, range)) = next else { return Ok(()) };
        Box::pin(worker.chunk(root, part, &range)).await?;
    }
}

struct Worker {
    run: Arc<VerifyRun>,
    shared: Arc<Shared>,
    /// Rows that many documents share.
    rows: Arc<SharedRows>,
    number: usize,
}

/// What a chunk has come to.
struct Chunk {
    place: Place,
    found: Fold,
    pending: Vec<Pending>,
    pending_bytes: usize,
}

impl Worker {
    async fn chunk(&self, root: usize, part: usize, range: &KeyRange) -> Result<(), VerifyError> {
        let (run, shared) = (&self.run, &self.shared);
        let plan = &run.plan.collections[shared.collection];
        let point: &dyn Snapshot = &*run.point;
        let mut scan = Scan::open(point, &plan.roots[root], range, shared.select, self.rows.clone()).await?;
        let mut chunk = Chunk {
            place: (shared.collection, root),
            found: Fold::default(),
            pending: Vec::new(),
            pending_bytes: 0,
        };
        let read = async {
            while let Some(batch) = scan.next().await? {
                run.stand_by().await;
                hooks::hold(hooks::VERIFY).await;
                shared.throttle.pay(batch.rows).await;
                self.batch(batch, &mut chunk).await?;
                if chunk.pending.len() >= PENDING_MAX || chunk.pending_bytes >= PENDING_BYTES_MAX {
                    self.settle(&mut chunk).await?;
                }
            }
            self.settle(&mut chunk).await
        };
        let ended = tokio::select! {
            biased;
            () = run.cancel.cancelled() => Err(VerifyError::Cancelled),
            ended = read => ended,
        };
        if let Err(error) = ended {
            // The source would go on with what nobody reads any more.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(500), scan.cancel()).await;
            return Err(error);
        }
        scan.give_back();
        self.finish(root, part, chunk).await
    }

    /// Compares the documents of a batch with those that are stored.
    async fn batch(&self, batch: Scanned, chunk: &mut Chunk) -> Result<(), VerifyError> {
        let (run, shared) = (&self.run, &self.shared);
        let name = &run.plan.collections[shared.collection].name;
        let ids: Vec<Vec<u8>> = batch.documents.iter().map(|d| d.id_element().to_vec()).collect();
        // Whether each is equal; nothing for those without a document.
        let mut seen: Vec<Option<bool>> = vec![None; ids.len()];
        let mut different: Vec<(usize, Vec<u8>)> = Vec::new();
        let rules = run.rules_with_unstable(shared.collection, &shared.rules);
        fetch(&run.sink, name, &ids, |places, document| {
            chunk.found.add(shared.key.hash(&id_element(&document)));
            for place in places {
                let is_equal = rules
                    .compare(&batch.documents[*place].bson, document.as_bytes())
                    .is_empty();
                seen[*place] = Some(is_equal);
                if !is_equal {
                    different.push((*place, document.as_bytes().to_vec()));
                }
            }
        })
        .await?;
        let equal = seen.iter().filter(|s| **s == Some(true)).count() as u64;
        run.progress.live(self.number, shared.collection, |c| {
            c.counts.rows += batch.roots;
            c.counts.expected += ids.len() as u64;
            c.counts.compared += equal;
            c.counts.equal += equal;
            batch.issues.into_iter().for_each(|issue| c.take(issue));
        });
        let mut found: std::collections::HashMap<usize, Vec<u8>> = different.into_iter().collect();
        for (place, document) in batch.documents.into_iter().enumerate() {
            if seen[place] == Some(true) {
                claims::note_equal(shared, &document);
                continue;
            }
            let pending = Pending {
                place: chunk.place,
                expected: document,
                found: found.remove(&place),
            };
            chunk.pending_bytes += pending.size();
            chunk.pending.push(pending);
        }
        Ok(())
    }

    /// Looks again at what was not equal.
    async fn settle(&self, chunk: &mut Chunk) -> Result<(), VerifyError> {
        let (run, shared) = (&self.run, &self.shared);
        chunk.pending_bytes = 0;
        let pending = std::mem::take(&mut chunk.pending);
        if pending.is_empty() {
            return Ok(());
        }
        let was_there: Vec<bool> = pending.iter().map(|p| p.found.is_some()).collect();
        let ids: Vec<Vec<u8>> = pending.iter().map(|p| p.expected.id_element().to_vec()).collect();
        let settled = settle(run, chunk.place, pending, &shared.rules).await?;
        let mut findings = Vec::new();
        for (pending, what) in settled {
            // It came meanwhile.
            if let Some(found) = &pending.found
                && let Some(place) = ids.iter().position(|id| *id == pending.expected.id_element())
                && !was_there[place]
                && let Ok(document) = bson::RawDocumentBuf::from_bytes(found.clone())
            {
                chunk.found.add(shared.key.hash(&id_element(&document)));
            }
            if matches!(what, Settled::Different(_)) && run.plan.collections[shared.collection].needs_claims {
                claims::put_aside(run, shared, pending, what);
                continue;
            }
            findings.extend(finding_of(run, &pending, &what));
            self.count(&pending, &what);
        }
        self.store(findings).await
    }

    async fn store(&self, findings: Vec<StoredFinding>) -> Result<(), VerifyError> {
        self.run.store_findings(findings).await
    }

    fn count(&self, pending: &Pending, what: &Settled) {
        let run = &self.run;
        let plan = &run.plan.collections[self.shared.collection];
        let node = &plan.roots[pending.place.1].node;
        run.progress.live(self.number, self.shared.collection, |c| {
            count(c, what, &plan.name, node, pending)
        });
    }

    /// Remembers that a part is done.
    async fn finish(&self, root: usize, part: usize, chunk: Chunk) -> Result<(), VerifyError> {
        let (run, shared) = (&self.run, &self.shared);
        let plan = &run.plan.collections[shared.collection];
        let mut held = shared.mark.lock().await;
        let counters = run.progress.settle(self.number, shared.collection);
        held.1.merge(&chunk.found);
        let found = held.1.encoded();
        let mark = &mut held.0;
        mark.roots[root].done.push(part);
        mark.counters = counters;
        mark.found = Some(found);
        Ok(run.store.save_verification_mark(&run.id, &plan.name, mark).await?)
    }
}

/// Counts what became of a document.
pub(super) fn count(
    counters: &mut super::progress::Counters,
    what: &Settled,
    collection: &str,
    node: &crate::plan::Node,
    pending: &Pending,
) {
    let counts = &mut counters.counts;
    counts.compared += 1;
    let example = || pending.expected.row.printed(node).into_iter().collect();
    let exception = |code: &str, place: &str, reason: &str| VerificationException {
        code: code.into(),
        place: place.into(),
        field: None,
        reason: reason.into(),
        count: 1,
        example: example(),
    };
    match what {
        Settled::Equal => counts.equal += 1,
        Settled::Missing => counts.missing += 1,
        Settled::Unexpected => counts.unexpected += 1,
        Settled::Different(_) => counts.different += 1,
        Settled::ChangedSince => {
            counts.changed_since += 1;
            let reason = "the row has changed since it was read first, so the document could not be judged by it";
            counters.except(exception("changed_since", collection, reason));
        }
        Settled::Undecided => {
            counts.compared -= 1;
            let reason = "the job that follows changes did not get as far as the source in time: these documents could not be \
                          judged";
            counters.except(exception("undecided", collection, reason));
        }
        Settled::Refused(code) => {
            counts.skipped += 1;
            let reason = "the destination has refused the document of the row while the job ran";
            counters.except(exception(code, &node.table.name.to_string(), reason));
        }
    }
}
