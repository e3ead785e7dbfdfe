//! Fields of columns: names, types, nulls, shown or hidden.

use super::editor::Editor;
use super::{EditError, EditReason, Part, Place, level, names, types};
use crate::ids::MappingId;
use crate::mapping::{Field, FieldSource, FieldTarget, FieldType, Mapping};
use crate::schema::Column;
use serde_json::Map;

fn at(rule: &MappingId, column: &str) -> Place {
    Place::of_rule(
        rule,
        Part::Column {
            column: column.to_owned(),
        },
    )
}

/// The field of a column; one that the rule does not have yet starts as a hidden one.
fn field_of<'r>(rule: &'r mut Mapping, column: &str, of_table: Option<&Column>, name: String) -> &'r mut Field {
    rule.fields.entry(column.to_owned()).or_insert_with(|| Field {
        target: FieldTarget {
            name,
            included: false,
            is_null_excluded: false,
            kind: FieldType::Default,
            extra: Map::new(),
        },
        source: FieldSource {
            name: column.to_owned(),
            database_specific_type: of_table
                .map(|c| c.kind.database_specific_type.clone())
                .unwrap_or_default(),
            is_primary_key: of_table.is_some_and(|c| c.primary_key.is_some()),
            extra: Map::new(),
        },
        extra: Map::new(),
    })
}

/// The column of a rule's table; also of a field whose column is gone, which can still be renamed or hidden.
fn column(editor: &Editor<'_>, rule: &MappingId, column: &str) -> Result<Option<Column>, EditError> {
    let has_field = editor.rule(rule)?.fields.contains_key(column);
    let found = editor
        .draft
        .table_of(rule)
        .and_then(|(_, table)| table.columns.get(column))
        .cloned();
    match found {
        None if !has_field => Err(EditReason::NoColumn(column.to_owned()).at(at(rule, column))),
        found => Ok(found),
    }
}

fn default_name(editor: &Editor<'_>, column: &str) -> String {
    match editor.draft.content.settings.casing.apply(column) {
        name if name == "_id" => "_id2".to_owned(),
        name => name,
    }
}

/// Renames the field of a column.
pub(super) fn rename(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    name_of: &str,
    name: &str,
) -> Result<String, EditError> {
    let of_table = column(editor, rule, name_of)?;
    let before = editor.rule(rule)?.fields.get(name_of).map(|f| f.target.name.clone());
    let before = before.unwrap_or_else(|| default_name(editor, name_of));
    let name = name.trim();
    let in_root = editor.draft.is_root(&level::owner(editor.draft, rule));
    // Below `_id` a name is no path, and that of the key may be anything else.
    let is_hidden = level::hidden_key(editor.draft, rule).iter().any(|c| c == name_of);
    names::check_field(name, in_root && !is_hidden).map_err(|reason| reason.at(at(rule, name_of)))?;
    editor.change_rule(rule, |r| {
        field_of(r, name_of, of_table.as_ref(), before.clone()).target.name = name.to_owned();
    })?;
    Ok(format!("renamed `{before}` to `{name}`"))
}

