//! The diagrams of a project file: which there are, where their cards stand, what is hidden.

use super::card::Card;
use super::geometry::Point;
use serde_json::Value;
use std::collections::HashMap;

/// What the first diagram is called where a project has none yet.
pub const FIRST_NAME: &str = "Main Diagram";
/// Its id, so that an edit can name it before it is stored.
pub const FIRST_ID: &str = "main";

/// The two views of a diagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Relational,
    Documents,
}

impl Side {
    /// Its member of a project file.
    pub fn member(self) -> &'static str {
        match self {
            Side::Relational => "relational",
            Side::Documents => "collection",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Side::Relational => "Relational",
            Side::Documents => "MongoDB",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Diagrams {
    pub tabs: Vec<Diagram>,
    pub active: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Diagram {
    pub id: String,
    pub name: String,
    pub notes: String,
    relational: HashMap<String, Place>,
    documents: HashMap<String, Place>,
    /// Whether cards without an entry are shown: in the first diagram they are.
    shows_new: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    at: Option<Point>,
    is_hidden: bool,
}

impl Diagrams {
    /// Reads `project.content.diagrams`; what cannot be read is as if it were not there.
    pub fn read(diagrams: Option<&Value>) -> Self {
        let tabs = diagrams.and_then(|d| d.get("tabs")?.as_array());
        let mut tabs: Vec<Diagram> = tabs.into_iter().flatten().filter_map(Diagram::read).collect();
        if tabs.is_empty() {
            tabs.push(Diagram {
                id: FIRST_ID.to_owned(),
                name: FIRST_NAME.to_owned(),
                ..Diagram::default()
            });
        }
        tabs[0].shows_new = true;
        let wanted = diagrams.and_then(|d| d.get("activeTab")?.as_str()).unwrap_or_default();
        let active = match tabs.iter().any(|tab| tab.id == wanted) {
            true => wanted.to_owned(),
            false => tabs[0].id.clone(),
        };
        Self { tabs, active }
    }

    pub fn active(&self) -> &Diagram {
        let active = self.tabs.iter().find(|tab| tab.id == self.active);
        active.unwrap_or(&self.tabs[0])
    }
}

impl Diagram {
    fn read(tab: &Value) -> Option<Self> {
        let text = |member: &str| tab.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = text("id");
        (!id.is_empty()).then(|| Self {
            name: text("name"),
            notes: text("notes"),
            relational: places(tab, Side::Relational),
            documents: places(tab, Side::Documents),
            shows_new: false,
            id,
        })
    }

    fn places(&self, side: Side) -> &HashMap<String, Place> {
        match side {
            Side::Relational => &self.relational,
            Side::Documents => &self.documents,
        }
    }

    /// How this diagram calls a card: older files name collections where newer ones have their id.
    pub fn node<'a>(&self, side: Side, card: &'a Card) -> &'a str {
        let places = self.places(side);
        match !places.contains_key(&card.id) && places.contains_key(&card.title) {
            true => &card.title,
            false => &card.id,
        }
    }

    /// Where a card stands; `None` where nobody has placed it.
    pub fn place_of(&self, side: Side, card: &Card) -> Option<Point> {
        self.places(side).get(self.node(side, card))?.at
    }

    pub fn is_hidden(&self, side: Side, card: &Card) -> bool {
        let place = self.places(side).get(self.node(side, card));
        place.map_or(!self.shows_new, |place| place.is_hidden)
    }
}

fn places(tab: &Value, side: Side) -> HashMap<String, Place> {
    let nodes = tab.get(side.member()).and_then(|view| view.get("nodes")?.as_array());
    let read = |node: &Value| {
        let number = |member: &str| node.get("position")?.get(member)?.as_f64();
        let place = Place {
            at: number("x").zip(number("y")).map(|(x, y)| Point::new(x, y)),
            is_hidden: node.get("hidden").and_then(Value::as_bool).unwrap_or(false),
        };
        Some((node.get("id")?.as_str()?.to_owned(), place))
    };
    nodes.into_iter().flatten().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::card;
    use super::*;
    use serde_json::json;

    #[test]
    fn older_files_call_collections_by_their_name() {
        let node = json!({"id": "orders", "position": {"x": 3, "y": 4}, "hidden": false});
        let file = json!({"tabs": [{"id": "a", "name": "A", "collection": {"nodes": [node]}}]});
        let diagrams = Diagrams::read(Some(&file));
        let orders = Card {
            id: "8f5aef4c".into(),
            title: "orders".into(),
            ..Card::default()
        };
        let diagram = diagrams.active();
        assert_eq!(diagram.place_of(Side::Documents, &orders), Some(Point::new(3.0, 4.0)));
        assert_eq!(diagram.node(Side::Documents, &orders), "orders");
        assert_eq!(diagram.node(Side::Relational, &orders), "8f5aef4c");
    }

    #[test]
    fn places_of_a_project_file() {
        let node = |id: &str, x: f64, hidden: bool| json!({"id": id, "type": "entityCard", "position": {"x": x, "y": 2.5}, "width": 244, "height": 296, "hidden": hidden});
        let tab = |id: &str, nodes: Value| json!({"id": id, "name": id.to_uppercase(), "relational": {"nodes": nodes, "edges": []}});
        let file = json!({"activeTab": "b", "tabs": [tab("a", json!([node("t1", 1.0, true)])), tab("b", json!([node("t1", -4.0, false)]))]});
        let diagrams = Diagrams::read(Some(&file));
        assert_eq!(diagrams.active().name, "B");
        let place_of = |tab: &Diagram, id| tab.place_of(Side::Relational, &card(id, &[]));
        assert_eq!(place_of(diagrams.active(), "t1"), Some(Point::new(-4.0, 2.5)));
        // What a diagram does not know: the first one shows it, the others do not.
        let is_hidden = |id| {
            let tabs = diagrams.tabs.iter();
            tabs.map(|tab| tab.is_hidden(Side::Relational, &card(id, &[])))
                .collect::<Vec<_>>()
        };
        assert_eq!(is_hidden("t1"), [true, false]);
        assert_eq!(is_hidden("t2"), [false, true]);
        assert_eq!(diagrams.tabs[0].place_of(Side::Documents, &card("t1", &[])), None);
    }

    #[test]
    fn a_project_without_diagrams_has_one() {
        for file in [None, Some(json!({})), Some(json!({"tabs": [3, {}], "activeTab": 7}))] {
            let diagrams = Diagrams::read(file.as_ref());
            assert_eq!((diagrams.tabs.len(), diagrams.active().name.as_str()), (1, FIRST_NAME));
            assert!(!diagrams.active().is_hidden(Side::Documents, &card("c", &[])));
        }
    }
}
