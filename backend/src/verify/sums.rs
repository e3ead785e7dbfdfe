//! The second path: sums of columns, computed by the source in SQL and by the destination in an aggregation. Nothing of
//! what reads, filters and assembles rows lies on it, so a fault there, which both sides of the comparison of documents
//! share, is seen here: a last element that is dropped, a filter that is forgotten, two fields that are swapped, a decimal
//! that is rounded. It cannot see which document it is, nor what leaves a sum as it is: elements in another order, texts of
//! the same lengths, doubles.
//!
//! Compared are the places of the plan where both sides can tell exactly: columns of their default types, of nodes that no
//! JavaScript filters and no limit cuts. Where rows have no document, or documents differ, sums say nothing new.

use super::error::VerifyError;
use super::names::{joined, path_below};
use super::run::{Shared, VerifyRun};
use crate::data::decimal::same_value;
use crate::plan::{Node, NodeKind};
use crate::source::sums::{ColumnSum, SumKind};
use bson::{Bson, Document, doc};
use godwit_shared::mapping::FieldType;
use godwit_shared::verification::FindingKind;
use std::time::Duration;

/// Columns of one aggregation.
const COLUMNS_AT_ONCE: usize = 100;
/// Sums are compared so often before a difference is reported.
const LOOKS: usize = 2;

/// A place of the documents with what is summed there.
struct Summed<'p> {
    path: Vec<&'p Node>,
    /// The arrays above it, from the outside in.
    arrays: Vec<String>,
    /// The embedded documents that have to be there.
    documents: Vec<String>,
    /// Whether each row is one document or element.
    counts_rows: bool,
    /// Column of the table, and the path of its values.
    columns: Vec<(usize, String)>,
}

