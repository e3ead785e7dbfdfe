//! The parts of a JSON text, for their colours.

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Key,
    Text,
    Number,
    /// `true`, `false`, `null`.
    Word,
    /// Brackets, commas, colons and space.
    Plain,
}

impl Part {
    pub fn class(self) -> Option<&'static str> {
        match self {
            Part::Key => Some("gw-code-view__key"),
            Part::Text => Some("gw-code-view__text"),
            Part::Number => Some("gw-code-view__number"),
            Part::Word => Some("gw-code-view__word"),
            Part::Plain => None,
        }
    }
}

/// Cuts the text into its parts; put together they are the text again, also of what is no JSON.
pub fn parts(text: &str) -> Vec<(Part, &str)> {
    let mut parts: Vec<(Part, &str)> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (part, length) = match first {
            '"' => {
                let length = string_length(rest);
                let is_key = rest[length..].trim_start().starts_with(':');
                (if is_key { Part::Key } else { Part::Text }, length)
            }
            '-' | '0'..='9' => (
                Part::Number,
                length_while(rest, |c| c.is_ascii_alphanumeric() || "+-.".contains(c)),
            ),
            c if c.is_alphabetic() => (Part::Word, length_while(rest, char::is_alphanumeric)),
            _ => (
                Part::Plain,
                length_while(rest, |c| !(c == '"' || c == '-' || c.is_alphanumeric())),
            ),
        };
        let (taken, left) = rest.split_at(length.max(first.len_utf8()));
        parts.push((part, taken));
        rest = left;
    }
    parts
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Up to and with the closing quote.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match (is_escaped, c) {
            (true, _) => is_escaped = false,
            (false, '\\') => is_escaped = true,
            (false, '"') => return place + 1,
            (false, _) => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_document() {
        let text = r#"{"a \"b\"": -1.5e3, "c": [true, "ü: x"]}"#;
        let found = parts(text);
        let colours: Vec<_> = found.iter().filter(|(part, _)| *part != Part::Plain).copied().collect();
        assert_eq!(
            colours,
            [
                (Part::Key, r#""a \"b\"""#),
                (Part::Number, "-1.5e3"),
                (Part::Key, r#""c""#),
                (Part::Word, "true"),
                (Part::Text, r#""ü: x""#),
            ]
        );
    }

    #[test]
    fn nothing_is_lost() {
        for text in ["", "\"open", "§§ é 12 -", "{\"a\":\n [null]}", "日本\"\\"] {
            let joined: String = parts(text).into_iter().map(|(_, part)| part).collect();
            assert_eq!(joined, text);
        }
    }
}
