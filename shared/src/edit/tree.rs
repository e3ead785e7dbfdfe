//! The documents of a collection as a tree: every field with the column and the rule that it comes from.

use super::joins::{self, Join, shape_of};
use super::{Draft, Shape, level, types};
use crate::forest::DEPTH_MAX;
use crate::ids::{CollectionId, MappingId};
use crate::mapping::{FieldType, KeyHandling, Mapping, RuleType};
use crate::schema::{Table, TableName};
use std::collections::HashMap;

/// The documents of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    pub collection: CollectionId,
    /// One for each rule that makes documents.
    pub roots: Vec<TreeRoot>,
}

/// The documents that one rule makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeRoot {
    pub rule: MappingId,
    pub table: Option<TableName>,
    /// In the order of the documents.
    pub nodes: Vec<TreeNode>,
}

/// A field of the documents, or one that is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    /// From the root of the document; arrays add no part: `lines.product.title`.
    pub path: String,
    /// The last part of it.
    pub name: String,
    /// The rule that it is a field of; of an embedded rule, that rule; of a group, the first rule with a field in it.
    pub rule: MappingId,
    pub origin: Origin,
    /// What the documents hold there: `Array`, `Object`, or the type of a value.
    pub kind: FieldType,
    pub is_included: bool,
    /// A column of the primary key, or `_id`.
    pub is_key: bool,
    /// A column that refers to another table.
    pub is_link: bool,
    /// How many arrays it lies in.
    pub arrays: usize,
    /// Another field has its name: the mapping is not valid.
    pub clashes: bool,
    pub children: Vec<TreeNode>,
}

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The key of the document.
    Id,
    Column(String),
    /// A calculated field, by its id; also the calculated `_id`.
    Calculated(String),
    /// An object that dots in names make.
    Group,
    /// An embedded rule.
    Rule(Shape),
}

impl Tree {
    /// All nodes, parents first.
    pub fn walk(&self) -> Vec<&TreeNode> {
        let mut all = Vec::new();
        let mut open: Vec<&TreeNode> = self.roots.iter().flat_map(|root| &root.nodes).collect();
        open.reverse();
        while let Some(node) = open.pop() {
            all.push(node);
            open.extend(node.children.iter().rev());
        }
        all
    }

    /// The field at a path; included ones first.
    pub fn at(&self, path: &str) -> Option<&TreeNode> {
        let mut all: Vec<&TreeNode> = self.walk().into_iter().filter(|node| node.path == path).collect();
        all.sort_by_key(|node| !node.is_included);
        all.first().copied()
    }
}

/// The tree of a collection.
pub fn of(draft: &Draft, collection: &CollectionId) -> Tree {
    let roots = draft.content.roots_of(collection);
    let roots = roots.filter(|(id, _)| draft.parent_of(id).is_none());
    Tree {
        collection: collection.clone(),
        roots: roots
            .map(|(id, _)| TreeRoot {
                rule: id.clone(),
                table: draft.table_of(id).map(|(path, _)| path.name()),
                nodes: level_of(draft, id, "", 0, 0),
            })
            .collect(),
    }
}

/// The nodes at the place of a rule.
fn level_of(draft: &Draft, rule: &MappingId, path: &str, arrays: usize, depth: usize) -> Vec<TreeNode> {
    let mut level = Level {
        draft,
        path,
        arrays,
        depth,
        nodes: Vec::new(),
        equal: HashMap::new(),
        values: HashMap::new(),
    };
    level.add(rule, None);
    level.nodes
}

type Cell = (MappingId, String);

struct Level<'d> {
    draft: &'d Draft,
    path: &'d str,
    arrays: usize,
    depth: usize,
    nodes: Vec<TreeNode>,
    /// Columns of merged rules that a join makes equal to others.
    equal: HashMap<Cell, Cell>,
    /// Whose value stands under a name.
    values: HashMap<String, Cell>,
}

