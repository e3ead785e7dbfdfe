//! The decisions.

use super::facts::{Facts, Fan};
use super::tables::{Key, Ownership, Tables};
use super::words::{fan as fan_words, number, size};
use super::{Choice, Decision, Proposal};
use crate::edit::Shape;
use crate::edit::level::key_columns;
use crate::schema::{RelationalModel, TableName};
use std::collections::{HashMap, HashSet};

/// Rows that nearly all parents stay below, for an array.
const ARRAY_MOST: f64 = 100.0;
/// Rows that no parent may have.
const ARRAY_LARGEST: f64 = 1_000.0;
/// What the elements of one array may come to, bytes.
const ARRAY_BYTES_MAX: f64 = 1_048_576.0;
/// Columns of a list of values that are merged: its key and what it says.
const MERGED_COLUMNS_MAX: usize = 2;
/// How deep copies of rows lie in each other.
const COPIES_DEEP: usize = 4;
/// Rows from which on rows that only come are worth a word.
const SERIES_ROWS_MIN: f64 = 10_000.0;

/// Proposes a document model.
pub fn propose(model: &RelationalModel, facts: &Facts) -> Proposal {
    let tables = Tables::of(model, facts);
    let mut proposer = Proposer {
        parts: parts(&tables),
        tables: &tables,
        decisions: Vec::new(),
    };
    for (name, _) in &tables.all {
        if !proposer.parts.contains_key(name) {
            proposer.collection(name);
        }
    }
    for (name, _) in &tables.all {
        if !proposer.parts.contains_key(name) {
            let id = collection_id(name);
            proposer.below(&id, name, &mut vec![name.clone()]);
        }
    }
    Proposal {
        decisions: proposer.decisions,
        figures: facts.figures,
        source_problem: None,
    }
}

fn collection_id(name: &TableName) -> String {
    format!("collection {name}")
}

/// A table whose rows lie in the documents of others alone.
struct Part<'m> {
    key: Key<'m>,
    shape: Shape,
    reason: String,
    /// Of a link table: the other side.
    other: Option<Key<'m>>,
}

/// The tables that are parts of others. Nothing refers to them, so none can lead back to itself.
fn parts<'m>(tables: &Tables<'m>) -> HashMap<TableName, Part<'m>> {
    let mut parts = HashMap::new();
    for (name, _) in &tables.all {
        if !tables.into(name).is_empty() || tables.refers_to_itself(name) {
            continue;
        }
        let found = match tables.junction(name) {
            Some(sides) => link(tables, name, sides),
            None => part(tables, name),
        };
        if let Some(found) = found {
            parts.insert(name.clone(), found);
        }
    }
    parts
}

/// Why the rows of a key's table may be an array in the row that they refer to; `None` where they may not.
fn bound(tables: &Tables<'_>, key: &Key<'_>) -> Option<String> {
    let fan = tables.facts.fan(&key.from, key.name)?;
    let row = tables.facts.table(&key.from).row_bytes;
    let bytes = row.map(|row| row * fan.usual_most());
    let is_bound = fan.usual_most() < ARRAY_MOST
        && fan.largest.is_none_or(|largest| largest < ARRAY_LARGEST)
        && bytes.is_none_or(|bytes| bytes < ARRAY_BYTES_MAX);
    is_bound.then(|| {
        let size = bytes
            .map(|bytes| format!(", about {} in a document", size(bytes)))
            .unwrap_or_default();
        format!("{}{size}", fan_words(&fan, tables.facts.is_exact()))
    })
}

