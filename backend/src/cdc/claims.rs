//! Collections in which two rows may come to one `_id`: an `_id` belongs to the row that had it first, until that row
//! goes; then the next one gets it. They are rebuilt one piece after the other.
//!
//! The order makes every step repeatable after a crash: a document that no row of its piece takes over goes before its
//! claim does, a claim is there before its document, and a row waits in the store until it has been looked at again: what
//! waits for an `_id` that is free is found when the stream is opened anew ([`Store::ready_contenders`]). A document whose
//! `_id` passes to another row of the piece is replaced, so that nobody sees the collection without it.
//!
//! [`Store::ready_contenders`]: crate::store::Store::ready_contenders

use super::error::CdcError;
use super::rebuild::{Context, RefusedDocument, RootPlace, assemble, delete, write};
use crate::assemble::Assembled;
use crate::data::issue::{Issue, IssueKind, Location};
use crate::documents::by_key::Rebuilt;
use crate::hooks;
use crate::plan::routes::encode_key;
use crate::source::api::Snapshot;
use crate::store::{Claim, Contender};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

const PIECE_ROOTS: usize = 200;
/// Numbers of equal rows whose claims are looked for beyond those that there are.
const NUMBERS_AT_ONCE: u32 = 64;

/// Rebuilds keys of one root, and of other roots of the collection what waited for an `_id` that became free.
pub async fn rebuild(
    context: &Context,
    point: &dyn Snapshot,
    place: RootPlace,
    keys: Vec<Vec<u8>>,
    refused: &mut Vec<RefusedDocument>,
) -> Result<(), CdcError> {
    let mut open: Vec<(RootPlace, Vec<Vec<u8>>)> = keys
        .chunks(PIECE_ROOTS)
        .rev()
        .map(|piece| (place, piece.to_vec()))
        .collect();
    while let Some((place, piece)) = open.pop() {
        if context.halt.load(Ordering::Relaxed) {
            return Err(CdcError::Halted);
        }
        let rebuilt = assemble(context, point, place, &piece).await?;
        let waiting = piece_with_claims(context, place, &piece, rebuilt, refused).await?;
        for contender in waiting {
            let key = key_of_contender(&context.collection(place).name, &contender)?;
            let place = RootPlace {
                root: contender.root,
                ..place
            };
            open.push((place, vec![key]));
        }
    }
    Ok(())
}

/// The key of a row that waits, in the form of [`encode_key`].
///
/// # Errors
/// Rows of a table without a primary key cannot be looked for where one of their values has no printed form.
pub fn key_of_contender(collection: &str, contender: &Contender) -> Result<Vec<u8>, CdcError> {
    if contender.key.is_empty() {
        return Err(CdcError::Blocked(format!(
            "an `_id` of \"{collection}\" became free that a row wants which cannot be looked for: its table has no primary key, and the row holds a value that has no printed form"
        )));
    }
    Ok(encode_key(contender.key.iter().map(Option::as_deref)))
}

/// Returns the rows that wait for an `_id` that is free now.
async fn piece_with_claims(
    context: &Context,
    place: RootPlace,
    keys: &[Vec<u8>],
    rebuilt: Rebuilt,
    refused: &mut Vec<RefusedDocument>,
) -> Result<Vec<Contender>, CdcError> {
    let collection = &context.collection(place).name;
    let owners = owners_of(context, place, &rebuilt).await?;
    let had = context.store.claims_of(&context.job, collection, &owners).await?;
    let root = context.root(place);
    let documents = rebuilt.documents.iter();
    let wanted: HashMap<i64, &[u8]> = documents.map(|d| (d.row.owner(root), d.id_element())).collect();
    let given_back: Vec<Vec<u8>> = had
        .into_iter()
        .filter(|(owner, id)| wanted.get(owner) != Some(&id.as_slice()))
        .map(|(_, id)| id)
        .collect();
    let taken_over: HashSet<&[u8]> = wanted.values().copied().collect();
    let vacated: Vec<Vec<u8>> = (given_back.iter())
        .filter(|id| !taken_over.contains(id.as_slice()))
        .cloned()
        .collect();
    delete(context, place, &vacated).await?;
    delete(context, place, &unclaimed(context, place, &rebuilt.gone).await?).await?;
    let waiting = context.store.release(&context.job, collection, &given_back).await?;
    hooks::hold(hooks::CLAIMS).await;

    let claims: Vec<Claim> = rebuilt.documents.iter().map(|d| Claim::of(root, d)).collect();
    let granted = context.store.claim(&context.job, collection, &claims).await?;
    let mut kept = Vec::with_capacity(rebuilt.documents.len());
    let mut still_waiting = Vec::new();
    for (document, is_granted) in rebuilt.documents.into_iter().zip(granted) {
        if is_granted {
            kept.push(document);
            continue;
        }
        let contender = Contender::of(root, place.root, &document);
        let id = document.id_element();
        context.store.contend(&context.job, collection, id, &contender).await?;
        context.report([duplicate(context, place, &document)])?;
        still_waiting.push((id.to_vec(), contender.owner));
    }
    refused.extend(write(context, place, kept).await?);
    let store = &context.store;
    store
        .settle_contenders(&context.job, collection, &owners, &still_waiting)
        .await?;
    // What waits and is in this piece has been looked at with it.
    let done: HashSet<&Vec<u8>> = keys.iter().collect();
    Ok(waiting
        .into_iter()
        .filter(|c| c.root != place.root || !done.contains(&encode_key(c.key.iter().map(Option::as_deref))))
        .collect())
}

/// Of `_id`s that keys say and no document has, those that no row has either: documents from before the job, where it
/// began without a snapshot. In a collection of several roots they may be of a row of another root.
async fn unclaimed(context: &Context, place: RootPlace, gone: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, CdcError> {
    let collection = context.collection(place);
    if gone.is_empty() || collection.roots.len() > 1 {
        return Ok(Vec::new());
    }
    let claimed = context.store.claimed(&context.job, &collection.name, gone).await?;
    let places = gone.iter().zip(claimed);
    Ok(places
        .filter(|(_, is_claimed)| !is_claimed)
        .map(|(id, _)| id.clone())
        .collect())
}

/// What stands for the rows of the keys. Equal rows of a table without a primary key are several.
async fn owners_of(context: &Context, place: RootPlace, rebuilt: &Rebuilt) -> Result<Vec<i64>, CdcError> {
    let root = context.root(place);
    let collection = &context.collection(place).name;
    let mut owners = rebuilt.owners(root);
    for counted in &rebuilt.counted {
        let mut from = 0;
        loop {
            let to = from + counted.count.max(NUMBERS_AT_ONCE);
            let more: Vec<i64> = rebuilt.owners_of(root, *counted, from..to);
            let had = context.store.claims_of(&context.job, collection, &more).await?;
            owners.extend(more);
            if had.len() < (to - from) as usize {
                break;
            }
            from = to;
        }
    }
    Ok(owners)
}

fn duplicate(context: &Context, place: RootPlace, document: &Assembled) -> Issue {
    Issue {
        kind: IssueKind::DuplicateId,
        location: Location::Table(context.root(place).node.table.name.to_string()),
        field: None,
        message: format!(
            "another row has the same `_id` in \"{}\"",
            context.collection(place).name
        ),
        key: document.row.printed(&context.root(place).node),
    }
}
