//! Which columns have to be in the image of a row before its change, so that the documents that held it can be found.
//!
//! An update or a delete touches the documents of the row as it was. The source logs of that row only its replica
//! identity, so whatever a route into the documents starts with has to be part of it. Tables without any field in a
//! document (link tables) count like all others.

use super::{CollectionPlan, IdPlan, Node, Plan, RootPlan};
use crate::data::catalog::CatalogTable;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a table's old images have to hold.
#[derive(Debug, Clone)]
pub struct TableImages {
    pub table: Arc<CatalogTable>,
    /// The columns whose old value is needed, as indexes into the table's columns.
    pub columns: BTreeSet<usize>,
    /// Those of them that are computed with. A calculated `_id` asks for whole rows, but looks at some columns only.
    pub inputs: BTreeSet<usize>,
    /// The whole row is needed, not just some columns of it.
    pub needs_full: bool,
    /// Why, for the user; each once.
    pub reasons: Vec<String>,
}

/// The needs of every table of the plan, each once, in the order of the plan.
pub fn images(plan: &Plan) -> Vec<TableImages> {
    let mut all: Vec<TableImages> = Vec::new();
    for collection in &plan.collections {
        for root in &collection.roots {
            add(&mut all, of_root(collection, root));
            for (parent, node) in pairs(&root.node) {
                add(&mut all, of_child(parent, node));
            }
        }
    }
    all
}

/// Columns that the plan reads of each of [`Plan::tables`], by name.
pub fn columns_read(plan: &Plan) -> Vec<Vec<String>> {
    let mut columns: Vec<Vec<String>> = Vec::new();
    for table in plan.tables() {
        let nodes = plan.nodes().filter(|n| n.table.name == table.name);
        let mut names: Vec<String> = nodes
            .flat_map(|n| n.columns.iter().chain(n.order.iter().map(|o| &o.column)))
            .map(|c| table.columns[*c].name.clone())
            .collect();
        names.sort();
        names.dedup();
        columns.push(names);
    }
    columns
}

/// Names of the columns whose values are taken from the log, for each table of [`Plan::tables`].
pub fn columns_logged(plan: &Plan) -> Vec<Vec<String>> {
    let all = images(plan);
    let of_table = |table: &Arc<CatalogTable>| {
        let needs = all.iter().find(|i| i.table.name == table.name);
        let inputs = needs.map(|i| i.inputs.iter()).into_iter().flatten();
        inputs.map(|c| table.columns[*c].name.clone()).collect()
    };
    plan.tables().iter().map(of_table).collect()
}

/// Every node below this one with its parent, parents first.
pub fn pairs(node: &Node) -> Vec<(&Node, &Node)> {
    let mut all = Vec::new();
    for child in &node.children {
        all.push((node, child));
        all.extend(pairs(child));
    }
    all
}

fn add(all: &mut Vec<TableImages>, more: TableImages) {
    match all.iter_mut().find(|t| t.table.name == more.table.name) {
        None => all.push(more),
        Some(known) => {
            known.columns.extend(more.columns);
            known.inputs.extend(more.inputs);
            known.needs_full |= more.needs_full;
            for reason in more.reasons {
                if !known.reasons.contains(&reason) {
                    known.reasons.push(reason);
                }
            }
        }
    }
}

fn of_root(collection: &CollectionPlan, root: &RootPlan) -> TableImages {
    let table = &root.node.table;
    let name = &collection.name;
    let is_keyless = table.primary_key.is_empty();
    let key: BTreeSet<usize> = if is_keyless {
        // What is generated follows from the others.
        (0..table.columns.len())
            .filter(|c| !table.columns[*c].is_generated)
            .collect()
    } else {
        table.primary_key.iter().copied().collect()
    };
    let (columns, inputs, reason) = match &root.id {
        IdPlan::Custom { script, .. } => {
            let seen = script.inputs.iter().map(|(_, cell)| root.node.columns[*cell]);
            (
                (0..table.columns.len()).collect(),
                seen.chain(key).collect(),
                format!("the _id of \"{name}\" is calculated from the row"),
            )
        }
        IdPlan::Generated { .. } | IdPlan::Single { .. } | IdPlan::Wrapped { .. } if is_keyless => (
            key.clone(),
            key,
            format!("it has no primary key, so that only the whole row tells which document of \"{name}\" it was"),
        ),
        IdPlan::Generated { .. } | IdPlan::Single { .. } | IdPlan::Wrapped { .. } => (
            key.clone(),
            key,
            format!("its primary key tells which document of \"{name}\" it was"),
        ),
    };
    TableImages {
        table: table.clone(),
        columns,
        inputs,
        needs_full: is_keyless || matches!(root.id, IdPlan::Custom { .. }),
        reasons: vec![reason],
    }
}

