//! Diagrams: tabs, and the cards on them. They stay JSON, as the file has them, with whatever else stands in it.

use super::editor::Editor;
use super::step::{Entry, Step};
use super::{DiagramEdit, Draft, EditError, EditReason, Made, NodePlace, Place, View};
use serde_json::{Map, Value, json};

/// The name of the first diagram, which holds everything.
pub const MAIN: &str = "Main Diagram";

fn member(view: View) -> &'static str {
    match view {
        View::Relational => "relational",
        View::Collection => "collection",
    }
}

/// The cards of a tab.
pub(super) fn nodes_mut(diagrams: Option<&mut Value>, tab: usize, view: View) -> Option<&mut Vec<Value>> {
    let tab = diagrams?.get_mut("tabs")?.get_mut(tab)?;
    tab.get_mut(member(view))?.get_mut("nodes")?.as_array_mut()
}

/// A tab of the diagrams.
#[derive(Debug, Clone, PartialEq)]
pub struct Tab {
    pub id: String,
    pub name: String,
    pub notes: String,
    /// Cards by the id that the file gives them: of tables their id, of collections their id or name.
    pub relational: Vec<(String, NodePlace)>,
    pub collection: Vec<(String, NodePlace)>,
}

/// All tabs in their order, and the id of the one that is shown.
pub fn tabs(draft: &Draft) -> (Vec<Tab>, Option<String>) {
    let Some(diagrams) = &draft.content.diagrams else {
        return (Vec::new(), None);
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let nodes = |tab: &Value, view: View| -> Vec<(String, NodePlace)> {
        let nodes = tab
            .get(member(view))
            .and_then(|v| v.get("nodes"))
            .and_then(Value::as_array);
        let read = |node: &Value| Some((node.get("id")?.as_str()?.to_owned(), place_of(node)));
        nodes.into_iter().flatten().filter_map(read).collect()
    };
    let all = diagrams.get("tabs").and_then(Value::as_array).into_iter().flatten();
    let tabs = all.map(|tab| Tab {
        id: text(tab, "id"),
        name: text(tab, "name"),
        notes: text(tab, "notes"),
        relational: nodes(tab, View::Relational),
        collection: nodes(tab, View::Collection),
    });
    let active = Some(text(diagrams, "activeTab")).filter(|id| !id.is_empty());
    (tabs.collect(), active)
}

fn place_of(node: &Value) -> NodePlace {
    let number = |value: Option<&Value>| {
        value
            .and_then(Value::as_f64)
            .filter(|n| n.is_finite())
            .unwrap_or_default()
    };
    let position = node.get("position");
    NodePlace {
        x: number(position.and_then(|p| p.get("x"))),
        y: number(position.and_then(|p| p.get("y"))),
        width: number(node.get("width")),
        height: number(node.get("height")),
        hidden: node.get("hidden").and_then(Value::as_bool).unwrap_or(false),
    }
}

/// Where a tab stands among all.
fn find(editor: &Editor<'_>, tab: &str) -> Result<usize, EditError> {
    let (tabs, _) = tabs(editor.draft);
    let at = tabs.iter().position(|t| t.id == tab);
    at.ok_or_else(|| EditReason::NoDiagram.at(Place::of_diagrams()))
}

/// The list of tabs, which is made where there is none.
fn list(diagrams: &mut Value) -> &mut Vec<Value> {
    let members = diagrams.as_object_mut().expect("an object, as its maker sees to");
    let tabs = members.entry("tabs").or_insert_with(|| json!([]));
    if !tabs.is_array() {
        *tabs = json!([]);
    }
    tabs.as_array_mut().expect("made above")
}

fn set(tab: &mut Value, member: &str, value: Value) {
    if let Some(members) = tab.as_object_mut() {
        members.insert(member.to_owned(), value);
    }
}

pub(super) fn apply(editor: &mut Editor<'_>, edit: &DiagramEdit) -> Result<String, EditError> {
    let blank = || EditReason::NameBlank.at(Place::of_diagrams());
    let named = |name: &str| match name.trim() {
        "" => Err(blank()),
        name => Ok(name.to_owned()),
    };
    match edit {
        DiagramEdit::AddTab { tab, name, copy_of } => {
            let name = named(name)?;
            let (all, _) = tabs(editor.draft);
            let taken = |id: &str| all.iter().any(|t| t.id == id);
            let id = match tab {
                Some(id) if taken(id) => return Err(EditReason::IdTaken(id.clone()).at(Place::of_diagrams())),
                Some(id) => id.clone(),
                None => (all.len() + 1..)
                    .map(|n| format!("diagram-{n}"))
                    .find(|id| !taken(id))
                    .expect("the numbers do not end"),
            };
            let copied = copy_of.as_deref().map(|of| find(editor, of)).transpose()?;
            editor.change_diagrams(|diagrams| {
                let list = list(diagrams);
                let empty =
                    || json!({"relational": {"nodes": [], "edges": []}, "collection": {"nodes": [], "edges": []}});
                let mut made = copied.and_then(|at| list.get(at)).cloned().unwrap_or_else(empty);
                if let Some(members) = made.as_object_mut() {
                    members.shift_remove("notes");
                }
                set(&mut made, "id", json!(id));
                set(&mut made, "name", json!(name));
                list.push(made);
                set(diagrams, "activeTab", json!(id));
            });
            editor.made.push(Made::Diagram(id));
            Ok(format!("added the diagram `{name}`"))
        }
        DiagramEdit::RenameTab { tab, name } => {
            let (at, name) = (find(editor, tab)?, named(name)?);
            editor.change_diagrams(|diagrams| set(&mut list(diagrams)[at], "name", json!(name)));
            Ok(format!("renamed the diagram to `{name}`"))
        }
        DiagramEdit::SetTabNotes { tab, notes } => {
            let at = find(editor, tab)?;
            editor.change_diagrams(|diagrams| set(&mut list(diagrams)[at], "notes", json!(notes)));
            Ok("changed the notes of a diagram".to_owned())
        }
        DiagramEdit::RemoveTab { tab } => {
            let at = find(editor, tab)?;
            let (all, active) = tabs(editor.draft);
            if all.len() < 2 {
                return Err(EditReason::LastDiagram.at(Place::of_diagrams()));
            }
            let name = all[at].name.clone();
            let next = &all[if at == 0 { 1 } else { at - 1 }].id;
            editor.change_diagrams(|diagrams| {
                list(diagrams).remove(at);
                if active.as_deref() == Some(tab.as_str()) {
                    set(diagrams, "activeTab", json!(next));
                }
            });
            Ok(format!("removed the diagram `{name}`"))
        }
        DiagramEdit::MoveTab { tab, to } => {
            let at = find(editor, tab)?;
            editor.change_diagrams(|diagrams| {
                let list = list(diagrams);
                let moved = list.remove(at);
                list.insert((*to).min(list.len()), moved);
            });
            Ok("moved a diagram".to_owned())
        }
        DiagramEdit::ActivateTab { tab } => {
            let at = find(editor, tab)?;
            let name = tabs(editor.draft).0.swap_remove(at).name;
            editor.change_diagrams(|diagrams| set(diagrams, "activeTab", json!(tab)));
            Ok(format!("showed the diagram `{name}`"))
        }
        DiagramEdit::SetTabMember { tab, member, value } => {
            let at = find(editor, tab)?;
            if matches!(member.as_str(), "id" | "relational" | "collection") {
                return Err(EditReason::NothingChanges.at(Place::of_diagrams()));
            }
            editor.change_diagrams(|diagrams| set(&mut list(diagrams)[at], member, value.clone()));
            Ok("changed a diagram".to_owned())
        }
        DiagramEdit::PlaceNodes {
            tab,
            view,
            nodes,
            words,
        } => place_nodes(editor, tab, *view, nodes, words.as_deref()),
    }
}

/// Puts cards to their places: only those that change are kept in the history, since a drag is the most frequent edit.
fn place_nodes(
    editor: &mut Editor<'_>,
    tab: &str,
    view: View,
    nodes: &[(String, NodePlace)],
    words: Option<&str>,
) -> Result<String, EditError> {
    let at = find(editor, tab)?;
    if nodes_mut(editor.draft.content.diagrams.as_mut(), at, view).is_none() {
        editor.change_diagrams(|diagrams| {
            set(&mut list(diagrams)[at], member(view), json!({"nodes": [], "edges": []}));
        });
    }
    let (mut moved, mut hidden, mut shown) = (0, 0, 0);
    for (id, place) in nodes {
        let name = names_of(editor.draft, view, id);
        let list = nodes_mut(editor.draft.content.diagrams.as_mut(), at, view).expect("made above");
        let is_it = |node: &Value| {
            node.get("id")
                .and_then(Value::as_str)
                .is_some_and(|n| n == id || name.as_deref() == Some(n))
        };
        let index = list.iter().position(is_it);
        let before = index.map(|index| list[index].clone());
        let after = node_at(before.clone(), name.as_deref().unwrap_or(id), *place);
        let entry = Entry {
            key: (),
            at: index.unwrap_or(list.len()),
            before: before.map(Box::new),
            after: Some(Box::new(after)),
        };
        if entry.before == entry.after {
            continue;
        }
        match entry.before.as_deref().map(place_of) {
            Some(before) if before.hidden && !place.hidden => shown += 1,
            Some(before) if !before.hidden && place.hidden => hidden += 1,
            Some(_) | None => moved += 1,
        }
        editor.step(Step::Node { tab: at, view, entry });
    }
    let what = |n: usize| match (view, n) {
        (View::Relational, 1) => "1 table".to_owned(),
        (View::Relational, n) => format!("{n} tables"),
        (View::Collection, 1) => "1 collection".to_owned(),
        (View::Collection, n) => format!("{n} collections"),
    };
    Ok(match words {
        Some(words) => words.to_owned(),
        None if hidden > 0 && hidden >= shown => format!("hid {}", what(hidden)),
        None if shown > 0 => format!("showed {}", what(shown)),
        None => format!("moved {}", what(moved)),
    })
}

/// A card at its place, with what else the file says of it.
fn node_at(before: Option<Value>, id: &str, place: NodePlace) -> Value {
    let mut node = match before {
        Some(Value::Object(members)) => members,
        _ => {
            let mut members = Map::new();
            members.insert("id".into(), json!(id));
            members.insert("type".into(), json!("entityCard"));
            members
        }
    };
    node.insert("position".into(), json!({"x": place.x, "y": place.y}));
    node.insert("width".into(), json!(place.width));
    node.insert("height".into(), json!(place.height));
    node.insert("hidden".into(), json!(place.hidden));
    Value::Object(node)
}

/// The other name that a file may give a card: of a collection its name.
fn names_of(draft: &Draft, view: View, id: &str) -> Option<String> {
    match view {
        View::Relational => None,
        View::Collection => {
            let id = crate::ids::CollectionId::new(id);
            draft.content.collections.get(&id).map(|c| c.name.clone())
        }
    }
}

/// Cards of collections bear their names: they follow one.
pub(super) fn rename_nodes(editor: &mut Editor<'_>, before: &str, after: &str) {
    change_nodes(editor, View::Collection, &[before], |node| {
        set(node, "id", json!(after));
        true
    });
}

/// Takes the cards of these ids out of all tabs.
pub(super) fn remove_nodes(editor: &mut Editor<'_>, view: View, ids: &[&str]) {
    change_nodes(editor, view, ids, |_| false);
}

/// Changes the cards of these ids in all tabs; those go for which the closure says no.
fn change_nodes(editor: &mut Editor<'_>, view: View, ids: &[&str], change: impl Fn(&mut Value) -> bool) {
    let count = tabs(editor.draft).0.len();
    for tab in 0..count {
        let mut at = 0;
        while let Some(node) = nodes_mut(editor.draft.content.diagrams.as_mut(), tab, view).and_then(|l| l.get(at)) {
            let is_it = node
                .get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| ids.contains(&id));
            if !is_it {
                at += 1;
                continue;
            }
            let before = node.clone();
            let mut after = before.clone();
            let stays = change(&mut after);
            let entry = Entry {
                key: (),
                at,
                before: Some(Box::new(before)),
                after: stays.then(|| Box::new(after)),
            };
            editor.step(Step::Node { tab, view, entry });
            at += usize::from(stays);
        }
    }
}
