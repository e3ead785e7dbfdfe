//! From the rules of a project and the live catalog to plans.

mod conditions;

use super::collection::{check_collection, check_time_field, time_series_of};
use super::join::find_join;
use super::plain;
use super::script::{Script, columns_used, new_world};
use super::template::{Template, check_id_names, layout_all};
use super::{
    About, CalculatedPlan, CollectionPlan, FieldPlan, IdPlan, Node, NodeKind, Plan, PlanProblem, RootPlan, RowFilter,
    TimeSeriesPlan,
};
use crate::data::catalog::{Catalog, CatalogTable};
use crate::data::equality::KeyClass;
use godwit_shared::edit::{FaultKind, Part};
use godwit_shared::ids::{CollectionId, MappingId};
use godwit_shared::job::{CollectionFilters, TableFilter, TableFilters};
use godwit_shared::mapping::{Collection, CollectionType, Content, FieldType, KeyHandling, Mapping, RuleType};
use godwit_shared::relmig::ProjectFile;
use godwit_shared::schema::TableName;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most levels of documents and arrays; MongoDB itself gives up between 180 and 190.
const DEPTH_MAX: usize = 100;

/// What a job says besides the project.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Stands for the project in generated ids: the same in every run.
    pub project_id: String,
    pub table_filters: TableFilters,
    pub collection_filters: CollectionFilters,
}

/// Compiles all collections that take part.
///
/// # Errors
/// Everything that is wrong with the mapping, never just the first of it.
pub fn compile(file: &ProjectFile, catalog: &Catalog, options: &PlanOptions) -> Result<Plan, Vec<PlanProblem>> {
    let mut compiler = Compiler {
        file,
        catalog,
        options,
        roots: roots_of(&file.project.content),
        problems: Vec::new(),
        nodes: 0,
        scripts: 0,
        world: new_world(),
    };
    let mut collections = Vec::new();
    let mut names = HashSet::new();
    compiler.check_filters();
    for (id, collection) in &file.project.content.collections {
        if !takes_part(&options.collection_filters, &collection.name) {
            continue;
        }
        compiler.check_collection(&collection.name, &mut names);
        let time_series = compiler.time_series(collection);
        let time_field = time_series.as_ref().map(|series| series.time_field.as_str());
        let roots: Vec<RootPlan> = compiler.roots(id, &collection.name, time_field);
        if roots.is_empty() {
            continue;
        }
        let needs_claims = roots.len() > 1 && roots.iter().any(|r| !matches!(r.id, IdPlan::Generated { .. }))
            || roots.iter().any(may_repeat_ids);
        collections.push(CollectionPlan {
            name: collection.name.clone(),
            roots,
            needs_claims,
            time_series,
        });
    }
    if collections.is_empty() && compiler.problems.is_empty() {
        let message = "no collection of the project takes part: add a New documents rule".to_owned();
        compiler.problems.push(PlanProblem {
            collection: "*".into(),
            rule: None,
            table: None,
            about: About(FaultKind::NothingMapped, Part::Whole),
            message,
        });
    }
    if compiler.problems.is_empty() {
        Ok(Plan {
            collections,
            node_count: compiler.nodes,
            script_count: compiler.scripts,
        })
    } else {
        Err(compiler.problems)
    }
}

fn takes_part(filters: &CollectionFilters, name: &str) -> bool {
    let listed = |list: &[String]| list.iter().any(|n| n == name);
    (filters.include.is_empty() || listed(&filters.include)) && !listed(&filters.exclude)
}

/// Whether two rows of the rule may come to one `_id`: the expression decides, or the key loses digits in BSON.
fn may_repeat_ids(root: &RootPlan) -> bool {
    let loses = |cell: usize| root.node.table.columns[root.node.columns[cell]].loses_identity;
    match &root.id {
        IdPlan::Generated { .. } => false,
        IdPlan::Single { cell } => loses(*cell),
        IdPlan::Wrapped { members } => members.iter().any(|(_, cell)| loses(*cell)),
        IdPlan::Custom { .. } => true,
    }
}

struct Compiler<'a> {
    file: &'a ProjectFile,
    catalog: &'a Catalog,
    options: &'a PlanOptions,
    /// The rules of each collection that make documents of their own, in the order of the file.
    roots: HashMap<&'a CollectionId, Vec<&'a MappingId>>,
    problems: Vec<PlanProblem>,
    nodes: usize,
    scripts: usize,
    world: u64,
}

