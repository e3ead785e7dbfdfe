//! Mapping rules and the source's catalog become one document plan per collection.
//!
//! A plan is a tree: its root is a table that makes documents, every other node a table joined to its parent node.
//! The plan is complete: who assembles, reads or follows changes looks at nothing else. It is checked here, before
//! anything is written, and every message names rule, table and column. No I/O, no database driver.

mod collection;
mod compile;
pub mod images;
mod join;
pub mod plain;
pub mod routes;
mod script;
mod template;

use crate::data::catalog::CatalogTable;
#[cfg(doc)]
use crate::data::equality::KeyClass;
use godwit_shared::edit::{FaultKind, Granularity, Part};
use godwit_shared::ids::MappingId;
use godwit_shared::mapping::FieldType;
use godwit_shared::schema::TableName;
use std::sync::Arc;

pub use collection::time_series_of;
pub use compile::{PlanOptions, compile};
pub use join::{Join, JoinPair, find_join};
pub use script::Script;
pub use template::{Slot, SlotKind, Template};

/// All collections that a job writes.
#[derive(Debug, Clone)]
pub struct Plan {
    pub collections: Vec<CollectionPlan>,
    /// How many nodes there are; their ids are below.
    pub node_count: usize,
    /// How many scripts there are; their ids are below.
    pub script_count: usize,
}

/// One collection and the rules that make its documents.
#[derive(Debug, Clone)]
pub struct CollectionPlan {
    pub name: String,
    pub roots: Vec<RootPlan>,
    /// Two rows may come to the same `_id`, so that the job has to remember which row has which.
    pub needs_claims: bool,
    /// It becomes a time series at the end of the job.
    pub time_series: Option<TimeSeriesPlan>,
}

/// How a time series collection is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSeriesPlan {
    /// A field of each document, at the top, that holds a date.
    pub time_field: String,
    pub meta_field: Option<String>,
    pub granularity: Option<Granularity>,
    pub expire_after_seconds: Option<u64>,
}

/// One *New documents* rule with all that lies below it.
#[derive(Debug, Clone)]
pub struct RootPlan {
    pub node: Node,
    pub id: IdPlan,
    /// The field that has to hold a date in each of its documents.
    pub time_field: Option<String>,
}

/// How `_id` is computed from the root row. It is never looked up.
#[derive(Debug, Clone)]
pub enum IdPlan {
    /// A keyed hash of the primary key; without one, of the whole row and its number among equal rows.
    Generated { hash_key: [u8; 32] },
    /// The value of one cell.
    Single { cell: usize },
    /// A document of cells, in key order.
    Wrapped { members: Vec<(String, usize)> },
    /// What the expression gives.
    Custom { script: Script, target: FieldType },
}

/// A table at one place of the documents.
#[derive(Debug, Clone)]
pub struct Node {
    /// Unique in the plan, parents before children.
    pub id: usize,
    pub rule: MappingId,
    /// Where it stands, for messages: `orders.lines.product`.
    pub place: String,
    pub table: Arc<CatalogTable>,
    /// Rows of the table that take part at all.
    pub table_filter: Option<RowFilter>,
    pub kind: NodeKind,
    /// How it hangs on its parent; the root has none.
    pub join: Option<Join>,
    /// Which columns of the table are read, as indexes into the table's columns. A cell is an index into this list.
    pub columns: Vec<usize>,
    /// Columns of a root's key that the source is asked for [what equal values have in common](KeyClass::Asked): one cell
    /// for each, behind those of `columns`.
    pub classes: Vec<usize>,
    pub fields: Vec<FieldPlan>,
    pub calculated: Vec<CalculatedPlan>,
    pub rule_filter: Option<Script>,
    /// The order among siblings; complete, so that it is the same every time.
    pub order: Vec<OrderTerm>,
    /// At most so many siblings, after the rule filter.
    pub limit: Option<u32>,
    pub children: Vec<Node>,
    /// Where every value goes; of a merged node it is empty, its parent's has its fields.
    pub template: Template,
}

/// Which rows of a table take part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// What the user wrote. It stands in no query.
    pub where_clause: Option<String>,
    /// At most so many rows, the first by primary key.
    pub row_count: Option<u64>,
    /// What stands for the text in queries; absent until the source has been asked what its names mean.
    pub condition: Option<Condition>,
}

/// One boolean expression over the columns of a table that has been proven to be one, printed anew: the table is `t`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub sql: String,
    /// Why it depends on more than its row, in a clause that begins with "it".
    pub beyond_row: Option<String>,
}

impl RowFilter {
    /// The text of the user, unless it is blank.
    pub fn text(&self) -> Option<&str> {
        self.where_clause.as_deref().map(str::trim).filter(|w| !w.is_empty())
    }

