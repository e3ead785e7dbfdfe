//! Where every value of a document goes: computed once, so that a document is written in one pass.

use super::{Node, NodeKind};
use godwit_shared::edit::{FaultKind, Part};
use godwit_shared::ids::MappingId;
use godwit_shared::mapping::FieldType;
use godwit_shared::schema::TableName;
use std::collections::HashMap;

/// The most levels that the dots of one field name make.
const PARTS_MAX: usize = 50;

/// The layout of one document. Its values come from its members: member 0 is the node itself, the others are the
/// nodes that are merged into it, at any depth.
#[derive(Debug, Clone, Default)]
pub struct Template {
    pub members: Vec<Member>,
    pub slots: Vec<Slot>,
}

/// A merged node: the so-many-th child of another member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub parent: usize,
    pub child: usize,
}

#[derive(Debug, Clone)]
pub struct Slot {
    /// With the zero byte that ends it in BSON.
    pub name: Box<[u8]>,
    pub kind: SlotKind,
}

#[derive(Debug, Clone)]
pub enum SlotKind {
    /// `fields[index]` of a member.
    Field { member: usize, index: usize },
    /// `calculated[index]` of a member.
    Calculated { member: usize, index: usize },
    /// `children[index]` of a member.
    Child { member: usize, index: usize },
    /// A document that dotted names make; absent when nothing in it is present.
    Group(Vec<Slot>),
}

/// A problem with a name, and the rule and column that it belongs to.
#[derive(Debug, PartialEq, Eq)]
pub struct NameProblem {
    pub rule: MappingId,
    pub table: TableName,
    pub kind: FaultKind,
    /// Of a calculated field its name stands for its id, which a plan does not know.
    pub part: Part,
    pub message: String,
}

impl NameProblem {
    fn of(node: &Node, part: Part, (kind, message): (FaultKind, String)) -> Self {
        NameProblem {
            rule: node.rule.clone(),
            table: node.table.name.clone(),
            kind,
            part,
            message,
        }
    }
}

/// Lays out the documents of a node whose children are complete.
///
/// # Errors
/// When two values would get one name, or a name cannot be held by MongoDB.
fn layout(node: &Node) -> Result<Template, Vec<NameProblem>> {
    let mut builder = Builder {
        members: vec![Member { parent: 0, child: 0 }],
        entries: Vec::new(),
        equal: HashMap::new(),
        is_root: node.kind == NodeKind::Root,
        problems: Vec::new(),
    };
    builder.add(node, 0);
    if !builder.problems.is_empty() {
        return Err(builder.problems);
    }
    Ok(Template {
        members: builder.members,
        slots: finish(builder.entries),
    })
}

