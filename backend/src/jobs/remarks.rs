//! What a job says in its log of itself, besides the issues of rows.

use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::Progress;
use crate::plan::{Plan, images};
use crate::snapshot::SnapshotError;
use godwit_shared::job::EventStage;
use std::sync::atomic::Ordering;

/// Takes one thing into the job's log.
pub(super) fn report(
    progress: &Progress,
    kind: IssueKind,
    location: Location,
    message: String,
) -> Result<(), SnapshotError> {
    let issue = Issue {
        kind,
        location,
        field: None,
        message,
        key: Vec::new(),
    };
    Ok(progress.report([issue], EventStage::Snapshotting)?)
}

/// How the source compares what only synthetic keys join, by table; each once.
pub(super) fn chosen_comparisons(plan: &Plan) -> Vec<(Location, String)> {
    let mut all = Vec::new();
    for root in plan.collections.iter().flat_map(|c| &c.roots) {
        for (parent, node) in images::pairs(&root.node) {
            let join = node.join.as_ref().expect("a child has a join");
            for message in join.chosen(&parent.table, &node.table) {
                let told = (Location::Table(node.table.name.to_string()), message);
                if !all.contains(&told) {
                    all.push(told);
                }
            }
        }
    }
    all
}

/// A root table without any row is told: it may be the wrong database, or a filter that matches nothing.
pub(super) fn tell_empty_roots(progress: &Progress) {
    for collection in &progress.collections {
        if collection.roots_read.load(Ordering::Relaxed) == 0 && collection.documents.load(Ordering::Relaxed) == 0 {
            let message = "the source has no row for this collection".to_owned();
            let place = Location::Collection(collection.name.clone());
            let _ = report(progress, IssueKind::NothingRead, place, message);
        }
    }
}
