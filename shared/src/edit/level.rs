//! The names at one level of documents: those of a rule and of all that are merged into its place.

use super::joins::{self, shape_of};
use super::{Draft, Part, Shape};
use crate::ids::MappingId;
use crate::mapping::{Field, KeyHandling, Mapping, RuleType};
use crate::schema::Table;
use std::collections::HashMap;

/// Something that has a name at a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// With its dots.
    pub name: String,
    /// The rule that it belongs to; of an embedded rule, that rule.
    pub rule: MappingId,
    /// `Column`, `Calculated` or `Path`.
    pub part: Part,
    /// The column whose value it has; equal ones by a join have the same.
    pub value: Option<(MappingId, String)>,
}

/// The rule at whose place the fields of a rule lie: the next one at or above it that is not merged.
pub fn owner(draft: &Draft, rule: &MappingId) -> MappingId {
    let mut at = rule.clone();
    // Bounded: what comes from outside may lead in a circle until it is checked.
    for _ in 0..crate::forest::DEPTH_MAX {
        match (draft.rule(&at).and_then(shape_of), draft.parent_of(&at)) {
            (Some(Shape::Merged), Some(parent)) => at = parent.clone(),
            _ => break,
        }
    }
    at
}

/// All names at the place of a rule that is not merged, in the order of the document.
pub fn names(draft: &Draft, owner: &MappingId) -> Vec<Named> {
    let mut found = Names {
        draft,
        names: Vec::new(),
        equal: HashMap::new(),
    };
    found.add(owner, 0);
    found.names
}

struct Names<'d> {
    draft: &'d Draft,
    names: Vec<Named>,
    equal: HashMap<(MappingId, String), (MappingId, String)>,
}

impl Names<'_> {
    fn add(&mut self, id: &MappingId, depth: usize) {
        let Some(rule) = self.draft.rule(id).filter(|_| depth <= crate::forest::DEPTH_MAX) else {
            return;
        };
        let hidden = hidden_key(self.draft, id);
        for (column, field) in ordered(self.draft, id, rule) {
            if is_key_entry(column, field) || !field.target.included || hidden.contains(column) {
                continue;
            }
            let own = (id.clone(), column.clone());
            self.names.push(Named {
                name: field.target.name.clone(),
                rule: id.clone(),
                part: Part::Column { column: column.clone() },
                value: Some(self.equal.get(&own).cloned().unwrap_or(own)),
            });
        }
        for (field, calculated) in &rule.calculated_fields {
            if is_custom_id(rule, &calculated.name) {
                continue;
            }
            self.names.push(Named {
                name: calculated.name.clone(),
                rule: id.clone(),
                part: Part::Calculated { id: field.clone() },
                value: None,
            });
        }
        for child in self.draft.content.children_of(id) {
            let Some(mapping) = self.draft.rule(child) else {
                continue;
            };
            if shape_of(mapping) == Some(Shape::Merged) {
                for (parent, own) in joins::of_rule(self.draft, child).into_iter().flat_map(|j| j.pairs) {
                    let parent = (id.clone(), parent);
                    let one = self.equal.get(&parent).cloned().unwrap_or(parent);
                    self.equal.insert((child.clone(), own), one);
                }
                self.add(child, depth + 1);
                continue;
            }
            self.names.push(Named {
                name: mapping.settings.embedded_path.clone().unwrap_or_default(),
                rule: child.clone(),
                part: Part::Path,
                value: None,
            });
        }
    }
}

/// The fields of a rule in the order of the documents: that of the table's columns.
pub fn ordered<'d>(draft: &'d Draft, id: &MappingId, rule: &'d Mapping) -> Vec<(&'d String, &'d Field)> {
    let mut fields: Vec<(&String, &Field)> = rule.fields.iter().collect();
    if let Some((_, table)) = draft.table_of(id) {
        let place = |column: &String| table.columns.get(column).map_or(u32::MAX, |c| c.ordinal_position);
        fields.sort_by_key(|(column, _)| place(column));
    }
    fields
}

/// The columns that `_id` takes the place of.
pub fn hidden_key(draft: &Draft, id: &MappingId) -> Vec<String> {
    let Some(rule) = draft.rule(id).filter(|r| r.settings.kind == RuleType::NewDocument) else {
        return Vec::new();
    };
    match key_handling(draft, rule) {
        KeyHandling::Generated => Vec::new(),
        KeyHandling::Single | KeyHandling::Wrapped if has_custom_id(rule) => Vec::new(),
        KeyHandling::Single | KeyHandling::Wrapped => draft
            .table_of(id)
            .map(|(_, table)| key_columns(table))
            .unwrap_or_default(),
    }
}

/// How the `_id` of a rule's documents comes about, unless it is calculated.
pub fn key_handling(draft: &Draft, rule: &Mapping) -> KeyHandling {
    rule.settings
        .key_handling
        .unwrap_or(draft.content.settings.key_handling)
}

/// The primary key, in the order of the columns.
pub fn key_columns(table: &Table) -> Vec<String> {
    let mut columns: Vec<_> = table.columns.iter().filter(|(_, c)| c.primary_key.is_some()).collect();
    columns.sort_by_key(|(_, c)| c.ordinal_position);
    columns.into_iter().map(|(name, _)| name.clone()).collect()
}

/// Whether the `_id` of a rule is calculated.
pub fn has_custom_id(rule: &Mapping) -> bool {
    rule.calculated_fields.values().any(|c| is_custom_id(rule, &c.name))
}

fn is_custom_id(rule: &Mapping, name: &str) -> bool {
    name == "_id" && rule.settings.kind == RuleType::NewDocument
}

/// The entry of a file that stands for the document's key, not for a column.
pub fn is_key_entry(name: &str, field: &Field) -> bool {
    name == "_id" && matches!(field.source.database_specific_type.as_str(), "NONE" | "")
}

/// Whether two names cannot stand beside each other: equal, or one would be a value and the parent of the other.
pub fn clash(a: &str, b: &str) -> bool {
    let lies_below = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    a == b || lies_below(a, b) || lies_below(b, a)
}
