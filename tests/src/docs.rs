//! Documents compared exactly: BSON types, field order, NaN and negative zero count; the order of documents does not.

use bson::{Bson, Document};
use futures_util::TryStreamExt;
use mongodb::Database;
use std::str::FromStr;

/// All documents of a collection, ordered by their `_id`.
pub async fn documents(database: &Database, collection: &str) -> Vec<Document> {
    let cursor = database
        .collection::<Document>(collection)
        .find(Document::new())
        .await
        .expect("find works");
    let mut all: Vec<Document> = cursor.try_collect().await.expect("the documents can be read");
    all.sort_by_cached_key(|d| d.get("_id").map(canonical));
    all
}

/// The documents without their `_id`, for generated keys, ordered by their text.
pub async fn without_ids(database: &Database, collection: &str) -> Vec<Document> {
    let mut all = documents(database, collection).await;
    for document in &mut all {
        document.remove("_id");
    }
    all.sort_by_cached_key(text);
    all
}

/// The bytes of all documents, ordered: what is equal here is equal in every respect.
pub async fn raw_documents(database: &Database, collection: &str) -> Vec<Vec<u8>> {
    let cursor = database
        .collection::<bson::RawDocumentBuf>(collection)
        .find(Document::new())
        .await
        .expect("find works");
    let all: Vec<bson::RawDocumentBuf> = cursor.try_collect().await.expect("the documents can be read");
    let mut all: Vec<Vec<u8>> = all.into_iter().map(bson::RawDocumentBuf::into_bytes).collect();
    all.sort();
    all
}

/// Compares a collection with what it must hold, in any order of documents.
#[track_caller]
pub fn assert_documents(found: &[Document], expected: &[Document]) {
    if let Some(difference) = difference(found, expected) {
        panic!("{difference}");
    }
}

/// What is missing and what is too much, in any order of documents; `None` where both are equal.
pub fn difference(found: &[Document], expected: &[Document]) -> Option<String> {
    let lines = |documents: &[Document]| {
        let mut lines: Vec<String> = documents.iter().map(text).collect();
        lines.sort();
        lines
    };
    let (found, expected) = (lines(found), lines(expected));
    if found == expected {
        return None;
    }
    let missing = subtract(&expected, &found);
    let unexpected = subtract(&found, &expected);
    Some(format!(
        "{} documents, expected {}\nmissing:\n  {}\nunexpected:\n  {}",
        found.len(),
        expected.len(),
        shown(&missing),
        shown(&unexpected)
    ))
}

/// Reads a collection and compares it.
pub async fn expect(database: &Database, collection: &str, expected: &[Document]) {
    assert_documents(&documents(database, collection).await, expected);
}

/// Names of the collections that hold anything, in order.
pub async fn collections(database: &Database) -> Vec<String> {
    let mut names = database
        .list_collection_names()
        .await
        .expect("the collections can be listed");
    names.sort();
    names
}

/// `decimal("1.10")`: the Decimal128 that is written so.
pub fn decimal(text: &str) -> Bson {
    Bson::Decimal128(bson::Decimal128::from_str(text).expect("a decimal"))
}

/// `date("2024-01-31T00:00:00Z")`
pub fn date(rfc3339: &str) -> Bson {
    Bson::DateTime(bson::DateTime::parse_rfc3339_str(rfc3339).expect("an RFC 3339 time"))
}

/// `binary(&[1, 2])`: subtype 0.
pub fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    })
}

/// Canonical extended JSON: every type is written out, fields keep their order.
pub fn text(document: &Document) -> String {
    canonical(&Bson::Document(document.clone()))
}

fn canonical(value: &Bson) -> String {
    value.clone().into_canonical_extjson().to_string()
}

/// The lines of `from` that `what` does not have, with their number of times. Both are sorted.
fn subtract(from: &[String], what: &[String]) -> Vec<String> {
    let mut rest = what.iter().peekable();
    let mut left = from.to_vec();
    left.retain(|line| {
        while rest.next_if(|r| *r < line).is_some() {}
        rest.next_if(|r| *r == line).is_none()
    });
    left
}

fn shown(lines: &[String]) -> String {
    let mut out = lines[..lines.len().min(10)].join("\n  ");
    if lines.len() > 10 {
        out.push_str(&format!("\n  and {} more", lines.len() - 10));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn the_order_of_documents_does_not_count() {
        assert_documents(&[doc! {"_id": 2}, doc! {"_id": 1}], &[doc! {"_id": 1}, doc! {"_id": 2}]);
    }

    #[test]
    #[should_panic(expected = "missing")]
    fn the_order_of_fields_counts() {
        assert_documents(&[doc! {"a": 1, "b": 2}], &[doc! {"b": 2, "a": 1}]);
    }

    #[test]
    #[should_panic(expected = "missing")]
    fn types_count() {
        assert_documents(&[doc! {"a": 1}], &[doc! {"a": 1i64}]);
    }

    #[test]
    #[should_panic(expected = "unexpected:\n  {\"a\":{\"$numberInt\":\"1\"}}")]
    fn the_number_of_equal_documents_counts() {
        assert_documents(&[doc! {"a": 1}, doc! {"a": 1}], &[doc! {"a": 1}]);
    }

    #[test]
    fn not_a_number_equals_itself() {
        assert_documents(&[doc! {"a": f64::NAN}], &[doc! {"a": f64::NAN}]);
    }
}
