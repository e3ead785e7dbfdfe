//! An edit that was applied.

use super::Draft;
use super::step::{Direction, Step};
use crate::ids::{CollectionId, MappingId, TableId};

/// What an edit did: its name, and both states of every entry that it changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// For the history: "renamed `customer_id` to `customerId`".
    pub words: String,
    /// What it made, in order: what a client shows or selects next.
    pub made: Vec<Made>,
    pub(super) steps: Vec<Step>,
}

/// Something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    Collection(CollectionId),
    Rule(MappingId),
    /// A calculated field of a rule.
    Calculated(MappingId, String),
    Table(TableId),
    /// A synthetic key of a table.
    Key(TableId, String),
    /// A tab of the diagrams.
    Diagram(String),
}

impl Change {
    /// Takes the change back. The draft has to be in the state that the change left it in.
    pub fn undo(&self, draft: &mut Draft) {
        self.steps
            .iter()
            .rev()
            .for_each(|step| step.set(draft, Direction::Back));
    }

    /// Does it again, on the state before it.
    pub fn redo(&self, draft: &mut Draft) {
        self.steps.iter().for_each(|step| step.set(draft, Direction::Forward));
    }

    /// The rule that it made first, if any.
    pub fn made_rule(&self) -> Option<&MappingId> {
        self.made.iter().find_map(|made| match made {
            Made::Rule(rule) => Some(rule),
            _ => None,
        })
    }

    /// The collection that it made first, if any.
    pub fn made_collection(&self) -> Option<&CollectionId> {
        self.made.iter().find_map(|made| match made {
            Made::Collection(collection) => Some(collection),
            _ => None,
        })
    }
}
