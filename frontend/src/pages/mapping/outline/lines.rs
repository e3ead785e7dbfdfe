//! The documents of a collection as lines that can be edited. Plain functions.

use godwit_shared::edit::tree::{Origin, Tree, TreeNode};
use godwit_shared::edit::{CalculatedEdit, Draft, Edit, Shape};
use godwit_shared::ids::MappingId;
use godwit_shared::mapping::FieldType;
use std::collections::{HashMap, HashSet};

/// A field in sight.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Stays as long as the field is the same, whatever its name.
    pub id: String,
    pub parent: Option<String>,
    /// From 1.
    pub level: usize,
    pub name: String,
    /// From the root of the document.
    pub path: String,
    /// What can be edited as its name: from the place of its rule, with dots.
    pub own_path: String,
    pub rule: MappingId,
    pub origin: Origin,
    pub kind: FieldType,
    pub is_included: bool,
    pub is_key: bool,
    pub is_link: bool,
    pub clashes: bool,
    pub has_children: bool,
}

/// The lines in sight, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lines {
    pub all: Vec<Line>,
    index: HashMap<String, usize>,
}

impl Lines {
    pub fn get(&self, id: &str) -> Option<&Line> {
        self.index.get(id).map(|n| &self.all[*n])
    }

    /// The line above or below another one.
    pub fn beside(&self, id: &str, step: isize) -> Option<&Line> {
        let place = self.index.get(id)?.checked_add_signed(step)?;
        self.all.get(place)
    }

    pub fn at_path(&self, path: &str) -> Option<&Line> {
        self.all.iter().find(|line| line.path == path)
    }
}

/// The lines of a tree; what lies below a closed one is left out. Excluded fields are shown where that is asked for.
pub fn lines(tree: &Tree, closed: &HashSet<String>, with_excluded: bool) -> Lines {
    let mut lines = Lines::default();
    let walk = Walk { closed, with_excluded };
    for root in &tree.roots {
        walk.add(&root.nodes, "", 1, None, &mut lines);
    }
    lines
}

struct Walk<'a> {
    closed: &'a HashSet<String>,
    with_excluded: bool,
}

impl Walk<'_> {
    fn add(&self, nodes: &[TreeNode], place: &str, level: usize, parent: Option<&str>, lines: &mut Lines) {
        for node in nodes.iter().filter(|node| node.is_included || self.with_excluded) {
            let id = id_of(node);
            if lines.index.contains_key(&id) {
                continue;
            }
            lines.index.insert(id.clone(), lines.all.len());
            lines.all.push(Line {
                parent: parent.map(str::to_owned),
                level,
                name: node.name.clone(),
                path: node.path.clone(),
                own_path: relative(&node.path, place).to_owned(),
                rule: node.rule.clone(),
                origin: node.origin.clone(),
                kind: node.kind,
                is_included: node.is_included,
                is_key: node.is_key,
                is_link: node.is_link,
                clashes: node.clashes,
                has_children: !node.children.is_empty(),
                id: id.clone(),
            });
            if !self.closed.contains(&id) {
                let place = match node.origin {
                    Origin::Rule(_) => node.path.as_str(),
                    Origin::Id | Origin::Column(_) | Origin::Calculated(_) | Origin::Group => place,
                };
                self.add(&node.children, place, level + 1, Some(&id), lines);
            }
        }
    }
}

fn relative<'a>(path: &'a str, place: &str) -> &'a str {
    match place {
        "" => path,
        _ => path
            .strip_prefix(place)
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or(path),
    }
}

fn id_of(node: &TreeNode) -> String {
    let rule = &node.rule;
    match &node.origin {
        Origin::Id => format!("id\n{rule}\n{}", node.path),
        Origin::Column(column) => format!("column\n{rule}\n{column}"),
        Origin::Calculated(id) => format!("calculated\n{rule}\n{id}"),
        Origin::Group => format!("group\n{rule}\n{}", node.path),
        Origin::Rule(_) => format!("rule\n{rule}"),
    }
}

/// The edit that gives a line another name; `None` where it has none of its own.
pub fn renamed(draft: &Draft, line: &Line, name: &str) -> Option<Edit> {
    let name = name.trim().to_owned();
    let rule = line.rule.clone();
    if name == line.own_path {
        return None;
    }
    match &line.origin {
        Origin::Id => None,
        Origin::Column(column) => Some(Edit::RenameField {
            rule,
            column: column.clone(),
            name,
        }),
        Origin::Calculated(id) => calculated(draft, line, id, |field| field.name = name),
        Origin::Group => Some(Edit::RenamePath {
            rule,
            path: line.own_path.clone(),
            name,
        }),
        Origin::Rule(_) => Some(Edit::SetPath { rule, path: name }),
    }
}

/// The edit that shows or hides a line in the documents; `None` where that is not possible.
pub fn shown_or_hidden(draft: &Draft, line: &Line) -> Option<Edit> {
    let columns = match &line.origin {
        Origin::Column(column) => vec![column.clone()],
        Origin::Group => columns_below(draft, line),
        Origin::Id | Origin::Calculated(_) | Origin::Rule(_) => return None,
    };
    Some(Edit::IncludeFields {
        rule: line.rule.clone(),
        columns,
        included: !line.is_included,
    })
}

