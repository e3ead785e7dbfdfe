//! What the drawing table works on.

use crate::ids::{CollectionId, MappingId, TableId};
use crate::mapping::{Content, Mapping, RuleType};
use crate::project::ProjectDetails;
use crate::schema::{RelationalModel, Table, TableName, TablePath};
use serde::{Deserialize, Serialize};

/// A project as it stands on the screen: not stored until it is saved.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Draft {
    pub name: String,
    pub content: Content,
    /// Columns and keys of the source; synthetic keys are among them.
    pub model: RelationalModel,
    /// The revision of the stored project that the draft stands on.
    #[serde(default)]
    pub revision: u64,
}

impl Draft {
    /// The draft of a stored project and its relational model.
    pub fn of(details: ProjectDetails, model: RelationalModel) -> Self {
        Self {
            name: details.summary.name,
            revision: details.summary.revision,
            content: details.content,
            model,
        }
    }

    /// Path and columns of a table of the project; `None` where the relational model does not have it.
    pub fn table(&self, id: &TableId) -> Option<(&TablePath, &Table)> {
        let path = &self.content.tables.get(id)?.path;
        Some((path, self.model.table(&path.name())?))
    }

    /// Path and columns of a rule's table.
    pub fn table_of(&self, rule: &MappingId) -> Option<(&TablePath, &Table)> {
        self.table(&TableId::new(&self.content.mappings.get(rule)?.table))
    }

    /// The id of a table, by its name.
    pub fn table_id(&self, name: &TableName) -> Option<&TableId> {
        let mut tables = self.content.tables.iter();
        tables.find(|(_, entry)| entry.path.name() == *name).map(|(id, _)| id)
    }

    /// The rule.
    pub fn rule(&self, id: &MappingId) -> Option<&Mapping> {
        self.content.mappings.get(id)
    }

    /// The rule that a rule lies below.
    pub fn parent_of(&self, rule: &MappingId) -> Option<&MappingId> {
        let mut below = self.content.relationships.mappings.iter();
        below
            .find(|(_, children)| children.children.contains(rule))
            .map(|(parent, _)| parent)
    }

    /// A rule and all that lie below it, parents first, in rule order.
    pub fn with_below(&self, rule: &MappingId) -> Vec<MappingId> {
        let mut all = vec![rule.clone()];
        let mut next = 0;
        while next < all.len() {
            let children: Vec<MappingId> = self.content.children_of(&all[next]).cloned().collect();
            // What comes from outside may lead in a circle until it is checked.
            let new: Vec<MappingId> = children.into_iter().filter(|c| !all.contains(c)).collect();
            all.splice(next + 1..next + 1, new);
            next += 1;
        }
        all
    }

    /// The rules of a table, in the order of the file.
    pub fn rules_of(&self, table: &TableId) -> impl Iterator<Item = &MappingId> {
        let rules = self.content.mappings.iter();
        rules
            .filter(move |(_, rule)| rule.table == table.as_str())
            .map(|(id, _)| id)
    }

    /// Whether a rule makes documents of its own.
    pub fn is_root(&self, rule: &MappingId) -> bool {
        self.rule(rule)
            .is_some_and(|r| r.settings.kind == RuleType::NewDocument)
    }

    /// An id that no rule has.
    pub fn free_rule_id(&self) -> MappingId {
        let rules = &self.content.mappings;
        numbered("mapping", rules.len(), MappingId::new, |id| rules.contains_key(id))
    }

    /// An id that no collection has.
    pub fn free_collection_id(&self) -> CollectionId {
        let all = &self.content.collections;
        numbered("collection", all.len(), CollectionId::new, |id| all.contains_key(id))
    }

    /// An id that no table has.
    pub(super) fn free_table_id(&self) -> TableId {
        let all = &self.content.tables;
        numbered("table", all.len(), TableId::new, |id| all.contains_key(id))
    }
}

/// How rules of a table are listed: the key of `relationships.tables`.
pub(super) fn path_text(path: &TablePath) -> String {
    format!("{}.{}.{}", path.database, path.schema, path.table)
}

fn numbered<I>(word: &str, count: usize, id: impl Fn(String) -> I, is_taken: impl Fn(&I) -> bool) -> I {
    (count + 1..)
        .map(|n| id(format!("{word}-{n}")))
        .find(|id| !is_taken(id))
        .expect("the numbers do not end")
}
