//! Rules: made, moved, shaped, deleted.

use super::draft::path_text;
use super::editor::Editor;
use super::joins::{self, shape_of};
use super::placing::{embedded_fields, place, plain_fields, plain_settings, settle, value_column};
use super::{EditError, EditReason, Embedding, Made, NewRule, Part, Place, RulePlace, Shape};
use crate::forest::{DEPTH_MAX, RULES_MAX};
use crate::ids::{CollectionId, MappingId};
use crate::mapping::{ArrayConditions, ArraySort, Children, KeyHandling, Mapping, MappingList, RuleFilter, RuleType};
use crate::schema::TableName;
use indexmap::IndexMap;
use serde_json::Map;

/// Makes a rule; says what was made.
pub(super) fn add(editor: &mut Editor<'_>, new: &NewRule) -> Result<String, EditError> {
    if editor.draft.content.mappings.len() >= RULES_MAX {
        return Err(EditReason::TooMany(RULES_MAX).at(Place::of_table(&new.table, Part::Whole)));
    }
    let (path, table) = editor.table(&new.table)?;
    let id = new.rule.clone().unwrap_or_else(|| editor.draft.free_rule_id());
    if editor.draft.content.mappings.contains_key(&id) {
        return Err(EditReason::IdTaken(id.to_string()).at(Place::of_rule(&id, Part::Whole)));
    }
    let (mut settings, fields, collection, parent, words);
    match &new.into {
        RulePlace::NewCollection { .. } | RulePlace::Collection { .. } => {
            settings = plain_settings(RuleType::NewDocument);
            fields = plain_fields(editor, &table);
            collection = collection_for(editor, &new.into, &path.name())?;
            parent = None;
            let name = &editor.collection(&collection)?.name;
            words = format!("added documents of {} to `{name}`", path.name());
        }
        RulePlace::Rule(embedding) => {
            let placed = place(editor, &path.name(), embedding, None)?;
            check_depth(editor, &embedding.parent, 1)?;
            settings = plain_settings(RuleType::EmbeddedDocument);
            settle(&mut settings, embedding.shape, &placed);
            fields = embedded_fields(
                editor,
                &embedding.parent,
                (&path, &table),
                embedding.shape,
                &placed.join,
            )?;
            collection = editor.rule(&embedding.parent)?.collection_id.clone();
            parent = Some(embedding.parent.clone());
            words = match embedding.shape {
                Shape::Merged => format!("merged {} into {}", path.name(), place_text(editor, &embedding.parent)),
                _ => format!("embedded {} as `{}`", path.name(), placed.path),
            };
        }
    }
    let rule = Mapping {
        settings,
        fields,
        calculated_fields: IndexMap::new(),
        collection_id: collection.clone(),
        table: new.table.to_string(),
        extra: Map::new(),
    };
    editor.set_rule(&id, |place| *place = Some(rule));
    editor.set_below(&id, |place| _ = place.get_or_insert_with(Children::default));
    list(editor, &id, &collection, &path_text(&path));
    if let Some(parent) = parent {
        editor.set_below(&parent, |place| {
            place.get_or_insert_with(Children::default).children.push(id.clone())
        });
    }
    editor.made.push(Made::Rule(id));
    Ok(words)
}

/// The collection that documents go to; made where it is to be a new one.
fn collection_for(editor: &mut Editor<'_>, into: &RulePlace, table: &TableName) -> Result<CollectionId, EditError> {
    match into {
        RulePlace::Collection { collection } => {
            editor.collection(collection)?;
            Ok(collection.clone())
        }
        RulePlace::NewCollection { collection, name } => {
            let name = match name {
                Some(name) => name.clone(),
                None => super::names::collection(editor.draft, table),
            };
            super::collections::add(editor, collection.as_ref(), &name)
        }
        RulePlace::Rule(embedding) => Ok(editor.rule(&embedding.parent)?.collection_id.clone()),
    }
}

/// Lists a rule under its collection and table.
fn list(editor: &mut Editor<'_>, id: &MappingId, collection: &CollectionId, table: &str) {
    let add = |place: &mut Option<MappingList>| {
        let list = &mut place.get_or_insert_with(MappingList::default).mappings;
        if !list.contains(id) {
            list.push(id.clone());
        }
    };
    editor.set_of_collection(collection, add);
    editor.set_of_table(table, add);
}

fn unlist(place: &mut Option<MappingList>, id: &MappingId) {
    place
        .iter_mut()
        .for_each(|list| list.mappings.retain(|other| other != id));
}

/// Takes a rule out of the children of its parent.
fn unhang(editor: &mut Editor<'_>, rule: &MappingId) {
    if let Some(parent) = editor.draft.parent_of(rule).cloned() {
        editor.set_below(&parent, |place| {
            place
                .iter_mut()
                .for_each(|below| below.children.retain(|child| child != rule));
        });
    }
}

