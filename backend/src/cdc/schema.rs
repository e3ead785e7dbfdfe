//! What a change of the schema means for the documents.

use crate::plan::Plan;
use crate::source::change_log::SchemaChange;
use std::collections::BTreeMap;

/// Partitions up to this size are taken in row by row; with a larger one the collections are read again.
pub const LEAF_BYTES_MAX: u64 = 8 << 20;

/// Whether a change can be followed row by row, so that no collection has to be read again.
pub fn is_small(change: &SchemaChange) -> bool {
    match change {
        SchemaChange::LeavesAdded { leaves, .. } => leaves.iter().map(|l| l.size_bytes).sum::<u64>() <= LEAF_BYTES_MAX,
        SchemaChange::TableGone(_)
        | SchemaChange::Columns { .. }
        | SchemaChange::Rewritten(_)
        | SchemaChange::Redefined(_)
        | SchemaChange::Moved(_)
        | SchemaChange::LeavesRemoved(_)
        | SchemaChange::NotLogged { .. }
        | SchemaChange::LoggedAnew { .. }
        | SchemaChange::TypeChanged => false,
    }
}

/// The collections whose documents may be others now, with the reason in words. The changes name tables of `plan`.
pub fn affected(plan: &Plan, changes: &[SchemaChange]) -> BTreeMap<String, String> {
    let tables = plan.tables();
    let name = |table: usize| tables.get(table).map_or_else(String::new, |t| t.name.to_string());
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    for change in changes {
        let (table, reason) = match change {
            SchemaChange::TableGone(t) => (Some(*t), format!("{} was dropped or renamed", name(*t))),
            SchemaChange::Columns { table, .. } => (Some(*table), format!("columns of {} have changed", name(*table))),
            SchemaChange::Rewritten(t) => (Some(*t), format!("{} was rewritten or replaced", name(*t))),
            // No document depends on it.
            SchemaChange::Redefined(_) => continue,
            SchemaChange::LeavesAdded { table, .. } => {
                (Some(*table), format!("a partition of {} was attached", name(*table)))
            }
            SchemaChange::LeavesRemoved(t) => {
                (Some(*t), format!("a partition of {} was detached or dropped", name(*t)))
            }
            SchemaChange::Moved(t) => (
                Some(*t),
                format!(
                    "the rows of {} were written anew, and may not have been logged meanwhile",
                    name(*t)
                ),
            ),
            SchemaChange::NotLogged { table, lack, .. } => (
                Some(*table),
                format!("changes of {} were {lack} for a while", name(*table)),
            ),
            SchemaChange::LoggedAnew { table, cause } => (
                Some(*table),
                format!("{cause}, so that changes of {} may be missing in the log", name(*table)),
            ),
            SchemaChange::TypeChanged => (None, "an enum or a composite type was changed".to_owned()),
        };
        for collection in &plan.collections {
            let holds = |t: usize| {
                let nodes = collection.roots.iter().flat_map(|r| r.node.walk());
                nodes.into_iter().any(|n| n.table.name == tables[t].name)
            };
            if table.is_none_or(holds) {
                reasons.entry(collection.name.clone()).or_insert_with(|| reason.clone());
            }
        }
    }
    reasons
}

/// Columns that the mapping reads and that are gone, in words; nothing where none is.
pub fn columns_gone(plan: &Plan, changes: &[SchemaChange]) -> Option<String> {
    let tables = plan.tables();
    let gone: Vec<String> = changes
        .iter()
        .filter_map(|change| match change {
            SchemaChange::Columns { table, gone } if !gone.is_empty() => {
                Some(format!("column {} of {}", gone.join(", "), tables[*table].name))
            }
            SchemaChange::TableGone(table) => Some(format!("table {}", tables[*table].name)),
            SchemaChange::Columns { .. }
            | SchemaChange::Rewritten(_)
            | SchemaChange::Redefined(_)
            | SchemaChange::Moved(_)
            | SchemaChange::LeavesAdded { .. }
            | SchemaChange::LeavesRemoved(_)
            | SchemaChange::NotLogged { .. }
            | SchemaChange::LoggedAnew { .. }
            | SchemaChange::TypeChanged => None,
        })
        .collect();
    (!gone.is_empty()).then(|| {
        format!(
            "the source has lost what the mapping reads: {}. Nothing was changed in the destination since. Put it back \
             and resume, or end the job and correct the mapping",
            gone.join("; ")
        )
    })
}
