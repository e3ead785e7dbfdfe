//! From the documents to the rows: those that no row gives. See the room's `mod.rs` for why one pass is enough where the
//! folds agree, and what happens where they do not.

use super::compare::extended_id;
use super::error::VerifyError;
use super::fold::{Fold, Hash, part_of};
use super::run::{Shared, VerifyRun, bare_roots, has_too_large};
use super::scan::Scan;
use super::select::Select;
use crate::source::api::Snapshot;
use crate::source::read::KeyRange;
use crate::store::StoredFinding;
use chrono::Utc;
use futures_util::TryStreamExt;
use godwit_shared::verification::{Finding, FindingKind, VerificationException};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Hashes of expected `_id`s that are held at once: 64 MiB or so.
const HELD_MAX: u64 = 2_000_000;
/// Unexpected documents that are named, and the bytes of their `_id`s.
const NAMED_MAX: usize = 10_000;
const NAMED_BYTES_MAX: usize = 32 << 20;
/// Looks at documents that seem unexpected, before and while a job follows changes.
const LOOKS: usize = 2;
const LOOKS_FOLLOWING: usize = 5;

/// Finds the documents of a collection that no row gives.
///
/// # Errors
/// When a server fails.
pub(super) async fn find_unexpected(run: &VerifyRun, shared: &Shared) -> Result<(), VerifyError> {
    let place = shared.collection;
    let plan = &run.plan.collections[place];
    let mut all = Fold::default();
    each_id(run, &plan.name, |id| all.add(shared.key.hash(id))).await?;
    let found = shared.mark.lock().await.1.clone();
    run.progress.settled(place, |c| c.counts.documents = Some(all.count()));
    let differing = found.differing(&all);
    if differing.is_empty() {
        return Ok(());
    }
    let surplus = all.count().saturating_sub(found.count());
    if run.options.ignore_unexpected {
        if surplus > 0 {
            run.progress.settled(place, |c| c.except(ignored(&plan.name, surplus)));
        }
        return Ok(());
    }
    let parts = chosen(differing, run.progress.now()[place].counts.expected);
    let all_parts_fit = parts.is_complete;
    let named = named(run, shared, &parts.parts).await?;
    let seeming = named.len() as u64;
    let (confirmed, undecided) = confirm(run, shared, named).await?;
    if undecided > 0 {
        super::run::tell_undecided(run, place, undecided);
    }
    // While somebody writes, or where rows share an `_id`, the two numbers are of two moments, or of two things.
    let is_exact = !run.points.follows() && !plan.needs_claims;
    let beyond = match is_exact && (!all_parts_fit || seeming >= NAMED_MAX as u64) {
        true => surplus.saturating_sub(seeming),
        false => 0,
    };
    run.progress
        .settled(place, |c| c.counts.unexpected += confirmed.len() as u64 + beyond);
    let findings = confirmed.into_iter().map(|id| unexpected(run, &plan.name, id));
    let findings: Vec<StoredFinding> = findings.collect();
    run.store_findings(findings).await
}

/// A finding of a document that no row gives.
pub(super) fn unexpected(run: &VerifyRun, collection: &str, id: Vec<u8>) -> StoredFinding {
    StoredFinding {
        finding: Finding {
            number: run.progress.number(),
            kind: FindingKind::UnexpectedDocument,
            collection: collection.to_owned(),
            key: extended_id(&id),
            path: None,
            expected: None,
            found: None,
            differences: Vec::new(),
            rows: Vec::new(),
            found_at: Utc::now(),
            is_repaired: false,
        },
        id,
        row: None,
    }
}

pub(super) fn ignored(collection: &str, count: u64) -> VerificationException {
    VerificationException {
        code: "unexpected_ignored".into(),
        place: collection.to_owned(),
        field: None,
        reason: "these documents are given by no row; they were not to be counted as a difference".into(),
        count,
        example: Default::default(),
    }
}

struct Parts {
    parts: HashSet<usize>,
    is_complete: bool,
}

/// As many parts as can be held, the emptiest first.
fn chosen(mut differing: Vec<(usize, u64)>, expected: u64) -> Parts {
    // What is expected and was not found is in no fold: it spreads evenly.
    let share = expected / super::fold::PARTS as u64 + 1;
    differing.sort_by_key(|(_, count)| *count);
    let (mut parts, mut held) = (HashSet::new(), 0);
    let all = differing.len();
    for (part, count) in differing {
        held += count.max(share);
        if held > HELD_MAX && !parts.is_empty() {
            break;
        }
        parts.insert(part);
    }
    Parts {
        is_complete: parts.len() == all,
        parts,
    }
}

