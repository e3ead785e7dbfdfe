//! Whether a draft can become documents: the plan's own validation, filters judged by the source, and expressions tried
//! on the first rows.

use super::{Faults, MayRun, OpenSource, offline, plan_of};
use crate::assemble::document::input_of;
use crate::assemble::rows::key_of;
use crate::data::row::RowSet;
use crate::data::value::Value;
use crate::jobs::prepare::{PlacedScript, PrepareError, ScriptUse, script_problems, scripts_of};
use crate::plan::{Node, Plan, PlanProblem};
use crate::scripts::{self, Unavailable, Urgency};
use crate::source::SourceError;
use crate::source::api::Reader;
use crate::source::filter::settle_filters;
use crate::source::read::KeyRange;
use godwit_shared::consent::CodeLanguage;
use godwit_shared::draft::DraftCheck;
use godwit_shared::edit::{FailedRow, Fault, FaultKind, Place};
use godwit_shared::ids::MappingId;
use godwit_shared::job::CollectionFilters;
use godwit_shared::relmig::ProjectFile;
use std::collections::HashSet;

/// Rows that an expression is tried on.
const ROWS_TRIED: u32 = 20;
/// Bytes of these rows.
const BYTES_TRIED: usize = 4 << 20;

/// Checks a draft without its source, against the schema that the project has.
pub fn check_offline(file: &ProjectFile, project: &str, problem: String) -> DraftCheck {
    let catalog = offline::catalog_of(&file.schema.full);
    let faults = Faults::of(file);
    let found = plan_of(file, &catalog, project, CollectionFilters::default()).err();
    DraftCheck {
        faults: found.iter().flatten().map(|p| faults.fault(p)).collect(),
        is_live: false,
        source_problem: Some(problem),
        expressions_run: 0,
        consent_needed: false,
    }
}

/// Checks a draft against its source.
///
/// # Errors
/// When the source or the workers for expressions fail.
pub async fn check(
    opened: &OpenSource,
    file: &ProjectFile,
    project: &str,
    rule: Option<&MappingId>,
    may_run: MayRun<'_>,
) -> Result<DraftCheck, PrepareError> {
    let faults = Faults::of(file);
    let (plan, problems) = sound_part(opened, file, project);
    let mut found: Vec<Fault> = problems.iter().map(|p| faults.fault(p)).collect();
    let mut checked = DraftCheck {
        faults: Vec::new(),
        is_live: true,
        source_problem: None,
        expressions_run: 0,
        consent_needed: false,
    };
    if let Some(mut plan) = plan {
        let blind = leave_out_filters(&mut plan, may_run);
        for problem in settle_filters(&*opened.session, &mut plan).await? {
            found.push(faults.filter(&problem.table, &problem.reason));
        }
        let may_look = |placed: &PlacedScript<'_>| may_run(CodeLanguage::Javascript, &placed.script.source);
        let broken = script_problems(&plan, &may_look).await?;
        checked.consent_needed = !blind.is_empty() || scripts_of(&plan).iter().any(|placed| !may_look(placed));
        let is_broken = |placed: &PlacedScript<'_>| {
            broken
                .iter()
                .any(|p| p.rule.as_ref() == Some(&placed.node.rule) && p.about.1 == placed.use_of.part())
        };
        let tried: Vec<PlacedScript<'_>> = scripts_of(&plan)
            .into_iter()
            .filter(|placed| may_look(placed) && !is_broken(placed) && can_be_read(placed.node))
            .filter(|placed| !blind.contains(&placed.node.id))
            .filter(|placed| rule.is_none_or(|rule| *rule == placed.node.rule))
            .collect();
        checked.expressions_run = tried.len();
        found.extend(broken.iter().map(|p| faults.fault(p)));
        found.extend(run(opened, &faults, tried).await?);
    }
    checked.faults = found;
    Ok(checked)
}

/// The plan of the collections that nothing is wrong with, and what is wrong with the others.
fn sound_part(opened: &OpenSource, file: &ProjectFile, project: &str) -> (Option<Plan>, Vec<PlanProblem>) {
    let compiled = plan_of(file, &opened.catalog, project, CollectionFilters::default());
    let problems = match compiled {
        Ok(plan) => return (Some(plan), Vec::new()),
        Err(problems) => problems,
    };
    let wrong: HashSet<&str> = problems.iter().map(|p| p.collection.as_str()).collect();
    let filters = CollectionFilters {
        include: Vec::new(),
        exclude: wrong.into_iter().map(str::to_owned).collect(),
    };
    let rest = plan_of(file, &opened.catalog, project, filters).ok();
    (rest, problems)
}

/// A table that this user may read whole.
fn can_be_read(node: &Node) -> bool {
    let table = &node.table;
    // A filter that was refused has no condition, and no row is read with it.
    let is_settled = node
        .table_filter
        .as_ref()
        .is_none_or(|f| f.text().is_none() || f.condition.is_some());
    table.can_select && !table.has_row_security && is_settled
}

/// Takes filters out of the plan that may not run; says of which nodes. Their rows are not read.
fn leave_out_filters(plan: &mut Plan, may_run: MayRun<'_>) -> HashSet<usize> {
    let mut blind = HashSet::new();
    plan.for_each_node(&mut |node| {
        let text = node.table_filter.as_ref().and_then(|f| f.text());
        if text.is_some_and(|text| !may_run(CodeLanguage::Sql, text)) {
            node.table_filter = None;
            blind.insert(node.id);
        }
    });
    blind
}

