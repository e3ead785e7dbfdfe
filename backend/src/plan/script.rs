//! JavaScript of a rule: the text, and which columns it can see.

use super::plain::Plain;
use crate::data::catalog::CatalogTable;
use std::sync::atomic::{AtomicU64, Ordering};

/// An expression over `columns`.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Unique in the plan.
    pub id: usize,
    /// Stands for the plan: the expressions of one plan are evaluated in a world of their own.
    pub world: u64,
    pub source: String,
    /// Name and cell of every column that the expression can ask for.
    pub inputs: Vec<(String, usize)>,
    /// The expression itself, where it needs no engine.
    pub plain: Option<Plain>,
}

/// A number that no other plan of this process has.
pub fn new_world() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// What every object of the language answers to; no column is meant.
const OWN_MEMBERS: [&str; 5] = [
    "hasOwnProperty",
    "propertyIsEnumerable",
    "toString",
    "toLocaleString",
    "valueOf",
];

/// The columns that an expression uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// Those named as `columns["x"]` or `columns.x`, and all of the table as soon as `columns` is used in any other way.
    pub columns: Vec<usize>,
    /// Names that are written out and that no column has.
    pub unknown: Vec<String>,
}

/// See [`Used`].
pub fn columns_used(source: &str, table: &CatalogTable) -> Used {
    let (mut used, mut is_all) = (Used::default(), source.contains("\\u") || source.contains("\\x"));
    let mut rest = source;
    while let Some(at) = rest.find("columns") {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + "columns".len()..];
        if before.is_some_and(is_identifier) || rest.chars().next().is_some_and(is_identifier) {
            continue;
        }
        match named_member(rest) {
            Some(name) if OWN_MEMBERS.contains(&name.as_str()) => is_all = true,
            Some(name) => match table.column(&name) {
                Some(column) => used.columns.push(column),
                None => used.unknown.push(name),
            },
            None => is_all = true,
        }
    }
    // A name can be put together or escaped: the safe answer is all of them.
    if is_all {
        used.columns = (0..table.columns.len()).collect();
    }
    used.columns.sort_unstable();
    used.columns.dedup();
    used
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The member that follows `columns`, where it is written out.
fn named_member(rest: &str) -> Option<String> {
    let rest = rest.trim_start();
    if let Some(rest) = rest.strip_prefix('.') {
        let name: String = rest.trim_start().chars().take_while(|c| is_identifier(*c)).collect();
        return (!name.is_empty()).then_some(name);
    }
    let inner = rest.strip_prefix('[')?.trim_start();
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, after) = inner[1..].split_once(quote)?;
    (!name.contains('\\') && after.trim_start().starts_with(']')).then(|| name.to_owned())
}