/// How deep a rule lies; a root at 1.
fn depth_of(editor: &Editor<'_>, rule: &MappingId) -> usize {
    let parent = |id: &MappingId| editor.draft.parent_of(id).cloned();
    std::iter::successors(Some(rule.clone()), parent)
        .take(DEPTH_MAX + 1)
        .count()
}

fn check_depth(editor: &Editor<'_>, parent: &MappingId, levels: usize) -> Result<(), EditError> {
    if depth_of(editor, parent) + levels > DEPTH_MAX {
        return Err(EditReason::TooDeep(DEPTH_MAX).at(Place::of_rule(parent, Part::Whole)));
    }
    Ok(())
}

/// Deletes a rule and all below it.
pub(super) fn delete(editor: &mut Editor<'_>, rule: &MappingId) -> Result<String, EditError> {
    editor.rule(rule)?;
    let words = format!("deleted the rule of {}", place_text(editor, rule));
    let all = editor.draft.with_below(rule);
    unhang(editor, rule);
    let more = match all.len() {
        1 => String::new(),
        n => format!(" and {} below it", n - 1),
    };
    remove_all(editor, &all);
    Ok(words + &more)
}

/// Removes rules from everywhere but the lists of children of other rules.
pub(super) fn remove_all(editor: &mut Editor<'_>, rules: &[MappingId]) {
    for id in rules.iter().rev() {
        let Some(rule) = editor.draft.content.mappings.get(id) else {
            continue;
        };
        let collection = rule.collection_id.clone();
        editor.set_of_collection(&collection, |place| unlist(place, id));
        let tables = editor.draft.content.relationships.tables.iter();
        let listed: Vec<String> = tables
            .filter(|(_, l)| l.mappings.contains(id))
            .map(|(t, _)| t.clone())
            .collect();
        for table in &listed {
            editor.set_of_table(table, |place| unlist(place, id));
        }
        editor.set_below(id, |place| *place = None);
        editor.set_rule(id, |place| *place = None);
    }
}

/// Puts a rule before a sibling, or last. Roots are ordered in the list of all rules, which says what comes first.
pub(super) fn order(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    before: Option<&MappingId>,
) -> Result<String, EditError> {
    editor.rule(rule)?;
    let Some(parent) = editor.draft.parent_of(rule).cloned() else {
        return Err(EditReason::NotEmbedded.at(Place::of_rule(rule, Part::Whole)));
    };
    editor.set_below(&parent, |place| {
        let Some(below) = place else { return };
        below.children.retain(|child| child != rule);
        let at = before.and_then(|b| below.children.iter().position(|child| child == b));
        below.children.insert(at.unwrap_or(below.children.len()), rule.clone());
    });
    Ok(format!("moved {}", place_text(editor, rule)))
}

/// Hangs a rule, with all below it, at another place.
pub(super) fn move_to(editor: &mut Editor<'_>, rule: &MappingId, into: &RulePlace) -> Result<String, EditError> {
    editor.rule(rule)?;
    let all = editor.draft.with_below(rule);
    let (path, _) = editor.table_of(rule)?;
    match into {
        RulePlace::Rule(embedding) => {
            if all.contains(&embedding.parent) {
                return Err(EditReason::BelowItself.at(Place::of_rule(rule, Part::Whole)));
            }
            let own = depth_of(editor, rule);
            let levels = all.iter().map(|below| depth_of(editor, below) - own + 1).max();
            check_depth(editor, &embedding.parent, levels.unwrap_or(1))?;
            let placed = place(editor, &path.name(), embedding, Some(rule))?;
            unhang(editor, rule);
            editor.change_rule(rule, |r| {
                settle(&mut r.settings, embedding.shape, &placed);
                r.calculated_fields.retain(|_, c| c.name != "_id");
            })?;
            editor.set_below(&embedding.parent, |place| {
                place.get_or_insert_with(Children::default).children.push(rule.clone());
            });
        }
        RulePlace::NewCollection { .. } | RulePlace::Collection { .. } => {
            unhang(editor, rule);
            editor.change_rule(rule, |r| {
                r.settings.kind = RuleType::NewDocument;
                r.settings.embedded_path = None;
                r.settings.foreign_key_name = None;
                r.settings.primitive = None;
                r.settings.array_conditions = None;
            })?;
        }
    }
    let collection = collection_for(editor, into, &path.name())?;
    for id in &all {
        let from = editor.rule(id)?.collection_id.clone();
        if from == collection {
            continue;
        }
        editor.set_of_collection(&from, |place| unlist(place, id));
        editor.change_rule(id, |r| r.collection_id = collection.clone())?;
        let (table, _) = editor.table_of(id)?;
        list(editor, id, &collection, &path_text(&table));
    }
    Ok(format!("moved {} to {}", path.name(), place_text(editor, rule)))
}

