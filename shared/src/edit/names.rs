//! Which names are possible, and which are proposed.

use super::level::{self, clash};
use super::{Draft, EditReason, Part, Shape};
use crate::casing::{Casing, words};
use crate::ids::{CollectionId, MappingId};
use crate::schema::TableName;

/// The most parts that the dots of one name make.
const PARTS_MAX: usize = 50;
/// The longest name of a collection, in bytes, that leaves room for a database's name.
const COLLECTION_BYTES_MAX: usize = 190;

/// Whether MongoDB takes a field name; `in_root` of a document's first level.
///
/// # Errors
/// Why it does not.
pub fn check_field(name: &str, in_root: bool) -> Result<(), EditReason> {
    let invalid = |problem| EditReason::NameInvalid {
        name: name.replace('\0', "\\0"),
        problem,
    };
    let parts: Vec<&str> = name.split('.').collect();
    if name.trim().is_empty() {
        return Err(EditReason::NameBlank);
    }
    if parts.iter().any(|part| part.trim().is_empty()) {
        return Err(invalid("a part between its dots is blank"));
    }
    if name.contains('\0') {
        return Err(invalid("it holds a zero byte"));
    }
    if parts.len() > PARTS_MAX {
        return Err(invalid("it has more than 50 parts"));
    }
    if name.starts_with('$') {
        return Err(invalid("it starts with $"));
    }
    if in_root && parts[0] == "_id" {
        return Err(invalid(
            "_id is the key of the document: choose the key handling instead",
        ));
    }
    Ok(())
}

/// Whether MongoDB takes a name for a collection.
///
/// # Errors
/// Why it does not.
pub fn check_collection(name: &str) -> Result<(), EditReason> {
    let invalid = |problem| EditReason::NameInvalid {
        name: name.replace('\0', "\\0"),
        problem,
    };
    if name.trim().is_empty() {
        return Err(EditReason::NameBlank);
    }
    if name.contains(['$', '\0']) || name.starts_with('.') || name.starts_with("system.") {
        return Err(invalid("no $, no zero byte, no leading dot, no system."));
    }
    if name.len() > COLLECTION_BYTES_MAX {
        return Err(invalid("it has more than 190 bytes"));
    }
    Ok(())
}

/// A name for a collection of a table's documents that is free.
pub fn collection(draft: &Draft, table: &TableName) -> String {
    let name = crate::initial::collection_name(&table.table, draft.content.settings.casing);
    free_collection(draft, &name, None)
}

/// The name, with a number behind it where another collection has it.
pub fn free_collection(draft: &Draft, wanted: &str, except: Option<&CollectionId>) -> String {
    let others = draft.content.collections.iter();
    let others: Vec<&str> = others
        .filter(|(id, _)| Some(*id) != except)
        .map(|(_, c)| c.name.as_str())
        .collect();
    numbered(wanted, |name| others.contains(&name))
}

/// A field name for a table below a parent: after the parent's column for a document (`customer_id` → `customer`), after
/// the table for an array, without what it has in common with the parent's name (`order_lines` in `orders` → `lines`).
/// `pairs` are the columns of the parent and of the table, where the parent refers. `None` for what is merged.
pub fn embedding(
    draft: &Draft,
    parent: &MappingId,
    table: &TableName,
    shape: Shape,
    pairs: &[(String, String)],
) -> Option<String> {
    let casing = draft.content.settings.casing;
    let above = draft
        .table_of(parent)
        .map(|(path, _)| path.table.clone())
        .unwrap_or_default();
    let wanted = match shape {
        Shape::Merged => return None,
        Shape::Document => match pairs {
            // A column that is named as the key that it refers to says nothing of the table: `sku` of `product`.
            [(column, own)] if column != own => without_id(column).unwrap_or_else(|| table.table.clone()),
            [(column, _)] => without_id(column)
                .filter(|name| name != column)
                .unwrap_or_else(|| table.table.clone()),
            _ => table.table.clone(),
        },
        Shape::Array | Shape::Values => plural(&without_parent(&table.table, &above)),
    };
    let name = casing.apply(&wanted);
    Some(free(draft, &level::owner(draft, parent), &name, None))
}

/// The name with a number behind it where it cannot stand beside the others of a level. `except` is what has it now.
pub fn free(draft: &Draft, owner: &MappingId, wanted: &str, except: Option<(&MappingId, &Part)>) -> String {
    let names = level::names(draft, owner);
    let others: Vec<&str> = names
        .iter()
        .filter(|named| except != Some((&named.rule, &named.part)))
        .map(|named| named.name.as_str())
        .collect();
    let is_root = draft.is_root(owner);
    let is_taken = |name: &str| others.iter().any(|other| clash(name, other)) || (is_root && name == "_id");
    // Where a value stands in the way of an object, it is the object that needs another name: no ending of the whole
    // would do.
    let blocks = |other: &&&str| wanted.strip_prefix(**other).is_some_and(|rest| rest.starts_with('.'));
    match others.iter().find(blocks) {
        None => numbered(wanted, is_taken),
        Some(value) => {
            let rest = &wanted[value.len()..];
            let all = (2..).map(|n| format!("{value}{n}{rest}"));
            all.take(NUMBERS_MAX)
                .find(|name| !is_taken(name))
                .unwrap_or_else(|| wanted.to_owned())
        }
    }
}

