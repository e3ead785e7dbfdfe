//! Writes the documents that differ, and no others: whole ones, by `_id`, as a job does. Then it looks at them again.
//!
//! Nobody else may write them meanwhile; who calls this has made sure of that.

use super::compare::Rules;
use super::error::VerifyError;
use super::pending::fetch;
use super::run::VerifyRun;
use super::select::Select;
use super::settle::documents_of;
use super::throttle::Throttle;
use super::{claims, reverse};
use crate::store::{FindingFilter, StoredFinding};
use godwit_shared::verification::FindingKind;
use std::collections::HashMap;
use std::sync::Mutex;

/// Findings that are repaired at once.
const AT_ONCE: i64 = 200;

/// What a repair came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    pub written: u64,
    pub deleted: u64,
    /// Findings that are no more so.
    pub repaired: u64,
    /// Findings that still are.
    pub left: u64,
    /// Documents that no row gives, which were not to be deleted.
    pub kept: u64,
}

impl Repaired {
    /// For users.
    pub fn in_words(&self) -> String {
        let mut text = format!("{} documents were written", self.written);
        if self.deleted > 0 {
            text += &format!(", {} deleted", self.deleted);
        }
        text += &format!(". {} findings are repaired", self.repaired);
        if self.left > 0 {
            text += &format!(", {} are not", self.left);
        }
        if self.kept > 0 {
            text += &format!(". {} unexpected documents were not touched", self.kept);
        }
        text + "."
    }
}

/// Repairs what a run has found and stored.
///
/// # Errors
/// When a server fails; what was written stays, and is told as repaired at the next try.
pub async fn repair(run: &VerifyRun, deletes: bool) -> Result<Repaired, VerifyError> {
    let mut all = Repaired::default();
    let open = FindingFilter {
        only_open: true,
        ..FindingFilter::default()
    };
    let mut passed_over = 0;
    loop {
        if run.cancel.is_cancelled() {
            return Err(VerifyError::Cancelled);
        }
        let (findings, _) = run.store.findings(&run.id, &open, passed_over, AT_ONCE).await?;
        if findings.is_empty() {
            return Ok(all);
        }
        let count = findings.len() as u64;
        let repaired = some(run, findings, deletes, &mut all).await?;
        run.store.mark_repaired(&run.id, &repaired).await?;
        all.repaired += repaired.len() as u64;
        // What is repaired is no longer open: the next ones have moved up.
        passed_over += count - repaired.len() as u64;
    }
}

/// Returns the numbers of those that are repaired.
async fn some(
    run: &VerifyRun,
    findings: Vec<StoredFinding>,
    deletes: bool,
    all: &mut Repaired,
) -> Result<Vec<u64>, VerifyError> {
    let mut repaired = Vec::new();
    let mut by_place: HashMap<(usize, Option<usize>), Vec<StoredFinding>> = HashMap::new();
    for finding in findings {
        let place = run
            .plan
            .collections
            .iter()
            .position(|c| c.name == finding.finding.collection);
        match (place, &finding.row) {
            (Some(place), Some((root, _))) if *root < run.plan.collections[place].roots.len() => {
                by_place.entry((place, Some(*root))).or_default().push(finding);
            }
            (Some(place), None) if finding.finding.kind == FindingKind::UnexpectedDocument => {
                by_place.entry((place, None)).or_default().push(finding);
            }
            _ => all.left += 1,
        }
    }
    for ((place, root), findings) in by_place {
        match root {
            Some(root) => repaired.extend(rewrite(run, (place, root), findings, all).await?),
            None if deletes => repaired.extend(delete(run, place, findings, all).await?),
            None => all.kept += findings.len() as u64,
        }
    }
    Ok(repaired)
}

