//! How a table hangs on a parent rule: which key, which field name, which fields.

use super::editor::Editor;
use super::joins::{self, Join, choose};
use super::level::{self, clash};
use super::names;
use super::{EditError, EditReason, Embedding, Part, Place, Shape};
use crate::ids::MappingId;
use crate::mapping::{Field, RuleSettings, RuleType};
use crate::schema::{Table, TableName, TablePath};
use indexmap::IndexMap;
use serde_json::Map;

/// What an embedding comes to.
pub(super) struct Placed {
    pub join: Join,
    /// Stored as the foreign key link where the rule could follow another key.
    pub key: Option<String>,
    /// Field name; empty for what is merged.
    pub path: String,
}

/// Looks up how a table is embedded. `rule` is where an error belongs.
pub(super) fn place(
    editor: &Editor<'_>,
    own: &TableName,
    embedding: &Embedding,
    rule: Option<&MappingId>,
) -> Result<Placed, EditError> {
    let Embedding {
        parent,
        shape,
        key,
        field,
    } = embedding;
    let (above, _) = editor.table_of(parent)?;
    let joins = joins::between(&editor.draft.model, &above.name(), own);
    let at = rule.unwrap_or(parent);
    let join = choose(&joins, *shape, key.as_deref())
        .map_err(|problem| joins::error(problem, key.as_deref(), [&above.name(), own], at))?
        .clone();
    let key = joins::needs_name(&joins, *shape, &join)
        .then(|| join.key.clone())
        .flatten();
    let path = match (shape, field.as_deref().map(str::trim).filter(|f| !f.is_empty())) {
        (Shape::Merged, _) => String::new(),
        (_, Some(field)) => {
            let level = level::owner(editor.draft, parent);
            names::check_field(field, editor.draft.is_root(&level))
                .map_err(|reason| reason.at(Place::of_rule(at, Part::Path)))?;
            field.to_owned()
        }
        (_, None) => {
            let pairs = join.pairs.as_slice();
            let refers_up = if join.way == joins::Way::Up { pairs } else { &[] };
            names::embedding(editor.draft, parent, own, *shape, refers_up).unwrap_or_default()
        }
    };
    Ok(Placed { join, key, path })
}

/// Writes shape, key and field name into the settings of a rule.
pub(super) fn settle(settings: &mut RuleSettings, shape: Shape, placed: &Placed) {
    settings.kind = match shape {
        Shape::Array | Shape::Values => RuleType::EmbeddedDocumentArray,
        Shape::Document | Shape::Merged => RuleType::EmbeddedDocument,
    };
    settings.embedded_path = Some(placed.path.clone());
    settings.foreign_key_name.clone_from(&placed.key);
    settings.primitive = match shape {
        Shape::Values => Some(true),
        // A file that says false goes on saying it.
        _ => settings.primitive.map(|_| false),
    };
    settings.key_handling = None;
    if matches!(shape, Shape::Document | Shape::Merged) {
        settings.array_conditions = None;
    }
}

/// Settings of a rule with nothing chosen.
pub(super) fn plain_settings(kind: RuleType) -> RuleSettings {
    RuleSettings {
        kind,
        embedded_path: None,
        foreign_key_name: None,
        primitive: None,
        rule_filter: None,
        array_conditions: None,
        key_handling: None,
        notes: None,
        extra: Map::new(),
    }
}

/// The fields that a new rule starts with: all columns, named by the project's casing.
pub(super) fn plain_fields(editor: &Editor<'_>, table: &Table) -> IndexMap<String, Field> {
    let settings = &editor.draft.content.settings;
    let mut fields = crate::initial::fields_of(table, settings.casing);
    if settings.omit_nulls {
        fields.values_mut().for_each(|f| f.target.is_null_excluded = true);
    }
    fields
}

/// The same for an embedded rule: an element does not repeat the key that puts it there, an array of values has one
/// field, and what is merged goes out of the way of the names that are there.
pub(super) fn embedded_fields(
    editor: &Editor<'_>,
    parent: &MappingId,
    (path, table): (&TablePath, &Table),
    shape: Shape,
    join: &Join,
) -> Result<IndexMap<String, Field>, EditError> {
    let mut fields = plain_fields(editor, table);
    if join.way == joins::Way::Down {
        for column in join.own_columns() {
            fields
                .get_mut(column)
                .into_iter()
                .for_each(|f| f.target.included = false);
        }
    }
    match shape {
        Shape::Array | Shape::Document => {}
        Shape::Values => {
            let value = value_column(table, join, &fields)
                .ok_or_else(|| EditReason::NoValue.at(Place::of_rule(parent, Part::Whole)))?;
            fields
                .iter_mut()
                .for_each(|(column, f)| f.target.included = *column == value);
        }
        Shape::Merged => {
            let casing = editor.draft.content.settings.casing;
            let mut taken: Vec<(String, Option<(MappingId, String)>)> =
                level::names(editor.draft, &level::owner(editor.draft, parent))
                    .into_iter()
                    .map(|named| (named.name, named.value))
                    .collect();
            let joined = |column: &str| join.pairs.iter().find(|(_, own)| own == column);
            for (column, field) in &mut fields {
                if !field.target.included {
                    continue;
                }
                // The same value under the same name appears once.
                let equal = joined(column).map(|(above, _)| (parent.clone(), above.clone()));
                let clashes = |name: &str, taken: &[(String, Option<(MappingId, String)>)]| {
                    let is_same = |value: &Option<(MappingId, String)>| equal.is_some() && *value == equal;
                    taken.iter().any(|(other, value)| clash(name, other) && !is_same(value))
                };
                if clashes(&field.target.name, &taken) {
                    let wanted = names::qualified(casing, &path.table, column);
                    let numbers = (2..).map(|n| format!("{wanted}{n}"));
                    let free = std::iter::once(wanted.clone())
                        .chain(numbers)
                        .find(|n| !clashes(n, &taken));
                    field.target.name = free.expect("the numbers do not end");
                }
                taken.push((field.target.name.clone(), None));
            }
        }
    }
    Ok(fields)
}

/// The column whose values an array of values most likely wants: one that is no key, else one that is not the join's.
pub(super) fn value_column(table: &Table, join: &Join, fields: &IndexMap<String, Field>) -> Option<String> {
    let is_join = |column: &String| join.own_columns().any(|own| own == column);
    let refers = |column: &String| {
        let mut keys = table.foreign_keys.values();
        keys.any(|key| key.column_mappings.iter().any(|pair| pair.source == *column))
    };
    let free: Vec<&String> = fields
        .keys()
        .filter(|c| !is_join(c) && table.columns.contains_key(*c))
        .collect();
    let rank = |column: &String| {
        let is_key = table.columns[column].primary_key.is_some();
        // The other half of a link table before times and counters of the row.
        (
            !(is_key && refers(column)),
            is_key,
            table.columns[column].ordinal_position,
        )
    };
    free.into_iter().min_by_key(|column| rank(column)).cloned()
}
