//! What the parts of the *Mapping* tab share: the draft with its history, what is chosen and pointed at, and whether it
//! is saved.

use super::carry::Carried;
use super::delete::Deleting;
use super::diagram::state::DiagramState;
use super::key_dialog::KeyDraft;
use super::lineage::Thing;
use super::offers::Dropped;
use super::saving::Saving;
use crate::components::toast::{Toasts, use_toasts};
use godwit_shared::edit::drops::DropTarget;
use godwit_shared::edit::{Change, Draft, Edit, EditReason, Fault, History, Made, Place, tree};
use godwit_shared::ids::{CollectionId, MappingId, ProjectId, TableId};
use godwit_shared::mapping::Content;
use godwit_shared::project::ProjectDetails;
use godwit_shared::schema::RelationalModel;
use leptos::prelude::*;

/// An edit that was refused, until the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub place: Place,
    pub text: String,
}

#[derive(Clone, Copy)]
pub struct Workbench {
    pub id: StoredValue<ProjectId>,
    /// As it was loaded: what a save repeats.
    pub details: StoredValue<ProjectDetails>,
    pub draft: RwSignal<Draft>,
    pub history: RwSignal<History>,
    /// Counts the changes of this session, undone ones too.
    pub version: RwSignal<u64>,
    pub saving: RwSignal<Saving>,
    pub chosen: RwSignal<Vec<Thing>>,
    pub pointed: RwSignal<Option<Thing>>,
    pub problem: RwSignal<Option<Problem>>,
    /// What the server finds wrong with the draft.
    pub faults: RwSignal<Vec<Fault>>,
    /// What is to go, until the user has said yes or no.
    pub deleting: RwSignal<Option<Deleting>>,
    /// The synthetic key that is being made.
    pub key: RwSignal<Option<KeyDraft>>,
    /// A table that was let go somewhere: what it becomes is to be chosen.
    pub dropped: RwSignal<Option<Dropped>>,
    /// A table that is being dragged.
    pub carried: RwSignal<Option<Carried>>,
    /// The relational model as it is stored.
    pub stored_model: StoredValue<RelationalModel>,
    /// The collection that the forms and the preview are about.
    pub collection: Memo<Option<CollectionId>>,
    pub diagram: DiagramState,
    toasts: Toasts,
}

pub fn use_workbench() -> Workbench {
    expect_context()
}

impl Workbench {
    pub fn new(details: ProjectDetails, model: RelationalModel, wanted: Option<CollectionId>) -> Self {
        let id = StoredValue::new(details.summary.id.clone());
        let stored_model = StoredValue::new(model.clone());
        let draft = RwSignal::new(Draft::of(details.clone(), model));
        let first: Vec<Thing> = wanted.map(Thing::Collection).into_iter().collect();
        let (chosen, pointed) = (RwSignal::new(first), RwSignal::new(None));
        let collection = Memo::new(move |before: Option<&Option<CollectionId>>| {
            let before = before.cloned().flatten();
            draft.with(|draft| chosen.with(|chosen| in_hand(draft, chosen, before)))
        });
        Self {
            id,
            details: StoredValue::new(details),
            draft,
            history: RwSignal::new(History::default()),
            version: RwSignal::new(0),
            saving: RwSignal::new(Saving::Saved),
            diagram: DiagramState::new(draft, chosen, pointed),
            chosen,
            pointed,
            problem: RwSignal::new(None),
            faults: RwSignal::new(Vec::new()),
            deleting: RwSignal::new(None),
            key: RwSignal::new(None),
            dropped: RwSignal::new(None),
            carried: RwSignal::new(None),
            stored_model,
            collection,
            toasts: use_toasts(),
        }
    }

    pub fn with<T>(self, read: impl FnOnce(&Draft) -> T) -> T {
        self.draft.with(read)
    }

    pub fn with_content<T>(self, read: impl FnOnce(&Content) -> T) -> T {
        self.draft.with(|draft| read(&draft.content))
    }

    /// The name of a collection.
    pub fn name_of(self, collection: &CollectionId) -> String {
        let name = |content: &Content| content.collections.get(collection).map(|c| c.name.clone());
        self.with_content(name).unwrap_or_default()
    }

    /// Applies an edit; a refusal is said at its place.
    pub fn apply(self, edit: Edit) -> Option<Change> {
        let mut draft = self.draft.write();
        let result = self
            .history
            .try_update_untracked(|history| history.apply(&mut draft, &edit).cloned());
        match result? {
            Ok(change) => {
                drop(draft);
                self.problem.set(None);
                self.touched();
                Some(change)
            }
            Err(error) => {
                draft.untrack();
                drop(draft);
                if error.reason != EditReason::NothingChanges {
                    let text = error.to_string();
                    self.toasts.warn(&text, "Nothing was changed.");
                    self.problem.set(Some(Problem {
                        place: *error.place,
                        text,
                    }));
                }
                None
            }
        }
    }

    /// As [`Workbench::apply`]; what it made is chosen.
    pub fn apply_and_choose(self, edit: Edit) {
        let Some(change) = self.apply(edit) else { return };
        let thing = change.made.iter().rev().find_map(|made| match made {
            Made::Collection(collection) => Some(Thing::Collection(collection.clone())),
            Made::Rule(rule) => Some(Thing::Rule(rule.clone())),
            Made::Table(table) => Some(Thing::Table(table.clone())),
            Made::Key(table, name) => Some(Thing::Key {
                table: table.clone(),
                name: name.clone(),
            }),
            Made::Calculated(..) | Made::Diagram(_) => None,
        });
        if let Some(thing) = thing {
            self.choose(thing);
        }
    }

