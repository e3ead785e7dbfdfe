//! Time series. MongoDB has no index on their `_id`, keeps no order of fields at the top, and takes one `_id` any number of
//! times. So both sides are folded as whole documents, and what is in parts that differ is looked at one by one: the
//! documents of such a part have to fit into memory as hashes, and those that differ are few, or more than are named.

use super::compare::Rules;
use super::error::VerifyError;
use super::fold::{Fold, Hash, part_of};
use super::pending::{Pending, id_element};
use super::reverse::{ignored, unexpected};
use super::run::{Shared, VerifyRun};
use super::scan::Scan;
use super::settle::{Settled, finding_of, settle};
use super::worker::count;
use crate::plan::TimeSeriesPlan;
use crate::source::read::KeyRange;
use bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use chrono::Utc;
use godwit_shared::verification::VerificationException;
use std::collections::{HashMap, HashSet};

/// Documents whose hashes are held at once.
const HELD_MAX: u64 = 1_000_000;
/// Documents that are looked at one by one.
const LOOKED_AT_MAX: usize = 2_000;

/// Compares a time series.
///
/// # Errors
/// When a server fails.
pub(super) async fn compare_all(run: &VerifyRun, shared: &Shared) -> Result<(), VerifyError> {
    let place = shared.collection;
    let plan = &run.plan.collections[place];
    let mut expected = Fold::default();
    each_expected(run, shared, true, |_, document| {
        let (id, hash) = hashes(shared, document.id_element(), &document.bson);
        expected.add_to(part_of(id), hash);
    })
    .await?;
    let mut all = Fold::default();
    each_found(run, shared, |id, document| {
        let (id, hash) = hashes(shared, id, document.as_bytes());
        all.add_to(part_of(id), hash);
    })
    .await?;
    let (wanted, there) = (expected.count(), all.count());
    run.progress.settled(place, |c| {
        c.counts.expected = wanted;
        c.counts.documents = Some(there);
        c.counts.compared = wanted;
    });
    let differing = expected.differing(&all);
    if differing.is_empty() {
        run.progress.settled(place, |c| c.counts.equal = wanted);
        return Ok(());
    }
    let mut held = 0;
    let parts: HashSet<usize> = differing
        .into_iter()
        .take_while(|(_, count)| {
            held += count;
            held <= HELD_MAX.max(*count)
        })
        .map(|(part, _)| part)
        .collect();
    look(run, shared, &parts, plan.time_series.as_ref(), wanted).await
}

/// What an `_id` has on both sides.
#[derive(Default)]
struct Sides {
    expected: Option<Hash>,
    /// Those that are there, each as often as it is.
    found: Vec<Hash>,
    id: Vec<u8>,
}

async fn look(
    run: &VerifyRun,
    shared: &Shared,
    parts: &HashSet<usize>,
    series: Option<&TimeSeriesPlan>,
    wanted: u64,
) -> Result<(), VerifyError> {
    let place = shared.collection;
    let plan = &run.plan.collections[place];
    let mut sides: HashMap<Hash, Sides> = HashMap::new();
    each_expected(run, shared, false, |_, document| {
        let (id, hash) = hashes(shared, document.id_element(), &document.bson);
        if parts.contains(&part_of(id)) {
            sides.entry(id).or_default().expected = Some(hash);
        }
    })
    .await?;
    each_found(run, shared, |id, document| {
        let (hash_of_id, hash) = hashes(shared, id, document.as_bytes());
        if parts.contains(&part_of(hash_of_id)) {
            let own = sides.entry(hash_of_id).or_default();
            own.found.push(hash);
            if own.expected.is_none() {
                own.id = id.to_vec();
            }
        }
    })
    .await?;
    sides.retain(|_, s| s.expected.map(|hash| vec![hash]).unwrap_or_default() != s.found);
    let (mut findings, mut doubled) = (Vec::new(), 0);
    let mut looked_at: HashMap<Hash, Option<RawDocumentBuf>> = HashMap::new();
    for (id, own) in &sides {
        match own.expected {
            None => {
                doubled += own.found.len() as u64;
                if !run.options.ignore_unexpected {
                    findings.push(unexpected(run, &plan.name, own.id.clone()));
                }
            }
            // There, and once more.
            Some(hash) if own.found.contains(&hash) => doubled += own.found.len() as u64 - 1,
            Some(_) => {
                if looked_at.len() < LOOKED_AT_MAX {
                    looked_at.insert(*id, None);
                }
            }
        }
    }
    let doubles: HashSet<Hash> = sides
        .iter()
        .filter(|(_, own)| own.expected.is_some() && own.found.len() > 1)
        .map(|(id, _)| *id)
        .collect();
    each_found(run, shared, |id, document| {
        let hash = shared.key.hash(id);
        if let Some(found) = looked_at.get_mut(&hash) {
            *found = Some(document.clone());
        }
    })
    .await?;
    let mut bad = 0;
    let mut pending = Vec::new();
    each_expected(run, shared, false, |root, document| {
        let hash = shared.key.hash(document.id_element());
        let found = looked_at.get(&hash);
        if found.is_some() || doubles.contains(&hash) {
            pending.push(Pending {
                place: (place, root),
                found: found.and_then(|f| f.clone()).map(|f| f.into_bytes()),
                expected: document.clone(),
            });
        }
    })
    .await?;
    let mut by_root: HashMap<usize, Vec<Pending>> = HashMap::new();
    for pending in pending {
        let hash = shared.key.hash(pending.expected.id_element());
        if doubles.contains(&hash) && !looked_at.contains_key(&hash) {
            findings.push(unexpected(run, &plan.name, pending.expected.id_element().to_vec()));
        } else if pending.found.is_none() && has_expired(series, &pending.expected.bson) {
            bad += 1;
            run.progress.settled(place, |c| {
                c.counts.skipped += 1;
                c.except(expired(&plan.name));
            });
        } else {
            by_root.entry(pending.place.1).or_default().push(pending);
        }
    }
    for (root, pending) in by_root {
        for (pending, what) in settle(run, (place, root), pending, &shared.rules).await? {
            bad += u64::from(!matches!(what, Settled::Equal));
            findings.extend(finding_of(run, &pending, &what));
            let node = &plan.roots[root].node;
            run.progress.settled(place, |c| {
                // They count as compared already.
                let (compared, equal) = (c.counts.compared, c.counts.equal);
                count(c, &what, &plan.name, node, &pending);
                (c.counts.compared, c.counts.equal) = (compared, equal);
            });
        }
    }
    run.progress.settled(place, |c| {
        c.counts.equal = wanted.saturating_sub(bad);
        match run.options.ignore_unexpected {
            true if doubled > 0 => c.except(ignored(&plan.name, doubled)),
            true => {}
            false => c.counts.unexpected += doubled,
        }
    });
    run.store_findings(findings).await
}

