//! Texts that the server and the parser would cut into words differently are refused, word by word.
//!
//! The words are those of the parser. What it makes of them is the server's reading too, because every place where the
//! two are known to differ is closed here: how a comment ends, what follows a backslash, where an operator ends, and
//! literals that are continued or take other forms.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer, Whitespace, Word};

/// The longest text of a filter, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// The most words of a filter.
const WORDS_MAX: usize = 20_000;

/// The words of a text, without space and comments, for the parser.
///
/// # Errors
/// A clause that says what the text holds that it must not, beginning with "it".
pub fn words(text: &str) -> Result<Vec<Token>, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("it has {} bytes, more than {TEXT_BYTES_MAX}", text.len()));
    }
    if let Some(c) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        // The end of a line may be written so; alone it ends a comment for the server and for nobody else.
        if c != '\r' || text.replace("\r\n", "").contains('\r') {
            return Err(format!("it holds the control character {}", c.escape_unicode()));
        }
    }
    // A line of its own: a comment in the last line has an end.
    let text = text.replace("\r\n", "\n") + "\n";
    let dialect = PostgreSqlDialect {};
    let cut = |unescape: bool| Tokenizer::new(&dialect, &text).with_unescape(unescape).tokenize();
    let read = |e: sqlparser::tokenizer::TokenizerError| format!("it cannot be read: {e}");
    let (written, decoded) = (cut(false).map_err(read)?, cut(true).map_err(read)?);
    if written.len() != decoded.len() {
        return Err("it cannot be read: a quote is not clear".into());
    }
    if written.len() > 2 * WORDS_MAX {
        return Err(format!("it has more than {WORDS_MAX} words"));
    }
    let spans = Tokenizer::new(&dialect, &text).tokenize_with_location().map_err(read)?;
    for (place, token) in written.iter().enumerate() {
        check_token(token)?;
        let after = written.get(place + 1);
        // Both ways to write it are one word for the parser, but only one of them takes a sign with it.
        let is_exclamation = *token == Token::Neq
            && after.is_some_and(|a| operator_of(a).is_some())
            && spans
                .get(place)
                .is_none_or(|t| char_at(&text, t.span.start) == Some('!'));
        if is_exclamation {
            return Err("it holds != and another sign in one piece: put a space between".into());
        }
        let starts_with_zero = || (spans.get(place)).is_none_or(|t| char_at(&text, t.span.start) == Some('0'));
        if matches!(token, Token::HexStringLiteral(_)) && starts_with_zero() {
            return Err("it holds a number to the base of 16: write it in digits".into());
        }
        // The parser has read the escapes already, whatever it is told: what stands in the text decides.
        let has_number = || {
            let piece = spans.get(place).and_then(|t| between(&text, t.span.start, t.span.end));
            piece.is_none_or(has_numeric_escape)
        };
        if matches!(token, Token::EscapedStringLiteral(_)) && has_number() {
            return Err("it holds an escape by number in a string: write the character itself".into());
        }
        check_neighbours(token, after)?;
        let next = written[place + 1..].iter().find(|t| !matches!(t, Token::Whitespace(_)));
        if is_literal(token) && next.is_some_and(is_literal) {
            return Err("it holds a text that is continued after its quote: write it as one".into());
        }
    }
    let words: Vec<Token> = (decoded.into_iter())
        .filter(|t| !matches!(t, Token::Whitespace(_)))
        .collect();
    if words.len() > WORDS_MAX {
        return Err(format!("it has more than {WORDS_MAX} words"));
    }
    check_not_null(&words)?;
    Ok(with_plain_casts(words))
}

