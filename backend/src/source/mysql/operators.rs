//! When two columns can be compared, and under which collation: the server's rules, without its settings.
//! <https://dev.mysql.com/doc/refman/5.7/en/charset-collation-coercibility.html>

use super::columns::Kind;
use crate::data::catalog::CatalogColumn;
use crate::data::equality::{Collation, Equality, EqualityCollation, RowOperators};

/// A collation by its name. The server's own numbers are not known of all of them, so the name makes the number.
pub fn collation_named(name: &str) -> Collation {
    // FNV-1a.
    let id = name.bytes().fold(0x811c_9dc5u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    Collation {
        id,
        sql: name.to_owned(),
        is_deterministic: name.ends_with("_bin") && !has_padding(name),
        is_default: false,
    }
}

/// Whether blanks at the end of a text do not count.
pub fn has_padding(name: &str) -> bool {
    !(name.contains("nopad") || name.contains("_0900_") || name == "binary")
}

/// The character set that a collation is for.
pub fn charset_of(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// How a column's values are told apart among themselves.
pub fn own_equality(kind: &Kind, collation: Option<&Collation>, type_name: &str) -> Equality {
    Equality {
        operator: "=".into(),
        casts: [None, None],
        collation: collation
            .cloned()
            .map_or(EqualityCollation::None, EqualityCollation::Only),
        families: vec![kind.family()],
        shown: format!("{type_name} = {type_name}"),
    }
}

/// What a number or a date is made of to be compared with a text.
pub const AS_TEXT: &str = "CHAR";

/// The server's rules for columns that no key connects. One of them is not followed: it would compare a text with a number
/// as numbers, so that '1abc' is equal to 1; here both are texts.
#[derive(Debug)]
pub struct Operators;

impl RowOperators for Operators {
    fn equality(&self, referenced: &CatalogColumn, referencing: &CatalogColumn) -> Option<Equality> {
        let kinds = [Kind::of(referenced), Kind::of(referencing)];
        let of = |column: &CatalogColumn| column.type_text.split('(').next().unwrap_or_default().to_owned();
        let shown = format!("{} = {}", of(referenced), of(referencing));
        let plain = |families: Vec<u32>| Equality {
            operator: "=".into(),
            casts: [None, None],
            collation: EqualityCollation::None,
            families,
            shown: shown.clone(),
        };
        let [a, b] = &kinds;
        match (a, b) {
            _ if !referenced.is_orderable || !referencing.is_orderable => None,
            _ if a.is_text() && b.is_text() => {
                let (to, from) = (referenced.collation.as_ref()?, referencing.collation.as_ref()?);
                let collation = common(to, from)?;
                Some(Equality {
                    collation: EqualityCollation::Only(collation.clone()),
                    ..plain(vec![a.family()])
                })
            }
            _ if a.is_text() || b.is_text() => {
                let (text, other) = if a.is_text() { (referenced, b) } else { (referencing, a) };
                if *other == Kind::Binary {
                    return None;
                }
                let cast = |kind: &Kind| (!kind.is_text()).then(|| AS_TEXT.to_owned());
                Some(Equality {
                    casts: [cast(a), cast(b)],
                    collation: EqualityCollation::Only(text.collation.clone()?),
                    shown: format!("{shown}, as texts"),
                    // Only an index on the text finds anything.
                    ..plain(vec![Kind::Text.family()])
                })
            }
            _ if a.is_number() && b.is_number() => Some(plain(vec![a.family(), b.family()])),
            _ if a.is_date() && b.is_date() => Some(plain(vec![a.family()])),
            (Kind::Plain, Kind::Plain) => (referenced.cast == referencing.cast).then(|| plain(vec![a.family()])),
            _ => (a == b).then(|| plain(vec![a.family()])),
        }
    }
}

/// The collation under which two columns are compared; `None` where the server calls it an illegal mix.
fn common<'c>(a: &'c Collation, b: &'c Collation) -> Option<&'c Collation> {
    if a.id == b.id {
        return Some(a);
    }
    let charsets = [charset_of(&a.sql), charset_of(&b.sql)];
    if charsets[0] == charsets[1] {
        return match (a.sql.ends_with("_bin"), b.sql.ends_with("_bin")) {
            (true, false) => Some(a),
            (false, true) => Some(b),
            _ => None,
        };
    }
    // The one that holds all characters of the other.
    let rank = |charset: &str| match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" => 3,
        "utf8" | "utf8mb3" | "ucs2" => 2,
        "ascii" => 0,
        _ => 1,
    };
    match rank(charsets[0]).cmp(&rank(charsets[1])) {
        std::cmp::Ordering::Greater => Some(a),
        std::cmp::Ordering::Less => Some(b),
        std::cmp::Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Declared;
    use super::*;

    fn column(type_text: &str, collation: Option<&str>) -> CatalogColumn {
        Declared {
            name: "c".into(),
            data_type: type_text.split('(').next().unwrap_or_default().into(),
            type_text: type_text.into(),
            collation: collation.map(Into::into),
            ..Declared::default()
        }
        .column()
    }

    fn collation(a: &CatalogColumn, b: &CatalogColumn) -> Option<String> {
        match Operators.equality(a, b)?.collation {
            EqualityCollation::Only(only) => Some(only.sql),
            EqualityCollation::None | EqualityCollation::Any => Some(String::new()),
        }
    }

    #[test]
    fn collations_meet_as_the_server_lets_them() {
        let text = |name: &str| column("varchar(10)", Some(name));
        let check = |a: &str, b: &str, expected: Option<&str>| {
            assert_eq!(collation(&text(a), &text(b)).as_deref(), expected, "{a} {b}");
        };
        check("utf8mb4_general_ci", "utf8mb4_general_ci", Some("utf8mb4_general_ci"));
        check("utf8mb4_general_ci", "utf8mb4_bin", Some("utf8mb4_bin"));
        check("utf8mb4_general_ci", "utf8mb4_unicode_ci", None);
        check("latin1_swedish_ci", "utf8mb4_general_ci", Some("utf8mb4_general_ci"));
        check("latin1_swedish_ci", "greek_general_ci", None);
    }

    #[test]
    fn a_text_and_a_number_are_compared_as_texts() {
        let (number, text) = (
            column("int(11)", None),
            column("varchar(10)", Some("utf8mb4_general_ci")),
        );
        let equality = Operators.equality(&text, &number).unwrap();
        assert_eq!(equality.casts, [None, Some(AS_TEXT.to_owned())]);
        assert_eq!(collation(&number, &column("decimal(5,2)", None)).as_deref(), Some(""));
        assert_eq!(collation(&number, &column("date", None)), None);
        assert_eq!(collation(&column("json", None), &column("json", None)), None);
    }
}
