//! What foreign keys change without a word in the log: rows that go or lose their key with the row that they refer to.
//!
//! InnoDB follows `ON DELETE CASCADE`, `ON UPDATE CASCADE` and `SET NULL` below the level that writes the log. So a delete
//! of a row, or a change of its key, stands for changes of all rows that referred to it. Which they are nobody knows any
//! more, but what they had in the columns of the foreign key is known: the old key. Where a route starts with these
//! columns, that is all that is needed. Every other column is absent, and who needs it has the collection read again.
//! Servers that log such rows (MySQL 9.6) tell some of it twice, which does no harm.

use crate::data::catalog::CatalogTable;
use crate::data::change::{ChangeSink, ImageCell, RowChange};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The servers go no deeper.
const DEPTH_MAX: usize = 15;
/// Changes that one change may stand for.
const CHANGES_MAX: usize = 10_000;

/// What happens to rows that refer to one that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The change is refused.
    Nothing,
    Cascade,
    SetNull,
}

/// A foreign key that changes rows by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Tables as places in [`LogTables::tables`].
    pub parent: usize,
    pub child: usize,
    /// The columns of the parent, and in the same order those of the child.
    pub parent_columns: Vec<usize>,
    pub child_columns: Vec<usize>,
    pub on_delete: Action,
    pub on_update: Action,
}

/// A table whose rows in the log count.
#[derive(Debug, Clone)]
pub struct LogTable {
    pub table: Arc<CatalogTable>,
    /// The columns whose values are asked for.
    pub needed: Vec<bool>,
}

/// The tables whose rows in the log count: those of the plan in its order, then others whose changes change rows of these.
#[derive(Debug, Clone, Default)]
pub struct LogTables {
    pub tables: Vec<LogTable>,
    /// How many of them are of the plan.
    pub mapped: usize,
    /// The server takes names in capital and in small letters for the same.
    pub folds_names: bool,
    edges: Vec<Edge>,
    by_parent: HashMap<usize, Vec<usize>>,
}

impl LogTables {
    /// `needed` names the columns whose values are asked for, of each table of the plan.
    pub fn new(mapped: &[Arc<CatalogTable>], needed: &[Vec<String>], others: Vec<Arc<CatalogTable>>) -> Self {
        let of = |(place, table): (usize, &Arc<CatalogTable>)| LogTable {
            needed: (table.columns.iter())
                .map(|c| needed.get(place).is_some_and(|names| names.contains(&c.name)))
                .collect(),
            table: table.clone(),
        };
        Self {
            tables: mapped.iter().chain(&others).enumerate().map(of).collect(),
            mapped: mapped.len(),
            folds_names: false,
            edges: Vec::new(),
            by_parent: HashMap::new(),
        }
    }

    /// Foreign keys that change rows. Their columns are needed from now on.
    pub fn with_edges(mut self, edges: Vec<Edge>) -> Self {
        for (number, edge) in edges.iter().enumerate() {
            for column in &edge.parent_columns {
                self.tables[edge.parent].needed[*column] = true;
            }
            self.by_parent.entry(edge.parent).or_default().push(number);
        }
        self.edges = edges;
        self
    }

    /// The table of a name in the log.
    pub fn named(&self, schema: &str, table: &str) -> Option<usize> {
        let is_same = |own: &str, logged: &str| {
            own == logged || (self.folds_names && own.to_lowercase() == logged.to_lowercase())
        };
        let mut all = self.tables.iter();
        all.position(|t| is_same(&t.table.name.schema, schema) && is_same(&t.table.name.table, table))
    }

    /// Whether a change of the table may stand for changes of others.
    pub fn cascades(&self, table: usize) -> bool {
        self.by_parent.contains_key(&table)
    }

    /// Hands on what a change of one row stands for. The change itself is not among it.
    pub fn expand(&self, change: &RowChange<'_>, sink: &mut dyn ChangeSink) {
        let mut expansion = Expansion {
            tables: self,
            sink,
            seen: HashSet::new(),
        };
        expansion.follow(change, 0);
    }
}

