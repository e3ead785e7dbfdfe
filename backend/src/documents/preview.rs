//! A few documents of one collection from live rows; nothing is written.

use super::{ChildReader, assemble_batch};
use crate::assemble::Assembler;
use crate::data::issue::IssueLog;
use crate::plan::CollectionPlan;
use crate::source::SourceError;
use crate::source::api::Source;
use crate::source::read::KeyRange;
use godwit_shared::job::EventStage;
use godwit_shared::project::Preview;

/// What the documents of one answer may come to; the first one is always shown.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Readers of a preview: one of the roots, one of what lies below them.
pub const READERS: usize = 2;

/// The first documents of a collection, in the order of its rules and keys.
///
/// # Errors
/// When the source fails.
pub async fn preview(collection: &CollectionPlan, source: &dyn Source, limit: u32) -> Result<Preview, SourceError> {
    let snapshot = source.begin_snapshot(&[], READERS).await?;
    let mut log = IssueLog::default();
    let mut bytes = 0;
    let mut preview = Preview {
        collection: collection.name.clone(),
        documents: Vec::new(),
        sizes: Vec::new(),
        is_cut: false,
        issues: Vec::new(),
    };
    for root in &collection.roots {
        let wanted = limit as usize - preview.documents.len();
        if wanted == 0 || preview.is_cut {
            break;
        }
        let roots = snapshot.reader().await?;
        let mut children = ChildReader::new(&*snapshot).for_preview();
        let mut stream = roots
            .stream_roots(
                &root.node,
                &KeyRange::default(),
                true,
                root.node.rule_filter.is_none().then_some(limit),
            )
            .await?;
        let mut assembler = Assembler::new(root);
        let mut found = 0;
        // A filter may leave out many rows before the first that passes.
        while found < wanted && !preview.is_cut {
            let Some(rows) = stream.next_rows(limit as usize, 1 << 20).await? else {
                break;
            };
            let batch = assemble_batch(root, &mut assembler, &mut children, rows).await?;
            for issue in batch.issues {
                log.add(issue, EventStage::Snapshotting);
            }
            for document in batch.documents.iter().take(wanted - found) {
                bytes += document.bson.len();
                if bytes > ANSWER_BYTES_MAX && !preview.documents.is_empty() {
                    preview.is_cut = true;
                    break;
                }
                found += 1;
                preview.sizes.push(document.bson.len() as u64);
                let read = bson::Document::from_reader(&document.bson[..]).unwrap_or_default();
                preview
                    .documents
                    .push(bson::Bson::Document(read).into_relaxed_extjson());
            }
        }
        roots.cancel().await;
    }
    preview.issues = log.updates();
    Ok(preview)
}