/// Lays out a node and all below it, children first.
///
/// # Errors
/// All problems with names.
pub fn layout_all(node: &mut Node) -> Result<(), Vec<NameProblem>> {
    let mut problems = Vec::new();
    for child in &mut node.children {
        problems.extend(layout_all(child).err().into_iter().flatten());
    }
    if node.kind != NodeKind::Merged {
        match layout(node) {
            Ok(template) => node.template = template,
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

struct Builder {
    members: Vec<Member>,
    entries: Vec<Entry>,
    /// Columns of members that a join makes equal: each points to one that stands for all of them.
    equal: HashMap<(usize, usize), (usize, usize)>,
    is_root: bool,
    problems: Vec<NameProblem>,
}

struct Entry {
    name: String,
    kind: EntryKind,
}

enum EntryKind {
    Value { slot: SlotKind, origin: Origin },
    Group(Vec<Entry>),
}

/// Where a value comes from, for messages and to see that two values are one.
#[derive(Clone)]
struct Origin {
    /// Member and column; calculated fields and embedded rules have none.
    column: Option<(usize, usize)>,
    target: FieldType,
    text: String,
}

impl Builder {
    fn add(&mut self, node: &Node, member: usize) {
        for (index, field) in node.fields.iter().enumerate() {
            let column = node.columns[field.cell];
            let name = &node.table.columns[column].name;
            let origin = Origin {
                column: Some((member, column)),
                target: field.target,
                text: format!("column \"{name}\" of {}", node.table.name),
            };
            let slot = SlotKind::Field { member, index };
            let part = || Part::of_column(name);
            self.insert(&field.name, slot, origin, node, part);
        }
        for (index, calculated) in node.calculated.iter().enumerate() {
            let origin = Origin {
                column: None,
                target: calculated.target,
                text: format!("the calculated field \"{}\"", calculated.name),
            };
            let slot = SlotKind::Calculated { member, index };
            let part = || Part::Calculated {
                id: calculated.name.clone(),
            };
            self.insert(&calculated.name, slot, origin, node, part);
        }
        for (index, child) in node.children.iter().enumerate() {
            if child.kind == NodeKind::Merged {
                let merged = self.members.len();
                self.members.push(Member {
                    parent: member,
                    child: index,
                });
                for pair in child.join.iter().flat_map(|j| &j.pairs) {
                    let one = self.representative((member, pair.parent));
                    self.equal.insert((merged, pair.own), one);
                }
                self.add(child, merged);
                continue;
            }
            let field = child
                .place
                .strip_prefix(&format!("{}.", node.place))
                .unwrap_or(&child.place)
                .to_owned();
            let origin = Origin {
                column: None,
                target: FieldType::Default,
                text: format!("the embedded rule of {}", child.table.name),
            };
            self.insert(&field, SlotKind::Child { member, index }, origin, child, || Part::Path);
        }
    }

    /// Puts a value under its name, or keeps why it cannot be there.
    fn insert(&mut self, name: &str, slot: SlotKind, origin: Origin, node: &Node, part: impl FnOnce() -> Part) {
        if let Err(problem) = self.try_insert(name, slot, origin) {
            self.problems.push(NameProblem::of(node, part(), problem));
        }
    }

    fn representative(&self, of: (usize, usize)) -> (usize, usize) {
        self.equal.get(&of).copied().unwrap_or(of)
    }

    fn try_insert(&mut self, name: &str, slot: SlotKind, origin: Origin) -> Result<(), (FaultKind, String)> {
        let parts: Vec<&str> = name.split('.').collect();
        check_name(name, &parts, self.is_root).map_err(|message| (FaultKind::NameInvalid, message))?;
        let taken = |message| Err((FaultKind::NameTaken, message));
        let origin = Origin {
            column: origin.column.map(|c| self.representative(c)),
            ..origin
        };
        let (last, groups) = parts.split_last().expect("split gives at least one part");
        let mut entries = &mut self.entries;
        for group in groups {
            let place = match entries.iter().position(|e| e.name == *group) {
                Some(place) => place,
                None => {
                    entries.push(Entry {
                        name: (*group).into(),
                        kind: EntryKind::Group(Vec::new()),
                    });
                    entries.len() - 1
                }
            };
            entries = match &mut entries[place].kind {
                EntryKind::Group(inner) => inner,
                EntryKind::Value { origin: other, .. } => {
                    return taken(format!(
                        "the field \"{name}\" lies below \"{group}\", which already is the value of {}",
                        other.text
                    ));
                }
            };
        }
        match entries.iter().find(|e| e.name == *last) {
            None => {
                entries.push(Entry {
                    name: (*last).into(),
                    kind: EntryKind::Value { slot, origin },
                });
                Ok(())
            }
            // A join column has the same value on both sides: it appears once.
            Some(Entry {
                kind: EntryKind::Value { origin: other, .. },
                ..
            }) if origin.column.is_some() && origin.column == other.column && origin.target == other.target => Ok(()),
            Some(Entry {
                kind: EntryKind::Value { origin: other, .. },
                ..
            }) => taken(format!(
                "the field name \"{name}\" is taken by {}: rename or exclude one of the two",
                other.text
            )),
            Some(Entry {
                kind: EntryKind::Group(_),
                ..
            }) => taken(format!(
                "the field \"{name}\" would be a value and the parent of other fields"
            )),
        }
    }
}

/// Checks the names of the members of a wrapped `_id`: dots are no path there.
///
/// # Errors
/// When MongoDB does not take one of them, or two are the same.
pub fn check_id_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<(), String> {
    let mut seen = Vec::new();
    for name in names {
        check_name(name, &[name], false)?;
        if seen.contains(&name) {
            return Err(format!(
                "two columns of the key are named \"{name}\" in `_id`: rename one"
            ));
        }
        seen.push(name);
    }
    Ok(())
}

fn check_name(name: &str, parts: &[&str], is_root: bool) -> Result<(), String> {
    if parts.iter().any(|p| p.trim().is_empty()) {
        return Err(format!("the field name \"{name}\" is blank or has a blank part"));
    }
    if parts.iter().any(|p| p.contains('\0')) {
        return Err(format!(
            "the field name \"{}\" holds a zero byte",
            name.replace('\0', "\\0")
        ));
    }
    if parts.len() > PARTS_MAX {
        return Err(format!(
            "the field name \"{:.60}…\" has more than {PARTS_MAX} parts",
            name
        ));
    }
    if parts[0].starts_with('$') {
        return Err(format!("the field name \"{name}\" starts with $"));
    }
    if is_root && parts[0] == "_id" {
        return Err(
            "the field name \"_id\" belongs to the key of the document: choose the key handling instead".into(),
        );
    }
    Ok(())
}

fn finish(entries: Vec<Entry>) -> Vec<Slot> {
    entries
        .into_iter()
        .map(|entry| Slot {
            name: entry.name.bytes().chain([0]).collect(),
            kind: match entry.kind {
                EntryKind::Value { slot, .. } => slot,
                EntryKind::Group(inner) => SlotKind::Group(finish(inner)),
            },
        })
        .collect()
}
