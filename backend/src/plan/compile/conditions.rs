//! In which order the rows of a node stand, and how many of them.

use super::Compiler;
use crate::plan::{About, Node, OrderTerm};
use godwit_shared::edit::{FaultKind, Part};
use godwit_shared::ids::MappingId;
use godwit_shared::mapping::{Mapping, SortOrder};

impl Compiler<'_> {
    /// The order of the node's rows among their siblings, and how many of them there may be.
    pub(super) fn conditions(&mut self, collection: &str, rule: &MappingId, mapping: &Mapping, node: &mut Node) {
        let table = node.table.clone();
        let term = |column: usize| OrderTerm {
            column,
            descending: false,
            null_is_lowest: false,
            as_text: !table.columns[column].is_orderable,
        };
        let conditions = mapping.settings.array_conditions.as_ref();
        if let Some(sort) = conditions.and_then(|c| c.sort.as_ref()) {
            match table.column(&sort.field) {
                Some(column) => node.order.push(OrderTerm {
                    descending: sort.order == SortOrder::Desc,
                    null_is_lowest: true,
                    ..term(column)
                }),
                None => {
                    let message = format!(
                        "the array is sorted by \"{}\", which {} does not have",
                        sort.field, table.name
                    );
                    let about = About(FaultKind::ColumnGone, Part::Conditions);
                    self.problem(collection, rule, Some(&table.name), about, message);
                }
            }
        }
        node.limit = conditions.and_then(|c| c.limit);
        let all: Vec<usize> = (0..table.columns.len()).collect();
        node.order.extend(
            if table.primary_key.is_empty() {
                &all
            } else {
                &table.primary_key
            }
            .iter()
            .map(|c| term(*c)),
        );
        if table.primary_key.is_empty() {
            // Rows are counted that are printed alike; between those that the source calls equal and prints otherwise
            // there must be none of the others.
            let is_parted = |c: &&usize| table.columns[**c].counts_as_printed() && table.columns[**c].is_orderable;
            let parted = all.iter().filter(is_parted);
            node.order.extend(parted.map(|c| OrderTerm {
                as_text: true,
                ..term(*c)
            }));
        }
    }
}
