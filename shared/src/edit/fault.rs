//! What is wrong with a draft, and what would put it right.

use super::joins::{self, shape_of};
use super::{CalculatedEdit, Draft, Edit, Part, Place, Shape, drops, level, names};
use crate::ids::MappingId;
use crate::mapping::Mapping;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that keeps a draft from becoming documents, at the place that it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    pub place: Place,
    pub kind: FaultKind,
    /// One sentence.
    pub message: String,
    /// Edits that would put it right, the best first.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// Of an expression: the first row that it failed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<FailedRow>,
}

/// An edit that is proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fix {
    /// *Rename to `city2`*.
    pub label: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub edit: Edit,
}

/// A row that an expression failed for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FailedRow {
    /// The primary key, printed; empty without one.
    pub key: IndexMap<String, String>,
    /// What the expression saw of the row, in MongoDB's relaxed extended JSON.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub values: IndexMap<String, Value>,
}

/// What clients branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Two things have one name, or one is a value and the parent of the other.
    NameTaken,
    /// MongoDB does not take the name.
    NameInvalid,
    TableGone,
    ColumnGone,
    /// No foreign key joins a rule to its parent.
    NoKey,
    /// Several do, and none is chosen.
    SeveralKeys,
    /// The key that joins a rule cannot be used.
    KeyUnusable,
    /// The rule cannot have this shape here.
    WrongShape,
    /// An array of values with more or less than one field.
    NotOneValue,
    TooDeep,
    /// A table filter that is none.
    Filter,
    /// An expression that cannot be compiled, or names columns that there are not.
    Expression,
    /// An expression that failed for a row.
    ExpressionFailed,
    /// A time series that this version cannot write.
    TimeSeries,
    /// No rule makes documents.
    NothingMapped,
}

impl Part {
    /// The field of a column.
    pub fn of_column(column: &str) -> Self {
        Part::Column {
            column: column.to_owned(),
        }
    }
}

fn fix(label: impl std::convert::Into<String>, edit: Edit) -> Fix {
    Fix {
        label: label.into(),
        edit,
    }
}

/// The edits that put a fault right.
pub fn fixes(draft: &Draft, place: &Place, kind: FaultKind) -> Vec<Fix> {
    let of_rule = place.rule.as_ref().and_then(|id| Some((id, draft.rule(id)?)));
    match (of_rule, &place.collection) {
        (Some((id, rule)), _) => rule_fixes(draft, id, rule, &place.part, kind),
        (None, Some(collection)) => match (kind, draft.content.collections.get(collection)) {
            (FaultKind::NameTaken | FaultKind::NameInvalid, Some(found)) => {
                let plain = found.name.replace(['$', '\0'], "_");
                let plain = plain.trim_start_matches("system.").trim_start_matches('.');
                let wanted = if plain.trim().is_empty() { "collection" } else { plain };
                let wanted = &wanted[..wanted.floor_char_boundary(180)];
                let name = names::free_collection(draft, wanted, Some(collection));
                let edit = Edit::RenameCollection {
                    collection: collection.clone(),
                    name: name.clone(),
                };
                vec![fix(format!("Rename to `{name}`"), edit)]
            }
            (FaultKind::TimeSeries, Some(_)) => {
                let edit = Edit::SetTimeSeries {
                    collection: collection.clone(),
                    settings: None,
                };
                vec![fix("Make it a regular collection", edit)]
            }
            _ => Vec::new(),
        },
        (None, None) => Vec::new(),
    }
}

fn rule_fixes(draft: &Draft, id: &MappingId, rule: &Mapping, part: &Part, kind: FaultKind) -> Vec<Fix> {
    let delete = || fix("Delete the rule", Edit::DeleteRule { rule: id.clone() });
    match kind {
        FaultKind::NameTaken | FaultKind::NameInvalid => name_fixes(draft, id, rule, part),
        FaultKind::ColumnGone => match part {
            Part::Column { column } => vec![exclude(id, column)],
            Part::Conditions => {
                let conditions = rule.settings.array_conditions.as_ref();
                let edit = Edit::SetConditions {
                    rule: id.clone(),
                    sort: None,
                    limit: conditions.and_then(|c| c.limit),
                    as_document: conditions.is_some_and(|c| c.as_document == Some(true)),
                };
                vec![fix("Take away the sort", edit)]
            }
            other => code_fixes(id, other),
        },
        FaultKind::NoKey | FaultKind::SeveralKeys | FaultKind::KeyUnusable => link_fixes(draft, id, rule, delete()),
        FaultKind::WrongShape => match part {
            Part::Conditions => {
                let sort = rule.settings.array_conditions.as_ref().and_then(|c| c.sort.clone());
                let limit = rule.settings.array_conditions.as_ref().and_then(|c| c.limit);
                let set = |limit, as_document| Edit::SetConditions {
                    rule: id.clone(),
                    sort: sort.clone(),
                    limit,
                    as_document,
                };
                vec![
                    fix("Limit to 1", set(Some(1), true)),
                    fix("Make it an array", set(limit.filter(|l| *l > 0), false)),
                ]
            }
            _ => vec![delete()],
        },
        FaultKind::NotOneValue => {
            let included = rule.fields.iter().filter(|(_, f)| f.target.included);
            let mut found: Vec<Fix> = included
                .map(|(column, field)| {
                    let others = rule.fields.iter().filter(|(c, f)| *c != column && f.target.included);
                    let edit = Edit::IncludeFields {
                        rule: id.clone(),
                        columns: others.map(|(c, _)| c.clone()).collect(),
                        included: false,
                    };
                    fix(format!("Keep `{}` alone", field.target.name), edit)
                })
                .take(3)
                .collect();
            let edit = Edit::SetShape {
                rule: id.clone(),
                shape: Shape::Array,
                field: None,
            };
            found.push(fix("Make it an array of documents", edit));
            found
        }
        FaultKind::Filter => {
            let edit = Edit::SetTableFilter {
                table: crate::ids::TableId::new(&rule.table),
                filter: None,
            };
            vec![fix("Take away the filter", edit)]
        }
        FaultKind::Expression => code_fixes(id, part),
        FaultKind::TableGone => vec![delete()],
        FaultKind::ExpressionFailed | FaultKind::TooDeep | FaultKind::TimeSeries | FaultKind::NothingMapped => {
            Vec::new()
        }
    }
}

