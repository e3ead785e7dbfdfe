//! Names and values as SQL.

use crate::data::catalog::CatalogColumn;
use crate::source::mysql::columns::{Kind, members};
use godwit_shared::schema::TableName;

/// A name as SQL.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A table as SQL.
pub fn table_name(name: &TableName) -> String {
    format!("{}.{}", quote(&name.schema), quote(&name.table))
}

/// A text as an SQL literal that means the same whether a backslash is an escape or not.
pub fn literal(text: &str) -> String {
    if text.contains(['\\', '\0', '\u{1a}']) {
        format!("_utf8mb4 {}", bytes_literal(text.as_bytes()))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// The same in a list: all of them have one collation, whatever the character set's own is.
pub(super) fn listed(text: &str) -> String {
    match literal(text) {
        hex if hex.starts_with("_utf8mb4") => format!("{hex} COLLATE utf8mb4_general_ci"),
        quoted => quoted,
    }
}

/// A pattern that finds a text anywhere in another; `|` escapes.
pub fn listed_pattern(text: &str) -> String {
    let escaped = text.replace('|', "||").replace('%', "|%").replace('_', "|_");
    listed(&format!("%{escaped}%"))
}

fn bytes_literal(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
    format!("X'{digits}'")
}

/// A printed value of a column as a literal of its type. What is no such value becomes a text, which is equal to none.
pub fn literal_of(column: &CatalogColumn, printed: &str) -> String {
    let kind = Kind::of(column);
    match kind {
        Kind::Float | Kind::Double if is_number(printed) => match printed.contains(['e', 'E']) {
            true => printed.to_owned(),
            // Without an exponent it would be a decimal.
            false => format!("{printed}e0"),
        },
        _ if kind.is_number() && is_number(printed) => printed.to_owned(),
        Kind::Binary | Kind::Geometry => match printed.strip_prefix("0x") {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => format!("X'{digits}'"),
            _ => literal(printed),
        },
        _ => literal(printed),
    }
}

/// A bound of a range: labels are in the order of their numbers.
pub(super) fn bound_of(column: &CatalogColumn, printed: &str) -> String {
    let members = || members(&column.type_text);
    match Kind::of(column) {
        Kind::Enum => {
            let place = members().iter().position(|m| m == printed);
            place.map_or(0, |place| place + 1).to_string()
        }
        Kind::Set => {
            let all = members();
            let bits = printed.split(',').filter_map(|p| all.iter().position(|m| m == p));
            bits.fold(0u64, |sum, bit| sum | 1u64.checked_shl(bit as u32).unwrap_or(0))
                .to_string()
        }
        _ => literal_of(column, printed),
    }
}

/// Whether a text is a number that may stand in a query as it is.
pub fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = |part: &str| part.strip_prefix(['-', '+']).unwrap_or(part).to_owned();
    let (mantissa, exponent) = (digits(mantissa), digits(exponent));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    (!whole.is_empty() || !fraction.is_empty())
        && is_digits(whole)
        && is_digits(fraction)
        && !exponent.is_empty()
        && is_digits(&exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::mysql::columns::Declared;

    fn column(data_type: &str, type_text: &str) -> CatalogColumn {
        Declared {
            name: "c".into(),
            data_type: data_type.into(),
            type_text: type_text.into(),
            collation: Some("latin1_swedish_ci".into()),
            ..Declared::default()
        }
        .column()
    }

    #[test]
    fn names_and_values_are_quoted() {
        assert_eq!(quote("a`b.c"), "`a``b.c`");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "_utf8mb4 X'615C2762'");
        assert_eq!(literal("\0"), "_utf8mb4 X'00'");
        assert_eq!(table_name(&TableName::new("my db", "t`")), "`my db`.`t```");
    }

    #[test]
    fn values_are_literals_of_their_type() {
        let of = |data_type: &str, printed: &str| literal_of(&column(data_type, data_type), printed);
        assert_eq!(of("bigint", "-5"), "-5");
        assert_eq!(of("bigint", "1 OR 1=1"), "'1 OR 1=1'");
        assert_eq!(of("float", "1.5"), "1.5e0");
        assert_eq!(of("double", "1e300"), "1e300");
        assert_eq!(of("varbinary", "0x00FF"), "X'00FF'");
        assert_eq!(of("varbinary", "0xZZ"), "'0xZZ'");
        assert_eq!(of("date", "2020-00-15"), "'2020-00-15'");
        for bad in ["", "-", "1e", "e5", "0x1", "1-1", "1;", "--1", "1.2.3", "NaN", "."] {
            assert!(!is_number(bad), "{bad}");
        }
        for good in ["0", "-1.50", "+.5", "1.", "1e-5", "18446744073709551615"] {
            assert!(is_number(good), "{good}");
        }
    }

    #[test]
    fn labels_are_bounded_by_their_numbers() {
        assert_eq!(bound_of(&column("enum", "enum('b','a')"), "a"), "2");
        assert_eq!(bound_of(&column("set", "set('x','y','z')"), "x,z"), "5");
        assert_eq!(bound_of(&column("set", "set('x','y','z')"), ""), "0");
    }
}
