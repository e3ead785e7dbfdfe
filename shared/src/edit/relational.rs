//! The relational side of a draft: synthetic keys, filters of tables, which tables take part.

use super::draft::path_text;
use super::editor::Editor;
use super::{EditError, EditReason, Made, Part, Place, going};
use crate::ids::TableId;
use crate::job::TableFilter;
use crate::mapping::{MappingList, TableEntry};
use crate::schema::{ForeignKey, Table, TableName, TablePath};
use serde_json::Map;

/// The member of a table's entry that holds its filter.
const FILTER: &str = "filter";

fn at(table: &TableId, name: &str) -> Place {
    Place::of_table(table, Part::Key { name: name.to_owned() })
}

/// Columns that both tables have, each once on a side.
fn check_key(editor: &Editor<'_>, table: &Table, place: &Place, key: &ForeignKey) -> Result<(), EditError> {
    let target = editor.draft.model.table(&key.target_table.name());
    let target = target.ok_or_else(|| EditReason::NoTable.at(place.clone()))?;
    if key.column_mappings.is_empty() {
        return Err(EditReason::KeyColumns.at(place.clone()));
    }
    for (n, pair) in key.column_mappings.iter().enumerate() {
        let missing = [(table, &pair.source), (target, &pair.target)]
            .into_iter()
            .find(|(of, column)| !of.columns.contains_key(*column));
        if let Some((_, column)) = missing {
            return Err(EditReason::NoColumn(column.clone()).at(place.clone()));
        }
        let before = &key.column_mappings[..n];
        if before
            .iter()
            .any(|p| p.source == pair.source || p.target == pair.target)
        {
            return Err(EditReason::KeyColumns.at(place.clone()));
        }
    }
    Ok(())
}

fn shown(table: &TablePath, key: &ForeignKey) -> String {
    let side = |columns: Vec<&str>| columns.join(", ");
    let from = side(key.column_mappings.iter().map(|p| p.source.as_str()).collect());
    let to = side(key.column_mappings.iter().map(|p| p.target.as_str()).collect());
    format!("`{}({from})` → `{}({to})`", table.table, key.target_table.table)
}

fn as_synthetic(key: &ForeignKey) -> ForeignKey {
    ForeignKey {
        synthetic: true,
        ..key.clone()
    }
}

/// Draws a synthetic key.
pub(super) fn add_key(
    editor: &mut Editor<'_>,
    id: &TableId,
    name: Option<&str>,
    key: &ForeignKey,
) -> Result<String, EditError> {
    let (path, table) = editor.table(id)?;
    let wanted = match name.map(str::trim).filter(|n| !n.is_empty()) {
        Some(name) => name.to_owned(),
        None => {
            let columns: Vec<&str> = key.column_mappings.iter().map(|p| p.source.as_str()).collect();
            let base = format!("{}_{}_synthetic", path.table, columns.join("_"));
            let numbers = (2..).map(|n| format!("{base}{n}"));
            let free = std::iter::once(base.clone())
                .chain(numbers)
                .find(|n| !table.foreign_keys.contains_key(n));
            free.expect("the numbers do not end")
        }
    };
    let place = at(id, &wanted);
    if table.foreign_keys.contains_key(&wanted) {
        return Err(EditReason::NameTaken(wanted).at(place));
    }
    check_key(editor, &table, &place, key)?;
    let words = format!("drew the key {}", shown(&path, key));
    editor.set_model_table(&path, |table| {
        table
            .iter_mut()
            .for_each(|t| _ = t.foreign_keys.insert(wanted.clone(), as_synthetic(key)));
    });
    editor.made.push(Made::Key(id.clone(), wanted));
    Ok(words)
}

fn synthetic(editor: &Editor<'_>, id: &TableId, name: &str) -> Result<(TablePath, Table, ForeignKey), EditError> {
    let (path, table) = editor.table(id)?;
    let key = table.foreign_keys.get(name).cloned();
    let key = key.ok_or_else(|| EditReason::NoSuchKey(name.to_owned()).at(at(id, name)))?;
    match key.synthetic {
        true => Ok((path, table, key)),
        false => Err(EditReason::KeyDeclared(name.to_owned()).at(at(id, name))),
    }
}

pub(super) fn change_key(
    editor: &mut Editor<'_>,
    id: &TableId,
    name: &str,
    key: &ForeignKey,
) -> Result<String, EditError> {
    let (path, table, _) = synthetic(editor, id, name)?;
    check_key(editor, &table, &at(id, name), key)?;
    editor.set_model_table(&path, |table| {
        if let Some(place) = table.as_mut().and_then(|t| t.foreign_keys.get_mut(name)) {
            *place = as_synthetic(key);
        }
    });
    Ok(format!("changed the key {}", shown(&path, key)))
}

/// Rules that followed the key stay, and are at fault until they follow another.
pub(super) fn remove_key(editor: &mut Editor<'_>, id: &TableId, name: &str) -> Result<String, EditError> {
    let (path, _, key) = synthetic(editor, id, name)?;
    editor.set_model_table(&path, |table| {
        table.iter_mut().for_each(|t| _ = t.foreign_keys.shift_remove(name));
    });
    Ok(format!("removed the key {}", shown(&path, &key)))
}

