//! Decisions become edits.

use super::{Choice, Proposal};
use crate::edit::{Draft, Edit, Embedding, NewRule, RulePlace, apply, joins};
use crate::ids::{MappingId, TableId};
use std::collections::HashMap;

/// The edit that takes some of the decisions, by their ids; those that need others that are not taken are left out, and
/// so is what the draft has already.
pub fn take(draft: &Draft, proposal: &Proposal, taken: &[String]) -> Edit {
    let mut work = draft.clone();
    let mut rules: HashMap<&str, MappingId> = HashMap::new();
    let mut edits = Vec::new();
    for decision in proposal.decisions.iter().filter(|d| taken.contains(&d.id)) {
        let Some(table) = work.table_id(&decision.table).cloned() else {
            continue;
        };
        let into = match &decision.choice {
            Choice::Refer { .. } => continue,
            Choice::Collection => {
                if let Some(rule) = root_of(&work, &table) {
                    rules.insert(&decision.id, rule);
                    continue;
                }
                RulePlace::NewCollection {
                    collection: None,
                    name: None,
                }
            }
            Choice::Embed { under, shape, key } => {
                let Some(parent) = rules.get(under.as_str()).cloned() else {
                    continue;
                };
                if let Some(rule) = below(&work, &parent, &table, key.as_deref()) {
                    rules.insert(&decision.id, rule);
                    continue;
                }
                RulePlace::Rule(Embedding {
                    parent,
                    shape: *shape,
                    key: key.clone(),
                    field: None,
                })
            }
        };
        let rule = work.free_rule_id();
        let edit = Edit::AddRule(NewRule {
            rule: Some(rule.clone()),
            table,
            into,
        });
        // Tried on a copy: what cannot be done (a draft that has changed since) is left out.
        if apply(&mut work, &edit).is_ok() {
            rules.insert(&decision.id, rule);
            edits.push(edit);
        }
    }
    Edit::All {
        words: match edits.len() {
            1 => "took over 1 proposal".to_owned(),
            n => format!("took over {n} proposals"),
        },
        edits,
    }
}

/// The first rule of a table that makes documents.
fn root_of(draft: &Draft, table: &TableId) -> Option<MappingId> {
    draft.rules_of(table).find(|rule| draft.is_root(rule)).cloned()
}

/// A rule of the table below a rule that follows the same key.
fn below(draft: &Draft, parent: &MappingId, table: &TableId, key: Option<&str>) -> Option<MappingId> {
    let children = draft.content.children_of(parent);
    let mut same = children.filter(|child| draft.rule(child).is_some_and(|rule| rule.table == table.as_str()));
    same.find(|child| joins::of_rule(draft, child).is_some_and(|join| key.is_none() || join.key.as_deref() == key))
        .cloned()
}