fn of_child(parent: &Node, node: &Node) -> TableImages {
    let own: BTreeSet<usize> = node.join.iter().flat_map(|j| &j.pairs).map(|p| p.own).collect();
    let names: Vec<&str> = own.iter().map(|c| node.table.columns[*c].name.as_str()).collect();
    TableImages {
        table: node.table.clone(),
        inputs: own.clone(),
        needs_full: false,
        reasons: vec![format!(
            "\"{}\" joins it to {} by {}",
            node.place,
            parent.table.name,
            names.join(", ")
        )],
        columns: own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::catalog::CatalogColumn;
    use crate::data::catalog::testing::int4;
    use crate::data::equality::testing::plain;
    use crate::plan::{Join, JoinPair, NodeKind, Script, Template};
    use godwit_shared::ids::MappingId;
    use godwit_shared::mapping::FieldType;
    use godwit_shared::schema::TableName;

    fn table(name: &str, columns: &str, key: &[usize]) -> Arc<CatalogTable> {
        let column = |name: &str| CatalogColumn {
            is_generated: name.starts_with('='),
            ..int4(name.trim_start_matches('='))
        };
        Arc::new(CatalogTable {
            columns: columns.split_whitespace().map(column).collect(),
            primary_key: key.to_vec(),
            ..CatalogTable::new(TableName::new("public", name))
        })
    }

    fn node(table: &Arc<CatalogTable>, join: Option<(usize, usize)>, children: Vec<Node>) -> Node {
        Node {
            id: 0,
            rule: MappingId::new("r"),
            place: format!("docs.{}", table.name.table),
            table: table.clone(),
            table_filter: None,
            kind: if join.is_some() {
                NodeKind::Array
            } else {
                NodeKind::Root
            },
            join: join.map(|(parent, own)| Join {
                pairs: vec![JoinPair {
                    parent,
                    own,
                    equality: Arc::new(plain("int4")),
                    refers_up: true,
                    is_synthetic: false,
                    equals_as_bytes: true,
                }],
                is_unique: false,
                is_indexed: false,
            }),
            columns: (0..table.columns.len()).collect(),
            classes: Vec::new(),
            fields: Vec::new(),
            calculated: Vec::new(),
            rule_filter: None,
            order: Vec::new(),
            limit: None,
            children,
            template: Template::default(),
        }
    }

    fn plan(node: Node, id: IdPlan) -> Plan {
        Plan {
            collections: vec![CollectionPlan {
                name: "docs".into(),
                roots: vec![RootPlan {
                    node,
                    id,
                    time_field: None,
                }],
                needs_claims: false,
                time_series: None,
            }],
            node_count: 0,
            script_count: 0,
        }
    }

    /// Each table as `name: columns [inputs] FULL`.
    fn check(plan: &Plan, expected: &[&str]) {
        let lines: Vec<String> = images(plan)
            .iter()
            .map(|t| {
                let names = |set: &BTreeSet<usize>| {
                    let names: Vec<&str> = set.iter().map(|c| t.table.columns[*c].name.as_str()).collect();
                    names.join(" ")
                };
                let inputs = if t.inputs == t.columns {
                    String::new()
                } else {
                    format!(" [{}]", names(&t.inputs))
                };
                let full = if t.needs_full { " FULL" } else { "" };
                format!("{}: {}{inputs}{full}", t.table.name.table, names(&t.columns))
            })
            .collect();
        assert_eq!(lines, expected);
    }

    const GENERATED: IdPlan = IdPlan::Generated { hash_key: [0; 32] };

    #[test]
    fn children_need_what_joins_them_and_roots_their_key() {
        let (order, line, product) = (
            table("order", "id x", &[0]),
            table("line", "no order_id product_id", &[0]),
            table("product", "id name", &[0]),
        );
        let lines = node(&line, Some((0, 1)), vec![node(&product, Some((2, 0)), vec![])]);
        check(
            &plan(node(&order, None, vec![lines]), GENERATED),
            &["order: id", "line: order_id", "product: id"],
        );
    }

    #[test]
    fn a_table_in_several_places_needs_what_all_of_them_need() {
        let t = table("t", "id boss_id", &[0]);
        let plan = plan(node(&t, None, vec![node(&t, Some((0, 1)), vec![])]), GENERATED);
        check(&plan, &["t: id boss_id"]);
        let reasons = &images(&plan)[0].reasons;
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert_eq!(reasons[1], "\"docs.t\" joins it to public.t by boss_id");
    }

    #[test]
    fn roots_that_only_the_whole_row_identifies() {
        let keyless = table("keyless", "a b =sum", &[]);
        check(&plan(node(&keyless, None, vec![]), GENERATED), &["keyless: a b FULL"]);
        let t = table("t", "id a b", &[0]);
        let script = Script {
            id: 0,
            world: 0,
            source: "columns.b".into(),
            inputs: vec![("b".into(), 2)],
            plain: None,
        };
        let custom = IdPlan::Custom {
            script,
            target: FieldType::Default,
        };
        check(&plan(node(&t, None, vec![]), custom), &["t: id a b [id b] FULL"]);
    }
}
