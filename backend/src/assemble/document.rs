//! Writes whole documents as raw BSON, in one pass over the template.

use super::bson_value::{ARRAY, DOCUMENT, array_element, begin, element, end, header, index_header};
use super::rows::{ChildRows, RowTree, issue_of_row, issues_of, value_of};
use super::script::Outcome;
use super::{RowKey, convert, id};
use crate::data::decimal::Decimal;
use crate::data::issue::{Issue, IssueKind};
use crate::data::row::RowSet;
use crate::data::value::{Note, Value};
use crate::hooks::{self, Faults};
use crate::plan::{CalculatedPlan, FieldPlan, Node, NodeKind, RootPlan, Script, Slot, SlotKind};
use bson::RawDocument;
use godwit_shared::mapping::FieldType;
use std::borrow::Cow;
use std::ops::Range;

/// MongoDB's limit for one document, bytes.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What MongoDB takes beyond that for an operation that names the document's `_id` once more.
const OPERATION_BYTES_EXTRA: usize = 8 * 1024;

/// Levels of documents and arrays in one document. MongoDB takes 180 and refuses the whole command beyond.
const LEVELS_MAX: usize = 178;

/// One finished document.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// The whole document as raw BSON, `_id` first.
    pub bson: Vec<u8>,
    /// Where the element `_id` ends in it.
    pub id_end: usize,
    /// Which row it is of.
    pub row: RowKey,
}

impl Assembled {
    /// Type, name and value of `_id`.
    pub fn id_element(&self) -> &[u8] {
        &self.bson[4..self.id_end]
    }
}

/// Assembles the documents of one *New documents* rule, in the order in which its rows are given.
///
/// It holds what goes from row to row: how many equal rows of a table without a key there were just before.
#[derive(Debug)]
pub struct Assembler<'p> {
    root: &'p RootPlan,
    previous: Option<Vec<u8>>,
    occurrence: u32,
    faults: Faults,
}

/// What the parts of one document share.
pub struct Context<'r, 'i> {
    pub rows: &'r RowSet,
    pub issues: &'i mut Vec<Issue>,
}

impl<'p> Assembler<'p> {
    pub fn new(root: &'p RootPlan) -> Self {
        Self {
            root,
            previous: None,
            occurrence: 0,
            faults: hooks::faults(),
        }
    }

    /// The document of one root row; `None` where an issue says why there is none.
    ///
    /// Rows of a table without a primary key have to come in an order that puts equal rows side by side.
    pub fn assemble(&mut self, tree: &RowTree, row: usize, issues: &mut Vec<Issue>) -> Option<Assembled> {
        let root = self.root;
        let mut context = Context {
            rows: &tree.rows,
            issues,
        };
        if root.node.table.primary_key.is_empty() {
            let identity = RowKey::of(root, context.rows, row, 0).identity(root);
            self.occurrence = if self.previous.as_ref() == Some(&identity) {
                self.occurrence + 1
            } else {
                0
            };
            self.previous = Some(identity);
        }
        let own_id = id::id_of(root, &mut context, row, self.occurrence, tree.results.id.get(row))?;
        let key = RowKey::of(root, context.rows, row, self.occurrence);
        let mut out = Vec::with_capacity(512);
        let start = begin(&mut out);
        element(&mut out, b"_id\0", &own_id);
        let id_end = out.len();
        let mut writer = Writer {
            issues: context.issues,
            level: 1,
            faults: self.faults,
        };
        writer.fields(&root.node, tree, row, &mut out);
        end(&mut out, start);
        if out.len() > DOCUMENT_BYTES_MAX || out.len() + id_end > DOCUMENT_BYTES_MAX + OPERATION_BYTES_EXTRA {
            let message = format!(
                "the document would have {} bytes, more than {DOCUMENT_BYTES_MAX} (a large `_id` counts twice)",
                out.len()
            );
            issues.push(issue_of_row(
                &root.node,
                &tree.rows,
                row,
                IssueKind::DocumentTooLarge,
                None,
                message,
            ));
            return None;
        }
        if let Some(field) = root.time_field.as_deref()
            && !has_date(&out, field)
        {
            let message = format!("a time series needs a date in \"{field}\"");
            let kind = IssueKind::TimeMissing;
            issues.push(issue_of_row(&root.node, &tree.rows, row, kind, Some(field), message));
            return None;
        }
        Some(Assembled {
            bson: out,
            id_end,
            row: key,
        })
    }
}

/// Whether a document has a date under a name, at the top.
fn has_date(bson: &[u8], field: &str) -> bool {
    let document = RawDocument::from_bytes(bson);
    document.is_ok_and(|d| d.get_datetime(field).is_ok())
}

