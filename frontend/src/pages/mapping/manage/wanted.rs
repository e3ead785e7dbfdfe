//! What is to become of the tables of a project, as one edit.

use crate::pages::new_project::selection::{Selection, TableTree};
use godwit_shared::edit::going::{self, Going};
use godwit_shared::edit::schema::{SchemaChange, SchemaChangeKind, changes};
use godwit_shared::edit::{Draft, Edit};
use godwit_shared::ids::{MappingId, TableId};
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::HashSet;

/// A schema that was read again, beside the draft, and what the user wants of it.
pub struct Wanted<'a> {
    pub draft: &'a Draft,
    pub full: &'a RelationalModel,
    pub tree: &'a TableTree,
    pub selection: &'a Selection,
    /// Tables of the project that the source has no longer go with their rules.
    pub drops_gone: bool,
    /// Old names of tables that go on under another one.
    pub followed: &'a HashSet<TableName>,
}

/// The tables that are selected at first: those of the project, and what they may be called now.
pub fn first_selection(draft: &Draft, tree: &TableTree, found: &[SchemaChange]) -> Selection {
    let known: HashSet<TableName> = draft.content.tables.values().map(|entry| entry.path.name()).collect();
    let is_new_name = |name: &TableName| found.iter().any(|change| change.renamed_to.as_ref() == Some(name));
    Selection::of(tree, |path| {
        let name = path.name();
        known.contains(&name) || is_new_name(&name)
    })
}

/// What the schema changes of the tables that the project has; new tables are for the tree to show.
pub fn shown_changes(found: &[SchemaChange]) -> Vec<SchemaChange> {
    let is_shown = |change: &&SchemaChange| change.kind != SchemaChangeKind::TableAdded;
    found.iter().filter(is_shown).cloned().collect()
}

impl Wanted<'_> {
    fn id(&self, name: &TableName) -> Option<&TableId> {
        self.draft.table_id(name)
    }

    fn renamed(&self, found: &[SchemaChange]) -> Vec<(TableId, TableName)> {
        let followed = found.iter().filter(|change| self.followed.contains(&change.table));
        let pair = |change: &SchemaChange| Some((self.id(&change.table)?.clone(), change.renamed_to.clone()?));
        followed.filter_map(pair).collect()
    }

    /// Tables of the project that the source has and that are not selected.
    fn removed(&self) -> Vec<TableId> {
        let all = self.tree.tables.iter().enumerate();
        let left = all.filter(|(place, _)| !self.selection.contains(*place));
        left.filter_map(|(_, table)| self.id(&table.path.name()).cloned())
            .collect()
    }

    /// Tables of the project that the source has no longer, without those that are followed.
    fn gone(&self) -> Vec<TableId> {
        let is_gone = |name: &TableName| self.full.table(name).is_none() && !self.followed.contains(name);
        let tables = self.draft.content.tables.iter();
        tables
            .filter(|(_, entry)| is_gone(&entry.path.name()))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The rules that go with the tables.
    pub fn going(&self) -> Vec<Going> {
        let mut tables = self.removed();
        if self.drops_gone {
            tables.extend(self.gone());
        }
        going::with_tables(self.draft, &tables)
    }

    /// Everything as one step of the history; `None` where nothing changes.
    pub fn edit(&self) -> Option<Edit> {
        let found = changes(self.draft, self.full);
        let renamed = self.renamed(&found);
        let is_new_name = |name: &TableName| renamed.iter().any(|(_, new)| new == name);
        let database = self
            .draft
            .content
            .tables
            .values()
            .next()
            .map(|entry| entry.path.database.clone());
        let added: Vec<_> = self
            .selection
            .tables(self.tree)
            .filter(|path| self.id(&path.name()).is_none() && !is_new_name(&path.name()))
            .filter_map(|path| {
                let table = self.full.table(&path.name())?.clone();
                // In a project file of another database the tables lie under its name.
                let mut path = path.clone();
                path.database = database.clone().unwrap_or(path.database);
                Some((path, table))
            })
            .collect();
        let removed = self.removed();
        let changed = shown_changes(&found).len();
        let takes = changed > 0 && (!renamed.is_empty() || self.has_effect(&found));
        let counts = [
            (if takes { changed } else { 0 }, "change", "changes"),
            (added.len(), "new table", "new tables"),
            (removed.len(), "table removed", "tables removed"),
        ];
        let words: Vec<String> = counts
            .iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many }))
            .collect();
        let mut edits = Vec::new();
        if !added.is_empty() {
            edits.push(Edit::AddTables { tables: added });
        }
        if takes {
            edits.push(Edit::TakeSchema {
                model: Box::new(self.full.clone()),
                drop_gone: self.drops_gone,
                renamed,
            });
        }
        if !removed.is_empty() {
            edits.push(Edit::RemoveTables { tables: removed });
        }
        (!edits.is_empty()).then(|| Edit::All {
            words: format!("took over the schema: {}", words.join(", ")),
            edits,
        })
    }

    /// A table that is gone changes nothing as long as it stays in the project.
    fn has_effect(&self, found: &[SchemaChange]) -> bool {
        found.iter().any(|change| match change.kind {
            SchemaChangeKind::TableAdded => false,
            SchemaChangeKind::TableGone | SchemaChangeKind::TableRenamed => self.drops_gone,
            SchemaChangeKind::ColumnAdded
            | SchemaChangeKind::ColumnGone
            | SchemaChangeKind::TypeChanged
            | SchemaChangeKind::PrimaryKeyChanged
            | SchemaChangeKind::KeyAdded
            | SchemaChangeKind::KeyGone
            | SchemaChangeKind::KeyChanged => true,
        })
    }
}