fn part<'m>(tables: &Tables<'m>, name: &TableName) -> Option<Part<'m>> {
    let (key, ownership) = tables.owner(name)?;
    let parent = &key.to.table;
    // A row that refers to nothing would be in no document.
    if tables.facts.table(name).is_write_heavy() || tables.may_be_null(key) {
        return None;
    }
    if key.key.cardinality.is_one() {
        return Some(Part {
            key: key.clone(),
            shape: Shape::Document,
            reason: format!(
                "`{}` has at most 1 row for each of `{parent}`, and nothing else refers to it: a document in it.",
                name.table
            ),
            other: None,
        });
    }
    let why = match ownership {
        Ownership::PartOfKey => format!("its key begins with that of `{parent}`"),
        Ownership::OnlyParent => format!("`{parent}` is all that it belongs to"),
        Ownership::Name => format!("it is named after `{parent}`"),
    };
    let has_figures = tables.facts.fan(name, key.name).is_some();
    let reason = match bound(tables, key) {
        Some(figures) => format!(
            "`{}` has {figures} for each of `{parent}`, and {why}: an array in it.",
            name.table
        ),
        // Without any figure the key alone has to say that these are parts.
        None if !has_figures && ownership == Ownership::PartOfKey => format!(
            "{why}, so 1 row of `{}` cannot be without it: an array in it, as far as can be said without figures.",
            name.table
        ),
        None => return None,
    };
    Some(Part {
        key: key.clone(),
        shape: Shape::Array,
        reason,
        other: None,
    })
}

