//! Whether two documents are the same, and where they differ.
//!
//! | values | are equal when |
//! | --- | --- |
//! | doubles | their bits are; all NaN are one |
//! | decimals | they are the same number (`1.0` and `1.00`), or both NaN |
//! | texts, binaries, ObjectIds | their bytes are |
//! | dates | they are, to the millisecond |
//! | arrays | length and elements are, in their order |
//! | documents | the fields are; another order is a finding of its own, for the contract says which order there is |
//! | null and absent | never: which of the two it is says the rule |
//! | other pairs of types | never: an int is no long |

use crate::data::decimal::same_value;
use bson::{RawArray, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use godwit_shared::verification::{Difference, FindingKind, VerificationOptions};
use std::collections::{HashMap, HashSet};

/// Differences of one document that are kept.
pub const DIFFERENCES_MAX: usize = 20;
/// Characters of a value that are kept.
const VALUE_CHARS_MAX: usize = 500;

/// How documents are compared.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Another order of fields is no difference: anywhere, or at the top alone.
    pub order: Order,
    /// Blanks at the end of a text say nothing.
    pub ignore_trailing_blanks: bool,
    /// Fields whose values are different each time, by their paths without the numbers of elements.
    pub ignored: HashSet<String>,
}

/// Where the order of fields counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    #[default]
    Everywhere,
    /// MongoDB gives the documents of a time series an order of its own at the top.
    BelowTheTop,
    /// Only in `_id`, where MongoDB itself tells two orders apart.
    InIdAlone,
}

impl Rules {
    pub fn of(options: &VerificationOptions, is_time_series: bool) -> Self {
        Self {
            order: match (options.ignore_field_order, is_time_series) {
                (true, _) => Order::InIdAlone,
                (false, true) => Order::BelowTheTop,
                (false, false) => Order::Everywhere,
            },
            ignore_trailing_blanks: options.ignore_trailing_blanks,
            ignored: HashSet::new(),
        }
    }

    /// Where a stored document differs from the expected one; nothing where it does not.
    pub fn compare(&self, expected: &[u8], found: &[u8]) -> Vec<Difference> {
        if expected == found {
            return Vec::new();
        }
        let mut comparison = Comparison {
            rules: self,
            differences: Vec::new(),
            path: Vec::new(),
        };
        match (RawDocument::from_bytes(expected), RawDocument::from_bytes(found)) {
            (Ok(expected), Ok(found)) => comparison.documents(expected, found),
            _ => comparison.add(FindingKind::FieldValue, None, None),
        }
        comparison.differences
    }
}

struct Comparison<'r> {
    rules: &'r Rules,
    differences: Vec<Difference>,
    path: Vec<String>,
}

