//! The rules of a project as a forest: every embedded rule lies below exactly one other, and none below itself.
//!
//! A file comes from anywhere, and what walks over its rules must come to an end.

use crate::ids::MappingId;
use crate::mapping::{Content, RuleType};
use std::collections::{HashMap, HashSet};
use thiserror::Error;

/// The most rules of a project.
pub const RULES_MAX: usize = 10_000;
/// The most collections of a project.
pub const COLLECTIONS_MAX: usize = 10_000;
/// The most rules that lie below each other; MongoDB takes about so many levels.
pub const DEPTH_MAX: usize = 100;

/// Why the rules are no forest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForestError {
    #[error("`project.content.mappings` has {0} rules, more than {RULES_MAX}")]
    TooManyRules(usize),
    #[error("`project.content.collections` has {0} collections, more than {COLLECTIONS_MAX}")]
    TooManyCollections(usize),
    #[error(
        "`project.content.relationships.mappings` names the rule {rule}, which `project.content.mappings` does not have"
    )]
    UnknownRule { rule: MappingId },
    #[error(
        "`project.content.mappings.{rule}.collectionId` is \"{collection}\", which `project.content.collections` does not have"
    )]
    UnknownCollection { rule: MappingId, collection: String },
    #[error(
        "`project.content.relationships.mappings` has the rule {rule} below {first} and again below {second}: a rule lies below one other"
    )]
    SharedRule {
        rule: MappingId,
        first: MappingId,
        second: MappingId,
    },
    #[error("`project.content.relationships.mappings` leads from the rule {rule} back to itself")]
    Circle { rule: MappingId },
    #[error("`project.content.relationships.mappings` has the rule {rule} deeper than {DEPTH_MAX} levels")]
    TooDeep { rule: MappingId },
    #[error("`project.content.mappings.{rule}` is an embedded rule that lies below no other")]
    Orphan { rule: MappingId },
}

/// Whether walking over the rules comes to an end, and soon.
///
/// # Errors
/// The first place where it does not.
pub fn check_forest(content: &Content) -> Result<(), ForestError> {
    if content.mappings.len() > RULES_MAX {
        return Err(ForestError::TooManyRules(content.mappings.len()));
    }
    if content.collections.len() > COLLECTIONS_MAX {
        return Err(ForestError::TooManyCollections(content.collections.len()));
    }
    let parents = parents_of(content)?;
    // How deep each rule lies, as far as it is known.
    let mut depths: HashMap<&MappingId, usize> = HashMap::new();
    for start in content.mappings.keys() {
        let mut way = Vec::new();
        let mut seen = HashSet::new();
        let mut rule = start;
        let above = loop {
            if let Some(depth) = depths.get(rule) {
                break *depth;
            }
            if !seen.insert(rule) {
                return Err(ForestError::Circle { rule: rule.clone() });
            }
            way.push(rule);
            match parents.get(rule) {
                Some(parent) => rule = parent,
                None => break 0,
            }
        };
        for (steps, rule) in way.into_iter().rev().enumerate() {
            let depth = above + steps + 1;
            if depth > DEPTH_MAX {
                return Err(ForestError::TooDeep { rule: rule.clone() });
            }
            depths.insert(rule, depth);
        }
    }
    Ok(())
}

/// Whether every rule has its place: what a file that comes in has to fulfil besides [`check_forest`].
///
/// # Errors
/// The first rule that would be left out without a word.
pub fn check_places(content: &Content) -> Result<(), ForestError> {
    let parents = parents_of(content)?;
    for (rule, mapping) in &content.mappings {
        if !content.collections.contains_key(&mapping.collection_id) {
            return Err(ForestError::UnknownCollection {
                rule: rule.clone(),
                collection: mapping.collection_id.to_string(),
            });
        }
        let is_root = match mapping.settings.kind {
            RuleType::NewDocument => true,
            RuleType::EmbeddedDocument | RuleType::EmbeddedDocumentArray => false,
        };
        if !is_root && !parents.contains_key(rule) {
            return Err(ForestError::Orphan { rule: rule.clone() });
        }
    }
    Ok(())
}