/// The `_id`s of the destination in some parts that no row gives.
async fn named(run: &VerifyRun, shared: &Shared, parts: &HashSet<usize>) -> Result<Vec<Vec<u8>>, VerifyError> {
    let fresh = run.points.fresh().await?;
    let point = fresh.as_ref().unwrap_or(&run.point);
    let mut expected: HashSet<Hash> = HashSet::new();
    each_expected(run, shared, &**point, |hash| {
        if parts.contains(&part_of(hash)) {
            expected.insert(hash);
        }
    })
    .await?;
    let (mut named, mut bytes) = (Vec::new(), 0);
    let name = &run.plan.collections[shared.collection].name;
    each_id(run, name, |id| {
        let hash = shared.key.hash(id);
        let is_in = named.len() < NAMED_MAX && bytes < NAMED_BYTES_MAX && parts.contains(&part_of(hash));
        if is_in && !expected.contains(&hash) {
            bytes += id.len();
            named.push(id.to_vec());
        }
    })
    .await?;
    Ok(named)
}

/// Of documents that seem unexpected those that still are: they are there, and no row gives them in points in time before
/// and after. Besides, how many could not be judged.
pub(super) async fn confirm(
    run: &VerifyRun,
    shared: &Shared,
    named: Vec<Vec<u8>>,
) -> Result<(Vec<Vec<u8>>, u64), VerifyError> {
    let name = &run.plan.collections[shared.collection].name;
    let mut open: HashMap<Hash, Vec<u8>> = named.into_iter().map(|id| (shared.key.hash(&id), id)).collect();
    let looks = match run.points.follows() {
        true => LOOKS_FOLLOWING,
        false => LOOKS,
    };
    let (mut times, mut pause) = (0, Duration::from_millis(100));
    for look in 0..looks {
        if open.is_empty() {
            break;
        }
        let fresh = run.points.fresh().await?;
        if !run.points.caught_up().await? {
            return Ok((Vec::new(), open.len() as u64));
        }
        if let Some(point) = &fresh {
            each_expected(run, shared, &**point, |hash| {
                open.remove(&hash);
            })
            .await?;
        }
        let ids: Vec<Vec<u8>> = open.values().cloned().collect();
        let before = open.len();
        let mut there = HashSet::new();
        for part in ids.chunks(1_000) {
            there.extend(run.sink.present(name, part).await?);
        }
        open.retain(|_, id| there.contains(id));
        times = match open.len() == before {
            true => times + 1,
            false => 0,
        };
        let wanted = if run.points.follows() { 2 } else { 1 };
        if times >= wanted || look + 1 == looks {
            break;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Ok((open.into_values().collect(), 0))
}

/// Shows the hashes of all `_id`s that the rows of a collection give in a point in time.
async fn each_expected(
    run: &VerifyRun,
    shared: &Shared,
    point: &dyn Snapshot,
    mut show: impl FnMut(Hash),
) -> Result<(), VerifyError> {
    let plan = &run.plan.collections[shared.collection];
    let counters = run.progress.now();
    let bare = bare_roots(plan, has_too_large(&counters[shared.collection].exceptions));
    for (root, bare) in plan.roots.iter().zip(&bare) {
        let root = bare.as_ref().unwrap_or(root);
        let mut scan = Scan::open(point, root, &KeyRange::default(), Select::ALL, Arc::default()).await?;
        while let Some(batch) = scan.next().await? {
            run.stand_by().await;
            shared.throttle.pay(batch.rows).await;
            batch
                .documents
                .iter()
                .for_each(|d| show(shared.key.hash(d.id_element())));
        }
        scan.give_back();
    }
    Ok(())
}

/// Shows all `_id`s of a collection of the destination.
async fn each_id(run: &VerifyRun, name: &str, mut show: impl FnMut(&[u8])) -> Result<(), VerifyError> {
    let mut ids = std::pin::pin!(run.sink.all_ids(name).await?);
    while let Some(some) = ids.try_next().await? {
        run.stand_by().await;
        some.iter().for_each(|id| show(id));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_parts_are_looked_at_as_can_be_held() {
        let few = chosen(vec![(3, 10), (7, 20)], 30);
        assert!(few.is_complete && few.parts == HashSet::from([3, 7]));
        let many = chosen(vec![(1, 1_500_000), (2, 400_000), (3, 1_000_000)], 0);
        assert!(!many.is_complete && many.parts == HashSet::from([2, 3]));
        // One is always looked at, whatever it holds.
        let huge = chosen(vec![(1, 5_000_000)], 0);
        assert!(huge.is_complete);
    }
}
