//! The document view: a card for each collection with the fields of its documents, a line from each field that is made of a
//! foreign key to the collections of what it refers to.

use super::card::{Card, CardRow};
use super::edge::{Edge, Many};
use crate::components::icon::Icon;
use crate::components::tree::TreeNode;
use crate::format::number;
use crate::pages::mapping::documents::document_tree;
use crate::pages::mapping::lineage::below;
use godwit_shared::ids::{CollectionId, MappingId, TableId};
use godwit_shared::mapping::{Content, Mapping};
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Cards and lines of all collections.
pub fn graph(content: &Content, model: &RelationalModel) -> (Vec<Arc<Card>>, Vec<Arc<Edge>>) {
    let links = Links::of(content, model);
    let cards = document_tree(content)
        .into_iter()
        .map(|node| Arc::new(card(node, &links)));
    (cards.collect(), links.edges)
}

fn card(node: TreeNode, links: &Links) -> Card {
    let mut rows = Vec::new();
    add_rows(&node.children, "", 0, &mut rows);
    for row in &mut rows {
        row.is_link = links.fields.contains(&(node.id.clone(), row.id.clone()));
    }
    Card {
        note: number::counted(rows.len() as u64, "field", "fields"),
        id: node.id,
        title: node.label,
        rows,
        is_proposed: false,
    }
}

fn add_rows(nodes: &[TreeNode], above: &str, level: usize, rows: &mut Vec<CardRow>) {
    for node in nodes {
        let id = below(above, &node.label);
        rows.push(CardRow {
            id: id.clone(),
            label: node.label.clone(),
            kind: kind(node),
            level,
            is_key: node.icon == Icon::Key,
            is_link: false,
            is_calculated: node.icon == Icon::Function,
        });
        add_rows(&node.children, &id, level + 1, rows);
    }
}

fn kind(node: &TreeNode) -> String {
    match node.icon {
        Icon::Braces => "{}".to_owned(),
        Icon::Brackets => "[]".to_owned(),
        _ => node.note.clone(),
    }
}

/// The fields that are made of foreign keys.
#[derive(Default)]
struct Links {
    edges: Vec<Arc<Edge>>,
    /// Collection and path.
    fields: HashSet<(String, String)>,
}

struct Project<'a> {
    content: &'a Content,
    model: &'a RelationalModel,
    /// The collections that have documents of a table.
    collections: HashMap<TableName, Vec<&'a CollectionId>>,
}

impl Links {
    fn of(content: &Content, model: &RelationalModel) -> Self {
        let mut project = Project {
            content,
            model,
            collections: HashMap::new(),
        };
        let roots = content
            .collections
            .keys()
            .flat_map(|id| content.roots_of(id).map(move |root| (id, root)));
        let roots: Vec<_> = roots.collect();
        for (collection, (_, rule)) in &roots {
            if let Some(table) = project.table(rule) {
                project.collections.entry(table).or_default().push(collection);
            }
        }
        let mut links = Self::default();
        for (collection, (id, rule)) in roots {
            links.add(&project, collection, id, rule, "");
        }
        links
    }

    fn add(&mut self, project: &Project<'_>, collection: &CollectionId, id: &MappingId, rule: &Mapping, above: &str) {
        let own = project.table(rule);
        let table = own.as_ref().and_then(|name| project.model.table(name));
        for (key_name, key) in table.into_iter().flat_map(|table| &table.foreign_keys) {
            let Some(pair) = key.column_mappings.first() else {
                continue;
            };
            let field = rule.fields.get(&pair.source).filter(|field| field.target.included);
            let Some(field) = field else { continue };
            let path = below(above, &field.target.name);
            self.fields.insert((collection.to_string(), path.clone()));
            let targets = project.collections.get(&key.target_table.name());
            for target in targets.into_iter().flatten() {
                self.edges.push(Arc::new(Edge {
                    id: format!("{collection}\n{path}\n{target}\n{key_name}"),
                    from: collection.to_string(),
                    from_row: Some(path.clone()),
                    to: target.to_string(),
                    to_row: Some("_id".to_owned()),
                    from_many: match key.cardinality.is_one() {
                        true => Many::One,
                        false => Many::Many,
                    },
                    is_synthetic: key.synthetic,
                    label: format!("{path} refers to {}", key.target_table.table),
                }));
            }
        }
        let rules = project.content.children_of(id);
        for (id, child) in rules.filter_map(|id| Some((id, project.content.mappings.get(id)?))) {
            match child.settings.embedded_path.as_deref() {
                Some(path) if !path.is_empty() => self.add(project, collection, id, child, &below(above, path)),
                _ => self.add(project, collection, id, child, above),
            }
        }
    }
}

impl Project<'_> {
    fn table(&self, rule: &Mapping) -> Option<TableName> {
        self.content
            .tables
            .get(&TableId::new(&rule.table))
            .map(|entry| entry.path.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;

    #[test]
    fn collections_with_their_fields() {
        let (cards, edges) = graph(&samples::content(), &samples::model());
        assert_eq!(
            cards.iter().map(|c| c.title.as_str()).collect::<Vec<_>>(),
            ["borrowers", "empty"]
        );
        let rows: Vec<_> = cards[0].rows.iter().map(|r| (&*r.id, &*r.kind, r.level)).collect();
        assert_eq!(
            rows,
            [
                ("_id", "primary key", 0),
                ("person", "{}", 0),
                ("person.name", "String", 1),
                ("initial", "calculated", 0),
                ("loans", "[]", 0),
                ("loans.id", "text", 1),
                ("loans.title", "text", 1)
            ]
        );
        assert!(cards[0].rows[0].is_key && cards[0].rows[3].is_calculated && edges.is_empty());
    }

    #[test]
    fn fields_of_foreign_keys_lead_to_what_they_refer_to() {
        let mut content = samples::content();
        let loans = content.mappings.get_mut(&MappingId::new("m2")).expect("the rule");
        loans.fields.get_mut("borrower_id").expect("the field").target.included = true;
        let (cards, edges) = graph(&content, &samples::model());
        let [edge] = edges.as_slice() else { panic!("{edges:?}") };
        assert_eq!((edge.from_row.as_deref(), &*edge.to), (Some("loans.borrower_id"), "c1"));
        assert!(
            cards[0]
                .rows
                .iter()
                .any(|row| row.is_link && row.id == "loans.borrower_id")
        );
    }
}
