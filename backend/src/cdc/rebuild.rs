//! Documents of some roots are assembled again and replaced, or deleted where there is none any more.

use super::claims;
use super::error::CdcError;
use super::statistics::CdcMeter;
use crate::assemble::Assembled;
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::Progress;
use crate::documents::ChildReader;
use crate::documents::by_key::{Counted, Rebuilt, assemble_keys};
use crate::hooks;
use crate::plan::routes::{decode_key, encode_key};
use crate::plan::{CollectionPlan, Plan, RootPlan};
use crate::sink::Sink;
use crate::source::SourceError;
use crate::source::api::Snapshot;
use crate::source::change_log::ChangeLog;
use crate::store::JobStore;
use godwit_shared::ids::JobId;
use godwit_shared::job::EventStage;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Roots of a piece until the size of the documents is known.
const PIECE_ROOTS_FIRST: usize = 100;
const PIECE_ROOTS_MAX: usize = 1_000;
/// Bytes of documents that a piece should come to.
const PIECE_BYTES: usize = 4 << 20;
/// Equal rows that are looked for at once beyond those that there are.
const SURPLUS_AT_ONCE: u32 = 64;

/// What everybody who rebuilds needs.
#[derive(Clone)]
pub struct Context {
    pub job: JobId,
    pub plan: Arc<Plan>,
    pub log: Arc<dyn ChangeLog>,
    pub sink: Sink,
    pub store: JobStore,
    pub progress: Arc<Progress>,
    pub meter: Arc<CdcMeter>,
    pub cancel: CancellationToken,
    /// How many pieces are worked on at the same time: fewer where the source gives fewer connections.
    pub lanes: Arc<AtomicUsize>,
    /// A pause wants to begin: no piece is begun any more.
    pub halt: Arc<AtomicBool>,
    /// Set while a collection is read as a whole: what is written is remembered, to find what is too much.
    pub remembers_written: bool,
    /// Bytes of a document, averaged over the newest ones, by collection and root.
    pub sizes: Arc<Mutex<HashMap<(usize, usize), usize>>>,
}

/// A root of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootPlace {
    pub collection: usize,
    pub root: usize,
}

/// A document that MongoDB did not take, though it may later: another one has its values in a unique index.
#[derive(Debug)]
pub struct RefusedDocument {
    pub place: RootPlace,
    pub document: Assembled,
}

impl Context {
    pub fn collection(&self, place: RootPlace) -> &CollectionPlan {
        &self.plan.collections[place.collection]
    }

    pub fn root(&self, place: RootPlace) -> &RootPlan {
        &self.collection(place).roots[place.root]
    }

    fn piece_roots(&self, place: RootPlace) -> usize {
        let sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (place.collection, place.root);
        sizes.get(&key).map_or(PIECE_ROOTS_FIRST, |size| {
            (PIECE_BYTES / (*size).max(1)).clamp(1, PIECE_ROOTS_MAX)
        })
    }

    fn note_size(&self, place: RootPlace, documents: &[Assembled]) {
        let bytes: usize = documents.iter().map(|d| d.bson.len()).sum();
        if let Some(mean) = bytes.checked_div(documents.len()) {
            let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
            let size = sizes.entry((place.collection, place.root)).or_insert(mean);
            // A larger document counts at once, a smaller one slowly.
            *size = if mean > *size { mean } else { (*size * 3 + mean) / 4 };
        }
    }

    /// Takes issues into the job's log.
    pub fn report(&self, issues: impl IntoIterator<Item = Issue>) -> Result<(), CdcError> {
        Ok(self.progress.report(issues, EventStage::Streaming)?)
    }
}

/// Keys that were rebuilt together, and what became of them.
type Piece = (Vec<Vec<u8>>, Result<Vec<RefusedDocument>, CdcError>);

fn fewer_connections() -> Issue {
    Issue {
        kind: IssueKind::Note,
        location: Location::Job,
        field: None,
        message: "the source gives fewer connections than the job would use: it goes on with those it has".into(),
        key: Vec::new(),
    }
}

