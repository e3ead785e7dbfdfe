//! Both forms say the same.

use super::types::{FieldText, ProjectText};
use super::write::is_same;
use super::{from_text, from_text_with, json_schema, to_text};
use godwit_shared::casing::Casing;
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::KeyHandling;
use godwit_shared::relmig::ProjectFile;
use godwit_shared::schema::RelationalModel;
use serde_json::{Map, Value, json};

fn model() -> RelationalModel {
    let column = |n: u32, kind: &str, is_key: bool| {
        let mut column = json!({"type": {"databaseSpecificType": kind, "precision": 0, "scale": 0}, "ordinalPosition": n, "nullable": true});
        if is_key {
            column["primaryKey"] = json!({"name": "pk"});
        }
        column
    };
    let key = |table: &str| {
        json!({
            "targetTable": {"database": "shop", "schema": "public", "table": table}, "cardinality": "ZERO_TO_MANY",
            "columnMappings": [{"source": "customer_id", "target": "id"}],
        })
    };
    serde_json::from_value(json!({
        "databases": {"shop": {"schemas": {
            "public": {"tables": {
                "customer": {"columns": {"id": column(1, "int4", true), "full_name": column(2, "text", false), "yes": column(3, "bool", false)}},
                "order.line": {"columns": {"id": column(1, "int4", true), "customer_id": column(2, "int4", false)},
                    "foreignKeys": {"fk": key("customer")}},
            }},
            "1e3": {"tables": {"null": {"columns": {"~": column(1, "text", true), "a: b": column(2, "text", false)}}}},
        }}},
        "metadata": {"databaseType": "POSTGRESQL", "databaseVersion": "15.1"},
    }))
    .expect("a model")
}

fn project() -> ProjectFile {
    let model = model();
    let content = content_of(
        &model,
        Casing::CamelCase,
        KeyHandling::Generated,
        InitialMapping::Relational,
    );
    let mut file = ProjectFile::new("Shop".into(), "POSTGRESQL".into(), "p".into(), content, model);
    file.project.id = "p".into();
    ProjectFile::from_value(file.to_exported_value()).expect("a project")
}

