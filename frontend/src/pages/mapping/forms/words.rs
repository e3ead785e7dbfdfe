//! What the forms call things, and the lists that they offer. Plain functions.

use godwit_shared::edit::joins::{self, Join, Way};
use godwit_shared::edit::{Draft, Shape, drops, going};
use godwit_shared::ids::{CollectionId, MappingId, TableId};
use godwit_shared::mapping::{KeyHandling, Mapping};

/// An option of a list: its value and its label.
pub type Choice = (String, String);

pub fn shape_label(shape: Shape) -> &'static str {
    match shape {
        Shape::Array => "Embedded array",
        Shape::Values => "Array of values",
        Shape::Document => "Embedded document",
        Shape::Merged => "Fields merged into the parent",
    }
}

pub fn shape_value(shape: Shape) -> &'static str {
    match shape {
        Shape::Array => "array",
        Shape::Values => "values",
        Shape::Document => "document",
        Shape::Merged => "merged",
    }
}

pub fn shape_of_value(value: &str) -> Option<Shape> {
    [Shape::Array, Shape::Values, Shape::Document, Shape::Merged]
        .into_iter()
        .find(|shape| shape_value(*shape) == value)
}

/// What an embedded rule may become; what it is stands among it in any case.
pub fn shape_choices(draft: &Draft, rule: &MappingId) -> Vec<Choice> {
    let now = draft.rule(rule).and_then(joins::shape_of);
    let mut shapes = drops::shapes(draft, rule);
    if let Some(now) = now.filter(|now| !shapes.contains(now)) {
        shapes.insert(0, now);
    }
    let choice = |shape: Shape| (shape_value(shape).to_owned(), shape_label(shape).to_owned());
    shapes.into_iter().map(choice).collect()
}

/// `loans.borrower_id = borrowers.id`
pub fn join_text(join: &Join, parent: &str, own: &str) -> String {
    let pair = |(above, below): &(String, String)| match join.way {
        Way::Down => format!("{own}.{below} = {parent}.{above}"),
        Way::Up => format!("{parent}.{above} = {own}.{below}"),
    };
    let text = join.pairs.iter().map(pair).collect::<Vec<_>>().join(" and ");
    match join.synthetic {
        true => format!("{text} (synthetic)"),
        false => text,
    }
}

/// The keys that connect a rule with its parent so that its shape is possible.
pub fn link_choices(draft: &Draft, rule: &MappingId) -> Vec<Choice> {
    let found = || {
        let shape = joins::shape_of(draft.rule(rule)?)?;
        let (own, _) = draft.table_of(rule)?;
        let (parent, _) = draft.table_of(draft.parent_of(rule)?)?;
        let joins = joins::between(&draft.model, &parent.name(), &own.name());
        let suits = joins.into_iter().filter(|join| join.suits(shape));
        let choice = |join: Join| {
            (
                join.key.clone().unwrap_or_default(),
                join_text(&join, &parent.table, &own.table),
            )
        };
        Some(suits.map(choice).collect())
    };
    found().unwrap_or_default()
}

pub fn key_label(key: KeyHandling) -> &'static str {
    match key {
        KeyHandling::Generated => "Generated ObjectId",
        KeyHandling::Single => "Primary key",
        KeyHandling::Wrapped => "Document of the key",
    }
}

pub fn key_value(key: Option<KeyHandling>) -> &'static str {
    match key {
        None => "project",
        Some(KeyHandling::Generated) => "generated",
        Some(KeyHandling::Single) => "single",
        Some(KeyHandling::Wrapped) => "wrapped",
    }
}

pub fn key_of_value(value: &str) -> Option<KeyHandling> {
    [KeyHandling::Generated, KeyHandling::Single, KeyHandling::Wrapped]
        .into_iter()
        .find(|key| key_value(Some(*key)) == value)
}

/// `None`: as the project has it.
pub fn key_choices(of_project: KeyHandling) -> Vec<Choice> {
    let all = [KeyHandling::Generated, KeyHandling::Single, KeyHandling::Wrapped];
    let project = (
        "project".to_owned(),
        format!("As in the project: {}", key_label(of_project)),
    );
    let own = all.map(|key| (key_value(Some(key)).to_owned(), key_label(key).to_owned()));
    std::iter::once(project).chain(own).collect()
}

/// One rule in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLine {
    pub rule: MappingId,
    pub level: usize,
    pub table: String,
    pub kind: &'static str,
    /// Where it stands in the documents, without the collection.
    pub path: String,
}

/// The rules of a collection, parents first.
pub fn rules_of(draft: &Draft, collection: &CollectionId) -> Vec<RuleLine> {
    let mut lines = Vec::new();
    for (root, _) in draft.content.roots_of(collection) {
        for rule in draft.with_below(root) {
            lines.extend(rule_line(draft, &rule));
        }
    }
    lines
}

fn rule_line(draft: &Draft, id: &MappingId) -> Option<RuleLine> {
    let rule = draft.rule(id)?;
    let level = std::iter::successors(draft.parent_of(id), |above| draft.parent_of(above))
        .take(100)
        .count();
    let path = going::path_of(draft, id);
    Some(RuleLine {
        rule: id.clone(),
        level,
        table: table_name(draft, rule),
        kind: joins::shape_of(rule).map_or("New documents", shape_label),
        path,
    })
}

/// `schema.table`; the id where the project does not know it.
pub fn table_name(draft: &Draft, rule: &Mapping) -> String {
    let entry = draft.content.tables.get(&TableId::new(&rule.table));
    entry.map_or_else(|| rule.table.clone(), |entry| entry.path.name().to_string())
}

/// All tables of the project, by name.
pub fn table_choices(draft: &Draft) -> Vec<Choice> {
    let mut all: Vec<Choice> = draft
        .content
        .tables
        .iter()
        .map(|(id, entry)| (id.to_string(), entry.path.name().to_string()))
        .collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;

    #[test]
    fn what_a_rule_can_be_and_how_it_is_joined() {
        let draft = samples::draft();
        let loans = MappingId::new("m2");
        let shapes: Vec<String> = shape_choices(&draft, &loans)
            .into_iter()
            .map(|(value, _)| value)
            .collect();
        assert_eq!(shapes, ["array", "values"]);
        assert_eq!(shapes.iter().filter_map(|value| shape_of_value(value)).count(), 2);
        let links = link_choices(&draft, &loans);
        assert_eq!(links[0].1, "loans.borrower_id = borrowers.id");
    }

    #[test]
    fn rules_in_a_list() {
        let rules = rules_of(&samples::draft(), &CollectionId::new("c1"));
        let said: Vec<_> = rules.iter().map(|rule| (rule.level, &*rule.table, rule.kind)).collect();
        assert_eq!(
            said,
            [
                (0, "public.borrowers", "New documents"),
                (1, "public.loans", "Embedded array")
            ]
        );
    }

    #[test]
    fn values_of_lists_come_back() {
        for (value, _) in key_choices(KeyHandling::Single) {
            assert_eq!(key_value(key_of_value(&value)), value);
        }
    }
}
