//! Decides what a batch asks for: which keys are climbed, which roots are rebuilt and which need not be. It neither
//! reads nor writes: that is up to the [`Ground`], so that the same decisions can be tried on tables in memory.

use super::collect::Batch;
use super::error::CdcError;
use super::ground::{Ground, RefusedKey, RootKeys};
use super::rebuild::RootPlace;
use super::state::{RefusedRoot, StreamState};
use crate::data::position::TransactionId;
use crate::plan::Plan;
use crate::plan::routes::{Arrival, Route, encode_key};
use crate::source::change_log::Contained;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// A key that no transaction of the batch brought: it counts as brought by the last one.
pub const BROUGHT_LAST: u32 = u32::MAX;

/// Roots of one rule that are remembered as found: 50 MB of hashes.
const SEEN_MAX: usize = 1_000_000;

/// How much is held at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Keys of one question to the source.
    pub keys_at_once: usize,
    /// Root keys that are held, in number and bytes; then they are rebuilt, and more are looked for. The more there
    /// are, the closer to each other lie those that are neighbours in the order of their keys.
    pub roots_at_once: usize,
    pub root_bytes_at_once: usize,
    /// Roots of one batch of which it is remembered that they were read.
    pub journal_max: usize,
    /// Documents that MongoDB refused and that are tried again with every batch.
    pub refused_max: usize,
    /// Bytes of the key of one of them, for all are in each checkpoint: without a primary key it is the whole row.
    pub refused_key_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            keys_at_once: 2_000,
            roots_at_once: 200_000,
            root_bytes_at_once: 16 << 20,
            journal_max: 200_000,
            refused_max: 10_000,
            refused_key_bytes_max: 1 << 10,
        }
    }
}

