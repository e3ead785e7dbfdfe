//! A file as statements, each with the line that it begins in.

/// One statement, without what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'t> {
    pub text: &'t str,
    /// From 1.
    pub line: u64,
}

/// Characters of a statement that a message shows.
const SHOWN: usize = 80;

/// The beginning of a statement, on one line.
pub fn beginning(text: &str) -> String {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match plain.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &plain[..at]),
        None => plain,
    }
}

/// Cuts a text at semicolons, and at lines with nothing but `GO` or `/`; not inside of quotes, comments and bodies. In
/// MySQL a backslash takes a quote its meaning.
pub fn statements(text: &str, has_escapes: bool) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut start, mut start_line, mut line) = (0, 1, 1);
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let is_line_start = at == 0 || bytes[at - 1] == b'\n';
        if is_line_start && let Some(length) = separator_line(&text[at..]) {
            push(&mut found, &text[start..at], start_line);
            line += text[at..at + length].bytes().filter(|b| *b == b'\n').count() as u64;
            at += length;
            (start, start_line) = (at, line);
            continue;
        }
        let length = skip(&text[at..], has_escapes);
        if length == 1 && bytes[at] == b';' {
            push(&mut found, &text[start..at], start_line);
            let data = copied(&text[start..at], &text[at + 1..]);
            let end = at + 1 + data;
            line += text[at..end].bytes().filter(|b| *b == b'\n').count() as u64;
            at = end;
            (start, start_line) = (at, line);
            continue;
        }
        line += text[at..at + length].bytes().filter(|b| *b == b'\n').count() as u64;
        at += length;
    }
    push(&mut found, &text[start..], start_line);
    found
}

/// Adds a statement that begins in a line, unless there is nothing in it.
fn push<'t>(found: &mut Vec<Statement<'t>>, whole: &'t str, line: u64) {
    let (skipped, kept) = without_comments(whole);
    let own = kept.trim_start();
    if own.is_empty() {
        return;
    }
    let before = skipped.len() + kept.len() - own.len();
    let lines = whole[..before].bytes().filter(|b| *b == b'\n').count() as u64;
    found.push(Statement {
        text: own.trim_end(),
        line: line + lines,
    });
}

/// How long the piece is that a text begins with: a quoted text, a comment, or one character.
fn skip(text: &str, has_escapes: bool) -> usize {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    let first = text.chars().next().map_or(1, char::len_utf8);
    match text.as_bytes() {
        [b'\'', ..] => quoted(text, b'\'', has_escapes),
        [b'"', ..] => quoted(text, b'"', has_escapes),
        [b'`', ..] => quoted(text, b'`', false),
        [b'-', b'-', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => until("*/", 2),
        [b'$', ..] => match dollar_tag(text) {
            Some(tag) => until(tag, tag.len()),
            None => 1,
        },
        _ => first,
    }
}

/// A text in quotes; a doubled one and one behind a backslash are part of it.
fn quoted(text: &str, quote: u8, has_escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if has_escapes => at += 2,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// `$$` or `$name$`.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let inner = &text[1..end - 1];
    inner
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        .then_some(&text[..end])
}

/// The length of a line that separates: `GO` of SQL Server, `/` of Oracle.
fn separator_line(text: &str) -> Option<usize> {
    let end = text.find('\n').map_or(text.len(), |at| at + 1);
    let line = text[..end].trim();
    (line.eq_ignore_ascii_case("go") || line == "/").then_some(end)
}

/// How much data follows a `COPY … FROM stdin`: up to the line `\.`.
fn copied(statement: &str, rest: &str) -> usize {
    let (_, statement) = without_comments(statement);
    let lower = statement.trim().to_lowercase();
    if !(lower.starts_with("copy ") && lower.ends_with("from stdin")) {
        return 0;
    }
    rest.find("\n\\.").map_or(rest.len(), |at| at + 3)
}

/// A text behind the comments and blanks that it begins with.
pub fn without_comments(text: &str) -> (&str, &str) {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let is_comment = rest.starts_with("--") || (rest.starts_with("/*") && !rest.starts_with("/*!"));
        if !is_comment {
            return text.split_at(at);
        }
        at += blank + skip(rest, false);
    }
}
