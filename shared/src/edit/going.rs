//! What goes with something that is deleted: for the question before.

use super::Draft;
use super::joins::shape_of;
use crate::ids::{CollectionId, MappingId, TableId};

/// A rule that would be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    pub rule: MappingId,
    /// Where it stands: `orders.lines.product`.
    pub path: String,
    /// `schema.table`.
    pub table: String,
    /// How many texts of JavaScript go with it: its filter and calculated fields.
    pub expressions: usize,
}

/// A rule and all below it.
pub fn with_rule(draft: &Draft, rule: &MappingId) -> Vec<Going> {
    draft
        .with_below(rule)
        .iter()
        .filter_map(|id| going(draft, id))
        .collect()
}

/// All rules of a collection.
pub fn with_collection(draft: &Draft, collection: &CollectionId) -> Vec<Going> {
    let rules = draft.content.mappings.iter();
    let own = rules.filter(|(_, rule)| rule.collection_id == *collection);
    own.filter_map(|(id, _)| going(draft, id)).collect()
}

/// All rules that read the tables, and those below them.
pub fn with_tables(draft: &Draft, tables: &[TableId]) -> Vec<Going> {
    rules_with_tables(draft, tables)
        .iter()
        .filter_map(|id| going(draft, id))
        .collect()
}

/// The rules that cannot stay without the tables, parents first.
pub(super) fn rules_with_tables(draft: &Draft, tables: &[TableId]) -> Vec<MappingId> {
    let mut all: Vec<MappingId> = Vec::new();
    let reads = |(_, rule): &(&MappingId, &crate::mapping::Mapping)| tables.iter().any(|t| t.as_str() == rule.table);
    for (id, _) in draft.content.mappings.iter().filter(reads) {
        for below in draft.with_below(id) {
            if !all.contains(&below) {
                all.push(below);
            }
        }
    }
    all
}

fn going(draft: &Draft, id: &MappingId) -> Option<Going> {
    let rule = draft.rule(id)?;
    let entry = draft.content.tables.get(&TableId::new(&rule.table));
    Some(Going {
        rule: id.clone(),
        path: path_of(draft, id),
        table: entry.map_or_else(|| rule.table.clone(), |entry| entry.path.name().to_string()),
        expressions: rule.calculated_fields.len() + usize::from(rule.settings.rule_filter.is_some()),
    })
}

/// Where a rule stands in the documents: `orders.lines.product`; of a merged one with its table's name.
pub fn path_of(draft: &Draft, id: &MappingId) -> String {
    let mut parts = Vec::new();
    let mut at = Some(id);
    for _ in 0..=crate::forest::DEPTH_MAX {
        let Some((here, rule)) = at.and_then(|id| draft.rule(id).map(|rule| (id, rule))) else {
            break;
        };
        let path = rule.settings.embedded_path.clone().filter(|p| !p.is_empty());
        match (shape_of(rule), path) {
            (None, _) => {
                let collection = draft.content.collections.get(&rule.collection_id);
                parts.push(collection.map_or_else(|| rule.collection_id.to_string(), |c| c.name.clone()));
                break;
            }
            (Some(_), Some(path)) => parts.push(path),
            (Some(_), None) if here == id => {
                let table = draft.content.tables.get(&TableId::new(&rule.table));
                parts.push(table.map_or_else(|| rule.table.clone(), |entry| format!("({})", entry.path.table)));
            }
            (Some(_), None) => {}
        }
        at = draft.parent_of(here);
    }
    parts.reverse();
    parts.join(".")
}