fn expired(collection: &str) -> VerificationException {
    VerificationException {
        code: "expired".into(),
        place: collection.to_owned(),
        field: None,
        reason: "the destination has deleted these documents, for they were older than the time series keeps".into(),
        count: 1,
        example: Default::default(),
    }
}

/// Whether MongoDB takes a document away by itself.
fn has_expired(series: Option<&TimeSeriesPlan>, document: &[u8]) -> bool {
    let Some(series) = series else { return false };
    let Some(seconds) = series.expire_after_seconds else {
        return false;
    };
    let time = RawDocument::from_bytes(document)
        .ok()
        .and_then(|d| d.get_datetime(&series.time_field).ok());
    let age = time.map(|time| Utc::now().timestamp_millis() - time.timestamp_millis());
    age.is_some_and(|age| age >= 0 && age.unsigned_abs() / 1_000 >= seconds)
}

/// The hashes of an `_id` and of a whole document, in an order of its fields that is always the same.
fn hashes(shared: &Shared, id: &[u8], document: &[u8]) -> (Hash, Hash) {
    (shared.key.hash(id), shared.key.hash(&in_order(&shared.rules, document)))
}

/// The elements of a document by their names; what is different each time is left out.
fn in_order(rules: &Rules, document: &[u8]) -> Vec<u8> {
    let Ok(raw) = RawDocument::from_bytes(document) else {
        return document.to_vec();
    };
    let mut elements: Vec<(&str, RawBsonRef<'_>)> = raw
        .iter()
        .filter_map(Result::ok)
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| !rules.ignored.contains(*name))
        .collect();
    elements.sort_by_key(|(name, _)| *name);
    let mut out = Vec::with_capacity(document.len() + 16);
    for (name, value) in elements {
        let mut one = RawDocumentBuf::new();
        if let Ok(name) = bson::raw::CString::try_from(name) {
            one.append(name, value);
        }
        out.extend_from_slice(one.as_bytes());
    }
    out
}

async fn each_expected(
    run: &VerifyRun,
    shared: &Shared,
    counts: bool,
    mut show: impl FnMut(usize, &crate::assemble::Assembled),
) -> Result<(), VerifyError> {
    let plan = &run.plan.collections[shared.collection];
    for (place, root) in plan.roots.iter().enumerate() {
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
            batch.documents.iter().for_each(|d| show(place, d));
            if counts {
                run.progress.settled(shared.collection, |c| {
                    c.counts.rows += batch.roots;
                    batch.issues.into_iter().for_each(|issue| c.take(issue));
                });
            }
        }
        scan.give_back();
    }
    Ok(())
}

async fn each_found(
    run: &VerifyRun,
    shared: &Shared,
    mut show: impl FnMut(&[u8], &RawDocumentBuf),
) -> Result<(), VerifyError> {
    let name = &run.plan.collections[shared.collection].name;
    let mut documents = run.sink.all_documents(name).await?;
    while let Some(document) = documents.next().await? {
        show(&id_element(&document), &document);
    }
    Ok(())
}
