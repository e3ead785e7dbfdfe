//! Relational models from DDL files: what dumps and script generators of PostgreSQL, MySQL, SQL Server and Oracle write.
//!
//! Only what says something of tables, keys and indexes is read; all else in a dump (data, grants, functions) is passed
//! over. Each statement is taken apart by the tokenizer of its dialect and read with tolerance: clauses of storage and
//! names of engines stand between those that count, and differ with every version. A statement that should say
//! something and cannot be read is told with its line, and the others are read all the same.

mod column;
mod split;
mod statement;
mod tables;
mod tokens;

use godwit_shared::ddl::{DdlDatabase, SkippedStatement};
use godwit_shared::schema::RelationalModel;
use tables::Tables;

/// What a file says.
#[derive(Debug)]
pub struct ReadDdl {
    pub model: RelationalModel,
    /// Statements about tables that could not be read, in their order.
    pub skipped: Vec<SkippedStatement>,
}

/// Reads a file. Never fails as a whole: without any table the model is empty, and what was skipped says why.
pub fn read(text: &str, database: DdlDatabase) -> ReadDdl {
    let mut tables = Tables::new(database);
    let mut skipped = Vec::new();
    for statement in split::statements(text, database == DdlDatabase::Mysql) {
        if let Err(problem) = statement::read(&statement, database, &mut tables) {
            skipped.push(SkippedStatement {
                file: None,
                line: problem.line,
                statement: split::beginning(statement.text),
                reason: problem.reason,
            });
        }
    }
    let (model, mut unresolved) = tables.finish();
    skipped.append(&mut unresolved);
    skipped.sort_by_key(|s| s.line);
    ReadDdl { model, skipped }
}

/// Why a statement cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    line: u64,
    reason: String,
}

#[cfg(test)]
mod tests;