/// Rebuilds the documents of these keys, several pieces at a time. Returns those that MongoDB did not take.
///
/// # Errors
/// The first error of any piece: nothing is known of the keys then, and all are to be rebuilt again.
pub async fn rebuild(
    context: &Context,
    point: &Arc<dyn Snapshot>,
    place: RootPlace,
    mut keys: Vec<Vec<u8>>,
) -> Result<Vec<RefusedDocument>, CdcError> {
    let mut refused = Vec::new();
    if context.collection(place).needs_claims {
        claims::rebuild(context, &**point, place, keys, &mut refused).await?;
        return Ok(refused);
    }
    let mut pieces: JoinSet<Piece> = JoinSet::new();
    while !keys.is_empty() || !pieces.is_empty() {
        let is_halted = context.halt.load(Ordering::Relaxed);
        let lanes = context.lanes.load(Ordering::Relaxed).max(1);
        while !is_halted && !keys.is_empty() && pieces.len() < lanes {
            // All lanes have something to do, also when there are few.
            let fair = keys.len().div_ceil(lanes - pieces.len());
            let count = context.piece_roots(place).min(fair.max(16)).min(keys.len());
            let piece = keys.split_off(keys.len() - count);
            let (context, point) = (context.clone(), point.clone());
            pieces.spawn(async move {
                let ended = rebuild_piece(&context, &*point, place, &piece).await;
                (piece, ended)
            });
        }
        match pieces.join_next().await {
            Some(Ok((piece, Err(CdcError::Source(SourceError::TooManyConnections { .. }))))) if lanes > 1 => {
                // The others go on with what they have.
                let fewer = (lanes - 1).min(pieces.len().max(1));
                context.lanes.fetch_min(fewer, Ordering::Relaxed);
                context.report([fewer_connections()])?;
                keys.extend(piece);
            }
            Some(Ok((_, ended))) => refused.extend(ended?),
            Some(Err(error)) => {
                return Err(CdcError::Panicked(format!("a worker: {error}")));
            }
            None => break,
        }
    }
    if keys.is_empty() {
        Ok(refused)
    } else {
        Err(CdcError::Halted)
    }
}

async fn rebuild_piece(
    context: &Context,
    point: &dyn Snapshot,
    place: RootPlace,
    keys: &[Vec<u8>],
) -> Result<Vec<RefusedDocument>, CdcError> {
    let root = context.root(place);
    let rebuilt = assemble(context, point, place, keys).await?;
    hooks::hold(hooks::WRITE).await;
    let mut gone = rebuilt.gone.clone();
    for counted in &rebuilt.counted {
        gone.extend(surplus(context, place, root, &rebuilt, *counted).await?);
    }
    // Deletions come first: keys that are written differently may be one `_id` to MongoDB.
    delete(context, place, &gone).await?;
    write(context, place, rebuilt.documents).await
}

/// Assembles in the point in time, and gives the connection back for the next.
pub async fn assemble(
    context: &Context,
    point: &dyn Snapshot,
    place: RootPlace,
    keys: &[Vec<u8>],
) -> Result<Rebuilt, CdcError> {
    let decoded: Vec<Vec<Option<&str>>> = keys.iter().map(|k| decode_key(k)).collect();
    let mut reader = ChildReader::new(point);
    let mut rebuilt = assemble_keys(context.root(place), &mut reader, &decoded).await?;
    reader.give_back();
    context.report(std::mem::take(&mut rebuilt.issues))?;
    context.note_size(place, &rebuilt.documents);
    context
        .meter
        .rebuilt(&context.collection(place).name, keys.len() as u64);
    Ok(rebuilt)
}

