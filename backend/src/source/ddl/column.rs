//! One column of a table.

use super::Problem;
use super::tables::{Reference, Unresolved};
use super::tokens::{Piece, Reader, is_word};
use godwit_shared::ddl::DdlDatabase;
use godwit_shared::schema::{Column, ColumnType};
use serde_json::Map;
use sqlparser::tokenizer::Token;

/// Words that end the type of a column.
const AFTER_TYPE: [&str; 30] = [
    "not",
    "null",
    "default",
    "constraint",
    "primary",
    "unique",
    "references",
    "check",
    "collate",
    "generated",
    "identity",
    "auto_increment",
    "autoincrement",
    "comment",
    "enable",
    "disable",
    "on",
    "as",
    "character",
    "charset",
    "invisible",
    "visible",
    "sparse",
    "rowguidcol",
    "virtual",
    "stored",
    "persisted",
    "encode",
    "storage",
    "compression",
];

/// What a column says besides itself.
#[derive(Debug, Default)]
pub struct ReadColumn {
    pub name: String,
    pub column: Option<Column>,
    pub is_primary: bool,
    pub is_unique: bool,
    pub reference: Option<Unresolved>,
}

/// Reads `name type options`.
///
/// # Errors
/// When it has no type.
pub fn read(part: &[Piece], database: DdlDatabase, line: u64) -> Result<ReadColumn, Problem> {
    let mut reader = Reader::new(part, database, line);
    let mut read = ReadColumn {
        name: reader.name()?,
        ..ReadColumn::default()
    };
    let kind = type_text(&mut reader);
    let is_computed = reader.is("as");
    if kind.is_empty() && !is_computed {
        return reader.problem(format!("the column `{}` has no type", read.name));
    }
    let lower = kind.to_lowercase();
    let mut column = Column {
        kind: ColumnType {
            default_mongo_field_type: of_number(&lower, database),
            database_specific_type: kind,
            ..ColumnType::default()
        },
        ordinal_position: 0,
        nullable: true,
        auto_incremented: lower.contains("serial"),
        generated: is_computed,
        hidden: false,
        indexed: false,
        unique_indexed: false,
        primary_key: None,
        foreign_key: None,
        extra: Map::new(),
    };
    if column.auto_incremented {
        column.nullable = false;
    }
    options(&mut reader, &mut column, &mut read)?;
    read.column = Some(column);
    Ok(read)
}

/// The type as it is spelled, up to the first option.
fn type_text(reader: &mut Reader<'_>) -> String {
    let mut text = String::new();
    let mut depth = 0;
    while let Some(piece) = reader.rest.first() {
        let ends = depth == 0 && AFTER_TYPE.iter().any(|word| is_word(&piece.token, word));
        // `character varying` is a type, `character set` an option behind one.
        let is_first = text.is_empty();
        if ends && !(is_first && is_word(&piece.token, "character")) {
            break;
        }
        let spelled = match &piece.token {
            Token::Word(word) => word.value.clone(),
            other => other.to_string(),
        };
        match piece.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        let glued = text.is_empty()
            || text.ends_with(['(', '.', '['])
            || matches!(
                piece.token,
                Token::LParen | Token::RParen | Token::Comma | Token::Period | Token::LBracket | Token::RBracket
            );
        if !glued && !text.ends_with(',') {
            text.push(' ');
        }
        text.push_str(&spelled);
        reader.next();
    }
    text
}

/// The numbers of Oracle by their digits.
fn of_number(lower: &str, database: DdlDatabase) -> Option<String> {
    if database != DdlDatabase::Oracle {
        return None;
    }
    let inner = lower.strip_prefix("number(")?.strip_suffix(')')?;
    let mut parts = inner.split(',').map(|p| p.trim().parse::<i64>().ok());
    let precision = parts.next().flatten()?;
    let scale = parts.next().flatten().unwrap_or(0);
    let kind = match precision - scale {
        _ if scale > 0 => "DECIMAL",
        digits if digits < 10 => "INTEGER",
        digits if digits < 19 => "LONG",
        _ => "DECIMAL",
    };
    Some(kind.to_owned())
}

fn options(reader: &mut Reader<'_>, column: &mut Column, read: &mut ReadColumn) -> Result<(), Problem> {
    let mut constraint = None;
    while !reader.rest.is_empty() {
        if reader.take("constraint") {
            constraint = Some(reader.name()?);
        } else if reader.take("not null") {
            column.nullable = false;
        } else if reader.take("primary key") {
            (read.is_primary, column.nullable) = (true, false);
        } else if reader.take("unique") {
            read.is_unique = true;
        } else if reader.is("identity") || reader.is("auto_increment") {
            (column.auto_incremented, column.nullable) = (true, false);
            reader.next();
        } else if reader.take("generated") {
            let rest = reader.rest.iter().map(|p| p.token.to_string().to_lowercase());
            let rest: Vec<String> = rest.take(5).collect();
            if rest.iter().any(|w| w == "identity") {
                (column.auto_incremented, column.nullable) = (true, false);
            } else {
                column.generated = true;
            }
        } else if reader.is("as") {
            reader.next();
            column.generated |= reader.rest.first().is_some_and(|p| p.token == Token::LParen);
        } else if reader.take("default") {
            column.auto_incremented |= reader
                .rest
                .iter()
                .take(3)
                .any(|p| is_word(&p.token, "nextval") || is_word(&p.token, "next"));
        } else if reader.take("references") {
            let reference = reference(reader)?;
            read.reference = Some(Unresolved {
                name: constraint.take(),
                columns: vec![read.name.clone()],
                reference,
                line: reader.line,
            });
        } else {
            reader.next();
        }
    }
    Ok(())
}

/// `table (columns)`; without columns the target's primary key is meant.
pub fn reference(reader: &mut Reader<'_>) -> Result<Reference, Problem> {
    let table = reader.path()?;
    let columns = match reader.rest.first().map(|p| &p.token) {
        Some(Token::LParen) => reader.names()?,
        _ => Vec::new(),
    };
    Ok(Reference { table, columns })
}