impl Level<'_> {
    /// Adds a rule and what is merged into it; `join` of a rule that is merged itself.
    fn add(&mut self, id: &MappingId, join: Option<(&MappingId, Join)>) {
        let draft = self.draft;
        let Some(rule) = draft.rule(id).filter(|_| self.depth <= DEPTH_MAX) else {
            return;
        };
        self.depth += 1;
        if let Some((parent, join)) = join {
            for (above, own) in join.pairs {
                let above = (parent.clone(), above);
                let one = self.equal.get(&above).cloned().unwrap_or(above);
                self.equal.insert((id.clone(), own), one);
            }
        }
        let table = draft.table_of(id).map(|(_, table)| table);
        let is_root = rule.settings.kind == RuleType::NewDocument;
        if is_root {
            self.nodes.push(id_node(draft, id, rule, table));
        }
        self.fields(id, rule, table);
        for (field, calculated) in &rule.calculated_fields {
            if is_root && calculated.name == "_id" {
                continue;
            }
            let node = TreeNode {
                kind: calculated.kind.unwrap_or_default(),
                ..self.node(id, Origin::Calculated(field.clone()))
            };
            self.insert(&calculated.name, node, None);
        }
        let children: Vec<MappingId> = draft.content.children_of(id).cloned().collect();
        for child in &children {
            self.child(id, child);
        }
    }

    fn fields(&mut self, id: &MappingId, rule: &Mapping, table: Option<&Table>) {
        let hidden = level::hidden_key(self.draft, id);
        for (column, field) in level::ordered(self.draft, id, rule) {
            if level::is_key_entry(column, field) || hidden.contains(column) {
                continue;
            }
            let of_table = table.and_then(|t| t.columns.get(column));
            let node = TreeNode {
                kind: of_table.map_or(field.target.kind, |c| types::shown(c, field.target.kind)),
                is_included: field.target.included,
                is_key: of_table.is_some_and(|c| c.primary_key.is_some()),
                is_link: table.is_some_and(|t| refers(t, column)),
                ..self.node(id, Origin::Column(column.clone()))
            };
            let own = (id.clone(), column.clone());
            let value = self.equal.get(&own).cloned().unwrap_or(own);
            self.insert(&field.target.name, node, Some(value));
        }
    }

    fn child(&mut self, parent: &MappingId, child: &MappingId) {
        let Some(rule) = self.draft.rule(child) else { return };
        let shape = match shape_of(rule) {
            None => return,
            Some(Shape::Merged) => {
                let join = joins::of_rule(self.draft, child);
                return self.add(child, join.map(|join| (parent, join)));
            }
            Some(shape) => shape,
        };
        let conditions = rule.settings.array_conditions.as_ref();
        let as_document = conditions.is_some_and(|c| c.as_document == Some(true));
        let is_array = matches!(shape, Shape::Array | Shape::Values) && !as_document;
        let name = rule.settings.embedded_path.clone().unwrap_or_default();
        let path = joined(self.path, &name);
        let inner = level_of(
            self.draft,
            child,
            &path,
            self.arrays + usize::from(is_array),
            self.depth,
        );
        let node = TreeNode {
            kind: if is_array { FieldType::Array } else { FieldType::Object },
            children: inner,
            ..self.node(child, Origin::Rule(shape))
        };
        self.insert(&name, node, None);
    }

    fn node(&self, rule: &MappingId, origin: Origin) -> TreeNode {
        TreeNode {
            path: String::new(),
            name: String::new(),
            rule: rule.clone(),
            origin,
            kind: FieldType::Default,
            is_included: true,
            is_key: false,
            is_link: false,
            arrays: self.arrays,
            clashes: false,
            children: Vec::new(),
        }
    }

    /// Puts a node under its name, in the groups that its dots make.
    fn insert(&mut self, name: &str, node: TreeNode, value: Option<Cell>) {
        let full = joined(self.path, name);
        if node.is_included
            && let Some(value) = value
        {
            if self.values.get(&full) == Some(&value) {
                return;
            }
            self.values.entry(full.clone()).or_insert(value);
        }
        let mut parts: Vec<&str> = name.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let group = self.node(&node.rule, Origin::Group);
        let mut path = self.path.to_owned();
        let mut nodes = &mut self.nodes;
        for part in parts {
            path = joined(&path, part);
            let found = nodes.iter().position(|n| n.origin == Origin::Group && n.name == part);
            let at = found.unwrap_or_else(|| {
                let clashes = node.is_included && mark(nodes, part);
                nodes.push(TreeNode {
                    path: path.clone(),
                    name: part.to_owned(),
                    kind: FieldType::Object,
                    is_included: false,
                    clashes,
                    ..group.clone()
                });
                nodes.len() - 1
            });
            nodes[at].is_included |= node.is_included;
            nodes = &mut nodes[at].children;
        }
        let clashes = node.is_included && mark(nodes, last);
        nodes.push(TreeNode {
            path: full,
            name: last.to_owned(),
            clashes,
            ..node
        });
    }
}

/// Marks the field that has a name already; says whether there is one.
fn mark(nodes: &mut [TreeNode], name: &str) -> bool {
    let mut found = false;
    for node in nodes.iter_mut().filter(|n| n.is_included && n.name == name) {
        node.clashes = true;
        found = true;
    }
    found
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

/// Whether a column refers to another table.
fn refers(table: &Table, column: &str) -> bool {
    let mut keys = table.foreign_keys.values();
    keys.any(|key| key.column_mappings.iter().any(|pair| pair.source == column))
}

/// The key of the documents that a rule makes.
fn id_node(draft: &Draft, id: &MappingId, rule: &Mapping, table: Option<&Table>) -> TreeNode {
    let custom = rule.calculated_fields.iter().find(|(_, c)| c.name == "_id");
    let node = |origin, kind, children| TreeNode {
        path: "_id".to_owned(),
        name: "_id".to_owned(),
        rule: id.clone(),
        origin,
        kind,
        is_included: true,
        is_key: true,
        is_link: false,
        arrays: 0,
        clashes: false,
        children,
    };
    if let Some((field, calculated)) = custom {
        let origin = Origin::Calculated(field.clone());
        return node(origin, calculated.kind.unwrap_or_default(), Vec::new());
    }
    let key = table.map(level::key_columns).unwrap_or_default();
    let type_of = |column: &str| {
        table
            .and_then(|t| t.columns.get(column))
            .map_or(FieldType::Default, types::default_of)
    };
    match (level::key_handling(draft, rule), key.as_slice()) {
        (KeyHandling::Generated, _) | (_, []) => node(Origin::Id, FieldType::ObjectId, Vec::new()),
        (KeyHandling::Single, [one]) => node(Origin::Id, type_of(one), Vec::new()),
        (KeyHandling::Single | KeyHandling::Wrapped, columns) => {
            let members = columns.iter().map(|column| {
                let name = rule
                    .fields
                    .get(column)
                    .map_or_else(|| column.clone(), |f| f.target.name.clone());
                TreeNode {
                    path: joined("_id", &name),
                    name,
                    ..node(Origin::Column(column.clone()), type_of(column), Vec::new())
                }
            });
            node(Origin::Id, FieldType::Object, members.collect())
        }
    }
}
