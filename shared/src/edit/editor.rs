//! The one way in which edits change a draft: every entry that changes is kept in both states.

use super::step::{Direction, Entry, Step, Swap};
use super::{Draft, EditError, EditReason, Made, Part, Place};
use crate::ids::{CollectionId, MappingId, TableId};
use crate::mapping::{Children, Collection, Mapping, MappingList, ProjectSettings, TableEntry};
use crate::schema::{Table, TablePath};
use serde_json::Value;

/// A draft under change.
pub(super) struct Editor<'d> {
    pub draft: &'d mut Draft,
    steps: Vec<Step>,
    pub made: Vec<Made>,
}

/// Makes a step of an entry of a map that a closure changes; none where nothing changed.
macro_rules! entry {
    ($map:expr, $key:expr, $change:expr) => {{
        let map = &$map;
        let key = $key.to_owned();
        let at = map.get_index_of(&key).unwrap_or(map.len());
        let before = map.get(&key).cloned();
        let mut after = before.clone();
        let done = $change(&mut after);
        let is_same = match (&before, &after) {
            (Some(before), Some(after)) => before == after,
            (None, None) => true,
            _ => false,
        };
        let entry = Entry {
            key,
            at,
            before: before.map(Box::new),
            after: after.map(Box::new),
        };
        (done, (!is_same).then_some(entry))
    }};
}

impl<'d> Editor<'d> {
    pub fn new(draft: &'d mut Draft) -> Self {
        Self {
            draft,
            steps: Vec::new(),
            made: Vec::new(),
        }
    }

    /// The steps that were made.
    pub fn finish(self) -> (Vec<Step>, Vec<Made>) {
        (self.steps, self.made)
    }

    /// Takes all of them back.
    pub fn give_up(self) {
        let draft = self.draft;
        self.steps
            .iter()
            .rev()
            .for_each(|step| step.set(draft, Direction::Back));
    }

    pub fn has_changed(&self) -> bool {
        !self.steps.is_empty()
    }

    pub fn step(&mut self, step: Step) {
        step.set(self.draft, Direction::Forward);
        self.steps.push(step);
    }

    /// The rule, or the error that it is gone.
    pub fn rule(&self, id: &MappingId) -> Result<&Mapping, EditError> {
        let rule = self.draft.content.mappings.get(id);
        rule.ok_or_else(|| EditReason::NoRule.at(Place::of_rule(id, Part::Whole)))
    }

    /// The collection, or the error that it is gone.
    pub fn collection(&self, id: &CollectionId) -> Result<&Collection, EditError> {
        let collection = self.draft.content.collections.get(id);
        collection.ok_or_else(|| EditReason::NoCollection.at(Place::of_collection(id, Part::Whole)))
    }

    /// Path and columns of a table, or the error that it is gone.
    pub fn table(&self, id: &TableId) -> Result<(TablePath, Table), EditError> {
        let found = self.draft.table(id).map(|(path, table)| (path.clone(), table.clone()));
        found.ok_or_else(|| EditReason::NoTable.at(Place::of_table(id, Part::Whole)))
    }

    /// Path and columns of the table of a rule.
    pub fn table_of(&self, rule: &MappingId) -> Result<(TablePath, Table), EditError> {
        let id = TableId::new(&self.rule(rule)?.table);
        self.table(&id).map_err(|e| EditError {
            place: Box::new(Place::of_rule(rule, Part::Whole)),
            ..e
        })
    }

    pub fn change_rule(&mut self, id: &MappingId, change: impl FnOnce(&mut Mapping)) -> Result<(), EditError> {
        self.rule(id)?;
        self.set_rule(id, |rule| {
            if let Some(rule) = rule {
                change(rule);
            }
        });
        Ok(())
    }

    /// Makes, changes or removes a rule, and nothing of what belongs to it.
    pub fn set_rule(&mut self, id: &MappingId, change: impl FnOnce(&mut Option<Mapping>)) {
        let ((), entry) = entry!(self.draft.content.mappings, id, change);
        entry.into_iter().for_each(|entry| self.step(Step::Rule(entry)));
    }

    pub fn set_collection(&mut self, id: &CollectionId, change: impl FnOnce(&mut Option<Collection>)) {
        let ((), entry) = entry!(self.draft.content.collections, id, change);
        entry.into_iter().for_each(|entry| self.step(Step::Collection(entry)));
    }

    pub fn set_of_table(&mut self, path: &str, change: impl FnOnce(&mut Option<MappingList>)) {
        let ((), entry) = entry!(self.draft.content.relationships.tables, path, change);
        entry.into_iter().for_each(|entry| self.step(Step::OfTable(entry)));
    }

    pub fn set_of_collection(&mut self, id: &CollectionId, change: impl FnOnce(&mut Option<MappingList>)) {
        let ((), entry) = entry!(self.draft.content.relationships.collections, id, change);
        entry.into_iter().for_each(|entry| self.step(Step::OfCollection(entry)));
    }

    pub fn set_below(&mut self, id: &MappingId, change: impl FnOnce(&mut Option<Children>)) {
        let ((), entry) = entry!(self.draft.content.relationships.mappings, id, change);
        entry.into_iter().for_each(|entry| self.step(Step::Below(entry)));
    }

    pub fn set_table(&mut self, id: &TableId, change: impl FnOnce(&mut Option<TableEntry>)) {
        let ((), entry) = entry!(self.draft.content.tables, id, change);
        entry.into_iter().for_each(|entry| self.step(Step::Table(entry)));
    }

    /// Makes, changes or removes a table of the relational model; the database and schema above it are made.
    pub fn set_model_table(&mut self, path: &TablePath, change: impl FnOnce(&mut Option<Table>)) {
        let databases = &self.draft.model.databases;
        if !databases.contains_key(&path.database) {
            let entry = Entry::added(&path.database, databases.len());
            self.step(Step::Database(entry));
        }
        let schemas = &self.draft.model.databases[&path.database].schemas;
        if !schemas.contains_key(&path.schema) {
            let entry = Entry::added(&path.schema, schemas.len());
            self.step(Step::Schema {
                database: path.database.clone(),
                entry,
            });
        }
        let tables = &self.draft.model.databases[&path.database].schemas[&path.schema].tables;
        let ((), entry) = entry!(tables, path.table, change);
        entry.into_iter().for_each(|entry| {
            self.step(Step::ModelTable {
                path: path.clone(),
                entry,
            });
        });
    }

    pub fn change_settings(&mut self, change: impl FnOnce(&mut ProjectSettings)) {
        let before = self.draft.content.settings.clone();
        let mut after = before.clone();
        change(&mut after);
        if before != after {
            self.step(Step::Settings(Swap {
                before: Box::new(before),
                after: Box::new(after),
            }));
        }
    }

    /// Changes all diagrams at once; for single cards there is [`Step::Node`].
    pub fn change_diagrams(&mut self, change: impl FnOnce(&mut Value)) {
        let before = self.draft.content.diagrams.clone();
        let mut after = before
            .clone()
            .filter(Value::is_object)
            .unwrap_or_else(|| serde_json::json!({"tabs": []}));
        change(&mut after);
        let after = Some(after);
        if before != after {
            self.step(Step::Diagrams(Swap {
                before: Box::new(before),
                after: Box::new(after),
            }));
        }
    }
}
