//! Reads whole collections again, for changes that the log does not tell row by row: TRUNCATE, DDL, partitions.
//!
//! Every root that there is gets its document, and documents of roots that are gone are deleted. Which those are is
//! found by remembering what was written, in the product's own store, and looking through the `_id`s of the collection.

use super::claims::key_of_contender;
use super::climb::keys_of;
use super::error::CdcError;
use super::rebuild::{Context, RefusedDocument, RootPlace, delete, hash_of, rebuild};
use super::state::Foreign;
use crate::data::issue::{Issue, IssueKind, Location};
use crate::source::api::Snapshot;
use futures_util::StreamExt;
use std::sync::Arc;

/// Root keys that are rebuilt at once.
const KEYS_AT_ONCE: usize = 4_000;
const BYTES_AT_ONCE: usize = 4 << 20;

/// Reads a collection again. `foreign` is what it holds that is not the job's.
///
/// # Errors
/// When anything fails: the refresh is to be repeated as a whole.
pub async fn refresh(
    context: &Context,
    point: &Arc<dyn Snapshot>,
    collection: usize,
    foreign: Foreign,
    reason: &str,
) -> Result<Vec<RefusedDocument>, CdcError> {
    let context = Context {
        remembers_written: true,
        ..context.clone()
    };
    let name = context.plan.collections[collection].name.clone();
    context.store.forget_written(&context.job).await?;
    context.report([told(&name, format!("the collection is read again: {reason}"))])?;
    let mut refused = Vec::new();
    for root in 0..context.plan.collections[collection].roots.len() {
        let place = RootPlace { collection, root };
        let table = context.root(place).node.table.clone();
        let reader = point.reader().await?;
        let mut stream = reader.stream_values(&table, None, &table.row_key()).await?;
        while let Some(rows) = stream.next_rows(KEYS_AT_ONCE, BYTES_AT_ONCE).await? {
            refused.extend(rebuild(&context, point, place, keys_of(&rows)?).await?);
        }
        reader.give_back();
    }
    refused.extend(take_out(&context, point, collection, foreign).await?);
    context.store.forget_written(&context.job).await?;
    Ok(refused)
}

/// Deletes what the collection holds beyond what was written. Documents that were there before the job are not its own:
/// as many as there were may stay; where more are left over, nobody can tell which.
async fn take_out(
    context: &Context,
    point: &Arc<dyn Snapshot>,
    collection: usize,
    foreign: Foreign,
) -> Result<Vec<RefusedDocument>, CdcError> {
    let place = RootPlace { collection, root: 0 };
    let name = &context.collection(place).name;
    let (mut refused, mut left_over) = (Vec::new(), 0);
    let mut pages = Box::pin(context.sink.all_ids(name).await?);
    while let Some(ids) = pages.next().await {
        let ids = ids?;
        let hashes: Vec<String> = ids.iter().map(|id| hash_of(id)).collect();
        let written = context.store.written(&context.job, name, &hashes).await?;
        let gone: Vec<Vec<u8>> = ids
            .into_iter()
            .zip(&hashes)
            .filter(|(_, hash)| !written.contains(*hash))
            .map(|(id, _)| id)
            .collect();
        left_over += gone.len() as u64;
        match foreign {
            Foreign::Documents(0) => {}
            Foreign::Documents(count) if left_over <= count => continue,
            Foreign::Unknown if left_over == 0 => continue,
            Foreign::Documents(_) | Foreign::Unknown => {
                return Err(CdcError::Resync(format!(
                    "\"{name}\" held documents before the job, and those cannot be told from documents whose rows are gone"
                )));
            }
        }
        delete(context, place, &gone).await?;
        if !context.collection(place).needs_claims || gone.is_empty() {
            continue;
        }
        for waiting in context.store.release(&context.job, name, &gone).await? {
            let place = RootPlace {
                root: waiting.root,
                ..place
            };
            let key = key_of_contender(name, &waiting)?;
            refused.extend(rebuild(context, point, place, vec![key]).await?);
        }
    }
    Ok(refused)
}

fn told(collection: &str, message: String) -> Issue {
    Issue {
        kind: IssueKind::Note,
        location: Location::Collection(collection.into()),
        field: None,
        message,
        key: Vec::new(),
    }
}
