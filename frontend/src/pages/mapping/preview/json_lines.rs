//! A document as lines of JSON, each with the path of its field.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLine {
    pub level: usize,
    /// The field that the line belongs to; arrays add no part.
    pub path: String,
    /// With its quotes and the colon.
    pub key: String,
    pub value: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bracket,
    Text,
    Number,
    Word,
}

/// What extended JSON writes as an object with one of these keys is a value.
const VALUES: [&str; 14] = [
    "$oid",
    "$date",
    "$numberDecimal",
    "$numberLong",
    "$numberInt",
    "$numberDouble",
    "$binary",
    "$uuid",
    "$timestamp",
    "$regularExpression",
    "$minKey",
    "$maxKey",
    "$undefined",
    "$symbol",
];

pub fn lines(document: &Value) -> Vec<JsonLine> {
    let mut lines = Vec::new();
    add(document, "", "", 0, true, &mut lines);
    lines
}

fn add(value: &Value, key: &str, path: &str, level: usize, is_last: bool, lines: &mut Vec<JsonLine>) {
    let comma = if is_last { "" } else { "," };
    let mut push = |key: &str, value: String, kind| {
        lines.push(JsonLine {
            level,
            path: path.to_owned(),
            key: key.to_owned(),
            value: format!("{value}{comma}"),
            kind,
        });
    };
    match value {
        Value::Object(members) if let Some(text) = single(value) => {
            let kind = if members.contains_key("$numberDecimal") {
                Kind::Number
            } else {
                Kind::Text
            };
            push(key, text, kind);
        }
        Value::Object(members) if !members.is_empty() => {
            bracket(lines, key, path, level, "{");
            for (n, (name, member)) in members.iter().enumerate() {
                let below = crate::pages::mapping::lineage::below(path, name);
                add(
                    member,
                    &format!("{}: ", quoted(name)),
                    &below,
                    level + 1,
                    n + 1 == members.len(),
                    lines,
                );
            }
            bracket(lines, "", path, level, &format!("}}{comma}"));
        }
        Value::Array(items) if !items.is_empty() => {
            bracket(lines, key, path, level, "[");
            for (n, item) in items.iter().enumerate() {
                add(item, "", path, level + 1, n + 1 == items.len(), lines);
            }
            bracket(lines, "", path, level, &format!("]{comma}"));
        }
        Value::Object(_) => push(key, "{}".into(), Kind::Bracket),
        Value::Array(_) => push(key, "[]".into(), Kind::Bracket),
        Value::String(text) => push(key, quoted(text), Kind::Text),
        Value::Number(number) => push(key, number.to_string(), Kind::Number),
        Value::Bool(_) | Value::Null => push(key, value.to_string(), Kind::Word),
    }
}

fn bracket(lines: &mut Vec<JsonLine>, key: &str, path: &str, level: usize, text: &str) {
    lines.push(JsonLine {
        level,
        path: path.to_owned(),
        key: key.to_owned(),
        value: text.to_owned(),
        kind: Kind::Bracket,
    });
}

/// A value of BSON in one line.
fn single(value: &Value) -> Option<String> {
    let members = value.as_object()?;
    let first = members.keys().next()?;
    VALUES.contains(&first.as_str()).then(|| value.to_string())
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_line_knows_its_field() {
        let document = json!({"_id": {"$oid": "6a"}, "name": "Ada \"A\"", "lines": [{"qty": 1}, {"qty": 2}], "tags": [], "to": null});
        let lines = lines(&document);
        let said: Vec<_> = lines
            .iter()
            .map(|l| (l.level, l.path.as_str(), format!("{}{}", l.key, l.value)))
            .collect();
        let line = |level, path, text: &str| (level, path, text.to_owned());
        assert_eq!(
            said,
            [
                line(0, "", "{"),
                line(1, "_id", "\"_id\": {\"$oid\":\"6a\"},"),
                line(1, "name", "\"name\": \"Ada \\\"A\\\"\","),
                line(1, "lines", "\"lines\": ["),
                line(2, "lines", "{"),
                line(3, "lines.qty", "\"qty\": 1"),
                line(2, "lines", "},"),
                line(2, "lines", "{"),
                line(3, "lines.qty", "\"qty\": 2"),
                line(2, "lines", "}"),
                line(1, "lines", "],"),
                line(1, "tags", "\"tags\": [],"),
                line(1, "to", "\"to\": null"),
                line(0, "", "}"),
            ]
        );
    }
}
