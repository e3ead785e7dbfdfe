//! JavaScript and SQL taken apart for their colours. A tokenizer for people who read, not for a machine that runs: what
//! it cannot make out is plain text, and every character of the text comes out again.

/// What an expression is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Javascript,
    Sql,
}

/// What a part of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Plain,
    /// A word of the language.
    Word,
    /// What rows come in by: `columns`.
    Input,
    Text,
    Number,
    Comment,
}

const JAVASCRIPT: &[&str] = &[
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "default",
    "delete",
    "do",
    "else",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "in",
    "instanceof",
    "let",
    "new",
    "null",
    "of",
    "return",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "var",
    "void",
    "while",
    "yield",
];

const SQL: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "collate",
    "date",
    "desc",
    "distinct",
    "else",
    "end",
    "exists",
    "false",
    "from",
    "ilike",
    "in",
    "interval",
    "is",
    "like",
    "limit",
    "not",
    "null",
    "or",
    "order",
    "select",
    "similar",
    "some",
    "then",
    "time",
    "timestamp",
    "to",
    "true",
    "when",
    "where",
];

/// The parts of a text, in order and without gaps.
pub fn tokens(language: Language, text: &str) -> Vec<(Token, &str)> {
    let mut found: Vec<(Token, &str)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let before = found
            .iter()
            .rev()
            .find(|(token, part)| !matches!(token, Token::Comment) && !part.trim().is_empty());
        let (token, length) = first(language, rest, before.copied());
        let (part, after) = rest.split_at(length);
        // One piece for plain characters that stand side by side.
        match found.last_mut() {
            Some((Token::Plain, last)) if token == Token::Plain => {
                let start = text.len() - rest.len() - last.len();
                *last = &text[start..start + last.len() + length];
            }
            _ => found.push((token, part)),
        }
        rest = after;
    }
    found
}

/// What a text begins with, and its bytes: at least one character.
fn first(language: Language, rest: &str, before: Option<(Token, &str)>) -> (Token, usize) {
    let next = rest.chars().next().unwrap_or_default();
    let line = |text: &str| text.find('\n').unwrap_or(text.len());
    let until = |open: usize, close: &str| {
        let inner = &rest[open..];
        inner.find(close).map_or(rest.len(), |end| open + end + close.len())
    };
    match language {
        Language::Javascript if rest.starts_with("//") => return (Token::Comment, line(rest)),
        Language::Sql if rest.starts_with("--") => return (Token::Comment, line(rest)),
        _ if rest.starts_with("/*") => return (Token::Comment, until(2, "*/")),
        Language::Javascript if next == '/' && may_be_pattern(before) => return (Token::Text, pattern(rest)),
        Language::Javascript if matches!(next, '"' | '\'' | '`') => return (Token::Text, escaped(rest, next)),
        Language::Sql if next == '\'' => return (Token::Text, doubled(rest, '\'')),
        // A name in quotes is a name.
        Language::Sql if next == '"' => return (Token::Plain, doubled(rest, '"')),
        _ => {}
    }
    if next.is_ascii_digit() {
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_'))
            .unwrap_or(rest.len());
        return (Token::Number, end);
    }
    if is_name(next) {
        let end = rest
            .find(|c: char| !(is_name(c) || c.is_ascii_digit()))
            .unwrap_or(rest.len());
        return (word(language, &rest[..end], before), end);
    }
    (Token::Plain, next.len_utf8())
}

fn is_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

fn word(language: Language, name: &str, before: Option<(Token, &str)>) -> Token {
    let is_member = before.is_some_and(|(_, part)| part.trim_end().ends_with('.'));
    match language {
        // A member may bear any name.
        _ if is_member => Token::Plain,
        Language::Javascript if name == "columns" => Token::Input,
        Language::Javascript if JAVASCRIPT.contains(&name) => Token::Word,
        Language::Sql if SQL.contains(&name.to_lowercase().as_str()) => Token::Word,
        Language::Javascript | Language::Sql => Token::Plain,
    }
}

