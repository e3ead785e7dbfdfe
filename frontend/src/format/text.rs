//! Sentences.

/// A message of the server as a sentence: it begins with a capital and ends with a full stop. A name at its beginning
/// stays as it is.
pub fn sentence(message: &str) -> String {
    let message = message.trim();
    let first = message.split_whitespace().next().unwrap_or_default();
    let is_word = first.chars().all(|c| c.is_ascii_lowercase());
    let mut out = String::with_capacity(message.len() + 1);
    match (is_word, message.chars().next()) {
        (true, Some(initial)) => {
            out.push(initial.to_ascii_uppercase());
            out.push_str(&message[1..]);
        }
        (_, _) => out.push_str(message),
    }
    if !message.is_empty() && !message.ends_with(['.', '!', '?', ':', '\u{2026}']) {
        out.push('.');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_as_sentences() {
        let check = |message: &str, expected: &str| assert_eq!(sentence(message), expected);
        check("cannot connect to h:5432", "Cannot connect to h:5432.");
        check("The job is over.", "The job is over.");
        check("wal_level is replica", "wal_level is replica.");
        check("public.orders is gone", "public.orders is gone.");
        check("über alles", "über alles.");
        check("", "");
    }
}