#[track_caller]
fn check(file: &ProjectFile) -> String {
    let text = to_text(file, true).expect("a text");
    let again = from_text(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert!(is_same(&again, file), "{text}");
    let bare = to_text(file, false).expect("a text");
    let again = from_text_with(&bare, file.schema.full.clone()).expect("a project");
    assert!(is_same(&again, file), "{bare}");
    validate(&bare);
    text
}

#[test]
fn a_new_project_is_short() {
    let file = project();
    check(&file);
    let text = to_text(&file, false).expect("a text");
    assert!(!text.contains("other:") && !text.contains("fields:"), "{text}");
    assert!(text.lines().count() < 30, "{text}");
}

#[test]
fn members_that_nobody_knows_are_kept() {
    let mut value = project().to_exported_value();
    value["queries"] = json!([{"id": "q", "input": {"query": "select 1"}}]);
    value["project"]["x/y~z"] = json!({"a": null});
    value["project"]["content"]["diagrams"] = json!({"activeTab": "t", "tabs": [{"id": "t", "position": {"x": 1.5}}]});
    value["project"]["content"]["mappings"]["mapping-2"]["fields"]["id"]["target"]["conversionStrategy"] = json!("X");
    value["project"]["content"]["collections"]["collection-1"]["note"] = json!("  two\n\nlines: \u{1}\t");
    value["schema"]["all"] = json!({"shop": {}});
    let file = ProjectFile::from_value(value.clone()).expect("a project");
    let again = from_text(&check(&file)).expect("a project").to_exported_value();
    assert_eq!(again, file.to_exported_value());
    assert_eq!(again["queries"], value["queries"]);
}

#[test]
fn what_a_person_writes_is_understood() {
    let text = "
godwit: 1
project: {name: Shop, type: POSTGRESQL, keys: SINGLE}
tables:
  - {table: public.customer, where: id > 3, rows: 10}
  - table: shop.public.order.line
collections:
  - name: people
    rules:
      - table: public.customer
        fields: {id: true, full_name: name, 'yes': false}
        calculated:
          - {name: twice, expression: columns.id * 2, type: LONG}
        rules:
          - table: public.order.line
            as: array
            path: lines
            sort: -id
            limit: 3
            filter: columns.id > 0
            fields:
              id: {omitNull: true, type: STRING}
";
    let file = from_text_with(text, model()).expect("a project");
    let content = &file.project.content;
    let rules: Vec<_> = content.mappings.values().collect();
    assert_eq!(rules.len(), 2);
    let target = |rule: usize, column: &str| rules[rule].fields[column].target.clone();
    assert_eq!(
        (target(0, "id").included, target(0, "full_name").name.as_str()),
        (true, "name")
    );
    assert!(!target(0, "yes").included);
    assert!(target(1, "id").is_null_excluded);
    assert_eq!(
        rules[1].settings.array_conditions.as_ref().and_then(|c| c.limit),
        Some(3)
    );
    let filter = godwit_shared::edit::table_filter(&content.tables[0]).expect("a filter");
    assert_eq!(
        (filter.where_clause.as_deref(), filter.row_count),
        (Some("id > 3"), Some(10))
    );
    check(&file);
}

#[test]
fn what_is_wrong_is_told() {
    let text = |rules: &str| {
        format!("godwit: 1\nproject: {{name: a, type: POSTGRESQL}}\ncollections: [{{name: c, rules: {rules}}}]")
    };
    for (text, words) in [
        (String::new(), "missing field"),
        ("godwit: 2\nproject: {name: a, type: b}".into(), "2 is a form"),
        (text("[{table: public.nothing}]"), "public.nothing"),
        (text("[{table: public.customer, as: array}]"), "makes documents"),
        (
            text("[{table: public.customer, rules: [{table: public.order.line}]}]"),
            "as: document",
        ),
        (text("[{table: public.customer, colour: red}]"), "colour"),
        (text("[{table: public.customer, fields: {id: {type: FLOAT}}}]"), "FLOAT"),
        (
            text("[{table: public.customer, id: a}, {table: public.customer, id: a}]"),
            "two rules",
        ),
        (
            text(&format!(
                "[{}{}]",
                "{table: public.customer, rules: [".repeat(200),
                "]}".repeat(200)
            )),
            "",
        ),
        ("a: &a [x]\nb: [*a, *a]".into(), ""),
    ] {
        let error = from_text_with(&text, model()).expect_err(&text);
        assert!(error.contains(words), "{text}: {error}");
    }
    assert!(from_text(&text("[]")).expect_err("no schema").contains("no schema"));
}

/// Nine levels of nine references each would be hundreds of millions of values.
#[test]
fn references_in_a_text_do_not_grow_without_bound() {
    let mut schema = "a0: &a0 [x]".to_owned();
    for level in 1..10 {
        let all = vec![format!("*a{}", level - 1); 9].join(", ");
        schema.push_str(&format!(", a{level}: &a{level} [{all}]"));
    }
    let text = format!("godwit: 1\nproject: {{name: a, type: POSTGRESQL}}\nschema: {{{schema}}}\n");
    let error = from_text(&text).expect_err("too much");
    assert!(error.contains("repetition"), "{error}");
}

/// Random changes to a project: names that YAML could take for something else, orders, rules at any depth.
#[test]
fn random_projects_go_through_text_and_back() {
    let mut state = 11_u64;
    let mut dice = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % n
    };
    let words = [
        "",
        "a",
        "null",
        "~",
        "yes",
        "No",
        "1",
        "1.0",
        "0x1f",
        "1e9",
        ".inf",
        "- a",
        "a: b",
        "#x",
        "'",
        "\"",
        "\\",
        "a\nb",
        "\u{7}",
        "שם",
        " lead",
        "trail ",
        "|",
        ">",
        "%TAG",
        "@a",
        "`",
        "*a",
        "&a",
        "!x",
        "2024-01-01",
        "{",
        "[",
        "=",
        "<<",
        "\u{85}",
        "\u{feff}",
        "-x",
    ];
    for round in 0..120 {
        let mut value = project().to_exported_value();
        let content = &mut value["project"]["content"];
        let mut shuffled = Map::new();
        let mut mappings: Vec<(String, Value)> = content["mappings"]
            .as_object()
            .expect("rules")
            .clone()
            .into_iter()
            .collect();
        while !mappings.is_empty() {
            let (id, rule) = mappings.remove(dice(mappings.len()));
            shuffled.insert(id, rule);
        }
        content["mappings"] = Value::Object(shuffled);
        for (_, rule) in content["mappings"].as_object_mut().expect("rules") {
            for (_, field) in rule["fields"].as_object_mut().expect("fields") {
                match dice(5) {
                    0 => field["target"]["name"] = json!(words[dice(words.len())]),
                    1 => field["target"]["included"] = json!(false),
                    2 => field["target"]["isNullExcluded"] = json!(true),
                    3 => field["target"]["type"] = json!("STRING"),
                    _ => {}
                }
            }
            if dice(3) == 0 {
                rule["settings"]["ruleFilter"] = json!({"expression": words[dice(words.len())]});
                rule["settings"]["arrayConditions"] =
                    json!({"sort": {"field": words[dice(words.len())], "order": "ASC"}, "x": 1});
            }
            for n in 0..dice(4) {
                let id = format!("{}{n}", words[dice(words.len())]);
                rule["calculatedFields"][id] =
                    json!({"name": words[dice(words.len())], "expression": words[dice(words.len())]});
            }
        }
        value["project"]["name"] = json!(format!("p{}", words[dice(words.len())]));
        if dice(2) == 0 {
            let (parent, child) = ("mapping-1", "mapping-2");
            let content = &mut value["project"]["content"];
            let collection = content["mappings"][parent]["collectionId"].clone();
            content["mappings"][child]["collectionId"] = collection;
            content["mappings"][child]["settings"]["type"] = json!("EMBEDDED_DOCUMENT_ARRAY");
            content["mappings"][child]["settings"]["embeddedPath"] = json!(words[dice(words.len())]);
            content["relationships"]["mappings"][parent] = json!({"children": [child]});
        }
        let file = ProjectFile::from_value(value).unwrap_or_else(|e| panic!("{round}: {e}"));
        check(&file);
    }
}