/// Up to the quote that ends a text; a backslash takes the next character along.
fn escaped(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            // An open text ends with its line; a template goes on.
            '\n' if quote != '`' => return at,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Up to the quote that ends a text; two of them are one of the text.
fn doubled(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

/// A slash behind a value divides; anywhere else it begins a pattern.
fn may_be_pattern(before: Option<(Token, &str)>) -> bool {
    match before {
        None => true,
        Some((Token::Plain, part)) => part
            .trim_end()
            .chars()
            .next_back()
            .is_some_and(|c| matches!(c, '(' | ',' | '=' | ':' | '[' | '!' | '&' | '|' | '?' | '{' | '}' | ';')),
        Some((Token::Word, part)) => !matches!(part, "this" | "null" | "true" | "false" | "undefined"),
        Some((Token::Input | Token::Text | Token::Number | Token::Comment, _)) => false,
    }
}

fn pattern(rest: &str) -> usize {
    let (mut is_escaped, mut is_class) = (false, false);
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => is_class = true,
            ']' => is_class = false,
            '/' if !is_class => {
                let flags = rest[at + 1..].find(|c: char| !c.is_ascii_alphabetic());
                return flags.map_or(rest.len(), |end| at + 1 + end);
            }
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: Language, text: &str, expected: &[(Token, &str)]) {
        let found = tokens(language, text);
        let all: String = found.iter().map(|(_, part)| *part).collect();
        assert_eq!(all, text);
        let said: Vec<_> = found.into_iter().filter(|(token, _)| *token != Token::Plain).collect();
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn javascript() {
        use Token::{Comment, Input, Number, Text, Word};
        let js = |text, expected: &[(Token, &str)]| check(Language::Javascript, text, expected);
        js(
            "columns[\"first\"] + ' ' + 1.5e3",
            &[
                (Input, "columns"),
                (Text, "\"first\""),
                (Text, "' '"),
                (Number, "1.5e3"),
            ],
        );
        js("a.columns / 2 / b // end", &[(Number, "2"), (Comment, "// end")]);
        js("x.replace(/[/\"]+/gi, '')", &[(Text, "/[/\"]+/gi"), (Text, "''")]);
        js(
            "'it\\'s' /* '\n */ null",
            &[(Text, "'it\\'s'"), (Comment, "/* '\n */"), (Word, "null")],
        );
        js(
            "typeof \"open\nnew Date",
            &[(Word, "typeof"), (Text, "\"open"), (Word, "new")],
        );
        js("`a ${1}\n` ?? größe", &[(Text, "`a ${1}\n`")]);
    }

    #[test]
    fn sql() {
        use Token::{Comment, Number, Text, Word};
        let sql = |text, expected: &[(Token, &str)]| check(Language::Sql, text, expected);
        sql(
            "status = 'it''s' AND \"and\" > 2 -- x",
            &[(Text, "'it''s'"), (Word, "AND"), (Number, "2"), (Comment, "-- x")],
        );
        sql("placed >= date '2025-01-01'", &[(Word, "date"), (Text, "'2025-01-01'")]);
        sql(
            "t.date is not null or 'open",
            &[
                (Word, "is"),
                (Word, "not"),
                (Word, "null"),
                (Word, "or"),
                (Text, "'open"),
            ],
        );
    }

    #[test]
    fn every_text_comes_out_whole() {
        for text in [
            "",
            "/",
            "'",
            "\\",
            "/*",
            "--",
            "`",
            "a/b/c",
            "ä\u{301}/é/",
            "\n\n",
            "$1",
            "é'é",
            "/\\",
        ] {
            for language in [Language::Javascript, Language::Sql] {
                let all: String = tokens(language, text).into_iter().map(|(_, part)| part).collect();
                assert_eq!(all, text);
            }
        }
    }
}
