//! Documents of a draft from live rows.

use super::{Faults, OpenSource, plan_of};
use crate::data::issue::IssueLog;
use crate::documents::ChildReader;
use crate::documents::by_key::assemble_keys;
use crate::documents::preview::{READERS, preview as first_documents};
use crate::jobs::prepare::{PrepareError, script_problems};
use crate::plan::{Plan, RootPlan};
use crate::source::SourceError;
use crate::source::check::check_access;
use crate::source::filter::settle_filters;
use godwit_shared::draft::{DraftPreview, Pick, PreviewedDocument};
use godwit_shared::edit::Fault;
use godwit_shared::ids::CollectionId;
use godwit_shared::job::{CollectionFilters, EventStage, JobUpdate};
use godwit_shared::relmig::ProjectFile;
use indexmap::IndexMap;
use serde_json::Value;

/// What the documents of one answer may come to; the first one is always shown.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Documents of a collection, or the faults for which there are none.
///
/// # Errors
/// When the source or the workers for expressions fail.
pub async fn preview(
    opened: &OpenSource,
    file: &ProjectFile,
    project: &str,
    collection: &CollectionId,
    pick: &Pick,
) -> Result<DraftPreview, PrepareError> {
    let mut answer = DraftPreview {
        collection: collection.clone(),
        documents: Vec::new(),
        largest: 0,
        average: 0,
        is_cut: false,
        issues: Vec::new(),
        faults: Vec::new(),
    };
    let Some(named) = file.project.content.collections.get(collection) else {
        return Ok(answer);
    };
    if file.project.content.roots_of(collection).next().is_none() {
        // An empty collection has no documents, and nothing is wrong with it.
        return Ok(answer);
    }
    let filters = CollectionFilters {
        include: vec![named.name.clone()],
        exclude: Vec::new(),
    };
    let faults = Faults::of(file);
    let mut plan = match plan_of(file, &opened.catalog, project, filters) {
        Ok(plan) => plan,
        Err(problems) => {
            answer.faults = problems.iter().map(|p| faults.fault(p)).collect();
            return Ok(answer);
        }
    };
    check_access(&plan)?;
    let refused = settle_filters(&*opened.session, &mut plan).await?;
    let mut found: Vec<Fault> = refused.iter().map(|p| faults.filter(&p.table, &p.reason)).collect();
    found.extend(script_problems(&plan, |_| true).await?.iter().map(|p| faults.fault(p)));
    if !found.is_empty() {
        answer.faults = found;
        return Ok(answer);
    }
    let (documents, issues, is_cut) = documents(opened, &plan, pick).await?;
    answer.is_cut = is_cut;
    answer.issues = issues;
    answer.largest = documents.iter().map(|d| d.size).max().unwrap_or(0);
    let sum: u64 = documents.iter().map(|d| d.size).sum();
    answer.average = sum / (documents.len() as u64).max(1);
    answer.documents = documents;
    Ok(answer)
}

type Found = (Vec<PreviewedDocument>, Vec<JobUpdate>, bool);

async fn documents(opened: &OpenSource, plan: &Plan, pick: &Pick) -> Result<Found, SourceError> {
    let collection = &plan.collections[0];
    let (mut log, mut documents, mut bytes, mut is_cut) = (IssueLog::default(), Vec::new(), 0, false);
    let limit = match pick {
        Pick::First { limit } => {
            let preview = first_documents(collection, &*opened.source, *limit).await?;
            let sizes = preview.sizes.iter().copied();
            let documents = preview
                .documents
                .into_iter()
                .zip(sizes)
                .map(|(d, size)| previewed(d, size));
            return Ok((documents.collect(), preview.issues, preview.is_cut));
        }
        Pick::Key { .. } => 1,
        Pick::Search { limit, .. } => *limit,
    };
    let snapshot = opened.source.begin_snapshot(&[], READERS).await?;
    for root in &collection.roots {
        let wanted = (limit as usize).saturating_sub(documents.len());
        if wanted == 0 || is_cut {
            break;
        }
        let keys = keys_of(opened, root, pick, wanted).await?;
        if keys.is_empty() {
            continue;
        }
        let keys: Vec<Vec<Option<&str>>> = keys
            .iter()
            .map(|k| k.iter().map(|v| Some(v.as_str())).collect())
            .collect();
        let mut children = ChildReader::new(&*snapshot).for_preview();
        let rebuilt = assemble_keys(root, &mut children, &keys).await?;
        for issue in rebuilt.issues {
            log.add(issue, EventStage::Snapshotting);
        }
        for document in rebuilt.documents.iter().take(wanted) {
            bytes += document.bson.len() as u64;
            if bytes > ANSWER_BYTES_MAX && !documents.is_empty() {
                is_cut = true;
                break;
            }
            let read = bson::Document::from_reader(&document.bson[..]).unwrap_or_default();
            let json = bson::Bson::Document(read).into_relaxed_extjson();
            documents.push(previewed(json, document.bson.len() as u64));
        }
    }
    Ok((documents, log.updates(), is_cut))
}

/// The keys of the rows that are asked for, printed.
async fn keys_of(
    opened: &OpenSource,
    root: &RootPlan,
    pick: &Pick,
    limit: usize,
) -> Result<Vec<Vec<String>>, SourceError> {
    let table = &root.node.table;
    if table.primary_key.is_empty() {
        return Ok(Vec::new());
    }
    match pick {
        Pick::First { .. } => Ok(Vec::new()),
        Pick::Search { text, .. } => opened.session.search(table, text, limit).await,
        Pick::Key { key } => {
            let names = table.primary_key.iter().map(|c| &table.columns[*c].name);
            let values: Option<Vec<String>> = names.map(|name| key.get(name).cloned()).collect();
            match values {
                Some(values) if key.len() == table.primary_key.len() => {
                    let is_valid = opened.session.are_values(table, &values).await?;
                    Ok(if is_valid { vec![values] } else { Vec::new() })
                }
                Some(_) | None => Ok(Vec::new()),
            }
        }
    }
}

fn previewed(document: Value, size: u64) -> PreviewedDocument {
    let mut arrays = IndexMap::new();
    count_elements(&document, "", &mut arrays);
    PreviewedDocument { document, size, arrays }
}

/// The elements of the largest array at each path.
fn count_elements(value: &Value, path: &str, arrays: &mut IndexMap<String, u64>) {
    match value {
        Value::Array(items) => {
            let most = arrays.entry(path.to_owned()).or_default();
            *most = (*most).max(items.len() as u64);
            items.iter().for_each(|item| count_elements(item, path, arrays));
        }
        Value::Object(members) => {
            for (name, inner) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                count_elements(inner, &path, arrays);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