/// The filter of a table; one that says nothing takes it away.
pub(super) fn set_filter(
    editor: &mut Editor<'_>,
    id: &TableId,
    filter: Option<&TableFilter>,
) -> Result<String, EditError> {
    let entry = editor.draft.content.tables.get(id);
    let entry = entry.ok_or_else(|| EditReason::NoTable.at(Place::of_table(id, Part::TableFilter)))?;
    let name = entry.path.name();
    let says =
        |f: &&TableFilter| f.row_count.is_some() || f.where_clause.as_deref().is_some_and(|w| !w.trim().is_empty());
    let filter = filter.filter(says);
    let words = match filter {
        None => format!("took away the filter of {name}"),
        Some(_) => format!("filters {name}"),
    };
    let value = filter.map(|f| serde_json::to_value(f).expect("filters have string keys"));
    editor.set_table(id, |place| {
        let Some(entry) = place else { return };
        match value {
            None => _ = entry.extra.shift_remove(FILTER),
            Some(value) => _ = entry.extra.insert(FILTER.into(), value),
        }
    });
    Ok(words)
}

/// The filter of a table, as the file has it; `None` where there is none, or none that can be read.
pub fn table_filter(entry: &TableEntry) -> Option<TableFilter> {
    let value = entry.extra.get(FILTER).filter(|value| !value.is_null())?;
    serde_json::from_value(value.clone()).ok()
}

/// Tables that take part from now on. One that the project has gets the columns that are given.
pub(super) fn add_tables(editor: &mut Editor<'_>, tables: &[(TablePath, Table)]) -> Result<String, EditError> {
    for (path, table) in tables {
        let known = editor.draft.table_id(&path.name()).cloned();
        let path = match known.as_ref().and_then(|id| editor.draft.content.tables.get(id)) {
            Some(entry) => entry.path.clone(),
            None => path.clone(),
        };
        editor.set_model_table(&path, |place| *place = Some(table.clone()));
        if known.is_none() {
            let id = editor.draft.free_table_id();
            let entry = TableEntry {
                path: path.clone(),
                extra: Map::new(),
            };
            editor.set_table(&id, |place| *place = Some(entry));
            editor.made.push(Made::Table(id));
        }
        editor.set_of_table(&path_text(&path), |place| {
            _ = place.get_or_insert_with(MappingList::default)
        });
    }
    Ok(match tables {
        [(path, _)] => format!("added the table {}", path.name()),
        several => format!("added {} tables", several.len()),
    })
}

/// A table of the source that has another name now: its rules and keys follow.
pub(super) fn rename_table(editor: &mut Editor<'_>, id: &TableId, name: &TableName) -> Result<(), EditError> {
    let (path, table) = editor.table(id)?;
    let new = TablePath {
        database: path.database.clone(),
        schema: name.schema.clone(),
        table: name.table.clone(),
    };
    if editor.draft.table_id(name).is_some() {
        return Err(EditReason::NameTaken(name.to_string()).at(Place::of_table(id, Part::Whole)));
    }
    let listed = editor
        .draft
        .content
        .relationships
        .tables
        .get(&path_text(&path))
        .cloned();
    editor.set_of_table(&path_text(&path), |place| *place = None);
    editor.set_of_table(&path_text(&new), |place| *place = listed);
    editor.set_model_table(&path, |place| *place = None);
    editor.set_model_table(&new, |place| *place = Some(table));
    editor.set_table(id, |place| {
        place.iter_mut().for_each(|entry| entry.path = new.clone());
    });
    let refers = |table: &Table| {
        let mut keys = table.foreign_keys.values();
        keys.any(|key| key.target_table.name() == path.name())
    };
    let others: Vec<TablePath> = editor
        .draft
        .model
        .tables()
        .filter(|(_, table)| refers(table))
        .map(|(path, _)| path)
        .collect();
    for other in others {
        editor.set_model_table(&other, |place| {
            let keys = place.iter_mut().flat_map(|table| table.foreign_keys.values_mut());
            keys.filter(|key| key.target_table.name() == path.name())
                .for_each(|key| key.target_table.clone_from(&new));
        });
    }
    Ok(())
}

/// Tables that take part no longer, with their rules. Keys of other tables that refer to them stay: a key whose target is
/// gone joins nothing, and is there again when its table is.
pub(super) fn remove_tables(editor: &mut Editor<'_>, tables: &[TableId]) -> Result<String, EditError> {
    let mut paths = Vec::new();
    for id in tables {
        let entry = editor.draft.content.tables.get(id);
        let entry = entry.ok_or_else(|| EditReason::NoTable.at(Place::of_table(id, Part::Whole)))?;
        paths.push(entry.path.clone());
    }
    let rules = going::rules_with_tables(editor.draft, tables);
    let words = match (paths.as_slice(), rules.len()) {
        ([path], 0) => format!("removed the table {}", path.name()),
        ([path], n) => format!("removed the table {} and {n} rules", path.name()),
        (several, n) => format!("removed {} tables and {n} rules", several.len()),
    };
    for rule in &rules {
        if let Some(parent) = editor.draft.parent_of(rule).cloned() {
            editor.set_below(&parent, |place| {
                place
                    .iter_mut()
                    .for_each(|below| below.children.retain(|child| child != rule));
            });
        }
    }
    super::rules::remove_all(editor, &rules);
    for (id, path) in tables.iter().zip(&paths) {
        editor.set_of_table(&path_text(path), |place| *place = None);
        editor.set_model_table(path, |place| *place = None);
        editor.set_table(id, |place| *place = None);
    }
    let ids: Vec<&str> = tables.iter().map(TableId::as_str).collect();
    super::diagrams::remove_nodes(editor, super::View::Relational, &ids);
    Ok(words)
}
