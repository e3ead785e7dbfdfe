//! What a command prints: results to standard output, errors and progress to standard error. A reader that goes away ends
//! the command quietly.

use super::exit::Failure;
use crate::config::Format;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    is_json: bool,
}

impl Output {
    pub fn new(format: Format) -> Self {
        let is_json = match format {
            Format::Auto => !io::stdout().is_terminal(),
            Format::Text => false,
            Format::Json => true,
        };
        Self { is_json }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// Prints one JSON value as a line, where a program reads.
    pub fn json(&self, value: &impl Serialize) {
        if self.is_json {
            let text = serde_json::to_string(value).unwrap_or_default();
            print(&(text + "\n"));
        }
    }

    /// Prints text, where a person reads.
    pub fn text(&self, text: impl AsRef<str>) {
        if !self.is_json {
            print(&(text.as_ref().to_owned() + "\n"));
        }
    }

    /// Prints a text as it is, whoever reads: a file that goes to standard output.
    pub fn raw(&self, text: &str) {
        print(text);
    }

    /// Tells a person something that is no result.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.is_json {
            let _ = writeln!(io::stderr(), "{}", plain(text.as_ref()));
        }
    }

    /// Prints an error: a sentence and what to do, or the same as JSON.
    pub fn failure(&self, failure: &Failure) {
        let mut error = io::stderr().lock();
        let _ = match self.is_json {
            true => writeln!(error, "{}", failure.to_json()),
            false => {
                let hint = failure
                    .hint
                    .iter()
                    .map(|hint| format!("\n  {}", hint.replace('\n', "\n  ")));
                let text = format!("godwit: {}{}", failure.message, hint.collect::<String>());
                writeln!(error, "{}", plain(&text))
            }
        };
    }

    /// Prints rows of texts under headings, where a person reads.
    pub fn table(&self, headings: &[&str], rows: &[Vec<String>]) {
        if self.is_json {
            return;
        }
        let headings: Vec<String> = headings.iter().map(|h| h.to_uppercase()).collect();
        let width = |column: usize| {
            let cells = rows.iter().chain([&headings]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let mut text = String::new();
        for row in [&headings].into_iter().chain(rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        print(&text);
    }
}

/// Control characters of names and messages do not reach a terminal.
pub fn plain(text: &str) -> String {
    let is_fine = |c: char| !c.is_control() || c == '\n' || c == '\t';
    text.chars().map(|c| if is_fine(c) { c } else { '\u{fffd}' }).collect()
}

fn print(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(plain(text).as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written {
        // `godwit … | head` has had enough: nobody is left to tell.
        let code = if error.kind() == ErrorKind::BrokenPipe { 0 } else { 1 };
        std::process::exit(code);
    }
}

/// Bytes as people read them.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// A number with separators between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds as people read them.
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A member of a JSON object as text; empty where it is not there.
pub fn member(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable() {
        assert_eq!([bytes(12), bytes(1536), bytes(3 << 30)], ["12 B", "1.5 KiB", "3.0 GiB"]);
        assert_eq!([count(0), count(999), count(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!(
            [duration(59), duration(61), duration(7_260)],
            ["59 s", "1 min 1 s", "2 h 1 min"]
        );
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\nc");
    }
}
