//! One run: collection by collection, each first from the rows to the documents, then back.

use super::claims;
use super::compare::Rules;
use super::error::VerifyError;
use super::fold::{Fold, HashKey};
use super::names;
use super::progress::{Counters, Progress};
use super::scan::{Place, Scan, without_children};
use super::select::Select;
use super::throttle::Throttle;
use super::{reverse, series, sums, worker};
use crate::data::issue::IssueKind;
use crate::documents::streamed_nodes;
use crate::plan::{CollectionPlan, IdPlan, Plan, RootPlan};
use crate::sink::Sink;
use crate::source::api::Snapshot;
use crate::source::read::KeyRange;
use crate::store::{Store, StoredFinding};
use async_trait::async_trait;
use chrono::Utc;
use godwit_shared::verification::{
    Finding, FindingKind, VerificationException, VerificationLevel, VerificationOptions,
};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Bytes of a root table in one chunk: so little is done again after a crash.
const CHUNK_BYTES: u64 = 8 << 20;
const CHUNKS_MAX: u64 = 4_000;
/// Parts of a root table whose children are read as streams.
const STREAM_PARTS_MAX: u64 = 4;

/// Points in time beside the one that a run begins in.
#[async_trait]
pub trait Points: Send + Sync {
    /// A new one; `None` where the documents are to be those of the run's own and of no other.
    ///
    /// # Errors
    /// When the source cannot be reached.
    async fn fresh(&self) -> Result<Option<Arc<dyn Snapshot>>, VerifyError>;

    /// Waits until the job that follows changes has applied everything that the source had committed when this was called;
    /// `false` when it does not get there in time. Without such a job there is nothing to wait for.
    ///
    /// # Errors
    /// When the source cannot be reached.
    async fn caught_up(&self) -> Result<bool, VerifyError>;

    /// Whether a job follows changes into the documents meanwhile.
    fn follows(&self) -> bool;
}

/// Everything that a run needs.
pub struct VerifyRun {
    pub id: String,
    pub plan: Arc<Plan>,
    /// The point in time in which rows are read first.
    pub point: Arc<dyn Snapshot>,
    pub points: Arc<dyn Points>,
    pub sink: Sink,
    pub store: Store,
    pub options: VerificationOptions,
    pub progress: Arc<Progress>,
    pub cancel: CancellationToken,
    /// While true, workers stop between batches.
    pub is_paused: watch::Receiver<bool>,
    pub workers: usize,
    /// Rows whose documents the destination has refused while the job ran: table and primary key, and the code of it.
    pub failed: HashMap<(String, Vec<(String, String)>), String>,
    /// Paths whose values are others each time, by collection.
    pub unstable: Mutex<HashMap<usize, HashSet<String>>>,
}

/// How a run ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Cancelled,
}

/// How far a run has come in one collection.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Mark {
    pub counters: Counters,
    /// Of each root: where its table is cut, and which parts are done.
    pub roots: Vec<RootMark>,
    /// The `_id`s that were found so far.
    pub found: Option<String>,
    pub is_complete: bool,
}

/// See [`Mark`].
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RootMark {
    pub cuts: Vec<Vec<String>>,
    pub done: Vec<usize>,
}

impl RootMark {
    /// The parts that are not done.
    pub fn open(&self) -> Vec<(usize, KeyRange)> {
        (0..=self.cuts.len())
            .filter(|part| !self.done.contains(part))
            .map(|part| (part, KeyRange::part(&self.cuts, part)))
            .collect()
    }
}

/// What the workers of one collection share.
pub(super) struct Shared {
    pub collection: usize,
    pub rules: Rules,
    pub select: Select,
    pub key: HashKey,
    pub throttle: Throttle,
    pub mark: tokio::sync::Mutex<(Mark, Fold)>,
    /// Differences that may be those of another row with the same `_id`.
    pub claimed: Mutex<claims::Claimed>,
}