fn parents_of(content: &Content) -> Result<HashMap<&MappingId, &MappingId>, ForestError> {
    let mut parents: HashMap<&MappingId, &MappingId> = HashMap::new();
    for (parent, below) in &content.relationships.mappings {
        for rule in std::iter::once(parent).chain(&below.children) {
            if !content.mappings.contains_key(rule) {
                return Err(ForestError::UnknownRule { rule: rule.clone() });
            }
        }
        for rule in &below.children {
            if let Some(first) = parents.insert(rule, parent) {
                return Err(ForestError::SharedRule {
                    rule: rule.clone(),
                    first: first.clone(),
                    second: parent.clone(),
                });
            }
        }
    }
    Ok(parents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A content of roots and embedded rules, and the children of each.
    fn content(roots: &[&str], embedded: &[&str], children: &[(&str, &[&str])]) -> Content {
        let rule = |kind: &str| json!({"settings": {"type": kind}, "collectionId": "c", "table": "t"});
        let mut mappings = serde_json::Map::new();
        roots
            .iter()
            .for_each(|id| _ = mappings.insert((*id).into(), rule("NEW_DOCUMENT")));
        embedded
            .iter()
            .for_each(|id| _ = mappings.insert((*id).into(), rule("EMBEDDED_DOCUMENT_ARRAY")));
        let below: serde_json::Map<String, Value> = children
            .iter()
            .map(|(id, list)| ((*id).to_owned(), json!({"children": list})))
            .collect();
        serde_json::from_value(json!({
            "collections": {"c": {"name": "c"}}, "mappings": mappings, "relationships": {"mappings": below}
        }))
        .unwrap()
    }

    fn refused(roots: &[&str], embedded: &[&str], children: &[(&str, &[&str])]) -> String {
        check_forest(&content(roots, embedded, children))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_forest_is_accepted() {
        let good = content(
            &["r", "s"],
            &["a", "b", "c"],
            &[("r", &["a", "b"]), ("b", &["c"]), ("a", &[])],
        );
        assert_eq!(check_forest(&good), Ok(()));
        assert_eq!(check_places(&good), Ok(()));
        assert_eq!(check_forest(&Content::default()), Ok(()));
    }

    #[test]
    fn circles_are_refused() {
        for (roots, embedded, children) in [
            (vec!["r"], vec!["a"], vec![("r", vec!["a"]), ("a", vec!["a"])]),
            (vec!["r"], vec![], vec![("r", vec!["r"])]),
            (vec!["r"], vec!["a"], vec![("r", vec!["a"]), ("a", vec!["r"])]),
            (vec!["r"], vec!["a", "b"], vec![("a", vec!["b"]), ("b", vec!["a"])]),
        ] {
            let children: Vec<(&str, &[&str])> = children.iter().map(|(p, c)| (*p, c.as_slice())).collect();
            let message = refused(&roots, &embedded, &children);
            assert!(
                message.contains("back to itself") || message.contains("again below"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_rule_below_two_others_is_refused() {
        for children in [
            &[("r", &["a", "a"][..])][..],
            &[("r", &["a", "b"]), ("b", &["a"])],
            &[("r", &["a"]), ("s", &["a"])],
        ] {
            assert!(refused(&["r", "s"], &["a", "b"], children).contains("again below"));
        }
    }

    #[test]
    fn names_of_rules_that_are_not_there_are_refused() {
        assert!(refused(&["r"], &[], &[("r", &["gone"])]).contains("gone"));
        assert!(refused(&["r"], &[], &[("gone", &[])]).contains("gone"));
        let orphan = content(&["r"], &["a"], &[("r", &[])]);
        assert!(
            check_places(&orphan)
                .unwrap_err()
                .to_string()
                .contains("below no other")
        );
        let mut elsewhere = content(&["r"], &[], &[]);
        elsewhere.mappings[0].collection_id = crate::ids::CollectionId::new("gone");
        assert!(
            check_places(&elsewhere)
                .unwrap_err()
                .to_string()
                .contains("collectionId")
        );
    }

    #[test]
    fn number_and_depth_are_bounded() {
        let chain = |length: usize| {
            let names: Vec<String> = (0..length).map(|n| format!("m{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let children: Vec<(&str, &[&str])> = names.windows(2).map(|w| (w[0], &w[1..])).collect();
            check_forest(&content(&names[..1], &names[1..], &children))
        };
        assert_eq!(chain(DEPTH_MAX), Ok(()));
        assert!(matches!(chain(DEPTH_MAX + 1), Err(ForestError::TooDeep { .. })));
        assert!(matches!(chain(5_000), Err(ForestError::TooDeep { .. })));
        assert!(matches!(chain(RULES_MAX + 1), Err(ForestError::TooManyRules(_))));
    }
}