    /// ` WHERE` with what stands for the text; nothing where there is none.
    ///
    /// # Panics
    /// Of a text that was not settled: rows that the filter leaves out must not get out, and a text that nobody has looked
    /// at must not get in.
    pub fn where_sql(&self, table: &TableName) -> String {
        match (&self.condition, self.text()) {
            (Some(condition), _) => format!(" WHERE {}", condition.sql),
            (None, None) => String::new(),
            (None, Some(_)) => panic!("the filter of {table} stands in a query before it was settled"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    Root,
    /// One element for each row.
    Array,
    /// The one included field of each row.
    PrimitiveArray,
    /// The first row as a document, or nothing.
    Document,
    /// The fields of the first row join the parent's.
    Merged,
}

/// A column that becomes a field.
#[derive(Debug, Clone)]
pub struct FieldPlan {
    pub cell: usize,
    /// `Default` where the column's own type decides.
    pub target: FieldType,
    pub omit_null: bool,
    /// As the user named it, dots and all.
    pub name: String,
}

#[derive(Debug, Clone)]
pub struct CalculatedPlan {
    pub script: Script,
    pub target: FieldType,
    pub omit_null: bool,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTerm {
    pub column: usize,
    pub descending: bool,
    /// Null is lowest: array conditions say so. The source's own order otherwise.
    pub null_is_lowest: bool,
    /// The type has no order: by its text.
    pub as_text: bool,
}

impl OrderTerm {
    /// By the primary key; without one by all columns, so that equal rows are side by side.
    pub fn natural(table: &CatalogTable) -> Vec<Self> {
        let all: Vec<usize> = (0..table.columns.len()).collect();
        let columns = match table.primary_key.as_slice() {
            [] => &all,
            key => key,
        };
        let term = |column: &usize| Self {
            column: *column,
            descending: false,
            null_is_lowest: false,
            as_text: !table.columns[*column].is_orderable,
        };
        columns.iter().map(term).collect()
    }
}

impl Node {
    /// The cell that holds a column of the table.
    pub fn cell_of(&self, column: usize) -> Option<usize> {
        self.columns.iter().position(|c| *c == column)
    }

    /// How many cells its rows have.
    pub fn cells(&self) -> usize {
        self.columns.len() + self.classes.len()
    }

    /// This node and all below it, parents first.
    pub fn walk(&self) -> Vec<&Node> {
        let mut all = vec![self];
        self.children.iter().for_each(|c| all.extend(c.walk()));
        all
    }

    /// Whether at most one row can belong to one parent row.
    pub fn takes_first(&self) -> bool {
        match self.kind {
            NodeKind::Document | NodeKind::Merged => true,
            NodeKind::Root | NodeKind::Array | NodeKind::PrimitiveArray => false,
        }
    }
}

impl Plan {
    /// Every node of every collection.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.collections
            .iter()
            .flat_map(|c| &c.roots)
            .flat_map(|r| r.node.walk())
    }

    /// Shows every node of every collection to be changed, parents first.
    pub fn for_each_node(&mut self, change: &mut dyn FnMut(&mut Node)) {
        fn visit(node: &mut Node, change: &mut dyn FnMut(&mut Node)) {
            change(node);
            node.children.iter_mut().for_each(|child| visit(child, change));
        }
        for root in self.collections.iter_mut().flat_map(|c| &mut c.roots) {
            visit(&mut root.node, change);
        }
    }

    /// The collections that become time series.
    pub fn time_series(&self) -> impl Iterator<Item = (&str, &TimeSeriesPlan)> {
        let all = self.collections.iter();
        all.filter_map(|c| Some((c.name.as_str(), c.time_series.as_ref()?)))
    }

    /// The tables that are read, each once, in the order of the plan.
    pub fn tables(&self) -> Vec<Arc<CatalogTable>> {
        let mut tables: Vec<Arc<CatalogTable>> = Vec::new();
        for node in self.nodes() {
            if !tables.iter().any(|t| t.name == node.table.name) {
                tables.push(node.table.clone());
            }
        }
        tables
    }
}

/// Why mapping rules cannot become a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(.collection, .table.as_ref(), .about.column(), .message))]
pub struct PlanProblem {
    pub collection: String,
    pub rule: Option<MappingId>,
    pub table: Option<TableName>,
    pub about: About,
    pub message: String,
}

/// What is wrong, and with which part of its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About(pub FaultKind, pub Part);

impl About {
    /// The column that it is about.
    fn column(&self) -> Option<&str> {
        match &self.1 {
            Part::Column { column } => Some(column),
            _ => None,
        }
    }
}

fn describe(collection: &str, table: Option<&TableName>, column: Option<&str>, message: &str) -> String {
    let table = table.map(|t| format!(", rule of {t}")).unwrap_or_default();
    let column = column.map(|c| format!(", column \"{c}\"")).unwrap_or_default();
    format!("collection \"{collection}\"{table}{column}: {message}")
}
