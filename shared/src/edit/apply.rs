//! Edits are applied here.

use super::editor::Editor;
use super::{Change, Draft, Edit, EditError, EditReason, Place};
use super::{calculated, collections, diagrams, fields, relational, rules, schema, settings};

/// Applies an edit.
///
/// # Errors
/// Why it cannot be, at the place that it belongs to; the draft is as before then. An edit that would change nothing is
/// refused too, so that no step of the history does nothing.
pub fn apply(draft: &mut Draft, edit: &Edit) -> Result<Change, EditError> {
    let mut editor = Editor::new(draft);
    let done = run(&mut editor, edit);
    match done {
        Ok(words) if editor.has_changed() => {
            let (steps, made) = editor.finish();
            Ok(Change { words, made, steps })
        }
        Ok(_) => Err(EditReason::NothingChanges.at(Place::default())),
        Err(error) => {
            editor.give_up();
            Err(error)
        }
    }
}

fn run(editor: &mut Editor<'_>, edit: &Edit) -> Result<String, EditError> {
    match edit {
        Edit::AddCollection { collection, name } => {
            collections::add(editor, collection.as_ref(), name)?;
            Ok(format!("added the collection `{}`", name.trim()))
        }
        Edit::RenameCollection { collection, name } => collections::rename(editor, collection, name),
        Edit::DeleteCollection { collection } => collections::delete(editor, collection),
        Edit::SetTimeSeries { collection, settings } => {
            collections::set_time_series(editor, collection, settings.as_ref())
        }
        Edit::AddRule(new) => rules::add(editor, new),
        Edit::DeleteRule { rule } => rules::delete(editor, rule),
        Edit::OrderRule { rule, before } => rules::order(editor, rule, before.as_ref()),
        Edit::MoveRule { rule, into } => rules::move_to(editor, rule, into),
        Edit::SetShape { rule, shape, field } => rules::set_shape(editor, rule, *shape, field.as_deref()),
        Edit::SetPath { rule, path } => rules::set_path(editor, rule, path),
        Edit::SetLink { rule, key } => rules::set_link(editor, rule, key.as_deref()),
        Edit::SetKeyHandling { rule, handling } => rules::set_key_handling(editor, rule.as_ref(), *handling),
        Edit::SetRuleFilter { rule, expression } => rules::set_filter(editor, rule, expression.as_deref()),
        Edit::SetConditions {
            rule,
            sort,
            limit,
            as_document,
        } => rules::set_conditions(editor, rule, sort.as_ref(), *limit, *as_document),
        Edit::SetNotes { rule, notes } => rules::set_notes(editor, rule, notes),
        Edit::RenameField { rule, column, name } => fields::rename(editor, rule, column, name),
        Edit::RenamePath { rule, path, name } => fields::rename_path(editor, rule, path, name),
        Edit::IncludeFields {
            rule,
            columns,
            included,
        } => fields::include(editor, rule, columns, *included),
        Edit::SetFieldType { rule, column, kind } => fields::set_type(editor, rule, column, *kind),
        Edit::SetFieldNulls { rule, columns, omit } => fields::set_nulls(editor, rule, columns, *omit),
        Edit::AddCalculated { rule, id, field } => calculated::add(editor, rule, id.as_deref(), field),
        Edit::ChangeCalculated { rule, id, field } => calculated::change(editor, rule, id, field),
        Edit::RemoveCalculated { rule, id } => calculated::remove(editor, rule, id),
        Edit::AddKey { table, name, key } => relational::add_key(editor, table, name.as_deref(), key),
        Edit::ChangeKey { table, name, key } => relational::change_key(editor, table, name, key),
        Edit::RemoveKey { table, name } => relational::remove_key(editor, table, name),
        Edit::SetTableFilter { table, filter } => relational::set_filter(editor, table, filter.as_ref()),
        Edit::AddTables { tables } => relational::add_tables(editor, tables),
        Edit::RemoveTables { tables } => relational::remove_tables(editor, tables),
        Edit::TakeSchema {
            model,
            drop_gone,
            renamed,
        } => schema::take(editor, model, *drop_gone, renamed),
        Edit::SetProjectName { name } => settings::set_name(editor, name),
        Edit::SetCasing { casing, rename } => settings::set_casing(editor, *casing, *rename),
        Edit::SetNullDefault { omit } => settings::set_null_default(editor, *omit),
        Edit::Diagram(edit) => diagrams::apply(editor, edit),
        Edit::All { words, edits } => {
            let mut last = None;
            for edit in edits {
                // Each of these is a value that came from somewhere; none holds others more than once.
                if matches!(edit, Edit::All { .. }) {
                    return Err(EditReason::NothingChanges.at(Place::default()));
                }
                last = Some(run(editor, edit)?);
            }
            Ok(match words.trim() {
                "" => last.unwrap_or_default(),
                words => words.to_owned(),
            })
        }
    }
}