fn exclude(rule: &MappingId, column: &str) -> Fix {
    let edit = Edit::IncludeFields {
        rule: rule.clone(),
        columns: vec![column.to_owned()],
        included: false,
    };
    fix("Exclude the field", edit)
}

/// Names that are free, and the way without the field.
fn name_fixes(draft: &Draft, id: &MappingId, rule: &Mapping, part: &Part) -> Vec<Fix> {
    let casing = draft.content.settings.casing;
    let table = draft.table_of(id).map(|(path, _)| path.clone());
    let own_level = level::owner(draft, id);
    let plain = |name: &str, instead: &str| match names::check_field(name, draft.is_root(&own_level)) {
        Ok(()) => name.to_owned(),
        Err(_) => instead.to_owned(),
    };
    let free = |level: &MappingId, wanted: &str| names::free(draft, level, wanted, Some((id, part)));
    match part {
        Part::Column { column } => {
            let now = rule
                .fields
                .get(column)
                .map(|f| f.target.name.as_str())
                .unwrap_or_default();
            let mut wanted = vec![plain(now, &casing.apply(column))];
            // The table says more than a number, where the two come from different ones.
            if let (Some(table), false) = (table, own_level == *id) {
                wanted.insert(0, names::qualified(casing, &table.table, column));
            }
            let mut found: Vec<Fix> = Vec::new();
            for wanted in wanted {
                let name = free(&own_level, &wanted);
                let edit = Edit::RenameField {
                    rule: id.clone(),
                    column: column.clone(),
                    name: name.clone(),
                };
                found.push(fix(format!("Rename to `{name}`"), edit));
            }
            found.push(exclude(id, column));
            found
        }
        Part::Calculated { id: field } => {
            let Some(calculated) = rule.calculated_fields.get(field) else {
                return Vec::new();
            };
            let name = free(&own_level, &plain(&calculated.name, "calculated"));
            let changed = CalculatedEdit {
                name: name.clone(),
                expression: calculated.expression.clone(),
                kind: calculated.kind,
                omit_null: calculated.is_null_excluded,
            };
            let edit = Edit::ChangeCalculated {
                rule: id.clone(),
                id: field.clone(),
                field: changed,
            };
            let mut found = vec![fix(format!("Rename to `{name}`"), edit)];
            found.extend(code_fixes(id, part));
            found
        }
        Part::Path => {
            let Some(parent) = draft.parent_of(id) else {
                return Vec::new();
            };
            let level = level::owner(draft, parent);
            let now = rule.settings.embedded_path.clone().unwrap_or_default();
            let instead = table.map(|t| casing.apply(&t.table)).unwrap_or_default();
            let name = match names::check_field(&now, draft.is_root(&level)) {
                Ok(()) => free(&level, &now),
                Err(_) => free(&level, &instead),
            };
            let edit = Edit::SetPath {
                rule: id.clone(),
                path: name.clone(),
            };
            vec![fix(format!("Rename to `{name}`"), edit)]
        }
        _ => Vec::new(),
    }
}

fn code_fixes(id: &MappingId, part: &Part) -> Vec<Fix> {
    match part {
        Part::RuleFilter => {
            let edit = Edit::SetRuleFilter {
                rule: id.clone(),
                expression: None,
            };
            vec![fix("Take away the filter", edit)]
        }
        Part::Calculated { id: field } => {
            let edit = Edit::RemoveCalculated {
                rule: id.clone(),
                id: field.clone(),
            };
            vec![fix("Remove the calculated field", edit)]
        }
        _ => Vec::new(),
    }
}

/// The keys and shapes that would do.
fn link_fixes(draft: &Draft, id: &MappingId, rule: &Mapping, delete: Fix) -> Vec<Fix> {
    let mut found = Vec::new();
    let above = draft.parent_of(id).and_then(|parent| draft.table_of(parent));
    if let (Some((above, _)), Some((own, _)), Some(shape)) = (above, draft.table_of(id), shape_of(rule)) {
        let all = joins::between(&draft.model, &above.name(), &own.name());
        for join in all.iter().filter(|join| join.suits(shape)) {
            if join.key == rule.settings.foreign_key_name {
                continue;
            }
            let columns: Vec<&str> = match join.way {
                joins::Way::Down => join.own_columns().collect(),
                joins::Way::Up => join.parent_columns().collect(),
            };
            let edit = Edit::SetLink {
                rule: id.clone(),
                key: join.key.clone(),
            };
            found.push(fix(format!("Follow the key of {}", columns.join(", ")), edit));
        }
        if found.is_empty() {
            for other in drops::shapes(draft, id).into_iter().filter(|other| *other != shape) {
                let label = match other {
                    Shape::Array => "Make it an array",
                    Shape::Values => "Make it an array of values",
                    Shape::Document => "Make it a document",
                    Shape::Merged => "Merge its fields",
                };
                let edit = Edit::SetShape {
                    rule: id.clone(),
                    shape: other,
                    field: None,
                };
                found.push(fix(label, edit));
            }
        }
    }
    found.push(delete);
    found
}
