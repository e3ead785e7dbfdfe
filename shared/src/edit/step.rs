//! One entry of a draft in two states. All changes are made of these, so all can be undone in one way.

use super::{Draft, View};
use crate::ids::{CollectionId, MappingId, TableId};
use crate::mapping::{Children, Collection, Mapping, MappingList, ProjectSettings, TableEntry};
use crate::schema::{Database, SchemaObjects, Table, TablePath};
use indexmap::IndexMap;
use serde_json::Value;
use std::hash::Hash;

/// An entry of an ordered map before and after; `None` is absent. Its place counts, since the order of a file does.
#[derive(Debug, Clone)]
pub(super) struct Entry<K, V> {
    pub key: K,
    pub at: usize,
    pub before: Option<Box<V>>,
    pub after: Option<Box<V>>,
}

/// A value before and after.
#[derive(Debug, Clone)]
pub(super) struct Swap<V> {
    pub before: Box<V>,
    pub after: Box<V>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Name(Swap<String>),
    Settings(Swap<ProjectSettings>),
    Collection(Entry<CollectionId, Collection>),
    Rule(Entry<MappingId, Mapping>),
    OfTable(Entry<String, MappingList>),
    OfCollection(Entry<CollectionId, MappingList>),
    Below(Entry<MappingId, Children>),
    Table(Entry<TableId, TableEntry>),
    Database(Entry<String, Database>),
    Schema {
        database: String,
        entry: Entry<String, SchemaObjects>,
    },
    ModelTable {
        path: TablePath,
        entry: Entry<String, Table>,
    },
    Diagrams(Swap<Option<Value>>),
    Node {
        tab: usize,
        view: View,
        entry: Entry<(), Value>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Back,
}

impl<K: Clone, V: Default> Entry<K, V> {
    /// An empty one behind the others.
    pub fn added(key: &K, at: usize) -> Self {
        Self {
            key: key.clone(),
            at,
            before: None,
            after: Some(Box::default()),
        }
    }
}

impl<K, V> Entry<K, V> {
    fn state(&self, direction: Direction) -> Option<V>
    where
        V: Clone,
    {
        match direction {
            Direction::Forward => self.after.as_deref().cloned(),
            Direction::Back => self.before.as_deref().cloned(),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Entry<K, V> {
    fn set(&self, map: &mut IndexMap<K, V>, direction: Direction) {
        match self.state(direction) {
            None => _ = map.shift_remove(&self.key),
            Some(value) => match map.get_mut(&self.key) {
                Some(place) => *place = value,
                None => _ = map.shift_insert(self.at.min(map.len()), self.key.clone(), value),
            },
        }
    }
}

impl<V: Clone> Swap<V> {
    fn set(&self, place: &mut V, direction: Direction) {
        *place = match direction {
            Direction::Forward => (*self.after).clone(),
            Direction::Back => (*self.before).clone(),
        };
    }
}

impl Step {
    /// Brings the entry into its state after, or before.
    pub fn set(&self, draft: &mut Draft, to: Direction) {
        let content = &mut draft.content;
        let below = &mut content.relationships;
        let databases = &mut draft.model.databases;
        match self {
            Step::Name(swap) => swap.set(&mut draft.name, to),
            Step::Settings(swap) => swap.set(&mut content.settings, to),
            Step::Collection(entry) => entry.set(&mut content.collections, to),
            Step::Rule(entry) => entry.set(&mut content.mappings, to),
            Step::OfTable(entry) => entry.set(&mut below.tables, to),
            Step::OfCollection(entry) => entry.set(&mut below.collections, to),
            Step::Below(entry) => entry.set(&mut below.mappings, to),
            Step::Table(entry) => entry.set(&mut content.tables, to),
            Step::Database(entry) => entry.set(databases, to),
            Step::Schema { database, entry } => {
                if let Some(database) = databases.get_mut(database) {
                    entry.set(&mut database.schemas, to);
                }
            }
            Step::ModelTable { path, entry } => {
                let schemas = databases.get_mut(&path.database).map(|d| &mut d.schemas);
                if let Some(schema) = schemas.and_then(|s| s.get_mut(&path.schema)) {
                    entry.set(&mut schema.tables, to);
                }
            }
            Step::Diagrams(swap) => swap.set(&mut content.diagrams, to),
            Step::Node { tab, view, entry } => {
                if let Some(nodes) = super::diagrams::nodes_mut(content.diagrams.as_mut(), *tab, *view) {
                    set_in_list(entry, nodes, to);
                }
            }
        }
    }
}

fn set_in_list(entry: &Entry<(), Value>, list: &mut Vec<Value>, to: Direction) {
    let was_there = match to {
        Direction::Forward => entry.before.is_some(),
        Direction::Back => entry.after.is_some(),
    };
    match (was_there, entry.state(to)) {
        (true, Some(value)) => list[entry.at] = value,
        (true, None) => _ = list.remove(entry.at),
        (false, Some(value)) => list.insert(entry.at.min(list.len()), value),
        (false, None) => {}
    }
}
