//! Documents that were not equal at first sight, and how stored documents are found by the `_id`s of expected ones.

use super::compare::document_of;
use super::error::VerifyError;
use super::scan::Place;
use crate::assemble::Assembled;
use crate::data::decimal::same_value;
use crate::sink::Sink;
use bson::{RawBsonRef, RawDocumentBuf};
use std::collections::HashMap;

/// A document that is looked at again before anything is reported.
pub struct Pending {
    pub place: Place,
    /// What the rows gave when they were read last.
    pub expected: Assembled,
    /// What is stored; nothing where there is no such document.
    pub found: Option<Vec<u8>>,
}

impl Pending {
    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        self.expected.bson.len() + self.found.as_ref().map_or(0, Vec::len) + 256
    }
}

/// The element `_id` of a stored document, wherever it stands in it.
pub fn id_element(document: &RawDocumentBuf) -> Vec<u8> {
    let Ok(Some(value)) = document.get("_id") else {
        return Vec::new();
    };
    let mut only = RawDocumentBuf::new();
    only.append(bson::cstr!("_id"), bson::RawBson::from(value));
    let bytes = only.as_bytes();
    bytes[4..bytes.len() - 1].to_vec()
}

/// Gives each stored document to those of the expected ones that have its `_id`: first by its bytes, then, for documents
/// whose `_id` nobody has, by what MongoDB calls equal.
///
/// # Errors
/// When the destination does not answer.
pub async fn fetch(
    sink: &Sink,
    collection: &str,
    ids: &[Vec<u8>],
    mut each: impl FnMut(&[usize], RawDocumentBuf),
) -> Result<(), VerifyError> {
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::with_capacity(ids.len());
    for (place, id) in ids.iter().enumerate() {
        places.entry(id).or_default().push(place);
    }
    let asked: Vec<Vec<u8>> = places.keys().map(|id| id.to_vec()).collect();
    let mut documents = sink.fetch(collection, &asked);
    let (mut others, mut is_found) = (Vec::new(), vec![false; ids.len()]);
    while let Some(document) = documents.next().await? {
        match places.get(id_element(&document).as_slice()) {
            Some(own) => {
                own.iter().for_each(|place| is_found[*place] = true);
                each(own, document);
            }
            None => others.push(document),
        }
    }
    for document in others {
        let id = id_element(&document);
        let own = (0..ids.len()).find(|place| !is_found[*place] && same_id(&ids[*place], &id));
        if let Some(place) = own {
            is_found[place] = true;
            each(&[place], document);
        }
    }
    Ok(())
}

/// Whether MongoDB calls two `_id`s equal: it compares numbers of all types by value.
pub fn same_id(one: &[u8], other: &[u8]) -> bool {
    let (Some(one), Some(other)) = (document_of(one), document_of(other)) else {
        return false;
    };
    same_fields(&one, &other)
}

fn same_fields(one: &bson::RawDocument, other: &bson::RawDocument) -> bool {
    let (mut one, mut other) = (one.iter(), other.iter());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(Ok((a, x))), Some(Ok((b, y)))) if a.as_str() == b.as_str() && same_value_of(x, y) => {}
            _ => return false,
        }
    }
}

fn same_value_of(one: RawBsonRef<'_>, other: RawBsonRef<'_>) -> bool {
    match (one, other) {
        (RawBsonRef::Document(a), RawBsonRef::Document(b)) => same_fields(a, b),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b || same_value(&a, &b),
            _ => a == b,
        },
    }
}

fn number(value: RawBsonRef<'_>) -> Option<String> {
    match value {
        RawBsonRef::Int32(n) => Some(n.to_string()),
        RawBsonRef::Int64(n) => Some(n.to_string()),
        RawBsonRef::Double(n) => Some(n.to_string()),
        RawBsonRef::Decimal128(n) => Some(n.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Bson, Document, doc};

    fn element(id: impl Into<Bson>) -> Vec<u8> {
        let mut document = Document::new();
        document.insert("x", 1);
        document.insert("_id", id);
        id_element(&RawDocumentBuf::try_from(&document).unwrap())
    }

    #[test]
    fn ids_are_equal_as_mongodb_has_it() {
        let decimal = Bson::Decimal128("5.00".parse().unwrap());
        for other in [Bson::Int64(5), Bson::Double(5.0), decimal] {
            assert!(same_id(&element(5), &element(other)));
        }
        assert!(!same_id(&element(5), &element(6)));
        assert!(!same_id(&element(5), &element("5")));
        assert!(same_id(&element(doc! {"a": 1}), &element(doc! {"a": 1_i64})));
        assert!(!same_id(
            &element(doc! {"a": 1, "b": 2}),
            &element(doc! {"b": 2, "a": 1})
        ));
    }
}
