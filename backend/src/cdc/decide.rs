//! Decides what a batch asks for: which keys are climbed, which roots are rebuilt and which need not be. It neither
//! reads nor writes: that is up to the [`Ground`], so that the same decisions can be tried on tables in memory.

use super::collect::Batch;
use super::error::CdcError;
use super::ground::{Ground, RefusedKey, RootKeys};
use super::rebuild::RootPlace;
use super::state::{RefusedRoot, StreamState};
use crate::plan::Plan;
use crate::plan::routes::{Arrival, Route, decode_key, encode_key};
use crate::source::postgres::reader::TransactionSet;
use crate::source::postgres::replication::Lsn;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// A key that no transaction of the batch brought: it counts as brought by the last one.
pub const BROUGHT_LAST: u32 = u32::MAX;

/// How much is held at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Keys of one question to the source.
    pub keys_at_once: usize,
    /// Root keys that are held; then they are rebuilt, and more are looked for.
    pub roots_at_once: usize,
    /// Roots of one batch of which it is remembered that they were read.
    pub journal_max: usize,
    /// Documents that MongoDB refused and that are tried again with every batch.
    pub refused_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            keys_at_once: 2_000,
            roots_at_once: 20_000,
            journal_max: 200_000,
            refused_max: 10_000,
        }
    }
}

/// Which roots were read in the point in time before: a root that was, and whose changes that point contained, is as it
/// should be already.
#[derive(Debug, Default)]
struct Journal {
    transactions: Option<TransactionSet>,
    roots: HashSet<u128>,
}

/// See the module. One lives as long as a stream: the next one starts from the last checkpoint and knows nothing.
#[derive(Debug)]
pub struct Decider {
    plan: Arc<Plan>,
    routes: Arc<Vec<Route>>,
    limits: Limits,
    journal: Journal,
}

/// Roots of one root rule that are looked for, and rebuilt whenever enough have come together.
struct Sweep<'a, G> {
    decider: &'a Decider,
    ground: &'a G,
    state: &'a mut StreamState,
    place: RootPlace,
    open: Vec<Vec<u8>>,
    /// All that are rebuilt or about to be.
    seen: HashSet<u128>,
}

impl Decider {
    pub fn new(plan: Arc<Plan>, routes: Arc<Vec<Route>>, limits: Limits) -> Self {
        Self {
            plan,
            routes,
            limits,
            journal: Journal::default(),
        }
    }

    /// Applies a batch. When it returns, everything of it is durable in the destination, and `state` says so; it is not
    /// stored yet.
    ///
    /// # Errors
    /// When anything fails. Nothing of the batch counts then, and neither does `state`. It is applied again: at once,
    /// with the state as it was, or from the last checkpoint by another decider.
    pub async fn apply<G: Ground>(
        &mut self,
        ground: &G,
        batch: &Batch,
        state: &mut StreamState,
    ) -> Result<(), CdcError> {
        // Before anything is refused anew. What is read again as a whole needs no second try.
        let retries = self.take_refused(state);
        let refreshed = self.refresh_truncated(ground, batch, state).await?;
        let roots = self.rebuild_changed(ground, batch, state, &refreshed, retries).await?;
        ground.make_durable().await?;
        state.position = state.position.max(Lsn(batch.end));
        self.journal = Journal {
            transactions: Some(ground.transactions().clone()),
            roots,
        };
        Ok(())
    }

    /// Reads the collections again that hold rows of truncated tables, and returns them.
    async fn refresh_truncated<G: Ground>(
        &self,
        ground: &G,
        batch: &Batch,
        state: &mut StreamState,
    ) -> Result<BTreeSet<usize>, CdcError> {
        let tables = self.plan.tables();
        let mut truncated = batch.truncated.clone();
        if batch.has_unknown {
            // It was a partition of one of them.
            truncated.extend((0..tables.len()).filter(|t| tables[*t].is_partitioned));
        }
        let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
        for table in truncated {
            for route in self.routes.iter().filter(|r| r.table == table) {
                reasons
                    .entry(route.collection)
                    .or_insert_with(|| format!("{} was truncated", tables[table].name));
            }
        }
        let mut done = BTreeSet::new();
        for (collection, reason) in reasons {
            let foreign = foreign_of(state, &self.plan.collections[collection].name);
            let refused = ground.refresh(collection, foreign, &reason).await?;
            self.remember_refused(refused, state);
            done.insert(collection);
        }
        Ok(done)
    }