/// Renames an object that dots make, in the rule and in all that are at its level.
pub(super) fn rename_path(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    path: &str,
    name: &str,
) -> Result<String, EditError> {
    let owner = level::owner(editor.draft, rule);
    editor.rule(&owner)?;
    let place = Place::of_rule(rule, Part::Whole);
    let name = name.trim();
    names::check_field(name, editor.draft.is_root(&owner)).map_err(|reason| reason.at(place.clone()))?;
    let renamed = |old: &str| {
        let rest = old.strip_prefix(path)?.strip_prefix('.')?;
        Some(format!("{name}.{rest}"))
    };
    let inside: Vec<level::Named> = level::names(editor.draft, &owner)
        .into_iter()
        .filter(|named| renamed(&named.name).is_some())
        .collect();
    if inside.is_empty() {
        return Err(EditReason::NoField(path.to_owned()).at(place));
    }
    let mut rules: Vec<MappingId> = inside.into_iter().map(|named| named.rule).collect();
    rules.dedup();
    for id in &rules {
        let is_embedded_there = super::joins::shape_of(editor.rule(id)?).is_some_and(|s| s != super::Shape::Merged);
        editor.change_rule(id, |r| {
            // The fields of a rule that lies inside are names of its own level; the rule's place is one of this.
            if *id == owner || !is_embedded_there {
                // Hidden ones follow, so that they come back to where the others are.
                for field in r.fields.values_mut() {
                    if let Some(new) = renamed(&field.target.name) {
                        field.target.name = new;
                    }
                }
                for field in r.calculated_fields.values_mut() {
                    if let Some(new) = renamed(&field.name) {
                        field.name = new;
                    }
                }
            } else if let Some(new) = r.settings.embedded_path.as_deref().and_then(renamed) {
                r.settings.embedded_path = Some(new);
            }
        })?;
    }
    Ok(format!("renamed `{path}` to `{name}`"))
}

/// Shows or hides fields. Nothing else that the columns are used for changes.
pub(super) fn include(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    columns: &[String],
    included: bool,
) -> Result<String, EditError> {
    let mut found = Vec::new();
    for name in columns {
        found.push((name, column(editor, rule, name)?, default_name(editor, name)));
    }
    let mut named = Vec::new();
    editor.change_rule(rule, |r| {
        for (name, of_table, default) in found {
            let field = field_of(r, name, of_table.as_ref(), default);
            field.target.included = included;
            named.push(field.target.name.clone());
        }
    })?;
    let word = if included { "included" } else { "excluded" };
    Ok(format!("{word} {}", listed(&named)))
}

/// The BSON type that a field asks for.
pub(super) fn set_type(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    name: &str,
    kind: FieldType,
) -> Result<String, EditError> {
    let of_table = column(editor, rule, name)?;
    if let Some(column) = of_table.as_ref().filter(|c| !types::is_possible(c, kind)) {
        let column_type = column.kind.database_specific_type.clone();
        return Err(EditReason::TypeImpossible { column_type, kind }.at(at(rule, name)));
    }
    let default = default_name(editor, name);
    let mut field_name = String::new();
    editor.change_rule(rule, |r| {
        let field = field_of(r, name, of_table.as_ref(), default);
        field.target.kind = kind;
        field_name.clone_from(&field.target.name);
    })?;
    Ok(format!("`{field_name}` is {}", type_word(kind)))
}

/// *Omit* or *Insert as null*.
pub(super) fn set_nulls(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    columns: &[String],
    omit: bool,
) -> Result<String, EditError> {
    let mut found = Vec::new();
    for name in columns {
        found.push((name, column(editor, rule, name)?, default_name(editor, name)));
    }
    let mut named = Vec::new();
    editor.change_rule(rule, |r| {
        for (name, of_table, default) in found {
            let is_new = !r.fields.contains_key(name);
            let field = field_of(r, name, of_table.as_ref(), default);
            field.target.included |= is_new;
            field.target.is_null_excluded = omit;
            named.push(field.target.name.clone());
        }
    })?;
    let word = if omit { "left out" } else { "stored" };
    Ok(format!("nulls of {} are {word}", listed(&named)))
}

/// Names for the history: the first, and how many more.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => format!("`{one}`"),
        [one, other] => format!("`{one}` and `{other}`"),
        [one, rest @ ..] => format!("`{one}` and {} more", rest.len()),
    }
}

/// A type as the page names it.
pub(super) fn type_word(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Bool => "a boolean",
        FieldType::Date => "a date",
        FieldType::Decimal => "a decimal",
        FieldType::Double => "a double",
        FieldType::Integer => "an integer",
        FieldType::Long => "a long",
        FieldType::String => "a string",
        FieldType::ObjectId => "an ObjectId",
        FieldType::BinData => "binary",
        FieldType::Array => "an array",
        FieldType::Object => "an object",
        FieldType::Default => "what its column gives",
    }
}