/// *Migrate table as*.
pub(super) fn set_shape(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    shape: Shape,
    field: Option<&str>,
) -> Result<String, EditError> {
    let mapping = editor.rule(rule)?;
    let not_embedded = || EditReason::NotEmbedded.at(Place::of_rule(rule, Part::Whole));
    let now = shape_of(mapping).ok_or_else(not_embedded)?;
    let parent = editor.draft.parent_of(rule).cloned().ok_or_else(not_embedded)?;
    let had = mapping.settings.embedded_path.clone().filter(|p| !p.is_empty());
    let key = mapping.settings.foreign_key_name.clone();
    let (path, table) = editor.table_of(rule)?;
    let embedding = |key| Embedding {
        parent: parent.clone(),
        shape,
        key,
        field: field.map(str::to_owned).or_else(|| had.clone()),
    };
    // The key that is chosen may not do for the new shape: then the one that does.
    let placed = place(editor, &path.name(), &embedding(key.clone()), Some(rule)).or_else(|error| match key {
        Some(_) => place(editor, &path.name(), &embedding(None), Some(rule)),
        None => Err(error),
    })?;
    let conditions = mapping_conditions(editor, rule)?;
    let value = if shape == Shape::Values && now != Shape::Values {
        let mapping = editor.rule(rule)?;
        let mut included = mapping.fields.iter().filter(|(_, f)| f.target.included);
        match (included.next(), included.next(), mapping.calculated_fields.len()) {
            (Some(_), None, 0) | (None, None, 1) => None,
            _ => Some(
                value_column(&table, &placed.join, &mapping.fields)
                    .ok_or_else(|| EditReason::NoValue.at(Place::of_rule(rule, Part::Whole)))?,
            ),
        }
    } else {
        None
    };
    editor.change_rule(rule, |r| {
        settle(&mut r.settings, shape, &placed);
        if matches!(shape, Shape::Array) {
            r.settings.array_conditions = conditions;
        }
        if let Some(value) = &value {
            r.fields
                .iter_mut()
                .for_each(|(column, f)| f.target.included = column == value);
            r.calculated_fields.clear();
        }
    })?;
    let what = match shape {
        Shape::Array => "an array",
        Shape::Values => "an array of values",
        Shape::Document => "a document",
        Shape::Merged => "fields of its parent",
    };
    Ok(format!("made {} {what}", path.name()))
}

fn mapping_conditions(editor: &Editor<'_>, rule: &MappingId) -> Result<Option<ArrayConditions>, EditError> {
    Ok(editor.rule(rule)?.settings.array_conditions.clone())
}

/// The field name of an embedded rule.
pub(super) fn set_path(editor: &mut Editor<'_>, rule: &MappingId, path: &str) -> Result<String, EditError> {
    let mapping = editor.rule(rule)?;
    match shape_of(mapping) {
        None | Some(Shape::Merged) => return Err(EditReason::NotEmbedded.at(Place::of_rule(rule, Part::Path))),
        Some(Shape::Array | Shape::Values | Shape::Document) => {}
    }
    let before = mapping.settings.embedded_path.clone().unwrap_or_default();
    let parent = editor.draft.parent_of(rule);
    let in_root = parent.is_some_and(|p| editor.draft.is_root(&super::level::owner(editor.draft, p)));
    let path = path.trim();
    super::names::check_field(path, in_root).map_err(|reason| reason.at(Place::of_rule(rule, Part::Path)))?;
    editor.change_rule(rule, |r| r.settings.embedded_path = Some(path.to_owned()))?;
    Ok(format!("renamed `{before}` to `{path}`"))
}

/// The foreign key link.
pub(super) fn set_link(editor: &mut Editor<'_>, rule: &MappingId, key: Option<&str>) -> Result<String, EditError> {
    let mapping = editor.rule(rule)?;
    let not_embedded = || EditReason::NotEmbedded.at(Place::of_rule(rule, Part::Link));
    let shape = shape_of(mapping).ok_or_else(not_embedded)?;
    let parent = editor.draft.parent_of(rule).ok_or_else(not_embedded)?;
    let (above, own) = (editor.table_of(parent)?.0.name(), editor.table_of(rule)?.0.name());
    let joins = joins::between(&editor.draft.model, &above, &own);
    joins::choose(&joins, shape, key).map_err(|problem| joins::error(problem, key, [&above, &own], rule))?;
    let key = key.map(str::to_owned);
    let words = match &key {
        Some(key) => format!("{} follows the key `{key}`", place_text(editor, rule)),
        None => format!("{} follows the only key", place_text(editor, rule)),
    };
    editor.change_rule(rule, |r| r.settings.foreign_key_name = key)?;
    Ok(words)
}

