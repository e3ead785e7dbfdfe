//! What differs between two states of a project: for somebody whose save comes after that of another window.

use super::going::path_of;
use super::relational::table_filter;
use super::{Draft, Part, Place};
use crate::ids::MappingId;
use crate::mapping::{Field, Mapping};
use serde::Serialize;

/// One difference, as a change from the first state to the second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// As in the history: "renamed `customerId` to `client`".
    pub words: String,
    /// In the second state; of what is gone, in the first.
    pub place: Place,
}

/// All differences: the project, its tables, collections, rules and fields, in the order of the second state.
pub fn between(before: &Draft, after: &Draft) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    if before.name != after.name {
        let words = format!("renamed the project `{}` to `{}`", before.name, after.name);
        found.add(words, Place::of_settings());
    }
    if before.content.settings != after.content.settings {
        found.add("changed the settings of the project".to_owned(), Place::of_settings());
    }
    tables(before, after, &mut found);
    collections(before, after, &mut found);
    for (id, rule) in &after.content.mappings {
        match before.content.mappings.get(id) {
            None => found.add(
                format!("added the rule `{}`", path_of(after, id)),
                Place::of_rule(id, Part::Whole),
            ),
            Some(old) => rule_between(before, after, id, [old, rule], &mut found),
        }
    }
    for id in before
        .content
        .mappings
        .keys()
        .filter(|id| !after.content.mappings.contains_key(*id))
    {
        found.add(
            format!("deleted the rule `{}`", path_of(before, id)),
            Place::of_rule(id, Part::Whole),
        );
    }
    if before.content.diagrams != after.content.diagrams {
        found.add("changed the diagrams".to_owned(), Place::of_diagrams());
    }
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, words: String, place: Place) {
        self.0.push(Difference { words, place });
    }
}

fn tables(before: &Draft, after: &Draft, found: &mut Found) {
    for (id, entry) in &after.content.tables {
        let name = entry.path.name();
        let Some(old) = before.content.tables.get(id) else {
            found.add(format!("added the table {name}"), Place::of_table(id, Part::Whole));
            continue;
        };
        if table_filter(old) != table_filter(entry) {
            found.add(
                format!("changed the filter of {name}"),
                Place::of_table(id, Part::TableFilter),
            );
        }
        let (Some((_, old)), Some((_, new))) = (before.table(id), after.table(id)) else {
            continue;
        };
        let place = |key: &String| Place::of_table(id, Part::Key { name: key.clone() });
        for (key, now) in new.foreign_keys.iter().filter(|(_, key)| key.synthetic) {
            match old.foreign_keys.get(key) {
                None => found.add(format!("drew the key `{key}` of {name}"), place(key)),
                Some(was) if was != now => found.add(format!("changed the key `{key}` of {name}"), place(key)),
                Some(_) => {}
            }
        }
        let drawn = old.foreign_keys.iter().filter(|(_, key)| key.synthetic);
        for (key, _) in drawn.filter(|(key, _)| !new.foreign_keys.contains_key(*key)) {
            found.add(format!("removed the key `{key}` of {name}"), place(key));
        }
        if old.columns != new.columns {
            found.add(
                format!("took over other columns of {name}"),
                Place::of_table(id, Part::Whole),
            );
        }
    }
    for (id, entry) in before
        .content
        .tables
        .iter()
        .filter(|(id, _)| !after.content.tables.contains_key(*id))
    {
        found.add(
            format!("removed the table {}", entry.path.name()),
            Place::of_table(id, Part::Whole),
        );
    }
}

fn collections(before: &Draft, after: &Draft, found: &mut Found) {
    for (id, now) in &after.content.collections {
        let place = |part| Place::of_collection(id, part);
        match before.content.collections.get(id) {
            None => found.add(format!("added the collection `{}`", now.name), place(Part::Whole)),
            Some(was) if was.name != now.name => {
                let words = format!("renamed the collection `{}` to `{}`", was.name, now.name);
                found.add(words, place(Part::Name));
            }
            Some(was) if was != now => {
                found.add(
                    format!("changed the collection `{}`", now.name),
                    place(Part::TimeSeries),
                );
            }
            Some(_) => {}
        }
    }
    let gone = before
        .content
        .collections
        .iter()
        .filter(|(id, _)| !after.content.collections.contains_key(*id));
    for (id, was) in gone {
        found.add(
            format!("deleted the collection `{}`", was.name),
            Place::of_collection(id, Part::Whole),
        );
    }
}

