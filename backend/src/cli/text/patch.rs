//! What one JSON value has that another has not, as changes at pointers.

use super::types::Change;
use serde_json::{Map, Value};

/// The changes that make `to` of `from`. Objects are compared by members, everything else as a whole.
pub fn between(from: &Value, to: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    collect(from, to, &mut String::new(), &mut found);
    found
}

fn collect(from: &Value, to: &Value, at: &mut String, found: &mut Vec<Change>) {
    let (Value::Object(before), Value::Object(after)) = (from, to) else {
        if from != to {
            found.push(Change {
                at: at.clone(),
                to: Some(to.clone()),
            });
        }
        return;
    };
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        found.push(Change {
            at: format!("{at}/{}", escaped(name)),
            to: None,
        });
    }
    for (name, value) in after {
        let length = at.len();
        at.push('/');
        at.push_str(&escaped(name));
        match before.get(name) {
            Some(old) => collect(old, value, at, found),
            None => found.push(Change {
                at: at.clone(),
                to: Some(value.clone()),
            }),
        }
        at.truncate(length);
    }
}

/// Makes the changes. One at a place that is no longer there is passed over: somebody has deleted what it was about.
pub fn apply(value: &mut Value, changes: &[Change]) {
    for change in changes {
        let (parent, name) = change.at.rsplit_once('/').unwrap_or(("", &change.at));
        let Some(members) = value.pointer_mut(parent).and_then(Value::as_object_mut) else {
            continue;
        };
        set(members, &name.replace("~1", "/").replace("~0", "~"), change.to.as_ref());
    }
}

fn set(members: &mut Map<String, Value>, name: &str, to: Option<&Value>) {
    match to {
        Some(value) => _ = members.insert(name.to_owned(), value.clone()),
        None => _ = members.shift_remove(name),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_lead_from_one_value_to_the_other() {
        let from = json!({"a": {"b": 1, "c/d": 2, "~": 3}, "e": [1, 2], "f": null});
        let to = json!({"a": {"b": 1, "c/d": {"x": null}, "": 4}, "e": [2], "g": {}});
        let changes = between(&from, &to);
        let mut made = from.clone();
        apply(&mut made, &changes);
        assert_eq!(made, to);
        assert!(between(&to, &to).is_empty());
        assert!(!changes.iter().any(|change| change.at == "/a/b"));
    }

    #[test]
    fn what_is_gone_takes_its_changes_with_it() {
        let mut value = json!({"a": 1});
        apply(
            &mut value,
            &[
                Change {
                    at: "/b/c".into(),
                    to: Some(json!(1)),
                },
                Change {
                    at: "/a/x".into(),
                    to: None,
                },
            ],
        );
        assert_eq!(value, json!({"a": 1}));
    }
}
