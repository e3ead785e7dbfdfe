//! Documents that MongoDB did not take because another one has their values in a unique index: when all is written, the
//! other one may have others. Two rows that have changed places since an earlier run are such.

use super::run::{SnapshotError, SnapshotRun};
use super::worker::refused_issue;
use crate::assemble::Assembled;
use crate::data::progress::Progress;
use crate::documents::ChildReader;
use crate::documents::by_key::assemble_keys;
use godwit_shared::job::EventStage;

/// Rows of one root that are tried again at the end; those beyond are told at once.
pub const REFUSED_MAX: usize = 1_000;
/// Documents that are assembled at once.
const AT_ONCE: usize = 100;

/// A root row whose document MongoDB does not take as long as another one is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Which collection of the plan.
    pub collection: usize,
    /// Which root of the collection.
    pub root: usize,
    /// Its primary key, printed.
    pub key: Vec<String>,
}

/// The key by which a document's row is found again; `None` of a table without a primary key.
pub fn key_of(run: &SnapshotRun, (collection, root): (usize, usize), document: &Assembled) -> Option<Vec<String>> {
    let printed = document.row.printed(&run.plan.collections[collection].roots[root].node);
    (!printed.is_empty()).then(|| printed.into_iter().map(|(_, value)| value).collect())
}

/// Tries rows of one root again. Tells of those that still do not fit, and returns them.
///
/// May be repeated: what is taken out here is written again by the next try.
///
/// # Errors
/// When source or destination fails.
pub async fn settle(
    run: &SnapshotRun,
    place: (usize, usize),
    keys: &[Vec<String>],
) -> Result<Vec<RefusedRow>, SnapshotError> {
    let mut reader = ChildReader::new(&*run.point);
    let mut open = Vec::new();
    for keys in keys.chunks(AT_ONCE) {
        open.extend(write(run, &mut reader, place, keys).await?);
    }
    // Those that change places have to go all at once.
    let ids: Vec<Vec<u8>> = open.iter().map(|(d, _)| d.id_element().to_vec()).collect();
    let name = &run.plan.collections[place.0].name;
    run.sink.delete(name, &ids, &run.cancel).await?;
    let keys: Vec<Vec<String>> = open.iter().filter_map(|(d, _)| key_of(run, place, d)).collect();
    let mut left = Vec::new();
    for keys in keys.chunks(AT_ONCE) {
        for (document, reason) in write(run, &mut reader, place, keys).await? {
            let node = &run.plan.collections[place.0].roots[place.1].node;
            let issue = refused_issue(node, &document, reason);
            run.progress.report([issue], EventStage::Snapshotting)?;
            left.extend(key_of(run, place, &document).map(|key| RefusedRow {
                collection: place.0,
                root: place.1,
                key,
            }));
        }
    }
    Ok(left)
}

/// Writes the documents of some rows, and returns those that are refused, with the reason.
async fn write(
    run: &SnapshotRun,
    reader: &mut ChildReader<'_>,
    (collection, root): (usize, usize),
    keys: &[Vec<String>],
) -> Result<Vec<(Assembled, String)>, SnapshotError> {
    let plan = &run.plan.collections[collection];
    let keys: Vec<Vec<Option<&str>>> = keys
        .iter()
        .map(|key| key.iter().map(|part| Some(part.as_str())).collect())
        .collect();
    let documents = assemble_keys(&plan.roots[root], reader, &keys).await?.documents;
    let report = run.sink.write(&plan.name, &documents, true, &run.cancel).await?;
    let count = report.inserted + report.replaced;
    Progress::add(&run.progress.collections[collection].documents, count);
    Ok((report.refused.into_iter())
        .map(|r| (documents[r.index].clone(), r.reason))
        .collect())
}
