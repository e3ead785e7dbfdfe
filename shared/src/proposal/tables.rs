//! What tables are to each other, as far as keys and figures say.

use super::facts::Facts;
use crate::casing::words;
use crate::edit::level::key_columns;
use crate::edit::types::default_of;
use crate::mapping::FieldType;
use crate::schema::{ForeignKey, RelationalModel, Table, TableName};

/// Rows of a table whose rows can be copied into others: a list of values.
const LOOKUP_ROWS_MAX: f64 = 1_000.0;
/// Rows that refer to one, below which the one is nearly a part of them.
const OWNED_MOST: f64 = 1.2;

/// A foreign key with the table that has it.
#[derive(Debug, Clone)]
pub struct Key<'m> {
    pub name: &'m str,
    pub key: &'m ForeignKey,
    pub from: TableName,
    pub to: TableName,
}

impl Key<'_> {
    pub fn columns(&self) -> Vec<&str> {
        self.key.column_mappings.iter().map(|p| p.source.as_str()).collect()
    }
}

/// All tables with their keys.
pub struct Tables<'m> {
    pub all: Vec<(TableName, &'m Table)>,
    keys: Vec<Key<'m>>,
    pub facts: &'m Facts,
}

impl<'m> Tables<'m> {
    pub fn of(model: &'m RelationalModel, facts: &'m Facts) -> Self {
        let mut all: Vec<(TableName, &Table)> = model.tables().map(|(path, table)| (path.name(), table)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let keys = all.iter().flat_map(|(from, table)| {
            table.foreign_keys.iter().map(|(name, key)| Key {
                name,
                key,
                from: from.clone(),
                to: key.target_table.name(),
            })
        });
        let keys = keys.filter(|key| model.table(&key.to).is_some()).collect();
        Self { all, keys, facts }
    }

    pub fn table(&self, name: &TableName) -> &'m Table {
        let found = self.all.iter().find(|(other, _)| other == name);
        found.expect("a table of the model").1
    }

    /// Keys of a table, without those to itself.
    pub fn out(&self, table: &TableName) -> Vec<&Key<'m>> {
        let own = self.keys.iter().filter(|key| key.from == *table && key.to != *table);
        own.collect()
    }

    /// Keys of other tables that refer to it.
    pub fn into(&self, table: &TableName) -> Vec<&Key<'m>> {
        let others = self.keys.iter().filter(|key| key.to == *table && key.from != *table);
        others.collect()
    }

    pub fn refers_to_itself(&self, table: &TableName) -> bool {
        self.keys.iter().any(|key| key.from == *table && key.to == *table)
    }

    /// A short list of values, from which nothing leads on, and to which others refer.
    pub fn is_lookup(&self, table: &TableName) -> bool {
        let facts = self.facts.table(table);
        facts.rows.is_some_and(|rows| rows < LOOKUP_ROWS_MAX)
            && self.out(table).is_empty()
            && !self.refers_to_itself(table)
            && !self.into(table).is_empty()
            && !facts.is_write_heavy()
    }

    /// Whether rows that refer by a key have the one that they refer to nearly for themselves.
    pub fn is_nearly_owned(&self, key: &Key<'_>) -> bool {
        if key.key.cardinality.is_one() {
            return true;
        }
        let fan = self.facts.fan(&key.from, key.name);
        fan.is_some_and(|fan| fan.average <= OWNED_MOST && fan.usual_most() <= 4.0 * OWNED_MOST + 1.0)
    }

    /// Whether rows of a key's table may refer to nothing.
    pub fn may_be_null(&self, key: &Key<'_>) -> bool {
        let table = self.table(&key.from);
        key.columns()
            .iter()
            .any(|c| table.columns.get(*c).is_none_or(|column| column.nullable))
    }

    /// A table that says which rows of two others belong together: its primary key is made of two foreign keys.
    pub fn junction(&self, table: &TableName) -> Option<[&Key<'m>; 2]> {
        let primary = key_columns(self.table(table));
        if primary.len() < 2 || !self.into(table).is_empty() || self.refers_to_itself(table) {
            return None;
        }
        let within = |key: &&Key<'m>| key.columns().iter().all(|c| primary.iter().any(|p| p == c));
        let parts: Vec<&Key<'m>> = self.out(table).into_iter().filter(within).collect();
        let [a, b] = parts.as_slice() else { return None };
        let covered = primary
            .iter()
            .all(|p| a.columns().contains(&p.as_str()) || b.columns().contains(&p.as_str()));
        let apart = !a.columns().iter().any(|c| b.columns().contains(c));
        (covered && apart && a.to != b.to).then_some([*a, *b])
    }

    /// The key by which a table is a part of another, and why.
    pub fn owner(&self, table: &TableName) -> Option<(&Key<'m>, Ownership)> {
        let primary = key_columns(self.table(table));
        let out = self.out(table);
        let heavy: Vec<&Key<'m>> = out.iter().copied().filter(|key| !self.is_lookup(&key.to)).collect();
        let begins_with = |key: &&&Key<'m>| {
            let columns = key.columns();
            let front: Vec<&str> = primary.iter().take(columns.len()).map(String::as_str).collect();
            primary.len() > columns.len() && columns.iter().all(|c| front.contains(c))
        };
        let weak: Vec<&&Key<'m>> = out.iter().filter(begins_with).collect();
        if let [one] = weak.as_slice()
            && out.iter().filter(|key| key.to == one.to).count() == 1
        {
            return Some((one, Ownership::PartOfKey));
        }
        if let [one] = heavy.as_slice() {
            return Some((one, Ownership::OnlyParent));
        }
        let named = |key: &&&Key<'m>| is_named_after(&table.table, &key.to.table);
        let named: Vec<&&Key<'m>> = heavy.iter().filter(named).collect();
        match named.as_slice() {
            [one] => Some((one, Ownership::Name)),
            _ => None,
        }
    }

    /// A column that says when a row came.
    pub fn time_column(&self, table: &TableName) -> Option<&'m str> {
        let mut columns = self.table(table).columns.iter();
        columns
            .find(|(_, c)| default_of(c) == FieldType::Date && c.kind.database_specific_type.contains("timestamp"))
            .map(|(name, _)| name.as_str())
    }
}

/// Why a table belongs to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Its primary key begins with the foreign key: it cannot be without its parent.
    PartOfKey,
    /// It refers to nothing else but lists of values.
    OnlyParent,
    /// It is named after it.
    Name,
}

/// `invoice_line` after `invoice`, `order_lines` after `orders`.
fn is_named_after(table: &str, parent: &str) -> bool {
    let plain = |name: &str| -> Vec<String> {
        let words = words(name).into_iter();
        words
            .map(|w| w.to_lowercase().trim_end_matches('s').to_owned())
            .collect()
    };
    let (own, above) = (plain(table), plain(parent));
    !above.is_empty() && own.len() > above.len() && own.starts_with(&above)
}