/// Which roots were read in the point in time before: a root that was, and whose changes that point contained, is as it
/// should be already.
#[derive(Debug, Default)]
struct Journal {
    contained: Option<Contained>,
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
    open_bytes: usize,
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
        let refreshed = self.refresh_collections(ground, batch, state).await?;
        let roots = self.rebuild_changed(ground, batch, state, &refreshed, retries).await?;
        ground.make_durable().await?;
        state.position = state.position.max(batch.end);
        self.journal = Journal {
            contained: Some(ground.contained().clone()),
            roots,
        };
        Ok(())
    }

    /// Reads the collections again that changed in a way no key tells of, and returns them.
    async fn refresh_collections<G: Ground>(
        &self,
        ground: &G,
        batch: &Batch,
        state: &mut StreamState,
    ) -> Result<BTreeSet<usize>, CdcError> {
        let tables = self.plan.tables();
        // What was changed in a relation that is gone was a partition of one of them.
        let partitioned = (0..tables.len()).filter(|t| batch.has_unknown && tables[*t].is_partitioned);
        let truncated = batch.truncated.iter().map(|t| (*t, "was truncated"));
        let all = truncated
            .chain(batch.rewritten.iter().map(|(t, what)| (*t, *what)))
            .chain(partitioned.map(|t| (t, "has lost a partition")));
        let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
        for (table, collection) in &batch.images_too_small {
            let reason = format!("{} was changed without old values in the log", tables[*table].name);
            reasons.entry(*collection).or_insert(reason);
        }
        for (table, what) in all {
            for route in self.routes.iter().filter(|r| r.table == table) {
                reasons
                    .entry(route.collection)
                    .or_insert_with(|| format!("{} {what}", tables[table].name));
            }
        }
        let mut done = BTreeSet::new();
        for (collection, reason) in reasons {
            let foreign = state.foreign_of(&self.plan.collections[collection].name);
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
        let known = &self.journal.contained;
        let unknown = |t: &TransactionId| !known.as_ref().is_some_and(|set| set.contains(t));
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
                    open_bytes: 0,
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
            let can_be_kept = !key.is_empty() && key.len() <= self.limits.refused_key_bytes_max;
            if can_be_kept && state.refused.len() < self.limits.refused_max {
                state.try_again(&self.plan.collections[place.collection].name, place.root, &key);
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
                self.open_bytes += key.len();
                self.open.push(key);
            }
        }
        let limits = &self.decider.limits;
        if self.open.len() >= limits.roots_at_once || self.open_bytes >= limits.root_bytes_at_once {
            self.rebuild().await?;
            // Of a very wide fan-out some may be read twice.
            if self.seen.len() > SEEN_MAX {
                self.seen.clear();
            }
        }
        Ok(())
    }

    async fn rebuild(&mut self) -> Result<(), CdcError> {
        let mut open = std::mem::take(&mut self.open);
        self.open_bytes = 0;
        if open.is_empty() {
            return Ok(());
        }
        // Source and destination find neighbours in few pages; in the order of the changes each would be read for
        // itself.
        open.sort_unstable();
        let refused = self.ground.rebuild(self.place, open).await?;
        self.decider.remember_refused(refused, self.state);
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc::collect::Collector;
    use crate::cdc::state::Foreign;
    use crate::data::catalog::CatalogTable;
    use crate::data::change::{ChangeSink, ImageCell, RowChange};
    use crate::data::position::LogPosition;
    use crate::plan::routes::decode_key;
    use crate::plan::{CollectionPlan, IdPlan, Join, Node, NodeKind, RootPlan, Template};
    use crate::source::change_log::{SchemaState, ServerIdentity};
    use crate::source::postgres::reader::TransactionSet;
    use chrono::DateTime;
    use godwit_shared::ids::MappingId;
    use godwit_shared::schema::TableName;
    use std::sync::Mutex;

    /// Notes what is asked for.
    struct Recorder {
        contained: Contained,
        asked: Mutex<Vec<String>>,
        /// Root keys above every key, in pieces.
        above: Vec<Vec<&'static str>>,
        refuses: Option<&'static str>,
        is_lost: bool,
    }

    fn key(text: &str) -> Vec<u8> {
        encode_key([Some(text)])
    }

    fn shown<'k>(keys: impl IntoIterator<Item = &'k [u8]>) -> String {
        let mut keys: Vec<String> = keys.into_iter().map(|k| format!("{:?}", decode_key(k))).collect();
        keys.sort();
        keys.concat()
            .replace("[Some(\"", "")
            .replace("\")]", " ")
            .trim_end()
            .to_owned()
    }

    impl Recorder {
        /// A point in time that contains the transactions below `xmax`.
        fn up_to(xmax: u32) -> Self {
            Self {
                contained: Contained::Numbers(TransactionSet::parse(&format!("{xmax}:{xmax}:")).unwrap()),
                asked: Mutex::default(),
                above: Vec::new(),
                refuses: None,
                is_lost: false,
            }
        }

        fn asked(&self) -> Vec<String> {
            std::mem::take(&mut *self.asked.lock().unwrap())
        }

        fn refused(&self, collection: usize, is_asked: impl Fn(&[u8]) -> bool) -> Vec<RefusedKey> {
            let keys = self.refuses.map(key).into_iter().filter(|key| is_asked(key));
            keys.map(|key| (RootPlace { collection, root: 0 }, key)).collect()
        }
    }

    impl RootKeys for std::vec::IntoIter<Vec<Vec<u8>>> {
        async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, CdcError> {
            Ok(Iterator::next(self))
        }
    }

    impl Ground for Recorder {
        type Roots = std::vec::IntoIter<Vec<Vec<u8>>>;

        fn contained(&self) -> &Contained {
            &self.contained
        }

        async fn roots_above(&self, route: &Route, keys: &[&[u8]]) -> Result<Self::Roots, CdcError> {
            let asked = format!("above {} of table {}", shown(keys.iter().copied()), route.table);
            self.asked.lock().unwrap().push(asked);
            let pieces = self.above.iter().map(|piece| piece.iter().map(|k| key(k)).collect());
            Ok(pieces.collect::<Vec<Vec<Vec<u8>>>>().into_iter())
        }

        async fn rebuild(&self, place: RootPlace, keys: Vec<Vec<u8>>) -> Result<Vec<RefusedKey>, CdcError> {
            let asked = format!("rebuild {}", shown(keys.iter().map(Vec::as_slice)));
            self.asked.lock().unwrap().push(asked);
            Ok(self.refused(place.collection, |key| keys.iter().any(|k| k == key)))
        }

        async fn refresh(
            &self,
            collection: usize,
            foreign: Foreign,
            reason: &str,
        ) -> Result<Vec<RefusedKey>, CdcError> {
            let asked = format!("refresh {collection} beside {foreign:?}: {reason}");
            self.asked.lock().unwrap().push(asked);
            Ok(self.refused(collection, |_| true))
        }

        async fn make_durable(&self) -> Result<(), CdcError> {
            if self.is_lost {
                return Err(CdcError::Blocked("lost".into()));
            }
            Ok(())
        }
    }

    fn node(table: &str, kind: NodeKind, children: Vec<Node>) -> Node {
        let table = CatalogTable {
            ..CatalogTable::new(TableName::new("public", table))
        };
        Node {
            id: 0,
            rule: MappingId::new("r"),
            place: String::new(),
            table: Arc::new(table),
            table_filter: None,
            kind,
            join: (kind != NodeKind::Root).then(|| Join {
                pairs: Vec::new(),
                is_unique: false,
                is_indexed: false,
            }),
            columns: Vec::new(),
            classes: Vec::new(),
            fields: Vec::new(),
            calculated: Vec::new(),
            rule_filter: None,
            order: Vec::new(),
            limit: None,
            children,
            template: Template::default(),
        }
    }

    fn route(table: usize, path: &[usize], arrival: Arrival) -> Route {
        Route {
            collection: 0,
            root: 0,
            table,
            path: path.to_vec(),
            columns: vec![0],
            arrival,
        }
    }

    struct Setup {
        decider: Decider,
        collector: Collector,
        state: StreamState,
    }

    /// Orders (table 0) with their lines (table 1), whose key has to be climbed.
    fn setup() -> Setup {
        let order = node("order", NodeKind::Root, vec![node("line", NodeKind::Array, vec![])]);
        let id = IdPlan::Generated { hash_key: [0; 32] };
        let plan = Plan {
            collections: vec![CollectionPlan {
                name: "orders".into(),
                roots: vec![RootPlan {
                    node: order,
                    id,
                    time_field: None,
                }],
                needs_claims: false,
                time_series: None,
            }],
            node_count: 2,
            script_count: 0,
        };
        let routes = Arc::new(vec![route(0, &[], Arrival::Root), route(1, &[0], Arrival::Climb)]);
        let limits = Limits {
            keys_at_once: 2,
            roots_at_once: 2,
            ..Limits::default()
        };
        let system = ServerIdentity {
            system_id: String::new(),
            timeline: String::new(),
        };
        Setup {
            decider: Decider::new(Arc::new(plan), routes.clone(), limits),
            collector: Collector::new(routes, 2),
            state: StreamState {
                system,
                position: LogPosition(0),
                is_snapshot_done: true,
                schema: SchemaState::Postgresql(Default::default()),
                complete_at: None,
                refused: Vec::new(),
                foreign: vec![("orders".into(), 3)],
                is_without_snapshot: false,
            },
        }
    }

    impl Setup {
        fn transaction(&mut self, number: u32, keys: &[(usize, &str)]) {
            self.collector
                .begin(TransactionId::Number(number), DateTime::UNIX_EPOCH);
            for (table, key) in keys {
                let change = RowChange {
                    table: *table,
                    old: None,
                    new: Some(&[ImageCell::Text(key)]),
                };
                self.collector.row(change);
            }
            self.collector.commit(LogPosition(u64::from(number) * 10));
        }

        /// Applies what was collected, and returns what was asked for.
        async fn apply(&mut self, ground: &Recorder) -> Result<Vec<String>, CdcError> {
            let batch = self.collector.take(None);
            self.decider.apply(ground, &batch, &mut self.state).await?;
            Ok(ground.asked())
        }
    }

    #[tokio::test]
    async fn roots_are_rebuilt_once_and_in_pieces() {
        let mut setup = setup();
        setup.transaction(1, &[(0, "a"), (1, "x"), (1, "y"), (1, "z")]);
        let ground = Recorder {
            above: vec![vec!["a", "b"], vec!["b", "c"]],
            ..Recorder::up_to(2)
        };
        let asked = setup.apply(&ground).await.unwrap();
        // Three keys are two questions; the second finds nothing new.
        let rebuilt = asked.iter().map(String::as_str).filter(|a| a.starts_with("rebuild"));
        assert_eq!(
            (asked.len(), rebuilt.collect::<Vec<_>>()),
            (4, vec!["rebuild a b", "rebuild c"])
        );
        assert_eq!(setup.state.position, LogPosition(10));
    }

    #[tokio::test]
    async fn what_the_point_before_held_is_not_read_again() {
        let mut setup = setup();
        setup.transaction(1, &[(0, "a")]);
        setup.apply(&Recorder::up_to(3)).await.unwrap();
        // That point held 2 already, and a was read in it; b was not.
        setup.transaction(2, &[(0, "a"), (0, "b")]);
        assert_eq!(setup.apply(&Recorder::up_to(3)).await.unwrap(), ["rebuild b"]);
        // Only b was read in the newer one.
        setup.transaction(2, &[(0, "a"), (0, "b")]);
        assert_eq!(setup.apply(&Recorder::up_to(3)).await.unwrap(), ["rebuild a"]);
        // What a later transaction brings again is new.
        setup.transaction(2, &[(0, "a")]);
        setup.transaction(3, &[(0, "a")]);
        assert_eq!(setup.apply(&Recorder::up_to(4)).await.unwrap(), ["rebuild a"]);
        setup.decider.forget();
        setup.transaction(3, &[(0, "a")]);
        assert_eq!(setup.apply(&Recorder::up_to(4)).await.unwrap(), ["rebuild a"]);
    }

    #[tokio::test]
    async fn nothing_counts_of_what_is_not_durable() {
        let mut setup = setup();
        setup.transaction(1, &[(0, "a")]);
        let lost = Recorder {
            is_lost: true,
            ..Recorder::up_to(2)
        };
        assert!(setup.apply(&lost).await.is_err());
        assert_eq!(setup.state.position, LogPosition(0));
        setup.transaction(1, &[(0, "a")]);
        assert_eq!(setup.apply(&Recorder::up_to(2)).await.unwrap(), ["rebuild a"]);
    }

    #[tokio::test]
    async fn what_is_refused_is_tried_again() {
        let mut setup = setup();
        setup.transaction(1, &[(0, "a"), (0, "b")]);
        let ground = Recorder {
            refuses: Some("a"),
            ..Recorder::up_to(2)
        };
        setup.apply(&ground).await.unwrap();
        assert_eq!(setup.state.refused.len(), 1);
        // Also with a batch that holds nothing; here it fits.
        assert_eq!(setup.apply(&Recorder::up_to(2)).await.unwrap(), ["rebuild a"]);
        assert!(setup.state.refused.is_empty());
    }

    #[tokio::test]
    async fn a_collection_is_read_again_after_a_truncate() {
        let mut setup = setup();
        setup.transaction(1, &[(0, "b")]);
        setup.collector.truncate(1);
        let ground = Recorder {
            refuses: Some("a"),
            ..Recorder::up_to(2)
        };
        let asked = setup.apply(&ground).await.unwrap();
        assert_eq!(asked, ["refresh 0 beside Documents(3): public.line was truncated"]);
        // What it refused is not lost with it.
        assert_eq!(setup.apply(&Recorder::up_to(2)).await.unwrap(), ["rebuild a"]);
    }

    #[tokio::test]
    async fn a_collection_is_read_again_when_the_log_lacks_old_values() {
        let mut setup = setup();
        setup.transaction(1, &[(0, "b")]);
        setup.collector.begin(TransactionId::Number(2), DateTime::UNIX_EPOCH);
        setup.collector.row(RowChange {
            table: 1,
            old: Some(&[ImageCell::Absent]),
            new: Some(&[ImageCell::Text("x")]),
        });
        setup.collector.commit(LogPosition(20));
        let asked = setup.apply(&Recorder::up_to(3)).await.unwrap();
        let reason = "public.line was changed without old values in the log";
        assert_eq!(asked, [format!("refresh 0 beside Documents(3): {reason}")]);
        assert_eq!(setup.state.position, LogPosition(20));
    }
}
