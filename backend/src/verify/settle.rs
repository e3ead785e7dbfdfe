//! Looks again at documents that were not equal: what is a difference, what has changed meanwhile, and what was a matter of
//! time. The argument stands in the room's `mod.rs`.

use super::compare::{Rules, extended_id};
use super::error::VerifyError;
use super::names;
use super::pending::{Pending, fetch, id_element};
use super::run::VerifyRun;
use super::scan::Place;
use crate::assemble::Assembled;
use crate::documents::ChildReader;
use crate::documents::by_key::assemble_keys;
use crate::plan::RootPlan;
use crate::source::api::Snapshot;
use crate::store::StoredFinding;
use chrono::Utc;
use godwit_shared::verification::{Difference, Finding, FindingKind, SourceRow};
use std::collections::HashMap;
use std::time::Duration;

/// Looks at most so often, before and while a job follows changes.
const LOOKS: usize = 3;
const LOOKS_FOLLOWING: usize = 6;
/// So often in a row a document has to be wrong.
const TIMES: usize = 2;
const PAUSE_FIRST: Duration = Duration::from_millis(50);

/// What became of a document.
pub enum Settled {
    Equal,
    /// Its row has changed since it was read first, and the document does not follow.
    ChangedSince,
    /// The job did not get as far as the source in time.
    Undecided,
    /// The destination has refused the document while the job ran: the code of that.
    Refused(String),
    Missing,
    /// There is a document, and its row is gone.
    Unexpected,
    Different(Vec<Difference>),
}

/// One document that is being looked at.
struct Open {
    pending: Pending,
    /// What was read last, where it is another one than the rows gave just before: if the rows give the same again now, it
    /// is wrong. What is read now may be ahead of what the rows gave, so nothing is known of it yet.
    last: Option<Seen>,
    /// So often in a row a document was wrong, and what the last such was.
    times: usize,
    wrong: Option<Seen>,
    is_gone: bool,
}

/// A stored document, and where it differs.
#[derive(Clone)]
struct Seen {
    found: Option<Vec<u8>>,
    differences: Vec<Difference>,
}