struct Expansion<'t, 's> {
    tables: &'t LogTables,
    sink: &'s mut dyn ChangeSink,
    /// Foreign keys with the keys that were followed: a cycle ends.
    seen: HashSet<(usize, Option<Vec<String>>)>,
}

impl Expansion<'_, '_> {
    fn follow(&mut self, change: &RowChange<'_>, depth: usize) {
        let Some(old) = change.old else { return };
        let tables = self.tables;
        let edges = tables.by_parent.get(&change.table);
        for number in edges.into_iter().flatten() {
            let edge = &tables.edges[*number];
            let was: Vec<ImageCell<'_>> = edge.parent_columns.iter().map(|c| old[*c]).collect();
            if was.contains(&ImageCell::Null) {
                continue;
            }
            // What an update leaves as it was may be missing in its new image.
            let is: Option<Vec<ImageCell<'_>>> = change.new.map(|new| {
                let cells = edge.parent_columns.iter().map(|c| match new[*c] {
                    ImageCell::Unchanged => old[*c],
                    cell => cell,
                });
                cells.collect()
            });
            let action = match &is {
                None => edge.on_delete,
                Some(is) if *is != was => edge.on_update,
                Some(_) => Action::Nothing,
            };
            if action == Action::Nothing {
                continue;
            }
            let key: Option<Vec<String>> = (was.iter())
                .map(|cell| match cell {
                    ImageCell::Text(text) => Some((*text).to_owned()),
                    _ => None,
                })
                .collect();
            if depth >= DEPTH_MAX || self.seen.len() >= CHANGES_MAX {
                // No server goes so deep: what is left is read as a whole.
                (0..tables.mapped)
                    .for_each(|table| self.sink.rewritten(table, "may have been changed by foreign keys"));
                return;
            }
            if !self.seen.insert((*number, key)) {
                continue;
            }
            let count = tables.tables[edge.child].table.columns.len();
            let mut before = vec![ImageCell::Absent; count];
            // What the row keeps, nobody knows.
            let mut after = vec![ImageCell::Unchanged; count];
            for (place, column) in edge.child_columns.iter().enumerate() {
                before[*column] = was[place];
                after[*column] = match (&is, action) {
                    (Some(is), Action::Cascade) => is[place],
                    (_, _) => ImageCell::Null,
                };
            }
            let is_deleted = is.is_none() && action == Action::Cascade;
            let child = RowChange {
                table: edge.child,
                old: Some(&before),
                new: (!is_deleted).then_some(&after),
            };
            if edge.child < tables.mapped {
                self.sink.row(child);
            }
            self.follow(&child, depth + 1);
        }
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;
    use crate::data::position::{LogPosition, TransactionId};
    use chrono::{DateTime, Utc};

    /// Notes what it is told.
    #[derive(Debug, Default)]
    pub struct Notes(pub Vec<String>);

    pub fn shown(image: Option<&[ImageCell<'_>]>) -> String {
        let cell = |cell: &ImageCell<'_>| match cell {
            ImageCell::Null => "null".to_owned(),
            ImageCell::Text(text) => (*text).to_owned(),
            ImageCell::Unchanged => "=".to_owned(),
            ImageCell::Absent => "?".to_owned(),
        };
        image.map_or_else(|| "-".to_owned(), |i| i.iter().map(cell).collect::<Vec<_>>().join(","))
    }

    impl ChangeSink for Notes {
        fn begin(&mut self, transaction: TransactionId, _committed_at: DateTime<Utc>) {
            self.0.push(format!("begin {transaction}"));
        }

        fn row(&mut self, change: RowChange<'_>) {
            self.0.push(format!(
                "{}: {} > {}",
                change.table,
                shown(change.old),
                shown(change.new)
            ));
        }

        fn truncate(&mut self, table: usize) {
            self.0.push(format!("all of {table}"));
        }

        fn rewritten(&mut self, table: usize, what: &'static str) {
            self.0.push(format!("{table} {what}"));
        }

        fn unknown(&mut self) {
            self.0.push("unknown".into());
        }

        fn commit(&mut self, end: LogPosition) {
            self.0.push(format!("commit {}", end.0));
        }

        fn reached(&mut self, position: LogPosition) {
            self.0.push(format!("reached {}", position.0));
        }

        fn is_full(&self) -> bool {
            false
        }
    }

    pub fn table(name: &str, columns: &[(&str, &str)]) -> Arc<CatalogTable> {
        use crate::source::mysql::columns::Declared;
        use godwit_shared::schema::TableName;
        let column = |(name, type_text): &(&str, &str)| {
            let data_type = type_text.split(['(', ' ']).next().unwrap_or_default().to_owned();
            let is_text = matches!(data_type.as_str(), "varchar" | "char" | "text" | "enum" | "set");
            Declared {
                name: (*name).into(),
                data_type,
                type_text: (*type_text).into(),
                collation: is_text.then(|| "utf8mb4_general_ci".into()),
                ..Declared::default()
            }
            .column()
        };
        Arc::new(CatalogTable {
            columns: columns.iter().map(column).collect(),
            primary_key: vec![0],
            ..CatalogTable::new(TableName::new("d", name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Notes, table};
    use super::*;
    use ImageCell::{Null, Text};

    fn edge(parent: (usize, usize), child: (usize, usize), on_delete: Action, on_update: Action) -> Edge {
        Edge {
            parent: parent.0,
            child: child.0,
            parent_columns: vec![parent.1],
            child_columns: vec![child.1],
            on_delete,
            on_update,
        }
    }

    /// p (0) ← c (1) ← g (2), all by `id`; x (3) is not mapped.
    fn tables(edges: Vec<Edge>) -> LogTables {
        let of = |name: &str| table(name, &[("id", "int"), ("up", "int")]);
        LogTables::new(&[of("p"), of("c"), of("g")], &[], vec![of("x")]).with_edges(edges)
    }

    fn expand(tables: &LogTables, table: usize, old: &[ImageCell<'_>], new: Option<&[ImageCell<'_>]>) -> Vec<String> {
        let mut notes = Notes::default();
        let change = RowChange {
            table,
            old: Some(old),
            new,
        };
        tables.expand(&change, &mut notes);
        notes.0
    }

    #[test]
    fn a_delete_goes_down_with_what_is_known() {
        use Action::{Cascade, Nothing};
        let tables = tables(vec![
            edge((0, 0), (1, 1), Cascade, Nothing),
            edge((1, 0), (2, 1), Cascade, Nothing),
        ]);
        let deleted = expand(&tables, 0, &[Text("7"), Null], None);
        // Of which rows of c the rows of g were is not known.
        assert_eq!(deleted, ["1: ?,7 > -", "2: ?,? > -"]);
        assert!(expand(&tables, 0, &[Text("7"), Text("a")], Some(&[Text("7"), Text("b")])).is_empty());
        assert!(expand(&tables, 0, &[Null, Null], None).is_empty());
    }

    #[test]
    fn keys_follow_or_become_null() {
        use Action::{Cascade, Nothing, SetNull};
        let tables = tables(vec![
            edge((0, 0), (1, 1), SetNull, Cascade),
            edge((1, 0), (2, 1), Cascade, Cascade),
            edge((1, 1), (2, 0), Nothing, Cascade),
        ]);
        let old = [Text("7"), Null];
        assert_eq!(
            expand(&tables, 0, &old, Some(&[Text("8"), Null])),
            ["1: ?,7 > =,8", "2: 7,? > 8,="]
        );
        assert_eq!(expand(&tables, 0, &old, None), ["1: ?,7 > =,null", "2: 7,? > null,="]);
    }

    #[test]
    fn cycles_end_and_tables_that_are_not_mapped_lead_on() {
        use Action::{Cascade, Nothing};
        let tables = tables(vec![
            edge((0, 0), (0, 1), Cascade, Nothing),
            edge((0, 0), (3, 1), Cascade, Nothing),
            edge((3, 1), (2, 1), Cascade, Nothing),
        ]);
        let deleted = expand(&tables, 0, &[Text("7"), Null], None);
        // A row of p takes others of p with it, of which only that is known.
        assert_eq!(deleted, ["0: ?,7 > -", "0: ?,? > -", "2: ?,? > -", "2: ?,7 > -"]);
    }
}
