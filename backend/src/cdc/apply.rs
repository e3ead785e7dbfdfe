//! Applies one batch: everything it may touch is read in one point in time that contains it, and written.

use super::climb::{Climb, keys_of};
use super::collect::Batch;
use super::error::CdcError;
use super::point;
use super::rebuild::{Context, RootPlace, rebuild, settle_refused};
use super::refresh::refresh;
use super::schema::{affected, is_small};
use super::state::{RefusedRoot, StreamState};
use crate::plan::routes::{Route, decode_key, encode_key};
use crate::source::postgres::reader::{PgSnapshot, TransactionSet};
use crate::source::postgres::replication::Lsn;
use crate::source::postgres::watch::{SchemaChange, read_state};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Root keys that are held at once; then they are rebuilt, and more are looked for.
const ROOTS_AT_ONCE: usize = 20_000;
/// Roots of one batch of which it is remembered that they were read.
const JOURNAL_MAX: usize = 200_000;
/// Documents that MongoDB refused and that are tried again with every batch.
const REFUSED_MAX: usize = 10_000;
/// A key that no transaction of the batch brought: it counts as brought by the last one.
const BROUGHT_LAST: u32 = u32::MAX;

/// Applies batches, one after the other.
pub struct Applier {
    pub context: Context,
    pub routes: Arc<Vec<Route>>,
    /// Columns that the plan reads of each table.
    pub columns: Vec<Vec<String>>,
    pub publication: String,
    /// Its connections go from one point in time to the next.
    point: Option<PgSnapshot>,
    journal: Journal,
}

/// Which roots were read in the point in time before: a root that was, and whose changes that point contained, is as it
/// should be already.
#[derive(Default)]
struct Journal {
    transactions: Option<TransactionSet>,
    roots: HashSet<u128>,
}

/// Roots that are found for one root rule.
struct Found {
    open: Vec<Vec<u8>>,
    /// All that were handed on or found to need nothing.
    seen: HashSet<u128>,
}

impl Applier {
    pub fn new(context: Context, routes: Arc<Vec<Route>>, columns: Vec<Vec<String>>, publication: String) -> Self {
        Self {
            context,
            routes,
            columns,
            publication,
            point: None,
            journal: Journal::default(),
        }
    }

    /// Applies a batch. When it returns, everything of it is durable in the destination, and `state` says so; it is not
    /// stored yet.
    ///
    /// # Errors
    /// When anything fails. Nothing of the batch counts then: it comes again from the last checkpoint.
    pub async fn apply(&mut self, batch: &mut Batch, state: &mut StreamState) -> Result<(), CdcError> {
        let meter = self.context.meter.clone();
        meter.begins(batch.oldest);
        let tables = self.context.plan.tables();
        let tell = |notice| meter.notice(notice);
        let previous = self.point.take();
        let source = self.context.source.clone();
        let point = point::containing(&source, previous, &tables, &batch.transactions, tell).await?;
        let now = read_state(point.holder(), &tables, &self.columns, &self.publication).await?;
        let changes = state.schema.changes_to(&now);
        if !changes.iter().all(is_small) {
            return Err(CdcError::Schema(changes));
        }
        for change in &changes {
            self.take_in_leaves(&point, change, batch).await?;
        }
        state.schema = now;
        let point = Arc::new(point);
        let refreshed = self.refresh_truncated(&point, batch, state).await?;
        self.rebuild_changed(&point, batch, state, &refreshed).await?;
        self.context.sink.make_durable().await?;
        state.position = state.position.max(Lsn(batch.end));
        self.journal.transactions = Some(point.transactions().clone());
        self.point = Arc::into_inner(point);
        Ok(())
    }