impl VerifyRun {
    /// The key of the run's hashes: nobody could know it when the documents were made.
    pub(super) fn key(&self) -> HashKey {
        HashKey(blake3::derive_key(
            "godwit verification of documents",
            self.id.as_bytes(),
        ))
    }

    pub(super) fn select(&self) -> Select {
        match (self.options.level, self.options.sample_percent) {
            (VerificationLevel::Sample, Some(percent)) => Select::percent(percent),
            (VerificationLevel::Sample, None) => Select::percent(1.0),
            (VerificationLevel::Full | VerificationLevel::Counts, _) => Select::ALL,
        }
    }

    /// Stands still while the user wants that.
    pub(super) async fn stand_by(&self) {
        let mut is_paused = self.is_paused.clone();
        let _ = is_paused.wait_for(|paused| !paused).await;
    }

    /// Stores findings as far as there is room.
    pub(super) async fn store_findings(&self, mut findings: Vec<StoredFinding>) -> Result<(), VerifyError> {
        let room = usize::try_from(self.progress.room()).unwrap_or(usize::MAX);
        findings.truncate(room);
        let stored = self.store.add_findings(&self.id, &findings).await?;
        self.progress.stored(stored);
        Ok(())
    }

    /// A finding that is about no single document.
    pub(super) fn finding_about(
        &self,
        kind: FindingKind,
        collection: &str,
        path: Option<String>,
        (expected, found): (String, String),
    ) -> StoredFinding {
        StoredFinding {
            finding: Finding {
                number: self.progress.number(),
                kind,
                collection: collection.to_owned(),
                key: serde_json::Value::Null,
                path,
                expected: Some(expected),
                found: Some(found),
                differences: Vec::new(),
                rows: Vec::new(),
                found_at: Utc::now(),
                is_repaired: false,
            },
            id: Vec::new(),
            row: None,
        }
    }

    /// Two documents that one row has given in one point in time: where they differ the values are others each time.
    pub(super) fn name_unstable(&self, collection: usize, one: &[u8], other: &[u8]) {
        let paths = Rules::default()
            .compare(one, other)
            .into_iter()
            .map(|d| plain_path(&d.path));
        let mut unstable = self.unstable.lock().unwrap_or_else(PoisonError::into_inner);
        let known = unstable.entry(collection).or_default();
        for path in paths {
            if known.insert(path.clone()) {
                self.tell_unstable(collection, &path);
            }
        }
    }

    pub(super) fn tell_unstable(&self, collection: usize, path: &str) {
        let exception = VerificationException {
            code: "not_deterministic".into(),
            place: self.plan.collections[collection].name.clone(),
            field: Some(path.to_owned()),
            reason: "its expression gives another value each time: it was not compared".into(),
            count: 1,
            example: Default::default(),
        };
        self.progress.settled(collection, |c| c.except(exception));
    }

    pub(super) fn rules_with_unstable(&self, collection: usize, rules: &Rules) -> Rules {
        let unstable = self.unstable.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rules = rules.clone();
        if let Some(paths) = unstable.get(&collection) {
            rules.ignored.extend(paths.iter().cloned());
        }
        rules
    }
}

/// A path without the numbers of elements.
fn plain_path(path: &str) -> String {
    let named: Vec<&str> = path.split('.').filter(|p| p.parse::<usize>().is_err()).collect();
    named.join(".")
}

/// Verifies what is not verified yet. Ends within a second after its cancellation.
///
/// # Errors
/// The first error; what is done is remembered.
pub async fn run(run: Arc<VerifyRun>) -> Result<Outcome, VerifyError> {
    let work = async {
        let (last, stored) = run.store.last_finding(&run.id).await?;
        run.progress.restore_findings(stored, last);
        let mut marks = Vec::new();
        for (place, collection) in run.plan.collections.iter().enumerate() {
            let mark: Option<Mark> = run.store.verification_mark(&run.id, &collection.name).await?;
            if let Some(mark) = &mark {
                run.progress.restore(place, mark.counters.clone());
            }
            marks.push(mark.unwrap_or_default());
        }
        for (place, mark) in marks.into_iter().enumerate() {
            if !mark.is_complete {
                collection(&run, place, mark).await?;
            }
        }
        Ok::<_, VerifyError>(Outcome::Completed)
    };
    tokio::select! {
        biased;
        () = run.cancel.cancelled() => Ok(Outcome::Cancelled),
        ended = Box::pin(work) => match ended {
            Err(VerifyError::Cancelled) => Ok(Outcome::Cancelled),
            other => other,
        },
    }
}

