//! What the documents of a plan are: a plain recursive function of rows. It is the oracle, and it is also what a
//! rebuild reads; only *when* it is called, and for which roots, is up to the product.

use crate::case::Case;
use crate::history::{Cell, Database, Row};
use godwit::cdc::rebuild::RootPlace;
use godwit::plan::Node;
use godwit::plan::routes::encode_key;
use std::collections::BTreeMap;

/// A document or one that is embedded: its fields, and for each child rule what it embeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub fields: Vec<Cell>,
    pub children: Vec<Vec<Document>>,
}

/// Documents by their root: the rule, and the key of the row. Equal rows of a table without a primary key have as many
/// documents as there are.
pub type Documents = BTreeMap<(RootPlace, Vec<u8>), Vec<Document>>;

/// Cells as the source prints them.
pub const PRINTED: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

impl Case {
    pub fn root(&self, place: RootPlace) -> &Node {
        &self.plan.collections[place.collection].roots[place.root].node
    }

    pub fn places(&self) -> Vec<RootPlace> {
        let collections = self.plan.collections.iter().enumerate();
        collections
            .flat_map(|(collection, c)| (0..c.roots.len()).map(move |root| RootPlace { collection, root }))
            .collect()
    }

    pub fn rows<'d>(&self, database: &'d Database, node: &Node) -> &'d [Row] {
        &database[self.schema.number_of(&node.table)]
    }

    /// The key of a root row.
    pub fn key_of(&self, node: &Node, row: &Row) -> Vec<u8> {
        let columns = node.table.row_key();
        encode_key(columns.iter().map(|c| row.cells[*c].map(|v| PRINTED[v as usize])))
    }

    /// All documents that there should be.
    pub fn documents(&self, database: &Database) -> Documents {
        let mut documents = Documents::new();
        for place in self.places() {
            for row in self.rows(database, self.root(place)) {
                let key = self.key_of(self.root(place), row);
                let of_key = self.documents_of(database, place, &key);
                if !of_key.is_empty() {
                    documents.insert((place, key), of_key);
                }
            }
        }
        documents
    }

    /// Those of one root.
    pub fn documents_of(&self, database: &Database, place: RootPlace, key: &[u8]) -> Vec<Document> {
        let node = self.root(place);
        self.rows(database, node)
            .iter()
            .filter(|row| self.key_of(node, row) == key && self.passes(node, row))
            .map(|row| self.assemble(database, node, row))
            .collect()
    }

    fn assemble(&self, database: &Database, node: &Node, row: &Row) -> Document {
        let cell = |cell: usize| row.cells[node.columns[cell]];
        let children = node.children.iter().map(|child| {
            let mut rows: Vec<&Row> = self
                .rows(database, child)
                .iter()
                .filter(|r| belongs(child, row, r) && self.passes(child, r))
                .collect();
            rows.sort_by_key(|r| order_of(child, r));
            let one = child.takes_first().then_some(1);
            rows.truncate(one.or(child.limit).unwrap_or(u32::MAX) as usize);
            rows.into_iter().map(|r| self.assemble(database, child, r)).collect()
        });
        Document {
            fields: node.fields.iter().map(|f| cell(f.cell)).collect(),
            children: children.collect(),
        }
    }

    fn passes(&self, node: &Node, row: &Row) -> bool {
        let filter = self.filters.get(&node.rule);
        filter.is_none_or(|f| row.cells[f.column] != Some(f.value))
    }
}

/// Whether a row of a child node belongs to a row of its parent.
pub fn belongs(child: &Node, parent: &Row, row: &Row) -> bool {
    let join = child.join.as_ref().expect("a child has a join");
    join.pairs
        .iter()
        .all(|p| row.cells[p.own].is_some() && row.cells[p.own] == parent.cells[p.parent])
}

fn order_of(node: &Node, row: &Row) -> Vec<i16> {
    let number = |cell: Cell| cell.map_or(-1, i16::from);
    node.order
        .iter()
        .map(|term| {
            let number = number(row.cells[term.column]);
            if term.descending { -number } else { number }
        })
        .collect()
}
