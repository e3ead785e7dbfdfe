//! All changes of a session, in their order.

use super::{Change, Draft, Edit, EditError, apply};
use std::collections::VecDeque;

/// The most changes that can be undone; the oldest go first.
pub const CHANGES_MAX: usize = 500;

/// Undo, redo, and the readable list of both.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Oldest first; those from `done` on are undone.
    changes: VecDeque<Change>,
    done: usize,
}

impl History {
    /// Applies an edit. What was undone before can no longer be redone.
    ///
    /// # Errors
    /// As [`apply`]: the draft and the history are as before.
    pub fn apply(&mut self, draft: &mut Draft, edit: &Edit) -> Result<&Change, EditError> {
        let change = apply(draft, edit)?;
        self.changes.truncate(self.done);
        if self.changes.len() == CHANGES_MAX {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
        self.done = self.changes.len();
        Ok(&self.changes[self.done - 1])
    }

    /// Takes the newest change back; returns it.
    pub fn undo(&mut self, draft: &mut Draft) -> Option<&Change> {
        let last = self.done.checked_sub(1)?;
        self.changes[last].undo(draft);
        self.done = last;
        self.changes.get(last)
    }

    /// Does the change again that was undone last; returns it.
    pub fn redo(&mut self, draft: &mut Draft) -> Option<&Change> {
        let next = self.changes.get(self.done)?;
        next.redo(draft);
        self.done += 1;
        Some(next)
    }

    /// Undoes or redoes until so many changes are done.
    pub fn go_to(&mut self, draft: &mut Draft, done: usize) {
        while self.done > done && self.undo(draft).is_some() {}
        while self.done < done && self.redo(draft).is_some() {}
    }

    pub fn can_undo(&self) -> bool {
        self.done > 0
    }

    pub fn can_redo(&self) -> bool {
        self.done < self.changes.len()
    }

    /// The names of all changes, oldest first, and whether each is done.
    pub fn list(&self) -> impl DoubleEndedIterator<Item = (&str, bool)> {
        let done = self.done;
        let numbered = self.changes.iter().enumerate();
        numbered.map(move |(n, change)| (change.words.as_str(), n < done))
    }

    /// How many changes are done.
    pub fn done(&self) -> usize {
        self.done
    }
}
