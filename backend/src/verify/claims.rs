//! Rows that come to one `_id`: one of them has the document, and which one only the job knew. A difference in such a
//! collection is put aside until all rows were seen; where the document is that of any other row with the `_id`, the row is
//! one without a document, and no finding.
//!
//! Only differences are held, so many at most; rows whose documents are equal are looked for in a pass of their own, and
//! only if there is a difference.

use super::compare::Rules;
use super::error::VerifyError;
use super::fold::Hash;
use super::pending::Pending;
use super::run::{Shared, VerifyRun};
use super::scan::Scan;
use super::settle::{Settled, finding_of};
use super::worker::count;
use crate::assemble::Assembled;
use crate::data::issue::IssueKind;
use crate::source::read::KeyRange;
use godwit_shared::verification::VerificationException;
use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

/// Differences that are put aside, and their bytes.
const ASIDE_MAX: usize = 10_000;
const ASIDE_BYTES_MAX: usize = 64 << 20;

/// See the module.
#[derive(Default)]
pub(super) struct Claimed {
    by_id: HashMap<Hash, Vec<(Pending, Settled)>>,
    count: usize,
    bytes: usize,
    /// More than could be put aside.
    beyond: u64,
    /// Of those put aside, the ones that were equal in the same pass.
    equal: HashSet<Hash>,
}

/// A row whose document is the stored one.
pub(super) fn note_equal(shared: &Shared, document: &Assembled) {
    let mut claimed = shared.claimed.lock().unwrap_or_else(PoisonError::into_inner);
    if claimed.by_id.is_empty() {
        return;
    }
    let hash = shared.key.hash(document.id_element());
    if claimed.by_id.contains_key(&hash) {
        claimed.equal.insert(hash);
    }
}

/// Keeps a difference until all rows were seen.
pub(super) fn put_aside(run: &VerifyRun, shared: &Shared, pending: Pending, what: Settled) {
    let mut claimed = shared.claimed.lock().unwrap_or_else(PoisonError::into_inner);
    let size = pending.size();
    if claimed.count >= ASIDE_MAX || claimed.bytes + size > ASIDE_BYTES_MAX {
        claimed.beyond += 1;
        if claimed.beyond == 1 {
            tracing::warn!(verification = %run.id, "More differences than can be judged where rows come to one _id");
        }
        return;
    }
    claimed.count += 1;
    claimed.bytes += size;
    let hash = shared.key.hash(pending.expected.id_element());
    claimed.by_id.entry(hash).or_default().push((pending, what));
}

/// Judges what was put aside.
///
/// # Errors
/// When a server fails.
pub(super) async fn resolve(run: &VerifyRun, shared: &Shared) -> Result<(), VerifyError> {
    let mut claimed = std::mem::take(&mut *shared.claimed.lock().unwrap_or_else(PoisonError::into_inner));
    let plan = &run.plan.collections[shared.collection];
    if claimed.beyond > 0 {
        super::run::tell_undecided(run, shared.collection, claimed.beyond);
    }
    if claimed.by_id.is_empty() {
        return Ok(());
    }
    let rules = run.rules_with_unstable(shared.collection, &shared.rules);
    // Those that were equal before the difference of the other row was known.
    for root in &plan.roots {
        let mut scan = Scan::open(
            &*run.point,
            root,
            &KeyRange::default(),
            shared.select,
            Default::default(),
        )
        .await?;
        while let Some(batch) = scan.next().await? {
            run.stand_by().await;
            shared.throttle.pay(batch.rows).await;
            for document in &batch.documents {
                let hash = shared.key.hash(document.id_element());
                if let Some(aside) = claimed.by_id.get(&hash)
                    && is_stored(&rules, document, &aside[0].0)
                {
                    claimed.equal.insert(hash);
                }
            }
        }
        scan.give_back();
    }
    let mut findings = Vec::new();
    for (hash, aside) in claimed.by_id {
        let is_others = claimed.equal.contains(&hash);
        for (place, (pending, what)) in aside.into_iter().enumerate() {
            let node = &plan.roots[pending.place.1].node;
            // Of several rows without the document, the first stands for the difference, and the others for themselves.
            if is_others || place > 0 {
                let exception = VerificationException {
                    code: IssueKind::DuplicateId.code().into(),
                    place: node.table.name.to_string(),
                    field: None,
                    reason: format!("another row has the same `_id` in \"{}\"", plan.name),
                    count: 1,
                    example: pending.expected.row.printed(node).into_iter().collect(),
                };
                run.progress.settled(shared.collection, |c| {
                    c.counts.skipped += 1;
                    c.except(exception);
                });
                continue;
            }
            findings.extend(finding_of(run, &pending, &what));
            run.progress
                .settled(shared.collection, |c| count(c, &what, &plan.name, node, &pending));
        }
    }
    run.store_findings(findings).await
}

fn is_stored(rules: &Rules, document: &Assembled, aside: &Pending) -> bool {
    let found = aside.found.as_ref();
    found.is_some_and(|found| rules.compare(&document.bson, found).is_empty())
}