/// Key handling of a rule, or of the project.
pub(super) fn set_key_handling(
    editor: &mut Editor<'_>,
    rule: Option<&MappingId>,
    handling: Option<KeyHandling>,
) -> Result<String, EditError> {
    let word = match handling {
        None => "as the project has it",
        Some(KeyHandling::Generated) => "generated",
        Some(KeyHandling::Single) => "the primary key",
        Some(KeyHandling::Wrapped) => "the primary key, wrapped",
    };
    match rule {
        None => {
            let handling = handling.ok_or_else(|| EditReason::NothingChanges.at(Place::of_settings()))?;
            editor.change_settings(|settings| settings.key_handling = handling);
            Ok(format!("`_id` of the project: {word}"))
        }
        Some(rule) => {
            if editor.rule(rule)?.settings.kind != RuleType::NewDocument {
                return Err(EditReason::NotRoot.at(Place::of_rule(rule, Part::Id)));
            }
            editor.change_rule(rule, |r| r.settings.key_handling = handling)?;
            Ok(format!("`_id` of {}: {word}", place_text(editor, rule)))
        }
    }
}

/// The rule filter; blank takes it away.
pub(super) fn set_filter(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    expression: Option<&str>,
) -> Result<String, EditError> {
    let expression = expression.filter(|e| !e.trim().is_empty()).map(str::to_owned);
    let words = match (&editor.rule(rule)?.settings.rule_filter, &expression) {
        (_, None) => "took away the filter of",
        (None, Some(_)) => "added a filter to",
        (Some(_), Some(_)) => "changed the filter of",
    };
    editor.change_rule(rule, |r| match expression {
        None => r.settings.rule_filter = None,
        Some(expression) => match &mut r.settings.rule_filter {
            Some(filter) => filter.expression = expression,
            place => {
                *place = Some(RuleFilter {
                    expression,
                    extra: Map::new(),
                });
            }
        },
    })?;
    Ok(format!("{words} {}", place_text(editor, rule)))
}

/// Sort, limit, and *as a document*.
pub(super) fn set_conditions(
    editor: &mut Editor<'_>,
    rule: &MappingId,
    sort: Option<&ArraySort>,
    limit: Option<u32>,
    as_document: bool,
) -> Result<String, EditError> {
    let at = || Place::of_rule(rule, Part::Conditions);
    if editor.rule(rule)?.settings.kind != RuleType::EmbeddedDocumentArray {
        return Err(EditReason::NoArray.at(at()));
    }
    let (_, table) = editor.table_of(rule)?;
    if let Some(sort) = sort.filter(|sort| !table.columns.contains_key(&sort.field)) {
        return Err(EditReason::NoColumn(sort.field.clone()).at(at()));
    }
    if limit == Some(0) {
        return Err(EditReason::LimitZero.at(at()));
    }
    if as_document && limit != Some(1) {
        return Err(EditReason::LimitNotOne.at(at()));
    }
    editor.change_rule(rule, |r| {
        let kept = r.settings.array_conditions.take().unwrap_or_default();
        let conditions = ArrayConditions {
            sort: sort.cloned(),
            limit,
            as_document: if as_document {
                Some(true)
            } else {
                kept.as_document.map(|_| false)
            },
            extra: kept.extra,
        };
        let says_nothing = sort.is_none() && limit.is_none() && conditions.extra.is_empty();
        r.settings.array_conditions = (!says_nothing).then_some(conditions);
    })?;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(sort.map(|sort| format!("sorted by `{}`", sort.field)));
    parts.extend(limit.map(|limit| format!("at most {limit}")));
    let words = match parts.is_empty() {
        true => "no conditions".to_owned(),
        false => parts.join(", "),
    };
    Ok(format!("{}: {words}", place_text(editor, rule)))
}

pub(super) fn set_notes(editor: &mut Editor<'_>, rule: &MappingId, notes: &str) -> Result<String, EditError> {
    editor.change_rule(rule, |r| {
        // An absent one and an empty one are told apart by files, not by users.
        if r.settings.notes.as_deref().unwrap_or_default() != notes {
            r.settings.notes = Some(notes.to_owned());
        }
    })?;
    Ok(format!("changed the notes of {}", place_text(editor, rule)))
}

/// A rule for the user: its path in the documents.
pub(super) fn place_text(editor: &Editor<'_>, rule: &MappingId) -> String {
    format!("`{}`", super::going::path_of(editor.draft, rule))
}