async fn rewrite(
    run: &VerifyRun,
    (place, root): (usize, usize),
    findings: Vec<StoredFinding>,
    all: &mut Repaired,
) -> Result<Vec<u64>, VerifyError> {
    let plan = &run.plan.collections[place];
    let rules = run.rules_with_unstable(place, &Rules::of(&run.options, plan.time_series.is_some()));
    let wanted: Vec<Vec<u8>> = findings.iter().map(|f| f.id.clone()).collect();
    let values: Vec<Vec<Option<String>>> = findings
        .iter()
        .map(|f| f.row.as_ref().map(|(_, values)| values.clone()).unwrap_or_default())
        .collect();
    // The `_id` that is stored may be of another type than the one that the row gives: so all that the rows give counts.
    let given = documents_of_rows(run, (place, root), &values).await?;
    let documents: Vec<_> = given.values().cloned().collect();
    let report = run.sink.write(&plan.name, &documents, true, &run.cancel).await?;
    all.written += report.inserted + report.replaced;
    // A document whose row is gone goes too, and so does one under an `_id` of another type.
    let gone: Vec<Vec<u8>> = wanted.iter().filter(|id| !given.contains_key(*id)).cloned().collect();
    let replaced: Vec<Vec<u8>> = gone
        .iter()
        .filter(|id| is_stored_under_another_type(id, given.keys()))
        .cloned()
        .collect();
    if !replaced.is_empty() {
        // MongoDB keeps the stored `_id` when it replaces: the old one has to go first.
        all.deleted += run.sink.delete(&plan.name, &replaced, &run.cancel).await?;
        run.sink.write(&plan.name, &documents, false, &run.cancel).await?;
    }
    let ids: Vec<Vec<u8>> = given.keys().cloned().collect();
    let mut equal: Vec<Vec<u8>> = Vec::new();
    fetch(&run.sink, &plan.name, &ids, |places, document| {
        for own in places {
            let expected = given.get(&ids[*own]);
            if expected.is_some_and(|e| rules.compare(&e.bson, document.as_bytes()).is_empty()) {
                equal.push(ids[*own].clone());
            }
        }
    })
    .await?;
    let mut repaired = Vec::new();
    for finding in findings {
        let is_equal = equal.contains(&finding.id) || equal.iter().any(|id| super::pending::same_id(id, &finding.id));
        match is_equal {
            true => repaired.push(finding.finding.number),
            false => all.left += 1,
        }
    }
    Ok(repaired)
}

fn is_stored_under_another_type<'i>(id: &[u8], mut given: impl Iterator<Item = &'i Vec<u8>>) -> bool {
    given.any(|other| other != id && super::pending::same_id(other, id))
}

async fn documents_of_rows(
    run: &VerifyRun,
    (place, root): (usize, usize),
    values: &[Vec<Option<String>>],
) -> Result<HashMap<Vec<u8>, crate::assemble::Assembled>, VerifyError> {
    let fresh = run.points.fresh().await?;
    let point = fresh.as_ref().unwrap_or(&run.point);
    documents_of(&**point, &run.plan.collections[place].roots[root], values, None).await
}

async fn delete(
    run: &VerifyRun,
    place: usize,
    findings: Vec<StoredFinding>,
    all: &mut Repaired,
) -> Result<Vec<u64>, VerifyError> {
    let plan = &run.plan.collections[place];
    let shared = super::run::Shared {
        collection: place,
        rules: Rules::default(),
        select: Select::ALL,
        key: run.key(),
        throttle: Throttle::new(None),
        mark: Default::default(),
        claimed: Mutex::new(claims::Claimed::default()),
    };
    // A row may have come since: only what no row gives now is deleted.
    let named: Vec<Vec<u8>> = findings.iter().map(|f| f.id.clone()).collect();
    let (confirmed, _) = reverse::confirm(run, &shared, named).await?;
    all.deleted += run.sink.delete(&plan.name, &confirmed, &run.cancel).await?;
    Ok(findings.iter().map(|f| f.finding.number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_in_words() {
        let repaired = Repaired {
            written: 3,
            deleted: 0,
            repaired: 3,
            left: 0,
            kept: 2,
        };
        assert_eq!(
            repaired.in_words(),
            "3 documents were written. 3 findings are repaired. 2 unexpected documents were not touched."
        );
    }
}
