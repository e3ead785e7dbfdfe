//! Source and destination in memory, behind the same trait as PostgreSQL and MongoDB.

use crate::case::{Case, Seen};
use crate::documents::{Documents, PRINTED, belongs};
use crate::history::{Cell, Database, Row};
use crate::random::Random;
use godwit::cdc::CdcError;
use godwit::cdc::ground::{Ground, RefusedKey, RootKeys};
use godwit::cdc::rebuild::RootPlace;
use godwit::cdc::state::Foreign;
use godwit::plan::routes::{Route, decode_key};
use godwit::source::change_log::Contained;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

/// One point in time.
pub struct MemoryGround<'a> {
    pub case: &'a Case,
    pub database: &'a Database,
    pub contained: Contained,
    pub world: &'a Mutex<World>,
}

/// What stays from one point in time to the next.
pub struct World {
    pub documents: Documents,
    /// As they were when they were last made durable: what a destination that dies may go back to.
    pub durable: Documents,
    pub random: Random,
    /// After so many more steps source and destination are gone.
    pub fails_after: Option<usize>,
    /// Of a hundred documents so many are not taken for now, as if another one had their values in a unique index.
    pub refused_percent: usize,
    pub seen: Seen,
    /// Roots rebuilt in this batch: once more than one piece.
    pub pieces: usize,
}

impl World {
    fn step(&mut self) -> Result<(), CdcError> {
        match &mut self.fails_after {
            Some(0) => return Err(CdcError::Blocked("the connection is lost".into())),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }
}

impl MemoryGround<'_> {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nothing has panicked")
    }

    /// Puts the documents of a root in the place of those that were there.
    fn write(&self, world: &mut World, place: RootPlace, key: Vec<u8>) -> Result<Option<RefusedKey>, CdcError> {
        world.step()?;
        let documents = self.case.documents_of(self.database, place, &key);
        let before = world.documents.remove(&(place, key.clone()));
        world
            .seen
            .note("a document is deleted", before.is_some() && documents.is_empty());
        world.seen.note("equal rows", documents.len() > 1);
        if documents.is_empty() {
            return Ok(None);
        }
        // Roots without a primary key could not be tried again.
        let has_key = !self.case.root(place).table.primary_key.is_empty();
        if has_key && world.random.percent(world.refused_percent) {
            world.seen.note("a document is refused for now", true);
            return Ok(Some((place, key)));
        }
        world.documents.insert((place, key), documents);
        Ok(None)
    }
}

impl Ground for MemoryGround<'_> {
    type Roots = MemoryRoots;

    fn contained(&self) -> &Contained {
        &self.contained
    }

    async fn roots_above(&self, route: &Route, keys: &[&[u8]]) -> Result<MemoryRoots, CdcError> {
        let mut world = self.world();
        world.step()?;
        let path = route.nodes(&self.case.plan);
        let (node, ancestors) = path.split_last().expect("a path has at least its root");
        let pairs = &node.join.as_ref().expect("a child has a join").pairs;
        let mut found = BTreeSet::new();
        for key in keys {
            let values: Vec<Cell> = decode_key(key).into_iter().map(|part| part.map(value_of)).collect();
            let has_values = |row: &&Row| {
                pairs
                    .iter()
                    .zip(&values)
                    .all(|(p, v)| v.is_some() && row.cells[p.parent] == *v)
            };
            let parent = ancestors[ancestors.len() - 1];
            let mut rows: Vec<&Row> = self
                .case
                .rows(self.database, parent)
                .iter()
                .filter(has_values)
                .collect();
            for step in ancestors.windows(2).rev() {
                let (above, below) = (step[0], step[1]);
                let all = self.case.rows(self.database, above).iter();
                rows = all.filter(|a| rows.iter().any(|r| belongs(below, a, r))).collect();
            }
            found.extend(rows.into_iter().map(|row| self.case.key_of(path[0], row)));
        }
        let mut pieces = VecDeque::new();
        let found: Vec<Vec<u8>> = found.into_iter().collect();
        let size = world.random.between(1, 4);
        pieces.extend(found.chunks(size).map(<[Vec<u8>]>::to_vec));
        Ok(MemoryRoots { pieces })
    }

    async fn rebuild(&self, place: RootPlace, keys: Vec<Vec<u8>>) -> Result<Vec<RefusedKey>, CdcError> {
        let mut world = self.world();
        world.pieces += 1;
        let mut refused = Vec::new();
        for key in keys {
            refused.extend(self.write(&mut world, place, key)?);
        }
        Ok(refused)
    }

    async fn refresh(&self, collection: usize, _foreign: Foreign, _reason: &str) -> Result<Vec<RefusedKey>, CdcError> {
        let mut world = self.world();
        world.seen.note("a collection is read again", true);
        // What is there of it, and what should be.
        let mut keys: BTreeSet<(RootPlace, Vec<u8>)> = world.documents.keys().cloned().collect();
        keys.extend(self.case.documents(self.database).into_keys());
        let mut refused = Vec::new();
        for (place, key) in keys.into_iter().filter(|(place, _)| place.collection == collection) {
            refused.extend(self.write(&mut world, place, key)?);
        }
        Ok(refused)
    }

    async fn make_durable(&self) -> Result<(), CdcError> {
        let mut world = self.world();
        world.step()?;
        world.durable = world.documents.clone();
        Ok(())
    }
}

fn value_of(printed: &str) -> u8 {
    let place = PRINTED.iter().position(|p| *p == printed);
    place.expect("a value of the model") as u8
}

/// Root keys in pieces.
pub struct MemoryRoots {
    pieces: VecDeque<Vec<Vec<u8>>>,
}

impl RootKeys for MemoryRoots {
    async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, CdcError> {
        Ok(self.pieces.pop_front())
    }
}