    fn touched(self) {
        self.history.notify();
        self.version.update(|version| *version += 1);
    }

    pub fn undo(self) {
        self.step(|history, draft| history.undo(draft).map(|change| format!("Undone: {}", change.words)));
    }

    pub fn redo(self) {
        self.step(|history, draft| {
            history
                .redo(draft)
                .map(|change| format!("Done again: {}", change.words))
        });
    }

    /// To the state in which so many changes are done.
    pub fn go_to(self, done: usize) {
        self.step(|history, draft| {
            history.go_to(draft, done);
            Some(String::new())
        });
    }

    fn step(self, step: impl FnOnce(&mut History, &mut Draft) -> Option<String>) {
        let mut draft = self.draft.write();
        let said = self.history.try_update_untracked(|history| step(history, &mut draft));
        drop(draft);
        self.problem.set(None);
        if let Some(said) = said.flatten() {
            self.touched();
            if !said.is_empty() {
                self.toasts.say(said);
            }
        }
    }

    pub fn choose(self, thing: Thing) {
        self.chosen.set(vec![thing]);
    }

    /// The rule that is chosen, or that the chosen field belongs to.
    pub fn rule_in_hand(self) -> Option<MappingId> {
        self.chosen.with(|chosen| match chosen.first()? {
            Thing::Rule(rule) => Some(rule.clone()),
            Thing::Table(_) | Thing::Column { .. } | Thing::Key { .. } | Thing::Collection(_) | Thing::Path { .. } => {
                None
            }
        })
    }

    /// The table that the forms are about, where they are about one.
    pub fn table_in_hand(self) -> Option<TableId> {
        let table = self.chosen.with(|chosen| match chosen.first()? {
            Thing::Table(table) | Thing::Column { table, .. } | Thing::Key { table, .. } => Some(table.clone()),
            Thing::Collection(_) | Thing::Path { .. } | Thing::Rule(_) => None,
        });
        table.filter(|table| self.with(|draft| draft.table(table).is_some()))
    }

    /// Opens the dialog of a synthetic key.
    pub fn draw_key(self, from: TableId, to: Option<TableId>, pairs: Vec<(String, String)>) {
        self.key.set(Some(KeyDraft { from, to, pairs }));
    }

    /// Asks where something goes with it, else deletes at once: it can be undone.
    pub fn ask_to_delete(self, rule: MappingId) {
        self.deleting.set(Some(Deleting::Rule(rule)));
    }

    pub fn ask_to_delete_collection(self, collection: CollectionId) {
        self.deleting.set(Some(Deleting::Collection(collection)));
    }

    pub fn ask_to_remove_tables(self, tables: Vec<TableId>) {
        self.deleting.set(Some(Deleting::Tables(tables)));
    }

    /// The place of a field, for a table that is dropped on it.
    pub fn field_target(self, collection: CollectionId, path: &str) -> DropTarget {
        let rule = self
            .draft
            .with_untracked(|draft| tree::of(draft, &collection).at(path).map(|node| node.rule.clone()));
        match rule {
            Some(rule) => DropTarget::Field {
                rule,
                path: path.to_owned(),
            },
            None => DropTarget::Collection(collection),
        }
    }

    /// Takes over what is stored now; what was undone or done here cannot be undone any more.
    pub fn replace(self, draft: Draft) {
        self.history.set(History::default());
        self.draft.set(draft);
        self.problem.set(None);
    }
}

/// The collection of what is chosen; of a table one that it feeds; else the one before, else the first.
fn in_hand(draft: &Draft, chosen: &[Thing], before: Option<CollectionId>) -> Option<CollectionId> {
    let content = &draft.content;
    let is_there = |id: &CollectionId| content.collections.contains_key(id);
    let before = before.filter(is_there);
    let wanted = match chosen.first() {
        Some(Thing::Collection(collection) | Thing::Path { collection, .. }) => Some(collection.clone()),
        Some(Thing::Rule(rule)) => draft.rule(rule).map(|rule| rule.collection_id.clone()),
        Some(Thing::Table(table) | Thing::Column { table, .. } | Thing::Key { table, .. }) => {
            let fed: Vec<&CollectionId> = draft
                .rules_of(table)
                .filter_map(|rule| draft.rule(rule))
                .map(|rule| &rule.collection_id)
                .collect();
            let stays = before.clone().filter(|before| fed.contains(&before));
            stays.or_else(|| fed.first().map(|first| (*first).clone()))
        }
        None => None,
    };
    wanted
        .filter(is_there)
        .or(before)
        .or_else(|| content.collections.keys().next().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;

    #[test]
    fn a_collection_is_always_in_hand_where_there_is_one() {
        let draft = samples::draft();
        let check = |chosen: Option<Thing>, before: Option<&str>, expected: &str| {
            let chosen: Vec<Thing> = chosen.into_iter().collect();
            let found = in_hand(&draft, &chosen, before.map(CollectionId::new));
            assert_eq!(found.expect("one").as_str(), expected);
        };
        check(None, None, "c1");
        check(None, Some("c2"), "c2");
        check(None, Some("gone"), "c1");
        check(Some(Thing::Collection(CollectionId::new("c2"))), Some("c1"), "c2");
        check(Some(Thing::Collection(CollectionId::new("gone"))), Some("c2"), "c2");
        check(Some(Thing::Rule(MappingId::new("m2"))), Some("c2"), "c1");
        check(Some(Thing::Table(TableId::new("t2"))), Some("c2"), "c1");
        check(Some(Thing::Table(TableId::new("t3"))), Some("c2"), "c2");
        assert_eq!(in_hand(&Draft::default(), &[], None), None);
    }
}
