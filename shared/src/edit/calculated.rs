//! Calculated fields, and the calculated `_id`.

use super::editor::Editor;
use super::{CalculatedEdit, EditError, EditReason, Made, Part, Place, level, names};
use crate::ids::MappingId;
use crate::mapping::CalculatedField;
use serde_json::Map;

fn at(rule: &MappingId, id: &str) -> Place {
    Place::of_rule(rule, Part::Calculated { id: id.to_owned() })
}

fn check(editor: &Editor<'_>, rule: &MappingId, id: &str, field: &CalculatedEdit) -> Result<(), EditError> {
    let in_root = editor.draft.is_root(&level::owner(editor.draft, rule));
    let is_id = field.name == "_id" && editor.draft.is_root(rule);
    if is_id {
        let mut others = editor
            .rule(rule)?
            .calculated_fields
            .iter()
            .filter(|(other, _)| *other != id);
        if others.any(|(_, c)| c.name == "_id") {
            return Err(EditReason::NameTaken("_id".to_owned()).at(at(rule, id)));
        }
    } else {
        names::check_field(field.name.trim(), in_root).map_err(|reason| reason.at(at(rule, id)))?;
    }
    if field.expression.trim().is_empty() {
        return Err(EditReason::ExpressionBlank.at(at(rule, id)));
    }
    Ok(())
}

pub(super) fn add(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    id: Option<&str>,
    field: &CalculatedEdit,
) -> Result<String, EditError> {
    let taken = &editor.rule(rule)?.calculated_fields;
    let id = match id {
        Some(id) if taken.contains_key(id) => return Err(EditReason::IdTaken(id.to_owned()).at(at(rule, id))),
        Some(id) => id.to_owned(),
        None => (taken.len() + 1..)
            .map(|n| format!("calculated-{n}"))
            .find(|id| !taken.contains_key(id))
            .expect("the numbers do not end"),
    };
    check(editor, rule, &id, field)?;
    let made = CalculatedField {
        name: field.name.trim().to_owned(),
        expression: field.expression.clone(),
        is_null_excluded: field.omit_null,
        kind: field.kind,
        extra: Map::new(),
    };
    let words = match made.name.as_str() {
        "_id" => "calculates `_id`".to_owned(),
        name => format!("added the calculated field `{name}`"),
    };
    editor.change_rule(rule, |r| _ = r.calculated_fields.insert(id.clone(), made))?;
    editor.made.push(Made::Calculated(rule.clone(), id));
    Ok(words)
}

pub(super) fn change(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    id: &str,
    field: &CalculatedEdit,
) -> Result<String, EditError> {
    let gone = || EditReason::NoField(id.to_owned()).at(at(rule, id));
    let before = editor
        .rule(rule)?
        .calculated_fields
        .get(id)
        .ok_or_else(gone)?
        .name
        .clone();
    check(editor, rule, id, field)?;
    let name = field.name.trim().to_owned();
    editor.change_rule(rule, |r| {
        if let Some(place) = r.calculated_fields.get_mut(id) {
            place.name.clone_from(&name);
            place.expression.clone_from(&field.expression);
            place.is_null_excluded = field.omit_null;
            place.kind = field.kind;
        }
    })?;
    Ok(match before == name {
        true => format!("changed the calculated field `{name}`"),
        false => format!("renamed `{before}` to `{name}`"),
    })
}

pub(super) fn remove(editor: &mut Editor<'_>, rule: &MappingId, id: &str) -> Result<String, EditError> {
    let gone = || EditReason::NoField(id.to_owned()).at(at(rule, id));
    let name = editor
        .rule(rule)?
        .calculated_fields
        .get(id)
        .ok_or_else(gone)?
        .name
        .clone();
    editor.change_rule(rule, |r| _ = r.calculated_fields.shift_remove(id))?;
    Ok(format!("removed the calculated field `{name}`"))
}