impl Comparison<'_> {
    fn is_full(&self) -> bool {
        self.differences.len() >= DIFFERENCES_MAX
    }

    fn add(&mut self, kind: FindingKind, expected: Option<RawBsonRef<'_>>, found: Option<RawBsonRef<'_>>) {
        if self.is_full() || self.is_ignored() {
            return;
        }
        self.differences.push(Difference {
            kind,
            path: self.path.join("."),
            expected: expected.map(printed),
            found: found.map(printed),
        });
    }

    fn is_ignored(&self) -> bool {
        if self.rules.ignored.is_empty() {
            return false;
        }
        let named = self.path.iter().filter(|p| p.parse::<usize>().is_err());
        let mut so_far = String::new();
        for part in named {
            if !so_far.is_empty() {
                so_far.push('.');
            }
            so_far.push_str(part);
            if self.rules.ignored.contains(&so_far) {
                return true;
            }
        }
        false
    }

    fn order_counts(&self) -> bool {
        match self.rules.order {
            Order::Everywhere => true,
            Order::BelowTheTop => !self.path.is_empty(),
            Order::InIdAlone => self.path.first().is_some_and(|p| p == "_id"),
        }
    }

    fn documents(&mut self, expected: &RawDocument, found: &RawDocument) {
        let (Some(expected), Some(found)) = (fields(expected), fields(found)) else {
            return self.add(FindingKind::FieldValue, None, None);
        };
        // A name that is there twice, which nothing here writes, is its last value, and the other one unexpected.
        let places: HashMap<&str, usize> = found.iter().enumerate().map(|(i, (name, _))| (*name, i)).collect();
        let names: HashSet<&str> = expected.iter().map(|(name, _)| *name).collect();
        let (mut last, mut is_ordered, before) = (None, true, self.differences.len());
        for (name, value) in &expected {
            if self.is_full() {
                return;
            }
            self.path.push((*name).to_owned());
            match places.get(name) {
                None => self.add(FindingKind::FieldMissing, Some(*value), None),
                Some(place) => {
                    is_ordered &= last.is_none_or(|last| *place > last);
                    last = Some(*place);
                    self.values(*value, found[*place].1);
                }
            }
            self.path.pop();
        }
        for (place, (name, value)) in found.iter().enumerate() {
            let is_double = places.get(name) != Some(&place);
            if !names.contains(name) || is_double {
                self.path.push((*name).to_owned());
                self.add(FindingKind::FieldUnexpected, None, Some(*value));
                self.path.pop();
            }
        }
        if !is_ordered && self.order_counts() && self.differences.len() == before {
            self.add_order(&expected, &found);
        }
    }

    fn add_order(&mut self, expected: &[(&str, RawBsonRef<'_>)], found: &[(&str, RawBsonRef<'_>)]) {
        let names = |fields: &[(&str, RawBsonRef<'_>)]| {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            cut(&names.join(", "))
        };
        if self.is_full() {
            return;
        }
        self.differences.push(Difference {
            kind: FindingKind::FieldOrder,
            path: self.path.join("."),
            expected: Some(names(expected)),
            found: Some(names(found)),
        });
    }

    fn values(&mut self, expected: RawBsonRef<'_>, found: RawBsonRef<'_>) {
        match (expected, found) {
            (RawBsonRef::Document(e), RawBsonRef::Document(f)) => self.documents(e, f),
            (RawBsonRef::Array(e), RawBsonRef::Array(f)) => {
                let (Some(e), Some(f)) = (elements(e), elements(f)) else {
                    return self.add(FindingKind::FieldValue, None, None);
                };
                if e.len() != f.len() {
                    let (e, f) = (e.len() as i64, f.len() as i64);
                    self.add(
                        FindingKind::ArrayLength,
                        Some(RawBsonRef::Int64(e)),
                        Some(RawBsonRef::Int64(f)),
                    );
                }
                for (place, (e, f)) in e.iter().zip(&f).enumerate() {
                    if self.is_full() {
                        return;
                    }
                    self.path.push(place.to_string());
                    self.values(*e, *f);
                    self.path.pop();
                }
            }
            _ => match self.scalars(expected, found) {
                Equal::Yes => {}
                Equal::OtherValue => self.add(FindingKind::FieldValue, Some(expected), Some(found)),
                Equal::OtherType => self.add(FindingKind::FieldType, Some(expected), Some(found)),
            },
        }
    }

    fn scalars(&self, expected: RawBsonRef<'_>, found: RawBsonRef<'_>) -> Equal {
        let is_equal = match (expected, found) {
            (RawBsonRef::Double(e), RawBsonRef::Double(f)) => e.to_bits() == f.to_bits() || (e.is_nan() && f.is_nan()),
            (RawBsonRef::Decimal128(e), RawBsonRef::Decimal128(f)) => {
                let (e, f) = (e.to_string(), f.to_string());
                e == f || same_value(&e, &f)
            }
            (RawBsonRef::String(e), RawBsonRef::String(f)) if self.rules.ignore_trailing_blanks => {
                e.trim_end_matches(' ') == f.trim_end_matches(' ')
            }
            _ if expected.element_type() != found.element_type() => return Equal::OtherType,
            _ => expected == found,
        };
        if is_equal { Equal::Yes } else { Equal::OtherValue }
    }
}

enum Equal {
    Yes,
    OtherValue,
    OtherType,
}

fn fields(document: &RawDocument) -> Option<Vec<(&str, RawBsonRef<'_>)>> {
    document
        .iter()
        .map(|element| element.ok().map(|(name, value)| (name.as_str(), value)))
        .collect()
}

fn elements(array: &RawArray) -> Option<Vec<RawBsonRef<'_>>> {
    array.into_iter().map(Result::ok).collect()
}

/// Canonical extended JSON, cut where it is long.
pub fn printed(value: RawBsonRef<'_>) -> String {
    let text = match RawBson::from(value).try_into() {
        Ok(value) => extended(value).to_string(),
        Err(_) => "a value that cannot be read".into(),
    };
    cut(&text)
}

