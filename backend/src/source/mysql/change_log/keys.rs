//! Foreign keys that change rows without a word in the log: which there are, and the tables that they start from.

use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use crate::source::change_log::Watched;
use crate::source::mysql::binlog::cascade::{Action, Edge, LogTables};
use crate::source::mysql::link::{Line, Link};
use crate::source::mysql::queries::{quote, table_name};
use crate::source::mysql::schema::read_columns;
use godwit_shared::schema::TableName;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Reads them from all databases: a key may lead from one to another.
const FOREIGN_KEYS: &str = "
    SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA,
           k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME
    FROM information_schema.KEY_COLUMN_USAGE k WHERE k.REFERENCED_TABLE_NAME IS NOT NULL
    ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION";

/// One foreign key by names.
#[derive(Debug, Clone, Default)]
struct Key {
    name: String,
    child: (String, String),
    parent: (String, String),
    pairs: Vec<(String, String)>,
}

/// The tables whose rows in the log count for a plan.
///
/// # Errors
/// When the source does not answer.
pub async fn read_tables(link: &Link, watched: &Watched) -> Result<LogTables, SourceError> {
    let keys = keys_of(&link.query(FOREIGN_KEYS).await?);
    let name = |table: &TableName| (table.schema.clone(), table.table.clone());
    let mapped: Vec<(String, String)> = watched.tables.iter().map(|t| name(&t.name)).collect();
    let mut relevant: BTreeSet<(String, String)> = mapped.iter().cloned().collect();
    let mut asked: HashMap<(String, String), String> = HashMap::new();
    let mut following: Vec<(Key, Action, Action)> = Vec::new();
    let mut open: Vec<(String, String)> = mapped.clone();
    // From the tables of the plan up, through others as well.
    while let Some(child) = open.pop() {
        for key in keys.iter().filter(|k| k.child == child) {
            if !asked.contains_key(&child) {
                asked.insert(child.clone(), declaration(link, &child).await?);
            }
            let (on_delete, on_update) = actions(&asked[&child], &key.name);
            if on_delete == Action::Nothing && on_update == Action::Nothing {
                continue;
            }
            following.push((key.clone(), on_delete, on_update));
            if relevant.insert(key.parent.clone()) {
                open.push(key.parent.clone());
            }
        }
    }
    let others: Vec<TableName> = (relevant.iter())
        .filter(|table| !mapped.contains(table))
        .map(|(schema, table)| TableName::new(schema.clone(), table.clone()))
        .collect();
    let others: Vec<Arc<CatalogTable>> = match others.as_slice() {
        [] => Vec::new(),
        some => read_columns(link, some).await?,
    };
    let mut tables = LogTables::new(&watched.tables, &watched.logged, others);
    let folds = link.one("SELECT @@lower_case_table_names").await?;
    tables.folds_names = folds.first().and_then(|v| v.as_deref()) != Some("0");
    let edges = following.iter().filter_map(|(key, on_delete, on_update)| {
        let place = |(schema, table): &(String, String)| tables.named(schema, table);
        let (parent, child) = (place(&key.parent)?, place(&key.child)?);
        let columns = |of: usize, pick: fn(&(String, String)) -> &String| -> Option<Vec<usize>> {
            let table = &tables.tables[of].table;
            key.pairs.iter().map(|pair| table.column(pick(pair))).collect()
        };
        Some(Edge {
            parent,
            child,
            parent_columns: columns(parent, |(_, parent)| parent)?,
            child_columns: columns(child, |(child, _)| child)?,
            on_delete: *on_delete,
            on_update: *on_update,
        })
    });
    let edges = edges.collect();
    Ok(tables.with_edges(edges))
}

fn keys_of(lines: &[Line]) -> Vec<Key> {
    let mut keys: BTreeMap<(String, String, String), Key> = BTreeMap::new();
    for line in lines {
        let cell = |place: usize| line.get(place).cloned().flatten().unwrap_or_default();
        let key = keys.entry((cell(0), cell(1), cell(2))).or_insert_with(|| Key {
            name: cell(2),
            child: (cell(0), cell(1)),
            parent: (cell(4), cell(5)),
            pairs: Vec::new(),
        });
        key.pairs.push((cell(3), cell(6)));
    }
    keys.into_values().collect()
}

/// How a table was declared: whoever may read it may ask for that, but on MariaDB not for the rules of its keys.
async fn declaration(link: &Link, (schema, table): &(String, String)) -> Result<String, SourceError> {
    let name = TableName::new(schema.clone(), table.clone());
    match link.query(format!("SHOW CREATE TABLE {}", table_name(&name))).await {
        Ok(lines) => Ok(lines
            .first()
            .and_then(|l| l.get(1).cloned().flatten())
            .unwrap_or_default()),
        // One that is not mapped and that this user may not read, or that is gone by now.
        Err(SourceError::NoRight { .. } | SourceError::Query { .. }) => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// What a key does when the row that it refers to goes, and when its key changes.
fn actions(declaration: &str, key: &str) -> (Action, Action) {
    let start = format!("CONSTRAINT {} FOREIGN KEY", quote(key));
    let line = declaration.lines().find(|line| line.trim_start().starts_with(&start));
    // Behind the last list of columns nothing has a name.
    let rules = line.and_then(|l| l.rsplit_once(')')).map_or("", |(_, rules)| rules);
    let of = |when: &str| {
        let rule = rules.split_once(when).map_or("", |(_, rule)| rule.trim_start());
        match rule {
            _ if rule.starts_with("CASCADE") => Action::Cascade,
            _ if rule.starts_with("SET NULL") || rule.starts_with("SET DEFAULT") => Action::SetNull,
            _ => Action::Nothing,
        }
    };
    (of("ON DELETE "), of("ON UPDATE "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_from_the_declaration() {
        let declared = "CREATE TABLE `c1` (\n  `id` int(11) NOT NULL,\n  \
            CONSTRAINT `f``1` FOREIGN KEY (`a`) REFERENCES `p1` (`ON DELETE CASCADE`),\n  \
            CONSTRAINT `f2` FOREIGN KEY (`a`,`b`) REFERENCES `p1` (`id`,`x`) ON DELETE CASCADE ON UPDATE SET NULL,\n  \
            CONSTRAINT `f3` FOREIGN KEY (`c`) REFERENCES `d`.`p2` (`id`) ON DELETE NO ACTION ON UPDATE CASCADE\n\
            ) ENGINE=InnoDB";
        use Action::{Cascade, Nothing, SetNull};
        assert_eq!(actions(declared, "f`1"), (Nothing, Nothing));
        assert_eq!(actions(declared, "f2"), (Cascade, SetNull));
        assert_eq!(actions(declared, "f3"), (Nothing, Cascade));
        assert_eq!(actions(declared, "f4"), (Nothing, Nothing));
    }
}
