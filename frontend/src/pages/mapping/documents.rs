//! The collections as a tree of the fields that their documents will have.

use super::rules::{field_type, is_key_field, key_label};
use crate::components::icon::Icon;
use crate::components::tree::TreeNode;
use crate::format::number;
use godwit_shared::ids::{CollectionId, MappingId};
use godwit_shared::mapping::{Content, Field, Mapping, RuleType};

/// Collections in the order of the project, below each the fields of its documents.
pub fn document_tree(content: &Content) -> Vec<TreeNode> {
    content
        .collections
        .iter()
        .map(|(id, c)| collection_line(content, id, &c.name))
        .collect()
}

fn collection_line(content: &Content, id: &CollectionId, name: &str) -> TreeNode {
    let id_text = id.to_string();
    let mut children = Vec::new();
    let mut rules = 0;
    for (root, rule) in content.roots_of(id) {
        let key = rule.settings.key_handling.unwrap_or(content.settings.key_handling);
        insert(&mut children, &id_text, "_id", key_label(key), Icon::Key);
        rules += add_rule(content, root, rule, &id_text, &mut children);
    }
    TreeNode {
        label: name.to_owned(),
        note: number::counted(rules, "rule", "rules"),
        icon: Icon::Collection,
        children,
        id: id_text,
    }
}

/// Puts the fields of a rule, and of those below it, at their places; how many rules that are.
fn add_rule(content: &Content, id: &MappingId, rule: &Mapping, above: &str, place: &mut Vec<TreeNode>) -> u64 {
    let shown = |(column, field): &(&String, &Field)| field.target.included && !is_key_field(column, field);
    for (_, field) in rule.fields.iter().filter(shown) {
        let kind = field_type(field.target.kind, &field.source.database_specific_type);
        insert(place, above, &field.target.name, &kind, Icon::Column);
    }
    for field in rule.calculated_fields.values() {
        insert(place, above, &field.name, "calculated", Icon::Function);
    }
    let below = content
        .children_of(id)
        .filter_map(|id| content.mappings.get(id).map(|rule| (id, rule)));
    1 + below
        .map(|(id, rule)| add_embedded(content, id, rule, above, place))
        .sum::<u64>()
}

fn add_embedded(content: &Content, id: &MappingId, rule: &Mapping, above: &str, place: &mut Vec<TreeNode>) -> u64 {
    let settings = &rule.settings;
    let is_one = settings
        .array_conditions
        .as_ref()
        .is_some_and(|c| c.as_document == Some(true));
    let (note, icon) = match (settings.kind, is_one) {
        (RuleType::EmbeddedDocumentArray, false) if settings.primitive == Some(true) => {
            ("array of values", Icon::Brackets)
        }
        (RuleType::EmbeddedDocumentArray, false) => ("array of documents", Icon::Brackets),
        (RuleType::EmbeddedDocumentArray, true) | (RuleType::EmbeddedDocument | RuleType::NewDocument, _) => {
            ("document", Icon::Braces)
        }
    };
    match settings.embedded_path.as_deref().filter(|path| !path.is_empty()) {
        // Merged: its fields stand among those of its parent.
        None => add_rule(content, id, rule, above, place),
        Some(path) => {
            let line = insert(place, above, path, note, icon);
            let line_id = line.id.clone();
            match settings.primitive {
                Some(true) => 1,
                _ => add_rule(content, id, rule, &line_id, &mut line.children),
            }
        }
    }
}

/// The line of a field; a dot nests. Two rules that write the same document share its line.
fn insert<'a>(place: &'a mut Vec<TreeNode>, above: &str, path: &str, note: &str, icon: Icon) -> &'a mut TreeNode {
    let (label, rest) = path
        .split_once('.')
        .map_or((path, None), |(label, rest)| (label, Some(rest)));
    let found = place.iter().position(|node| node.label == label);
    let index = found.unwrap_or(place.len());
    if found.is_none() {
        let (note, icon) = match rest {
            Some(_) => ("document", Icon::Braces),
            None => (note, icon),
        };
        place.push(TreeNode {
            id: format!("{above}\n{label}"),
            label: label.to_owned(),
            note: note.to_owned(),
            icon,
            children: Vec::new(),
        });
    }
    let line = &mut place[index];
    match rest {
        None => line,
        Some(rest) => {
            let id = line.id.clone();
            insert(&mut line.children, &id, rest, note, icon)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples::content;

    fn lines(nodes: &[TreeNode], level: usize) -> Vec<String> {
        let mut out = Vec::new();
        for node in nodes {
            out.push(format!("{}{}: {}", "  ".repeat(level), node.label, node.note));
            out.extend(lines(&node.children, level + 1));
        }
        out
    }

    #[test]
    fn the_shape_of_documents() {
        assert_eq!(
            lines(&document_tree(&content()), 0),
            [
                "borrowers: 2 rules",
                "  _id: primary key",
                "  person: document",
                "    name: String",
                "  initial: calculated",
                "  loans: array of documents",
                "    id: text",
                "    title: text",
                "empty: 0 rules",
            ]
        );
    }

    #[test]
    fn a_merged_document_has_no_line_of_its_own() {
        let mut content = content();
        let rule = content.mappings.get_mut(&MappingId::new("m2")).unwrap();
        rule.settings.kind = RuleType::EmbeddedDocument;
        rule.settings.embedded_path = None;
        let lines = lines(&document_tree(&content), 0);
        assert_eq!(lines[4..7], ["  initial: calculated", "  id: text", "  title: text"]);
    }
}
