//! A schema that was read again: what it changes, and how the draft takes it over.

use super::editor::Editor;
use super::{Draft, EditError, level, names, types};
use crate::ids::{MappingId, TableId};
use crate::mapping::{Field, FieldType};
use crate::schema::{RelationalModel, Table, TableName};
use serde::{Deserialize, Serialize};

/// One difference between the schema of a draft and one that was read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SchemaChange {
    pub kind: SchemaChangeKind,
    pub table: TableName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// One sentence.
    pub words: String,
    /// The rules that are concerned.
    pub rules: Vec<MappingId>,
    /// The table that a renamed one may have become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<TableName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SchemaChangeKind {
    /// A table that the project does not have; it is not taken over by itself.
    TableAdded,
    TableGone,
    /// A table that is gone has the columns of one that is new.
    TableRenamed,
    ColumnAdded,
    ColumnGone,
    TypeChanged,
    PrimaryKeyChanged,
    KeyAdded,
    KeyGone,
    KeyChanged,
}

/// What a schema changes, tables in the order of their names.
pub fn changes(draft: &Draft, new: &RelationalModel) -> Vec<SchemaChange> {
    let mut found = Vec::new();
    let mut known: Vec<(&TableId, TableName)> =
        draft.content.tables.iter().map(|(id, e)| (id, e.path.name())).collect();
    known.sort_by(|a, b| a.1.cmp(&b.1));
    let mut added: Vec<(TableName, &Table)> = new
        .tables()
        .map(|(path, table)| (path.name(), table))
        .filter(|(name, _)| !known.iter().any(|(_, k)| k == name))
        .collect();
    added.sort_by(|a, b| a.0.cmp(&b.0));
    for (id, name) in &known {
        let rules: Vec<MappingId> = draft.rules_of(id).cloned().collect();
        let change = |kind, column: Option<&str>, words: String| SchemaChange {
            kind,
            table: name.clone(),
            column: column.map(str::to_owned),
            words,
            rules: rules.clone(),
            renamed_to: None,
        };
        let Some(before) = draft.table(id).map(|(_, table)| table) else {
            continue;
        };
        let Some(after) = new.table(name) else {
            let is_alike = |(_, table): &&(TableName, &Table)| table.columns.keys().eq(before.columns.keys());
            match added.iter().find(is_alike) {
                Some((other, _)) => found.push(SchemaChange {
                    renamed_to: Some(other.clone()),
                    ..change(
                        SchemaChangeKind::TableRenamed,
                        None,
                        format!("the table {name} is gone; {other} has the same columns"),
                    )
                }),
                None => found.push(change(
                    SchemaChangeKind::TableGone,
                    None,
                    format!("the table {name} is gone"),
                )),
            }
            continue;
        };
        of_table(before, after, name, &change, &mut found);
    }
    found.extend(added.into_iter().map(|(table, _)| SchemaChange {
        kind: SchemaChangeKind::TableAdded,
        words: format!("the table {table} is new"),
        table,
        column: None,
        rules: Vec::new(),
        renamed_to: None,
    }));
    found
}

fn of_table(
    before: &Table,
    after: &Table,
    name: &TableName,
    change: &dyn Fn(SchemaChangeKind, Option<&str>, String) -> SchemaChange,
    found: &mut Vec<SchemaChange>,
) {
    use SchemaChangeKind as Kind;
    for (column, new) in &after.columns {
        let new_type = &new.kind.database_specific_type;
        match before.columns.get(column) {
            None => found.push(change(
                Kind::ColumnAdded,
                Some(column),
                format!("{name} has the new column \"{column}\" ({new_type})"),
            )),
            Some(old) if old.kind.database_specific_type != *new_type => found.push(change(
                Kind::TypeChanged,
                Some(column),
                format!(
                    "the column \"{column}\" of {name} was {} and is {new_type}",
                    old.kind.database_specific_type
                ),
            )),
            Some(_) => {}
        }
    }
    for column in before.columns.keys().filter(|c| !after.columns.contains_key(*c)) {
        let words = format!("the column \"{column}\" of {name} is gone");
        found.push(change(Kind::ColumnGone, Some(column), words));
    }
    let keys = [before, after].map(level::key_columns);
    if keys[0] != keys[1] {
        let [old, new] = keys.map(|key| {
            if key.is_empty() {
                "nothing".to_owned()
            } else {
                key.join(", ")
            }
        });
        let words = format!("the primary key of {name} was {old} and is {new}");
        found.push(change(Kind::PrimaryKeyChanged, None, words));
    }
    for (key, new) in after.foreign_keys.iter().filter(|(_, k)| !k.synthetic) {
        let to = new.target_table.name();
        match before.foreign_keys.get(key).filter(|old| !old.synthetic) {
            None => found.push(change(
                Kind::KeyAdded,
                None,
                format!("{name} has the new foreign key `{key}` to {to}"),
            )),
            Some(old) if old.column_mappings != new.column_mappings || old.target_table.name() != to => {
                found.push(change(
                    Kind::KeyChanged,
                    None,
                    format!("the foreign key `{key}` of {name} has changed"),
                ))
            }
            Some(_) => {}
        }
    }
    let declared = before.foreign_keys.iter().filter(|(_, k)| !k.synthetic);
    for (key, _) in declared.filter(|(key, _)| !after.foreign_keys.contains_key(*key)) {
        let words = format!("the foreign key `{key}` of {name} is gone");
        found.push(change(Kind::KeyGone, None, words));
    }
}