/// Rules that make documents and lie below no other, by collection.
fn roots_of(content: &Content) -> HashMap<&CollectionId, Vec<&MappingId>> {
    let below = content.relationships.mappings.values().flat_map(|c| &c.children);
    let below: HashSet<&MappingId> = below.collect();
    let mut roots: HashMap<&CollectionId, Vec<&MappingId>> = HashMap::new();
    for (id, rule) in &content.mappings {
        if rule.settings.kind == RuleType::NewDocument && !below.contains(id) {
            roots.entry(&rule.collection_id).or_default().push(id);
        }
    }
    roots
}

/// What the rule under compilation belongs to.
struct Parent<'a> {
    table: &'a CatalogTable,
    place: String,
    depth: usize,
}

impl Compiler<'_> {
    fn problem(
        &mut self,
        collection: &str,
        rule: &MappingId,
        table: Option<&TableName>,
        about: About,
        message: String,
    ) {
        self.problems.push(PlanProblem {
            collection: collection.into(),
            rule: Some(rule.clone()),
            table: table.cloned(),
            about,
            message,
        });
    }

    fn check_filters(&mut self) {
        for (schema, tables) in &self.options.table_filters {
            for table in tables.keys() {
                let name = TableName::new(schema, table);
                if !self.catalog.tables.contains_key(&name) {
                    let message = format!("a table filter names the table {name}, which the source does not have");
                    self.problems.push(PlanProblem {
                        collection: "*".into(),
                        rule: None,
                        table: Some(name),
                        about: About(FaultKind::TableGone, Part::TableFilter),
                        message,
                    });
                }
            }
        }
    }

    fn check_collection(&mut self, name: &str, names: &mut HashSet<String>) {
        let Some((about, message)) = check_collection(name, names) else {
            return;
        };
        self.problems.push(PlanProblem {
            collection: name.into(),
            rule: None,
            table: None,
            about,
            message,
        });
    }

    /// The settings of a collection that is a time series.
    fn time_series(&mut self, collection: &Collection) -> Option<TimeSeriesPlan> {
        if collection.kind != CollectionType::TimeSeries {
            return None;
        }
        match time_series_of(collection) {
            Ok(series) => Some(series),
            Err(message) => {
                self.problems.push(PlanProblem {
                    collection: collection.name.clone(),
                    rule: None,
                    table: None,
                    about: About(FaultKind::TimeSeries, Part::TimeSeries),
                    message: message.into(),
                });
                None
            }
        }
    }

    fn roots(&mut self, collection: &CollectionId, name: &str, time_field: Option<&str>) -> Vec<RootPlan> {
        let roots = self.roots.remove(collection).unwrap_or_default();
        let mappings = &self.file.project.content.mappings;
        let mut plans = Vec::new();
        for (id, mapping) in roots.into_iter().filter_map(|id| Some((id, mappings.get(id)?))) {
            let Some(mut root) = self.root(name, id, mapping) else {
                continue;
            };
            if let Some(field) = time_field {
                if let Err(message) = check_time_field(&root.node, field) {
                    let about = About(FaultKind::TimeSeries, Part::TimeSeries);
                    self.problem(name, id, Some(&root.node.table.name), about, message);
                }
                root.time_field = Some(field.to_owned());
            }
            plans.push(root);
        }
        plans
    }

    fn root(&mut self, collection: &str, rule: &MappingId, mapping: &Mapping) -> Option<RootPlan> {
        let handling = mapping
            .settings
            .key_handling
            .unwrap_or(self.file.project.content.settings.key_handling);
        let custom = mapping.calculated_fields.values().find(|c| c.name == "_id");
        let table = self.table(collection, rule, mapping)?;
        let inherited = custom.is_none() && handling != KeyHandling::Generated && !table.primary_key.is_empty();
        let hidden: &[usize] = if inherited { &table.primary_key } else { &[] };
        let mut node = self.node(collection, rule, mapping, None, hidden)?;
        let target_name = |column: usize| {
            let name = &table.columns[column].name;
            mapping
                .fields
                .get(name)
                .map_or_else(|| name.clone(), |f| f.target.name.clone())
        };
        let id = match (custom, handling) {
            (Some(calculated), _) => IdPlan::Custom {
                script: self.script(collection, &calculated.expression, Part::Id, &mut node),
                target: calculated.kind.unwrap_or_default(),
            },
            (None, _) if !inherited => IdPlan::Generated {
                hash_key: self.hash_key(collection, &table.name),
            },
            (None, KeyHandling::Single) if table.primary_key.len() == 1 => IdPlan::Single {
                cell: need(&mut node, table.primary_key[0]),
            },
            (None, _) => IdPlan::Wrapped {
                members: table
                    .primary_key
                    .iter()
                    .map(|c| (target_name(*c), need(&mut node, *c)))
                    .collect(),
            },
        };
        if let IdPlan::Wrapped { members } = &id
            && let Err(message) = check_id_names(members.iter().map(|(name, _)| name.as_str()))
        {
            let about = About(FaultKind::NameTaken, Part::Id);
            self.problem(collection, rule, Some(&table.name), about, message);
        }
        if table.primary_key.is_empty() {
            // Equal rows are counted, so all of the row is its identity.
            (0..table.columns.len()).for_each(|c| _ = need(&mut node, c));
        }
        let is_asked = |c: &usize| matches!(table.columns[*c].class, KeyClass::Asked(_));
        node.classes = table.row_key().into_iter().filter(is_asked).collect();
        match layout_all(&mut node) {
            Ok(()) => Some(RootPlan {
                node,
                id,
                time_field: None,
            }),
            Err(problems) => {
                for problem in problems {
                    let part = match problem.part {
                        // Here fields have ids, in a plan only names.
                        Part::Calculated { id: name } => self.calculated_part(&problem.rule, &name),
                        part => part,
                    };
                    let about = About(problem.kind, part);
                    self.problem(collection, &problem.rule, Some(&problem.table), about, problem.message);
                }
                None
            }
        }
    }

    /// The calculated field of a name.
    fn calculated_part(&self, rule: &MappingId, name: &str) -> Part {
        let fields = self
            .file
            .project
            .content
            .mappings
            .get(rule)
            .map(|m| &m.calculated_fields);
        let found = fields.into_iter().flatten().find(|(_, field)| field.name == name);
        found.map_or(Part::Whole, |(id, _)| Part::Calculated { id: id.clone() })
    }

    fn hash_key(&self, collection: &str, table: &TableName) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("godwit 2026 generated _id");
        for part in [&self.options.project_id, collection, &table.schema, &table.table] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    fn table(&mut self, collection: &str, rule: &MappingId, mapping: &Mapping) -> Option<Arc<CatalogTable>> {
        let Some(path) = self.file.table_of(mapping) else {
            self.problem(
                collection,
                rule,
                None,
                About(FaultKind::TableGone, Part::Whole),
                format!("its table \"{}\" is not in the project", mapping.table),
            );
            return None;
        };
        let name = path.name();
        if let Some(table) = self.catalog.tables.get(&name) {
            return Some(table.clone());
        }
        let alike = self
            .catalog
            .tables
            .keys()
            .find(|t| t.table.eq_ignore_ascii_case(&name.table) && t.schema.eq_ignore_ascii_case(&name.schema));
        let message = match alike {
            Some(alike) => format!("the source has no table {name}, but it has {alike}: upper and lower case count"),
            None => format!(
                "the source has no table {name} in the database \"{}\" (a partition belongs to its root)",
                self.catalog.database
            ),
        };
        self.problem(
            collection,
            rule,
            Some(&name),
            About(FaultKind::TableGone, Part::Whole),
            message,
        );
        None
    }

    fn node(
        &mut self,
        collection: &str,
        rule: &MappingId,
        mapping: &Mapping,
        parent: Option<&Parent<'_>>,
        hidden: &[usize],
    ) -> Option<Node> {
        let before = self.problems.len();
        let table = self.table(collection, rule, mapping)?;
        let id = self.nodes;
        self.nodes += 1;
        let kind = self.kind(collection, rule, mapping, &table, parent.is_none());
        let own_place = mapping.settings.embedded_path.clone().unwrap_or_default();
        let place = match (parent, kind) {
            (None, _) => collection.to_owned(),
            (Some(p), NodeKind::Merged) => p.place.clone(),
            (Some(p), _) => format!("{}.{own_place}", p.place),
        };
        let depth = parent.map_or(1, |p| {
            let dots = own_place.matches('.').count();
            p.depth + 1 + dots + usize::from(matches!(kind, NodeKind::Array | NodeKind::PrimitiveArray))
        });
        if depth > DEPTH_MAX {
            self.problem(
                collection,
                rule,
                Some(&table.name),
                About(FaultKind::TooDeep, Part::Whole),
                format!("it is nested deeper than {DEPTH_MAX} levels"),
            );
            return None;
        }
        let join = parent.and_then(|p| {
            let wanted = mapping.settings.foreign_key_name.as_deref().filter(|n| !n.is_empty());
            find_join(
                &self.file.schema.full,
                self.catalog,
                mapping.settings.kind,
                wanted,
                p.table,
                &table,
            )
            .map_err(|problem| {
                let about = About(problem.kind, Part::Link);
                self.problem(collection, rule, Some(&table.name), about, problem.message);
            })
            .ok()
        });
        let mut node = Node {
            id,
            rule: rule.clone(),
            place,
            table_filter: self.table_filter(collection, rule, mapping, &table.name),
            kind,
            join,
            columns: Vec::new(),
            classes: Vec::new(),
            fields: Vec::new(),
            calculated: Vec::new(),
            rule_filter: None,
            order: Vec::new(),
            limit: None,
            children: Vec::new(),
            template: Template::default(),
            table: table.clone(),
        };
        self.fields(collection, rule, mapping, hidden, &mut node);
        self.calculated(collection, rule, mapping, &mut node);
        if let Some(filter) = mapping
            .settings
            .rule_filter
            .as_ref()
            .filter(|f| !f.expression.trim().is_empty())
        {
            node.rule_filter = Some(self.script(collection, &filter.expression, Part::RuleFilter, &mut node));
        }
        self.conditions(collection, rule, mapping, &mut node);
        table.primary_key.iter().for_each(|c| _ = need(&mut node, *c));
        self.children(collection, rule, depth, &mut node);
        if kind == NodeKind::PrimitiveArray && node.fields.len() + node.calculated.len() != 1 {
            let message = format!(
                "an array of primitive values needs exactly one field, not {}",
                node.fields.len() + node.calculated.len()
            );
            let about = About(FaultKind::NotOneValue, Part::Whole);
            self.problem(collection, rule, Some(&table.name), about, message);
        }
        (self.problems.len() == before).then_some(node)
    }

    fn kind(
        &mut self,
        collection: &str,
        rule: &MappingId,
        mapping: &Mapping,
        table: &CatalogTable,
        is_root: bool,
    ) -> NodeKind {
        let settings = &mapping.settings;
        let path = settings.embedded_path.as_deref().unwrap_or_default();
        let conditions = settings.array_conditions.as_ref();
        let as_document = conditions.is_some_and(|c| c.as_document == Some(true));
        match settings.kind {
            RuleType::NewDocument if is_root => NodeKind::Root,
            RuleType::NewDocument => {
                self.problem(
                    collection,
                    rule,
                    Some(&table.name),
                    About(FaultKind::WrongShape, Part::Whole),
                    "a New documents rule cannot lie below another rule".into(),
                );
                NodeKind::Root
            }
            RuleType::EmbeddedDocument if path.is_empty() => NodeKind::Merged,
            RuleType::EmbeddedDocument => NodeKind::Document,
            RuleType::EmbeddedDocumentArray if path.is_empty() => {
                self.problem(
                    collection,
                    rule,
                    Some(&table.name),
                    About(FaultKind::NameInvalid, Part::Path),
                    "an embedded array needs a field name".into(),
                );
                NodeKind::Array
            }
            RuleType::EmbeddedDocumentArray if as_document => {
                if conditions.and_then(|c| c.limit) != Some(1) {
                    self.problem(
                        collection,
                        rule,
                        Some(&table.name),
                        About(FaultKind::WrongShape, Part::Conditions),
                        "embed as a document needs the limit 1".into(),
                    );
                }
                NodeKind::Document
            }
            RuleType::EmbeddedDocumentArray if settings.primitive == Some(true) => NodeKind::PrimitiveArray,
            RuleType::EmbeddedDocumentArray => NodeKind::Array,
        }
    }

    fn table_filter(
        &mut self,
        collection: &str,
        rule: &MappingId,
        mapping: &Mapping,
        name: &TableName,
    ) -> Option<RowFilter> {
        let of_job = self
            .options
            .table_filters
            .get(&name.schema)
            .and_then(|s| s.get(&name.table))
            .cloned();
        let tables = &self.file.project.content.tables;
        let entry = tables.get(&godwit_shared::ids::TableId::new(&mapping.table));
        let of_project = match entry.and_then(|e| e.extra.get("filter")).filter(|f| !f.is_null()) {
            None => None,
            Some(filter) => match serde_json::from_value(filter.clone()) {
                Ok(filter) => Some(filter),
                Err(error) => {
                    let message = format!("the filter of the table cannot be read: {error}");
                    self.problem(
                        collection,
                        rule,
                        Some(name),
                        About(FaultKind::Filter, Part::TableFilter),
                        message,
                    );
                    None
                }
            },
        };
        let filter: TableFilter = of_job.or(of_project)?;
        let filter = RowFilter {
            where_clause: filter.where_clause,
            row_count: filter.row_count,
            condition: None,
        };
        (filter.row_count.is_some() || filter.text().is_some()).then_some(filter)
    }

    /// In the order of the table's columns, whatever the order in the file.
    fn fields(&mut self, collection: &str, rule: &MappingId, mapping: &Mapping, hidden: &[usize], node: &mut Node) {
        let table = node.table.clone();
        for (name, _) in mapping
            .fields
            .iter()
            .filter(|(name, f)| f.target.included && !is_key_entry(name, f))
        {
            if table.column(name).is_none() {
                let message = format!(
                    "the column is gone from {}: refresh the schema or exclude the field",
                    table.name
                );
                let about = About(FaultKind::ColumnGone, Part::of_column(name));
                self.problem(collection, rule, Some(&table.name), about, message);
            }
        }
        let calculated: HashSet<&str> = mapping.calculated_fields.values().map(|c| c.name.as_str()).collect();
        for (index, column) in table.columns.iter().enumerate() {
            let Some(field) = mapping.fields.get(&column.name) else {
                continue;
            };
            if is_key_entry(&column.name, field) || !field.target.included || hidden.contains(&index) {
                continue;
            }
            if calculated.contains(field.target.name.as_str()) {
                let message = format!(
                    "a calculated field has the same name \"{}\": exclude the column or rename one",
                    field.target.name
                );
                let about = About(FaultKind::NameTaken, Part::of_column(&column.name));
                self.problem(collection, rule, Some(&table.name), about, message);
                continue;
            }
            let cell = need(node, index);
            let target = if field.target.kind == column.default_type {
                FieldType::Default
            } else {
                field.target.kind
            };
            node.fields.push(FieldPlan {
                cell,
                target,
                omit_null: field.target.is_null_excluded,
                name: field.target.name.clone(),
            });
        }
    }

    fn calculated(&mut self, collection: &str, rule: &MappingId, mapping: &Mapping, node: &mut Node) {
        for (id, calculated) in &mapping.calculated_fields {
            if calculated.name == "_id" && node.kind == NodeKind::Root {
                continue;
            }
            if calculated.expression.trim().is_empty() {
                let message = format!("the calculated field \"{}\" has no expression", calculated.name);
                let about = About(FaultKind::Expression, Part::Calculated { id: id.clone() });
                self.problem(collection, rule, Some(&node.table.name.clone()), about, message);
            }
            let part = Part::Calculated { id: id.clone() };
            let script = self.script(collection, &calculated.expression, part, node);
            node.calculated.push(CalculatedPlan {
                script,
                target: calculated.kind.unwrap_or_default(),
                omit_null: calculated.is_null_excluded,
                name: calculated.name.clone(),
            });
        }
    }

    fn script(&mut self, collection: &str, source: &str, part: Part, node: &mut Node) -> Script {
        let id = self.scripts;
        self.scripts += 1;
        let table = node.table.clone();
        let used = columns_used(source, &table);
        for name in used.unknown {
            // In the language it would be undefined: a filter would leave out every row, and nobody would be told.
            let message = format!(
                "an expression asks for the column \"{name}\", which {} does not have",
                table.name
            );
            let about = About(FaultKind::ColumnGone, part.clone());
            self.problem(collection, &node.rule.clone(), Some(&table.name), about, message);
        }
        let inputs: Vec<(String, usize)> = used
            .columns
            .into_iter()
            .map(|c| (table.columns[c].name.clone(), need(node, c)))
            .collect();
        Script {
            id,
            world: self.world,
            source: source.to_owned(),
            plain: plain::parse(source, &inputs),
            inputs,
        }
    }

    fn children(&mut self, collection: &str, rule: &MappingId, depth: usize, node: &mut Node) {
        let content = &self.file.project.content;
        let table = node.table.clone();
        for child_id in content.children_of(rule) {
            let Some(mapping) = content.mappings.get(child_id) else {
                self.problem(
                    collection,
                    rule,
                    Some(&table.name),
                    About(FaultKind::WrongShape, Part::Whole),
                    format!("the rule {child_id} below it is not in the project"),
                );
                continue;
            };
            let parent = Parent {
                table: &table,
                place: node.place.clone(),
                depth,
            };
            let Some(child) = self.node(collection, child_id, mapping, Some(&parent), &[]) else {
                continue;
            };
            for pair in child.join.iter().flat_map(|j| &j.pairs) {
                need(node, pair.parent);
            }
            node.children.push(child);
        }
    }
}

/// The entry that stands for the document's key, not for a column.
fn is_key_entry(name: &str, field: &godwit_shared::mapping::Field) -> bool {
    name == "_id" && matches!(field.source.database_specific_type.as_str(), "NONE" | "")
}

/// The cell of a column, which is read from now on.
fn need(node: &mut Node, column: usize) -> usize {
    node.cell_of(column).unwrap_or_else(|| {
        node.columns.push(column);
        node.columns.len() - 1
    })
}