fn rule_between(before: &Draft, after: &Draft, id: &MappingId, [old, new]: [&Mapping; 2], found: &mut Found) {
    let path = path_of(after, id);
    let place = |part| Place::of_rule(id, part);
    if before.parent_of(id) != after.parent_of(id) || old.collection_id != new.collection_id {
        found.add(
            format!("moved `{}` to `{path}`", path_of(before, id)),
            place(Part::Whole),
        );
    }
    let (was, now) = (&old.settings, &new.settings);
    let parts = [
        (
            was.kind != now.kind || was.primitive != now.primitive,
            "what it becomes",
            Part::Whole,
        ),
        (was.embedded_path != now.embedded_path, "the field name", Part::Path),
        (
            was.foreign_key_name != now.foreign_key_name,
            "the foreign key link",
            Part::Link,
        ),
        (was.rule_filter != now.rule_filter, "the filter", Part::RuleFilter),
        (
            was.array_conditions != now.array_conditions,
            "the array conditions",
            Part::Conditions,
        ),
        (was.key_handling != now.key_handling, "the key handling", Part::Id),
        (was.notes != now.notes, "the notes", Part::Whole),
        (old.table != new.table, "the table", Part::Whole),
    ];
    for (_, what, part) in parts.into_iter().filter(|(differs, ..)| *differs) {
        found.add(format!("changed {what} of `{path}`"), place(part));
    }
    if before.content.relationships.mappings.get(id) != after.content.relationships.mappings.get(id) {
        let own = |draft: &Draft| {
            let mut children: Vec<MappingId> = draft.content.children_of(id).cloned().collect();
            let ordered = children.clone();
            children.sort();
            (children, ordered)
        };
        let ((a, a_order), (b, b_order)) = (own(before), own(after));
        if a == b && a_order != b_order {
            found.add(format!("changed the order in `{path}`"), place(Part::Whole));
        }
    }
    for (column, field) in &new.fields {
        let part = || Part::of_column(column);
        match old.fields.get(column) {
            None => found.add(
                format!("added the field `{}` of `{path}`", field.target.name),
                place(part()),
            ),
            Some(was) => {
                for words in field_between(was, field) {
                    found.add(format!("{words} in `{path}`"), place(part()));
                }
            }
        }
    }
    for (column, was) in old
        .fields
        .iter()
        .filter(|(column, _)| !new.fields.contains_key(*column))
    {
        let words = format!("removed the field `{}` of `{path}`", was.target.name);
        found.add(words, place(Part::of_column(column)));
    }
    for (field, now) in &new.calculated_fields {
        let part = Part::Calculated { id: field.clone() };
        match old.calculated_fields.get(field) {
            None => found.add(
                format!("added the calculated field `{}` in `{path}`", now.name),
                place(part),
            ),
            Some(was) if was != now => {
                found.add(
                    format!("changed the calculated field `{}` in `{path}`", now.name),
                    place(part),
                );
            }
            Some(_) => {}
        }
    }
    for (field, was) in old
        .calculated_fields
        .iter()
        .filter(|(f, _)| !new.calculated_fields.contains_key(*f))
    {
        let words = format!("removed the calculated field `{}` in `{path}`", was.name);
        found.add(words, place(Part::Calculated { id: field.clone() }));
    }
}

fn field_between(was: &Field, now: &Field) -> Vec<String> {
    let (was, now) = (&was.target, &now.target);
    let mut words = Vec::new();
    if was.name != now.name {
        words.push(format!("renamed `{}` to `{}`", was.name, now.name));
    }
    if was.included != now.included {
        let word = if now.included { "included" } else { "excluded" };
        words.push(format!("{word} `{}`", now.name));
    }
    if was.kind != now.kind {
        words.push(format!("`{}` is {}", now.name, super::fields::type_word(now.kind)));
    }
    if was.is_null_excluded != now.is_null_excluded {
        let word = if now.is_null_excluded { "left out" } else { "stored" };
        words.push(format!("nulls of `{}` are {word}", now.name));
    }
    words
}