/// Takes a schema over: columns, types and keys of the tables of the project. Synthetic keys stay; columns that are new
/// become fields; a field whose column is gone stays, for the user to decide.
pub(super) fn take(
    editor: &mut Editor<'_>,
    new: &RelationalModel,
    drop_gone: bool,
    renamed: &[(TableId, TableName)],
) -> Result<String, EditError> {
    for (id, name) in renamed {
        super::relational::rename_table(editor, id, name)?;
    }
    let ids: Vec<TableId> = editor.draft.content.tables.keys().cloned().collect();
    let count = changes(editor.draft, new).len();
    let mut gone = Vec::new();
    for id in ids {
        let Some((path, before)) = editor.draft.table(&id).map(|(p, t)| (p.clone(), t.clone())) else {
            continue;
        };
        let Some(after) = new.table(&path.name()) else {
            gone.push(id);
            continue;
        };
        let mut after = after.clone();
        for (name, key) in before.foreign_keys.iter().filter(|(_, key)| key.synthetic) {
            after.foreign_keys.entry(name.clone()).or_insert_with(|| key.clone());
        }
        // In a project file of another database the tables lie under its name.
        for key in after.foreign_keys.values_mut() {
            if let Some(target) = editor.draft.table_id(&key.target_table.name()) {
                key.target_table.clone_from(&editor.draft.content.tables[target].path);
            }
        }
        let rules: Vec<MappingId> = editor.draft.rules_of(&id).cloned().collect();
        for rule in rules {
            fit_rule(editor, &rule, &before, &after)?;
        }
        editor.set_model_table(&path, |place| *place = Some(after));
    }
    if drop_gone && !gone.is_empty() {
        super::relational::remove_tables(editor, &gone)?;
    }
    Ok(format!("took over the schema: {count} changes"))
}

/// Gives a rule the fields of new columns, and takes back types that a column can no longer have.
fn fit_rule(editor: &mut Editor<'_>, rule: &MappingId, before: &Table, after: &Table) -> Result<(), EditError> {
    let settings = &editor.draft.content.settings;
    let (casing, omit) = (settings.casing, settings.omit_nulls);
    let owner = level::owner(editor.draft, rule);
    let is_values = super::joins::shape_of(editor.rule(rule)?) == Some(super::Shape::Values);
    let mut new: Vec<(String, Field)> = Vec::new();
    for (column, mut field) in crate::initial::fields_of(after, casing) {
        if before.columns.contains_key(&column) || editor.rule(rule)?.fields.contains_key(&column) {
            continue;
        }
        let taken = |name: &str| {
            new.iter()
                .any(|(_, f): &(String, Field)| level::clash(&f.target.name, name))
        };
        let free = names::free(editor.draft, &owner, &field.target.name, None);
        let numbers = (2..).map(|n| format!("{free}{n}"));
        let name = std::iter::once(free.clone()).chain(numbers).find(|n| !taken(n));
        field.target.name = name.expect("the numbers do not end");
        field.target.included &= !is_values;
        field.target.is_null_excluded = omit;
        new.push((column, field));
    }
    editor.change_rule(rule, |r| {
        for (column, field) in &mut r.fields {
            let Some(now) = after.columns.get(column) else { continue };
            field
                .source
                .database_specific_type
                .clone_from(&now.kind.database_specific_type);
            field.source.is_primary_key = now.primary_key.is_some();
            let was = before.columns.get(column);
            let has_changed = was.is_some_and(|was| was.kind.database_specific_type != now.kind.database_specific_type);
            // A type that only repeated what the column gave goes on giving what it gives.
            let repeated = was.is_some_and(|was| types::default_of(was) == field.target.kind);
            if (has_changed && repeated) || !types::is_possible(now, field.target.kind) {
                field.target.kind = FieldType::Default;
            }
        }
        r.fields.extend(new);
    })
}
