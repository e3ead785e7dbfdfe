//! Collections.

use super::editor::Editor;
use super::{EditError, EditReason, Made, Part, Place, TimeSeries, going, names};
use crate::forest::COLLECTIONS_MAX;
use crate::ids::CollectionId;
use crate::mapping::{Collection, CollectionType, MappingList};
use serde_json::{Map, Value};

/// The member of a collection that holds the settings of a time series.
pub const TIME_SERIES: &str = "timeSeries";

/// Makes an empty collection.
pub(super) fn add(editor: &mut Editor<'_>, id: Option<&CollectionId>, name: &str) -> Result<CollectionId, EditError> {
    let id = id.cloned().unwrap_or_else(|| editor.draft.free_collection_id());
    let all = &editor.draft.content.collections;
    if all.len() >= COLLECTIONS_MAX {
        return Err(EditReason::TooMany(COLLECTIONS_MAX).at(Place::of_collection(&id, Part::Whole)));
    }
    if all.contains_key(&id) {
        return Err(EditReason::IdTaken(id.to_string()).at(Place::of_collection(&id, Part::Whole)));
    }
    let name = check_name(editor, &id, name)?;
    let made = Collection {
        name,
        kind: CollectionType::Regular,
        extra: Map::new(),
    };
    editor.set_collection(&id, |place| *place = Some(made));
    editor.set_of_collection(&id, |place| _ = place.get_or_insert_with(MappingList::default));
    editor.made.push(Made::Collection(id.clone()));
    Ok(id)
}

fn check_name(editor: &Editor<'_>, id: &CollectionId, name: &str) -> Result<String, EditError> {
    let name = name.trim();
    let at = || Place::of_collection(id, Part::Name);
    names::check_collection(name).map_err(|reason| reason.at(at()))?;
    let mut others = editor
        .draft
        .content
        .collections
        .iter()
        .filter(|(other, _)| *other != id);
    if others.any(|(_, c)| c.name == name) {
        return Err(EditReason::NameTaken(name.to_owned()).at(at()));
    }
    Ok(name.to_owned())
}

pub(super) fn rename(editor: &mut Editor<'_>, id: &CollectionId, name: &str) -> Result<String, EditError> {
    let before = editor.collection(id)?.name.clone();
    let name = check_name(editor, id, name)?;
    editor.set_collection(id, |place| place.iter_mut().for_each(|c| c.name.clone_from(&name)));
    super::diagrams::rename_nodes(editor, &before, &name);
    Ok(format!("renamed the collection `{before}` to `{name}`"))
}

pub(super) fn delete(editor: &mut Editor<'_>, id: &CollectionId) -> Result<String, EditError> {
    let name = editor.collection(id)?.name.clone();
    let rules: Vec<_> = going::with_collection(editor.draft, id)
        .into_iter()
        .map(|g| g.rule)
        .collect();
    super::rules::remove_all(editor, &rules);
    editor.set_of_collection(id, |place| *place = None);
    editor.set_collection(id, |place| *place = None);
    super::diagrams::remove_nodes(editor, super::View::Collection, &[id.as_str(), &name]);
    Ok(match rules.len() {
        0 => format!("deleted the collection `{name}`"),
        1 => format!("deleted the collection `{name}` and its rule"),
        n => format!("deleted the collection `{name}` and its {n} rules"),
    })
}

/// Makes a collection a time series, or a regular one again.
pub(super) fn set_time_series(
    editor: &mut Editor<'_>,
    id: &CollectionId,
    settings: Option<&TimeSeries>,
) -> Result<String, EditError> {
    let name = editor.collection(id)?.name.clone();
    let at = || Place::of_collection(id, Part::TimeSeries);
    if let Some(settings) = settings {
        let taken = |field: &str| names::check_field(field, false).map_err(|reason| reason.at(at()));
        taken(&settings.time_field)?;
        settings.meta_field.as_deref().map_or(Ok(()), taken)?;
        if settings.meta_field.as_deref() == Some(settings.time_field.as_str()) {
            return Err(EditReason::NameTaken(settings.time_field.clone()).at(at()));
        }
        check_time(editor, id, &settings.time_field)?;
    }
    let value = settings.map(|s| serde_json::to_value(s).expect("settings have string keys"));
    editor.set_collection(id, |place| {
        let Some(collection) = place else { return };
        match value {
            None => {
                collection.kind = CollectionType::Regular;
                collection.extra.shift_remove(TIME_SERIES);
            }
            Some(value) => {
                collection.kind = CollectionType::TimeSeries;
                _ = collection.extra.insert(TIME_SERIES.into(), value);
            }
        }
    });
    Ok(match settings {
        None => format!("made `{name}` a regular collection"),
        Some(settings) => format!("made `{name}` a time series by `{}`", settings.time_field),
    })
}

/// The time field has to be a date in every rule that makes documents.
fn check_time(editor: &Editor<'_>, id: &CollectionId, field: &str) -> Result<(), EditError> {
    use crate::mapping::FieldType;
    for (rule, mapping) in editor.draft.content.roots_of(id) {
        let Some((_, table)) = editor.draft.table_of(rule) else {
            continue;
        };
        let column = mapping
            .fields
            .iter()
            .find(|(_, f)| f.target.included && f.target.name == field);
        let is_date = match column {
            Some((column, f)) => table
                .columns
                .get(column)
                .is_some_and(|c| super::types::shown(c, f.target.kind) == FieldType::Date),
            None => {
                let mut calculated = mapping.calculated_fields.values();
                calculated
                    .any(|c| c.name == field && matches!(c.kind, None | Some(FieldType::Date | FieldType::Default)))
            }
        };
        if !is_date {
            return Err(EditReason::TimeFieldNoDate.at(Place::of_collection(id, Part::TimeSeries)));
        }
    }
    Ok(())
}

/// The settings of a time series collection, as the file has them.
pub fn time_series(collection: &Collection) -> Option<TimeSeries> {
    let value: Option<&Value> = collection.extra.get(TIME_SERIES);
    value.and_then(|value| serde_json::from_value(value.clone()).ok())
}