/// The side of a link table on which its rows are an array: that with fewer of them.
fn link<'m>(tables: &Tables<'m>, name: &TableName, [a, b]: [&Key<'m>; 2]) -> Option<Part<'m>> {
    if tables.facts.table(name).is_write_heavy() {
        return None;
    }
    let most = |key: &Key<'m>| tables.facts.fan(name, key.name).map(|fan| fan.usual_most());
    let (key, other) = match (most(a), most(b)) {
        (Some(x), Some(y)) if y < x => (b, a),
        (Some(_), Some(_)) => (a, b),
        (None, _) | (_, None) => {
            // Without figures the first part of the key is the side that the table was made for.
            let first = key_columns(tables.table(name)).into_iter().next()?;
            if a.columns().contains(&first.as_str()) {
                (a, b)
            } else {
                (b, a)
            }
        }
    };
    let reason = match (bound(tables, key), tables.facts.fan(name, key.name)) {
        (Some(figures), _) => format!(
            "`{}` links `{}` and `{}`, with {figures} for each of `{}`: an array on this side.",
            name.table, a.to.table, b.to.table, key.to.table
        ),
        (None, None) => format!(
            "`{}` links 2 tables, `{}` and `{}`: an array on the side that its key begins with, as far as can be said without figures.",
            name.table, a.to.table, b.to.table
        ),
        (None, Some(_)) => return None,
    };
    Some(Part {
        key: key.clone(),
        shape: Shape::Array,
        reason,
        other: Some(other.clone()),
    })
}

struct Proposer<'t, 'm> {
    tables: &'t Tables<'m>,
    parts: HashMap<TableName, Part<'m>>,
    decisions: Vec<Decision>,
}

impl<'m> Proposer<'_, 'm> {
    fn push(&mut self, id: String, table: &TableName, choice: Choice, reason: String, needs: Vec<String>) {
        self.decisions.push(Decision {
            id,
            table: table.clone(),
            choice,
            reason,
            needs,
        });
    }

    fn collection(&mut self, name: &TableName) {
        let reason = self.why_collection(name);
        self.push(collection_id(name), name, Choice::Collection, reason, Vec::new());
    }

    fn why_collection(&self, name: &TableName) -> String {
        let tables = self.tables;
        let facts = tables.facts.table(name);
        let table = &name.table;
        let rows = match facts.rows {
            Some(rows) => format!("its {} rows", number(rows)),
            None => "its rows".to_owned(),
        };
        let referring = tables.into(name).len();
        if tables.is_lookup(name) {
            return format!(
                "`{table}` is a list of values: {rows} stay together, and are copied to where they are used."
            );
        }
        if facts.is_write_heavy() {
            let each = facts.changes_for_each().map(number).unwrap_or_default();
            return format!(
                "each row of `{table}` was changed {each} times on average: what changes so often is kept apart."
            );
        }
        if referring == 0
            && facts.changes == Some(0)
            && facts.rows.is_some_and(|rows| rows >= SERIES_ROWS_MIN)
            && let Some(time) = tables.time_column(name)
        {
            return format!(
                "rows of `{table}` only come, {} so far, each with its `{time}`: a collection of its own, which could be a time series.",
                number(facts.rows.unwrap_or_default())
            );
        }
        if let Some(unbounded) = self.why_no_part(name) {
            return unbounded;
        }
        match referring {
            0 => format!("nothing refers to `{table}`, and it is no part of another table: {rows} are documents."),
            1 => format!("1 key refers to `{table}`: {rows} are documents that stay in one place."),
            n => format!("{n} keys refer to `{table}`: {rows} are documents that stay in one place."),
        }
    }

    /// Why a table that belongs to another is no array in it.
    fn why_no_part(&self, name: &TableName) -> Option<String> {
        if !self.tables.into(name).is_empty() {
            return None;
        }
        let key = match self.tables.junction(name) {
            Some([a, _]) => a,
            None => self.tables.owner(name)?.0,
        };
        if self.tables.may_be_null(key) {
            let (table, parent) = (&name.table, &key.to.table);
            return Some(format!(
                "1 row of `{table}` may belong to no `{parent}`, so they are documents of their own."
            ));
        }
        Some(match self.tables.facts.fan(name, key.name) {
            Some(fan) => format!(
                "`{}` has {} for each of `{}`: too many for an array, so they are documents of their own.",
                name.table,
                fan_words(&fan, self.tables.facts.is_exact()),
                key.to.table
            ),
            None => format!(
                "no figure says how many rows of `{}` belong to 1 of `{}`: without one they are documents of their own.",
                name.table, key.to.table
            ),
        })
    }

    /// Everything below a rule of a table. `path` holds the tables above, so that nothing lies below itself.
    fn below(&mut self, under: &str, name: &TableName, path: &mut Vec<TableName>) {
        let own: Vec<TableName> = self
            .tables
            .all
            .iter()
            .map(|(part, _)| part.clone())
            .filter(|part| self.parts.get(part).is_some_and(|p| p.key.to == *name))
            .filter(|part| !path.contains(part))
            .collect();
        self.copies(under, name, path, None);
        for part in own {
            let found = &self.parts[&part];
            let (key, shape, reason, other) = (
                found.key.name.to_owned(),
                found.shape,
                found.reason.clone(),
                found.other.clone(),
            );
            let id = format!("{under} / {} by {key}", part.table);
            let choice = Choice::Embed {
                under: under.to_owned(),
                shape,
                key: Some(key.clone()),
            };
            self.push(id.clone(), &part, choice, reason, vec![under.to_owned()]);
            path.push(part.clone());
            if let Some(other) = &other {
                self.other_side(&id, other, path);
            }
            let skip = [Some(key.as_str()), other.as_ref().map(|o| o.name)];
            let skip: HashSet<&str> = skip.into_iter().flatten().collect();
            self.copies(&id, &part, path, Some(&skip));
            path.pop();
        }
    }

    /// The row on the other side of a link, beside the link: a copy where it is small and steady.
    fn other_side(&mut self, under: &str, other: &Key<'m>, path: &[TableName]) {
        let facts = self.tables.facts.table(&other.to);
        let is_small = facts.row_bytes.is_none_or(|bytes| bytes < 1_024.0);
        if path.contains(&other.to) || facts.is_write_heavy() || !is_small || self.parts.contains_key(&other.to) {
            return self.refer(under, other, "it is large or changes often");
        }
        let reason = match facts.row_bytes {
            Some(bytes) => format!(
                "the link alone says nothing: a copy of its `{}`, about {}, lies beside it.",
                other.to.table,
                size(bytes)
            ),
            None => format!(
                "the link alone says nothing: 1 copy of its `{}` lies beside it.",
                other.to.table
            ),
        };
        self.embed_copy(under, other, Shape::Document, reason);
    }

    /// Rows that are referred to, copied into those that refer; or why they are not.
    fn copies(&mut self, under: &str, name: &TableName, path: &mut Vec<TableName>, skip: Option<&HashSet<&str>>) {
        let keys: Vec<Key<'m>> = self.tables.out(name).into_iter().cloned().collect();
        for key in keys {
            if skip.is_some_and(|skip| skip.contains(key.name)) {
                continue;
            }
            let facts = self.tables.facts.table(&key.to);
            let (to, rows) = (&key.to.table, facts.rows.map(number).unwrap_or_default());
            let fits = !path.contains(&key.to) && path.len() <= COPIES_DEEP && !self.parts.contains_key(&key.to);
            if fits && self.tables.is_lookup(&key.to) {
                let columns = self.tables.table(&key.to).columns.len();
                let several = self.tables.out(name).iter().filter(|k| k.to == key.to).count() > 1;
                let shape = if columns <= MERGED_COLUMNS_MAX && !several {
                    Shape::Merged
                } else {
                    Shape::Document
                };
                let reason = format!(
                    "`{to}` is a list of {rows} values that seldom change: what it says lies where it is used."
                );
                self.embed_copy(under, &key, shape, reason);
            } else if fits && !facts.is_write_heavy() && self.tables.is_nearly_owned(&key) {
                let fan = self.tables.facts.fan(&key.from, key.name);
                let figure = match fan {
                    Some(fan) => format!("{} on average", number(fan.average)),
                    None => "at most 1".to_owned(),
                };
                let reason = format!(
                    "each row of `{to}` has {figure} of `{}`: nearly a part of it, so it lies in it.",
                    key.from.table
                );
                let id = self.embed_copy(under, &key, Shape::Document, reason);
                path.push(key.to.clone());
                self.copies(&id, &key.to, path, None);
                path.pop();
            } else {
                self.refer(under, &key, "");
            }
        }
    }

    fn embed_copy(&mut self, under: &str, key: &Key<'m>, shape: Shape, reason: String) -> String {
        let id = format!("{under} / {} by {}", key.to.table, key.name);
        let choice = Choice::Embed {
            under: under.to_owned(),
            shape,
            key: Some(key.name.to_owned()),
        };
        self.push(id.clone(), &key.to, choice, reason, vec![under.to_owned()]);
        id
    }

    fn refer(&mut self, under: &str, key: &Key<'m>, why: &str) {
        let fan = self.tables.facts.fan(&key.from, key.name);
        let together = self.tables.facts.read_together(&key.from, &key.to);
        let figure = match (fan, self.tables.facts.table(&key.to).rows) {
            (Some(fan), _) => shared(&key.to.table, &key.from.table, &fan),
            (None, Some(rows)) => format!("`{}` has {} rows of its own", key.to.table, number(rows)),
            (None, None) => format!("1 row of `{}` may be shared by many", key.to.table),
        };
        let why = if why.is_empty() {
            "a copy in each would have to follow every change"
        } else {
            why
        };
        let read = match together {
            0 => String::new(),
            n => format!(
                " (read together {} times: a copy of a few fields may pay)",
                number(n as f64)
            ),
        };
        let choice = Choice::Refer {
            to: key.to.clone(),
            key: key.name.to_owned(),
        };
        let id = format!("{under} → {} by {}", key.to.table, key.name);
        let reason = format!("{figure}, and {why}: a reference{read}.");
        self.push(id, &key.from.clone(), choice, reason, vec![under.to_owned()]);
    }
}

fn shared(to: &str, from: &str, fan: &Fan) -> String {
    format!(
        "1 row of `{to}` is shared by {} of `{from}` on average",
        number(fan.average)
    )
}