/// A value as canonical extended JSON.
pub fn extended(value: bson::Bson) -> serde_json::Value {
    value.into_canonical_extjson()
}

/// A whole document as canonical extended JSON.
pub fn extended_document(bytes: &[u8]) -> Option<serde_json::Value> {
    let document = bson::Document::from_reader(bytes).ok()?;
    Some(extended(bson::Bson::Document(document)))
}

/// The `_id` of an element of raw BSON as canonical extended JSON.
pub fn extended_id(element: &[u8]) -> serde_json::Value {
    let document = document_of(element);
    let value = document.as_ref().and_then(|d| d.get("_id").ok().flatten());
    let value: Option<bson::Bson> = value.and_then(|v| RawBson::from(v).try_into().ok());
    value.map_or(serde_json::Value::Null, extended)
}

/// A document of one element.
pub fn document_of(element: &[u8]) -> Option<RawDocumentBuf> {
    let mut document = Vec::with_capacity(element.len() + 5);
    document.extend_from_slice(&(element.len() as i32 + 5).to_le_bytes());
    document.extend_from_slice(element);
    document.push(0);
    RawDocumentBuf::from_bytes(document).ok()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(VALUE_CHARS_MAX).chain(" …".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Bson, Document, doc};

    fn bytes(document: &Document) -> Vec<u8> {
        RawDocumentBuf::try_from(document).unwrap().into_bytes()
    }

    fn check_with(rules: &Rules, expected: Document, found: Document) -> Vec<String> {
        let differences = rules.compare(&bytes(&expected), &bytes(&found));
        differences.iter().map(|d| format!("{:?} {}", d.kind, d.path)).collect()
    }

    fn check(expected: Document, found: Document) -> Vec<String> {
        check_with(&Rules::default(), expected, found)
    }

    fn decimal(text: &str) -> Bson {
        Bson::Decimal128(text.parse().unwrap())
    }

    #[test]
    fn equal_documents_have_no_differences() {
        let document = doc! {"_id": 1, "a": [1, {"b": Bson::Null}], "d": decimal("1.5"), "n": f64::NAN};
        assert_eq!(check(document.clone(), document), [""; 0]);
        assert_eq!(check(doc! {}, doc! {}), [""; 0]);
    }

    #[test]
    fn doubles_are_compared_by_their_bits() {
        let next = f64::from_bits(0.1f64.to_bits() + 1);
        assert_eq!(check(doc! {"a": 0.1}, doc! {"a": next}), ["FieldValue a"]);
        assert_eq!(check(doc! {"a": 0.0}, doc! {"a": -0.0}), ["FieldValue a"]);
        let other_nan = f64::from_bits(f64::NAN.to_bits() | 1);
        assert_eq!(check(doc! {"a": f64::NAN}, doc! {"a": other_nan}), [""; 0]);
        assert_eq!(
            check(doc! {"a": f64::INFINITY}, doc! {"a": f64::NEG_INFINITY}),
            ["FieldValue a"]
        );
    }

    #[test]
    fn decimals_are_compared_as_numbers() {
        let of = |text: &str| doc! {"a": decimal(text)};
        assert_eq!(check(of("1.0"), of("1.00")), [""; 0]);
        assert_eq!(check(of("1E+2"), of("100")), [""; 0]);
        assert_eq!(check(of("NaN"), of("NaN")), [""; 0]);
        assert_eq!(check(of("1.0"), of("1.01")), ["FieldValue a"]);
        // 34 digits, the last one another.
        let long = "1234567890123456789012345678901234";
        assert_eq!(
            check(of(long), of("1234567890123456789012345678901235")),
            ["FieldValue a"]
        );
        assert_eq!(check(of("NaN"), of("Infinity")), ["FieldValue a"]);
    }

    #[test]
    fn types_are_never_mixed() {
        for (e, f) in [
            (Bson::Int32(1), Bson::Int64(1)),
            (Bson::Int32(1), Bson::Double(1.0)),
            (Bson::Double(1.0), decimal("1")),
            (Bson::String("1".into()), Bson::Int32(1)),
            (Bson::Null, Bson::String(String::new())),
            (Bson::Array(vec![]), Bson::Document(doc! {})),
            (Bson::Boolean(false), Bson::Int32(0)),
        ] {
            assert_eq!(check(doc! {"a": e.clone()}, doc! {"a": f}), ["FieldType a"], "{e}");
        }
    }

    #[test]
    fn null_absent_and_empty_are_three_things() {
        assert_eq!(check(doc! {"a": Bson::Null}, doc! {}), ["FieldMissing a"]);
        assert_eq!(check(doc! {}, doc! {"a": Bson::Null}), ["FieldUnexpected a"]);
        assert_eq!(check(doc! {"a": []}, doc! {}), ["FieldMissing a"]);
        assert_eq!(check(doc! {"a": []}, doc! {"a": Bson::Null}), ["FieldType a"]);
    }

    #[test]
    fn arrays_have_an_order_and_a_length() {
        assert_eq!(
            check(doc! {"a": [1, 2]}, doc! {"a": [2, 1]}),
            ["FieldValue a.0", "FieldValue a.1"]
        );
        assert_eq!(check(doc! {"a": [1, 2]}, doc! {"a": [1]}), ["ArrayLength a"]);
        assert_eq!(check(doc! {"a": [1]}, doc! {"a": [1, 1]}), ["ArrayLength a"]);
        let lines = |n: i32| doc! {"lines": [{"x": 1}, {"x": {"y": n}}]};
        assert_eq!(check(lines(1), lines(2)), ["FieldValue lines.1.x.y"]);
    }

    #[test]
    fn the_order_of_fields_is_a_finding_of_its_own() {
        let (one, two) = (
            doc! {"a": {"x": 1, "y": 2}, "b": 1},
            doc! {"a": {"y": 2, "x": 1}, "b": 1},
        );
        assert_eq!(check(one.clone(), two.clone()), ["FieldOrder a"]);
        let ignoring = Rules {
            order: Order::InIdAlone,
            ..Rules::default()
        };
        assert_eq!(check_with(&ignoring, one.clone(), two), [""; 0]);
        let top = doc! {"b": 1, "a": {"x": 1, "y": 2}};
        let series = Rules {
            order: Order::BelowTheTop,
            ..Rules::default()
        };
        assert_eq!(check(one.clone(), top.clone()), ["FieldOrder "]);
        assert_eq!(check_with(&series, one, top), [""; 0]);
        let (id, other) = (doc! {"_id": {"a": 1, "b": 2}}, doc! {"_id": {"b": 2, "a": 1}});
        assert_eq!(check_with(&ignoring, id, other), ["FieldOrder _id"]);
    }

    #[test]
    fn a_renamed_field_is_missing_and_unexpected() {
        assert_eq!(
            check(doc! {"a": 1, "b": 2}, doc! {"a": 1, "c": 2}),
            ["FieldMissing b", "FieldUnexpected c"]
        );
    }

    #[test]
    fn texts_and_dates_are_compared_exactly() {
        assert_eq!(check(doc! {"a": "x"}, doc! {"a": "x "}), ["FieldValue a"]);
        let trimming = Rules {
            ignore_trailing_blanks: true,
            ..Rules::default()
        };
        assert_eq!(check_with(&trimming, doc! {"a": "x"}, doc! {"a": "x  "}), [""; 0]);
        assert_eq!(
            check_with(&trimming, doc! {"a": "x"}, doc! {"a": " x"}),
            ["FieldValue a"]
        );
        // Composed and decomposed letters are other code points.
        assert_eq!(check(doc! {"a": "\u{e9}"}, doc! {"a": "e\u{301}"}), ["FieldValue a"]);
        let at = |ms| doc! {"a": bson::DateTime::from_millis(ms)};
        assert_eq!(check(at(1), at(2)), ["FieldValue a"]);
    }

    #[test]
    fn what_is_different_each_time_is_ignored_below_its_path() {
        let rules = Rules {
            ignored: HashSet::from(["lines.chance".to_owned()]),
            ..Rules::default()
        };
        let of = |n: f64| doc! {"lines": [{"chance": n, "sure": n}]};
        assert_eq!(check_with(&rules, of(0.5), of(0.6)), ["FieldValue lines.0.sure"]);
    }

    #[test]
    fn differences_are_bounded() {
        let of = |n: i32| {
            (0..100)
                .map(|i| (format!("f{i}"), Bson::Int32(n)))
                .collect::<Document>()
        };
        assert_eq!(check(of(1), of(2)).len(), DIFFERENCES_MAX);
        let long = printed(RawBsonRef::String(&"x".repeat(10_000)));
        assert!(long.chars().count() < VALUE_CHARS_MAX + 10);
    }
}
