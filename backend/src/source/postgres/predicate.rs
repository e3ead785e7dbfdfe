//! The text of a filter that a user wrote, before it stands in any query.

/// Refuses what is more than one predicate: a filter stands inside parentheses, and may not close them.
///
/// # Errors
/// A sentence for the user.
pub fn check_predicate(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'\'' | b'"' => at = skip_quoted(bytes, at)?,
            b'-' if bytes.get(at + 1) == Some(&b'-') => at += text[at..].find('\n').unwrap_or(text.len() - at - 1),
            b'/' if bytes.get(at + 1) == Some(&b'*') => return Err("it holds a block comment".into()),
            b'$' if is_dollar_quote(&text[at..]) => {
                return Err("it holds a dollar-quoted string: use single quotes".into());
            }
            b'(' => depth += 1,
            b')' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or("it closes a parenthesis that it does not open")?
            }
            b';' => return Err("it holds a semicolon".into()),
            b'\0' => return Err("it holds a zero byte".into()),
            _ => {}
        }
        at += 1;
    }
    if depth == 0 {
        Ok(())
    } else {
        Err("it does not close a parenthesis".into())
    }
}

/// The place of the closing quote.
fn skip_quoted(bytes: &[u8], start: usize) -> Result<usize, String> {
    let quote = bytes[start];
    let escapes = quote == b'\'' && start > 0 && matches!(bytes[start - 1], b'e' | b'E');
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 1,
            b if b == quote && bytes.get(at + 1) == Some(&quote) => at += 1,
            b if b == quote => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    Err("it does not close a quote".into())
}

fn is_dollar_quote(rest: &str) -> bool {
    rest[1..]
        .find('$')
        .is_some_and(|end| rest[1..=end].chars().all(|c| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_one_predicate() {
        for good in [
            "STATUS = 'S'",
            "a in (1, (2)) and b = 'it''s (' -- )",
            "\"we)ird\" = E'\\'('",
            "price > $1 or x",
        ] {
            assert_eq!(check_predicate(good), Ok(()), "{good}");
        }
        for bad in [
            "1=1) union select (1",
            "(a",
            "a;b",
            "'a",
            "a /* ) */",
            "x = $$)$$",
            "x = $t$ ) $t$",
        ] {
            assert!(check_predicate(bad).is_err(), "{bad}");
        }
    }
}