/// Whether a row passes the rule filter of its node, by what that came to. Anything but true or false leaves it out, with
/// an issue.
pub fn passes(node: &Node, rows: &RowSet, row: usize, outcome: Outcome, issues: &mut Vec<Issue>) -> bool {
    match outcome {
        Ok(Some(Value::Bool(passes))) => passes,
        Ok(_) => {
            let message = "the rule filter gave neither true nor false".to_owned();
            issues.push(issue_of_row(
                node,
                rows,
                row,
                IssueKind::FilterNotBoolean,
                None,
                message,
            ));
            false
        }
        Err(error) => {
            issues.push(issue_of_row(
                node,
                rows,
                row,
                IssueKind::FilterFailed,
                None,
                error.to_string(),
            ));
            false
        }
    }
}

/// What a script sees of a row: the value of one of its inputs.
pub fn input_of<'a>(node: &Node, rows: &'a RowSet, row: usize, script: &Script, input: usize) -> Value<'a> {
    // What a column cannot hold is told where the column is a field.
    value_of(node, rows, row, script.inputs[input].1, &mut Vec::new())
}

/// A row of a node, with the rows below it.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a Node,
    tree: &'a RowTree,
    row: usize,
}

impl<'a> Place<'a> {
    fn child(&self, index: usize) -> (&'a Node, &'a ChildRows, Range<usize>) {
        let rows = &self.tree.children[index];
        let range = rows.ranges[self.row].clone();
        (
            &self.node.children[index],
            rows,
            range.start as usize..range.end as usize,
        )
    }
}

struct Writer<'i> {
    issues: &'i mut Vec<Issue>,
    /// How deep the document or array lies that is being written; the root is at 1.
    level: usize,
    /// Those that a test wants; none in a release.
    faults: Faults,
}

