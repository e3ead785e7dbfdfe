//! Lists of keys that the source is given, and how many go into one statement.

use super::literals::{listed, literal_of};
use crate::data::catalog::CatalogColumn;
use crate::source::mysql::columns::Kind;
use crate::source::mysql::flavor::Server;
use std::ops::Range;

/// Keys in one list of literals. Every row of it costs the parser of MySQL as much as a small query.
const KEYS_MAX: usize = 500;
/// Where they are values of one statement.
const VALUES_MAX: usize = 4_000;
/// Bytes of keys in one statement: well below the smallest packet that servers take by default.
const KEY_BYTES_MAX: usize = 1 << 20;

/// Parts of a list of keys that each fit one statement. `bytes` tells the length of a key.
pub(super) fn parts(count: usize, keys_max: usize, bytes: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut size) = (Vec::new(), 0, 0);
    for key in 0..count {
        let length = bytes(key) + 16;
        if key > start && (key - start >= keys_max || size + length > KEY_BYTES_MAX) {
            parts.push(start..key);
            (start, size) = (key, 0);
        }
        size += length;
    }
    if start < count {
        parts.push(start..count);
    }
    parts
}

/// How many keys a list may have on this server.
pub(super) fn list_max(server: &Server) -> usize {
    if server.has_value_lists() { VALUES_MAX } else { KEYS_MAX }
}

pub(super) const IN_MAX: usize = VALUES_MAX;

/// A list of keys with their numbers from 0, as a table `k(n, k0, k1, ...)`. `rows` are literals of [`key_literal`].
pub(super) fn key_list(server: &Server, rows: impl Iterator<Item = (usize, Vec<String>)>) -> String {
    let mut all: Vec<String> = Vec::new();
    for (number, values) in rows {
        let is_first = all.is_empty();
        let named = |(i, value): (usize, String)| if is_first { format!("{value} AS k{i}") } else { value };
        let values: Vec<String> = values.into_iter().enumerate().map(named).collect();
        let values: String = values.iter().map(|v| format!(", {v}")).collect();
        all.push(match (is_first, server.has_value_lists()) {
            (true, _) => format!("SELECT {number} AS n{values}"),
            (false, true) => format!("({number}{values})"),
            (false, false) => format!("SELECT {number}{values}"),
        });
    }
    let list = match (all.split_first(), server.has_value_lists()) {
        (None, _) => "SELECT 0 AS n".to_owned(),
        (Some((first, rest)), true) if !rest.is_empty() => format!("{first} UNION ALL VALUES {}", rest.join(", ")),
        _ => all.join(" UNION ALL "),
    };
    format!("({list}) AS k")
}

/// A printed value in such a list.
pub(super) fn key_literal(column: &CatalogColumn, printed: Option<&str>) -> String {
    let kind = Kind::of(column);
    match printed {
        None => "NULL".into(),
        // The type of a list is that of all its values together, and of numbers with and without a sign MySQL takes one
        // that cannot hold both.
        Some(text) if is_unsigned(column, &kind) => format!("CAST({} AS UNSIGNED)", literal_of(column, text)),
        Some(text) if kind.is_number() || kind == Kind::Binary => literal_of(column, text),
        Some(text) => listed(text),
    }
}

fn is_unsigned(column: &CatalogColumn, kind: &Kind) -> bool {
    *kind == Kind::Bits || (*kind == Kind::Integer && column.type_text.contains("unsigned"))
}

/// A value of such a list.
pub(super) fn key_name(place: usize) -> String {
    format!("k.k{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_as_the_server_reads_it() {
        let rows = || (0..2).map(|n| (n, vec![format!("'{n}'")]));
        let mysql = Server::parse("5.7.29", "");
        assert_eq!(
            key_list(&mysql, rows()),
            "(SELECT 0 AS n, '0' AS k0 UNION ALL SELECT 1, '1') AS k"
        );
        let mariadb = Server::parse("10.11.6-MariaDB", "");
        assert_eq!(
            key_list(&mariadb, rows()),
            "(SELECT 0 AS n, '0' AS k0 UNION ALL VALUES (1, '1')) AS k"
        );
        assert_eq!(key_list(&mariadb, rows().take(1)), "(SELECT 0 AS n, '0' AS k0) AS k");
    }

    #[test]
    fn parts_hold_all_keys_once() {
        assert!(parts(0, 2, |_| 1).is_empty());
        assert_eq!(parts(5, 2, |_| 1), [0..2, 2..4, 4..5]);
        assert_eq!(parts(3, 9, |_| KEY_BYTES_MAX), [0..1, 1..2, 2..3]);
    }
}
