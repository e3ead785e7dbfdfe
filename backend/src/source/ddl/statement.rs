//! One statement: what it says of tables goes into them.

use super::Problem;
use super::column::{self, reference};
use super::split::Statement;
use super::tables::{Tables, Unresolved};
use super::tokens::{Piece, Reader, parts, pieces};
use godwit_shared::ddl::DdlDatabase;
use sqlparser::tokenizer::Token;

/// Reads a statement; one that says nothing of tables, keys and indexes is passed over.
///
/// # Errors
/// When it should say something and cannot be read.
pub fn read(statement: &Statement<'_>, database: DdlDatabase, tables: &mut Tables) -> Result<(), Problem> {
    let mut words = statement.text.split_whitespace().map(str::to_lowercase);
    let first = words.next().unwrap_or_default();
    let few: Vec<String> = words.take(8).collect();
    let speaks_of = |word: &str| few.iter().any(|w| w == word);
    let is_one = match first.as_str() {
        "create" => speaks_of("table") || speaks_of("index"),
        "alter" => few.first().is_some_and(|w| w == "table"),
        "use" | "set" => true,
        _ => false,
    };
    if !is_one {
        return Ok(());
    }
    let all = match pieces(statement, database) {
        Ok(all) => all,
        Err(_) if matches!(first.as_str(), "use" | "set") => return Ok(()),
        Err(problem) => return Err(problem),
    };
    let mut reader = Reader::new(&all, database, statement.line);
    if reader.take("use") {
        tables.use_database(&reader.name()?);
        return Ok(());
    }
    if reader.take("set") {
        return search_path(&mut reader, tables);
    }
    if reader.take("alter table") {
        return alter(&mut reader, tables);
    }
    reader.take("create");
    let mut is_unique = false;
    while let Some(piece) = reader.rest.first() {
        if reader.take("table") {
            return create(&mut reader, tables);
        }
        if reader.take("index") {
            return index(&mut reader, tables, is_unique);
        }
        is_unique |= reader.is("unique");
        if !matches!(piece.token, Token::Word(_)) {
            break;
        }
        // A view or function that speaks of tables.
        let other = [
            "view",
            "function",
            "procedure",
            "trigger",
            "rule",
            "policy",
            "publication",
            "statistics",
        ];
        if other.iter().any(|word| reader.is(word)) {
            break;
        }
        reader.next();
    }
    Ok(())
}

/// Older dumps name no schemas but that of the path.
fn search_path(reader: &mut Reader<'_>, tables: &mut Tables) -> Result<(), Problem> {
    if reader.take("search_path") && reader.rest.len() > 1 {
        reader.next();
        if let Ok(schema) = reader.name() {
            tables.use_schema(&schema);
        }
    }
    Ok(())
}

fn create(reader: &mut Reader<'_>, tables: &mut Tables) -> Result<(), Problem> {
    reader.take("if not exists");
    let path = reader.path()?;
    // A partition belongs to its root.
    if reader.take("partition of") {
        return Ok(());
    }
    let line = reader.line;
    if reader.rest.first().is_none_or(|p| p.token != Token::LParen) {
        return reader.problem("it has no list of columns: a table made of a query or of another table cannot be read");
    }
    let inner = reader.group()?;
    let table = tables.add(&path, line)?;
    for part in parts(inner) {
        if !constraint(part, reader.database, line, tables, table)? {
            tables.add_column(table, column::read(part, reader.database, line)?)?;
        }
    }
    Ok(())
}

/// Reads a constraint or an index of a table; says whether it is one.
fn constraint(
    part: &[Piece],
    database: DdlDatabase,
    line: u64,
    tables: &mut Tables,
    table: usize,
) -> Result<bool, Problem> {
    let mut reader = Reader::new(part, database, line);
    let name = if reader.take("constraint") {
        Some(reader.name()?)
    } else {
        None
    };
    if reader.take("primary key") {
        seek_group(&mut reader);
        tables.set_primary(table, name.as_deref(), reader.names()?)?;
    } else if reader.take("foreign key") {
        // MySQL takes a name here as well.
        if reader.rest.first().is_some_and(|p| p.token != Token::LParen) {
            reader.next();
        }
        let columns = reader.names()?;
        if !reader.take("references") {
            return reader.problem("a foreign key refers to nothing");
        }
        let reference = reference(&mut reader)?;
        tables.add_key(
            table,
            Unresolved {
                name,
                columns,
                reference,
                line: reader.line,
            },
        );
    } else if reader.take("unique") {
        let index = index_name(&mut reader);
        tables.add_index(table, name.or(index), reader.names()?, true);
    } else if name.is_none() && is_index(&reader) {
        while reader.take("key") || reader.take("index") || reader.take("fulltext") || reader.take("spatial") {}
        let index = index_name(&mut reader);
        if let Ok(columns) = reader.names() {
            tables.add_index(table, index, columns, false);
        }
    } else {
        let other = ["check", "exclude", "like", "period", "supplemental"];
        let is_other = other.iter().any(|word| reader.is(word))
            && reader
                .rest
                .get(1)
                .is_some_and(|p| matches!(p.token, Token::LParen | Token::Word(_)));
        // A column may be named so as well; then a type follows it, no parenthesis.
        let is_check = reader.is("check") || reader.is("exclude");
        let opens = reader.rest.get(1).is_some_and(|p| p.token == Token::LParen);
        return Ok(name.is_some() || (is_other && (!is_check || opens)));
    }
    Ok(true)
}