/// Looks again at some documents of one root, and says what each is.
///
/// # Errors
/// When a server fails: nothing is known of any of them then.
pub async fn settle(
    run: &VerifyRun,
    place: Place,
    pending: Vec<Pending>,
    rules: &Rules,
) -> Result<Vec<(Pending, Settled)>, VerifyError> {
    let collection = &run.plan.collections[place.0];
    let root = &collection.roots[place.1];
    let follows = run.points.follows();
    let (mut settled, mut open) = (Vec::with_capacity(pending.len()), Vec::new());
    for pending in pending {
        match (&pending.found, refused(run, root, &pending.expected)) {
            (None, Some(code)) => settled.push((pending, Settled::Refused(code))),
            _ => {
                // While a job follows, it need not have got as far as the rows.
                let last = (!follows).then(|| Seen {
                    differences: differences(rules, &pending).unwrap_or_default(),
                    found: pending.found.clone(),
                });
                open.push(Open {
                    pending,
                    last,
                    times: 0,
                    wrong: None,
                    is_gone: false,
                });
            }
        }
    }
    let looks = if follows { LOOKS_FOLLOWING } else { LOOKS };
    let mut pause = PAUSE_FIRST;
    for look in 0..looks {
        if open.is_empty() {
            break;
        }
        if look > 0 {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let point = run.points.fresh().await?;
        if !run.points.caught_up().await? {
            settled.extend(open.drain(..).map(|o| (o.pending, Settled::Undecided)));
            break;
        }
        let is_held = point.is_none();
        let now = match (&point, look) {
            // In one point in time the rows give the same each time, unless an expression does not.
            (None, 1..) => None,
            (None, 0) => Some(assemble(&*run.point, root, &open).await?),
            (Some(point), _) => Some(assemble(&**point, root, &open).await?),
        };
        read_found(run, &collection.name, &mut open).await?;
        let mut left = Vec::new();
        for mut document in std::mem::take(&mut open) {
            let id = document.pending.expected.id_element().to_vec();
            let mut is_same = true;
            let fresh = now.as_ref().and_then(|now| now.get(&id));
            if fresh.is_some_and(|fresh| was_ahead(rules, &document, fresh)) {
                settled.push((document.pending, Settled::Equal));
                continue;
            }
            match now.as_ref().map(|now| now.get(&id)) {
                None => {}
                Some(Some(fresh)) => {
                    is_same = !document.is_gone && fresh.bson == document.pending.expected.bson;
                    if !is_same && is_held {
                        run.name_unstable(place.0, &document.pending.expected.bson, &fresh.bson);
                    }
                    document.is_gone = false;
                    document.pending.expected = fresh.clone();
                }
                Some(None) => {
                    is_same = document.is_gone;
                    document.is_gone = true;
                }
            }
            let rules = run.rules_with_unstable(place.0, rules);
            let differing = match document.is_gone {
                true => None,
                false => differences(&rules, &document.pending),
            };
            if is_equal(&document, differing.as_ref()) {
                settled.push((document.pending, Settled::Equal));
                continue;
            }
            if !is_same && !is_held && !follows {
                settled.push((document.pending, Settled::ChangedSince));
                continue;
            }
            (document.times, document.wrong) = match document.last.take() {
                Some(last) if is_same => (document.times + 1, Some(last)),
                _ => (0, None),
            };
            document.last = Some(Seen {
                found: document.pending.found.clone(),
                differences: differing.unwrap_or_default(),
            });
            match document.wrong.take() {
                Some(wrong) if document.times >= TIMES => {
                    document.pending.found = wrong.found;
                    let what = match (document.is_gone, &document.pending.found) {
                        // A job that does not follow has no reason to take the document away.
                        (true, _) if !follows => Settled::ChangedSince,
                        (true, _) => Settled::Unexpected,
                        (false, None) => Settled::Missing,
                        (false, Some(_)) => Settled::Different(wrong.differences),
                    };
                    settled.push((document.pending, what));
                }
                wrong => {
                    document.wrong = wrong;
                    left.push(document);
                }
            }
        }
        open = left;
    }
    // They were another one each time.
    settled.extend(open.into_iter().map(|o| (o.pending, Settled::ChangedSince)));
    Ok(settled)
}

/// Where the stored document differs; nothing is known where one of the two is not there.
fn differences(rules: &Rules, pending: &Pending) -> Option<Vec<Difference>> {
    let found = pending.found.as_ref()?;
    Some(rules.compare(&pending.expected.bson, found))
}

/// Whether the document that was read before is what the rows give now: whoever writes it had got further than the rows
/// that were read before.
fn was_ahead(rules: &Rules, document: &Open, fresh: &Assembled) -> bool {
    let found = document.last.as_ref().and_then(|last| last.found.as_ref());
    found.is_some_and(|found| rules.compare(&fresh.bson, found).is_empty())
}

fn is_equal(document: &Open, differences: Option<&Vec<Difference>>) -> bool {
    match differences {
        Some(differences) => differences.is_empty(),
        None => document.is_gone && document.pending.found.is_none(),
    }
}

/// What the rows of some documents give in a point in time, by `_id`.
async fn assemble(
    point: &dyn Snapshot,
    root: &RootPlan,
    open: &[Open],
) -> Result<HashMap<Vec<u8>, Assembled>, VerifyError> {
    let values: Vec<Vec<Option<String>>> = open.iter().map(|o| o.pending.expected.row.values(&root.node)).collect();
    let wanted: Vec<Vec<u8>> = open.iter().map(|o| o.pending.expected.id_element().to_vec()).collect();
    documents_of(point, root, &values, Some(&wanted)).await
}

/// The documents of rows that are found by their values, by `_id`: all, or those with some `_id`s.
///
/// # Errors
/// When the source fails.
pub async fn documents_of(
    point: &dyn Snapshot,
    root: &RootPlan,
    values: &[Vec<Option<String>>],
    wanted: Option<&[Vec<u8>]>,
) -> Result<HashMap<Vec<u8>, Assembled>, VerifyError> {
    let keys: Vec<Vec<Option<&str>>> = values
        .iter()
        .filter(|key| !key.is_empty())
        .map(|key| key.iter().map(Option::as_deref).collect())
        .collect();
    let mut reader = ChildReader::new(point);
    let rebuilt = assemble_keys(root, &mut reader, &keys).await?;
    reader.give_back();
    let all = rebuilt.documents.into_iter();
    Ok(all
        .map(|document| (document.id_element().to_vec(), document))
        .filter(|(id, _)| wanted.is_none_or(|wanted| wanted.contains(id)))
        .collect())
}

async fn read_found(run: &VerifyRun, collection: &str, open: &mut [Open]) -> Result<(), VerifyError> {
    let ids: Vec<Vec<u8>> = open.iter().map(|o| o.pending.expected.id_element().to_vec()).collect();
    open.iter_mut().for_each(|o| o.pending.found = None);
    fetch(&run.sink, collection, &ids, |places, document| {
        let bytes = document.into_bytes();
        places
            .iter()
            .for_each(|place| open[*place].pending.found = Some(bytes.clone()));
    })
    .await
}

/// Why the job could not write the document of a row.
fn refused(run: &VerifyRun, root: &RootPlan, document: &Assembled) -> Option<String> {
    if run.failed.is_empty() {
        return None;
    }
    let row = (root.node.table.name.to_string(), document.row.printed(&root.node));
    run.failed.get(&row).cloned()
}

/// A finding about one document.
pub fn finding_of(run: &VerifyRun, pending: &Pending, what: &Settled) -> Option<StoredFinding> {
    let (collection, root) = pending.place;
    let plan = &run.plan.collections[collection];
    let node = &plan.roots[root].node;
    let (kind, first, differences) = match what {
        Settled::Missing => (FindingKind::MissingDocument, None, Vec::new()),
        Settled::Unexpected => (FindingKind::UnexpectedDocument, None, Vec::new()),
        Settled::Different(differences) => {
            let first = differences.first()?.clone();
            (first.kind, Some(first), differences.clone())
        }
        Settled::Equal | Settled::ChangedSince | Settled::Undecided | Settled::Refused(_) => return None,
    };
    let id = match &pending.found {
        // The element of the document that is there, which may be of another type.
        Some(found) => bson::RawDocumentBuf::from_bytes(found.clone())
            .map(|d| id_element(&d))
            .ok(),
        None => None,
    };
    let id = id.unwrap_or_else(|| pending.expected.id_element().to_vec());
    let values = pending.expected.row.values(node);
    let row = SourceRow {
        table: node.table.name.to_string(),
        key: names::key_of(node, &pending.expected.row),
    };
    Some(StoredFinding {
        finding: Finding {
            number: run.progress.number(),
            kind,
            collection: plan.name.clone(),
            key: extended_id(pending.expected.id_element()),
            path: first.as_ref().map(|d| d.path.clone()),
            expected: first.as_ref().and_then(|d| d.expected.clone()),
            found: first.as_ref().and_then(|d| d.found.clone()),
            differences,
            rows: vec![row],
            found_at: Utc::now(),
            is_repaired: false,
        },
        id,
        row: (!values.is_empty()).then_some((root, values)),
    })
}
