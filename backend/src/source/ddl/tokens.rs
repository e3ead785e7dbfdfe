//! The tokens of a statement.

use super::Problem;
use super::split::Statement;
use godwit_shared::ddl::DdlDatabase;
use sqlparser::dialect::{Dialect, MsSqlDialect, MySqlDialect, OracleDialect, PostgreSqlDialect};
use sqlparser::tokenizer::{Token, Tokenizer};

/// A token that counts, with its line in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub token: Token,
    pub line: u64,
}

/// The tokens of a statement, without blanks and comments.
///
/// # Errors
/// A text that never ends, or a character that the dialect does not have.
pub fn pieces(statement: &Statement<'_>, database: DdlDatabase) -> Result<Vec<Piece>, Problem> {
    let dialect: &dyn Dialect = match database {
        DdlDatabase::Postgresql => &PostgreSqlDialect {},
        DdlDatabase::Mysql => &MySqlDialect {},
        DdlDatabase::SqlServer => &MsSqlDialect {},
        DdlDatabase::Oracle => &OracleDialect {},
    };
    let tokens = Tokenizer::new(dialect, statement.text).tokenize_with_location();
    let tokens = tokens.map_err(|e| Problem {
        line: statement.line + e.location.line.saturating_sub(1),
        reason: e.message.to_lowercase(),
    })?;
    let counts = |token: &Token| !matches!(token, Token::Whitespace(_) | Token::EOF);
    Ok(tokens
        .into_iter()
        .filter(|t| counts(&t.token))
        .map(|t| Piece {
            line: statement.line + t.span.start.line.saturating_sub(1),
            token: t.token,
        })
        .collect())
}

/// A list of tokens that is read from its front.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'p> {
    pub rest: &'p [Piece],
    pub database: DdlDatabase,
    /// The line of the token that was read last.
    pub line: u64,
}

impl<'p> Reader<'p> {
    pub fn new(pieces: &'p [Piece], database: DdlDatabase, line: u64) -> Self {
        Self {
            rest: pieces,
            database,
            line,
        }
    }

    pub fn problem<T>(&self, reason: impl Into<String>) -> Result<T, Problem> {
        Err(Problem {
            line: self.rest.first().map_or(self.line, |p| p.line),
            reason: reason.into(),
        })
    }

    pub fn next(&mut self) -> Option<&'p Token> {
        let (first, rest) = self.rest.split_first()?;
        (self.rest, self.line) = (rest, first.line);
        Some(&first.token)
    }

    /// Whether the next token is this word, unquoted.
    pub fn is(&self, word: &str) -> bool {
        self.rest.first().is_some_and(|p| is_word(&p.token, word))
    }

    /// Takes these words if they come next.
    pub fn take(&mut self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        let there = self.rest.len() >= words.len() && words.iter().zip(self.rest).all(|(w, p)| is_word(&p.token, w));
        if there {
            words.iter().for_each(|_| _ = self.next());
        }
        there
    }

    /// A name; unquoted ones as the database folds them.
    pub fn name(&mut self) -> Result<String, Problem> {
        match self.rest.first().map(|p| &p.token) {
            Some(Token::Word(word)) => {
                let name = match word.quote_style {
                    Some(_) => word.value.clone(),
                    None => match self.database {
                        DdlDatabase::Postgresql => word.value.to_lowercase(),
                        DdlDatabase::Oracle => word.value.to_uppercase(),
                        DdlDatabase::Mysql | DdlDatabase::SqlServer => word.value.clone(),
                    },
                };
                self.next();
                Ok(name)
            }
            Some(Token::DoubleQuotedString(name)) => {
                self.next();
                Ok(name.clone())
            }
            Some(other) => self.problem(format!("a name is expected where `{other}` stands")),
            None => self.problem("it ends where a name is expected"),
        }
    }

    /// A name with up to two more before it: the last three parts.
    pub fn path(&mut self) -> Result<Vec<String>, Problem> {
        let mut parts = vec![self.name()?];
        while self.rest.first().is_some_and(|p| p.token == Token::Period) {
            self.next();
            parts.push(self.name()?);
        }
        Ok(parts)
    }

    /// What stands in the parentheses that come next.
    pub fn group(&mut self) -> Result<&'p [Piece], Problem> {
        if self.rest.first().map(|p| &p.token) != Some(&Token::LParen) {
            return self.problem("a list in parentheses is expected");
        }
        let mut depth = 0;
        for (at, piece) in self.rest.iter().enumerate() {
            match piece.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inner = &self.rest[1..at];
                self.rest = &self.rest[at + 1..];
                self.line = piece.line;
                return Ok(inner);
            }
        }
        self.problem("its parentheses do not close")
    }

    /// Names in parentheses, without sort orders and lengths. `None` where there is something else among them.
    pub fn names(&mut self) -> Result<Vec<String>, Problem> {
        let inner = self.group()?;
        let mut names = Vec::new();
        for part in parts(inner) {
            let mut reader = Reader::new(part, self.database, self.line);
            names.push(reader.name()?);
            if reader.rest.first().is_some_and(|p| p.token == Token::LParen) {
                // The length of what is indexed; anything else makes it an expression.
                let inner = reader.group()?;
                if !matches!(inner, [one] if matches!(one.token, Token::Number(..))) {
                    return reader.problem("an expression stands where a column is expected");
                }
            }
        }
        Ok(names)
    }
}

/// Tokens between the commas of the outermost level.
pub fn parts(pieces: &[Piece]) -> Vec<&[Piece]> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0);
    for (at, piece) in pieces.iter().enumerate() {
        match piece.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::Comma if depth == 0 => {
                found.push(&pieces[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&pieces[start..]);
    found.retain(|part| !part.is_empty());
    found
}

pub fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}
