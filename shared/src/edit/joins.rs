//! Which foreign keys connect two tables, and what they make possible.

use super::{Draft, EditError, EditReason, Part, Place, Shape};
use crate::ids::MappingId;
use crate::mapping::{Mapping, RuleType};
use crate::schema::{ForeignKey, RelationalModel, TableName};
use serde::{Deserialize, Serialize};

/// A way to hang a table on a parent table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    /// The key's name; `None` for several synthetic keys that act together as one.
    pub key: Option<String>,
    pub way: Way,
    /// Columns of the parent and of the own table that are equal.
    pub pairs: Vec<(String, String)>,
    /// At most one row of the own table belongs to a parent row.
    pub is_one: bool,
    pub synthetic: bool,
}

/// Who refers to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Way {
    /// The own table refers to the parent: many rows below one.
    Down,
    /// The parent refers to the own table: one row.
    Up,
}

impl Join {
    /// Whether a rule of this shape can follow it without being told to.
    pub fn suits(&self, shape: Shape) -> bool {
        match (shape, self.way) {
            (Shape::Array | Shape::Values, Way::Down) => true,
            (Shape::Array | Shape::Values, Way::Up) => false,
            (Shape::Document | Shape::Merged, Way::Up) => true,
            (Shape::Document | Shape::Merged, Way::Down) => self.is_one,
        }
    }

    /// The parent's columns.
    pub fn parent_columns(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(parent, _)| parent.as_str())
    }

    /// The own table's columns.
    pub fn own_columns(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(_, own)| own.as_str())
    }
}

/// All ways from a parent table to a table, those that the source declares first. Several synthetic keys of one column
/// each between the same two tables are one composite key.
pub fn between(model: &RelationalModel, parent: &TableName, own: &TableName) -> Vec<Join> {
    let mut joins = one_way(model, own, parent, Way::Down);
    joins.extend(one_way(model, parent, own, Way::Up));
    joins.sort_by_key(|join| join.synthetic);
    joins
}

fn one_way(model: &RelationalModel, referring: &TableName, referred: &TableName, way: Way) -> Vec<Join> {
    let Some(table) = model.table(referring) else {
        return Vec::new();
    };
    let keys: Vec<(&String, &ForeignKey)> = table
        .foreign_keys
        .iter()
        .filter(|(_, key)| key.target_table.name() == *referred && !key.column_mappings.is_empty())
        .collect();
    let is_part = |key: &ForeignKey| key.synthetic && key.column_mappings.len() == 1;
    let join = |key: Option<&String>, parts: &[&ForeignKey]| Join {
        key: key.cloned(),
        way,
        pairs: parts
            .iter()
            .flat_map(|part| &part.column_mappings)
            .map(|pair| match way {
                Way::Down => (pair.target.clone(), pair.source.clone()),
                Way::Up => (pair.source.clone(), pair.target.clone()),
            })
            .collect(),
        is_one: match way {
            Way::Up => true,
            Way::Down => parts.iter().any(|part| part.cardinality.is_one()),
        },
        synthetic: parts.iter().all(|part| part.synthetic),
    };
    if keys.len() > 1 && keys.iter().all(|(_, key)| is_part(key)) {
        let parts: Vec<&ForeignKey> = keys.iter().map(|(_, key)| *key).collect();
        return vec![join(None, &parts)];
    }
    keys.iter().map(|(name, key)| join(Some(*name), &[*key])).collect()
}

/// The way that a rule of a shape follows: the one of the key that is named, else the only one that suits. A document
/// prefers the parent's own key.
///
/// # Errors
/// When there is none, or several and none named.
pub fn choose<'j>(joins: &'j [Join], shape: Shape, key: Option<&str>) -> Result<&'j Join, JoinProblem> {
    let is_array = matches!(shape, Shape::Array | Shape::Values);
    let key = key.filter(|name| !name.is_empty());
    let named = |join: &&Join| key.is_none() || join.key.as_deref() == key;
    let up: Vec<&Join> = joins.iter().filter(|j| j.way == Way::Up).filter(named).collect();
    let down = joins.iter().filter(|j| j.way == Way::Down).filter(named);
    let found: Vec<&Join> = match (is_array, up.is_empty()) {
        (true, _) => down.collect(),
        (false, false) => up,
        (false, true) => down.filter(|j| key.is_some() || j.is_one).collect(),
    };
    match found.as_slice() {
        [one] => Ok(one),
        [] if key.is_some() => Err(JoinProblem::NoSuchKey),
        [] => Err(JoinProblem::None),
        _ => Err(JoinProblem::Several),
    }
}

/// Why no way can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinProblem {
    None,
    Several,
    NoSuchKey,
}

/// Whether the key has to be named for the rule to follow this way: it is one of several, or a document's parent has many.
pub(super) fn needs_name(joins: &[Join], shape: Shape, join: &Join) -> bool {
    choose(joins, shape, None) != Ok(join)
}

/// The way that a rule of the draft follows to its parent; `None` for a root, or where there is none.
pub fn of_rule(draft: &Draft, rule: &MappingId) -> Option<Join> {
    let parent = draft.parent_of(rule)?;
    let mapping = draft.rule(rule)?;
    let (parent, own) = (draft.table_of(parent)?.0.name(), draft.table_of(rule)?.0.name());
    let joins = between(&draft.model, &parent, &own);
    choose(&joins, shape_of(mapping)?, mapping.settings.foreign_key_name.as_deref())
        .ok()
        .cloned()
}

/// The shape of an embedded rule; `None` for one that makes documents of its own.
pub fn shape_of(rule: &Mapping) -> Option<Shape> {
    let settings = &rule.settings;
    match settings.kind {
        RuleType::NewDocument => None,
        RuleType::EmbeddedDocument if settings.embedded_path.as_deref().unwrap_or_default().is_empty() => {
            Some(Shape::Merged)
        }
        RuleType::EmbeddedDocument => Some(Shape::Document),
        RuleType::EmbeddedDocumentArray if settings.primitive == Some(true) => Some(Shape::Values),
        RuleType::EmbeddedDocumentArray => Some(Shape::Array),
    }
}

/// The same as an error of an edit.
pub(super) fn error(problem: JoinProblem, key: Option<&str>, tables: [&TableName; 2], rule: &MappingId) -> EditError {
    let [parent, own] = tables.map(ToString::to_string);
    let reason = match problem {
        JoinProblem::None => EditReason::NoKey { own, parent },
        JoinProblem::Several => EditReason::SeveralKeys { own, parent },
        JoinProblem::NoSuchKey => EditReason::NoSuchKey(key.unwrap_or_default().to_owned()),
    };
    reason.at(Place::of_rule(rule, Part::Link))
}