async fn collection(run: &Arc<VerifyRun>, place: usize, mark: Mark) -> Result<(), VerifyError> {
    let plan = &run.plan.collections[place];
    let mut mark = mark;
    // Where rows may come to one `_id`, and in a time series, what was seen before a crash has to be seen again.
    let begins_anew = plan.needs_claims || plan.time_series.is_some() || run.options.level == VerificationLevel::Counts;
    if begins_anew || mark.roots.len() != plan.roots.len() {
        mark = Mark::default();
        run.progress.restart(place);
        let deleted = run.store.delete_findings_of(&run.id, &plan.name).await?;
        if deleted > 0 {
            let (last, stored) = run.store.last_finding(&run.id).await?;
            run.progress.restore_findings(stored, last);
        }
        for root in &plan.roots {
            mark.roots.push(RootMark {
                cuts: cuts_of(run, root).await?,
                done: Vec::new(),
            });
        }
    }
    for path in names::not_deterministic(plan) {
        let mut unstable = run.unstable.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = unstable.entry(place).or_default().insert(path.clone());
        drop(unstable);
        if is_new {
            run.tell_unstable(place, &path);
        }
    }
    let found = mark.found.as_deref().and_then(Fold::decode).unwrap_or_default();
    let rules = run.rules_with_unstable(place, &Rules::of(&run.options, plan.time_series.is_some()));
    let shared = Arc::new(Shared {
        collection: place,
        rules,
        select: run.select(),
        key: run.key(),
        throttle: Throttle::new(run.options.max_rows_per_second),
        mark: tokio::sync::Mutex::new((mark, found)),
        claimed: Mutex::default(),
    });
    match run.options.level {
        VerificationLevel::Counts => counts(run, &shared).await?,
        VerificationLevel::Sample => worker::compare_all(run, &shared).await?,
        VerificationLevel::Full if plan.time_series.is_some() => series::compare_all(run, &shared).await?,
        VerificationLevel::Full => {
            worker::compare_all(run, &shared).await?;
            claims::resolve(run, &shared).await?;
            reverse::find_unexpected(run, &shared).await?;
        }
    }
    if run.options.level == VerificationLevel::Sample {
        claims::resolve(run, &shared).await?;
    }
    if run.options.checksums && run.options.level == VerificationLevel::Full {
        sums::compare(run, &shared).await?;
    }
    let counters = run.progress.settled(place, |c| c.counts.is_complete = true);
    let mut held = shared.mark.lock().await;
    held.0.counters = counters;
    held.0.is_complete = true;
    Ok(run.store.save_verification_mark(&run.id, &plan.name, &held.0).await?)
}

/// Where a root table is cut.
async fn cuts_of(run: &VerifyRun, root: &RootPlan) -> Result<Vec<Vec<String>>, VerifyError> {
    // A limited table is read as the first rows of one order: parts would each have their own limit.
    let is_limited = root.node.table_filter.as_ref().is_some_and(|f| f.row_count.is_some());
    if is_limited {
        return Ok(Vec::new());
    }
    let table = &root.node.table;
    let cuts = if streamed_nodes(root).is_empty() {
        run.point.split_keys(table, CHUNK_BYTES, CHUNKS_MAX).await?
    } else {
        let parts = (run.workers as u64).clamp(1, STREAM_PARTS_MAX);
        let bytes = (table.size_bytes / parts).max(CHUNK_BYTES);
        run.point.split_keys(table, bytes, parts).await?
    };
    Ok(cuts)
}