/// How far names are numbered where even that may not help: objects in objects.
const NUMBERS_MAX: usize = 10_000;

/// A name of a column beside what its table has already: `label` of `order_status` → `orderStatusLabel`.
pub fn qualified(casing: Casing, table: &str, column: &str) -> String {
    casing.apply(&format!("{table}_{column}"))
}

fn numbered(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbers = (2..).map(|n| format!("{wanted}{n}"));
    std::iter::once(wanted.to_owned())
        .chain(numbers)
        .find(|name| !is_taken(name))
        .expect("the numbers do not end")
}

/// A column's name without its last word, where that says that it is a key.
fn without_id(column: &str) -> Option<String> {
    let words = words(column);
    let (last, rest) = words.split_last()?;
    let is_key = ["id", "key", "code", "fk", "no", "nr", "uuid"].contains(&last.to_lowercase().as_str());
    match (is_key, rest.is_empty()) {
        (true, false) => Some(rest.join("_")),
        (true, true) => None,
        (false, _) => Some(column.to_owned()),
    }
}

/// A table's name without the words that it shares with its parent's.
fn without_parent(table: &str, parent: &str) -> String {
    let (own, above) = (words(table), words(parent));
    let same = |a: &String, b: &String| singular(&a.to_lowercase()) == singular(&b.to_lowercase());
    let starts_with = |words: &[String]| {
        !words.is_empty() && words.len() < own.len() && own.iter().zip(words).all(|(a, b)| same(a, b))
    };
    // A link table that names both sides: `playlist_track` below `track`.
    let kept = own.len().saturating_sub(above.len());
    if !above.is_empty() && kept > 0 && own[kept..].iter().zip(&above).all(|(a, b)| same(a, b)) {
        return own[..kept].join("_");
    }
    // All words of the parent, or its last one: `order_line` below `sales_order`.
    let shared = match above.split_last() {
        _ if starts_with(&above) => above.len(),
        Some((last, _)) if starts_with(std::slice::from_ref(last)) => 1,
        _ => 0,
    };
    own[shared..].join("_")
}

/// The plural of an English word's usual kind; a word in plural stays.
fn plural(name: &str) -> String {
    let lower = name.to_lowercase();
    if !name.is_ascii() || lower.ends_with('s') || lower.is_empty() {
        return name.to_owned();
    }
    let ends = |end: &str| lower.ends_with(end);
    let is_upper = name.chars().any(|c| c.is_ascii_uppercase()) && !name.chars().any(|c| c.is_ascii_lowercase());
    let (kept, end) = if ends("y") && !["ay", "ey", "oy", "uy"].iter().any(|e| ends(e)) {
        (&name[..name.len() - 1], "ies")
    } else if ends("x") || ends("ch") || ends("sh") {
        (name, "es")
    } else {
        (name, "s")
    };
    format!("{kept}{}", if is_upper { end.to_uppercase() } else { end.to_owned() })
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_with_the_parent_goes() {
        let check = |table: &str, parent: &str, expected: &str| {
            assert_eq!(
                Casing::CamelCase.apply(&plural(&without_parent(table, parent))),
                expected
            );
        };
        check("order_lines", "orders", "lines");
        check("order_line", "sales_order", "lines");
        check("OrderDetails", "Orders", "details");
        check("film_category", "film", "categories");
        check("playlist_track", "track", "playlists");
        check("address", "customer", "address");
        check("payment", "payment", "payments");
        check("INVOICE_LINE", "INVOICE", "lines");
        check("größe", "artikel", "größe");
    }

    #[test]
    fn a_document_is_named_after_the_column_that_refers_to_it() {
        assert_eq!(without_id("customer_id").as_deref(), Some("customer"));
        assert_eq!(without_id("CustomerID").as_deref(), Some("Customer"));
        assert_eq!(without_id("bill_to").as_deref(), Some("bill_to"));
        assert_eq!(without_id("id"), None);
    }

    #[test]
    fn names_that_mongodb_does_not_take() {
        for name in ["", " ", "a..b", ".", "$a", "a\0", &"a.".repeat(51)] {
            assert!(check_field(name, false).is_err(), "{name}");
        }
        assert!(check_field("_id", true).is_err() && check_field("_id.x", true).is_err());
        for name in ["a", "a.b", "_id", "שם", "a$"] {
            assert_eq!(check_field(name, false), Ok(()), "{name}");
        }
        for name in ["", "a$b", ".a", "system.users", &"ש".repeat(200)] {
            assert!(check_collection(name).is_err(), "{name}");
        }
    }
}
