//! A case: everything that one seed gives.

use crate::history::History;
use crate::log::Identity;
use crate::mapping::{Filter, RandomPlan};
use crate::random::Random;
use crate::schema::Schema;
use godwit::plan::images::images;
use godwit::plan::routes::{Route, routes};
use godwit::plan::{Node, NodeKind, Plan};
use godwit_shared::ids::MappingId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

pub struct Case {
    pub seed: u64,
    pub schema: Schema,
    pub plan: Arc<Plan>,
    pub routes: Arc<Vec<Route>>,
    pub filters: HashMap<MappingId, Filter>,
    /// The tables of the plan, in its order: which of the schema each is, and what the log tells of its old rows.
    pub tables: Vec<(usize, Identity)>,
    pub history: History,
}

/// How often something has come up: whoever changes the generator sees what is not tried any more.
#[derive(Default)]
pub struct Seen(pub BTreeMap<&'static str, usize>);

impl Seen {
    pub fn note(&mut self, what: &'static str, has_come_up: bool) {
        *self.0.entry(what).or_default() += usize::from(has_come_up);
    }

    pub fn add(&mut self, other: Seen) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }
}

impl Case {
    pub fn new(seed: u64) -> Self {
        let schema = Schema::random(&mut Random::new(seed, "schema"));
        let RandomPlan { plan, filters } = RandomPlan::random(&mut Random::new(seed, "plan"), &schema);
        let mut random = Random::new(seed, "identities");
        let tables = images(&plan)
            .into_iter()
            .map(|needed| {
                let table = schema.number_of(&needed.table);
                (table, Identity::random(&mut random, &needed))
            })
            .collect();
        Self {
            seed,
            routes: Arc::new(routes(&plan)),
            plan: Arc::new(plan),
            filters,
            tables,
            history: History::random(&mut Random::new(seed, "history"), &schema),
            schema,
        }
    }

    /// What there is in the schema and the plan.
    pub fn note_features(&self, seen: &mut Seen) {
        let nodes: Vec<&Node> = self.plan.nodes().collect();
        let roots: Vec<&Node> = self.places().iter().map(|p| self.root(*p)).collect();
        let mut note = |what, has| seen.note(what, has);
        let self_reference = self.schema.keys.iter().any(|k| k.from == k.to);
        note("a table that refers to itself", self_reference);
        note("a cycle of tables", self.has_cycle());
        note("a shared key", self.has_shared_key());
        note("a join of two columns", nodes.iter().any(|n| pairs(n) == 2));
        note(
            "a table without a primary key",
            nodes.iter().any(|n| n.table.primary_key.is_empty()),
        );
        note(
            "roots without a primary key",
            roots.iter().any(|n| n.table.primary_key.is_empty()),
        );
        note(
            "a primary key of two columns",
            nodes.iter().any(|n| n.table.primary_key.len() == 2),
        );
        let names: HashSet<_> = nodes.iter().map(|n| &n.table.name).collect();
        note("several rules on one table", names.len() < nodes.len());
        let root_names: HashSet<_> = roots.iter().map(|n| &n.table.name).collect();
        note("several roots on one table", root_names.len() < roots.len());
        note(
            "several roots in one collection",
            self.plan.collections.iter().any(|c| c.roots.len() > 1),
        );
        note("several collections", self.plan.collections.len() > 1);
        note("four levels below a root", roots.iter().any(|n| levels(n) > 4));
        for (what, kind) in [
            ("an array", NodeKind::Array),
            ("an array of values", NodeKind::PrimitiveArray),
            ("a document", NodeKind::Document),
            ("a merged document", NodeKind::Merged),
        ] {
            note(what, nodes.iter().any(|n| n.kind == kind));
        }
        note("a filter", nodes.iter().any(|n| n.rule_filter.is_some()));
        note("a limit", nodes.iter().any(|n| n.limit.is_some()));
        let is_partial = |(_, identity): &(usize, Identity)| matches!(identity, Identity::Columns(_));
        note("old rows of some columns only", self.tables.iter().any(is_partial));
        note("a rollback", self.history.transactions.iter().any(|t| t.is_rolled_back));
    }

    /// Whether keys of different tables lead back to where they started.
    fn has_cycle(&self) -> bool {
        let leads = |from: usize, to: usize| self.schema.keys.iter().any(|k| (k.from, k.to) == (from, to));
        let tables = 0..self.schema.tables.len();
        tables
            .clone()
            .any(|a| tables.clone().any(|b| a != b && leads(a, b) && leads(b, a)))
    }

    /// Whether a column is part of two keys.
    fn has_shared_key(&self) -> bool {
        let keys = &self.schema.keys;
        let columns = |key: usize| keys[key].pairs.iter().map(move |(own, _)| (keys[key].from, *own));
        let all: Vec<(usize, usize)> = (0..keys.len()).flat_map(columns).collect();
        let different: HashSet<&(usize, usize)> = all.iter().collect();
        different.len() < all.len()
    }
}

fn pairs(node: &Node) -> usize {
    node.join.as_ref().map_or(0, |join| join.pairs.len())
}

fn levels(node: &Node) -> usize {
    1 + node.children.iter().map(levels).max().unwrap_or(0)
}