/// What becomes of the rules that a change concerns.
pub fn consequence(draft: &Draft, change: &SchemaChange) -> Option<String> {
    let places: Vec<String> = change
        .rules
        .iter()
        .map(|rule: &MappingId| going::path_of(draft, rule))
        .collect();
    if places.is_empty() {
        return None;
    }
    let places = places.join(", ");
    Some(match change.kind {
        SchemaChangeKind::ColumnAdded => format!("becomes a field of {places}"),
        SchemaChangeKind::ColumnGone => format!("its field stays in {places} until you leave it out"),
        SchemaChangeKind::TableGone | SchemaChangeKind::TableRenamed => format!("is read for {places}"),
        SchemaChangeKind::TableAdded
        | SchemaChangeKind::TypeChanged
        | SchemaChangeKind::PrimaryKeyChanged
        | SchemaChangeKind::KeyAdded
        | SchemaChangeKind::KeyGone
        | SchemaChangeKind::KeyChanged => format!("concerns {places}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::edit::{apply, differences};

    /// The source: loans has another column and no title, desks is called seats, a table is new.
    fn changed() -> RelationalModel {
        let mut model = samples::model();
        let library = model.databases.get_mut("library").expect("a database");
        let staff = &mut library.schemas.get_mut("staff").expect("a schema").tables;
        let desks = staff.shift_remove("desks").expect("a table");
        staff.insert("seats".into(), desks);
        let public = &mut library.schemas.get_mut("public").expect("a schema").tables;
        let shelf = public["borrowers"].clone();
        public.insert("shelves".into(), shelf);
        let loans = public.get_mut("loans").expect("a table");
        let title = loans.columns.shift_remove("title").expect("a column");
        loans.columns.insert("due".into(), title);
        model
    }

    fn check(drops_gone: bool, follows: bool, leave: &str, expected: &str, tables: &[&str]) {
        let (draft, full) = (samples::draft(), changed());
        let tree = TableTree::of(&full);
        let found = changes(&draft, &full);
        let mut selection = first_selection(&draft, &tree, &found);
        let place = tree.tables.iter().position(|table| table.path.table == leave);
        selection.set(place.into_iter(), false);
        let new = tree.tables.iter().position(|table| table.path.table == "shelves");
        selection.set(new.into_iter(), true);
        let name = TableName::new("staff", "desks");
        let followed: HashSet<TableName> = follows.then_some(name).into_iter().collect();
        let wanted = Wanted {
            draft: &draft,
            full: &full,
            tree: &tree,
            selection: &selection,
            drops_gone,
            followed: &followed,
        };
        let edit = wanted.edit().expect("an edit");
        let mut after = draft.clone();
        let change = apply(&mut after, &edit).expect("an edit that can be applied");
        assert_eq!(change.words, expected);
        let mut names: Vec<String> = after
            .content
            .tables
            .values()
            .map(|entry| entry.path.table.clone())
            .collect();
        names.sort();
        assert_eq!(names, tables);
        change.undo(&mut after);
        assert_eq!(differences::between(&draft, &after), []);
        assert_eq!(after, draft);
    }

    #[test]
    fn a_schema_is_taken_over_as_one_step() {
        let words = "took over the schema: 3 changes, 1 new table";
        check(false, true, "", words, &["borrowers", "loans", "seats", "shelves"]);
        check(
            true,
            false,
            "",
            "took over the schema: 3 changes, 2 new tables",
            &["borrowers", "loans", "seats", "shelves"],
        );
        let removed = "took over the schema: 3 changes, 1 new table, 1 table removed";
        check(false, true, "loans", removed, &["borrowers", "seats", "shelves"]);
    }

    #[test]
    fn what_has_not_changed_is_no_edit() {
        let (draft, full) = (samples::draft(), samples::model());
        let tree = TableTree::of(&full);
        let wanted = Wanted {
            draft: &draft,
            full: &full,
            tree: &tree,
            selection: &first_selection(&draft, &tree, &[]),
            drops_gone: true,
            followed: &HashSet::new(),
        };
        assert_eq!(wanted.edit(), None);
        assert!(wanted.going().is_empty());
    }

    #[test]
    fn a_change_says_what_becomes_of_the_rules() {
        let draft = samples::draft();
        let said: Vec<String> = changes(&draft, &changed())
            .iter()
            .filter_map(|change| consequence(&draft, change))
            .collect();
        assert_eq!(
            said,
            [
                "becomes a field of borrowers.loans",
                "its field stays in borrowers.loans until you leave it out"
            ]
        );
    }
}
