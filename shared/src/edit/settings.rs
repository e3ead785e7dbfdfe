//! Settings of the project.

use super::editor::Editor;
use super::step::{Step, Swap};
use super::{EditError, EditReason, Place};
use crate::casing::Casing;
use crate::project::NAME_LENGTH_MAX;

pub(super) fn set_name(editor: &mut Editor<'_>, name: &str) -> Result<String, EditError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(EditReason::NameBlank.at(Place::of_settings()));
    }
    if name.chars().count() > NAME_LENGTH_MAX {
        let invalid = EditReason::NameInvalid {
            name: name.to_owned(),
            problem: "a project's name has at most 50 characters",
        };
        return Err(invalid.at(Place::of_settings()));
    }
    let before = editor.draft.name.clone();
    if before != name {
        let swap = Swap {
            before: Box::new(before.clone()),
            after: Box::new(name.to_owned()),
        };
        editor.step(Step::Name(swap));
    }
    Ok(format!("renamed the project `{before}` to `{name}`"))
}

/// The casing of new names; with `rename` those follow that are what the casing before had made of their columns.
pub(super) fn set_casing(editor: &mut Editor<'_>, casing: Casing, rename: bool) -> Result<String, EditError> {
    let before = editor.draft.content.settings.casing;
    editor.change_settings(|settings| settings.casing = casing);
    if rename {
        let ids: Vec<_> = editor.draft.content.mappings.keys().cloned().collect();
        for id in &ids {
            editor.change_rule(id, |rule| {
                for (column, field) in &mut rule.fields {
                    if super::level::is_key_entry(column, field) || field.target.name != before.apply(column) {
                        continue;
                    }
                    match casing.apply(column) {
                        cased if cased == "_id" || cased.trim().is_empty() => {}
                        cased => field.target.name = cased,
                    }
                }
            })?;
        }
    }
    Ok(format!("names are cased as {}", word(casing)))
}

/// Nulls of the fields of new rules.
pub(super) fn set_null_default(editor: &mut Editor<'_>, omit: bool) -> Result<String, EditError> {
    editor.change_settings(|settings| settings.omit_nulls = omit);
    let word = if omit { "left out" } else { "stored" };
    Ok(format!("nulls of new fields are {word}"))
}

fn word(casing: Casing) -> &'static str {
    match casing {
        Casing::CamelCase => "`camelCase`",
        Casing::TitleCase => "`TitleCase`",
        Casing::KebabCase => "`kebab-case`",
        Casing::SnakeCase => "`snake_case`",
        Casing::UpperSnakeCase => "`UPPER_SNAKE_CASE`",
        Casing::Original => "in the source",
    }
}