    /// The rows of new partitions count as inserted.
    async fn take_in_leaves(
        &self,
        point: &PgSnapshot,
        change: &SchemaChange,
        batch: &mut Batch,
    ) -> Result<(), CdcError> {
        let SchemaChange::LeavesAdded { table, leaves } = change else {
            return Ok(());
        };
        let reader = point.reader().await?;
        for (number, route) in self.routes.iter().enumerate().filter(|(_, r)| r.table == *table) {
            let table = &self.context.plan.tables()[*table];
            for leaf in leaves.iter().filter(|l| l.size_bytes > 0) {
                let mut stream = reader.stream_values(table, Some(&leaf.name), &route.columns).await?;
                while let Some(rows) = stream.next_rows(10_000, 4 << 20).await? {
                    for key in keys_of(&rows)? {
                        let leads_nowhere = !route.path.is_empty() && decode_key(&key).contains(&None);
                        if !leads_nowhere {
                            batch.keys[number].insert(key.into(), BROUGHT_LAST);
                        }
                    }
                }
            }
        }
        point.give_back(reader);
        Ok(())
    }

    async fn refresh_truncated(
        &self,
        point: &Arc<PgSnapshot>,
        batch: &Batch,
        state: &mut StreamState,
    ) -> Result<BTreeSet<usize>, CdcError> {
        let tables = self.context.plan.tables();
        let mut truncated = batch.truncated.clone();
        if batch.has_unknown {
            // It was a partition of one of them.
            truncated.extend((0..tables.len()).filter(|t| tables[*t].is_partitioned));
        }
        let mut done = BTreeSet::new();
        let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
        for table in truncated {
            for route in self.routes.iter().filter(|r| r.table == table) {
                reasons
                    .entry(route.collection)
                    .or_insert_with(|| format!("{} was truncated", tables[table].name));
            }
        }
        for (collection, reason) in reasons {
            let foreign = foreign_of(state, &self.context.plan.collections[collection].name);
            let refused = refresh(&self.context, point, collection, foreign, &reason).await?;
            self.settle(refused, state).await?;
            done.insert(collection);
        }
        Ok(done)
    }