    /// Rebuilds what the batch's keys lead to, and returns which roots those were.
    async fn rebuild_changed<G: Ground>(
        &self,
        ground: &G,
        batch: &Batch,
        state: &mut StreamState,
        refreshed: &BTreeSet<usize>,
        mut retries: HashMap<RootPlace, Vec<Vec<u8>>>,
    ) -> Result<HashSet<u128>, CdcError> {
        // Transactions before this one were contained in the point in time before.
        let known = &self.journal.transactions;
        let unknown = |t: &u32| !known.as_ref().is_some_and(|set| set.contains(*t));
        let first_unknown = batch
            .transactions
            .iter()
            .position(unknown)
            .unwrap_or(batch.transactions.len()) as u32;
        let mut roots = HashSet::new();
        for (collection, plan) in self.plan.collections.iter().enumerate() {
            if refreshed.contains(&collection) {
                continue;
            }
            for root in 0..plan.roots.len() {
                let place = RootPlace { collection, root };
                let mut sweep = Sweep {
                    decider: self,
                    ground,
                    state,
                    place,
                    open: Vec::new(),
                    seen: HashSet::new(),
                };
                sweep.take(retries.remove(&place).unwrap_or_default(), None).await?;
                // First what has to be read in any case, then what may have been read already.
                for is_known in [false, true] {
                    let read = is_known.then_some(&self.journal.roots);
                    for (route, keys) in self.routes.iter().zip(&batch.keys) {
                        if (route.collection, route.root) != (collection, root) {
                            continue;
                        }
                        let keys: Vec<&[u8]> = keys
                            .iter()
                            .filter(|(_, last)| (**last < first_unknown) == is_known)
                            .map(|(key, _)| &**key)
                            .collect();
                        sweep.climb(route, &keys, read).await?;
                    }
                }
                sweep.rebuild().await?;
                roots.extend(sweep.seen);
            }
        }
        if roots.len() > self.limits.journal_max {
            roots.clear();
        }
        Ok(roots)
    }

    /// Forgets what was read: the documents are others now than it knows.
    pub fn forget(&mut self) {
        self.journal = Journal::default();
    }

    /// Roots that are to be tried again with the next batch.
    pub fn remember_refused(&self, refused: Vec<RefusedKey>, state: &mut StreamState) {
        for (place, key) in refused {
            let root = RefusedRoot {
                collection: self.plan.collections[place.collection].name.clone(),
                root: place.root,
                key: decode_key(&key).into_iter().map(|part| part.map(Into::into)).collect(),
            };
            let has_room = state.refused.len() < self.limits.refused_max;
            if !key.is_empty() && has_room && !state.refused.contains(&root) {
                state.refused.push(root);
            }
        }
    }

    fn take_refused(&self, state: &mut StreamState) -> HashMap<RootPlace, Vec<Vec<u8>>> {
        let collections = &self.plan.collections;
        let mut keys: HashMap<RootPlace, Vec<Vec<u8>>> = HashMap::new();
        for RefusedRoot { collection, root, key } in std::mem::take(&mut state.refused) {
            let Some(collection) = collections.iter().position(|c| c.name == collection) else {
                continue;
            };
            if root < collections[collection].roots.len() {
                let key = encode_key(key.iter().map(Option::as_deref));
                keys.entry(RootPlace { collection, root }).or_default().push(key);
            }
        }
        keys
    }
}

impl<G: Ground> Sweep<'_, G> {
    /// Takes the roots that a route leads to, without those that are `read` already.
    async fn climb(&mut self, route: &Route, keys: &[&[u8]], read: Option<&HashSet<u128>>) -> Result<(), CdcError> {
        for keys in keys.chunks(self.decider.limits.keys_at_once) {
            match route.arrival {
                Arrival::Root => self.take(keys.iter().map(|k| k.to_vec()).collect(), read).await?,
                Arrival::Climb => {
                    let mut roots = self.ground.roots_above(route, keys).await?;
                    while let Some(keys) = roots.next().await? {
                        self.take(keys, read).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, keys: Vec<Vec<u8>>, read: Option<&HashSet<u128>>) -> Result<(), CdcError> {
        for key in keys {
            let hash = hash(self.place, &key);
            let is_read = read.is_some_and(|roots| roots.contains(&hash));
            if !is_read && self.seen.insert(hash) {
                self.open.push(key);
            }
        }
        if self.open.len() >= self.decider.limits.roots_at_once {
            self.rebuild().await?;
        }
        Ok(())
    }

    async fn rebuild(&mut self) -> Result<(), CdcError> {
        let open = std::mem::take(&mut self.open);
        if open.is_empty() {
            return Ok(());
        }
        let refused = self.ground.rebuild(self.place, open).await?;
        self.decider.remember_refused(refused, self.state);
        Ok(())
    }
}

/// How many documents a collection holds that are not the job's.
pub fn foreign_of(state: &StreamState, collection: &str) -> u64 {
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