/// The columns of a rule whose fields lie in an object that dots make.
fn columns_below(draft: &Draft, line: &Line) -> Vec<String> {
    let begin = format!("{}.", line.own_path);
    let fields = draft.rule(&line.rule).into_iter().flat_map(|rule| &rule.fields);
    fields
        .filter(|(_, field)| field.target.name.starts_with(&begin))
        .map(|(column, _)| column.clone())
        .collect()
}

/// The edit that takes a line away for good; `None` where it can only be hidden.
pub fn deleted(line: &Line) -> Option<Edit> {
    let rule = line.rule.clone();
    match &line.origin {
        Origin::Rule(_) => Some(Edit::DeleteRule { rule }),
        Origin::Calculated(id) => Some(Edit::RemoveCalculated { rule, id: id.clone() }),
        Origin::Id | Origin::Column(_) | Origin::Group => None,
    }
}

/// The edit that asks for another type.
pub fn typed(draft: &Draft, line: &Line, kind: FieldType) -> Option<Edit> {
    match &line.origin {
        Origin::Column(column) => Some(Edit::SetFieldType {
            rule: line.rule.clone(),
            column: column.clone(),
            kind,
        }),
        Origin::Calculated(id) => calculated(draft, line, id, |field| {
            field.kind = (kind != FieldType::Default).then_some(kind);
        }),
        Origin::Id | Origin::Group | Origin::Rule(_) => None,
    }
}

/// A calculated field with a change.
fn calculated(draft: &Draft, line: &Line, id: &str, change: impl FnOnce(&mut CalculatedEdit)) -> Option<Edit> {
    let mut field = calculated_of(draft, &line.rule, id)?;
    change(&mut field);
    Some(Edit::ChangeCalculated {
        rule: line.rule.clone(),
        id: id.to_owned(),
        field,
    })
}

/// A calculated field as an edit names it.
pub fn calculated_of(draft: &Draft, rule: &MappingId, id: &str) -> Option<CalculatedEdit> {
    let field = draft.rule(rule)?.calculated_fields.get(id)?;
    Some(CalculatedEdit {
        name: field.name.clone(),
        expression: field.expression.clone(),
        kind: field.kind,
        omit_null: field.is_null_excluded,
    })
}

/// What a line is, in a word or two.
pub fn described(line: &Line) -> &'static str {
    match line.origin {
        Origin::Id => "key of the document",
        Origin::Column(_) if line.is_key => "key column",
        Origin::Column(_) if line.is_link => "foreign key column",
        Origin::Column(_) => "column",
        Origin::Calculated(_) => "calculated field",
        Origin::Group => "object",
        Origin::Rule(Shape::Array) => "array of documents",
        Origin::Rule(Shape::Values) => "array of values",
        Origin::Rule(Shape::Document) => "embedded document",
        Origin::Rule(Shape::Merged) => "merged fields",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::edit::tree;
    use godwit_shared::ids::CollectionId;

    fn shown(with_excluded: bool, closed: &[&str]) -> Lines {
        let tree = tree::of(&samples::draft(), &CollectionId::new("c1"));
        let closed = closed.iter().map(|id| (*id).to_owned()).collect();
        lines(&tree, &closed, with_excluded)
    }

    #[test]
    fn lines_in_the_order_of_the_documents() {
        let lines = shown(false, &[]);
        let paths: Vec<_> = lines.all.iter().map(|l| (l.level, l.path.as_str())).collect();
        assert_eq!(
            paths,
            [
                (1, "_id"),
                (1, "person"),
                (2, "person.name"),
                (1, "initial"),
                (1, "loans"),
                (2, "loans.id"),
                (2, "loans.title")
            ]
        );
        assert_eq!(lines.get("column\nm2\ntitle").expect("the line").own_path, "title");
        assert_eq!(lines.beside("rule\nm2", -1).expect("a line").name, "initial");
        assert!(shown(true, &[]).all.iter().any(|line| !line.is_included));
        assert_eq!(shown(false, &["rule\nm2"]).all.len(), 5);
    }

    #[test]
    fn a_line_knows_its_edits() {
        let (draft, lines) = (samples::draft(), shown(false, &[]));
        let line = |path: &str| lines.at_path(path).expect("the line");
        let rule = MappingId::new("m1");
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(renamed(&draft, line("_id"), "x"), None);
        assert_eq!(renamed(&draft, line("loans"), "loans"), None);
        assert_eq!(
            renamed(&draft, line("person"), " human "),
            Some(Edit::RenamePath {
                rule: rule.clone(),
                path: "person".into(),
                name: name("human").expect("a name"),
            })
        );
        assert_eq!(
            shown_or_hidden(&draft, line("person")),
            Some(Edit::IncludeFields {
                rule,
                columns: vec!["name".into()],
                included: false
            })
        );
        let Some(Edit::ChangeCalculated { field, .. }) = renamed(&draft, line("initial"), "first") else {
            panic!("no edit");
        };
        assert_eq!((&*field.name, &*field.expression), ("first", "columns.name[0]"));
        assert!(deleted(line("loans")).is_some() && deleted(line("loans.id")).is_none());
    }
}
