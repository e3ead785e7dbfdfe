//! Lists of keys that the source is given, as arrays of printed values.

use super::literal;
use crate::data::catalog::CatalogColumn;
use crate::source::postgres::values::array_element;

/// The type of one part of a list of keys.
#[derive(Clone, Copy)]
pub(super) struct KeyPart<'a> {
    cast: &'a str,
    /// Such values go as texts.
    comes_apart: bool,
}

impl<'a> KeyPart<'a> {
    pub(super) const TEXT: KeyPart<'static> = KeyPart {
        cast: "pg_catalog.text",
        comes_apart: false,
    };

    pub(super) fn of(column: &'a CatalogColumn) -> Self {
        Self {
            cast: &column.cast,
            comes_apart: column.comes_apart,
        }
    }
}

/// An array literal of printed values.
pub(super) fn array_of<'v>(values: impl Iterator<Item = Option<&'v str>>, part: KeyPart<'_>) -> String {
    let items: Vec<String> = values
        .map(|v| v.map_or_else(|| "NULL".to_owned(), array_element))
        .collect();
    let cast = if part.comes_apart {
        KeyPart::TEXT.cast
    } else {
        part.cast
    };
    format!("{}::{cast}[]", literal(&format!("{{{}}}", items.join(","))))
}

/// `unnest` of one array for each column, with the number of each element: `k(k1, k2, ..., n)`. `parts` are the types
/// of the values; [`key_name`] refers to one.
pub(super) fn key_list(keys: &[&Vec<Option<&str>>], columns: &[usize], parts: &[KeyPart<'_>]) -> String {
    if columns.is_empty() {
        return format!("pg_catalog.generate_series(1, {}) AS k(n)", keys.len());
    }
    let arrays: Vec<String> = (columns.iter().zip(parts))
        .map(|(i, part)| array_of(keys.iter().map(|k| k[*i]), *part))
        .collect();
    let names: Vec<String> = (1..=columns.len()).map(|i| format!("k{i}, ")).collect();
    format!("{} AS k({}n)", unnested(&arrays), names.concat())
}

/// The elements of several arrays side by side, numbered. (The server spells `unnest` of several out so, but only without
/// its schema.)
pub(super) fn unnested(arrays: &[String]) -> String {
    let each: Vec<String> = arrays.iter().map(|a| format!("pg_catalog.unnest({a})")).collect();
    match each.as_slice() {
        [one] => format!("{one} WITH ORDINALITY"),
        several => format!("ROWS FROM ({}) WITH ORDINALITY", several.join(", ")),
    }
}

/// A value of [`key_list`].
pub(super) fn key_name(place: usize, part: KeyPart<'_>) -> String {
    let number = place + 1;
    match part.comes_apart {
        true => format!("k.k{number}::{}", part.cast),
        false => format!("k.k{number}"),
    }
}