/// Tries expressions on the first rows of their tables.
async fn run(
    opened: &OpenSource,
    faults: &Faults<'_>,
    tried: Vec<PlacedScript<'_>>,
) -> Result<Vec<Fault>, PrepareError> {
    let mut found = Vec::new();
    if tried.is_empty() {
        return Ok(found);
    }
    let snapshot = opened.source.begin_snapshot(&[], 1).await?;
    let mut read: Option<(usize, RowSet)> = None;
    for placed in &tried {
        let id = placed.node.id;
        let rows = match read.take() {
            Some((of, rows)) if of == id => rows,
            Some(_) | None => {
                let reader = snapshot.reader().await?;
                first_rows(&*reader, placed.node).await?
            }
        };
        if let Some((row, message)) = first_failure(placed, &rows).await? {
            let problem = PlanProblem {
                collection: placed.collection.name.clone(),
                rule: Some(placed.node.rule.clone()),
                table: Some(placed.node.table.name.clone()),
                about: crate::plan::About(FaultKind::ExpressionFailed, placed.use_of.part()),
                message: format!("{}: {message}", placed.use_of),
            };
            let fault = faults.fault(&problem);
            found.push(Fault {
                row: Some(failed_row(placed, &rows, row)),
                place: Place { ..fault.place },
                ..fault
            });
        }
        read = Some((id, rows));
    }
    Ok(found)
}

async fn first_rows(reader: &dyn Reader, node: &Node) -> Result<RowSet, SourceError> {
    let mut stream = reader
        .stream_roots(node, &KeyRange::default(), true, Some(ROWS_TRIED))
        .await?;
    let mut rows = RowSet::new(node.cells());
    while rows.size_bytes() < BYTES_TRIED
        && let Some(more) = stream.next_rows(ROWS_TRIED as usize, BYTES_TRIED).await?
    {
        rows.append(more);
    }
    reader.cancel().await;
    Ok(rows)
}

/// The first row that an expression fails for, and how.
async fn first_failure(placed: &PlacedScript<'_>, rows: &RowSet) -> Result<Option<(usize, String)>, Unavailable> {
    let (node, script) = (placed.node, placed.script);
    let (mut row, mut failure) = (0, None);
    let input = |row, input| input_of(node, rows, row, script, input);
    let each = |outcome: crate::assemble::script::Outcome, _: usize| {
        let wrong = match (&outcome, placed.use_of) {
            (Err(error), _) => Some(error.to_string()),
            (Ok(Some(Value::Bool(_))), ScriptUse::Filter) => None,
            (Ok(_), ScriptUse::Filter) => Some("it gave neither true nor false, and the row would be left out".into()),
            (Ok(None | Some(Value::Null)), ScriptUse::Id) => {
                Some("it gave nothing, and a document needs an `_id`".into())
            }
            (Ok(Some(Value::Array(_))), ScriptUse::Id) => Some("it gave an array, which is no `_id`".into()),
            (Ok(_), ScriptUse::Id | ScriptUse::Field(_)) => None,
        };
        failure = wrong.map(|message| (row, message));
        row += 1;
        failure.is_none()
    };
    scripts::evaluate(script, rows.len(), Urgency::Preview, input, each).await?;
    Ok(failure)
}

fn failed_row(placed: &PlacedScript<'_>, rows: &RowSet, row: usize) -> FailedRow {
    let inputs = placed.script.inputs.iter().enumerate();
    FailedRow {
        key: key_of(placed.node, rows, row).into_iter().collect(),
        values: inputs
            .map(|(n, (name, _))| (name.clone(), shown(&input_of(placed.node, rows, row, placed.script, n))))
            .collect(),
    }
}

/// The most characters of a text that is shown.
const TEXT_SHOWN: usize = 200;

/// A value for the user: dates, decimals and bytes as texts.
fn shown(value: &Value<'_>) -> serde_json::Value {
    use serde_json::json;
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(v) => json!(v),
        Value::Int(n) => json!(n),
        Value::Long(n) => json!(n),
        Value::Double(n) => json!(n),
        Value::Decimal(d) => json!(crate::assemble::convert::decimal_text(*d)),
        Value::Text(text) => json!(text.chars().take(TEXT_SHOWN).collect::<String>()),
        Value::Date(ms) => {
            let date = chrono::DateTime::from_timestamp_millis(*ms);
            json!(date.map_or_else(
                || ms.to_string(),
                |d| d.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
            ))
        }
        Value::Binary(bytes) => json!(format!("{} bytes", bytes.len())),
        Value::Uuid(bytes) => json!(uuid::Uuid::from_bytes(*bytes).to_string()),
        Value::ObjectId(bytes) => json!(bson::oid::ObjectId::from_bytes(*bytes).to_hex()),
        Value::Array(items) => json!(items.iter().take(TEXT_SHOWN).map(shown).collect::<Vec<_>>()),
        Value::Document(members) => {
            let members = members.iter().map(|(name, value)| (name.to_string(), shown(value)));
            serde_json::Value::Object(members.collect())
        }
    }
}
