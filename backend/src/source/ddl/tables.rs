//! The tables of a file while it is read, and the model in the end: keys may come before their tables.

use super::Problem;
use super::column::ReadColumn;
use godwit_shared::ddl::{DdlDatabase, SkippedStatement};
use godwit_shared::schema::{
    Cardinality, ColumnPair, ForeignKey, Metadata, PrimaryKeyMember, RelationalModel, Table, TableName, TablePath,
};
use indexmap::IndexMap;
use serde_json::{Map, json};

/// What a foreign key refers to.
#[derive(Debug, Clone)]
pub struct Reference {
    pub table: Vec<String>,
    /// Empty: the primary key.
    pub columns: Vec<String>,
}

/// A foreign key before all tables are known.
#[derive(Debug, Clone)]
pub struct Unresolved {
    pub name: Option<String>,
    pub columns: Vec<String>,
    pub reference: Reference,
    pub line: u64,
}

struct Made {
    path: TablePath,
    table: Table,
    primary: Vec<String>,
    unique: Vec<Vec<String>>,
    keys: Vec<Unresolved>,
}

/// See the module.
pub struct Tables {
    database_kind: DdlDatabase,
    database: String,
    schema: String,
    all: IndexMap<TableName, Made>,
}

impl Tables {
    pub fn new(database: DdlDatabase) -> Self {
        let (name, schema) = match database {
            DdlDatabase::Postgresql => ("postgres", "public"),
            DdlDatabase::Mysql => ("database", "database"),
            DdlDatabase::SqlServer => ("database", "dbo"),
            DdlDatabase::Oracle => ("database", "SCHEMA"),
        };
        Self {
            database_kind: database,
            database: name.to_owned(),
            schema: schema.to_owned(),
            all: IndexMap::new(),
        }
    }

    /// `USE name`: in MySQL a schema, in SQL Server a database.
    pub fn use_database(&mut self, name: &str) {
        match self.database_kind {
            DdlDatabase::Mysql => self.schema = name.to_owned(),
            DdlDatabase::SqlServer => self.database = name.to_owned(),
            DdlDatabase::Postgresql | DdlDatabase::Oracle => {}
        }
    }

    pub fn use_schema(&mut self, name: &str) {
        if self.database_kind == DdlDatabase::Postgresql {
            self.schema = name.to_owned();
        }
    }

    fn path(&self, parts: &[String]) -> TablePath {
        let (table, above) = parts.split_last().expect("a path has a name");
        TablePath {
            database: match above {
                [database, _] => database.clone(),
                _ => self.database.clone(),
            },
            schema: above.last().cloned().unwrap_or_else(|| self.schema.clone()),
            table: table.clone(),
        }
    }

    /// A new table.
    ///
    /// # Errors
    /// When there is one of this name.
    pub fn add(&mut self, parts: &[String], line: u64) -> Result<usize, Problem> {
        let path = self.path(parts);
        if self.all.contains_key(&path.name()) {
            return Err(Problem {
                line,
                reason: format!("the table {} is there already", path.name()),
            });
        }
        let table = Table {
            kind: "TABLE".into(),
            size: -1,
            columns: IndexMap::new(),
            unique_indexes: IndexMap::new(),
            non_unique_indexes: IndexMap::new(),
            foreign_keys: IndexMap::new(),
            extra: Map::new(),
        };
        let made = Made {
            path: path.clone(),
            table,
            primary: Vec::new(),
            unique: Vec::new(),
            keys: Vec::new(),
        };
        Ok(self.all.insert_full(path.name(), made).0)
    }

    pub fn find(&self, parts: &[String]) -> Option<usize> {
        self.all.get_index_of(&self.path(parts).name())
    }

    pub fn add_column(&mut self, table: usize, read: ReadColumn) -> Result<(), Problem> {
        let made = &mut self.all[table];
        let Some(mut column) = read.column else { return Ok(()) };
        let columns = &mut made.table.columns;
        // One that is named twice keeps its first place.
        let place = columns.get_index_of(&read.name).unwrap_or(columns.len());
        column.ordinal_position = place as u32 + 1;
        columns.insert(read.name.clone(), column);
        if read.is_primary {
            made.primary = vec![read.name.clone()];
        }
        if read.is_unique {
            self.add_index(table, None, vec![read.name], true);
        }
        self.all[table].keys.extend(read.reference);
        Ok(())
    }

    pub fn set_primary(&mut self, table: usize, _name: Option<&str>, columns: Vec<String>) -> Result<(), Problem> {
        self.all[table].primary = columns;
        Ok(())
    }

    pub fn add_key(&mut self, table: usize, key: Unresolved) {
        self.all[table].keys.push(key);
    }

    pub fn add_index(&mut self, table: usize, name: Option<String>, columns: Vec<String>, is_unique: bool) {
        let made = &mut self.all[table];
        if is_unique {
            made.unique.push(columns.clone());
        }
        let indexes = if is_unique {
            &mut made.table.unique_indexes
        } else {
            &mut made.table.non_unique_indexes
        };
        let base = name.unwrap_or_else(|| format!("{}_{}_index", made.path.table, columns.join("_")));
        indexes.insert(base, json!(columns));
    }

    pub fn set_counting(&mut self, table: usize, column: &str) {
        let found = self.all[table].table.columns.get_mut(column);
        found.into_iter().for_each(|c| c.auto_incremented = true);
    }

    pub fn set_needed(&mut self, table: usize, column: &str) {
        let found = self.all[table].table.columns.get_mut(column);
        found.into_iter().for_each(|c| c.nullable = false);
    }