impl Writer<'_> {
    /// Everything between the start and the end of a document.
    fn fields(&mut self, node: &Node, tree: &RowTree, row: usize, out: &mut Vec<u8>) {
        let mut members: Vec<Option<Place<'_>>> = Vec::with_capacity(node.template.members.len());
        members.push(Some(Place { node, tree, row }));
        for member in &node.template.members[1..] {
            let place = members[member.parent].and_then(|parent| {
                let (node, rows, mut range) = parent.child(member.child);
                range.next().map(|row| Place {
                    node,
                    tree: &rows.tree,
                    row,
                })
            });
            members.push(place);
        }
        for slot in &node.template.slots {
            self.slot(slot, &members, out);
        }
    }

    /// Writes one slot; returns whether anything was written.
    fn slot(&mut self, slot: &Slot, members: &[Option<Place<'_>>], out: &mut Vec<u8>) -> bool {
        match &slot.kind {
            SlotKind::Field { member, index } => {
                let Some(place) = members[*member] else { return false };
                match self.field(&place.node.fields[self.field_of(place.node, *index)], place) {
                    Some(value) => element(out, &slot.name, &value),
                    None => return false,
                }
            }
            SlotKind::Calculated { member, index } => {
                let Some(place) = members[*member] else { return false };
                match self.calculated(*index, place) {
                    Some(value) => element(out, &slot.name, &value),
                    None => return false,
                }
            }
            SlotKind::Child { member, index } => {
                let Some(place) = members[*member] else { return false };
                return self.child(&slot.name, place, *index, out);
            }
            SlotKind::Group(slots) => {
                let rollback = out.len();
                header(out, DOCUMENT, &slot.name);
                let start = begin(out);
                let mut is_written = false;
                self.level += 1;
                for inner in slots {
                    is_written |= self.slot(inner, members, out);
                }
                self.level -= 1;
                if !is_written {
                    out.truncate(rollback);
                    return false;
                }
                end(out, start);
            }
        }
        true
    }

    /// The field itself, unless a test wants two of them to be swapped.
    fn field_of(&self, node: &Node, index: usize) -> usize {
        match (self.faults.swaps_fields && node.fields.len() > 1, index) {
            (true, 0) => 1,
            (true, 1) => 0,
            _ => index,
        }
    }

    fn field<'a>(&mut self, field: &FieldPlan, place: Place<'a>) -> Option<Cow<'a, Value<'a>>> {
        let rows = &place.tree.rows;
        let Some(cell) = rows.cell(place.row, field.cell) else {
            return (!field.omit_null).then_some(Cow::Owned(Value::Null));
        };
        let mut notes = Vec::new();
        let decoder = &place.node.table.columns[place.node.columns[field.cell]].decoder;
        let mut value = decoder.decode(cell, &mut notes);
        let is_read_as_it_is =
            matches!(value, Value::Text(_) | Value::Bool(_)) || value == Value::Null && notes.is_empty();
        if field.target == FieldType::String
            && !is_read_as_it_is
            && let Some(printed) = decoder.try_print(cell)
        {
            // The text holds all that the value is: nothing of what BSON does to the value has happened.
            notes.clear();
            value = Value::Text(printed.into());
        }
        let mut value = convert::convert(value, field.target, || decoder.print(cell), &mut notes);
        if self.faults.rounds_decimals
            && let Value::Decimal(decimal) = value
        {
            value = Value::Decimal(Decimal::from_i128(convert::number_of(decimal) as i128));
        }
        let value = self.fitting(Cow::Owned(value), &mut notes);
        // A JSON null is a null too; one that stands for an error stays visible.
        let is_error = notes.iter().any(Note::is_error);
        if !notes.is_empty() {
            issues_of(place.node, rows, place.row, &field.name, notes, self.issues);
        }
        (*value != Value::Null || is_error || !field.omit_null).then_some(value)
    }

    fn calculated<'a>(&mut self, index: usize, place: Place<'a>) -> Option<Cow<'a, Value<'a>>> {
        let (node, rows, row) = (place.node, &place.tree.rows, place.row);
        let calculated: &CalculatedPlan = &node.calculated[index];
        let value = match &place.tree.results.calculated[index][row] {
            Ok(value) => value.as_ref()?,
            Err(error) => {
                let message = error.to_string();
                self.issues.push(issue_of_row(
                    node,
                    rows,
                    row,
                    IssueKind::ExpressionFailed,
                    Some(&calculated.name),
                    message,
                ));
                return Some(Cow::Owned(Value::Null));
            }
        };
        if *value == Value::Null && calculated.omit_null {
            return None;
        }
        let mut notes = Vec::new();
        let value = if calculated.target == FieldType::Default {
            Cow::Borrowed(value)
        } else {
            let printed = || id::printed(value);
            Cow::Owned(convert::convert(value.clone(), calculated.target, printed, &mut notes))
        };
        let value = self.fitting(value, &mut notes);
        if !notes.is_empty() {
            issues_of(node, rows, row, &calculated.name, notes, self.issues);
        }
        Some(value)
    }

    /// A value that would nest too deeply at this place is null, with a note.
    fn fitting<'a>(&self, value: Cow<'a, Value<'a>>, notes: &mut Vec<Note>) -> Cow<'a, Value<'a>> {
        if levels_of(&value) <= LEVELS_MAX.saturating_sub(self.level) {
            return value;
        }
        notes.push(Note::Unconvertible("it is nested too deeply for this place".into()));
        Cow::Owned(Value::Null)
    }

    fn child(&mut self, name: &[u8], place: Place<'_>, index: usize, out: &mut Vec<u8>) -> bool {
        let (node, rows, mut range) = place.child(index);
        match node.kind {
            NodeKind::Document => {
                let Some(row) = range.next() else { return false };
                header(out, DOCUMENT, name);
                let start = begin(out);
                self.level += 1;
                self.fields(node, &rows.tree, row, out);
                self.level -= 1;
                end(out, start);
            }
            NodeKind::Array => {
                header(out, ARRAY, name);
                let start = begin(out);
                self.level += 2;
                if self.faults.drops_last {
                    range.end = range.end.saturating_sub(1).max(range.start);
                }
                for (index, row) in range.enumerate() {
                    index_header(out, DOCUMENT, index);
                    let start = begin(out);
                    self.fields(node, &rows.tree, row, out);
                    end(out, start);
                }
                self.level -= 2;
                end(out, start);
            }
            NodeKind::PrimitiveArray => {
                header(out, ARRAY, name);
                let start = begin(out);
                let mut written = 0;
                self.level += 1;
                for row in range {
                    let place = Place {
                        node,
                        tree: &rows.tree,
                        row,
                    };
                    if let Some(value) = self.only_value(place) {
                        array_element(out, written, &value);
                        written += 1;
                    }
                }
                self.level -= 1;
                end(out, start);
            }
            NodeKind::Root | NodeKind::Merged => unreachable!("a template has slots for documents and arrays only"),
        }
        true
    }

    /// The one value of an element of a primitive array.
    fn only_value<'a>(&mut self, place: Place<'a>) -> Option<Cow<'a, Value<'a>>> {
        match place.node.fields.first() {
            Some(field) => self.field(field, place),
            None if place.node.calculated.is_empty() => None,
            None => self.calculated(0, place),
        }
    }
}

/// How many documents and arrays lie in each other.
pub(super) fn levels_of(value: &Value<'_>) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels_of).max().unwrap_or(0),
        Value::Document(members) => 1 + members.iter().map(|(_, v)| levels_of(v)).max().unwrap_or(0),
        _ => 0,
    }
}
