//! Where rows that have failed stand in the plan: which roots are to be assembled again.

use crate::data::failed::FailedRow;
use crate::plan::{Plan, RootPlan};
use godwit_shared::retry::LeftOut;

/// A root row that is to be assembled again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgainRoot {
    /// Which collection of the plan.
    pub collection: usize,
    /// Which root of the collection.
    pub root: usize,
    /// Its primary key, printed.
    pub key: Vec<String>,
}

/// What of some failed rows can be tried again.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Again {
    pub roots: Vec<AgainRoot>,
    /// The rows that they are of.
    pub rows: Vec<FailedRow>,
    pub left_out: Vec<LeftOut>,
}

/// The roots of failed rows. A row that is embedded alone is known by its own key, and nobody knows which document it
/// belongs to.
pub fn roots_of(plan: &Plan, rows: &[FailedRow]) -> Again {
    let mut again = Again::default();
    for row in rows {
        let before = again.roots.len();
        let mut reason = "they are embedded in documents that are not known by their keys: run the job again";
        for (collection, root, root_plan) in roots(plan) {
            if root_plan.node.table.name.to_string() != row.table {
                continue;
            }
            match key_of(root_plan, row) {
                Some(key) => again.roots.push(AgainRoot { collection, root, key }),
                None => reason = "their table has another primary key by now: run the job again",
            }
        }
        if again.roots.len() > before {
            again.rows.push(row.clone());
        } else {
            leave_out(&mut again.left_out, reason);
        }
    }
    again
}

/// Counts a row that is not tried again.
pub fn leave_out(left_out: &mut Vec<LeftOut>, reason: &str) {
    match left_out.iter_mut().find(|l| l.reason == reason) {
        Some(known) => known.rows += 1,
        None => left_out.push(LeftOut {
            rows: 1,
            reason: reason.into(),
        }),
    }
}

fn roots(plan: &Plan) -> impl Iterator<Item = (usize, usize, &RootPlan)> {
    let collections = plan.collections.iter().enumerate();
    collections.flat_map(|(c, collection)| collection.roots.iter().enumerate().map(move |(r, root)| (c, r, root)))
}

/// The values of the key in the order of the table's primary key, where these are still its columns.
fn key_of(root: &RootPlan, row: &FailedRow) -> Option<Vec<String>> {
    let table = &root.node.table;
    if table.primary_key.len() != row.key.len() {
        return None;
    }
    let value_of = |column: &usize| {
        let name = &table.columns[*column].name;
        row.key
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.clone())
    };
    table.primary_key.iter().map(value_of).collect()
}
