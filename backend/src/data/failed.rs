//! Rows that have no document because something was wrong with them, or with the destination, when they were read: known
//! by their keys, so that they can be tried again.

use super::issue::{Issue, Location};
use godwit_shared::retry::{Retry, retry_of};
use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

/// The most rows of a job that are remembered, and the most bytes of their keys: they are stored as one entry.
const ROWS_MAX: usize = 10_000;
const BYTES_MAX: usize = 2 << 20;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FailedRow {
    /// The [code](super::issue::IssueKind::code) of what was told of it.
    pub code: String,
    /// `schema.table`
    pub table: String,
    pub field: Option<String>,
    /// Its primary key: columns and printed values.
    pub key: Vec<(String, String)>,
}

impl FailedRow {
    /// Of an issue that tells of a row without a document; `None` of every other one.
    pub fn of(issue: &Issue) -> Option<Self> {
        let Location::Table(table) = &issue.location else {
            return None;
        };
        let can_help = retry_of(issue.kind.code()) == Some(Retry::CanHelp);
        (can_help && !issue.key.is_empty()).then(|| Self {
            code: issue.kind.code().into(),
            table: table.clone(),
            field: issue.field.clone(),
            key: issue.key.clone(),
        })
    }

    fn size(&self) -> usize {
        let key: usize = self.key.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.code.len() + self.table.len() + self.field.as_ref().map_or(0, String::len) + key
    }
}

/// Those of one job, each once, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRowList {
    pub rows: IndexSet<FailedRow>,
    /// Those that were too many to be remembered.
    pub beyond: u64,
    #[serde(skip)]
    bytes: usize,
}

impl FailedRowList {
    /// Remembers a row. Returns whether the list is another one now.
    pub fn add(&mut self, row: FailedRow) -> bool {
        if self.rows.contains(&row) {
            return false;
        }
        if self.bytes == 0 {
            // Of a list that was stored it is not known.
            self.bytes = self.rows.iter().map(FailedRow::size).sum();
        }
        let bytes = self.bytes + row.size();
        if self.rows.len() >= ROWS_MAX || bytes > BYTES_MAX {
            self.beyond += 1;
        } else {
            self.bytes = bytes;
            self.rows.insert(row);
        }
        true
    }

    /// Takes rows out that are tried again.
    pub fn remove(&mut self, rows: &[FailedRow]) {
        for row in rows {
            self.rows.shift_remove(row);
        }
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::issue::IssueKind;

    fn issue(kind: IssueKind, key: &str) -> Issue {
        Issue {
            kind,
            location: Location::Table("public.t".into()),
            field: None,
            message: "m".into(),
            key: vec![("id".into(), key.into())],
        }
    }

    #[test]
    fn only_rows_without_a_document_are_remembered_and_each_once() {
        let mut list = FailedRowList::default();
        let kinds = [
            (IssueKind::WriteRefused, true),
            (IssueKind::FilterFailed, true),
            (IssueKind::ValueNotConvertible, false),
            (IssueKind::DuplicateId, false),
            (IssueKind::ValueRounded, false),
        ];
        for (kind, is_remembered) in kinds {
            assert_eq!(FailedRow::of(&issue(kind, "1")).is_some(), is_remembered, "{kind:?}");
        }
        for key in ["1", "2", "1"] {
            list.add(FailedRow::of(&issue(IssueKind::WriteRefused, key)).expect("a row"));
        }
        assert_eq!((list.rows.len(), list.beyond), (2, 0));
        let first = list.rows[0].clone();
        list.remove(&[first]);
        assert_eq!(list.rows[0].key[0].1, "2");
        let mut without_key = issue(IssueKind::WriteRefused, "1");
        without_key.key.clear();
        assert_eq!(FailedRow::of(&without_key), None);
    }

    #[test]
    fn their_number_and_size_are_bounded() {
        let mut list = FailedRowList::default();
        let large = "x".repeat(BYTES_MAX / 4);
        for number in 0..6 {
            let key = format!("{number}{large}");
            list.add(FailedRow::of(&issue(IssueKind::WriteRefused, &key)).expect("a row"));
        }
        assert_eq!((list.rows.len(), list.beyond), (3, 3));
        // A list that was stored knows its size again.
        let json = serde_json::to_string(&list).expect("JSON");
        let mut restored: FailedRowList = serde_json::from_str(&json).expect("a list");
        restored.add(FailedRow::of(&issue(IssueKind::WriteRefused, &format!("9{large}"))).expect("a row"));
        assert_eq!((restored.rows.len(), restored.beyond), (3, 4));
    }
}
