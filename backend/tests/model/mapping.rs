//! Random mapping rules over a schema, compiled by the product: up to three collections with one or two roots each, and
//! below each root a tree of arrays, documents in both directions, merged documents and primitive arrays.

use crate::random::Random;
use crate::schema::{Schema, column_name, key_name, table_name};
use godwit::plan::{Plan, PlanOptions, compile};
use godwit_shared::ids::MappingId;
use godwit_shared::relmig::ProjectFile;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const LEVELS_MAX: usize = 4;
/// Rules below one root.
const RULES_MAX: usize = 8;

pub struct RandomPlan {
    pub plan: Plan,
    pub filters: HashMap<MappingId, Filter>,
}

/// Rows that hold this value in this column are left out. The rule has it as JavaScript.
pub struct Filter {
    pub column: usize,
    pub value: u8,
}

struct Rules<'a> {
    random: &'a mut Random,
    schema: &'a Schema,
    collection: String,
    mappings: Map<String, Value>,
    children: Map<String, Value>,
    filters: HashMap<MappingId, Filter>,
    /// How many rules may still be added below the current root.
    left: usize,
}

/// How a table can hang on another one.
struct Embedding {
    key: usize,
    table: usize,
    /// The key is on the embedded table.
    is_down: bool,
}

impl RandomPlan {
    pub fn random(random: &mut Random, schema: &Schema) -> Self {
        let mut rules = Rules {
            random,
            schema,
            collection: String::new(),
            mappings: Map::new(),
            children: Map::new(),
            filters: HashMap::new(),
            left: 0,
        };
        let mut collections = Map::new();
        for number in 0..rules.random.between(1, 3) {
            rules.collection = format!("docs{number}");
            collections.insert(rules.collection.clone(), json!({ "name": rules.collection }));
            let roots = rules.random.pick(&[1, 1, 2]);
            for table in rules.random.distinct(roots, schema.tables.len()) {
                rules.root(table);
            }
        }
        let project = json!({
            "version": "1.14.0",
            "project": {
                "name": "model",
                "type": "POSTGRES",
                "content": {
                    "collections": collections,
                    "mappings": rules.mappings,
                    "relationships": { "mappings": rules.children },
                },
            },
            "schema": { "full": schema.in_project() },
        });
        let file = ProjectFile::from_value(project).expect("a project file");
        let plan = compile(&file, &schema.catalog(), &PlanOptions::default()).expect("rules that fit the schema");
        Self {
            plan,
            filters: rules.filters,
        }
    }
}

impl Rules<'_> {
    fn root(&mut self, table: usize) {
        self.left = RULES_MAX;
        let rule = self.rule(table, json!({ "type": "NEW_DOCUMENT" }), false);
        let levels = self.random.between(1, LEVELS_MAX);
        self.embed(&rule, table, levels, 3);
    }

    /// Adds rules below a rule: at least one where the schema has a key, so that the tree gets as deep as it should.
    fn embed(&mut self, parent: &str, parent_table: usize, levels: usize, children_max: usize) {
        let ways = self.embeddings_of(parent_table);
        if levels == 0 || ways.is_empty() {
            return;
        }
        let mut children = Vec::new();
        for _ in 0..self.random.between(1, children_max) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let way = self.random.below(ways.len());
            let Embedding { key, table, is_down } = ways[way];
            let rule = self.embedded_rule(key, table, is_down);
            self.embed(&rule, table, levels - 1, 2);
            children.push(rule);
        }
        self.children.insert(parent.into(), json!({ "children": children }));
    }

    fn embeddings_of(&self, parent: usize) -> Vec<Embedding> {
        let mut ways = Vec::new();
        for (key, k) in self.schema.keys.iter().enumerate() {
            if k.to == parent {
                let (table, is_down) = (k.from, true);
                ways.push(Embedding { key, table, is_down });
            }
            if k.from == parent {
                let (table, is_down) = (k.to, false);
                ways.push(Embedding { key, table, is_down });
            }
        }
        ways
    }

    fn embedded_rule(&mut self, key: usize, table: usize, is_down: bool) -> String {
        let path = format!("e{}", self.mappings.len());
        let array = json!({ "type": "EMBEDDED_DOCUMENT_ARRAY", "foreignKeyName": key_name(key), "embeddedPath": path });
        let document = json!({ "type": "EMBEDDED_DOCUMENT", "foreignKeyName": key_name(key), "embeddedPath": path });
        let mut settings = if is_down && self.random.percent(75) {
            array
        } else {
            document
        };
        if settings["type"] == "EMBEDDED_DOCUMENT" {
            if self.random.percent(30) {
                settings["embeddedPath"] = json!("");
            }
            return self.rule(table, settings, false);
        }
        let is_primitive = self.random.percent(15);
        if is_primitive {
            settings["primitive"] = json!(true);
        } else if self.random.percent(10) {
            settings["arrayConditions"] = json!({ "limit": 1, "asDocument": true });
        } else if self.random.percent(25) {
            let column = self.random.below(self.schema.tables[table].columns.len());
            let order = self.random.pick(&["ASC", "DESC"]);
            settings["arrayConditions"] = json!({ "sort": { "field": column_name(column), "order": order } });
            if self.random.percent(50) {
                settings["arrayConditions"]["limit"] = json!(self.random.between(1, 2));
            }
        }
        self.rule(table, settings, is_primitive)
    }

    /// Adds a rule and returns its id. Every field of every rule has a name of its own, so that rules can be merged.
    fn rule(&mut self, table: usize, mut settings: Value, has_one_field: bool) -> String {
        let id = format!("r{}", self.mappings.len());
        let columns = self.schema.tables[table].columns.len();
        if self.random.percent(15) {
            let column = self.random.below(columns);
            let value = self.random.below(self.schema.values) as u8;
            let expression = format!("columns[\"{}\"] !== {value}", column_name(column));
            settings["ruleFilter"] = json!({ "expression": expression });
            self.filters.insert(MappingId::new(&id), Filter { column, value });
        }
        let fields: Vec<usize> = if has_one_field {
            vec![self.random.below(columns)]
        } else {
            // A table may also only lead to others.
            (0..columns).filter(|_| self.random.percent(60)).collect()
        };
        let fields: Map<String, Value> = fields
            .into_iter()
            .map(|column| {
                let name = column_name(column);
                let target = json!({ "name": format!("{id}_{name}") });
                let source = json!({ "name": name, "databaseSpecificType": "integer" });
                (name, json!({ "target": target, "source": source }))
            })
            .collect();
        let rule = json!({
            "settings": settings,
            "fields": fields,
            "collectionId": self.collection,
            "table": format!("db.{}", table_name(table)),
        });
        self.mappings.insert(id.clone(), rule);
        id
    }
}