    /// The model, and the keys that refer to nothing.
    pub fn finish(mut self) -> (RelationalModel, Vec<SkippedStatement>) {
        let mut skipped = Vec::new();
        for made in self.all.values_mut() {
            let own = &made.table.columns;
            for name in &mut made.primary {
                if let Some(spelling) = spelled(own.keys(), name) {
                    name.clone_from(spelling);
                }
            }
        }
        let target = |made: &Made| Target {
            path: made.path.clone(),
            primary: made.primary.clone(),
            columns: made.table.columns.keys().cloned().collect(),
        };
        let targets: IndexMap<TableName, Target> = self
            .all
            .iter()
            .map(|(name, made)| (name.clone(), target(made)))
            .collect();
        for at in 0..self.all.len() {
            let keys = std::mem::take(&mut self.all[at].keys);
            for key in keys {
                let wanted = self.path(&key.reference.table).name();
                // Without a schema that of the own table is meant first.
                let own = TableName::new(&self.all[at].path.schema, &wanted.table);
                let is_bare = key.reference.table.len() == 1;
                let found = targets.get(&own).filter(|_| is_bare).or_else(|| targets.get(&wanted));
                let made = &mut self.all[at];
                match found {
                    Some(target) => resolve(made, key, target, &mut skipped),
                    None => skipped.push(unresolved(
                        made,
                        &key,
                        format!("the table {wanted}, which the file does not have"),
                    )),
                }
            }
        }
        let mut model = RelationalModel {
            metadata: Metadata {
                database_type: self.database_kind.project_kind().to_owned(),
                ..Metadata::default()
            },
            ..RelationalModel::default()
        };
        for mut made in self.all.into_values() {
            mark_columns(&mut made);
            let database = model.databases.entry(made.path.database.clone()).or_default();
            let schema = database.schemas.entry(made.path.schema.clone()).or_default();
            schema.tables.insert(made.path.table, made.table);
        }
        (model, skipped)
    }
}

/// A table that keys may refer to.
struct Target {
    path: TablePath,
    primary: Vec<String>,
    columns: Vec<String>,
}

/// A column as its table spells it: some databases take its name in any letters.
fn spelled<'a>(mut columns: impl Iterator<Item = &'a String> + Clone, name: &str) -> Option<&'a String> {
    let exact = columns.clone().find(|own| *own == name);
    let lower = name.to_lowercase();
    exact.or_else(|| columns.find(|own| own.to_lowercase() == lower))
}

fn unresolved(made: &Made, key: &Unresolved, to: String) -> SkippedStatement {
    SkippedStatement {
        file: None,
        line: key.line,
        statement: format!("foreign key ({}) of {}", key.columns.join(", "), made.path.name()),
        reason: format!("it refers to {to}"),
    }
}

fn resolve(made: &mut Made, mut key: Unresolved, target: &Target, skipped: &mut Vec<SkippedStatement>) {
    let mut columns = match key.reference.columns.is_empty() {
        true => target.primary.clone(),
        false => key.reference.columns.clone(),
    };
    let Target {
        path: target,
        columns: known,
        ..
    } = target;
    let own: Vec<String> = made.table.columns.keys().cloned().collect();
    let spell = |names: &mut Vec<String>, table: &[String], of: TableName| {
        for name in names {
            match spelled(table.iter(), name) {
                Some(spelling) => name.clone_from(spelling),
                None => return Err(format!("the column \"{name}\", which {of} does not have")),
            }
        }
        Ok(())
    };
    let spelt =
        spell(&mut key.columns, &own, made.path.name()).and_then(|()| spell(&mut columns, known, target.name()));
    if let Err(words) = spelt {
        skipped.push(unresolved(made, &key, words));
        return;
    }
    if columns.len() != key.columns.len() || columns.is_empty() {
        let words = format!(
            "{} columns of {} by {} of its own",
            columns.len(),
            target.name(),
            key.columns.len()
        );
        skipped.push(unresolved(made, &key, words));
        return;
    }
    let is_own_key = |unique: &[String]| !unique.is_empty() && unique.iter().all(|c| key.columns.contains(c));
    let is_one = is_own_key(&made.primary) || made.unique.iter().any(|unique| is_own_key(unique));
    let base = key
        .name
        .unwrap_or_else(|| format!("{}_{}_fkey", made.path.table, key.columns.join("_")));
    let keys = &mut made.table.foreign_keys;
    let numbers = (2..).map(|n| format!("{base}{n}"));
    let name = std::iter::once(base.clone())
        .chain(numbers)
        .find(|n| !keys.contains_key(n));
    let pairs = key.columns.into_iter().zip(columns);
    let made = ForeignKey {
        target_table: target.clone(),
        cardinality: if is_one {
            Cardinality::ZeroToOne
        } else {
            Cardinality::ZeroToMany
        },
        column_mappings: pairs.map(|(source, target)| ColumnPair { source, target }).collect(),
        synthetic: false,
        extra: Map::new(),
    };
    keys.insert(name.expect("the numbers do not end"), made);
}

/// Writes keys and indexes into the columns.
fn mark_columns(made: &mut Made) {
    let single: Vec<&String> = made.unique.iter().filter(|u| u.len() == 1).map(|u| &u[0]).collect();
    let lists = made
        .table
        .unique_indexes
        .values()
        .chain(made.table.non_unique_indexes.values());
    let leading: Vec<String> = lists.filter_map(|l| l.get(0)?.as_str().map(str::to_owned)).collect();
    for (name, column) in &mut made.table.columns {
        let is_key = made.primary.contains(name);
        column.unique_indexed = single.contains(&name) || (is_key && made.primary.len() == 1);
        column.indexed = leading.contains(name) || made.primary.first() == Some(name);
        if is_key {
            column.nullable = false;
            column.primary_key = Some(PrimaryKeyMember {
                name: "PRIMARY".into(),
                extra: Map::new(),
            });
        }
    }
}