/// Project files of others, where they are beside the checkout.
#[test]
fn real_project_files_go_through_text_and_back() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/compat");
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/shop.relmig");
    let mut files = vec![demo];
    match std::fs::read_dir(&folder) {
        Ok(found) => files.extend(
            found
                .flatten()
                .map(|f| f.path())
                .filter(|p| p.extension().is_some_and(|e| e == "relmig")),
        ),
        Err(_) => eprintln!("SKIPPED: no folder `shared/compat` beside the checkout"),
    }
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a file");
        let file = ProjectFile::from_json(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = ProjectFile::from_value(file.to_exported_value()).expect("a project");
        check(&file);
        let bare = to_text(&file, false).expect("a text");
        let parsed: ProjectText = serde_norway::from_str(&bare).expect("a text");
        let rules = file.project.content.mappings.len();
        let noise: Vec<&str> = parsed
            .other
            .iter()
            .map(|c| c.at.as_str())
            .filter(|at| at.contains("/mappings/"))
            .collect();
        assert!(
            noise.len() <= rules,
            "{}: {} of {rules} rules: {:?}",
            path.display(),
            noise.len(),
            &noise[..noise.len().min(10)]
        );
    }
}

/// The part of JSON schema that ours uses.
fn is_valid(schema: &Value, root: &Value, value: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
        return is_valid(target, root, value);
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(any) = schema[word].as_array()
            && !any.iter().any(|schema| is_valid(schema, root, value))
        {
            return false;
        }
    }
    if let Some(expected) = schema.get("const") {
        return expected == value;
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return false;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(many) => many.iter().any(|one| one == kind),
        _ => true,
    };
    if !is_kind {
        return false;
    }
    let items = value.as_array().is_none_or(|all| {
        schema
            .get("items")
            .is_none_or(|s| all.iter().all(|v| is_valid(s, root, v)))
    });
    let Some(members) = value.as_object() else { return items };
    let required = schema["required"]
        .as_array()
        .is_none_or(|all| all.iter().all(|n| members.contains_key(n.as_str().unwrap_or(""))));
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    required
        && members.iter().all(
            |(name, value)| match (properties.get(name), schema.get("additionalProperties")) {
                (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => is_valid(schema, root, value),
                (None, Some(Value::Bool(false))) => false,
                (None, _) => true,
            },
        )
}

fn validate(text: &str) {
    let schema: Value = serde_json::from_str(&json_schema()).expect("JSON");
    let value: Value = serde_norway::from_str(text).expect("YAML");
    assert!(is_valid(&schema, &schema, &value), "{text}");
}

#[test]
fn the_schema_refuses_what_is_no_project() {
    let schema: Value = serde_json::from_str(&json_schema()).expect("JSON");
    for wrong in [
        json!({"godwit": 1}),
        json!({"godwit": "1", "project": {"name": "a", "type": "b"}}),
        json!({"godwit": 1, "project": {"name": "a", "type": "b"}, "sauce": 1}),
        json!({"godwit": 1, "project": {"name": "a", "type": "b"}, "collections": [{"name": "c", "rules": [{"table": "t", "as": "list"}]}]}),
    ] {
        assert!(!is_valid(&schema, &schema, &wrong), "{wrong}");
    }
    let field = |text: &str| serde_norway::from_str::<FieldText>(text).is_ok();
    assert!(field("name") && field("false") && field("{type: LONG}") && !field("{kind: LONG}"));
}