/// Documents of equal rows are numbered; those beyond the present number are too many. They end where none is found,
/// for they are deleted from the highest down.
async fn surplus(
    context: &Context,
    place: RootPlace,
    root: &RootPlan,
    rebuilt: &Rebuilt,
    counted: Counted,
) -> Result<Vec<Vec<u8>>, CdcError> {
    let mut found = Vec::new();
    let mut from = counted.count;
    loop {
        let wanted = rebuilt.ids_of(root, counted, from..from + SURPLUS_AT_ONCE);
        let present = context.sink.present(&context.collection(place).name, &wanted).await?;
        found.extend(wanted.into_iter().filter(|id| present.contains(id)));
        if present.len() < SURPLUS_AT_ONCE as usize {
            break;
        }
        from += SURPLUS_AT_ONCE;
    }
    found.reverse();
    Ok(found)
}

pub async fn delete(context: &Context, place: RootPlace, ids: &[Vec<u8>]) -> Result<(), CdcError> {
    if !ids.is_empty() {
        let name = &context.collection(place).name;
        let deleted = context.sink.delete(name, ids, &context.cancel).await?;
        context.meter.deleted(&context.collection(place).name, deleted);
    }
    Ok(())
}

/// Replaces or inserts. What MongoDB refuses for itself is an issue of its row; what it refuses because of another
/// document is handed back.
pub async fn write(
    context: &Context,
    place: RootPlace,
    documents: Vec<Assembled>,
) -> Result<Vec<RefusedDocument>, CdcError> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let name = &context.collection(place).name;
    let report = context.sink.write(name, &documents, true, &context.cancel).await?;
    if context.remembers_written {
        let hashes: Vec<String> = documents.iter().map(|d| hash_of(d.id_element())).collect();
        context.store.remember_written(&context.job, name, &hashes).await?;
    }
    let (duplicates, others): (Vec<_>, Vec<_>) = report.refused.into_iter().partition(|r| r.is_duplicate);
    for refused in others {
        let document = &documents[refused.index];
        // What was there is of an older state: as in a snapshot, the row has no document.
        delete(context, place, &[document.id_element().to_vec()]).await?;
        context.report([refused_issue(context, place, document, refused.reason)])?;
    }
    let wanted: HashSet<usize> = duplicates.iter().map(|r| r.index).collect();
    Ok(documents
        .into_iter()
        .enumerate()
        .filter(|(i, _)| wanted.contains(i))
        .map(|(_, document)| RefusedDocument { place, document })
        .collect())
}

/// Stands for an `_id` among what a refresh has written.
pub fn hash_of(id_element: &[u8]) -> String {
    blake3::hash(id_element).to_hex()[..32].to_owned()
}

/// Documents whose values another one has in a unique index: when all of a batch is written, the other one may have
/// others. Two that change places do so by going both at once. Returns the keys of those that still do not fit.
///
/// # Errors
/// When the destination fails.
pub async fn settle_refused(
    context: &Context,
    refused: Vec<RefusedDocument>,
) -> Result<Vec<(RootPlace, Vec<u8>)>, CdcError> {
    let mut by_place: HashMap<RootPlace, Vec<Assembled>> = HashMap::new();
    for r in refused {
        by_place.entry(r.place).or_default().push(r.document);
    }
    let mut open = Vec::new();
    for (place, documents) in by_place {
        let again = write(context, place, documents).await?;
        let ids: Vec<Vec<u8>> = again.iter().map(|r| r.document.id_element().to_vec()).collect();
        delete(context, place, &ids).await?;
        let left = write(context, place, again.into_iter().map(|r| r.document).collect()).await?;
        for r in left {
            let reason = "another document has the same values in a unique index".to_owned();
            context.report([refused_issue(context, place, &r.document, reason)])?;
            open.push((place, key_of(context.root(place), &r.document)));
        }
    }
    Ok(open)
}

/// The root key of a document; empty where it cannot be asked for.
fn key_of(root: &RootPlan, document: &Assembled) -> Vec<u8> {
    encode_key(document.row.values(&root.node).iter().map(Option::as_deref))
}

fn refused_issue(context: &Context, place: RootPlace, document: &Assembled, message: String) -> Issue {
    Issue {
        kind: IssueKind::WriteRefused,
        location: Location::Table(context.root(place).node.table.name.to_string()),
        field: None,
        message,
        key: document.row.printed(&context.root(place).node),
    }
}