/// `KEY name (columns)` of MySQL; a column that is named `key` has a type behind it.
fn is_index(reader: &Reader<'_>) -> bool {
    let is_word = ["key", "index", "fulltext", "spatial"]
        .iter()
        .any(|word| reader.is(word));
    let opens = |at: usize| reader.rest.get(at).is_some_and(|p| p.token == Token::LParen);
    is_word && reader.database == DdlDatabase::Mysql && (opens(1) || opens(2) || opens(3))
}

fn index_name(reader: &mut Reader<'_>) -> Option<String> {
    let mut found = None;
    while reader.rest.first().is_some_and(|p| p.token != Token::LParen) {
        let word = [
            "key",
            "index",
            "clustered",
            "nonclustered",
            "using",
            "btree",
            "hash",
            "nulls",
            "not",
            "distinct",
        ];
        if word.iter().any(|w| reader.is(w)) {
            reader.next();
        } else {
            found = reader.name().ok().or(found);
            if found.is_none() {
                reader.next();
            }
        }
    }
    found
}

/// Up to the next list: `CLUSTERED`, `USING BTREE` stand before it.
fn seek_group(reader: &mut Reader<'_>) {
    while reader.rest.first().is_some_and(|p| p.token != Token::LParen) {
        reader.next();
    }
}

fn alter(reader: &mut Reader<'_>, tables: &mut Tables) -> Result<(), Problem> {
    reader.take("if exists");
    reader.take("only");
    let path = reader.path()?;
    let line = reader.line;
    // A partition, or a table that could not be read: that is told elsewhere.
    let Some(table) = tables.find(&path) else {
        return Ok(());
    };
    for part in parts(reader.rest) {
        let mut action = Reader::new(part, reader.database, line);
        while action.take("with check") || action.take("with nocheck") {}
        if action.take("alter") || action.take("modify") {
            identity(&mut action, tables, table);
            continue;
        }
        let is_list = !action.take("add");
        if is_list && !part.first().is_some_and(|p| matches!(p.token, Token::Word(_))) {
            continue;
        }
        if is_list {
            continue;
        }
        let is_column = action.take("column");
        let inner = match action.rest.first().map(|p| &p.token) {
            Some(Token::LParen) => action.group()?,
            _ => action.rest,
        };
        for one in parts(inner) {
            let is_known = [
                "constraint",
                "primary",
                "foreign",
                "unique",
                "key",
                "index",
                "fulltext",
                "check",
            ];
            let first = Reader::new(one, reader.database, line);
            if !is_column && is_known.iter().any(|word| first.is(word)) {
                constraint(one, reader.database, line, tables, table)?;
            } else if is_column || reader.database != DdlDatabase::Postgresql {
                tables.add_column(table, column::read(one, reader.database, line)?)?;
            }
        }
    }
    Ok(())
}

/// `ALTER COLUMN id SET DEFAULT nextval(…)`, `ADD GENERATED … AS IDENTITY`, `MODIFY id … AUTO_INCREMENT`.
fn identity(reader: &mut Reader<'_>, tables: &mut Tables, table: usize) {
    reader.take("column");
    let Ok(name) = reader.name() else { return };
    let says = |word: &str| reader.rest.iter().any(|p| super::tokens::is_word(&p.token, word));
    if says("nextval") || says("identity") || says("auto_increment") {
        tables.set_counting(table, &name);
    }
    if says("not") && says("null") && !says("drop") {
        tables.set_needed(table, &name);
    }
}

fn index(reader: &mut Reader<'_>, tables: &mut Tables, is_unique: bool) -> Result<(), Problem> {
    while reader.take("concurrently") || reader.take("if not exists") {}
    let name = if reader.is("on") { None } else { reader.path()?.pop() };
    if !reader.take("on") {
        return Ok(());
    }
    reader.take("only");
    let path = reader.path()?;
    seek_group(reader);
    // An index of expressions finds no column.
    let Ok(columns) = reader.names() else { return Ok(()) };
    let is_partial = reader.rest.iter().any(|p| super::tokens::is_word(&p.token, "where"));
    if let Some(table) = tables.find(&path).filter(|_| !is_partial) {
        tables.add_index(table, name, columns, is_unique);
    }
    Ok(())
}