/// Compares the sums of a collection.
///
/// # Errors
/// When a server fails.
pub(super) async fn compare(run: &VerifyRun, shared: &Shared) -> Result<(), VerifyError> {
    let plan = &run.plan.collections[shared.collection];
    let [root] = plan.roots.as_slice() else { return Ok(()) };
    let counts = run.progress.now()[shared.collection].counts.clone();
    let differ = counts.missing + counts.unexpected + counts.different + counts.changed_since + counts.skipped;
    let has_others = counts.documents.is_some_and(|documents| documents != counts.expected);
    if differ > 0 || has_others || run.points.follows() {
        return Ok(());
    }
    let mut places = Vec::new();
    collect(&mut vec![&root.node], "", &mut Vec::new(), &mut Vec::new(), &mut places);
    let mut findings = Vec::new();
    for place in &places {
        run.stand_by().await;
        for look in 1..=LOOKS {
            let compared = differences(run, &plan.name, place).await?;
            let Some((columns, differing)) = compared else { break };
            if differing.is_empty() || look == LOOKS {
                run.progress.settled(shared.collection, |c| {
                    c.counts.sums_compared += columns;
                    c.counts.sums_different += differing.len() as u64;
                });
                findings.extend(differing.into_iter().map(|(path, expected, found)| {
                    run.finding_about(FindingKind::SumMismatch, &plan.name, Some(path), (expected, found))
                }));
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    run.store_findings(findings).await
}

fn collect<'p>(
    path: &mut Vec<&'p Node>,
    at: &str,
    arrays: &mut Vec<String>,
    documents: &mut Vec<String>,
    places: &mut Vec<Summed<'p>>,
) {
    let node = path[path.len() - 1];
    let is_cut = node.rule_filter.is_some() || (node.kind != NodeKind::Root && node.limit.is_some());
    let is_first_of_several = node.takes_first() && !node.join.as_ref().is_some_and(|j| j.is_unique);
    if is_cut || is_first_of_several {
        return;
    }
    let is_default = |target: FieldType| target == FieldType::Default;
    // A join column that both have stands there once, and is the parent's.
    let is_shared = |column: usize| {
        let mut pairs = node.join.iter().flat_map(|j| &j.pairs);
        node.kind == NodeKind::Merged && pairs.any(|p| p.own == column)
    };
    let fields = node.fields.iter().filter(|f| is_default(f.target));
    let columns = fields.filter(|f| !is_shared(node.columns[f.cell])).map(|field| {
        let value = match node.kind {
            NodeKind::PrimitiveArray => at.to_owned(),
            _ => joined(at, &field.name),
        };
        (node.columns[field.cell], value)
    });
    places.push(Summed {
        path: path.clone(),
        arrays: arrays.clone(),
        documents: documents.clone(),
        counts_rows: !matches!(node.kind, NodeKind::PrimitiveArray | NodeKind::Merged),
        columns: columns.collect(),
    });
    for child in &node.children {
        let below = path_below(node, at, child);
        let is_array = matches!(child.kind, NodeKind::Array | NodeKind::PrimitiveArray);
        if is_array {
            arrays.push(below.clone());
        }
        if child.kind == NodeKind::Document {
            documents.push(below.clone());
        }
        path.push(child);
        collect(path, &below, arrays, documents, places);
        path.pop();
        if is_array {
            arrays.pop();
        }
        if child.kind == NodeKind::Document {
            documents.pop();
        }
    }
}

type Different = (String, String, String);

/// How many columns were compared, and those that differ; `None` where the source has no sums.
async fn differences(
    run: &VerifyRun,
    collection: &str,
    place: &Summed<'_>,
) -> Result<Option<(u64, Vec<Different>)>, VerifyError> {
    let reader = run.point.reader().await?;
    let columns: Vec<usize> = place.columns.iter().map(|(column, _)| *column).collect();
    let sums = reader.sums(&place.path, &columns).await?;
    reader.give_back();
    let Some(sums) = sums else { return Ok(None) };
    let mut differing = Vec::new();
    let (mut compared, mut rows) = (0, None);
    let of: Vec<(&str, &ColumnSum)> = place
        .columns
        .iter()
        .zip(&sums.columns)
        .filter_map(|((_, path), sum)| Some((path.as_str(), sum.as_ref()?)))
        .collect();
    for part in of.chunks(COLUMNS_AT_ONCE) {
        let answer = run.sink.aggregate_one(collection, pipeline(place, part)).await?;
        let answer = answer.unwrap_or_default();
        rows = Some(number(answer.get("rows")).unwrap_or_else(|| "0".into()));
        for (number_of, (path, sum)) in part.iter().enumerate() {
            compared += 1;
            let found = found_sum(&answer, number_of, sum.kind);
            if !same(sum, &found) {
                differing.push(((*path).to_owned(), in_words(sum), in_words(&found)));
            }
        }
    }
    let rows = match rows {
        Some(rows) => rows,
        None => {
            let answer = run.sink.aggregate_one(collection, pipeline(place, &[])).await?;
            number(answer.unwrap_or_default().get("rows")).unwrap_or_else(|| "0".into())
        }
    };
    if place.counts_rows {
        compared += 1;
        if rows != sums.rows.to_string() {
            let path = place
                .arrays
                .last()
                .or(place.documents.last())
                .cloned()
                .unwrap_or_default();
            let (expected, found) = (format!("{} rows", sums.rows), format!("{rows} of them"));
            differing.insert(0, (path, expected, found));
        }
    }
    Ok(Some((compared, differing)))
}

fn pipeline(place: &Summed<'_>, columns: &[(&str, &ColumnSum)]) -> Vec<Document> {
    let mut stages: Vec<Document> = place
        .arrays
        .iter()
        .map(|array| doc! {"$unwind": format!("${array}")})
        .collect();
    for document in &place.documents {
        stages.push(doc! {"$match": {"$expr": {"$eq": [{"$type": format!("${document}")}, "object"]}}});
    }
    let mut group = doc! {"_id": Bson::Null, "rows": {"$sum": 1_i64}};
    for (number, (path, sum)) in columns.iter().enumerate() {
        let value = format!("${path}");
        let types: &[&str] = match sum.kind {
            SumKind::Integer => &["int", "long"],
            SumKind::Decimal => &["decimal"],
            SumKind::Text => &["string"],
            SumKind::Date => &["date"],
            SumKind::Boolean => &["bool"],
        };
        let is_it = doc! {"$in": [{"$type": &value}, types.to_vec()]};
        let when = |then: Bson, otherwise: Bson| doc! {"$cond": [is_it.clone(), then, otherwise]};
        let zero = || Bson::Int64(0);
        let sum_of = |term: Document| doc! {"$sum": when(Bson::Document(term), zero())};
        group.insert(format!("n{number}"), doc! {"$sum": when(Bson::Int64(1), zero())});
        let mut add = |which: usize, accumulator: Document| group.insert(format!("v{number}_{which}"), accumulator);
        match sum.kind {
            SumKind::Integer => {
                add(0, sum_of(doc! {"$toDecimal": &value}));
                add(1, doc! {"$min": when(Bson::String(value.clone()), Bson::Null)});
                add(2, doc! {"$max": when(Bson::String(value.clone()), Bson::Null)});
            }
            SumKind::Decimal => {
                add(0, doc! {"$sum": when(Bson::String(value.clone()), zero())});
            }
            SumKind::Text => {
                add(0, sum_of(doc! {"$toLong": {"$strLenCP": &value}}));
                add(1, sum_of(doc! {"$toLong": {"$strLenBytes": &value}}));
            }
            SumKind::Date => {
                let ms = doc! {"$toLong": &value};
                add(0, sum_of(doc! {"$toDecimal": ms.clone()}));
                add(1, doc! {"$min": when(Bson::Document(ms.clone()), Bson::Null)});
                add(2, doc! {"$max": when(Bson::Document(ms), Bson::Null)});
            }
            SumKind::Boolean => {
                add(0, doc! {"$sum": {"$cond": [{"$eq": [&value, true]}, 1_i64, 0_i64]}});
            }
        };
    }
    stages.push(doc! {"$group": group});
    stages
}

fn found_sum(answer: &Document, number_of: usize, kind: SumKind) -> ColumnSum {
    let values = match kind {
        SumKind::Integer | SumKind::Date => 3,
        SumKind::Text => 2,
        SumKind::Decimal | SumKind::Boolean => 1,
    };
    let count = number(answer.get(format!("n{number_of}")));
    ColumnSum {
        kind,
        count: count.and_then(|n| n.parse().ok()).unwrap_or(0),
        values: (0..values)
            .map(|which| number(answer.get(format!("v{number_of}_{which}"))))
            .collect(),
    }
}

fn number(value: Option<&Bson>) -> Option<String> {
    match value? {
        Bson::Int32(n) => Some(n.to_string()),
        Bson::Int64(n) => Some(n.to_string()),
        Bson::Double(n) => Some(n.to_string()),
        Bson::Decimal128(n) => Some(n.to_string()),
        _ => None,
    }
}

/// A sum of nothing is null on one side and 0 on the other.
fn same(expected: &ColumnSum, found: &ColumnSum) -> bool {
    let zero = |value: &Option<String>| value.clone().unwrap_or_else(|| "0".into());
    expected.count == found.count
        && (expected.count == 0
            || expected.values.iter().zip(&found.values).all(|(e, f)| {
                let (e, f) = (zero(e), zero(f));
                e == f || same_value(&e, &f)
            }))
}

fn in_words(sum: &ColumnSum) -> String {
    let names: &[&str] = match sum.kind {
        SumKind::Integer => &["sum", "lowest", "highest"],
        SumKind::Decimal => &["sum"],
        SumKind::Text => &["characters", "bytes"],
        SumKind::Date => &["sum of ms", "lowest", "highest"],
        SumKind::Boolean => &["true"],
    };
    let values = names.iter().zip(&sum.values);
    let values = values.map(|(name, value)| format!(", {name} {}", value.as_deref().unwrap_or("none")));
    format!("{} values{}", sum.count, values.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integers(count: u64, sum: &str) -> ColumnSum {
        ColumnSum {
            kind: SumKind::Integer,
            count,
            values: vec![Some(sum.into()), Some("1".into()), Some("9".into())],
        }
    }

    #[test]
    fn sums_are_the_same_as_numbers_and_of_nothing_too() {
        assert!(same(&integers(3, "12"), &integers(3, "12.0")));
        assert!(!same(&integers(3, "12"), &integers(3, "13")));
        assert!(!same(&integers(3, "12"), &integers(4, "12")));
        let none = ColumnSum {
            values: vec![None, None, None],
            ..integers(0, "0")
        };
        assert!(same(&none, &integers(0, "0")));
        assert_eq!(in_words(&integers(3, "12")), "3 values, sum 12, lowest 1, highest 9");
    }
}