/// The level that counts alone.
async fn counts(run: &VerifyRun, shared: &Shared) -> Result<(), VerifyError> {
    let place = shared.collection;
    let plan = &run.plan.collections[place];
    let mut last = (0, 0);
    // While somebody writes, the two numbers are of two moments.
    for look in 0..3 {
        let fresh = run.points.fresh().await?;
        if !run.points.caught_up().await? {
            tell_undecided(run, place, 1);
            return Ok(());
        }
        let point = fresh.as_ref().unwrap_or(&run.point);
        let mut counters = Counters::default();
        let mut expected = 0;
        for root in 0..plan.roots.len() {
            expected += count_root(run, shared, &**point, (place, root), &mut counters).await?;
        }
        let documents = run.sink.count_exactly(&plan.name).await?;
        counters.counts.expected = expected;
        counters.counts.documents = Some(documents);
        let is_even = expected == documents || (run.options.ignore_unexpected && documents > expected);
        if is_even || look == 2 || last == (expected, documents) {
            if !is_even {
                counters.counts.missing = expected.saturating_sub(documents);
                counters.counts.unexpected = documents.saturating_sub(expected);
                let sides = (expected.to_string(), documents.to_string());
                let finding = run.finding_about(FindingKind::CountMismatch, &plan.name, None, sides);
                run.store_findings(vec![finding]).await?;
            }
            counters.counts.compared = expected.min(documents);
            run.progress.settled(place, |c| c.merge(&counters));
            return Ok(());
        }
        last = (expected, documents);
    }
    Ok(())
}

/// How many documents the rows of a root give. The source counts, where every row gives one.
async fn count_root(
    run: &VerifyRun,
    shared: &Shared,
    point: &dyn Snapshot,
    place: Place,
    counters: &mut Counters,
) -> Result<u64, VerifyError> {
    let plan = &run.plan.collections[place.0];
    let root = &plan.roots[place.1];
    let is_plain = root.node.rule_filter.is_none()
        && !plan.needs_claims
        && match &root.id {
            IdPlan::Generated { .. } => true,
            // A primary key has no nulls.
            IdPlan::Single { .. } | IdPlan::Wrapped { .. } => true,
            IdPlan::Custom { .. } => false,
        };
    if is_plain {
        let rows = point
            .count_rows(&root.node.table, root.node.table_filter.as_ref())
            .await?;
        counters.counts.rows += rows;
        return Ok(rows);
    }
    let bare = without_children(plan, root);
    let root = bare.as_ref().unwrap_or(root);
    let mut scan = Scan::open(point, root, &KeyRange::default(), Select::ALL, Arc::default()).await?;
    let mut documents = 0;
    while let Some(batch) = scan.next().await? {
        run.stand_by().await;
        shared.throttle.pay(batch.rows).await;
        documents += batch.documents.len() as u64;
        counters.counts.rows += batch.roots;
        batch.issues.into_iter().for_each(|issue| counters.take(issue));
    }
    scan.give_back();
    Ok(documents)
}

/// The job did not get as far as the source in time.
pub(super) fn tell_undecided(run: &VerifyRun, collection: usize, count: u64) {
    let exception = VerificationException {
        code: "undecided".into(),
        place: run.plan.collections[collection].name.clone(),
        field: None,
        reason:
            "the job that follows changes did not get as far as the source in time: these documents could not be judged"
                .into(),
        count,
        example: Default::default(),
    };
    run.progress.settled(collection, |c| c.except(exception));
}

/// Whether some row of a collection gave a document that is too large: then its children decide whether there is one.
pub(super) fn has_too_large(counters: &[VerificationException]) -> bool {
    counters.iter().any(|e| e.code == IssueKind::DocumentTooLarge.code())
}

/// The roots of a collection, without what lies below them where that is the same.
pub(super) fn bare_roots(plan: &CollectionPlan, has_too_large: bool) -> Vec<Option<RootPlan>> {
    let roots = plan.roots.iter();
    roots
        .map(|root| (!has_too_large).then(|| without_children(plan, root)).flatten())
        .collect()
}