fn char_at(text: &str, place: Location) -> Option<char> {
    let line = text
        .split('\n')
        .nth(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
    line.chars().nth(usize::try_from(place.column).ok()?.checked_sub(1)?)
}

/// What stands between two places.
fn between(text: &str, start: Location, end: Location) -> Option<&str> {
    text.get(offset(text, start)?..offset(text, end)?)
}

/// The bytes before a place.
fn offset(text: &str, place: Location) -> Option<usize> {
    let lines_before = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let chars_before = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    let rest = text.get(start..)?;
    Some(start + rest.chars().take(chars_before).map(char::len_utf8).sum::<usize>())
}

/// One word alone.
fn check_token(token: &Token) -> Result<(), String> {
    let refused = |what: &str| Err(format!("it holds {what}"));
    match token {
        Token::Whitespace(Whitespace::MultiLineComment(_)) => refused("a block comment"),
        Token::SemiColon => refused("a semicolon"),
        Token::DollarQuotedString(_) => refused("a dollar-quoted string: use single quotes"),
        Token::Placeholder(_) => refused("a parameter, for which there is no value"),
        Token::NationalStringLiteral(_) => refused("a national string: leave out the N before the quote"),
        Token::UnicodeStringLiteral(_) => refused("a string with Unicode escapes: write the characters themselves"),
        Token::SingleQuotedByteStringLiteral(digits) | Token::HexStringLiteral(digits)
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            refused("a bit string with other characters than digits")
        }
        Token::DoubleEq => refused("==, which is no operator of the server: use ="),
        Token::Spaceship | Token::Assignment | Token::Backslash | Token::LBrace | Token::RBrace => {
            refused(&format!("{token}, which has no meaning there"))
        }
        Token::Number(digits, _) if !is_plain_number(digits) => {
            refused(&format!("the number {digits}: write digits, a point and an exponent"))
        }
        Token::Char(c) => refused(&format!("the character {c}, which has no meaning there")),
        _ => Ok(()),
    }
}

/// Two words without space between them.
fn check_neighbours(token: &Token, after: Option<&Token>) -> Result<(), String> {
    let Some(after) = after else { return Ok(()) };
    // U&"..." is one name for the server.
    if matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case("u"))
        && matches!(after, Token::Ampersand)
    {
        return Err("it holds U& without a space: write the characters themselves".into());
    }
    if matches!(after, Token::Whitespace(_)) {
        return Ok(());
    }
    // PostgreSQL 15 and later refuse what older ones and the parser take apart: `1in (2)`.
    let begins_with_letter = match after {
        Token::Word(word) => word.quote_style.is_none(),
        Token::EscapedStringLiteral(_) | Token::SingleQuotedByteStringLiteral(_) | Token::HexStringLiteral(_) => true,
        _ => false,
    };
    if matches!(token, Token::Number(..)) && begins_with_letter {
        return Err("it holds a number that runs into a word: put a space between".into());
    }
    let (Some(before), Some(after)) = (operator_of(token), operator_of(after)) else {
        return Ok(());
    };
    // https://www.postgresql.org/docs/15/sql-syntax-lexical.html#SQL-SYNTAX-OPERATORS
    let takes_signs = before.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']);
    if matches!(after.as_str(), "-" | "+") && !takes_signs {
        return Ok(());
    }
    Err(format!("it holds {before}{after} in one piece: put a space between"))
}

/// The characters of an operator.
fn operator_of(token: &Token) -> Option<String> {
    let text = match token {
        Token::Word(_)
        | Token::Number(..)
        | Token::Whitespace(_)
        | Token::SingleQuotedString(_)
        | Token::EscapedStringLiteral(_)
        | Token::SingleQuotedByteStringLiteral(_)
        | Token::HexStringLiteral(_) => return None,
        other => other.to_string(),
    };
    let is_operator = |c: char| "+-*/<>=~!@#%^&|`?".contains(c);
    (!text.is_empty() && text.chars().all(is_operator)).then_some(text)
}

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

/// Escapes by number stand for bytes of the server's encoding.
fn has_numeric_escape(inner: &str) -> bool {
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\'
            && chars
                .next()
                .is_none_or(|c| matches!(c, 'x' | 'u' | 'U' | '0'..='9') || !c.is_ascii())
        {
            return true;
        }
    }
    false
}

fn is_plain_number(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    (is_digits(whole) || (whole.is_empty() && is_digits(part)))
        && (part.is_empty() || is_digits(part))
        && exponent.is_none_or(|e| {
            is_digits(e.trim_start_matches(['+', '-'])) && e.trim_start_matches(['+', '-']).len() + 1 >= e.len()
        })
}