    async fn rebuild_changed(
        &mut self,
        point: &Arc<PgSnapshot>,
        batch: &Batch,
        state: &mut StreamState,
        refreshed: &BTreeSet<usize>,
    ) -> Result<(), CdcError> {
        // Transactions before this one were contained in the point in time before.
        let known = &self.journal.transactions;
        let unknown = |t: &u32| !known.as_ref().is_some_and(|set| set.contains(*t));
        let first_unknown = batch
            .transactions
            .iter()
            .position(unknown)
            .unwrap_or(batch.transactions.len()) as u32;
        let mut journal = HashSet::new();
        let mut retries: HashMap<RootPlace, Vec<Vec<u8>>> = HashMap::new();
        for refused in std::mem::take(&mut state.refused) {
            if let Some(place) = self.place_of(&refused) {
                let key = encode_key(refused.key.iter().map(Option::as_deref));
                retries.entry(place).or_default().push(key);
            }
        }
        for (collection, plan) in self.context.plan.clone().collections.iter().enumerate() {
            if refreshed.contains(&collection) {
                continue;
            }
            for root in 0..plan.roots.len() {
                let place = RootPlace { collection, root };
                let mut found = Found {
                    open: Vec::new(),
                    seen: HashSet::new(),
                };
                for key in retries.remove(&place).unwrap_or_default() {
                    found.add(place, key);
                }
                // First what has to be read in any case, then what may have been read already.
                for is_known in [false, true] {
                    for (number, route) in self.routes.iter().enumerate() {
                        if (route.collection, route.root) != (collection, root) {
                            continue;
                        }
                        let keys: Vec<&[u8]> = batch.keys[number]
                            .iter()
                            .filter(|(_, last)| (**last < first_unknown) == is_known)
                            .map(|(key, _)| &**key)
                            .collect();
                        self.climb(point, route, &keys, is_known, place, &mut found, state)
                            .await?;
                    }
                }
                let open = std::mem::take(&mut found.open);
                self.rebuild_some(point, place, open, state).await?;
                journal.extend(found.seen);
            }
        }
        if journal.len() > JOURNAL_MAX {
            journal.clear();
        }
        self.journal.roots = journal;
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "one loop of the function above")]
    async fn climb(
        &self,
        point: &Arc<PgSnapshot>,
        route: &Route,
        keys: &[&[u8]],
        is_known: bool,
        place: RootPlace,
        found: &mut Found,
        state: &mut StreamState,
    ) -> Result<(), CdcError> {
        if keys.is_empty() {
            return Ok(());
        }
        let reader = point.reader().await?;
        let mut climb = Climb::new(&self.context.plan, route, keys);
        while let Some(roots) = climb.next(&reader).await? {
            for key in roots {
                if is_known && self.journal.roots.contains(&hash(place, &key)) {
                    continue;
                }
                found.add(place, key);
            }
            if found.open.len() >= ROOTS_AT_ONCE {
                let open = std::mem::take(&mut found.open);
                self.rebuild_some(point, place, open, state).await?;
            }
        }
        point.give_back(reader);
        Ok(())
    }

    async fn rebuild_some(
        &self,
        point: &Arc<PgSnapshot>,
        place: RootPlace,
        keys: Vec<Vec<u8>>,
        state: &mut StreamState,
    ) -> Result<(), CdcError> {
        if keys.is_empty() {
            return Ok(());
        }
        let refused = rebuild(&self.context, point, place, keys).await?;
        self.settle(refused, state).await
    }

    async fn settle(
        &self,
        refused: Vec<super::rebuild::RefusedDocument>,
        state: &mut StreamState,
    ) -> Result<(), CdcError> {
        if refused.is_empty() {
            return Ok(());
        }
        for (place, key) in settle_refused(&self.context, refused).await? {
            let root = RefusedRoot {
                collection: self.context.collection(place).name.clone(),
                root: place.root,
                key: decode_key(&key).into_iter().map(|part| part.map(Into::into)).collect(),
            };
            if !key.is_empty() && state.refused.len() < REFUSED_MAX && !state.refused.contains(&root) {
                state.refused.push(root);
            }
        }
        Ok(())
    }

    fn place_of(&self, refused: &RefusedRoot) -> Option<RootPlace> {
        let collections = &self.context.plan.collections;
        let collection = collections.iter().position(|c| c.name == refused.collection)?;
        (refused.root < collections[collection].roots.len()).then_some(RootPlace {
            collection,
            root: refused.root,
        })
    }

    /// Reads the collections again that changes of the schema may have touched, in a new point in time, with a plan
    /// that fits it. Returns nothing of the changes to do when it is done.
    ///
    /// # Errors
    /// As [`Applier::apply`].
    pub async fn refresh_after(&mut self, changes: &[SchemaChange], state: &mut StreamState) -> Result<(), CdcError> {
        let tables = self.context.plan.tables();
        let point = PgSnapshot::begin(&self.context.source, &tables).await?;
        let now = read_state(point.holder(), &tables, &self.columns, &self.publication).await?;
        let newer = state.schema.changes_to(&now);
        let all: Vec<SchemaChange> = changes.iter().chain(&newer).cloned().collect();
        let point = Arc::new(point);
        for (name, reason) in affected(&self.context.plan, &all) {
            let Some(collection) = self.context.plan.collections.iter().position(|c| c.name == name) else {
                continue;
            };
            let foreign = foreign_of(state, &name);
            let refused = refresh(&self.context, &point, collection, foreign, &reason).await?;
            self.settle(refused, state).await?;
        }
        self.context.sink.make_durable().await?;
        state.schema = now;
        self.journal = Journal::default();
        Ok(())
    }
}

impl Found {
    fn add(&mut self, place: RootPlace, key: Vec<u8>) {
        if self.seen.insert(hash(place, &key)) {
            self.open.push(key);
        }
    }
}

fn foreign_of(state: &StreamState, collection: &str) -> u64 {
    let held = state.foreign.iter().find(|(name, _)| name == collection);
    held.map_or(0, |(_, count)| *count)
}

/// Stands for a root: two roots would have to agree in 128 bits to be taken for one.
fn hash(place: RootPlace, key: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(place.collection as u64).to_le_bytes());
    hasher.update(&(place.root as u64).to_le_bytes());
    hasher.update(key);
    let bytes: [u8; 16] = hasher.finalize().as_bytes()[..16]
        .try_into()
        .expect("a hash has 32 bytes");
    u128::from_le_bytes(bytes)
}