/// `a NOT NULL` is no test.
fn check_not_null(words: &[Token]) -> Result<(), String> {
    let is = |token: Option<&Token>, word: &str| matches!(token, Some(Token::Word(w)) if is_word(w, word));
    for (place, token) in words.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|p| words.get(p));
        if is(Some(token), "not")
            && is(words.get(place + 1), "null")
            && !is(before, "is")
            && before.is_some_and(ends_operand)
        {
            return Err("it holds NOT NULL without IS".into());
        }
    }
    Ok(())
}

fn ends_operand(token: &Token) -> bool {
    match token {
        Token::RParen | Token::RBracket | Token::Number(..) => true,
        Token::Word(w) => {
            w.quote_style.is_some()
                || !["and", "or", "not", "when", "then", "else", "case"]
                    .iter()
                    .any(|k| is_word(w, k))
        }
        other => is_literal(other),
    }
}

fn is_word(word: &Word, expected: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
}

/// Types of the server that the parser does not know in front of a literal.
const LITERAL_TYPES: &[&str] = &[
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "jsonpath",
    "timestamptz",
    "timetz",
    "oid",
    "float4",
    "pg_lsn",
];

/// `inet '10.0.0.1'` as `('10.0.0.1'::inet)`, and `a ISNULL` as `a IS NULL`: forms that the parser does not know.
fn with_plain_casts(words: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(words.len());
    let mut rest = words.into_iter().peekable();
    while let Some(token) = rest.next() {
        let postfix = match &token {
            Token::Word(w) if is_word(w, "isnull") => &["IS", "NULL"][..],
            Token::Word(w) if is_word(w, "notnull") => &["IS", "NOT", "NULL"],
            _ => &[],
        };
        if !postfix.is_empty() {
            out.extend(postfix.iter().map(|w| Token::make_keyword(w)));
            continue;
        }
        let is_type = matches!(&token, Token::Word(w) if LITERAL_TYPES.iter().any(|t| is_word(w, t)));
        let follows = matches!(
            rest.peek(),
            Some(Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_))
        );
        let is_name_before = matches!(out.last(), Some(Token::Period | Token::DoubleColon))
            || matches!(out.last(), Some(Token::Word(w)) if is_word(w, "as"));
        // Before a literal it is a type, elsewhere a name that the parser takes for one.
        let is_name = matches!(&token, Token::Word(w) if is_word(w, "interval"))
            && !follows
            && !is_name_before
            && rest.peek() != Some(&Token::LParen);
        if is_name {
            out.push(Token::make_word("interval", Some('"')));
            continue;
        }
        match rest.next_if(|_| is_type && follows && !is_name_before) {
            Some(text) => out.extend([Token::LParen, text, Token::DoubleColon, token, Token::RParen]),
            None => out.push(token),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_would_cut_otherwise_is_refused() {
        for bad in [
            "true --\r)",
            "a = 'x'\n'y'",
            "a = E'a'\n'\\' or b = '",
            "a = $$x$$",
            "a = $1",
            "a = U&'\\0061'",
            "U&\"a\" = 1",
            "a /* */ = 1",
            "a = 1;",
            "a !=-1",
            "a =@b",
            "a == 1",
            "a = 0x1f",
            "a = 1_000",
            "a = E'\\x41'",
            "a = E'\\101'",
            "a = N'x'",
            "a = '\0'",
            "a not null",
            "a = b\\c",
            "a = X'\\' or b = '",
            "a = B'012x'",
        ] {
            assert!(words(bad).is_err(), "{bad:?}: {:?}", words(bad));
        }
        for good in [
            "a = -1",
            "a<>-1 and a=-1 and b<-1 and c*-1 > 0",
            "a = 'it''s' -- )",
            "a <@ b and c @> d",
            "a = E'\\'\\n\\\\'",
            "a is not null and not null is null",
            "a\r\n= 1",
            "a = 1e-5 or a = .5 or a = 1.",
            "u & 1 = 1",
        ] {
            assert!(words(good).is_ok(), "{good:?}: {:?}", words(good));
        }
    }
}
